"""Commits of some paths: what is taken, what is refused, and what a version is equal to afterwards."""

import os
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors import InputError
from aura_vcs.errors.input import UnknownName
from aura_vcs.history.autosave import autosave, restore_point
from aura_vcs.history.commit import CommitRequest, commit, project_path
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.status import status
from aura_vcs.history.versions import purge_version
from aura_vcs.operation_log import label_change
from aura_vcs.refs.merge import stamp_label
from aura_vcs.repository.transaction import Draft

from tests.helpers.project import save, write


@pytest.mark.parametrize("keep", [autosave, lambda repo: restore_point(repo, "PreTest")])
def test_an_edit_beside_the_paths_stays_visible(first: Repository, keep: object) -> None:
    """A folder that only a part of was compared does not pass for the version's, whatever was saved of it before."""
    root = Path(first.root)
    write(root, {"d/e/z": "old", "d/y": "y"})
    save(first, "Second")
    write(root, {"d/e/z": "edited", "c": "c"})
    assert callable(keep)
    keep(first)
    write(root, {"d/x": "x"})
    save(first, "Some", paths=["d/x", "c"])
    assert [change.path for change in status(first).changes] == ["d/e/z"]
    made = save(first, "All")
    assert first.store.read(first.trees.entry(made.tree, "d/e/z").id) == b"edited"  # type: ignore[union-attr]


def test_a_path_beyond_a_link_is_told_so(first: Repository) -> None:
    """The version has the link; what is behind it is named where it lies, and nothing is called ignored."""
    root = Path(first.root)
    write(root, {"d/y": "y"})
    (root / "l").symlink_to("d", target_is_directory=True)
    with pytest.raises(UnknownName) as caught:
        save(first, "Some", paths=["l/y"])
    assert caught.value.hint.startswith("l is a link: name the file where it lies.")


def test_a_path_in_a_folder_that_is_gone(first: Repository) -> None:
    """Only that path leaves the version; the folder goes with the last of them."""
    root = Path(first.root)
    write(root, {"d/e/a": "a", "d/e/b": "b"})
    save(first, "Second")
    os.rename(root / "d", root.parent / "elsewhere")
    one = save(first, "One", paths=["d/e/a"])
    assert first.trees.entry(one.tree, "d/e/b") is not None
    assert first.trees.entry(one.tree, "d/e/a") is None
    two = save(first, "Two", paths=["d/e/b"])
    assert first.trees.entry(two.tree, "d") is None
    assert status(first).is_clean


def test_paths_on_a_purged_version_are_refused(first: Repository) -> None:
    """Another machine purged it: what is not among the paths would come from there. All of it can be committed."""
    record = resolve(first, "HEAD")
    label = first.refs.label(record.id)
    assert label is not None
    with first.transaction() as transaction:
        purged = stamp_label(label, transaction.replica, transaction.at, "Bert", purged_at=transaction.at)
        ref, change = label_change(label, purged)
        transaction.record(Draft("version.purge", "Purged elsewhere", {ref: change}))
    write(Path(first.root), {"new.txt": "new"})
    with pytest.raises(InputError, match=r"v1, which you are on, was purged") as caught:
        commit(first, CommitRequest("Some", paths=["new.txt"]))
    assert "without paths" in caught.value.hint
    assert save(first, "All").number == 2


def test_an_ignored_path_is_refused_with_the_reason(first: Repository) -> None:
    """It is there, so that it is unknown would be no answer."""
    write(Path(first.root), {"draft.tmp": "x"})
    with pytest.raises(UnknownName) as caught:
        commit(first, CommitRequest("Some", paths=["draft.tmp"]))
    assert "ignored" in caught.value.hint


def test_a_path_that_leads_into_the_project_through_a_link(first: Repository, tmp_path: Path) -> None:
    """As a shell gives it where the project's disk is linked from somewhere; one that leads out is refused."""
    way = tmp_path / "way"
    way.symlink_to(first.root)
    assert project_path(first, str(way / "scenes" / "x.json")) == "scenes/x.json"
    assert project_path(first, f"{first.root}/assets/") == "assets"
    with pytest.raises(InputError, match="outside"):
        project_path(first, str(tmp_path.parent))


def test_purging_the_version_underfoot_stays_refused(first: Repository) -> None:
    """On this machine itself."""
    with pytest.raises(InputError):
        purge_version(first, resolve(first, "HEAD"))
