"""Bytes to structs and back: the encoding of objects, refs and operations.

Objects (trees, versions) are canonical JSON: sorted keys, no spaces, UTF-8; they are hashed.
A decoder accepts only what the encoder would write, so one object has one id.
Other records are JSON that ignores fields it does not know.
"""

from collections.abc import Sequence
from operator import lt
from typing import Any, TypeVar

import msgspec
from blake3 import blake3

from aura_vcs import ids
from aura_vcs.errors.integrity import LimitExceeded, ObjectMalformed, RecordCorrupt
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.layout import are_entry_names, check_entry_name
from aura_vcs.model import DOCUMENTS, Entry, EntryKind, Operation, Tree, Version, VersionType
from aura_vcs.plain_text import name_bytes
from aura_vcs.progress import hold_back

T = TypeVar("T")
R = TypeVar("R", bound=msgspec.Struct)

TREE_ENTRY_LIMIT = 1_000_000
NAME_BYTES_LIMIT = 4096
TREE_BYTES_LIMIT = 256 << 20
NUMBER_LIMIT = (1 << 53) - 1
"""The largest size, number or sequence: what JSON readers everywhere keep exact."""
EXTRA_LIMIT = 1 << 20
"""Characters of all keys and texts of a version's extra data."""
CHECK_LENGTH = 32
RECORD_CHECK_LENGTH = 16
"""Hexadecimal digits of an operation's checksum (128 bits of BLAKE3)."""
_CHECK = b',"check":"'


class StoredEntry(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """An entry as a tree's JSON has it.

    `raw` holds the bytes of a name that is not UTF-8, in hexadecimal; `name` is then how it reads,
    with U+FFFD for each byte that is not.
    """

    id: ObjectId
    kind: EntryKind
    name: str
    size: int
    executable: bool = False
    raw: str = ""


class StoredTree(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tree as its JSON has it."""

    entries: list[StoredEntry]


class StoredChild(msgspec.Struct, frozen=True, gc=False):
    """Of an entry, what tells where else to look."""

    id: ObjectId
    kind: EntryKind


class StoredChildren(msgspec.Struct, frozen=True):
    """Of a tree, what it holds."""

    entries: list[StoredChild]


class StoredVersion(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A version as its JSON has it; every key is always there but `extra`, which few have."""

    author: str
    created_at: str
    description: str
    documents: dict[str, ObjectId | None]
    name: str
    number: int
    parents: list[VersionId]
    project: str
    size: int
    tree: ObjectId
    trigger: str | None
    type: VersionType
    extra: dict[str, str] = {}


_canonical = msgspec.json.Encoder(order="sorted")
_plain = msgspec.json.Encoder()


class _Decoders(dict[Any, Any]):
    """The decoders of records, each made when it is first needed: making all takes as long as importing a module."""

    def __missing__(self, kind: Any) -> Any:
        with hold_back():  # msgspec runs Python code to look at a type, and crashes where that is interrupted
            self[kind] = msgspec.json.Decoder(kind)
        return self[kind]


_decoders = _Decoders()


def encode_tree(tree: Tree) -> tuple[ObjectId, bytes]:
    """Encode a tree whose entries are sorted as canonical JSON; return its id and the JSON.

    Raises:
        LimitExceeded: more entries or bytes than `decode_tree` would take.
    """
    if len(tree.entries) > TREE_ENTRY_LIMIT:
        raise LimitExceeded("The number of files in one folder", TREE_ENTRY_LIMIT)
    if "".join([e.name for e in tree.entries]).isascii():  # as in nearly every tree
        entries = [StoredEntry(e.id, e.kind, e.name, e.size, e.executable) for e in tree.entries]
    else:
        entries = [_store_entry(entry) for entry in tree.entries]
    data = _canonical.encode(StoredTree(entries))
    if len(data) > TREE_BYTES_LIMIT:
        raise LimitExceeded("The bytes of one folder's list of names", TREE_BYTES_LIMIT)
    return ids.tree_id(data), data


def _store_entry(entry: Entry) -> StoredEntry:
    if entry.name.isascii() or entry.name.isprintable():
        return StoredEntry(entry.id, entry.kind, entry.name, entry.size, entry.executable)
    raw = name_bytes(entry.name)
    readable = raw.decode("utf-8", "replace")
    is_text = readable == entry.name
    return StoredEntry(entry.id, entry.kind, readable, entry.size, entry.executable, "" if is_text else raw.hex())


def decode_tree(data: bytes, object_id: ObjectId = ObjectId("")) -> Tree:
    """Decode the tree with this JSON.

    Raises:
        ObjectMalformed: not canonical, not sorted, or not a tree.
        UnsafePath: a name that no folder may hold.
        LimitExceeded: more entries, or longer names, than any folder has.
    """
    try:
        stored: StoredTree = _decoders[StoredTree].decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ObjectMalformed("Tree", object_id, str(error)) from error
    if len(stored.entries) > TREE_ENTRY_LIMIT:
        raise LimitExceeded(f"The number of entries of tree {object_id}", TREE_ENTRY_LIMIT)
    if len(data) <= TREE_BYTES_LIMIT and _is_plain(stored.entries) and _canonical.encode(stored) == data:
        return Tree(tuple([Entry(e.name, e.kind, e.id, e.size, e.executable) for e in stored.entries]))
    tree = Tree(tuple([_load_entry(entry, object_id) for entry in stored.entries]))
    previous = b""
    for entry in tree.entries:
        current = name_bytes(entry.name)
        if current <= previous:
            raise ObjectMalformed("Tree", object_id, f"{entry.name!r} is out of order or there twice")
        previous = current
    if encode_tree(tree)[1] != data:
        raise ObjectMalformed("Tree", object_id, "it is not canonical JSON")
    return tree


def _is_plain(entries: Sequence[StoredEntry]) -> bool:
    """Tell whether all entries are proper, in order and named in ASCII, as in nearly every tree: one check for all.

    The rest of `decode_tree` asks the same of each, and says what is wrong.
    """
    names = [entry.name for entry in entries]
    text = "".join(names)
    if not text.isascii() or "/" in text or "\0" in text or not all(map(lt, names, names[1:])):
        return False  # of ASCII, the order of letters is that of bytes
    if not all(names) or "".join([entry.raw for entry in entries]) or not are_entry_names(names):
        return False
    if max(map(len, names), default=0) > NAME_BYTES_LIMIT or not ids.are_object_ids([entry.id for entry in entries]):
        return False
    sizes = [entry.size for entry in entries]
    if entries and not 0 <= min(sizes) <= max(sizes) <= NUMBER_LIMIT:
        return False
    return {EntryKind.FILE}.issuperset([entry.kind for entry in entries if entry.executable])


def decode_children(data: bytes, object_id: ObjectId) -> list[StoredChild]:
    """Decode what a tree holds, names unread: for walks over all trees, whose bytes were hashed. Lays nothing out.

    Raises:
        ObjectMalformed: it is not a tree.
    """
    try:
        stored: StoredChildren = _decoders[StoredChildren].decode(data)
        return stored.entries
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ObjectMalformed("Tree", object_id, str(error)) from error


def _load_entry(stored: StoredEntry, object_id: ObjectId) -> Entry:
    name = stored.name
    if stored.raw:
        try:
            name = bytes.fromhex(stored.raw).decode("utf-8", "surrogateescape")
        except ValueError as error:
            raise ObjectMalformed("Tree", object_id, "a raw name is not hexadecimal") from error
    if len(name) > NAME_BYTES_LIMIT:
        raise LimitExceeded("The length of a file name", NAME_BYTES_LIMIT)
    if not ids.is_object_id(stored.id) or not 0 <= stored.size <= NUMBER_LIMIT:
        raise ObjectMalformed("Tree", object_id, f"the entry {name!r} has no valid id or size")
    if stored.executable and stored.kind is not EntryKind.FILE:
        raise ObjectMalformed("Tree", object_id, f"{name!r} is executable but not a file")
    return Entry(check_entry_name(name), stored.kind, stored.id, stored.size, stored.executable)


def encode_version(version: Version) -> tuple[VersionId, bytes]:
    """Encode a version as canonical JSON; return its id and the JSON.

    Raises:
        LimitExceeded: its number or size is beyond NUMBER_LIMIT, or its extra data beyond EXTRA_LIMIT.
    """
    if version.extra:
        _check_extra(version.extra)
    if max(version.number, version.size) > NUMBER_LIMIT:
        raise LimitExceeded("The number or size of a version", NUMBER_LIMIT)
    data = _canonical.encode(
        StoredVersion(
            author=version.author,
            created_at=version.created_at,
            description=version.description,
            documents=dict(zip(DOCUMENTS, map(version.documents.get, DOCUMENTS), strict=True)),
            name=version.name,
            number=version.number,
            parents=list(version.parents),
            project=version.project,
            size=version.size,
            tree=version.tree,
            trigger=version.trigger,
            type=version.type,
            extra=version.extra,
        )
    )
    return ids.version_id(data), data


def decode_version(data: bytes, object_id: ObjectId = ObjectId("")) -> Version:
    """Decode the version with this JSON.

    Raises:
        ObjectMalformed: not canonical, or not a version.
    """
    try:
        stored: StoredVersion = _decoders[StoredVersion].decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ObjectMalformed("Version", object_id, str(error)) from error
    named = [stored.tree, *stored.parents, *filter(None, stored.documents.values())]
    counted = 1 <= stored.number <= NUMBER_LIMIT and 0 <= stored.size <= NUMBER_LIMIT
    if not counted or "" in stored.documents.values() or not ids.are_object_ids(named):
        raise ObjectMalformed("Version", object_id, "its number, size or ids are not valid")
    if stored.extra:
        _check_extra(stored.extra)
    if stored.documents.keys() != set(DOCUMENTS) or _canonical.encode(stored) != data:
        raise ObjectMalformed("Version", object_id, "it is not canonical JSON")
    return Version(
        number=stored.number,
        parents=tuple(stored.parents),
        tree=stored.tree,
        type=stored.type,
        name=stored.name,
        description=stored.description,
        author=stored.author,
        created_at=stored.created_at,
        project=stored.project,
        documents=stored.documents,
        size=stored.size,
        trigger=stored.trigger,
        extra=stored.extra,
    )


def _check_extra(extra: dict[str, str]) -> None:
    """Refuse more extra data than a version may have.

    Raises:
        LimitExceeded.
    """
    if sum(len(key) + len(text) for key, text in extra.items()) > EXTRA_LIMIT:
        raise LimitExceeded("The extra data of a version", EXTRA_LIMIT)


def encode_record(record: Any) -> bytes:
    """JSON of a ref or settings file, readable by hand, one trailing newline."""
    return msgspec.json.format(_plain.encode(record), indent=1) + b"\n"


def encode_compact(record: Any) -> bytes:
    """JSON on one line."""
    return _plain.encode(record)


def decode_json(data: bytes | bytearray | str, shape: type[T]) -> T:
    """Decode JSON of that shape, with the errors of msgspec.

    Whoever decodes into a shape does it here: the first look at a type is not interrupted, see `_Decoders`.
    """
    found: T = _decoders[shape].decode(data)
    return found


def decode_packed(data: bytes | bytearray, shape: type[T]) -> T:
    """Decode MessagePack of that shape, with the errors of msgspec."""
    _decoders[shape]
    return msgspec.msgpack.decode(data, type=shape)


def convert(value: Any, shape: type[T]) -> T:
    """Convert dicts and lists to that shape, with the errors of msgspec."""
    _decoders[shape]
    return msgspec.convert(value, shape)


def decode_record(data: bytes, shape: type[T], path: str) -> T:
    """Decode the record of that shape; unknown fields are ignored.

    Raises:
        RecordCorrupt: it is no such record; names `path`.
    """
    try:
        found: T = _decoders[shape].decode(data)
        return found
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RecordCorrupt(path, str(error)) from error


def to_plain(record: Any) -> Any:
    """Convert the record to dicts, lists, strings and numbers."""
    return msgspec.to_builtins(record)


def from_plain(value: Any, shape: type[T], path: str) -> T:
    """Convert dicts and lists to the record of that shape.

    Raises:
        RecordCorrupt: it is no such record; names `path`.
    """
    try:
        _decoders[shape]  # looks at the type, once
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise RecordCorrupt(path, str(error)) from error


def with_checksum(record: R) -> R:
    """Return the record with the checksum of all else in its field `check`."""
    bare = msgspec.structs.replace(record, check="")
    return msgspec.structs.replace(record, check=ids.blob_id(encode_compact(bare))[:RECORD_CHECK_LENGTH])


def encode_operation(operation: Operation) -> bytes:
    """Encode one line of the log: the operation, its checksum as the last key, a newline."""
    body = _plain.encode(operation)[:-1]
    return body + _CHECK + blake3(body).hexdigest()[:CHECK_LENGTH].encode() + b'"}\n'


def decode_operation(line: bytes, path: str) -> Operation:
    """Decode the operation on a line of the log, without its newline.

    Raises:
        RecordCorrupt: the checksum does not fit, or it is not an operation.
    """
    body, found, tail = line.rpartition(_CHECK)
    expected = blake3(body).hexdigest()[:CHECK_LENGTH].encode() + b'"}'
    if not found or tail != expected:
        raise RecordCorrupt(path, "a line's checksum does not fit")
    try:
        operation: Operation = _decoders[Operation].decode(body + b"}")
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RecordCorrupt(path, str(error)) from error
    if not 1 <= operation.sequence <= NUMBER_LIMIT:
        raise RecordCorrupt(path, f"an operation with the impossible number {operation.sequence}")
    return operation
