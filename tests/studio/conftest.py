"""Studios in temporary folders."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs.studio.studio import Studio

FIXTURE = Path(__file__).parents[2] / "fixtures" / "solar-system"


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    """A studio whose folder does not exist yet."""
    with Studio(str(tmp_path / "studio"), user="mira") as opened:
        yield opened
