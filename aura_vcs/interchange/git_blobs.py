"""Files and links of git become ours: each is converted once, however many trees have it."""

import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import closing
from errno import EIO
from itertools import islice
from typing import BinaryIO

import msgspec

from aura_vcs.errors.interchange import GitDamaged
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.ids import Bytes, ObjectId, blob_id
from aura_vcs.interchange.git_objects import LFS_POINTER_LIMIT, LINK, LfsPointer, parse_pointer
from aura_vcs.interchange.git_reader import ObjectReader, ObjectStream
from aura_vcs.interchange.lfs_server import LfsServer, WebContent
from aura_vcs.model import Kind
from aura_vcs.objects.batch import Batch
from aura_vcs.objects.chunking import LARGE_BYTES

LINK_BYTES_LIMIT = 1 << 16
BLOB_BYTES_LIMIT = 1 << 43

AHEAD_GROUP = 64
"""So many blobs are read before the limit is looked at."""


class Content(msgspec.Struct, frozen=True, gc=False):
    """What an object of git became here; `size` in bytes."""

    id: ObjectId
    size: int


Left = Callable[[str, str], None]
"""Told of each path that could not be taken, and why."""


class BlobImport:
    """Converts blobs, and the content of Git LFS in place of its pointers.

    `batch` is where what is new goes; it may be exchanged between two commits. `lfs_server` finds the server for
    content that `lfs_folder` does not have; None, it is left.
    """

    def __init__(
        self,
        objects: ObjectReader,
        lfs_folder: str | None,
        left: Left,
        lfs_server: Callable[[], LfsServer | None] | None = None,
    ) -> None:
        self.batch: Batch
        self._objects = objects
        self._lfs_folder = lfs_folder
        self._lfs_server = lfs_server
        self._left = left
        self._wanted: list[tuple[str, str, LfsPointer]] = []
        self._missing: set[str] = set()
        self.known: dict[bytes, Content] = {}
        """What blobs became, by git's binary ids."""
        self.damaged: dict[bytes, str] = {}
        """Why blobs cannot be read, by git's binary ids."""
        self.bytes = 0
        """Of content that was read."""
        self.pointers = 0
        """Of Git LFS, which were taken in place of their content."""

    def store(self, new: Mapping[str, tuple[str, int]], limit: int | None = None) -> None:
        """Store blobs: by git's id, a path of theirs and a mode. Ends when `limit` bytes were read, if that is given.

        Those that git cannot read are in `damaged` then.

        Raises:
            What servers of Git LFS raise.
        """
        waiting, end = iter(new), None if limit is None else self.bytes + limit
        while group := list(islice(waiting, None if end is None else AHEAD_GROUP)):
            with closing(self._objects.ask(group)) as answers:
                for git_id, stream in answers:
                    key = bytes.fromhex(git_id)
                    try:
                        self.known[key] = self._blob(git_id, stream, *new[git_id])
                    except GitDamaged as error:
                        self.damaged[key] = error.reason
            if self._wanted:
                self._fetch()
            if end is not None and self.bytes >= end:
                return

    def _blob(self, git_id: str, stream: ObjectStream | None, path: str, kind: int) -> Content:
        if stream is None:
            raise GitDamaged(f"blob {git_id}", "it is missing or damaged")
        if stream.kind != "blob" or stream.size > (LINK_BYTES_LIMIT if kind == LINK else BLOB_BYTES_LIMIT):
            raise GitDamaged(f"blob {git_id}", f"it is a {stream.kind} of {stream.size:,} bytes")
        self.bytes += stream.size
        if stream.size >= LARGE_BYTES:
            return Content(self._large(StreamSource(path, stream.size, stream), path), stream.size)
        data = stream.read()
        pointer = parse_pointer(data) if kind != LINK and len(data) < LFS_POINTER_LIMIT else None
        if pointer is not None and self._lfs_folder is not None:
            if (found := self._lfs(pointer, path)) is not None:
                return found
            self._wanted.append((stream.id, path, pointer))
        return Content(self.batch.add(Kind.BLOB, data, path), len(data))

    def _large(self, source: "StreamSource", path: str) -> ObjectId:
        for _, object_id in self.batch.add_sources([source]):
            if object_id is not None:
                return object_id
        raise GitDamaged(f"content of {path}", "it is damaged")

    def _lfs(self, pointer: LfsPointer, path: str) -> Content | None:
        """Store the content that a pointer of Git LFS stands for; None if it is not here."""
        assert self._lfs_folder is not None
        name = os.path.join(self._lfs_folder, pointer.oid[:2], pointer.oid[2:4], pointer.oid)
        file = _open_regular(name, pointer.size)
        if file is None:
            return None
        with file:
            return self._checked(file, pointer, path)

    def _checked(self, file: "BinaryIO | WebContent", pointer: LfsPointer, path: str) -> Content | None:
        """Store content of Git LFS; None, which is told, if it does not hash to its name."""
        stream = HashedFile(file, pointer.oid)
        source = StreamSource(path, pointer.size, stream)
        self.bytes += pointer.size
        try:
            if pointer.size < LARGE_BYTES:
                data = stream.read(pointer.size)
                stream.check()
                return Content(self.batch.add(Kind.BLOB, data, path), len(data))
            return Content(self._large(source, path), pointer.size)
        except _WrongContent:
            self._tell_missing(path, pointer, "its content does not hash to its name")
            return None

    def _fetch(self) -> None:
        """Fetch the content that is not here, where that was asked for; what does not come is told."""
        wanted, self._wanted = self._wanted, []
        if self._lfs_server is None:
            for _, path, pointer in wanted:
                self._tell_missing(path, pointer, "its content is not in the repository's lfs/objects")
            return
        server = self._lfs_server()
        if server is None:
            for _, path, pointer in wanted:
                self._tell_missing(path, pointer, "its content is not here, and the repository names no server")
            return
        places = {pointer.oid: (git_id, path) for git_id, path, pointer in wanted}
        for pointer, body in server.fetch(list({pointer.oid: pointer for *_, pointer in wanted}.values())):
            git_id, path = places[pointer.oid]
            if body is None:
                self._tell_missing(path, pointer, f"{server.host} does not have its content")
            elif (found := self._checked(body, pointer, path)) is not None:
                self.known[bytes.fromhex(git_id)] = found

    def _tell_missing(self, path: str, pointer: LfsPointer, reason: str) -> None:
        if pointer.oid not in self._missing:
            self._missing.add(pointer.oid)
            self.pointers += 1
            self._left(path, f"Git LFS: {reason}; the pointer was taken")


class _WrongContent(Exception):
    """Content does not hash to what it is called."""


class HashedFile:
    """A file of Git LFS that is read once, and checked when all of it was."""

    def __init__(self, file: BinaryIO | WebContent, oid: str) -> None:
        self._file, self._oid = file, oid
        self._hash = hashlib.sha256()

    def read(self, count: int) -> bytes:
        """Return at most so many bytes; none at the end."""
        data = self._file.read(count)
        self._hash.update(data)
        return data

    def check(self) -> None:
        """Refuse what does not hash to its name."""
        if self._hash.hexdigest() != self._oid:
            raise _WrongContent


class StreamSource:
    """Content that comes once, from its beginning to its end; see objects.base.FileToStore."""

    is_unstable = False

    def __init__(self, path: str, size: int, stream: "ObjectStream | HashedFile") -> None:
        self.path, self.size, self.stream = path, size, stream
        self.fault: FileUnreadable | None = None

    def read(self) -> tuple[Bytes, ObjectId] | None:
        """See FileToStore."""
        data = self.stream.read(self.size)
        return data, blob_id(data)

    def open(self) -> BinaryIO:
        """See FileToStore."""
        return _Opened(self.stream)  # type: ignore[return-value]  # it reads, and that is all that is asked of it

    def is_unchanged(self, file: BinaryIO) -> bool:  # noqa: ARG002 (protocol)
        """See FileToStore."""
        return True

    def was_stable(self, file: BinaryIO, read_bytes: int) -> bool:  # noqa: ARG002 (protocol)
        """See FileToStore."""
        if isinstance(self.stream, HashedFile):
            self.stream.check()
        return read_bytes == self.size


class _Opened:
    """A stream as a file: where git cannot go on, it fails as a file on a damaged disk does."""

    def __init__(self, stream: "ObjectStream | HashedFile") -> None:
        self._stream = stream

    def __enter__(self) -> "_Opened":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def read(self, count: int) -> bytes:
        """Return at most so many bytes; none at the end."""
        try:
            return self._stream.read(count)
        except GitDamaged as error:
            raise OSError(EIO, error.reason) from error


def _open_regular(path: str, size: int) -> BinaryIO | None:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        fd = os.open(path, flags)
    except OSError:
        return None
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode) or found.st_size != size:
        os.close(fd)
        return None
    return open(fd, "rb")
