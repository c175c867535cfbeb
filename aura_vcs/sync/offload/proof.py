"""Proof that a remote holds objects, fetched from the remote now; nothing that is remembered here counts.

Of every pack that is relied on, the end is read: it must be as long as the manifest says, and its
footer must hash to the pack's name and list the objects. Then content is read and hashed: of a
sample of frames, or of all of them.
"""

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable

import msgspec

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.objects.packs.format import PackEntry
from aura_vcs.objects.packs.verify import check_entries
from aura_vcs.parallel import side_by_side
from aura_vcs.progress import Progress
from aura_vcs.storage.remotes.base import RangeReadable
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.manifest import PackInfo
from aura_vcs.sync.state.pack_table import PackTable, RemoteObject, are_many
from aura_vcs.sync.state.reader import RemoteReader, fetch
from aura_vcs.sync.state.snapshot import RemoteSnapshot, check_place_of_its_own, load_snapshot, parse_footer

SAMPLED_FRAMES = 2
"""Frames of each pack whose content is read and hashed, where not all are."""


class StorageProof(msgspec.Struct, frozen=True):
    """What a remote holds of what was asked about.

    `versions` are those that it has whole, as its labels say. `faults` are packs that are not as they
    should be: what is in them is not in `held`.
    """

    name: str
    location: str
    held: frozenset[ObjectId]
    versions: frozenset[VersionId]
    faults: tuple[str, ...]
    read_bytes: int


Hints = Callable[[RemoteSnapshot], PackTable]
"""Says where objects of a remote may lie, as far as this machine knows."""


class _HintedTable(PackTable):
    """What a remote lists of those packs that `hints` lead to, each looked at once, and now.

    A wrong hint hides an object, which is safe: what is not proved stays here.
    """

    def __init__(self, hints: PackTable, look: Callable[[PackInfo], PackTable | None]) -> None:
        super().__init__()
        self._hints = hints
        self._look = look
        self._looked: dict[PackInfo, PackTable | None] = {}

    def find(self, object_id: ObjectId) -> RemoteObject | None:
        """See PackTable."""
        hint = self._hints.find(object_id)
        if hint is None:
            return None
        self.prepare([hint.pack])
        table = self._looked[hint.pack]
        return None if table is None else table.find(object_id)

    def first_missing(self, object_ids: Iterable[ObjectId]) -> ObjectId | None:
        """See PackTable."""
        return next((object_id for object_id in object_ids if self.find(object_id) is None), None)

    def __contains__(self, object_id: ObjectId) -> bool:
        return self.find(object_id) is not None

    def lead(self, object_ids: Iterable[ObjectId]) -> None:
        """Look at all packs that these objects may be in, beside each other."""
        self.prepare(list(self._hints.numbers(object_ids)))

    def prepare(self, packs: Iterable[PackInfo]) -> None:
        """Look at packs that were not looked at."""
        new = [pack for pack in packs if pack not in self._looked]
        for pack, table in zip(new, side_by_side(self._look, new), strict=True):
            self._looked[pack] = table
            if table is not None:
                self.add(pack, table.footers[pack])


class StorageProver:
    """A remote that is asked what it holds, as it is now."""

    def __init__(self, name: str, remote: RangeReadable, project: str, hints: Hints | None = None) -> None:
        """Look at a remote. Where it holds very many objects, `hints` say which packs to ask about one."""
        self.name = name
        self.snapshot = load_snapshot(remote, NullCache(), project)
        check_place_of_its_own(self.snapshot, "that keeps content for others")
        self.versions = frozenset(v for v, label in self.snapshot.labels().items() if label.is_live)
        self.faults: list[str] = []
        packs = self.snapshot.manifest.packs
        if hints is None or not are_many(packs):
            self.table = PackTable()
            for pack, table in zip(packs, side_by_side(self._listed, packs), strict=True):
                if table is not None:
                    self.table.add(pack, table.footers[pack])
        else:
            self.table = _HintedTable(hints(self.snapshot), self._listed)
        self.reader = RemoteReader(self.snapshot, self.table)

    def _listed(self, pack: PackInfo) -> PackTable | None:
        """Read what a pack holds; None if it is not there as the manifest says."""
        place = self.snapshot.remote.location
        try:
            start = pack.size - pack.footer
            data = fetch_end(self.snapshot, pack, start)
            table = PackTable()
            table.add(pack, parse_footer(data, pack, place))
        except RemoteCorrupt as error:
            self.faults.append(error.reason)
            return None
        return table

    def listed(self, wanted: Iterable[ObjectId]) -> StorageProof:
        """Say which of the objects the remote lists. Reads none of them, and so proves nothing."""
        wanted = self._looked_for(wanted)
        held = frozenset(object_id for object_id in wanted if self.table.find(object_id) is not None)
        return StorageProof(self.name, self.snapshot.remote.location, held, self.versions, tuple(self.faults), 0)

    def prove(
        self,
        wanted: Iterable[ObjectId],
        progress: Progress,
        *,
        listed: Iterable[ObjectId] = (),
        everything: bool = False,
    ) -> StorageProof:
        """Say which of the objects the remote holds; with `everything`, all their bytes are hashed.

        Of what is only `listed`, nothing is read: it counts unless its pack turns out to be damaged. Memory
        holds one frame per transfer.

        Raises:
            RemoteUnreachable: the connection went.
        """
        by_pack: defaultdict[PackInfo, defaultdict[int, list[ObjectId]]] = defaultdict(lambda: defaultdict(list))
        for object_id in self._looked_for(wanted):
            found = self.table.find(object_id)
            if found is not None:
                by_pack[found.pack][found.entry.frame].append(object_id)
        chosen = {pack: _frames(frames, everything=everything) for pack, frames in by_pack.items()}
        total = sum(self._size(pack, number) for pack, numbers in chosen.items() for number in numbers)
        progress.start(f"Checking {self.name}", total, "bytes")
        sound: list[PackInfo] = []
        for pack, numbers in chosen.items():
            if self._is_intact(pack, numbers, progress):
                sound.append(pack)
        progress.finish()
        held = {i for pack in sound for ids in by_pack[pack].values() for i in ids}
        damaged = by_pack.keys() - set(sound)
        for object_id in self._looked_for(listed):
            found = self.table.find(object_id)
            if found is not None and found.pack not in damaged:
                held.add(object_id)
        return StorageProof(
            self.name, self.snapshot.remote.location, frozenset(held), self.versions, tuple(self.faults), total
        )

    def _looked_for(self, object_ids: Iterable[ObjectId]) -> list[ObjectId]:
        """Return the objects, once the packs were looked at that they may be in."""
        found = list(object_ids)
        if isinstance(self.table, _HintedTable):
            self.table.lead(found)
        return found

    def _size(self, pack: PackInfo, number: int) -> int:
        return self.table.footers[pack].frames[number].stored_length

    def _is_intact(self, pack: PackInfo, numbers: Iterable[int], progress: Progress) -> bool:
        """Read frames of a pack and hash every object in them."""
        reader = RemoteReader(self.snapshot, self.table)
        entries: dict[int, list[PackEntry]] = {number: [] for number in numbers}
        for entry in self.table.footers[pack].entries:
            if entry.frame in entries:
                entries[entry.frame].append(entry)
        for number in numbers:
            try:
                reader.cache_run(pack, [number])
                check_entries(reader.frame(pack, number), entries[number], pack.name)
            except IntegrityError as error:
                self.faults.append(error.message)
                return False
            except RemoteCorrupt as error:
                self.faults.append(error.reason)
                return False
            progress.advance(self._size(pack, number))
        return True


def _frames(frames: Iterable[int], *, everything: bool) -> list[int]:
    listed = sorted(frames)
    return listed if everything else sorted(secrets.SystemRandom().sample(listed, min(SAMPLED_FRAMES, len(listed))))


def fetch_end(snapshot: RemoteSnapshot, pack: PackInfo, start: int) -> bytes:
    """Fetch the end of a pack from `start`, which must be all there is.

    Raises:
        RemoteCorrupt: the pack is missing, shorter or longer than its manifest says.
    """
    data = fetch(snapshot, pack, start, pack.size - start)
    if snapshot.remote.size(f"packs/{pack.name}.pack") != pack.size:
        raise RemoteCorrupt(snapshot.remote.location, f"pack {pack.name[:12]} is not as long as its manifest says")
    return data
