"""Autosaves: nothing when nothing changed, one writer, and a schedule that waits for quiet."""

import threading
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.autosave import AutosaveSchedule, autosave
from aura_vcs.index.queries import Queries, VersionFilter
from aura_vcs.model import VersionType
from hypothesis import given, strategies as st

from tests.helpers.project import write


def count(repo: Repository) -> int:
    """How many autosaves there are."""
    return len(Queries(repo.index).all_versions(VersionFilter(types=(VersionType.AUTOSAVE,))))


def note(repo: Repository, text: str) -> None:
    """Change a file."""
    write(Path(repo.root), {"notes.txt": text})


def test_nothing_when_nothing_changed(first: Repository) -> None:
    """A folder as the last version, or as the last autosave, has it is not saved again."""
    assert autosave(first).version is None
    note(first, "one")
    made = autosave(first).version
    assert made is not None
    assert autosave(first).version is None
    note(first, "two")
    assert autosave(first).version is not None
    assert count(first) == 2


def test_an_autosave_moves_nothing(first: Repository) -> None:
    """The branch and HEAD stay, and the next commit has the last commit as its parent."""
    head = first.head()
    note(first, "one")
    made = autosave(first).version
    assert made is not None
    assert first.head() == head
    assert made.parents == (head.version,)


def test_one_writer_beside_another(first: Repository) -> None:
    """Of several autosaves of one change at once, exactly one makes a version."""
    note(first, "one")
    made: list[bool] = []

    def run() -> None:
        with Repository.open(first.root, author="watcher") as other:
            made.append(autosave(other).version is not None)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False, False, False, True]
    first.refresh()
    assert count(first) == 1


def test_five_minutes_after_the_first_change() -> None:
    """Nothing is due while nothing changed; then five minutes after the first change."""
    schedule = AutosaveSchedule()
    assert schedule.seconds_left(1000, None) is None
    schedule.changed(1000)
    schedule.changed(1100)
    assert schedule.seconds_left(1100, None) == 200
    assert schedule.seconds_left(1300, None) == 0
    schedule.saved()
    assert schedule.seconds_left(2000, None) is None


def test_two_minutes_after_any_version() -> None:
    """A commit a moment ago puts the autosave off."""
    schedule = AutosaveSchedule()
    schedule.changed(1000)
    assert schedule.seconds_left(1300, newest=1290) == 110
    assert schedule.seconds_left(1300, newest=99_999) == 0


def test_waits_for_quiet_and_not_for_ever() -> None:
    """While files are written it waits; a render that writes for a quarter of an hour is saved."""
    schedule = AutosaveSchedule()
    schedule.changed(1000)
    schedule.changed(1299)
    assert schedule.seconds_left(1300, None) == 1
    for second in range(1300, 1900):
        schedule.changed(second)
    assert schedule.seconds_left(1899.5, None) == 0.5
    assert schedule.seconds_left(1900, None) == 0


@given(st.lists(st.floats(0, 5000), min_size=1, max_size=30), st.floats(0, 5000))
def test_an_autosave_comes_in_time(changes: list[float], newest: float) -> None:
    """However files are written, an autosave is due at most three intervals and two minutes later."""
    schedule = AutosaveSchedule()
    for moment in sorted(changes):
        schedule.changed(moment)
    latest = max(min(changes) + 3 * 300, newest + 120, max(changes) + 2)
    assert schedule.seconds_left(latest, newest) == pytest.approx(0, abs=1e-6)
