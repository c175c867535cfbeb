"""Git repositories with something missing or damaged: that is named, and the rest comes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs.errors.interchange import GitDamaged, NotAGitRepository
from aura_vcs.index.queries import VersionFilter
from aura_vcs.interchange import git_content
from aura_vcs.interchange.git_import import import_git
from aura_vcs.interchange.git_refs import GitImported
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.repository.repository import Repository

from tests.interchange.repositories import ENVIRONMENT, commit, git, raw_commit, raw_tree, start


def bring(repo: Repository, place: Path) -> GitImported:
    """Import everything."""
    return import_git(repo, str(place), environment=ENVIRONMENT)


def object_file(source: Path, git_id: str) -> Path:
    """The file of a loose object, to be damaged."""
    path = source / ".git/objects" / git_id[:2] / git_id[2:]
    path.chmod(0o644)
    return path


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repository]:
    """An empty project."""
    (tmp_path / "project").mkdir()
    with Repository.init(str(tmp_path / "project"), author="Tess") as repo:
        yield repo


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Three commits, each with its own files in a folder."""
    source = start(tmp_path / "film")
    for number in "123":
        commit(source, number, {f"{number}/cut.txt": f"cut {number}\n" * 500, f"{number}/note.txt": number})
    return source


def _names(repo: Repository, name: str) -> set[str]:
    record = repo.queries.versions_named(name)[0]
    return {path for path, entry in repo.trees.walk(record.tree) if "." in path}


@pytest.mark.parametrize("kind", ["missing", "cut", "flipped"])
@pytest.mark.parametrize("ahead", [True, False])
def test_files_that_cannot_be_read_are_named_and_the_rest_comes(
    repo: Repository, source: Path, monkeypatch: pytest.MonkeyPatch, kind: str, *, ahead: bool
) -> None:
    """A file, a folder, and a large file that ends half-way; also where nothing is read ahead."""
    (source / "large.mov").write_bytes(bytes(range(256)) * 20_000)
    last = commit(source, "4")
    broken = [git(source, "rev-parse", f"HEAD:{path}") for path in ("1/cut.txt", "2", "large.mov")]
    for git_id in broken:
        path = object_file(source, git_id)
        data = path.read_bytes()
        if kind == "missing":
            path.unlink()
        else:
            middle = len(data) // 2
            path.write_bytes(data[:middle] + (b"" if kind == "cut" else b"\xff\x00" + data[middle + 2 :]))
    if not ahead:
        monkeypatch.setattr(git_content, "AHEAD_ENTRIES", 0)
    done = bring(repo, source)
    assert done.versions == 4
    assert {left.what for left in done.left} == {"1/cut.txt", "2", "large.mov"}
    assert any(last[:12] in left.reason for left in done.left)
    assert _names(repo, "4") == {"1/note.txt", "3/cut.txt", "3/note.txt"}
    assert fsck(repo).is_clean


def test_commits_that_cannot_be_read_are_named_and_the_rest_comes(repo: Repository, source: Path) -> None:
    """One whose files cannot be read has its parents stand in for it; before one that is missing, history begins."""
    no_tree = raw_commit(source, "1" * 40, [git(source, "rev-parse", "HEAD")])
    git(source, "reset", "--quiet", "--soft", no_tree)
    child = raw_commit(source, git(source, "rev-parse", "HEAD~1^{tree}"), [no_tree], None)
    git(source, "update-ref", "refs/heads/main", child)
    gone = git(source, "rev-parse", "main~4")
    object_file(source, gone).unlink()
    for name, one in (("lost", "2" * 40), ("cut", no_tree)):
        path = source / ".git/refs/heads" / name
        path.write_text(f"{one}\n")
    (source / ".git/refs/tags/lost").write_text(f"{'3' * 40}\n")
    done = bring(repo, source)
    assert done.versions == 3
    told = {left.what for left in done.left}
    assert {f"commit {gone}", f"commit {no_tree}", "branch lost", "branch cut", "tag lost"} <= told
    assert [len(repo.queries.versions_named(name)[0].parents) for name in ("2", "3", "Raw")] == [0, 1, 1]
    assert [ref.name for ref in done.branches] == ["main"]
    assert fsck(repo).is_clean


def test_objects_that_are_none_are_named(repo: Repository, source: Path) -> None:
    """A file that is a folder, a folder that is a file, entries that are cut off, folders without end."""
    text = git(source, "rev-parse", "HEAD:1/note.txt")
    folder = git(source, "rev-parse", "HEAD:1")
    data = b"100644 cut\0" + b"\1" * 7
    cut = git(source, "hash-object", "-t", "tree", "-w", "--stdin", "--literally", data=data)
    deep = folder
    for _ in range(300):
        deep = raw_tree(source, [("40000", b"d", deep)])
    entries = [
        ("100644", b"a.txt", folder), ("40000", b"b", text), ("40000", b"c", cut), ("40000", b"d", deep),
        ("100644", b"e.txt", text),
    ]  # fmt: skip
    git(source, "update-ref", "refs/heads/main", raw_commit(source, raw_tree(source, entries)))
    done = bring(repo, source)
    assert done.versions == 1
    assert [left.what for left in done.left][:3] == ["a.txt", "b", "c"]
    assert done.left_count == 4
    assert _names(repo, "Raw") == {"e.txt"}


def test_a_partial_clone_says_how_to_fetch_the_rest(repo: Repository, source: Path, tmp_path: Path) -> None:
    """Nothing is left out that git would fetch; once it is there, all comes."""
    git(source, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--no-checkout", "--filter=blob:none", source.as_uri(), "partial")
    with pytest.raises(NotAGitRepository, match="partial") as told:
        bring(repo, tmp_path / "partial")
    assert told.value.hint is not None
    command = told.value.hint.split("`")[1].split()
    git(tmp_path, *command[1:])
    assert bring(repo, tmp_path / "partial").versions == 3


def test_git_that_does_not_run_is_no_damage(repo: Repository, source: Path, tmp_path: Path) -> None:
    """Nothing is taken for missing then, and nothing is recorded."""
    tools = tmp_path / "bin"
    tools.mkdir()
    real = shutil.which("git", path=ENVIRONMENT["PATH"])
    (tools / "git").write_text(f'#!/bin/sh\ncase "$*" in *cat-file*) exit 1;; esac\nexec {real} "$@"\n')
    (tools / "git").chmod(0o755)
    with pytest.raises(GitDamaged, match="ended"):
        import_git(repo, str(source), environment={**ENVIRONMENT, "PATH": f"{tools}:{ENVIRONMENT['PATH']}"})
    assert not repo.queries.all_versions(VersionFilter())


def test_of_a_partial_clone_without_an_origin_what_is_there_comes(
    repo: Repository, source: Path, tmp_path: Path
) -> None:
    """There is nowhere to fetch the rest from: it is named, and all else comes."""
    git(source, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--no-checkout", "--filter=blob:limit=1k", source.as_uri(), "partial")
    git(tmp_path / "partial", "config", "--remove-section", "remote.origin")
    done = bring(repo, tmp_path / "partial")
    assert done.versions == 3
    assert done.left_count
    assert all("missing" in left.reason for left in done.left)
