"""What each side of a merge changed in frames of a sequence that both changed, in words."""

from collections.abc import Iterator, Mapping

from aura_vcs.compare.media.sequence import FrameChange, compare_sequences
from aura_vcs.formats.media.sequences import frame_name
from aura_vcs.history.merging.conflict_groups import ConflictGroup
from aura_vcs.history.merging.media_changes import MediaSides


def sequence_sides(group: ConflictGroup, media: Mapping[str, MediaSides]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield `ours` and `theirs` with what became of the frames; `media` is by the ids of their conflicts."""
    for side in ("ours", "theirs"):
        changes = {}
        for item in group.items:
            name, tree, known = frame_name(item.path), item.tree, media.get(item.id)
            if name is None or tree is None or tree.base is None:
                continue
            new = tree.ours if side == "ours" else tree.theirs
            found = None if known is None else known.ours if side == "ours" else known.theirs
            if new is not None:
                changes[name.number] = FrameChange(tree.base.id, new.id, found)
        if changes:
            yield side, compare_sequences(group.sequence, group.sequence, changes).lines
