"""Pull, sync and clone: fetching, and then bringing branches and the worktree along."""

from typing import TYPE_CHECKING

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.errors.input import RefMoved
from aura_vcs.history.names.branches import BranchMove, branch, branch_update, branches, default_branch, stands_for
from aura_vcs.history.names.follow_branch import follow_branch
from aura_vcs.history.recording.journal import recover
from aura_vcs.history.recording.version_builder import WorktreeBase, get_version, worktree_base
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.layout import EXCHANGE
from aura_vcs.model import Head, HeadChange, Inverse, TreeChange
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft, Transaction
from aura_vcs.storage.remotes.base import RangeReadable, RemoteStorage
from aura_vcs.sync.fetch import Fetched, FetchPlan, fast_forward, fast_forward_changes, fetch
from aura_vcs.sync.heads_merged import HeadsMerged, MergeHeads, keep_apart, unsaved_in_the_way
from aura_vcs.sync.push import PushPlan, push
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.manifest import MANIFEST

if TYPE_CHECKING:
    from aura_vcs.history.checkout import CheckoutResult

ATTEMPTS = 3
"""So often HEAD may move under a pull before it gives up."""


class Pulled(msgspec.Struct, frozen=True):
    """What a pull did.

    `files` says what happened to the worktree, None where it stayed. `diverged` lists the heads
    of the current branch where it came apart and was not merged; `merging` what was merged, and what a merge
    would leave open. `in_the_way` are unsaved changes to files that the new version changes too: the worktree
    was left alone; so it was where the branch is on a version `without_content`, which somebody gave up.
    """

    fetched: Fetched
    head: Head
    files: "CheckoutResult | None" = None
    diverged: tuple[VersionId, ...] = ()
    in_the_way: tuple[str, ...] = ()
    without_content: VersionId | None = None
    merging: HeadsMerged = HeadsMerged()


class Synced(msgspec.Struct, frozen=True):
    """What a sync did."""

    pulled: Pulled
    pushed: PushPlan


def pull(
    repo: Repository,
    remote: RangeReadable,
    cache: RemoteCache,
    *,
    all_versions: bool = False,
    merge: MergeHeads = keep_apart,
) -> Pulled:
    """Fetch, then bring the worktree to where its branch has gone, if nothing stands against it.

    Unsaved changes stay where they are, unless the new version changes the same files: then the
    folder is left alone. Where the branch has come apart, `merge` may make one of its heads; else
    both are kept and the folder stays. One undo takes it back.

    Raises:
        as `fetch`; FileUnstable: a file kept changing, the folder was left alone.
    """
    recover(repo)
    fetched = fetch(repo, remote, cache, all_versions=all_versions, undoable=False)
    for _ in range(ATTEMPTS):
        try:
            return _follow(repo, fetched, merge)
        except RefMoved:
            continue  # another command moved HEAD meanwhile: look again
    return _follow(repo, fetched, merge)


def take_pushed(repo: Repository, *, merge: MergeHeads = keep_apart) -> Pulled:
    """Bring the worktree to where others have pushed its branch, straight into this project; as `pull` otherwise."""
    recover(repo)
    nothing = Fetched(FetchPlan("this project"))
    for _ in range(ATTEMPTS):
        try:
            return _follow(repo, nothing, merge)
        except RefMoved:
            continue
    return _follow(repo, nothing, merge)


def is_exchanged(repo: Repository) -> bool:
    """Tell whether others have looked at this project straight, with no other place between."""
    return repo.storage.stat(f"{EXCHANGE}/{MANIFEST}") is not None


def sync_pushed(repo: Repository, *, merge: MergeHeads = keep_apart) -> Synced:
    """Take what others have pushed straight into this project; they fetch from here what they do not have."""
    return Synced(take_pushed(repo, merge=merge), PushPlan("this project"))


def _follow(repo: Repository, fetched: Fetched, merge: MergeHeads) -> Pulled:
    repo.refresh()  # another transfer may have brought what this one waited for
    follow_branch(repo)
    base = worktree_base(repo)
    found = branch(repo, base.head.branch) if base.head.branch is not None else None
    why = f"Pulled from {fetched.plan.remote}"
    if found is not None and found.diverged and base.head.version is not None:
        fast_forward(repo, why)
        return _merged(repo, fetched, merge)
    if found is None or found.diverged or not _builds_on(repo, found.version, base.head.version):
        fast_forward(repo, why)
        return Pulled(fetched, base.head, diverged=found.diverged if found is not None else ())
    record = get_version(repo, found.version)
    target = record.tree
    if not record.is_live and target != EMPTY_TREE_ID and not repo.store.contains(target):
        fast_forward(repo, why)
        return Pulled(fetched, base.head, without_content=found.version)
    with repo.locks.shared("worktree"):  # not while another command is replacing files
        if repo.head() != base.head:
            raise RefMoved("HEAD", "where the pull began", "another version")
        coming = {difference.path for difference in repo.trees.differences(base.tree, target)}
        in_the_way = unsaved_in_the_way(repo, coming)
    if in_the_way:
        return Pulled(fetched, base.head, in_the_way=in_the_way)
    files = _checkout(repo, base, Head(base.head.branch, found.version), target, why)
    return Pulled(fetched, files.head, files)


def _merged(repo: Repository, fetched: Fetched, merge: MergeHeads) -> Pulled:
    """Merge the heads of the current branch, as far as that goes by itself."""
    merging = merge(repo)
    head = repo.head()
    found = branch(repo, head.branch or "")
    diverged = found.diverged if found is not None else ()
    files = merging.merged[-1].files if merging.merged else None
    return Pulled(fetched, head, files, diverged, merging.in_the_way, merging=merging)


def sync(
    repo: Repository,
    remote: RemoteStorage,
    cache: RemoteCache,
    *,
    all_versions: bool = False,
    ignore_locks: bool = False,
    merge: MergeHeads = keep_apart,
) -> Synced:
    """Pull, then push; where a branch has come apart and is not merged, both heads are on both sides afterwards.

    Safe to repeat; with nothing to do it costs two requests.

    Raises:
        as `pull` and `push`, but not PushRejected unless others push all the time. After PathLocked
        the pull has happened.
    """
    pulled = pull(repo, remote, cache, all_versions=all_versions, merge=merge)
    sent = push(repo, remote, cache, all_versions=all_versions, keep_both=True, ignore_locks=ignore_locks)
    return Synced(pulled, sent)


def check_out_clone(repo: Repository, wanted: str | None = None) -> "CheckoutResult | None":
    """Put the files of a branch in the folder of a fresh clone; None where there is no branch.

    Without `wanted` it is `main`, else the first that there is. A branch that has come apart is
    taken at one of its heads; `status` says so.
    """
    from aura_vcs.history.checkout import CheckoutResult
    from aura_vcs.history.names.revisions import check_content

    names = [found.name for found in branches(repo)]
    name = default_branch(names)
    if name is None:
        return None
    name = wanted or name
    found = branch(repo, name)
    if found is None:
        raise InputError(f"The remote has no branch {name!r}", hint=f"It has {', '.join(names)}.")
    record = get_version(repo, found.version)
    check_content(repo, record)
    here = repo.head()
    if here.version is not None:  # it had come so far before it was stopped, or somebody has gone on since
        return CheckoutResult(here, None, 0, ())
    target = record.tree
    return _checkout(repo, worktree_base(repo), Head(name, found.version), target, f"Cloned {name}", own=found.version)


def _builds_on(repo: Repository, newer: VersionId, older: VersionId | None) -> bool:
    if newer == older or older is None:
        return newer != older
    queries = repo.queries
    one, other = queries.version(newer), queries.version(older)
    is_same = one is not None and other is not None and stands_for(queries, one, other)
    return is_same or queries.is_ancestor(older, newer)


def _checkout(
    repo: Repository,
    base: WorktreeBase,
    head: Head,
    target: ObjectId,
    why: str,
    *,
    own: VersionId | None = None,
) -> "CheckoutResult":
    from aura_vcs.history.checkout import StepRequest, replace_worktree  # most pulls have nothing to bring
    from aura_vcs.history.recording.steps import Between

    def draft(transaction: Transaction, now: WorktreeBase, before: ObjectId, after: ObjectId) -> Draft:
        if now.head != base.head:
            raise RefMoved("HEAD", "where the pull began", "another version")
        refs = fast_forward_changes(repo, transaction)
        if own is not None and head.branch is not None:
            refs |= branch_update(repo, transaction, head.branch, BranchMove(own))
        change, trees = HeadChange(now.head, head), TreeChange(before, after)
        if own is not None:
            return Draft("clone", why, refs, change, trees)
        return Draft("pull", why, refs, change, trees, Inverse("pull.revert"))

    return replace_worktree(repo, Between(repo, target), draft, StepRequest("PrePull", f"Before: {why}"))
