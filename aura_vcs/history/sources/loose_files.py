"""Files of no project as the two sides of a comparison: they are read where they lie, and never written."""

import os
from typing import BinaryIO

from blake3 import blake3

from aura_vcs.errors.input import UnknownName
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.history.sources.comparison import CONTENT_LIMIT, COPY_BYTES
from aura_vcs.ids import ObjectId
from aura_vcs.model import Entry, EntryKind

BUNDLES = ("Info.fcpxml", "content.otio")
"""What a folder that is one document for its editor (`.fcpxmld`, `.otiod`) has its timeline in."""


def find_document(path: str) -> str:
    """Return the file that a path names: of a folder that is one document, the timeline in it.

    Raises:
        UnknownName: there is nothing, or a folder with no document in it.
    """
    if os.path.isdir(path):
        for name in BUNDLES:
            if os.path.isfile(os.path.join(path, name)):
                return os.path.join(path, name)
    if not os.path.isfile(path):
        hint = "It is a folder. Name two files." if os.path.isdir(path) else "Paths are relative to where you are."
        raise UnknownName("file", path, hint=hint)
    return path


class LooseFile:
    """One side: a file, whatever path is asked for."""

    def __init__(self, path: str) -> None:
        self._path = path

    def entry(self) -> Entry:
        """Return what it is: its content's id and size.

        Raises:
            FileUnreadable.
        """
        hasher, size = blake3(), 0
        with self._open() as file:
            while data := file.read(COPY_BYTES):
                hasher.update(data)
                size += len(data)
        return Entry(os.path.basename(self._path), EntryKind.FILE, ObjectId(hasher.hexdigest()), size)

    def read(self, _path: str, entry: Entry) -> bytes | None:
        """See Contents."""
        if entry.size > CONTENT_LIMIT:
            return None
        with self._open() as file:
            return file.read(CONTENT_LIMIT)

    def open(self, _path: str, _entry: Entry) -> BinaryIO:
        """See Contents."""
        return self._open()

    def copy(self, _path: str, entry: Entry, target: BinaryIO) -> None:
        """See Contents."""
        left = entry.size
        with self._open() as file:
            while left > 0 and (data := file.read(min(left, COPY_BYTES))):
                target.write(data)
                left -= len(data)

    def _open(self) -> BinaryIO:
        try:
            return open(self._path, "rb")
        except OSError as error:
            raise FileUnreadable(self._path, error.strerror or str(error)) from error
