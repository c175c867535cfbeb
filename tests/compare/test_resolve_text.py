"""Deciding conflicts of a text that was edited since the merge."""

import random
from typing import Any

import pytest
from aura_vcs.compare.merge.model import TextConflict
from aura_vcs.compare.merge.resolve_text import resolve_text
from aura_vcs.compare.merge.text import merge_strings
from aura_vcs.errors.compare import ChoiceImpossible
from hypothesis import given, strategies as st

from tests.compare.json_values import unhurried

BASE = "".join(f"{line}\n" for line in ("title", "", "a calm start", "", "the middle", "", "a soft end", "", "credits"))
OURS = BASE.replace("a calm start", "a wild start").replace("a soft end", "a loud end")
THEIRS = BASE.replace("a calm start", "a stern start").replace("a soft end", "no end")


def _merged() -> tuple[str, tuple[TextConflict, ...]]:
    text, conflicts = merge_strings(BASE, OURS, THEIRS)
    assert (text, [conflict.line for conflict in conflicts]) == (OURS, [3, 7])
    return text, conflicts


def _decided(text: str, conflicts: Any, line: int | None, choice: Any) -> str:
    return resolve_text(text.encode(), conflicts, line, choice).data.decode()


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: "new\nlines\nin front\n" + text,
        lambda text: text.removeprefix("title\n\n"),
        lambda text: text.replace("the middle\n", "a\nlonger\nmiddle\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text + "a wild start\n",
        lambda text: "a wild start\nelsewhere\n" + text,
        lambda text: text.replace("a loud end\n", "by hand\n"),
        lambda text: text.removesuffix("\n"),
    ],
    ids=["put in front", "cut in front", "grown between", "line ends", "said again behind", "said before",
         "the other edited", "no last line end"],
)  # fmt: skip
@pytest.mark.parametrize("choice", ["ours", "theirs", "base", "both"])
def test_the_passage_is_found_wherever_it_went(edit: Any, choice: Any) -> None:
    """Lines that came, went or repeat elsewhere do not lead a decision astray."""
    text, conflicts = _merged()
    wanted = {"ours": "a wild start", "theirs": "a stern start", "base": "a calm start"}
    wanted["both"] = f"{wanted['ours']}\n{wanted['theirs']}"
    decided = _decided(edit(text), conflicts, 3, choice)
    ends = "\r\n" if "\r\n" in edit(text) else "\n"
    context = f"{ends}a wild start{ends}{ends}" if "title" in edit(text) else f"a wild start{ends}{ends}"
    assert decided == edit(text).replace(context, context.replace("a wild start", wanted[choice].replace("\n", ends)))


def test_the_conflicts_that_are_left_keep_their_place() -> None:
    """After an edit and a decision, the next conflict has the number that it has in the text now."""
    text, conflicts = _merged()
    first = resolve_text(("new\n" + text).encode(), conflicts, 3, "both")
    assert [conflict.line for conflict in first.conflicts] == [9]
    assert first.data.decode().splitlines()[8] == "a loud end"
    second = resolve_text(first.data, first.conflicts, 9, "theirs")
    assert second.data.decode() == "new\n" + THEIRS.replace("a stern", "a wild start\na stern")


def test_what_was_decided_by_hand_is_known() -> None:
    """Where somebody wrote their line in place of ours, choosing theirs, ours or base still works."""
    text, conflicts = _merged()
    by_hand = "new\n" + text.replace("a wild start", "a stern start")
    assert _decided(by_hand, conflicts, 3, "theirs") == by_hand
    assert _decided(by_hand, conflicts, 3, "ours") == "new\n" + text


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda text: text.replace("a wild start", "a start of my own"), "not there any more"),
        (lambda text: "x\ntitle\n\na wild start\n\nthe middle\n\n" + text, "could be those at line 4 and line 10"),
        (lambda text: "", "not there any more"),
        (lambda text: text.replace("title\n\na wild start\n\nthe", "1\n2\n3\na wild start\n4\n5\nthe"), "not there"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_not_guessed(edit: Any, reason: str) -> None:
    """A rewritten passage, or one that is there twice alike, is left to a person."""
    text, conflicts = _merged()
    with pytest.raises(ChoiceImpossible, match=reason) as caught:
        _decided(edit(text), conflicts, 3, "theirs")
    assert "--as-is" in caught.value.hint


def test_a_removed_passage_goes_back_between_its_neighbours() -> None:
    """We removed it, they changed it: it comes back where it was, or not at all."""
    theirs = BASE.replace("the middle", "THE MIDDLE")
    text, conflicts = merge_strings(BASE, BASE.replace("the middle\n", ""), theirs)
    assert [conflict.ours for conflict in conflicts] == [""]
    assert _decided("new\n" + text, conflicts, None, "theirs") == "new\n" + theirs
    with pytest.raises(ChoiceImpossible):
        _decided(text.replace("\n\n\n", "\nsomething else\n\n"), conflicts, None, "theirs")
    first, conflicts = merge_strings("a\nb\n", "b\n", "A\nb\n")
    assert _decided(first, conflicts, None, "theirs") == "A\nb\n"
    last, conflicts = merge_strings("a\nb", "a\n", "a\nB")
    assert _decided(last, conflicts, None, "theirs") == "a\nB"
    assert _decided("a", conflicts, None, "theirs") == "a\nB"


def test_a_text_that_grew_at_its_end() -> None:
    """A last line without an end gets one when something follows it now."""
    text, conflicts = merge_strings("start\nend", "start\nour end", "start\ntheir end")
    assert _decided(text + "\nmore\n", conflicts, None, "theirs") == "start\ntheir end\nmore\n"


LINES = st.lists(st.sampled_from(["a\n", "b\n", "\n", "c d e f\n", "x\r\n"]), max_size=8).map("".join)


@unhurried
@given(LINES, LINES, LINES, st.text("abx \n", max_size=6), st.randoms(use_true_random=False))
def test_edits_elsewhere_do_not_change_a_decision(
    base: str, ours: str, theirs: str, added: str, rng: random.Random
) -> None:
    """Lines put in front of a text change nothing about what a decision does to the rest, or it is refused."""
    text, conflicts = merge_strings(base, ours, theirs)
    if not conflicts:
        return
    front = "".join(f"# {line}\n" for line in added.splitlines())
    line = rng.choice([None, *(conflict.line for conflict in conflicts)])
    choice = rng.choice(["ours", "theirs", "base", "both"])
    try:
        decided = _decided(front + text, conflicts, line, choice)
    except ChoiceImpossible:
        return
    assert decided == front + _decided(text, conflicts, line, choice)


def test_a_text_of_equal_lines_is_no_bomb() -> None:
    """A passage that could be anywhere in a long text is decided or refused, without trying every place."""
    text = "x\n" * 60_000
    conflict = TextConflict(30_000, "y\n", "x\n" * 20_000, "z\n")
    assert _decided(text, (conflict,), None, "theirs").count("z") == 1
