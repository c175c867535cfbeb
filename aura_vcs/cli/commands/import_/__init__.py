"""`aura import`: the group of the histories that other programs keep."""

import click

from aura_vcs.cli.groups import CommandEntry, LazyGroup
from aura_vcs.cli.options import HELP, examples

_ROOM = "aura_vcs.cli.commands.import_"
_CATALOG = {
    "git": CommandEntry(f"{_ROOM}.git", "git_command", "Bring the history of a git repository here"),
    "folder": CommandEntry(f"{_ROOM}.folder", "folder_command", "Make versions of the copies in a folder"),
    "database": CommandEntry(
        f"{_ROOM}.database", "database_command", "Make projects of everything in an Aura studio's database"
    ),
}


@click.group(
    "import",
    cls=LazyGroup,
    catalog=_CATALOG,
    context_settings=HELP,
    epilog=examples("aura import git ../film", "aura import database ~/AuraVideoStudio/Data/aura.db films"),
)
def import_command() -> None:
    """Bring in a history that another program keeps"""
