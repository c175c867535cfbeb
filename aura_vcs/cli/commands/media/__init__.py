"""`aura media`: the group of what is done with pictures, sounds and videos."""

import click

from aura_vcs.cli.groups import CommandEntry, LazyGroup
from aura_vcs.cli.options import HELP, examples

_ROOM = "aura_vcs.cli.commands.media"
_CATALOG = {
    "index": CommandEntry(f"{_ROOM}.index", "index_command", "Look at every frame and sample, once"),
}


@click.group(
    "media",
    cls=LazyGroup,
    catalog=_CATALOG,
    context_settings=HELP,
    epilog=examples("aura media index", "aura media index --all"),
)
def media_command() -> None:
    """Look at pictures, sounds and videos"""
