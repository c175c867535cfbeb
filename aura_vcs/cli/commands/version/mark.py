"""`aura version mark`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, completing, examples, json_option
from aura_vcs.cli.output.console import Console, yellow
from aura_vcs.cli.output.humanize import call
from aura_vcs.cli.output.json_shapes import version_to_json
from aura_vcs.cli.session import pass_repository
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.versions import edit_version

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command("mark", context_settings=HELP, epilog=examples("aura version mark v7", "aura version mark v7 --off"))
@click.argument("version", shell_complete=completing("version"))
@click.option("--off", is_flag=True, help="No longer important")
@json_option
@pass_repository
def mark_command(repo: "Repository", console: Console, version: str, off: bool) -> None:
    """Mark a version as important: never removed automatically"""
    record = edit_version(repo, resolve(repo, version), important=not off)
    if console.as_json:
        console.data({"version": version_to_json(record)})
    else:
        console.line(yellow(call(repo, record)), " is no longer important" if off else " is important")
