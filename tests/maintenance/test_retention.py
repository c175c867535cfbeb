"""Retention: what stays, what goes, and the promises of the data model as properties."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from aura_vcs import Repository
from aura_vcs.errors import InputError
from aura_vcs.errors.input import PlanStale
from aura_vcs.history.autosave import autosave, restore_point
from aura_vcs.history.commit import commit
from aura_vcs.history.names.tags import create_tag
from aura_vcs.history.undo import undo
from aura_vcs.history.versions import edit_version
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.queries import Queries, VersionFilter
from aura_vcs.index.records import VersionRecord
from aura_vcs.maintenance.retention import RetentionRules, decide, execute_prune, plan_prune
from aura_vcs.model import VersionType
from aura_vcs.plain_text import format_time, parse_time
from hypothesis import given, settings, strategies as st

from tests.helpers.project import write

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TYPES = list(VersionType)


def version(number: int, kind: VersionType, age: timedelta, *, important: bool = False) -> VersionRecord:
    """A version of that age."""
    made, tree = format_time(AT - age), ObjectId("0" * 64)
    return VersionRecord(
        VersionId(ObjectId(f"{number:064x}")), number, kind, None, f"n{number}", "", "ada", made, (), tree,
        "main", important, None, None, None, None, None, 0, {}, None, None,
    )  # fmt: skip


HISTORIES = st.lists(
    st.tuples(st.sampled_from(TYPES), st.integers(-86_400, 90 * 86_400), st.booleans()), max_size=60
).map(
    lambda rows: [
        version(number + 1, kind, timedelta(seconds=age), important=marked and number % 5 == 0)
        for number, (kind, age, marked) in enumerate(rows)
    ]
)
RULES = st.builds(
    RetentionRules, st.integers(0, 15), st.integers(0, 20), st.integers(0, 60), st.integers(0, 30), st.integers(0, 10),
    st.integers(0, 6), st.integers(0, 4),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(HISTORIES, RULES)
def test_the_promises_hold(history: list[VersionRecord], rules: RetentionRules) -> None:
    """Commits and important versions always stay, so do the newest autosaves and young restore points."""
    decisions = {d.version.id: d for d in decide(history, rules, AT, {})}
    assert set(decisions) == {record.id for record in history}
    assert all(decision.reason for decision in decisions.values())
    for record in history:
        age = AT - parse_time(record.created_at)
        kept = decisions[record.id].keep
        if record.type is VersionType.MANUAL or record.important:
            assert kept
        elif record.type is VersionType.RESTORE_POINT:
            assert kept == (age <= timedelta(days=rules.restore_point_days))
        elif age <= timedelta(days=rules.autosave_days):
            assert kept
    autosaves = sorted(
        (r for r in history if r.type is VersionType.AUTOSAVE), key=lambda r: (r.created_at, r.number), reverse=True
    )
    assert all(decisions[record.id].keep for record in autosaves[: rules.keep_autosaves])


@settings(max_examples=80, deadline=None)
@given(HISTORIES, RULES)
def test_pruning_twice_is_pruning_once(history: list[VersionRecord], rules: RetentionRules) -> None:
    """What is left after a prune is left alone by the next one at the same moment."""
    left = [d.version for d in decide(history, rules, AT, {}) if d.keep]
    assert all(d.keep for d in decide(left, rules, AT, {}))


@settings(max_examples=80, deadline=None)
@given(HISTORIES, RULES)
def test_keeping_more_never_drops_more(history: list[VersionRecord], rules: RetentionRules) -> None:
    """A more generous rule keeps everything that the stricter one kept."""
    generous = msgspec.structs.replace(rules, keep_autosaves=rules.keep_autosaves + 3, keep_daily=rules.keep_daily + 2)
    kept = {d.version.id for d in decide(history, rules, AT, {}) if d.keep}
    assert kept <= {d.version.id for d in decide(history, generous, AT, {}) if d.keep}


def test_the_newest_ten_survive_not_the_oldest() -> None:
    """Of fifteen autosaves of a year ago the newest ten stay (a port sorted the other way round)."""
    history = [version(n, VersionType.AUTOSAVE, timedelta(days=400 - n)) for n in range(1, 16)]
    kept = sorted(d.version.number for d in decide(history, RetentionRules(), AT, {}) if d.keep)
    assert kept == list(range(6, 16))


def test_periods_keep_the_newest_of_each() -> None:
    """Of three days with four old autosaves each, `keep_daily` 2 keeps the last of the newest two days."""
    history = [
        version(day * 4 + part, VersionType.AUTOSAVE, timedelta(days=60 - day, hours=-part))
        for day in range(3)
        for part in range(4)
    ]
    decisions = decide(history, RetentionRules(keep_autosaves=0, keep_daily=2), AT, {})
    assert sorted(d.version.number for d in decisions if d.keep) == [7, 11]
    assert {d.reason for d in decisions if d.keep} == {"the newest autosave of its day"}


def test_restore_points_stay_thirty_days() -> None:
    """A restore point of 30 days stays, one of 31 days goes, with a reason."""
    history = [version(n, VersionType.RESTORE_POINT, timedelta(days=n)) for n in (29, 30, 31)]
    gone = [d for d in decide(history, RetentionRules(), AT, {}) if not d.keep]
    assert [(d.version.number, d.reason) for d in gone] == [(31, "a restore point older than 30 days")]


def note(repo: Repository, text: str) -> None:
    """Change a file."""
    write(Path(repo.root), {"notes.txt": text})


def autosaves(repo: Repository, count: int) -> list[VersionRecord]:
    """So many autosaves, oldest first."""
    made = []
    for number in range(count):
        note(repo, f"take {number}")
        saved = autosave(repo).version
        assert saved is not None
        made.append(saved)
    return made


def test_prune_is_what_was_planned_and_undo_brings_it_back(first: Repository) -> None:
    """Pruned autosaves are deleted as one operation; undo brings all of them back."""
    made = autosaves(first, 5)
    create_tag(first, "keep-me", made[0].id)
    edit_version(first, made[1], important=True)
    later = datetime.now(UTC) + timedelta(days=8)
    plan = plan_prune(first, RetentionRules(keep_autosaves=1), at=later)
    assert [d.version.number for d in plan.to_delete] == [made[3].number, made[2].number]
    assert execute_prune(first, plan) == 2
    live = {record.id for record in Queries(first.index).all_versions(VersionFilter())}
    assert {record.id in live for record in (made[0], made[1], made[4])} == {True}
    assert not {made[2].id, made[3].id} & live
    assert undo(first).description == "Pruned 2 versions"
    assert len(Queries(first.index).all_versions(VersionFilter())) == 6


def test_pruning_by_itself_does_not_stand_in_the_way_of_undo(first: Repository) -> None:
    """After an automatic prune, undo takes back what the person did."""
    autosaves(first, 3)
    plan = plan_prune(first, RetentionRules(keep_autosaves=0), at=datetime.now(UTC) + timedelta(days=9))
    assert execute_prune(first, plan, by_itself=True) == 3
    assert "First cut" in undo(first).description


def test_a_stale_plan_deletes_nothing(first: Repository) -> None:
    """A version that became important after the plan was shown stops the whole prune."""
    made = autosaves(first, 2)
    plan = plan_prune(first, RetentionRules(keep_autosaves=0), at=datetime.now(UTC) + timedelta(days=9))
    edit_version(first, made[0], important=True)
    with pytest.raises(PlanStale):
        execute_prune(first, plan)
    assert len(Queries(first.index).all_versions(VersionFilter())) == 3


def test_numbers_are_never_used_again(first: Repository) -> None:
    """A number that a pruned version had is not given out again."""
    made = autosaves(first, 2)
    execute_prune(first, plan_prune(first, RetentionRules(keep_autosaves=0), at=datetime.now(UTC) + timedelta(days=9)))
    note(first, "final")
    done = commit(first, "Final").version
    assert done is not None
    assert done.number == made[-1].number + 1


def test_restore_points_and_negative_rules(first: Repository) -> None:
    """A restore point of a trigger is kept with it; a negative rule is refused."""
    made = restore_point(first, "PreScriptRegeneration").version
    assert made is not None
    assert (made.trigger, made.type) == ("PreScriptRegeneration", VersionType.RESTORE_POINT)
    assert restore_point(first, "PreScriptRegeneration").version is not None
    with pytest.raises(InputError):
        restore_point(first, "two words")
    with pytest.raises(InputError):
        RetentionRules(keep_autosaves=-1)
