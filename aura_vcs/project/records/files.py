"""Records of checkpoints and exports: one JSON file each in a folder of refs, and rows for queries.

Files are written without the index: a renderer saves checkpoints from several threads. The index
follows when it is asked, told by the folder's date; a date of a moment ago is not trusted.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec

from aura_vcs.codec import decode_record, encode_compact, encode_record
from aura_vcs.errors.input import UnknownName
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.index.entities import Entities
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.local import LocalStorage

T = TypeVar("T", bound=msgspec.Struct)

RACY_NS = 2_000_000_000
"""A folder's date younger than this may be shared by two changes."""


class WithId(Protocol):
    """What has an id."""

    @property
    def id(self) -> str:
        """Return it."""


R = TypeVar("R", bound=WithId)
Columns = Callable[[Any], Mapping[str, Any]]
"""The columns of a record's row besides file, stamp and record."""


def load_record(storage: LocalStorage, path: str, shape: type[T]) -> T | None:
    """Load the record in a file; None if it is absent or unreadable."""
    try:
        return decode_record(storage.read(path), shape, path)
    except (FileNotFoundError, RecordCorrupt):
        return None


def with_prefix(records: Iterable[R], prefix: str, what: str, listed_by: str) -> R:
    """Return the record whose id begins with `prefix`; `what` it is, and the command that lists them, are for errors.

    Raises:
        UnknownName: none does, or several.
    """
    found = [record for record in records if prefix and record.id.startswith(prefix.lower())]
    if len(found) != 1:
        raise UnknownName(what, prefix, hint="Give more digits of the id." if found else f"`{listed_by}` shows them.")
    return found[0]


def put_record(storage: LocalStorage, path: str, record: msgspec.Struct) -> None:
    """Replace the record's file, durably."""
    storage.put(path, encode_record(record))


def indexed(repo: Repository, table: str, folder: str, shape: type[msgspec.Struct], columns: Columns) -> Entities:
    """Update the index's rows of `table` from the files of `folder`; return the index's entities."""
    entities = Entities(repo.index)
    found = repo.storage.stat(folder)
    stamp = "" if found is None else str(found.mtime_ns)
    if entities.meta(table) == stamp:
        return entities
    stable = found is None or time.time_ns() - found.mtime_ns > RACY_NS
    known = entities.record_stamps(table)
    changed: dict[str, Mapping[str, Any]] = {}
    names = [name for name in repo.storage.list(folder) if name.endswith(".json")]
    for name in names:
        seen = repo.storage.stat(f"{folder}/{name}")
        file_stamp = "" if seen is None else f"{seen.mtime_ns}.{seen.size}"
        record = None if known.get(name) == file_stamp else load_record(repo.storage, f"{folder}/{name}", shape)
        if record is not None:
            changed[name] = {**columns(record), "stamp": file_stamp, "record": encode_compact(record)}
    entities.update_records(table, changed, sorted(known.keys() - set(names)), stamp if stable else "young")
    return entities
