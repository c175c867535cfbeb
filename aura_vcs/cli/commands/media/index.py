"""`aura media index`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console, faint, green
from aura_vcs.cli.output.humanize import count, size
from aura_vcs.cli.remote_environment import worker_environment
from aura_vcs.cli.session import pass_repository, project_paths
from aura_vcs.cli.shared.housekeeping import go_last
from aura_vcs.history.media_index.build import index_media
from aura_vcs.history.media_index.find import stored_media, stored_sequences, worktree_media
from aura_vcs.history.media_index.sequences import index_sequences, index_stored_sequences
from aura_vcs.history.media_index.store import MediaIndexStore

if TYPE_CHECKING:
    from aura_vcs.history.media_index.build import Indexed
    from aura_vcs.repository.repository import Repository

PROBLEMS_SHOWN = 20


@click.command(
    "index",
    context_settings=HELP,
    epilog=examples("aura media index", "aura media index footage", "aura media index --all"),
)
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--all", "everything", is_flag=True, help="Include the media of every version")
@click.option("--auto", is_flag=True, help="Run at the lowest priority, as `aura autosave --watch` does")
@json_option
@pass_repository
def index_command(
    repo: "Repository", console: Console, paths: tuple[str, ...], *, everything: bool, auto: bool
) -> None:
    """Look at every frame and sample, once

    Decodes the media files of the folder, or those named, and remembers on this machine what is in
    them, so that `aura diff` says at once, and to the frame, what changed. What is in the index already
    is not decoded again. Ctrl-C stops it and keeps what is finished. `aura gc --media-index` frees the
    space.
    """
    if auto:
        go_last()
    chosen = project_paths(repo, paths)
    wanted = worktree_media(repo, chosen)
    if everything:
        wanted += stored_media(repo, chosen)
    index = MediaIndexStore.of(repo)
    found = index_media(index, wanted, environment=worker_environment(), progress=repo.progress)
    index_sequences(index, wanted)
    if everything:
        index_stored_sequences(index, stored_sequences(repo, chosen))
    room = index.room()
    if console.as_json:
        console.data({
            "made": found.made,
            "known": found.known,
            "problems": [{"path": path, "reason": reason} for path, reason in found.problems.items()],
            "index": {"entries": room.entries, "bytes": room.bytes},
        })  # fmt: skip
        return
    _print(console, found)
    console.line(faint(f"The media index has {count(room.entries, 'entry', 'entries')}, {size(room.bytes)}"))


def _print(console: Console, found: "Indexed") -> None:
    if not found.made and not found.known and not found.problems:
        console.line("No matching media.")
        return
    good = [path for path in found.made if path not in found.problems]
    known = f"; {count(len(found.known), 'file')} had been before" if found.known else ""
    console.line(green(f"Looked at {count(len(good), 'file')}"), known)
    for path in list(found.problems)[:PROBLEMS_SHOWN]:
        console.note(f"{path} is known by its header only: {found.problems[path]}")
    if len(found.problems) > PROBLEMS_SHOWN:
        console.note(f"{len(found.problems) - PROBLEMS_SHOWN:,} more files are known by their headers only")
