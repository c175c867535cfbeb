"""A remote in memory: the strict twin of the others, for tests."""

from threading import Lock
from typing import BinaryIO

from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.base import check_storage_name
from aura_vcs.storage.remotes.base import SMALL_BYTES, RemoteEntry, RemoteFile, check_range


class MemoryRemote:
    """Keeps files in a dict; tokens are never used twice, so an old one never fits again."""

    pack_bytes: int | None = None
    create_checked = None

    def __init__(self, place: str = "memory") -> None:
        self.location = place
        self.files: dict[str, tuple[bytes, str]] = {}
        self._count = 0
        self._lock = Lock()

    def load(self, name: str) -> RemoteFile:
        """See RangeReadable."""
        data, token = self._get(name)
        if len(data) > SMALL_BYTES:
            raise RemoteCorrupt(self.location, f"{name} has {len(data):,} bytes, more than such a file ever has")
        return RemoteFile(data, token)

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See RangeReadable."""
        check_range(offset, length)
        return self._get(name)[0][offset : offset + length]

    def size(self, name: str) -> int | None:
        """See RangeReadable."""
        found = self.files.get(check_storage_name(name))
        return None if found is None else len(found[0])

    def list(self, folder: str) -> list[RemoteEntry]:
        """See Listable."""
        prefix = f"{check_storage_name(folder)}/"
        with self._lock:
            names = sorted(n for n in self.files if n.startswith(prefix) and "/" not in n[len(prefix) :])
            return [RemoteEntry(name, len(self.files[name][0])) for name in names]

    def create(self, name: str, source: BinaryIO, *, progress: Progress = SILENT) -> int:
        """See Creatable."""
        source.seek(0)
        data = source.read()
        progress.advance(len(data))
        with self._lock:
            if check_storage_name(name) in self.files:
                raise FileExistsError(name)
            self._put(name, data)
        return 0

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """See Swappable."""
        with self._lock:
            found = self.files.get(check_storage_name(name))
            current = None if found is None else found[1]
            if current != token:
                raise RefMoved(f"{self.location}/{name}", token or "nothing", current or "nothing")
            return self._put(name, data)

    def delete(self, name: str) -> None:
        """See RemoteStorage."""
        with self._lock:
            self.files.pop(check_storage_name(name), None)

    def close(self) -> None:
        """Close nothing: there is nothing to let go of."""

    def _get(self, name: str) -> tuple[bytes, str]:
        found = self.files.get(check_storage_name(name))
        if found is None:
            raise FileNotFoundError(name)
        return found

    def _put(self, name: str, data: bytes) -> str:
        self._count += 1
        self.files[name] = (bytes(data), f"state-{self._count}")
        return self.files[name][1]
