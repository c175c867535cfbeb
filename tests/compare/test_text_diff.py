"""Differences of scripts and subtitles."""

import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from aura_vcs.compare.diff.text import TextDiff, diff_text, highlights
from aura_vcs.formats.text import split_lines, split_words
from hypothesis import given, strategies as st

from tests.compare.json_values import unhurried

TEXTS = st.lists(
    st.sampled_from(["a\n", "b\n", "\n", "one two three\n", "one 2 three\r\n", "x\x0b\u2028y\n", "c"]),
    max_size=12,
).map("".join)


def unified(diff: TextDiff, old_name: str, new_name: str) -> list[str]:
    """Write the lines of a unified diff as `patch` reads them, without line ends.

    Names are written as they are: whoever prints them escapes them.
    """
    if not diff.hunks:
        return []
    lines = [f"--- {old_name}", f"+++ {new_name}"]
    for hunk in diff.hunks:
        lines.append(f"@@ -{hunk.old_start},{hunk.old_count} +{hunk.new_start},{hunk.new_count} @@")
        for line in hunk.lines:
            lines.append(line.mark + line.text.removesuffix("\n"))
            if not line.text.endswith("\n"):
                lines.append("\\ No newline at end of file")
    return lines


@unhurried
@given(TEXTS, TEXTS)
def test_hunks_turn_the_old_text_into_the_new(old: str, new: str) -> None:
    """Putting the hunks' new lines in place of their old ones gives the new text."""
    diff = diff_text(old.encode(), new.encode())
    assert not diff.fallback
    before, result, at = split_lines(old), [], 0
    for hunk in diff.hunks:
        start = hunk.old_start - (hunk.old_count > 0)
        result += before[at:start]
        assert [line.text for line in hunk.lines if line.mark != "+"] == before[start : start + hunk.old_count]
        result += [line.text for line in hunk.lines if line.mark != "-"]
        at = start + hunk.old_count
    assert "".join(result + before[at:]) == new
    assert (not diff.hunks) == (old == new)


@unhurried
@given(TEXTS, TEXTS)
def test_highlights_lie_inside_and_what_is_left_is_common(old: str, new: str) -> None:
    """Without the highlighted characters both passages read the same."""
    gone, come = highlights(old, new)

    def rest(text: str, spans: tuple[tuple[int, int], ...]) -> str:
        kept = "".join(text[end:start] for (_, end), (start, _) in zip(((0, 0), *spans), spans, strict=False))
        return kept + text[spans[-1][1] :] if spans else text

    if gone or come:
        assert rest(old, gone) == rest(new, come)


@unhurried
@given(st.text(max_size=40))
def test_lines_and_words_join_to_the_text(text: str) -> None:
    """Splitting loses nothing, whatever characters a text has."""
    assert "".join(split_lines(text)) == text
    assert "".join(split_words(text)) == text


def test_one_changed_word_is_highlighted() -> None:
    """In an edited line only the words that differ are marked."""
    diff = diff_text(b"The red planet.\nEnd.\n", b"The rusty red planet.\nEnd.\n")
    removed, added, _ = diff.hunks[0].lines
    assert (removed.mark, removed.changed) == ("-", ())
    assert [added.text[a:b].strip() for a, b in added.changed] == ["rusty"]
    assert (diff.added_lines, diff.removed_lines) == (1, 1)


@pytest.mark.skipif(shutil.which("patch") is None, reason="the patch program is not here")
def test_patch_reads_the_unified_form(tmp_path: Path) -> None:
    """What we print is what `patch` applies, also without a last line end."""
    rng = random.Random(5)
    old = [f"line {rng.randrange(30)}\n" for _ in range(200)]
    new = [line for line in old if rng.random() > 0.1] + ["the end"]
    (tmp_path / "f").write_text("".join(old))
    lines = unified(diff_text("".join(old).encode(), "".join(new).encode()), "f", "f")
    subprocess.run(["patch", "f"], cwd=tmp_path, input="\n".join(lines) + "\n", text=True, check=True)
    assert (tmp_path / "f").read_text() == "".join(new)


@pytest.mark.parametrize(
    ("data", "word"),
    [(b"\x00\x01", "control characters"), (b"caf\xe9", "not valid UTF-8"), (b"\xff\xfea", "not valid")],
)
def test_bytes_that_are_no_text_are_said_to_be_none(data: bytes, word: str) -> None:
    """Binary data is not shown as if it were text."""
    assert word in diff_text(b"a", data).fallback
    assert word in diff_text(data, b"a").fallback


@pytest.mark.slow
def test_huge_and_hostile_texts_take_seconds() -> None:
    """Texts made to be slow (few different lines, one endless line, all new) are bounded."""
    rng = random.Random(6)
    few = ["a\n", "b\n", "c\n"]
    cases = [
        ("".join(rng.choice(few) for _ in range(100_000)), "".join(rng.choice(few) for _ in range(100_000))),
        ("word " * 1_000_000, "other " * 1_000_000),
        ("".join(f"{n}\n" for n in range(150_000)), "".join(f"{n}\n" for n in range(149_999, -1, -1))),
        ("x" * 20_000_000, "x" * 19_999_999),
        ("".join(f"a {n}\n" * 3 for n in range(9_000)), "".join(f"b {n}\n" * 3 for n in range(9_000))),
    ]
    for old, new in cases:
        start = time.process_time()
        diff_text(old.encode(), new.encode())
        assert time.process_time() - start < 5


def test_line_ends_are_told_where_they_are_all_that_differs() -> None:
    """Two lines that look alike say how they end; a file that only went to other line ends is told in a word."""
    mixed = diff_text(b"a\nb\nc\n", b"a\nb\r\nc")
    assert [(line.mark, line.end) for line in mixed.hunks[0].lines] == [
        (" ", ""), ("-", "LF"), ("-", "LF"), ("+", "CRLF"), ("+", "no line end"),
    ]  # fmt: skip
    assert mixed.ends == ""
    assert diff_text(b"a\nb\n", b"a\r\nb\r\n").ends == "LF → CRLF"
    assert diff_text(b"a\r\nb\n", b"a\nb\n").ends == "LF and CRLF → LF"
    edited = diff_text(b"a\nb\n", b"a\nc\n")
    assert (edited.ends, {line.end for line in edited.hunks[0].lines}) == ("", {""})
