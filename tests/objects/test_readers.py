"""Who can read stored content: nobody who could not read the file."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.file_edits import edit_files
from aura_vcs.history.merge import merge
from aura_vcs.history.names.branches import create_branch
from aura_vcs.history.recording.version_builder import worktree_base
from aura_vcs.layout import pack_path
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.repository.transaction import Draft

from tests.helpers.check import assert_whole
from tests.helpers.project import noise, save, write

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def _files(root: Path) -> set[Path]:
    return {path for path in (root / ".aura" / "objects").rglob("*") if path.is_file()}


def _open_files(root: Path) -> set[Path]:
    """Files of objects that somebody else can read."""
    return {path for path in _files(root) if path.stat().st_mode & 0o044}


def _private(root: Path, files: dict[str, str | bytes]) -> None:
    write(root, files)
    for path in files:
        (root / path).chmod(0o600)


@pytest.mark.parametrize("size", [10, 200_000, 3_000_000])
@pytest.mark.parametrize("how", ["commit", "edit", "restore"])
def test_what_a_private_file_held_is_private(tmp_path: Path, how: str, size: int) -> None:
    """In loose objects, packs and chunks, whatever command stores it."""
    root = tmp_path / "film"
    root.mkdir()
    _private(root, {"secret.bin": noise(size, seed=1)})
    with Repository.init(str(root)) as repo:
        save(repo, "First cut")
        assert not _open_files(root)
        write(root, {"secret.bin": noise(size, seed=2)})
        if how == "commit":
            save(repo, "Second cut")
        elif how == "edit":
            edit_files(repo, {"secret.bin": b"short"}, draft=Draft("project.set", "Set it"))
        else:
            restore(repo, "v1")
        assert not _open_files(root)
        assert stat.S_IMODE((root / "secret.bin").stat().st_mode) == 0o600
        assert_whole(repo)


def test_content_that_becomes_private_is_so_in_the_store(tmp_path: Path) -> None:
    """A file whose owner takes the others' rights away, and a commit after that."""
    root = tmp_path / "film"
    write(root, {"secret.txt": "words", "film.bin": noise(2_000_000, seed=3)})
    with Repository.init(str(root)) as repo:
        save(repo, "First cut")
        assert _open_files(root)
        (root / "secret.txt").chmod(0o600)
        (root / "film.bin").chmod(0o600)
        write(root, {"other.txt": "x"})
        save(repo, "Second cut")
        for name in ("secret.txt", "film.bin"):
            assert not _mode(repo, name) & 0o044


def test_a_shared_project_stays_readable_for_the_group(tmp_path: Path) -> None:
    """What is private lies apart: trees, versions and the others' files do not become unreadable."""
    root = tmp_path / "film"
    root.mkdir()
    root.chmod(0o2775)
    os.umask(0o002)
    write(root, {"script.md": "words", "plan.json": "{}", "a.txt": "a", "b.txt": "b"})
    _private(root, {"secret.txt": "mine", "secret.bin": noise(2_000_000, seed=1)})
    with Repository.init(str(root)) as repo:
        version = save(repo, "First cut")
        closed = _files(root) - _open_files(root)
        assert closed
        for name, is_private in (("script.md", False), ("secret.txt", True), ("secret.bin", True)):
            entry = repo.trees.entry(version.tree, name)
            assert entry is not None
            place = repo.store.location(entry.id)
            assert place is not None
            assert (Path(repo.storage.path(f"objects/packs/{place.pack}.pack")) in closed) is is_private
        tree = repo.store.location(version.tree)
        assert tree is not None
        assert Path(repo.storage.path(f"objects/packs/{tree.pack}.pack")) not in closed


def test_packing_anew_keeps_it_private(tmp_path: Path) -> None:
    """A collection gathers what some people may read, and what all may, by themselves."""
    root = tmp_path / "film"
    root.mkdir()
    with Repository.init(str(root)) as repo:
        for number in range(14):
            write(root, {"open.txt": f"open {number}"})
            save(repo, f"Open {number}")
            _private(root, {"secret.txt": f"secret {number}"})
            save(repo, f"Secret {number}")
        execute_gc(repo, plan_gc(repo, grace_seconds=0, dead_share=0.0, wait_for_others=False))
        assert_whole(repo)
        for number in range(14):
            checkout(repo, f"v{2 * number + 2}")
            assert not _mode(repo, "secret.txt") & 0o044
        assert _open_files(root)


def test_what_a_merge_makes_of_private_documents_is_private(tmp_path: Path) -> None:
    """A document that two branches changed."""
    root = tmp_path / "film"
    root.mkdir()
    _private(root, {"brief.json": '{"topic": "Tides"}'})
    with Repository.init(str(root)) as repo:
        create_branch(repo, "side", save(repo, "First cut").id)
        _private(root, {"brief.json": '{"topic": "Tides", "tone": "calm"}'})
        save(repo, "Ours")
        checkout(repo, "side")
        _private(root, {"brief.json": '{"topic": "Ebb"}'})
        save(repo, "Theirs")
        merge(repo, "main")
        assert json.loads((root / "brief.json").read_text()) == {"topic": "Ebb", "tone": "calm"}
        assert not _mode(repo, "brief.json") & 0o044
        assert stat.S_IMODE((root / "brief.json").stat().st_mode) == 0o600


def _mode(repo: Repository, path: str) -> int:
    """The mode of the file that has the content of a path of HEAD."""
    entry = repo.trees.entry(worktree_base(repo).tree, path)
    assert entry is not None
    place, loose = repo.store.location(entry.id), repo.store.loose.find(entry.id)
    name = pack_path(place.pack) if place is not None else loose[0] if loose is not None else ""
    return os.stat(repo.storage.path(name)).st_mode


@pytest.mark.parametrize("size", [10, 200_000, 3_000_000])
def test_a_private_file_that_comes_back_is_private(tmp_path: Path, size: int) -> None:
    """Where it replaces nothing: by a checkout, a restore, and under the name that it had before."""
    root = tmp_path / "film"
    root.mkdir()
    write(root, {"open.txt": "words", "open.bin": noise(size, seed=2)})
    with Repository.init(str(root)) as repo:
        save(repo, "First cut")
        _private(root, {"secret.bin": noise(size, seed=1)})
        write(root, {"later.txt": "more words"})
        save(repo, "Second cut")
        checkout(repo, "v1")
        checkout(repo, "main")
        assert _modes(root) == {"open.txt": 0o644, "open.bin": 0o644, "secret.bin": 0o600, "later.txt": 0o644}
        (root / "secret.bin").unlink()
        restore(repo, "main", ["secret.bin"])
        assert _modes(root)["secret.bin"] == 0o600
        (root / "secret.bin").rename(root / "key.bin")
        save(repo, "Renamed")
        checkout(repo, "v2")
        assert _modes(root)["secret.bin"] == 0o600


def test_many_private_files_that_come_back_are_private(tmp_path: Path) -> None:
    """In a new folder, which is laid out as a whole, and one by one; the public ones beside them are not."""
    root = tmp_path / "film"
    root.mkdir()
    write(root, {"notes/first.txt": "first"})
    with Repository.init(str(root)) as repo:
        save(repo, "First cut")
        names = [f"{folder}/{number}.txt" for folder in ("new", "notes") for number in range(50)]
        write(root, {f"open-{name.replace('/', '-')}": name for name in names})
        _private(root, {name: f"secret {name}" for name in names})
        save(repo, "Second cut")
        checkout(repo, "v1")
        checkout(repo, "main")
        assert {name for name, mode in _modes(root).items() if mode == 0o600} == set(names)
        assert_whole(repo)


def test_who_shares_a_project_gets_back_what_the_group_could_read(tmp_path: Path) -> None:
    """What a group works on comes back for the group to write, and what is private does not."""
    root = tmp_path / "film"
    root.mkdir()
    root.chmod(0o2775)
    os.umask(0o002)
    with Repository.init(str(root)) as repo:
        write(root, {"a.txt": "a"})
        save(repo, "First cut")
        write(root, {"b.txt": "b"})
        _private(root, {"secret.txt": "mine"})
        save(repo, "Second cut")
        checkout(repo, "v1")
        checkout(repo, "main")
        assert _modes(root) == {"a.txt": 0o664, "b.txt": 0o664, "secret.txt": 0o600}


def _modes(root: Path) -> dict[str, int]:
    """The modes of the project's files by path."""
    return {
        path.relative_to(root).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in root.rglob("*")
        if path.is_file() and not path.relative_to(root).parts[0].startswith(".")
    }
