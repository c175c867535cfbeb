"""Edits of single files, settings and state: one action each, batched when rapid, undone alone."""

import json
from pathlib import Path

import pytest
from aura_vcs import Repository, undo_stack
from aura_vcs.errors import InputError
from aura_vcs.errors.input import OperationExpired
from aura_vcs.errors.studio import ActionBlocked, EditedSince
from aura_vcs.history.file_edits import edit_files
from aura_vcs.history.project_settings import note_fields, set_fields, value_of
from aura_vcs.history.undo import find_action, redo, undo
from aura_vcs.history.versions import delete_version, edit_version
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import ActionFilter, ActionRecord
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.repository.transaction import Draft

from tests.helpers.project import save, write


def edit(repo: Repository, path: str, text: str | None, **options: object) -> ActionRecord:
    """Write (or delete) a file as an action."""
    write_, delete = ({}, [path]) if text is None else ({path: text.encode()}, [])
    done = edit_files(repo, write_, delete, draft=Draft("test.edit", f"Edit {path}", **options))  # type: ignore[arg-type]
    assert done is not None
    return find_action(repo, done.operation.id)


def read(repo: Repository, path: str) -> str | None:
    """A file of the folder; None if it is not there."""
    place = Path(repo.root) / path
    return place.read_text() if place.exists() else None


def test_an_edit_touches_only_its_file(first: Repository) -> None:
    """Other unsaved work stays through edit, undo and redo."""
    write(Path(first.root), {"notes.txt": "unsaved", "brief.json": "{}"})
    edit(first, "brief.json", '{"topic": "x"}')
    write(Path(first.root), {"notes.txt": "later"})
    undo(first)
    assert (read(first, "brief.json"), read(first, "notes.txt")) == ("{}", "later")
    redo(first)
    assert (read(first, "brief.json"), read(first, "notes.txt")) == ('{"topic": "x"}', "later")


def test_files_appear_and_go(first: Repository) -> None:
    """Adding a file in a new folder, and deleting one, are undone."""
    edit(first, "new/deep/file.json", "{}")
    edit(first, "project.json", None)
    assert read(first, "project.json") is None
    undo(first)
    undo(first)
    assert json.loads(read(first, "project.json") or "")["title"] == "Tides"
    assert read(first, "new/deep/file.json") is None


def test_nothing_changed_is_no_action(first: Repository) -> None:
    """Writing what is there records nothing."""
    text = (Path(first.root) / "project.json").read_bytes()
    assert edit_files(first, {"project.json": text}, draft=Draft("t", "d")) is None


def test_an_edit_is_not_undone_over_a_later_one(first: Repository) -> None:
    """A file that was edited by hand since stays, and the message names it."""
    edit(first, "brief.json", "{}")
    write(Path(first.root), {"brief.json": '{"by": "hand"}'})
    with pytest.raises(EditedSince, match=r"brief\.json"):
        undo(first)
    assert read(first, "brief.json") == '{"by": "hand"}'


def test_rapid_edits_are_one_undo(first: Repository) -> None:
    """Three quick edits of one document go back together, and come again together."""
    before = read(first, "brief.json")
    actions = [edit(first, "brief.json", f'{{"n": {n}}}', can_batch=True) for n in range(3)]
    undo(first)
    assert read(first, "brief.json") == before
    statuses = [find_action(first, action.id).status for action in actions]
    assert statuses == ["Undone"] * 3
    redo(first)
    assert read(first, "brief.json") == '{"n": 2}'
    first.rebuild_index()
    assert [find_action(first, action.id).status for action in actions] == ["Applied"] * 3
    undo(first)
    assert "First cut" in undo(first).description


def test_slow_or_different_edits_are_several(first: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Edits of another file, or after a minute, are undone one by one."""
    edit(first, "brief.json", "{}", can_batch=True)
    edit(first, "plan.json", "{}", can_batch=True)
    undo(first)
    assert read(first, "brief.json") == "{}"
    monkeypatch.setattr(undo_stack, "BATCH_SECONDS", 0.0)
    edit(first, "brief.json", '{"n": 1}', can_batch=True)
    undo(first)
    assert read(first, "brief.json") == "{}"


def test_labels_are_batched_too(first: Repository) -> None:
    """Two quick changes of a version's name are one undo; another version is another."""
    record = Queries(first.index).versions_numbered(1)[0]
    edit_version(first, edit_version(first, record, name="B"), name="C")
    undo(first)
    assert Queries(first.index).versions_numbered(1)[0].name == "First cut"


def test_settings_and_state_go_back(first: Repository) -> None:
    """Values of settings and state are undone one action at a time, and survive a rebuild."""
    set_fields(first, {"settings": {"export.preset": "TikTok"}}, "Set preset", type_="config.set")
    set_fields(first, {"state": {"status": "Failed"}}, "Set status", type_="project.state")
    note_fields(first, {"state": {"progress_percent": 40.0}})
    first.rebuild_index()
    assert value_of(first.refs.settings()["export.preset"]) == "TikTok"
    undo(first)
    assert value_of(first.refs.state()["status"]) is None
    assert value_of(first.refs.state()["progress_percent"]) == 40.0
    undo(first)
    assert value_of(first.refs.settings()["export.preset"]) is None


def test_settings_of_two_machines_merge(first: Repository, tmp_path: Path) -> None:
    """Each machine writes its own file; the higher stamp of each key wins, in both folders alike."""
    import shutil

    set_fields(first, {"settings": {"a": 1, "b": 1}}, "Set", type_="config.set")
    copy = tmp_path / "copy"
    shutil.copytree(first.root, copy)
    with Repository.open(str(copy), author="Bo") as other:
        assert other.replica != first.replica
        set_fields(other, {"settings": {"a": 2}}, "Set a", type_="config.set")
        set_fields(first, {"settings": {"b": 3}}, "Set b", type_="config.set")
        for source, target in ((other, first), (first, other)):
            own = f".aura/refs/settings/{source.replica}.json"
            shutil.copy(f"{source.root}/{own}", f"{target.root}/{own}")
        values = {key: field.value for key, field in first.refs.settings().items()}
        assert values == {"a": 2, "b": 3} == {key: field.value for key, field in other.refs.settings().items()}


def test_one_action_is_undone_where_nothing_depends_on_it(first: Repository) -> None:
    """An older edit of another file goes back alone; one that a later edit builds on does not."""
    older = edit(first, "brief.json", "{}")
    edit(first, "plan.json", "{}")
    undo(first, older)
    assert read(first, "plan.json") == "{}"
    assert json.loads(read(first, "brief.json") or "")["topic"] == "Why the sea rises"
    redo(first, find_action(first, older.id))
    edit(first, "brief.json", '{"n": 1}')
    with pytest.raises(ActionBlocked, match=r"Edit brief\.json"):
        undo(first, find_action(first, older.id))
    with pytest.raises(InputError, match="is Applied, not Undone"):
        redo(first, find_action(first, older.id))


def test_a_commit_stands_in_the_way_of_older_commits(first: Repository) -> None:
    """The first of two commits cannot be taken back under the second."""
    write(Path(first.root), {"notes.txt": "x"})
    save(first, "Second")
    action = Queries(first.index).actions(ActionFilter(type="commit"))[-1]
    with pytest.raises(ActionBlocked):
        undo(first, action)


def test_expired_actions_are_passed_over(first: Repository) -> None:
    """An action whose time is over is Expired; undo goes to the one before it, and says so."""
    expired = edit(first, "brief.json", "{}", expires_at="2020-01-01T00:00:00.000000Z")
    at = "2026-11-23T00:00:00.000000Z"
    assert [a.id for a in Queries(first.index).actions(ActionFilter(status="Expired"), at=at)] == [expired.id]
    assert Queries(first.index).actions(at=at)[0].status == "Expired"
    assert expired.id not in [a.id for a in Queries(first.index).actions(ActionFilter(status="Applied"), at=at)]
    with pytest.raises(OperationExpired):
        undo(first, expired)
    done = undo(first)
    assert "First cut" in done.description
    assert done.passed_over == (f"{expired.description} can no longer be taken back: its time is over",)
    with pytest.raises(OperationExpired, match="its time is over"):
        undo(first)


def test_collected_actions_do_not_stand_in_the_way_of_older_ones(first: Repository) -> None:
    """Where what an action would bring back was collected, undo says so and goes to the one before it."""
    write(Path(first.root), {"notes.txt": "x"})
    second = save(first, "Second")
    write(Path(first.root), {"notes.txt": "y"})
    third = save(first, "Third")
    edit_version(first, third, name="Better")
    delete_version(first, second)
    execute_gc(first, plan_gc(first, grace_seconds=0))
    done = undo(first)
    assert "v3" in done.description
    assert Queries(first.index).versions_numbered(3)[0].name == "Third"
    assert len(done.passed_over) == 1
    assert "the content of v2 has been collected" in done.passed_over[0]
    assert read(first, "notes.txt") == "y"
    redo(first)
    assert Queries(first.index).versions_numbered(3)[0].name == "Better"
    deletion = Queries(first.index).actions(ActionFilter(type="version.delete"))[0]
    with pytest.raises(OperationExpired):
        undo(first, deletion)


def test_where_everything_was_collected_undo_says_why(first: Repository) -> None:
    """With nothing older, the first reason is the answer, not "nothing to undo"."""
    write(Path(first.root), {"notes.txt": "x"})
    edit(first, "brief.json", "{}")
    undo(first)
    undo(first)
    edit(first, "brief.json", '{"n": 1}')
    execute_gc(first, plan_gc(first, grace_seconds=0))
    with pytest.raises(OperationExpired, match=r"Edit brief\.json"):
        undo(first)


def test_undo_never_goes_onto_a_version_without_content(first: Repository) -> None:
    """A commit on a version that was deleted and collected stays: there is nothing to go back to."""
    write(Path(first.root), {"notes.txt": "x"})
    heavy = save(first, "Heavy")
    write(Path(first.root), {"notes.txt": "y"})
    light = save(first, "Light")
    delete_version(first, heavy)
    execute_gc(first, plan_gc(first, grace_seconds=0))
    with pytest.raises(OperationExpired, match="the content of v2"):
        undo(first)
    with pytest.raises(OperationExpired, match="the content of v2"):
        undo(first, Queries(first.index).actions(ActionFilter(type="commit"))[0])
    assert first.head().version == light.id
