"""What commands that go to another version say of your files: what was kept, and what was left alone."""

from typing import TYPE_CHECKING

from aura_vcs.cli.output.console import Console
from aura_vcs.cli.output.humanize import call, count, short_path

if TYPE_CHECKING:
    from aura_vcs.history.checkout import CheckoutResult
    from aura_vcs.index.records import VersionRecord
    from aura_vcs.repository.repository import Repository


def print_restore_point(repo: "Repository", console: Console, moved: "CheckoutResult") -> None:
    """Say where unsaved work is, if there was any."""
    if moved.restore_point is not None:
        print_point(repo, console, moved.restore_point)


def print_point(repo: "Repository", console: Console, point: "VersionRecord") -> None:
    """Say that a restore point has what was unsaved, and how it comes back."""
    name = call(repo, point)
    console.line(f"What you had not saved is kept in the restore point {name}; `aura restore {name}` brings it back.")


def print_kept_unsaved(console: Console, moved: "CheckoutResult") -> None:
    """Say that unsaved work is still in the folder, if there is any."""
    if moved.kept_unsaved:
        changes = count(moved.kept_unsaved, "unsaved change")
        stay = "stays" if moved.kept_unsaved == 1 else "stay"
        console.line(f"{changes} elsewhere {stay} as before; `aura status` lists what is unsaved.")


def print_skipped(console: Console, moved: "CheckoutResult", again: str = "") -> None:
    """Say which files were not touched, and why: somebody was editing them, or a folder is in their place.

    `again` is the command to run once such a folder is out of the way.
    """
    for path in moved.skipped:
        inside = moved.blocked.get(path)
        if inside is None:
            console.warn(f"{short_path(path)} was being edited and was left as it is")
            continue
        then = f"then run `{again}` again" if again else "then do this again"
        files = ", ".join(map(short_path, inside))
        console.warn(f"{short_path(path)} is a folder with files that are ignored ({files}); move them away, {then}.")
    if moved.skipped:
        console.exit_code = 3
