"""The fixture project, in memory and for changing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.formats.jsondoc.edit import set_value
from aura_vcs.history.sources.content_source import FolderSource
from hypothesis import HealthCheck, settings

from tests.helpers.memory_source import MemorySource

SOLAR_SYSTEM = Path(__file__).parent.parent.parent / "fixtures" / "solar-system"

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Property tests judge results, not the speed of a busy machine."""


@pytest.fixture(scope="session")
def solar_files() -> dict[str, bytes]:
    """Every file of the fixture project by name."""
    source = FolderSource(SOLAR_SYSTEM)
    files = {}
    for name in source.names():
        with source.open(name) as stream:
            files[name] = stream.read()
    return files


@pytest.fixture
def changed(solar_files: dict[str, bytes]) -> Callable[..., MemorySource]:
    """The fixture with values set by file and pointer, and files put or (None) taken away."""

    def change(
        values: dict[tuple[str, str], Any] | None = None, files: dict[str, bytes | None] | None = None
    ) -> MemorySource:
        made: dict[str, bytes | None] = {**solar_files, **(files or {})}
        for (name, pointer), value in (values or {}).items():
            made[name] = set_value(made[name] or b"", pointer, value)
        return MemorySource({name: data for name, data in made.items() if data is not None})

    return change
