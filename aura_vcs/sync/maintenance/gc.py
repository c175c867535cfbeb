"""Collecting garbage on a remote: content of versions that were deleted, uploads that were given up.

Nothing goes in one step: see `state.manifest_update`. A pack that holds garbage is written anew without it
first; the old one is retired in the move that lists the new one. Retired files go when every machine
that pushes there has seen their tombstones, or the grace period is over. Interrupted anywhere, the remote is
intact, and the next collection goes on.

Closed: a state that went back, a listing that misses a file, fewer versions than were seen before, or
something needed that cannot be read, and nothing is changed.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import msgspec

from aura_vcs.annotations.recipes import needed_inputs
from aura_vcs.errors.input import PlanStale, RefMoved
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteRewound, RemoteUnsafe
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.model import Kind, Label
from aura_vcs.objects.packs.writer import is_nonce
from aura_vcs.plain_text import format_time, now
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteEntry, RemoteStorage
from aura_vcs.sync.maintenance.reachability import RemoteReachability
from aura_vcs.sync.maintenance.repack import PackRewrite, rewrite
from aura_vcs.sync.remotes.probe import PROBE_FOLDER, probe
from aura_vcs.sync.state.cache import RemoteCache, clear
from aura_vcs.sync.state.manifest import (
    PACKS,
    RECORDS,
    TOMBSTONE_FIELDS,
    Machine,
    Manifest,
    PackInfo,
    Tombstone,
    is_file,
    pack_name,
    record_name,
)
from aura_vcs.sync.state.manifest_update import listed_files, update_manifest, with_files
from aura_vcs.sync.state.pack_sizes import pack_bytes
from aura_vcs.sync.state.pack_table import PackTable
from aura_vcs.sync.state.reader import RemoteReader
from aura_vcs.sync.state.snapshot import RemoteSnapshot, check_place_of_its_own, load_snapshot, named_versions, state_of
from aura_vcs.sync.transfer.upload import send_packs

GRACE_SECONDS = 14 * 86400
"""How long what is deleted or unlisted stays, unless every machine has seen before that it goes."""
SILENT_SECONDS = 90 * 86400
"""A machine that pushed nothing for so long is not waited for."""
TOMBSTONE_SECONDS = 400 * 86400
"""So long the name of a file that is gone is remembered: nobody sleeps longer in the middle of a deletion."""
DEAD_SHARE = 0.25
"""A pack is written anew when more of it than this is garbage."""
SMALL_BYTES = 1 << 20
SMALL_PACKS = 64
"""More packs than these of up to SMALL_BYTES are gathered into larger ones."""
SMALL_SHARE = 16
"""Where a remote has grown, a pack is small that is so many times smaller than new ones are there."""
GATHERED_BYTES = 4 << 30
"""So much is gathered at most in one collection: it is fetched and sent once more."""


class RemoteGcPlan(msgspec.Struct, frozen=True):
    """What a collection would do on a remote; all sizes in bytes.

    The files `to_delete` go now: they have a tombstone already. Those `to_retire` get one, and go later; `noted`
    are unlisted files that may be uploads under way. `shrinks` are packs to be written anew. `waiting` are files
    with a tombstone that the machines in `waiting_for` have not seen yet.
    """

    remote: str
    snapshot: RemoteSnapshot
    to_delete: tuple[RemoteEntry, ...]
    to_retire: tuple[RemoteEntry, ...]
    noted: tuple[RemoteEntry, ...]
    shrinks: tuple[PackRewrite, ...]
    waiting: tuple[RemoteEntry, ...]
    waiting_for: tuple[str, ...]
    grace_seconds: float

    @property
    def bytes(self) -> int:
        """What is free when all of this has gone: shrunk packs leave their living part."""
        files = sum(item.size for item in (*self.to_delete, *self.to_retire, *self.waiting))
        return files + sum(item.dead_bytes for item in self.shrinks)

    @property
    def is_empty(self) -> bool:
        """Whether nothing there would change."""
        return not (self.to_delete or self.to_retire or self.noted or self.shrinks)


class RemoteCollected(msgspec.Struct, frozen=True):
    """What a collection did: files that went with their bytes, and files that were retired."""

    removed_files: int
    freed_bytes: int
    retired_files: int
    rewritten_packs: int


def plan_remote_gc(
    repo: Repository, remote: RemoteStorage, cache: RemoteCache, *, grace_seconds: float = GRACE_SECONDS
) -> RemoteGcPlan:
    """Find what can go on the remote; changes nothing there.

    Reads the manifest, the records, the packs' footers and the trees that are in use.

    Raises:
        RemoteRewound, RemoteCorrupt: it does not look as it should; see the module.
        RemoteMismatch: it is a project's own folder, which collects itself.
    """
    snapshot = load_snapshot(remote, cache, repo.format.project)
    check_place_of_its_own(snapshot, "to be collected from elsewhere")
    manifest, there = snapshot.manifest, _present(remote, snapshot)
    labels = _labels(snapshot, cache)
    table = snapshot.table(repo)
    small = _small_packs(manifest, pack_bytes(remote.pack_bytes, manifest))
    shrinks = _shrinks(repo, snapshot, table, labels, _Rules(grace_seconds, small))
    others = _other_machines(repo, manifest)
    unlisted = {name: entry for name, entry in there.items() if name not in listed_files(manifest)}
    to_delete: list[RemoteEntry] = []
    retired: list[RemoteEntry] = []
    noted: list[RemoteEntry] = []
    waiting: list[RemoteEntry] = []
    limit = _ago(grace_seconds)
    for name, entry in sorted(unlisted.items()):
        leaving = manifest.leaving.get(name)
        if name in manifest.gone or (leaving is not None and leaving.final):
            seen = leaving is None or (bool(others) and all(m.seen >= leaving.generation for m in others))
            is_free = seen or leaving is None or leaving.since <= limit
            (to_delete if is_free else waiting).append(entry)
        elif grace_seconds <= 0 or (leaving is not None and leaving.since <= limit):
            retired.append(entry)
        elif leaving is None:
            noted.append(entry)
    newest = max((manifest.leaving[entry.name].generation for entry in waiting), default=0)
    waiting_for = tuple(sorted(m.host for m in others if m.seen < newest)) if waiting else ()
    return RemoteGcPlan(
        remote.location,
        snapshot,
        tuple(to_delete),
        tuple(retired),
        tuple(noted),
        shrinks,
        tuple(waiting),
        waiting_for,
        grace_seconds,
    )


def plan_remote_purge(repo: Repository, remote: RemoteStorage, cache: RemoteCache, version: VersionId) -> int:
    """Stored bytes on the remote that only this version holds there; changes nothing.

    Raises:
        RemoteCorrupt: what is in use cannot be told.
    """
    snapshot = load_snapshot(remote, cache, repo.format.project)
    table, labels = snapshot.table(repo), snapshot.labels()
    if version not in labels:
        return 0
    use = RemoteReachability(snapshot, RemoteReader(snapshot, table), repo.progress, needed_inputs(repo))
    others = use.reachable(labels, lambda label: label.version != version and label.is_live)
    own: set[ObjectId] = set()
    use.mark(version, own)
    found = (item for object_id in own - others if (item := table.find(object_id)) is not None)
    return sum(table.footers[item.pack].frames[item.entry.frame].share_of(item.entry) for item in found)


def execute_remote_gc(
    repo: Repository, remote: RemoteStorage, cache: RemoteCache, plan: RemoteGcPlan, *, single_writer: bool = False
) -> RemoteCollected:
    """Do what the plan says; safe beside machines that push and fetch.

    Raises:
        PlanStale: somebody pushed meanwhile; nothing was deleted.
        RemoteUnsafe: the remote does not keep two writers apart, and is not for `single_writer`.
        RemoteError: it refused, or could not be reached; the next collection goes on.
        LockBusy: another transfer with this remote is under way here.
    """
    if plan.is_empty:
        return RemoteCollected(0, 0, 0, 0)
    if not single_writer and not (finding := probe(remote)).is_safe:
        raise RemoteUnsafe(remote.location, finding.faults)
    with repo.locks.exclusive(cache.lock):
        try:
            return _execute(repo, remote, cache, plan)
        except RefMoved as error:
            raise PlanStale(f"Somebody pushed to {remote.location} since the plan was made") from error


def _execute(repo: Repository, remote: RemoteStorage, cache: RemoteCache, plan: RemoteGcPlan) -> RemoteCollected:
    table = plan.snapshot.table(repo)
    limit = pack_bytes(remote.pack_bytes, plan.snapshot.manifest)
    names = rewrite(repo, plan.snapshot, table, plan.shrinks, cache.outgoing, limit)
    new = send_packs(repo, remote, cache, [(cache.outgoing, name) for name in names]).packs
    snapshot = update_manifest(repo, remote, plan.snapshot, _retire(plan, new))
    clear(cache.outgoing)
    to_delete = list(plan.to_delete)
    if plan.grace_seconds <= 0:
        to_delete += [*plan.to_retire, *plan.waiting, *(_entry(shrink.pack) for shrink in plan.shrinks)]
    repo.progress.start("Deleting", len(to_delete), "files")
    for entry in to_delete:
        remote.delete(entry.name)
        repo.progress.advance(1)
    repo.progress.finish()
    if to_delete:
        snapshot = update_manifest(
            repo, remote, snapshot, _without_deleted(snapshot.manifest, [entry.name for entry in to_delete])
        )
    seen = state_of(snapshot, cache.state(), fetched="", pushed="")
    cache.remember(msgspec.structs.replace(seen, versions=plan.snapshot.count(seen.versions)))
    retired = len(plan.to_retire) + len(plan.shrinks) + len(plan.to_delete) - len(to_delete)
    return RemoteCollected(len(to_delete), sum(entry.size for entry in to_delete), max(0, retired), len(new))


def _retire(plan: RemoteGcPlan, new: Sequence[PackInfo]) -> Manifest:
    """Build the manifest with the new packs, and all that leaves noted or retired."""
    manifest = plan.snapshot.manifest
    shrunk = {shrink.pack for shrink in plan.shrinks}
    packs = [pack for pack in manifest.packs if pack not in shrunk]
    packs += [pack for pack in new if pack not in packs]
    generation, at = manifest.generation + 1, now()
    leaving = dict(manifest.leaving)
    for entry in plan.noted:
        leaving[entry.name] = Tombstone(at, generation)
    for entry in (*plan.to_retire, *(_entry(pack) for pack in shrunk - set(packs))):
        leaving[entry.name] = Tombstone(at, generation, final=True)
    for entry in plan.to_delete:
        leaving.setdefault(entry.name, Tombstone(at, generation, final=True))
    known = with_files(manifest, packs, manifest.records)
    features = tuple(sorted({*manifest.features, TOMBSTONE_FIELDS}))
    names = listed_files(known)
    return msgspec.structs.replace(
        known, leaving={name: item for name, item in leaving.items() if name not in names}, features=features
    )


def _without_deleted(manifest: Manifest, names: list[str]) -> Manifest:
    """Build the manifest after files have gone; names that were spent long ago are forgotten."""
    limit, at = _ago(TOMBSTONE_SECONDS), now()
    gone = {name: date for name, date in manifest.gone.items() if date > limit} | dict.fromkeys(names, at)
    leaving = {name: item for name, item in manifest.leaving.items() if name not in gone}
    return msgspec.structs.replace(manifest, leaving=leaving, gone=gone)


def _present(remote: RemoteStorage, snapshot: RemoteSnapshot) -> dict[str, RemoteEntry]:
    """Map names to the files that are there.

    Raises:
        RemoteCorrupt: the listing misses something that the manifest lists, or has it in another size.
    """
    there = {entry.name: entry for folder in (PACKS, RECORDS, PROBE_FOLDER) for entry in remote.list(folder)}
    sizes = {pack_name(p): p.size for p in snapshot.manifest.packs}
    sizes |= {record_name(r): r.size for r in (*snapshot.manifest.records, *snapshot.manifest.pieces)}
    for name, size in sizes.items():
        entry = there.get(name)
        if entry is None or entry.size != size:
            what = "is not in what it lists" if entry is None else f"has {entry.size} bytes, not {size}"
            raise RemoteCorrupt(
                remote.location,
                f"nothing was deleted: {name} {what}",
                hint="`aura fsck --remote` says what is missing. A listing may be late: try again later.",
            )
    return {name: entry for name, entry in there.items() if is_file(name)}


def _labels(snapshot: RemoteSnapshot, cache: RemoteCache) -> dict[VersionId, Label]:
    labels = snapshot.labels()
    before = cache.state().versions
    if len(labels) < before:
        raise RemoteRewound(
            snapshot.remote.location,
            f"nothing was deleted: it has {len(labels)} versions, and {before} were seen there",
        )
    return labels


def _small_packs(manifest: Manifest, new_bytes: int | None) -> frozenset[PackInfo]:
    """Choose small packs that are to be gathered, the smallest first; none where there are few, and never very much.

    Each collection leaves fewer of them, so that they come to an end.
    """
    limit = max(SMALL_BYTES, (new_bytes or 0) // SMALL_SHARE)
    small = sorted((pack for pack in manifest.packs if pack.size <= limit), key=lambda pack: pack.size)
    sizes = accumulate(pack.size for pack in small)
    chosen = [pack for pack, total in zip(small, sizes, strict=True) if total <= GATHERED_BYTES]
    return frozenset(chosen) if len(small) > SMALL_PACKS and len(chosen) > 1 else frozenset()


class _Rules(msgspec.Struct, frozen=True):
    """How long what was deleted stays, and which packs are gathered."""

    grace_seconds: float
    gathered: frozenset[PackInfo]


def _shrinks(
    repo: Repository, snapshot: RemoteSnapshot, table: PackTable, labels: dict[VersionId, Label], rules: _Rules
) -> tuple[PackRewrite, ...]:
    """Find packs that are worth writing anew, and what of them stays."""
    limit, named = _ago(rules.grace_seconds), named_versions(snapshot.manifest)

    def holds(label: Label) -> bool:
        return label.is_live or (label.version in named and label.purged_at is None)

    use = RemoteReachability(snapshot, RemoteReader(snapshot, table), repo.progress, needed_inputs(repo))
    held = use.reachable(labels, holds)
    for label in labels.values():
        if not holds(label) and max(filter(None, (label.deleted_at, label.purged_at))) > limit:
            with suppress(RemoteCorrupt):  # a collection with a shorter grace period was here before
                use.mark(label.version, held)
    purged = _purged(use, labels, held)
    found = []
    for pack in snapshot.manifest.packs:
        footer = table.footers[pack]
        living = tuple(e for e in footer.entries if e.id in held or e.kind is Kind.VERSION)
        garbage = [e for e in footer.entries if e.id not in held and e.kind is not Kind.VERSION and not is_nonce(e)]
        dead = sum(footer.frames[entry.frame].share_of(entry) for entry in garbage) if living else pack.size
        is_worth = dead > DEAD_SHARE * pack.size or any(entry.id in purged for entry in garbage)
        if not living or is_worth or (garbage and rules.grace_seconds <= 0) or pack in rules.gathered:
            found.append(PackRewrite(pack, living, dead))
    return tuple(found)


def _purged(use: RemoteReachability, labels: dict[VersionId, Label], held: set[ObjectId]) -> set[ObjectId]:
    """Find what a purged version held and nobody needs, as much as can still be read of it."""
    found: set[ObjectId] = set()
    for label in labels.values():
        if label.purged_at is not None:
            with suppress(RemoteCorrupt):  # it has gone already, or some of it
                use.mark(label.version, found)
    return found - held


def _other_machines(repo: Repository, manifest: Manifest) -> list[Machine]:
    limit = _ago(SILENT_SECONDS)
    return [m for replica, m in manifest.machines.items() if replica != repo.replica and m.at > limit]


def _entry(pack: PackInfo) -> RemoteEntry:
    return RemoteEntry(pack_name(pack), pack.size)


def _ago(seconds: float) -> str:
    return format_time(datetime.now(UTC) - timedelta(seconds=seconds))
