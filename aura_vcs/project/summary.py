"""What a list of projects shows of one, read from its folder without opening it as a project."""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
from blake3 import blake3

from aura_vcs import layout
from aura_vcs.codec import decode_operation, decode_record
from aura_vcs.errors import AuraError
from aura_vcs.formats.jsondoc.spans import parse
from aura_vcs.formats.jsondoc.values import MAX_DOCUMENT_BYTES
from aura_vcs.model import Field, Fields, Format
from aura_vcs.plain_text import format_time, not_before, now, readable_name
from aura_vcs.project.documents.load import OTIO_NAME, PROJECT_NAME, SCENES_FOLDER, TIMELINE_NAME
from aura_vcs.project.documents.models import ProjectDocument
from aura_vcs.project.documents.state import ProjectState, merged_state, state_from
from aura_vcs.project.documents.validate import validate
from aura_vcs.repository.find_project import project_storage
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.plain_files import open_below

TITLE_LIMIT, DESCRIPTION_LIMIT = 500, 2000
DOCUMENT_NAMES = (PROJECT_NAME, "brief.json", "plan.json", "voice.json", "render.json", TIMELINE_NAME, OTIO_NAME)
FILES_LIMIT = 200
"""Scenes, and logs, of one project that are looked at."""
LOG_TAIL_BYTES = 1 << 16
"""So much of a log's end is read for its last line."""
LONGEST_BITS = 8
"""So many digits the bits of a stamp have at most."""
RACY_NS = 2_000_000_000
"""A date younger than this may be shared by two changes, on file systems that count in seconds."""
FOLDERS = (
    "/",
    *(f"/{name}" for name in (layout.AURA, f"{layout.AURA}/{layout.LOCAL}", f"{layout.AURA}/{layout.REFS}")),
)
"""Folders that the files lie in; ours are no links that lead elsewhere, else what is there is no project."""
_OWN = tuple(
    f"/{layout.AURA}/{name}" for name in (layout.FORMAT, layout.STATE, layout.HEAD, layout.SETTINGS, layout.OPERATIONS)
)
PLACES = (*FOLDERS, *_OWN, *(f"/{name}" for name in (*DOCUMENT_NAMES, SCENES_FOLDER)))
LISTED = {_OWN[-1]: ".jsonl", f"/{SCENES_FOLDER}": ".json"}
"""Folders of which each file counts that ends so."""


class ProjectFacts(msgspec.Struct, frozen=True):
    """A project as a list shows it. `stamp` changes whenever the files behind it do.

    `updated_at` is when a document, a scene or the state was last changed, or something was last
    done to the project (a commit, a checkout, an undo); `modified_by` is who did, as far as that is
    recorded: an edit of a file by another program has no name, and counts for whoever acted last.
    """

    project: str
    title: str
    description: str
    category: str | None
    tags: tuple[str, ...]
    template_id: str | None
    duration_seconds: float | None
    created_at: str | None
    created_by: str | None
    state: ProjectState
    stamp: str
    output_file_path: str | None = None
    thumbnail_path: str | None = None
    updated_at: str | None = None
    modified_by: str | None = None


def facts_stamp(root: str, known: str = "") -> str | None:
    """Return dates and sizes of what `read_facts` reads; None where no project is.

    With the stamp that is `known`, what was not there is looked for again only where its folder has changed: most
    projects have a few of the documents that there could be.
    """
    there = known.rpartition(" ")[2]
    with suppress(ValueError):
        if _stamped(root, int(there, 16) if len(there) <= LONGEST_BITS else 0) == known:
            return known
    return _stamped(root)


def _stamped(root: str, only: int = -1) -> str | None:
    """Look at what the facts are read from, or `only` where a bit says so, bit 0 for the first of PLACES.

    The stamp ends with the bits of what was there. It ends with a word instead while one of the folders is so young
    that something could come into it without another date.
    """
    there, dates, is_young = 0, list[str](), False
    for number, name in enumerate(PLACES):
        if not only >> number & 1:
            continue
        try:
            found = os.lstat(f"{root}{name}")
        except OSError:
            continue
        if name in FOLDERS:
            if stat.S_ISLNK(found.st_mode):
                return None
            is_young = is_young or time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) < RACY_NS
            dates.append(str(found.st_ctime_ns))  # a tool that mirrors folders sets the other date back
        there |= 1 << number
        dates.append(f"{number}.{found.st_mtime_ns}.{found.st_size}")
        if name in LISTED:
            dates += _dates(f"{root}{name}", LISTED[name])
    if not there >> PLACES.index(_OWN[0]) & 1:
        return None
    return f"{blake3(' '.join(dates).encode()).hexdigest()[:32]} {'young' if is_young else f'{there:x}'}"


def _dates(folder: str, ending: str) -> Iterator[str]:
    for name in _listed(folder, ending):
        try:
            found = os.lstat(f"{folder}/{name}")
        except OSError:
            continue  # it has just gone
        yield f"{name}.{found.st_mtime_ns}.{found.st_size}"


def _documents(root: str) -> Iterator[str]:
    """Yield the documents of the project and its scenes, as many as a film has."""
    for name in DOCUMENT_NAMES:
        yield os.path.join(root, name)
    for name in _listed(os.path.join(root, SCENES_FOLDER), ".json"):
        yield os.path.join(root, SCENES_FOLDER, name)


def _logs(root: str) -> Iterator[str]:
    """Yield names of logs in the store."""
    return _own_listed(root, layout.OPERATIONS, ".jsonl")


def _own_listed(root: str, folder: str, ending: str) -> Iterator[str]:
    for name in _listed(os.path.join(root, layout.AURA, *folder.split("/")), ending):
        yield f"{folder}/{name}"


def _listed(folder: str, ending: str) -> Iterator[str]:
    """Yield the names of files in a folder that is not a link, sorted, as many as are looked at."""
    if os.path.islink(folder):
        return
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(ending))
    except OSError:
        return
    yield from names[:FILES_LIMIT]


def read_facts(root: str, *, project: str | None = None) -> ProjectFacts | None:
    """Read the facts of the project in the folder `root`; None where no project is.

    Documents that are broken are passed over: the title is then the folder's name. So is the format's
    record, if the caller knows the `project`'s id. No link is followed, and nothing is waited for.
    """
    stamp = facts_stamp(root)
    store = project_storage(root)
    try:
        project = project or decode_record(_read(store, layout.FORMAT), Format, root).project
    except (OSError, AuraError):
        return None
    document = _document(root)
    state = _state(store)
    updated_at, modified_by = _last_change(store, root, document, state)
    return ProjectFacts(
        project=project,
        title=(document.title or readable_name(os.path.basename(root)))[:TITLE_LIMIT],
        description=document.description[:DESCRIPTION_LIMIT],
        category=document.category,
        tags=tuple(document.tags),
        template_id=document.template_id,
        duration_seconds=document.duration_seconds,
        created_at=document.created_at,
        created_by=document.created_by,
        state=state,
        stamp=stamp or "",
        output_file_path=state.output_file_path or document.output_file_path,
        thumbnail_path=document.thumbnail_path,
        updated_at=updated_at,
        modified_by=modified_by,
    )


def _last_change(
    store: LocalStorage, root: str, document: ProjectDocument, state: ProjectState
) -> tuple[str | None, str | None]:
    """Return when something of the project was changed last, and by whom."""
    done = max(
        (last_operation(store, name) for name in _logs(root)), key=lambda item: item[0] or "", default=(None, None)
    )
    by = done[1] or document.modified_by or document.created_by
    found = [done, (state.updated_at, state.modified_by or by), (document.updated_at, by)]
    found += [(_written_at(path), by) for path in _documents(root)]
    known = [(at, who) for at, who in found if at is not None]
    at, who = max(known, key=lambda item: item[0], default=(document.created_at, by))
    return at if at is None else not_before(at, document.created_at), who


def _written_at(path: str) -> str | None:
    try:
        return format_time(datetime.fromtimestamp(os.lstat(path).st_mtime, UTC))
    except (OSError, ValueError, OverflowError):  # no such file, or no such date
        return None


def _document(root: str) -> ProjectDocument:
    try:
        with open(open_below(root, PROJECT_NAME), "rb") as file:
            value: Any = parse(file.read(MAX_DOCUMENT_BYTES), PROJECT_NAME).value()
    except (OSError, AuraError):
        return ProjectDocument()
    found = validate(value, ProjectDocument, PROJECT_NAME)[0]
    return found if isinstance(found, ProjectDocument) else ProjectDocument()


def _state(store: LocalStorage) -> ProjectState:
    """Read the state that this machine's record and the settings of all machines say."""
    own = _fields(store, layout.STATE)
    shared: dict[str, Field] = {}
    for name in _own_listed(os.path.dirname(store.root), layout.SETTINGS, ".json"):
        for key, field in _fields(store, name).items():
            if key not in shared or shared[key].stamp < field.stamp:
                shared[key] = field
    return state_from(merged_state(own, shared))


def _fields(store: LocalStorage, name: str) -> dict[str, Field]:
    try:
        return decode_record(_read(store, name), Fields, name).fields
    except (OSError, AuraError):
        return {}


def last_operation(store: LocalStorage, name: str) -> tuple[str | None, str | None]:
    """Return when, and by whom, the last operation of a log was done; never later than now, whatever a clock said."""
    try:
        with store.open(name) as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - LOG_TAIL_BYTES))
            lines = file.read(LOG_TAIL_BYTES).split(b"\n")[:-1]
        done = decode_operation(lines[-1], name) if lines else None
    except (OSError, AuraError):
        return None, None
    return (None, None) if done is None else (min(done.time, now()), done.user or None)


def _read(store: LocalStorage, name: str) -> bytes:
    with store.open(name) as file:
        return file.read(MAX_DOCUMENT_BYTES)
