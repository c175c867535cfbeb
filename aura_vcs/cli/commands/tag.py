"""`aura tag`: list, create, delete."""

from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.groups import CommandEntry, ShorthandGroup
from aura_vcs.cli.options import HELP, TEXT, completing, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint, yellow
from aura_vcs.cli.output.humanize import call
from aura_vcs.cli.output.json_shapes import restore_point_to_json
from aura_vcs.cli.session import pass_repository

if TYPE_CHECKING:
    from aura_vcs.model import Tag
    from aura_vcs.repository.repository import Repository

_CATALOG = {
    "list": CommandEntry(__name__, "list_command", "List the tags"),
    "create": CommandEntry(__name__, "create_command", "Give a version a name that stays"),
    "delete": CommandEntry(__name__, "delete_command", "Remove a tag; its version stays"),
}


@click.group(
    "tag",
    cls=ShorthandGroup,
    catalog=_CATALOG,
    shorthands={"-d": "delete", "--delete": "delete"},
    context_settings=HELP,
    subcommand_metavar="[NAME [VERSION] | -d NAME | COMMAND ...]",
    epilog=examples("aura tag", "aura tag sent-to-client", 'aura tag premiere v7 -m "As shown on Friday"'),
)
def tag_command() -> None:
    """List, create or delete tags

    A tag is a name that stays on one version. Without arguments, lists them; with a NAME, gives
    it to the last version or to the one given.
    """


@click.command("list", context_settings=HELP, epilog=examples("aura tag", "aura tag list --json"))
@json_option
@pass_repository
def list_command(repo: "Repository", console: Console) -> None:
    """List the tags"""

    found = repo.refs.tags()
    if console.as_json:
        console.data({"tags": [tag_to_json(repo, name, tag) for name, tag in found.items()]})
        return
    queries = repo.queries
    for name, tag in found.items():
        record = queries.version(tag.version) if tag.version is not None else None
        where = call(repo, record) if record is not None else "?"
        about = tag.message or (record.name if record is not None else "")
        console.line("  ", cyan(name), "  ", yellow(where), f"  {about}")
    if not found:
        console.line(faint("There are no tags yet. `aura tag NAME` gives the last version one."))


@click.command("create", context_settings=HELP, epilog=examples("aura tag premiere v7"))
@click.argument("name")
@click.argument("version", default="HEAD", shell_complete=completing("version"))
@click.option("-m", "--message", metavar="TEXT", type=TEXT, default="", help="What it is for")
@json_option
@pass_repository
def create_command(repo: "Repository", console: Console, name: str, version: str, message: str) -> None:
    """Give a version a name that stays"""
    from aura_vcs.history.names.revisions import resolve
    from aura_vcs.history.names.tags import create_tag

    record = resolve(repo, version)
    create_tag(repo, name, record.id, message)
    if console.as_json:
        console.data({"tag": tag_to_json(repo, name, repo.refs.tags()[name])})
        return
    console.line("Tagged ", yellow(call(repo, record)), f' "{record.name}" as ', cyan(name))
    console.line(faint("Take it back with `aura undo`."))


@click.command("delete", context_settings=HELP, epilog=examples("aura tag -d premiere"))
@click.argument("name", shell_complete=completing("tag"))
@json_option
@pass_repository
def delete_command(repo: "Repository", console: Console, name: str) -> None:
    """Remove a tag; its version stays"""
    from aura_vcs.history.names.tags import delete_tag

    delete_tag(repo, name)
    if console.as_json:
        console.data({"deleted": name})
        return
    console.line("Removed the tag ", cyan(name), "; its version stays")
    console.line(faint("Take it back with `aura undo`."))


def tag_to_json(repo: "Repository", name: str, tag: "Tag") -> dict[str, Any]:
    """Convert a tag to JSON."""
    record = repo.queries.version(tag.version) if tag.version is not None else None
    return {
        "name": name,
        "version": restore_point_to_json(record),
        "message": tag.message,
        "created_at": tag.created_at,
        "created_by": tag.created_by,
    }
