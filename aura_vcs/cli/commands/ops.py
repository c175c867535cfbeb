"""`aura ops`."""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.options import COUNT, HELP, POSITIVE, TEXT, examples, json_option, since_until_options
from aura_vcs.cli.output.console import Console, Line, cyan, faint, to_json, yellow
from aura_vcs.cli.output.humanize import count, local_time
from aura_vcs.cli.session import Session, pass_repository, pass_session
from aura_vcs.cli.shared.studio_undo import list_in_studio, or_studio, studio_option
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.index.records import EVERY_ACTION, ActionFilter, ActionRecord

if TYPE_CHECKING:
    from aura_vcs.project.records.activity import Activity
    from aura_vcs.repository.repository import Repository

STATUSES = ("Applied", "Undone", "Failed", "Expired")


@click.command(
    "ops",
    context_settings=HELP,
    epilog=examples("aura ops", "aura ops -n 5 --type restore", "aura ops --all", "aura ops 3fa2", "aura ops --studio"),
)
@click.argument("operation", metavar="[ID]", required=False)
@click.option("-n", "limit", metavar="COUNT", type=POSITIVE, default=20, show_default=True, help="At most this many")
@click.option("--offset", metavar="COUNT", type=COUNT, default=0, help="Skip this many of the newest")
@click.option(
    "--type", "type_", metavar="TYPE", type=TEXT, help="Only this type, e.g. commit, checkout, version.delete"
)
@click.option("--user", metavar="NAME", type=TEXT, help="Only what this person did")
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Only those of this status")
@since_until_options
@click.option(
    "--correlation", "correlation_id", metavar="ID", type=TEXT, help="Only what belongs together under this id"
)
@click.option("--session", "session_id", metavar="ID", type=TEXT, help="Only what a program did in this session")
@click.option("--all", "everything", is_flag=True, help="Include checkpoints and exports, which are not actions")
@studio_option
@json_option
@pass_session
def ops_command(
    session: Session,
    *,
    operation: str | None,
    limit: int,
    offset: int,
    type_: str | None,
    user: str | None,
    status: str | None,
    since: str | None,
    until: str | None,
    correlation_id: str | None,
    session_id: str | None,
    everything: bool,
    in_studio: bool,
) -> None:
    """List what was done, newest first

    Everything that changed the project, and whether it was taken back. With an ID (or its beginning),
    shows all that is recorded about one. Checkpoints and exports are recorded too, but cannot be taken
    back; --all lists them as well. What a program such as an agent did in one session (see `aura mcp`)
    is one line: --session lists all of it, and `aura undo --session` takes it back. With --studio,
    lists what you did to your settings, templates and list of projects.
    """
    wanted = ActionFilter(
        type=type_,
        user=user,
        status=status,
        correlation_id=correlation_id,
        since=since,
        until=until,
        session=session_id,
    )
    if in_studio and operation is not None:
        raise click.UsageError("An ID cannot be combined with --studio; --json lists every action of the studio.")
    if in_studio:
        with session.studio() as studio:
            list_in_studio(studio, session.console, wanted, limit=limit, offset=offset)
        return
    with or_studio("ops"):
        if operation is not None:
            _one(operation)
        else:
            _list(wanted, limit=limit, offset=offset, everything=everything)


@pass_repository
def _list(
    repo: "Repository", console: Console, wanted: ActionFilter, *, limit: int, offset: int, everything: bool
) -> None:
    from aura_vcs.history.names.operation_words import RECORDED_TYPES, list_actions

    found: list[ActionRecord | Activity]
    if everything or wanted.type in RECORDED_TYPES:
        from aura_vcs.project.records.activity import list_activity  # knows what lies beside the log

        found = list_activity(repo, wanted, limit=limit, offset=offset, everything=everything)
    else:
        found = [*list_actions(repo, wanted, limit=limit, offset=offset)]
    if console.as_json:
        console.data({"operations": [activity_to_json(repo, item) for item in found]})
    elif found:
        in_one = wanted.session is None and not everything
        console.lines(_with_sessions(found) if in_one else map(_line, found), paged=True)
    else:
        console.line("No matching operations." if offset or wanted != EVERY_ACTION else "Nothing was done yet.")


def _with_sessions(found: "list[ActionRecord | Activity]") -> Iterator[Line]:
    """Yield a line for each operation, and one for all that a program did one after the other in a session."""
    for session, group in groupby(found, key=lambda item: getattr(item, "session", None)):
        items = list(group)
        if session is None or len(items) == 1:
            yield from map(_line, items)
            continue
        undone = sum(item.status != "Applied" for item in items)
        state = "" if not undone else "  (undone)" if undone == len(items) else f"  ({undone} of them undone)"
        words = ", ".join(dict.fromkeys(item.type for item in reversed(items)))
        who = f"  {items[0].user}: {count(len(items), 'operation')} in a session: {words}"
        yield [cyan(session[:8]), "  ", faint(local_time(items[0].time)), who, faint(state)]


def activity_to_json(repo: "Repository", item: "ActionRecord | Activity") -> dict[str, Any]:
    """Convert what was done to JSON, whichever log has it."""
    return action_to_json(repo, item) if isinstance(item, ActionRecord) else _recorded_to_json(item)


def _recorded_to_json(item: "Activity") -> dict[str, Any]:
    """Convert what a program recorded to JSON, with the keys of an operation."""
    never = (
        "undone_at", "undone_by", "replica", "sequence", "session", "expires_at", "inverse_action_type",
        "inverse_payload",
    )  # fmt: skip
    shape = {name: getattr(item, name) for name in item.__struct_fields__}
    flags = {"can_be_undone": False, "can_batch": False, "is_persistent": True}
    return shape | flags | dict.fromkeys(never)


def operation_to_json(action: "ActionRecord") -> dict[str, Any]:
    """Convert an operation in the list to JSON."""
    return {
        "id": action.id,
        "type": action.type,
        "description": action.description,
        "user": action.user,
        "time": action.time,
        "status": action.status,
        "can_be_undone": action.undoable and action.status == "Applied",
        "undone_at": action.undone_at,
        "undone_by": action.undone_by,
        "replica": action.replica,
        "sequence": action.sequence,
        "correlation_id": action.correlation_id,
        "session": action.session,
        "expires_at": action.expires_at,
    }


def action_to_json(repo: "Repository", action: "ActionRecord") -> dict[str, Any]:
    """Convert an operation to the entity ActionLog; fields of its line only where that can be read."""
    from aura_vcs.history.undo import operation_of

    shape = operation_to_json(action)
    try:
        operation = operation_of(repo, action)
    except RecordCorrupt:
        return shape
    inverse = operation.inverse
    return shape | {
        "affected_resource_ids": [*operation.refs, *operation.payload.get("paths", ())],
        "payload": operation.payload,
        "inverse_action_type": inverse.type if inverse is not None else None,
        "inverse_payload": inverse.payload if inverse is not None else None,
        "can_batch": operation.can_batch,
        "is_persistent": True,
        "error_message": operation.error_message,
    }


def _line(action: "ActionRecord | Activity") -> Line:
    state = "" if action.status == "Applied" else f"  ({action.status.lower()})"
    return [yellow(action.id[:8]), "  ", faint(local_time(action.time)), f"  {action.description}", faint(state)]


@pass_repository
def _one(repo: "Repository", console: Console, prefix: str) -> None:
    from aura_vcs.history.undo import find_action, operation_of

    action = find_action(repo, prefix)
    operation = operation_of(repo, action)
    if console.as_json:
        console.data({"operation": {**operation_to_json(action), "record": operation}})
        return
    console.line(*_line(action))
    for line in to_json(operation).splitlines():
        console.line(line)
