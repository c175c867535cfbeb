"""The studio's list of projects: where they lie, and what each of them is.

An entry is a pointer with what was last known; the truth is the project's folder. A listed page
is compared with the folders (dates of what is there), so it shows what is, also for a project that was
moved away or deleted by hand.
"""

import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec
from blake3 import blake3

from aura_vcs.codec import decode_json, encode_compact
from aura_vcs.errors import AuraError
from aura_vcs.errors.input import NotAProject, UnknownName
from aura_vcs.layout import AURA, FORMAT
from aura_vcs.plain_text import not_before, now, path_of_text, path_text, readable_name
from aura_vcs.project.summary import ProjectFacts, facts_stamp, read_facts
from aura_vcs.studio.action_log import ActionDraft, ValueChange, act, acting, changed, make
from aura_vcs.studio.folder import PROJECTS
from aura_vcs.studio.studio import Studio
from aura_vcs.suggestions import suggest

Sort = Literal["updated", "created", "title", "status"]
_ORDERS = {
    "updated": "updated_at DESC",
    "created": "created_at DESC",
    "title": "title COLLATE NOCASE",
    "status": "status, updated_at DESC",
}
FOLLOWED = 500
"""Of so many projects a list knows what they are now, not only what was last known, before it sorts them."""
SCAN_DEPTH = 6
"""How many folders deep `scan_folder` looks."""


class ProjectEntry(msgspec.Struct, frozen=True, rename={"location": "place"}):
    """A project of the studio's list; `path` as `plain_text.path_text` writes it.

    `location` is "here", or "missing" where its folder has none.
    """

    file: str
    path: str
    facts: ProjectFacts
    created_at: str
    updated_at: str
    created_by: str
    modified_by: str
    location: Literal["here", "missing"] = "here"


class ProjectFilter(msgspec.Struct, frozen=True):
    """Which projects are wanted."""

    status: str | None = None
    category: str | None = None
    job_id: str | None = None
    deleted: bool = False
    sort: Sort = "updated"
    limit: int = 50
    offset: int = 0


def add_project(studio: Studio, path: str, *, noticed: bool = False) -> ProjectEntry:
    """Enter the project in the folder `path`, or bring its entry up to date.

    An entry of the same project whose folder is gone is taken to have moved here. With `noticed`,
    nobody asked for it: it is not an action that could be taken back.

    Raises:
        NotAProject: the folder is none.
    """
    root = os.path.realpath(path)
    facts = read_facts(root)
    if facts is None:
        raise NotAProject(root)
    with acting(studio.folder):
        _refresh(studio)
        entry, changes = _insert(studio, root, facts)
        if noticed:
            make(studio.folder, changes)
        elif changes:
            act(studio.folder, ActionDraft("projects.add", f"Listed {facts.title!r}", changes))
        _insert_rows(studio, [entry] if changes else [], changes)
        return entry


def scan_folder(studio: Studio, path: str) -> list[ProjectEntry]:
    """Enter every project below a folder, SCAN_DEPTH deep; links are not followed."""
    found: list[ProjectEntry] = []
    changes: list[ValueChange] = []
    with acting(studio.folder):
        _refresh(studio)
        for root in _project_folders(os.path.realpath(path), SCAN_DEPTH):
            facts = read_facts(root)
            if facts is not None:
                entry, more = _insert(studio, root, facts)
                found.append(entry)
                changes += more
        if changes:
            what = f"Listed the projects below {readable_name(path)}"
            act(studio.folder, ActionDraft("projects.scan", what, tuple(changes)))
            _insert_rows(studio, found, changes)
    return found


def list_projects(studio: Studio, wanted: ProjectFilter = ProjectFilter()) -> list[ProjectEntry]:
    """List a page of the projects, each entry as its folder is now.

    What was edited or committed since counts in the order too, for the FOLLOWED projects of which
    something was heard last.
    """
    newest = _rows(studio, "SELECT record FROM projects ORDER BY updated_at DESC LIMIT ?", [FOLLOWED])
    followed = {entry.file: entry for entry in (_current_entry(studio, _entry_of(row)) for row in newest)}
    statement, values = page_statement(wanted)
    page = [_entry_of(row) for row in studio.index.rows(statement, values)]
    return [followed.get(entry.file) or _current_entry(studio, entry) for entry in page]


def _entry_of(row: Sequence[Any]) -> ProjectEntry:
    return decode_json(row[0], ProjectEntry)


def page_statement(wanted: ProjectFilter) -> tuple[str, list[str | int]]:
    """Build the SELECT that answers `list_projects`, and its values."""
    parts = ["deleted_at IS NOT NULL" if wanted.deleted else "deleted_at IS NULL"]
    values: list[str | int] = []
    for column in ("status", "category", "job_id"):
        value = getattr(wanted, column)
        if value is not None:
            parts.append(f"{column} = ?")
            values.append(value)
    order = "deleted_at DESC" if wanted.deleted and wanted.sort == "updated" else _ORDERS[wanted.sort]
    where = " AND ".join(parts)
    return f"SELECT record FROM projects WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?", [
        *values, wanted.limit, wanted.offset,
    ]  # fmt: skip


def find_project(studio: Studio, name: str, *, folder: str = ".") -> ProjectEntry:
    """Find the project that `name` means: a path (from `folder` on), the start of its id, or its title.

    Raises:
        UnknownName: none, or several, go by it.
    """
    path = path_text(os.path.realpath(os.path.join(folder, path_of_text(name))))
    name = readable_name(name)
    rows = _rows(
        studio,
        "SELECT record FROM projects WHERE path = ? UNION SELECT record FROM projects WHERE project >= ? AND "
        "project < ? UNION SELECT record FROM projects WHERE title = ? COLLATE NOCASE",
        [path, name.lower(), name.lower() + "g" if len(name) >= 4 else "", name],
    )
    if len(rows) == 1:
        return _current_entry(studio, _entry_of(rows[0]))
    if rows:
        raise UnknownName("project", name, hint="Several go by that name; give the folder's path.")
    titles = [row[0] for row in _rows(studio, "SELECT title FROM projects ORDER BY updated_at DESC LIMIT 1000")]
    raise UnknownName("project", name, suggest(name, titles), hint="`aura projects list` shows them.")


def forget_project(studio: Studio, entry: ProjectEntry) -> None:
    """Take a project off the list; its folder stays as it is."""
    with acting(studio.folder):
        change = changed(studio.folder, f"{PROJECTS}/{entry.file}", None)
        act(studio.folder, ActionDraft("projects.forget", f"Took {entry.facts.title!r} off the list", (change,)))


def drop_entry(studio: Studio, path: str) -> None:
    """Take the project that was at `path` off the list because it is gone for good: no action of anybody's."""
    with acting(studio.folder):
        rows = _rows(studio, "SELECT record FROM projects WHERE path = ?", [path_text(os.path.realpath(path))])
        make(studio.folder, [changed(studio.folder, f"{PROJECTS}/{_entry_of(row).file}", None) for row in rows])


def _rows(studio: Studio, statement: str, values: Sequence[str | int] = ()) -> list[tuple[Any, ...]]:
    """Query the index, after it has seen what changed in the folder."""
    _refresh(studio)
    return studio.index.rows(statement, values)


def _refresh(studio: Studio) -> None:
    studio.index.keep_current(PROJECTS, lambda connection: add_projects(studio, connection))


def _insert(studio: Studio, root: str, facts: ProjectFacts) -> tuple[ProjectEntry, tuple[ValueChange, ...]]:
    """Update the entry of a project; return it, and what is to be changed if it is new or has moved.

    The caller holds the lock, and the index is current.
    """
    path = path_text(root)
    known = _known(studio, path, facts.project)
    at, by = now(), studio.folder.user
    created_at, created_by = (known.created_at, known.created_by) if known else (facts.created_at or at, by)
    file = file_name(facts.project, root)
    entry = ProjectEntry(file, path, facts, created_at, not_before(facts.updated_at or at, created_at), created_by, by)
    if known is not None and known.path == path and known.facts == facts:
        return known, ()
    change = changed(studio.folder, f"{PROJECTS}/{file}", entry)
    if known is not None and known.file == file:
        make(studio.folder, (change,))
        _insert_rows(studio, [entry], ())
        return entry, ()
    moved = (changed(studio.folder, f"{PROJECTS}/{known.file}", None),) if known is not None else ()
    return entry, (change, *moved)


def _insert_rows(studio: Studio, entries: Sequence[ProjectEntry], changes: Sequence[ValueChange]) -> None:
    """Bring the rows of entries, and of files that are gone, up to date."""
    for entry in entries:
        put_row(studio.index.connection, entry, studio.folder.stamp(f"{PROJECTS}/{entry.file}"))
    gone = [change.file.removeprefix(f"{PROJECTS}/") for change in changes if change.after is None]
    studio.index.connection.executemany("DELETE FROM projects WHERE file = ?", [(name,) for name in gone])


def _known(studio: Studio, path: str, project: str) -> ProjectEntry | None:
    """Find the entry of this folder, or the one of the same project that is not where it was."""
    rows = studio.index.rows("SELECT record FROM projects WHERE project = ?", [project])
    entries = [_entry_of(row) for row in rows]
    here = next((entry for entry in entries if entry.path == path), None)
    return here or next((entry for entry in entries if _project_at(entry.path) != project), None)


def _project_at(path: str) -> str | None:
    facts = read_facts(path_of_text(path))
    return None if facts is None else facts.project


def _current_entry(studio: Studio, entry: ProjectEntry) -> ProjectEntry:
    """Return the entry as its folder is now; what changed goes into the index."""
    root = path_of_text(entry.path)
    stamp = facts_stamp(root, entry.facts.stamp)
    if stamp == entry.facts.stamp:
        return entry
    facts = read_facts(root) if stamp is not None else None
    if facts is None or facts.project != entry.facts.project:
        return msgspec.structs.replace(entry, location="missing")
    updated_at = not_before(facts.updated_at or entry.updated_at, entry.created_at)
    changed = msgspec.structs.replace(entry, facts=facts, updated_at=updated_at)
    put_row(studio.index.connection, changed, studio.folder.stamp(f"{PROJECTS}/{entry.file}"))
    return changed


def file_name(project: str, path: str) -> str:
    """Name an entry's file: a copy of a project elsewhere has an entry of its own."""
    plain = re.sub(r"[^0-9a-f-]", "", project.lower())[:36] or "project"
    return f"{plain}-{blake3(os.fsencode(path)).hexdigest()[:8]}.json"


def _project_folders(root: str, depth: int) -> Iterator[str]:
    try:
        with os.scandir(root) as entries:
            folders = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return
    if AURA in folders and os.path.isfile(os.path.join(root, AURA, FORMAT)):
        yield root
        return
    if depth > 0:
        for name in folders:
            if not name.startswith("."):
                yield from _project_folders(os.path.join(root, name), depth - 1)


def add_projects(studio: Studio, connection: sqlite3.Connection) -> None:
    """Bring the rows of all entries up to date with their files."""
    known = dict(connection.execute("SELECT file, file_stamp FROM projects").fetchall())
    files = [name for name in studio.folder.storage.list(PROJECTS) if name.endswith(".json")]
    for name in files:
        stamp = studio.folder.stamp(f"{PROJECTS}/{name}")
        if known.get(name) == stamp:
            continue
        try:
            entry = studio.folder.load(f"{PROJECTS}/{name}", ProjectEntry)
        except AuraError as error:
            studio.folder.progress.note(f"{error.message}; it is skipped")
            continue
        if entry is not None:
            put_row(connection, msgspec.structs.replace(entry, file=name), stamp)
    gone: Sequence[str] = sorted(known.keys() - set(files))
    connection.executemany("DELETE FROM projects WHERE file = ?", [(name,) for name in gone])


def put_row(connection: sqlite3.Connection, entry: ProjectEntry, stamp: str) -> None:
    """Put the row of one entry into the index."""
    facts = entry.facts
    connection.execute(
        "INSERT OR REPLACE INTO projects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            entry.file, facts.project, entry.path, facts.title, facts.category, facts.state.status, facts.state.job_id,
            entry.created_at, entry.updated_at, facts.state.deleted_at, stamp, encode_compact(entry),
        ),
    )  # fmt: skip
