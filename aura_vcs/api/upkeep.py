"""What upkeep finds, plans and does: space, damage, garbage, and content that only remotes hold."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from aura_vcs.api.values import Version, paths_of
from aura_vcs.ids import ObjectId
from aura_vcs.maintenance import disk_usage, gc, retention
from aura_vcs.maintenance.disk_usage import Sizes
from aura_vcs.maintenance.repair_records import RepairableRecord, find_repairable, rewrite_records
from aura_vcs.plain_text import parse_time
from aura_vcs.repository.format_file import ANNOTATIONS
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.maintenance import repair_local
from aura_vcs.sync.maintenance.repair_local import RepairPlan
from aura_vcs.sync.offload import evict, offload as offload_room
from aura_vcs.sync.state.cache import RemoteCache


@dataclass(frozen=True, slots=True)
class LargeFile:
    """One of the largest files, with a path it has had."""

    path: Path
    size: int
    stored_bytes: int
    id: str


@dataclass(frozen=True, slots=True)
class VersionShare:
    """What one version alone holds: purging it would free about so many stored bytes."""

    id: str
    number: int
    name: str
    size: int
    alone_bytes: int


@dataclass(frozen=True, slots=True)
class StorageReport:
    """What takes space. `total` counts every version's content as if it were stored on its own.

    `folder_bytes` are all files below `.aura`, `disk_bytes` what the disk takes for them, as the program du says:
    all `parts` together, of which `blocks` is what belongs to no file. `offloaded` counts files whose content is at
    remotes, `unfinished` what a command is writing, or was writing when it was stopped, `media_index` what was
    found in media, `unwrapped` gzip files and ZIP archives that are stored as what is in them.
    """

    folder_bytes: int
    total: Sizes
    objects: Sizes
    garbage: Sizes
    offloaded: Sizes
    unfinished: Sizes
    media_index: Sizes
    unwrapped: Sizes
    by_version_type: dict[str, Sizes]
    by_file_type: dict[str, Sizes]
    largest: tuple[LargeFile, ...]
    versions: tuple[VersionShare, ...]
    parts: dict[str, Sizes]
    disk_bytes: int

    @classmethod
    def _of(cls, found: disk_usage.StorageReport) -> Self:
        """Take over what was counted."""
        return cls(
            found.folder_bytes,
            found.total,
            found.objects,
            found.garbage,
            found.offloaded,
            found.unfinished,
            found.media_index,
            found.unwrapped,
            found.by_version_type,
            found.by_file_type,
            tuple(LargeFile(Path(it.path), it.size_bytes, it.stored_bytes, it.id) for it in found.largest),
            tuple(VersionShare(it.id, it.number, it.name, it.logical_bytes, it.alone_bytes) for it in found.versions),
            found.parts,
            found.disk_bytes,
        )


@dataclass(frozen=True, slots=True)
class GcPlan:
    """What a garbage collection would do; sizes count stored bytes.

    `objects` would be deleted, `bytes` in all; `purged` are deleted versions whose content is freed with them.
    `kept_objects` are in their grace period, because `undo` may want them back; `later_objects` are in packs that
    are mostly in use; `unread_objects` are deleted when the machines in `waiting_for` know of it.
    """

    objects: int
    bytes: int
    purged: tuple[Version, ...]
    kept_objects: int
    later_objects: int
    unread_objects: int
    waiting_for: tuple[str, ...]
    _plan: gc.GcPlan

    @classmethod
    def _of(cls, plan: gc.GcPlan) -> Self:
        """Take over a plan."""
        return cls(
            len(plan.to_delete),
            plan.bytes,
            tuple(map(Version._of, plan.purged)),
            len(plan.in_grace_period),
            len(plan.in_shared_packs),
            len(plan.unacknowledged),
            tuple(other.host or other.replica for other in plan.waiting_for),
            plan,
        )


@dataclass(frozen=True, slots=True)
class GcResult:
    """What a garbage collection did; `kept_objects` are garbage that is still there.

    `evicted_files` were marked by `project.derived.evict_versions` long enough ago, and were freed as well.
    """

    removed_objects: int
    freed_bytes: int
    kept_objects: int
    evicted_files: int = 0

    @classmethod
    def _of(cls, done: gc.Collected | None, freed: evict.FreedEvicted) -> Self:
        """Take over what was done."""
        removed, size, kept = (0, 0, 0) if done is None else (
            done.removed_objects, done.freed_bytes, done.candidate_objects
        )  # fmt: skip
        return cls(removed, size + freed.freed_bytes, kept, freed.files)


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """Which autosaves and restore points would be deleted; what is planned is what is done."""

    versions: tuple[Version, ...]
    _plan: retention.PrunePlan

    @classmethod
    def _of(cls, plan: retention.PrunePlan) -> Self:
        """Take over a plan."""
        return cls(tuple(Version._of(decision.version) for decision in plan.to_delete), plan)


@dataclass(frozen=True, slots=True)
class OffloadedFile:
    """A large file whose content can be freed, because `remotes` hold it, or must stay, for a `reason`."""

    path: Path
    size: int
    remotes: tuple[str, ...]
    reason: str
    id: str

    @classmethod
    def _of(cls, file: offload_room.OffloadedFile) -> Self:
        """Take over a finding."""
        return cls(Path(file.path), file.size_bytes, file.remotes, file.reason, file.id)


@dataclass(frozen=True, slots=True)
class OffloadPlan:
    """What an offload would do. `faults` say what is wrong with remotes; what these hold did not count.

    `unreachable` are remotes that could not be asked, with the reason.
    """

    files: tuple[OffloadedFile, ...]
    kept: tuple[OffloadedFile, ...]
    bytes: int
    faults: tuple[str, ...]
    unreachable: dict[str, str]
    _plan: offload_room.OffloadPlan

    @classmethod
    def _of(cls, plan: offload_room.OffloadPlan, unreachable: dict[str, str]) -> Self:
        """Take over a plan."""
        going, kept = (tuple(map(OffloadedFile._of, group)) for group in (plan.to_free, plan.staying))
        return cls(going, kept, plan.freed_bytes, plan.faults, unreachable, plan)


@dataclass(frozen=True, slots=True)
class Offloaded:
    """What an offload did: files, and stored bytes that are free now."""

    files: int
    freed_bytes: int


@dataclass(frozen=True, slots=True)
class MendedRecord:
    """A small record (a branch, a tag, a label …) below `.aura` that was damaged, and how."""

    path: Path
    detail: str

    @classmethod
    def _of(cls, item: RepairableRecord) -> Self:
        """Take over a finding."""
        return cls(Path(item.path), item.detail)


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did, or would do.

    `objects` come from the remote, `bytes` in all. `damaged` files below `.aura` are set aside in
    `.aura/local/damaged`, never deleted. `lost` are objects that the remote does not have either, with
    the versions that need them.
    """

    objects: int
    bytes: int
    damaged: tuple[Path, ...]
    lost: dict[str, tuple[str, ...]]

    @classmethod
    def _of(cls, plan: RepairPlan, lost: dict[ObjectId, tuple[str, ...]] | None = None) -> Self:
        """Take over a plan; `lost` is what turned out to be so."""
        return cls(
            len(plan.to_fetch),
            plan.received_bytes,
            paths_of(plan.damaged),
            {str(item): names for item, names in (plan.lost if lost is None else lost).items()},
        )


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """What purging a version would free: objects that no other version holds, and their stored bytes.

    `shared_bytes` of content stay, because others hold them too. `remote_bytes` would be freed at the remote that
    was asked about.
    """

    objects: int
    bytes: int
    shared_bytes: int
    remote_bytes: int | None


def storage_report(repo: Repository) -> StorageReport:
    """See `Project.storage`."""
    return StorageReport._of(disk_usage.storage_report(repo))


def plan_gc(repo: Repository, grace_seconds: float, wait_for_others: bool) -> GcPlan:
    """See `Project.plan_gc`."""
    return GcPlan._of(gc.plan_gc(repo, grace_seconds=grace_seconds, wait_for_others=wait_for_others))


def execute_gc(repo: Repository, plan: GcPlan, unwraps: Callable[[Repository], bool]) -> GcResult:
    """See `Project.gc`."""
    done = gc.execute_gc(repo, plan._plan, unwrap=unwraps(repo))
    grace = max(0.0, (datetime.now(UTC) - parse_time(plan._plan.cutoff)).total_seconds())
    is_possible = ANNOTATIONS in repo.format.features
    return GcResult._of(done, evict.free_evicted(repo, grace) if is_possible else evict.FreedEvicted(0, 0))


def keep_house(repo: Repository, unwraps: Callable[[Repository], bool]) -> GcResult | None:
    """See `Project.keep_house`."""
    done, freed = evict.keep_house(repo, unwrap=unwraps(repo))
    return None if done is None and not freed.files else GcResult._of(done, freed)


def plan_prune(repo: Repository, rules: retention.RetentionRules) -> PrunePlan:
    """See `Project.plan_prune`."""
    return PrunePlan._of(retention.plan_prune(repo, rules))


def execute_prune(repo: Repository, plan: PrunePlan) -> int:
    """See `Project.prune`."""
    return retention.execute_prune(repo, plan._plan)


def execute_offload(repo: Repository, plan: OffloadPlan) -> Offloaded:
    """See `Project.offload`."""
    done = offload_room.execute_offload(repo, plan._plan)
    return Offloaded(done.files, done.freed_bytes)


def plan_record_repair(repo: Repository) -> tuple[MendedRecord, ...]:
    """See `Project.plan_record_repair`."""
    return tuple(map(MendedRecord._of, find_repairable(repo)))


def repair_records(repo: Repository) -> tuple[MendedRecord, ...]:
    """See `Project.repair_records`."""
    found = find_repairable(repo)
    rewrite_records(repo, found)
    return tuple(map(MendedRecord._of, found))


def plan_repair(repo: Repository, remote: RemoteStorage, _known: RemoteCache) -> Repaired:
    """See `Project.plan_repair`."""
    return Repaired._of(repair_local.plan_repair(repo, remote))


def repair(repo: Repository, remote: RemoteStorage, cache: RemoteCache) -> Repaired:
    """See `Project.repair`."""
    plan = repair_local.plan_repair(repo, remote)
    return Repaired._of(plan, repair_local.execute_repair(repo, cache, plan).lost)
