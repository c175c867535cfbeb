"""Going back: checkout moves the worktree to a version, restore brings content back."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from aura_vcs.errors.worktree import FileUnstable
from aura_vcs.history.names.branches import Branch, BranchMove, branch, branch_update, branches, check_new_branch
from aura_vcs.history.names.follow_branch import follow_branch
from aura_vcs.history.names.revisions import check_content, resolve
from aura_vcs.history.recording.journal import ensure_content, execute, recover
from aura_vcs.history.recording.scan_differences import count_unsaved_beside, loses_work, unsaved_at
from aura_vcs.history.recording.steps import AllOf, Between, Exactly, PathsOf, StepScope, WorktreeStep, tree_writer
from aura_vcs.history.recording.tree_steps import change_tree
from aura_vcs.history.recording.version_builder import (
    NAME_LIMIT,
    VersionSpec,
    WorktreeBase,
    get_version,
    is_purged,
    record_side_version,
    report_unseen,
    take_snapshot,
    worktree_base,
)
from aura_vcs.ids import ObjectId, VersionId, new_operation_id
from aura_vcs.index.queries import describe
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Head, HeadChange, Inverse, RefChange, TreeChange, VersionType
from aura_vcs.objects.batch import Batch
from aura_vcs.objects.trees import Difference, Snapshot
from aura_vcs.plain_text import one_line, readable_name
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft, Transaction
from aura_vcs.worktree.scan.scan import Scan
from aura_vcs.worktree.scan.selection import Selection, folders_of

DraftFactory = Callable[[Transaction, WorktreeBase, ObjectId, ObjectId], Draft]
"""Makes the operation from what the folder is based on, and its trees before and after."""


class CheckoutResult(msgspec.Struct, frozen=True):
    """What happened to the worktree.

    `restore_point` holds what was there, if something unsaved was replaced (or always, for a `restore` that
    changed something). `changed` counts paths. `skipped` are files that were edited meanwhile and were left as
    they are; `blocked` has those of them in whose place a folder with (ignored) files stands, with the first few of
    these. `kept_unsaved` counts unsaved changes that are in the folder as before. `is_idle`: nothing had
    to change, and nothing was recorded.
    """

    head: Head
    restore_point: VersionRecord | None
    changed: int
    skipped: tuple[str, ...]
    kept_unsaved: int = 0
    is_idle: bool = False
    blocked: Mapping[str, tuple[str, ...]] = {}


def checkout(repo: Repository, name: str, *, clean: bool = False, new_branch: str | None = None) -> CheckoutResult:
    """Put the files of a branch's or version's content in place, and HEAD there.

    Only files that the version has otherwise than HEAD's are touched; unsaved work in others stays in the
    folder. Unsaved work in those that are touched becomes a restore point (trigger PreCheckout) first. What the version
    does not have and its rules ignore stays, versioned until now or not. With
    `clean`, all of the folder is as the version has it, and everything unsaved goes into the restore point.
    Where nothing has to change, nothing is recorded. Interrupted, the next command that changes the project
    finishes it. With `new_branch`, a branch of that name is started on the version, and HEAD is on it: one
    operation, which undo takes back as a whole.

    Raises:
        UnknownVersion, AmbiguousVersion, ObjectPurged, ObjectMissing.
        InvalidName, NameTaken: `new_branch` cannot be called so.
        FileUnstable: a file kept changing, so it could not be saved; nothing was touched.
    """
    recover(repo)
    follow_branch(repo)
    on_branch = branch(repo, name)
    record = get_version(repo, _own_head(repo, on_branch)) if on_branch is not None else resolve(repo, name)
    check_content(repo, record)
    head = Head(name if on_branch is not None else _branch_at(repo, record), record.id)
    if on_branch is None and repo.head().version == record.id:
        head = repo.head()  # one is there already, whatever the branch has done since
    if new_branch is not None:
        check_new_branch(repo, new_branch, record.id)
        head = Head(new_branch, record.id)
    number = describe(repo.queries, record.id)
    place = number if head.branch is None else f"{head.branch} ({number})"
    did = f"Started branch {place}" if new_branch is not None else f"Checked out {place}"

    def draft(transaction: Transaction, base: WorktreeBase, before: ObjectId, after: ObjectId) -> Draft:
        return Draft(
            "checkout",
            did,
            _started(repo, transaction, new_branch, record.id),
            head=HeadChange(base.head, head),
            worktree=TreeChange(before, after),
            inverse=Inverse("checkout.revert"),
        )

    step = Exactly(repo, record.tree) if clean else Between(repo, record.tree)
    why = f"Before checking out {place}"
    return replace_worktree(repo, step, draft, StepRequest("PreCheckout", why, idle_at=head))


def _started(repo: Repository, transaction: Transaction, name: str | None, version: VersionId) -> dict[str, RefChange]:
    """Build the change that starts a branch, checked once more inside the transaction; none for None."""
    if name is None:
        return {}
    check_new_branch(repo, name, version)
    return branch_update(repo, transaction, name, BranchMove(version, over_all=True))


def restore(repo: Repository, name: str, paths: Sequence[str] | None = None) -> CheckoutResult:
    """Bring a version's content (or only `paths` of it) back onto the current branch, unsaved.

    With `paths`, these become as the version has them. Without, what it has otherwise than HEAD's version
    does, and unsaved work in other files stays; of the very content that HEAD's version has, every file comes
    back as it is there, and files that it does not have stay. What was there becomes a restore point (trigger
    PreRestore) first; where nothing has to change, nothing is recorded.

    Raises:
        UnknownVersion, AmbiguousVersion, ObjectPurged, ObjectMissing, FileUnstable.
        UnknownName: neither the version nor the folder has a path.
    """
    recover(repo)
    follow_branch(repo)
    record = resolve(repo, name)
    check_content(repo, record)
    listed = one_line(", ".join(map(readable_name, paths or ())))
    what = describe(repo.queries, record.id) + (f" ({listed})" if paths else "")

    def draft(_: Transaction, base: WorktreeBase, before: ObjectId, after: ObjectId) -> Draft:
        return Draft(
            "restore",
            f"Restored {what}",
            head=HeadChange(base.head, base.head),
            worktree=TreeChange(before, after),
            inverse=Inverse("restore.revert"),
        )

    step: WorktreeStep = PathsOf(repo, record.tree, paths) if paths is not None else AllOf(repo, record.tree)
    why = f"Before restoring {what}"
    return replace_worktree(repo, step, draft, StepRequest("PreRestore", why, always=True, keeps_head=True))


def _own_head(repo: Repository, found: Branch) -> VersionId:
    """Return this machine's head of a branch: of several the one that HEAD is on, or this machine's own."""
    here = repo.head().version
    return here if here is not None and here in found.diverged else found.version


def _branch_at(repo: Repository, record: VersionRecord) -> str | None:
    """Find the branch that has the version as a head: the current one, or else the only one."""
    current = repo.head().branch
    names = [found.name for found in branches(repo) if record.id in (found.diverged or (found.version,))]
    if current in names:
        return current
    return names[0] if len(names) == 1 else None


class StepRequest(msgspec.Struct, frozen=True):
    """How a step in the folder is taken; `trigger` and `why` say of a restore point what it is for.

    With `always`, one is made in any case; without, only if the step takes something away that is not saved. With
    `idle_at`, nothing is done and nothing recorded where HEAD is there already and nothing has to change; with
    `keeps_head`, wherever HEAD is by the time the folder is locked. With `makes_version`, the step stores a version
    and what it holds.
    """

    trigger: str
    why: str
    always: bool = False
    idle_at: Head | None = None
    keeps_head: bool = False
    makes_version: bool = False


def replace_worktree(
    repo: Repository,
    step: WorktreeStep,
    draft: DraftFactory,
    request: StepRequest,
) -> CheckoutResult:
    """Take a step in the folder; what is unsaved where it goes is saved first."""
    _fetch_content(repo, step)
    with repo.locks.exclusive("worktree"), repo.locks.shared("objects"):
        base = worktree_base(repo)
        with repo.store.batch(repo.progress) as batch:
            ground = step.scope(base)
            scan, snapshot, after, hidden = _scan_ground(repo, batch, base, step, ground)
            if snapshot.unstable:
                raise FileUnstable(snapshot.unstable)
            if request.keeps_head:
                after = _without_evicted(repo, batch, snapshot.tree, after)
            wanted_changes = repo.trees.list_differences(snapshot.tree, after)
            changes = [*(ground.changes or ()), *wanted_changes]
            kept = count_unsaved_beside(repo, scan, base.tree, changes)
            if (request.keeps_head or request.idle_at == base.head) and _leaves_all(scan, wanted_changes):
                if scan.changed:
                    repo.worktree.save(scan)
                return CheckoutResult(base.head, None, 0, (), kept, is_idle=True)
            correlation = new_operation_id()
            point, stored = None, {}
            if request.always or loses_work(repo, snapshot.tree, after, ground.saved):
                whole = snapshot if ground.is_everything else _snapshot_everything(repo, batch, base, scan, hidden)
                words = one_line(request.why)[:NAME_LIMIT]
                wanted = VersionSpec(
                    VersionType.RESTORE_POINT, words, trigger=request.trigger, correlation_id=correlation
                )
                point = record_side_version(repo, batch, base, whole, wanted)
            else:
                stored = batch.finish()
        with repo.transaction() as transaction:
            made = draft(transaction, base, snapshot.tree, after)
            if point is not None:
                payload = {**made.payload, "restore_point": point.id}
                made = msgspec.structs.replace(made, correlation_id=correlation, payload=payload)
            operation = transaction.prepare(made)
        if request.makes_version or stored:
            repo.adopt_unrecorded_objects()  # what a version holds, this one's or a later one's, is counted in rows
        written = execute(repo, scan, operation, snapshot.tree, after)
    report_unseen(repo, scan)
    head = operation.head.after if operation.head is not None else base.head
    return CheckoutResult(
        head, point, len(written.states), written.skipped, kept, blocked=repo.worktree.blocking(written.skipped)
    )


def _without_evicted(repo: Repository, batch: Batch, here: ObjectId, after: ObjectId) -> ObjectId:
    """Leave files as they are here whose content in `after` was evicted, and say so.

    HEAD stays where it is: taken away, they would be deleted files, which the next commit would save.
    """
    if not repo.store.offloaded.all():
        return after
    from aura_vcs.worktree.scan.left_out import EVICTED, without_evicted

    changes = repo.trees.list_differences(here, after)
    absent = without_evicted(repo.store, changes)[1]
    for path in absent:
        repo.progress.note(f"{path} is not brought back: {EVICTED}")
    back = {change.path: change.old for change in changes if change.path in absent}
    return change_tree(repo.trees, after, back, tree_writer(batch)) if back else after


def _leaves_all(scan: Scan, changes: Sequence[Difference]) -> bool:
    """Tell whether nothing will change: there is nothing to do but to remove folders, and each holds what stays."""
    folders = {change.path for change in changes if change.new is None and scan.folder(change.path) is not None}

    def stays(path: str) -> bool:
        folder = scan.folder(path)
        if folder is None:
            return False
        inside = (folder.join(name) for name in folder.folders)
        return bool(folder.count or folder.ignored) or any(one not in folders or stays(one) for one in inside)

    return len(folders) == len(changes) and all(map(stays, folders))


def _scan_ground(
    repo: Repository, batch: Batch, base: WorktreeBase, step: WorktreeStep, ground: StepScope
) -> tuple[Scan, Snapshot, ObjectId, list[str]]:
    """Look at the folder where the step goes: what is there, what will be, and what ignored files are in the way.

    Those are work too: they are taken as if they were not ignored, and so are saved before they are replaced.
    """
    hidden: list[str] = []
    while True:
        scan, snapshot = _snapshot(repo, batch, base, ground, hidden)
        after = step.tree(batch, snapshot.tree)
        found = repo.worktree.in_the_way(scan, repo.trees.list_differences(snapshot.tree, after))
        if not found or hidden:
            return scan, snapshot, after, hidden
        hidden = found


def _snapshot(
    repo: Repository, batch: Batch, base: WorktreeBase, ground: StepScope, always: Sequence[str]
) -> tuple[Scan, Snapshot]:
    """Scan the folder, and store what it has on the ground and is not expected there."""
    if ground.is_everything or (ground.old == base.tree and is_purged(base)):
        return take_snapshot(repo, batch, base, always=always)
    scan = repo.worktree.scan(base.tree, always)
    paths = unsaved_at(repo, scan, ground.changes or ())
    for path in ground.paths:
        paths += [path, *(above for above in folders_of(path) if scan.folder(above) is None)]
    if not paths or scan.root.tree == ground.old:
        return scan, Snapshot(ground.old, 0, {})
    return scan, repo.worktree.store_all(scan, batch, ground.old, paths, repo.progress)


def _snapshot_everything(
    repo: Repository, batch: Batch, base: WorktreeBase, scan: Scan, always: Sequence[str]
) -> Snapshot:
    """Store all of the folder, on top of what was looked at."""
    if is_purged(base):
        return take_snapshot(repo, batch, base, always=always)[1]
    return repo.worktree.store_all(scan, batch, base.tree, None, repo.progress)


def _fetch_content(repo: Repository, step: WorktreeStep) -> None:
    """Fetch what is offloaded before any lock is held: it may take long. `execute` looks again.

    Raises:
        ObjectOffloaded: a remote cannot be asked now; nothing was touched.
    """
    if step.source is None or not repo.store.offloaded.all():
        return
    selection = Selection(step.paths or None)
    differences = [d for d in repo.trees.differences(worktree_base(repo).tree, step.source) if selection.covers(d.path)]
    ensure_content(repo, differences)
