"""Where the clips of a merged cut stand, from where they stand on both sides.

Clips that both sides left on their track and in their order are anchors. Between two of them each side either kept the
distance (what it trimmed or put in is made up for by empty time), or changed it (it rippled). Kept distances stay;
changes of both sides add up, as when each had been made after the other. Where both moved one clip by hand to two
places, or put more into a gap than it holds, that is a question, and ours stands.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from aura_vcs.compare.diff.sequences import longest_increasing


class Spot(Struct, frozen=True):
    """Where a clip is."""

    track: str
    start: int
    length: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + self.length


Spots = Mapping[str, Spot]


class Laid(Struct, frozen=True):
    """Starts by clip, and the clips whose place a person must decide about."""

    starts: dict[str, int]
    asked: tuple[str, ...]


def lay(base: Spots, ours: Spots, theirs: Spots, merged: Spots, order: Sequence[str], free: frozenset[str]) -> Laid:
    """Lay the clips of `merged`, of which track and length are known; `order` decides between those at one place.

    On tracks that are not `free` no two clips overlap.
    """
    starts: dict[str, int] = {}
    asked: list[str] = []
    rank = {name: n for n, name in enumerate(order)}
    for track in dict.fromkeys(spot.track for spot in merged.values()):
        layer = _Layer(track, (base, ours, theirs), merged, rank, is_free=track in free)
        layer.run()
        starts |= layer.starts
        asked += layer.asked
    return Laid(starts, tuple(asked))


class _Layer:
    """One track."""

    def __init__(
        self, track: str, sides: tuple[Spots, Spots, Spots], merged: Spots, rank: Mapping[str, int], *, is_free: bool
    ) -> None:
        self.track = track
        self.sides = sides
        self.merged = merged
        self.rank = rank
        self.is_free = is_free
        self.here = [self._sorted(side) for side in sides]
        self.stayed = [self._unchanged_order(side) for side in (1, 2)]
        self.anchors = [n for n in self.here[0] if n in self.stayed[0] and n in self.stayed[1] and n in merged]
        self.anchors = [name for name in self.anchors if merged[name].track == track]
        self.members = [self._members(side) for side in range(3)]
        self.sums = [self._sums(side) for side in range(3)]
        self.starts: dict[str, int] = {}
        self.asked: list[str] = []

    def _sorted(self, side: Spots) -> list[str]:
        mine = [(spot.start, self.rank.get(name, 0), name) for name, spot in side.items() if spot.track == self.track]
        return [name for _, _, name in sorted(mine)]

    def _unchanged_order(self, side: int) -> set[str]:
        """Return the clips of the common version that a side left on this track, in their order."""
        place = {name: n for n, name in enumerate(self.here[side])}
        common = [name for name in self.here[0] if name in place]
        return {common[n] for n in longest_increasing([place[name] for name in common])}

    def _members(self, side: int) -> dict[str, int]:
        """Find in front of which anchor (by number) a side has its other clips."""
        number = {name: n for n, name in enumerate(self.anchors)}
        found: dict[str, int] = {}
        at = 0
        for name in self.here[side]:
            if name in number:
                at = number[name] + 1
            else:
                found[name] = at
        return found

    def run(self) -> None:
        """Lay what stands between anchors, from the beginning on."""
        inside = self._inside()
        front: str | None = None
        for n, anchor in enumerate([*self.anchors, None]):
            spans = self._spans(front, anchor)
            end = self._end(front)
            cursor = self._fill(inside.get(n, []), front, end, is_kept=spans is not None and spans[2] == spans[0])
            if anchor is not None and spans is not None:
                begin = self.starts[front] if front is not None else 0
                start = begin + self._span(n, spans, front, anchor, inside.get(n, []))
                if not self.is_free and start < cursor:
                    start = cursor
                    self._ask(anchor)
                self.starts[anchor] = max(0, start)
            front = anchor

    def _end(self, front: str | None) -> int:
        return self.starts[front] + self.merged[front].length if front is not None else 0

    def _spans(self, front: str | None, anchor: str | None) -> list[int] | None:
        """Measure how much later than the anchor in front an anchor starts, on each side."""
        if anchor is None:
            return None
        return [side[anchor].start - (side[front].start if front is not None else 0) for side in self.sides]

    def _inside(self) -> dict[int, list[str]]:
        """Group the merged clips that are no anchors by the anchor in front of which they stand, in order."""
        anchors = set(self.anchors)
        found: dict[int, list[str]] = {}
        for name, spot in self.merged.items():
            if spot.track == self.track and name not in anchors:
                found.setdefault(self.members[self._side_of(name)].get(name, 0), []).append(name)
        for names in found.values():
            names.sort(key=lambda name: (self.rank.get(name, 0), name))
        return found

    def _side_of(self, name: str) -> int:
        """Return the side whose place counts: the one that put the clip here; ours where both did."""
        for side in (1, 2):
            other = self.sides[3 - side].get(name)
            if other is None or other.track != self.track:
                return side
        return 2 if name in self.stayed[0] and name not in self.stayed[1] else 1

    def _fill(self, names: Sequence[str], front: str | None, end: int, *, is_kept: bool) -> int:
        """Lay what stands behind the anchor `front`, which ends at `end`; returns where the next thing may begin.

        `is_kept` says that theirs left the distance to the next anchor as it was: what they put here has its time.
        """
        wanted = []
        for name in names:
            number = self._side_of(name)
            side = self.sides[number]
            before = side[front].end if front is not None else 0
            wanted.append((end + side[name].start - before, self.rank.get(name, 0), name, number))
        cursor = end
        for start, _, name, number in sorted(wanted):
            at = max(0, start) if self.is_free else max(start, cursor)
            if at > start and number == 2 and is_kept and name not in self.sides[0]:
                self._ask(name)
            self.starts[name] = at
            cursor = at + self.merged[name].length
        return cursor

    def _span(self, n: int, spans: list[int], front: str | None, anchor: str, inside: Sequence[str]) -> int:
        """Merge how much later than the anchor in front an anchor starts."""
        was, here, there = spans
        if was in (here, there):
            return there if here == was else here
        whole = (self.merged[front].length if front is not None else 0) + sum(self.merged[i].length for i in inside)
        gaps = [span - self._content(n, side, front) for side, span in enumerate(spans)]
        if gaps[1] == gaps[0] or gaps[1] == gaps[2]:
            return whole + gaps[2]
        if gaps[2] == gaps[0]:
            return whole + gaps[1]
        if here != there:
            self._ask(anchor)
        return here

    def _content(self, n: int, side: int, front: str | None) -> int:
        """Sum what a side plays from the beginning of the anchor in front on, up to the anchor of that number."""
        spots = self.sides[side]
        return self.sums[side].get(n, 0) + (spots[front].length if front is not None else 0)

    def _sums(self, side: int) -> dict[int, int]:
        """Sum how much of a side's other clips plays in front of each anchor."""
        found: dict[int, int] = {}
        for name, at in self.members[side].items():
            found[at] = found.get(at, 0) + self.sides[side][name].length
        return found

    def _ask(self, name: str) -> None:
        if name not in self.asked:
            self.asked.append(name)
