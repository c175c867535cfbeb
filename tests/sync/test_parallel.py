"""Requests beside each other."""

import threading

import pytest
from aura_vcs.parallel import TRANSFERS, side_by_side


def test_answers_come_in_the_order_of_the_items() -> None:
    """However long each takes; none and one need no thread."""
    assert side_by_side(str, []) == []
    assert side_by_side(lambda _: threading.current_thread(), [1]) == [threading.main_thread()]
    assert side_by_side(str, range(50)) == [str(number) for number in range(50)]


def test_so_many_are_under_way_at_once() -> None:
    """All of TRANSFERS wait for each other, so they run beside each other."""
    together = threading.Barrier(TRANSFERS, timeout=10)
    assert len(side_by_side(lambda _: together.wait(), range(TRANSFERS))) == TRANSFERS


def test_the_first_failure_is_raised() -> None:
    """What the others answered is lost."""
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda number: 1 // number, [1, 0, 2])
