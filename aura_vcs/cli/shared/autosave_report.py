"""What is said of an autosave or a restore point that was made."""

from typing import TYPE_CHECKING, Any

from aura_vcs.cli.output.console import Console, faint, good, warm
from aura_vcs.cli.output.humanize import say_unstable, titled
from aura_vcs.cli.output.json_shapes import version_shape

if TYPE_CHECKING:
    from aura_vcs.history.autosave import Saved
    from aura_vcs.repository.repository import Repository


def print_saved(repo: "Repository", console: Console, saved: "Saved", pruned: int = 0) -> None:
    """Say what was saved, and what could not be."""
    assert saved.version is not None
    console.line(good("Saved "), warm(titled(saved.version)))
    say_unstable(repo, console, saved.unstable, saved.version)
    if pruned:
        console.line(faint(f"{pruned} older ones went, by the rules of `aura prune`"))


def saved_to_json(saved: "Saved", pruned: int = 0) -> dict[str, Any]:
    """An autosave or restore point in JSON."""
    version = version_shape(saved.version) if saved.version is not None else None
    return {"version": version, "unstable": list(saved.unstable), "pruned": pruned}
