"""Merging by itself: the heads that machines gave the current branch become one where nothing is left open."""

from collections.abc import Collection
from typing import Literal

import msgspec

from aura_vcs.history.merge import Merged, execute_merge, plan_merge
from aura_vcs.history.status import status
from aura_vcs.ids import VersionId, new_operation_id
from aura_vcs.layout import CONFLICTS
from aura_vcs.repository.repository import Repository

MergePolicy = Literal["clean", "always", "never"]
"""When a pull merges: where nothing is left open, also where something is, or not at all."""
POLICIES: tuple[MergePolicy, ...] = ("clean", "always", "never")
HEADS_LIMIT = 20
"""So many heads of a branch are merged in one go."""


class HeadsMerged(msgspec.Struct, frozen=True):
    """What was merged, one head after the other, and why it went no further, if it did not.

    `open_paths` are those of files that a merge would leave something open in, `open_count` counts all questions;
    `in_the_way` are unsaved changes to files that it changes too.
    """

    merged: tuple[Merged, ...] = ()
    open_paths: tuple[str, ...] = ()
    open_count: int = 0
    in_the_way: tuple[str, ...] = ()


def merge_heads(repo: Repository, policy: MergePolicy) -> HeadsMerged:
    """Merge the heads of the current branch into the folder, as far as `policy` lets it.

    Unsaved changes stay where they are; a merge that changes the same files is not made. All that was merged is
    taken back by one undo.

    Raises:
        as `merge`.
    """
    if policy == "never":
        return HeadsMerged()
    done: list[Merged] = []
    together = new_operation_id()
    for _ in range(HEADS_LIMIT):
        with repo.locks.shared("objects"):
            plan = plan_merge(repo)
            if plan.kind == "up_to_date":
                break
            if plan.conflicts and policy == "clean":
                paths = tuple(sorted({item.path for item in plan.conflicts}))
                return HeadsMerged(tuple(done), paths, len(plan.conflicts))
            with repo.locks.shared("worktree"):  # not while another command is replacing files
                met = unsaved_in_the_way(repo, plan.changes.keys() - {CONFLICTS})
            if met:
                return HeadsMerged(tuple(done), in_the_way=met)
            done.append(execute_merge(repo, plan, correlation_id=together))
    return HeadsMerged(tuple(done))


def remaining_heads(repo: Repository, heads: Collection[VersionId]) -> tuple[VersionId, ...]:
    """Return those of the heads of a branch that the folder's version does not contain."""
    here = repo.head().version
    return tuple(head for head in heads if here is None or not repo.queries.is_ancestor(head, here))


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
