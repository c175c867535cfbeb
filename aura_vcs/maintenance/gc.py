"""Collecting garbage: content that no version holds any more.

What is garbage is told by reference counts (the cost grows with the garbage), and proved by a
walk from the refs and the operation log before the first byte goes. An object is a candidate when
its count falls to zero, and deleted when it has been one for longer than the grace period:
until then, undo and undelete bring it back.

Where other machines work in copies of this folder that a tool merges blindly, deletions travel. A
candidate is then deleted only when every one of them has said that it knows: see docs/decisions.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from aura_vcs.annotations.recipes import needed_inputs
from aura_vcs.errors.input import PlanStale
from aura_vcs.errors.integrity import IntegrityError, RecordCorrupt, StorageFull
from aura_vcs.ids import ObjectId
from aura_vcs.index.records import ObjectRecord, VersionRecord
from aura_vcs.layout import STAGED, TEMPORARY_FILE
from aura_vcs.maintenance.delete_objects import ObjectRemoval
from aura_vcs.maintenance.reachability import Marker, find_reachable, referenced_trees, undoable_trees
from aura_vcs.maintenance.repack import recipes_of_stored, repack
from aura_vcs.maintenance.unrecorded import UNRECORDED_SECONDS, find_unrecorded, tidy_unrecorded
from aura_vcs.maintenance.unwrapping import NO_RECIPES
from aura_vcs.model import GRACE_SECONDS, Label
from aura_vcs.objects.availability import missing_parts
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.operation_log import label_change
from aura_vcs.plain_text import format_time, now, parse_time
from aura_vcs.refs.merge import stamp_label
from aura_vcs.repository.replicas import SILENT_SECONDS, OtherReplica
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft, Transaction
from aura_vcs.storage.sweep import sweep_temporary

DEAD_SHARE = 0.25
"""A pack of which more than this is garbage is written anew without it."""


class GcPlan(msgspec.Struct, frozen=True):
    """What a collection would do; sizes count stored bytes.

    The objects `to_delete` go; `purged` are deleted versions whose content goes with them. Candidates
    `in_grace_period` could still be wanted back. Those `in_shared_packs` lie in packs that are mostly in
    use: they go when more of the pack is garbage; what a person purged never waits for that.
    What is `unacknowledged` would go, if the other machines in `waiting_for` had said that they know of it.
    Of all these an interrupted command left what is `unrecorded`; it goes a day after that, at the latest at
    `unrecorded_until` so far as it is in its grace period yet.
    """

    cutoff: str
    to_delete: tuple[ObjectRecord, ...]
    purged: tuple[VersionRecord, ...]
    in_grace_period: tuple[ObjectRecord, ...]
    in_shared_packs: tuple[ObjectRecord, ...] = ()
    unacknowledged: tuple[ObjectRecord, ...] = ()
    waiting_for: tuple[OtherReplica, ...] = ()
    unlisted: frozenset[ObjectId] = frozenset()
    """Those of them that the index did not have when the plan was made."""
    unrecorded: frozenset[ObjectId] = frozenset()
    unrecorded_until: str = ""

    @property
    def bytes(self) -> int:
        """Stored bytes of what goes; frames shared with others may free a little less."""
        return sum(item.stored_size for item in self.to_delete)


class Collected(msgspec.Struct, frozen=True):
    """What a collection did. `candidate_objects` counts all garbage that is still there."""

    removed_objects: int
    freed_bytes: int
    candidate_objects: int
    in_grace_period: int


def plan_gc(
    repo: Repository,
    *,
    grace_seconds: float = GRACE_SECONDS,
    dead_share: float | None = None,
    wait_for_others: bool = True,
    unrecorded_seconds: float = UNRECORDED_SECONDS,
) -> GcPlan:
    """Find what can be deleted. Changes nothing. The cost grows with the garbage.

    What an interrupted command stored and never recorded is garbage from now on. Where this machine knows that
    it was one of its own commands, it goes `unrecorded_seconds` after that, if that is shorter. A pack is written
    anew when more than `dead_share` of it is garbage: DEAD_SHARE, or any at all without a grace period.
    Without `wait_for_others`, nobody else is asked: whoever makes a version offline with content that
    goes has to put it back from its own copy. What may belong to a version on its way here is kept.
    """
    grace = _Grace(grace_seconds, min(grace_seconds, unrecorded_seconds))
    if not repo.is_preview and repo.index.has_unlisted():  # their rows are for whoever carries the plan out
        with repo.preview() as view:
            plan = _plan(view, grace, dead_share, wait_for_others=wait_for_others)
        listed = {object_id for object_id, _ in repo.queries.unreferenced_dates()}
        return msgspec.structs.replace(plan, unlisted=frozenset({item.id for item in plan.to_delete} - listed))
    return _plan(repo, grace, dead_share, wait_for_others=wait_for_others)


class _Grace(NamedTuple):
    """How long garbage is kept, and how long what an interrupted command of this machine left, in seconds."""

    seconds: float
    unrecorded: float


def _plan(repo: Repository, grace: _Grace, dead_share: float | None, *, wait_for_others: bool) -> GcPlan:
    if repo.is_preview:
        repo.adopt_unrecorded_objects()
    cutoff = _ago(grace.seconds)
    garbage = [item for item in repo.queries.unreferenced() if item.id != EMPTY_TREE_ID]
    unrecorded = find_unrecorded(repo, garbage)
    limit = _ago(grace.unrecorded)
    due = [item for item in garbage if item.last_referenced_at <= cutoff or unrecorded.get(item.id, "~") <= limit]
    others = repo.others.active_replicas() if due and wait_for_others else []
    if not wait_for_others and repo.others.known_replicas():
        due = [item for item in due if not _may_be_incoming(item)]
    read = min((max(other.read_until, _ago(SILENT_SECONDS)) for other in others), default="~")
    old = [item for item in due if item.last_referenced_at <= read]
    unread = tuple(item for item in due if item.last_referenced_at > read)
    newest = max((item.last_referenced_at for item in unread), default="")
    waiting = tuple(other for other in others if other.read_until < newest)
    wanted_back = _revertible_objects(repo, {item.id for item in garbage}, cutoff) if old else set()
    free = [item for item in old if item.id not in wanted_back]
    share = dead_share if dead_share is not None else DEAD_SHARE if grace.seconds > 0 else 0.0
    spared = _dense_packs(repo, free, share)
    to_delete = tuple(item for item in free if item.pack not in spared)
    left = tuple(item for item in free if item.pack in spared)
    counted = {item.id for item in (*free, *unread)}
    kept = tuple(item for item in garbage if item.id not in counted)
    purged = repo.queries.deleted_holding({item.id for item in to_delete if item.kind == "tree"})
    until = max((unrecorded[item.id] for item in kept if item.id in unrecorded), default="")
    return GcPlan(
        cutoff, to_delete, tuple(purged), kept, left, unread, waiting,
        unrecorded=frozenset(unrecorded), unrecorded_until=until and _later(until, grace.unrecorded),
    )  # fmt: skip


def _may_be_incoming(item: ObjectRecord) -> bool:
    """Tell whether an object was never held here and is young: part of another machine's version, perhaps."""
    return item.created_at == item.last_referenced_at and item.created_at > _ago(GRACE_SECONDS)


def _ago(seconds: float) -> str:
    return format_time(datetime.now(UTC) - timedelta(seconds=seconds))


def _later(moment: str, seconds: float) -> str:
    return format_time(parse_time(moment) + timedelta(seconds=seconds))


def _dense_packs(repo: Repository, free: Sequence[ObjectRecord], dead_share: float) -> set[str | None]:
    """Find packs with so little garbage in them that writing them anew is not worth it."""
    if dead_share <= 0:
        return set()
    dead: Counter[str] = Counter()
    for item in free:
        if item.pack is not None:
            dead[item.pack] += item.stored_size
    queries = repo.queries
    spared: set[str | None] = {name for name in dead if dead[name] <= dead_share * queries.pack_bytes(name)}
    if spared:
        purged = _purged_objects(repo, {item.id for item in free})
        spared -= {item.pack for item in free if item.id in purged}
    return spared


def _purged_objects(repo: Repository, free: set[ObjectId]) -> set[ObjectId]:
    """Find what belongs to versions that a person purged: that is to be gone when gc says so."""
    walker = Marker(repo, free)
    for record in repo.queries.purged_holding(free):
        walker.mark_tree(record.tree)
    return walker.found


def _revertible_objects(repo: Repository, garbage: set[ObjectId], cutoff: str) -> set[ObjectId]:
    """Garbage that a recent operation would bring back, a name stands on, or a checkpoint or something evicted needs.

    Also trees too young to go are looked into: what they hold may be old.
    """
    walker = Marker(repo, garbage)
    walker.mark(repo.refs.checkpoint_objects())
    walker.mark_blobs(needed_inputs(repo))
    for tree in [*undoable_trees(repo, cutoff), *referenced_trees(repo)]:
        if tree in garbage:
            walker.mark_tree(tree)
    return walker.found


def execute_gc(repo: Repository, plan: GcPlan, *, unwrap: bool = True) -> Collected:
    """Delete what the plan lists, after proving that nothing reaches it; then pack what is scattered.

    With `unwrap`, gzip files and ZIP archives that come back byte for byte are stored as what is in them.
    Nobody stores anything while objects go and are packed. Interrupted, some of the garbage is gone and the rest is
    found again by the next collection.

    Raises:
        PlanStale: something of the plan is in use again; nothing was deleted.
        IntegrityError: a count is wrong, or something in use cannot be read; nothing was deleted.
        LockBusy: somebody is storing for longer than the lock's patience.
    """
    removed = freed = 0
    repo.free_disk_space()
    repo.adopt_unrecorded_objects()
    recipes = recipes_of_stored(repo) if unwrap else NO_RECIPES
    with repo.locks.exclusive("objects"):
        if plan.to_delete:
            _prove(repo, plan)
            _record(repo, plan)
            removed, freed = ObjectRemoval(repo).remove(plan.to_delete)
            repo.index.forget_texts()
        tidy_unrecorded(repo)
        _tidy_offloaded(repo, plan)
        with suppress(StorageFull):  # packing needs room that there is not yet: the next time
            freed += repack(repo, recipes)
        repo.protect_objects()
    _request_acknowledgement(repo, plan)
    sweep_temporary(repo.storage, made=TEMPORARY_FILE, folders=(STAGED,))
    repo.index.compact()
    left = sum(1 for _ in repo.queries.unreferenced_dates())
    return Collected(removed, freed, left, len(plan.in_grace_period))


def _request_acknowledgement(repo: Repository, plan: GcPlan) -> None:
    """Record an operation for the others to read, if some garbage is younger than our last one."""
    asked = repo.index.time_of(repo.replica, repo.index.end_of_log(repo.replica)[1])
    if any(item.last_referenced_at > asked for item in plan.unacknowledged):
        with repo.transaction() as transaction:
            count = len(plan.unacknowledged)
            transaction.record(Draft("gc", f"Will collect {count} objects", payload={"unread": count}))


def _tidy_offloaded(repo: Repository, plan: GcPlan) -> None:
    """Take out of the record what nothing needs any more, and what is here again."""
    recorded = repo.store.offloaded.all()
    if not recorded:
        return
    with repo.locks.exclusive("offloaded"):
        repo.store.offloaded.discard(repo.replica, {item.id for item in plan.to_delete})
        recorded = repo.store.offloaded.all()
        with suppress(IntegrityError):  # a damaged list or record is fsck's to report
            here = recorded.keys() - missing_parts(repo.store, recorded).keys()
            repo.store.offloaded.forget(repo.replica, here, now())


def _prove(repo: Repository, plan: GcPlan) -> None:
    """Check the plan against the index as it is now, and against the refs themselves."""
    repo.refresh()
    _check_readable(repo)
    to_delete = {item.id: item for item in plan.to_delete}
    same = 0
    for object_id, date in repo.queries.unreferenced_dates():
        item = to_delete.get(object_id)
        same += item is not None and (item.last_referenced_at == date or object_id in plan.unlisted)
    if same != len(to_delete):
        count = len(to_delete) - same
        raise PlanStale(f"{count} object{' is' if count == 1 else 's are'} in use again since the plan was made")
    use = find_reachable(repo, plan.cutoff, to_delete.keys())
    if use.damaged:
        what, why = next(iter(use.damaged.items()))
        raise IntegrityError(
            f"Nothing was deleted: {what} is in use and cannot be read ({why})",
            hint="`aura fsck` says which versions that affects. Repair or purge them, then run `aura gc` again.",
        )
    if wrong := use.by_refs:
        raise IntegrityError(
            f"Nothing was deleted: {len(wrong)} objects count as unused and are in use, such as {min(wrong)}",
            hint="The index is wrong. Rebuild it with `aura reindex`, then run `aura gc` again.",
        )
    if use.revertible:
        raise PlanStale("Something in the plan is needed again")


def _check_readable(repo: Repository) -> None:
    """Refuse where something that may name what is in use cannot be read.

    Raises:
        IntegrityError: names the file.
    """
    troubles: list[RecordCorrupt] = list(repo.refs.damaged())
    for name in repo.logs.segments():
        try:
            next(repo.logs.read_segment(name), None)
        except RecordCorrupt as error:
            troubles.append(error)
    if repo.index.is_unread():
        raise IntegrityError(
            "Nothing was deleted: something that versions hold cannot be read, so what it holds is not known",
            hint="`aura fsck` names it. Repair it, or purge the versions that hold it, then run `aura gc` again.",
        )
    if troubles:
        raise IntegrityError(
            f"Nothing was deleted: {troubles[0].path} cannot be read ({troubles[0].detail}), "
            "and what it names may be in use",
            hint="`aura repair` repairs it; then run `aura gc` again.",
        )


def _record(repo: Repository, plan: GcPlan) -> None:
    """Note in the log, and on the versions, what goes; only then does it go."""
    with repo.transaction() as transaction:
        labels = repo.refs.labels(record.id for record in plan.purged)
        refs = dict(
            label_change(label, _purged(repo, transaction, label))
            for label in labels.values()
            if label.purged_at is None
        )
        count = len(plan.to_delete)
        transaction.record(
            Draft(
                "gc",
                f"Collected {count} objects",
                refs,
                payload={"objects": count, "bytes": plan.bytes, "cutoff": plan.cutoff},
            )
        )


def _purged(repo: Repository, transaction: Transaction, label: Label) -> Label:
    return stamp_label(
        label,
        transaction.replica,
        transaction.at,
        repo.author,
        purged_at=transaction.at,
        purged_by=repo.author,
        purge_reason="collected after it was deleted",
    )
