"""The tables of the index. Any change of them raises SCHEMA_VERSION: the index is then rebuilt."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from aura_vcs.model import DOCUMENTS

SCHEMA_VERSION = 16
PAGE_BYTES = 2048
"""Small pages keep the index of a small project small: every table and index takes at least one."""

KIND_CODES = {"blob": 1, "tree": 2, "version": 3, "chunk": 4}
ASSET = 1
CHANGE_CODES = {"added": 1, "deleted": 2, "modified": 3}
CONTENT_TYPES = {"Asset": ASSET, **{name.capitalize(): code for code, name in enumerate(DOCUMENTS, ASSET + 1)}}
"""What a blob is: one of the documents, or anything else."""

PREFIX_BYTES = 6
PREFIX = f"substr(id, 1, {PREFIX_BYTES})"
"""By which rows are found: the first bytes of an id are in an index, which is so a third as large as with whole ids.

Whoever asks for it compares the whole id too: others may begin in the same way.
"""
HAS_ID = f"{PREFIX} = substr(?1, 1, {PREFIX_BYTES}) AND id = ?1"
"""Which row has the id that is the statement's first value."""
ROW = f"(SELECT row FROM versions WHERE {HAS_ID} UNION ALL SELECT row FROM awaited WHERE id = ?1)"
"""The row of the version whose id is the statement's first value, or the one that is kept for it."""
OFFLOADED = "pack IS NULL AND stored_size = 0 AND size > 0"
"""Which rows of objects are of those that are offloaded."""

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE logs (
  replica TEXT PRIMARY KEY, end INTEGER NOT NULL, sequence INTEGER NOT NULL, size INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE segments (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE ref_files (path PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE packs (number INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, stored_size INTEGER NOT NULL);
CREATE TABLE objects (
  row INTEGER PRIMARY KEY, id BLOB NOT NULL, kind INTEGER NOT NULL, content_type INTEGER, size INTEGER NOT NULL,
  stored_size INTEGER NOT NULL, pack INTEGER, frame INTEGER, offset INTEGER, length INTEGER, chunked INTEGER NOT NULL,
  refcount INTEGER NOT NULL, created_at INTEGER NOT NULL, last_referenced_at INTEGER);
CREATE INDEX objects_by_id ON objects (substr(id, 1, 6));
CREATE INDEX objects_unreferenced ON objects (refcount, last_referenced_at) WHERE refcount <= 0;
CREATE INDEX objects_shared ON objects (refcount) WHERE refcount > 1;
CREATE INDEX objects_by_last_referenced ON objects (last_referenced_at) WHERE last_referenced_at IS NOT NULL;
CREATE INDEX objects_by_type ON objects (content_type) WHERE content_type > 1;
CREATE INDEX objects_chunked ON objects (chunked) WHERE chunked;
CREATE INDEX objects_by_pack ON objects (pack) WHERE pack IS NOT NULL;
CREATE TABLE owed (
  holder BLOB PRIMARY KEY, is_tree INTEGER NOT NULL, counted BLOB NOT NULL, rest INTEGER NOT NULL,
  base BLOB NOT NULL, dropped BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE versions (
  row INTEGER PRIMARY KEY, id BLOB NOT NULL, number INTEGER NOT NULL, type TEXT NOT NULL, "trigger" TEXT,
  name TEXT NOT NULL, description TEXT NOT NULL, author TEXT NOT NULL, created_at NOT NULL, tree BLOB NOT NULL,
  size INTEGER NOT NULL, branch TEXT, important INTEGER NOT NULL, deleted_at TEXT, deleted_by TEXT, purged_at TEXT,
  purged_by TEXT, purge_reason TEXT, counted INTEGER NOT NULL, paths_known INTEGER NOT NULL,
  stamps TEXT NOT NULL, updated_at, updated_by TEXT, words_known INTEGER NOT NULL DEFAULT 0,
  brief INTEGER, plan INTEGER, voice INTEGER, render INTEGER, timeline INTEGER);
CREATE INDEX versions_by_id ON versions (substr(id, 1, 6));
CREATE INDEX versions_by_number ON versions (number);
CREATE INDEX versions_by_type ON versions (type, created_at);
CREATE INDEX versions_by_date ON versions (created_at);
CREATE INDEX versions_important ON versions (created_at) WHERE important;
CREATE INDEX versions_deleted ON versions (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX versions_purged ON versions (number) WHERE purged_at IS NOT NULL;
CREATE INDEX versions_by_name ON versions (name);
CREATE INDEX versions_uncompared ON versions (paths_known) WHERE NOT paths_known;
CREATE TABLE awaited (row INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);
CREATE TABLE parents (
  version INTEGER NOT NULL, position INTEGER NOT NULL, parent INTEGER NOT NULL, PRIMARY KEY (version, position)
) WITHOUT ROWID;
CREATE INDEX parents_by_parent ON parents (parent);
CREATE TABLE origins (origin TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (origin, version)) WITHOUT ROWID;
CREATE TABLE documents (row INTEGER PRIMARY KEY, id BLOB NOT NULL);
CREATE INDEX documents_by_id ON documents (substr(id, 1, 6));
CREATE TABLE changed_paths (
  path BLOB NOT NULL, version INTEGER NOT NULL, change INTEGER NOT NULL, PRIMARY KEY (path, version)) WITHOUT ROWID;

CREATE TABLE actions (
  row INTEGER PRIMARY KEY, id NOT NULL UNIQUE, replica TEXT NOT NULL, sequence INTEGER NOT NULL,
  "start" INTEGER NOT NULL, "end" INTEGER NOT NULL, type TEXT NOT NULL, description TEXT NOT NULL, user TEXT NOT NULL,
  time NOT NULL, status TEXT NOT NULL, undoable INTEGER NOT NULL, undone_at TEXT, undone_by TEXT, expires_at TEXT,
  correlation_id TEXT, segment, batch, redoable INTEGER NOT NULL, session TEXT);
CREATE INDEX actions_by_batch ON actions (batch) WHERE batch IS NOT NULL;
CREATE INDEX actions_by_sequence ON actions (replica, undoable, sequence);
CREATE INDEX actions_redoable ON actions (replica, sequence) WHERE redoable = 1;
CREATE INDEX actions_by_user ON actions (user, time);
CREATE INDEX actions_by_type ON actions (type, time);
CREATE INDEX actions_by_status ON actions (status, time);
CREATE INDEX actions_by_time ON actions (time, sequence);
CREATE INDEX actions_by_correlation ON actions (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX actions_by_expiry ON actions (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE scenes (
  scene_index INTEGER NOT NULL, file TEXT NOT NULL, id TEXT NOT NULL, heading TEXT NOT NULL, audio_file_path TEXT,
  image_file_path TEXT, duration_seconds REAL, is_completed INTEGER NOT NULL, created_at TEXT, stamp TEXT NOT NULL,
  PRIMARY KEY (scene_index, file)) WITHOUT ROWID;
CREATE TABLE assets (
  file_path TEXT PRIMARY KEY, asset_type TEXT NOT NULL, mime_type TEXT NOT NULL, file_size_bytes INTEGER NOT NULL,
  is_temporary INTEGER NOT NULL, created_at TEXT NOT NULL, stamp TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX assets_by_type ON assets (asset_type, file_path);
CREATE INDEX assets_temporary ON assets (file_path) WHERE is_temporary;

CREATE TABLE word_rows (
  id INTEGER PRIMARY KEY, source TEXT NOT NULL UNIQUE, blob BLOB, path TEXT, version BLOB);
CREATE VIRTUAL TABLE words USING fts5 (
  name, description, script, columnsize = 0, tokenize = 'unicode61 remove_diacritics 2');
"""
ANNOTATION_TABLE = """
CREATE TABLE annotations (
  room TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  path TEXT, version TEXT, content TEXT, record BLOB NOT NULL);
CREATE UNIQUE INDEX annotations_by_id ON annotations (room, id);
CREATE INDEX annotations_by_date ON annotations (room, created_at, id);
CREATE INDEX annotations_by_state ON annotations (room, state, created_at, id);
CREATE INDEX annotations_by_path ON annotations (room, path, created_at, id) WHERE path IS NOT NULL;
CREATE INDEX annotations_by_version ON annotations (room, version, created_at, id) WHERE version IS NOT NULL;
CREATE TABLE costs (
  content TEXT PRIMARY KEY, model TEXT NOT NULL, program TEXT NOT NULL, kind TEXT NOT NULL, person TEXT NOT NULL,
  month TEXT NOT NULL, currency TEXT NOT NULL, cost TEXT NOT NULL, tokens INTEGER NOT NULL) WITHOUT ROWID;
"""
"""Made with the first note, provenance or recipe: each table and index takes a page, and most projects have none."""
RECORD_TABLES = """
CREATE TABLE checkpoints (
  file TEXT PRIMARY KEY, stage TEXT NOT NULL, job TEXT, time TEXT NOT NULL, valid INTEGER NOT NULL,
  stamp TEXT NOT NULL, record BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX checkpoints_by_stage ON checkpoints (stage, time);
CREATE INDEX checkpoints_by_valid ON checkpoints (valid, time);
CREATE TABLE exports (
  file TEXT PRIMARY KEY, status TEXT NOT NULL, created_at TEXT NOT NULL, stamp TEXT NOT NULL, record BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX exports_by_date ON exports (created_at);
CREATE INDEX exports_by_status ON exports (status, created_at);
"""
"""Made with the first checkpoint or export, for the same reason."""
_OF_OBJECTS = "CREATE INDEX objects_"
_BY_ID = "CREATE INDEX objects_by_id "


def statements(tables: str = TABLES) -> Iterator[str]:
    """Yield the statements that make tables and their indexes, one after the other."""
    statement = ""
    for line in tables.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""


@contextmanager
def filled_at_once(connection: sqlite3.Connection, *, looked_up: bool = True) -> Iterator[None]:
    """Fill the table of objects, which is empty, in the block: its indexes are made at the end.

    That of ids too, unless rows are `looked_up` in the block. Inside the caller's transaction, which takes all of it
    back if the block raises.
    """
    kept = _BY_ID if looked_up else " "
    indexes = [text for text in statements() if text.startswith(_OF_OBJECTS) and not text.startswith(kept)]
    for statement in indexes:
        connection.execute(f"DROP INDEX {statement.split()[2]}")
    yield
    for statement in indexes:
        connection.execute(statement)
