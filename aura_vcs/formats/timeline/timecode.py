"""Frames and timecode: the times of editors in ticks, and ticks as an editor shows them."""

import re

from aura_vcs.formats.timeline.model import LONGEST, TICKS_PER_SECOND, Ticks

Rate = tuple[int, int]
"""Frames per second as a fraction: (30000, 1001)."""
UNKNOWN: Rate = (0, 1)
MAX_RATE = 1_000_000
_TIMECODE = r"(?a)(-)?(\d{1,4}):(\d{1,2}):(\d{1,2})[:;.,](\d{1,4})"
_RATIONAL = r"(?a)\s*(-?\d{1,30})(?:/(\d{1,30}))?\s*s?\s*"
_DECIMAL = r"(?a)-?\d{1,12}(?:\.\d{1,30})?s?"


def make_rate(number: object, denominator: object = 1) -> Rate:
    """Make a frame rate from what a file says, `UNKNOWN` where that is none."""
    from fractions import Fraction  # most timelines have no rate

    try:
        fraction = Fraction(str(number).strip()) / Fraction(str(denominator).strip())
    except (ValueError, ZeroDivisionError):
        return UNKNOWN
    if not 0 < fraction <= MAX_RATE:
        return UNKNOWN
    near = ntsc(float(fraction)) if fraction.denominator not in (1, 1001) else None
    return near or (fraction.numerator, fraction.denominator)


def ntsc(rate: float) -> Rate | None:
    """Return the rate over 1001 that a rounded decimal such as 29.97 means."""
    for base in (24, 30, 48, 60, 120):
        if abs(rate - base * 1000 / 1001) < 0.006:
            return base * 1000, 1001
    return None


def frames_to_ticks(frames: int, rate: Rate) -> Ticks:
    """Convert frames to ticks, rounded; of an unknown rate they count as a 25th of a second."""
    number, denominator = rate if rate[0] > 0 else (25, 1)
    return clamp((frames * denominator * TICKS_PER_SECOND * 2 + number) // (2 * number))


def ticks_to_frames(ticks: Ticks, rate: Rate) -> int:
    """Return the nearest frame."""
    number, denominator = rate if rate[0] > 0 else (25, 1)
    return (ticks * number * 2 + denominator * TICKS_PER_SECOND) // (2 * denominator * TICKS_PER_SECOND)


def clamp(ticks: int) -> Ticks:
    """Limit ticks to what is believed of a file."""
    return max(-LONGEST, min(LONGEST, ticks))


def read_rational_seconds(value: str) -> Ticks | None:
    """Read seconds as FCPXML writes them: `1001/24000s`, `10s`, `0.5s`."""
    match = re.fullmatch(_RATIONAL, value)
    if match is None:
        if re.fullmatch(_DECIMAL, value.strip()) is None:
            return None
        from fractions import Fraction

        return clamp(round(Fraction(value.strip().rstrip("s")) * TICKS_PER_SECOND))
    number, denominator = int(match.group(1)), int(match.group(2) or 1)
    if denominator == 0:
        return None
    ticks, rest = divmod(number * TICKS_PER_SECOND, denominator)  # to the nearest, of two alike to the even one
    return clamp(ticks + (2 * rest > denominator or (2 * rest == denominator and ticks % 2 == 1)))


def nominal(rate: Rate) -> int:
    """Return the frames that a second of timecode counts: 30 for 29.97."""
    return max(1, round(rate[0] / rate[1])) if rate[0] > 0 else 25


def read_timecode(text: str, rate: Rate) -> int | None:
    """Read the frames of a timecode `hh:mm:ss:ff`; `;` before the frames is drop-frame where the rate has that."""
    match = re.fullmatch(_TIMECODE, text.strip())
    if match is None:
        return None
    sign, *parts = match.groups()
    hours, minutes, seconds, frames = map(int, parts)
    if minutes > 59 or seconds > 59:
        return None
    per_second = nominal(rate)
    total = ((hours * 60 + minutes) * 60 + seconds) * per_second + frames
    if ";" in text and rate[1] == 1001 and per_second % 30 == 0:
        whole = hours * 60 + minutes
        total -= (per_second // 15) * (whole - whole // 10)
    return -total if sign else total


def format_timecode(frames: int, rate: Rate, *, is_drop_frame: bool = False) -> str:
    """Write `hh:mm:ss:ff`, with `;` before the frames in drop-frame."""
    per_second = nominal(rate)
    sign, rest = ("-" if frames < 0 else ""), abs(frames)
    separator = ":"
    if is_drop_frame and rate[1] == 1001 and per_second % 30 == 0:
        separator = ";"
        drop = per_second // 15
        per_ten = per_second * 600 - drop * 9
        tens, left = divmod(rest, per_ten)
        extra = (left - drop) // (per_second * 60 - drop) if left >= drop else 0
        rest += drop * 9 * tens + drop * max(0, extra)
    seconds, frame = divmod(rest, per_second)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{sign}{hours:02d}:{minute:02d}:{second:02d}{separator}{frame:02d}"


def timecode(ticks: Ticks, rate: Rate, *, is_drop_frame: bool = False) -> str:
    """Write a time on a timeline as its editor shows it."""
    return format_timecode(ticks_to_frames(ticks, rate), rate, is_drop_frame=is_drop_frame)
