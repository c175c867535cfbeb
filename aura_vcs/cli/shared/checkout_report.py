"""What commands that go to another version say of your files: what was kept, and what was left alone."""

from typing import TYPE_CHECKING

from aura_vcs.cli.output.console import Console
from aura_vcs.cli.output.humanize import count

if TYPE_CHECKING:
    from aura_vcs.history.checkout import CheckoutResult
    from aura_vcs.index.records import VersionRecord


def print_restore_point(console: Console, moved: "CheckoutResult") -> None:
    """Say where unsaved work is, if there was any."""
    if moved.restore_point is not None:
        print_point(console, moved.restore_point)


def print_point(console: Console, point: "VersionRecord") -> None:
    """Say that a restore point has what was unsaved, and how it comes back."""
    console.line(
        f"What you had not saved is kept in the restore point v{point.number}; "
        f"`aura restore v{point.number}` brings it back."
    )


def print_kept_unsaved(console: Console, moved: "CheckoutResult") -> None:
    """Say that unsaved work is still in the folder, if there is any."""
    if moved.kept_unsaved:
        changes = count(moved.kept_unsaved, "unsaved change")
        stay = "stays" if moved.kept_unsaved == 1 else "stay"
        console.line(f"{changes} elsewhere {stay} as before; `aura status` lists what is unsaved.")


def print_skipped(console: Console, moved: "CheckoutResult") -> None:
    """Say which files were not touched because somebody was editing them."""
    for path in moved.skipped:
        console.warn(f"{path} was being edited and was left as it is")
    if moved.skipped:
        console.exit_code = 3
