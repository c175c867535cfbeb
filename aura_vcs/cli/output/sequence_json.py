"""Sequences of pictures as JSON."""

from collections.abc import Mapping
from typing import Any

from aura_vcs.compare.media.sequence import FrameStretch
from aura_vcs.formats.media.findings import MediaDiff
from aura_vcs.formats.media.sequences import FrameSequence
from aura_vcs.history.diff.fold_sequences import SequenceChange, fold_sequences
from aura_vcs.history.diff.tree_diff import Comparison


def sequences_to_json(comparison: Comparison, media: Mapping[str, MediaDiff]) -> list[dict[str, Any]]:
    """Convert the sequences of a comparison; their files are among its changes, too."""
    return [
        {
            "path": one.path,
            "change": one.change,
            "old_path": one.old_path,
            "old": sequence_to_json(one.found.old),
            "new": sequence_to_json(one.found.new),
            "stretches": [_stretch_to_json(stretch) for stretch in one.found.stretches],
            "lines": list(one.found.lines),
        }
        for one in fold_sequences(comparison, media)
        if isinstance(one, SequenceChange)
    ]


def sequence_to_json(sequence: FrameSequence | None) -> dict[str, Any] | None:
    """Convert a sequence: how it is named, its first and last number, how many files there are, what is missing."""
    if sequence is None:
        return None
    return {
        "path": sequence.pattern,
        "first": sequence.numbers[0],
        "last": sequence.numbers[-1],
        "frames": len(sequence.numbers),
        "missing": [list(span) for span in sequence.missing],
    }


def _stretch_to_json(one: FrameStretch) -> dict[str, Any]:
    """Convert a stretch; `was` is null where frames are not renumbered, the box where there is none."""
    return {
        "kind": one.kind,
        "first": one.first,
        "last": one.last,
        "distance": one.distance if one.kind in ("differs", "same") else None,
        "box": list(one.box) if one.box is not None else None,
        "was": one.was if one.kind == "moved" else None,
    }
