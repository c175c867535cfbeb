"""Looking at the folder: nothing that changed is missed, nothing that held still is read again."""

import os
import shutil
import threading
import time
from itertools import groupby
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors.worktree import FileUnstable
from aura_vcs.history.checkout import checkout
from aura_vcs.history.commit import CommitRequest, commit
from aura_vcs.history.status import status
from aura_vcs.model import EntryKind

from tests.helpers.changing_file import restless
from tests.helpers.check import assert_whole
from tests.helpers.project import look, noise, save, write


def test_same_size_and_same_date_do_not_hide_a_change(first: Repository) -> None:
    """S7: the time of change of the inode tells, which no program can set back."""
    root = Path(first.root)
    for number in range(5):
        target = root / "brief.json"
        found = target.stat()
        target.write_bytes(bytes([65 + number]) * found.st_size)
        os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
        assert [change.path for change in status(first).changes] == ["brief.json"]
        record = save(first, f"Take {number}")
        entry = first.trees.entry(record.tree, "brief.json")
        assert entry is not None
        assert first.store.read(entry.id) == target.read_bytes()


def test_a_write_in_the_same_tick_is_not_missed(first: Repository) -> None:
    """Racy-clean: a file written right after it was committed is seen, although its stamp may be the same."""
    target = Path(first.root) / "voice.json"
    for number in range(10):
        target.write_bytes(b"a%d" % number)
        commit(first, "before")
        target.write_bytes(b"b%d" % number)
        assert [change.path for change in status(first).changes] == ["voice.json"]


def test_a_link_turned_in_the_same_tick_is_not_missed(first: Repository) -> None:
    """The same for links, whose inode may be used again at once."""
    target = Path(first.root) / "assets" / "cover.png"
    for number in range(10):
        target.unlink()
        target.symlink_to(f"a{number}")
        commit(first, "before")
        target.unlink()
        target.symlink_to(f"b{number}")
        assert [change.path for change in status(first).changes] == ["assets/cover.png"]


def test_a_file_that_is_written_meanwhile_is_one_it_really_had(first: Repository) -> None:
    """N3: every byte of the version's copy is from the same moment, or the commit names the file."""
    target = Path(first.root) / "render.bin"
    stop = threading.Event()

    def rewrite() -> None:
        number = 0
        while not stop.is_set():
            with target.open("r+b") as file:
                for _ in range(40):
                    file.write(bytes([number % 251]) * 60_000)
            number += 1
            time.sleep(0.08)

    target.write_bytes(bytes(2_400_000))
    thread = threading.Thread(target=rewrite)
    thread.start()
    try:
        for _ in range(4):
            done = commit(first, CommitRequest("While it renders", allow_empty=True))
            assert done.version is not None
            entry = first.trees.entry(done.version.tree, "render.bin")
            if entry is None:
                assert done.unstable == ("render.bin",)
            else:
                assert _is_one_moment(first.store.read(entry.id)), "a mixture of two moments"
    finally:
        stop.set()
        thread.join()
    assert_whole(first)


def _is_one_moment(content: bytes) -> bool:
    """Whether the rewriting above ever had this: a new beginning, then the take before."""
    takes = [take for take, _ in groupby(content)]
    return len(takes) == 1 or (len(takes) == 2 and takes[0] == (takes[1] + 1) % 251)


def test_a_file_that_never_holds_still_is_named(first: Repository) -> None:
    """The commit says which file it is, and keeps what the last version had; a checkout refuses to touch it.

    One that has nothing to do with the file leaves it alone.
    """
    root = Path(first.root)
    write(root, {"plan.json": "another plan"})
    save(first, "Second cut")
    write(root, {"plan.json": "restless", "other.txt": "other"})
    with restless(root / "plan.json"):
        done = commit(first, "Third cut")
        assert done.unstable == ("plan.json",)
        assert done.version is not None
        held = first.trees.entry(done.version.tree, "plan.json")
        base = first.trees.entry(first.trees.version(done.version.parents[0]).tree, "plan.json")
        assert held == base
        with pytest.raises(FileUnstable):
            checkout(first, "v1")
        assert checkout(first, "v2").restore_point is None


def test_everything_a_folder_can_hold_comes_back(first: Repository) -> None:
    """Names that are not UTF-8, links to nowhere, programs, empty files and folders."""
    root = Path(first.root)
    base = os.fsencode(root)
    os.makedirs(base + b"/bad\xff/inner\xfe")
    for name in (
        b"/bad\xff/inner\xfe/x\xfd.txt",
        b"/new\nline",
        b"/ leading",
        b"/-rf",
        b"/back\\slash",
        "/…/".encode()[:-1],
    ):
        with open(base + name, "wb") as file:
            file.write(name)
    write(root, {"empty": b"", "big.bin": noise(1_500_000, seed=4)})
    (root / "gone").symlink_to("nowhere/at/all")
    (root / "loop").symlink_to("loop")
    (root / "a" / "b" / "c").mkdir(parents=True)
    (root / "big.bin").chmod(0o755)
    before = look(root)
    save(first, "Odd things")
    checkout(first, "v1")
    checkout(first, "main")
    assert look(root) == before
    assert status(first).is_clean
    assert_whole(first)


def test_pipes_and_sockets_are_named_and_left_alone(first: Repository) -> None:
    """What cannot be versioned is listed with its reason, and a checkout goes round it."""
    root = Path(first.root)
    os.mkfifo(root / "pipe")
    (root / "scenes" / "000-scene.json").unlink()
    os.mkfifo(root / "scenes" / "000-scene.json")
    done = commit(first, "With a pipe")
    assert sorted(skipped.path for skipped in done.skipped) == ["pipe", "scenes/000-scene.json"]
    assert checkout(first, "v1").skipped == ("scenes/000-scene.json",)
    assert status(first).interrupted is None


def test_an_ignored_file_in_the_way_is_saved_first(first: Repository) -> None:
    """Ignored work is work: what a checkout would write over goes into the restore point."""
    root = Path(first.root)
    (root / "render.sh").unlink()
    write(root, {".auraignore": "render.sh\ncache/\n"})
    save(first, "Ignoring")
    write(root, {"render.sh": "mine", "cache/x": "kept"})
    assert status(first).is_clean
    moved = checkout(first, "v1")
    assert moved.restore_point is not None
    entry = first.trees.entry(moved.restore_point.tree, "render.sh")
    assert entry is not None
    assert first.store.read(entry.id) == b"mine"
    assert (root / "cache" / "x").read_text() == "kept"


def test_ignore_rules_are_gits_and_do_not_make_tracked_files_vanish(first: Repository) -> None:
    """A pattern hides new files only; a negated one brings them back."""
    root = Path(first.root)
    write(
        root,
        {".auraignore": "*.json\n/top\n!keep.json\n", "new.json": "1", "keep.json": "2", "top": "3", "sub/top": "4"},
    )
    assert {change.path for change in status(first).changes} == {".auraignore", "keep.json", "sub/top"}
    record = save(first, "Ignoring")
    assert first.trees.entry(record.tree, "brief.json") is not None
    assert first.trees.entry(record.tree, "new.json") is None


def test_a_rule_for_folders_or_files_alone_is_asked_again_when_one_becomes_the_other(first: Repository) -> None:
    root = Path(first.root)
    write(root, {".auraignore": "proxies/\nnotes\n!notes/\n", "proxies/a": "1", "notes/b": "2"})
    save(first, "Ignoring")
    assert status(first).is_clean
    for name in ("proxies", "notes"):
        shutil.rmtree(root / name)
        (root / name).write_text("now a file")
    for _ in range(2):
        seen = {(change.change, change.path) for change in status(first).changes}
        assert seen == {("added", "proxies"), ("type_changed", "notes"), ("deleted", "notes/b")}


def test_a_clean_status_opens_no_file(first: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cost: files that held still are not read again."""
    from aura_vcs.worktree.snapshot import stable_read as sources

    assert status(first).is_clean
    monkeypatch.setattr(sources.FileSource, "_open", lambda *_: pytest.fail("a file was opened"))
    assert status(first).is_clean
    assert commit(first, "Nothing").version is None


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="needs to become somebody who may not read")
def test_what_cannot_be_read_is_named_and_not_taken_for_deleted(first: Repository) -> None:
    """An unreadable folder is in the version as it was; it is never recorded as gone."""
    root = Path(first.root)
    closed = {parent: parent.stat().st_mode for parent in (root, *root.parents) if not parent.stat().st_mode & 0o001}
    for parent, mode in closed.items():  # wherever the tests' folder is, somebody else must get there
        parent.chmod(mode | 0o055)
    for path in [root, *root.rglob("*")]:
        os.chown(path, 65534, 65534, follow_symlinks=False)
    os.chown(root / "scenes", 0, 0)
    (root / "scenes").chmod(0o700)
    os.seteuid(65534)
    try:
        shown = status(first)
        assert [skipped.path for skipped in shown.skipped] == ["scenes"]
        assert not [change for change in shown.changes if change.change == "deleted"]
        assert [skipped.path for skipped in commit(first, "Second cut").skipped] == ["scenes"]
        write(root, {"brief.json": "other"})
        assert save(first, "Only the brief", paths=["brief.json"]).number == 2
    finally:
        os.seteuid(0)
        for parent, mode in closed.items():
            parent.chmod(mode)
    entry = first.trees.entry(first.trees.version(first.head().version).tree, "scenes")  # type: ignore[arg-type]
    assert entry is not None
    assert entry.kind is EntryKind.DIR
