"""Is a file newer on a remote than here? Asked when it is locked: who edits an old one works in vain.

Looks at what every branch of the remote stands on, also at versions that were not fetched yet: of
those only what is needed comes, the version objects and the trees on the way to the path.
"""

from collections.abc import Sequence

import msgspec

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.model import Entry, EntryKind, Tree, Version
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.objects.graph import ancestry
from aura_vcs.objects.trees import find_entry
from aura_vcs.refs.merge import heads
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.state.reader import RemoteReader
from aura_vcs.sync.state.snapshot import RemoteSnapshot


class NewerVersion(msgspec.Struct, frozen=True):
    """A version that a branch of the remote stands on, that is not ours, and that has the path otherwise."""

    path: str
    branch: str
    version: VersionId
    number: int
    name: str
    author: str


class RemoteBranches:
    """Versions and trees, from here where they are here, else from the remote."""

    def __init__(self, repo: Repository, snapshot: RemoteSnapshot) -> None:
        self._repo = repo
        self._snapshot = snapshot
        self._reader: RemoteReader | None = None
        self._ours: set[VersionId] | None = None
        self._known: dict[VersionId, Version] = {}

    def newer_versions(self, paths: Sequence[str]) -> tuple[NewerVersion, ...]:
        """List where the remote has changed the paths since our version: one entry per branch and path.

        A version whose content cannot be read (it was purged, or is damaged) says nothing.

        Raises:
            RemoteUnreachable: the connection went.
        """
        found = []
        for branch, entries in self._snapshot.manifest.branches.items():
            for tip in {entry.version for entry in heads(entries) if entry.version is not None}:
                if tip in self.ours:
                    continue
                try:
                    found += [self._newer(path, branch, tip) for path in paths if self._has_changed(path, tip)]
                except (IntegrityError, RemoteCorrupt):
                    continue
        return tuple(sorted(found, key=lambda item: (item.path, item.branch, item.number)))

    def has(self, path: str) -> bool:
        """Tell whether some branch of the remote has the path."""
        tips = [tip.version for entries in self._snapshot.manifest.branches.values() for tip in heads(entries)]
        try:
            return any(self.entry(tip, path) is not None for tip in tips if tip is not None)
        except (IntegrityError, RemoteCorrupt):
            return False

    @property
    def ours(self) -> set[VersionId]:
        """The versions that ours is built on, itself included."""
        if self._ours is None:
            head = self._repo.head().version
            self._ours = self._repo.queries.ancestors(head) if head is not None else set()
        return self._ours

    def _has_changed(self, path: str, tip: VersionId) -> bool:
        there = _content(self.entry(tip, path))
        before = [_content(self.entry(version, path)) for version in self._common(tip)]
        head = self._repo.head().version
        now = _content(self.entry(head, path)) if head is not None else None
        return there != now and there not in before

    def _common(self, tip: VersionId) -> list[VersionId]:
        """Find the newest versions that both `tip` and ours are built on."""
        every = ancestry([tip], lambda version: () if version in self.ours else self.version(version).parents)
        return [version for version in every if version in self.ours]

    def _newer(self, path: str, branch: str, tip: VersionId) -> NewerVersion:
        version = self.version(tip)
        return NewerVersion(path, branch, tip, version.number, version.name, version.author)

    def entry(self, version: VersionId, path: str) -> Entry | None:
        """Return the entry that a version has at the path; None where it has none."""
        return find_entry(self._tree, self.version(version).tree, path)

    def version(self, version: VersionId) -> Version:
        """Read a version object."""
        if version not in self._known:
            here = self._repo.store.contains(version)
            self._known[version] = self._repo.trees.version(version) if here else self.reader.version(version)
        return self._known[version]

    @property
    def reader(self) -> RemoteReader:
        """Reads the remote; the footers of its packs come when it is asked for first."""
        if self._reader is None:
            self._reader = RemoteReader(self._snapshot, self._snapshot.table(self._repo))
        return self._reader

    def _tree(self, tree: ObjectId) -> Tree:
        here = tree == EMPTY_TREE_ID or self._repo.store.contains(tree)
        return self._repo.trees.tree(tree) if here else self.reader.tree(tree)


def _content(entry: Entry | None) -> tuple[EntryKind, ObjectId] | None:
    return None if entry is None else (entry.kind, entry.id)
