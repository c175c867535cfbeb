"""Remotes around remotes: trying again, counting requests, failing on purpose."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock
from typing import Any, BinaryIO, TypeVar

import msgspec

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


class RecordedRequest(msgspec.Struct, frozen=True):
    """One request that was made; `sent` and `received` count bytes of content."""

    verb: str
    name: str
    sent: int = 0
    received: int = 0


class RecordingRemote:
    """Notes every request, so that a test can say how many there may be."""

    def __init__(self, inner: RemoteStorage) -> None:
        self.inner = inner
        self.location = inner.location
        self.pack_bytes = inner.pack_bytes
        self.create_checked = None
        self.requests: list[RecordedRequest] = []

    def load(self, name: str) -> RemoteFile:
        """See RangeReadable."""
        try:
            found = self.inner.load(name)
        except FileNotFoundError:
            self._note("load", name)
            raise
        self._note("load", name, received=len(found.data))
        return found

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See RangeReadable."""
        data = self.inner.read_range(name, offset, length)
        self._note("read_range", name, received=len(data))
        return data

    def size(self, name: str) -> int | None:
        """See RangeReadable."""
        self._note("size", name)
        return self.inner.size(name)

    def list(self, folder: str) -> list[RemoteEntry]:
        """See Listable."""
        self._note("list", folder)
        return self.inner.list(folder)

    def create(self, name: str, source: BinaryIO, *, progress: Progress = SILENT) -> int:
        """See Creatable."""
        size, arrived = source.seek(0, 2), 0
        try:
            arrived = self.inner.create(name, source, progress=progress)
        finally:
            self._note("create", name, sent=size - arrived)
        return arrived

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """See Swappable."""
        self._note("swap", name, sent=len(data))
        return self.inner.swap(name, data, token)

    def delete(self, name: str) -> None:
        """See RemoteStorage."""
        self._note("delete", name)
        self.inner.delete(name)

    def close(self) -> None:
        """See RangeReadable."""
        self.inner.close()

    def count(self) -> int:
        """Count the requests that there were."""
        return len(self.requests)

    def by_verb(self) -> Counter[str]:
        """Count the requests of each kind."""
        return Counter(request.verb for request in self.requests)

    def sent(self) -> int:
        """Return the bytes of content that went there."""
        return sum(request.sent for request in self.requests)

    def received(self) -> int:
        """Return the bytes of content that came from there."""
        return sum(request.received for request in self.requests)

    def _note(self, verb: str, name: str, *, sent: int = 0, received: int = 0) -> None:
        self.requests.append(RecordedRequest(verb, name, sent, received))


class FaultyRemote:
    """Fails on purpose, to show what the code around it survives.

    - `fail_at`: numbers of the requests (from 1) that fail before they are carried out.
    - `lose_at`: numbers of the requests that are carried out and whose answer is lost.
    - `listing`: changes what `list` returns: empty, partial or stale.
    - `reading`: changes what `read_range` and `load` return: cut off, or with flipped bits.
    """

    def __init__(
        self,
        inner: RemoteStorage,
        *,
        fail_at: Sequence[int] = (),
        lose_at: Sequence[int] = (),
        listing: Callable[[list[RemoteEntry]], list[RemoteEntry]] | None = None,
        reading: Callable[[str, bytes], bytes] | None = None,
    ) -> None:
        self.inner = inner
        self.location = inner.location
        self.pack_bytes = inner.pack_bytes
        self.create_checked = None
        self.calls = 0
        self._fail_at = frozenset(fail_at)
        self._lose_at = frozenset(lose_at)
        self._listing = listing
        self._reading = reading
        self._lock = Lock()

    def load(self, name: str) -> RemoteFile:
        """See RangeReadable."""
        found = self._run("load", name, self.inner.load, name)
        return found if self._reading is None else RemoteFile(self._reading(name, found.data), found.token)

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See RangeReadable."""
        data = self._run("read", name, self.inner.read_range, name, offset, length)
        return data if self._reading is None else self._reading(name, data)

    def size(self, name: str) -> int | None:
        """See RangeReadable."""
        return self._run("measure", name, self.inner.size, name)

    def list(self, folder: str) -> list[RemoteEntry]:
        """See Listable."""
        found = self._run("list", folder, self.inner.list, folder)
        return found if self._listing is None else self._listing(found)

    def create(self, name: str, source: BinaryIO, *, progress: Progress = SILENT) -> int:
        """See Creatable."""
        return self._run("create", name, partial(self.inner.create, progress=progress), name, source)

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """See Swappable."""
        return self._run("swap", name, self.inner.swap, name, data, token)

    def delete(self, name: str) -> None:
        """See RemoteStorage."""
        self._run("delete", name, self.inner.delete, name)

    def close(self) -> None:
        """See RangeReadable."""
        self.inner.close()

    def _run(self, verb: str, name: str, request: Callable[..., T], *values: Any) -> T:
        with self._lock:
            self.calls += 1
            number = self.calls
        if number in self._fail_at:
            raise RemoteUnreachable(self.location, f"request {number} ({verb} {name}) was made to fail")
        answer = request(*values)
        if number in self._lose_at:
            raise RemoteUnreachable(self.location, f"the answer to request {number} ({verb} {name}) was lost")
        return answer
