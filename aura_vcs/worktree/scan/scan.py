"""The project folder as a look at it found it."""

import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import msgspec

from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.ids import ObjectId
from aura_vcs.model import Entry, EntryKind, Tree
from aura_vcs.plain_text import is_text
from aura_vcs.worktree.scan.cache import CachedFolder, FileState, FolderChange, ScanCache, cached_folder, id_of
from aura_vcs.worktree.scan.ignore import IgnoreRules

_TYPE = 0o170000
"""The bits of a mode that say what kind of file it is."""


ReadTree = Callable[[ObjectId], Tree]


class Skipped(msgspec.Struct, frozen=True):
    """A path that cannot be versioned, and why."""

    path: str
    reason: str
    is_unreadable: bool = False
    """Whether what it holds cannot be seen, so that what is versioned of it stays as it was."""
    is_evicted: bool = False
    """Whether it is absent because its content was evicted: it stays in versions, and may be written over."""


class ScannedFolder:
    """A folder as it is now. `tree` is its tree's id where nothing changed since it was hashed.

    `was` is the folder as the cache has it; the states of files that did not change are those of `was`.
    """

    __slots__ = ("_files", "folders", "held", "ignored", "path", "tree", "was")

    def __init__(self, path: str, was: CachedFolder | None = None, *, has_files_of_was: bool = False) -> None:
        self.path = path
        self.was = was
        self._files: dict[str, FileState] | None = None if has_files_of_was else {}
        self.folders: dict[str, ScannedFolder] = {}
        self.ignored: list[str] = []
        """Names that the rules ignore; those of folders end with a slash."""
        self.held: list[str] = []
        """Names that the rules ignore and that are looked at all the same, because they are versioned."""
        self.tree: ObjectId | None = None

    @property
    def files(self) -> dict[str, FileState]:
        """The files by name. Those of a folder that did not change are only made when they are asked for."""
        if self._files is None:
            assert self.was is not None
            self._files = dict(self.was.files)
        return self._files

    @property
    def count(self) -> int:
        """How many files there are."""
        if self._files is None:
            assert self.was is not None
            return len(self.was.names)
        return len(self._files)

    @property
    def has_folders_of_was(self) -> bool:
        """Whether the names of the folders inside are those that the cache has."""
        return self.was is not None and self.folders.keys() == set(self.was.folders)

    @property
    def size(self) -> int:
        """Bytes of all files below."""
        if self._files is None and self.was is not None:
            sizes = self.was.sizes()
        else:
            sizes = [state.size for state in self.files.values()]
        return sum(sizes) + sum(inner.size for inner in self.folders.values())

    def to_cache(self) -> CachedFolder:
        """Build what the cache stores. Names that are not UTF-8 are left out, and so hashed every time."""
        if self._files is None and self.was is not None and len(self.folders) == len(self.was.folders):
            tree = bytes.fromhex(self.tree) if self.tree else b""
            was = self.was
            return CachedFolder(was.names, was.stamps, was.folders, was.ignored, was.held, tree)
        are_text = is_text("".join(self.files))
        files = {name: state for name, state in self.files.items() if state.id and (are_text or is_text(name))}
        names = _texts(self.folders) if self.folders else []
        whole = len(files) == len(self.files) and len(names) == len(self.folders)
        tree = bytes.fromhex(self.tree) if self.tree and whole else b""
        return cached_folder(
            files, names, (_texts(self.ignored) if self.ignored else []), (_texts(self.held) if self.held else []), tree
        )

    def change_since_cache(self) -> FolderChange | None:
        """Return what of the folder the cache does not have, None if nothing."""
        was = self.was
        before = was.files if was is not None and self._files is not None else {}
        files = self._files or {}
        are_text = is_text("".join(files))
        changed = {n: s for n, s in files.items() if before.get(n) is not s and s.id and (are_text or is_text(n))}
        gone = [name for name in before if name not in files or not files[name].id]
        names = _texts(self.folders) if self.folders else []
        whole = len(names) == len(self.folders) and are_text and all(map(id_of, files.values()))
        tree = bytes.fromhex(self.tree) if self.tree and whole else b""
        lists = names, (_texts(self.ignored) if self.ignored else []), (_texts(self.held) if self.held else [])
        has_lists = was is None or [*map(set, lists)] != [*map(set, (was.folders, was.ignored, was.held))]
        if was is not None and not (changed or gone or has_lists) and tree == was.tree:
            return None
        return FolderChange(self.path, tree, changed, gone, lists if has_lists else None)

    def join(self, name: str) -> str:
        """Return the path of something inside."""
        return f"{self.path}/{name}" if self.path else name


class Scan:
    """The project folder as it is now."""

    def __init__(
        self,
        root: ScannedFolder,
        skipped: list[Skipped],
        changed: bool,
        count: int,
        fingerprint: bytes = b"",
        always: frozenset[str] = frozenset(),
        known: ScanCache | None = None,
    ) -> None:
        self.root = root
        self.known = known
        """The cache that it was compared with, as it was loaded."""
        self.skipped = skipped
        self.fingerprint = fingerprint
        """That of the rules it was made with."""
        self.always = always
        """Paths that were looked at whatever the rules say, and the folders that they are in."""
        self.changed = changed
        """Whether anything is not as the cache has it."""
        self.count = count
        """Files and links seen."""

    def folder(self, path: str) -> ScannedFolder | None:
        """Return the folder at a path."""
        folder: ScannedFolder | None = self.root
        for part in path.split("/") if path else ():
            folder = folder.folders.get(part) if folder else None
        return folder

    def add_folder(self, path: str) -> ScannedFolder | None:
        """Enter an empty folder that was made since; None if the scan saw it, or nothing above it."""
        parent, _, name = path.rpartition("/")
        above = self.folder(parent)
        if above is None or name in above.folders:
            return None
        above.folders[name] = ScannedFolder(path)
        return above.folders[name]

    def file(self, path: str) -> FileState | None:
        """Return the file or link at a path."""
        parent, _, name = path.rpartition("/")
        folder = self.folder(parent)
        return folder.files.get(name) if folder else None

    def hold_ignored(self, paths: Iterable[str], rules: IgnoreRules) -> None:
        """Say of what came since if it is against the rules; a slash ends the path of a folder."""
        for path in paths:
            parts = path.split("/")
            for depth, name in enumerate(parts):
                folder = self.folder("/".join(parts[:depth]))
                is_folder = depth + 1 < len(parts)
                kept_as = f"{name}/" if is_folder else name
                if folder is None or kept_as in folder.held:
                    break
                if rules.matches(name, "/".join(parts[: depth + 1]), is_folder=is_folder):
                    folder.held = [*folder.held, kept_as]  # the lists may be the cache's
                    folder.ignored = [other for other in folder.ignored if other != kept_as]
                    break

    def drop(self, path: str, reason: str | None) -> None:
        """Take out a file that cannot be read after all, and why; None if it has gone, as if it had not been seen."""
        parent, _, name = path.rpartition("/")
        folder = self.folder(parent)
        if folder is not None:
            folder.files.pop(name, None)
            folder.tree = None
        if reason is not None:
            self.skipped.append(Skipped(path, reason, is_unreadable=True))
        self.changed = True

    def is_unseen(self, path: str) -> bool:
        """Tell whether what is at the path, or in a folder above it, could not be seen."""
        unseen = (s.path for s in self.skipped if s.is_unreadable and not s.is_evicted)
        return any(path == other or path.startswith(f"{other}/") for other in unseen)

    def unseen(self) -> dict[str, list[str]]:
        """Group names of what could not be seen by the folder that it is in."""
        found: dict[str, list[str]] = {}
        for skipped in self.skipped:
            if skipped.is_unreadable:
                parent, _, name = skipped.path.rpartition("/")
                found.setdefault(parent, []).append(name)
        return found

    def tracked_ignored(self) -> list[str]:
        """List paths that rules ignore and that are versioned, topmost ones; those of folders end with a slash."""
        return sorted(folder.join(name) for folder in self.walk() for name in folder.held)

    def walk(self) -> Iterator[ScannedFolder]:
        """Yield every folder, parents first."""
        waiting = [self.root]
        while waiting:
            folder = waiting.pop()
            yield folder
            waiting += folder.folders.values()

    def cache_changes(self) -> tuple[list[FolderChange], list[str]] | None:
        """Return what is known now and not in the cache, and which folders went; None where all is to be written."""
        known = self.known
        if known is None or known.fingerprint != self.fingerprint or not known.all_bytes:
            return None
        changes: list[FolderChange] = []
        gone = dict.fromkeys(known.folders)
        for folder in self.walk():
            if not is_text(folder.path):
                continue
            was = known.folders.get(folder.path)
            if folder.was is not was:
                return None
            gone.pop(folder.path, None)
            if (change := folder.change_since_cache()) is not None:
                changes.append(change)
        return changes, list(gone)

    def to_cache(self) -> ScanCache:
        """Build the cache of what is known now."""
        folders = {
            folder.path: folder.to_cache() for folder in self.walk() if folder.path.isascii() or is_text(folder.path)
        }
        return ScanCache(self.fingerprint, folders)


def follow_trees(folder: ScannedFolder, old: ObjectId | None, new: ObjectId | None, read: ReadTree) -> None:
    """Give a folder that went from one tree to another, and those in it, the trees that they have now.

    None for those that were not as `old`.
    """
    if old == new:
        return
    is_as_old = folder.tree is not None and folder.tree == old
    folder.tree = new if is_as_old else None
    if not folder.folders:
        return
    before, after = (_folders_of(read, tree) for tree in (old, new))
    for name, inner in folder.folders.items():
        follow_trees(inner, before.get(name), after.get(name), read)


def adopt_trees(folder: ScannedFolder, tree: ObjectId, read: ReadTree) -> None:
    """Give a folder that was found to be as the tree, and those in it, their trees."""
    if folder.tree == tree:
        return
    folder.tree = tree
    if not folder.folders:
        return
    inside = _folders_of(read, tree)
    for name, inner in folder.folders.items():
        if name in inside:
            adopt_trees(inner, inside[name], read)


def _folders_of(read: ReadTree, tree: ObjectId | None) -> dict[str, ObjectId]:
    entries = read(tree).entries if tree is not None else ()
    return {entry.name: entry.id for entry in entries if entry.kind is EntryKind.DIR}


def drop(scan: Scan, error: FileUnreadable) -> None:
    """Take a file that cannot be read out of a scan.

    Raises:
        FileUnreadable: no other could be read either.
    """
    if error.is_everywhere:
        raise error
    scan.drop(error.path, None if error.has_gone else f"it cannot be read ({error.reason})")


def entry_of(name: str, state: FileState) -> Entry:
    """Build the tree entry of a file that has been hashed."""
    return entries_of({name: state})[name]


def entries_of(files: Mapping[str, FileState]) -> dict[str, Entry]:
    """Build the tree entries of files that have all been hashed."""
    found: dict[str, Entry] = {}
    for name, (_, _, size, _, mode, digest) in files.items():
        object_id: ObjectId = digest.hex()  # type: ignore[assignment]  # a NewType's call would be half the time
        if mode & _TYPE == stat.S_IFLNK:
            found[name] = Entry(name, EntryKind.SYMLINK, object_id, size)
        else:
            found[name] = Entry(name, EntryKind.FILE, object_id, size, mode & 0o100 != 0)
    return found


def _texts(names: Collection[str]) -> list[str]:
    """Return the names that are text: the cache has no others."""
    joined = "".join(names)
    return list(names) if joined.isascii() or is_text(joined) else [name for name in names if is_text(name)]
