"""`aura projects`: the studio's list of projects."""

import os
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aura_vcs.cli.groups import FileGroup
from aura_vcs.cli.options import COUNT, HELP, POSITIVE, TEXT, completing, examples, json_option
from aura_vcs.cli.output.console import Console, faint, green, red, strong, yellow
from aura_vcs.cli.output.humanize import age, count
from aura_vcs.cli.session import current_session, pass_studio
from aura_vcs.cli.shared.studio import table
from aura_vcs.cli.shared.studio_undo import WAY_BACK
from aura_vcs.errors import InputError
from aura_vcs.studio.projects import (
    ProjectFilter,
    add_project,
    find_project,
    forget_project,
    list_projects,
    scan_folder,
)

if TYPE_CHECKING:
    from aura_vcs.studio.projects import ProjectEntry
    from aura_vcs.studio.studio import Studio

STATUSES = ("Draft", "InProgress", "Completed", "Failed", "Cancelled")


@click.group(
    "projects",
    cls=FileGroup,
    context_settings=HELP,
    epilog=examples("aura projects scan ~/Videos", "aura projects list --status Failed", "aura projects add ."),
)
def projects_command() -> None:
    """List your projects, wherever they are"""


@projects_command.command(
    "list",
    context_settings=HELP,
    epilog=examples("aura projects list --status Failed", "aura projects list --sort title -n 20"),
)
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Only those of this status")
@click.option("--category", metavar="NAME", type=TEXT, help="Only this category")
@click.option("--job", "job_id", metavar="ID", type=TEXT, help="Only the one that this job works on")
@click.option("--deleted", is_flag=True, help="Those that were deleted")
@click.option(
    "--sort", type=click.Choice(["updated", "created", "title", "status"]), default="updated", show_default=True
)
@click.option("-n", "limit", metavar="COUNT", type=POSITIVE, default=50, show_default=True)
@click.option("--offset", metavar="COUNT", type=COUNT, default=0, help="Skip this many at the beginning")
@json_option
@pass_studio
def list_command(studio: "Studio", console: Console, **wanted: Any) -> None:
    """List projects, newest first"""
    found = list_projects(studio, ProjectFilter(**wanted))
    if console.as_json:
        console.data({"projects": [listed_project_to_json(entry) for entry in found]})
        return
    table(console, (_row(entry) for entry in found))
    if not found:
        console.line("No matching projects. `aura projects scan DIR` finds those in a folder.")


@projects_command.command("add", context_settings=HELP, epilog=examples("aura projects add ."))
@click.argument("folder", metavar="DIR", default=".", shell_complete=completing("folder"))
@json_option
@pass_studio
def add_command(studio: "Studio", console: Console, folder: str) -> None:
    """Put a project on the list"""
    entry = add_project(studio, _location(folder))
    if console.as_json:
        console.data(listed_project_to_json(entry))
    else:
        console.line(green("Listed "), strong(entry.facts.title), faint(f"  {entry.path}"))


@projects_command.command("scan", context_settings=HELP, epilog=examples("aura projects scan ~/Videos"))
@click.argument("folder", metavar="DIR", shell_complete=completing("folder"))
@json_option
@pass_studio
def scan_command(studio: "Studio", console: Console, folder: str) -> None:
    """Put every project below a folder on the list; finds moved ones again"""
    if not os.path.isdir(_location(folder)):
        raise InputError(f"{folder} is not a folder", hint="Name the folder that has your projects in it.")
    found = scan_folder(studio, _location(folder))
    if console.as_json:
        console.data({"projects": [listed_project_to_json(entry) for entry in found]})
        return
    table(console, (_row(entry) for entry in found))
    console.line(f"Found {count(len(found), 'project')}.")


@projects_command.command("forget", context_settings=HELP, epilog=examples('aura projects forget "Old film"'))
@click.argument("project")
@json_option
@pass_studio
def forget_command(studio: "Studio", console: Console, project: str) -> None:
    """Take a project off the list; its folder stays as it is"""
    entry = find_project(studio, project, folder=current_session().folder)
    forget_project(studio, entry)
    if console.as_json:
        console.data(listed_project_to_json(entry))
    else:
        console.line("Took ", strong(entry.facts.title), f" off the list; {entry.path} stays as it is.")
        console.line(faint(WAY_BACK))


def _location(folder: str) -> str:
    """Resolve the folder that was named from where `aura` works (`-C`)."""
    return os.path.join(current_session().folder, folder)


def listed_project_to_json(entry: "ProjectEntry") -> dict[str, Any]:
    """Convert a project of the list to JSON."""
    facts: dict[str, Any] = msgspec.to_builtins(entry.facts)
    state = facts.pop("state")
    facts.pop("stamp")
    by = facts.pop("modified_by") or entry.modified_by
    last = {"modified_by": by, "output_file_path": entry.facts.output_file_path}
    dates = {"updated_at": entry.updated_at, "created_at": entry.created_at}
    return {"path": entry.path, "place": entry.location, **facts, **state, **dates, **last}


def _row(entry: "ProjectEntry") -> dict[str, Any]:
    state = entry.facts.state
    missing = entry.location == "missing"
    status = red("missing") if missing else red(state.status) if state.status == "Failed" else yellow(state.status)
    return {
        "title": strong(entry.facts.title),
        "status": status,
        "progress": faint(f"{state.progress_percent:.0f} %" if state.status == "InProgress" else ""),
        "category": entry.facts.category or "",
        "age": faint(age(entry.updated_at)),
        "path": faint(entry.path),
    }
