"""`aura checkout`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.completing import complete_version
from aura_vcs.cli.console import Console, faint
from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.words import count, place

if TYPE_CHECKING:
    from aura_vcs.history.going import Moved
    from aura_vcs.model import Head
    from aura_vcs.repository.repository import Repository


@click.command(
    "checkout",
    context_settings=HELP,
    epilog=examples("aura checkout v3", "aura checkout main", "aura checkout '@{2 hours ago}'"),
)
@click.argument("version", metavar="VERSION|BRANCH", shell_complete=complete_version)
@json_option
@pass_repository
def checkout_command(repo: "Repository", console: Console, version: str) -> None:
    """Go to a branch or an older version

    Puts its files in place of yours. Unsaved changes are kept in a restore point first.
    """
    from aura_vcs.cli.shapes import moved_shape
    from aura_vcs.history.going import checkout

    before = repo.head()
    moved = checkout(repo, version)
    if console.as_json:
        console.data(moved_shape(repo, moved.head, moved))
    else:
        _show(repo, console, before, moved)
    say_left(console, moved)


def _show(repo: "Repository", console: Console, before: "Head", moved: "Moved") -> None:
    from aura_vcs.index.queries import Queries

    record = Queries(repo.index).version(moved.head.version) if moved.head.version is not None else None
    console.line(*place(moved.head, record), f", {count(moved.changed, 'path')} changed")
    say_point(console, moved)
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


def say_left(console: Console, moved: "Moved") -> None:
    """Say which files were not touched because somebody was editing them."""
    for path in moved.left:
        console.warn(f"{path} was being edited and was left as it is")
    if moved.left:
        console.exit_code = 3
