"""Clips that the tests of this folder share: each is made once."""

from collections.abc import Callable
from pathlib import Path

import pytest
from aura_vcs.media import probe


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Gives the path of a clip by its name; made by a function the first time."""
    if not probe.can_look_into():
        pytest.skip("the extra 'media' is not installed")
    folder = tmp_path_factory.mktemp("clips")

    def clip(name: str, make: Callable[[Path], object]) -> Path:
        path = folder / name
        if not path.exists():
            make(path)
        return path

    return clip
