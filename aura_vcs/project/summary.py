"""What a list of projects shows of one, read from its folder without opening it as a project."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from blake3 import blake3

from aura_vcs import layout
from aura_vcs.codec import decode_operation, decode_record, format_time, now, readable_name
from aura_vcs.errors import AuraError
from aura_vcs.formats.jsondoc.spans import MAX_BYTES, parse
from aura_vcs.model import Field, Fields, Format
from aura_vcs.project.documents.load import OTIO_NAME, PROJECT_NAME, SCENES_FOLDER, TIMELINE_NAME
from aura_vcs.project.documents.models import ProjectDocument
from aura_vcs.project.documents.state import ProjectState, merged_state, state_from
from aura_vcs.project.documents.validate import validate

TITLE_LIMIT, DESCRIPTION_LIMIT = 500, 2000
DOCUMENT_NAMES = (PROJECT_NAME, "brief.json", "plan.json", "voice.json", "render.json", TIMELINE_NAME, OTIO_NAME)
FILES_LIMIT = 200
"""Scenes, and logs, of one project that are looked at."""
LOG_TAIL_BYTES = 1 << 16
"""So much of a log's end is read for its last line."""


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


def facts_stamp(root: str) -> str | None:
    """Dates and sizes of the files that `read_facts` reads; None where no project is."""
    parts = []
    for path in _files_behind(root):
        try:
            found = os.stat(path)
            parts.append(f"{found.st_mtime_ns}.{found.st_size}")
        except OSError:
            if not parts:
                return None
            parts.append("-")
    return f"{parts[0]} {blake3(' '.join(parts).encode()).hexdigest()[:32]}"


def _files_behind(root: str) -> Iterator[str]:
    """What the facts are read from: the format's record comes first, without which there is no project."""
    for name in (layout.FORMAT, layout.STATE, layout.HEAD, layout.SETTINGS, layout.OPERATIONS):
        yield os.path.join(root, layout.AURA, *name.split("/"))
    yield from _documents(root)
    yield from _logs(root)


def _documents(root: str) -> Iterator[str]:
    """The documents of the project and its scenes, as many as a film has."""
    for name in DOCUMENT_NAMES:
        yield os.path.join(root, name)
    yield from _listed(os.path.join(root, SCENES_FOLDER), ".json")


def _logs(root: str) -> Iterator[str]:
    yield from _listed(os.path.join(root, layout.AURA, *layout.OPERATIONS.split("/")), ".jsonl")


def _listed(folder: str, ending: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(ending))
    except OSError:
        return
    for name in names[:FILES_LIMIT]:
        yield os.path.join(folder, name)


def read_facts(root: str) -> ProjectFacts | None:
    """The facts of the project in the folder `root`; None where no project is.

    Documents that are broken are passed over: the title is then the folder's name.
    """
    stamp = facts_stamp(root)
    folder = os.path.join(root, layout.AURA)
    try:
        form = decode_record(_read(os.path.join(folder, layout.FORMAT)), Format, root)
    except (OSError, AuraError):
        return None
    path = os.path.join(root, PROJECT_NAME)
    document = _document(path)
    state = _state(folder)
    updated_at, modified_by = _last_change(root, document, state)
    return ProjectFacts(
        project=form.project,
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


def _last_change(root: str, document: ProjectDocument, state: ProjectState) -> tuple[str | None, str | None]:
    """When something of the project was changed last, and by whom."""
    done = max((last_operation(path) for path in _logs(root)), key=lambda item: item[0] or "", default=(None, None))
    by = done[1] or document.modified_by or document.created_by
    found = [done, (state.updated_at, state.modified_by or by), (document.updated_at, by)]
    found += [(_written_at(path), by) for path in _documents(root)]
    known = [(at, who) for at, who in found if at is not None]
    return max(known, key=lambda item: item[0], default=(document.created_at, by))


def _written_at(path: str) -> str | None:
    try:
        return format_time(datetime.fromtimestamp(os.stat(path).st_mtime, UTC))
    except (OSError, ValueError, OverflowError):  # no such file, or no such date
        return None


def _document(path: str) -> ProjectDocument:
    try:
        value: Any = parse(_read(path), PROJECT_NAME).value()
    except (OSError, AuraError):
        return ProjectDocument()
    found = validate(value, ProjectDocument, PROJECT_NAME)[0]
    return found if isinstance(found, ProjectDocument) else ProjectDocument()


def _state(folder: str) -> ProjectState:
    """The state that this machine's record and the settings of all machines say."""
    own = _fields(os.path.join(folder, *layout.STATE.split("/")))
    shared: dict[str, Field] = {}
    for path in _listed(os.path.join(folder, *layout.SETTINGS.split("/")), ".json"):
        for key, field in _fields(path).items():
            if key not in shared or shared[key].stamp < field.stamp:
                shared[key] = field
    return state_from(merged_state(own, shared))


def _fields(path: str) -> dict[str, Field]:
    try:
        return decode_record(_read(path), Fields, path).fields
    except (OSError, AuraError):
        return {}


def last_operation(path: str) -> tuple[str | None, str | None]:
    """When, and by whom, the last operation of a log was done; not later than now, whatever a clock said."""
    try:
        with open(path, "rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - LOG_TAIL_BYTES))
            lines = file.read(LOG_TAIL_BYTES).split(b"\n")[:-1]
        done = decode_operation(lines[-1], path) if lines else None
    except (OSError, AuraError):
        return None, None
    return (None, None) if done is None else (min(done.time, now()), done.user or None)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(MAX_BYTES)
