"""`aura media collect`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint, red
from aura_vcs.cli.output.humanize import count, short_path, size
from aura_vcs.cli.session import pass_repository, project_paths
from aura_vcs.project.media.collect import CollectedMedia, collect, plan_collect

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository

SHOWN = 40
"""So many files are listed."""


@click.command(
    "collect",
    context_settings=HELP,
    epilog=examples("aura media collect --dry-run", "aura media collect", "aura media collect --to footage/elsewhere"),
)
@click.option("--to", "folder", default="media", show_default=True, type=click.Path(), help="Where the copies go")
@click.option("--dry-run", is_flag=True, help="Show what would be copied and stop")
@json_option
@pass_repository
def collect_command(repo: "Repository", console: Console, folder: str, *, dry_run: bool) -> None:
    """Copy media from outside into the project

    Project files that name files elsewhere on this machine then name the copies, so that versions have
    all they need. The originals stay as they are; links are not followed. `aura undo` takes the copies
    and paths back.
    """
    (target,) = project_paths(repo, (folder,))
    plan = plan_collect(repo, folder=target)
    done = CollectedMedia() if dry_run else collect(repo, plan)
    if console.as_json:
        media = [
            {
                "outside": one.outside,
                "target": one.target,
                "bytes": one.size,
                "files": sorted({file for file, _, _ in one.names}),
                "reason": one.reason or None,
            }
            for one in plan
        ]
        console.data({"media": media, "copied": done.copied, "written": done.written, "skipped": done.skipped})
        return
    if not plan:
        console.line("No project file names media outside of the project.")
        return
    for one in plan[:SHOWN]:
        told = red(f"stays: {one.reason}") if one.reason else faint(size(one.size))
        console.line("  ", short_path(one.outside), " → ", cyan(short_path(one.target)), "  ", told)
    if len(plan) > SHOWN:
        console.line(faint(f"  and {count(len(plan) - SHOWN, 'more file')}"))
    todo = [one for one in plan if not one.reason]
    room = size(sum(one.size for one in todo))
    console.line(
        f"{count(len(todo), 'file')} would be copied, {room}"
        if dry_run
        else f"Copied {count(len(todo), 'file')}, {room}"
    )
    for path in done.skipped:
        console.warn(f"{path} was written by another program meanwhile and left as it is")
