"""How finely the disk of the tests tells dates: fresh files there are waited for no longer than that asks for."""

import os
import statistics
import time
from itertools import pairwise
from pathlib import Path

import pytest
from aura_vcs.objects import base, batch
from aura_vcs.worktree.checkout import staging
from aura_vcs.worktree.snapshot import stable_read

LEAST_NS = 5_000_000
SECONDS = 0.03
REAL_TICK_NS, REAL_PAUSES = stable_read.TICK_NS, base.PAUSES_SECONDS


def tick_ns(folder: Path) -> int:
    """Measure how far apart two dates of files in the folder are at least; never less than LEAST_NS."""
    path, stamps, end = folder / "clock", [], time.monotonic() + SECONDS
    with open(path, "wb", buffering=0) as file:
        while time.monotonic() < end:
            file.write(b"x")
            stamps.append(os.fstat(file.fileno()).st_mtime_ns)
    path.unlink()
    distinct = sorted(set(stamps))
    steps = [later - earlier for earlier, later in pairwise(distinct)]
    return max(LEAST_NS, round(statistics.median(steps) * 1.25)) if steps else REAL_TICK_NS


def wait_for(ns: int, patch: pytest.MonkeyPatch) -> None:
    """Let the program take this for the tick of the disk, and wait as long as that takes."""
    pauses = ((ns + 500_000) / 1e9, *REAL_PAUSES[1:]) if ns < REAL_TICK_NS else REAL_PAUSES
    for module in (stable_read, staging):
        patch.setattr(module, "TICK_NS", min(ns, REAL_TICK_NS))
    for module in (base, batch, stable_read):
        patch.setattr(module, "PAUSES_SECONDS", pauses)
