"""Trees of git become ours: each is converted once, however many commits have it."""

from collections.abc import Iterable, Iterator
from contextlib import closing

from aura_vcs.codec import encode_tree
from aura_vcs.errors.integrity import UnsafePath
from aura_vcs.errors.interchange import GitDamaged
from aura_vcs.ids import ObjectId
from aura_vcs.interchange.git_blobs import BlobImport, Content, Left
from aura_vcs.interchange.git_names import is_git_folder
from aura_vcs.interchange.git_objects import (
    EXECUTABLE,
    FILE,
    LINK,
    MODULE,
    TREE,
    TREE_BYTES_LIMIT,
    GitEntry,
    kind_of,
    parse_tree,
)
from aura_vcs.interchange.git_reader import ObjectReader
from aura_vcs.interchange.git_remainders import PLAIN_MODES, RemainderImport
from aura_vcs.layout import check_entry_name
from aura_vcs.model import Entry, EntryKind, Kind, Tree
from aura_vcs.objects.base import DEPTH_LIMIT
from aura_vcs.objects.trees import TreeReader, documents_of
from aura_vcs.plain_text import name_bytes

NAMES_REMEMBERED = 100_000
AHEAD_ENTRIES = 200_000
"""Of trees that are read before their commits' turn, so many."""
AHEAD_BYTES = 16 << 20
"""Of files likewise: what is larger waits for its commit, so that what is recorded at once stays small."""


class ContentImport:
    """Converts the trees of commits, with `blobs` for what lies in them."""

    def __init__(self, trees: TreeReader, objects: ObjectReader, blobs: BlobImport, digest: int, left: Left) -> None:
        self.blobs = blobs
        self._trees_read = trees
        self.remainders = RemainderImport(self._read_chosen)
        self._objects = objects
        self._digest = digest
        self._left = left
        self._trees: dict[bytes, Content] = {}
        self._ahead: dict[str, dict[str, GitEntry]] = {}
        self._documents: dict[str, dict[str, ObjectId | None]] = {}
        self._names: dict[bytes, str] = {}
        self._told: set[tuple[str, str]] = set()
        self._commit = ""

    def read_ahead(self, roots: Iterable[str]) -> None:
        """Read what the trees of the next commits have and none before: to ask for each alone and wait takes longest.

        Nothing that is damaged is told yet.
        """
        self._ahead.clear()
        level = {root: "" for root in roots if bytes.fromhex(root) not in self._trees}
        new: dict[str, tuple[str, int]] = {}
        count = depth = 0
        while level and depth <= DEPTH_LIMIT and count < AHEAD_ENTRIES:
            below: dict[str, str] = {}
            for git_id, entries in self._parsed(level):
                wanted = self._ahead[git_id] = self._requested(entries, level[git_id])
                count += len(wanted)
                for name, entry in self._new(wanted):
                    if kind_of(entry.mode) == TREE:
                        below[entry.id] = f"{level[git_id]}{name}/"
                    else:
                        new.setdefault(entry.id, (f"{level[git_id]}{name}", kind_of(entry.mode)))
            level, depth = {git_id: path for git_id, path in below.items() if git_id not in self._ahead}, depth + 1
        self.blobs.store(new, AHEAD_BYTES)

    def tree(self, git_id: str, commit: str) -> Content:
        """Return the tree of a commit, stored with all that it holds; what git cannot read of it is told.

        Raises:
            GitDamaged: itself cannot be read.
        """
        self._commit = commit
        return self._tree(git_id, "", 0)

    def documents(self, git_id: str) -> dict[str, ObjectId | None]:
        """Return the documents at the top of a tree that was converted."""
        known = self._documents.get(git_id)
        if known is None:
            found = []
            for entry in self._entries(git_id):
                content = self.blobs.known.get(bytes.fromhex(entry.id))
                if content is not None and kind_of(entry.mode) in {FILE, EXECUTABLE}:
                    name = entry.name.decode("utf-8", "surrogateescape")
                    found.append(Entry(name, EntryKind.FILE, content.id, content.size))
            known = self._documents[git_id] = documents_of(Tree(tuple(found)))
        return known

    def know(self, git_id: str, tree: ObjectId) -> None:
        """Learn from a tree that was imported before what its files and folders became, reading none of the files."""
        self._know(git_id, tree, 0)

    def _know(self, git_id: str, tree: ObjectId, depth: int) -> None:
        key = bytes.fromhex(git_id)
        if key in self._trees or depth > DEPTH_LIMIT:
            return
        known = self._trees_read.tree(tree)
        here = {name_bytes(entry.name): entry for entry in known.entries}
        entries = self._entries(git_id)
        for entry in entries:
            found = here.get(entry.name)
            kind = kind_of(entry.mode)
            if found is None:
                continue
            if kind == TREE and found.kind is EntryKind.DIR:
                self._know(entry.id, found.id, depth + 1)
            elif (kind == LINK and found.kind is EntryKind.SYMLINK) or (
                kind in {FILE, EXECUTABLE} and found.kind is EntryKind.FILE
            ):
                self.blobs.known[bytes.fromhex(entry.id)] = Content(found.id, found.size)
        self._trees[key] = Content(tree, known.size)
        self.remainders.note(git_id, self._chosen(entries, self._pass_over).values())

    def _entries(self, git_id: str) -> list[GitEntry]:
        data = self._objects.read(git_id, "tree", TREE_BYTES_LIMIT)
        return parse_tree(data, self._digest, git_id)

    def _parsed(self, ids: Iterable[str]) -> Iterator[tuple[str, list[GitEntry]]]:
        """Read trees; those that cannot be read are passed over."""
        with closing(self._objects.ask(ids)) as answers:
            for git_id, stream in answers:
                if stream is None:
                    continue
                try:
                    entries = parse_tree(stream.read_object("tree", TREE_BYTES_LIMIT), self._digest, git_id)
                except GitDamaged:
                    continue
                yield git_id, entries

    def _new(self, wanted: dict[str, GitEntry]) -> Iterator[tuple[str, GitEntry]]:
        """Find what was not converted yet."""
        known, trees = self.blobs.known, self._trees
        for name, entry in wanted.items():
            key = bytes.fromhex(entry.id)
            is_new = key not in known and key not in trees and key not in self.blobs.damaged
            if is_new and kind_of(entry.mode) != MODULE:
                yield name, entry

    def _tree(self, git_id: str, prefix: str, depth: int) -> Content:
        known = self._trees.get(bytes.fromhex(git_id))
        if known is not None:
            return known
        if depth > DEPTH_LIMIT:
            raise GitDamaged(f"tree {git_id}", f"more than {DEPTH_LIMIT} folders are inside each other")
        wanted = self._ahead.pop(git_id, None)
        if wanted is None:
            wanted = self._requested(self._entries(git_id), prefix)
        new = ((name, entry) for name, entry in self._new(wanted) if kind_of(entry.mode) != TREE)
        self.blobs.store({entry.id: (f"{prefix}{name}", kind_of(entry.mode)) for name, entry in new})
        found = []
        for name, entry in wanted.items():
            kind = kind_of(entry.mode)
            if kind == MODULE:
                continue
            try:
                content = self._tree(entry.id, f"{prefix}{name}/", depth + 1) if kind == TREE else self._blob(entry.id)
            except GitDamaged as error:
                self._tell(f"{prefix}{name}", entry.id, error.reason)
                continue
            what = EntryKind.DIR if kind == TREE else EntryKind.SYMLINK if kind == LINK else EntryKind.FILE
            found.append(Entry(name, what, content.id, content.size, kind == EXECUTABLE))
        found.sort(key=lambda entry: name_bytes(entry.name))
        tree = Tree(tuple(found))
        tree_id, data = encode_tree(tree)
        self.blobs.batch.add(Kind.TREE, data, prefix)
        self._trees_read.remember(tree_id, tree)
        if not depth:
            self._documents[git_id] = documents_of(tree)
        made = Content(tree_id, tree.size)
        self._trees[bytes.fromhex(git_id)] = made
        self.remainders.note(git_id, wanted.values())
        return made

    def _blob(self, git_id: str) -> Content:
        key = bytes.fromhex(git_id)
        known = self.blobs.known.get(key)
        if known is None:
            raise GitDamaged(f"blob {git_id}", self.blobs.damaged.get(key, "it is missing or damaged"))
        return known

    def _tell(self, path: str, git_id: str, reason: str) -> None:
        if (path, git_id) not in self._told:
            self._told.add((path, git_id))
            self._left(path, f"git cannot read its object {git_id[:12]}, first in commit {self._commit[:12]}: {reason}")

    def _read_chosen(self, git_id: str) -> Iterable[GitEntry]:
        """Return the entries of a tree that are kept in one way or another; none of one that cannot be read."""
        try:
            return self._chosen(self._entries(git_id), self._pass_over).values()
        except GitDamaged:
            return ()

    def _pass_over(self, *_: str) -> None:
        return None

    def _requested(self, entries: list[GitEntry], prefix: str) -> dict[str, GitEntry]:
        """Return the entries that are kept, by name: submodules as what the tree has besides. What is left is told."""
        return self._chosen(entries, lambda name, reason: self._left(f"{prefix}{name}", reason))

    def _chosen(self, entries: list[GitEntry], left: Left) -> dict[str, GitEntry]:
        wanted: dict[str, GitEntry] = {}
        for entry in entries:
            known = self._names.get(entry.name)
            if known is not None and entry.mode in PLAIN_MODES and known not in wanted:
                wanted[known] = entry
                continue
            name = entry.name.decode("utf-8", "surrogateescape")
            reason = self._reason(entry, name, wanted)
            if reason:
                left(name, reason)
            else:
                if kind_of(entry.mode) == MODULE:
                    left(name, f"it is a submodule, at commit {entry.id[:12]}")
                wanted[name] = entry
                if len(self._names) < NAMES_REMEMBERED:
                    self._names[entry.name] = name
        return wanted

    def _reason(self, entry: GitEntry, name: str, wanted: dict[str, GitEntry]) -> str:
        kind = kind_of(entry.mode)
        if kind == 0:
            return f"git's mode {entry.mode:o} is none that is known"
        if is_git_folder(entry.name):
            return "git would take it for its own folder"
        if name in wanted:
            return "its folder has the name twice"
        try:
            check_entry_name(name)
        except UnsafePath as error:
            return error.message
        return ""
