"""Words for versions that a sync tool has not brought as a whole yet."""

from typing import TYPE_CHECKING

from aura_vcs.cli.output.console import Console, faint
from aura_vcs.cli.output.humanize import join_words
from aura_vcs.history.names.partial_sync import all_missing_heads

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


def print_missing_heads(repo: "Repository", console: Console) -> bool:
    """Say which versions of other machines are on their way; whether there are any."""
    found = all_missing_heads(repo)
    for name, items in found.items():
        console.warn(f"on {name}, {join_words(item.title for item in items)} has not arrived here yet.")
    if found:
        console.note(faint("Another machine made it. Let what copies this folder (Dropbox, Syncthing …) finish first."))
    return bool(found)
