"""What was done to the studio is listed, taken back and done again; a crash leaves the old state or the new."""

import itertools
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aura_vcs import Repository, undo_stack
from aura_vcs.errors import AuraError
from aura_vcs.errors.input import NothingToUndo
from aura_vcs.errors.studio import EditedSince
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.index.records import ActionFilter
from aura_vcs.storage.testing.faulty_calls import CountingCalls, Fault, FaultyCalls, Stopped
from aura_vcs.studio import action_log as actions, setup
from aura_vcs.studio.action_log import read_actions
from aura_vcs.studio.configuration import (
    SettingRequest,
    get_configuration,
    secret_value,
    set_configuration,
    unset_configuration,
)
from aura_vcs.studio.projects import (
    ProjectFilter,
    add_project,
    find_project,
    forget_project,
    list_projects,
    scan_folder,
)
from aura_vcs.studio.setup import STEPS, answer, setup_state
from aura_vcs.studio.studio import Studio
from aura_vcs.studio.templates import (
    count_use,
    delete_template,
    edit_template,
    export_template,
    find_template,
    import_template,
    list_templates,
    new_from_project,
    rate_template,
    undelete_template,
)
from aura_vcs.studio.undo import list_actions, redo_studio, undo_studio

from .conftest import FIXTURE

PRESET, KEEP = "export.preset", "retention.keep_autosaves"


def value(studio: Studio, key: str) -> Any:
    """What a key is set to."""
    return get_configuration(studio, key).value


def project(path: Path, title: str) -> str:
    """A project with a title."""
    path.mkdir(parents=True)
    (path / "project.json").write_text(json.dumps({"title": title}))
    Repository.init(str(path)).close()
    return str(path)


def own_template(studio: Studio) -> None:
    """A template of the person's."""
    new_from_project(studio, FolderSource(FIXTURE), "Planets")


def seen(studio: Studio) -> Any:
    """All that a person sees of the studio, without dates."""
    return (
        [(t.name, t.category, t.rating, t.deleted_at is None) for d in (False, True) for t in own(studio, deleted=d)],
        [(e.path, e.facts.title) for e in list_projects(studio, ProjectFilter())],
        [value(studio, key) for key in (PRESET, KEEP, "identity.name")],
        setup_state(studio).wizard_state,
    )


def own(studio: Studio, *, deleted: bool = False) -> Iterator[Any]:
    """Templates that can be told apart from those that ship."""
    return (t for t in list_templates(studio, deleted=deleted) if not t.is_system_template or t.rating_count)


STEPS_OF_A_DAY: dict[str, Callable[[Studio, Path], object]] = {
    "config set": lambda studio, _: set_configuration(studio, PRESET, "TikTok"),
    "config unset": lambda studio, _: unset_configuration(studio, KEEP),
    "template new": lambda studio, _: new_from_project(studio, FolderSource(FIXTURE), "Moons"),
    "template edit": lambda studio, _: edit_template(studio, find_template(studio, "Planets"), {"category": "Sky"}),
    "template delete": lambda studio, _: delete_template(studio, find_template(studio, "Planets")),
    "template undelete": lambda studio, _: undelete_template(studio, find_template(studio, "Old", deleted=True)),
    "template rate": lambda studio, _: rate_template(studio, find_template(studio, "explainer"), 5),
    "template import": lambda studio, _: import_template(
        studio, export_template(find_template(studio, "Planets")), "f", name="Copy"
    ),
    "projects add": lambda studio, path: add_project(studio, str(path / "new")),
    "projects scan": lambda studio, path: scan_folder(studio, str(path / "many")),
    "projects forget": lambda studio, path: forget_project(studio, find_project(studio, str(path / "known"))),
    "setup answer": lambda studio, _: answer(studio, STEPS[0], "Ada"),
    "setup again": lambda studio, _: setup.start_over(studio),
}


@pytest.fixture
def day(studio: Studio, tmp_path: Path) -> Studio:
    """A studio in use: a setting, two templates of which one is deleted, a project on the list and some beside it."""
    set_configuration(studio, KEEP, "20")
    own_template(studio)
    delete_template(studio, new_from_project(studio, FolderSource(FIXTURE), "Old"))
    answer(studio, STEPS[3], "Pro")
    add_project(studio, project(tmp_path / "known", "Known"))
    project(tmp_path / "new", "New")
    for name in ("one", "two"):
        project(tmp_path / "many" / name, name.title())
    return studio


@pytest.mark.parametrize("name", list(STEPS_OF_A_DAY))
def test_everything_can_be_taken_back_and_done_again(day: Studio, tmp_path: Path, name: str) -> None:
    """Also by another process later; undo leaves what was there before the action, redo what was there after."""
    before = seen(day)
    STEPS_OF_A_DAY[name](day, tmp_path)
    after = seen(day)
    assert after != before
    with Studio(day.folder.path, user="mira") as later:
        undo_studio(later)
        assert seen(later) == before
        redo_studio(later)
        assert seen(later) == after
        undo_studio(later)
        assert seen(later) == before


def test_actions_are_taken_back_one_after_the_other(studio: Studio) -> None:
    """To the beginning, and forward again; something new ends the way forward."""
    for word in ("TikTok", "Twitter"):
        set_configuration(studio, PRESET, word)
        set_configuration(studio, KEEP, "7")
        unset_configuration(studio, KEEP)
    for expected in ("Unset", "Set", "Set", "Unset", "Set", "Set"):
        assert undo_studio(studio).description.startswith(expected)
    assert value(studio, PRESET) == "project"
    with pytest.raises(NothingToUndo, match="in the studio"):
        undo_studio(studio)
    for _ in range(4):
        redo_studio(studio)
    assert value(studio, PRESET) == "Twitter"
    set_configuration(studio, PRESET, "LinkedIn")
    with pytest.raises(NothingToUndo):
        redo_studio(studio)
    assert [item.status for item in list_actions(studio, ActionFilter(status="Undone"))] == ["Undone"] * 2


def test_rapid_edits_of_one_thing_are_one_undo(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same key within a minute; not another key, and not later."""
    for number in (1, 2, 3):
        set_configuration(studio, KEEP, str(number))
    assert len(undo_studio(studio).actions) == 3
    assert value(studio, KEEP) == 10
    redo_studio(studio)
    assert value(studio, KEEP) == 3
    undo_studio(studio)
    monkeypatch.setattr(undo_stack, "BATCH_SECONDS", 0.0)
    for number in (1, 2):
        set_configuration(studio, KEEP, str(number))
    undo_studio(studio)
    assert value(studio, KEEP) == 1


def test_an_answer_of_the_wizard_is_taken_back_whole(studio: Studio) -> None:
    """With the setting that it made."""
    answer(studio, STEPS[0], "Ada")
    assert len({action.correlation_id for action in read_actions(studio.folder)}) == 1
    undo_studio(studio)
    assert setup_state(studio).wizard_state == {}
    assert value(studio, "identity.name") is None


def test_secrets_are_not_in_the_log_and_are_passed_over(studio: Studio) -> None:
    """Neither in clear nor sealed; what was done before can still be taken back."""
    set_configuration(studio, PRESET, "TikTok")
    for word in ("first-secret", "second-secret"):
        set_configuration(studio, "llm.api_key", word, request=SettingRequest(find_keyring=lambda: None))
    log = (Path(studio.folder.path) / "actions.jsonl").read_text()
    assert "secret" not in log.replace("secrets", "")
    assert "aes-gcm" not in log
    done = undo_studio(studio)
    assert (done.description, len(done.passed_over)) == (f"Set {PRESET}", 2)
    assert secret_value(studio, "llm.api_key") == "second-secret"


def test_what_was_edited_by_hand_since_is_left_alone(studio: Studio) -> None:
    """Undo says so instead of losing the edit."""
    set_configuration(studio, PRESET, "TikTok")
    path = Path(studio.folder.path) / "config.json"
    path.write_text(path.read_text().replace("TikTok", "Twitter"))
    with pytest.raises(EditedSince, match="edited since"):
        undo_studio(studio)
    assert value(studio, PRESET) == "Twitter"


def test_uses_counted_since_are_kept(studio: Studio) -> None:
    """Taking a rating back leaves the count of uses."""
    template = find_template(studio, "explainer")
    rate_template(studio, template, 4)
    count_use(studio, template)
    undo_studio(studio)
    found = find_template(studio, "explainer")
    assert (found.rating_count, found.usage_count) == (0, 1)


def test_a_project_that_was_noticed_is_no_action(studio: Studio, tmp_path: Path) -> None:
    """A commit lists its project; nobody asked for that, so undo does not come to it."""
    add_project(studio, project(tmp_path / "p", "Film"), noticed=True)
    assert len(list_projects(studio)) == 1
    assert list_actions(studio) == []


def test_expiry(studio: Studio) -> None:
    """As configured when it was done."""
    set_configuration(studio, "actions.expire_days", "1e-12")
    set_configuration(studio, PRESET, "TikTok")
    set_configuration(studio, "actions.expire_days", "0")
    assert [item.status for item in list_actions(studio)] == ["Expired", "Expired", "Applied"]


def test_the_log_does_not_grow_for_ever(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest half goes; what is left can be taken back."""
    monkeypatch.setattr(actions, "LOG_BYTES", 20_000)
    for number in range(60):
        set_configuration(studio, KEEP if number % 2 else PRESET, "5" if number % 2 else f"Preset {number}")
    path = Path(studio.folder.path) / "actions.jsonl"
    assert path.stat().st_size < 25_000
    assert path.stat().st_mode & 0o077 == 0
    kept = len(read_actions(studio.folder))
    for _ in range(kept - 1):
        with suppress(NothingToUndo):
            undo_studio(studio)


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"nonsense", b'{"id": "x"}', b'{"file": "../../x"}', b"\xff\xfe", b"[" * 10_000],
    ids=["empty", "cut", "words", "lacking", "other", "no text", "deep"],
)
def test_lines_that_cannot_be_believed_are_passed_over(studio: Studio, line: bytes) -> None:
    """Torn, damaged or made up: the rest is still there."""
    set_configuration(studio, PRESET, "TikTok")
    path = Path(studio.folder.path) / "actions.jsonl"
    path.write_bytes(line + b"\n" + path.read_bytes() + line)
    assert [item.action.description for item in list_actions(studio)] == [f"Set {PRESET}"]
    set_configuration(studio, KEEP, "3")
    assert len(list_actions(studio)) == 2
    undo_studio(studio)
    undo_studio(studio)
    assert value(studio, PRESET) == "project"


@pytest.mark.parametrize("damage", [lambda line: b"?" + line[1:], lambda line: b""])
def test_a_damaged_last_line_does_not_redo_the_one_before(studio: Studio, damage: Callable[[bytes], bytes]) -> None:
    before = value(studio, PRESET)
    set_configuration(studio, PRESET, "archive")
    undo_studio(studio)
    log = Path(studio.folder.path) / "actions.jsonl"
    *others, last = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(others) + damage(last))
    set_configuration(studio, KEEP, "7")
    assert value(studio, PRESET) == before


def test_a_line_cannot_lead_outside(studio: Studio, tmp_path: Path) -> None:
    """A well-made line with another file's name is none of ours."""
    set_configuration(studio, PRESET, "TikTok")
    (action,) = read_actions(studio.folder)
    for name in ("../outside.json", "secret.key", "projects/../../x.json", "/etc/x.json", "templates/.json"):
        change = actions.ValueChange(name, (), None, {"a": 1})
        evil = actions.StudioAction("e", "config.set", "Evil", "m", action.time, (change,)).checked()
        with (Path(studio.folder.path) / "actions.jsonl").open("ab") as file:
            file.write(actions.encode_compact(evil) + b"\n")
    assert [item.action.description for item in list_actions(studio)] == [f"Set {PRESET}"]
    assert undo_studio(studio).description == f"Set {PRESET}"
    assert not (tmp_path / "outside.json").exists()


@pytest.mark.parametrize("fault", [Fault.STOP, Fault.BROKEN, Fault.FULL])
@pytest.mark.parametrize("verb", ["act", "undo"])
def test_a_crash_leaves_the_old_state_or_the_new(tmp_path: Path, fault: Fault, verb: str) -> None:
    """At every call that changes the disk; the next action finishes what was begun, and undo then works."""

    def run(studio: Studio) -> None:
        if verb == "undo":
            undo_studio(studio)
        else:
            edit_template(studio, find_template(studio, "Planets"), {"category": "Sky"})

    def prepared(name: str) -> Studio:
        studio = Studio(str(tmp_path / name), user="mira")
        own_template(studio)
        if verb == "undo":
            edit_template(studio, find_template(studio, "Planets"), {"category": "Sky"})
        return studio

    counted = CountingCalls()
    with prepared("counted") as studio:
        studio.folder.storage.calls = counted
        run(studio)
    for at in range(1, len(counted.names) + 1):
        with prepared(f"{at}") as studio:
            studio.folder.storage.calls = FaultyCalls(fault, at)
            with suppress(AuraError, Stopped):
                run(studio)
        with Studio(str(tmp_path / f"{at}"), user="mira") as studio:
            set_configuration(studio, PRESET, "TikTok")  # whatever comes next finishes it
            category = find_template(studio, "Planets").category
            done = [a for a in read_actions(studio.folder) if a.type == "template.edit" or a.undoes]
            expected = ("Sky", "Education")[len(done) - 1] if done else "Education"
            assert category == expected
            undo_studio(studio)
            assert value(studio, PRESET) == "project"


def _set_many(path: str, worker: int) -> None:
    with Studio(path, user=f"w{worker}") as studio:
        for number in range(10):
            set_configuration(studio, KEEP, str(worker * 100 + number))


def test_two_processes_lose_no_line(tmp_path: Path) -> None:
    """Every action of both is in the log, each beginning where the one before it ended."""
    path = str(tmp_path / "studio")
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_set_many, [path, path], [1, 2]))
    with Studio(path, user="mira") as studio:
        found = read_actions(studio.folder)
        assert len(found) == 20
        for earlier, later in itertools.pairwise(found):
            assert later.changes[0].before == earlier.changes[0].after
    assert sorted(os.listdir(path)) == ["actions.jsonl", "config.json", "done.json", "locks", "tmp"]
