"""`aura version undelete`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, completing, examples, json_option
from aura_vcs.cli.output.console import Console, faint, yellow
from aura_vcs.cli.output.humanize import call
from aura_vcs.cli.output.json_shapes import version_to_json
from aura_vcs.cli.session import pass_repository
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.versions import undelete_version

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command(
    "undelete", context_settings=HELP, epilog=examples("aura log --all --deleted", "aura version undelete v2")
)
@click.argument("version", shell_complete=completing("version"))
@json_option
@pass_repository
def undelete_command(repo: "Repository", console: Console, version: str) -> None:
    """Show a deleted version again

    This works until gc has freed its content, even after a purge.
    """
    record = undelete_version(repo, resolve(repo, version))
    if console.as_json:
        console.data({"version": version_to_json(record)})
        return
    console.line("Brought back ", yellow(call(repo, record)), f' "{record.name}"')
    console.line(faint("Take it back with `aura undo`."))
