"""Rows for scenes, assets, checkpoints and exports, and what is asked of them.

Scenes and assets follow the worktree, checkpoints and exports their refs; each row carries
the stamp (date and size) of the file it was made from. Like every row they may vanish at any time.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from aura_vcs.index.full_text import forget_words, put_words
from aura_vcs.index.index import Index
from aura_vcs.index.schema import RECORD_TABLES, statements


class SceneRow(msgspec.Struct, frozen=True):
    """What the index knows of a scene; `file` is the scene's document, relative to the project."""

    file: str
    id: str
    scene_index: int
    heading: str
    script_text: str
    audio_file_path: str | None
    image_file_path: str | None
    duration_seconds: float | None
    is_completed: bool
    created_at: str | None
    stamp: str = ""


class AssetRow(msgspec.Struct, frozen=True):
    """What the index knows of a media file; times are when the file was last written."""

    file_path: str
    asset_type: str
    mime_type: str
    file_size_bytes: int
    is_temporary: bool
    created_at: str
    stamp: str = ""


_SCENE = (
    "s.file, s.id, s.scene_index, s.heading, w.script, s.audio_file_path, s.image_file_path, s.duration_seconds, "
    "s.is_completed, s.created_at, s.stamp"
)
_SCENE_COLUMNS = (
    "file, id, scene_index, heading, audio_file_path, image_file_path, duration_seconds, is_completed, "
    "created_at, stamp"
)
_ASSET = "file_path, asset_type, mime_type, file_size_bytes, is_temporary, created_at, stamp"


class Entities:
    """Scenes, assets, checkpoints and exports of one index."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._connection: sqlite3.Connection = index.database.connection

    # Scenes

    def scenes(self) -> list[SceneRow]:
        """List all scenes in the order of the film."""
        rows = self._connection.execute(scenes_statement())
        return [_scene(row) for row in rows]

    def scenes_at(self, index: int) -> list[SceneRow]:
        """List the scene with an index: several where the documents disagree."""
        rows = self._connection.execute(scenes_statement("WHERE s.scene_index = ?"), (index,))
        return [_scene(row) for row in rows]

    # Assets

    def assets(self, *, type_: str | None = None, temporary: bool | None = None) -> list[AssetRow]:
        """List assets by path, of one type or all, temporary ones or not."""
        statement, values = assets_statement(type_=type_, temporary=temporary)
        return [_asset(row) for row in self._connection.execute(statement, values)]

    def stamps(self, table: str) -> dict[str, str]:
        """Return the stamp of every row of `scenes` or `assets`, by path."""
        column = {"scenes": "file", "assets": "file_path"}[table]
        return dict(self._connection.execute(f"SELECT {column}, stamp FROM {table}").fetchall())

    def update_folder(
        self,
        scenes: Iterable[SceneRow],
        gone_scenes: Iterable[str],
        assets: Iterable[AssetRow],
        gone_assets: Iterable[str],
        project: tuple[str, str, str] | None,
    ) -> None:
        """Enter what changed in the worktree; `project` is title, description and stamp."""
        with self._index.database.transaction() as connection:
            for file in gone_scenes:
                connection.execute("DELETE FROM scenes WHERE file = ?", (file,))
                forget_words(connection, f"scene/{file}")
            for row in scenes:
                connection.execute("DELETE FROM scenes WHERE file = ?", (row.file,))
                values = [value for name, value in msgspec.structs.asdict(row).items() if name != "script_text"]
                marks = ", ".join("?" * len(values))
                connection.execute(f"INSERT INTO scenes ({_SCENE_COLUMNS}) VALUES ({marks})", values)
                put_words(connection, f"scene/{row.file}", row.heading, "", row.script_text)
            connection.executemany("DELETE FROM assets WHERE file_path = ?", [(path,) for path in gone_assets])
            connection.executemany(
                f"INSERT OR REPLACE INTO assets ({_ASSET}) VALUES (?, ?, ?, ?, ?, ?, ?)", map(_values, assets)
            )
            if project is not None:
                put_words(connection, "project", project[0], project[1], "")
                connection.execute("INSERT OR REPLACE INTO meta VALUES ('project', ?)", (project[2],))

    def meta(self, key: str) -> str | None:
        """Return a note of the index."""
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    # Checkpoints and exports: rows hold the whole record as JSON

    def update_records(
        self, table: str, changed: Mapping[str, Mapping[str, Any]], gone: Iterable[str], stamp: str
    ) -> None:
        """Enter records of `checkpoints` or `exports` by their file; `stamp` is that of their folder."""
        with self._index.database.transaction() as connection:
            if changed and not self._has_records():
                for statement in statements(RECORD_TABLES):
                    connection.execute(statement)
            for file in gone:
                connection.execute(f"DELETE FROM {table} WHERE file = ?", (file,))
            for file, columns in changed.items():
                row = {"file": file, **columns}
                names, marks = ", ".join(row), ", ".join("?" * len(row))
                connection.execute(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", list(row.values()))
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (table, stamp))

    def record_stamps(self, table: str) -> dict[str, str]:
        """Return the stamp of every file behind `checkpoints` or `exports`."""
        if not self._has_records():
            return {}
        return dict(self._connection.execute(f"SELECT file, stamp FROM {table}").fetchall())

    def records(self, statement: str, values: Sequence[Any]) -> list[bytes]:
        """Return the records that a statement of this module finds."""
        return [row[0] for row in self._connection.execute(statement, values)] if self._has_records() else []

    def _has_records(self) -> bool:
        """Tell whether anything was ever entered of checkpoints or exports."""
        row = self._connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'checkpoints'").fetchone()
        return row is not None


def scenes_statement(where: str = "") -> str:
    """Build the SELECT for scenes."""
    return (
        f"SELECT {_SCENE} FROM scenes s LEFT JOIN word_rows r ON r.source = 'scene/' || s.file "
        f"LEFT JOIN words w ON w.rowid = r.id {where} ORDER BY s.scene_index, s.file"
    )


def assets_statement(*, type_: str | None = None, temporary: bool | None = None) -> tuple[str, list[Any]]:
    """Build the SELECT for assets, and its values."""
    parts, values = list[str](), list[Any]()
    if type_ is not None:
        parts.append("asset_type = ?")
        values.append(type_)
    if temporary is not None:
        parts.append("is_temporary" if temporary else "NOT is_temporary")
    where = f"WHERE {' AND '.join(parts)}" if parts else ""
    return f"SELECT {_ASSET} FROM assets {where} ORDER BY file_path", values


def checkpoints_statement(
    *, stage: str | None = None, job: str | None = None, valid: bool | None = None, limit: int = -1
) -> tuple[str, list[Any]]:
    """Build the SELECT for checkpoints, newest first, and its values."""
    parts, values = list[str](), list[Any]()
    for column, value in (("stage", stage), ("job", job)):
        if value is not None:
            parts.append(f"{column} = ?")
            values.append(value)
    if valid is not None:
        parts.append("valid = ?")
        values.append(int(valid))
    where = f"WHERE {' AND '.join(parts)}" if parts else ""
    order = "time" if parts else "file"  # whose names sort by time, and need no index besides
    return f"SELECT record FROM checkpoints {where} ORDER BY {order} DESC LIMIT ?", [*values, limit]


def exports_statement(
    *, status: str | None = None, since: str | None = None, until: str | None = None, limit: int = -1, offset: int = 0
) -> tuple[str, list[Any]]:
    """Build the SELECT for exports, newest first, and its values; times in RFC 3339."""
    chosen = (("status = ?", status), ("created_at >= ?", since), ("created_at <= ?", until))
    parts = [part for part, value in chosen if value is not None]
    values = [value for _, value in chosen if value is not None]
    where = f"WHERE {' AND '.join(parts)}" if parts else ""
    return f"SELECT record FROM exports {where} ORDER BY created_at DESC LIMIT ? OFFSET ?", [*values, limit, offset]


def _scene(row: tuple[Any, ...]) -> SceneRow:
    values = list(row)
    values[4] = row[4] or ""
    values[8] = bool(row[8])
    return SceneRow(*values)


def _asset(row: tuple[Any, ...]) -> AssetRow:
    values = list(row)
    values[4] = bool(row[4])
    return AssetRow(*values)


def _values(row: msgspec.Struct) -> tuple[Any, ...]:
    return msgspec.structs.astuple(row)
