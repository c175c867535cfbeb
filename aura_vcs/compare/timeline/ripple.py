"""Telling what was shifted by hand from what only followed.

Walking along a track, a clip's offset is how much later it starts than it did. The offset
changes for a reason (something before it was trimmed, added, taken away) or because somebody
opened or closed a gap there. Clips that keep the offset of the one in front just followed.
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from aura_vcs.compare.timeline.changes import JITTER, TimelineChange
from aura_vcs.formats.timeline.model import Clip, Ticks, shown, spoken

RUNS_LIMIT = 3
"""Runs of equal offset on one track that are told apart; more are told as one."""


class ClipShift(Struct, frozen=True):
    """A clip that kept its place in the order, and the empty time before it on both sides."""

    label: str
    noun: str
    old: Clip
    new: Clip
    old_gap: Ticks
    new_gap: Ticks

    @property
    def offset(self) -> Ticks:
        """How much later it starts than it did."""
        return self.new.start - self.old.start


class _Run(Struct):
    """Clips one after another with the same offset, after the clip called `cause`."""

    cause: str
    offset: Ticks
    shifts: list[ClipShift]
    by_hand: bool


def ripples(
    tracks: Sequence[Sequence[ClipShift]], at: Callable[[Ticks], str] | None = None
) -> Iterator[TimelineChange]:
    """Yield shifts by hand, one per clip, and ripples, one per run; equal ripples of several tracks are one.

    `at` says where a time is on a timeline with a frame rate.
    """
    told: dict[tuple[Ticks, int], list[_Run]] = {}
    for shifts in tracks:
        runs = list(_runs(shifts))
        for run in runs:
            if run.by_hand:
                yield _by_hand(run.shifts[0], run.offset, at)
        followed = [run for run in (_followers(run) for run in runs) if run.shifts]
        if len(followed) > RUNS_LIMIT:
            yield _scattered(followed)
            continue
        for n, run in enumerate(followed):
            told.setdefault((run.offset, n), []).append(run)
    for (offset, _), runs in told.items():
        if not _only_begins_elsewhere(runs):
            yield _ripple(offset, runs)


def _only_begins_elsewhere(runs: list[_Run]) -> bool:
    """Tell whether a single clip starts at another time because its beginning was cut: a change of its own says so."""
    shifts = [shift for run in runs for shift in run.shifts]
    if len(shifts) != 1:
        return False
    old, new = shifts[0].old, shifts[0].new
    return abs(old.start + old.duration - new.start - new.duration) <= JITTER


def _runs(shifts: Sequence[ClipShift]) -> Iterator[_Run]:
    """Yield runs of nonzero offset. A run is by hand when the gap at its head is what changed."""
    run: _Run | None = None
    last = ""
    previous: Ticks = 0
    for shift in shifts:
        step = shift.offset - previous
        if abs(step) > JITTER:
            if run is not None and run.offset:
                yield run
            gap = abs(shift.new_gap - shift.old_gap) > JITTER
            run = _Run(last, shift.offset if abs(shift.offset) > JITTER else 0, [], gap)
            previous = shift.offset
        if run is not None:
            run.shifts.append(shift)
        last = shift.label
    if run is not None and run.offset:
        yield run


def _followers(run: _Run) -> _Run:
    if not run.by_hand:
        return run
    return _Run(run.shifts[0].label, run.offset, run.shifts[1:], by_hand=False)


def _by_hand(shift: ClipShift, offset: Ticks, at: Callable[[Ticks], str] | None) -> TimelineChange:
    text = f"shifted to start {_how(offset)}" + (f", at {at(shift.new.start)}" if at is not None else "")
    before, after = shift.old.start / 10**7, shift.new.start / 10**7
    places = shift.new.pointer, shift.old.pointer, shift.new.pointer
    return TimelineChange("shifted", shift.label, text, *places, before, after)


def _how(offset: Ticks) -> str:
    return f"{spoken(abs(offset))} {'later' if offset > 0 else 'earlier'}"


def _ripple(offset: Ticks, runs: list[_Run]) -> TimelineChange:
    count = sum(len(run.shifts) for run in runs)
    first = runs[0]
    noun = first.shifts[0].noun
    causes = {run.cause for run in runs}
    cause = first.cause if len(causes) == 1 and first.cause else ""
    subject = f"Everything after {_lower(cause, noun)}" if cause else f"Everything from {_head(first)} on"
    text = f"starts {_how(offset)} ({count:,} {noun}{'s' * (count != 1)})"
    if count == 1:
        alone = first.shifts[0]
        named = alone.noun == "scene" and alone.old.name
        subject = f'{alone.label} "{shown(alone.old.name)}"' if named else alone.label
        text = f"starts {_how(offset)}"
    return TimelineChange("ripple", subject, text, after=offset / 10**7, amount=count)


def _head(run: _Run) -> str:
    return _lower(run.shifts[0].label, run.shifts[0].noun)


def _lower(label: str, noun: str) -> str:
    return label[0].lower() + label[1:] if label and noun == "scene" else label


def _scattered(runs: list[_Run]) -> TimelineChange:
    count = sum(len(run.shifts) for run in runs)
    offsets = sorted(run.offset for run in runs)
    noun = runs[0].shifts[0].noun
    text = f"start at other times, from {_how(offsets[0])} to {_how(offsets[-1])}"
    return TimelineChange("ripple", f"{count:,} {noun}s", text, amount=count)
