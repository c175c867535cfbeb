"""What changed in a text: lines by patience, and the words within changed lines."""

from collections.abc import Iterable, Iterator

from msgspec import Struct, structs

from aura_vcs.compare.diff.sequences import WorkBudget, common_pairs
from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.patience import equal_runs
from aura_vcs.formats.text import read_text, split_lines, split_words

CONTEXT_LINES = 3
LINES_LIMIT = 400_000
"""Lines of both texts together that are compared line by line."""
WORDS_LIMIT = 4_000
"""Words of one changed passage that are compared word by word."""
LIKE = 0.3
"""Share of common words from which two passages count as one that was edited."""


class TextLine(Struct, frozen=True):
    """A line of a hunk: `mark` is " ", "-" or "+"; `text` has its line end.

    `changed` holds (start, end) of the characters that differ, when the line was edited. `end` names the
    line's end where that is all that differs from a line of the other side.
    """

    mark: str
    text: str
    changed: tuple[tuple[int, int], ...] = ()
    end: str = ""


class Hunk(Struct, frozen=True):
    """A passage with changes; starts count lines from 1 (0 when that side has none)."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    lines: tuple[TextLine, ...]


class TextDiff(Struct, frozen=True):
    """The changed passages of a text. `fallback` is a sentence when lines are not compared.

    `ends` says "LF → CRLF", for example, where nothing but the line ends changed.
    """

    hunks: tuple[Hunk, ...]
    added_lines: int = 0
    removed_lines: int = 0
    fallback: str = ""
    ends: str = ""


def diff_text(old: bytes, new: bytes, *, context: int = CONTEXT_LINES) -> TextDiff:
    """Compare two versions of a text file line by line, and edited passages word by word.

    Line ends count: a file that went from LF to CRLF changed in every line. Time is bounded for
    any bytes; beyond the limits, or for bytes that are not text, `fallback` says why.
    """
    if old == new:
        return TextDiff(())
    before, after = read_text(old), read_text(new)
    for side, text in (("old", before), ("new", after)):
        if isinstance(text, Unstructured):
            return TextDiff((), fallback=f"The {side} file is not compared as text: {text.reason}")
    assert isinstance(before, str)
    assert isinstance(after, str)
    found = _diff_lines(split_lines(before), split_lines(after), context)
    only_ends = before != after and before.replace("\r\n", "\n") == after.replace("\r\n", "\n")
    return structs.replace(found, ends=f"{_ends(before)} → {_ends(after)}") if only_ends else found


def _ends(text: str) -> str:
    """Return what a text's lines end with."""
    windows = text.count("\r\n")
    return "LF" if not windows else "CRLF" if windows == text.count("\n") else "LF and CRLF"


def _diff_lines(old: list[str], new: list[str], context: int) -> TextDiff:
    if len(old) + len(new) > LINES_LIMIT:
        return TextDiff((), fallback=f"The files have more than {LINES_LIMIT:,} lines together")
    effort = WorkBudget()
    changes = _changes(old, new, effort)
    groups: list[list[tuple[int, int, int, int]]] = []
    for change in changes:
        if groups and change[0] - groups[-1][-1][1] <= 2 * context:
            groups[-1].append(change)
        else:
            groups.append([change])
    return TextDiff(
        tuple(_hunk(old, new, group, context, effort) for group in groups),
        added_lines=sum(d - c for _, _, c, d in changes),
        removed_lines=sum(b - a for a, b, _, _ in changes),
    )


def _changes(old: list[str], new: list[str], effort: WorkBudget) -> list[tuple[int, int, int, int]]:
    """Find changed passages as (old start, old end, new start, new end), from 0, ends excluded.

    Patience finds what both texts have once; between that, a longest common subsequence keeps
    the blank lines and other repeated ones that stayed.
    """
    found = []
    i = j = 0
    for a, b, length in [*equal_runs(old, new), (len(old), len(new), 0)]:
        if i < a and j < b:
            found += _inner_changes(old[i:a], new[j:b], i, j, effort)
        elif i < a or j < b:
            found.append((i, a, j, b))
        i, j = a + length, b + length
    return found


def _inner_changes(
    old: list[str], new: list[str], old_start: int, new_start: int, effort: WorkBudget
) -> list[tuple[int, int, int, int]]:
    found = []
    i = j = 0
    for a, b in [*common_pairs(old, new, effort), (len(old), len(new))]:
        if i < a or j < b:
            found.append((old_start + i, old_start + a, new_start + j, new_start + b))
        i, j = a + 1, b + 1
    return found


def _hunk(
    old: list[str], new: list[str], group: list[tuple[int, int, int, int]], context: int, effort: WorkBudget
) -> Hunk:
    first, last = group[0], group[-1]
    lead = min(context, first[0])
    i, j = first[0] - lead, first[2] - lead
    old_start, new_start = i, j
    lines: list[TextLine] = []
    for a, b, c, d in group:
        lines += [TextLine(" ", line) for line in old[i:a]]
        lines += _passage(old[a:b], new[c:d], effort)
        i, j = b, d
    tail = old[i : i + context]
    lines += [TextLine(" ", line) for line in tail]
    old_count, new_count = last[1] + len(tail) - old_start, last[3] + len(tail) - new_start
    return Hunk(old_start + (old_count > 0), old_count, new_start + (new_count > 0), new_count, tuple(lines))


def _passage(removed: list[str], added: list[str], effort: WorkBudget) -> list[TextLine]:
    """Write the lines of one change, with the words that differ when it is an edit."""
    gone, come = highlights("".join(removed), "".join(added), effort) if removed and added else ((), ())
    lines = [*_marked("-", removed, gone), *_marked("+", added, come)]
    same = {line.rstrip("\r\n") for line in removed} & {line.rstrip("\r\n") for line in added}
    return [structs.replace(line, end=_end(line.text)) if line.text.rstrip("\r\n") in same else line for line in lines]


def _end(line: str) -> str:
    return "CRLF" if line.endswith("\r\n") else "LF" if line.endswith("\n") else "no line end"


Spans = tuple[tuple[int, int], ...]


def highlights(old: str, new: str, effort: WorkBudget | None = None) -> tuple[Spans, Spans]:
    """Find (start, end) of the characters that differ in the old and the new passage, by whole words.

    Nothing on either side when the passages have little in common or are too long.
    """
    if len(old) + len(new) > 16 * WORDS_LIMIT:
        return (), ()
    a, b = split_words(old), split_words(new)
    if len(a) + len(b) > WORDS_LIMIT:
        return (), ()
    pairs = common_pairs(a, b, effort or WorkBudget())
    telling = sum(1 for i, _ in pairs if not a[i].isspace())
    words = sum(not word.isspace() for word in (*a, *b))
    if 2 * telling < LIKE * words:
        return (), ()
    return _spans(a, {i for i, _ in pairs}), _spans(b, {j for _, j in pairs})


def _spans(words: list[str], common: set[int]) -> Spans:
    spans: list[tuple[int, int]] = []
    at = 0
    for n, word in enumerate(words):
        if n not in common:
            if spans and spans[-1][1] == at:
                spans[-1] = (spans[-1][0], at + len(word))
            else:
                spans.append((at, at + len(word)))
        at += len(word)
    return tuple(spans)


def _marked(mark: str, lines: list[str], spans: Spans) -> list[TextLine]:
    result = []
    at = first = 0
    for line in lines:
        end = at + len(line)
        while first < len(spans) and spans[first][1] <= at:
            first += 1
        inside = []
        n = first
        while n < len(spans) and spans[n][0] < end:
            inside.append((max(spans[n][0], at) - at, min(spans[n][1], end) - at))
            n += 1
        result.append(TextLine(mark, line, tuple(inside)))
        at = end
    return result


def side_by_side(
    lines: Iterable[TextLine], old: int, new: int
) -> Iterator[tuple[int, TextLine | None, int, TextLine | None]]:
    """Yield rows of a passage in two columns: number and line of either side, None where it has none.

    A line that neither changed is on both sides. `old` and `new` are the numbers of the first lines.
    """
    gone: list[TextLine] = []
    come: list[TextLine] = []
    for line in (*lines, TextLine(" ", "")):
        if line.mark == "-":
            gone.append(line)
        elif line.mark == "+":
            come.append(line)
        else:
            for n in range(max(len(gone), len(come))):
                yield old + n, gone[n] if n < len(gone) else None, new + n, come[n] if n < len(come) else None
            old, new = old + len(gone), new + len(come)
            gone, come = [], []
            if line.text:
                yield old, line, new, line
                old, new = old + 1, new + 1
