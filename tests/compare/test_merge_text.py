"""Joining texts by line, then by word."""

import random
import time

import pytest
from aura_vcs.compare.merge.file import merge_file
from aura_vcs.compare.merge.resolve_text import resolve_text
from aura_vcs.compare.merge.text import merge_strings, merge_text, merge_words
from aura_vcs.errors.compare import ChoiceImpossible, ConflictUnknown, NotStructural
from hypothesis import given, strategies as st

from tests.compare.json_values import unhurried

LINES = ["a\n", "b\n", "\n", "one two three four\n", "one 2 three four\r\n", "x\x0b\u2028y\n", "end"]
TEXTS = st.lists(st.sampled_from(LINES), max_size=10).map("".join)
SUBTITLES = """1
00:00:01,000 --> 00:00:04,000
Long ago there was only dust.

2
00:00:04,500 --> 00:00:08,000
Then came the light.
"""


@unhurried
@given(TEXTS, TEXTS)
def test_a_change_of_one_side_is_the_result(base: str, new: str) -> None:
    """merge(a, a, b) = merge(a, b, a) = merge(a, b, b) = b."""
    for ours, theirs in ((base, new), (new, base), (new, new)):
        assert merge_strings(base, ours, theirs) == (new, ())


@unhurried
@given(TEXTS, TEXTS, TEXTS)
def test_swapping_the_sides_swaps_only_conflicts(base: str, ours: str, theirs: str) -> None:
    """Resolved to the same person's side, both machines have the same text; no line is lost."""
    one, left = merge_strings(base, ours, theirs)
    other, right = merge_strings(base, theirs, ours)
    assert [(c.base, c.ours, c.theirs) for c in left] == [(c.base, c.theirs, c.ours) for c in right]
    if not left:
        assert one == other
    for choice, mirrored in (("ours", "theirs"), ("theirs", "ours"), ("base", "base")):
        first = resolve_text(one.encode(), left, None, choice).data if left else one.encode()
        second = resolve_text(other.encode(), right, None, mirrored).data if right else other.encode()
        assert first == second


def test_two_edits_of_a_subtitle_file_join() -> None:
    """One fixes a time, the other a word of the line below, and both change one line's two times."""
    ours = SUBTITLES.replace("00:00:04,500 -->", "00:00:04,250 -->").replace("only dust", "only cold dust")
    theirs = SUBTITLES.replace("00:00:08,000", "00:00:07,500").replace("Then came", "And then came")
    merged = merge_text(SUBTITLES.encode(), ours.encode(), theirs.encode())
    assert merged.conflicts == ()
    assert merged.data.decode() == ours.replace("00:00:08,000", "00:00:07,500").replace("Then", "And then")


def test_words_next_to_each_other_and_numbers_do_not_mix() -> None:
    """Two edits without an untouched word between them conflict; digits of one number are one word."""
    assert merge_words("take 6.0 s", "take 6.5 s", "take 7.0 s") is None
    assert merge_words("A B", "X B", "A Y") is None
    assert merge_words("A and B", "X and B", "A and Y") == "X and Y"


def test_a_conflict_keeps_ours_and_is_decided_later() -> None:
    """No markers get into the text; each passage can be decided on its own, after edits elsewhere."""
    base, ours, theirs = b"a\nb\nc\nd\ne\n", b"a\nB1\nB2\nc\nD1\ne\n", b"a\nB3\nc\nD2\nD3\ne\n"
    merged = merge_text(base, ours, theirs)
    assert merged.data == ours
    assert [conflict.line for conflict in merged.conflicts] == [2, 5]
    first = resolve_text(merged.data, merged.conflicts, 2, "theirs")
    assert first.data == b"a\nB3\nc\nD1\ne\n"
    assert [conflict.line for conflict in first.conflicts] == [4]
    assert resolve_text(first.data, first.conflicts, 4, "both").data == b"a\nB3\nc\nD1\nD2\nD3\ne\n"
    assert resolve_text(merged.data, merged.conflicts, None, "base").data == base
    with pytest.raises(ConflictUnknown, match="line 3"):
        resolve_text(merged.data, merged.conflicts, 3, "ours")
    with pytest.raises(ChoiceImpossible):
        resolve_text(b"other\n", merged.conflicts, 2, "theirs")
    with pytest.raises(NotStructural):
        resolve_text(b"\xff", merged.conflicts, 2, "theirs")


def test_a_passage_removed_here_and_edited_there_is_a_conflict() -> None:
    """The edited lines are in the conflict, wherever the text stands."""
    merged = merge_text(b"a\nb\nc\n", b"a\nc\n", b"a\nb, edited\nc\n")
    (conflict,) = merged.conflicts
    assert (merged.data, conflict.theirs) == (b"a\nc\n", "b, edited\n")
    assert resolve_text(merged.data, merged.conflicts, 2, "theirs").data == b"a\nb, edited\nc\n"


@pytest.mark.parametrize("data", [b"\xff\xfea\x00", b"\x00", b"caf\xe9", b"\xef\xbb\xbfa\n"])
def test_other_encodings_are_never_rewritten(data: bytes) -> None:
    """What is not UTF-8 text is not joined; a byte order mark stays."""
    merged = merge_text(b"a\n", data, b"b\n")
    assert merged.data == data
    assert merged.fallback or merged.conflicts


@pytest.mark.slow
def test_joining_huge_texts_takes_seconds() -> None:
    """Texts of 100,000 lines, few different ones, and one endless line."""
    rng = random.Random(8)
    base = [f"{rng.randrange(50)} some words\n" for _ in range(100_000)]
    ours = [line for line in base if rng.random() > 0.01]
    theirs = [f"# {line}" if rng.random() > 0.99 else line for line in base]
    for sides in ((base, ours, theirs), (["w " * 500_000], ["x " * 500_000], ["y " * 500_000])):
        start = time.process_time()
        merge_strings(*("".join(side) for side in sides))
        assert time.process_time() - start < 5


def test_a_text_that_both_added_joins_by_what_they_share() -> None:
    """Two versions of one new script ask about the line that differs; two texts of one name about all of it."""
    ours, theirs = b"one\ntwo\nthree\nfour\n", b"zero\none\ntwo\n3\nfour\n"
    for here, there in ((ours, theirs), (theirs, ours)):
        merged = merge_file("script.md", None, here, there)
        assert merged.data == (b"zero\none\ntwo\nthree\nfour\n" if here is ours else theirs)
        (conflict,) = merged.text_conflicts
        assert {conflict.ours, conflict.theirs, conflict.base} == {"three\n", "3\n", ""}
    (whole,) = merge_file("script.md", None, ours, b"another\nstory\none\n").text_conflicts
    assert (whole.ours, whole.base) == (ours.decode(), "")
