"""Looking after a project: space, damage, garbage."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Unpack

from aura_vcs.api.offloading import plan_offload
from aura_vcs.api.opened import Part, StrPath
from aura_vcs.api.reporting import NO_CALL, Call
from aura_vcs.api.results import FsckReport
from aura_vcs.api.upkeep import (
    GcPlan,
    GcResult,
    MendedRecord,
    Offloaded,
    OffloadPlan,
    Repaired,
    StorageReport,
    execute_gc,
    execute_offload,
    keep_house,
    plan_gc,
    plan_record_repair,
    plan_repair,
    repair,
    repair_records,
    storage_report,
)
from aura_vcs.api.values import VersionLike, name_of
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.model import GRACE_SECONDS
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.offload.offload import OFFLOAD_BYTES
from aura_vcs.sync.offload.space_plan import SpaceFreed, SpacePlan, execute_space, plan_space


class MaintenanceMethods(Part):
    """Space, damage and garbage. What deletes has a plan that only looks."""

    def storage(self, **call: Unpack[Call]) -> StorageReport:
        """Say what takes space."""
        return self._opened.run(call, storage_report)

    def fsck(self, *, quick: bool = False, **call: Unpack[Call]) -> FsckReport:
        """Check every byte and reference; with `quick`, not the content. Repairs nothing."""
        return self._opened.run(call, fsck, quick=quick)

    def plan_record_repair(self) -> tuple[MendedRecord, ...]:
        """Find damaged branches, tags, labels and other records that need no other copy; changes nothing."""
        return self._opened.run(NO_CALL, plan_record_repair)

    def repair_records(self) -> tuple[MendedRecord, ...]:
        """Write damaged records again, from what logs and versions say; needs no remote."""
        return self._opened.run(NO_CALL, repair_records)

    def plan_repair(self, remote: str | None = None, **call: Unpack[Call]) -> Repaired:
        """Read everything here, and say what is damaged or missing on this disk that a remote has. Changes nothing."""
        return self._opened.run_at(call, remote, plan_repair)

    def repair(self, remote: str | None = None, **call: Unpack[Call]) -> Repaired:
        """Fetch what is damaged or missing here from a remote; damaged files are set aside, never deleted.

        Damaged records come first: see `repair_records`. `remotes.repair` is the other way round.
        """
        return self._opened.run_at(call, remote, repair)

    def reindex(self, **call: Unpack[Call]) -> None:
        """Rebuild the index from the files. A damaged index is noticed and rebuilt without this."""
        self._opened.run(call, Repository.rebuild_index)

    def plan_gc(
        self,
        *,
        grace: timedelta = timedelta(seconds=GRACE_SECONDS),
        wait_for_others: bool = True,
        **call: Unpack[Call],
    ) -> GcPlan:
        """Find what no version needs; changes nothing. What was given up within `grace` stays, for undo.

        With `wait_for_others`, what other machines with copies of this folder do not know of yet stays, too.
        """
        return self._opened.run(call, plan_gc, grace.total_seconds(), wait_for_others)

    def gc(self, plan: GcPlan | None = None, **call: Unpack[Call]) -> GcResult:
        """Free what no version needs, as planned. If it is interrupted, some of it is freed; the next call continues.

        Raises:
            PlanStale: what was planned is needed again.
        """
        planned = self.plan_gc(**call) if plan is None else plan
        return self._opened.run(call, execute_gc, planned, self._opened.unwraps)

    def keep_house(self, **call: Unpack[Call]) -> GcResult | None:
        """Free what is due, at most once a day and only if nobody is in the way, as the command does automatically.

        Returns None if nothing was due or could be done; if something is wrong, `gc` and `fsck` say what.
        """
        return self._opened.run(call, keep_house, self._opened.unwraps)

    def plan_free(self, wanted_bytes: int, **call: Unpack[Call]) -> SpacePlan:
        """Find what could be deleted to free this many bytes, each thing with its reason. Changes nothing.

        Garbage, old autosaves and restore points, renders that can be made again, then large files that a remote proves
        to hold. Remotes that cannot be asked are named.
        """
        return self._opened.run(call, plan_space, wanted_bytes, self._opened.connect)

    def free(self, plan: SpacePlan, items: Iterable[str] | None = None, **call: Unpack[Call]) -> SpaceFreed:
        """Delete what a plan needs, or only these `items` of it, by their ids.

        Versions can be brought back with `undo` until their grace period is over, renders are made again, files are
        fetched when needed.

        Raises:
            PlanStale: something of it can no longer be deleted; nothing was done.
        """
        ids = [item.id for item in plan.items if item.needed] if items is None else list(items)
        return self._opened.run(call, execute_space, ids, self._opened.connect)

    def plan_offload(
        self,
        *versions: VersionLike,
        paths: Iterable[StrPath] = (),
        older_than: timedelta | None = None,
        remotes: Iterable[str] = (),
        copies: int = 1,
        min_size: int = OFFLOAD_BYTES,
        verify: bool = False,
        **call: Unpack[Call],
    ) -> OffloadPlan:
        """Find large files whose content `copies` remotes prove to hold, so that it need not be here.

        Of these versions and paths, or of all; of versions made longer ago than `older_than`. The named
        `remotes` are asked, or all that can be reached; with `verify`, all of it is read there and hashed.
        Changes nothing.

        Raises:
            InputError: the project has no remote, or fewer than `copies`. RemoteError: a named one cannot be asked.
        """
        names = [name_of(version) for version in versions]
        return self._opened.run(
            call,
            plan_offload,
            self._opened.credentials,
            names,
            paths=paths,
            older_than=older_than,
            remotes=remotes,
            copies=copies,
            min_size=min_size,
            verify=verify,
        )

    def offload(self, plan: OffloadPlan, **call: Unpack[Call]) -> Offloaded:
        """Free the content of files as planned; it is fetched when it is read. After an interruption, some is freed.

        Raises:
            PlanStale: versions came or went, or HEAD moved, since the plan was made; nothing was freed.
        """
        return self._opened.run(call, execute_offload, plan)
