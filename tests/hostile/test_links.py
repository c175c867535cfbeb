"""Links planted among our own files: in a project, a remote's folder, a studio (L1, H3, H4)."""

import os
import re
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aura_vcs import AuraError, Repository, layout
from aura_vcs.cli.main import cli
from aura_vcs.errors.integrity import LinkedPath
from aura_vcs.history.commit import CommitRequest, commit
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.own_folders import OwnFolders
from aura_vcs.storage.system_calls import FileCalls
from aura_vcs.sync.remotes.connect import open_remote
from aura_vcs.sync.remotes.url import parse_address
from click.testing import CliRunner

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights there")

FOLDERS = sorted(
    value
    for name, value in vars(layout).items()
    if name.isupper()
    and isinstance(value, str)
    and re.fullmatch(r"(objects|refs|operations|offloaded|local)(/[a-z-]+)?", value)
)
"""Every folder of the layout."""
FILES = [layout.FORMAT, layout.CONFIG, layout.HEAD, layout.INDEX, layout.SCAN_CACHE, layout.STATE, layout.REPLICA,
         layout.PENDING, f"{layout.INDEX}-wal", f"{layout.INDEX}-shm", f"{layout.INDEX}-journal",
         f"{layout.LOCKS}/refs.lock", f"{layout.LOCKS}/objects.lock", f"{layout.LOCKS}/worktree.lock"]  # fmt: skip
COMMANDS = (
    ("status",), ("log",), ("fsck", "--quick"), ("commit", "--allow-empty", "-m", "x"), ("checkout", "v1"), ("undo",),
    ("gc", "--grace", "0"), ("export", "list"), ("reindex",), ("autosave",), ("repair",), ("storage",),
)  # fmt: skip


class Outside:
    """Somebody's folder and files, which nothing may touch."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "diary" / "2025").mkdir(parents=True)
        for name in ("key", "diary/1.txt", "diary/2025/1.txt", "diary/99-0123456789abcdef", "diary/staged"):
            (root / name).write_text(f"private {name}")
        connection = sqlite3.connect(root / "db")
        connection.execute("CREATE TABLE t (x)")
        connection.commit()
        connection.close()
        for folder, _, names in os.walk(root, topdown=False):
            for name in names:
                os.utime(os.path.join(folder, name), (1, 1))
            os.utime(folder, (1, 1))
        self.before = self.look()

    def look(self) -> dict[str, tuple[object, ...]]:
        """Everything about everything, but when it was read."""
        found: dict[str, tuple[object, ...]] = {}
        for path in sorted(self.root.rglob("*")):
            seen = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            found[str(path)] = (seen.st_mode, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_nlink, seen.st_ino, content)
        return found


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    """Somebody's things, beside the project."""
    return Outside(tmp_path / "outside")


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """A project with two versions, closed."""
    root = tmp_path / "seed"
    root.mkdir()
    (root / "a.txt").write_text("one")
    with Repository.init(root, author="Ada", host="studio") as repo:
        commit(repo, "One")
        (root / "a.txt").write_text("two")
        commit(repo, "Two")
    return root


def run(root: Path, home: Path, *words: str) -> int:
    """Run a command in a folder."""
    done = CliRunner().invoke(cli, ["-C", str(root), *words], env={"AURA_HOME": str(home), "AURA_LOCK_SECONDS": "0"})
    assert "Traceback" not in done.output
    assert "Something went wrong inside" not in done.output, done.output
    return done.exit_code


def planted(seed: Path, name: str, target: Path) -> Path:
    """A copy of the project with a link in place of one of its files or folders."""
    root = seed.with_name("film")
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(seed, root, symlinks=True)
    path = root / ".aura" / name
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return root


@pytest.mark.parametrize("name", [*FOLDERS, ""])
def test_no_command_enters_a_folder_of_ours_through_a_link(
    seed: Path, outside: Outside, tmp_path: Path, name: str
) -> None:
    """L1: nothing there is read, written, made, cut, renamed or deleted, whatever is asked."""
    for command in COMMANDS:
        if name:
            root = planted(seed, name, outside.root / "diary")
        else:
            root = seed.with_name("film")
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir()
            shutil.copytree(seed / ".aura", outside.root.with_name("other"), dirs_exist_ok=True)
            (root / ".aura").symlink_to(outside.root.with_name("other"))
        code = run(root, tmp_path / "home", *command)
        assert outside.look() == outside.before, (name, command)
        assert name or code == LinkedPath.exit_code


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("target", ["key", "db", "absent"])
def test_no_command_follows_a_link_in_place_of_a_file_of_ours(
    seed: Path, outside: Outside, tmp_path: Path, name: str, target: str
) -> None:
    """L1: a lock is not cut, a database not changed, nothing is made where a link leads to."""
    for command in COMMANDS[:6] if target == "key" else COMMANDS[3:4]:
        root = planted(seed, name, outside.root / target)
        run(root, tmp_path / "home", *command)
        assert outside.look() == outside.before, (name, command)


@pytest.mark.parametrize("name", ["", "tmp", "packs", "records", "lock", "manifest.json"])
def test_a_push_follows_no_link_in_a_remotes_folder(seed: Path, outside: Outside, tmp_path: Path, name: str) -> None:
    """L1, H4: neither to sweep, nor to lock, nor to write."""
    home, far = tmp_path / "home", tmp_path / "nas"
    if name:
        assert run(seed, home, "remote", "add", "nas", str(far)) == 0
        assert run(seed, home, "push", "nas") == 0
        shutil.rmtree(far / name, ignore_errors=True) if (far / name).is_dir() else (far / name).unlink()
        (far / name).symlink_to(outside.root / ("diary" if name in {"tmp", "packs", "records"} else "key"))
    run(seed, home, "commit", "--allow-empty", "-m", "more")
    code = run(seed, home, "push", "nas")
    assert outside.look() == outside.before
    assert code != 0 or not name or name == "tmp"


@pytest.mark.parametrize(
    "name", ["config.json", "tmp", "locks", "projects", "templates", "index.sqlite", "actions.jsonl"]
)
def test_a_studio_is_not_entered_through_a_link(seed: Path, outside: Outside, tmp_path: Path, name: str) -> None:
    """L1: also the person's own folder may have come from somewhere."""
    home = tmp_path / "home"
    home.mkdir()
    is_folder = name in {"tmp", "locks", "projects", "templates"}
    (home / name).symlink_to(outside.root / ("diary" if is_folder else "db" if name.endswith("sqlite") else "key"))
    for command in (
        ("config", "set", "identity.name", "Ada"),
        ("projects", "list"),
        ("config", "list"),
        ("template", "list"),
    ):
        run(seed, home, *command)
        assert outside.look() == outside.before, command


@contextmanager
def promptly(seconds: int = 20) -> Iterator[None]:
    """Fail rather than wait for a pipe that nobody writes to."""

    def late(*_: object) -> None:
        pytest.fail("it waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


SHOWN = (
    "project.json", "scenes/010.json", ".aura/format.json", ".aura/local/state.json", ".aura/refs/settings/x.json",
    ".aura/operations/aaaaaaaaaaaa.jsonl", ".aura/local/tmp/staged",
)  # fmt: skip
"""What a list of projects, or a command that enters the project there, reads or sweeps."""


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_list_of_projects_follows_no_link_and_waits_for_no_pipe(
    seed: Path, tmp_path: Path, name: str, kind: str
) -> None:
    """L1, E1: what lies in a project's folder does not decide what is read, or how long that takes."""
    home, secret = tmp_path / "home", tmp_path / "secret.json"
    secret.write_text('{"title": "TOP SECRET"}')
    run(seed, home, "project", "set", "title=Tides")
    (seed / name).parent.mkdir(parents=True, exist_ok=True)
    (seed / name).unlink(missing_ok=True)
    (seed / name).symlink_to(secret) if kind == "link" else os.mkfifo(seed / name)
    os.utime(secret, ns=(0, secret.stat().st_mtime_ns))
    with promptly():
        for words in (
            ("projects", "list"),
            ("project", "show"),
            ("restore", "v1"),
            ("commit", "-m", "More"),
            ("init",),
        ):
            shown = CliRunner().invoke(cli, ["-C", str(seed), *words], env={"AURA_HOME": str(home)}).output
            assert "inside aura" not in shown, words
            assert "SECRET" not in shown, words
    assert secret.stat().st_atime_ns == 0  # it was not even read
    assert name != ".aura/local/tmp/staged" or not os.path.lexists(seed / name)


def test_a_file_with_a_second_name_is_not_cut(seed: Path, tmp_path: Path) -> None:
    """L1: a lock that is a hard link to a file of the person's is locked, and nothing is written into it."""
    lock, mine = seed / ".aura" / layout.LOCKS / "refs.lock", tmp_path / "mine.txt"
    mine.write_text("mine")
    lock.unlink()
    os.link(mine, lock)
    with Repository.open(seed) as repo:
        commit(repo, CommitRequest("Three", allow_empty=True))
    assert mine.read_text() == "mine"


def test_an_index_with_a_second_name_is_made_anew(seed: Path, tmp_path: Path) -> None:
    """L1: what SQLite would write would be seen under that name, too."""
    index, other = seed / ".aura" / layout.INDEX, tmp_path / "backup.sqlite"
    os.link(index, other)
    before = other.read_bytes()
    with Repository.open(seed) as repo:
        commit(repo, CommitRequest("Three", allow_empty=True))
    assert other.read_bytes() == before
    assert index.stat().st_nlink == 1


def test_a_link_put_in_the_way_meanwhile_leads_nowhere(tmp_path: Path) -> None:
    """L1: between looking and writing, and with the folder open already (TOCTOU)."""
    root, outside = tmp_path / "store", tmp_path / "outside"
    outside.mkdir()

    class Swapper(FileCalls):
        """Swaps the folder before something gets its name."""

        def replace(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> None:
            """See FileCalls."""
            os.rename(root / "refs", root / "away")
            os.symlink(outside, root / "refs")
            super().replace(source, target, dir_fd=dir_fd, to_fd=to_fd)

    storage = LocalStorage(str(root))
    storage.put("refs/a", b"1")
    storage.calls = Swapper()
    storage.put("refs/b", b"2")
    assert os.listdir(outside) == []
    storage.calls = FileCalls()
    for refused in (storage.read, storage.stat, storage.list, storage.touch, storage.delete):
        with pytest.raises(LinkedPath):
            refused("refs/a")  # type: ignore[operator]
    with pytest.raises(LinkedPath):
        storage.put("refs/c", b"3")
    assert os.listdir(outside) == []


def test_folders_that_come_back_are_found_again(tmp_path: Path) -> None:
    """What is kept open is what the name leads to now, however it came there; many folders are no trouble."""
    storage = LocalStorage(str(tmp_path))
    for number in range(60):
        storage.put(f"f{number}/a", b"old")
    (tmp_path / "f1").rename(tmp_path / "gone")
    assert storage.stat("f1/a") is None
    (tmp_path / "f1").mkdir()
    (tmp_path / "f1" / "a").write_bytes(b"new")
    assert storage.read("f1/a") == b"new"
    assert storage.list("gone") == ["a"]
    folders = OwnFolders(str(tmp_path))
    with folders.at("f59/a") as (last, dir_fd):
        assert os.stat(last, dir_fd=dir_fd).st_size == 3
    folders.close()


@pytest.mark.parametrize("name", ["novel.txt", "wedding", "42-notes", "staged.txt", "holiday.0.part", "a" * 24 + "x"])
def test_only_what_has_a_name_of_ours_is_swept(tmp_path: Path, seed: Path, name: str) -> None:
    """Files of the person's in a folder called tmp stay, in a remote's folder and in the project's."""
    far = tmp_path / "stick"
    for tmp in (far / "tmp", seed / ".aura" / layout.TEMPORARY):
        tmp.mkdir(parents=True, exist_ok=True)
        (tmp / name).write_text("mine")
        os.utime(tmp / name, (1, 1))
    assert run(seed, tmp_path / "home", "remote", "add", "stick", str(far)) == 93
    assert run(seed, tmp_path / "home", "remote", "add", "--force", "stick", str(far)) == 0
    assert run(seed, tmp_path / "home", "push", "stick") == 0
    assert run(seed, tmp_path / "home", "gc") == 0
    assert (far / "tmp" / name).read_text() == (seed / ".aura" / layout.TEMPORARY / name).read_text() == "mine"


@pytest.mark.parametrize("path", ["../secret", "a/../../secret", ".aura/format.json", "link/secret", "secret-link"])
def test_a_checkpoint_names_a_file_of_the_project(seed: Path, tmp_path: Path, path: str) -> None:
    """L2: what a record names outside, also through a link, is neither read nor stored."""
    from aura_vcs.project.records.checkpoint_store import list_checkpoints, recover, writer_for

    (tmp_path / "secret").write_text("TOP SECRET")
    (seed / "link").symlink_to(tmp_path)
    (seed / "secret-link").symlink_to(tmp_path / "secret")
    (seed / "out.bin").write_text("an output")
    with Repository.open(seed) as repo:
        made = writer_for(repo).save("Render", completed=1, total=2, output="out.bin", keep_output=True)
        file = next((seed / ".aura" / layout.CHECKPOINTS).iterdir())
        file.write_text(file.read_text().replace("out.bin", path))
    with Repository.open(seed) as repo:
        assert list_checkpoints(repo)[0].output_file_path == path
        try:
            recover(repo)
        except AuraError as error:
            assert error.exit_code in {36, 51, 85}  # noqa: PT017 (or nothing is brought back)
        stored = [repo.store.read(i) for i, _ in repo.store.loose.all()]
        assert not any(b"TOP SECRET" in data for data in stored)
    assert made.output is not None
    assert (tmp_path / "secret").read_text() == "TOP SECRET"


def test_an_export_from_elsewhere_stays_in_the_project(seed: Path, tmp_path: Path) -> None:
    """L2: a queued export that came with the folder does not say where on this machine a film is written."""
    from aura_vcs.errors import InputError
    from aura_vcs.index.queries import Queries
    from aura_vcs.project.records.export_jobs import add_export, run_export
    from aura_vcs.project.render.presets import find_preset

    with Repository.open(seed) as repo:
        version = Queries(repo.index).versions_numbered(1)[0]
        job = add_export(repo, version, find_preset("YouTube 1080p"), str(tmp_path / "out.mp4"))
        shutil.rmtree(seed / ".aura" / layout.QUEUED)
        with pytest.raises(InputError, match="not queued on this machine"):
            run_export(repo, job)
    assert not (tmp_path / "out.mp4").exists()


def test_a_remote_is_opened_without_links_by_whoever_opens_it(tmp_path: Path, outside: Outside) -> None:
    """H4: reading a name that is a link is damage, not its target's bytes."""
    far = tmp_path / "far"
    (far / "packs").mkdir(parents=True)
    (far / "manifest.json").symlink_to(outside.root / "key")
    remote = open_remote(parse_address(str(far)))
    calls: list[Callable[[], object]] = [lambda: remote.load("manifest.json"), lambda: remote.size("manifest.json")]
    for call in calls:
        with pytest.raises(AuraError):
            call()
    remote.close()
