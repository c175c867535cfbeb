"""`aura media relink`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint, green, red
from aura_vcs.cli.output.humanize import count, short_path
from aura_vcs.cli.session import pass_repository, project_paths
from aura_vcs.project.media.relink import Relinked, plan_relink, relink

if TYPE_CHECKING:
    from aura_vcs.project.media.relink import Relink
    from aura_vcs.repository.repository import Repository

SHOWN = 40
"""So many paths are listed."""


@click.command(
    "relink",
    context_settings=HELP,
    epilog=examples("aura media relink --dry-run", "aura media relink", "aura media relink trip.kdenlive"),
)
@click.argument("files", nargs=-1, type=click.Path())
@click.option("--dry-run", is_flag=True, help="Show what would be written and stop")
@json_option
@pass_repository
def relink_command(repo: "Repository", console: Console, files: tuple[str, ...], *, dry_run: bool) -> None:
    """Find the missing media of project files again

    Looks in the folder for the same content, the editor's checksum, the same name and size; then in older versions,
    and brings back from there what is nowhere else, also from a remote. Paths are written as the editor does,
    relative where it allows that, and absolute paths into the project become relative. `aura undo` takes it back.
    """
    plan = plan_relink(repo, project_paths(repo, files) if files else ())
    done = Relinked() if dry_run else relink(repo, plan)
    if console.as_json:
        console.data(
            {
                "media": [_to_json(one) for one in plan],
                "written": done.written,
                "restored": done.restored,
                "skipped": done.skipped,
            }
        )
    else:
        _print(console, plan, dry_run=dry_run)
    for path in done.skipped:
        console.warn(f"{path} was written by another program meanwhile and left as it is")


def _to_json(one: "Relink") -> dict[str, object]:
    return {
        "file": one.file,
        "path": one.path,
        "found": one.found or None,
        "by": one.by,
        "version": one.version or None,
        "new": one.new or None,
        "choices": one.choices,
        "reason": one.reason or None,
    }


def _print(console: Console, plan: "tuple[Relink, ...]", *, dry_run: bool) -> None:
    if not plan:
        console.line("Every path in the project files leads to its media.")
        return
    for one in plan[:SHOWN]:
        console.line("  ", cyan(short_path(one.file)), f": {short_path(one.path)}")
        if one.is_found:
            console.line("      ", green(_story(one)))
            continue
        console.line("      ", red(one.reason), *[faint(f", {short_path(path)}") for path in one.choices[:4]])
    if len(plan) > SHOWN:
        console.line(faint(f"  and {count(len(plan) - SHOWN, 'more path')}"))
    found = sum(one.is_found for one in plan)
    left = len(plan) - found
    told = f"{count(found, 'path')} would be relinked" if dry_run else f"Relinked {count(found, 'path')}"
    console.line(told + (f"; {count(left, 'file')} not found" if left else ""))


def _story(one: "Relink") -> str:
    if one.entry is not None:
        back = f"comes back from {one.version}"
        return back if not one.new else f"{back} as {short_path(one.found)}, written as {short_path(one.new)}"
    how = {"content": f"by its content in {one.version}", "path": "there"}.get(one.by or "", f"by its {one.by}")
    return f"is {short_path(one.found)}, {how}; written as {short_path(one.new)}"
