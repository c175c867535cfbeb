"""`aura scene`: the scenes of the film."""

from typing import TYPE_CHECKING, Any

import click
import msgspec

from aura_vcs.cli.groups import FileGroup
from aura_vcs.cli.options import COUNT, HELP, examples, json_option
from aura_vcs.cli.output.console import Console, faint, green, red, strong, yellow
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.shared.studio import assignments, expire_days, table
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.plain_text import not_before
from aura_vcs.project.documents.folder_index import refresh_folder
from aura_vcs.project.records.file_audit import FileAudit

if TYPE_CHECKING:
    from aura_vcs.index.entities import SceneRow
    from aura_vcs.project.scenes.actions import SceneChanged
    from aura_vcs.repository.repository import Repository


@click.group(
    "scene",
    cls=FileGroup,
    context_settings=HELP,
    epilog=examples(
        "aura scene list",
        'aura scene set 3 heading="The Moon" duration_seconds=8',
        'aura scene add heading="Credits"',
        "aura scene move 3 0",
    ),
)
def scene_command() -> None:
    """List and change the scenes

    Name a scene by its index (from 0), its id, or its file's name.
    """


@scene_command.command("list", context_settings=HELP, epilog=examples("aura scene list"))
@json_option
@pass_repository
def list_command(repo: "Repository", console: Console) -> None:
    """List the scenes in the order of the film"""
    found = refresh_folder(repo).scenes()
    if console.as_json:
        audit = FileAudit(repo)
        console.data({"scenes": [scene_to_json(repo, row, audit) for row in found]})
        return
    table(console, (_row(row) for row in found))
    if not found:
        console.line("There are no scenes. Add one with `aura scene add heading=...`.")


@scene_command.command("show", context_settings=HELP, epilog=examples("aura scene show 3"))
@click.argument("scene")
@json_option
@pass_repository
def show_command(repo: "Repository", console: Console, scene: str) -> None:
    """Show one scene"""

    from aura_vcs.project.scenes.scenes import find_scene, list_scenes

    file = find_scene(list_scenes(FolderSource(repo.root)), scene).name
    row = next(item for item in refresh_folder(repo).scenes() if item.file == file)
    if console.as_json:
        console.data(scene_to_json(repo, row, FileAudit(repo)))
        return
    console.line(yellow(str(row.scene_index)), "  ", strong(row.heading or "(no heading)"), faint(f"  {row.file}"))
    console.line("  ", row.script_text or "(no script)")
    console.line("  sound:   ", row.audio_file_path or red("none"))
    console.line("  picture: ", row.image_file_path or red("none"))
    console.line(f"  length:  {row.duration_seconds:g} s" if row.duration_seconds is not None else "  length:  not set")


@scene_command.command(
    "add", context_settings=HELP, epilog=examples('aura scene add heading="Credits" duration_seconds=4 --at 0')
)
@click.argument("values", metavar="FIELD=VALUE...", nargs=-1)
@click.option("--at", metavar="INDEX", type=COUNT, help="Where in the film (default: at its end)")
@json_option
@pass_repository
def add_command(repo: "Repository", console: Console, values: tuple[str, ...], at: int | None) -> None:
    """Add a scene, in scenes/ and in the timeline"""
    from aura_vcs.project.scenes.actions import new_scene

    _print(console, new_scene(repo, assignments(values), at=at, expire_days=expire_days(repo)), "Added a scene")


@scene_command.command(
    "set",
    context_settings=HELP,
    epilog=examples(
        'aura scene set 3 heading="The Moon" duration_seconds=8', "aura scene set 3 image_file_path=assets/moon.png"
    ),
)
@click.argument("scene")
@click.argument("values", metavar="FIELD=VALUE...", nargs=-1, required=True)
@json_option
@pass_repository
def set_command(repo: "Repository", console: Console, scene: str, values: tuple[str, ...]) -> None:
    """Set fields of a scene, and what the timeline says about it"""
    from aura_vcs.project.scenes.actions import change_scene

    _print(
        console, change_scene(repo, scene, assignments(values), expire_days=expire_days(repo)), f"Changed scene {scene}"
    )


@scene_command.command("remove", context_settings=HELP, epilog=examples("aura scene remove 3"))
@click.argument("scene")
@json_option
@pass_repository
def remove_command(repo: "Repository", console: Console, scene: str) -> None:
    """Remove a scene; its media stays"""
    from aura_vcs.project.scenes.actions import drop_scene

    _print(console, drop_scene(repo, scene, expire_days=expire_days(repo)), f"Removed scene {scene}")


@scene_command.command("move", context_settings=HELP, epilog=examples("aura scene move 3 0"))
@click.argument("scene")
@click.argument("index", type=COUNT)
@json_option
@pass_repository
def move_command(repo: "Repository", console: Console, scene: str, index: int) -> None:
    """Move a scene to another place in the film"""
    from aura_vcs.project.scenes.actions import place_scene

    _print(console, place_scene(repo, scene, index, expire_days=expire_days(repo)), f"Moved scene {scene} to {index}")


def scene_to_json(repo: "Repository", row: "SceneRow", audit: FileAudit) -> dict[str, Any]:
    """Convert a scene to JSON: the entity SceneState, its file, and who made and changed it."""
    shape: dict[str, Any] = msgspec.to_builtins(row)
    found: dict[str, Any] = msgspec.to_builtins(audit.of(row.file, shape.pop("stamp")))
    made = shape.pop("created_at") or found["created_at"]
    # What aura itself writes is dated a little back, see worktree.checkout.new_file: never before it was made.
    found |= {"created_at": made, "updated_at": not_before(found["updated_at"], made)}
    return {"project": repo.format.project, **shape, **found}


def _row(row: "SceneRow") -> dict[str, Any]:
    missing = [word for word, path in (("sound", row.audio_file_path), ("picture", row.image_file_path)) if not path]
    return {
        "index": yellow(str(row.scene_index)),
        "heading": strong(row.heading or "(no heading)"),
        "seconds": f"{row.duration_seconds:g} s" if row.duration_seconds is not None else "",
        "missing": red(f"no {' or '.join(missing)}") if missing else green("complete"),
        "file": faint(row.file),
    }


def _print(console: Console, done: "SceneChanged", words: str) -> None:
    if console.as_json:
        console.data(done)
        return
    for note in done.notes:
        console.note(note)
    if done.written or done.deleted:
        console.line(green(words), faint(f"  ({', '.join((*done.written, *done.deleted))})"))
        console.line(faint("Take it back with `aura undo`."))
