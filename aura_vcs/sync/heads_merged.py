"""What a pull leaves to a merge and hears of it: merging takes long to import, and is seldom needed."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import msgspec

from aura_vcs.history.status import status
from aura_vcs.repository.repository import Repository

if TYPE_CHECKING:
    from aura_vcs.history.merge import Merged


class HeadsMerged(msgspec.Struct, frozen=True):
    """What was merged, one head after the other, and why it went no further, if it did not.

    `open_paths` are those of files that a merge would leave something open in, `open_count` counts all questions;
    `in_the_way` are unsaved changes to files that it changes too.
    """

    merged: tuple["Merged", ...] = ()
    open_paths: tuple[str, ...] = ()
    open_count: int = 0
    in_the_way: tuple[str, ...] = ()


MergeHeads = Callable[[Repository], HeadsMerged]
"""Merges the heads of the current branch, as far as that goes by itself; see sync.merge_heads."""


def keep_apart(_: Repository) -> HeadsMerged:
    """Merge nothing."""
    return HeadsMerged()


def unsaved_in_the_way(repo: Repository, coming: Collection[str]) -> tuple[str, ...]:
    """List the unsaved changes at paths that are to be changed, above them or below them."""
    changes = status(repo).changes
    if not changes:
        return ()
    own = {path for change in changes for path in (change.path, change.old_path) if path is not None}
    above = {path[:at] for path in coming for at, letter in enumerate(path) if letter == "/"}
    met = [path for path in own if path in above or any(part in coming for part in _with_parents(path))]
    return tuple(sorted(met))


def _with_parents(path: str) -> list[str]:
    return [path, *(path[:at] for at, letter in enumerate(path) if letter == "/")]
