"""Merging subtitles, whose cues are counted: a cue put in on each side must not be a conflict of numbers."""

import re

from aura_vcs.compare.merge.model import MergedText
from aura_vcs.compare.merge.text import merge_text
from aura_vcs.formats.text import split_lines

CUE_ENDINGS = ("srt", "vtt")
_CLOCK = r"(?:(\d{1,3}):)?([0-5]?\d):([0-5]?\d)[,.](\d{1,3})"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s.*)?", re.ASCII | re.DOTALL)
_NUMBER = re.compile(r"\ufeff?\s*(\d{1,9})\s*", re.ASCII)


def merge_cues(base: bytes, ours: bytes, theirs: bytes) -> MergedText | None:
    """Merge subtitles whose cues count up in all three versions; None where that is not so, or leaves a question.

    The numbers are left out while merging and given anew.
    """
    bare = []
    for data in (base, ours, theirs):
        try:
            lines = split_lines(data.decode("utf-8"))
        except UnicodeDecodeError:
            return None
        places = _numbered(lines)
        if not places or [number for _, number in places] != list(range(1, len(places) + 1)):
            return None
        numbers = {place for place, _ in places}
        bare.append("".join(line for n, line in enumerate(lines) if n not in numbers).encode())
    merged = merge_text(bare[0], bare[1], bare[2])
    if merged.fallback or merged.conflicts:
        return None
    return MergedText(_counted(merged.data, line_end="\r\n" if b"\r\n" in ours else "\n"))


def _numbered(lines: list[str]) -> list[tuple[int, int]]:
    """Return the lines that are the number of a cue, with their numbers; none where a cue has no number."""
    found = []
    for n, line in enumerate(lines):
        if "-->" not in line or not _TIMES.fullmatch(line.rstrip("\r\n")):
            continue
        number = _NUMBER.fullmatch(lines[n - 1]) if n else None
        if number is None:
            return []
        found.append((n - 1, int(number.group(1))))
    return found


def _counted(data: bytes, *, line_end: str) -> bytes:
    result = []
    number = 0
    for line in split_lines(data.decode("utf-8")):
        if "-->" in line and _TIMES.fullmatch(line.rstrip("\r\n")):
            number += 1
            result.append(f"{number}{line_end}")
        result.append(line)
    return "".join(result).encode()


def read_cues(text: str) -> list[str]:
    """Read the lines of subtitles that are in order.

    Raises:
        ValueError: their numbers do not count up, a cue begins before the one in front of it, or they overlap.
    """
    lines = split_lines(text)
    numbers = [number for _, number in _numbered(lines)]
    if numbers != list(range(1, len(numbers) + 1)):
        raise ValueError("the numbers of its cues do not count up")
    before = 0
    for line in lines:
        found = _TIMES.fullmatch(line.rstrip("\r\n")) if "-->" in line else None
        if found is None:
            continue
        start, end = _milliseconds(found.groups()[:4]), _milliseconds(found.groups()[4:])
        if start < before or end < start:
            raise ValueError("two of its cues overlap")
        before = end
    return lines


def _milliseconds(clock: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = clock
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))
