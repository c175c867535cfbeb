"""Merges the content of versions: reads the files that both sides changed, makes the merged ones.

Nothing is stored and nothing is changed here; `ThreeWayMerge.made` holds the new contents until somebody
stores them.
"""

import os
from collections.abc import Collection, Mapping
from contextlib import suppress

import msgspec

from aura_vcs.compare.diff.likeness import LOOK_BYTES_LIMIT
from aura_vcs.compare.merge.document_order import POINTER, count_again
from aura_vcs.compare.merge.file import MERGE_BYTES_LIMIT, MergedFile, merge_file, resolve_file
from aura_vcs.compare.merge.model import MixedPassage, TreeEntry
from aura_vcs.compare.merge.tree import ContentMerge, MergedTree, keep_both, merge_tree, resolve_tree
from aura_vcs.errors.compare import CompareError
from aura_vcs.history.merging.conflict_anchors import relocate_in_file
from aura_vcs.history.merging.conflicts import (
    FILE_WEIGHT_LIMIT,
    LIST_CAPACITY,
    OpenConflict,
    decode,
    dedupe,
    from_file_merge,
    from_tree_merge,
    merge_conflict_lists,
    weight,
)
from aura_vcs.history.merging.merge_bases import merge_bases
from aura_vcs.history.recording.tree_steps import files_of, for_comparison
from aura_vcs.ids import ObjectId, VersionId, blob_id
from aura_vcs.index.records import VersionRecord
from aura_vcs.layout import CONFLICTS
from aura_vcs.model import Entry, EntryKind
from aura_vcs.repository.repository import Repository

CROSSINGS_LIMIT = 20
"""Crossed lines below crossed lines that are joined; below that, the newest common version alone counts."""

Files = Mapping[str, TreeEntry]
ENDING = ".json"
WHOLE_FILE_WEIGHT = 2_048
"""About what the one question about two whole files weighs in the list."""
TOO_MUCH_OPEN = "not merged: so much of it would be left open that the list of open questions has no room for it"


class MergedContent(msgspec.Struct, frozen=True):
    """A file whose content comes from both sides; `by` is "fields", "timeline" or "text"."""

    path: str
    by: str
    mixed: tuple[MixedPassage, ...] = ()
    """Lines in which words of both sides stand."""


class MergeOutcome(msgspec.Struct, frozen=True):
    """The files of a merge, and what is left to decide, here and since earlier merges.

    `renamed` are those of our files that their side gave another name; `reasons` says of documents
    and texts that are kept twice why they were not merged.
    """

    files: dict[str, TreeEntry]
    conflicts: tuple[OpenConflict, ...]
    merged_files: tuple[MergedContent, ...]
    renamed: dict[str, str]
    reasons: dict[str, str]


def _pointer(item: OpenConflict) -> str:
    return item.field.pointer if item.field is not None else ""


class _Sides(msgspec.Struct, frozen=True):
    merged: MergedTree
    contents: dict[str, MergedFile]
    reasons: dict[str, str]


class ThreeWayMerge:
    """Merges versions of one project. Keep one for one merge: it remembers what it read and made."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._entries: dict[str, Entry] = {}
        self.made: dict[str, bytes] = {}
        """New contents by their ids."""

    def files(self, tree: ObjectId) -> dict[str, TreeEntry]:
        """Return the files of a tree, by path."""
        found = files_of(self._repo.trees, tree)
        self._entries.update((entry.id, entry) for entry in found.values())
        return for_comparison(found)

    def entry(self, file: TreeEntry) -> Entry:
        """Return the file as a tree holds it, without its name."""
        data = self.made.get(file.id)
        size = len(data) if data is not None else self._entries[file.id].size
        return Entry("", EntryKind(file.kind), ObjectId(file.id), size, file.executable)

    def common(self, ours: Collection[VersionId], theirs: VersionId, crossings: int = 0) -> dict[str, TreeEntry]:
        """Find the base of both sides: their common version, or where lines crossed, the merge of those.

        What the merged ones disagree on counts as it was before either; so nothing that was decided
        one way here and another way there passes for unchanged.
        """
        bases = merge_bases(self._repo, ours, theirs)
        if not bases:
            return {}
        files = self.files(bases[0].tree)
        if crossings >= CROSSINGS_LIMIT:
            return files
        seen = [bases[0].id]
        for other in bases[1:]:
            below = self.common(seen, other.id, crossings + 1)
            files = self._undecided(self._sides(below, files, self.files(other.tree), ("one", "other")))
            seen.append(other.id)
        return files

    def merge(self, ours: VersionRecord, theirs: VersionRecord, labels: tuple[str, str]) -> MergeOutcome:
        """Join two versions.

        Raises:
            ObjectMissing, ObjectCorrupt, RecordCorrupt.
        """
        three = self.common([ours.id], theirs.id), self.files(ours.tree), self.files(theirs.tree)
        known = [self._open(files) for files in three]
        for files in three:
            files.pop(CONFLICTS, None)
        found = self._sides(*three, labels)
        earlier = merge_conflict_lists(*known)
        asked = self._within_limit(found, weight(earlier), labels)
        found = self._keep_both(found, found.contents.keys() - asked.keys(), labels[1])
        files = dict(found.merged.entries)
        for path, file in found.contents.items():
            files[path] = self._keep_content(file.data or b"", files[path])
        self._count_again(three, files, asked, labels)
        conflicts = [item for items in asked.values() for item in items]
        conflicts += from_tree_merge(found.merged.conflicts, labels)
        waiting = self._relocated(earlier, {item.id for item in known[1]}, found.merged, files)
        joins = tuple(MergedContent(path, file.by, file.mixed) for path, file in sorted(found.contents.items()))
        renamed = {old: new for old, new in found.merged.from_ours.items() if old not in files and new in files}
        return MergeOutcome(files, dedupe([*waiting, *conflicts]), joins, renamed, found.reasons)

    def _count_again(
        self,
        three: tuple[dict[str, TreeEntry], ...],
        files: dict[str, TreeEntry],
        asked: dict[str, list[OpenConflict]],
        labels: tuple[str, str],
    ) -> None:
        """Give no two documents of a folder one number, unless that is a conflict; change the files and conflicts."""
        base, ours, theirs = three
        touched = [
            {path for path in base.keys() | side.keys() if base.get(path) != side.get(path)} for side in three[1:]
        ]
        folders = [{os.path.dirname(path) for path in paths if path.endswith(ENDING)} for paths in touched]
        for folder in folders[0] & folders[1]:
            inside = [self._documents(side, folder) for side in (base, ours, theirs, files)]
            places = {path: POINTER in {_pointer(item) for item in asked.get(path, ())} for path in inside[3]}
            numbers = count_again(*inside, is_open=any(places.values()))
            for path, data in numbers.files.items():
                files[path] = self._keep_content(data, files[path])
            for path in numbers.resolved & asked.keys():
                asked[path] = [item for item in asked[path] if _pointer(item) != POINTER]
            for path, conflict in numbers.asked.items():
                if not places[path]:
                    file = MergedFile(b"", "fields", (conflict,))
                    asked.setdefault(path, []).extend(from_file_merge(path, file, labels))

    def _documents(self, files: Files, folder: str) -> dict[str, bytes]:
        """Read the small documents that lie in a folder."""
        found = {}
        for path, file in files.items():
            if path.endswith(ENDING) and os.path.dirname(path) == folder and file.kind == "file":
                data = self._similarity_content(file.id)
                if data is not None:
                    found[path] = data
        return found

    def _within_limit(self, found: _Sides, taken: int, labels: tuple[str, str]) -> dict[str, list[OpenConflict]]:
        """List the open conflicts inside files, by path, within the list's room; the largest are left out first."""
        asked = {path: from_file_merge(path, file, labels) for path, file in found.contents.items()}
        weights = {path: weight(items) for path, items in asked.items()}
        room = LIST_CAPACITY - taken - weight(from_tree_merge(found.merged.conflicts, labels))
        total = sum(weights.values())
        for path in sorted(asked, key=lambda path: (-weights[path], path)):
            if weights[path] > FILE_WEIGHT_LIMIT or (weights[path] > WHOLE_FILE_WEIGHT and total > room):
                total += WHOLE_FILE_WEIGHT - weights[path]
                del asked[path]
        return asked

    def _keep_both(self, found: _Sides, paths: Collection[str], label: str) -> _Sides:
        """Replace the content merges of these files by both sides' files."""
        if not paths:
            return found
        joins = [join for join in found.merged.content_merges if join.path in paths]
        return _Sides(
            keep_both(found.merged, joins, label),
            {path: file for path, file in found.contents.items() if path not in paths},
            found.reasons | dict.fromkeys(paths, TOO_MUCH_OPEN),
        )

    def _relocated(
        self, items: list[OpenConflict], ours: set[str], merged: MergedTree, files: Files
    ) -> list[OpenConflict]:
        """Relocate conflicts of earlier merges to the places that they have in the files now."""
        by_path: dict[str, list[OpenConflict]] = {}
        for item in items:
            moved = merged.from_ours if item.id in ours else merged.from_theirs
            if item.tree is None:
                path = moved.get(item.path, item.path)
                by_path.setdefault(path, []).append(msgspec.structs.replace(item, path=path))
        found = [item for item in items if item.tree is not None]
        for path, waiting in by_path.items():
            file = files.get(path)
            found += (
                relocate_in_file(self._read(file), waiting) if file is not None and file.kind == "file" else waiting
            )
        return found

    def _open(self, files: Files) -> tuple[OpenConflict, ...]:
        entry = files.get(CONFLICTS)
        return decode(self._read(entry)) if entry is not None and entry.kind == "file" else ()

    def _sides(self, base: Files, ours: Files, theirs: Files, labels: tuple[str, str]) -> _Sides:
        merged = merge_tree(
            base, ours, theirs, ours_label=labels[0], theirs_label=labels[1], read=self._similarity_content
        )
        contents: dict[str, MergedFile] = {}
        apart: list[ContentMerge] = []
        reasons: dict[str, str] = {}
        for join in merged.content_merges:
            file = self._contents(join)
            if file.data is None:
                apart.append(join)
                reasons.update({join.path: file.reason} if file.reason else {})
            else:
                contents[join.path] = file
        return _Sides(keep_both(merged, apart, labels[1]), contents, reasons)

    def _contents(self, join: ContentMerge) -> MergedFile:
        sides = [side for side in (join.base, join.ours, join.theirs) if side is not None]
        if any(self.entry(side).size > MERGE_BYTES_LIMIT for side in sides):
            return MergedFile(None)
        base = self._read(join.base) if join.base is not None else None
        return merge_file(join.path, base, self._read(join.ours), self._read(join.theirs))

    def _undecided(self, found: _Sides) -> dict[str, TreeEntry]:
        """Return the files with every open conflict decided for the base."""
        merged = found.merged
        for conflict in merged.conflicts:
            if conflict in merged.conflicts and conflict.kind not in {"blocked", "renamed"}:
                merged = resolve_tree(merged, conflict.path, "base")
        files = dict(merged.entries)
        for path, file in found.contents.items():
            if path not in files:
                continue
            data = file.data or b""
            if file.conflicts or file.text_conflicts:
                with suppress(CompareError):  # what cannot be taken back stays as one side has it
                    data = resolve_file(data, file, "", "base").data or data
            files[path] = self._keep_content(data, files[path])
        return files

    def _similarity_content(self, content: str) -> bytes | None:
        """Read content that is small enough to be compared with other; None for other."""
        file = TreeEntry("file", content)
        return self._read(file) if self.entry(file).size <= LOOK_BYTES_LIMIT else None

    def _read(self, file: TreeEntry) -> bytes:
        data = self.made.get(file.id)
        return data if data is not None else self._repo.store.read(ObjectId(file.id))

    def _keep_content(self, data: bytes, like: TreeEntry) -> TreeEntry:
        object_id = blob_id(data)
        if object_id not in self._entries:
            self.made[object_id] = data
        return TreeEntry("file", object_id, like.executable)
