"""`aura version`: the group of what can be done to one version."""

import click

from aura_vcs.cli.groups import CommandEntry, LazyGroup
from aura_vcs.cli.options import HELP, examples

_ROOM = "aura_vcs.cli.commands.version"
_CATALOG = {
    "list": CommandEntry(f"{_ROOM}.list", "list_command", "List versions of every type and branch, newest first"),
    "compare": CommandEntry(
        f"{_ROOM}.compare",
        "compare_command",
        "Show which of brief, plan, voice, render and timeline differ between two versions",
    ),
    "mark": CommandEntry(f"{_ROOM}.mark", "mark_command", "Mark a version as important: never removed automatically"),
    "edit": CommandEntry(f"{_ROOM}.edit", "edit_command", "Change a version's name, description or importance"),
    "delete": CommandEntry(f"{_ROOM}.delete", "delete_command", "Hide a version; gc frees its space later"),
    "undelete": CommandEntry(f"{_ROOM}.undelete", "undelete_command", "Show a deleted version again"),
    "purge": CommandEntry(f"{_ROOM}.purge", "purge_command", "Give up a version's content, keep its record"),
}


@click.group(
    "version",
    cls=LazyGroup,
    catalog=_CATALOG,
    context_settings=HELP,
    epilog=examples('aura version edit v3 --name "Director\'s cut"', "aura version delete v2", "aura version purge v2"),
)
def version_command() -> None:
    """List, compare, edit, delete or purge versions

    None of this changes other versions.
    """
