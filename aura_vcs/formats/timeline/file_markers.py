"""Markers of an editor's project as values: what a reader finds, what is written into a copy.

Editors keep what a marker says and lose what they do not know, so the note that it was made from stands at the end of
its words: `logo too big [aura 427a7bba]`.
"""

import re
from fractions import Fraction

from msgspec import Struct

TAG_DIGITS = 12
_TAG = re.compile(r"\s*\[aura ([0-9a-f]{8,32})\]\s*\Z", re.ASCII)
_FRACTION = re.compile(r"(-?\d{1,15})(?:/(\d{1,12}))?s?", re.ASCII)
_DECIMAL = re.compile(r"(-?\d{1,12}\.\d{1,9})s?", re.ASCII)


class FileMarker(Struct, frozen=True):
    """A marker: seconds from the beginning of the timeline, or of `media` where that is named.

    `note` is how the id of the note begins that it was made from. `is_resolved` is for editors with tasks.
    """

    text: str
    start: Fraction
    end: Fraction | None = None
    color: str = ""
    note: str = ""
    media: str = ""
    is_resolved: bool = False


def tagged(text: str, note: str) -> str:
    """Return a text with the note that it is of."""
    return f"{text} [aura {note[:TAG_DIGITS]}]" if note else text


def untagged(text: str) -> tuple[str, str]:
    """Split a text into what was said and the note that it is of, if any."""
    match = _TAG.search(text[-200:])
    return (text[: -len(match[0])], match[1]) if match is not None else (text, "")


def combined(name: str, comment: str) -> tuple[str, str]:
    """Put the two texts of a marker together, none of them twice; return also the note that it is of."""
    name, of_name = untagged(name.strip())
    comment, of_comment = untagged(comment.strip())
    text = comment if comment.startswith(name) else "\n".join(part for part in (name, comment) if part)
    return text, of_comment or of_name


def read_seconds(value: str) -> Fraction | None:
    """Read seconds as FCPXML writes them (`1001/24000s`), exactly; None for anything else."""
    if (match := _FRACTION.fullmatch(value.strip())) is not None and match[2] != "0":
        return Fraction(int(match[1]), int(match[2] or 1))
    match = _DECIMAL.fullmatch(value.strip())
    return Fraction(match[1]) if match is not None else None


def on_frame(seconds: Fraction, rate: tuple[int, int]) -> Fraction:
    """Return the moment of the nearest frame; the same where there is no rate."""
    number, below = rate
    return Fraction(round(seconds * number / below) * below, number) if number and below else seconds
