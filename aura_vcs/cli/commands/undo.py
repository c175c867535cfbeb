"""`aura undo`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.commands.checkout import say_kept, say_left, say_point
from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console, faint, strong
from aura_vcs.cli.output.humanize import count, place
from aura_vcs.cli.session import Session, pass_repository, pass_session
from aura_vcs.cli.shared.studio_undo import or_studio, studio_option, undo_in_studio

if TYPE_CHECKING:
    from aura_vcs.history.undo import Undone
    from aura_vcs.repository.repository import Repository


@click.command(
    "undo", context_settings=HELP, epilog=examples("aura undo", "aura undo --studio", "aura ops", "aura redo")
)
@click.option("--id", "action_id", metavar="ID", help="This one (see `aura ops`), if nothing later depends on it")
@studio_option
@json_option
@pass_session
def undo_command(session: Session, action_id: str | None, in_studio: bool) -> None:
    """Take back the last thing you did

    Again and again, back to the beginning; also after a restart. `aura ops` lists what was done.
    Of your files only those are touched that it had changed; what you edited in them since is kept in
    a restore point first.
    With --studio, the last thing you did to your settings, templates or list of projects.
    """
    if not in_studio:
        with or_studio("undo"):
            _undo(action_id)
    elif action_id is None:
        with session.studio() as studio:
            undo_in_studio(studio, session.console)
    else:
        raise click.UsageError("The studio is taken back in turn: --id does not go with --studio.")


@pass_repository
def _undo(repo: "Repository", console: Console, action_id: str | None) -> None:
    from aura_vcs.history.undo import find_action, undo

    action = find_action(repo, action_id) if action_id is not None else None
    show_undone(repo, console, undo(repo, action), "Took back", "Do it again with `aura redo`.")


def show_undone(repo: "Repository", console: Console, done: "Undone", verb: str, way_back: str) -> None:
    """Say what was taken back or done again, and where that leaves the folder."""
    from aura_vcs.cli.output.json_shapes import moved_shape
    from aura_vcs.index.queries import Queries

    if console.as_json:
        operation = {"id": done.operation.undoes or done.operation.redoes, "description": done.description}
        shape = {"operation": operation, **moved_shape(repo, done.head, done.files)}
        console.data(shape | {"passed_over": list(done.passed_over)})
        return
    for message in done.passed_over:
        console.note(f"Passed over: {message}")
    console.line(f"{verb}: ", strong(done.description))
    record = Queries(repo.index).version(done.head.version) if done.head.version is not None else None
    changed = f", {count(done.files.changed, 'path')} changed" if done.files is not None else ""
    console.line(*place(done.head, record), changed)
    if done.files is not None:
        say_point(console, done.files)
        say_kept(console, done.files)
        say_left(console, done.files)
    console.line(faint(way_back))
