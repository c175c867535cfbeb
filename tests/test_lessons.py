"""The mistakes of an earlier implementation of this data model (USERS, section 1.3), one test each.

oldest kept, newest dropped      tests/maintenance/test_retention.py::test_the_newest_ten_survive_not_the_oldest
cleaning that nothing calls      test_autosaves_clean_up_after_themselves
blobs of deleted versions leak   test_deleted_versions_let_go_of_their_content
numbers given out twice          test_numbers_are_never_given_out_twice
timeline not in the version      test_a_version_holds_timeline_scenes_and_assets
restore without a way back       test_restoring_makes_a_restore_point_first
undo that only sets a label      test_undo_really_undoes
content stored twice             test_equal_content_is_stored_once
compare that shows no change     test_comparing_shows_what_changed
promised protection, no code     tests/maintenance/test_retention.py::test_restore_points_stay_thirty_days
"""

import json
from pathlib import Path

from aura_vcs import Repository
from aura_vcs.history.checkout import restore
from aura_vcs.history.commit import commit
from aura_vcs.history.diff.tree_diff import compare_trees
from aura_vcs.history.undo import redo, undo
from aura_vcs.history.versions import delete_version
from aura_vcs.index.queries import Queries, VersionFilter
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.maintenance.retention import RetentionRules, execute_prune, plan_prune
from aura_vcs.model import VersionType

from tests.cli.conftest import Film, film
from tests.helpers.project import look, noise, save, write

__all__ = ["film"]  # a fixture of the command line's tests


def test_autosaves_clean_up_after_themselves(film: Film) -> None:
    """`aura autosave` prunes by the rules without being asked."""
    film("commit", "-m", "First")
    for key, value in (("keep_autosaves", "2"), ("autosave_days", "0")):
        film("config", "set", f"retention.{key}", value, "--project")
    pruned = []
    for number in range(4):
        film.write({"notes.txt": f"take {number}"})
        pruned.append(film.data("autosave")["pruned"])
    assert pruned == [0, 0, 1, 1]
    assert [v["number"] for v in film.data("version", "list", "--type", "autosave")["versions"]] == [5, 4]


def test_deleted_versions_let_go_of_their_content(first: Repository) -> None:
    """Deleting a version lowers the counts at once, and a collection frees what only it held."""
    root = Path(first.root)
    write(root, {"assets/big.bin": noise(50_000, seed=9)})
    big = save(first, "Big")
    (root / "assets/big.bin").unlink()
    save(first, "Small")
    blob = first.trees.entry(big.tree, "assets/big.bin")
    assert blob is not None
    assert Queries(first.index).counts()[blob.id] == 1
    delete_version(first, big)
    assert Queries(first.index).counts()[blob.id] == 0
    execute_gc(first, plan_gc(first, grace_seconds=0))
    assert not first.store.contains(blob.id)


def test_numbers_are_never_given_out_twice(first: Repository) -> None:
    """The number of a deleted, pruned or undone version is not used again."""
    write(Path(first.root), {"notes.txt": "a"})
    second = save(first, "Second")
    undo(first)
    write(Path(first.root), {"notes.txt": "b"})
    third = save(first, "Third")
    assert (second.number, third.number) == (2, 3)
    execute_prune(first, plan_prune(first, RetentionRules()))
    write(Path(first.root), {"notes.txt": "c"})
    assert save(first, "Fourth").number == 4


def test_a_version_holds_timeline_scenes_and_assets(first: Repository) -> None:
    """Restoring a version brings the timeline, scenes and media back, not four documents."""
    root = Path(first.root)
    before = look(root)
    write(root, {"timeline.json": "{}", "scenes/000-scene.json": "{}", "assets/sky.png": b"other"})
    (root / "scenes" / "001-scene.json").unlink()
    save(first, "Ruined")
    restore(first, "v1")
    assert look(root) == before


def test_restoring_makes_a_restore_point_first(first: Repository) -> None:
    """What a restore replaces is a version with a trigger, and one undo brings it back."""
    root = Path(first.root)
    write(root, {"brief.json": '{"topic": "unsaved work"}'})
    unsaved = look(root)
    point = restore(first, "v1").restore_point
    assert point is not None
    assert (point.type, point.trigger) == (VersionType.RESTORE_POINT, "PreRestore")
    undo(first)
    assert look(root) == unsaved


def test_undo_really_undoes(first: Repository) -> None:
    """Undo and redo move the folder and the branch, not a label."""
    root = Path(first.root)
    write(root, {"brief.json": "{}"})
    save(first, "Second")
    restore(first, "v1")
    restored = look(root)
    undo(first)
    assert (root / "brief.json").read_text() == "{}"
    redo(first)
    assert look(root) == restored


def _stored_bytes(repo: Repository) -> int:
    return sum(stored for _, _, stored in Queries(repo.index).stored_totals().values())


def test_equal_content_is_stored_once(first: Repository) -> None:
    """A version that changes one small document costs about that document; sizes are bytes on disk."""
    root = Path(first.root)
    stored = _stored_bytes(first)
    write(root, {"copy-of-voice.wav": (root / "assets" / "voice.wav").read_bytes(), "brief.json": '{"topic": "é"}'})
    version = commit(first, "Second").version
    assert version is not None
    added = _stored_bytes(first) - stored
    assert added < 3_000
    assert version.size_bytes == sum(len(content) for kind, content, _ in look(root).values() if kind != "dir")


def test_comparing_shows_what_changed(first: Repository) -> None:
    """A comparison names the documents that differ and the files, not two panes of JSON."""
    write(Path(first.root), {"voice.json": json.dumps({"voice_name": "Ada", "rate": 1.2})})
    save(first, "Faster")
    old, new = (Queries(first.index).versions_numbered(n)[0] for n in (1, 2))
    comparison = compare_trees(first, old.tree, new.tree)
    assert [change.path for change in comparison.changes] == ["voice.json"]
    assert {name for name in old.documents if old.documents[name] != new.documents[name]} == {"voice"}
    assert len(Queries(first.index).all_versions(VersionFilter())) == 2
