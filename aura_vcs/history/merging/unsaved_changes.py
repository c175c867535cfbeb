"""Which unsaved changes of the folder a merge would write over."""

from collections.abc import Mapping, Sequence

from aura_vcs.ids import ObjectId
from aura_vcs.model import (
    Entry,
    EntryKind,
)
from aura_vcs.objects.trees import Difference


def is_folder_change(found: Difference) -> bool:
    """Tell whether what differs is a folder."""
    entry = found.new or found.old
    return entry is not None and entry.kind is EntryKind.DIR


def is_already_there(unsaved: Difference, changes: Mapping[str, Entry | None]) -> bool:
    """Tell whether the merge brings, at the path, just what the folder has already."""
    return unsaved.path in changes and content_of(unsaved.new) == content_of(changes[unsaved.path])


def overwritten_unsaved(unsaved: Sequence[str], changes: Mapping[str, Entry | None]) -> list[str]:
    """List the unsaved files that changes would overwrite: at the same path, above it or below it."""
    folders = {above for path in changes for above in _folders(path)}
    files = {path for path, entry in changes.items() if entry is not None}
    return [
        path
        for path in unsaved
        if path in changes or path in folders or any(above in files for above in _folders(path))
    ]


def _folders(path: str) -> list[str]:
    """List the folders that a path is in."""
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


def content_of(entry: Entry | None) -> tuple[EntryKind, ObjectId, bool] | None:
    """Return what an entry is, whatever its name."""
    return None if entry is None else (entry.kind, entry.id, entry.executable)
