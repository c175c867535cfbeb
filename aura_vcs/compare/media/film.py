"""The pictures of two versions of a film, compared frame by frame by what the media index has of them."""

from collections.abc import Sequence

from msgspec import structs

from aura_vcs.compare.media.align import by_time, edits
from aura_vcs.compare.media.crop import Framing, find_part
from aura_vcs.compare.media.drift import FAINT, LOSSLESS, PLAIN, SAME, edges_of, faint_beside_changes, without_echoes
from aura_vcs.compare.media.film_side import FilmSide, is_unlike
from aura_vcs.compare.media.grade import is_graded
from aura_vcs.compare.media.layers import FilmLayer, Pictures, place_of
from aura_vcs.compare.media.pairing import Pairing, pair_films
from aura_vcs.compare.media.regions import FULL, back, is_nearly_all, meets, together
from aura_vcs.compare.media.shared_cells import shared_cells
from aura_vcs.compare.media.sustained import Sustained, find_sustained
from aura_vcs.formats.media.findings import Box, MediaStretch, VideoDiff, make_stretch
from aura_vcs.formats.media.index_entry import COLOUR_BYTES, COLOUR_GRID, GRID, LUMA_BYTES, MediaEntry

FEW_CELLS = 10
GHOST_SHARE = 0.3
BRIDGE_FRAMES = 2
"""Stretches with no more frames than this between them are one."""
SHORT_FRAMES = 2
"""A stretch no longer than this must differ in FEW_CELLS, where encodings differ."""
THROUGHOUT = 0.9
WIDELY = 0.4
"""Where so many frames differ everywhere, a part of the picture may be shown."""
TOLD_SHARE = 0.8
LEFT_SECONDS = 0.1
SCALED_ROUGH, CUT_OUT_ROUGH = 2, 4
FAINT_CELLS = 115
"""In fewer, a few levels are told only where they last: see `sustained`."""


def compare_films(old: MediaEntry, new: MediaEntry) -> VideoDiff:
    """Compare the pictures of two films.

    Raises:
        NoEntryError: a part of an entry is damaged.
    """
    was, now = old.head.video, new.head.video
    assert was is not None
    assert now is not None
    a, b = FilmSide.of(old), FilmSide.of(new)
    frames = (a.count, b.count)
    if was.digest == now.digest and was.rotation == now.rotation and _same_times(a, b):
        return VideoDiff("identical", frames)
    if not a.count or not b.count:
        return VideoDiff("other", frames)
    found = _compared(a, b, _pictures(a, b))
    is_straight = all(one.kind == "changed" for one in found.stretches)
    may_be_part = (is_straight or _is_scaled(a, b)) and is_unlike(a, b)
    if _differing(found) < WIDELY * b.count and not may_be_part:
        return found
    return _compared_in_part(a, b, found) or found


def _differing(found: VideoDiff) -> int:
    """Count the frames that differ everywhere."""
    if found.verdict == "other" or found.throughout is not None:
        return found.frames[1]
    changed = [one for one in found.stretches if one.kind == "changed" and (one.box is None or is_nearly_all(one.box))]
    return sum(one.last - one.first + 1 for one in changed)


def _compared_in_part(a: FilmSide, b: FilmSide, whole: VideoDiff) -> VideoDiff | None:
    """Compare what both pictures show, where one is a part of the other; None where that says no more."""
    starts = [a.times[0] + (time - b.times[0]) for time in b.times]
    ends = [a.times[-1] - (b.times[-1] - time) for time in b.times]
    ways = [[(old, n) for n, old in enumerate(by_time(a.times, moments))] for moments in (starts, ends)]
    framing = find_part(a.luma, b.luma, ways if a.count != b.count else ways[:1])
    if framing is None:
        return None
    bars = framing.has_bars
    parts = a.cut_out(framing.old, has_bars=bars), b.cut_out(framing.new, has_bars=bars)
    found = _compared(*parts, _pictures_of_part(a, b, framing))
    if found.verdict == "other" or (_differing(found) > _differing(whole) / 2 and whole.verdict != "other"):
        return None
    return structs.replace(
        found,
        verdict="changed",
        crop=framing.old if framing.old != FULL else None,
        inside=framing.new if framing.new != FULL else None,
        has_bars=framing.has_bars,
        stretches=tuple(_in_picture(stretch, framing.new) for stretch in found.stretches),
        throughout=back(found.throughout, framing.new) if found.throughout is not None else None,
    )


def _in_picture(stretch: MediaStretch, part: Box) -> MediaStretch:
    return structs.replace(stretch, box=back(stretch.box, part)) if stretch.box is not None else stretch


def _compared(a: FilmSide, b: FilmSide, pictures: Sequence[Pictures]) -> VideoDiff:
    """Compare films frame by frame, by some pictures of their frames."""
    frames = (a.count, b.count)
    pairing, speed = pair_films(a, b)
    if pairing.alignment.matched < 0.1 * b.count and pairing.alignment.matched < 0.1 * a.count:
        return VideoDiff("other", frames)
    changes, is_all = _changes(pairing, a, b, pictures)
    stretches = [*_edits(pairing, a, b), *changes]
    stretches.sort(key=lambda stretch: (stretch.start, stretch.kind))
    stretches = _linked(stretches)
    throughout = FULL if is_all else _throughout(stretches, b)
    if throughout is not None:
        stretches = [stretch for stretch in stretches if stretch.kind != "changed"]
    is_same = not stretches and throughout is None and speed == 1.0
    return VideoDiff("same" if is_same else "changed", frames, tuple(stretches), speed, throughout=throughout)


def _linked(stretches: Sequence[MediaStretch]) -> list[MediaStretch]:
    """Join what follows each other and differs everywhere, however it was found."""
    found: list[MediaStretch] = []
    for one in stretches:
        before = found[-1] if found else None
        if (
            before is not None
            and before.kind == one.kind == "changed"
            and (before.last + 1, before.old_end) == (one.first, one.old_start)
            and all(part.box is None or is_nearly_all(part.box) for part in (before, one))
        ):
            found[-1] = structs.replace(before, end=one.end, old_end=one.old_end, last=one.last, box=None)
        else:
            found.append(one)
    return found


def _same_times(a: FilmSide, b: FilmSide) -> bool:
    """Tell whether frames are shown at the same times, as well as a clock of milliseconds has them."""
    if a.count != b.count:
        return False
    return all(abs(a.time(n) - b.time(n)) < 0.002 for n in range(a.count))


def _edits(pairing: Pairing, a: FilmSide, b: FilmSide) -> list[MediaStretch]:
    """Describe what was inserted, removed, moved, and replaced by another picture."""
    found = []
    for edit in edits(pairing.alignment):
        was = pairing.old_frame(edit.old_start), pairing.old_frame(edit.old_end - 1) + 1
        if edit.old_end == edit.old_start:
            was = was[0], was[0]
        first, last = (was[0], was[1] - 1) if edit.kind == "removed" else (edit.start, edit.end - 1)
        times = (b.time(edit.start), b.time(edit.end), a.time(was[0]), a.time(was[1]))
        box = None
        if edit.kind == "changed":
            sources = pairing.sources[edit.old_start : edit.old_end]
            box = place_of(Pictures(GRID, LUMA_BYTES, a.luma, b.luma), sources, range(edit.start, edit.end))
        found.append(make_stretch(edit.kind, times, (first, last), box))
    return [*found, *_left_at_end(pairing, a, b)]


def _left_at_end(pairing: Pairing, a: FilmSide, b: FilmSide) -> list[MediaStretch]:
    """Tell of the old film what is behind all that frames were given by their times."""
    start = max(pairing.sources, default=-1) + 1
    left = a.time(a.count) - a.time(start)
    if left < LEFT_SECONDS or left <= 2 / (b.video.frames_per_second or 25.0):
        return []
    end = b.time(b.count)
    return [make_stretch("removed", (end, end, a.time(start), a.time(a.count)), (start, a.count - 1))]


def _changes(
    pairing: Pairing, a: FilmSide, b: FilmSide, pictures: Sequence[Pictures]
) -> tuple[list[MediaStretch], bool]:
    """Find the frames in which a part of the picture differs, and tell whether all of it does throughout."""
    runs = [run for run in pairing.alignment.runs if run.old is not None]
    numbers = [n for run in runs for n in range(run.start, run.end)]
    sources = [pairing.sources[run.old + n] for run in runs if run.old is not None for n in range(run.length)]
    layers = _layers(pictures, sources, numbers, is_scaled=_is_scaled(a, b)) if numbers else []
    if not layers:
        return [], False
    marked = [max(marks) for marks in zip(*(layer.marked for layer in layers), strict=True)]
    found = []
    is_exact = all(layer.is_exact for layer in layers)
    is_lossless = a.video.codec in LOSSLESS and b.video.codec in LOSSLESS
    kinds = [layer.kinds for layer in layers] if is_exact and not is_lossless else []
    if kinds:
        for n in faint_beside_changes(kinds, numbers, sources):
            marked[n] = 0
    grouped = _stretches_of(marked, numbers, is_exact=is_exact)
    merged = [max(several) for several in zip(*kinds, strict=True)]
    if kinds:
        plain = [max(several) for several in zip(*(layer.plain for layer in layers), strict=True)]
        strengths = [max(several) for several in zip(*(layer.strengths for layer in layers), strict=True)]
        grouped = without_echoes(grouped, merged, plain, strengths, edges_of(numbers, sources))
    boxes: list[tuple[int, int, Box | None]] = []
    for first, last in grouped:
        most = max(merged[first:last], default=SAME)
        box = _region(layers, first, last, is_plain=most == PLAIN)
        is_faint = bool(kinds) and most <= FAINT
        if is_faint and max(marked[first:last]) < FAINT_CELLS:
            continue  # encoders do not write the same bytes each time
        if box is not None or (is_exact and not is_faint):  # else here and there, as encoders have it
            boxes.append((first, last, box))
    is_sought = not _is_scaled(a, b) and (not is_exact or bool(kinds))
    is_edited = len(pairing.alignment.runs) > 1
    for first, last, box in _with_sustained(boxes, layers, is_sought=is_sought, is_edited=is_edited):
        start, end = numbers[first], numbers[last - 1] + 1
        times = (b.time(start), b.time(end), a.time(sources[first]), a.time(sources[last - 1] + 1))
        found.append(make_stretch("changed", times, (start, end - 1), box))
    return found, is_graded(layers, CUT_OUT_ROUGH if a.is_cut_out else SCALED_ROUGH if _is_scaled(a, b) else 1)


def _with_sustained(
    found: list[tuple[int, int, Box | None]], layers: Sequence[FilmLayer], *, is_sought: bool, is_edited: bool
) -> list[tuple[int, int, Box | None]]:
    """Add the small changes that last; what was found of one of them here and there is part of it."""
    luma = next((layer for layer in layers if layer.pictures.grid == GRID), None)
    if not is_sought or luma is None:
        return found
    told = {n for first, last, _ in found for n in range(first, last)}
    for one in find_sustained(luma, told, is_edited=is_edited):
        parts = [part for part in found if _is_part(part, one)]
        around = [part for part in found if part[0] <= one.first and one.last <= part[1] and _meets(part, one)]
        if around or any(part[1] - part[0] >= TOLD_SHARE * (one.last - one.first) for part in parts):
            continue  # that says it
        found = [part for part in found if part not in parts]
        first, last = min([one.first, *(part[0] for part in parts)]), max([one.last, *(part[1] for part in parts)])
        found.append((first, last, one.box))
    return sorted(found, key=lambda part: part[:2])


def _is_part(part: tuple[int, int, Box | None], one: Sustained) -> bool:
    """Tell whether what was found of single frames belongs to a change that lasts."""
    is_inside = one.first - BRIDGE_FRAMES <= part[0] and part[1] <= one.last + BRIDGE_FRAMES
    return is_inside and _meets(part, one)


def _meets(part: tuple[int, int, Box | None], one: Sustained) -> bool:
    return part[2] is not None and meets(part[2], one.box)


def _pictures(a: FilmSide, b: FilmSide) -> list[Pictures]:
    """List what there is of the frames: brightness, colour, opacity."""
    cuts = frozenset(a.video.cuts)
    found = [Pictures(GRID, LUMA_BYTES, a.luma, b.luma, cuts)]
    if a.colour and b.colour:
        found.append(Pictures(COLOUR_GRID, COLOUR_BYTES, a.colour, b.colour, cuts, is_colour=True))
    if a.alpha or b.alpha:
        opaque = b"\xff" * LUMA_BYTES
        found.append(Pictures(GRID, LUMA_BYTES, a.alpha or opaque * a.count, b.alpha or opaque * b.count, cuts))
    return found


def _pictures_of_part(a: FilmSide, b: FilmSide, framing: Framing) -> list[Pictures]:
    """List the same of the part that both show, in common cells."""
    found = []
    for one in _pictures(a, b):
        boxes = framing.old, framing.new
        shared = shared_cells((one.old, one.new), one.grid, boxes, has_bars=framing.has_bars)
        if shared is not None:
            width = shared.grid[0] * shared.grid[1] * one.width // (one.grid[0] * one.grid[1])
            found.append(structs.replace(one, grid=shared.grid, width=width, old=shared.old, new=shared.new,
                                         extent=shared.extent, ranges=shared.ranges))  # fmt: skip
    return found


def _layers(
    pictures: Sequence[Pictures], sources: Sequence[int], numbers: Sequence[int], *, is_scaled: bool
) -> list[FilmLayer]:
    """Compare pictures of frames; layers that are equal in every byte are left out."""

    def compared(*, is_anew: bool) -> list[FilmLayer]:
        found = (FilmLayer.of(one, sources, numbers, is_anew=is_anew) for one in pictures)
        return [layer for layer in found if layer is not None]

    layers = compared(is_anew=is_scaled)
    ways = {layer.is_exact for layer in layers}
    return layers if len(ways) < 2 else compared(is_anew=True)  # what was re-encoded was, in all that is compared


def _is_scaled(a: FilmSide, b: FilmSide) -> bool:
    return a.is_cut_out or (a.video.width, a.video.height) != (b.video.width, b.video.height)


def _stretches_of(marked: Sequence[int], numbers: Sequence[int], *, is_exact: bool) -> list[tuple[int, int]]:
    """Group marked frames that follow each other, as (first, behind the last) of `marked`.

    A short stretch with fewer than FEW_CELLS is what encoders make, unless all that differs `is_exact`.
    """
    found: list[tuple[int, int]] = []
    for n, count in enumerate(marked):
        if not count:
            continue
        end = found[-1][1] if found else -9
        if n - end <= BRIDGE_FRAMES and numbers[n] - numbers[end - 1] <= BRIDGE_FRAMES + 1:
            found[-1] = (found[-1][0], n + 1)
        else:
            found.append((n, n + 1))
    if is_exact:
        return found
    trimmed = [_trimmed(marked, first, last) for first, last in found]
    return [run for run in trimmed if run[1] - run[0] > SHORT_FRAMES or max(marked[run[0] : run[1]]) >= FEW_CELLS]


def _trimmed(marked: Sequence[int], first: int, last: int) -> tuple[int, int]:
    """Take from a stretch's ends what an encoder leaves in the frames beside it: little, next to much."""
    typical = sorted(marked[first:last])[(last - first) // 2]
    while last - first > 1 and marked[last - 1] < GHOST_SHARE * typical:
        last -= 1
    while last - first > 1 and marked[first] < GHOST_SHARE * typical:
        first += 1
    return first, last


def _region(layers: Sequence[FilmLayer], first: int, last: int, *, is_plain: bool) -> Box | None:
    """Return the part of the picture that differs in more than a few of the frames.

    The finer layers say it, unless a coarser one says that it is much larger: colours may differ where brightness
    does not.
    """
    box: Box | None = None
    for layer in layers:
        region = layer.region(first, last, is_plain=is_plain)
        if region is not None:
            box = region.box if box is None else together(box, region.box, layer.pictures.cells_across)
    return box


def _throughout(stretches: Sequence[MediaStretch], b: FilmSide) -> Box | None:
    """Return the part of the picture that differs from the beginning to the end, if one does."""
    changed = [stretch for stretch in stretches if stretch.kind == "changed" and stretch.box is not None]
    frames = sum(stretch.last - stretch.first + 1 for stretch in changed)
    if not changed or frames < THROUGHOUT * b.count or b.count < 5:
        return None
    boxes = [stretch.box for stretch in changed if stretch.box is not None]
    return (min(box[0] for box in boxes), min(box[1] for box in boxes), max(box[2] for box in boxes),
            max(box[3] for box in boxes))  # fmt: skip
