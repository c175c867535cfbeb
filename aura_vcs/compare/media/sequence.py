"""Two versions of a sequence of pictures compared, frame by frame, as one thing."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

from aura_vcs.compare.media.words import where
from aura_vcs.formats.media.findings import Box, MediaDiff
from aura_vcs.formats.media.sequences import FrameSequence, Span, frames_words, spans

FrameKind = Literal["differs", "same", "unseen", "added", "removed", "moved"]
"""`same`: every pixel is, in other bytes. `unseen`: other content, which was not looked into."""
STRETCHES = 12
"""Stretches that are told one by one."""
MOVED_SHARE = 0.6
"""Where so many of the frames that changed are what others were, they were renumbered."""


class FrameStretch(Struct, frozen=True, omit_defaults=True):
    """Frames `first` to `last` of a sequence, by their numbers; of the old one where they were removed.

    `distance` is how different the most different one looks, from 0 to 1, `box` where in the picture, if only in a
    part of it. `was` is the number that the first one had where frames were moved.
    """

    kind: FrameKind
    first: int
    last: int
    distance: float = 0.0
    box: Box | None = None
    was: int = 0


class SequenceDiff(Struct, frozen=True):
    """What became of a sequence; `old` or `new` is None where it came or went. `lines` say it in words."""

    old: FrameSequence | None
    new: FrameSequence | None
    stretches: tuple[FrameStretch, ...]
    lines: tuple[str, ...]


class FrameChange(Struct, frozen=True):
    """A frame that is not alike in both versions: the ids of its contents, and what is known of the difference."""

    old: str = ""
    new: str = ""
    media: MediaDiff | None = None


def compare_sequences(
    old: FrameSequence | None, new: FrameSequence | None, changes: Mapping[int, FrameChange]
) -> SequenceDiff:
    """Describe what became of a sequence whose frames `changes` are not alike, by their numbers."""
    if old is None or new is None:
        return SequenceDiff(old, new, (), _described(old or new))
    moved = _moved(changes)
    told = sorted(number for number in changes if number not in moved)
    stretches = [*_moved_stretches(moved), *_stretches(told, changes)]
    stretches.sort(key=lambda stretch: (stretch.first, stretch.kind))
    lines = [*_header_lines(changes), *map(_words, stretches[:STRETCHES])]
    left = len(stretches) - STRETCHES
    if left > 0:
        lines.append(f"and in {left:,} more place{'s' * (left != 1)}")
    return SequenceDiff(old, new, tuple(stretches), (*lines, *_missing(new), *_problems(changes)))


def _described(one: FrameSequence | None) -> tuple[str, ...]:
    return tuple(_missing(one)) if one is not None else ()


def _missing(new: FrameSequence) -> list[str]:
    missing = new.missing
    if not missing:
        return []
    more = f" and {len(missing) - STRETCHES:,} more gaps" if len(missing) > STRETCHES else ""
    is_one = len(missing) == 1 and missing[0][0] == missing[0][1]
    return [f"{frames_words(missing[:STRETCHES])}{more} {'is' if is_one else 'are'} missing"]


def _moved(changes: Mapping[int, FrameChange]) -> dict[int, int]:
    """Return the old numbers of frames that are renumbered, where most are, and by the same amount."""
    places: dict[str, list[int]] = {}
    for number, change in changes.items():
        if change.old:
            places.setdefault(change.old, []).append(number)
    votes = Counter(
        number - was for number, change in changes.items() if change.new and change.new != change.old
        for was in places.get(change.new, ())
    )  # fmt: skip
    if not votes:
        return {}
    shift, count = votes.most_common(1)[0]
    if count < 2 or count < MOVED_SHARE * sum(bool(change.new) for change in changes.values()):
        return {}
    return {
        number: number - shift for number, change in changes.items()
        if change.new and number - shift in changes and changes[number - shift].old == change.new
    }  # fmt: skip


def _moved_stretches(moved: Mapping[int, int]) -> Iterator[FrameStretch]:
    for first, last in spans(sorted(moved)):
        yield FrameStretch("moved", first, last, was=moved[first])


def _kind(change: FrameChange) -> FrameKind:
    if not change.old:
        return "added"
    if not change.new:
        return "removed"
    media = change.media
    if media is None or not media.decoded or media.distance is None:
        return "unseen"
    return "differs" if media.distance else "same"


def _stretches(told: list[int], changes: Mapping[int, FrameChange]) -> Iterator[FrameStretch]:
    start = 0
    for n in range(1, len(told) + 1):
        if n < len(told) and told[n] == told[n - 1] + 1 and _kind(changes[told[n]]) == _kind(changes[told[start]]):
            continue
        frames = [changes[number] for number in told[start:n]]
        kind = _kind(frames[0])
        found = [frame.media for frame in frames if frame.media is not None] if kind == "differs" else []
        distance = max((one.distance or 0.0 for one in found), default=0.0)
        yield FrameStretch(kind, told[start], told[n - 1], distance, _around([one.box for one in found]))
        start = n


def _around(boxes: list[Box | None]) -> Box | None:
    """Return what is around all boxes; None where one picture differs as a whole."""
    known = [box for box in boxes if box is not None]
    if not known or len(known) < len(boxes):
        return None
    return (min(box[0] for box in known), min(box[1] for box in known),
            max(box[2] for box in known), max(box[3] for box in known))  # fmt: skip


def _words(one: FrameStretch) -> str:
    frames = frames_words([(one.first, one.last)])
    is_one = one.first == one.last
    if one.kind == "moved":
        before = frames_words([(one.was, one.was + one.last - one.first)])
        return f"{frames} {'is' if is_one else 'are'} {before} before"
    if one.kind in ("added", "removed"):
        return f"{frames} {'was' if is_one else 'were'} {one.kind}"
    if one.kind == "same":
        return f"{frames} look{'s' * is_one} the same"
    if one.kind == "unseen":
        return f"{frames} {'has' if is_one else 'have'} other content"
    place = f", {where(one.box)}" if one.box is not None else ""
    most = "" if is_one else "up to "
    shown = f"{max(one.distance, 0.001):.1%}" if one.distance < 0.02 else f"{one.distance:.0%}"
    return f"{frames} differ{'s' * is_one}{place} ({most}{shown})"


def _header_lines(changes: Mapping[int, FrameChange]) -> list[str]:
    """Say what is so of frames besides how they look: another size, another depth."""
    frames: dict[str, list[int]] = {}
    for number in sorted(changes):
        media = changes[number].media
        for line in media.lines if media is not None and changes[number].old and changes[number].new else ():
            if not line.startswith("looks "):
                frames.setdefault(line, []).append(number)
    told = []
    for line, numbers in list(frames.items())[:STRETCHES]:
        found: list[Span] = spans(numbers)
        some = f" and {len(found) - STRETCHES:,} more places" if len(found) > STRETCHES else ""
        told.append(f"{line}: {frames_words(found[:STRETCHES])}{some}")
    return told


def _problems(changes: Mapping[int, FrameChange]) -> list[str]:
    """Say once why frames were not looked into."""
    reasons: dict[str, list[int]] = {}
    for number in sorted(changes):
        media = changes[number].media
        if media is not None and media.problem:
            reasons.setdefault(media.problem, []).append(number)
    return [f"not looked into: {reason}: {frames_words(spans(numbers)[:STRETCHES])}" for reason, numbers in
            list(reasons.items())[:STRETCHES]]  # fmt: skip
