"""Reading trees, putting them in order, and what differs between two of them."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import TypeVar

import msgspec

from aura_vcs.codec import decode_children, decode_tree, decode_version
from aura_vcs.errors.integrity import LimitExceeded
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.model import DOCUMENTS, Entry, EntryKind, Kind, Tree, Version
from aura_vcs.objects.base import DEPTH_LIMIT, EMPTY_TREE_ID
from aura_vcs.objects.store import ObjectStore
from aura_vcs.plain_text import is_text, name_bytes

T = TypeVar("T")

CACHED_ENTRIES = 100_000
"""Of trees used last; a few hundred bytes each."""
PATHS_LIMIT = 2_000_000
"""Paths below one tree; a few small trees inside each other can claim more than there are atoms."""
EMPTY_TREE = Tree(())


class Snapshot(msgspec.Struct, frozen=True):
    """The tree of a folder, in the store or on its way there; `size` counts bytes of content.

    `unstable` are files that kept changing: the tree has what the base had there, if anything.
    """

    tree: ObjectId
    size: int
    documents: dict[str, ObjectId | None]
    unstable: tuple[str, ...] = ()


class Difference(msgspec.Struct, frozen=True):
    """A path that two trees do not have alike; None where it is not there."""

    path: str
    old: Entry | None
    new: Entry | None


class TreeReader:
    """Trees and versions of a store, decoded; the trees used last are kept."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._trees: OrderedDict[ObjectId, Tree] = OrderedDict()
        self._remembered: tuple[ObjectId, ObjectId, Sequence[Difference]] | None = None
        self._entries = 0
        self._made: tuple[VersionId, Version] | None = None

    def tree(self, object_id: ObjectId) -> Tree:
        """Read the tree.

        Raises:
            ObjectMissing, ObjectCorrupt, ObjectMalformed, UnsafePath.
        """
        if object_id == EMPTY_TREE_ID:
            return EMPTY_TREE
        tree = self._trees.get(object_id)
        if tree is None:
            tree = decode_tree(self._store.read(object_id, Kind.TREE), object_id)
            self.remember(object_id, tree)
        else:
            self._trees.move_to_end(object_id)
        return tree

    def children(self, object_id: ObjectId) -> Iterator[tuple[ObjectId, bool]]:
        """Read ids of what a tree holds, and whether each is a tree; quicker than `tree`, and not cached.

        Raises:
            ObjectMissing, ObjectCorrupt, ObjectMalformed.
        """
        known = self._trees.get(object_id)
        if known is None and object_id != EMPTY_TREE_ID:
            entries = decode_children(self._store.read(object_id, Kind.TREE), object_id)
            return ((entry.id, entry.kind is EntryKind.DIR) for entry in entries)
        return ((entry.id, entry.kind is EntryKind.DIR) for entry in (known or EMPTY_TREE).entries)

    def remember(self, object_id: ObjectId, tree: Tree) -> None:
        """Keep a tree that was just made."""
        self._forget(object_id)
        self._trees[object_id] = tree
        self._entries += len(tree.entries)
        while self._entries > CACHED_ENTRIES and len(self._trees) > 1:
            self._forget(next(iter(self._trees)))

    def _forget(self, object_id: ObjectId) -> None:
        tree = self._trees.pop(object_id, None)
        self._entries -= len(tree.entries) if tree is not None else 0

    def version(self, object_id: VersionId) -> Version:
        """Read the version.

        Raises:
            ObjectMissing, ObjectCorrupt, ObjectMalformed.
        """
        if self._made is not None and self._made[0] == object_id:
            return self._made[1]
        return decode_version(self._store.read(object_id, Kind.VERSION), object_id)

    def remember_version(self, object_id: VersionId, version: Version) -> None:
        """Keep a version that was just stored, and read back from there."""
        self._made = object_id, version

    def entry(self, tree: ObjectId, path: str) -> Entry | None:
        """Return what lies at `path` below the tree, None if nothing does; "" is the tree itself."""
        return find_entry(self.tree, tree, path)

    def walk(self, tree: ObjectId, prefix: str = "") -> Iterator[tuple[str, Entry]]:
        """Walk every path below the tree with its entry, folders before what is in them.

        Raises:
            LimitExceeded: more than DEPTH_LIMIT folders inside each other, or PATHS_LIMIT paths.
        """
        return _limited(self._walk(tree, prefix, 0))

    def _walk(self, tree: ObjectId, prefix: str, depth: int) -> Iterator[tuple[str, Entry]]:
        if depth > DEPTH_LIMIT:
            raise LimitExceeded(f"The depth of folders at {prefix[:80]}", DEPTH_LIMIT)
        for entry in self.tree(tree).entries:
            path = prefix + entry.name
            yield path, entry
            if entry.kind is EntryKind.DIR:
                yield from self._walk(entry.id, path + "/", depth + 1)

    def differences(self, old: ObjectId | None, new: ObjectId | None, prefix: str = "") -> Iterator[Difference]:
        """Find what differs, in order of paths; equal folders are not opened.

        A folder is listed itself only where it comes, goes or becomes something else; the files in
        it are listed too.

        Raises:
            LimitExceeded: more than DEPTH_LIMIT folders inside each other, or PATHS_LIMIT paths.
        """
        remembered = self._remembered
        if remembered is not None and remembered[:2] == (old, new) and not prefix:
            return iter(remembered[2])
        return _limited(self._differences(old, new, prefix))

    def list_differences(self, old: ObjectId, new: ObjectId) -> Sequence[Difference]:
        """List what differs, as `differences`, remembered for whoever asks next."""
        found = list(self.differences(old, new))
        self._remembered = old, new, found
        return found

    def remember_differences(self, old: ObjectId, new: ObjectId, found: Iterable[Difference]) -> None:
        """Keep what differs between two trees for whoever asks next; whoever made the second one knows it."""
        self._remembered = old, new, sorted(found, key=lambda item: [name_bytes(part) for part in item.path.split("/")])

    def _differences(self, old: ObjectId | None, new: ObjectId | None, prefix: str) -> Iterator[Difference]:
        if old == new:
            return
        if prefix.count("/") > DEPTH_LIMIT:
            raise LimitExceeded(f"The depth of folders at {prefix[:80]}", DEPTH_LIMIT)
        if old is None and new is not None:
            for entry in self.tree(new).entries:  # a new folder, in the order of its names
                path = prefix + entry.name
                yield Difference(path, None, entry)
                if entry.kind is EntryKind.DIR:
                    yield from self._differences(None, entry.id, path + "/")
            return
        before = {} if old is None else {entry.name: entry for entry in self.tree(old).entries}
        after = {} if new is None else {entry.name: entry for entry in self.tree(new).entries}
        names = [name for name, entry in after.items() if before.get(name) != entry]
        names += before.keys() - after.keys()
        for name in sorted(names, key=name_bytes):  # few of all
            yield from self._differences_at(prefix + name, before.get(name), after.get(name))

    def _differences_at(self, path: str, old: Entry | None, new: Entry | None) -> Iterator[Difference]:
        if old == new:
            return
        was_folder = old is not None and old.kind is EntryKind.DIR
        is_folder = new is not None and new.kind is EntryKind.DIR
        if not (was_folder and is_folder):
            yield Difference(path, old, new)
        old_id = old.id if old is not None and was_folder else None
        new_id = new.id if new is not None and is_folder else None
        if old_id is not None or new_id is not None:
            yield from self._differences(old_id, new_id, path + "/")


def _limited(paths: Iterator[T]) -> Iterator[T]:
    for count, item in enumerate(paths):
        if count >= PATHS_LIMIT:
            raise LimitExceeded("The number of paths below a tree", PATHS_LIMIT)
        yield item


def find_entry(read: Callable[[ObjectId], Tree], tree: ObjectId, path: str) -> Entry | None:
    """Find what lies at `path` below a tree that `read` gives; None if nothing does; "" is the tree itself."""
    found = Entry("", EntryKind.DIR, tree, 0)
    for part in path.split("/") if path else ():
        if found.kind is not EntryKind.DIR:
            return None
        inside = next((entry for entry in read(found.id).entries if entry.name == part), None)
        if inside is None:
            return None
        found = inside
    return found


def documents_of(tree: Tree) -> dict[str, ObjectId | None]:
    """Map the five specifications at the top of a project to their ids; `timeline.otio` stands in for a timeline."""
    files = {entry.name: entry.id for entry in tree.entries if entry.kind is EntryKind.FILE}
    found = {name: files.get(f"{name}.json") for name in DOCUMENTS}
    if found["timeline"] is None:
        found["timeline"] = files.get("timeline.otio")
    return found


def sorted_tree(entries: Iterable[Entry]) -> Tree:
    """Build a tree of the entries, in the order that trees have: that of text is that of its bytes in UTF-8."""
    listed = list(entries)
    by_name = attrgetter("name")
    if not is_text("".join(map(by_name, listed))):
        return Tree(tuple(sorted(listed, key=lambda entry: name_bytes(entry.name))))
    return Tree(tuple(sorted(listed, key=by_name)))
