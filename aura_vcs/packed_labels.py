"""Many labels in one immutable file, named by its hash: `refs/versions/<hash>.labels`."""

from collections.abc import Iterable
from typing import TypeVar

from blake3 import blake3

from aura_vcs import layout
from aura_vcs.codec import decode_record, encode_compact
from aura_vcs.compression import THOROUGH_LEVEL, NotDecodable, compress, decompress
from aura_vcs.errors.stored import RecordCorrupt
from aura_vcs.ids import VersionId, is_object_id
from aura_vcs.model import Label
from aura_vcs.storage.base import Writable

T = TypeVar("T")

PACKED_LIMIT = 256 << 20
"""Decoded bytes of the largest file of packed labels."""


class PackedLabels:
    """The files of packed labels in a project. What was read is kept: a file never changes."""

    def __init__(self, storage: Writable) -> None:
        self._storage = storage
        self._known: dict[str, dict[VersionId, Label]] = {}

    def files(self) -> list[str]:
        """Their names in `refs/versions`."""
        return [file for file in self._storage.list(layout.VERSIONS) if file.endswith(layout.PACKED_LABELS)]

    def labels(self, file: str) -> dict[VersionId, Label]:
        """The labels of a file; none if it is damaged, which fsck reports."""
        if file not in self._known:
            try:
                self._known[file] = self.read(file)
            except (FileNotFoundError, RecordCorrupt):
                return {}
        return self._known[file]

    def read(self, file: str) -> dict[VersionId, Label]:
        """The labels of a file, read again.

        Raises:
            RecordCorrupt: it is damaged.
            FileNotFoundError: it is gone.
        """
        path = f"{layout.VERSIONS}/{file}"
        try:
            content = decompress(self._storage.read(path), limit=PACKED_LIMIT)
        except NotDecodable as error:
            raise RecordCorrupt(path, f"it does not decode ({error})") from error
        if blake3(content).hexdigest() != file.removesuffix(layout.PACKED_LABELS):
            raise RecordCorrupt(path, "its content does not hash to its name")
        labels = [decode_ref(line, Label, path) for line in content.splitlines()]
        return {label.version: label for label in labels}

    def put(self, labels: Iterable[Label]) -> None:
        """Keep labels in one more file, which is durable when this returns."""
        lines = [encode_compact(label) for label in sorted(labels, key=lambda label: label.version)]
        content = b"\n".join(lines) + b"\n"
        self._storage.put(layout.packed_labels(blake3(content).hexdigest()), compress(content, THOROUGH_LEVEL))


def decode_ref(data: bytes, shape: type[T], path: str) -> T:
    """The ref, which stands on an object id or on nothing.

    Raises:
        RecordCorrupt: it is no such ref.
    """
    record = decode_record(data, shape, path)
    version = getattr(record, "version", None)
    if version is not None and not is_object_id(version):
        raise RecordCorrupt(path, f"{version[:80]!r} is not the id of a version")
    return record
