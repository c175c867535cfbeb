"""`aura branch`: list, create, rename, delete."""

from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.groups import CommandEntry, ShorthandGroup
from aura_vcs.cli.options import HELP, completing, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint, green, yellow
from aura_vcs.cli.output.humanize import call
from aura_vcs.cli.output.json_shapes import restore_point_to_json
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.shared.partial_sync import print_missing_heads
from aura_vcs.history.names.branches import branches, create_branch, delete_branch, get_branch, rename_branch
from aura_vcs.history.names.revisions import resolve
from aura_vcs.index.queries import describe

if TYPE_CHECKING:
    from aura_vcs.history.names.branches import Branch
    from aura_vcs.repository.repository import Repository

_CATALOG = {
    "list": CommandEntry(__name__, "list_command", "List the branches"),
    "create": CommandEntry(__name__, "create_command", "Start a branch on a version"),
    "rename": CommandEntry(__name__, "rename_command", "Give a branch another name"),
    "delete": CommandEntry(__name__, "delete_command", "Delete a branch; its versions stay"),
}


@click.group(
    "branch",
    cls=ShorthandGroup,
    catalog=_CATALOG,
    shorthands={"-d": "delete", "--delete": "delete", "-m": "rename", "--rename": "rename"},
    context_settings=HELP,
    subcommand_metavar="[NAME [VERSION] | -d NAME | -m OLD NEW | COMMAND ...]",
    epilog=examples("aura branch", "aura branch shorter-intro", "aura branch old-music v3", "aura branch -d old-music"),
)
def branch_command() -> None:
    """List, create, rename or delete branches

    A branch is a line of versions with a name. Without arguments, lists them; with a NAME, starts
    one (go there with `aura checkout NAME`).
    """


@click.command("list", context_settings=HELP, epilog=examples("aura branch", "aura branch list --json"))
@json_option
@pass_repository
def list_command(repo: "Repository", console: Console) -> None:
    """List the branches"""
    found = branches(repo)
    if console.as_json:
        console.data({"branches": [branch_to_json(repo, item) for item in found]})
        return
    queries = repo.queries
    current = repo.head().branch
    for item in found:
        record = queries.version(item.version)
        mark = green("* ") if item.name == current else "  "
        name = cyan(item.name)
        where = " and ".join(describe(queries, version) for version in item.diverged or (item.version,))
        about = "has diverged" if item.diverged else record.name if record is not None else ""
        console.line(mark, name, "  ", yellow(where), f"  {about}")
    if not print_missing_heads(repo, console) and not found:
        console.line(faint("There are no branches yet: the first commit makes one."))


@click.command(
    "create", context_settings=HELP, epilog=examples("aura branch shorter-intro", "aura branch create old-music v3")
)
@click.argument("name")
@click.argument("version", default="HEAD", shell_complete=completing("version"))
@json_option
@pass_repository
def create_command(repo: "Repository", console: Console, name: str, version: str) -> None:
    """Start a branch on a version

    On the last version, if none is given. Your files stay as they are.
    """
    record = resolve(repo, version)
    create_branch(repo, name, record.id)
    if console.as_json:
        console.data({"branch": branch_to_json(repo, get_branch(repo, name))})
        return
    console.line("Started the branch ", cyan(name), " at ", yellow(call(repo, record)), f' "{record.name}"')
    console.line(faint(f"Go there with `aura checkout {name}`; take it back with `aura undo`."))


@click.command("rename", context_settings=HELP, epilog=examples("aura branch -m intro opening"))
@click.argument("old", shell_complete=completing("branch"))
@click.argument("new")
@json_option
@pass_repository
def rename_command(repo: "Repository", console: Console, old: str, new: str) -> None:
    """Give a branch another name"""
    rename_branch(repo, old, new)
    if console.as_json:
        console.data({"branch": branch_to_json(repo, get_branch(repo, new)), "renamed_from": old})
        return
    console.line("Renamed the branch ", cyan(old), " to ", cyan(new))
    console.line(faint("Take it back with `aura undo`."))


@click.command("delete", context_settings=HELP, epilog=examples("aura branch -d old-music"))
@click.argument("name", shell_complete=completing("branch"))
@json_option
@pass_repository
def delete_command(repo: "Repository", console: Console, name: str) -> None:
    """Delete a branch; its versions stay"""
    delete_branch(repo, name)
    if console.as_json:
        console.data({"deleted": name})
        return
    console.line("Deleted the branch ", cyan(name), "; its versions stay (`aura log --all`)")
    console.line(faint("Take it back with `aura undo`."))


def branch_to_json(repo: "Repository", item: "Branch") -> dict[str, Any]:
    """Convert a branch to JSON."""
    queries = repo.queries
    return {
        "name": item.name,
        "version": restore_point_to_json(queries.version(item.version)),
        "current": item.name == repo.head().branch,
        "diverged": [restore_point_to_json(queries.version(version)) for version in item.diverged],
    }
