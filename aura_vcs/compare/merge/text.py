"""Joining two versions of a text: by line, then by word where both changed a passage.

The method is diff3's (Khanna, Kunal, Pierce, "A Formal Investigation of Diff3", 2007) over
patience matches: what is unchanged on both sides keeps the texts in step; between two such
places the side that changed wins, and two different changes conflict.
"""

import re
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise

from msgspec import structs

from aura_vcs.compare.merge.model import CONTEXT_LINES, MergedText, MixedPassage, TextConflict
from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.patience import equal_runs
from aura_vcs.formats.text import read_text, split_lines

WORDS_LIMIT = 4_000
"""Words of one passage, all three sides together, that are joined word by word."""
LINES_LIMIT = 400_000
SHARED = 0.5
"""Share of common lines from which two texts that both sides added are versions of one."""

_WORD = re.compile(r"\S+\s*|\s+")
Region = tuple[slice, slice, slice]


def merge_text(base: bytes, ours: bytes, theirs: bytes) -> MergedText:
    """Join two changed versions of a UTF-8 text file.

    No byte of either side changes but where the other side changed it; line ends stay as they
    are. The unresolved side of a conflict is ours. Bytes that are no UTF-8 text are not joined.
    """
    if theirs in (ours, base):
        return MergedText(ours)
    if ours == base:
        return MergedText(theirs)
    texts = []
    for side, data in (("before both", base), ("in ours", ours), ("in theirs", theirs)):
        text = read_text(data)
        if isinstance(text, Unstructured):
            return MergedText(ours, fallback=f"not merged by line: {side}, {text.reason}")
        if text.encode("utf-8") != data:
            return MergedText(ours, fallback=f"not merged by line: {side}, it is not UTF-8")
        texts.append(text)
    joined, conflicts, mixed = _merge_passages(*texts)
    return MergedText(joined.encode("utf-8"), conflicts, mixed=mixed)


def common_text(one: bytes, other: bytes) -> bytes:
    """Build a stand-in for the common version of a text that both sides added: the lines that both have, in order.

    Nothing where they have little in common, or are no text: then they are two texts of one name.
    """
    first, second = sorted((one, other))  # the same on every machine
    texts = [read_text(side) for side in (first, second)]
    lines = [split_lines(text) for text in texts if isinstance(text, str)]
    if len(lines) < 2 or sum(map(len, lines)) > LINES_LIMIT:
        return b""
    kept = [lines[0][at + n] for at, _, length in equal_runs(*lines) for n in range(length)]
    if 2 * len(kept) < SHARED * sum(map(len, lines)):
        return b""
    return "".join(kept).encode("utf-8")


def merge_strings(base: str, ours: str, theirs: str) -> tuple[str, tuple[TextConflict, ...]]:
    """Join two changed versions of a text by line, then word."""
    return _merge_passages(base, ours, theirs)[:2]


def _merge_passages(
    base: str, ours: str, theirs: str
) -> tuple[str, tuple[TextConflict, ...], tuple[MixedPassage, ...]]:
    """Return the merged text, what is open, and the passages in which words of both sides stand."""
    lines = split_lines(base), split_lines(ours), split_lines(theirs)
    if sum(map(len, lines)) > LINES_LIMIT:
        return ours, (TextConflict(1, base, ours, theirs),), ()
    result: list[str] = []
    mixed: list[MixedPassage] = []
    conflicts: list[TextConflict] = []
    done = 1
    for region in _regions(*lines):
        passages = ["".join(side[part]) for side, part in zip(lines, region, strict=True)]
        joined = _pick(*passages)
        if joined is None:
            joined = merge_words(*passages)
            if joined is not None:
                mixed.append(MixedPassage(done, joined))
        if joined is None:
            joined = passages[1]
            conflicts.append(TextConflict(done, *passages))
        result.append(joined)
        done += joined.count("\n")
    text = "".join(result)
    return text, tuple(_with_context(text, conflicts)), tuple(mixed)


def _with_context(text: str, conflicts: Sequence[TextConflict]) -> Iterator[TextConflict]:
    lines = split_lines(text) if conflicts else []
    for conflict in conflicts:
        start = conflict.line - 1
        end = start + len(split_lines(conflict.ours))
        before, after = lines[max(0, start - CONTEXT_LINES) : start], lines[end : end + CONTEXT_LINES]
        yield structs.replace(conflict, before="".join(before), after="".join(after))


def merge_words(base: str, ours: str, theirs: str) -> str | None:
    """Join two changed passages word by word, None when they conflict or are too long.

    A word is what stands between spaces: two edits of one number never mix. Between two
    changes there must be at least one word that neither side touched.
    """
    if len(base) + len(ours) + len(theirs) > 16 * WORDS_LIMIT:
        return None
    words = _WORD.findall(base), _WORD.findall(ours), _WORD.findall(theirs)
    if not words[0] or sum(map(len, words)) > WORDS_LIMIT:
        return None
    result: list[str] = []
    for region in _regions(*words):
        joined = _pick(*("".join(side[part]) for side, part in zip(words, region, strict=True)))
        if joined is None:
            return None
        result.append(joined)
    return "".join(result)


def _pick(base: str, ours: str, theirs: str) -> str | None:
    """Return the side that changed, None when both did, differently."""
    if ours in (base, theirs):
        return theirs
    return ours if theirs == base else None


def _regions(base: Sequence[Hashable], ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> Iterator[Region]:
    """Yield the three texts cut at the places that are unchanged on both sides, in order.

    Every element of every side is in exactly one region; unchanged elements have their own.
    """
    to_ours, to_theirs = _positions(base, ours), _positions(base, theirs)
    steady = [(b, to_ours[b], to_theirs[b]) for b in sorted(to_ours.keys() & to_theirs.keys())]
    ends = (len(base), len(ours), len(theirs))
    for here, there in pairwise([(-1, -1, -1), *steady, ends]):
        if here[0] >= 0:
            yield slice(here[0], here[0] + 1), slice(here[1], here[1] + 1), slice(here[2], here[2] + 1)
        if any(low + 1 < high for low, high in zip(here, there, strict=True)):
            a, b, c = (slice(low + 1, high) for low, high in zip(here, there, strict=True))
            yield a, b, c


def _positions(base: Sequence[Hashable], side: Sequence[Hashable]) -> dict[int, int]:
    return {a + n: b + n for a, b, length in equal_runs(base, side) for n in range(length)}
