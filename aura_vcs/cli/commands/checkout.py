"""`aura checkout`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.completion import complete_version
from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console, faint
from aura_vcs.cli.output.humanize import count, place
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.shared.checkout_report import print_kept_unsaved, print_left, print_restore_point

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
    print_left(console, moved)


def _show(repo: "Repository", console: Console, before: "Head", moved: "Moved") -> None:
    from aura_vcs.index.queries import Queries

    record = Queries(repo.index).version(moved.head.version) if moved.head.version is not None else None
    if moved.is_idle:
        console.line("Nothing had to change. ", *place(moved.head, record))
        print_kept_unsaved(console, moved)
        return
    console.line(*place(moved.head, record), f", {count(moved.changed, 'path')} changed")
    print_restore_point(console, moved)
    print_kept_unsaved(console, moved)
    if moved.head.branch is None and record is not None:
        back = f" Back to where you were: `aura checkout {before.branch}`." if before.branch else ""
        console.line(f"Commit here and a branch from-v{record.number} starts by itself.{back}")
    console.line(faint("Take it back with `aura undo`."))
