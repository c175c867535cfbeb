"""`aura redo`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.commands.undo import show_undone
from aura_vcs.cli.console import Console
from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.session import pass_repository

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command("redo", context_settings=HELP, epilog=examples("aura redo"))
@click.option("--id", "action_id", metavar="ID", help="This one (see `aura ops`), if nothing later depends on it")
@json_option
@pass_repository
def redo_command(repo: "Repository", console: Console, action_id: str | None) -> None:
    """Do again what was taken back

    Works until something new is done.
    """
    from aura_vcs.history.undo import find_action, redo

    action = find_action(repo, action_id) if action_id is not None else None
    show_undone(repo, console, redo(repo, action), "Did again", "Take it back with `aura undo`.")
