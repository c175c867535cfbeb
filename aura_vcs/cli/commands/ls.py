"""`aura ls`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, completing, examples, json_option
from aura_vcs.cli.output.console import Console, Part, cyan, faint
from aura_vcs.cli.output.humanize import call, count, size
from aura_vcs.cli.output.paths import is_in_head, is_version
from aura_vcs.cli.session import current_session, pass_repository, project_paths
from aura_vcs.history.lookup.content import list_folder, locate

if TYPE_CHECKING:
    from aura_vcs.history.lookup.content import LocatedContent
    from aura_vcs.model import Entry
    from aura_vcs.repository.repository import Repository


@click.command(
    "ls",
    context_settings=HELP,
    epilog=examples("aura ls", "aura ls sound", "aura ls v3", "aura ls v3:scenes", "aura ls v3 --recursive"),
)
@click.argument("what", metavar="[VERSION[:PATH]|PATH]", default="HEAD", shell_complete=completing("content"))
@click.option("-r", "--recursive", is_flag=True, help="Include everything in its folders")
@json_option
@pass_repository
def ls_command(repo: "Repository", console: Console, what: str, recursive: bool) -> None:
    """List the files of a version, one folder at a time

    Without a version, lists those of the last one; a PATH alone is one of the last version. A folder's
    size is that of all files in it. `aura status` lists files that are in no version.
    """
    located = locate(repo, _meant(repo, what))
    found = list_folder(repo, located, recursive=recursive)
    if console.as_json:
        from aura_vcs.cli.output.json_shapes import entry_to_json, restore_point_to_json

        entries = [entry_to_json(path, entry) for path, entry in found]
        console.data({"version": restore_point_to_json(located.record), "path": located.path or "", "entries": entries})
        return
    console.lines(([size(entry.size).rjust(10), "  ", *_name(path, entry)] for path, entry in found), paged=True)
    _sum(console, call(repo, located.record), located, found)


def _meant(repo: "Repository", what: str) -> str:
    """`HEAD:PATH` where a path of the last version stands in the place of a version."""
    if ":" in what or is_version(repo, what):
        return what

    if what.strip("/") != "." and not is_in_head(repo, current_session().folder, what):
        return what
    return f"HEAD:{project_paths(repo, (what,))[0]}"


def _name(path: str, entry: "Entry") -> list[Part]:
    return [cyan(f"{path}/")] if entry.kind == "dir" else [path]


def _sum(console: Console, called: str, located: "LocatedContent", found: "list[tuple[str, Entry]]") -> None:
    folders = sum(entry.kind == "dir" for _, entry in found)
    parts = [count(folders, "folder")] if folders else []
    if len(found) > folders or not found:
        parts.append(count(len(found) - folders, "file"))
    console.line(faint(f"{', '.join(parts)} in {called}, {size(located.entry.size)}"))
