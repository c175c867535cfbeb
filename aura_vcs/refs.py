"""Refs: small JSON files that say where things are, each merging with its copies.

A ref only ever moves forward: a branch entry by its counter, a label and a tag by stamps. So
writing one again is harmless, two copies of a project folder merge file by file, and a
"conflicted copy" that a sync tool left beside a ref is read like any other entry.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from aura_vcs import layout
from aura_vcs.codec import decode_record, encode_record, from_plain, to_plain
from aura_vcs.errors import AuraError, RecordCorrupt
from aura_vcs.ids import ReplicaId, VersionId, is_object_id
from aura_vcs.model import BranchEntry, Label, RefChange, Tag
from aura_vcs.storage.base import Deletable

T = TypeVar("T")

_STAMPED = ("name", "description", "important")
_DELETION = ("deleted_at", "deleted_by")
_PURGE = ("purged_at", "purged_by", "purge_reason")


def merge_labels(ours: Label, theirs: Label) -> Label:
    """One label out of two copies: per field, the higher stamp wins. Commutes; idempotent."""
    changes: dict[str, Any] = {}
    stamps = dict(ours.stamps)
    for field, stamp in theirs.stamps.items():
        if stamp > ours.stamps.get(field, (0, ReplicaId(""))):
            stamps[field] = stamp
            for name in fields_of_stamp(field):
                changes[name] = getattr(theirs, name)
    newest = max(ours, theirs, key=lambda label: (label.updated_at or "", label.updated_by or ""))
    return msgspec.structs.replace(
        ours, **changes, stamps=stamps, updated_at=newest.updated_at, updated_by=newest.updated_by
    )


def fields_of_stamp(stamp: str) -> Sequence[str]:
    """The fields that change together under one stamp."""
    if stamp == "deleted":
        return _DELETION
    if stamp == "purged":
        return _PURGE
    return (stamp,) if stamp in _STAMPED else ()


def stamp_label(label: Label, replica: ReplicaId, at: str, by: str, **changes: Any) -> Label:
    """The label with fields changed by this replica, stamped above every stamp it has."""
    counter = max((count for count, _ in label.stamps.values()), default=0) + 1
    stamps = dict(label.stamps)
    for field in changes:
        name = "deleted" if field in _DELETION else "purged" if field in _PURGE else field
        stamps[name] = (counter, replica)
    return msgspec.structs.replace(label, **changes, stamps=stamps, updated_at=at, updated_by=by)


def heads(entries: Iterable[BranchEntry]) -> list[BranchEntry]:
    """The entries that no other entry has seen: one, or several where machines diverged."""
    entries = list(entries)
    return [
        entry
        for entry in entries
        if not any(other.seen.get(entry.replica, -1) >= entry.counter for other in entries if other is not entry)
        and not any(other.replica == entry.replica and other.counter > entry.counter for other in entries)
    ]


class Refs:
    """The refs of one project."""

    def __init__(self, storage: Deletable) -> None:
        self._storage = storage

    def branches(self) -> list[str]:
        """Names of branches that have an entry, sorted; deleted ones too."""
        return sorted(_decoded(self._storage.list(layout.BRANCHES)))

    def branch_entries(self, branch: str) -> list[BranchEntry]:
        """Every readable entry, conflicted copies included."""
        folder = layout.branch_folder(branch)
        return [
            entry
            for name in self._storage.list(folder)
            if name.endswith(".json") and (entry := self._load(f"{folder}/{name}", BranchEntry)) is not None
        ]

    def tags(self) -> dict[str, Tag]:
        """Tags that stand on a version, by name."""
        return {name: tag for name, tag in self.all_tags().items() if tag.version is not None}

    def all_tags(self) -> dict[str, Tag]:
        """Tags by name, deleted ones too; of conflicted copies the highest stamp."""
        found: dict[str, Tag] = {}
        for file in self._storage.list(layout.TAGS):
            if not file.endswith(".json"):
                continue
            tag = self._load(f"{layout.TAGS}/{file}", Tag)
            names = _decoded([_base_name(file)])
            if tag is None or not names:
                continue
            name = names[0]
            if name not in found or tag.stamp > found[name].stamp:
                found[name] = tag
        return dict(sorted(found.items()))

    def tag(self, name: str) -> Tag | None:
        """The tag as this machine's file has it, deleted or not."""
        return self._load(layout.tag_ref(name), Tag)

    def label(self, version: VersionId) -> Label | None:
        """The version's label, None if there is none. See `labels_in` for conflicted copies."""
        return self._load(layout.version_ref(version), Label)

    def label_files(self) -> list[str]:
        """File names in `refs/versions`."""
        return self._storage.list(layout.VERSIONS)

    def label_in(self, file: str) -> Label | None:
        """The label in a file of `refs/versions`, whatever a sync tool called it; None if unreadable."""
        label = self._load(f"{layout.VERSIONS}/{file}", Label)
        return label if label is not None and is_object_id(label.version) else None

    def merged_label_in(self, file: str) -> Label | None:
        """The label in a file, merged with the one under its proper name (it may be a conflicted copy)."""
        label = self.label_in(file)
        if label is None or file == f"{label.version}.json":
            return label
        proper = self.label(label.version)
        return label if proper is None else merge_labels(proper, label)

    def apply(self, changes: dict[str, RefChange]) -> None:
        """Bring every changed ref to where an operation put it, or leave it where it is further on.

        Idempotent: recovery applies the operations of a log again and again.
        """
        for name, change in changes.items():
            if change.after is not None:
                self._advance(name, change.after)

    def _advance(self, name: str, after: Any) -> None:
        path = f"{layout.REFS}/{name}.json"
        room = name.split("/", 1)[0]
        if room == "branches":
            entry = from_plain(after, BranchEntry, path)
            current = self._load(path, BranchEntry)
            if current is None or current.counter < entry.counter:
                self._storage.put(path, encode_record(entry))
        elif room == "versions":
            label = from_plain(after, Label, path)
            known = self._load(path, Label)
            merged = label if known is None else merge_labels(known, label)
            if merged != known:
                self._storage.put(path, encode_record(merged))
        elif room == "tags":
            tag = from_plain(after, Tag, path)
            standing = self._load(path, Tag)
            if standing is None or standing.stamp < tag.stamp:
                self._storage.put(path, encode_record(tag))
        else:
            raise RecordCorrupt(path, "no such kind of ref")

    def _load(self, path: str, shape: type[T]) -> T | None:
        """The record, None if the file is absent or unreadable; fsck reports the latter."""
        try:
            return decode_record(self._storage.read(path), shape, path)
        except (FileNotFoundError, RecordCorrupt):
            return None

    def damaged(self) -> list[RecordCorrupt]:
        """Ref files that cannot be read."""
        problems = []
        for path, shape in self._all_files():
            try:
                decode_record(self._storage.read(path), shape, path)
            except RecordCorrupt as error:
                problems.append(error)
            except (FileNotFoundError, AuraError):
                continue
        return problems

    def _all_files(self) -> list[tuple[str, type[Any]]]:
        files: list[tuple[str, type[Any]]] = []
        for branch in self._storage.list(layout.BRANCHES):
            folder = f"{layout.BRANCHES}/{branch}"
            files += [(f"{folder}/{n}", BranchEntry) for n in self._storage.list(folder)]
        files += [(f"{layout.TAGS}/{n}", Tag) for n in self._storage.list(layout.TAGS)]
        files += [(f"{layout.VERSIONS}/{n}", Label) for n in self._storage.list(layout.VERSIONS)]
        return [(path, shape) for path, shape in files if path.endswith(".json")]


def branch_change(name: str, before: BranchEntry | None, after: BranchEntry) -> tuple[str, RefChange]:
    """An operation's record of a branch entry that moved."""
    ref = layout.branch_ref(name, after.replica).removeprefix(f"{layout.REFS}/").removesuffix(".json")
    return ref, RefChange(None if before is None else to_plain(before), to_plain(after))


def label_change(before: Label | None, after: Label) -> tuple[str, RefChange]:
    """An operation's record of a label that changed."""
    return f"versions/{after.version}", RefChange(None if before is None else to_plain(before), to_plain(after))


def tag_change(name: str, before: Tag | None, after: Tag) -> tuple[str, RefChange]:
    """An operation's record of a tag that changed."""
    ref = layout.tag_ref(name).removeprefix(f"{layout.REFS}/").removesuffix(".json")
    return ref, RefChange(None if before is None else to_plain(before), to_plain(after))


def _base_name(file: str) -> str:
    """The name before what sync tools add: "x (conflicted copy …).json", "x.sync-conflict-….json"."""
    return file.removesuffix(".json").split(" (", 1)[0].split(".sync-conflict", 1)[0]


def _decoded(names: Sequence[str]) -> list[str]:
    found = []
    for name in names:
        try:
            found.append(layout.decode_name(name))
        except RecordCorrupt:
            continue  # not ours; fsck mentions it
    return found
