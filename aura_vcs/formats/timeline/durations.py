"""Durations as documents spell them: seconds, or `hh:mm:ss.fffffff`."""

import math
import re
from typing import Any

MAX_SECONDS = 100 * 3600.0
"""Longer durations are mistakes (milliseconds taken for seconds), not films."""
EXPECTED = 'seconds from 0, or "hh:mm:ss" with up to seven decimals'

_CLOCK = re.compile(r"(?:(\d{1,3})\.)?(\d{1,3}):([0-5]\d):([0-5]\d)(?:\.(\d{1,7}))?", re.ASCII)


def parse_duration(value: Any) -> float | None:
    """Parse seconds, or return None if `value` is not a duration of 0 to `MAX_SECONDS`.

    Strings may begin with days (`1.02:00:00`), as .NET's TimeSpan writes them.
    """
    seconds: float | None = None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value) if abs(value) <= MAX_SECONDS else None
    elif isinstance(value, str):
        found = _CLOCK.fullmatch(value)
        if found:
            days, hours, minutes, whole, fraction = found.groups("0")
            seconds = int(days) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(f"{whole}.{fraction}")
    if seconds is None or not math.isfinite(seconds) or not 0 <= seconds <= MAX_SECONDS:
        return None
    return seconds


def format_duration(seconds: float) -> str:
    """Write seconds as `hh:mm:ss.fffffff`, rounded to a ten-millionth of a second."""
    ticks = round(seconds * 10_000_000)
    whole, fraction = divmod(ticks, 10_000_000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{fraction:07d}"


def same_spelling(seconds: float, model: Any) -> str | float:
    """Spell `seconds` as `model` is: a clock string where it is a string, else a number."""
    if isinstance(model, str):
        return format_duration(seconds)
    rounded = round(seconds, 7)
    return int(rounded) if isinstance(model, int) and rounded == int(rounded) else rounded
