"""`aura import folder`."""

import os
from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, dry_run_option, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint, green, strong
from aura_vcs.cli.output.humanize import count
from aura_vcs.cli.session import current_session, pass_repository
from aura_vcs.cli.shared.left_out import SHOWN, print_left_out
from aura_vcs.interchange.folder_import import import_folder
from aura_vcs.interchange.folder_plan import encode_plan, plan_folder, read_plan
from aura_vcs.storage.made_files import write_new

if TYPE_CHECKING:
    from aura_vcs.interchange.folder_import import FolderImported
    from aura_vcs.interchange.folder_plan import FolderPlan
    from aura_vcs.repository.repository import Repository


@click.command(
    "folder",
    context_settings=HELP,
    epilog=examples(
        "aura import folder ../copies --dry-run",
        "aura import folder ../copies --plan plan.json",
        "aura import folder --plan plan.json",
    ),
)
@click.argument("folder", metavar="[DIR]", required=False)
@click.option("--plan", "plan_file", metavar="FILE", help="Write the plan to a new FILE and stop; or import as it says")
@dry_run_option
@json_option
@pass_repository
def folder_command(
    repo: "Repository", console: Console, *, folder: str | None, plan_file: str | None, dry_run: bool
) -> None:
    """Make versions of the copies in a folder

    Folders, ZIP files and single files such as film_v1, "film_v2 (final)" and film-2024-03-01.zip
    become versions with their dates: in the order of the dates in their names, otherwise of their
    numbers, otherwise of their own dates. With --plan, the plan is written to a file that you can edit,
    and imported when you give the command again. Run again, it brings only what is new. One `aura undo`
    takes the branch back. Ends with exit code 3 if something could not be taken.
    """
    here = current_session().folder
    file = os.path.join(here, plan_file) if plan_file is not None else None
    is_written = file is not None and os.path.lexists(file)
    if folder is None and not is_written:
        raise click.UsageError("Name the folder that has the copies, or a plan with --plan.")
    plan = (
        read_plan(file)
        if file is not None and is_written
        else plan_folder(os.path.join(here, folder or "."), project=repo.root)
    )
    if dry_run or (file is not None and not is_written):
        if file is not None and not (is_written or dry_run):
            write_new(file, encode_plan(plan))
        _show_plan(console, plan, plan_file if file is not None and not (is_written or dry_run) else None)
        return
    done = import_folder(repo, plan)
    if done.left_count:
        console.exit_code = 3
    if console.as_json:
        console.data(done)
        return
    _print(console, done)


def _show_plan(console: Console, plan: "FolderPlan", written: str | None) -> None:
    if console.as_json:
        console.data({"dry_run": True, "plan": plan, "written": written})
        return
    for copy in plan.versions:
        what = faint(f"  {copy.kind}" + (f" → {copy.path}" if copy.path else ""))
        console.line(f"{copy.date[:10]} {copy.date[11:16]}  ", strong(copy.source), what)
    console.line(f"{count(len(plan.versions), 'version')} in this order.")
    for name in plan.left[:SHOWN]:
        console.line(faint(f"  left out: {name}"))
    if written is not None:
        console.line("Written to ", cyan(written), ". Edit it, then: ", f"`aura import folder --plan {written}`")
    else:
        console.line("Nothing was changed.")


def _print(console: Console, done: "FolderImported") -> None:
    known = faint(f"  ({count(done.known, 'copy', 'copies')} had been imported before)") if done.known else ""
    console.line(green("Imported"), f" {count(done.versions, 'version')} from ", cyan(done.folder), known)
    if done.same:
        console.line(f"  {count(done.same, 'copy', 'copies')} had the same files as the one before")
    if done.branch is not None and done.branch != "main":
        console.line(f"  main has other versions: these are on branch {done.branch}; `aura merge {done.branch}`.")
    print_left_out(console, done.left, done.left_count)
    if done.versions:
        console.line(faint("Take it back with `aura undo`."))
