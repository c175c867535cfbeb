"""`aura restore`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, completing, examples, json_option
from aura_vcs.cli.output.console import Console, Part, cyan, faint, yellow
from aura_vcs.cli.output.humanize import call, count, short_path
from aura_vcs.cli.output.paths import saved_paths
from aura_vcs.cli.session import current_session, pass_repository, project_paths
from aura_vcs.cli.shared.checkout_report import print_kept_unsaved, print_skipped
from aura_vcs.history.checkout import restore
from aura_vcs.suggestions import quote_path

if TYPE_CHECKING:
    from aura_vcs.history.checkout import CheckoutResult
    from aura_vcs.repository.repository import Repository


@click.command(
    "restore",
    context_settings=HELP,
    epilog=examples(
        "aura restore v3",
        "aura restore v3 brief.json scenes",
        "aura restore HEAD~1 assets/intro.wav",
        "aura restore scenes",
    ),
)
@click.argument("version", metavar="VERSION|PATH", shell_complete=completing("version_or_path"))
@click.argument("paths", nargs=-1, type=click.Path(readable=False), shell_complete=completing("path"))
@json_option
@pass_repository
def restore_command(repo: "Repository", console: Console, version: str, paths: tuple[str, ...]) -> None:
    """Bring a version's content back, all or some files

    You stay on your branch: the old content is there as unsaved changes, ready to be committed. Only
    files that differ are replaced; unsaved changes to other files stay. What was there before is kept
    in a restore point first. If your files are the same already, nothing is done.

    With PATHS, only these become as they are in the version; without a version, as in the one you are
    on. To discard unsaved changes, restore the version you are on: `aura restore HEAD` brings back
    every file that it has.
    """
    given = version
    version, paths = saved_paths(repo, current_session().folder, (version, *paths))
    moved = restore(repo, version, project_paths(repo, paths) or None)
    if console.as_json:
        from aura_vcs.cli.output.json_shapes import checkout_to_json

        console.data(checkout_to_json(repo, moved.head, moved))
    elif moved.is_idle:
        console.line("Nothing to change: your files are already as they are there")
        print_kept_unsaved(console, moved)
    else:
        _show(repo, console, version, paths, moved)
        if given != version:
            named = f"aura restore {version} {quote_path(given)}"
            console.line(faint(f"That was `{named}`: name another version to have it as it was there."))
    print_skipped(console, moved, " ".join(("aura restore", version, *map(quote_path, paths))))


def _show(repo: "Repository", console: Console, version: str, paths: tuple[str, ...], moved: "CheckoutResult") -> None:
    where: list[Part] = [" on ", cyan(moved.head.branch)] if moved.head.branch else []
    changed = count(moved.changed, "path")
    what = f"{short_path(paths[0])} of " if len(paths) == 1 else f"{count(len(paths), 'path')} of " if paths else ""
    console.line("Brought back ", what, yellow(version), *where, f", {changed} changed; not committed yet")
    if moved.restore_point is not None:
        console.line(f"What was there before is kept in the restore point {call(repo, moved.restore_point)}.")
    print_kept_unsaved(console, moved)
    console.line(faint('Keep it with `aura commit -m "…"`, or take it back with `aura undo`.'))
