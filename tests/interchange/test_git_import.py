"""Importing git repositories: everything comes, once, and nothing of the repository is obeyed."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs.errors.interchange import GitUnavailable, NotAGitRepository
from aura_vcs.history.commit import commit as commit_version
from aura_vcs.history.names.branches import branches
from aura_vcs.history.status import status
from aura_vcs.history.undo import undo
from aura_vcs.interchange import git_import
from aura_vcs.interchange.git_import import GitImportRequest, import_git, plan_import_git
from aura_vcs.interchange.git_names import git_name, own_name
from aura_vcs.interchange.git_refs import GitImported
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.repository.repository import Repository

from tests.interchange.repositories import ENVIRONMENT, commit, film, git, raw_commit, raw_tree, start


def bring(repo: Repository, place: Path | str, **options: object) -> GitImported:
    """Import with the environment of the tests."""
    return import_git(repo, str(place), request=GitImportRequest(**options), environment=ENVIRONMENT)  # type: ignore[arg-type]


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repository]:
    """An empty project."""
    (tmp_path / "project").mkdir()
    with Repository.init(str(tmp_path / "project"), author="Tess") as repo:
        yield repo


def files_of(folder: Path) -> dict[str, tuple[str, bytes]]:
    """What lies in a folder, without the stores of git and ours."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if name.split("/")[0] in {".git", ".aura", ".stignore"}:
            continue
        if path.is_symlink():
            found[name] = ("link", os.fsencode(os.readlink(path)))
        elif path.is_file():
            found[name] = ("run" if path.stat().st_mode & 0o100 else "file", path.read_bytes())
    return found


def test_a_dry_run_changes_nothing(tmp_path: Path, repo: Repository) -> None:
    """It counts what would come, and nothing once all of it is there."""
    source = film(tmp_path / "film")
    planned = plan_import_git(repo, str(source), environment=ENVIRONMENT)
    assert (planned.versions, planned.known, planned.head) == (9, 0, None)
    assert all(ref.changed for ref in planned.branches)
    assert not files_of(Path(repo.root))
    assert branches(repo) == []
    bring(repo, source)
    again = plan_import_git(repo, str(source), environment=ENVIRONMENT)
    assert (again.versions, again.known) == (0, 9)
    assert not any(ref.changed for ref in (*again.branches, *again.tags))


def test_everything_comes(tmp_path: Path, repo: Repository) -> None:
    """Commits, parents, dates, authors, messages, branches, tags, links and rights; the files are put in place."""
    source = film(tmp_path / "film")
    done = bring(repo, source)
    assert (done.versions, done.left_count) == (9, 0)
    assert done.head is not None
    assert done.head.branch == "main"
    assert [found.name for found in branches(repo)] == ["light", "main", "sound", "titles"]
    assert files_of(Path(repo.root)) == files_of(source)
    assert not status(repo).changes
    head = repo.queries.version(done.head.version)
    assert head is not None
    assert (head.author, head.created_at) == ("Mara <mara@example.com>", "2023-11-14T22:13:20.000000Z")
    assert head.name.startswith("Commit ")
    chain = repo.queries.ancestors(head.id)
    named = {record.name: record for record in map(repo.queries.version, chain) if record is not None}
    assert len(named["Octopus"].parents) == 3
    assert len(named["Take the sound"].parents) == 2
    assert named["First cut"].description == "With a body."
    assert named["First cut"].documents["brief"] is not None
    tags = repo.refs.tags()
    assert set(tags) == {"rough", "git/v1.0"}
    assert tags["git/v1.0"].message == "The first release\n\nOf all."
    assert "Jon" in tags["git/v1.0"].created_by
    assert fsck(repo).is_clean


def test_again_brings_only_what_is_new(tmp_path: Path, repo: Repository) -> None:
    """A second import finds what came, takes branches on, and reads no file again that it knows."""
    source = film(tmp_path / "film")
    bring(repo, source)
    count = len(list(repo.logs.read_all()))
    again = bring(repo, source)
    assert (again.versions, again.known) == (0, 9)
    assert len(list(repo.logs.read_all())) == count
    commit(source, "More", {"more.txt": "more\n"})
    more = bring(repo, source)
    assert (more.versions, more.known) == (1, 9)
    assert [ref.name for ref in more.branches if ref.changed] == ["main"]


def test_an_import_that_was_stopped_goes_on(tmp_path: Path, repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was recorded stays and is not brought twice."""
    source = film(tmp_path / "film")
    monkeypatch.setattr(git_import, "GROUP_COMMITS", 3)
    real, calls = git_import.past_version, []

    def stopping(*given: object) -> object:
        calls.append(given)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(git_import, "past_version", stopping)
    with pytest.raises(KeyboardInterrupt):
        bring(repo, source)
    assert not branches(repo)
    monkeypatch.setattr(git_import, "past_version", real)
    done = bring(repo, source)
    assert (done.versions, done.known) == (3, 6)
    assert files_of(Path(repo.root)) == files_of(source)
    assert fsck(repo).is_clean


def test_one_undo_takes_the_branches_back(tmp_path: Path, repo: Repository) -> None:
    """Branches, tags, HEAD and files; versions stay, so that the next import is quick."""
    bring(repo, film(tmp_path / "film"))
    undo(repo)
    assert not branches(repo)
    assert not repo.refs.tags()
    assert repo.head().version is None
    assert not files_of(Path(repo.root))
    again = bring(repo, tmp_path / "film")
    assert (again.versions, again.known) == (0, 9)
    assert len(branches(repo)) == 4


def test_own_work_is_never_moved(tmp_path: Path, repo: Repository) -> None:
    """A branch of the project that git's does not build on stays; git's is put beside it."""
    (Path(repo.root) / "mine.txt").write_text("mine\n")
    mine = commit_version(repo, "Mine").version
    done = bring(repo, film(tmp_path / "film"))
    found = {ref.name for ref in done.branches}
    assert found == {"git/main", "light", "sound", "titles"}
    assert mine is not None
    assert repo.head().version == mine.id
    assert (Path(repo.root) / "mine.txt").read_text() == "mine\n"


def test_files_that_are_there_stay(tmp_path: Path, repo: Repository) -> None:
    """In the folder of the repository itself nothing is touched, and what is not committed is a change."""
    source = film(tmp_path / "film")
    with Repository.init(str(source), author="Tess") as own:
        (source / "brief.json").write_text("edited\n")
        bring(own, source)
        assert [change.path for change in status(own).changes] == ["brief.json"]
        assert (source / "brief.json").read_text() == "edited\n"


def test_names_that_nobody_may_have_are_left_and_named(tmp_path: Path, repo: Repository) -> None:
    """`.aura`, `.git`, `..`, doubles and paths are left out; the rest of the commit comes."""
    source = start(tmp_path / "bad")
    blob = git(source, "hash-object", "-w", "--stdin", data=b"bad\n")
    inner = raw_tree(source, [("100644", b"pre-commit", blob)])
    names = [b"..", b".", b".AURA", b".aura", b".git", b"a/b", b"good", b"good", b"x\xff"]
    tree = raw_tree(
        source,
        [*(("100644", name, blob) for name in names), ("40000", b".Git", inner), ("160000", b"module", "1" * 40)],
    )
    git(source, "update-ref", "refs/heads/main", raw_commit(source, tree))
    git(source, "tag", "folder", tree)
    done = bring(repo, source)
    assert {left.what for left in done.left} >= {"..", ".", ".AURA", ".aura", ".git", ".Git", "a/b", "good", "module"}
    assert any(left.what == "tag folder" for left in done.left)
    assert done.left_count == len(done.left)
    assert {os.fsencode(name) for name in os.listdir(repo.root)} == {b".aura", b".stignore", b"good", b"x\xff"}
    assert fsck(repo).is_clean


def test_odd_commits_come(tmp_path: Path, repo: Repository) -> None:
    """Other encodings, dates that no calendar has, no author, signatures, very long words."""
    source = start(tmp_path / "odd")
    tree = raw_tree(source, [])
    words = [
        b"author J\xf6rg <j@x> 1600000000 +0100\ncommitter A <a@x> 1600000000 +0100\nencoding ISO-8859-1\n\n\xdcbung\n",
        b"author A <a@x> 99999999999999999 +0000\ncommitter A <a@x> 1600000000 +9999\n\nFar away\n",
        b"author A <a@x> -99 -0000\ncommitter B <b@x> 5 -0000\n\nBefore the beginning\n",
        b"author\ncommitter\n\nNobody\n",
        b"author A <a@x> 1 +0000\ncommitter A <a@x> 1 +0000\ngpgsig -----BEGIN\n abc\n\n\xff\xfe\x00\n",
        b"author A <a@x> 1 +0000\ncommitter A <a@x> 1 +0000\nencoding rot13\n\n" + b"x" * 500 + b"\n",
        b"author A <a@x> 1 +0000\ncommitter A <a@x> 1 +0000\n\n" + b"y" * 2_000_000 + b"\n",
        b"author A <a@x> 1 +0000\ncommitter A <a@x> 1 +0000\ngpgsig " + b"z" * 5_000_000 + b"\n\nEndless\n",
        b"author A <a@x> 1 +0000\ncommitter A <a@x> 1 +0000\n\nLong\n\n" + b"y\n" * 3_000_000,
    ]
    parent: list[str] = []
    for rest in words:
        parent = [raw_commit(source, tree, parent, rest)]
    git(source, "update-ref", "refs/heads/main", parent[0])
    done = bring(repo, source)
    assert done.versions == len(words)
    assert len(done.left) == 3  # the ends of what is too long to be kept are named
    assert repo.queries.versions_named("Long")
    found = repo.queries.versions_named("Übung")[0]
    assert found.author == "Jörg <j@x>"
    assert repo.queries.versions_named("Before the beginning")[0].created_at.startswith("1969-12-31T23:58:21")
    assert fsck(repo).is_clean


def test_content_of_lfs_comes_where_it_is(tmp_path: Path, repo: Repository) -> None:
    """A pointer becomes its content if that hashes to it; else the pointer stays, and is named."""
    source = start(tmp_path / "lfs")
    contents = {"small.mov": b"film" * 10, "large.mov": os.urandom(3 << 20), "gone.mov": b"gone", "bad.mov": b"good"}
    pointers = {}
    for name, data in contents.items():
        oid = hashlib.sha256(data).hexdigest()
        pointers[name] = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(data)}\n"
        place = source / ".git/lfs/objects" / oid[:2] / oid[2:4] / oid
        if name != "gone.mov":
            place.parent.mkdir(parents=True)
            place.write_bytes(b"evil" if name == "bad.mov" else data)
    commit(source, "Media", pointers)
    done = bring(repo, source)
    root = Path(repo.root)
    assert (root / "small.mov").read_bytes() == contents["small.mov"]
    assert (root / "large.mov").read_bytes() == contents["large.mov"]
    assert (root / "gone.mov").read_text() == pointers["gone.mov"]
    assert (root / "bad.mov").read_text() == pointers["bad.mov"]
    assert {left.what for left in done.left} == {"gone.mov", "bad.mov"}
    assert ["2 files of Git LFS came as pointers" in note and "new project" in note for note in done.notes] == [True]
    again = bring(repo, source, lfs_consent=lambda _: None)
    assert ["still has pointers" in note for note in again.notes] == [True]
    assert not bring(repo, source).notes


def test_nothing_of_the_repository_is_run(tmp_path: Path, repo: Repository) -> None:
    """Not its hooks, filters, monitors, nor what its configuration calls."""
    source = film(tmp_path / "film")
    trap = tmp_path / "trap"
    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {trap}\ncat\n")
    evil.chmod(0o755)
    (source / ".gitattributes").write_text("* filter=evil diff=evil\n")
    commit(source, "Attributes")
    for key in ("core.fsmonitor", "core.sshCommand", "filter.evil.smudge", "diff.evil.textconv", "core.pager",
                "uploadpack.packObjectsHook", "core.alternateRefsCommand"):  # fmt: skip
        git(source, "config", key, str(evil))
    git(source, "config", "include.path", "/nonexistent/\x01")
    config = source / ".git/config"
    config.write_text(f"{config.read_text()}[broken\n")
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc"):
        (source / ".git/hooks" / hook).parent.mkdir(exist_ok=True)
        (source / ".git/hooks" / hook).symlink_to(evil)
    assert bring(repo, source).versions == 10
    assert not trap.exists()


def test_what_is_no_repository_says_so(tmp_path: Path, repo: Repository) -> None:
    """Nor what git cannot fetch."""
    with pytest.raises(NotAGitRepository):
        bring(repo, tmp_path)
    with pytest.raises(GitUnavailable):
        bring(repo, "ssh://nobody@[::1]:1/film.git")
    with pytest.raises(GitUnavailable, match="not installed"):
        import_git(repo, str(film(tmp_path / "film")), environment={"PATH": str(tmp_path)})


def test_packed_worktrees_shallow_and_addresses(tmp_path: Path, repo: Repository) -> None:
    """Packed refs, a second work tree, a bare clone by address, and a history that is cut off."""
    source = film(tmp_path / "film")
    git(source, "gc", "--quiet")
    git(source, "worktree", "add", "--quiet", str(tmp_path / "beside"), "sound")
    assert bring(repo, tmp_path / "beside").versions == 9
    git(tmp_path, "clone", "--quiet", "--depth=2", f"file://{source}", str(tmp_path / "shallow"))
    (tmp_path / "other").mkdir()
    with Repository.init(str(tmp_path / "other")) as other:
        done = bring(other, f"file://{tmp_path / 'shallow'}")
        assert done.versions == 2
        assert done.notes


def test_since_and_chosen_names(tmp_path: Path, repo: Repository) -> None:
    """Older commits are left out, and so are branches and tags of other names."""
    source = start(tmp_path / "dated")
    for year in (2020, 2022, 2024):
        environment = {
            **ENVIRONMENT,
            "GIT_AUTHOR_DATE": f"{year}-05-05T00:00:00Z",
            "GIT_COMMITTER_DATE": f"{year}-05-05T00:00:00Z",
        }
        command = ["git", "-C", str(source), "commit", "-q", "--allow-empty", "-m", f"Of {year}"]
        subprocess.run(command, env=environment, check=True)
    git(source, "branch", "side")
    git(source, "tag", "one")
    done = bring(repo, source, since="2021-01-01T00:00:00.000000Z", branches=("ma*",), tags=())
    assert done.versions == 2
    assert done.notes
    assert [ref.name for ref in done.branches] == ["main"]
    assert not done.tags


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("main", "main"),
        ("v1.0", "git/v1.0"),
        ("feature/#12", "feature/-12"),
        ("a@b", "a-b"),
        ("deadbeef", "git/deadbeef"),
    ],
)
def test_names_of_git(name: str, own: str) -> None:
    """A name that cannot be one here becomes one that says where it came from."""
    assert own_name("branch", name.encode()) == own
    if own.startswith("git/"):
        assert git_name(own) == name


@pytest.mark.parametrize(
    "place",
    [
        "https://anna:hunter2@127.0.0.1:9/x",
        "https://hunter2@127.0.0.1:9/x.git",
        "https://127.0.0.1:9/x?a=1&access_token=hunter2",
        "file://anna:hunter2@/x",
        "anna:hunter2@127.0.0.1:x",
    ],
)
def test_no_password_is_given_to_git(repo: Repository, place: str) -> None:
    """Whoever lists processes sees what they are called with; neither does the error repeat it."""
    with pytest.raises(NotAGitRepository) as caught:
        bring(repo, place)
    assert "hunter2" not in str(caught.value) + caught.value.hint + caught.value.path
