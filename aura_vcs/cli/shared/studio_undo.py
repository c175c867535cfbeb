"""`--studio`: what was done to the person's studio, listed, taken back and done again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aura_vcs.cli.output.console import Console, faint, strong, yellow
from aura_vcs.cli.output.humanize import local_time
from aura_vcs.errors.input import NotAProject
from aura_vcs.index.records import EVERY_ACTION

if TYPE_CHECKING:
    from aura_vcs.cli.output.console import Line
    from aura_vcs.index.records import ActionFilter
    from aura_vcs.studio.studio import Studio
    from aura_vcs.studio.undo import ListedAction, StudioUndone

WAY_BACK = "Take it back with `aura undo --studio`."

studio_option = click.option(
    "--studio", "in_studio", is_flag=True, help="What you did to your studio: settings, templates, list of projects"
)


@contextmanager
def or_studio(command: str) -> Iterator[None]:
    """Outside of a project, say that the studio has this too."""
    try:
        yield
    except NotAProject as error:
        error.hint += f" What you did to your studio: `aura {command} --studio`."
        raise


def undo_in_studio(studio: "Studio", console: Console) -> None:
    """Take back the last action of the studio, and say so."""
    from aura_vcs.studio.undo import undo_studio

    _print(console, undo_studio(studio), "Undid", "Do it again with `aura redo --studio`.")


def redo_in_studio(studio: "Studio", console: Console) -> None:
    """Redo what was undone last, and say so."""
    from aura_vcs.studio.undo import redo_studio

    _print(console, redo_studio(studio), "Redid", WAY_BACK)


def _print(console: Console, done: "StudioUndone", verb: str, way_back: str) -> None:
    if console.as_json:
        operation = {"id": done.actions[-1].id, "description": done.description}
        console.data({"operation": operation, "passed_over": list(done.passed_over)})
        return
    for message in done.passed_over:
        console.note(f"Skipped: {message}")
    more = f" and {len(done.actions) - 1} more that belong to it" if len(done.actions) > 1 else ""
    console.line(f"{verb}: ", strong(done.description), more)
    console.line(faint(way_back))


def list_in_studio(studio: "Studio", console: Console, wanted: "ActionFilter", *, limit: int, offset: int) -> None:
    """List the actions of the studio, newest first."""
    from aura_vcs.studio.undo import list_actions

    found = list_actions(studio, wanted)[offset : offset + limit]
    if console.as_json:
        console.data({"operations": [studio_action_to_json(item) for item in found]})
    elif found:
        console.lines(map(_line, found), paged=True)
    else:
        narrowed = offset or wanted != EVERY_ACTION
        console.line("No matching operations." if narrowed else "Nothing was done to the studio yet.")


def studio_action_to_json(item: "ListedAction") -> dict[str, Any]:
    """Convert an action to JSON, with the keys of an operation of a project; the values are in `payload`."""
    action = item.action
    return {
        "id": action.id,
        "type": action.type,
        "description": action.description,
        "user": action.user,
        "time": action.time,
        "status": item.status,
        "can_be_undone": item.can_be_undone,
        "undone_at": item.undone_at,
        "undone_by": item.undone_by,
        "replica": None,
        "sequence": item.sequence,
        "correlation_id": action.correlation_id,
        "expires_at": action.expires_at,
        "affected_resource_ids": ["/".join((change.file, *change.keys)) for change in action.changes],
        "payload": {"changes": msgspec.to_builtins(action.changes)},
        "inverse_action_type": "undo" if item.can_be_undone else None,
        "inverse_payload": None,
        "can_batch": action.can_batch,
        "is_persistent": True,
        "error_message": None,
        "session": None,
    }


def _line(item: "ListedAction") -> "Line":
    action, state = item.action, "" if item.status == "Applied" else f"  ({item.status.lower()})"
    return [yellow(action.id[:8]), "  ", faint(local_time(action.time)), f"  {action.description}", faint(state)]
