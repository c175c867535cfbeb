"""What the store hands out and asks for."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, BinaryIO, Protocol

import msgspec

from aura_vcs.codec import encode_tree
from aura_vcs.ids import Bytes, ObjectId, blob_id, tree_id, version_id
from aura_vcs.model import Kind, Tree

if TYPE_CHECKING:
    from aura_vcs.errors.worktree import FileUnreadable

BUFFER_BYTES = 1 << 20
"""How much of a stream is held at once."""
PAUSES_SECONDS = (0.03, 0.05, 0.2, 0.7, 1.3)
"""Between the rounds in which files that kept changing are read again."""
DOCUMENT_LIMIT = 256 << 20
"""Bytes of the largest tree or version that is read into memory."""
DEPTH_LIMIT = 256
"""Folders inside folders; deeper is not a project but an attack."""
EMPTY_TREE_ID: ObjectId = encode_tree(Tree(()))[0]


class PackLocation(msgspec.Struct, frozen=True, gc=False):
    """Where in a pack an object lies: the number of its frame, and its offset in the decoded frame."""

    pack: str
    frame: int
    offset: int
    length: int
    chunked: bool = False


class StoredObject(msgspec.Struct, frozen=True, gc=False):
    """An object that is in the store.

    `size` counts bytes of content, `stored_size` bytes on disk (for an object in a pack, its share
    of the frame). `location` is None for a loose object.
    """

    id: ObjectId
    kind: Kind
    size: int
    stored_size: int
    location: PackLocation | None = None


class LocationIndex(Protocol):
    """Knows where packed objects lie; the index does."""

    def find(self, object_id: ObjectId) -> PackLocation | None:
        """Find where the object lies, None if no known pack has it."""

    def find_many(self, object_ids: Iterable[ObjectId]) -> Mapping[ObjectId, PackLocation]:
        """Find where those lie that a known pack has."""

    def packs_of(self, object_ids: Iterable[ObjectId]) -> Mapping[str, set[ObjectId]]:
        """Group those that known packs have by the packs' names; quicker than `find_many`."""


class NoLocations:
    """Knows of no pack."""

    def find(self, object_id: ObjectId) -> PackLocation | None:  # noqa: ARG002 (protocol)
        """Return None: no pack is known."""
        return None

    def find_many(self, object_ids: Iterable[ObjectId]) -> Mapping[ObjectId, PackLocation]:  # noqa: ARG002 (protocol)
        """Return nothing: no pack is known."""
        return {}

    def packs_of(self, object_ids: Iterable[ObjectId]) -> Mapping[str, set[ObjectId]]:  # noqa: ARG002 (protocol)
        """Return nothing: no pack is known."""
        return {}


class FileToStore(Protocol):
    """A file to be stored, opened when its turn comes.

    `path` groups similar content; `size` is what it had when it was listed, in bytes. `fault` says
    why it could not be read.
    """

    path: str
    size: int
    fault: "FileUnreadable | None"
    is_unstable: bool
    """Whether the file, once it is open, is likely to change while it is read."""

    def read(self) -> tuple[Bytes, ObjectId] | None:
        """Read all of a small file, as it was at one moment, with its id; None if it kept changing.

        Raises FileUnreadable.
        """

    def open(self) -> BinaryIO:
        """Open the content of a large file. Raises FileUnreadable."""

    def is_unchanged(self, file: BinaryIO) -> bool:
        """Tell whether it is worth reading on: nothing has changed the file so far."""

    def was_stable(self, file: BinaryIO, read_bytes: int) -> bool:
        """Tell whether nothing changed the file while `read_bytes` were read from it."""


IDENTIFY: Mapping[Kind, Callable[[Bytes], ObjectId]] = {
    Kind.BLOB: blob_id,
    Kind.CHUNK: blob_id,
    Kind.TREE: tree_id,
    Kind.VERSION: version_id,
}
"""The id of content, by its kind."""
