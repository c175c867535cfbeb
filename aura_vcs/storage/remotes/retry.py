"""A remote around a remote that tries again."""

import random
import time
from collections.abc import Callable, Sequence
from typing import BinaryIO, TypeVar

from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.remotes import RemoteUnreachable
from aura_vcs.progress import SILENT, Progress, Silent
from aura_vcs.storage.remotes.base import RemoteEntry, RemoteFile, RemoteStorage

T = TypeVar("T")

FURTHER_BYTES = 1 << 20
"""An attempt that sent so much more than those before was worth it."""
PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0)


class RetryingRemote:
    """Tries again what could not be reached, with growing pauses that are spread by chance.

    A request whose answer was lost may have been carried out: a `create` or `swap` that fails at a
    later attempt is looked at, and counts as done if the remote holds exactly our bytes.
    """

    def __init__(
        self,
        inner: RemoteStorage,
        *,
        pauses_seconds: Sequence[float] = PAUSES_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.inner = inner
        self.location = inner.location
        self.pack_bytes = inner.pack_bytes
        self.create_checked = None
        self._pauses = pauses_seconds
        self._sleep = sleep

    def load(self, name: str) -> RemoteFile:
        """See RangeReadable."""
        return self._again(lambda: self.inner.load(name))

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See RangeReadable."""
        return self._again(lambda: self.inner.read_range(name, offset, length))

    def size(self, name: str) -> int | None:
        """See RangeReadable."""
        return self._again(lambda: self.inner.size(name))

    def list(self, folder: str) -> list[RemoteEntry]:
        """See Listable."""
        return self._again(lambda: self.inner.list(folder))

    def create(self, name: str, source: BinaryIO, *, progress: Progress = SILENT) -> int:
        """See Creatable. Attempts that got further than those before do not count: on a line that breaks
        often, a large file arrives piece by piece.
        """
        lost, attempt, counting = False, 0, _ProgressOnce(progress)
        while True:
            try:
                return self.inner.create(name, source, progress=counting)
            except FileExistsError:
                if lost and self._holds(name, source):
                    return 0
                raise
            except RemoteUnreachable:
                lost = True
                attempt = 0 if counting.again() >= FURTHER_BYTES else attempt
                if attempt == len(self._pauses):
                    raise
                self._pause(self._pauses[attempt])
                attempt += 1

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """See Swappable."""
        lost = False
        for pause in (*self._pauses, None):
            try:
                return self.inner.swap(name, data, token)
            except RefMoved:
                if lost and (found := self._loaded(name)) is not None and found.data == data:
                    return found.token
                raise
            except RemoteUnreachable:
                lost = True
                if pause is None:
                    raise
                self._pause(pause)
        raise AssertionError("the last attempt returns or raises")

    def delete(self, name: str) -> None:
        """See RemoteStorage."""
        self._again(lambda: self.inner.delete(name))

    def close(self) -> None:
        """See RangeReadable."""
        self.inner.close()

    def _again(self, request: Callable[[], T]) -> T:
        for pause in self._pauses:
            try:
                return request()
            except RemoteUnreachable:
                self._pause(pause)
        return request()

    def _pause(self, seconds: float) -> None:
        self._sleep(seconds * random.uniform(0.5, 1.5))  # noqa: S311 (spreads machines, guards nothing)

    def _loaded(self, name: str) -> RemoteFile | None:
        try:
            return self.load(name)
        except FileNotFoundError:
            return None

    def _holds(self, name: str, source: BinaryIO) -> bool:
        """Tell whether the remote's file is byte for byte ours."""
        size = source.seek(0, 2)
        if self.size(name) != size:
            return False
        source.seek(0)
        offset = 0
        while data := source.read(4 << 20):
            if self.read_range(name, offset, len(data)) != data:
                return False
            offset += len(data)
        return True


class _ProgressOnce(Silent):
    """Counts each byte once, however often it was sent."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._at = 0
        self._furthest = 0
        self._before = 0

    def advance(self, amount: int) -> None:
        """See Progress."""
        self._at += amount
        if self._at > self._furthest:
            fresh, self._furthest = self._at - self._furthest, self._at
            self._progress.advance(fresh)

    def again(self) -> int:
        """Begin again; returns how much further the last attempt got than all before."""
        further, self._before, self._at = self._furthest - self._before, self._furthest, 0
        return further
