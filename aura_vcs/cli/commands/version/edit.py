"""`aura version edit`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, TEXT, completing, examples, json_option
from aura_vcs.cli.output.console import Console, faint, yellow
from aura_vcs.cli.output.humanize import call
from aura_vcs.cli.output.json_shapes import version_to_json
from aura_vcs.cli.session import pass_repository
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.versions import edit_version

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command(
    "edit",
    context_settings=HELP,
    epilog=examples('aura version edit v3 --name "Director\'s cut"', "aura version edit HEAD --important"),
)
@click.argument("version", shell_complete=completing("version"))
@click.option("--name", metavar="NAME", type=TEXT, help="The new name")
@click.option("--description", metavar="TEXT", type=TEXT, help="The new description")
@click.option("--important/--not-important", default=None, help="Whether it is never removed automatically")
@json_option
@pass_repository
def edit_command(
    repo: "Repository",
    console: Console,
    *,
    version: str,
    name: str | None,
    description: str | None,
    important: bool | None,
) -> None:
    """Change a version's name, description or importance

    Its content and id stay.
    """
    if name is None and description is None and important is None:
        raise click.UsageError("Nothing to change: give --name, --description, --important or --not-important.")
    before = resolve(repo, version)
    record = edit_version(repo, before, name=name, description=description, important=important)
    if console.as_json:
        console.data({"version": version_to_json(record), "changed": record != before})
    elif record == before:
        console.line(yellow(call(repo, record)), " already has these values; nothing was changed")
    else:
        console.line("Changed ", yellow(call(repo, record)), f' "{record.name}"')
        console.line(faint("Take it back with `aura undo`."))
