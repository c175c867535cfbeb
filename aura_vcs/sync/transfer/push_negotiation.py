"""What of this project a remote does not have: versions, and the objects they need."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter

import msgspec

from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.queries import VersionFilter
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import BranchEntry, Kind, Label, Tag
from aura_vcs.refs.merge import heads, merge_labels
from aura_vcs.repository.repository import Repository


class ObjectToSend(msgspec.Struct, frozen=True, gc=False):
    """An object that is to travel; `path` puts similar ones side by side."""

    id: ObjectId
    kind: Kind
    path: str


class OwnRefs(msgspec.Struct, frozen=True):
    """Branches and tags of this project, as they were read at one moment: a push is about these."""

    branches: Mapping[str, Sequence[BranchEntry]]
    tags: Mapping[str, Tag]

    def roots(self) -> list[VersionId]:
        """List the versions that branches and tags stand on, every head of a diverged branch among them."""
        found = [entry.version for entries in self.branches.values() for entry in heads(list(entries))]
        return list(dict.fromkeys(v for v in (*found, *(tag.version for tag in self.tags.values())) if v is not None))


def read_own_refs(repo: Repository) -> OwnRefs:
    """Read where branches and tags are."""
    branches = {name: repo.refs.branch_entries(name) for name in repo.refs.branches()}
    return OwnRefs(branches, repo.refs.all_tags())


def versions_to_push(repo: Repository, own: OwnRefs, *, all_versions: bool) -> list[VersionRecord]:
    """List the versions that a push carries, oldest first: the ancestry of branches and tags, or all."""
    queries = repo.queries
    found = queries.all_versions(VersionFilter(deleted=True))
    if not all_versions:
        wanted: set[VersionId] = set()
        for version in own.roots():
            if version not in wanted:
                wanted |= queries.ancestors(version)
        found = [record for record in found if record.id in wanted]
    return sorted(found, key=attrgetter("number", "id"))


def deleted_but_referenced(repo: Repository, own: OwnRefs, labels: Mapping[VersionId, Label]) -> set[VersionId]:
    """Deleted versions that a branch or tag stands on all the same, and that are here: they travel whole.

    Whoever took a version back did not know that others had gone there: their branch stays on it.
    """
    queries, found = repo.queries, set[VersionId]()
    for version in own.roots():
        label = labels.get(version)
        if label is not None and not label.is_live and label.purged_at is None:
            record = queries.version(version)
            if record is not None and repo.store.contains(record.tree):
                found.add(version)
    return found


def own_labels(repo: Repository) -> dict[VersionId, Label]:
    """Map every version here to its label, merged from its copies."""
    merged: dict[VersionId, Label] = {}
    for label in repo.refs.all_labels():
        known = merged.get(label.version)
        merged[label.version] = label if known is None else merge_labels(known, label)
    return merged


class MissingObjects:
    """Collects what a remote lacks. `has` says whether it has an object."""

    def __init__(self, repo: Repository, has: Callable[[ObjectId], bool]) -> None:
        self._repo = repo
        self._has = has
        from aura_vcs.objects.graph import TreeVisit, Walk  # most often nothing is missing

        self._walk, self._visit = Walk(repo.graph), TreeVisit
        self.needed: dict[ObjectId, ObjectToSend] = {}

    def complete(self, trees: Iterable[ObjectId]) -> None:
        """Note that the remote has these trees and everything below them."""
        self._walk.seen.update(trees)

    def version(self, record: VersionRecord, base: ObjectId | None, *, content: bool) -> None:
        """Add a version that is to be there, with its content or without; `base` is a tree that is complete.

        Raises:
            ObjectMissing, ObjectCorrupt: this project is damaged.
        """
        self._need(record.id, Kind.VERSION, "version")
        if content:
            for folder in self._walk.below(self._visit(record.tree, base=base)):
                self._need(folder.id, Kind.TREE, folder.path or "/")
                for path, entry in folder.files():
                    self._blob(entry.id, path)

    def _need(self, object_id: ObjectId, kind: Kind, path: str) -> None:
        if object_id not in self.needed and not self._has(object_id):
            self.needed[object_id] = ObjectToSend(object_id, kind, path)

    def _blob(self, blob: ObjectId, path: str) -> None:
        self._need(blob, Kind.BLOB, path)
        for chunk in self._repo.graph.chunks(blob):
            self._need(chunk, Kind.CHUNK, path)


def negotiate(
    repo: Repository,
    records: Sequence[VersionRecord],
    there: Iterable[VersionId],
    live: Callable[[VersionRecord], bool],
    has: Callable[[ObjectId], bool],
) -> MissingObjects:
    """Find what `records` (oldest first) need on a remote where the versions `there` are whole."""
    found = MissingObjects(repo, has)
    whole = set(there)
    trees = {record.id: record.tree for record in records}
    found.complete([record.tree for record in records if record.id in whole])
    for record in records:
        if record.id in whole:
            continue
        base = next((trees[parent] for parent in record.parents if parent in whole and parent in trees), None)
        wanted = live(record)
        found.version(record, base, content=wanted)
        if wanted:
            whole.add(record.id)
    return found
