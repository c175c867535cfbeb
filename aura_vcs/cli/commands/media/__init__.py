"""`aura media`: the group of what is done with pictures, sounds and videos."""

import click

from aura_vcs.cli.groups import CommandEntry, LazyGroup
from aura_vcs.cli.options import HELP, examples

_ROOM = "aura_vcs.cli.commands.media"
_CATALOG = {
    "collect": CommandEntry(f"{_ROOM}.collect", "collect_command", "Copy media from outside into the project"),
    "index": CommandEntry(f"{_ROOM}.index", "index_command", "Look at every frame and sample, once"),
    "relink": CommandEntry(f"{_ROOM}.relink", "relink_command", "Find the missing media of project files again"),
    "unused": CommandEntry(f"{_ROOM}.unused", "unused_command", "List media that no timeline uses"),
}


@click.group(
    "media",
    cls=LazyGroup,
    catalog=_CATALOG,
    context_settings=HELP,
    epilog=examples("aura media index", "aura media relink --dry-run", "aura media unused"),
)
def media_command() -> None:
    """Index media; find missing ones, collect and list unused ones"""
