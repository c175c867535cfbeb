"""Stored objects, refs and the index as they are, for finding out what went wrong; changes nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from aura_vcs.api.jsons import Json
from aura_vcs.api.opened import Part
from aura_vcs.api.reporting import NO_CALL
from aura_vcs.api.values import moment, path_or_none
from aura_vcs.history import inspect
from aura_vcs.history.lookup.blob_versions import find_holding_versions
from aura_vcs.history.lookup.content import find_object
from aura_vcs.index.table_dump import table_sizes
from aura_vcs.model import Kind
from aura_vcs.plain_text import parse_time
from aura_vcs.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class ObjectDetails:
    """An object of the store: `kind` is "blob", "tree", "version" or "chunk"; `file` is below `.aura`.

    `damage` is "" if its bytes hash to its id. `content` is a tree or version as JSON.
    """

    id: str
    kind: str
    size: int
    stored_bytes: int
    references: int
    file: Path | None
    damage: str
    content: Json


@dataclass(frozen=True, slots=True)
class StoredContent:
    """A content, which is stored once: `references` counts folders that hold it, `versions` live versions."""

    id: str
    type: str | None
    size: int
    stored_bytes: int
    references: int
    versions: int
    newest_version_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredRef:
    """A ref as it is stored: its name, its file below `.aura`, and its JSON."""

    name: str
    file: Path
    content: Json


class Debug(Part):
    """What is stored in `.aura`."""

    def object(self, id: str) -> ObjectDetails:  # noqa: A002  # as everything has it
        """Find the object whose id begins with `id`, and read and hash it.

        Raises:
            UnknownName, InputError: the id of no object, or of several, begins so.
        """
        return self._opened.run(NO_CALL, _object, id)

    def read(self, id: str) -> Iterator[bytes]:  # noqa: A002  # as everything has it
        """Yield the bytes of the object whose id begins with `id`, verified while they are read."""
        return self._opened.run(NO_CALL, _stream, id)

    def contents(
        self,
        *,
        type: str | None = None,  # noqa: A002  # as they have it
        sort: Literal["referenced", "count", "size"] = "referenced",
        limit: int = 50,
    ) -> list[StoredContent]:
        """List stored contents: of a type (`Brief`, `Asset` …), by when or how often referenced, or by size."""
        return self._opened.run(NO_CALL, _contents, type, sort, limit)

    def refs(self, start: str = "") -> list[StoredRef]:
        """List the refs whose name (`branches/…`, `tags/…`, `versions/…`) begins with `start`."""
        return self._opened.run(NO_CALL, _refs, start)

    def tables(self) -> Mapping[str, int]:
        """Return how many rows each table of the index has."""
        return self._opened.run(NO_CALL, _tables)

    def rows(self, table: str, *, limit: int = 20) -> list[Mapping[str, Json]]:
        """Return rows of a table of the index, by column; bytes in hexadecimal.

        Raises:
            UnknownName: there is no such table.
        """
        return self._opened.run(NO_CALL, _rows, table, limit)


def _object(repo: Repository, prefix: str) -> ObjectDetails:
    found = inspect.inspect_object(repo, prefix)
    record, content = found.record, msgspec.to_builtins(found.content)
    return ObjectDetails(
        record.id,
        record.kind,
        record.size,
        record.stored_size,
        record.refcount,
        path_or_none(found.path),
        found.damage,
        content,
    )


def _stream(repo: Repository, prefix: str) -> Iterator[bytes]:
    found = find_object(repo, prefix)
    return iter(repo.store.stream(found.id, Kind(found.kind)))


def _contents(
    repo: Repository, type_: str | None, sort: Literal["referenced", "count", "size"], limit: int
) -> list[StoredContent]:
    found = repo.queries.blobs(type_=type_, sort=sort, limit=limit)
    held = find_holding_versions(repo, [record.id for record in found])
    return [
        StoredContent(
            record.id,
            record.content_type,
            record.size,
            record.stored_size,
            record.refcount,
            held[record.id].versions if record.id in held else 0,
            moment(held[record.id].last_at) if record.id in held else None,
            parse_time(record.created_at),
        )
        for record in found
    ]


def _refs(repo: Repository, start: str) -> list[StoredRef]:
    return [StoredRef(ref.name, Path(ref.path), ref.content) for ref in inspect.inspect_refs(repo, start)]


def _tables(repo: Repository) -> Mapping[str, int]:
    return table_sizes(repo.index)


def _rows(repo: Repository, table: str, limit: int) -> list[Mapping[str, Json]]:
    found: list[Mapping[str, Json]] = list(inspect.inspect_table(repo, table, limit))
    return found
