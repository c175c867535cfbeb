"""Repair: objects that are damaged or missing here come from a remote, verified before they are used.

Damaged files are set aside in `local/damaged/`, never deleted. Whatever was sound in a damaged pack
goes into a new one. What the remote does not have either is named, with the versions it affects.
"""

from collections import defaultdict
from contextlib import suppress

import msgspec

from aura_vcs.codec import decode_tree, decode_version
from aura_vcs.errors.integrity import IntegrityError, ObjectMissing, RecordUnreadable
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.layout import OBJECTS, damaged_path, pack_path
from aura_vcs.maintenance.repack import FRAME_BYTES, rewrite
from aura_vcs.model import Kind, Tree
from aura_vcs.objects.availability import offloaded_chunks
from aura_vcs.objects.base import IDENTIFY
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.objects.graph import NOTHING, Below
from aura_vcs.objects.packs.format import PackEntry
from aura_vcs.objects.packs.verify import check_chunk_list
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RangeReadable
from aura_vcs.sync.maintenance.label_names import label_names
from aura_vcs.sync.maintenance.scan_local import IntactObjects
from aura_vcs.sync.state.cache import NullCache, RemoteCache
from aura_vcs.sync.state.manifest import PackInfo
from aura_vcs.sync.state.pack_table import PackTable
from aura_vcs.sync.state.reader import RemoteReader
from aura_vcs.sync.state.snapshot import RemoteSnapshot, load_snapshot
from aura_vcs.sync.transfer.download import FetchPacks, Quarantine, plan_packs
from aura_vcs.sync.transfer.push_negotiation import own_labels

COPY_BYTES = 4 << 20


class RepairPlan(msgspec.Struct, frozen=True):
    """What a repair would do: the objects `to_fetch` come from the remote, `damaged` files are set aside.

    `missing_lists` are offloaded blobs of which only the list of chunks comes: it is checked when they do.
    `lost` are objects that are needed and that the remote does not have either, with their versions.
    """

    remote: str
    to_fetch: tuple[ObjectId, ...]
    missing_lists: frozenset[ObjectId]
    received_bytes: int
    damaged: tuple[str, ...]
    lost: dict[ObjectId, tuple[str, ...]]
    holders: dict[ObjectId, tuple[str, ...]]
    intact: IntactObjects
    snapshot: RemoteSnapshot
    table: PackTable
    packs: FetchPacks

    @property
    def is_empty(self) -> bool:
        """Whether nothing here is damaged or missing."""
        return not (self.to_fetch or self.damaged or self.lost)


class Repaired(msgspec.Struct, frozen=True):
    """What a repair did; `set_aside` are paths below `.aura`."""

    fetched_objects: int
    set_aside: tuple[str, ...]
    lost: dict[ObjectId, tuple[str, ...]]


def plan_repair(repo: Repository, remote: RangeReadable) -> RepairPlan:
    """Read everything here, and find what is damaged or missing on the remote. Changes nothing.

    Raises:
        RemoteError: the remote cannot be read, or is another project's.
    """
    soundness = IntactObjects(repo)
    with repo.locks.shared("objects"):  # what a collection deletes meanwhile is not damage
        soundness.scan()
    snapshot = load_snapshot(remote, NullCache(), repo.format.project)
    search = _Search(repo, snapshot, soundness)
    search.all_versions()
    wanted = sorted(search.wanted)
    incoming = plan_packs(search.table, search.reader, wanted) if wanted else FetchPacks((), {}, 0)
    holders = {object_id: tuple(sorted(names)) for object_id, names in search.holders.items()}
    return RepairPlan(
        remote=remote.location,
        to_fetch=tuple(wanted),
        missing_lists=frozenset(search.bare),
        received_bytes=incoming.stored_bytes,
        damaged=tuple(sorted(soundness.damaged)),
        lost={object_id: holders[object_id] for object_id in sorted(search.lost)},
        holders=holders,
        intact=soundness,
        snapshot=snapshot,
        table=search.table,
        packs=incoming,
    )


def execute_repair(repo: Repository, cache: RemoteCache, plan: RepairPlan) -> Repaired:
    """Do what the plan says. Interrupted, nothing is lost; a second repair finishes it.

    What does not hash to its name when it comes is not put in place, and is counted as lost.

    Raises:
        RemoteUnreachable: the connection went. LockBusy.
    """
    if not (plan.to_fetch or plan.damaged):
        return Repaired(0, (), plan.lost)
    with repo.locks.exclusive(cache.lock), repo.locks.exclusive("objects"):
        damaged = [name for name in plan.damaged if repo.storage.stat(name) is not None]  # else collected meanwhile
        aside = [_set_aside(repo, name) for name in damaged]
        bad, replaced = _receive(repo, cache, plan)
        if bad or plan.lost:  # what the disk refuses now may be all there is of something, and whole
            damaged = [name for name in damaged if name not in plan.intact.unreadable]
        for name in damaged:
            repo.hardlink_backup.forget(name)
            if name not in replaced:
                _remove(repo, name, plan.intact)
    repo.store.close()
    repo.rebuild_index()
    lost = plan.lost | {object_id: plan.holders.get(object_id, ()) for object_id in sorted(bad)}
    return Repaired(len(plan.to_fetch) - len(bad), tuple(aside), lost)


def _receive(repo: Repository, cache: RemoteCache, plan: RepairPlan) -> tuple[set[ObjectId], set[str]]:
    """Bring what is wanted; returns what is damaged there, too, and the packs that came under their names.

    Where a pack that came cannot be read under the name of the damaged one, what is in it comes under another.
    """
    if not plan.to_fetch:
        return set(), set()
    room = Quarantine(repo, plan.snapshot, cache.incoming)
    try:
        room.receive(plan.packs, plan.table, bare=plan.missing_lists)
    except (RemoteCorrupt, RecordUnreadable):
        good = _intact_at_remote(plan)
        parts: defaultdict[PackInfo, list[PackEntry]] = defaultdict(list)
        for object_id in sorted(good):
            found = plan.table.find(object_id)
            assert found is not None
            parts[found.pack].append(found.entry)
        if good:
            rest = FetchPacks((), {pack: tuple(entries) for pack, entries in parts.items()}, 0)
            room.receive(rest, plan.table, bare=plan.missing_lists)
        return set(plan.to_fetch) - good, set()
    return set(), {pack_path(pack.name) for pack in plan.packs.whole}


def _intact_at_remote(plan: RepairPlan) -> set[ObjectId]:
    """Select the wanted objects that are intact at the remote, blobs with all their chunks."""
    reader = RemoteReader(plan.snapshot, plan.table)
    good: set[ObjectId] = set()
    lists: dict[ObjectId, set[ObjectId]] = {}
    for object_id in plan.to_fetch:
        found = plan.table.find(object_id)
        try:
            data = reader.raw(found) if found is not None else b""
            if found is not None and found.entry.chunked:
                lists[object_id] = {chunk for chunk, _ in decode_chunk_list(data, object_id)}
            elif found is not None and IDENTIFY[found.entry.kind](data) == object_id:
                good.add(object_id)
        except (RemoteCorrupt, IntegrityError):
            continue
    whole = {blob for blob, chunks in lists.items() if all(c in good or plan.intact.has(c) for c in chunks)}
    return good | (plan.missing_lists & lists.keys()) | {blob for blob in whole if _fits(plan, reader, blob)}


def _fits(plan: RepairPlan, reader: RemoteReader, blob: ObjectId) -> bool:
    """Tell whether the chunks of a list are the content of its blob."""
    found = plan.table.find(blob)
    try:
        if found is None or any(c not in plan.table for c, _ in decode_chunk_list(reader.raw(found), blob)):
            return found is not None  # some are here: quarantine hashes them
        check_chunk_list(blob, reader.raw(found), lambda chunk: reader.read(chunk, Kind.CHUNK))
    except (RemoteCorrupt, IntegrityError):
        return False
    return True


def _set_aside(repo: Repository, name: str) -> str:
    """Give a damaged file a second name in `local/damaged`, or copy it there; what is not a file is moved there."""
    target = damaged_path(name.removeprefix(f"{OBJECTS}/"))
    if repo.storage.stat(target) is None and not repo.storage.link(name, target):
        upload = repo.storage.upload()
        try:
            with repo.storage.open(name) as file:
                while data := file.read(COPY_BYTES):
                    upload.write(data)
            upload.publish(target)
        except RecordUnreadable:
            return repo.storage.set_aside(name) or target
        finally:
            upload.discard()
    return target


def _remove(repo: Repository, name: str, soundness: IntactObjects) -> None:
    """Take a damaged file out of the store; what is sound in it goes into a new pack first."""
    sound = soundness.damaged[name]
    if sound:
        rewrite(repo, sound, FRAME_BYTES, None, mode=repo.storage.readers(name))
    pack = name.rpartition("/")[2].removesuffix(".pack")
    if pack_path(pack) == name:
        repo.index.forget_packs([pack])
        repo.store.packs.forget(pack)
    repo.storage.delete(name)


class _Search:
    """Walks from the versions down, here where it is sound and there where it is not."""

    def __init__(self, repo: Repository, snapshot: RemoteSnapshot, soundness: IntactObjects) -> None:
        self._repo = repo
        self._sound = soundness
        self.table = _table(snapshot)
        self.reader = RemoteReader(snapshot, self.table)
        self._away = repo.store.offloaded.all()
        self._away_chunks = offloaded_chunks(repo.store, self._away) if self._away else set()
        self.wanted: set[ObjectId] = set()
        self.bare: set[ObjectId] = set()
        self.lost: set[ObjectId] = set()
        self.holders: defaultdict[ObjectId, set[str]] = defaultdict(set)
        self._below = Below(self)
        """What was looked at, with all below it that is not here."""

    def all_versions(self) -> None:
        """Search every version that a label names, with its content if it is live."""
        labels = own_labels(self._repo)
        self._repo.progress.start("Looking for what is needed", len(labels), "versions")
        names = label_names(labels)
        for label in labels.values():
            for object_id in self._version(label.version, content=label.is_live):
                self.holders[object_id].add(names[label.version])
            self._repo.progress.advance(1)
        self._repo.progress.finish()

    def _version(self, version: VersionId, *, content: bool) -> frozenset[ObjectId]:
        data, absent = self._bytes(version, Kind.VERSION)
        if data is not None and content:
            absent |= self._below.tree(decode_version(data, version).tree)
        return absent

    def open_tree(self, tree: ObjectId, _: str) -> tuple[Tree | None, frozenset[ObjectId]]:
        """Read a tree, from here or from there; see Question."""
        data, absent = self._bytes(tree, Kind.TREE)
        return (decode_tree(data, tree) if data is not None else None), absent

    def ask_blob(self, blob: ObjectId, _: str) -> frozenset[ObjectId]:
        """Find what of a file's content is not here; see Question."""
        return NOTHING if self._is_intact(blob) else frozenset(self._request_blob(blob))

    def _bytes(self, object_id: ObjectId, kind: Kind) -> tuple[bytes | None, frozenset[ObjectId]]:
        """Read a version or tree from here or there (None if neither has it); return also its id if it is not here."""
        if self._sound.has(object_id):
            return self._own(object_id), NOTHING
        absent = frozenset({object_id})
        try:
            data = self.reader.read(object_id, kind)
        except (RemoteCorrupt, IntegrityError):
            self.lost.add(object_id)
            return None, absent
        self.wanted.add(object_id)
        return data, absent

    def _own(self, object_id: ObjectId) -> bytes:
        place = self._sound.places[object_id]
        return self._repo.store.loose.read(object_id) if place is None else self._repo.store.packs.read(place)

    def _is_intact(self, blob: ObjectId) -> bool:
        """Tell whether the blob is here and all of it hashes to its name."""
        place = self._sound.places.get(blob)
        if not self._sound.has(blob):
            return False
        if place is None or not place.chunked:
            return True
        try:
            check_chunk_list(blob, self._own(blob), self._own_chunk)
        except IntegrityError:
            return False
        return True

    def _own_chunk(self, chunk: ObjectId) -> bytes:
        if not self._sound.has(chunk):
            raise ObjectMissing(chunk)
        return self._own(chunk)

    def _request_blob(self, blob: ObjectId) -> set[ObjectId]:
        """Want the blob, and its chunks that are not here; returns all of these."""
        if self._is_offloaded(blob):
            return set()
        found = self.table.find(blob)
        absent: set[ObjectId] = set()
        try:
            if found is None:  # the remote keeps it otherwise: perhaps it has the chunks that are missing here
                absent = {part for part in _parts(blob, self._own(blob)) if not self._sound.has(part)}
            else:
                data = self.reader.raw(found)
                is_away = found.entry.chunked and blob in self._away  # then only the list belongs here
                parts = _parts(blob, data) if found.entry.chunked and not is_away else set()
                absent = {part for part in parts if not self._sound.has(part)}
                if not self._has_list(blob, data):
                    absent.add(blob)
                if is_away:
                    self.bare |= absent
                    self.wanted |= absent
                    return absent
        except (KeyError, RemoteCorrupt, IntegrityError):
            absent = set()
        absent = absent or {blob}
        if lost := {part for part in absent if part not in self.table}:
            self.lost |= lost
        else:
            self.wanted |= absent
        return absent

    def _is_offloaded(self, blob: ObjectId) -> bool:
        """Tell whether what is not here of the blob is gone on purpose: `aura fetch --content` brings that."""
        if not self._away:
            return False
        if not self._sound.has(blob):
            place = self._repo.store.places.find(blob)
            return blob in self._away and (place is None or not place.chunked)  # a list would belong here
        try:
            absent = {part for part in _parts(blob, self._own(blob)) if not self._sound.has(part)}
        except IntegrityError:
            return False
        return bool(absent) and absent <= self._away_chunks

    def _has_list(self, blob: ObjectId, there: bytes) -> bool:
        """Tell whether the blob's list of chunks here is the one that is there; a wrong one is damage."""
        if not self._sound.has(blob):
            return False
        if self._own(blob) == there:
            return True
        self._sound.reject(blob)
        return False


def _parts(blob: ObjectId, listed: bytes) -> set[ObjectId]:
    return {chunk for chunk, _ in decode_chunk_list(listed, blob)}


def _table(snapshot: RemoteSnapshot) -> PackTable:
    """Build the table of where objects lie in those packs that are there."""
    table = PackTable()
    for pack in snapshot.manifest.packs:
        with suppress(RemoteCorrupt):
            table.add(pack, snapshot.footer(pack))
    return table
