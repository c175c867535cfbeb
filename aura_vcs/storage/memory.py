"""Bytes in memory: the strict twin of the other storages, for tests and for dry runs."""

import io
import time
from collections.abc import Iterable
from typing import BinaryIO

from aura_vcs.ids import Bytes
from aura_vcs.storage.base import FileStat, check_storage_name


class MemoryStorage:
    """Forgets everything when it goes; refuses whatever any other storage might."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._times: dict[str, int] = {}

    def open(self, name: str) -> BinaryIO:
        """See Readable."""
        return io.BytesIO(self.read(name))

    def read(self, name: str) -> bytes:
        """See Readable."""
        if check_storage_name(name) not in self.files:
            raise FileNotFoundError(name)
        return self.files[name]

    def stat(self, name: str) -> FileStat | None:
        """See Readable."""
        check_storage_name(name)
        if name in self.files:
            return FileStat(len(self.files[name]), self._times[name])
        inside = [self._times[n] for n in self.files if n.startswith(f"{name}/")]
        return FileStat(0, max(inside)) if inside else None

    def list(self, folder: str) -> list[str]:
        """See Readable."""
        prefix = f"{check_storage_name(folder)}/"
        return sorted({n[len(prefix) :].split("/", 1)[0] for n in self.files if n.startswith(prefix)})

    def put(self, name: str, data: bytes) -> None:
        """See Writable."""
        parts = check_storage_name(name).split("/")
        for depth in range(1, len(parts)):
            if "/".join(parts[:depth]) in self.files:
                raise NotADirectoryError(name)
        self.files[name] = bytes(data)
        self.touch(name)

    def upload(self) -> "MemoryUpload":
        """See Writable."""
        return MemoryUpload(self)

    def append(self, name: str, data: bytes, *, at: int, durable: bool = True) -> None:  # noqa: ARG002 (nothing here is)
        """See Writable."""
        before = self.files.get(check_storage_name(name), b"")
        if at > len(before):
            raise ValueError(f"cannot append to {name} at {at}: it ends at {len(before)}")
        self.put(name, before[:at] + data)

    def touch(self, name: str) -> None:
        """See Writable."""
        if check_storage_name(name) not in self.files:
            raise FileNotFoundError(name)
        self._times[name] = time.time_ns()

    def delete(self, name: str) -> None:
        """See Deletable."""
        self.files.pop(check_storage_name(name), None)
        self._times.pop(name, None)

    def delete_many(self, names: Iterable[str]) -> None:
        """See Deletable."""
        for name in names:
            self.delete(name)

    def delete_folder(self, name: str) -> None:
        """See Deletable: a folder without files is not there anyway."""
        check_storage_name(name)


class MemoryUpload:
    """See Upload."""

    def __init__(self, storage: MemoryStorage) -> None:
        self._storage = storage
        self._data: bytearray | None = bytearray()

    def write(self, data: Bytes) -> None:
        """See Upload."""
        if self._data is None:
            raise ValueError("the upload is over")
        self._data += data

    def publish(self, name: str) -> None:
        """See Upload."""
        if self._data is None:
            raise ValueError("the upload is over")
        self._storage.put(name, bytes(self._data))
        self._data = None

    def discard(self) -> None:
        """See Upload."""
        self._data = None
