"""Which clip of one timeline is which clip of another: by what it is, never by where it stands.

In this order: the same id; the same media from the same point, equal in everything and in
place; the same, elsewhere; the same media and source point; the same name and words; the same
media; the most alike words; and what is left between two neighbours that stayed. (The rules of
OpenTimelineIO's pull request 2030 for media, with ids and words for the studio's scenes.)
"""

from collections import Counter, deque
from collections.abc import Callable, Hashable
from heapq import nsmallest
from itertools import islice

from msgspec import Struct

from aura_vcs.compare.diff.sequences import WorkBudget, common_pairs, longest_increasing
from aura_vcs.compare.timeline.twins import pairs_in_place
from aura_vcs.formats.timeline.model import Clip, Timeline, Track

Key = Callable[[Clip], Hashable | None]
COMMON_WORD_LIMIT = 40
ALIKE = 0.5


class ClipPosition(Struct, frozen=True):
    """Where a clip stands: track and position, both from 0."""

    track: int
    position: int


class TimelineMatch(Struct, frozen=True):
    """Matched tracks and clips as (old, new) pairs, each at most once; clips in new order."""

    tracks: tuple[tuple[int, int], ...]
    clips: tuple[tuple[ClipPosition, ClipPosition], ...]


def match_timelines(old: Timeline, new: Timeline, *, strict: bool = False) -> TimelineMatch:
    """Match the tracks and clips of two timelines; n log n beside a bounded effort.

    `strict` is for joining: a clip that only stands where another one stood is a new clip, unless it
    plays the same from the same point.
    """
    tracks = _match_tracks(old.tracks, new.tracks)
    matcher = _ClipMatcher(old.tracks, new.tracks, tracks, strict=strict)
    matcher.run()
    return TimelineMatch(tuple(tracks), tuple(sorted(matcher.pairs, key=_by_new)))


def match_parts(old: tuple[Clip, ...], new: tuple[Clip, ...], *, strict: bool = False) -> list[tuple[int, int]]:
    """Match what two clips are made of, as (old, new) positions; `strict` as in `match_timelines`."""
    one, other = Track("", "", "", old), Track("", "", "", new)
    matcher = _ClipMatcher((one,), (other,), [(0, 0)], strict=strict)
    matcher.run()
    return [(a.position, b.position) for a, b in sorted(matcher.pairs, key=_by_new)]


def _by_new(pair: tuple[ClipPosition, ClipPosition]) -> tuple[int, int]:
    return pair[1].track, pair[1].position


def _match_tracks(old: tuple[Track, ...], new: tuple[Track, ...]) -> list[tuple[int, int]]:
    """Pair tracks by name and kind where unique, then by the clips they share, then by order within a kind."""
    free_old, free_new = set(range(len(old))), set(range(len(new)))
    pairs: list[tuple[int, int]] = []

    def take(i: int, j: int) -> None:
        if i in free_old and j in free_new:
            free_old.remove(i)
            free_new.remove(j)
            pairs.append((i, j))

    for key in (_track_identity, _track_name):
        named = _unique({i: key(old[i]) for i in sorted(free_old)})
        twice = _unique({j: key(new[j]) for j in sorted(free_new)})
        for j in sorted(free_new):
            i = named.get(key(new[j]))
            if i is not None and (key is _track_name or twice.get(key(new[j])) == j):
                take(i, j)
    holders: dict[Hashable, list[int]] = {}
    for i in sorted(free_old):
        for content in {_content(clip) for clip in old[i].clips}:
            holders.setdefault(content, []).append(i)
    shared: dict[tuple[int, int], int] = {}
    for j in sorted(free_new):
        for content in {_content(clip) for clip in new[j].clips}:
            for i in holders.get(content, ())[:COMMON_WORD_LIMIT]:
                shared[i, j] = shared.get((i, j), 0) + 1
    for i, j in sorted(shared, key=lambda pair: (-shared[pair], abs(pair[0] - pair[1]), pair)):
        take(i, j)
    left: dict[Hashable, list[int]] = {}
    for i in sorted(free_old, reverse=True):
        left.setdefault((old[i].sequence, old[i].kind), []).append(i)
    for j in sorted(free_new):
        places = left.get((new[j].sequence, new[j].kind))
        if places and not shared:
            take(places.pop(), j)
    return sorted(pairs, key=lambda pair: pair[1])


def _track_identity(track: Track) -> Hashable:
    return (track.kind, track.identity) if track.identity else (None, id(track))


def _track_name(track: Track) -> Hashable:
    return track.sequence, track.kind, track.name


def _unique(names: dict[int, Hashable]) -> dict[Hashable, int]:
    found: dict[Hashable, int] = {}
    twice = set()
    for n, name in names.items():
        if name in found:
            twice.add(name)
        found[name] = n
    return {name: n for name, n in found.items() if name not in twice}


def _content(clip: Clip) -> Hashable:
    parts = tuple(part.media for part in clip.parts)
    return clip.media, clip.source_start, clip.duration, clip.name, clip.text, parts


def _source(clip: Clip) -> Hashable | None:
    return (clip.media, clip.source_start) if clip.media and clip.source_start is not None else None


def _words(clip: Clip) -> Hashable | None:
    return (clip.name, clip.text) if clip.name and clip.text else None


_KEYS: tuple[Key, ...] = (
    _source,
    _words,
    lambda clip: clip.text or None,
    lambda clip: clip.name or None,
    lambda clip: clip.media or None,
)


class _ClipMatcher:
    """The pairs found so far; every stage looks only at clips that are still free."""

    def __init__(
        self,
        old: tuple[Track, ...],
        new: tuple[Track, ...],
        tracks: list[tuple[int, int]],
        *,
        strict: bool,
    ) -> None:
        self.strict = strict
        self.old = {ClipPosition(t, n): clip for t, track in enumerate(old) for n, clip in enumerate(track.clips)}
        self.new = {ClipPosition(t, n): clip for t, track in enumerate(new) for n, clip in enumerate(track.clips)}
        self.lengths_old = [len(track.clips) for track in old]
        self.lengths_new = [len(track.clips) for track in new]
        self.free_old = dict(self.old)
        self.free_new = dict(self.new)
        self.tracks = tracks
        self.effort = WorkBudget()
        self.pairs: list[tuple[ClipPosition, ClipPosition]] = []

    def run(self) -> None:
        self._by_identity()
        for key in (_content, *_KEYS):
            if not (self.free_old and self.free_new):
                return  # whatever is left came or went
            self._in_order(key)
            self._anywhere(key)
        self._by_words()
        self._by_place()

    def _take(self, a: ClipPosition, b: ClipPosition) -> None:
        self.pairs.append((a, b))
        del self.free_old[a]
        del self.free_new[b]

    def _may_pair(self, a: ClipPosition, b: ClipPosition) -> bool:
        one, other = self.old[a], self.new[b]
        if one.identity and other.identity:
            return one.identity == other.identity
        return one.noun == other.noun and not _disjoint(one, other)

    def _by_identity(self) -> None:
        old = _unique({n: self.old[a].identity or a for n, a in enumerate(self.old)})
        new = _unique({n: self.new[b].identity or b for n, b in enumerate(self.new)})
        places_old, places_new = list(self.old), list(self.new)
        for identity, n in old.items():
            if isinstance(identity, str) and identity in new:
                self._take(places_old[n], places_new[new[identity]])

    def _in_order(self, key: Key) -> None:
        """Pair clips with equal keys that stayed in order on their track."""
        by_track_old, by_track_new = self._keyed(self.free_old, key), self._keyed(self.free_new, key)
        for i, j in self.tracks:
            left, right = by_track_old.get(i, []), by_track_new.get(j, [])
            clips = [self.old[a] for a in left], [self.new[b] for b in right]
            if key is _content:
                pairs = pairs_in_place(*clips, key, self.effort)
            else:
                pairs = common_pairs([key(clip) for clip in clips[0]], [key(clip) for clip in clips[1]], self.effort)
            for m, n in pairs:
                if self._may_pair(left[m], right[n]):
                    self._take(left[m], right[n])

    def _keyed(self, free: dict[ClipPosition, Clip], key: Key) -> dict[int, list[ClipPosition]]:
        found: dict[int, list[ClipPosition]] = {}
        for place, clip in free.items():
            if key(clip) is not None:
                found.setdefault(place.track, []).append(place)
        return found

    def _anywhere(self, key: Key) -> None:
        """Pair clips with equal keys wherever they went, on their own track first."""
        partner = {j: i for i, j in self.tracks}
        waiting: dict[Hashable, deque[ClipPosition]] = {}
        for place, clip in self.free_old.items():
            name = key(clip)
            if name is not None:
                waiting.setdefault(name, deque()).append(place)
        for place, clip in list(self.free_new.items()):
            name = key(clip)
            places = waiting.get(name) if name is not None else None
            if not places or not self.effort.take(1):
                continue
            home = partner.get(place.track, -1)
            n = next((n for n, a in enumerate(islice(places, COMMON_WORD_LIMIT)) if a.track == home), 0)
            if self._may_pair(places[n], place):
                self._take(places[n], place)
                del places[n]

    def _by_words(self) -> None:
        """Pair clips that are most alike in the words of their texts; words that many clips share say nothing."""
        spread = Counter(word for clip in (*self.old.values(), *self.new.values()) for word in _bag(clip))
        common = max(2, min(COMMON_WORD_LIMIT, len(self.old) // 4 + len(self.new) // 4))
        bags = {b: {w for w in _bag(clip) if spread[w] <= common} for b, clip in self.free_new.items()}
        holders: dict[str, list[ClipPosition]] = {}
        for b, words in bags.items():
            for word in words:
                holders.setdefault(word, []).append(b)
        ranked: list[tuple[float, int, ClipPosition, ClipPosition]] = []
        for a, clip in self.free_old.items():
            words = {word for word in _bag(clip) if spread[word] <= common}
            near: set[ClipPosition] = set()
            for word in words:
                found = holders.get(word, [])
                if self.effort.take(len(found)):
                    near.update(found)
            likely = []
            for b in near:
                alike = 2 * len(words & bags[b]) / (len(words) + len(bags[b]))
                if alike >= ALIKE and self._may_pair(a, b):
                    likely.append((-alike, abs(a.position - b.position), a, b))
            ranked += nsmallest(5, likely, key=lambda item: (item[0], item[1], _order(item[3])))
        ranked.sort(key=lambda item: (item[0], item[1], _order(item[2]), _order(item[3])))
        for _, _, a, b in ranked:
            if a in self.free_old and b in self.free_new:
                self._take(a, b)

    def _by_place(self) -> None:
        """Pair what is left between two clips that stayed in order: one clip in the place of another."""
        for i, j in self.tracks:
            inside = sorted((b.position, a.position) for a, b in self.pairs if a.track == i and b.track == j)
            stays = [inside[n] for n in longest_increasing([old for _, old in inside])]
            bounds = [(-1, -1), *((old, new) for new, old in stays)]
            ends = [*bounds[1:], (self.lengths_old[i], self.lengths_new[j])]
            for (low_old, low_new), (high_old, high_new) in zip(bounds, ends, strict=True):
                left = [a for n in range(low_old + 1, high_old) if (a := ClipPosition(i, n)) in self.free_old]
                right = [b for n in range(low_new + 1, high_new) if (b := ClipPosition(j, n)) in self.free_new]
                self._pair_up(left, right)

    def _pair_up(self, left: list[ClipPosition], right: list[ClipPosition]) -> None:
        """Pair clips between the same neighbours, kind by kind, in order."""
        waiting: dict[str, list[ClipPosition]] = {}
        for b in reversed(right):
            waiting.setdefault(self.new[b].noun, []).append(b)
        for a in left:
            places = waiting.get(self.old[a].noun)
            if places and self._replaces(a, places[-1]):
                self._take(a, places.pop())

    def _replaces(self, a: ClipPosition, b: ClipPosition) -> bool:
        """Tell whether the new clip can be the old one with other media: it plays as long, or is of its kind."""
        one, other = self.old[a], self.new[b]
        if not self._may_pair(a, b):
            return False
        if one.noun in ("clip", "scene"):
            if self.strict:
                return _is_same_cut(one, other)
            return one.duration == other.duration and not (one.text and other.text)
        return True


def _is_same_cut(one: Clip, other: Clip) -> bool:
    """Tell whether two clips that name no media play from the same point for as long: one that was only renamed."""
    if one.media or other.media or one.source_start is None:
        return False
    return (one.source_start, one.duration) == (other.source_start, other.duration)


def _disjoint(one: Clip, other: Clip) -> bool:
    """Tell whether both play the same media, but nothing of it in common: two uses, not one clip."""
    if not one.media or one.media != other.media or one.source_start is None or other.source_start is None:
        return False
    ends = one.source_start + one.duration, other.source_start + other.duration
    return ends[0] <= other.source_start or ends[1] <= one.source_start


def _bag(clip: Clip) -> set[str]:
    return set(clip.text[:2_000].split())


def _order(place: ClipPosition) -> tuple[int, int]:
    return place.track, place.position
