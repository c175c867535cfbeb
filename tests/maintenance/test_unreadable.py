"""What cannot be read is damage of itself alone, noticed when it can be read again, mended where it is said twice."""

import errno
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors import Unfinished
from aura_vcs.errors.input import FormatUnsupported, NotAProject
from aura_vcs.errors.integrity import IntegrityError, RecordCorrupt, StorageDenied, StorageError
from aura_vcs.history.commit import CommitRequest, commit
from aura_vcs.history.log import log
from aura_vcs.history.names.branches import create_branch
from aura_vcs.history.names.tags import create_tag
from aura_vcs.ids import VersionId
from aura_vcs.index.queries import Queries, VersionFilter
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.maintenance.repair_records import find_repairable, rewrite_records
from aura_vcs.repository.find_project import find_root
from aura_vcs.sync.remotes.config import RemoteConfig, remotes, set_remote

from tests.helpers.project import noise, write

real_open = os.open
Chosen = Callable[[str, int], bool]


@contextmanager
def _refused(chosen: Chosen) -> Iterator[list[str]]:
    """The disk refuses to open files for reading that are `chosen`, by path and how many were looked at."""
    seen: list[str] = []

    def opened(name: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        fd = real_open(name, flags, mode, dir_fd=dir_fd)
        path = os.readlink(f"/proc/self/fd/{fd}")
        if "/.aura/" in path and flags & os.O_ACCMODE == os.O_RDONLY and not os.path.isdir(path):
            seen.append(path)
            if chosen(path, len(seen)):
                os.close(fd)
                raise OSError(errno.EIO, os.strerror(errno.EIO), name)
        return fd

    os.open = opened  # type: ignore[assignment]
    try:
        yield seen
    finally:
        os.open = real_open


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two versions, each in a pack of its own."""
    root = tmp_path / "film"
    write(root, {"a.txt": "one", "b.bin": noise(40_000, seed=1), "d/c.txt": "c"})
    with Repository.init(str(root)) as repo:
        commit(repo, "First")
        write(root, {"a.txt": "two", "b2.bin": noise(40_000, seed=2), "e/f.txt": "f"})
        commit(repo, "Second")
        create_tag(repo, "premiere", _head(repo))
        create_branch(repo, "other", _head(repo))
    return root


def _head(repo: Repository) -> VersionId:
    version = repo.head().version
    assert version is not None
    return version


def _packs(root: Path) -> list[Path]:
    return sorted((root / ".aura/objects/packs").iterdir(), key=lambda path: path.stat().st_mtime_ns)


def test_two_read_errors_anywhere_in_a_commit_leave_nothing_wrong(project: Path) -> None:
    """Whichever two reads in a row fail: the commit is told or done, and every later command has it whole."""
    for first in range(1, 40):
        write(project, {"a.txt": f"new {first}"})
        with _refused(lambda _, number, first=first: number in {first, first + 1}) as seen:  # type: ignore[misc]
            try:
                with Repository.open(str(project)) as repo:
                    commit(repo, CommitRequest(f"c{first}", allow_empty=True))
            except (StorageError, IntegrityError, Unfinished):
                pass
        with Repository.open(str(project)) as repo:
            assert fsck(repo).problems == ()
        if len(seen) < first:
            break
    else:
        pytest.fail("a commit reads more files than were tried")


def test_the_index_goes_without_a_pack_and_has_it_back(project: Path) -> None:
    """Built anew beside an unreadable pack, it has the rest; when the pack can be read again it has all."""
    first = _packs(project)[0]
    with _refused(lambda path, _: path == str(first)), Repository.open(str(project)) as repo:
        repo.rebuild_index()
        assert [record.number for record in Queries(repo.index).all_versions(VersionFilter())] == [2]
        assert [problem.what for problem in fsck(repo).problems if problem.kind == "corrupt_pack"] == [first.stem]
        commit(repo, CommitRequest("Third", allow_empty=True))
        assert log(repo, VersionFilter())[0].name == "Third"
    with Repository.open(str(project)) as repo:
        assert [record.number for record in log(repo, VersionFilter())] == [3, 2, 1]
        assert fsck(repo).problems == ()


def test_nothing_is_collected_while_something_cannot_be_read(project: Path) -> None:
    """What an unreadable label or pack holds counts as unused after the index was built anew, and stays."""
    with Repository.open(str(project)) as repo:
        write(project, {"a.txt": "three"})
        commit(repo, "Third")
        before = {path.name for path in _packs(project)}
    label = project / ".aura/refs/versions" / f"{_version(project, 1)}.json"
    with _refused(lambda path, _: path == str(label)), Repository.open(str(project)) as repo:
        repo.rebuild_index()
        plan = plan_gc(repo, grace_seconds=0)
        if plan.to_delete:
            with pytest.raises(IntegrityError, match="Nothing was deleted"):
                execute_gc(repo, plan)
    assert before <= {path.name for path in _packs(project)}
    with Repository.open(str(project)) as repo:
        assert fsck(repo).problems == ()
        assert [record.number for record in log(repo, VersionFilter())] == [3, 2, 1]


def _version(root: Path, number: int) -> str:
    with Repository.open(str(root)) as repo:
        return Queries(repo.index).versions_numbered(number)[0].id


def test_a_log_is_never_cut_where_whole_lines_follow(project: Path) -> None:
    """Whoever believes that the log is shorter than it is may not write there."""
    with Repository.open(str(project)) as repo:
        path = project / ".aura/operations" / f"{repo.replica}.jsonl"
        before = path.read_bytes()
        operation = next(line.operation for line in repo.logs.read(repo.replica))
        assert operation is not None
        with pytest.raises(RecordCorrupt, match="has not been read yet"):
            repo.logs.append(operation, at=0)
        assert path.read_bytes() == before
        path.write_bytes(before + b'{"torn": ')
        assert repo.logs.append(operation, at=len(before)) == path.stat().st_size


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone", "empty"])
def test_the_format_is_found_again(project: Path, damage: str) -> None:
    """Any command mends a damaged or deleted format.json: versions say which project this is."""
    path = project / ".aura/format.json"
    whole = path.read_bytes()
    broken = {"flipped": b"\0" + whole[1:], "cut": whole[:20], "empty": b""}.get(damage)
    path.unlink() if broken is None else path.write_bytes(broken)
    with Repository.open(str(project)) as repo:
        assert fsck(repo).problems == ()
    assert path.read_bytes() == whole
    kept = project / ".aura/local/damaged/format.json"
    assert (kept.read_bytes() if broken is not None else None) == broken


def test_a_format_that_the_disk_refuses_is_left_alone(project: Path) -> None:
    """It may be readable a moment later: the project is used all the same, and the file named."""
    path = project / ".aura/format.json"
    inode = path.stat().st_ino
    with _refused(lambda seen, _: seen == str(path)), Repository.open(str(project)) as repo:
        assert [(p.kind, p.what) for p in fsck(repo).problems] == [("corrupt_record", "format.json")]
        assert len(log(repo, VersionFilter())) == 2
    assert path.stat().st_ino == inode


def test_what_may_be_a_newer_format_is_not_written_over(project: Path) -> None:
    """A damaged file that still names another format, or a feature, stays as it is."""
    path = project / ".aura/format.json"
    for text in ('{"format": 2, "proj', '{"format": 1, "features": ["parity"], "proj', '{"format": "one"}'):
        path.write_text(text)
        with pytest.raises((FormatUnsupported, RecordCorrupt)):
            Repository.open(str(project))
        assert path.read_text() == text


def test_a_folder_that_was_never_a_project_is_none(tmp_path: Path) -> None:
    """An `.aura` with nothing done in it can be begun anew."""
    (tmp_path / ".aura/local").mkdir(parents=True)
    with pytest.raises(NotAProject):
        Repository.open(str(tmp_path))


@pytest.mark.parametrize("name", ["branch", "tag", "label", "HEAD", "config", "other project"])
def test_records_are_mended_from_what_is_said_twice(project: Path, name: str) -> None:
    """A damaged ref, HEAD, list of remotes or project id is told, mended without a remote, and then as before."""
    with Repository.open(str(project)) as repo:
        set_remote(repo, "nas", RemoteConfig("/mnt/nas"))
        files = {
            "branch": f"refs/branches/main/{repo.replica}.json",
            "tag": "refs/tags/premiere.json",
            "label": f"refs/versions/{_version(project, 1)}.json",
            "HEAD": "local/HEAD.json",
            "config": "config.json",
            "other project": "format.json",
        }
        path = project / ".aura" / files[name]
        before = path.read_bytes()
    if name == "other project":
        path.write_text(json.dumps({**json.loads(before), "project": "another"}))
    else:
        path.write_bytes(before[: len(before) // 2])
    with Repository.open(str(project)) as repo:
        assert files[name] in {problem.what for problem in fsck(repo).problems}
        found = find_repairable(repo)
        assert [item.path for item in found] == [files[name]]
        rewrite_records(repo, found)
    with Repository.open(str(project)) as repo:
        assert fsck(repo).problems == ()
        assert find_repairable(repo) == []
        assert "nas" in remotes(repo)
        assert repo.head().branch == "main"
    assert json.loads(path.read_bytes()) == json.loads(before)
    assert (project / ".aura/local/damaged" / files[name]).exists()


@pytest.mark.parametrize("folder", ["refs/notes", "refs/tags", "refs/checkpoints", "refs/settings"])
def test_a_folder_that_cannot_be_listed_is_named_and_the_rest_is_checked(
    project: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    """What keeps one check from going on keeps no other from its work."""
    with Repository.open(project) as repo:
        write(project, {"new.txt": "new"})
        made = commit(repo, "Another").version
        assert made is not None
        create_tag(repo, "another", made.id)
        (project / ".aura" / folder).mkdir(parents=True, exist_ok=True)
        label = project / f".aura/refs/versions/{made.id}.json"
        label.write_bytes(b"{")
        real = os.listdir

        def listed(at: int | str = ".") -> list[str]:
            place = os.readlink(f"/proc/self/fd/{at}") if isinstance(at, int) else str(at)
            if place.endswith(folder):
                raise PermissionError(errno.EACCES, "Permission denied", place)
            return real(at)

        monkeypatch.setattr(os, "listdir", listed)
        found = {finding.what for finding in fsck(repo).problems}
    assert folder in found
    assert any(made.id in what for what in found) or folder == "refs/tags"


def test_a_store_that_is_closed_to_us_is_not_called_absent(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be looked into may be a project: nobody is told to begin one."""
    monkeypatch.setattr(os, "access", lambda path, *_, **__: not str(path).endswith(".aura"))
    monkeypatch.setattr("aura_vcs.repository.find_project.is_project", lambda _: False)
    with pytest.raises(StorageDenied, match="look into"):
        find_root(str(project))
    with pytest.raises(NotAProject):
        find_root(str(project / "scenes"))
