"""Where the objects of a remote lie: in memory, or, where there are very many, in a file of this machine."""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, MutableMapping, Sequence
from threading import Lock

import msgspec

from aura_vcs.ids import ObjectId
from aura_vcs.objects.packs.format import Footer, PackEntry
from aura_vcs.sync.state.locations import LocationsLost, RemoteLocations
from aura_vcs.sync.state.manifest import PackInfo

LARGE_FOOTERS = 8 << 20
"""Footers of more bytes than these hold more objects than are held in memory: a quarter of a million take 100 MB."""
MANY_PACKS = 1000
"""To open the footers of more packs takes longer than to look into a file, however little is in them."""
OBJECT_BYTES = 32
"""An object takes at least so much of a footer: its id does not compress."""
HELD_OBJECTS = 1 << 19
"""Of so many objects, footers that were read are held."""
SMALL_FOOTERS = 64 << 10
"""To go through footers of fewer bytes is quicker than to look for a few objects in each."""
FEW_OBJECTS = 16
"""So few objects are looked for in each footer."""
AT_ONCE = 256
"""So many packs are entered together."""
ReadFooters = Callable[[Sequence[PackInfo]], list[Footer]]


def are_many(packs: Sequence[PackInfo]) -> bool:
    """Tell whether packs hold so much that it is looked up in a file and not in memory."""
    return len(packs) > MANY_PACKS or sum(pack.footer for pack in packs) > LARGE_FOOTERS


class RemoteObject(msgspec.Struct, frozen=True, gc=False):
    """An object of the remote: its pack, and where in it."""

    pack: PackInfo
    entry: PackEntry


class PackTable:
    """Where the objects of a remote lie; of several packs that hold one, the first counts.

    A few of them are looked for in each footer; for more, and where the footers are small, all are gone through once.
    """

    def __init__(self) -> None:
        self.footers: MutableMapping[PackInfo, Footer] = {}
        self._entered: dict[ObjectId, tuple[PackInfo, int]] = {}
        self._waiting: list[tuple[PackInfo, Footer]] = []
        self._waiting_bytes = 0
        self._asked = 0
        self._lock = Lock()
        self._lists: set[ObjectId] | None = None

    def add(self, pack: PackInfo, footer: Footer) -> None:
        """Enter a pack."""
        self.footers[pack] = footer
        self._lists = None
        self._waiting.append((pack, footer))
        self._waiting_bytes += pack.footer

    @property
    def _where(self) -> dict[ObjectId, tuple[PackInfo, int]]:
        if self._waiting:
            with self._lock:  # another thread that asks meanwhile waits until all are entered
                for pack, footer in self._waiting:
                    for number, object_id in enumerate(footer.ids()):
                        self._entered.setdefault(object_id, (pack, number))
                self._waiting, self._waiting_bytes = [], 0
        return self._entered

    def find(self, object_id: ObjectId) -> RemoteObject | None:
        """Find where the object lies, None if the remote does not have it."""
        found = self._where.get(object_id)
        return None if found is None else RemoteObject(found[0], self.footers[found[0]].entries[found[1]])

    def numbers(self, object_ids: Iterable[ObjectId]) -> dict[PackInfo, list[int]]:
        """Map packs to the rising numbers, in them, of those of the objects that the remote has."""
        by_pack: defaultdict[PackInfo, list[int]] = defaultdict(list)
        where = self._where
        for object_id in object_ids:
            found = where.get(object_id)
            if found is not None:
                by_pack[found[0]].append(found[1])
        return {pack: sorted(numbers) for pack, numbers in by_pack.items()}

    def first_missing(self, object_ids: Iterable[ObjectId]) -> ObjectId | None:
        """Return one of the objects that the remote has not; None where it has all."""
        where = self._where
        return next((object_id for object_id in object_ids if object_id not in where), None)

    def lists(self, object_ids: Collection[ObjectId]) -> set[ObjectId]:
        """Return those of the blobs that are kept as lists of their chunks."""
        if self._lists is None:
            self._lists = {entry.id for footer in self.footers.values() for entry in footer.chunked()}
        return self._lists.intersection(object_ids)

    def all_ids(self) -> list[ObjectId]:
        """List the ids of all objects, sorted."""
        return sorted(self._where)

    def __contains__(self, object_id: ObjectId) -> bool:
        self._asked += 1
        if self._asked > FEW_OBJECTS or self._waiting_bytes < SMALL_FOOTERS:
            return object_id in self._where
        return object_id in self._entered or any(footer.place_of(object_id) >= 0 for _, footer in self._waiting)


class LargePackTable(PackTable):
    """The same where there are very many objects: footers are read when they are asked for.

    Whatever `locations` says is looked up in the footer; what it does not know is missing only if it was made anew.
    """

    def __init__(self, packs: Sequence[PackInfo], locations: RemoteLocations, read: ReadFooters) -> None:
        super().__init__()
        self.footers = _HeldFooters(packs, read)
        self._listed = {pack.name: pack for pack in packs}
        self._order: dict[str, int] = {}
        self._locations = locations
        self._read = read
        self._is_new = False
        self._enter()

    def find(self, object_id: ObjectId) -> RemoteObject | None:
        """See PackTable."""
        for pack in self._candidates([object_id]).get(object_id, ()):
            entry = self.footers[pack].find(object_id)
            if entry is not None:
                return RemoteObject(pack, entry)
        return super().find(object_id)

    def numbers(self, object_ids: Iterable[ObjectId]) -> dict[PackInfo, list[int]]:
        """See PackTable."""
        found, missing = self._find_all(set(object_ids))
        return {pack: sorted(ids.values()) for pack, ids in found.items()} | super().numbers(missing)

    def first_missing(self, object_ids: Iterable[ObjectId]) -> ObjectId | None:
        """See PackTable. What is missing is looked for in every footer, once."""
        _, missing = self._find_all(set(object_ids))
        if super().first_missing(missing) is not None and not self._is_new:
            self._start_over()
            _, missing = self._find_all(missing)
        return super().first_missing(sorted(missing))

    def lists(self, object_ids: Collection[ObjectId]) -> set[ObjectId]:
        """See PackTable."""
        found, missing = self._find_all(set(object_ids))
        chunked = {
            entry.id
            for pack, ids in found.items()
            for entry in self.footers[pack].pick(sorted(ids.values()))
            if entry.chunked
        }
        return chunked | {i for i in missing if (item := super(LargePackTable, self).find(i)) and item.entry.chunked}

    def all_ids(self) -> list[ObjectId]:
        """See PackTable; reads every footer."""
        return sorted({object_id for footer in self.footers.values() for object_id in footer.ids()})

    def __contains__(self, object_id: ObjectId) -> bool:
        return self.find(object_id) is not None

    def _find_all(self, object_ids: set[ObjectId]) -> tuple[dict[PackInfo, dict[ObjectId, int]], set[ObjectId]]:
        """Return, by pack, the objects that are there with their numbers in it, and those that are not."""
        found: dict[PackInfo, dict[ObjectId, int]] = {}
        missing: set[ObjectId] = set()
        waiting = dict.fromkeys(object_ids, 0)
        candidates = self._candidates(object_ids)
        while waiting:
            by_pack = defaultdict[PackInfo, set[ObjectId]](set)
            for object_id, turn in waiting.items():
                packs = candidates.get(object_id, [])
                if turn < len(packs):
                    by_pack[packs[turn]].add(object_id)
                else:
                    missing.add(object_id)
            waiting = {object_id: turn + 1 for object_id, turn in waiting.items() if object_id not in missing}
            for pack, wanted in by_pack.items():
                numbers = found.setdefault(pack, {})
                for number, object_id in enumerate(self.footers[pack].ids()):
                    if object_id in wanted:
                        numbers.setdefault(object_id, number)
                for object_id in wanted & numbers.keys():
                    del waiting[object_id]
        return {pack: numbers for pack, numbers in found.items() if numbers}, missing

    def _candidates(self, object_ids: Collection[ObjectId]) -> dict[ObjectId, list[PackInfo]]:
        """Map objects to the packs that may hold them, in the order in which they are listed."""
        try:
            found = self._locations.find(object_ids)
        except LocationsLost:
            self._enter()
            found = self._locations.find(object_ids)
        return {
            object_id: [self._listed[name] for name in self._in_order(names) if name in self._listed]
            for object_id, names in found.items()
        }

    def _in_order(self, names: list[str]) -> list[str]:
        if len(names) < 2:
            return names
        if not self._order:
            self._order = {name: number for number, name in enumerate(self._listed)}
        return sorted(names, key=lambda name: self._order.get(name, 0))

    def _start_over(self) -> None:
        self._locations.start_over()
        self._enter()

    def _enter(self) -> None:
        """Enter the packs that are not entered, and forget those that are not listed."""
        try:
            self._enter_new()
        except LocationsLost:
            self._enter_new()  # in memory, where the disk has failed

    def _enter_new(self) -> None:
        known = self._locations.packs()
        self._locations.forget(known - self._listed.keys())
        self._is_new = not known
        new = [pack for name, pack in self._listed.items() if name not in known]
        for at in range(0, len(new), AT_ONCE):
            some = new[at : at + AT_ONCE]
            footers = zip(some, self._read(some), strict=True)
            self._locations.enter({pack.name: footer.ids() for pack, footer in footers})


class _HeldFooters(MutableMapping[PackInfo, Footer]):
    """The footers of listed packs, read when they are asked for; those that were asked for last are held."""

    def __init__(self, packs: Sequence[PackInfo], read: ReadFooters) -> None:
        self._packs = packs
        self._read = read
        self._added: dict[PackInfo, Footer] = {}
        self._held: OrderedDict[PackInfo, Footer] = OrderedDict()
        self._objects = 0

    def __getitem__(self, pack: PackInfo) -> Footer:
        if pack in self._added:
            return self._added[pack]
        if pack in self._held:
            self._held.move_to_end(pack)
            return self._held[pack]
        footer = self._held[pack] = self._read([pack])[0]
        self._objects += len(footer.entries)
        while self._objects > HELD_OBJECTS and len(self._held) > 1:
            self._objects -= len(self._held.popitem(last=False)[1].entries)
        return footer

    def __setitem__(self, pack: PackInfo, footer: Footer) -> None:
        self._added[pack] = footer

    def __delitem__(self, pack: PackInfo) -> None:
        del self._added[pack]

    def __iter__(self) -> Iterator[PackInfo]:
        yield from self._packs
        yield from self._added

    def __len__(self) -> int:
        return len(self._packs) + len(self._added)
