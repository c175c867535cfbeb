"""Requests beside each other."""

from collections.abc import Callable, Sequence
from typing import TypeVar

TRANSFERS = 4
"""Requests that are under way at once."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def side_by_side(work: Callable[[Item], Answer], items: Sequence[Item]) -> list[Answer]:
    """Call `work` on each of the items, TRANSFERS of them at once; return the answers or raise the first failure."""
    if len(items) < 2:  # most often: threads take longer to import than a request to a folder
        return [work(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(TRANSFERS) as executor:
        return list(executor.map(work, items))
