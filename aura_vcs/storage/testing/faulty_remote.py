"""Remotes around remotes: counting requests, failing on purpose."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock
from typing import Any, BinaryIO, TypeVar

import msgspec

from aura_vcs.errors.remotes import RemoteUnreachable
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.remotes.base import RemoteEntry, RemoteFile, RemoteStorage

T = TypeVar("T")


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
