"""Fixtures of all tests of remotes."""

from collections.abc import Iterator

import pytest

from . import machines


@pytest.fixture(autouse=True)
def _close_projects() -> Iterator[None]:
    """Every project that a test opened lets go of its files."""
    yield
    while machines.OPENED:
        machines.OPENED.pop().close()
