"""What was found out about versions and does not change any more, so that a page asks for it once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

T = TypeVar("T")
MOST = 20_000
"""So many answers are remembered; those that were not asked for longest go first."""


class Remembered:
    """Answers by question, for any thread. What is put here must hold for ever, as what two versions differ in."""

    def __init__(self, most: int = MOST) -> None:
        self._answers: OrderedDict[Hashable, object] = OrderedDict()
        self._most = most
        self._lock = threading.Lock()

    def get(self, question: Hashable, find: Callable[[], T]) -> T:
        """Return what is remembered, or find it out. Two threads may both find it out; both find the same."""
        with self._lock:
            if question in self._answers:
                self._answers.move_to_end(question)
                return cast("T", self._answers[question])
        found = find()
        with self._lock:
            self._answers[question] = found
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)
        return found
