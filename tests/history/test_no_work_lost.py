"""Going back and forth: every way of losing work that a person could think of, tried."""

from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors import InputError
from aura_vcs.errors.input import AmbiguousVersion, NothingToUndo, UnknownName, UnknownVersion, VersionInUse
from aura_vcs.errors.integrity import ObjectPurged
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import CommitRequest, commit
from aura_vcs.history.log import log
from aura_vcs.history.names.branches import branch, branches, create_branch, delete_branch, rename_branch
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.names.tags import create_tag, delete_tag
from aura_vcs.history.status import status
from aura_vcs.history.undo import redo, undo
from aura_vcs.history.versions import delete_version, edit_version, purge_version, undelete_version
from aura_vcs.index.queries import VersionFilter
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.model import VersionType

from tests.helpers.check import assert_kept, assert_whole, versions
from tests.helpers.project import contents, look, save, write


@pytest.fixture
def second(first: Repository) -> Repository:
    """Two versions."""
    write(Path(first.root), {"brief.json": '{"topic": "Ebb"}', "extra/a.txt": "a", "extra/b.txt": "b"})
    save(first, "Second cut")
    return first


def test_nothing_changed_means_no_version(first: Repository) -> None:
    """Unless it is asked for."""
    assert commit(first, "Nothing").version is None
    assert commit(first, CommitRequest("Nothing", allow_empty=True)).version is not None


def test_a_commit_of_paths_takes_those_only(second: Repository) -> None:
    """The rest stays unsaved; a deleted path is a path too; an unknown one is named."""
    root = Path(second.root)
    write(root, {"brief.json": "1", "plan.json": "2", "extra/a.txt": "3", "new/x": "4"})
    (root / "extra" / "b.txt").unlink()
    record = save(second, "Some", paths=["brief.json", "extra/b.txt", "new"])
    assert second.trees.entry(record.tree, "extra/b.txt") is None
    assert second.trees.entry(record.tree, "new/x") is not None
    assert {change.path for change in status(second).changes} == {"plan.json", "extra/a.txt"}
    with pytest.raises(UnknownName, match=r"nowhere\.txt"):
        commit(second, CommitRequest("x", paths=["nowhere.txt"]))


def test_checkout_saves_what_is_unsaved_and_commits_start_a_branch(second: Repository) -> None:
    """v1 in place, HEAD on it; work there becomes `from-v1`; the way back is open."""
    root = Path(second.root)
    write(root, {"brief.json": "unsaved", "draft.txt": "beside it"})
    before = look(root)
    moved = checkout(second, "v1")
    assert moved.restore_point is not None
    assert (moved.restore_point.trigger, moved.restore_point.type) == ("PreCheckout", VersionType.RESTORE_POINT)
    assert moved.kept_unsaved == 1
    assert "rises" in (root / "brief.json").read_text()
    assert (root / "draft.txt").read_text() == "beside it"
    write(root, {"idea.txt": "idea"})
    done = commit(second, CommitRequest("Another way", paths=["idea.txt"]))
    assert done.new_branch == "from-v1"
    assert second.head().branch == "from-v1"
    checkout(second, "main")
    restore(second, f"v{moved.restore_point.number}")
    assert look(root) == before
    assert [record.name for record in log(second, VersionFilter())] == ["Second cut", "First cut"]


def test_restore_brings_content_back_onto_the_branch(second: Repository) -> None:
    """HEAD stays; what was there is a restore point; paths restrict it."""
    root = Path(second.root)
    write(root, {"brief.json": "unsaved", "plan.json": "unsaved too"})
    moved = restore(second, "v1", ["brief.json", "extra"])
    assert moved.restore_point is not None
    assert moved.restore_point.trigger == "PreRestore"
    assert second.head().branch == "main"
    assert "rises" in (root / "brief.json").read_text()
    assert (root / "plan.json").read_text() == "unsaved too"
    assert not (root / "extra").exists()
    with pytest.raises(UnknownName):
        restore(second, "v1", ["nowhere"])


def test_everything_is_undone_and_done_again(second: Repository) -> None:
    """Each deed on its own: undo puts back what was, redo what became; and again, after a restart."""
    root = Path(second.root)
    deeds = [
        lambda repo: save(repo, "Third", allow_empty=True),
        lambda repo: checkout(repo, "v1"),
        lambda repo: restore(repo, "v1"),
        lambda repo: delete_version(repo, resolve(repo, "v1")),
        lambda repo: purge_version(repo, resolve(repo, "v1"), "private"),
        lambda repo: edit_version(repo, resolve(repo, "v1"), name="New", description="d", important=True),
        lambda repo: create_tag(repo, "final", resolve(repo, "v1").id, "m"),
        lambda repo: create_branch(repo, "idea", resolve(repo, "v1").id),
        lambda repo: rename_branch(repo, "main", "film"),
    ]
    for deed in deeds:
        before = _state(second, root)
        deed(second)
        after = _state(second, root)
        assert after != before
        for _ in range(2):
            undo(second)
            assert _state(second, root) == before
            with Repository.open(root, author="Ada", host="studio") as later:
                redo(later)
            assert _state(second, root) == after
        undo(second)
        assert _state(second, root) == before
        assert fsck(second).problems == ()


def _state(repo: Repository, root: Path) -> object:
    shown = [
        (v.id, v.name, v.description, v.important, v.is_live)
        for v in versions(repo)
        if v.type is not VersionType.RESTORE_POINT and (v.number <= 2 or v.is_live)
    ]
    tags = {name: tag.version for name, tag in repo.refs.tags().items()}
    return (look(root), repo.head(), branches(repo), tags, shown)


def test_undo_after_undo_and_something_new(second: Repository) -> None:
    """Undo goes back step by step; something new ends what could be done again; then there is nothing."""
    root = Path(second.root)
    write(root, {"x": "1"})
    save(second, "Third")
    undo(second)
    assert {change.path for change in status(second).changes} == {"x"}
    undo(second)
    redo(second)
    save(second, "Instead")
    with pytest.raises(NothingToUndo):
        redo(second)
    for _ in range(3):
        undo(second)
    with pytest.raises(NothingToUndo):
        undo(second)
    assert second.head().version is None
    assert_kept(second, contents(look(root).values()))


def test_undo_of_a_checkout_keeps_what_was_written_since(second: Repository) -> None:
    """Where the checkout had changed something it is in a restore point before that goes back; elsewhere it stays."""
    root = Path(second.root)
    checkout(second, "v1")
    write(root, {"since.txt": "written since", "brief.json": "edited since"})
    done = undo(second)
    assert done.restore_point is not None
    assert done.restore_point.trigger == "PreUndo"
    assert_kept(second, {b"edited since"})
    assert "Ebb" in (root / "brief.json").read_text()
    assert (root / "since.txt").read_text() == "written since"


def test_names_of_versions(second: Repository) -> None:
    """Every form of name, the near ones of a wrong one, and those that could be several."""
    one, two = resolve(second, "v1"), resolve(second, "v2")
    create_tag(second, "final", one.id)
    create_branch(second, "idea", one.id)
    for name in (
        "v1",
        "HEAD~",
        "HEAD~1",
        "main~1",
        "v2~1",
        "final",
        "idea",
        "First cut",
        one.id,
        one.id[:8],
        "v1." + one.id[:4],
    ):
        assert resolve(second, name) == one, name
    for name in ("HEAD", "@", "main", "HEAD~0", "@{now}", "main@{now}", "@{0 minutes ago}"):
        assert resolve(second, name) == two, name
    with pytest.raises(UnknownVersion) as caught:
        resolve(second, "finel")
    assert "final" in caught.value.hint
    save(second, "First cut", allow_empty=True)
    with pytest.raises(AmbiguousVersion) as several:
        resolve(second, "First cut")
    assert several.value.candidates == ("v3", "v1")
    for name in (
        "",
        "v99",
        "HEAD~9",
        "@{1 year ago}",
        "~",
        "v1~x",
        "@{",
        "v1.zz",
        "--help",
        "../x",
        "\udcff",
        "a\0b",
        "v" + "9" * 30,
    ):
        with pytest.raises(InputError):
            resolve(second, name)


def test_versions_that_something_stands_on_stay(second: Repository) -> None:
    """A branch, a tag or the worktree on it: neither deleted nor purged; the message says which."""
    create_tag(second, "final", resolve(second, "v1").id)
    for name, holder in (("v1", "tag final"), ("v2", "branch main")):
        for take in (delete_version, purge_version):
            with pytest.raises(VersionInUse, match=holder):
                take(second, resolve(second, name))
    delete_tag(second, "final")
    checkout(second, "v1")
    with pytest.raises(VersionInUse, match="HEAD"):
        delete_version(second, resolve(second, "v1"))


def test_undoing_a_deletion_does_not_undo_the_purge_before_it(second: Repository) -> None:
    """One action is taken back, not two: the version is purged still."""
    purge_version(second, resolve(second, "v1"), "private")
    delete_version(second, resolve(second, "v1"))
    assert undo(second).description.startswith("Deleted")
    record = resolve(second, "v1")
    assert (record.deleted_at, record.purge_reason, record.is_live) == (None, "private", False)
    undo(second)
    assert resolve(second, "v1").is_live


def test_a_version_purged_in_the_middle_is_a_record(second: Repository) -> None:
    """G4: who, when and why stay; the content goes with gc; nothing else changes its id."""
    root = Path(second.root)
    write(root, {"secret.txt": "very private"})
    save(second, "With a secret")
    (root / "secret.txt").unlink()
    save(second, "Without it")
    ids = [record.id for record in versions(second)]
    purge_version(second, resolve(second, "v3"), "a password")
    execute_gc(second, plan_gc(second, grace_seconds=0, dead_share=0.0))
    record = resolve(second, "v3")
    assert (record.purged_by, record.purge_reason) == ("Ada", "a password")
    assert [found.id for found in versions(second)] == ids
    for attempt in (
        lambda: checkout(second, "v3"),
        lambda: restore(second, "v3"),
        lambda: undelete_version(second, record),
    ):
        with pytest.raises(ObjectPurged, match=r"v3 .*Ada"):
            attempt()
    stored = b"".join(path.read_bytes() for path in (root / ".aura" / "objects").rglob("*") if path.is_file())
    assert b"very private" not in stored
    assert_whole(second)
    assert save(second, "Next", allow_empty=True).number == 5


def test_gc_keeps_what_undo_and_undelete_would_bring_back(second: Repository) -> None:
    """Within the grace period deleted content is condemned, not gone; afterwards it is, and says so."""
    write(Path(second.root), {"big.txt": "only here"})
    save(second, "Third")
    (Path(second.root) / "big.txt").unlink()
    save(second, "Fourth")
    delete_version(second, resolve(second, "v3"))
    collected = execute_gc(second, plan_gc(second))
    assert (collected.removed_objects, collected.in_grace_period > 0) == (0, True)
    assert undelete_version(second, resolve(second, "v3")).is_live
    assert_whole(second)


def test_a_version_deleted_elsewhere_while_the_folder_stands_on_it(second: Repository) -> None:
    """G3: HEAD holds its content, whatever its label says; gc goes on around it."""
    save(second, "Third", allow_empty=True)
    delete_version(second, resolve(second, "v2"))
    checkout(second, "v2")
    execute_gc(second, plan_gc(second, grace_seconds=0, dead_share=0.0))
    assert status(second).is_clean
    write(Path(second.root), {"x": "1"})
    save(second, "On a deleted one")
    checkout(second, "main")
    assert fsck(second).problems == ()


def test_numbers_are_never_given_out_again(second: Repository) -> None:
    """Not after deletion, purge, collection, an index built anew, or damage to the version itself."""
    record = save(second, "Third", allow_empty=True)
    undo(second)
    purge_version(second, resolve(second, "v3"))
    execute_gc(second, plan_gc(second, grace_seconds=0, dead_share=0.0))
    second.rebuild_index()
    assert save(second, "Fourth", allow_empty=True).number == 4
    for path in (Path(second.root) / ".aura" / "objects").rglob(f"*{record.id[2:10]}*"):
        path.write_bytes(b"damaged")
    second.rebuild_index()
    assert save(second, "Fifth", allow_empty=True).number == 5


def test_branches_are_deleted_and_come_back(second: Repository) -> None:
    """A deleted branch leaves its versions; it can be undone, or made anew."""
    create_branch(second, "Idea/é", resolve(second, "v1").id)
    with pytest.raises(VersionInUse):
        delete_branch(second, "main")
    delete_branch(second, "Idea/é")
    assert branch(second, "Idea/é") is None
    undo(second)
    assert branch(second, "Idea/é") is not None
    delete_branch(second, "Idea/é")
    create_branch(second, "Idea/é", resolve(second, "v2").id)
    found = branch(second, "Idea/é")
    assert found is not None
    assert found.version == resolve(second, "v2").id
