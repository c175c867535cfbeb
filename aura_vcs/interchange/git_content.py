"""Trees and files of git become ours: each is converted once, however many commits have it."""

import hashlib
import os
import stat
from collections.abc import Callable
from typing import BinaryIO

import msgspec

from aura_vcs.codec import encode_tree, name_bytes
from aura_vcs.errors.integrity import UnsafePath
from aura_vcs.errors.interchange import GitDamaged
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.ids import Bytes, ObjectId, blob_id
from aura_vcs.interchange.git_objects import (
    EXECUTABLE,
    FILE,
    LFS_POINTER_LIMIT,
    LINK,
    MODULE,
    TREE,
    TREE_BYTES_LIMIT,
    GitEntry,
    LfsPointer,
    kind_of,
    parse_pointer,
    parse_tree,
)
from aura_vcs.interchange.git_process import ObjectReader, ObjectStream
from aura_vcs.interchange.lfs_server import LfsServer, WebContent
from aura_vcs.layout import check_entry_name
from aura_vcs.model import Entry, EntryKind, Kind, Tree
from aura_vcs.objects.batch import Batch
from aura_vcs.objects.chunking import LARGE_BYTES
from aura_vcs.objects.trees import DEPTH_LIMIT, TreeReader, documents_of

LINK_BYTES_LIMIT = 1 << 16
BLOB_BYTES_LIMIT = 1 << 43
GIT_NAMES = frozenset({b".git", b"git~1"})
"""A folder of such a name, written to disk, would be taken for a repository, with hooks that git runs."""


class Content(msgspec.Struct, frozen=True, gc=False):
    """What an object of git became here; `size` in bytes."""

    id: ObjectId
    size: int


Left = Callable[[str, str], None]
"""Told of each path that could not be taken, and why."""


class ContentImport:
    """Converts trees. `batch` is where what is new goes; it may be exchanged between two commits.

    `lfs_server` finds the server for content of Git LFS that `lfs_folder` does not have; None, it is left.
    """

    def __init__(
        self,
        trees: TreeReader,
        objects: ObjectReader,
        lfs_folder: str | None,
        digest: int,
        left: Left,
        lfs_server: Callable[[], LfsServer | None] | None = None,
    ) -> None:
        self.batch: Batch
        self._lfs_server = lfs_server
        self._wanted: list[tuple[str, str, LfsPointer]] = []
        self._trees_read = trees
        self._objects = objects
        self._lfs_folder = lfs_folder
        self._digest = digest
        self._left = left
        self._trees: dict[bytes, Content] = {}
        self._blobs: dict[bytes, Content] = {}
        self._documents: dict[str, dict[str, ObjectId | None]] = {}
        self._missing: set[str] = set()
        self.bytes = 0
        """Of content that was read."""

    def tree(self, git_id: str) -> Content:
        """Return the tree of a commit, stored with all that it holds.

        Raises:
            GitDamaged: something of it is missing.
        """
        return self._tree(git_id, "", 0)

    def documents(self, git_id: str) -> dict[str, ObjectId | None]:
        """Return the documents at the top of a tree that was converted."""
        known = self._documents.get(git_id)
        if known is None:
            found = []
            for entry in self._entries(git_id):
                content = self._blobs.get(bytes.fromhex(entry.id))
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
        for entry in self._entries(git_id):
            found = here.get(entry.name)
            kind = kind_of(entry.mode)
            if found is None:
                continue
            if kind == TREE and found.kind is EntryKind.DIR:
                self._know(entry.id, found.id, depth + 1)
            elif (kind == LINK and found.kind is EntryKind.SYMLINK) or (
                kind in {FILE, EXECUTABLE} and found.kind is EntryKind.FILE
            ):
                self._blobs[bytes.fromhex(entry.id)] = Content(found.id, found.size)
        self._trees[key] = Content(tree, known.size)

    def _entries(self, git_id: str) -> list[GitEntry]:
        data = self._objects.read(git_id, "tree", TREE_BYTES_LIMIT)
        return parse_tree(data, self._digest, git_id)

    def _tree(self, git_id: str, prefix: str, depth: int) -> Content:
        known = self._trees.get(bytes.fromhex(git_id))
        if known is not None:
            return known
        if depth > DEPTH_LIMIT:
            raise GitDamaged(f"tree {git_id}", f"more than {DEPTH_LIMIT} folders lie inside each other")
        wanted = self._requested(self._entries(git_id), prefix)
        self._store_blobs(wanted, prefix)
        found = []
        for name, entry in wanted.items():
            kind = kind_of(entry.mode)
            if kind == TREE:
                inner = self._tree(entry.id, f"{prefix}{name}/", depth + 1)
                found.append(Entry(name, EntryKind.DIR, inner.id, inner.size))
                continue
            content = self._blobs[bytes.fromhex(entry.id)]
            what = EntryKind.SYMLINK if kind == LINK else EntryKind.FILE
            found.append(Entry(name, what, content.id, content.size, kind == EXECUTABLE))
        found.sort(key=lambda entry: name_bytes(entry.name))
        tree = Tree(tuple(found))
        tree_id, data = encode_tree(tree)
        self.batch.add(Kind.TREE, data, prefix)
        self._trees_read.remember(tree_id, tree)
        if not depth:
            self._documents[git_id] = documents_of(tree)
        made = Content(tree_id, tree.size)
        self._trees[bytes.fromhex(git_id)] = made
        return made

    def _requested(self, entries: list[GitEntry], prefix: str) -> dict[str, GitEntry]:
        """Return the entries that a tree of ours can hold, by name; the others are told."""
        wanted: dict[str, GitEntry] = {}
        for entry in entries:
            name = entry.name.decode("utf-8", "surrogateescape")
            reason = self._reason(entry, name, wanted)
            if reason:
                self._left(f"{prefix}{name}", reason)
            else:
                wanted[name] = entry
        return wanted

    def _reason(self, entry: GitEntry, name: str, wanted: dict[str, GitEntry]) -> str:
        kind = kind_of(entry.mode)
        if kind == MODULE:
            return f"it is a submodule, at commit {entry.id[:12]}"
        if kind == 0:
            return f"git's mode {entry.mode:o} is none that is known"
        if entry.name.lower().rstrip(b". ") in GIT_NAMES:
            return "git would take it for its own folder"
        if name in wanted:
            return "its folder has the name twice"
        try:
            check_entry_name(name)
        except UnsafePath as error:
            return error.message
        return ""

    def _store_blobs(self, wanted: dict[str, GitEntry], prefix: str) -> None:
        """Store the files and links of a folder that no folder before it had."""
        new: dict[str, tuple[str, int]] = {}
        for name, entry in wanted.items():
            if kind_of(entry.mode) != TREE and bytes.fromhex(entry.id) not in self._blobs:
                new.setdefault(entry.id, (f"{prefix}{name}", kind_of(entry.mode)))
        for git_id, stream in self._objects.ask(new):
            path, kind = new[git_id]
            if stream.kind != "blob" or stream.size > (LINK_BYTES_LIMIT if kind == LINK else BLOB_BYTES_LIMIT):
                raise GitDamaged(f"blob {git_id}", f"it is a {stream.kind} of {stream.size} bytes")
            self._blobs[bytes.fromhex(git_id)] = self._blob(stream, path, is_file=kind != LINK)
        if self._wanted:
            self._fetch()

    def _blob(self, stream: ObjectStream, path: str, *, is_file: bool) -> Content:
        self.bytes += stream.size
        if stream.size >= LARGE_BYTES:
            return Content(self._large(StreamSource(path, stream.size, stream), path), stream.size)
        data = stream.read()
        pointer = parse_pointer(data) if is_file and len(data) < LFS_POINTER_LIMIT else None
        if pointer is not None and self._lfs_folder is not None:
            if (found := self._lfs(pointer, path)) is not None:
                return found
            self._wanted.append((stream.id, path, pointer))
        return Content(self.batch.add(Kind.BLOB, data, path), len(data))

    def _large(self, source: "StreamSource", path: str) -> ObjectId:
        for _, object_id in self.batch.add_sources([source]):
            if object_id is not None:
                return object_id
        raise GitDamaged(f"content of {path}", "it could not be read")

    def _lfs(self, pointer: LfsPointer, path: str) -> Content | None:
        """Store the content that a pointer of Git LFS stands for; None if it is not here."""
        assert self._lfs_folder is not None
        name = os.path.join(self._lfs_folder, pointer.oid[:2], pointer.oid[2:4], pointer.oid)
        file = _open_regular(name, pointer.size)
        if file is None:
            return None
        with file:
            return self._checked(file, pointer, path)

    def _checked(self, file: "BinaryIO | WebContent", pointer: LfsPointer, path: str) -> Content | None:
        """Store content of Git LFS; None, which is told, if it does not hash to its name."""
        stream = HashedFile(file, pointer.oid)
        source = StreamSource(path, pointer.size, stream)
        self.bytes += pointer.size
        try:
            if pointer.size < LARGE_BYTES:
                data = stream.read(pointer.size)
                stream.check()
                return Content(self.batch.add(Kind.BLOB, data, path), len(data))
            return Content(self._large(source, path), pointer.size)
        except _WrongContent:
            self._tell_missing(path, pointer, "its content does not hash to its name")
            return None

    def _fetch(self) -> None:
        """Fetch the content that is not here, where that was asked for; what does not come is told."""
        wanted, self._wanted = self._wanted, []
        if self._lfs_server is None:
            for _, path, pointer in wanted:
                self._tell_missing(path, pointer, "its content is not in the repository's lfs/objects")
            return
        server = self._lfs_server()
        if server is None:
            for _, path, pointer in wanted:
                self._tell_missing(path, pointer, "its content is not here, and the repository names no server")
            return
        places = {pointer.oid: (git_id, path) for git_id, path, pointer in wanted}
        for pointer, body in server.fetch(list({pointer.oid: pointer for *_, pointer in wanted}.values())):
            git_id, path = places[pointer.oid]
            if body is None:
                self._tell_missing(path, pointer, f"{server.host} does not have its content")
            elif (found := self._checked(body, pointer, path)) is not None:
                self._blobs[bytes.fromhex(git_id)] = found

    def _tell_missing(self, path: str, pointer: LfsPointer, reason: str) -> None:
        if pointer.oid not in self._missing:
            self._missing.add(pointer.oid)
            self._left(path, f"Git LFS: {reason}; the pointer was taken")


class _WrongContent(Exception):
    """Content does not hash to what it is called."""


class HashedFile:
    """A file of Git LFS that is read once, and checked when all of it was."""

    def __init__(self, file: BinaryIO | WebContent, oid: str) -> None:
        self._file, self._oid = file, oid
        self._hash = hashlib.sha256()

    def __enter__(self) -> "HashedFile":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def read(self, count: int) -> bytes:
        """Return at most so many bytes; none at the end."""
        data = self._file.read(count)
        self._hash.update(data)
        return data

    def check(self) -> None:
        """Refuse what does not hash to its name."""
        if self._hash.hexdigest() != self._oid:
            raise _WrongContent


class StreamSource:
    """Content that comes once, from its beginning to its end; see objects.base.FileToStore."""

    is_unstable = False

    def __init__(self, path: str, size: int, stream: "ObjectStream | HashedFile") -> None:
        self.path, self.size, self.stream = path, size, stream
        self.fault: FileUnreadable | None = None

    def read(self) -> tuple[Bytes, ObjectId] | None:
        """See FileToStore."""
        data = self.stream.read(self.size)
        return data, blob_id(data)

    def open(self) -> BinaryIO:
        """See FileToStore."""
        return self.stream  # type: ignore[return-value]  # it reads, and that is all that is asked of it

    def is_unchanged(self, file: BinaryIO) -> bool:  # noqa: ARG002 (protocol)
        """See FileToStore."""
        return True

    def was_stable(self, file: BinaryIO, read_bytes: int) -> bool:  # noqa: ARG002 (protocol)
        """See FileToStore."""
        if isinstance(self.stream, HashedFile):
            self.stream.check()
        return read_bytes == self.size


def _open_regular(path: str, size: int) -> BinaryIO | None:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        fd = os.open(path, flags)
    except OSError:
        return None
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode) or found.st_size != size:
        os.close(fd)
        return None
    return open(fd, "rb")
