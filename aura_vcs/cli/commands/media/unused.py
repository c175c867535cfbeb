"""`aura media unused`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console, faint
from aura_vcs.cli.output.humanize import count, short_path, size
from aura_vcs.cli.session import pass_repository
from aura_vcs.project.media.unused import find_unused

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command("unused", context_settings=HELP, epilog=examples("aura media unused", "aura media unused --json"))
@json_option
@pass_repository
def unused_command(repo: "Repository", console: Console) -> None:
    """List media that no timeline uses

    Pictures, sound and video of the folder that neither the project file of an editor nor a document of the studio
    names. Nothing is deleted: older versions may use them, and so may programs whose files cannot be read.
    """
    found = find_unused(repo)
    if console.as_json:
        files = [{"path": path, "bytes": bytes_} for path, bytes_ in found.files]
        console.data({"files": files, "projects": found.projects, "unread": found.unread})
        return
    for path, bytes_ in found.files:
        console.line("  ", short_path(path), "  ", faint(size(bytes_)))
    for path in found.unread:
        console.warn(f"{path} cannot be read: what it uses is not known")
    if found.files:
        room = size(sum(bytes_ for _, bytes_ in found.files))
        console.line(f"{count(len(found.files), 'file')} that no timeline uses, {room}")
    elif found.projects or not found.unread:
        console.line(
            "Every media file is used." if found.projects else "No unused media found; no editor's project was read."
        )
