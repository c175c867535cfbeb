"""Who made and changed files of the project, and when: the audit trail of scenes and assets.

A file carries no name. What versions recorded of its path tells who made it and who changed it last;
what was changed since the version the folder is at was changed by whoever works here.
"""

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.ids import ObjectId, blob_id
from aura_vcs.index.queries import RecordedChange
from aura_vcs.model import EntryKind
from aura_vcs.project.documents.folder_index import format_time_ns
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.plain_files import open_below

HASHED_BYTES = 1 << 20
"""A larger file of the size that its version has is taken for unchanged here."""


class FileOrigin(msgspec.Struct, frozen=True):
    """When a file was made and last changed, and by whom."""

    created_at: str
    created_by: str
    updated_at: str
    modified_by: str


class FileAudit:
    """Answers for the files of one project, as they lie in the folder now."""

    def __init__(self, repo: Repository) -> None:
        self._repo, self._queries = repo, repo.queries
        version = repo.head().version
        record = self._queries.version(version) if version is not None else None
        self._tree: ObjectId | None = None if record is None else record.tree
        self._first: RecordedChange | None = None

    def of(self, path: str, stamp: str) -> FileOrigin:
        """Return the audit of the file at `path`; `stamp` is its row's: nanoseconds and size."""
        mtime_ns, _, size = stamp.partition(".")
        written = format_time_ns(int(mtime_ns))
        changes = self._queries.path_changes(path)
        is_versioned, is_changed = self._compared(path, int(size))
        if is_versioned and not (changes and changes[0].change == "added"):
            changes = [self._oldest(), *changes]
        if not changes:
            return FileOrigin(written, self._repo.author, written, self._repo.author)
        first, last = changes[0], changes[-1]
        if is_changed:
            return FileOrigin(first.at, first.author, max(written, last.at), self._repo.author)
        return FileOrigin(first.at, first.author, last.at, last.author)

    def _compared(self, path: str, size: int) -> tuple[bool, bool]:
        """Tell whether the version that the folder is at has the file, and whether the file differs from that."""
        entry = self._repo.trees.entry(self._tree, path) if self._tree is not None else None
        if entry is None or entry.kind is not EntryKind.FILE:
            return False, True
        if entry.size != size or size > HASHED_BYTES:
            return True, entry.size != size
        try:
            with open(open_below(self._repo.root, path), "rb") as file:
                return True, blob_id(file.read(HASHED_BYTES + 1)) != entry.id
        except (OSError, AuraError):
            return True, False

    def _oldest(self) -> RecordedChange:
        """Return the first version: what it brought is not listed path by path."""
        if self._first is None:
            self._first = self._queries.first_version()
        return self._first
