"""The walk through what versions hold: version → tree → blob → chunk.

Whoever asks what a version needs, holds or shares walks here, over a source of objects: the store, a remote,
or both. Only the proof of a collection does not (`maintenance/reachability.py` here and its counterpart in
`sync/maintenance`): it checks what others count, and must not share a mistake with them.

Every tree is opened once. Walks go level by level, so a source may be asked about many objects at a time.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import (
    IntegrityError,
    LimitExceeded,
    ObjectMissing,
    ObjectOffloaded,
    ObjectPurged,
)
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.model import Entry, EntryKind, Tree, Version
from aura_vcs.objects.base import DEPTH_LIMIT, EMPTY_TREE_ID
from aura_vcs.objects.store import ObjectStore
from aura_vcs.objects.trees import TreeReader

NOTHING: frozenset[ObjectId] = frozenset()


class State(StrEnum):
    """Why an object cannot be read."""

    MISSING = "missing"
    OFFLOADED = "offloaded"
    PURGED = "purged"
    DAMAGED = "damaged"


class UnreadableObject(msgspec.Struct, frozen=True):
    """An object that a walk came to and that cannot be read; what it holds is not known."""

    id: ObjectId
    state: State
    reason: str


def fault_of(object_id: ObjectId, error: IntegrityError) -> UnreadableObject:
    """Say what an error means for the object that was read."""
    states = ((ObjectMissing, State.MISSING), (ObjectOffloaded, State.OFFLOADED), (ObjectPurged, State.PURGED))
    state = next((state for kind, state in states if isinstance(error, kind)), State.DAMAGED)
    return UnreadableObject(object_id, state, error.message)


def pass_over(_: UnreadableObject) -> None:
    """Go on without what cannot be read."""


class TreeSource(Protocol):
    """Where a walk reads trees."""

    def tree(self, tree: ObjectId) -> Tree:
        """Read a tree."""

    def fault(self, object_id: ObjectId, error: AuraError) -> UnreadableObject | None:
        """Say what an error means for the object; None where the walk must not go on."""


class GraphSource(TreeSource, Protocol):
    """Where a walk reads all that versions hold: the store, a remote, or both."""

    def version(self, version: VersionId) -> Version:
        """Read a version."""

    def chunks(self, blob: ObjectId) -> Sequence[ObjectId]:
        """Read which chunks a blob is stored in; none where it is stored whole."""


class LocalSource:
    """The objects of this project."""

    def __init__(self, trees: TreeReader, store: ObjectStore) -> None:
        self._trees = trees
        self._store = store
        self.version = trees.version
        self.tree = trees.tree

    def chunks(self, blob: ObjectId) -> Sequence[ObjectId]:
        """Read which chunks a blob is stored in; none where it is stored whole.

        Raises:
            ObjectMissing: the pack with the list has gone. RecordCorrupt, ObjectCorrupt.
        """
        try:
            return self._store.chunk_ids(blob)
        except FileNotFoundError as error:
            raise ObjectMissing(blob) from error

    def fault(self, object_id: ObjectId, error: AuraError) -> UnreadableObject | None:
        """Say what an error means for the object; None: nothing, and whoever walks has to know it."""
        return fault_of(object_id, error) if isinstance(error, IntegrityError) else None


class TreeVisit(msgspec.Struct, frozen=True):
    """A folder that a walk comes to. `path` is "", or ends with a slash; `base` is a tree of which nothing is asked."""

    id: ObjectId
    path: str = ""
    base: ObjectId | None = None


class Folder(msgspec.Struct, frozen=True):
    """A folder that was opened, with those of its entries that its base does not have at the same place."""

    id: ObjectId
    path: str
    tree: Tree
    entries: Sequence[Entry]

    def files(self) -> Iterator[tuple[str, Entry]]:
        """Return files and links in the folder, with their paths."""
        return ((self.path + entry.name, entry) for entry in self.entries if entry.kind is not EntryKind.DIR)


Prune = Callable[[Sequence[TreeVisit]], Iterable[TreeVisit]]
"""Of the folders of one level, those to open."""


class Walk:
    """Opens trees, each once (with `each_path`, once for every path that it has).

    `prune` chooses among the folders of a level. What cannot be read goes to `on_fault`; without one, the error
    goes to the caller.
    """

    def __init__(
        self,
        source: TreeSource,
        *,
        prune: Prune | None = None,
        on_fault: Callable[[UnreadableObject], None] | None = None,
        each_path: bool = False,
    ) -> None:
        self._source = source
        self._prune = prune
        self._on_fault = on_fault
        self._each_path = each_path
        self.seen: set[ObjectId | tuple[ObjectId, str]] = {EMPTY_TREE_ID}
        """Trees that are not opened any more."""

    def below(self, *steps: TreeVisit) -> Iterator[Folder]:
        """Yield each of the folders and all below them that were not seen before, level by level.

        Raises:
            LimitExceeded: more than DEPTH_LIMIT folders inside each other, where no one asks for faults.
        """
        level: Sequence[TreeVisit] = steps
        for _ in range(DEPTH_LIMIT + 1):
            deeper: list[TreeVisit] = []
            for step in self._to_open(level):
                folder = self._open(step)
                if folder is not None:
                    yield folder
                    self._go_deeper(folder, step, deeper)
            if not deeper:
                return
            level = deeper
        error = LimitExceeded(f"The depth of folders at {level[0].path[:80]}", DEPTH_LIMIT)
        if self._on_fault is None:
            raise error
        self._on_fault(fault_of(level[0].id, error))

    def _to_open(self, level: Sequence[TreeVisit]) -> Iterable[TreeVisit]:
        fresh: list[TreeVisit] = []
        for step in level:
            key = (step.id, step.path) if self._each_path else step.id
            if key not in self.seen and step.id not in (step.base, EMPTY_TREE_ID):
                self.seen.add(key)
                fresh.append(step)
        return self._prune(fresh) if self._prune is not None and fresh else fresh

    def _open(self, step: TreeVisit) -> Folder | None:
        try:
            tree = self._source.tree(step.id)
            entries: Sequence[Entry] = tree.entries
            if step.base is not None:
                before = {(entry.name, entry.id, entry.kind) for entry in self._source.tree(step.base).entries}
                entries = [entry for entry in entries if (entry.name, entry.id, entry.kind) not in before]
        except AuraError as error:
            fault = self._source.fault(step.id, error)
            if self._on_fault is None or fault is None:
                raise
            self._on_fault(fault)
            return None
        return Folder(step.id, step.path, tree, entries)

    def _go_deeper(self, folder: Folder, step: TreeVisit, deeper: list[TreeVisit]) -> None:
        folders = [entry for entry in folder.entries if entry.kind is EntryKind.DIR]
        if not folders:
            return
        bases: dict[str, ObjectId] = {}
        if step.base is not None:
            entries = self._source.tree(step.base).entries
            bases = {entry.name: entry.id for entry in entries if entry.kind is EntryKind.DIR}
        for entry in folders:
            deeper.append(TreeVisit(entry.id, f"{step.path}{entry.name}/", bases.get(entry.name)))


def ancestry(tips: Iterable[VersionId], parents: Callable[[VersionId], Iterable[VersionId]]) -> Iterator[VersionId]:
    """Yield the versions and those they build on, each once; `parents` is asked before the next is yielded."""
    waiting, seen = list(tips), set[VersionId]()
    while waiting:
        version = waiting.pop()
        if version not in seen:
            seen.add(version)
            yield version
            waiting += parents(version)


class Question(Protocol):
    """What is asked of everything below a tree; the answers of a tree are those of all it holds."""

    def open_tree(self, tree: ObjectId, path: str) -> tuple[Tree | None, frozenset[ObjectId]]:
        """Return the tree, if it can be read, and the answers for itself."""

    def ask_blob(self, blob: ObjectId, path: str) -> frozenset[ObjectId]:
        """Return the answers for a file's content."""


class Below:
    """Asks a question of everything below trees, of each object once, and keeps the answers."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._known: dict[ObjectId, frozenset[ObjectId]] = {EMPTY_TREE_ID: NOTHING}

    def tree(self, tree: ObjectId, path: str = "", depth: int = 0) -> frozenset[ObjectId]:
        """Return the answers for a tree and all below it; deeper than DEPTH_LIMIT nothing is looked at."""
        if tree in self._known:
            return self._known[tree]
        self._known[tree] = NOTHING  # whatever a damaged store says, it ends
        found, answers = self._question.open_tree(tree, path)
        if found is not None and depth <= DEPTH_LIMIT:
            every = {answers, *(self._entry(entry, path, depth) for entry in found.entries)} - {NOTHING}
            answers = next(iter(every)) if len(every) == 1 else NOTHING.union(*every)
        self._known[tree] = answers
        return answers

    def _entry(self, entry: Entry, path: str, depth: int) -> frozenset[ObjectId]:
        inner = f"{path}/{entry.name}" if path else entry.name
        if entry.kind is EntryKind.DIR:
            return self.tree(entry.id, inner, depth + 1)
        if entry.id not in self._known:
            self._known[entry.id] = self._question.ask_blob(entry.id, inner)
        return self._known[entry.id]


class Holdings:
    """Finds which of some objects versions hold. What cannot be read holds nothing.

    Chunks are only looked for `in_chunks`: that reads the lists of all blobs that `is_listed` says have one.
    """

    def __init__(
        self,
        source: GraphSource,
        wanted: Iterable[ObjectId],
        *,
        is_listed: Callable[[ObjectId], bool] | None = None,
    ) -> None:
        self._source = source
        self._wanted = frozenset(wanted)
        self._is_listed = is_listed
        self._below = Below(self)

    def in_version(self, version: VersionId) -> frozenset[ObjectId]:
        """Return those that the version is or holds."""
        found = self._wanted & {version}
        try:
            return found | self.in_tree(self._source.version(version).tree)
        except IntegrityError:
            return found

    def in_tree(self, tree: ObjectId) -> frozenset[ObjectId]:
        """Return those that the tree is or holds."""
        return self._below.tree(tree) if self._wanted else NOTHING

    def open_tree(self, tree: ObjectId, _: str) -> tuple[Tree | None, frozenset[ObjectId]]:
        """Read a tree; see Question."""
        own = self._wanted & {tree} if tree in self._wanted else NOTHING
        try:
            return self._source.tree(tree), own
        except IntegrityError:
            return None, own

    def ask_blob(self, blob: ObjectId, _: str) -> frozenset[ObjectId]:
        """Find what of a blob is wanted; see Question."""
        found = frozenset({blob}) if blob in self._wanted else NOTHING
        if self._is_listed is not None and self._is_listed(blob):
            try:
                return found | self._wanted.intersection(self._source.chunks(blob))
            except IntegrityError:
                return found
        return found


class Alone(msgspec.Struct, frozen=True):
    """What only one tree holds (`own`, and whether each is a tree), and what others hold, too (`shared`, with sizes).

    Sizes are bytes of content; those of chunks are not known.
    """

    own: Mapping[ObjectId, bool]
    shared: Mapping[ObjectId, int]


def find_alone(
    source: GraphSource, tree: ObjectId, count_of: Callable[[ObjectId], int | None], *, in_chunks: bool
) -> Alone:
    """Follow reference counts down from a tree: what is counted from there only is its own.

    `count_of` says how many hold an object, None for one that is not known. The cost grows with what is the
    tree's own. Below what cannot be read nothing is looked for, and below blobs only `in_chunks`.
    """
    references: Counter[ObjectId] = Counter()
    own: dict[ObjectId, bool] = {}
    shared: dict[ObjectId, int] = {}
    waiting = [(tree, 0, True)]
    while waiting:
        object_id, size, is_tree = waiting.pop()
        count = count_of(object_id)
        if count is None:
            continue
        references[object_id] += 1
        if references[object_id] < count:
            shared[object_id] = size
        elif references[object_id] == count:
            shared.pop(object_id, None)
            own[object_id] = is_tree
            if is_tree or in_chunks:
                waiting += _held(source, object_id, is_tree=is_tree)
    return Alone(own, shared)


def _held(source: GraphSource, object_id: ObjectId, *, is_tree: bool) -> set[tuple[ObjectId, int, bool]]:
    try:
        if is_tree:
            entries = source.tree(object_id).entries
            return {(entry.id, entry.size, entry.kind is EntryKind.DIR) for entry in entries}
        return {(chunk, 0, False) for chunk in source.chunks(object_id)}
    except IntegrityError:
        return set()
