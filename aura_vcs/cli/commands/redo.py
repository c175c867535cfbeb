"""`aura redo`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console
from aura_vcs.cli.session import Session, pass_repository, pass_session
from aura_vcs.cli.shared.studio_undo import or_studio, redo_in_studio, studio_option
from aura_vcs.cli.shared.undo_report import print_undone

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command("redo", context_settings=HELP, epilog=examples("aura redo", "aura redo --studio"))
@click.option("--id", "action_id", metavar="ID", help="This one (see `aura ops`), if nothing later depends on it")
@studio_option
@json_option
@pass_session
def redo_command(session: Session, action_id: str | None, in_studio: bool) -> None:
    """Redo what was undone

    Works until something new is done.
    """
    if not in_studio:
        with or_studio("redo"):
            _redo(action_id)
    elif action_id is None:
        with session.studio() as studio:
            redo_in_studio(studio, session.console)
    else:
        raise click.UsageError("Studio actions are undone in order: --id cannot be combined with --studio.")


@pass_repository
def _redo(repo: "Repository", console: Console, action_id: str | None) -> None:
    from aura_vcs.history.undo import find_action, redo

    action = find_action(repo, action_id) if action_id is not None else None
    print_undone(repo, console, redo(repo, action), "Redid", "Take it back with `aura undo`.")
