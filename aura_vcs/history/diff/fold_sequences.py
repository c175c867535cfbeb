"""The changes of a comparison with sequences of pictures as one thing each."""

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from aura_vcs.compare.media.sequence import FrameChange, SequenceDiff, compare_sequences
from aura_vcs.formats.media.findings import MediaDiff
from aura_vcs.formats.media.sequences import FrameSequence, find_sequences, frame_name, moved_sequences
from aura_vcs.history.diff.tree_diff import Comparison, PathChange

FOLDED = ("added", "modified", "deleted")


class SequenceChange(Struct, frozen=True):
    """A sequence of which frames are not alike on both sides: added, modified, deleted or renamed, as a path is."""

    path: str
    """How the whole is named: `render/shot.[0001-0240].exr`."""
    change: str
    found: SequenceDiff
    changes: tuple[PathChange, ...]
    old_path: str | None = None


def fold_sequences(
    comparison: Comparison, media: Mapping[str, MediaDiff] | None = None
) -> list[PathChange | SequenceChange]:
    """Return the changes in their order, those of a sequence as one, where the first of them would be.

    A single frame of another content stays what it is: a file that was modified.
    """
    known = media or {}
    by_path = {change.path: change for change in comparison.changes if change.change in FOLDED}
    folded: dict[str, SequenceChange] = {}
    for folder, paths in _folders(by_path):
        before, now = comparison.files_in_old(folder), comparison.files_in_new(folder)
        for sequence in find_sequences({*before, *now, *paths}):
            changed = [number for number in sequence.numbers if sequence.path(number) in by_path]
            chosen = [by_path[sequence.path(number)] for number in changed]
            if not chosen or (len(chosen) == 1 and chosen[0].change == "modified"):
                continue
            one = _sequence_change(sequence, {*before}, {*now}, chosen, known)
            folded.update({change.path: one for change in chosen})
    folded |= _renamed(comparison.changes)
    found: list[PathChange | SequenceChange] = []
    told: set[str] = set()
    for change in comparison.changes:
        whole = folded.get(change.path)
        if whole is None:
            found.append(change)
        elif whole.path not in told:
            told.add(whole.path)
            found.append(whole)
    return found


def _renamed(changes: Sequence[PathChange]) -> dict[str, SequenceChange]:
    """Find sequences that were renamed as a whole, by the paths of their files."""
    by_path = {change.path: change for change in changes if change.change == "renamed"}
    found: dict[str, SequenceChange] = {}
    for old, new in moved_sequences({path: change.old_path or "" for path, change in by_path.items()}):
        chosen = tuple(by_path[new.path(number)] for number in new.numbers)
        if all(one.old is not None and one.new is not None and one.old.id == one.new.id for one in chosen):
            one = SequenceChange(new.pattern, "renamed", compare_sequences(old, new, {}), chosen, old.pattern)
            found.update({change.path: one for change in chosen})
    return found


def _folders(paths: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Group the paths that may be frames by their folders."""
    found: dict[str, list[str]] = {}
    for path in paths:
        if frame_name(path) is not None:
            found.setdefault(posixpath.dirname(path), []).append(path)
    return list(found.items())


def _sequence_change(
    sequence: FrameSequence, before: set[str], now: set[str], changes: Sequence[PathChange],
    media: Mapping[str, MediaDiff],
) -> SequenceChange:  # fmt: skip
    kinds = {change.path: change.change for change in changes}
    old = sequence.only(_numbers(sequence, lambda path: kinds.get(path) in ("modified", "deleted") or path in before))
    new = sequence.only(_numbers(sequence, lambda path: kinds.get(path) in ("modified", "added") or path in now))
    frames = {}
    for change in changes:
        name = frame_name(change.path)
        assert name is not None
        was, is_now = (side.id if side is not None else "" for side in (change.old, change.new))
        frames[name.number] = FrameChange(was, is_now, media.get(change.path))
    whole = new or old
    assert whole is not None
    kind = "added" if old is None else "deleted" if new is None else "modified"
    return SequenceChange(whole.pattern, kind, compare_sequences(old, new, frames), tuple(changes))


def _numbers(sequence: FrameSequence, is_in: Callable[[str], bool]) -> list[int]:
    return [number for number in sequence.numbers if is_in(sequence.path(number))]
