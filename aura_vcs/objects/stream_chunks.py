"""Where the deflate streams of large files lie that are to be chunks of their own, whatever the files come from."""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.formats.deflate.containers import is_container
from aura_vcs.formats.deflate.stream_places import stream_places
from aura_vcs.objects.base import FileToStore
from aura_vcs.objects.chunking import Stretches

HEAD_BYTES, COPY_BYTES = 4, 1 << 20
COPIED_BYTES = 64 << 20
"""A larger gzip file or ZIP archive that comes as a stream is cut as it comes."""


class _Behind:
    """A stream of which the first bytes have been read already."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    def read(self, count: int) -> bytes:
        """Return at most so many bytes; none at the end."""
        if not self._head:
            return self._stream.read(count)
        found, self._head = self._head[:count], self._head[count:]
        return found


@contextmanager
def with_places(source: FileToStore, file: BinaryIO) -> Iterator[BinaryIO]:
    """Give a large file as one that is read from any place, if it is one in which `find_streams` may find something.

    What comes as a stream, as from git or out of a ZIP, is copied for that; nothing is left of the copy.

    Raises:
        FileUnreadable: it cannot be read.
    """
    if isinstance(file, io.FileIO | io.BufferedReader):
        yield file
        return
    head = _read(source, file, HEAD_BYTES)
    if source.size > COPIED_BYTES or not is_container(head):
        yield _Behind(head, file)  # type: ignore[misc]  # it reads, and that is all that is asked of it
        return
    with tempfile.TemporaryFile() as copy:
        while head and copy.tell() <= source.size:
            copy.write(head)
            head = _read(source, file, COPY_BYTES)
        copy.seek(0)
        yield copy


def _read(source: FileToStore, file: BinaryIO, count: int) -> bytes:
    try:
        return file.read(count)
    except OSError as error:
        raise FileUnreadable(source.path, error.strerror or str(error), error.errno or 0) from error


def find_streams(source: FileToStore, file: BinaryIO) -> Stretches:
    """Find the deflate streams of a large file that are worth a chunk of their own: a collection takes those apart.

    The file stands at its beginning before and after. Only of files on a disk (see `with_places`). Should one be
    written meanwhile, it is cut elsewhere, no more.

    Raises:
        FileUnreadable: it cannot be read.
    """
    if not isinstance(file, io.FileIO | io.BufferedReader | io.BufferedRandom):
        return ()
    try:
        found = stream_places(file)
        file.seek(0)
    except OSError as error:
        raise FileUnreadable(source.path, error.strerror or str(error), error.errno or 0) from error
    return found
