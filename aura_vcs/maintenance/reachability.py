"""What is in use, found without the index: from refs, HEAD, unfinished work and the operation log."""

from collections.abc import Iterable, Iterator, Set

import msgspec

from aura_vcs.annotations.recipes import needed_inputs
from aura_vcs.errors.integrity import IntegrityError, ObjectMissing
from aura_vcs.history.recording.journal import read_pending
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.queries import describe_numbered
from aura_vcs.model import Label, Operation
from aura_vcs.objects.graph import Holdings
from aura_vcs.repository.repository import Repository


class Reachable(msgspec.Struct):
    """What of some objects is in use: held `by_refs`, or only `revertible`, because it could still be wanted back.

    `damaged` are trees that could not be read, with the reason: what they hold is not known.
    """

    by_refs: set[ObjectId]
    revertible: set[ObjectId]
    damaged: dict[ObjectId, str]


class Marker:
    """Finds which of `wanted` can be reached; every tree is opened once.

    Memory grows with the trees there are and with what is wanted, not with the files.
    """

    def __init__(self, repo: Repository, wanted: Set[ObjectId]) -> None:
        self._repo = repo
        self._wanted = wanted
        self._opened: set[ObjectId] = set()
        self._chunked = repo.queries.chunked()
        self.found: set[ObjectId] = set()
        self.damaged: dict[ObjectId, str] = {}

    def mark(self, objects: Iterable[ObjectId]) -> None:
        """Mark objects that are reachable on their own."""
        self.found |= self._wanted & set(objects)

    def mark_blobs(self, blobs: Iterable[ObjectId]) -> None:
        """Mark contents, with the chunks that they are kept in."""
        for blob in blobs:
            self.mark([blob])
            if blob in self._chunked:
                self._chunked.remove(blob)
                self._mark_chunks(blob)

    def mark_version(self, version: VersionId, *, content: bool) -> None:
        """Mark a version, and with `content` its tree."""
        self.mark([version])
        if not content:
            return
        try:
            tree = self._repo.trees.version(version).tree
        except IntegrityError as error:
            self.damaged[version] = error.message
            return
        self.mark_tree(tree)

    def mark_tree(self, tree: ObjectId) -> None:
        """Mark a tree and everything below it."""
        waiting = [tree]
        while waiting:
            current = waiting.pop()
            if current in self._opened:
                continue
            self._opened.add(current)
            self._repo.progress.advance(1)
            try:
                children = list(self._repo.trees.children(current))
            except IntegrityError as error:
                self.damaged[current] = error.message
                children = []
            self.mark([current, *[child for child, _ in children]])
            for child, is_tree in children:
                if is_tree:
                    waiting.append(child)
                elif child in self._chunked:
                    self._chunked.remove(child)
                    self._mark_chunks(child)

    def _mark_chunks(self, blob: ObjectId) -> None:
        try:
            self.mark(self._repo.store.chunk_ids(blob))
        except (IntegrityError, FileNotFoundError) as error:
            self.damaged[blob] = str(error)


def find_reachable(repo: Repository, cutoff: str, wanted: Set[ObjectId]) -> Reachable:
    """Find which of `wanted` are in use; what was deleted or done since `cutoff` could still be wanted back."""
    repo.progress.start("Checking what is in use", None, "folders")
    walker = Marker(repo, wanted)
    labels = all_labels(repo)
    for label in labels.values():
        live = label.deleted_at is None and label.purged_at is None
        walker.mark_version(label.version, content=live)
    head = repo.head().version
    for version in _named_versions(repo):
        gone = version in labels and labels[version].purged_at is not None
        walker.mark_version(version, content=not gone or (version == head and _is_here(repo, version)))
    keeper = Marker(repo, wanted)
    for label in labels.values():
        dates = [date for date in (label.deleted_at, label.purged_at) if date is not None]
        if dates and max(dates) >= cutoff:
            keeper.mark_version(label.version, content=True)
    keeper.mark(repo.refs.checkpoint_objects())
    keeper.mark_blobs(needed_inputs(repo))
    for tree in undoable_trees(repo, cutoff):
        keeper.mark_tree(tree)
    repo.progress.finish()
    return Reachable(walker.found, keeper.found, walker.damaged)


def all_labels(repo: Repository) -> dict[VersionId, Label]:
    """Map every version to its label, conflicted copies merged in."""
    return {label.version: label for label in repo.refs.all_labels()}


def _named_versions(repo: Repository) -> Iterator[VersionId]:
    for name in repo.refs.branches():
        for entry in repo.refs.branch_entries(name):
            if entry.version is not None:
                yield entry.version
    for tag in repo.refs.tags().values():
        if tag.version is not None:
            yield tag.version
    head = repo.head().version
    if head is not None:
        yield head


def referenced_trees(repo: Repository) -> list[ObjectId]:
    """List trees of versions that HEAD, a branch or a tag stands on: another machine may have deleted them."""
    queries, head = repo.queries, repo.head().version
    records = [queries.version(version) for version in set(_named_versions(repo))]
    return [r.tree for r in records if r is not None and (r.purged_at is None or r.id == head)]


def _is_here(repo: Repository, version: VersionId) -> bool:
    """Tell whether the version that HEAD stands on has its content, though another machine purged it.

    Then it stays until HEAD moves on: the next commit takes from it what has not changed in the folder.
    """
    record = repo.queries.version(version)
    return record is not None and repo.store.contains(record.tree)


def undoable_trees(repo: Repository, cutoff: str) -> list[ObjectId]:
    """List trees that operations since `cutoff`, or one that was interrupted, would bring back.

    Older ones too, as long as there is the restore point that was made for them: it has the same content.
    """
    trees: dict[ObjectId, None] = {}
    begun = read_pending(repo)
    if begun is not None:
        trees.update({begun.before: None, begun.after: None})
    for line in repo.logs.read_all():
        operation = line.operation
        if operation is None or operation.worktree is None:
            continue
        if operation.time >= cutoff or _has_restore_point(repo, operation):
            trees.update({operation.worktree.before: None, operation.worktree.after: None})
    return [tree for tree in trees if _is_there(repo, tree)]


def _has_restore_point(repo: Repository, operation: Operation) -> bool:
    point = operation.payload.get("restore_point")
    record = repo.queries.version(VersionId(ObjectId(point))) if isinstance(point, str) else None
    return record is not None and record.is_live


def _is_there(repo: Repository, tree: ObjectId) -> bool:
    try:
        repo.trees.tree(tree)
    except ObjectMissing:
        return False
    except IntegrityError:
        return True
    return True


def affected_versions(repo: Repository, damaged: Iterable[ObjectId]) -> dict[ObjectId, list[str]]:
    """Map each damaged object to what the versions that hold it are called, oldest first. Opens every tree once."""
    wanted = set(damaged)
    found: dict[ObjectId, list[Label]] = {}
    if not wanted:
        return {}
    holdings = Holdings(repo.graph, wanted, is_listed=repo.store.is_listed)
    for label in all_labels(repo).values():
        if label.deleted_at is not None or label.purged_at is not None:
            continue
        for object_id in holdings.in_version(label.version):
            found.setdefault(object_id, []).append(label)
    return {
        object_id: [
            # by the label: a version whose own record is lost is not in the index
            describe_numbered(repo.queries, label.version, label.number)
            for label in sorted(labels, key=_by_number)
        ]
        for object_id, labels in found.items()
    }


def _by_number(label: Label) -> tuple[int, str]:
    return label.number, label.version
