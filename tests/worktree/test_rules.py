"""The file of ignore rules may be anything, and what is remembered of a folder carries its rules."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import commit
from aura_vcs.history.merge import merge
from aura_vcs.history.names.branches import create_branch
from aura_vcs.history.status import status
from aura_vcs.worktree.scan.ignore import (
    DEFAULT_PATTERNS,
    SIZE_LIMIT,
    IgnoreRules,
    is_litter,
    load_ignore_rules,
    rule_lines,
    with_rules,
    with_rules_first,
)
from aura_vcs.worktree.scan.patterns import parse_patterns
from hypothesis import given, strategies as st

from tests.helpers.project import save, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one version."""
    with Repository.init(str(tmp_path)) as repo:
        write(tmp_path, {"brief.json": "{}", "assets/a.mov": "a"})
        commit(repo, "One")
    return tmp_path


def _changes(repo: Repository) -> list[str]:
    return [change.path for change in status(repo).changes]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfrenders/\r\n*.mp4\r\n",
        "\ufeffrenders/\r\n*.mp4\r\n".encode("utf-16-le"),
        "\ufeffrenders/\n*.mp4\n".encode("utf-16-be"),
        "renders/\n*.mp4\n".encode("utf-16-le"),
        "renders/\n*.mp4\n".encode("utf-16-be"),
        b"renders/\r*.mp4\r",
        b"renders/\r\n\r\n*.mp4",
        b"re\0nders\nrenders/\n\xff\xfe\n*.mp4\n",
    ],
)
def test_rules_are_read_as_editors_write_them(root: Path, data: bytes) -> None:
    """With a byte order mark, in UTF-16 of both ends, with the line ends of three systems, among odd bytes."""
    (root / ".auraignore").write_bytes(data)
    write(root, {"renders/x": "x", "a.mp4": "x", "seen.mov": "x"})
    with Repository.open(str(root)) as repo:
        assert _changes(repo) == [".auraignore", "seen.mov"]


@pytest.mark.parametrize("put_in", [with_rules, with_rules_first])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("marked", [False, True])
def test_lines_are_added_as_the_file_is_encoded(
    put_in: Callable[[bytes, list[str]], bytes], encoding: str, end: str, marked: bool
) -> None:
    """With and without a byte order mark, what is added is read as it was meant, and what was there as before."""
    mark = "\ufeff" if marked else ""
    data = f"{mark}renders/{end}*.mp4{end}".encode(encoding)
    for added in (["/scrap"], ["/müll"], ["/入れ物/", "/🎞"]):
        lines = rule_lines(put_in(data, added))
        assert sorted(lines) == sorted(["", "renders/", "*.mp4", *added])
        again = rule_lines(put_in(put_in(data, added), ["last"]))
        assert sorted(again) == sorted(["", "renders/", "*.mp4", *added, "last"])


def test_a_carriage_return_can_be_part_of_a_name() -> None:
    """In a file whose lines end otherwise, as in the pattern that macOS needs for its folders' icons."""
    assert rule_lines(b"Icon[\r]\n*.mp4\r\n") == ["Icon[\r]", "*.mp4", ""]


def test_bytes_that_are_not_text_are_kept(root: Path) -> None:
    """A pattern with such a byte matches the name that has it."""
    name = b"caf\xe9.mov"
    (root / ".auraignore").write_bytes(name + b"\n")
    (root / os.fsdecode(name)).write_text("x")
    with Repository.open(str(root)) as repo:
        assert _changes(repo) == [".auraignore"]


def _link_out(path: Path) -> None:
    outside = path.parent.parent / "rules"
    outside.write_text("*.mov\n")
    path.symlink_to(outside)


def _too_large(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"*.mov\n")
        file.truncate(SIZE_LIMIT + 1)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_link_out, "a link"),
        (lambda path: path.symlink_to("/dev/zero"), "a link"),
        (lambda path: path.symlink_to(path), "a link"),
        (os.mkfifo, "a pipe"),
        (Path.mkdir, "a folder"),
        (_too_large, "larger"),
    ],
)
def test_what_is_no_rule_file_counts_for_nothing(root: Path, make: Callable[[Path], object], reason: str) -> None:
    """A link, a pipe, a folder, a file of any size: nothing is waited for, and the reason is told."""
    write(root, {"new.mov": "x"})
    make(root / ".auraignore")
    began = time.monotonic()
    rules = load_ignore_rules(str(root))
    assert time.monotonic() - began < 5
    assert [reason in note and ".auraignore" in note for note in rules.notes] == [True]
    with Repository.open(str(root)) as repo:
        assert "new.mov" in _changes(repo)


def test_a_bad_line_is_told_with_its_number() -> None:
    """The others count; of very many the first are named and the rest counted."""
    rules = IgnoreRules(b"*.mov\nrenders\\\n" + b"[\n" * 20)
    assert rules.matches("a.mov", "a.mov", is_folder=False)
    assert rules.notes[0].startswith(".auraignore, line 2: ")
    assert len(rules.notes) < 10
    assert "16 more" in rules.notes[-1]


_NAME_PARTS = ["lost+found", ".Trash-", "1000", "._", "a", ".tmp", "~", "~$", ".sync_", ".db", ".~lock.", "#", "tmp"]
_NAME_PARTS += ["Icon\r", ".nfs", "@eaDir", "#recycle", ".git", ".part", ".db-wal", "Thumbs.db", "x.mov"]


@given(st.lists(st.sampled_from(_NAME_PARTS), min_size=1, max_size=3).map("".join), st.booleans())
def test_litter_is_its_patterns(name: str, is_folder: bool) -> None:
    """What is told by names alone is what the default patterns say in gitignore's words."""
    patterns, bad = parse_patterns(DEFAULT_PATTERNS)
    assert not bad
    assert is_litter(name, is_folder=is_folder) == bool(patterns.verdict(name, name, is_folder=is_folder))


def test_litter_is_passed_over_and_can_be_taken_back(root: Path) -> None:
    """At the root of a disk and in synced folders; a rule takes one back, and a version keeps what it has."""
    names = ["lost+found/x", ".Trash-1000/files/a.mov", "$RECYCLE.BIN/a", "._a.mov", "@eaDir/a", ".sync_1.db-wal"]
    names += ["#recycle/a", ".~lock.a.odt#", "Icon\r", ".dropbox.cache/a", "take.mov.crdownload", "desktop.ini"]
    write(root, dict.fromkeys(names, "x"))
    with Repository.open(str(root)) as repo:
        assert _changes(repo) == []
        write(root, {".auraignore": "!lost+found/\n!._a.mov\n"})
        assert _changes(repo) == ["._a.mov", ".auraignore", "lost+found/x"]
        save(repo, "Two")
        (root / ".auraignore").unlink()
        assert _changes(repo) == [".auraignore"]
        save(repo, "Three")
        write(root, {"._a.mov": "y"})
        assert _changes(repo) == ["._a.mov"]


def test_what_rsync_left_half_copied_is_litter_beside_the_whole_file(root: Path) -> None:
    """Only there: alone it may be all that somebody has, and names that people give are not like it."""
    write(root, {"take.mov": "whole", ".take.mov.Xa12Ds": "x", ".other.mov.Xa12Ds": "x", ".take.mov.backup": "x"})
    with Repository.open(str(root)) as repo:
        assert _changes(repo) == [".other.mov.Xa12Ds", ".take.mov.backup", "take.mov"]
        save(repo, "Two")
        (root / "take.mov").unlink()
        assert _changes(repo) == [".take.mov.Xa12Ds", "take.mov"]


def _by_checkout(repo: Repository) -> None:
    checkout(repo, "v1")


def _by_restore(repo: Repository) -> None:
    restore(repo, "v1", [".auraignore"])


def _by_hand(repo: Repository) -> None:
    (Path(repo.root) / ".auraignore").unlink()


@pytest.mark.parametrize("how", [_by_checkout, _by_restore, _by_hand])
def test_rules_that_go_count_at_once(root: Path, how: Callable[[Repository], None]) -> None:
    """What no rule ignores any more is shown and saved, however the rules went."""
    with Repository.open(str(root)) as repo:
        write(root, {".auraignore": "*.mp4\n"})
        save(repo, "Two")
        write(root, {"take.mp4": "x", "assets/b.mp4": "x"})
        assert _changes(repo) == []
        how(repo)
        assert {"take.mp4", "assets/b.mp4"} <= set(_changes(repo))
        made = save(repo, "Three")
        assert repo.trees.entry(made.tree, "assets/b.mp4") is not None


@pytest.mark.parametrize("how", ["checkout", "restore", "merge", "hand"])
def test_rules_that_come_count_at_once(root: Path, how: str) -> None:
    """What is not versioned and ignored now is not shown, although the folder was looked at before."""
    with Repository.open(str(root)) as repo:
        create_branch(repo, "rules", save(repo, "Two", allow_empty=True).id)
        checkout(repo, "rules")
        write(root, {".auraignore": "*.mp4\n"})
        save(repo, "Rules")
        checkout(repo, "main")
        write(root, {"take.mp4": "x"})
        assert _changes(repo) == ["take.mp4"]
        if how == "checkout":
            checkout(repo, "rules")
        elif how == "restore":
            restore(repo, "rules", [".auraignore"])
        elif how == "merge":
            merge(repo, "rules")
        else:
            write(root, {".auraignore": "*.mp4\n"})
        assert "take.mp4" not in _changes(repo)
        assert how == "checkout" or (root / "take.mp4").read_text() == "x"


def test_a_change_of_rules_reads_no_file_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known of content stays known: gigabytes are not hashed for a line of rules."""
    with Repository.open(str(root)) as repo:
        write(root, {f"assets/{number}.mov": f"{number}" for number in range(20)})
        for path in (root / "assets").iterdir():
            os.utime(path, (1_600_000_000, 1_600_000_000))
        time.sleep(0.05)
        save(repo, "Two")
        write(root, {".auraignore": "*.mp4\n"})
        monkeypatch.setattr("aura_vcs.worktree.snapshot.stable_read.FileSource.open", None)
        monkeypatch.setattr("aura_vcs.worktree.snapshot.stable_read.FileSource.read", None)
        assert _changes(repo) == [".auraignore"]


def test_what_is_versioned_and_ignored_comes_and_goes_with_its_versions(root: Path) -> None:
    """Such a file is looked at while the version has it, and is nothing new where it has not."""
    with Repository.open(str(root)) as repo:
        write(root, {"assets/b.mp4": "x", "c.mp4": "y"})
        save(repo, "Two")
        write(root, {".auraignore": "*.mp4\nassets/\n"})
        save(repo, "Three")
        write(root, {"c.mp4": "z", "assets/b.mp4": "z", "assets/new.mov": "new", "d.mp4": "new"})
        assert _changes(repo) == ["assets/b.mp4", "c.mp4"]
        made = save(repo, "Four")
        assert repo.worktree.scan(made.tree).tracked_ignored() == ["assets/", "c.mp4"]
        assert _changes(repo) == []
        checkout(repo, "v1")
        checkout(repo, "v4")
        assert repo.worktree.scan(made.tree).tracked_ignored() == ["assets/", "c.mp4"]
