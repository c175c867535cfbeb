"""What stands in rows for times and for closed parts of logs: a number, and the very text comes back."""

from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.index.queries import VersionFilter
from aura_vcs.index.records import ActionFilter
from aura_vcs.index.rows import earliest_key, segment_key, segment_of_key, time_key, time_of_key

from tests.helpers.project import save, write

AS_RECORDS_HAVE_IT = (
    "1970-01-01T00:00:00.000000Z", "1969-12-31T23:59:59.999999Z", "2026-11-23T09:30:00.000001Z",
    "2026-02-28T23:59:59.999999Z", "2262-04-11T23:47:16.854776Z", "9999-12-31T23:59:59.999999Z",
)  # fmt: skip
OTHERWISE = (
    "", "yesterday", "2026-11-23", "2026-11-23T09:30:00Z", "2026-11-23T09:30:00.000001+00:00",
    "2026-11-23 09:30:00.000001Z", "2026-11-23t09:30:00.000001z", "2026-W48-1T09:30:00.000001Z",
    "0001-01-01T00:00:00.000000+14:00", "2026-11-23T09:30:00.0000011Z", "123456",
)  # fmt: skip


@pytest.mark.parametrize("time", AS_RECORDS_HAVE_IT)
def test_a_time_is_a_number(time: str) -> None:
    """Every time as records have it is a number in rows, and the same text afterwards."""
    assert isinstance(time_key(time), int)
    assert time_of_key(time_key(time)) == time


@pytest.mark.parametrize("time", OTHERWISE)
def test_a_time_that_is_written_otherwise_stays_as_it_is(time: str) -> None:
    """No other text turns into a number: what comes back is what was recorded."""
    assert time_key(time) == time
    assert time_of_key(time) == time


def test_numbers_have_the_order_of_times() -> None:
    """Text order is time order, and so is that of the numbers."""
    keys = [key for key in map(time_key, sorted(AS_RECORDS_HAVE_IT)) if isinstance(key, int)]
    assert keys == sorted(keys)
    assert len(keys) == len(AS_RECORDS_HAVE_IT)


@pytest.mark.parametrize(
    ("begins", "moment"),
    [
        ("2026", "2026-01-01T00:00:00.000000Z"),
        ("2026-11", "2026-11-01T00:00:00.000000Z"),
        ("2026-11-23", "2026-11-23T00:00:00.000000Z"),
        ("2026-11-23T09:30:00.000001Z", "2026-11-23T09:30:00.000001Z"),
    ],
)
def test_the_beginning_of_a_time_is_its_earliest_moment(begins: str, moment: str) -> None:
    """As it was where times were compared as text."""
    assert earliest_key(begins) == time_key(moment)


@pytest.mark.parametrize("name", ["1e15b92780b4.1.zst", "1e15b92780b4.675.zst"])
def test_an_own_closed_part_is_a_number(name: str) -> None:
    """The number of its first operation says all of its name."""
    assert isinstance(segment_key("1e15b92780b4", name), int)
    assert segment_of_key("1e15b92780b4", segment_key("1e15b92780b4", name)) == name


@pytest.mark.parametrize(
    "name", [None, "other.1.zst", "1e15b92780b4.01.zst", "1e15b92780b4.1.zst (1)", "1e15b92780b4.٣.zst", ".zst"]
)
def test_any_other_name_stays_as_it_is(name: str | None) -> None:
    """A copy that a sync tool made, or the closed part of another log."""
    assert segment_key("1e15b92780b4", name) == name
    assert segment_of_key("1e15b92780b4", name) == name


def test_versions_and_operations_are_found_by_time(first: Repository) -> None:
    """Both ends of a stretch of time are inside; records have the times as text."""
    write(Path(first.root), {"notes.txt": "more"})
    save(first, "Second")
    queries = first.queries
    second, one = queries.all_versions(VersionFilter())
    assert second.created_at > one.created_at
    assert queries.all_versions(VersionFilter(since=second.created_at)) == [second]
    assert queries.all_versions(VersionFilter(until=one.created_at)) == [one]
    newest, *others = queries.actions()
    assert queries.actions(ActionFilter(since=newest.time)) == [newest]
    assert queries.actions(ActionFilter(until=others[0].time)) == others
    types = first.index.database.connection.execute(
        "SELECT DISTINCT typeof(created_at) FROM versions UNION ALL SELECT DISTINCT typeof(time) FROM actions"
    )
    assert types.fetchall() == [("integer",), ("integer",)]
