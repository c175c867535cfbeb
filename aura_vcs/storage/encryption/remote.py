"""A remote whose keeper can read nothing: a wrapper that seals names and contents of all files.

Everything lies in one folder under sealed names. Whatever the place does to the files (changes,
cuts, swaps them, shows an old one under another name) is RemoteCorrupt here; that it shows an
older state of everything is for the caller to see, as with any remote (`RemoteRewound`).

A range costs one request, and one more for the head of a file that was not looked at before.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.integrity import UnsafePath
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.base import check_storage_name
from aura_vcs.storage.encryption.cipher import (
    HEAD_BYTES,
    SEALED_SEGMENT_BYTES,
    SEGMENT_BYTES,
    FileKey,
    Keys,
    SealedStream,
    Unsealable,
    open_segments,
    plain_size,
    seal,
)
from aura_vcs.storage.remotes.base import RemoteEntry, RemoteFile, RemoteStorage, check_range
from aura_vcs.storage.resumable_upload import PART_BYTES

MANIFEST_RESERVE = "sealed"
"""Where sealed files lie."""


class EncryptedRemote:
    """Seals what goes to `inner` and opens what comes from there."""

    def __init__(self, inner: RemoteStorage, keys: Keys) -> None:
        self.inner = inner
        self.location = inner.location
        self.pack_bytes = inner.pack_bytes
        self.create_checked = None  # `check` would see what is behind it
        self._keys = keys
        self._files: dict[str, FileKey] = {}
        """Keys of files that were looked at; replaced when a file turns out to be another one."""

    def load(self, name: str) -> RemoteFile:
        """See RangeReadable."""
        with self._named(name) as sealed:
            found = self.inner.load(sealed)
        with self._opening(name):
            file = self._keys.file(name, found.data)
            data = b"".join(open_segments(file, 0, found.data[HEAD_BYTES:], ends=True))
        return RemoteFile(data, found.token)

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See RangeReadable. Whole segments come, and one byte more: it tells whether the file ends there."""
        check_range(offset, length)
        if length == 0:
            if self.size(name) is None:
                raise FileNotFoundError(name)
            return b""
        file = self._files.get(name)
        if file is not None:
            try:
                return self._read(name, offset, length, file)
            except Unsealable:
                self._files.pop(name, None)  # deleted and made anew since? It is looked at afresh, once
        with self._opening(name):
            return self._read(name, offset, length, None)

    def _read(self, name: str, offset: int, length: int, file: FileKey | None) -> bytes:
        first, last = offset // SEGMENT_BYTES, (offset + length - 1) // SEGMENT_BYTES
        start, wanted = HEAD_BYTES + first * SEALED_SEGMENT_BYTES, (last + 1 - first) * SEALED_SEGMENT_BYTES
        with self._named(name) as sealed:
            if file is None and first == 0:
                found = self.inner.read_range(sealed, 0, HEAD_BYTES + wanted + 1)
                file, found = self._keys.file(name, found), found[HEAD_BYTES:]
            else:
                file = file or self._keys.file(name, self.inner.read_range(sealed, 0, HEAD_BYTES))
                found = self.inner.read_range(sealed, start, wanted + 1)
        if len(found) > wanted + 1:
            raise Unsealable("more came than was asked for")
        if not found:
            self._check_end(name, file, offset)
            return b""
        parts = open_segments(file, first, found[:wanted], ends=len(found) <= wanted)
        self._files[name] = file
        skipped = offset - first * SEGMENT_BYTES
        return b"".join(parts)[skipped : skipped + length]

    def _check_end(self, name: str, file: FileKey, offset: int) -> None:
        """Check that the file ends before `offset`, where nothing came."""
        with self._named(name) as sealed:
            size = self.inner.size(sealed)
            if size is None:
                raise FileNotFoundError(name)
            number = max(0, plain_size(size) - 1) // SEGMENT_BYTES
            found = self.inner.read_range(sealed, HEAD_BYTES + number * SEALED_SEGMENT_BYTES, SEALED_SEGMENT_BYTES)
        if number * SEGMENT_BYTES + len(open_segments(file, number, found, ends=True)[0]) > offset:
            raise Unsealable("a part of it was kept back")

    def size(self, name: str) -> int | None:
        """See RangeReadable. As the place says; what is read of the file is verified."""
        with self._named(name) as sealed:
            size = self.inner.size(sealed)
        with self._opening(name):
            return None if size is None else plain_size(size)

    def list(self, folder: str) -> list[RemoteEntry]:
        """See Listable. Files that were not sealed with this key are nobody's and are not listed.

        Of a file that was cut to a size that no sealed file has, the size is 0.
        """
        start = f"{check_storage_name(folder)}/"
        found = []
        for entry in self.inner.list(MANIFEST_RESERVE):
            try:
                name = self._keys.open_name(entry.name.rpartition("/")[2])
            except Unsealable:
                continue
            if name.startswith(start) and "/" not in name[len(start) :]:
                found.append(RemoteEntry(name, _listed_size(entry)))
        return sorted(found, key=lambda entry: entry.name)

    def create(self, name: str, source: BinaryIO, *, progress: Progress = SILENT) -> int:
        """See Creatable. Sealed while it is sent.

        A file of PART_BYTES or more is sealed alike however often it is sent, so that it can be gone on with.

        Raises:
            StorageError: the file here does not read the same twice.
        """
        if source.seek(0, os.SEEK_END) >= PART_BYTES:
            file, pinned = self._keys.same_file(name, source)
            stream = SealedStream(source, file, pinned)
        else:
            file = self._keys.new_file(name)
            stream = SealedStream(source, file)
        with self._named(name) as sealed:
            arrived = self.inner.create(sealed, stream, progress=progress)  # type: ignore[arg-type]  # it reads and seeks
        self._files[name] = file
        return arrived

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """See Swappable."""
        with self._named(name) as sealed:
            token = self.inner.swap(sealed, seal(self._keys.new_file(name), data), token)
        self._files.pop(name, None)
        return token

    def delete(self, name: str) -> None:
        """See RemoteStorage."""
        with self._named(name) as sealed:
            self.inner.delete(sealed)
        self._files.pop(name, None)

    def close(self) -> None:
        """See RangeReadable."""
        self.inner.close()

    @contextmanager
    def _named(self, name: str) -> Iterator[str]:
        """Yield the sealed name at the remote; errors speak of the plain name here."""
        try:
            sealed = f"{MANIFEST_RESERVE}/{self._keys.seal_name(check_storage_name(name))}"
        except ValueError as error:
            raise UnsafePath(name, str(error)) from error
        try:
            yield sealed
        except FileNotFoundError as error:
            raise FileNotFoundError(name) from error
        except FileExistsError as error:
            raise FileExistsError(name) from error
        except RefMoved as error:
            raise RefMoved(f"{self.location}/{name}", error.expected, error.actual) from error

    @contextmanager
    def _opening(self, name: str) -> Iterator[None]:
        try:
            yield
        except Unsealable as error:
            raise RemoteCorrupt(
                self.location, f"{name} is not as it was sealed: it was changed there, cut off, or swapped ({error})"
            ) from error


def _listed_size(entry: RemoteEntry) -> int:
    try:
        return plain_size(entry.size)
    except Unsealable:
        return 0
