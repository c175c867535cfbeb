"""Notes as commands show them."""

from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from aura_vcs.cli.output.humanize import call

if TYPE_CHECKING:
    from aura_vcs.annotations.notes import Note
    from aura_vcs.annotations.places import Located
    from aura_vcs.annotations.targets import Target
    from aura_vcs.repository.repository import Repository


def shown_target(repo: "Repository", target: "Target") -> str:
    """Write what a note is about as commands understand it: `v3:cut.mp4@0:12`."""
    from aura_vcs.annotations.targets import describe_place

    record = repo.queries.version(target.version) if target.version is not None else None
    version = call(repo, record) if record is not None else (target.version or "?")[:12]
    return version if target.path is None else f"{version}:{target.path}{describe_place(target)}"


def note_to_json(repo: "Repository", note: "Note") -> dict[str, Any]:
    """Convert a note to JSON."""
    target = note.target
    record = repo.queries.version(target.version) if target.version is not None else None
    return {
        "id": note.id,
        "text": note.text,
        "state": note.state,
        "color": note.color,
        "on": shown_target(repo, target),
        "target": {
            "version": target.version,
            "number": record.number if record is not None else None,
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
