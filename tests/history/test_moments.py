"""Moments as people say them."""

from datetime import UTC, datetime, timedelta

import pytest
from aura_vcs.errors import InputError
from aura_vcs.history.names.moments import parse_moment
from aura_vcs.plain_text import parse_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2 hours ago", 7200), ("2d", 172_800), ("2 d", 172_800), ("90m", 5400), ("an hour ago", 3600),
        ("3w", 1_814_400), ("yesterday", 86_400), ("now", 0), ("today", 0),
    ],
)  # fmt: skip
def test_a_while_ago(text: str, seconds: int) -> None:
    """A number with a unit, in full or short; without an edge, yesterday is a day ago."""
    apart = datetime.now(UTC) - parse_time(parse_moment(text))
    assert abs(apart.total_seconds() - seconds) < 5


@pytest.mark.parametrize("text", ["today", "yesterday", "monday", "fri", "last monday", "last week", "this week",
                                  "last month", "this month", "last year"])  # fmt: skip
def test_what_names_days_has_a_start_and_an_end(text: str) -> None:
    """The first moment for what is not older, the last one for what is not newer, by this machine's clock."""
    start, end = (parse_time(parse_moment(text, edge)).astimezone() for edge in ("start", "end"))
    assert (start.hour, start.minute, start.second, start.microsecond) == (0, 0, 0, 0)
    after = end + timedelta(microseconds=1)
    assert (after.hour, after.minute, after.second, after.microsecond) == (0, 0, 0, 0)
    assert start < after
    assert start <= datetime.now().astimezone()
    if "mon" in text and "month" not in text:
        assert start.weekday() == 0
    if text == "last monday":
        assert start.date() < datetime.now().astimezone().date()


def test_a_date_includes_its_day() -> None:
    """`--until 2026-11-23` is all of that day; with an hour it is that moment."""
    start, end = (parse_time(parse_moment("2026-11-23", edge)) for edge in ("start", "end"))
    assert end - start == timedelta(days=1) - timedelta(microseconds=1)
    assert parse_moment("2026-11-23 14:30", "end") == parse_moment("2026-11-23 14:30", "start")


@pytest.mark.parametrize(
    ("text", "days", "clock"),
    [
        ("yesterday 15:00", 1, "15:00"), ("yesterday at 3 pm", 1, "15:00"), ("today 0:00", 0, "00:00"),
        ("yesterday noon", 1, "12:00"), ("yesterday 12 am", 1, "00:00"), ("yesterday 12:30pm", 1, "12:30"),
    ],
)  # fmt: skip
def test_a_time_of_a_day(text: str, days: int, clock: str) -> None:
    """By this machine's clock, in the words of either half of the world; the same from both edges."""
    found = parse_time(parse_moment(text, "end")).astimezone()
    assert parse_moment(text, "start") == parse_moment(text, "end") == parse_moment(text)
    assert (found.date(), f"{found:%H:%M}") == (datetime.now().astimezone().date() - timedelta(days=days), clock)


@pytest.mark.parametrize("text", ["3 pm", "3pm", "15:00", "at 15:00", "noon", "midnight"])
def test_a_time_of_the_day_alone_is_the_last_one(text: str) -> None:
    """Nothing is asked for that lies ahead."""
    past = datetime.now(UTC) - parse_time(parse_moment(text))
    assert timedelta(0) <= past <= timedelta(hours=25)


@pytest.mark.parametrize("text", ["13 pm", "0 am", "25:00", "12:60", "last week 3pm", "3", "2026-13-23 14:30"])
def test_no_time_of_the_day(text: str) -> None:
    """A week has no hour, and "3" could be anything."""
    with pytest.raises(InputError, match="is not a time"):
        parse_moment(text)


@pytest.mark.parametrize("text", ["soon", "m", "2 moons", "last", "last moon", "t", "2026-13-01", "", "9" * 5000 + "d"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """With words that would do."""
    with pytest.raises(InputError, match=r"is not a time|is too long ago"):
        parse_moment(text)
