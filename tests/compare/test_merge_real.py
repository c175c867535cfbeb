"""Joining what two maintained lines of a real program did: urllib3 1.26 and 2.x.

The excerpts in `real/urllib3/` are from its public releases, under the licence that lies beside them.
"""

from pathlib import Path

import pytest
from aura_vcs.compare.merge.model import MergedText
from aura_vcs.compare.merge.resolve_text import resolve_text
from aura_vcs.compare.merge.text import merge_text

RELEASES = Path(__file__).parent / "real" / "urllib3"


def _file(release: str, name: str) -> bytes:
    return (RELEASES / f"{release}-{name}.txt").read_bytes()


def _merged(name: str, base: str, ours: str, theirs: str) -> MergedText:
    return merge_text(*(_file(release, name) for release in (base, ours, theirs)))


def test_a_fix_of_the_old_line_joins_into_the_rewritten_new_one() -> None:
    """The fix of 1.26.17, merged into 2.0.5, gives byte by byte what its makers released, either way round."""
    for ours, theirs in (("1.26.17", "2.0.5"), ("2.0.5", "1.26.17")):
        merged = _merged("retry", "1.26.16", ours, theirs)
        assert merged.conflicts == ()
        assert merged.data == _file("2.0.7", "retry")


def test_a_fix_that_both_lines_have_is_there_once() -> None:
    """Where the other line took the fix over already, nothing is doubled and nothing conflicts."""
    merged = _merged("retry", "1.26.16", "1.26.17", "2.0.7")
    assert (merged.data, merged.conflicts) == (_file("2.0.7", "retry"), ())


@pytest.mark.parametrize(
    ("name", "base", "ours", "theirs"),
    [
        ("version", "1.26.16", "1.26.17", "2.0.7"),
        ("version", "2.0.5", "2.0.7", "2.1.0"),
        ("collections", "2.0.5", "2.0.7", "2.1.0"),
    ],
)
def test_true_conflicts_are_one_question_each(name: str, base: str, ours: str, theirs: str) -> None:
    """Two version numbers, two ways to import one thing: one conflict, and every answer gives that release's lines."""
    merged = _merged(name, base, ours, theirs)
    (conflict,) = merged.conflicts
    edited = b"# read since\n" + merged.data
    for choice, lines in (("ours", conflict.ours), ("theirs", conflict.theirs), ("base", conflict.base)):
        decided = resolve_text(edited, merged.conflicts, conflict.line, choice)  # type: ignore[arg-type]
        assert decided.conflicts == ()
        assert decided.data.count(lines.encode()) == 1
    alone = [part for part in (_file(ours, name), _file(theirs, name)) if part == merged.data]
    assert len(alone) == (name == "version")  # the rest of both sides' changes landed beside the question
