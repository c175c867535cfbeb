"""What a default run takes of a long sweep: other cases with every commit, or those of a given AURA_TEST_SEED."""

import os
import random
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def seed_of_commit() -> str:
    """Return a number that the commit gives: what a run finds, another run of the same commit finds again.

    Where git does not say which commit it is, each run has a number of its own.
    """
    try:
        asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
        commit = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
        return str(int(commit, 16) % 10**6)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return str(time.time_ns() // 10**9 % 10**6)


SEED = os.environ.get("AURA_TEST_SEED") or os.environ.setdefault("AURA_TEST_SEED", seed_of_commit())
"""Told where a run begins, and where one failed. The processes of one run share it by their environment."""


def chance(*name: object) -> random.Random:
    """Return what makes this run's choices for the thing of that name."""
    return random.Random(f"{SEED} {name}")


def some(cases: Sequence[T], count: int, *name: object) -> list[T]:
    """Return `count` of the cases, in their order; all where there are no more."""
    chosen = chance(*name).sample(range(len(cases)), min(count, len(cases)))
    return [cases[number] for number in sorted(chosen)]
