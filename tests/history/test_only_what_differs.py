"""Going touches only what differs between where one is and where one goes; all other unsaved work stays."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aura_vcs import Repository
from aura_vcs.history.checkout import CheckoutResult, checkout, restore
from aura_vcs.history.merge import merge
from aura_vcs.history.names.branches import create_branch
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.status import status
from aura_vcs.history.undo import redo, undo
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc

from tests.helpers.check import assert_kept, versions
from tests.helpers.project import look, save, write


@pytest.fixture
def film(quick: Repository) -> Repository:
    """Version 2 has another `a`, a new folder and a program; `notes` is the same in both."""
    root = Path(quick.root)
    write(root, {"a": "one", "notes": "notes", "d/x": "x", "d/y": "y", "run": "run", "old/z": "z"})
    save(quick, "One")
    write(root, {"a": "two", "new/w": "w", "d/x": "xx"})
    (root / "run").chmod(0o755)
    shutil.rmtree(root / "old")
    save(quick, "Two")
    return quick


@pytest.fixture
def quick(quick_path: Path) -> Iterator[Repository]:
    """An empty project."""
    with Repository.init(quick_path / "project", author="Ada", host="studio") as repo:
        yield repo


def test_unsaved_work_goes_along_and_comes_back(film: Repository) -> None:
    """An edit, a new file, a deletion, a renamed folder, a link, an executable bit: over a checkout and back."""
    root = Path(film.root)
    write(root, {"notes": "edited", "idea": "new", "new folder/q": "q"})
    (root / "d" / "y").rename(root / "moved")
    (root / "link").symlink_to("notes")
    (root / "idea").chmod(0o755)
    before = look(root)
    for name, kept in (("v1", 6), ("main", 6)):
        moved = checkout(film, name)
        assert (moved.restore_point, moved.kept_unsaved) == (None, kept)
    assert look(root) == before
    assert (root / "a").read_text() == "two"


def test_a_branch_begins_with_what_one_has(film: Repository) -> None:
    """Nothing is taken out of the folder, and only HEAD moves."""
    root = Path(film.root)
    write(root, {"a": "unsaved", "idea": "new"})
    before = look(root)
    create_branch(film, "idea", resolve(film, "HEAD").id)
    assert checkout(film, "idea").restore_point is None
    assert (look(root), film.head().branch) == (before, "idea")
    undo(film)
    assert (look(root), film.head().branch) == (before, "main")
    assert not status(film).is_clean


def test_undo_of_one_restored_file_leaves_the_others(film: Repository) -> None:
    """Also redo; what was edited in that very file goes into a restore point."""
    root = Path(film.root)
    (root / "a").unlink()
    restore(film, "HEAD", ["a"])
    write(root, {"notes": "an hour of work"})
    assert undo(film).restore_point is None
    assert not (root / "a").exists()
    redo(film)
    write(root, {"a": "edited since"})
    done = undo(film)
    assert done.restore_point is not None
    assert_kept(film, {b"edited since"})
    assert (root / "notes").read_text() == "an hour of work"


@pytest.mark.parametrize(
    "go",
    [
        lambda repo: checkout(repo, "main"),
        lambda repo: checkout(repo, "v2"),
        lambda repo: checkout(repo, "HEAD"),
        lambda repo: checkout(repo, "HEAD", clean=True),
        lambda repo: restore(repo, "HEAD"),
        lambda repo: restore(repo, "v2", ["a", "d"]),
        lambda repo: restore(repo, "v2", [""]),
    ],
)
def test_what_changes_nothing_is_nothing(film: Repository, go: Callable[[Repository], CheckoutResult]) -> None:
    """No restore point, no number, no operation; a new file elsewhere makes no difference where it may stay."""
    before = film.index.end_of_log(film.replica)
    moved = go(film)
    assert (moved.is_idle, moved.restore_point, moved.changed) == (True, None, 0)
    assert film.index.end_of_log(film.replica) == before
    assert save(film, "Next", allow_empty=True).number == 3


@pytest.mark.parametrize(("paths", "idle"), [(["a"], True), (None, False)])
def test_a_version_made_meanwhile_changes_nothing_of_a_restore(
    film: Repository, monkeypatch: pytest.MonkeyPatch, paths: list[str] | None, idle: bool
) -> None:
    """What differs is decided under the folder's lock, by where HEAD is then."""
    from aura_vcs.history import checkout as module

    replace = module.replace_worktree

    def late(*args: Any, **options: Any) -> CheckoutResult:
        write(Path(film.root), {"notes": "later"})
        save(film, "Three")
        return replace(*args, **options)

    monkeypatch.setattr(module, "replace_worktree", late)
    moved = restore(film, "v2", paths)
    assert (moved.is_idle, moved.restore_point is None) == (idle, idle)
    assert (Path(film.root) / "notes").read_text() == ("later" if idle else "notes")


def test_a_folder_with_ignored_files_is_named_with_them(film: Repository) -> None:
    """Nobody edits what a version has as a file where a folder with ignored files is: that is said of it."""
    root = Path(film.root)
    (root / "a").unlink()
    write(root, {"a/in": "in", ".auraignore": "a/*.tmp"})
    save(film, "Three")
    write(root, {"a/p.tmp": "p"})
    moved = checkout(film, "v2")
    assert moved.skipped == ("a",)
    assert moved.blocked == {"a": ("a/p.tmp",)}
    assert (root / "a/p.tmp").read_text() == "p"
    assert [change.path for change in status(film).changes] == ["a"]


def test_a_restore_of_where_one_is_gives_up_edits_but_no_new_file(film: Repository) -> None:
    """Every file that the version has comes back, deleted folders too; what it does not have stays."""
    root = Path(film.root)
    write(root, {"a": "bad", "idea": "new", "d/z": "new too"})
    (root / "new" / "w").unlink()
    (root / "new").rmdir()
    moved = restore(film, "HEAD")
    assert moved.restore_point is not None
    assert {change.path for change in status(film).changes} == {"idea", "d/z"}
    assert_kept(film, {b"bad"})


def test_a_restore_of_another_version_leaves_what_both_have(film: Repository) -> None:
    """An edit of a file that is the same there stays; one that meets it is kept in the restore point."""
    root = Path(film.root)
    write(root, {"notes": "edited", "a": "edited too"})
    moved = restore(film, "v1")
    assert moved.restore_point is not None
    assert ((root / "notes").read_text(), (root / "a").read_text()) == ("edited", "one")
    assert_kept(film, {b"edited too"})
    undo(film)
    assert ((root / "notes").read_text(), (root / "a").read_text()) == ("edited", "edited too")


def test_what_meets_is_in_a_restore_point_and_comes_back_by_undo(film: Repository) -> None:
    """An edit, a deletion, an executable bit, a link, a folder, a file over a folder, an ignored file in the way."""
    root = Path(film.root)
    checkout(film, "v1")
    write(root, {".auraignore": "*.skip\n", "t.skip": "versioned before"})
    meets: list[Callable[[], object]] = [
        lambda: write(root, {"a": "edited"}),
        (root / "a").unlink,
        lambda: (root / "run").chmod(0o644) or write(root, {"run": "other"}),
        lambda: ((root / "a").unlink(), (root / "a").symlink_to("notes")),
        lambda: ((root / "a").unlink(), write(root, {"a/in": "folder"})),
        lambda: (shutil.rmtree(root / "d"), write(root, {"d": "file"})),
        lambda: write(root, {"new/w": "mine"}),
        lambda: write(root, {"new": "a file where a folder comes"}),
    ]
    (root / ".auraignore").unlink()
    (root / "t.skip").unlink()
    for meet in meets:
        checkout(film, "v1", clean=True)
        meet()
        before = look(root)
        moved = checkout(film, "main")
        assert moved.restore_point is not None
        assert status(film).is_clean
        undo(film)
        assert look(root) == before
    assert fsck(film).problems == ()


def test_what_is_there_already_needs_no_restore_point(film: Repository) -> None:
    """The same content, made by hand: it is what comes. Taken back, it is what was there."""
    root = Path(film.root)
    checkout(film, "v1")
    write(root, {"a": "two", "new/w": "w"})
    before = look(root)
    assert checkout(film, "main").restore_point is None
    undo(film)
    assert look(root) == before


def test_ignored_files_stay_and_give_way_with_a_copy(film: Repository) -> None:
    """An ignored file stays over every step; one in the way is in the restore point; a clean checkout leaves it."""
    root = Path(film.root)
    write(root, {"take.tmp": "draft", "notes": "edited"})
    for _ in range(2):
        checkout(film, "v1")
        checkout(film, "main")
    checkout(film, "v1", clean=True)
    assert (root / "take.tmp").read_text() == "draft"
    write(root, {"new/w": "mine", ".auraignore": "w\n"})
    moved = checkout(film, "main")
    assert moved.restore_point is not None
    assert_kept(film, {b"mine"})
    assert (root / "new" / "w").read_text() == "w"


def test_what_the_target_ignores_stays(film: Repository) -> None:
    """A new file that only the other version's rules ignore is there all the time, and unsaved again afterwards."""
    root = Path(film.root)
    create_branch(film, "rules", resolve(film, "HEAD").id)
    checkout(film, "rules")
    write(root, {".auraignore": "*.log\n"})
    save(film, "Rules")
    checkout(film, "main")
    write(root, {"x.log": "log"})
    checkout(film, "rules")
    assert (root / "x.log").read_text() == "log"
    checkout(film, "main")
    assert (root / "x.log").read_text() == "log"


def test_folders_that_are_gone_are_made_for_what_comes(film: Repository) -> None:
    """Only that comes: what was deleted beside it stays deleted."""
    root = Path(film.root)
    shutil.rmtree(root / "d")
    moved = checkout(film, "v1")
    assert moved.restore_point is not None
    assert (root / "d" / "x").read_text() == "x"
    assert not (root / "d" / "y").exists()
    undo(film)
    assert not (root / "d").exists()


def test_a_clean_checkout_is_exact_and_can_be_taken_back(film: Repository) -> None:
    """All that was unsaved is in a restore point."""
    root = Path(film.root)
    write(root, {"notes": "edited", "idea": "new", "empty/.keep": ""})
    before = look(root)
    moved = checkout(film, "v1", clean=True)
    assert moved.restore_point is not None
    assert status(film).is_clean
    assert_kept(film, {b"edited", b"new"})
    undo(film)
    assert look(root) == before


def test_a_merge_beside_unsaved_work_makes_no_restore_point(film: Repository) -> None:
    """Nothing is replaced that is not saved."""
    root = Path(film.root)
    create_branch(film, "side", resolve(film, "v1").id)
    checkout(film, "side")
    write(root, {"more": "more"})
    save(film, "Side")
    checkout(film, "main")
    write(root, {"notes": "edited"})
    done = merge(film, "side")
    assert done.files is not None
    assert (done.files.restore_point, done.files.kept_unsaved, done.replaced) == (None, 1, ())
    undo(film)
    assert ((root / "notes").read_text(), (root / "more").exists()) == ("edited", False)


def test_undo_lives_as_long_as_the_restore_point(film: Repository) -> None:
    """What was met is in a restore point: gc without a grace leaves what taking the step back needs."""
    root = Path(film.root)
    write(root, {"a": "edited", "idea": "new"})
    before = look(root)
    checkout(film, "v1")
    execute_gc(film, plan_gc(film, grace_seconds=0, dead_share=0.0))
    assert len(versions(film)) == 3
    undo(film)
    assert look(root) == before


def test_folders_that_hold_other_work_are_no_change(first: Repository) -> None:
    """A restore that would only take folders away, which have to stay, makes no restore point and no action."""
    root = Path(first.root)
    write(root, {"new/deep/a.txt": "a"})
    save(first, "Second")
    (root / "new/deep/a.txt").unlink()
    (root / "new/deep").rmdir()
    for inside in ("empty", "other.txt"):
        (root / "new" / inside).mkdir() if inside == "empty" else write(root, {f"new/{inside}": "mine"})
        before, count = look(root), len(versions(first))
        done = restore(first, "v1")
        assert (done.is_idle, done.restore_point, done.changed) == (True, None, 0)
        assert (look(root), len(versions(first))) == (before, count)
        (root / "new" / inside).rmdir() if inside == "empty" else (root / "new" / inside).unlink()
    assert not restore(first, "v1").is_idle
    assert not (root / "new").exists()


def test_a_commit_that_is_redone_brings_its_content_back(film: Repository) -> None:
    """One had gone elsewhere in between: without it, the next commit would take back what this one saved."""
    root = Path(film.root)
    checkout(film, "v1")
    write(root, {"a": "mine", "made/deep": "deep"})
    (root / "d/y").unlink()
    made = save(film, "Mine")
    undo(film)
    undo(film)
    assert (root / "a").read_text() == "two"
    redo(film)
    done = redo(film)
    assert film.head().version == made.id
    assert done.files is not None
    assert done.files.changed
    assert (root / "a").read_text() == "mine"
    assert (root / "made/deep").read_text() == "deep"
    assert not (root / "d/y").exists()
    assert not status(film).changes
    undo(film)
    assert (root / "a").read_text() == "mine"


def test_a_commit_that_is_redone_leaves_what_was_edited_since(film: Repository) -> None:
    """Only what is as before the commit becomes as it has it."""
    root = Path(film.root)
    write(root, {"a": "mine", "notes": "more"})
    (root / "run").unlink()
    (root / "run").mkdir()
    write(root, {"run/inner": "inner"})
    save(film, "Mine")
    undo(film)
    write(root, {"a": "edited since"})
    done = redo(film)
    assert done.files is None
    assert (root / "a").read_text() == "edited since"
    assert (root / "notes").read_text() == "more"
    assert (root / "run/inner").read_text() == "inner"
    undo(film)
    shutil.rmtree(root / "run")
    write(root, {"run": "a file again"})
    redo(film)
    assert (root / "run").read_text() == "a file again"


def test_a_part_of_a_commit_that_is_redone_comes_where_nothing_was_edited(film: Repository) -> None:
    """Each file counts for itself."""
    root = Path(film.root)
    write(root, {"a": "mine", "notes": "more", "fresh": "fresh"})
    save(film, "Mine")
    undo(film)
    write(root, {"a": "edited since", "notes": "notes"})
    (root / "fresh").unlink()
    redo(film)
    assert (root / "a").read_text() == "edited since"
    assert (root / "notes").read_text() == "more"
    assert (root / "fresh").read_text() == "fresh"
