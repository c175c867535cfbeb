"""Repairing a remote in place: what is damaged or missing there is sent anew from here.

Nothing there is replaced or deleted. What a damaged pack held goes into new packs, whose names none
ever had; when they have arrived, one move of the manifest lists them and retires the damaged pack,
as a collection does: see `leaving`. Damaged records of labels likewise. Interrupted at any moment,
the remote is as before or repaired; going on sends no pack again that had arrived.

What neither side has is named, with the versions that need it; its pack stays listed as it is. The
new packs are listed before it: whatever it holds that could be had is found in them.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain

import msgspec

from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.integrity import IntegrityError, RecordCorrupt
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteError
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.objects.packs.folder_packs import write_packs
from aura_vcs.objects.packs.format import Footer, PackEntry
from aura_vcs.objects.packs.verify import check_entries
from aura_vcs.objects.packs.writer import NewObject
from aura_vcs.refs.annotations import RECIPE, freed_contents
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.maintenance.local_objects import OwnObjects
from aura_vcs.sync.maintenance.remote_labels import RemoteLabels, look_for_labels, recover_labels
from aura_vcs.sync.maintenance.repair_remote_plan import RemoteNeeds
from aura_vcs.sync.maintenance.scan_remote import RemoteIntactObjects, frames
from aura_vcs.sync.remotes.add import READ_ONLY
from aura_vcs.sync.remotes.config import address_of, remote_config
from aura_vcs.sync.state.cache import RemoteCache, UntrustedCache, clear
from aura_vcs.sync.state.manifest import MANIFEST, PACKS, PackInfo, RecordInfo, is_file, pack_name, record_name
from aura_vcs.sync.state.manifest_update import (
    UPDATE_ATTEMPTS,
    retire,
    tombstoned_packs,
    unlisted_pack,
    update_manifest,
    with_files,
)
from aura_vcs.sync.state.pack_sizes import pack_bytes
from aura_vcs.sync.state.snapshot import RemoteSnapshot, load_snapshot, parse_footer, state_of
from aura_vcs.sync.transfer.push_packs import pack_order, read_frames, reusable_packs
from aura_vcs.sync.transfer.upload import send_labels, send_packs


class RemoteFault(msgspec.Struct, frozen=True):
    """A file of the remote that is not as it should be, and what is wrong with it."""

    file: str
    detail: str


class RemoteLoss(msgspec.Struct, frozen=True):
    """An object that neither side has, and the versions that need it; whether it is offloaded here."""

    object_id: ObjectId
    versions: tuple[str, ...]
    offloaded: bool


class RemoteRepairPlan(msgspec.Struct, frozen=True):
    """What a repair of a remote would do.

    `needs` has what goes there, `stored_bytes` long by what it took there. `packs` and `records` are
    retired; of `lost` and of the labels of `unlabelled` nothing is to be had.
    """

    remote: str
    faults: tuple[RemoteFault, ...]
    packs: tuple[PackInfo, ...]
    records: tuple[RecordInfo, ...]
    stored_bytes: int
    lost: tuple[RemoteLoss, ...]
    unlabelled: tuple[str, ...]
    labels: RemoteLabels
    needs: RemoteNeeds
    intact: RemoteIntactObjects
    snapshot: RemoteSnapshot

    @property
    def objects(self) -> int:
        """How many objects go there."""
        return len(self.needs.send) + len(self.needs.carry)

    @property
    def is_intact(self) -> bool:
        """Whether nothing there is damaged or missing."""
        return not (self.faults or self.objects or self.lost or self.unlabelled)

    @property
    def does_nothing(self) -> bool:
        """Whether nothing there would change."""
        pieces = self.snapshot.pieces
        return not (self.packs or self.records or self.objects or pieces.damaged or pieces.lost)


def check_writable(repo: Repository, name: str | None) -> None:
    """Refuse remotes that nothing can be sent to, before all of them is read.

    Raises:
        RemoteError: says why. UnknownName, InputError: as `remote_config`.
    """
    _, config = remote_config(repo, name)
    address = address_of(repo, config)
    if address.kind in READ_ONLY or (address.kind == "folder" and os.path.isfile(address.path)):
        raise RemoteError(
            address.text,
            "it is only read, nothing can be sent there",
            hint="Repair the place it was made from, or make a new one.",
        )


def plan_remote_repair(repo: Repository, remote: RemoteStorage, cache: RemoteCache) -> RemoteRepairPlan:
    """Read everything on the remote, and find where what is damaged there is to be had. Changes nothing.

    Raises:
        RemoteCorrupt: its manifest is damaged: nothing else says what it holds.
        RemoteError: it cannot be read, or is another project's.
    """
    return _plan(repo, remote, cache, RemoteIntactObjects(lambda pack: _own_footer(repo, cache, pack), repo.progress))


def execute_remote_repair(
    repo: Repository, remote: RemoteStorage, cache: RemoteCache, plan: RemoteRepairPlan
) -> RemoteRepairPlan:
    """Do what the plan says, or what is left of it if somebody moved the remote meanwhile; returns what was done.

    Safe beside machines that push, fetch, collect and repair.

    Raises:
        RefMoved: the remote moved all the time.
        RemoteError: it refused, or could not be reached; the next repair goes on.
        ObjectCorrupt, ObjectMissing: this project is damaged.
        LockBusy: another transfer with this remote is under way here.
    """
    with repo.locks.exclusive(cache.lock):
        for _ in range(UPDATE_ATTEMPTS):
            if plan.does_nothing:
                return plan
            try:
                with repo.locks.shared("objects"):
                    snapshot = _execute(repo, remote, cache, plan)
            except RefMoved:
                repo.refresh()
                plan = _plan(repo, remote, cache, plan.intact)
                continue
            cache.remember(state_of(snapshot, cache.state()))
            return plan
    raise RefMoved(f"{remote.location}/{MANIFEST}", "where it was seen", "moving all the time")


def _plan(repo: Repository, remote: RemoteStorage, cache: RemoteCache, sound: RemoteIntactObjects) -> RemoteRepairPlan:
    snapshot = with_unlisted_packs(load_snapshot(remote, UntrustedCache(cache), repo.format.project), remote)
    own = OwnObjects(repo)
    labels = look_for_labels(repo, snapshot, cache)
    sound.scan(snapshot)
    sound.check_lists(own.chunk)
    needs, unlabelled = _walk(repo, snapshot, sound, own, labels)
    while needs.wrong_lists:
        sound.reject(needs.wrong_lists)
        needs, unlabelled = _walk(repo, snapshot, sound, own, labels)
    faults = [RemoteFault(pack_name(pack), look.fault) for pack, look in sound.damaged().items()]
    faults += [RemoteFault(record_name(info), reason) for info, reason in labels.damaged.items()]
    faults += [RemoteFault(record_name(info), "it is not as its name says") for info in snapshot.pieces.damaged]
    faults += [RemoteFault(record_name(info), reason) for info, reason in snapshot.pieces.lost.items()]
    return RemoteRepairPlan(
        remote=remote.location,
        faults=tuple(faults),
        packs=_replaced(needs, sound),
        records=() if unlabelled or needs.is_blind else tuple(labels.damaged),
        stored_bytes=_stored_bytes(needs, sound),
        lost=tuple(
            RemoteLoss(object_id, tuple(sorted(versions)), own.is_offloaded(object_id))
            for object_id, versions in sorted(needs.lost.items())
        ),
        unlabelled=tuple(sorted(needs.name(version, labels) for version in unlabelled)),
        labels=labels,
        needs=needs,
        intact=sound,
        snapshot=snapshot,
    )


def with_unlisted_packs(snapshot: RemoteSnapshot, remote: RemoteStorage) -> RemoteSnapshot:
    """Return a snapshot without the pieces of the list of packs that cannot be had, and with all packs that are there.

    Where none is lost, that is the same. What leaves was in no piece.

    Raises:
        RemoteUnreachable: the connection went.
    """
    found = snapshot.without_lost_pieces()
    if not found.pieces.lost:
        return found
    manifest = found.manifest
    known = {*map(pack_name, manifest.packs), *manifest.leaving, *manifest.gone}
    files = [entry for entry in remote.list(PACKS) if is_file(entry.name) and entry.name not in known]
    packs = [pack for entry in files if (pack := unlisted_pack(found, entry.name, entry.size)) is not None]
    return found.with_packs(packs)


def _walk(
    repo: Repository, snapshot: RemoteSnapshot, sound: RemoteIntactObjects, own: OwnObjects, labels: RemoteLabels
) -> tuple[RemoteNeeds, set[VersionId]]:
    """Find what the remote needs, and the versions whose labels nobody has."""
    there = (item for name, item in labels.annotations.items() if name.startswith(f"{RECIPE}/"))
    recipes = chain(repo.refs.annotations.all(RECIPE), there)
    needs = RemoteNeeds(sound, own, repo.progress, freed_contents(recipes))
    unlabelled = recover_labels(repo, labels, needs.ancestry(snapshot.manifest, labels))
    needs.content(snapshot.manifest, labels)
    return needs, unlabelled


def _own_footer(repo: Repository, cache: RemoteCache, pack: PackInfo) -> Footer | None:
    """Read the footer of a pack from the same pack here, or from the cache; None if neither has it."""
    try:
        return repo.store.packs.footer(pack.name)
    except (RecordCorrupt, FileNotFoundError):
        cached = cache.cached("footers", pack.name)
    try:
        return parse_footer(cached, pack, cache.name) if cached is not None else None
    except RemoteCorrupt:
        return None


def _replaced(needs: RemoteNeeds, sound: RemoteIntactObjects) -> tuple[PackInfo, ...]:
    """List the damaged packs that can be replaced without loss: all that is needed of them can be had."""
    kept = needs.lost.keys() | needs.unsaved

    def has_none_of_these(pack: PackInfo, footer: Footer | None) -> bool:
        return footer is not None and footer.name == pack.name and kept.isdisjoint(footer.ids())

    damaged = sound.damaged().items()
    return tuple(pack for pack, look in damaged if not needs.lost or has_none_of_these(pack, look.footer))


def _stored_bytes(needs: RemoteNeeds, sound: RemoteIntactObjects) -> int:
    """About what goes there, told by what it takes, or took, in the remote's packs."""
    total = 0
    for look in sound.damaged().values():
        for entry in look.footer.entries if look.footer is not None else ():
            if look.footer is not None and (entry.id in needs.send or entry.id in needs.carry):
                total += look.footer.frames[entry.frame].share_of(entry)
    return total


def _execute(repo: Repository, remote: RemoteStorage, cache: RemoteCache, plan: RemoteRepairPlan) -> RemoteSnapshot:
    """Send what is needed, and move the manifest; returns the snapshot after it.

    Raises:
        RefMoved: the remote moved since it was looked at.
    """
    manifest = plan.snapshot.manifest
    names = _write(repo, cache, plan, pack_bytes(remote.pack_bytes, manifest))
    new = send_packs(repo, remote, cache, [(cache.outgoing, name) for name in names]).packs
    packs = [*new, *(pack for pack in manifest.packs if pack not in plan.packs and pack not in new)]
    records = [info for info in manifest.records if info not in plan.records]
    after = with_files(manifest, packs, records)
    after = retire(after, [*map(pack_name, plan.packs), *map(record_name, (*plan.records, *plan.snapshot.pieces.lost))])
    if plan.records and (plan.labels.recovered or plan.labels.annotations):
        listed = msgspec.structs.replace(after, pieces=())
        sound = RemoteSnapshot(remote, cache, listed, b"", plan.snapshot.token)
        new_records = send_labels(remote, sound, plan.labels.recovered, plan.labels.annotations)
        after = with_files(after, packs, new_records)
    snapshot = update_manifest(repo, remote, plan.snapshot, after, has_all=False)
    clear(cache.outgoing)
    return snapshot


def _write(repo: Repository, cache: RemoteCache, plan: RemoteRepairPlan, limit: int | None) -> list[str]:
    """Write what is to go there into packs of new names; those that an interrupted repair left are used again."""
    needs, manifest = plan.needs, plan.snapshot.manifest
    wanted = needs.send.keys() | needs.carry.keys()
    barred = tombstoned_packs(manifest) | {pack.name for pack in manifest.packs}
    ready, done = reusable_packs(cache.outgoing, set(wanted), barred)
    items = sorted((item for item in needs.send.values() if item.id not in done), key=pack_order)
    repo.progress.start("Gathering", None, "bytes")

    def everything() -> Iterator[list[NewObject]]:
        yield from read_frames(repo, items)
        yield from _salvaged(plan, done)

    written = write_packs(cache.outgoing, everything(), repo.progress, unique_names=True, pack_bytes=limit)
    repo.progress.finish()
    return ready + written


def _salvaged(plan: RemoteRepairPlan, done: set[ObjectId]) -> Iterator[list[NewObject]]:
    """Yield what is intact in damaged packs, frame by frame, hashed once more."""
    wanted: defaultdict[PackInfo, defaultdict[int, list[PackEntry]]] = defaultdict(lambda: defaultdict(list))
    for found in plan.needs.carry.values():
        if found.entry.id not in done:
            wanted[found.pack][found.entry.frame].append(found.entry)
    footers = {look.at: look.footer for look in plan.intact.damaged().values()}
    for pack, by_frame in wanted.items():
        footer = footers[pack]
        assert footer is not None  # its entries come from it
        for number, data in frames(plan.snapshot, pack, footer, sorted(by_frame)):
            entries = by_frame[number]
            try:
                if data is None:
                    raise RecordCorrupt(f"pack {pack.name[:12]}", "a frame cannot be read any more")
                check_entries(data, entries, pack.name)
            except IntegrityError as error:
                raise RemoteCorrupt(plan.remote, f"it goes on being damaged: {error.message}") from error
            yield [NewObject(e.id, e.kind, data[e.offset : e.offset + e.length], e.chunked) for e in entries]
