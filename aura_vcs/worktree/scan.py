"""Walking the project folder: one stat per file, nothing read that has not changed."""

import os
import stat
from collections.abc import Callable, Iterator

import msgspec

from aura_vcs.ids import ObjectId
from aura_vcs.layout import AURA, IGNORE_FILE, is_own_folder
from aura_vcs.model import Entry, EntryKind
from aura_vcs.objects.trees import DEPTH_LIMIT
from aura_vcs.storage.calls import storage_error
from aura_vcs.worktree.cache import FileState, FolderState, ScanCache, file_state
from aura_vcs.worktree.ignore import IgnoreRules

IsTracked = Callable[[str], bool]
"""Whether the version the work is based on has the path: an ignore rule does not make it vanish."""


class Skipped(msgspec.Struct, frozen=True):
    """A path that cannot be versioned, and why."""

    path: str
    reason: str
    is_unreadable: bool = False
    """Whether it is a folder that may hold files which are versioned."""


class ScannedFolder:
    """A folder as it is now. `tree` is its tree's id where nothing changed since it was hashed."""

    __slots__ = ("files", "folders", "ignored", "path", "tree")

    def __init__(self, path: str) -> None:
        self.path = path
        self.files: dict[str, FileState] = {}
        self.folders: dict[str, ScannedFolder] = {}
        self.ignored: list[str] = []
        self.tree: ObjectId | None = None

    def join(self, name: str) -> str:
        """The path of something inside."""
        return f"{self.path}/{name}" if self.path else name


class Scan:
    """The project folder as it is now."""

    def __init__(self, root: ScannedFolder, skipped: list[Skipped], changed: bool, count: int) -> None:
        self.root = root
        self.skipped = skipped
        self.changed = changed
        """Whether anything is not as the cache has it."""
        self.count = count
        """Files and links seen."""

    def folder(self, path: str) -> ScannedFolder | None:
        """The folder at a path."""
        folder: ScannedFolder | None = self.root
        for part in path.split("/") if path else ():
            folder = folder.folders.get(part) if folder else None
        return folder

    def file(self, path: str) -> FileState | None:
        """The file or link at a path."""
        parent, _, name = path.rpartition("/")
        folder = self.folder(parent)
        return folder.files.get(name) if folder else None

    def walk(self) -> Iterator[ScannedFolder]:
        """Every folder, parents first."""
        waiting = [self.root]
        while waiting:
            folder = waiting.pop()
            yield folder
            waiting += folder.folders.values()

    def to_cache(self, fingerprint: bytes) -> ScanCache:
        """What is known now. Names that are not UTF-8 are left out, and so hashed every time."""
        folders = {}
        for folder in self.walk():
            if not folder.path.isascii() and not _is_text(folder.path):
                continue
            files = {name: state for name, state in folder.files.items() if state.id and _is_text(name)}
            names = [name for name in folder.folders if _is_text(name)]
            whole = len(files) == len(folder.files) and len(names) == len(folder.folders)
            tree = bytes.fromhex(folder.tree) if folder.tree and whole else b""
            ignored = [name for name in folder.ignored if _is_text(name)]
            folders[folder.path] = FolderState(files, names, ignored, tree)
        return ScanCache(fingerprint, folders)


class Scanner:
    """Walks the folder `root`, comparing with `cache`.

    `always` are paths that are looked at whatever the ignore rules say.
    """

    def __init__(
        self,
        root: str,
        rules: IgnoreRules,
        cache: ScanCache,
        is_tracked: IsTracked,
        always: frozenset[str] = frozenset(),
    ) -> None:
        self._root = root
        self._rules = rules
        self._cache = cache.folders
        self._is_tracked = is_tracked
        self._always = always | {parent for path in always for parent in _parents(path)}
        self._skipped: list[Skipped] = []
        self._changed = False
        self._count = 0

    def scan(self) -> Scan:
        """Look at everything.

        Raises:
            StorageError: the project folder itself cannot be listed.
        """
        root = self._folder("", self._root)
        if root is None:
            raise storage_error("list", self._root, OSError("it cannot be listed"))
        return Scan(root, self._skipped, self._changed, self._count)

    def _folder(self, path: str, real_path: str) -> ScannedFolder | None:
        folder = ScannedFolder(path)
        cached = self._cache.get(path)
        known = cached.files if cached else {}
        files, matched = folder.files, 0
        try:
            listing = os.scandir(real_path)
        except OSError as error:
            self._skipped.append(Skipped(path, f"it cannot be listed ({error.strerror})", is_unreadable=True))
            return None
        others = []
        with listing:
            for item in listing:  # the loop that every file of every project goes through
                name = item.name
                before = known.get(name)
                if before is None:
                    others.append(item)
                    continue
                try:
                    found = item.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if (
                    found.st_mtime_ns == before[0]
                    and found.st_ctime_ns == before[1]
                    and found.st_size == before[2]
                    and found.st_ino == before[3]
                    and found.st_mode == before[4]
                ):
                    files[name] = before
                    matched += 1
                else:
                    others.append(item)
        if others:
            self._look_at(folder, others, cached)
        self._count += len(files)
        self._finish(folder, cached, matched)
        return folder

    def _finish(self, folder: ScannedFolder, cached: FolderState | None, matched: int) -> None:
        same = (
            cached is not None
            and matched == len(cached.files) == len(folder.files)
            and len(folder.folders) == len(cached.folders)
            and all(inner.tree is not None for inner in folder.folders.values())
            and folder.folders.keys() == set(cached.folders)
        )
        if same and cached is not None and cached.tree and self._folders_as_cached(folder):
            folder.tree = ObjectId(cached.tree.hex())
        else:
            self._changed = True
        if cached is None or len(folder.ignored) != len(cached.ignored):
            self._changed = True

    def _folders_as_cached(self, folder: ScannedFolder) -> bool:
        """Whether every folder inside still has the tree that the cache gave it."""
        for inner in folder.folders.values():
            cached = self._cache.get(inner.path)
            if cached is None or not cached.tree or cached.tree.hex() != inner.tree:
                return False
        return True

    def _look_at(self, folder: ScannedFolder, items: "list[os.DirEntry[str]]", cached: FolderState | None) -> None:
        """Entries that are folders, or new, or not as the cache has them."""
        prefix = f"{folder.path}/" if folder.path else ""
        known_ignored = frozenset(cached.ignored) if cached else frozenset()
        known_folders = frozenset(cached.folders) if cached else frozenset()
        for item in items:
            name = item.name
            path = prefix + name
            if is_own_folder(name):
                if path != AURA:
                    self._skipped.append(Skipped(path, "the name belongs to aura (some disks take it for .aura)"))
                continue
            try:
                is_folder = item.is_dir(follow_symlinks=False)
                if name not in known_folders and self._is_ignored(name, path, is_folder, name in known_ignored):
                    folder.ignored.append(name)
                    continue
                if is_folder and path.count("/") >= DEPTH_LIMIT:
                    self._skipped.append(Skipped(path, f"it lies more than {DEPTH_LIMIT} folders deep"))
                    continue
                if is_folder:
                    inner = self._folder(path, item.path)
                    if inner is not None:
                        folder.folders[name] = inner
                    continue
                found = item.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # gone since it was listed
            if stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode):
                folder.files[name] = file_state(found)
            else:
                self._skipped.append(Skipped(path, "it is a device, a pipe or a socket"))

    def _is_ignored(self, name: str, path: str, is_folder: bool, was_ignored: bool) -> bool:
        if not was_ignored and not self._rules.matches(name, path, is_folder=is_folder):
            return False
        if path == IGNORE_FILE or path in self._always:
            return False
        return not self._is_tracked(path)


def entry_of(name: str, state: FileState) -> Entry:
    """The tree entry of a file that has been hashed."""
    kind = EntryKind.SYMLINK if state.is_symlink else EntryKind.FILE
    return Entry(name, kind, ObjectId(state.id.hex()), state.size, state.is_executable)


def _is_text(name: str) -> bool:
    if name.isascii():
        return True
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
