"""`aura checkpoint`: how far a renderer came."""

import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aura_vcs.cli.groups import FileGroup
from aura_vcs.cli.options import HELP, TEXT, Count, examples, json_option
from aura_vcs.cli.output.console import Console, faint, green, red, to_json, yellow
from aura_vcs.cli.output.humanize import age, count
from aura_vcs.cli.session import pass_repository, project_paths
from aura_vcs.cli.shared.studio import table
from aura_vcs.errors import InputError
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.project.records.checkpoint_store import (
    checkpoint_data,
    find_checkpoint,
    invalidate,
    invalidate_all,
    latest_checkpoint,
    list_checkpoints,
    writer_for,
)

if TYPE_CHECKING:
    from aura_vcs.project.records.checkpoints import RenderCheckpoint
    from aura_vcs.repository.repository import Repository


@click.group(
    "checkpoint",
    cls=FileGroup,
    context_settings=HELP,
    epilog=examples(
        "aura checkpoint save Render --completed 7 --total 10 --output exports/part.mp4",
        """aura checkpoint save TTS --completed 2 --total 10 --data '{"voice": "Ada"}'""",
        "aura recover",
    ),
)
def checkpoint_command() -> None:
    """Save and list render checkpoints"""


@checkpoint_command.command(
    "save",
    context_settings=HELP,
    epilog=examples(
        "aura checkpoint save Render --completed 7 --total 10 --output exports/part.mp4",
        """aura checkpoint save TTS --completed 2 --total 10 --data '{"voice": "Ada"}'""",
    ),
)
@click.argument("stage")
@click.option("--completed", metavar="COUNT", type=Count(0, 1_000_000), required=True, help="Scenes done")
@click.option("--total", metavar="COUNT", type=Count(0, 1_000_000), required=True, help="Scenes in all")
@click.option("--data", metavar="JSON", help="What is needed to go on; - reads it from stdin")
@click.option("--output", metavar="FILE", help="The file that is being made, in the project")
@click.option("--keep-output", is_flag=True, help="Store the file's content too (up to 64 MiB)")
@click.option("--job", "job_id", metavar="ID", type=TEXT, help="The job at work")
@json_option
@pass_repository
def save_command(
    repo: "Repository",
    console: Console,
    *,
    stage: str,
    completed: int,
    total: int,
    data: str | None,
    output: str | None,
    keep_output: bool,
    job_id: str | None,
) -> None:
    """Record how far a stage came: Script, TTS, Images, Composition or Render

    When it returns, it is on disk. From Python: `project.checkpoints.save`.
    """
    path = project_paths(repo, (output,))[0] if output is not None else None
    made = writer_for(repo, job_id).save(
        stage, completed=completed, total=total, data=_json(data), output=path, keep_output=keep_output
    )
    _print(console, made, "Saved")


@checkpoint_command.command("list", context_settings=HELP, epilog=examples("aura checkpoint list --stage Render"))
@click.option("--stage", metavar="NAME", type=TEXT, help="Only this stage")
@click.option("--all", "everything", is_flag=True, help="Invalid ones too")
@json_option
@pass_repository
def list_command(repo: "Repository", console: Console, stage: str | None, everything: bool) -> None:
    """List checkpoints, newest first"""
    found = list_checkpoints(repo, stage=stage, valid=None if everything else True)
    if console.as_json:
        console.data({"checkpoints": [_with_data(repo, item) for item in found]})
        return
    table(
        console,
        (
            {
                "id": yellow(item.id[:8]),
                "stage": item.stage_name,
                "done": f"{item.completed_scenes}/{item.total_scenes}",
                "age": faint(age(item.checkpoint_time)),
                "output": item.output_file_path or "",
                "valid": "" if item.is_valid else red(f"invalid {item.invalid_reason or ''}"),
            }
            for item in found
        ),
    )
    if not found:
        console.line("There are no checkpoints.")


@checkpoint_command.command("latest", context_settings=HELP, epilog=examples("aura checkpoint latest --json"))
@click.option("--stage", metavar="NAME", type=TEXT, help="Only of this stage")
@json_option
@pass_repository
def latest_command(repo: "Repository", console: Console, stage: str | None) -> None:
    """Show the newest valid checkpoint and its data"""
    found = latest_checkpoint(repo, stage)
    data = checkpoint_data(repo, found) if found is not None else None
    if console.as_json:
        console.data({"checkpoint": found, "data": data})
    elif found is None:
        console.line("There is no valid checkpoint.")
    else:
        _print(console, found, "Newest:")
        if data is not None:
            console.lines([line] for line in to_json(data).splitlines())


@checkpoint_command.command(
    "invalidate",
    context_settings=HELP,
    epilog=examples("aura checkpoint invalidate 3fa2", 'aura checkpoint invalidate --all --reason "recut"'),
)
@click.argument("checkpoint", required=False)
@click.option("--all", "everything", is_flag=True, help="All of them")
@click.option("--stage", metavar="NAME", type=TEXT, help="With --all: only of this stage")
@click.option("--reason", metavar="TEXT", type=TEXT, default="", help="Why")
@json_option
@pass_repository
def invalidate_command(
    repo: "Repository", console: Console, checkpoint: str | None, everything: bool, stage: str | None, reason: str
) -> None:
    """Mark a checkpoint as invalid, so that nothing resumes from it

    `aura undo` takes it back.
    """
    if (checkpoint is None) == (not everything):
        raise click.UsageError("Name a checkpoint, or give --all.")
    if checkpoint is not None:
        invalidate(repo, find_checkpoint(repo, checkpoint), reason)
    done = 1 if checkpoint is not None else invalidate_all(repo, stage=stage, reason=reason)
    if console.as_json:
        console.data({"invalidated": done})
    else:
        console.line(f"{count(done, 'checkpoint')} will not be resumed from.")
        if done:
            console.line(faint("Take it back with `aura undo`."))


def _with_data(repo: "Repository", item: "RenderCheckpoint") -> "RenderCheckpoint":
    """Return the checkpoint with its renderer's saved data; without it where that is missing or damaged."""
    try:
        data = checkpoint_data(repo, item)
    except IntegrityError:
        return item
    return item if data is None else msgspec.structs.replace(item, checkpoint_data=data)


def _json(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return msgspec.json.decode(sys.stdin.buffer.read() if text == "-" else text.encode())
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InputError(f"--data is not JSON: {error}", hint="""For example --data '{"next_scene": 7}'.""") from error


def _print(console: Console, item: "RenderCheckpoint", verb: str) -> None:
    if console.as_json:
        console.data({"checkpoint": item})
        return
    done = f"{item.stage_name} {item.completed_scenes}/{item.total_scenes}"
    console.line(green(verb), " ", yellow(item.id[:8]), f"  {done}", faint(f"  {item.output_file_path or ''}"))
