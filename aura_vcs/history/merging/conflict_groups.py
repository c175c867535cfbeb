"""Open conflicts as they are decided: one at a time, or those of all frames of a sequence of pictures at once.

On disk each frame has a conflict of its own: frames may be decided one by one, too, by their paths.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from aura_vcs.formats.media.sequences import FrameSequence, find_sequences, frame_name
from aura_vcs.history.merging.conflicts import OpenConflict, sort

LEAST = 2
"""So many frames of a sequence are decided at once."""


class ConflictGroup(Struct, frozen=True):
    """What is decided at once: one conflict, or those of several frames, in their order."""

    items: tuple[OpenConflict, ...]
    sequence: FrameSequence | None = None

    @property
    def first(self) -> OpenConflict:
        """The only one, or that of the first frame."""
        return self.items[0]

    @property
    def path(self) -> str:
        """The file, or how the sequence of the frames is called."""
        return self.sequence.pattern if self.sequence is not None else self.first.path

    @property
    def location(self) -> str:
        """How a person names it: `brief.json#/tone`, `shot.[0012-0030].exr`."""
        return self.sequence.pattern if self.sequence is not None else self.first.location


def group_conflicts(items: Iterable[OpenConflict]) -> list[ConflictGroup]:
    """Return the conflicts as a person reads them, with frames of a sequence to which the same happened as one."""
    ordered = sort(items)
    alike: dict[tuple[str, str, str], dict[str, OpenConflict]] = {}
    for item in ordered:
        if item.tree is not None and frame_name(item.path) is not None:
            alike.setdefault((item.tree.kind, item.ours_label, item.theirs_label), {})[item.path] = item
    by_id: dict[str, ConflictGroup] = {}
    for by_path in alike.values():
        for one in find_sequences(by_path, LEAST):
            group = ConflictGroup(tuple(by_path[path] for path in map(one.path, one.numbers)), one)
            by_id.update((item.id, group) for item in group.items)
    found, told = [], set()
    for item in ordered:
        group = by_id.get(item.id) or ConflictGroup((item,))
        if group.first.id not in told:
            told.add(group.first.id)
            found.append(group)
    return found


def numbers_of(groups: Sequence[ConflictGroup]) -> dict[str, int]:
    """Return by the ids of conflicts the numbers by which `aura resolve` takes them; frames of a group share one."""
    return {item.id: number for number, group in enumerate(groups, 1) for item in group.items}
