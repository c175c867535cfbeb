"""Objects that are held and here, and could not be read: what they hold is not counted until they can be.

The index is right but for them. Some are noted; every command that opens the project tries to read one,
and if that works the index is built anew. So damage that stays costs one attempt, and no rebuild.
"""

import sqlite3
from collections.abc import Iterable

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.schema import HAS_ID, KIND_CODES
from aura_vcs.model import Kind
from aura_vcs.objects.store import ObjectStore
from aura_vcs.objects.trees import TreeReader

NOTED = 20
"""So many are noted: one that can be read again is reason enough to look at all."""


def noted_with(noted: str | None, unread: Iterable[ObjectId]) -> str:
    """Return the note with more objects."""
    known = (noted or "").split()
    known += sorted(set(unread).difference(known))
    return " ".join(known[:NOTED])


def is_readable(connection: sqlite3.Connection, store: ObjectStore, trees: TreeReader, noted: str) -> bool:
    """Tell whether the first of the noted objects can be read: a tree, or a blob's list of chunks."""
    object_id = ObjectId(noted.split(maxsplit=1)[0])
    row = connection.execute(f"SELECT kind FROM objects WHERE {HAS_ID}", (bytes.fromhex(object_id),)).fetchone()
    try:
        if row is None or row[0] == KIND_CODES[Kind.TREE]:
            trees.tree(object_id)
        elif row[0] == KIND_CODES[Kind.VERSION]:
            trees.version(VersionId(object_id))
        else:
            store.chunk_ids(object_id)
    except (IntegrityError, FileNotFoundError):
        return False
    return True
