"""`aura export`: versions become videos, git repositories, folders and archives."""

import os
from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.groups import FileGroup
from aura_vcs.cli.options import (
    COUNT,
    HELP,
    POSITIVE,
    TEXT,
    ByteSize,
    completing,
    examples,
    json_option,
    since_until_options,
)
from aura_vcs.cli.output.console import Console, faint, green, red, strong, yellow
from aura_vcs.cli.output.humanize import age, call, count, duration, size
from aura_vcs.cli.remote_environment import git_environment, worker_environment
from aura_vcs.cli.session import Session, current_session, pass_repository, project_paths
from aura_vcs.cli.shared.studio import setting, table
from aura_vcs.cli.shared.transfers import all_versions_option

if TYPE_CHECKING:
    from aura_vcs.project.records.exports import ExportRecord
    from aura_vcs.repository.repository import Repository

STATUSES = ("Queued", "InProgress", "Completed", "Failed")

LISTED = 10
"""So many missing media are named; `--json` has all."""


@click.group(
    "export",
    cls=FileGroup,
    context_settings=HELP,
    epilog=examples(
        "aura export presets",
        'aura export run v3 --preset "YouTube 1080p" -o film.mp4',
        "aura export retry last",
        "aura export version v3 ../film-v3.zip",
        "aura export git ../film-git",
    ),
)
def export_command() -> None:
    """Render versions to video; write them as git, folders, archives, timelines"""


@export_command.command(
    "run", context_settings=HELP, epilog=examples('aura export run v3 --preset "YouTube 1080p" -o film.mp4')
)
@click.argument("version", shell_complete=completing("version"), default="HEAD")
@click.option(
    "--preset",
    metavar="NAME",
    type=TEXT,
    shell_complete=completing("preset"),
    help="How it is encoded; 'project': as render.json says (default: export.preset)",
)
@click.option("-o", "--output", metavar="FILE", help="The file to write (default: one in general.output_directory)")
@click.option("--overwrite", is_flag=True, help="Replace an existing file")
@click.option("--queue", is_flag=True, help="Only record the job; `aura export start` renders it")
@json_option
@pass_repository
def run_command(
    repo: "Repository",
    console: Console,
    *,
    version: str,
    preset: str | None,
    output: str | None,
    overwrite: bool,
    queue: bool,
) -> None:
    """Render a version to a video

    Uses the content of that version alone; your files are neither read nor changed. Ctrl-C, or `aura
    export cancel` in another terminal, stops it and leaves no partial file.
    """
    from aura_vcs.history.names.revisions import resolve
    from aura_vcs.project.records.export_jobs import add_export, choose_preset

    record = resolve(repo, version)
    chosen = choose_preset(repo, record, preset or setting(repo, "export.preset"))
    job = add_export(repo, record, chosen, output or _default_output(repo, call(repo, record), chosen.extension))
    if queue:
        _print(repo, console, job)
        return
    _run(repo, console, job, overwrite=overwrite)


@export_command.command("start", context_settings=HELP, epilog=examples("aura export start 3fa2"))
@click.argument("export")
@click.option("--overwrite", is_flag=True, help="Replace an existing file")
@json_option
@pass_repository
def start_command(repo: "Repository", console: Console, export: str, overwrite: bool) -> None:
    """Render a job that is Queued"""
    from aura_vcs.project.records.export_jobs import find_export

    _run(repo, console, find_export(repo, export), overwrite=overwrite)


@export_command.command("retry", context_settings=HELP, epilog=examples("aura export retry last"))
@click.argument("export", default="last")
@click.option("--overwrite", is_flag=True, help="Replace an existing file")
@json_option
@pass_repository
def retry_command(repo: "Repository", console: Console, export: str, overwrite: bool) -> None:
    """Render a failed job again: the same version, preset and file"""
    from aura_vcs.project.records.export_jobs import find_export, retry_export

    _run(repo, console, retry_export(repo, find_export(repo, export)), overwrite=overwrite)


@export_command.command("cancel", context_settings=HELP, epilog=examples("aura export cancel 3fa2"))
@click.argument("export", default="last")
@json_option
@pass_repository
def cancel_command(repo: "Repository", console: Console, export: str) -> None:
    """Stop a job, also one that another terminal renders"""
    from aura_vcs.project.records.export_jobs import cancel_export, find_export

    _print(repo, console, cancel_export(repo, find_export(repo, export)))


@export_command.command("list", context_settings=HELP, epilog=examples("aura export list --status Failed"))
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Only those of this status")
@since_until_options
@click.option("-n", "limit", metavar="COUNT", type=POSITIVE, default=50, show_default=True, help="At most this many")
@click.option("--offset", metavar="COUNT", type=COUNT, default=0, help="Skip this many of the newest")
@json_option
@pass_repository
def list_command(
    repo: "Repository",
    console: Console,
    *,
    status: Any,
    since: str | None,
    until: str | None,
    limit: int,
    offset: int,
) -> None:
    """List exports, newest first"""
    from aura_vcs.project.records.export_jobs import describe_source, list_exports

    found = list_exports(
        repo,
        status=status,
        since=since,
        until=until,
        limit=limit,
        offset=offset,
    )
    if console.as_json:
        console.data({"exports": found})
        return
    table(
        console,
        (
            {
                "id": yellow(job.id[:8]),
                "status": _status(job),
                "version": describe_source(repo, job),
                "preset": job.preset_name,
                "age": faint(age(job.created_at)),
                "file": strong(job.output_file),
            }
            for job in found
        ),
    )
    if not found:
        console.line("Nothing was exported.")


@export_command.command("show", context_settings=HELP, epilog=examples("aura export show last"))
@click.argument("export", default="last")
@json_option
@pass_repository
def show_command(repo: "Repository", console: Console, export: str) -> None:
    """Show one export"""
    from aura_vcs.project.records.export_jobs import find_export

    _print(repo, console, find_export(repo, export))


@export_command.command("presets", context_settings=HELP, epilog=examples("aura export presets"))
@json_option
@click.pass_context
def presets_command(ctx: click.Context) -> None:
    """List the presets"""
    from aura_vcs.project.render.presets import PRESETS

    console = ctx.ensure_object(Session).console
    if console.as_json:
        console.data({"presets": PRESETS})
        return
    table(
        console,
        (
            {
                "name": strong(item.name),
                "size": f"{item.width}×{item.height}" if item.video_codec else "sound",
                "codec": faint(f"{item.container}, {item.video_codec or item.audio_codec}"),
                "description": item.description,
            }
            for item in PRESETS
        ),
    )


@export_command.command(
    "git",
    context_settings=HELP,
    epilog=examples("aura export git ../film-git", "aura export git ../out --lfs-over 10M"),
)
@click.argument("folder", metavar="DIR")
@click.option("--lfs-over", metavar="SIZE", type=ByteSize(), help="Files of at least this size become Git LFS pointers")
@all_versions_option
@json_option
@pass_repository
def git_command(repo: "Repository", console: Console, *, folder: str, lfs_over: int | None, all_versions: bool) -> None:
    """Write branches and tags, with their history, into a new git repository

    The same versions give the same commits each time, so that they can be pushed again and again; what
    was imported from git becomes the same commit again. With --all-versions autosaves and restore
    points come too, as tags.
    """
    from aura_vcs.interchange.git_export import export_git

    target = os.path.join(current_session().folder, folder)
    done = export_git(repo, target, lfs_over=lfs_over, all_versions=all_versions, environment=git_environment())
    if console.as_json:
        console.data(done)
        return
    kept = faint(f"  ({done.original} as they were in git)") if done.original else ""
    console.line(green("Exported"), f" {count(done.commits, 'version')} to ", strong(done.path), kept)
    console.line(f"  {count(len(done.branches), 'branch', 'branches')}, {count(len(done.tags), 'tag')}")
    if done.lfs_files:
        console.line(f"  {count(done.lfs_files, 'file')} for Git LFS")
    for line in done.left:
        console.line(f"  {line}")


@export_command.command(
    "version",
    context_settings=HELP,
    epilog=examples("aura export version v3 ../old-cut", "aura export version v3 ../film.zip scenes assets/images"),
)
@click.argument("version", shell_complete=completing("version"))
@click.argument("target", metavar="DIR|FILE.zip|FILE.tar.zst")
@click.argument("paths", nargs=-1)
@json_option
@pass_repository
def version_command(repo: "Repository", console: Console, *, version: str, target: str, paths: tuple[str, ...]) -> None:
    """Write the files of a version to a new folder, ZIP or tar.zst, without history

    Links and executable files come out as they are. Nothing is overwritten: the target must be new, or an empty folder.
    """
    from aura_vcs.history.names.revisions import resolve as resolve_version
    from aura_vcs.interchange.export_version import export_version

    where = os.path.join(current_session().folder, target)
    done = export_version(repo, version, where, project_paths(repo, paths))
    if console.as_json:
        console.data(done)
        return
    called = call(repo, resolve_version(repo, version))
    what = f" {called}: {count(done.files, 'file')}, {size(done.size_bytes)}, to "
    console.line(green("Exported"), what, strong(done.path))


@export_command.command(
    "otio",
    context_settings=HELP,
    epilog=examples("aura export otio v3 ../cut-v3.otio", "aura export otio HEAD ../cut.otioz"),
)
@click.argument("version", shell_complete=completing("version"))
@click.argument("target", metavar="FILE.otio|FILE.otioz")
@json_option
@pass_repository
def otio_command(repo: "Repository", console: Console, *, version: str, target: str) -> None:
    """Write the timeline of a version as OpenTimelineIO, .otioz with its media

    The studio's timeline becomes tracks of pictures, narration and music, with a marker for every
    scene. Nothing is overwritten. Ends with exit code 3 if media are missing in the version.
    """
    from aura_vcs.history.names.revisions import resolve as resolve_version
    from aura_vcs.interchange.export_otio import export_otio

    done = export_otio(repo, version, os.path.join(current_session().folder, target))
    if done.missing:
        console.exit_code = 3
    if console.as_json:
        console.data(done)
        return
    beside = f", with {count(done.media, 'media file')}" if done.media else ""
    console.line(
        green("Exported"),
        f" the timeline of {call(repo, resolve_version(repo, version))} to ",
        strong(done.path),
        beside,
    )
    for path in done.missing[:LISTED]:
        console.line(faint(f"  not in the version: {path}"))


def _default_output(repo: "Repository", called: str, extension: str) -> str:
    """Choose a free name in the output folder, which is made."""
    folder = setting(repo, "general.output_directory")
    if not folder:
        raise click.UsageError("No file to write to. Give -o FILE, or `aura config set general.output_directory DIR`.")
    os.makedirs(folder, exist_ok=True)
    stem = os.path.join(folder, f"{os.path.basename(repo.root)}-{called}")
    names = (f"{stem}{'' if n == 1 else f'-{n}'}{extension}" for n in range(1, 10_000))
    return next(name for name in names if not os.path.lexists(name))


def _run(repo: "Repository", console: Console, job: "ExportRecord", *, overwrite: bool) -> None:
    from aura_vcs.project.records.export_jobs import run_export

    _print(repo, console, run_export(repo, job, overwrite=overwrite, environment=worker_environment()))


def _print(repo: "Repository", console: Console, job: "ExportRecord") -> None:
    if console.as_json:
        console.data({"export": job})
        return
    from aura_vcs.project.records.export_jobs import describe_source

    console.line(_status(job), f"  {describe_source(repo, job)} as {job.preset_name}", faint(f"  {job.id[:8]}"))
    console.line("  ", strong(job.output_file))
    if job.status == "Completed":
        made = [size(job.file_size or 0), duration(job.duration_seconds or 0), job.resolution or "", job.codec or ""]
        console.line("  ", ", ".join(word for word in made if word))
    if job.error_message:
        console.line("  ", red(job.error_message))
    for note in job.notes:
        console.line(faint(f"  {note}"))


def _status(job: "ExportRecord") -> Any:
    if job.status == "InProgress":
        return yellow(f"{job.status} {job.progress:.0f} %")
    return {"Completed": green, "Failed": red}.get(job.status, yellow)(job.status)
