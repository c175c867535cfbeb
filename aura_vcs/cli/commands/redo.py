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
@json_option
@pass_repository
def redo_command(repo: "Repository", console: Console) -> None:
    """Do again what was taken back

    Works until something new is done.
    """
    from aura_vcs.history.undo import redo

    show_undone(repo, console, redo(repo), "Did again", "Take it back with `aura undo`.")
