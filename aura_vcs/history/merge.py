"""Merging: a version of two lines, merged by meaning, in the branch and in the worktree, in one step.

What cannot be decided is committed too and stays open in the project (see `conflicts`); work goes on.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from aura_vcs.codec import encode_version
from aura_vcs.errors import InputError
from aura_vcs.errors.input import NoVersions, RefMoved
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.checkout import CheckoutResult, StepRequest, replace_worktree
from aura_vcs.history.merging.conflicts import OpenConflict, decode, dedupe, encode, merge_conflict_lists
from aura_vcs.history.merging.three_way import MergedContent, ThreeWayMerge
from aura_vcs.history.merging.unsaved_changes import content_of, is_already_there, is_folder_change, overwritten_unsaved
from aura_vcs.history.names.branches import BranchMove, branch, branch_update, stands_for
from aura_vcs.history.names.follow_branch import follow_branch
from aura_vcs.history.names.revisions import check_content, resolve
from aura_vcs.history.recording.journal import recover
from aura_vcs.history.recording.steps import StepScope, newly_ignored, tree_writer
from aura_vcs.history.recording.tree_steps import NOTHING_STAYS, change_tree, files_of
from aura_vcs.history.recording.version_builder import (
    NewVersion,
    VersionSpec,
    WorktreeBase,
    check_texts,
    get_version,
    new_label,
    parents_for,
)
from aura_vcs.history.resolve import open_conflicts
from aura_vcs.history.undo import operation_of
from aura_vcs.ids import ObjectId, ReplicaId, VersionId, blob_id, tree_id
from aura_vcs.index.queries import describe
from aura_vcs.index.records import VersionRecord
from aura_vcs.layout import CONFLICTS
from aura_vcs.model import (
    Entry,
    EntryKind,
    Head,
    HeadChange,
    Inverse,
    Kind,
    RefChange,
    TreeChange,
    Version,
    VersionType,
)
from aura_vcs.objects.batch import Batch
from aura_vcs.objects.trees import documents_of
from aura_vcs.plain_text import now
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft, Transaction

LABEL_LIMIT = 60
"""Characters of a side's label, which becomes part of file names."""


class MergePlan(msgspec.Struct, frozen=True):
    """What a merge will do; nothing has been changed.

    `kind` is "up_to_date" (nothing to do), "forward" (their version builds on ours: the branch
    goes there) or "join". `changes` are the paths that change against our version, with what will
    lie there; `renamed` are those of our paths that got another name, `reasons` says why documents and texts
    that are kept twice were not merged. `remaining_heads` are heads of the branch that are still apart afterwards.
    """

    kind: Literal["up_to_date", "forward", "join"]
    ours: VersionRecord
    theirs: VersionRecord
    changes: dict[str, Entry | None] = {}
    merged_files: tuple[MergedContent, ...] = ()
    renamed: dict[str, str] = {}
    reasons: dict[str, str] = {}
    conflicts: tuple[OpenConflict, ...] = ()
    remaining_heads: tuple[VersionId, ...] = ()
    tree: dict[str, bytes] = {}
    name: str = ""


class Merged(msgspec.Struct, frozen=True):
    """What a merge did. `version` is where the branch is now; `files` is None where nothing was to do.

    `replaced` are files with unsaved changes that the merge changed too: the restore point has them.
    """

    plan: MergePlan
    version: VersionRecord
    files: CheckoutResult | None = None
    replaced: tuple[str, ...] = ()


def plan_merge(repo: Repository, name: str | None = None) -> MergePlan:
    """Join in memory what the current branch and `name` have: a branch, a version, a restore point.

    Without a name, the heads that machines gave the current branch are merged, one a time. Changes
    nothing: what was interrupted is finished in a preview only, of which nothing stays.

    Raises:
        InputError: HEAD is on no branch. UnknownVersion, AmbiguousVersion, NoVersions.
        ObjectPurged, ObjectMissing: the content of a side is not here.
    """
    if repo.is_preview:
        recover(repo)
        follow_branch(repo)
    ours = _ours(repo, name)
    theirs, left = _theirs(repo, ours, name)
    check_content(repo, ours)
    check_content(repo, theirs)
    queries = repo.queries
    plan = MergePlan("up_to_date", ours, theirs, remaining_heads=left, name=_title(repo, theirs, name))
    if queries.is_ancestor(theirs.id, ours.id):
        return plan
    is_same = name is None and stands_for(queries, theirs, ours)
    if theirs.type is VersionType.MANUAL and (is_same or queries.is_ancestor(ours.id, theirs.id)):
        changes = _changes(files_of(repo.trees, ours.tree), files_of(repo.trees, theirs.tree))
        return msgspec.structs.replace(plan, kind="forward", changes=changes)
    return _plan_three_way(repo, plan, name)


def merge(repo: Repository, name: str | None = None, *, message: str = "", author: str | None = None) -> Merged:
    """Join `name` into the current branch; see `plan_merge` for what it may be.

    Files that the merge changes are replaced, others stay as they are, unsaved changes included. If
    there are any, they become a restore point (trigger PreMerge) first. Conflicts do not stop it:
    the version has them, `resolve_conflicts` decides them at any time. One operation, which `undo`
    takes back with the files; interrupted, it happens as a whole or not at all.

    Raises:
        as `plan_merge`; FileUnstable: a file kept changing; nothing was changed.
        RefMoved: another command moved HEAD meanwhile.
    """
    with repo.locks.shared("objects"):
        recover(repo)
        follow_branch(repo)
        return execute_merge(repo, plan_merge(repo, name), message=message, author=author)


def execute_merge(
    repo: Repository,
    plan: MergePlan,
    *,
    message: str = "",
    author: str | None = None,
    correlation_id: str | None = None,
) -> Merged:
    """Make a merge as it was planned just now; see `merge`. The caller holds the `objects` lock since the plan.

    What has one `correlation_id` is taken back together.

    Raises:
        FileUnstable: a file kept changing; nothing was changed.
        RefMoved: another command moved HEAD meanwhile.
    """
    if plan.kind == "up_to_date":
        return Merged(plan, plan.ours)
    wanted = VersionSpec(VersionType.MANUAL, *check_texts(message or plan.name, ""))
    work = _MergeStep(repo, plan, wanted, author, correlation_id)
    why = f"Before {plan.name[:150]!r}"
    files = replace_worktree(repo, work, work.draft, StepRequest("PreMerge", why, makes_version=True))
    assert files.head.version is not None
    return Merged(plan, get_version(repo, files.head.version), files, tuple(work.replaced))


class _MergeStep:
    """The step of a merge, and its operation; see Step."""

    paths: tuple[str, ...] = ()

    def __init__(
        self, repo: Repository, plan: MergePlan, wanted: VersionSpec, author: str | None, correlation_id: str | None
    ) -> None:
        self._correlation_id = correlation_id
        self._repo = repo
        self._plan = plan
        self._wanted = wanted
        self._author = author or repo.author
        self.source: ObjectId | None = None
        self._merged = plan.theirs.tree
        self._staying = NOTHING_STAYS
        self.replaced: list[str] = []

    def scope(self, _: WorktreeBase) -> StepScope:
        """Return the scope of the merge: what changes against our version, and the list of open conflicts."""
        plan, trees = self._plan, self._repo.trees
        if plan.kind == "join":
            self._merged = change_tree(trees, plan.ours.tree, plan.changes, lambda data, _: tree_id(data))
        changes = trees.list_differences(plan.ours.tree, self._merged)
        self._staying = newly_ignored(self._repo, plan.ours.tree, self._merged, changes, plan.tree)
        changes = [change for change in changes if not self._staying.covers(change.path)]
        return StepScope(plan.ours.tree, (plan.ours.tree,), changes, (CONFLICTS,))

    def tree(self, batch: Batch, folder: ObjectId) -> ObjectId:
        """Build the worktree after the merge; the version's own tree goes into the batch too."""
        plan, trees = self._plan, self._repo.trees
        unsaved = [found for found in trees.differences(plan.ours.tree, folder) if not is_folder_change(found)]
        others = [
            found.path for found in unsaved if found.path != CONFLICTS and not is_already_there(found, plan.changes)
        ]
        here = {path: entry for path, entry in plan.changes.items() if not self._staying.covers(path)}
        self.replaced = overwritten_unsaved(others, here)
        for path, entry in plan.changes.items():
            if entry is not None and entry.id in plan.tree:
                batch.also_read_by(self._repo.worktree.mode_now(path))
                batch.add(Kind.BLOB, plan.tree[entry.id], path)
        if self._repo.storage.is_shared:
            batch.read_by(0o666)
        if plan.kind == "join":
            self._merged = change_tree(trees, plan.ours.tree, plan.changes, tree_writer(batch))
        if any(found.path == CONFLICTS for found in unsaved):
            here[CONFLICTS] = self._open_here(batch)
        return change_tree(trees, folder, here, tree_writer(batch))

    def _open_here(self, batch: Batch) -> Entry | None:
        """Build the folder's list of open conflicts: what was decided there and is still unsaved stays decided.

        Unless the merge replaced the file that the decision went into.
        """
        known = self._listed(self._plan.ours.tree)
        found = open_conflicts(self._repo)
        left = {item.id for item in found}
        lost = [item for item in known if item.id not in left and item.path in self.replaced]
        planned = {item.id: item for item in self._listed_by_plan()}
        open_ = merge_conflict_lists(known, [*found, *lost], list(planned.values()))
        items = dedupe(planned.get(item.id, item) for item in open_)  # the plan knows where its place is now
        if not items:
            return None
        data = encode(items)
        return Entry(CONFLICTS, EntryKind.FILE, batch.add(Kind.BLOB, data, CONFLICTS), len(data))

    def _listed_by_plan(self) -> tuple[OpenConflict, ...]:
        return self._plan.conflicts if self._plan.kind == "join" else self._listed(self._plan.theirs.tree)

    def _listed(self, tree: ObjectId) -> tuple[OpenConflict, ...]:
        entry = self._repo.trees.entry(tree, CONFLICTS)
        return () if entry is None else decode(self._repo.store.read(entry.id))

    def draft(self, transaction: Transaction, base: WorktreeBase, before: ObjectId, after: ObjectId) -> Draft:
        """Draft the operation: the version with its label, the branch, HEAD and the folder."""
        plan = self._plan
        if base.head.version != plan.ours.id or base.head.branch is None:
            raise RefMoved("HEAD", describe(self._repo.queries, plan.ours.id), "another version")
        refs = dict[str, RefChange]()
        if plan.kind == "join":
            made = self._version()
            new, number = made.id, made.version.number
            refs |= [new_label(self._repo, transaction, made, self._wanted, base.head.branch)]
            parents = made.version.parents
            what = f"Merged as v{number} {self._wanted.name!r}"
        else:
            new, parents = plan.theirs.id, ()
            what = f"Fast-forwarded to {describe(self._repo.queries, plan.theirs.id)} {plan.theirs.name!r}"
        refs |= branch_update(self._repo, transaction, base.head.branch, BranchMove(new, parents=parents))
        return Draft(
            "merge",
            what,
            refs,
            HeadChange(base.head, Head(base.head.branch, new)),
            TreeChange(before, after),
            Inverse("merge.revert"),
            payload={"theirs": plan.theirs.id, "conflicts": len(plan.conflicts)},
            correlation_id=self._correlation_id,
        )

    def _version(self) -> NewVersion:
        plan, repo = self._plan, self._repo
        content = repo.trees.tree(self._merged)
        # What is kept aside a branch is no part of its history: pruning it rewrites nothing.
        is_line = plan.theirs.type is VersionType.MANUAL
        version = Version(
            number=repo.queries.next_number(),
            parents=(*parents_for(repo, plan.ours), *((plan.theirs.id,) if is_line else ())),
            tree=self._merged,
            type=self._wanted.type,
            name=self._wanted.name,
            description=self._wanted.description,
            author=self._author,
            created_at=now(),
            project=repo.format.project,
            documents=documents_of(content),
            size=content.size,
        )
        version_id, data = encode_version(version)
        repo.store.put(Kind.VERSION, data)
        return NewVersion(version_id, version)


def _ours(repo: Repository, name: str | None) -> VersionRecord:
    head = repo.head()
    record = repo.queries.version(head.version) if head.version is not None else None
    if record is None:
        raise NoVersions(name or "HEAD")
    if head.branch is None:
        hint = "Go to one with `aura checkout main`, or commit here to start one."
        raise InputError(f"You are at {describe(repo.queries, record.id)}, on no branch to merge into", hint=hint)
    found = branch(repo, head.branch)
    if name is not None and found is not None and not found.diverged and found.version != record.id:
        moved_to = describe(repo.queries, found.version)
        hint = "`aura merge` without a name brings your folder there; then merge."
        raise InputError(f"Branch {head.branch} has moved on to {moved_to}", hint=hint)
    return record


def _theirs(repo: Repository, ours: VersionRecord, name: str | None) -> tuple[VersionRecord, tuple[VersionId, ...]]:
    if name is not None:
        return resolve(repo, name), ()
    found = branch(repo, repo.head().branch or "")
    tips = (found.diverged or (found.version,)) if found is not None else ()
    queries = repo.queries
    others = [get_version(repo, version) for version in tips if not queries.is_ancestor(version, ours.id)]
    others.sort(key=lambda record: (record.number, record.id))
    return (others[0] if others else ours), tuple(record.id for record in others[1:])


def _title(repo: Repository, theirs: VersionRecord, name: str | None) -> str:
    shown = describe(repo.queries, theirs.id)
    if name is not None and branch(repo, name) is not None:
        return f"Merge {name} ({shown})"
    return f"Merge {shown} {theirs.name}"[:180]


def _plan_three_way(repo: Repository, plan: MergePlan, name: str | None) -> MergePlan:
    joiner = ThreeWayMerge(repo)
    labels = _label(repo, plan.ours, repo.head().branch if name is not None else None), _label(repo, plan.theirs, name)
    found = joiner.merge(plan.ours, plan.theirs, labels)
    files = {path: joiner.entry(file) for path, file in found.files.items()}
    made = dict(joiner.made)
    if found.conflicts:
        data = encode(found.conflicts)
        files[CONFLICTS] = Entry(CONFLICTS, EntryKind.FILE, blob_id(data), len(data))
        made[files[CONFLICTS].id] = data
    changes = _changes(files_of(repo.trees, plan.ours.tree), files)
    if not changes and plan.theirs.type is not VersionType.MANUAL:
        return plan
    return msgspec.structs.replace(
        plan,
        kind="join",
        changes=changes,
        merged_files=found.merged_files,
        renamed=found.renamed,
        reasons=found.reasons,
        conflicts=found.conflicts,
        tree=made,
    )


def _changes(ours: Mapping[str, Entry], wanted: Mapping[str, Entry]) -> dict[str, Entry | None]:
    changes: dict[str, Entry | None] = dict.fromkeys(ours.keys() - wanted.keys())
    changes.update((path, entry) for path, entry in wanted.items() if content_of(ours.get(path)) != content_of(entry))
    return dict(sorted(changes.items()))


def _label(repo: Repository, record: VersionRecord, name: str | None) -> str:
    """Name the origin of a side as a person says it: "v14 from laptop"."""
    current = repo.head().branch
    where = record.branch
    if name is not None and branch(repo, name) is not None:
        where = name
    elif where == current:
        where = _machine(repo, record, current or "") or record.author
    shown = describe(repo.queries, record.id)
    return f"{shown} from {where}"[:LABEL_LIMIT] if where else shown


def _machine(repo: Repository, record: VersionRecord, name: str) -> str:
    """Return the name of the machine whose head of the branch the version is, if its log tells."""
    for entry in repo.refs.branch_entries(name):
        if entry.version != record.id:
            continue
        action = repo.queries.next_undo(ReplicaId(entry.replica), now())
        try:
            return operation_of(repo, action).host if action is not None else ""
        except IntegrityError:
            return ""
    return ""
