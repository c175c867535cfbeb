"""Two versions of a sound, compared by the levels of their bands in steps of 10 ms, or by their samples.

What is only louder or softer throughout does not differ; nor do bands that are drowned by others, or quieter than
anybody hears. Where a stretch was cut out or put in, the rest is found again behind it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from aura_vcs.compare.media.align import Alignment, alignment_of, best_path, edits, extend, placed
from aura_vcs.compare.media.channels import alike_channels, exact_channels
from aura_vcs.compare.media.planes import differences, over, plane, sums
from aura_vcs.formats.media.findings import AudioDiff, AudioFacts, MediaStretch, Times, Verdict, make_stretch
from aura_vcs.formats.media.index_entry import BAND_SECONDS, BANDS, MediaEntry

if TYPE_CHECKING:
    from PIL.Image import Image

STEPS_PER_DB = 2
FLOOR = (120 - 55) * STEPS_PER_DB
"""Quieter than -55 dB is silence: two silences do not differ."""
DROWNED = 22 * STEPS_PER_DB
"""A band that is so much weaker than the strongest is not heard."""
APART = 7 * STEPS_PER_DB
"""From this difference of a band on, a step is another one."""
SPREAD = 3
"""Encoders shift and smear a sound: a step is the same if it is like one of so many before or behind it."""
EXACT_SHARE = 0.9
"""Where fewer samples differ than this, in sounds that were not encoded, they say where."""
LEAST_STEPS = 3
BRIDGE_STEPS = 12
WINDOW = 40
"""Steps that are looked for together."""
COARSE = 5
PROBES = 24
ALIKE = 3 * STEPS_PER_DB
"""Up to this mean difference of its bands, a window may be the same."""
LEAVING_STEPS = 25
ENCODER_STEPS = 6
"""A lag of so many steps is what encoders make, and no offset."""
HEARD_DB = 0.2
ENCODED_DB = 0.7
"""By so much an encoder changes the loudness, at most."""
LOSSLESS = ("pcm_", "flac", "alac")
"""How the names of codecs begin that keep every sample."""
SHIFTS = 8


class _Side(Struct):
    """One version: its bands, a plane for each, and how many steps there are."""

    facts: AudioFacts
    bands: bytes
    count: int

    @classmethod
    def of(cls, entry: MediaEntry, gain: int = 0, floor: int = FLOOR) -> "_Side":
        """Read a version, as if it were `gain` half decibels softer."""
        facts = entry.head.sound
        assert facts is not None
        bands = entry.bands()
        if gain:
            table = [max(0, min(255, level - gain)) for level in range(256)]
            bands = plane(bands, BANDS).point(table).tobytes()
        bands = _heard(bands, floor)
        return cls(facts, bands, len(bands) // BANDS)

    def part(self, start: int, end: int) -> bytes:
        return self.bands[start * BANDS : end * BANDS]


def _heard(bands: bytes, floor: int) -> bytes:
    """Raise what is too quiet to be heard, or drowned by another band of its step, to where that ends."""
    from PIL import Image, ImageChops

    count = len(bands) // BANDS
    if not count:
        return b""
    planes = [Image.frombytes("L", (count, 1), bands[band::BANDS]) for band in range(BANDS)]
    loudest = planes[0]
    for one in planes:
        loudest = ImageChops.lighter(loudest, one)
    least = loudest.point([max(floor, level - DROWNED) for level in range(256)])
    found = bytearray(count * BANDS)
    for band, one in enumerate(planes):
        found[band::BANDS] = ImageChops.lighter(one, least).tobytes()
    return bytes(found)


def compare_sounds(old: MediaEntry, new: MediaEntry) -> AudioDiff:
    """Compare the sounds of two files; `offset` is that of the sound alone.

    Raises:
        NoEntryError: a part of an entry is damaged.
    """
    was, now = old.head.sound, new.head.sound
    assert was is not None
    assert now is not None
    offset = round(now.start - was.start, 4)
    if was.samples_digest == now.samples_digest and (was.rate, was.channels) == (now.rate, now.channels):
        return AudioDiff("identical", offset=offset)
    if was.rate == now.rate and (channels := exact_channels(was, now)):
        return AudioDiff("changed", offset=offset, channels=channels)
    a, b = _Side.of(old), _Side.of(new)
    if not a.count or not b.count:
        return AudioDiff("other")
    gain = _gain(a, b)
    if gain:
        floor = min(255, FLOOR + abs(gain))
        a, b = _Side.of(old, floor=floor), _Side.of(new, gain, floor)
    alignment = _alignment(a, b)
    if alignment.matched < 0.1 * min(a.count, b.count):
        return AudioDiff("other")
    is_exact = was.codec.startswith(LOSSLESS) and now.codec.startswith(LOSSLESS)
    stretches = [*_edits(alignment, 1 if is_exact else ENCODER_STEPS), *_changes(alignment, a, b)]
    is_faint = is_exact and not stretches and not gain and _form(was) == _form(now)
    by_samples = _by_samples(old, new) if is_exact and not gain and _is_straight(alignment) else []
    if by_samples and (is_faint or sum(one.end - one.start for one in by_samples) < EXACT_SHARE * now.seconds):
        stretches = by_samples
    stretches.sort(key=lambda stretch: (stretch.start, stretch.kind))
    decibels = _decibels(gain, was, now, is_exact=is_exact and not stretches)
    first = next((run for run in alignment.runs if run.old is not None), None)
    if first is not None and first.old is not None and not stretches and abs(first.start - first.old) > ENCODER_STEPS:
        offset = round(offset + (first.start - first.old) * BAND_SECONDS, 4)
    channels = alike_channels(old, new) if _is_straight(alignment) else ()
    verdict: Verdict = "changed" if stretches or decibels or is_faint or channels else "same"
    is_faint = is_faint and not decibels and not channels
    return AudioDiff(verdict, tuple(stretches), decibels, offset, is_faint, channels)


def _form(facts: AudioFacts) -> tuple[int | None, int, int]:
    """Return what two sounds share whose samples can be compared one by one."""
    return facts.bits, facts.rate, facts.channels


def _is_straight(alignment: Alignment) -> bool:
    """Tell whether everything is where it was."""
    return all(run.old in (None, run.start) for run in alignment.runs)


def _decibels(gain: int, was: AudioFacts, now: AudioFacts, *, is_exact: bool) -> float:
    """Return how much louder all of it became: as the loudness has it, if that agrees with the bands."""
    found = gain / STEPS_PER_DB
    measured = _loudness_change(was, now)
    if measured is not None and (gain or is_exact) and abs(measured - found) < 1.0:
        found = measured
    return round(found, 2) if abs(found) > (HEARD_DB if is_exact else ENCODED_DB) else 0.0


def _loudness_change(was: AudioFacts, now: AudioFacts) -> float | None:
    if was.loudness_lufs is None or now.loudness_lufs is None:
        return None
    return now.loudness_lufs - was.loudness_lufs


def _gain(a: _Side, b: _Side) -> int:
    """Return how much louder all of it became, in half decibels: what most steps of the loudest quarter agree about."""
    steps = min(a.count, b.count)
    start = 0
    votes: Counter[int] = Counter()
    one, other = a.part(start, steps), b.part(start, steps)
    for x, y in zip(one[:: max(1, steps // 2_000)], other[:: max(1, steps // 2_000)], strict=True):
        if x > FLOOR + 20 and y > FLOOR + 20:
            votes[y - x] += 1
    total = sum(votes.values())
    if not total:
        return 0
    left = total / 2
    middle = 0
    for value in sorted(votes):
        left -= votes[value]
        if left <= 0:
            middle = value
            break
    near = sum(votes[value] for value in range(middle - 2, middle + 3))
    return middle if near > 0.5 * total and abs(middle) > 1 else 0


def _alignment(a: _Side, b: _Side) -> Alignment:
    """Find which steps of the new sound are which of the old one."""
    shared = min(a.count, b.count)
    costs = _costs(a, b, 0)
    straight = sum(cost > ALIKE * BANDS for cost in costs[:shared])
    if straight <= 0.02 * shared and abs(a.count - b.count) <= ENCODER_STEPS:
        return alignment_of([n if n < a.count else None for n in range(b.count)], a.count)
    shifts = _likely_shifts(a, b)
    lines = [_costs(a, b, shift) for shift in shifts]
    lines.append([int(0.9 * ALIKE * BANDS)] * b.count)
    places = placed(best_path(lines, LEAVING_STEPS * ALIKE * BANDS), shifts, a.count)
    found = [n - place for n, place in enumerate(places) if place is not None]
    if found:
        begins, ends = [
            lag if abs(lag - usual) <= ENCODER_STEPS else usual
            for lag, usual in ((found[0], 0), (found[-1], b.count - a.count))
        ]
        sides = (begins, _costs(a, b, begins)), (ends, _costs(a, b, ends))
        extend(places, *sides, a.count, ALIKE * BANDS // 2)
    return alignment_of(places, a.count)


def _costs(a: _Side, b: _Side, shift: int) -> list[int]:
    """Return for every step of the new sound how unlike it is the one of the old sound so many steps before it."""
    start, end = max(0, shift), min(b.count, a.count + shift)
    most = 4 * ALIKE * BANDS
    line = [most] * b.count
    if start < end:
        apart = differences(a.part(start - shift, end - shift), b.part(start, end), BANDS)
        line[start:end] = [min(most, cost) for cost in sums(apart, BANDS)]
    return line


def _likely_shifts(a: _Side, b: _Side) -> list[int]:
    """Propose by how many steps parts of the new sound lie behind where they were."""
    votes: Counter[int] = Counter()
    coarse_a, coarse_b = _coarse(a), _coarse(b)
    size = WINDOW // COARSE * BANDS
    step = max(WINDOW // COARSE, (b.count // COARSE) // PROBES)
    for n in range(0, max(1, len(coarse_b) // BANDS - WINDOW // COARSE), step):
        window = coarse_b[n * BANDS : n * BANDS + size]
        if len(window) < size or max(window) - min(window) < 6 * STEPS_PER_DB:
            continue  # silence and hum are everywhere
        found = _find(coarse_a, window)
        if found is not None:
            votes[_refined(a, b, n * COARSE, found * COARSE)] += 1
    ends = [0, b.count - a.count]
    return list(dict.fromkeys([*ends, *[shift for shift, _ in votes.most_common(SHIFTS)]]))


def _coarse(side: _Side) -> bytes:
    """Average COARSE steps each."""
    count = side.count // COARSE
    rows = plane(side.bands[: count * COARSE * BANDS], BANDS)
    return rows.reduce((1, COARSE)).tobytes() if count else b""


def _find(coarse: bytes, window: bytes) -> int | None:
    """Return the place at which a window is most alike; None where nothing is."""
    count = (len(coarse) - len(window)) // BANDS + 1
    if count <= 0:
        return None
    places = b"".join([coarse[n * BANDS : n * BANDS + len(window)] for n in range(count)])
    costs = sums(differences(places, window * count, len(window)), len(window))
    best = min(range(count), key=costs.__getitem__)
    return best if costs[best] <= ALIKE * len(window) else None


def _refined(a: _Side, b: _Side, start: int, old: int) -> int:
    """Return the exact shift of a window that was found at about `old`."""
    window = b.part(start, start + WINDOW)
    tries = []
    for place in range(max(0, old - COARSE), min(a.count - WINDOW, old + COARSE) + 1):
        tries.append((sum(differences(a.part(place, place + WINDOW), window, BANDS)), place))
    return start - (min(tries)[1] if tries else old)


def _edits(alignment: Alignment, lag: int) -> list[MediaStretch]:
    """Describe what was put in, cut out, moved and replaced; not what encoders do to the ends."""
    found = []
    for edit in edits(alignment):
        if max(edit.end - edit.start, edit.old_end - edit.old_start) > lag:
            found.append(make_stretch(edit.kind, _times(edit.start, edit.end, edit.old_start, edit.old_end)))
    return found


def _times(start: int, end: int, old_start: int, old_end: int) -> Times:
    """Turn steps into seconds."""
    return start * BAND_SECONDS, end * BAND_SECONDS, old_start * BAND_SECONDS, old_end * BAND_SECONDS


def _changes(alignment: Alignment, a: _Side, b: _Side) -> list[MediaStretch]:
    """Find the steps that differ in runs that are the same by and large."""
    found: list[MediaStretch] = []
    for run in alignment.runs:
        if run.old is None:
            continue
        marked = _marked(a.part(run.old, run.old + run.length), b.part(run.start, run.end))
        for first, last in _grouped(marked):
            if last - first >= LEAST_STEPS:
                times = _times(run.start + first, run.start + last, run.old + first, run.old + last)
                found.append(make_stretch("changed", times))
    return found


def _grouped(marked: Sequence[int]) -> list[tuple[int, int]]:
    """Group numbers that nearly follow each other, as (first, behind the last)."""
    found: list[tuple[int, int]] = []
    for n in marked:
        if found and n - found[-1][1] < BRIDGE_STEPS:
            found[-1] = found[-1][0], n + 1
        else:
            found.append((n, n + 1))
    return found


def _marked(old: bytes, new: bytes) -> list[int]:
    """Return the steps in which a band that is heard is out of what the other sound has around there."""
    from PIL import Image, ImageChops

    count = len(new) // BANDS
    if not count or old == new:
        return []
    planes = [[Image.frombytes("L", (count, 1), data[band::BANDS]) for band in range(BANDS)] for data in (old, new)]
    loudest = planes[0][0]
    for one in (*planes[0], *planes[1]):
        loudest = ImageChops.lighter(loudest, one)
    heard = loudest.point([max(FLOOR, level - DROWNED) for level in range(256)])
    worst = Image.new("L", (count, 1))
    for one, other in zip(*planes, strict=True):
        a, b = ImageChops.lighter(one, heard), ImageChops.lighter(other, heard)
        worst = ImageChops.lighter(worst, ImageChops.lighter(_out_of(a, b), _out_of(b, a)))
    mask = over(worst.tobytes(), count, APART)
    found, at = [], mask.find(b"\xff")
    while at >= 0:
        found.append(at)
        at = mask.find(b"\xff", at + 1)
    return found


def _out_of(around: "Image", levels: "Image") -> "Image":
    """Return by how much each level is out of those at most SPREAD steps away in the other sound."""
    from PIL import ImageChops

    low = high = around
    for by in range(1, SPREAD + 1):
        for shifted in (ImageChops.offset(around, by, 0), ImageChops.offset(around, -by, 0)):
            low, high = ImageChops.darker(low, shifted), ImageChops.lighter(high, shifted)
    return ImageChops.lighter(ImageChops.subtract(levels, high), ImageChops.subtract(low, levels))


def _by_samples(old: MediaEntry, new: MediaEntry) -> list[MediaStretch]:
    """Find where samples differ, where nothing was encoded: by the hash of each step of the finest waveform."""
    was, now = old.head.sound, new.head.sound
    assert was is not None
    assert now is not None
    if was.rate != now.rate or was.channels != now.channels or was.samples != now.samples:
        return []
    step = old.head.wave_steps[0]
    pairs = zip(old.sample_hashes(), new.sample_hashes(), strict=False)
    found = _grouped([n for n, (before, after) in enumerate(pairs) if before != after])
    places = [(start * step, min(end * step, now.seconds)) for start, end in found]
    return [make_stretch("changed", (start, end, start, end)) for start, end in places]
