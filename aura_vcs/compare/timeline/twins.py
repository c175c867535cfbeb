"""Which of several clips that are alike is which: the story with the fewest steps.

Loops, stills and test pictures stand on a track many times, equal in all but their place. A longest common subsequence
may take any of them, and a trim of the sixth is then told of the seventh. Here what stayed of a clip counts for a pair,
and every place from which on the rest stands at another distance (a ripple, or a wrong twin) counts against it.
"""

from collections.abc import Callable, Hashable, Sequence

from aura_vcs.compare.diff.sequences import WorkBudget, common_pairs
from aura_vcs.formats.timeline.model import Clip, Ticks

PAIRS_LIMIT = 4_000
LOOK_BACK = 64
"""Earlier pairs that are looked at for each: the ones next to it are the likely ones."""
_EQUAL, _SAME_START, _OVERLAPS, _SHIFTED = 6, 4, 3, 1


def pairs_in_place(
    old: Sequence[Clip], new: Sequence[Clip], key: Callable[[Clip], Hashable], effort: WorkBudget
) -> list[tuple[int, int]]:
    """Find positions (old, new) of equal clips, increasing on both sides, as `common_pairs`; of twins the likelier.

    Where clips with one `key` occur more than once, what was made of such a clip by a trim is paired as well.
    """
    start, shortest = 0, min(len(old), len(new))
    keys_old, keys_new = [key(clip) for clip in old], [key(clip) for clip in new]
    while start < shortest and keys_old[start] == keys_new[start] and old[start].start == new[start].start:
        start += 1
    sides = (old[start:], keys_old[start:]), (new[start:], keys_new[start:])
    twins = {clip.media for clips, keys in sides if len(set(keys)) < len(keys) for clip in _repeated(clips, keys)}
    found = _candidates(*sides, twins) if twins else []
    if not found or not effort.take(len(found) * LOOK_BACK):
        pairs = common_pairs(keys_old[start:], keys_new[start:], effort)
    else:
        pairs = _likeliest(found, sides[0][0], sides[1][0])
    return [(n, n) for n in range(start)] + [(m + start, n + start) for m, n in pairs]


def _repeated(clips: Sequence[Clip], keys: Sequence[Hashable]) -> list[Clip]:
    seen: set[Hashable] = set()
    found = []
    for clip, key in zip(clips, keys, strict=True):
        if key in seen and clip.media:
            found.append(clip)
        seen.add(key)
    return found


def _candidates(
    old: tuple[Sequence[Clip], list[Hashable]], new: tuple[Sequence[Clip], list[Hashable]], twins: set[str]
) -> list[tuple[int, int, int]]:
    """List pairs that are possible, with what they count; none where they are too many."""
    places: dict[Hashable, list[int]] = {}
    for n, (clip, key) in enumerate(zip(*new, strict=True)):
        places.setdefault(("media", clip.media) if clip.media in twins else key, []).append(n)
    found: list[tuple[int, int, int]] = []
    for m, (clip, key) in enumerate(zip(*old, strict=True)):
        is_twin = clip.media in twins
        for n in places.get(("media", clip.media) if is_twin else key, ()):
            worth = _EQUAL if new[1][n] == key else _worth(clip, new[0][n])
            if worth:
                found.append((m, n, worth))
        if len(found) > PAIRS_LIMIT:
            return []
    return found


def _worth(one: Clip, other: Clip) -> int:
    """Count how much of a clip another one of the same media still is."""
    if one.noun != other.noun or one.name != other.name or one.source_start is None or other.source_start is None:
        return 0
    if one.source_start == other.source_start:
        return _SAME_START
    first, second = sorted(((one.source_start, one.duration), (other.source_start, other.duration)))
    return _OVERLAPS if first[0] + first[1] > second[0] else 0


def _likeliest(
    found: Sequence[tuple[int, int, int]], old: Sequence[Clip], new: Sequence[Clip]
) -> list[tuple[int, int]]:
    """Choose the chain of pairs that counts most; `found` is sorted by old, then by new position."""
    enters = [new[n].start - old[m].start for m, n, _ in found]
    leaves: list[Ticks] = [enters[k] + new[n].duration - old[m].duration for k, (m, n, _) in enumerate(found)]
    worth: list[int] = []
    before: list[int] = []
    for k, (m, n, value) in enumerate(found):
        best, link = value - _SHIFTED * (enters[k] != 0), -1
        for earlier in range(k - 1, max(-1, k - 1 - LOOK_BACK), -1):
            if found[earlier][0] < m and found[earlier][1] < n:
                total = worth[earlier] + value - _SHIFTED * (leaves[earlier] != enters[k])
                if total > best:
                    best, link = total, earlier
        worth.append(best)
        before.append(link)
    k = max(range(len(found)), key=worth.__getitem__)
    chain: list[tuple[int, int]] = []
    while k >= 0:
        chain.append(found[k][:2])
        k = before[k]
    return chain[::-1]
