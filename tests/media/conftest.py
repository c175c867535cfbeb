"""Clips that the tests of this folder share: each is made once."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from aura_vcs.formats.media.index_entry import MediaEntry, read_entry
from aura_vcs.media.build_entries import FileToIndex, build_entries, can_look_into

Maker = Callable[[Path], object]


class Shelf:
    """Clips by name, and what the media index would have of them; all are looked at by one process."""

    def __init__(self, folder: Path, makers: dict[str, Maker]) -> None:
        self._folder = folder
        self._entries: dict[str, MediaEntry] = {}
        for name, make in makers.items():
            if not self.path(name).exists():
                make(self.path(name))
        names = list(makers)
        with ExitStack() as stack:
            files = [FileToIndex(stack.enter_context(self.path(name).open("rb")), name, name) for name in names]
            for one, result in build_entries(files, threads=2):
                assert isinstance(result, bytes), result
                entry = read_entry(result, one.name)
                assert not entry.head.partial, f"{one.name}: {entry.head.partial}"
                self._entries[one.name] = entry

    def path(self, name: str) -> Path:
        """Return where the clip lies."""
        return self._folder / name

    def __getitem__(self, name: str) -> MediaEntry:
        return self._entries[name]


@pytest.fixture(scope="session")
def clips_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all clips lie."""
    if not can_look_into():
        pytest.skip("the extra 'media' is not installed")
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="session")
def clips(clips_folder: Path) -> Callable[[str, Maker], Path]:
    """Gives the path of a clip by its name; made by a function the first time."""

    def clip(name: str, make: Maker) -> Path:
        path = clips_folder / name
        if not path.exists():
            make(path)
        return path

    return clip


@pytest.fixture(scope="session")
def make_shelf(clips_folder: Path) -> Callable[[dict[str, Maker]], Shelf]:
    """Makes clips and looks at them."""
    return lambda makers: Shelf(clips_folder, makers)
