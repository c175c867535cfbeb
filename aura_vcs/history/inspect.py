"""The raw side of a project: objects, refs and index rows as they are stored."""

from typing import Any

import msgspec

from aura_vcs import layout
from aura_vcs.codec import decode_record
from aura_vcs.errors.input import UnknownName
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.lookup.content import find_object
from aura_vcs.ids import VersionId
from aura_vcs.index.records import ObjectRecord
from aura_vcs.index.table_dump import table_rows, table_sizes
from aura_vcs.model import Kind
from aura_vcs.objects.base import PackLocation
from aura_vcs.repository.repository import Repository
from aura_vcs.suggestions import suggest

ENTRIES_SHOWN = 1000


class InspectedObject(msgspec.Struct, frozen=True, rename={"location": "place"}):
    """An object: its row in the index, its place on disk, whether it is whole, and what it holds.

    `path` is the file it lies in; `location` where in that, for a pack. `damage` is empty if its bytes
    hash to its id. `content` is the tree or version, decoded; None for files.
    """

    record: ObjectRecord
    path: str | None
    location: PackLocation | None
    damage: str
    content: Any = None


class InspectedRef(msgspec.Struct, frozen=True):
    """A ref: its name, its file below `.aura`, and its JSON."""

    name: str
    path: str
    content: Any


def inspect_object(repo: Repository, prefix: str) -> InspectedObject:
    """Describe the object whose id begins with `prefix`.

    Raises:
        UnknownName, InputError: none or several begin so.
    """
    record = find_object(repo, prefix)
    loose = repo.store.loose.find(record.id)
    place = repo.store.location(record.id) if loose is None else None
    path = loose[0] if loose is not None else layout.pack_path(place.pack) if place is not None else None
    damage = ""
    content: Any = None
    try:
        repo.store.verify(record.id, Kind(record.kind))
        if record.kind == Kind.TREE:
            content = repo.trees.tree(record.id).entries[:ENTRIES_SHOWN]
        elif record.kind == Kind.VERSION:
            content = repo.trees.version(VersionId(record.id))
    except IntegrityError as error:
        damage = error.message
    return InspectedObject(record, path, place, damage, content)


def inspect_refs(repo: Repository, start: str = "") -> list[InspectedRef]:
    """List the refs whose name (`branches/…`, `tags/…`, `versions/…`) begins with `start`, as their files have them."""
    found = []
    for path in repo.refs.paths():
        name = path.removeprefix(f"{layout.REFS}/").removesuffix(".json")
        if not name.startswith(start):
            continue
        try:
            content = decode_record(repo.storage.read(path), dict[str, Any], path)
        except (IntegrityError, FileNotFoundError) as error:
            content = {"unreadable": str(error)}
        found.append(InspectedRef(name, path, content))
    return found


def inspect_table(repo: Repository, table: str, limit: int) -> list[dict[str, Any]]:
    """Read rows of a table of the index, by column; bytes in hexadecimal.

    Raises:
        UnknownName: there is no such table.
    """
    known = table_sizes(repo.index)
    if table not in known:
        raise UnknownName("table", table, suggest(table, known), hint=f"There are: {', '.join(known)}.")
    return table_rows(repo.index, table, limit)
