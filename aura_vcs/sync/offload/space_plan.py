"""What could go so that so many bytes are free, each thing with its reason: a plan, then the deed.

In this order, until it is enough: garbage whose grace period is over; autosaves and restore points that no rule keeps
any longer, then the others that are older than a day, oldest first; renders and other files of the folder that are in
no version, can be made again, and were not written to for a day, the largest first; large files that a remote proves to
hold, the largest first. What a person made (a commit), marked important or named stays, and so does the version that is
stood on.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from aura_vcs.errors.input import PlanStale
from aura_vcs.errors.remotes import RemoteError
from aura_vcs.history.lookup.select_files import ChosenFiles, select
from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import describe
from aura_vcs.index.records import ObjectRecord
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.maintenance.retention import PrunePlan, RetentionDecision, RetentionRules, execute_prune, plan_prune
from aura_vcs.objects.graph import find_alone
from aura_vcs.plain_text import format_time
from aura_vcs.project.derived import Eviction, evict, list_derived, plan_eviction
from aura_vcs.repository.format_file import ANNOTATIONS
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.offload.evict import free_evicted, plan_freeing
from aura_vcs.sync.offload.offload import OFFLOAD_BYTES, OffloadPlan, execute_offload, plan_offload
from aura_vcs.sync.offload.witnesses import witnesses
from aura_vcs.sync.remotes.config import remotes

DAY_SECONDS = 86_400.0
DAY_OLD = RetentionRules(keep_autosaves=1, autosave_days=1, restore_point_days=1)
"""What goes at most: of autosaves the newest stays, and all that are younger than a day."""
GARBAGE = "garbage"
RENDER = "render:"

Connect = Callable[[str], RemoteStorage]


_MARKED = "It can be made again, was marked for it, and its grace period is over"


class SpaceItem(msgspec.Struct, frozen=True):
    """One thing that could go. `bytes` are on the disk, about: what several share is counted with the first.

    `when` is "now", or "later": what is deleted can be brought back until its grace period is over, and its room is
    free then. `needed` says whether the plan takes it to get as far as was asked for.
    """

    id: str
    kind: Literal["garbage", "autosave", "restore_point", "render", "file"]
    name: str
    reason: str
    bytes: int
    when: Literal["now", "later"]
    needed: bool = True


class SpacePlan(msgspec.Struct, frozen=True):
    """What could go; `planned_bytes` counts what is needed of it. `unreachable` are remotes that could not be asked."""

    wanted_bytes: int
    planned_bytes: int
    items: tuple[SpaceItem, ...]
    unreachable: dict[str, str]


class SpaceFreed(msgspec.Struct, frozen=True):
    """What went: `freed_bytes` are free now, about `later_bytes` when the grace period of the versions is over."""

    versions: int
    files: int
    freed_bytes: int
    later_bytes: int
    renders: int = 0


class _Candidates(msgspec.Struct, frozen=True):
    """All that could go, in order, and the plans that carry it out."""

    items: tuple[SpaceItem, ...]
    prune: PrunePlan
    renders: Eviction
    offload: OffloadPlan | None
    unreachable: dict[str, str]


def plan_space(repo: Repository, wanted_bytes: int, connect: Connect, *, least_bytes: int = OFFLOAD_BYTES) -> SpacePlan:
    """Find what could go, and how much of it is enough for `wanted_bytes`. Changes nothing."""
    found = _candidates(repo, connect, least_bytes, None)
    items, planned = [], 0
    for item in found.items:
        needed = planned < wanted_bytes
        planned += item.bytes if needed else 0
        items.append(msgspec.structs.replace(item, needed=needed))
    return SpacePlan(wanted_bytes, planned, tuple(items), found.unreachable)


def execute_space(
    repo: Repository, ids: Collection[str], connect: Connect, *, least_bytes: int = OFFLOAD_BYTES
) -> SpaceFreed:
    """Let the things go that have these ids in a plan: files, versions as one operation that undo takes back, renders.

    A render that is not byte for byte what was made any more stays.

    Interrupted, some of it has gone.

    Raises:
        PlanStale: one of them is not to be had any more; nothing was done.
    """
    blobs = frozenset(ObjectId(item.removeprefix("file:")) for item in ids if item.startswith("file:"))
    found = _candidates(repo, connect, least_bytes, blobs)
    chosen = [item for item in found.items if item.id in set(ids)]
    if len(chosen) != len(set(ids)):
        raise PlanStale("Not everything in the plan can still be freed")
    versions = {item.id for item in chosen if item.id.startswith("version:")}
    going = [decision for decision in found.prune.decisions if f"version:{decision.version.id}" in versions]
    freed = files = 0
    if blobs and found.offload is not None:  # first: what its plan has seen must not have moved
        done = execute_offload(repo, found.offload)
        files, freed = done.files, done.freed_bytes
    pruned = execute_prune(repo, PrunePlan(tuple(going), found.prune.made_at)) if going else 0
    renders = frozenset(item.removeprefix(RENDER) for item in ids if item.startswith(RENDER))
    evicted = Eviction((), ())
    if renders:
        evicted = evict(repo, Eviction(tuple(one for one in found.renders.files if one[0] in renders), ()))
        freed += evicted.size
    if GARBAGE in ids:
        freed += execute_gc(repo, plan_gc(repo), unwrap=False).freed_bytes
        if ANNOTATIONS in repo.format.features:
            freed += free_evicted(repo).freed_bytes
    later = sum(item.bytes for item in chosen if item.when == "later")
    return SpaceFreed(pruned, files, freed, later, len(evicted.files))


def _candidates(repo: Repository, connect: Connect, least_bytes: int, only: frozenset[ObjectId] | None) -> _Candidates:
    """Collect what could go; of files, `only` these where they are named."""
    garbage = plan_gc(repo)
    items = []
    marked = plan_freeing(repo).size if ANNOTATIONS in repo.format.features else 0
    if garbage.bytes or marked:
        reason = "No version holds it, and its grace period is over"
        if marked:
            reason = f"{reason}; or it can be made again, and was marked for it" if garbage.bytes else _MARKED
        items.append(SpaceItem(GARBAGE, "garbage", "Garbage", reason, garbage.bytes + marked, "now"))
    prune = _prunable(repo)
    items += _versions(repo, prune.to_delete)
    renders = plan_eviction(repo, DAY_SECONDS)
    items += _renders(repo, renders)
    offload: OffloadPlan | None = None
    unreachable: dict[str, str] = {}
    if only is None or only:
        chosen = msgspec.structs.replace(select(repo, (), ()), only=only)
        offload, unreachable = _offloadable(repo, connect, chosen, least_bytes)
        items += _files(offload) if offload is not None else []
    return _Candidates(tuple(items), prune, renders, offload, unreachable)


def _prunable(repo: Repository) -> PrunePlan:
    """Decide which autosaves and restore points may go: first those that no rule keeps, then all older than a day."""
    at = datetime.now(UTC)
    by_rules = {decision.version.id: decision for decision in plan_prune(repo, RetentionRules(), at=at).to_delete}
    others = plan_prune(repo, DAY_OLD, at=at)
    oldest_first = sorted(others.to_delete, key=lambda decision: (decision.version.created_at, decision.version.number))
    first = [by_rules[decision.version.id] for decision in oldest_first if decision.version.id in by_rules]
    then = [decision for decision in oldest_first if decision.version.id not in by_rules]
    return PrunePlan((*first, *then), format_time(at))


def _renders(repo: Repository, plan: Eviction) -> Iterable[SpaceItem]:
    hows = {item.path: item.how for item in list_derived(repo)} if plan.files else {}
    for path, size in sorted(plan.files, key=lambda file: (-file[1], file[0])):
        reason = f"`aura derived make` makes it again: {hows.get(path, '')}"
        yield SpaceItem(f"{RENDER}{path}", "render", path, reason, size, "now")


def _versions(repo: Repository, decisions: Sequence[RetentionDecision]) -> list[SpaceItem]:
    """Count what goes with each version, once those before it have gone."""
    counts = _FallingCounts(repo)
    items = []
    for decision in decisions:
        record = decision.version
        name = f"{describe(repo.queries, record.id)} {record.name}".strip()
        kind: Literal["autosave", "restore_point"] = "autosave" if record.type == "autosave" else "restore_point"
        size = counts.release(record.tree)
        items.append(SpaceItem(f"version:{record.id}", kind, name, decision.reason.capitalize(), size, "later"))
    return items


class _FallingCounts:
    """Reference counts as they fall while one version after the other goes."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._records: dict[ObjectId, ObjectRecord | None] = {}
        self._gone: Counter[ObjectId] = Counter()

    def release(self, tree: ObjectId) -> int:
        """Let go of a tree; returns the stored bytes that nothing holds any more."""
        found = find_alone(self._repo.graph, tree, self._count_of, in_chunks=True)
        self._gone.update(found.shared.keys())
        return sum(record.stored_size for item in found.own if (record := self._records[item]) is not None)

    def _count_of(self, object_id: ObjectId) -> int | None:
        if object_id not in self._records:
            self._records[object_id] = self._repo.queries.object(object_id)
        record = self._records[object_id]
        return None if record is None else record.refcount - self._gone[object_id]


def _offloadable(
    repo: Repository, connect: Connect, chosen: ChosenFiles, least_bytes: int
) -> tuple[OffloadPlan | None, dict[str, str]]:
    """Ask the remotes what they hold; None where there is none that can be asked."""
    names = tuple(remotes(repo))
    if not names:
        return None, {}
    try:
        with witnesses(repo, (), connect) as found:
            if not found.asked:
                return None, dict(found.unreachable)
            return plan_offload(repo, found.asked, chosen, least_bytes=least_bytes), dict(found.unreachable)
    except RemoteError as error:
        return None, dict.fromkeys(names, error.message)


def _files(plan: OffloadPlan) -> Iterable[SpaceItem]:
    sizes = {record.id: record.stored_size for record in plan.objects}
    for file in sorted(plan.to_free, key=lambda file: (-file.size_bytes, file.path)):
        parts = (*plan.lists[file.id].chunks, file.id) if file.id in plan.lists else (file.id,)
        stored = sum(sizes.get(part, 0) for part in parts) or file.size_bytes
        reason = f"{' and '.join(file.remotes)} holds it: it is fetched when it is needed"
        yield SpaceItem(f"file:{file.id}", "file", file.path, reason, stored, "now")
