"""Moments as people say them: "2 hours ago", "2d", "yesterday", "monday", "last week", "3 pm", a date."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from aura_vcs.errors import InputError
from aura_vcs.plain_text import format_time

Edge = Literal["start", "end"]

_AGO = r"(?P<count>\d+|an?)\s*(?P<unit>[a-z]+)(\s+ago)?"
_UNITS = {
    "second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2592000, "year": 31536000,
}  # fmt: skip
_SHORT = {
    "s": "second", "sec": "second", "min": "minute", "m": "minute", "h": "hour", "hr": "hour", "d": "day",
    "w": "week", "mo": "month", "y": "year",
}  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORTEST_DAY = 3
_WORDS = r"(?P<which>last|this)\s+(?P<what>[a-z]+)"
_DATE = r"\d{4}-?\d{2}-?\d{2}"
_CLOCK = (
    r"(?:(?P<day>\S+(?:\s[a-z]+)?)\s)?"
    r"(?:(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?\s?(?P<half>am|pm)?|(?P<word>noon|midnight))"
)
SHOWN_CHARACTERS = 200
"""So much of what cannot be a time is repeated."""
HINT = "Try '2 hours ago', '2d', 'yesterday', 'monday', 'last week', '3 pm' or '2026-11-23 14:30'."


def parse_moment(text: str, edge: Edge | None = None) -> str:
    """Return the moment that a person names, as records have it.

    What names a day, a week, a month or a year is its `edge`: "start" for what is not older, "end" for what is
    not newer. Without an edge, "today" is now, "yesterday" is 24 hours ago, and other stretches are their start.
    Days are those of this machine's clock; a weekday is the last one there was, today's included; a week begins
    on Monday. A time of the day is that of the day named with it, or else the last one there was.

    Raises:
        InputError: it names none.
    """
    present = datetime.now().astimezone()
    words = " ".join(text.strip().lower().split())
    try:
        if words == "now" or (edge is None and words == "today"):
            return _written(present)
        if edge is None and words == "yesterday":
            return _written(present - timedelta(days=1))
        if (stretch := _stretch(words, present.date())) is not None:
            return _edge(*stretch, edge)
        if (moment := _of_the_clock(words, present)) is not None:
            return _written(moment)
        if (match := re.fullmatch(_AGO, words)) and (seconds := _seconds(match["unit"])):
            count = 1 if match["count"].startswith("a") else int(match["count"])
            return _written(present - timedelta(seconds=count * seconds))
    except (OverflowError, ValueError) as error:
        raise InputError(f"{text[:SHOWN_CHARACTERS]!r} is too long ago") from error
    try:
        return _written(datetime.fromisoformat(text.strip()).astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise InputError(f"{text[:SHOWN_CHARACTERS]!r} is not a time", hint=HINT) from error


def _stretch(words: str, today: date) -> tuple[date, date] | None:
    """Parse words to the first day that they name and the first day after it; None for other words."""
    if words in {"today", "yesterday"}:
        day = today - timedelta(days=words == "yesterday")
        return day, day + timedelta(days=1)
    if re.fullmatch(_DATE, words):
        with suppress(ValueError):  # it looks like one, and the calendar has none
            day = date.fromisoformat(words)
            return day, day + timedelta(days=1)
    match = re.fullmatch(_WORDS, words)
    which, what = (match["which"], match["what"]) if match else ("", words)
    weekday = _weekday(what)
    if weekday is not None and which != "this":
        back = (today.weekday() - weekday) % 7
        day = today - timedelta(days=back or 7 * (which == "last"))
        return day, day + timedelta(days=1)
    if not which:
        return None
    return _period(what, today, back=which == "last")


def _of_the_clock(words: str, present: datetime) -> datetime | None:
    """Parse a time of the day, alone or after a day; None for other words, and for "3", which could be anything."""
    match = re.fullmatch(_CLOCK, re.sub(r"(^|\s)at\s", r"\1", words))
    if match is None or not (match["minute"] or match["half"] or match["word"]):
        return None
    hour, minute = int(match["hour"] or 12 * (match["word"] == "noon")), int(match["minute"] or 0)
    if hour > (12 if match["half"] else 23) or minute > 59 or (match["half"] and not hour):
        return None
    clock = time(hour % 12 + 12 * (match["half"] == "pm") if match["half"] else hour, minute)
    if not match["day"]:
        moment = datetime.combine(present.date(), clock).astimezone()
        return moment if moment <= present else datetime.combine(present.date() - timedelta(days=1), clock).astimezone()
    stretch = _stretch(match["day"], present.date())
    if stretch is None or stretch[1] - stretch[0] != timedelta(days=1):
        return None
    return datetime.combine(stretch[0], clock).astimezone()


def _period(what: str, today: date, *, back: bool) -> tuple[date, date] | None:
    """Return the bounds of this week, month or year, or of the one before it; None for other words."""
    if what == "week":
        monday = today - timedelta(days=today.weekday() + 7 * back)
        return monday, monday + timedelta(days=7)
    if what == "month":
        first = today.replace(day=1)
        before = (first - timedelta(days=1)).replace(day=1)
        return (before, first) if back else (first, (first + timedelta(days=32)).replace(day=1))
    if what == "year":
        return date(today.year - back, 1, 1), date(today.year - back + 1, 1, 1)
    return None


def _weekday(word: str) -> int | None:
    found = [at for at, name in enumerate(_WEEKDAYS) if len(word) >= _SHORTEST_DAY and name.startswith(word)]
    return found[0] if len(found) == 1 else None


def _seconds(unit: str) -> int:
    """Return the seconds of a unit, in full, with an s or short; 0 for what is none."""
    word = _SHORT.get(unit) or unit.removesuffix("s")
    return _UNITS.get(_SHORT.get(word, word), 0)


def _edge(first: date, after: date, edge: Edge | None) -> str:
    """Return the first or last moment of a stretch of days, by this machine's clock."""
    day = after if edge == "end" else first
    moment = datetime.combine(day, time()).astimezone()
    return _written(moment - timedelta(microseconds=1) if edge == "end" else moment)


def _written(moment: datetime) -> str:
    return format_time(moment.astimezone(UTC))
