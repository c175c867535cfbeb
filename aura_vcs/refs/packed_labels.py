"""Many refs of one kind in one immutable file, named by its hash: `refs/versions/<hash>.labels` and the like."""

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from blake3 import blake3

from aura_vcs import layout
from aura_vcs.codec import NUMBER_LIMIT, decode_record, encode_compact
from aura_vcs.compression import THOROUGH_LEVEL, NotDecodable, compress, decompress
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.ids import ID_LENGTH, ReplicaId, is_object_id, is_replica_id
from aura_vcs.model import Annotation, BranchEntry, Label, Tag
from aura_vcs.storage.base import Writable

T = TypeVar("T")
R = TypeVar("R", Label, Annotation)

STAMP_LIMIT = 1 << 40
"""Nobody makes so many changes: a higher counter would be above all that come later, and is not believed."""
PACKED_LIMIT = 256 << 20
"""Decoded bytes of the largest file of packed labels."""


class PackedRecords(Generic[R]):
    """Files of many records in one folder, named by their hashes. What was read is kept: a file never changes."""

    def __init__(self, storage: Writable, folder: str, suffix: str, shape: type[R]) -> None:
        self._storage = storage
        self._folder, self._suffix = folder, suffix
        self._shape: type[R] = shape
        self._known: dict[str, dict[str, R]] = {}

    def files(self) -> list[str]:
        """Their names in the folder."""
        return [file for file in self._storage.list(self._folder) if file.endswith(self._suffix)]

    def records(self, file: str) -> dict[str, R]:
        """Return the records of a file; none if it is damaged, which fsck reports."""
        if file not in self._known:
            try:
                self._known[file] = self.read(file)
            except (FileNotFoundError, RecordCorrupt):
                return {}
        return self._known[file]

    def read(self, file: str) -> dict[str, R]:
        """Read the records of a file anew, by what they are about.

        Raises:
            RecordCorrupt: it is damaged.
            FileNotFoundError: it is gone.
        """
        path = f"{self._folder}/{file}"
        try:
            content = decompress(self._storage.read(path), limit=PACKED_LIMIT)
        except NotDecodable as error:
            raise RecordCorrupt(path, f"it does not decode ({error})") from error
        if blake3(content).hexdigest() != file[:ID_LENGTH]:  # a tool may have added to the name of a copy
            raise RecordCorrupt(path, "its content does not hash to its name")
        records = [decode_ref(line, self._shape, path) for line in content.splitlines()]
        return {_subject(record): record for record in records}

    def put(self, records: Iterable[R]) -> None:
        """Keep records in one more file, which is durable when this returns."""
        lines = [encode_compact(record) for record in sorted(records, key=_subject)]
        content = b"\n".join(lines) + b"\n"
        path = layout.packed_refs(self._folder, blake3(content).hexdigest(), self._suffix)
        self._storage.put(path, compress(content, THOROUGH_LEVEL))


def _subject(record: Label | Annotation) -> str:
    return record.version if isinstance(record, Label) else record.id


class PackedLabels(PackedRecords[Label]):
    """The files of packed labels in a project."""

    def __init__(self, storage: Writable) -> None:
        super().__init__(storage, layout.VERSIONS, layout.PACKED_LABELS, Label)

    def labels(self, file: str) -> dict[str, Label]:
        """Return the labels of a file by their versions; none if it is damaged, which fsck reports."""
        return self.records(file)


def decode_ref(data: bytes, shape: type[T], path: str) -> T:
    """Decode a ref that stands on an object id or on nothing; refuse counters that nobody can have come to.

    Raises:
        RecordCorrupt: it is no such ref.
    """
    record = decode_record(data, shape, path)
    if isinstance(record, BranchEntry):
        check_entry(record, path)
        return record
    version = getattr(record, "version", None)
    if version is not None and not is_object_id(version):
        raise RecordCorrupt(path, f"{version[:80]!r} is not the id of a version")
    for counter, _ in _stamps(record):
        if not 0 <= counter <= STAMP_LIMIT:
            raise RecordCorrupt(path, "nobody has changed it so often as it says")
    if isinstance(record, Tag) and not is_proper_seen(record.seen or {}, STAMP_LIMIT):
        raise RecordCorrupt(path, "what it has seen is not valid")
    return record


def _stamps(record: object) -> list[tuple[int, ReplicaId]]:
    """List the stamps of a ref that has any."""
    if isinstance(record, Label):
        return list(record.stamps.values())
    if isinstance(record, Annotation):
        return [field.stamp for field in record.fields.values()]
    return [record.stamp] if isinstance(record, Tag) else []


def is_proper_seen(seen: Mapping[ReplicaId, int], limit: int) -> bool:
    """Check that replicas are named properly and that none of their counters exceeds the limit."""
    return all(is_replica_id(replica) and 0 <= counter <= limit for replica, counter in seen.items())


def check_entry(entry: BranchEntry, path: str) -> None:
    """Refuse an entry of a branch that no replica writes.

    Raises:
        RecordCorrupt: a replica is not named properly, or a counter is none.
    """
    proper = is_replica_id(entry.replica) and all(map(is_replica_id, entry.seen))
    if not proper or not 0 < entry.counter <= NUMBER_LIMIT:
        raise RecordCorrupt(path, "its replicas or its counter are not valid")
    if entry.version is not None and not is_object_id(entry.version):
        raise RecordCorrupt(path, f"{entry.version[:80]!r} is not the id of a version")
    if entry.seen and not 0 <= min(entry.seen.values()) <= max(entry.seen.values()) <= NUMBER_LIMIT:
        raise RecordCorrupt(path, "what it has seen is not valid")
