"""What a default run takes of a long sweep: other cases in every run, the same ones with the same AURA_TEST_SEED."""

import os
import random
import time
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
SEED = os.environ.setdefault("AURA_TEST_SEED", str(time.time_ns() // 10**9 % 10**6))
"""Told where a run begins, and where one failed. The processes of one run share it by their environment."""


def chance(*name: object) -> random.Random:
    """Return what makes this run's choices for the thing of that name."""
    return random.Random(f"{SEED} {name}")


def some(cases: Sequence[T], count: int, *name: object) -> list[T]:
    """Return `count` of the cases, in their order; all where there are no more."""
    chosen = chance(*name).sample(range(len(cases)), min(count, len(cases)))
    return [cases[number] for number in sorted(chosen)]
