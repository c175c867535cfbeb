"""Requests beside each other."""

from collections.abc import Callable, Sequence
from threading import Thread  # a pool's module takes longer to import than a push of one version to a folder
from typing import TypeVar

TRANSFERS = 4
"""Requests that are under way at once."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def side_by_side(work: Callable[[Item], Answer], items: Sequence[Item]) -> list[Answer]:
    """Call `work` on each of the items, TRANSFERS of them at once; return the answers or raise the first failure."""
    if len(items) < 2:
        return [work(item) for item in items]
    waiting = list(enumerate(items))[::-1]
    answers: dict[int, Answer] = {}
    failures: dict[int, BaseException] = {}

    def take_turns() -> None:
        while not failures:
            try:
                number, item = waiting.pop()
            except IndexError:
                return
            try:
                answers[number] = work(item)
            except BaseException as error:
                failures[number] = error

    threads: list[Thread] = []
    try:
        for _ in range(min(TRANSFERS, len(items))):
            thread = Thread(target=take_turns)
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()
    finally:
        waiting.clear()  # after Ctrl-C, what is under way is waited for, and nothing more begins
        for thread in threads:
            thread.join()
    if failures:
        raise failures[min(failures)]
    return [answers[number] for number in range(len(items))]
