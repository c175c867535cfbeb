"""`aura checkout`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, TEXT, PathsCommand, completing, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint
from aura_vcs.cli.output.humanize import call, count, short_path, shown_pointer
from aura_vcs.cli.output.paths import saved_paths
from aura_vcs.cli.session import current_session, pass_repository, project_paths
from aura_vcs.cli.shared.checkout_report import print_kept_unsaved, print_restore_point, print_skipped
from aura_vcs.errors import InputError
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.suggestions import quote_path

if TYPE_CHECKING:
    from aura_vcs.history.checkout import CheckoutResult
    from aura_vcs.model import Head
    from aura_vcs.repository.repository import Repository


@click.command(
    "checkout",
    cls=PathsCommand,
    context_settings=HELP,
    epilog=examples(
        "aura checkout v3",
        "aura checkout main",
        "aura checkout -",
        "aura checkout -b shorter-intro",
        "aura checkout v3 --clean",
        "aura checkout '@{1 hour ago}'",
    ),
)
@click.argument("words", metavar="[VERSION|BRANCH]", nargs=-1, shell_complete=completing("version_or_path"))
@click.option(
    "-b", "-c", "--create", "new_branch", metavar="NAME", type=TEXT, help="Start a branch there, and be on it"
)
@click.option("--clean", is_flag=True, help="Remove all unsaved changes from your files, to have exactly that version")
@json_option
@pass_repository
def checkout_command(
    repo: "Repository",
    console: Console,
    *,
    words: tuple[str, ...],
    new_branch: str | None,
    clean: bool,
    paths: tuple[str, ...],
) -> None:
    """Go to a branch or an older version

    Only files that differ between the version you are on and the one you go to are replaced. Unsaved
    changes to other files stay; those to replaced files are kept in a restore point first. `-` is the
    branch you were on before.

    With --clean, your files become exactly those of the version, by default the one you are on.
    Everything unsaved is kept in a restore point first; what is ignored stays. With --create, a new
    branch is started on the version, by default the one you are on.

    With files or folders instead of a version, or after one, brings these back as `aura restore` does.
    """
    if words == ("-",):
        words = (_branch_before(repo),)
    version, chosen = saved_paths(repo, current_session().folder, words, paths)
    if chosen and (clean or new_branch is not None):
        raise click.UsageError("Files are brought back without --clean and --create.")
    if not words and not paths and not clean and new_branch is None:
        raise click.UsageError("Missing argument 'VERSION|BRANCH'.")
    before = repo.head()
    if chosen:
        moved = restore(repo, version, project_paths(repo, chosen))
    else:
        moved = checkout(repo, version, clean=clean, new_branch=new_branch)
    if console.as_json:
        from aura_vcs.cli.output.json_shapes import checkout_to_json

        console.data(checkout_to_json(repo, moved.head, moved))
    elif chosen:
        _show_restored(repo, console, version, chosen, moved)
    else:
        if new_branch is not None:
            console.line("Started the branch ", cyan(new_branch))
        _show(repo, console, before, moved)
    print_skipped(console, moved, " ".join(("aura checkout", version, *map(quote_path, chosen))))


def _branch_before(repo: "Repository") -> str:
    from aura_vcs.history.names.previous_branch import previous_branch

    found = previous_branch(repo)
    if found is None:
        raise InputError("You have not been on another branch", hint="`aura branch` lists the branches.")
    return found


def _show_restored(
    repo: "Repository", console: Console, version: str, paths: tuple[str, ...], moved: "CheckoutResult"
) -> None:
    """Print what was done with files in the place of a version: they are restored, and HEAD stays."""
    what = short_path(paths[0]) if len(paths) == 1 else count(len(paths), "path")
    if moved.is_idle:
        console.line(f"Nothing to change: {what} {'is' if len(paths) == 1 else 'are'} as {version} has it")
        return
    console.line(f"Brought back {what} as {version} has it; you stay where you are")
    print_restore_point(repo, console, moved)
    console.line(faint("Take it back with `aura undo`."))


def _show(repo: "Repository", console: Console, before: "Head", moved: "CheckoutResult") -> None:
    record = repo.queries.version(moved.head.version) if moved.head.version is not None else None
    if moved.is_idle:
        console.line("Nothing to change. ", *shown_pointer(moved.head, record, call(repo, record)))
        print_kept_unsaved(console, moved)
        return
    console.line(*shown_pointer(moved.head, record, call(repo, record)), f", {count(moved.changed, 'path')} changed")
    print_restore_point(repo, console, moved)
    print_kept_unsaved(console, moved)
    if moved.head.branch is None and record is not None:
        back = f" Back to where you were: `aura checkout {before.branch}`." if before.branch else ""
        console.line(f"Commit here and a branch from-v{record.number} starts by itself.{back}")
    console.line(faint("Take it back with `aura undo`."))
