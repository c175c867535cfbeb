"""Merging subtitles, whose cues are counted: a cue put in on each side must not be a conflict of numbers."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import structs

from aura_vcs.compare.merge.model import CONTEXT_LINES, Choice, MergedText, TextConflict
from aura_vcs.compare.merge.resolve_text import resolve_text
from aura_vcs.compare.merge.text import merge_text
from aura_vcs.formats.text import split_lines

CUE_ENDINGS = ("srt", "vtt")
_CLOCK = r"(?:(\d{1,3}):)?([0-5]?\d):([0-5]?\d)[,.](\d{1,3})"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s.*)?", re.ASCII | re.DOTALL)
_NUMBER = re.compile(r"\ufeff?\s*(\d{1,9})\s*", re.ASCII)


def merge_cues(base: bytes, ours: bytes, theirs: bytes) -> MergedText | None:
    """Merge subtitles whose cues count up in all three versions; None where that is not so.

    The numbers are left out while merging and given anew, also in what is left to decide. A cue that both sides moved
    would be there twice: then nothing is merged.
    """
    bare = []
    for data in (base, ours, theirs):
        found = _without_numbers(data)
        if found is None:
            return None
        bare.append(found)
    merged = merge_text(bare[0], bare[1], bare[2])
    if merged.fallback:
        return None
    if twice := _doubled(bare, merged.data):
        return MergedText(ours, fallback=f"not merged by cue: {twice!r} would be there twice")
    return _with_numbers(merged, "\r\n" if b"\r\n" in ours else "\n")


def resolve_cues(
    data: bytes, conflicts: tuple[TextConflict, ...], line: int | None, choice: Choice
) -> MergedText | None:
    """Decide conflicts as `resolve_text` in subtitles whose cues count up, and number them anew; None in others.

    Raises:
        ConflictUnknown: no open conflict began at that line.
        ChoiceImpossible: its lines are not there any more, or at several places.
    """
    bare = _without_numbers(data)
    if bare is None:
        return None
    places = [place for place, _ in _numbered(split_lines(data.decode("utf-8")))]
    plain = [
        TextConflict(
            conflict.line - sum(place < conflict.line - 1 for place in places),
            *map(_plain, (conflict.base, conflict.ours, conflict.theirs, conflict.before, conflict.after)),
        )
        for conflict in conflicts
    ]
    wanted = next((b.line for a, b in zip(conflicts, plain, strict=True) if a.line == line), line)
    done = resolve_text(bare, tuple(plain), wanted, choice)
    return _with_numbers(done, "\r\n" if b"\r\n" in data else "\n")


def _with_numbers(merged: MergedText, line_end: str) -> MergedText:
    return structs.replace(
        merged,
        data=_counted(merged.data.decode("utf-8"), line_end=line_end).encode(),
        conflicts=tuple(_numbered_conflict(merged.data, each, line_end) for each in merged.conflicts),
        mixed=tuple(structs.replace(m, line=m.line + _cues_before(merged.data, m.line + 1)) for m in merged.mixed),
    )


def _plain(text: str) -> str:
    """Return lines of numbered subtitles without the numbers of their cues."""
    lines = split_lines(text)
    is_number = [
        n + 1 < len(lines) and _is_times(lines[n + 1]) and _NUMBER.fullmatch(lines[n]) for n in range(len(lines))
    ]
    return "".join(line for line, number in zip(lines, is_number, strict=True) if not number)


def _without_numbers(data: bytes) -> bytes | None:
    """Return subtitles without the numbers of their cues; None where these do not count up from 1."""
    try:
        lines = split_lines(data.decode("utf-8"))
    except UnicodeDecodeError:
        return None
    places = _numbered(lines)
    if not places or [number for _, number in places] != list(range(1, len(places) + 1)):
        return None
    numbers = {place for place, _ in places}
    return "".join(line for n, line in enumerate(lines) if n not in numbers).encode()


def _numbered_conflict(bare: bytes, conflict: TextConflict, line_end: str) -> TextConflict:
    """Return a conflict with the numbers and the line that it has where cues are numbered."""
    lines = split_lines(bare.decode("utf-8"))
    first = conflict.line - 1
    before = sum(map(_is_times, lines[:first]))
    base, ours, theirs = (
        _counted(side, line_end=line_end, front=before) for side in (conflict.base, conflict.ours, conflict.theirs)
    )
    whole = split_lines(_counted("".join(lines), line_end=line_end))
    line = first + before
    end = line + len(split_lines(ours))
    return TextConflict(
        line + 1, base, ours, theirs,
        before="".join(whole[max(0, line - CONTEXT_LINES) : line]), after="".join(whole[end : end + CONTEXT_LINES]),
    )  # fmt: skip


def _cues_before(bare: bytes, line: int) -> int:
    return sum(map(_is_times, split_lines(bare.decode("utf-8"))[: line - 1]))


def _doubled(sides: Sequence[bytes], merged: bytes) -> str:
    """Return what a cue says that is there more often than before both and on either side; "" for none."""
    counts = [Counter(_said(data)) for data in (*sides, merged)]
    most = {text: max(count[text] for count in counts[:3]) for text in counts[3]}
    both = [text for text, count in counts[3].items() if count > most[text] and counts[0][text]]
    return both[0].splitlines()[0] if both else ""


def _said(bare: bytes) -> Iterator[str]:
    """Yield what each cue says."""
    words: list[str] | None = None
    for line in [*split_lines(bare.decode("utf-8")), ""]:
        if _is_times(line):
            words = []
        elif words is not None and line.strip():
            words.append(line.strip())
        elif words:
            yield "\n".join(words)
            words = None


def _is_times(line: str) -> bool:
    return "-->" in line and _TIMES.fullmatch(line.rstrip("\r\n")) is not None


def _numbered(lines: list[str]) -> list[tuple[int, int]]:
    """Return the lines that are the number of a cue, with their numbers; none where a cue has no number."""
    found = []
    for n, line in enumerate(lines):
        if not _is_times(line):
            continue
        number = _NUMBER.fullmatch(lines[n - 1]) if n else None
        if number is None:
            return []
        found.append((n - 1, int(number.group(1))))
    return found


def _counted(text: str, *, line_end: str, front: int = 0) -> str:
    """Put its number in front of each cue; `front` cues stand in front of the text."""
    result = []
    number = front
    for line in split_lines(text):
        if _is_times(line):
            number += 1
            result.append(f"{number}{line_end}")
        result.append(line)
    return "".join(result)


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
