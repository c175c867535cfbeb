"""Notes as commands show them."""

from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from aura_vcs.annotations.targets import describe_place
from aura_vcs.cli.output.humanize import call

if TYPE_CHECKING:
    from aura_vcs.annotations.notes import Note
    from aura_vcs.annotations.places import Located
    from aura_vcs.annotations.targets import Target
    from aura_vcs.ids import VersionId
    from aura_vcs.repository.repository import Repository


KnownVersions = dict[str | None, tuple[int | None, str]]
"""Numbers of versions, and what they are called, by their ids: of many notes most are about the same few."""


def _named(repo: "Repository", version: "VersionId | None", known: KnownVersions | None) -> tuple[int | None, str]:
    """Return the number of a version, None if it is not here, and what it is called."""
    found = known.get(version) if known is not None else None
    if found is None:
        record = repo.queries.version(version) if version is not None else None
        found = (record.number, call(repo, record)) if record is not None else (None, (version or "?")[:12])
        if known is not None:
            known[version] = found
    return found


def shown_target(repo: "Repository", target: "Target", known: KnownVersions | None = None) -> str:
    """Write what a note is about as commands understand it: `v3:cut.mp4@0:12`; `known` is filled and read."""
    version = _named(repo, target.version, known)[1]
    return version if target.path is None else f"{version}:{target.path}{describe_place(target)}"


def note_to_json(repo: "Repository", note: "Note", known: KnownVersions | None = None) -> dict[str, Any]:
    """Convert a note to JSON; `known` is filled and read."""
    target = note.target
    return {
        "id": note.id,
        "text": note.text,
        "state": note.state,
        "color": note.color,
        "on": shown_target(repo, target, known),
        "target": {
            "version": target.version,
            "number": _named(repo, target.version, known)[0],
            "path": target.path,
            "content": target.content,
            "start": target.start,
            "end": target.end,
            "region": target.region,
            "clip": to_builtins(target.clip),
            "field": target.field,
        },
        "created_at": note.created_at,
        "created_by": note.created_by,
        "updated_at": note.updated_at,
        "updated_by": note.updated_by,
        "resolved_at": note.resolved_at,
        "resolved_by": note.resolved_by,
        "replies": [to_builtins(reply) for reply in note.replies],
        "earlier": note.earlier,
    }


def located_to_json(repo: "Repository", now: "Located | None") -> dict[str, Any] | None:
    """Convert to JSON where what a note is about is now."""
    if now is None:
        return None
    record = repo.queries.version(now.version)
    return {
        "version": now.version,
        "number": record.number if record is not None else None,
        "path": now.path,
        "same_content": now.is_same,
        "found": now.is_found,
        "start": now.start,
        "end": now.end,
        "field": now.field,
    }
