"""Identities: what the names of objects are made of.

A blob's (and a chunk's) id is the plain BLAKE3-256 of its bytes, so `b3sum FILE` prints it.
Trees and versions hash in BLAKE3's derive-key mode, each under a context of its own: a file
whose bytes look like a tree never has a tree's id.
"""

import os
from collections.abc import Sequence
from typing import NewType

from blake3 import blake3

Bytes = bytes | bytearray | memoryview
"""Whatever holds bytes."""
ObjectId = NewType("ObjectId", str)
"""64 lower-case hexadecimal digits."""
VersionId = NewType("VersionId", ObjectId)
"""The id of a version object."""
ReplicaId = NewType("ReplicaId", str)
"""One copy of a project on one machine: 12 lower-case hexadecimal digits, chosen at random."""
OperationId = NewType("OperationId", str)
"""32 lower-case hexadecimal digits, chosen at random."""

ID_LENGTH = 64
TREE_CONTEXT = "aura_vcs 2026-11-23 tree"
VERSION_CONTEXT = "aura_vcs 2026-11-23 version"

_REPLICA_LENGTH = 12
_NOTE_LENGTH = 32
_DIGITS = "0123456789abcdef"


def is_object_id(text: str) -> bool:
    """Tell whether `text` is a full object id."""
    return len(text) == ID_LENGTH and not text.strip(_DIGITS)


def are_object_ids(texts: Sequence[str]) -> bool:
    """Tell whether all of them are full object ids; takes a tenth of the time of asking for each."""
    together = "".join(texts)
    try:
        return {*map(len, texts)} <= {ID_LENGTH} and bytes.fromhex(together).hex() == together
    except ValueError:
        return False


def is_replica_id(text: str) -> bool:
    """Tell whether `text` is the id of a replica."""
    return len(text) == _REPLICA_LENGTH and not text.strip(_DIGITS)


def is_note_id(text: str) -> bool:
    """Tell whether a note can have this id: it is written as that of an operation."""
    return len(text) == _NOTE_LENGTH and not text.strip(_DIGITS)


def blob_id(data: Bytes) -> ObjectId:
    """Compute the id of a blob or chunk with these bytes."""
    object_id: ObjectId = blake3(data).hexdigest()  # type: ignore[assignment]  # a NewType's call takes a tenth of it
    return object_id


def tree_id(data: Bytes) -> ObjectId:
    """Compute the id of a tree with this canonical JSON."""
    return ObjectId(blake3(data, derive_key_context=TREE_CONTEXT).hexdigest())


def version_id(data: Bytes) -> VersionId:
    """Compute the id of a version with this canonical JSON."""
    return VersionId(ObjectId(blake3(data, derive_key_context=VERSION_CONTEXT).hexdigest()))


def new_replica_id() -> ReplicaId:
    """Choose an id for a copy of a project."""
    return ReplicaId(os.urandom(6).hex())


def new_operation_id() -> OperationId:
    """Choose an id for an operation."""
    return OperationId(os.urandom(16).hex())


def new_note_id() -> str:
    """Choose an id for a note."""
    return os.urandom(16).hex()


def new_uuid() -> str:
    """Generate a random UUID (RFC 9562 version 4) in its usual spelling."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
