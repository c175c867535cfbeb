"""Deciding conflicts that a merge left open in a text, however the text was edited since.

A conflict's lines are looked for by what they say and what stands around them; their number
only decides between places that are otherwise alike.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct, structs

from aura_vcs.compare.merge.model import CONTEXT_LINES, Choice, MergedText, TextConflict
from aura_vcs.errors.compare import ChoiceImpossible, ConflictUnknown, NotStructural
from aura_vcs.formats.text import split_lines

_ASK = "Edit the text until it is right, then `aura resolve --as-is` closes the conflict."
_START, _END = object(), object()
"""What stands before the first and after the last line."""
COMPARED_LINES_LIMIT = 4_000_000
"""Lines that are compared in search of one passage; beyond, only the places nearest to its number count."""


class _Spot(Struct, frozen=True):
    """Where the lines of a conflict are: from `start`, `count` of them, counted from 0."""

    start: int
    count: int


def resolve_text(data: bytes, conflicts: tuple[TextConflict, ...], line: int | None, choice: Choice) -> MergedText:
    """Decide the conflict whose lines began at `line` (from 1), or all when it is None.

    `both` keeps our lines and then theirs. Lines may have come and gone since, as long as the
    conflict's own lines (as one side or the common version had them) can be told from others.
    The conflicts that are left get the numbers and surroundings that they have in the text then.

    Raises:
        ConflictUnknown: no open conflict began at that line.
        ChoiceImpossible: its lines are not there any more, or at several places.
        NotStructural: the bytes are no UTF-8 text any more.
    """
    try:
        lines = split_lines(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NotStructural(f"byte {error.start:,} is not valid UTF-8") from error
    chosen = [conflict for conflict in conflicts if line in (None, conflict.line)]
    if not chosen:
        raise ConflictUnknown(f"line {line}", [f"line {conflict.line}" for conflict in conflicts[:5]])
    left = [conflict for conflict in conflicts if conflict not in chosen]
    finder = _Finder(lines)
    spots = [(finder.spot(conflict, choice), conflict) for conflict in chosen]
    waiting = [(finder.try_spot(conflict), conflict) for conflict in left]
    _check_apart([spot for spot, _ in spots], choice)
    for spot, conflict in sorted(spots, key=lambda each: each[0].start, reverse=True):
        wanted = _fitting(_choice_text(conflict, choice), conflict, lines, spot)
        lines[spot.start : spot.start + spot.count] = wanted
        grown = len(wanted) - spot.count
        waiting = [
            (_Spot(other.start + grown, other.count) if other and other.start > spot.start else other, conflict)
            for other, conflict in waiting
        ]
    moved = tuple(conflict if spot is None else _at_spot(lines, spot, conflict) for spot, conflict in waiting)
    return MergedText("".join(lines).encode("utf-8"), moved)


def find_again(data: bytes, conflicts: Iterable[TextConflict]) -> tuple[TextConflict, ...]:
    """Return the same conflicts with the lines and surroundings that they have in a text now.

    One whose lines are not there any more, or at several places, stays as it was.
    """
    try:
        lines = split_lines(data.decode("utf-8"))
    except UnicodeDecodeError:
        return tuple(conflicts)
    finder = _Finder(lines)
    spots = [(finder.try_spot(conflict), conflict) for conflict in conflicts]
    return tuple(conflict if spot is None else _at_spot(lines, spot, conflict) for spot, conflict in spots)


def _at_spot(lines: Sequence[str], spot: _Spot, conflict: TextConflict) -> TextConflict:
    end = spot.start + spot.count
    before, after = lines[max(0, spot.start - CONTEXT_LINES) : spot.start], lines[end : end + CONTEXT_LINES]
    return structs.replace(conflict, line=spot.start + 1, before="".join(before), after="".join(after))


class _Finder:
    """Looks for lines in a text; the kind of line end does not count."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines: list[object] = [_bare(line) for line in lines]
        self._places: dict[object, list[int]] = {}
        for n, line in enumerate(self._lines):
            self._places.setdefault(line, []).append(n)

    def spot(self, conflict: TextConflict, choice: Choice) -> _Spot:
        """Find the lines of a conflict where they are now.

        Raises:
            ChoiceImpossible: nowhere, or nobody can tell which of several.
        """
        found = self._best(conflict)
        place = f"line {conflict.line}"
        if not found:
            raise ChoiceImpossible(place, choice, "its lines are not there any more", hint=_ASK)
        if len(found) > 1:
            where = " and ".join(f"line {spot.start + 1}" for spot in found[:3])
            raise ChoiceImpossible(place, choice, f"its lines could be those at {where}", hint=_ASK)
        return found[0]

    def try_spot(self, conflict: TextConflict) -> _Spot | None:
        """Find them as `spot` does, without an error: None where it would raise."""
        found = self._best(conflict)
        return found[0] if len(found) == 1 else None

    def _best(self, conflict: TextConflict) -> list[_Spot]:
        """Find our lines; where they are gone, what one side or the common version had in their place."""
        for text, least in ((conflict.ours, 1), (conflict.theirs, 2), (conflict.base, 2)):
            wanted = [_bare(line) for line in split_lines(text)]
            spots = self._occurrences(wanted, conflict)
            scored = [(self._score(conflict, spot), spot) for spot in spots]
            best = max((score for score, _ in scored), default=0)
            # The same words in other surroundings are another passage.
            found = [spot for score, spot in scored if score == best and score >= least]
            unmoved = [spot for spot in (found or spots) if spot.start == conflict.line - 1]
            if found or (unmoved and wanted and text is conflict.ours):
                return unmoved or found
        return []

    def _occurrences(self, wanted: Sequence[object], conflict: TextConflict) -> list[_Spot]:
        if wanted:
            starts = self._places.get(wanted[0], [])
            if len(starts) * len(wanted) > COMPARED_LINES_LIMIT:
                near = sorted(starts, key=lambda start: abs(start + 1 - conflict.line))
                starts = near[: COMPARED_LINES_LIMIT // len(wanted) + 1]
            return [_Spot(start, len(wanted)) for start in starts if self._lines[start : start + len(wanted)] == wanted]
        before = split_lines(conflict.before)
        if before:
            return [_Spot(n + 1, 0) for n in self._places.get(_bare(before[-1]), [])]
        return [_Spot(0, 0)] if conflict.line == 1 else []

    def _score(self, conflict: TextConflict, spot: _Spot) -> int:
        """Count the lines around that are as they were; an empty passage needs both of its neighbours."""
        before: list[object] = [_bare(line) for line in reversed(split_lines(conflict.before))]
        after: list[object] = [_bare(line) for line in split_lines(conflict.after)]
        ahead, behind = (
            self._run(before or [_START], spot.start - 1, -1),
            self._run(after or [_END], spot.start + spot.count, 1),
        )
        if not spot.count and not (ahead and behind):
            return 0
        return ahead + behind

    def _run(self, context: Sequence[object], place: int, step: int) -> int:
        for n, line in enumerate(context):
            if self._at(place + n * step) != line:
                return n
        return len(context)

    def _at(self, place: int) -> object:
        if place < 0:
            return _START
        return self._lines[place] if place < len(self._lines) else _END


def _bare(line: str) -> str:
    return line.rstrip("\r\n")


def _check_apart(spots: Sequence[_Spot], choice: Choice) -> None:
    """Raise if two conflicts were found in one place."""
    last = _Spot(-1, 0)
    for spot in sorted(spots, key=lambda spot: (spot.start, spot.count)):
        if spot.start < last.start + last.count or (spot.start, spot.count) == (last.start, last.count):
            reason = "another conflict's lines are there now"
            raise ChoiceImpossible(f"line {spot.start + 1}", choice, reason, hint=_ASK)
        last = spot


def _choice_text(conflict: TextConflict, choice: Choice) -> list[str]:
    if choice == "both":
        ours = conflict.ours if not conflict.ours or conflict.ours.endswith("\n") else conflict.ours + "\n"
        return split_lines(ours + conflict.theirs)
    return split_lines({"ours": conflict.ours, "theirs": conflict.theirs, "base": conflict.base}[choice])


def _fitting(wanted: list[str], conflict: TextConflict, lines: Sequence[str], spot: _Spot) -> list[str]:
    """Return the wanted lines with the line ends that the text was given since, and one before what follows."""
    end = spot.start + spot.count
    was = _ends([*split_lines(conflict.before), *split_lines(conflict.ours), *split_lines(conflict.after)])
    now = _ends(lines[max(0, spot.start - 1) : end + 1])
    if len(was) == len(now) == 1 and was != now:
        wanted = [_bare(line) + (*now,)[0] if line.endswith("\n") else line for line in wanted]
    line_end = "\r\n" if now == {"\r\n"} else "\n"
    if wanted and not wanted[-1].endswith("\n") and end < len(lines):
        wanted = [*wanted[:-1], wanted[-1] + line_end]
    if wanted and spot.start and not lines[spot.start - 1].endswith("\n"):
        wanted = [line_end + wanted[0], *wanted[1:]]
    return wanted


def _ends(lines: Sequence[str]) -> set[str]:
    return {"\r\n" if line.endswith("\r\n") else "\n" for line in lines if line.endswith("\n")}
