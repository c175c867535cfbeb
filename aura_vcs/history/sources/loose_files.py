"""Files of no project as sources of content: they are read where they lie, and never written."""

import os
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from blake3 import blake3

from aura_vcs.errors.input import UnknownName
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.history.sources.content_source import CONTENT_LIMIT, ContentSource, file_pieces
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
    """A source of one file, whatever path is asked for. Links to it are followed."""

    def __init__(self, path: str) -> None:
        self._path = path

    def entry(self) -> Entry:
        """Return what it is: its content's id and size.

        Raises:
            FileUnreadable.
        """
        return entry_of_file(self, os.path.basename(self._path))

    def names(self) -> Sequence[str]:
        """List its name."""
        return [os.path.basename(self._path)]

    def open(self, _path: str, _entry: Entry | None = None) -> BinaryIO:
        """See ContentSource."""
        try:
            return open(self._path, "rb")
        except OSError as error:
            raise FileUnreadable(self._path, error.strerror or str(error)) from error

    def pieces(self, path: str, entry: Entry | None = None) -> Iterator[bytes]:
        """See ContentSource. At most the bytes that the entry has: a file may grow for ever."""
        with self.open(path) as file:
            yield from file_pieces(file, entry)

    def read(self, path: str, entry: Entry) -> bytes | None:
        """See ContentSource."""
        if entry.size > CONTENT_LIMIT:
            return None
        with self.open(path) as file:
            return file.read(CONTENT_LIMIT)


def entry_of_file(source: ContentSource, path: str) -> Entry:
    """Read a file to know what it is: its content's id and size.

    Raises:
        FileUnreadable.
    """
    hasher, size = blake3(), 0
    for data in source.pieces(path):
        hasher.update(data)
        size += len(data)
    return Entry(path.rpartition("/")[2], EntryKind.FILE, ObjectId(hasher.hexdigest()), size)
