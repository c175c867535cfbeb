"""Merging by itself: the heads that machines gave the current branch become one where nothing is left open."""

from typing import Literal

from aura_vcs.history.merge import Merged, execute_merge, plan_merge
from aura_vcs.ids import new_operation_id
from aura_vcs.layout import CONFLICTS
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.heads_merged import HeadsMerged, unsaved_in_the_way

MergePolicy = Literal["clean", "always", "never"]
"""When a pull merges: where nothing is left open, also where something is, or not at all."""
HEADS_LIMIT = 20
"""So many heads of a branch are merged in one go."""


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
