"""What a list of projects shows of one, read from its folder without opening it as a project."""

import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec

from aura_vcs import layout
from aura_vcs.codec import decode_record, format_time
from aura_vcs.errors import AuraError
from aura_vcs.model import Fields, Format
from aura_vcs.project.documents import ProjectDocument
from aura_vcs.project.json_spans import MAX_BYTES, parse
from aura_vcs.project.load import PROJECT_NAME
from aura_vcs.project.state import ProjectState, state_from
from aura_vcs.project.validation import validate

TITLE_LIMIT, DESCRIPTION_LIMIT = 500, 2000


class ProjectFacts(msgspec.Struct, frozen=True):
    """A project as a list shows it. `stamp` changes whenever the files behind it do.

    `updated_at` is when project.json or the state was last changed, `modified_by` who did, as far
    as that is recorded.
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
    for name in (f"{layout.AURA}/{layout.FORMAT}", PROJECT_NAME, f"{layout.AURA}/{layout.STATE}"):
        try:
            found = os.stat(os.path.join(root, *name.split("/")))
            parts.append(f"{found.st_mtime_ns}.{found.st_size}")
        except OSError:
            if not parts:
                return None
            parts.append("-")
    return " ".join(parts)


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
    state = _state(os.path.join(folder, *layout.STATE.split("/")))
    updated_at, modified_by = _last_change(path, document, state)
    return ProjectFacts(
        project=form.project,
        title=(document.title or os.path.basename(root))[:TITLE_LIMIT],
        description=document.description[:DESCRIPTION_LIMIT],
        category=document.category,
        tags=tuple(document.tags),
        template_id=document.template_id,
        duration_seconds=document.duration_seconds,
        created_at=document.created_at,
        created_by=document.created_by,
        state=state,
        stamp=stamp or "",
        output_file_path=document.output_file_path,
        thumbnail_path=document.thumbnail_path,
        updated_at=updated_at,
        modified_by=modified_by,
    )


def _last_change(path: str, document: ProjectDocument, state: ProjectState) -> tuple[str | None, str | None]:
    """When project.json or the state was changed last, and by whom."""
    by = document.modified_by or document.created_by
    found = [(state.updated_at, state.modified_by or by), (document.updated_at, by)]
    with suppress(OSError, ValueError, OverflowError):  # no such file, or no such date
        found.append((format_time(datetime.fromtimestamp(os.stat(path).st_mtime, UTC)), by))
    known = [(at, who) for at, who in found if at is not None]
    return max(known, key=lambda item: item[0], default=(document.created_at, by))


def _document(path: str) -> ProjectDocument:
    try:
        value: Any = parse(_read(path), PROJECT_NAME).value()
    except (OSError, AuraError):
        return ProjectDocument()
    found = validate(value, ProjectDocument, PROJECT_NAME)[0]
    return found if isinstance(found, ProjectDocument) else ProjectDocument()


def _state(path: str) -> ProjectState:
    try:
        return state_from(decode_record(_read(path), Fields, path).fields)
    except (OSError, AuraError):
        return ProjectState()


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(MAX_BYTES)
