"""What the watcher knows of one folder: which of its files are watched, and what is not as the scan cache has it."""

from array import array
from collections.abc import Iterator

from aura_vcs.layout import AURA
from aura_vcs.worktree.scan.cache import STAMP, CachedFolder

HELD, DENIED, BEYOND, SHARED = 1, 2, 3, 4
"""Why a file is looked at each time: somebody has it open for writing, it may not be read (or no lease is given, as of
another account's file), there are too many watches, it has two names in the project."""


class WatchedFolder:
    """A folder of the scan cache. Files are known by their numbers there."""

    __slots__ = (
        "_places", "asked", "cached", "differing", "is_known", "path", "touched", "unwatched", "watch", "watches",
        "wrong",
    )  # fmt: skip

    def __init__(self, path: str, cached: CachedFolder) -> None:
        self.path = path
        self.cached = cached
        self.watch = 0
        self.is_known = False
        """Whether its names were compared since it is watched; until then all of it is to be looked at."""
        self.watches = array("i", bytes(4 * len(cached.names)))
        """The watch of each file, 0 where there is none."""
        self.touched: set[int] = set(range(len(cached.names)))
        """Files of which something was heard since they were looked at."""
        self.differing: set[int] = set()
        """Files that are not as the cache has them, as far as is known."""
        self.unwatched: dict[int, int] = {}
        """Files that are looked at each time, and why."""
        self.asked: set[str] = set()
        """Names of which something was heard."""
        self.wrong: set[str] = set()
        """Names that are there and not in the cache, or the other way, or are a file there and a folder here."""
        self._places: dict[str, int] | None = None

    def place(self, name: str) -> int | None:
        """Return the number of a file."""
        if self._places is None:
            self._places = {each: number for number, each in enumerate(self.cached.names)}
        return self._places.get(name)

    def forget_places(self) -> None:
        """Free what `place` has made; it is made anew when it is asked for."""
        self._places = None

    def stamp(self, number: int) -> tuple[int, int, int, int, int]:
        """Return a file's state in the cache, without its content's id."""
        found: tuple[int, int, int, int, int] = STAMP.unpack_from(self.cached.stamps, number * STAMP.size)[:5]
        return found

    def expected(self, name: str) -> bool | None:
        """Tell whether the cache has a folder (True) or something else (False) of that name; None: neither."""
        if self.place(name) is not None or name in self.cached.ignored:
            return False
        return True if name in self.cached.folders or f"{name}/" in self.cached.ignored else None

    def compare_names(self, here: dict[str, bool]) -> None:
        """Compare the names of the cache with those that are here, each with whether it is a folder."""
        if not self.path:
            here.pop(AURA, None)
        cached = self.cached
        expected = {*cached.names, *(f"{name}/" for name in cached.folders), *cached.ignored}
        found = {f"{name}/" if is_folder else name for name, is_folder in here.items()}
        self.wrong = {name.rstrip("/") for name in expected ^ found}
        self.asked.clear()
        self.is_known = True

    def exceptions(self) -> list[int] | None:
        """List numbers of files that are, or may be, not as in the cache; None if the names are not."""
        if not self.is_known or self.wrong or self.asked:
            return None
        return sorted(self.differing | self.touched)

    def adopt(self, cached: CachedFolder) -> list[int]:
        """Take what a newer cache has of the folder for what is expected; returns watches that have no use any more.

        Files whose state is another there, or that are new, are touched.
        """
        before, self.cached = self.cached, cached
        lists = {*before.folders, *cached.folders, *(n.rstrip("/") for n in (*before.ignored, *cached.ignored))}
        if (before.folders, before.ignored) != (cached.folders, cached.ignored):
            self.asked |= lists
        self.asked |= self.wrong
        if before.names == cached.names:
            then, now = bytes(before.stamps), bytes(cached.stamps)  # compared at once: views are, byte by byte
            if then != now:
                self.touched.update(_changed(then, now))
            return []
        self._places = None
        places = {name: number for number, name in enumerate(before.names)}
        self.asked |= set(cached.names) ^ places.keys()
        watches, size = array("i", bytes(4 * len(cached.names))), STAMP.size
        kept: dict[int, int] = {}
        touched = set[int]()
        for number, name in enumerate(cached.names):
            place = places.pop(name, None)
            if place is None:
                touched.add(number)
                continue
            kept[place] = number
            watches[number] = self.watches[place]
            if before.stamps[place * size : (place + 1) * size] != cached.stamps[number * size : (number + 1) * size]:
                touched.add(number)
        useless = [watch for place in places.values() if (watch := self.watches[place])]
        self.watches = watches
        self.touched = touched | {kept[place] for place in self.touched if place in kept}
        self.differing = {kept[place] for place in self.differing if place in kept}
        self.unwatched = {kept[place]: why for place, why in self.unwatched.items() if place in kept}
        return useless


def _changed(before: bytes, after: bytes) -> Iterator[int]:
    size = STAMP.size
    for number in range(len(after) // size):
        if before[number * size : (number + 1) * size] != after[number * size : (number + 1) * size]:
            yield number
