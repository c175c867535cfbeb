"""The probe finds every kind of liar, whenever it is asked, and accuses no honest server."""

import io
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Lock
from typing import BinaryIO

import pytest
from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.remotes import RemoteUnreachable
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.remotes.retry import RetryingRemote
from aura_vcs.storage.testing.faulty_remote import FaultyRemote
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.remotes.probe import WRITERS, probe

from .kinds import MAKERS
from .machines import folder_remote


class Ignoring(MemoryRemote):
    """Answers yes to every condition, and overwrites."""

    def create(self, name: str, source: BinaryIO, *, progress: Progress = SILENT) -> int:
        """It never refuses."""
        self.delete(name)
        return super().create(name, source)

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """It never refuses."""
        current = self.load(name).token if self.size(name) is not None else None
        return super().swap(name, data, current)


class Looking(Ignoring):
    """Looks whether it may, and writes then: as many as meet there are all told yes."""

    def __init__(self, *, creates: bool, swaps: bool) -> None:
        super().__init__()
        self._looks = {"create": creates, "swap": swaps}
        self._met = Barrier(WRITERS)

    def _look(self, verb: str, data: bytes, *, stale: bool) -> bool:
        """Whether to go on; where it lies, a racing writer waits until the others have looked too."""
        if not stale and self._looks[verb] and data.startswith(b"writer"):
            self._met.wait(60)
        return not stale

    def create(self, name: str, source: BinaryIO, *, progress: Progress = SILENT) -> int:
        """It looks, and writes later."""
        if not self._look("create", source.read(), stale=self.size(name) is not None):
            raise FileExistsError(name)
        return super().create(name, source) if self._looks["create"] else MemoryRemote.create(self, name, source)

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """It looks, and writes later."""
        current = self.load(name).token if self.size(name) is not None else None
        if not self._look("swap", data, stale=current != token):
            raise RefMoved(name, str(token), str(current))
        return super().swap(name, data, token) if self._looks["swap"] else MemoryRemote.swap(self, name, data, token)


class Carrying(MemoryRemote):
    """Refuses, and writes all the same."""

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """It says no and means yes."""
        try:
            return super().swap(name, data, token)
        except RefMoved:
            super().swap(name, data, self.load(name).token)
            raise


class Muddled(MemoryRemote):
    """Sends other parts of files than were asked for."""

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Always from the beginning."""
        return super().read_range(name, 0, length)


class Forgetting(MemoryRemote):
    """Honest, but the answer to whoever won is lost, and a client below asks again and is refused."""

    def create(self, name: str, source: BinaryIO, *, progress: Progress = SILENT) -> int:
        """Done, and told otherwise."""
        super().create(name, source)
        if source.seek(0, io.SEEK_END) > 1000:
            raise FileExistsError(name)
        return 0


class Busy(MemoryRemote):
    """Honest, and refuses all but one, or all, of those that come at once (S3 does, with 409)."""

    def __init__(self) -> None:
        super().__init__()
        self._busy = Lock()

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """Whoever finds it busy is refused."""
        if not self._busy.acquire(blocking=False):
            raise RefMoved(name, str(token), "busy")
        try:
            return super().swap(name, data, token)
        finally:
            self._busy.release()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Ignoring, "not in any more"),
        (lambda: Looking(creates=True, swaps=False), "created one file at once"),
        (lambda: Looking(creates=False, swaps=True), "moved one ref at once"),
        (Carrying, "was carried out"),
        (Muddled, "not what was asked for"),
    ],
    ids=["ignoring", "looking at names", "looking at states", "carrying out", "muddled"],
)
def test_every_liar_is_found(make: Callable[[], MemoryRemote], words: str) -> None:
    """Each kind of lie is found and named, and nothing stays behind."""
    remote = make()
    finding = probe(remote)
    assert not finding.is_safe
    assert words in " ".join(finding.faults)
    assert remote.list("probe") == []


@pytest.mark.parametrize("kind", ["memory", "recording", "retrying over faults", "encrypted over faults"])
def test_no_honest_remote_is_accused(kind: str, tmp_path: Path) -> None:
    """Also over a line that loses requests and answers; nothing stays behind."""
    remote = MAKERS[kind](tmp_path)
    assert probe(remote).faults == ()
    assert remote.list("probe") == []


@pytest.mark.parametrize("make", [Forgetting, Busy])
def test_a_race_that_nobody_won_proves_nothing(make: Callable[[], MemoryRemote]) -> None:
    """A lost answer, and a server that refuses all who come at once, are no lies."""
    assert probe(make()).faults == ()


def test_a_folder_is_honest(tmp_path: Path) -> None:
    """The lock of the operating system keeps writers apart."""
    assert probe(folder_remote(tmp_path / "remote")).faults == ()


def test_a_line_that_is_cut_in_a_race_ends_the_probe() -> None:
    """Nobody waits for writers that do not come."""
    inner = MemoryRemote()
    with pytest.raises(RemoteUnreachable):
        probe(RetryingRemote(FaultyRemote(inner, fail_at=range(14, 400)), pauses_seconds=(), sleep=lambda _: None))
