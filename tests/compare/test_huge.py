"""No file is slow to compare beyond measure, or takes memory without bounds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.compare.huge_cases import CASES, compare

HUGE = 20_000
"""Elements of a list; a quarter as many clips; the documents have up to 15 MB."""


@pytest.mark.parametrize("name", CASES)
def test_large_files_have_short_answers(name: str) -> None:
    """Some hundred elements, whatever happened to them, are told in a few lines of the right kind."""
    found = compare(name, 800)
    assert found.kind == CASES[name][1]
    assert 1 <= len(found.lines) <= 12
    assert all(len(line) < 1_000 for line in found.lines)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no limits for a process there")
@pytest.mark.parametrize("name", CASES)
def test_huge_files_take_seconds_and_bounded_memory(name: str) -> None:
    """20,000 elements, 10 MB, 5,000 clips: within 30 s of processor time and 1.2 GB, in a few lines."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.compare.huge_cases", name, str(HUGE)],
        capture_output=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr.decode()
    kind, lines = json.loads(done.stdout)
    assert kind == CASES[name][1]
    assert 1 <= len(lines) <= 12
