"""`aura checkout`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.completion import complete_version
from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console, faint
from aura_vcs.cli.output.humanize import count, place
from aura_vcs.cli.session import pass_repository

if TYPE_CHECKING:
    from aura_vcs.history.checkout import Moved
    from aura_vcs.model import Head
    from aura_vcs.repository.repository import Repository


@click.command(
    "checkout",
    context_settings=HELP,
    epilog=examples(
        "aura checkout v3", "aura checkout main", "aura checkout v3 --clean", "aura checkout '@{1 hour ago}'"
    ),
)
@click.argument("version", metavar="[VERSION|BRANCH]", required=False, shell_complete=complete_version)
@click.option("--clean", is_flag=True, help="Take everything unsaved out of your files, to have exactly that version")
@json_option
@pass_repository
def checkout_command(repo: "Repository", console: Console, *, version: str | None, clean: bool) -> None:
    """Go to a branch or an older version

    Puts files in place that it has otherwise than the version you are on. Unsaved changes to other files
    stay as they are; where both meet, yours are kept in a restore point first.

    With --clean, your files are exactly those of the version, by default the one you are on. Everything
    unsaved is kept in a restore point first; what is ignored stays.
    """
    from aura_vcs.cli.output.json_shapes import moved_shape
    from aura_vcs.history.checkout import checkout

    if version is None and not clean:
        raise click.UsageError("Missing argument 'VERSION|BRANCH'.")
    before = repo.head()
    moved = checkout(repo, version or "HEAD", clean=clean)
    if console.as_json:
        console.data(moved_shape(repo, moved.head, moved))
    else:
        _show(repo, console, before, moved)
    say_left(console, moved)


def _show(repo: "Repository", console: Console, before: "Head", moved: "Moved") -> None:
    from aura_vcs.index.queries import Queries

    record = Queries(repo.index).version(moved.head.version) if moved.head.version is not None else None
    if moved.is_idle:
        console.line("Nothing had to change. ", *place(moved.head, record))
        say_kept(console, moved)
        return
    console.line(*place(moved.head, record), f", {count(moved.changed, 'path')} changed")
    say_point(console, moved)
    say_kept(console, moved)
    if moved.head.branch is None and record is not None:
        back = f" Back to where you were: `aura checkout {before.branch}`." if before.branch else ""
        console.line(f"Commit here and a branch from-v{record.number} starts by itself.{back}")
    console.line(faint("Take it back with `aura undo`."))


def say_point(console: Console, moved: "Moved") -> None:
    """Say where unsaved work is, if there was any."""
    point = moved.restore_point
    if point is not None:
        console.line(
            f"What you had not saved is kept in the restore point v{point.number}; "
            f"`aura restore v{point.number}` brings it back."
        )


def say_kept(console: Console, moved: "Moved") -> None:
    """Say that unsaved work is still in the folder, if there is any."""
    if moved.kept_unsaved:
        changes = count(moved.kept_unsaved, "unsaved change")
        stay = "stays" if moved.kept_unsaved == 1 else "stay"
        console.line(f"{changes} elsewhere {stay} as before; `aura status` lists what is unsaved.")


def say_left(console: Console, moved: "Moved") -> None:
    """Say which files were not touched because somebody was editing them."""
    for path in moved.left:
        console.warn(f"{path} was being edited and was left as it is")
    if moved.left:
        console.exit_code = 3
