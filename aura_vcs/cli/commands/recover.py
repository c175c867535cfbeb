"""`aura recover`: go on where a renderer stopped."""

from contextlib import suppress
from typing import TYPE_CHECKING

import click
import msgspec

from aura_vcs.cli.options import HELP, dry_run_option, examples, json_option
from aura_vcs.cli.output.console import Console, faint, green, red, strong, to_json, yellow
from aura_vcs.cli.output.humanize import age
from aura_vcs.cli.session import Session, pass_session
from aura_vcs.errors import AuraError
from aura_vcs.errors.input import NotAProject
from aura_vcs.repository.find_project import find_root
from aura_vcs.repository.repository import Repository

if TYPE_CHECKING:
    from aura_vcs.project.records.checkpoints import RenderCheckpoint


@click.command(
    "recover", context_settings=HELP, epilog=examples("aura recover --list", "aura recover --dry-run", "aura recover")
)
@click.option("--list", "wants_list", is_flag=True, help="List interrupted projects of the studio, and this one")
@click.option("--stage", metavar="NAME", help="Only from checkpoints of this stage")
@dry_run_option
@json_option
@pass_session
def recover_command(session: Session, *, wants_list: bool, stage: str | None, dry_run: bool) -> None:
    """Resume from the newest valid checkpoint

    The project is InProgress again, as far as it had come. Output that the checkpoint kept is restored,
    and its data is printed, so that the renderer can continue.
    """
    if wants_list:
        _list(session)
        return
    from aura_vcs.project.records.checkpoint_store import checkpoint_data, plan_recovery, recover

    console = session.console
    with session.open(preview=dry_run) as repo:
        if dry_run:
            found, skipped = plan_recovery(repo, stage=stage)
            data = checkpoint_data(repo, found) if found is not None else None
            restored = None
        else:
            done = recover(repo, stage=stage)
            found, data, restored, skipped = done.checkpoint, done.data, done.restored, list(done.skipped)
    if console.as_json:
        shape = {"checkpoint": found, "data": data, "restored": restored, "skipped": skipped}
        console.data({**shape, "dry_run": dry_run})
        return
    for text in skipped:
        console.note(red("Skipped: "), text)
    if found is None:
        console.line("There is nothing to resume from.")
        return
    _print(console, found, "Would resume from" if dry_run else "Resumed from")
    if restored:
        console.line("  brought back ", strong(restored))
    if data is not None:
        console.lines([line] for line in to_json(data).splitlines())


def _list(session: Session) -> None:
    """Interrupted projects: this one, and those of the studio's list."""
    from aura_vcs.studio.interrupted import InterruptedProject, find_interrupted

    found: list[InterruptedProject] = []
    for path in _places(session):
        try:
            with Repository.open(path, trust=session.trust(), **session.options()) as repo:
                if (item := find_interrupted(repo)) is not None:
                    found.append(msgspec.structs.replace(item, path=path))
        except AuraError as error:
            session.console.warn(path, ": ", error.message)
    if session.console.as_json:
        session.console.data({"interrupted": found})
        return
    for item in found:
        session.console.line(strong(item.path), "  ", yellow(item.state.status))
        if item.checkpoint is not None:
            _print(session.console, item.checkpoint, "  newest checkpoint")
    if not found:
        session.console.line("No project was interrupted.")


def _places(session: Session) -> list[str]:
    from aura_vcs.studio.interrupted import unfinished_folders

    places: dict[str, None] = {}
    with suppress(NotAProject):  # the studio's list is still worth looking at
        places[find_root(session.folder)] = None
    with session.studio() as studio:
        places.update(dict.fromkeys(unfinished_folders(studio)))
    return list(places)


def _print(console: Console, item: "RenderCheckpoint", words: str) -> None:
    done = f"{item.stage_name} {item.completed_scenes}/{item.total_scenes}"
    console.line(green(words), " ", yellow(item.id[:8]), f"  {done}", faint(f"  {age(item.checkpoint_time)}"))
