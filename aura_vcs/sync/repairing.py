"""Repair: objects that are damaged or missing here come from a remote, verified before they are used.

Damaged files are set aside in `local/damaged/`, never deleted. Whatever was sound in a damaged pack
goes into a new one. What the remote does not have either is named, with the versions it affects.
"""

from collections.abc import Iterator

import msgspec

from aura_vcs.codec import decode_tree, decode_version
from aura_vcs.errors import IntegrityError, ObjectMissing, RemoteCorrupt
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.layout import OBJECTS, damaged_path, pack_path
from aura_vcs.model import EntryKind, Kind, Tree, Version
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.objects.trees import EMPTY_TREE_ID
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remote import RangeReadable
from aura_vcs.sync.checking import check_chunk_list
from aura_vcs.sync.far_reader import FarReader
from aura_vcs.sync.incoming import Freight, WaitingRoom, plan_freight
from aura_vcs.sync.known import Forgetful, Known
from aura_vcs.sync.reach import is_live, own_labels
from aura_vcs.sync.soundness import Soundness
from aura_vcs.sync.view import View, load_view
from aura_vcs.upkeep.packing import FRAME_BYTES, write_anew

COPY_BYTES = 4 << 20


class RepairPlan(msgspec.Struct, frozen=True):
    """What a repair would do: `wanted` objects come from the remote, `damaged` files are set aside.

    `lost` are objects that are needed and that the remote does not have either, with their versions.
    """

    remote: str
    wanted: tuple[ObjectId, ...]
    received_bytes: int
    damaged: tuple[str, ...]
    lost: dict[ObjectId, tuple[str, ...]]
    soundness: Soundness
    view: View
    freight: Freight

    @property
    def is_empty(self) -> bool:
        """Whether nothing here is damaged or missing."""
        return not (self.wanted or self.damaged or self.lost)


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
    soundness = Soundness(repo)
    soundness.look()
    view = load_view(remote, Forgetful(), repo.format.project)
    search = _Search(repo, view, soundness)
    search.all_versions()
    wanted = sorted(search.wanted)
    freight = plan_freight(search.table, search.reader, wanted) if wanted else Freight((), {}, 0)
    lost = {object_id: tuple(sorted(names)) for object_id, names in search.lost.items()}
    damaged = tuple(sorted(soundness.damaged))
    return RepairPlan(remote.place, tuple(wanted), freight.stored_bytes, damaged, lost, soundness, view, freight)


def execute_repair(repo: Repository, known: Known, plan: RepairPlan) -> Repaired:
    """Do what the plan says. Interrupted, nothing is lost; a second repair finishes it.

    Raises:
        RemoteCorrupt: what came does not hash to its name; nothing was put in place.
        LockBusy.
    """
    if not (plan.wanted or plan.damaged):
        return Repaired(0, (), plan.lost)
    with repo.locks.exclusive(known.lock), repo.locks.exclusive("objects"):
        aside = [_set_aside(repo, name) for name in plan.damaged]
        if plan.wanted:
            room = WaitingRoom(repo, plan.view, plan.view.table(repo), known.incoming)
            room.receive(plan.freight)
        replaced = {pack_path(pack.name) for pack in plan.freight.whole}
        for name in plan.damaged:
            repo.kept.drop(name)
            if name not in replaced:
                _remove(repo, name, plan.soundness)
    repo.store.close()
    repo.rebuild_index()
    return Repaired(len(plan.wanted), tuple(aside), plan.lost)


def _set_aside(repo: Repository, name: str) -> str:
    """Give a damaged file a second name in `local/damaged`, or copy it there."""
    target = damaged_path(name.removeprefix(f"{OBJECTS}/"))
    if repo.storage.stat(target) is None and not repo.storage.link(name, target):
        upload = repo.storage.upload()
        try:
            with repo.storage.open(name) as file:
                while data := file.read(COPY_BYTES):
                    upload.write(data)
            upload.publish(target)
        finally:
            upload.discard()
    return target


def _remove(repo: Repository, name: str, soundness: Soundness) -> None:
    """Take a damaged file out of the store; what is sound in it goes into a new pack first."""
    sound = soundness.damaged[name]
    if sound:
        write_anew(repo, sound, FRAME_BYTES, None)
    pack = name.rpartition("/")[2].removesuffix(".pack")
    if pack_path(pack) == name:
        repo.index.forget_pack(pack)
        repo.store.packs.let_go(pack)
    repo.storage.delete(name)


class _Search:
    """Walks from the versions down, here where it is sound and there where it is not."""

    def __init__(self, repo: Repository, view: View, soundness: Soundness) -> None:
        self._repo = repo
        self._sound = soundness
        self.table = view.table(repo)
        self.reader = FarReader(view, self.table)
        self.wanted: set[ObjectId] = set()
        self.lost: dict[ObjectId, set[str]] = {}
        self._seen: dict[ObjectId, set[ObjectId]] = {EMPTY_TREE_ID: set()}
        """What was looked at, with all that is lost below it."""

    def all_versions(self) -> None:
        """Every version that a label names, with its content if it is live."""
        labels = own_labels(self._repo)
        self._repo.progress.start("Looking for what is needed", len(labels), "versions")
        for label in labels.values():
            lost = self._version(label.version, content=is_live(label))
            for object_id in lost:
                self.lost.setdefault(object_id, set()).add(f"v{label.number}")
            self._repo.progress.advance(1)
        self._repo.progress.finish()

    def _version(self, version: VersionId, *, content: bool) -> set[ObjectId]:
        data = self._bytes(version, Kind.VERSION)
        if data is None:
            return {version}
        found: Version = decode_version(data, version)
        return self._tree(found.tree) if content else set()

    def _tree(self, tree: ObjectId) -> set[ObjectId]:
        if tree in self._seen:
            return self._seen[tree]
        self._seen[tree] = lost = set()
        data = self._bytes(tree, Kind.TREE)
        if data is None:
            lost.add(tree)
            return lost
        found: Tree = decode_tree(data, tree)
        for entry in found.entries:
            lost |= self._tree(entry.id) if entry.kind is EntryKind.DIR else self._blob(entry.id)
        return lost

    def _bytes(self, object_id: ObjectId, kind: Kind) -> bytes | None:
        """A version or tree, from here or from there; None if neither has it."""
        if self._sound.has(object_id):
            return self._own(object_id)
        try:
            data = self.reader.read(object_id, kind)
        except (RemoteCorrupt, IntegrityError):
            return None
        self.wanted.add(object_id)
        return data

    def _own(self, object_id: ObjectId) -> bytes:
        place = self._sound.places[object_id]
        return self._repo.store.loose.read(object_id) if place is None else self._repo.store.packs.read(place)

    def _blob(self, blob: ObjectId) -> set[ObjectId]:
        if blob not in self._seen:
            self._seen[blob] = set() if self._is_whole(blob) else self._want_blob(blob)
        return self._seen[blob]

    def _is_whole(self, blob: ObjectId) -> bool:
        """Whether the blob is here and all of it hashes to its name."""
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

    def _want_blob(self, blob: ObjectId) -> set[ObjectId]:
        """Want the blob, and its chunks that are not here; returns what the remote does not have."""
        found = self.table.find(blob)
        if found is None:
            return self._want_chunks(blob)
        parts = {blob}
        if found.entry.chunked:
            try:
                parts |= set(self._parts(blob, self.reader.raw(found)))
            except (RemoteCorrupt, IntegrityError):
                return {blob}
        lost = {part for part in parts if part not in self.table and (part == blob or not self._sound.has(part))}
        if not lost:
            self.wanted |= {part for part in parts if part == blob or not self._sound.has(part)}
        return lost

    def _want_chunks(self, blob: ObjectId) -> set[ObjectId]:
        """The remote keeps the blob otherwise: perhaps it has the chunks that are missing here."""
        try:
            missing = {part for part in self._parts(blob, self._own(blob)) if not self._sound.has(part)}
        except (KeyError, IntegrityError):
            return {blob}
        if not missing or any(part not in self.table for part in missing):
            return {blob}
        self.wanted |= missing
        return set()

    def _parts(self, blob: ObjectId, listed: bytes) -> Iterator[ObjectId]:
        return (chunk for chunk, _ in decode_chunk_list(listed, blob))
