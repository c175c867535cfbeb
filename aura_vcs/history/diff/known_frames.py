"""What the entries of sequences have of the frames that a comparison is about."""

import posixpath
from collections.abc import Iterable, Sequence

from msgspec import Struct

from aura_vcs.formats.media.index_entry import NoEntryError
from aura_vcs.formats.media.sequence_entry import FrameEntry, NumberedContent, SequenceEntry
from aura_vcs.formats.media.sequences import FrameSequence, find_sequences, frame_name
from aura_vcs.history.diff.tree_diff import Comparison, PathChange
from aura_vcs.history.media_index.sequences import find_sequence
from aura_vcs.history.media_index.store import MediaIndexStore
from aura_vcs.ids import ObjectId

DETAILED = 100
"""Where more frames of a sequence changed, its entries are enough: they are not read one by one."""


class _Sides(Struct):
    """The frames of a sequence in both versions, and their entries as far as there are any."""

    old: list[NumberedContent]
    new: list[NumberedContent]
    entries: list[SequenceEntry] = []


class KnownFrames:
    """Frames of the sequences among changes, by content. Entries that can be made without decoding are made."""

    def __init__(self, comparison: Comparison, index: MediaIndexStore, changes: Sequence[PathChange]) -> None:
        self._comparison = comparison
        self._index = index
        self._sequences: list[_Sides] = []
        self._by_content: dict[str, _Sides] = {}
        by_path = {one.path: one for one in changes if one.change != "renamed" and frame_name(one.path) is not None}
        folders: dict[str, list[str]] = {}
        for path in by_path:
            folders.setdefault(posixpath.dirname(path), []).append(path)
        for folder, paths in folders.items():
            for sequence in find_sequences(
                {*comparison.files_in_old(folder), *comparison.files_in_new(folder), *paths}
            ):
                chosen = [by_path[path] for path in map(sequence.path, sequence.numbers) if path in by_path]
                if chosen and self._is_needed(chosen):
                    self._add(sequence, by_path)
        self.look()

    def get(self, content: str) -> FrameEntry | None:
        """Return what a sequence's entry has of a frame; None where no sequence has it."""
        sides = self._by_content.get(content)
        for whole in list(sides.entries) if sides is not None else ():
            try:
                found = whole.frame(content)
            except NoEntryError:
                self._index.forget(ObjectId(whole.entry.head.content))
                if sides is not None:
                    sides.entries.remove(whole)
                continue
            if found is not None and not found.head.problem:
                return found
        return None

    def look(self) -> None:
        """Find the entries that are there, or can be made of what is known by now."""
        for sides in self._sequences:
            old = find_sequence(self._index, sides.old, sides.entries)
            new = find_sequence(self._index, sides.new, [old] if old is not None else sides.entries)
            if old is None and new is not None:
                old = find_sequence(self._index, sides.old, [new])
            sides.entries = [one for one in (old, new) if one is not None]

    def _is_needed(self, changes: Iterable[PathChange]) -> bool:
        """Tell whether frames are not known one by one, or so many changed that this would take long."""
        contents = [side.id for change in changes for side in (change.old, change.new) if side is not None]
        return len(contents) > 2 * DETAILED or not all(map(self._index.has, contents))

    def _add(self, sequence: FrameSequence, by_path: dict[str, PathChange]) -> None:
        folder = posixpath.dirname(sequence.prefix)
        before, now = self._comparison.files_in_old(folder), self._comparison.files_in_new(folder)
        old: list[NumberedContent] = []
        new: list[NumberedContent] = []
        for number in sequence.numbers:
            path = sequence.path(number)
            change = by_path.get(path)
            was = change.old.id if change is not None and change.old is not None else before.get(path, "")
            if was:
                old.append((number, was))
            if change is not None and change.new is not None:
                new.append((number, change.new.id))
            elif change is None and path in now:
                new.append((number, now[path] or was))
        sides = _Sides(old, [] if any(not content for _, content in new) else new)
        self._sequences.append(sides)
        self._by_content.update({content: sides for _, content in (*old, *new)})
