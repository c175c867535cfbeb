"""What is said of an autosave or a restore point that was made."""

from typing import TYPE_CHECKING, Any

from aura_vcs.cli.output.console import Console, faint, green, yellow
from aura_vcs.cli.output.humanize import call, print_unstable, titled
from aura_vcs.cli.output.json_shapes import version_to_json

if TYPE_CHECKING:
    from aura_vcs.history.autosave import AutosaveResult
    from aura_vcs.repository.repository import Repository


def print_saved(repo: "Repository", console: Console, saved: "AutosaveResult", pruned: int = 0) -> None:
    """Say what was saved, and what could not be."""
    assert saved.version is not None
    console.line(green("Saved "), yellow(titled(saved.version, call(repo, saved.version))))
    print_unstable(repo, console, saved.unstable, saved.version)
    if pruned:
        console.line(faint(f"{pruned} older ones were deleted by the rules of `aura prune`"))


def saved_to_json(saved: "AutosaveResult", pruned: int = 0) -> dict[str, Any]:
    """Convert an autosave or restore point to JSON."""
    version = version_to_json(saved.version) if saved.version is not None else None
    return {"version": version, "unstable": list(saved.unstable), "pruned": pruned}
