"""The frozen projects in `tests/repositories`: what was written once stays readable for ever.

One folder per format version, made by the script beside it and never edited. A change of the
code that breaks one of these tests breaks the projects of everybody who made one with that format.
"""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from aura_vcs import Repository
from aura_vcs.errors import AuraError
from aura_vcs.errors.input import AmbiguousVersion, FormatUnsupported
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.history.checkout import checkout
from aura_vcs.history.commit import commit
from aura_vcs.history.names.branches import branches
from aura_vcs.history.names.revisions import resolve
from aura_vcs.index.queries import Queries, VersionFilter
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.model import EntryKind
from aura_vcs.project.records.export_jobs import list_exports
from aura_vcs.repository.format_file import FORMAT_VERSION
from aura_vcs.repository.sync_tool_hints import SYNCTHING
from blake3 import blake3

FOLDER = Path(__file__).parent / "repositories"
LISTED = ("branches", "tags", "settings", "checkpoints", "exports", "operations", "versions")
FROZEN = sorted(path.parent for path in FOLDER.glob("*/.aura"))


@pytest.fixture(params=FROZEN, ids=lambda path: path.name)
def frozen(request: pytest.FixtureRequest) -> Path:
    """A frozen project."""
    path: Path = request.param
    return path


@pytest.fixture
def facts(frozen: Path) -> dict[str, Any]:
    """What its script wrote down about it."""
    found: dict[str, Any] = json.loads(frozen.with_suffix(".json").read_text("utf-8"))
    return found


@pytest.fixture
def copy(frozen: Path, tmp_path: Path) -> Path:
    """A copy to work in, as a clone of our own repository gives it: without empty folders."""
    return shutil.copytree(frozen, tmp_path / "project")


def test_every_format_has_a_frozen_project() -> None:
    """A format that is in use without a frozen project would be free to drift."""
    assert [path.name for path in FROZEN] == [f"v{number}" for number in range(1, FORMAT_VERSION + 1)]


def test_everything_that_format_1_can_hold_is_in_its_frozen_project() -> None:
    """Loose objects of both spellings, packs, packed labels, a closed log, copies by a sync tool."""
    names = [path.as_posix() for path in (FOLDER / "v1").rglob("*") if path.is_file()]
    patterns = {
        "raw loose object": r"[0-9a-f]{62}",
        "compressed loose object": r"[0-9a-f]{62}\.zst",
        "pack": r"[0-9a-f]{64}\.pack",
        "label": r"[0-9a-f]{64}\.json",
        "packed labels": r"[0-9a-f]{64}\.labels",
        "log": r"[0-9a-f]{12}\.jsonl",
        "closed part of a log": r"[0-9a-f]{12}\.\d+\.zst",
        "settings": r"settings/[0-9a-f]{12}\.json",
        "checkpoint": r"checkpoints/\w+-[0-9a-f-]{36}\.json",
        "export": r"exports/[0-9a-f-]{36}\.json",
        "branch entry": r"[0-9a-f]{12}\.json",
        "encoded tag": r"sent%2Fclient\.json",
        "conflicted copy": r".* \(.*conflicted copy.*\)\.json",
    }
    missing = [what for what, pattern in patterns.items() if not any(re.search(f"/{pattern}$", name) for name in names)]
    assert missing == []


def test_versions_branches_and_tags_are_as_they_were(copy: Path, facts: dict[str, Any]) -> None:
    """Opened today, the project lists what it listed when it was frozen."""
    with Repository.open(str(copy)) as repo:
        assert _listed(repo) == {key: facts[key] for key in LISTED}


def test_every_version_has_its_content(copy: Path, facts: dict[str, Any]) -> None:
    """Every file of every version reads back with the recorded hash, kind, size and mode."""
    with Repository.open(str(copy)) as repo:
        for version, expected in facts["versions"].items():
            if expected["files"] is not None:
                assert _files(repo, resolve(repo, version).tree) == expected["files"]


def test_a_purged_version_is_a_record_without_content(copy: Path, facts: dict[str, Any]) -> None:
    """What was purged and collected before the freeze is gone, and says so; it is not damage."""
    with Repository.open(str(copy)) as repo:
        purged = [resolve(repo, version) for version, known in facts["versions"].items() if known["purged"]]
        assert purged
        for record in purged:
            assert record.purge_reason == "the client's secret"
            assert not repo.store.contains(record.tree)


def test_a_rebuilt_index_says_the_same(copy: Path) -> None:
    """The index is built from the files alone, also a second time."""
    with Repository.open(str(copy)) as repo:
        before, counts = _listed(repo), Queries(repo.index).counts()
        repo.rebuild_index()
        assert _listed(repo) == before
        assert Queries(repo.index).counts() == counts


@pytest.mark.parametrize("content", [None, b"", b"\0" * 50_000, b"SQLite format 3\0 and then nothing"])
def test_a_damaged_index_changes_nothing(copy: Path, facts: dict[str, Any], content: bytes | None) -> None:
    """Deleted, emptied, zeroed or overwritten, the index costs the next command time, and nothing else."""
    Repository.open(str(copy)).close()
    for path in (copy / ".aura/local").glob("index.sqlite*"):
        path.unlink()
    if content is not None:
        (copy / ".aura/local/index.sqlite").write_bytes(content)
    with Repository.open(str(copy)) as repo:
        assert _listed(repo) == {key: facts[key] for key in LISTED}


def test_fsck_finds_nothing_wrong(copy: Path) -> None:
    """Every byte, reference and count of the old project is as it should be."""
    with Repository.open(str(copy)) as repo:
        assert fsck(repo).problems == ()


def test_checkout_puts_links_modes_and_empty_folders_in_place(copy: Path, facts: dict[str, Any]) -> None:
    """An old version arrives in the worktree as it was, and work goes on from there."""
    with Repository.open(str(copy)) as repo:
        checkout(repo, "v2", clean=True)
        assert os.readlink(copy / "assets/latest") == "narration.wav"
        assert os.access(copy / "tools/render.sh", os.X_OK)
        assert not os.access(copy / "brief.json", os.X_OK)
        assert list((copy / "empty").iterdir()) == []
        sound = (copy / "assets/narration.wav").read_bytes()
        recorded = facts["versions"][resolve(repo, "v2").id]["files"]["assets/narration.wav"]
        assert [len(sound), blake3(sound).hexdigest()] == recorded[2:]
        (copy / "brief.json").write_text("{}")
        done = commit(repo, "Still in use")
        assert done.version is not None
        assert done.version.number > max(known["number"] for known in facts["versions"].values())


def test_a_diverged_branch_is_told_apart(copy: Path) -> None:
    """Two machines moved `main` apart before the freeze: the name is ambiguous, both heads are listed."""
    with Repository.open(str(copy)) as repo, pytest.raises(AmbiguousVersion) as caught:
        resolve(repo, "main")
    assert len(caught.value.candidates) == 2


def test_reading_changes_no_file_outside_local(copy: Path) -> None:
    """Opening, listing and reading an old project writes nothing that would be synchronised."""
    before = _digests(copy)
    with Repository.open(str(copy)) as repo:
        _listed(repo)
        repo.rebuild_index()
        for record in Queries(repo.index).all_versions(VersionFilter()):
            if record.purged_at is None:
                _files(repo, record.tree)
    after = {path: digest for path, digest in _digests(copy).items() if not path.startswith(".aura/local/")}
    after.pop(SYNCTHING)  # which says to leave `local/` at home, and is not versioned
    assert after == before


def test_the_frozen_files_are_the_ones_that_were_frozen(frozen: Path, facts: dict[str, Any]) -> None:
    """Nobody edited the folder: every file still has the hash it had when it was made."""
    assert _digests(frozen) == facts["frozen"]


@pytest.mark.parametrize(
    "change", [{"format": FORMAT_VERSION + 1}, {"features": ["parity"]}, {"format": 0}, {"format": "one"}]
)
def test_a_project_of_the_future_is_refused_untouched(copy: Path, change: dict[str, object]) -> None:
    """An unknown number or feature is named, and nothing is written, not even into `local`."""
    path = copy / ".aura/format.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change))
    before = _digests(copy)
    with pytest.raises((FormatUnsupported, RecordCorrupt)) as caught:
        Repository.open(str(copy))
    assert "parity" in str(caught.value) or "features" not in change
    assert _digests(copy) == before


def test_files_that_are_none_of_ours_are_tolerated(copy: Path, facts: dict[str, Any]) -> None:
    """What systems, sync tools and people drop into the store changes nothing that is read."""
    store = copy / ".aura"
    for folder in [store, *(path for path in store.rglob("*") if path.is_dir())]:
        for name in (".DS_Store", "desktop.ini", "~lock.json", "Icon\r", ".stfolder", "notes.txt", "x.pack.tmp"):
            (folder / name).write_bytes(b"\0litter")
    with Repository.open(str(copy)) as repo:
        assert _listed(repo) == {key: facts[key] for key in LISTED}
        assert [p for p in fsck(repo).problems if p.kind != "corrupt_ref"] == []


def _targets(frozen: Path) -> list[str]:
    return [path.relative_to(frozen).as_posix() for path in sorted((frozen / ".aura").rglob("*")) if path.is_file()]


@pytest.mark.parametrize("name", _targets(FROZEN[0]) if FROZEN else [])
def test_a_flipped_byte_never_yields_wrong_content(name: str, tmp_path: Path) -> None:
    """One byte in the middle of any file: what can still be read is right, the rest is an error of ours."""
    data = (FROZEN[0] / name).read_bytes()
    _damage(name, tmp_path, [_flipped(data, len(data) // 2)])


def test_a_list_of_chunks_with_a_wrong_length_is_damage(tmp_path: Path) -> None:
    """Each byte of the list of a large file's chunks: fsck says that something is wrong."""
    with Repository.open(str(shutil.copytree(FROZEN[0], tmp_path / "whole"))) as repo:
        entries = [item.location for name in repo.store.packs.names() for item in repo.store.pack_objects(name)]
        place = next(place for place in entries if place is not None and place.chunked)
        frame = repo.store.packs.footer(place.pack).frames[place.frame]
    name = f".aura/objects/packs/{place.pack}.pack"
    data = (FROZEN[0] / name).read_bytes()
    step = max(1, frame.stored_length // 12)
    _damage(
        name, tmp_path, [_flipped(data, at) for at in range(frame.offset, frame.offset + frame.stored_length, step)]
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", _targets(FROZEN[0]) if FROZEN else [])
def test_a_damaged_file_never_yields_wrong_content(name: str, tmp_path: Path) -> None:
    """The same with ten flips in each file, cut off, longer, empty, and gone."""
    data = (FROZEN[0] / name).read_bytes()
    flips = [_flipped(data, len(data) * tenth // 10) for tenth in range(10)]
    _damage(name, tmp_path, [*flips, data[: len(data) * 2 // 3], data[:-1], data + b"\0", b"", None])


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :]


def _damage(name: str, tmp_path: Path, contents: list[bytes | None]) -> None:
    facts = json.loads(FROZEN[0].with_suffix(".json").read_text("utf-8"))
    for content in contents:
        root = shutil.copytree(FROZEN[0], tmp_path / "damaged")
        if content is None:
            (root / name).unlink()
        else:
            (root / name).write_bytes(content)
        try:
            with Repository.open(str(root)) as repo:
                complete = _read_what_is_there(repo, facts)
                problems = [problem.kind for problem in fsck(repo).problems]
        except AuraError as error:
            complete, problems = False, [error.code]
        assert complete or problems or content is None, "something is gone, and nobody says so"
        shutil.rmtree(root)


def _read_what_is_there(repo: Repository, facts: dict[str, Any]) -> bool:
    """Compare every file that can be read with what it was; whether all could be."""
    complete = True
    for record in Queries(repo.index).all_versions(VersionFilter(deleted=True)):
        expected = facts["versions"][record.id]["files"]
        try:
            found = _files(repo, record.tree) if expected is not None else None
        except AuraError:
            complete = False
        else:
            assert found == expected
    return complete and len(Queries(repo.index).all_versions(VersionFilter(deleted=True))) == len(facts["versions"])


def _listed(repo: Repository) -> dict[str, Any]:
    queries = Queries(repo.index)
    return {
        "branches": {b.name: list(b.diverged or (b.version,)) for b in branches(repo)},
        "tags": {name: tag.version for name, tag in repo.refs.tags().items()},
        "settings": {key: field.value for key, field in repo.refs.settings().items()},
        "checkpoints": sorted(repo.refs.checkpoint_objects()),
        "exports": {export.id: export.status for export in list_exports(repo)},
        "operations": len(queries.actions(limit=1000)),
        "versions": {
            record.id: {
                "number": record.number,
                "type": record.type,
                "name": record.name,
                "important": record.important,
                "deleted": record.deleted_at is not None,
                "purged": record.purged_at is not None,
                "files": _files(repo, record.tree) if repo.store.contains(record.tree) else None,
            }
            for record in queries.all_versions(VersionFilter(deleted=True))
        },
    }


def _files(repo: Repository, tree: str) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for path, entry in repo.trees.walk(tree):  # type: ignore[arg-type]
        name = os.fsencode(path).decode("utf-8", "backslashreplace")
        content = "" if entry.kind is EntryKind.DIR else blake3(repo.store.read(entry.id)).hexdigest()
        found[name] = [entry.kind, entry.executable, entry.size, content]
    return found


def _digests(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
