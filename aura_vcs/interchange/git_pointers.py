"""Pointers of Git LFS that came in place of their content."""

from collections.abc import Iterable

from aura_vcs.errors import AuraError
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.interchange.git_objects import LFS_POINTER_LIMIT, parse_pointer
from aura_vcs.model import EntryKind
from aura_vcs.repository.repository import Repository

SMALLEST_BYTES = 100
"""A pointer is not shorter: its version, SHA-256 and size."""


def has_pointers(repo: Repository, versions: Iterable[VersionId]) -> bool:
    """Tell whether any of the versions has a pointer of Git LFS as a file. What cannot be read is passed over."""
    seen: set[ObjectId] = set()
    for version in versions:
        record = repo.queries.version(version)
        try:
            for _, entry in repo.trees.walk(record.tree) if record is not None and record.is_live else ():
                is_new = entry.kind is EntryKind.FILE and entry.id not in seen
                if is_new and SMALLEST_BYTES <= entry.size < LFS_POINTER_LIMIT:
                    seen.add(entry.id)
                    if parse_pointer(repo.store.read(entry.id)) is not None:
                        return True
        except AuraError:
            continue
    return False
