"""Walking the project folder: one stat per file, nothing read that has not changed."""

import os
import stat
from collections.abc import Callable, Iterator, Sequence

import msgspec

from aura_vcs.ids import ObjectId
from aura_vcs.layout import AURA, IGNORE_FILE, is_own_folder
from aura_vcs.model import Entry, EntryKind
from aura_vcs.objects.trees import DEPTH_LIMIT
from aura_vcs.storage.calls import storage_error
from aura_vcs.worktree.ahead import Ahead
from aura_vcs.worktree.cache import CachedFolder, FileState, ScanCache, cached_folder, file_state
from aura_vcs.worktree.ignore import IgnoreRules

_TYPE = 0o170000
"""The bits of a mode that say what kind of file it is."""
IsTracked = Callable[[str], bool]
"""Whether the version the work is based on has the path: an ignore rule does not make it vanish."""


class Skipped(msgspec.Struct, frozen=True):
    """A path that cannot be versioned, and why."""

    path: str
    reason: str
    is_unreadable: bool = False
    """Whether it is a folder that may hold files which are versioned."""


class ScannedFolder:
    """A folder as it is now. `tree` is its tree's id where nothing changed since it was hashed.

    `was` is the folder as the cache has it; the states of files that did not change are those of `was`.
    """

    __slots__ = ("_files", "folders", "ignored", "path", "tree", "was")

    def __init__(self, path: str, was: CachedFolder | None = None, *, has_files_of_was: bool = False) -> None:
        self.path = path
        self.was = was
        self._files: dict[str, FileState] | None = None if has_files_of_was else {}
        self.folders: dict[str, ScannedFolder] = {}
        self.ignored: list[str] = []
        """Names that the rules ignore; those of folders end with a slash."""
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
        """What the cache keeps. Names that are not UTF-8 are left out, and so hashed every time."""
        if self._files is None and self.was is not None and len(self.folders) == len(self.was.folders):
            tree = bytes.fromhex(self.tree) if self.tree else b""
            return CachedFolder(self.was.names, self.was.stamps, self.was.folders, self.was.ignored, tree)
        files = {name: state for name, state in self.files.items() if state.id and _is_text(name)}
        names = [name for name in self.folders if _is_text(name)]
        whole = len(files) == len(self.files) and len(names) == len(self.folders)
        tree = bytes.fromhex(self.tree) if self.tree and whole else b""
        return cached_folder(files, names, [name for name in self.ignored if _is_text(name)], tree)

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

    def add_folder(self, path: str) -> ScannedFolder | None:
        """Enter an empty folder that was made since; None if the scan saw it, or nothing above it."""
        parent, _, name = path.rpartition("/")
        above = self.folder(parent)
        if above is None or name in above.folders:
            return None
        above.folders[name] = ScannedFolder(path)
        return above.folders[name]

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
        """What is known now."""
        folders = {
            folder.path: folder.to_cache() for folder in self.walk() if folder.path.isascii() or _is_text(folder.path)
        }
        return ScanCache(fingerprint, folders)


class Scanner:
    """Walks the folder `root`, comparing with `cache`.

    `always` are paths that are looked at whatever the ignore rules say. `ahead` has looked already:
    where it names the files that may have changed, only those are looked at again. `is_of_base`: the
    cache has the very files of the tree that the work started from, so nothing that it ignored is in that.
    """

    def __init__(
        self,
        root: str,
        rules: IgnoreRules,
        cache: ScanCache,
        is_tracked: IsTracked,
        always: frozenset[str] = frozenset(),
        ahead: Ahead | None = None,
        *,
        is_of_base: bool = False,
    ) -> None:
        self._root = root
        self._rules = rules
        self._cache = cache.folders
        self._ahead = ahead.differing(cache) if ahead is not None and not always else {}
        self._is_tracked = is_tracked
        self._is_of_base = is_of_base
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
        cached = self._cache.get(path)
        if cached is not None and path in self._ahead and not self._shows_ignored(path, cached):
            return self._as_seen_ahead(path, real_path, cached, self._ahead[path])
        folder = ScannedFolder(path, cached)
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

    def _shows_ignored(self, path: str, cached: CachedFolder) -> bool:
        """Whether something that was ignored must now be looked at, because the version has it."""
        if self._is_of_base:
            return False
        prefix = f"{path}/" if path else ""
        return any(self._is_tracked(prefix + name.rstrip("/")) for name in cached.ignored)

    def _as_seen_ahead(
        self, path: str, real_path: str, cached: CachedFolder, differing: Sequence[int]
    ) -> ScannedFolder | None:
        """The folder as the cache has it but for the files of these numbers."""
        folder = ScannedFolder(path, cached, has_files_of_was=True)
        folder.ignored = cached.ignored
        for number in differing:
            name = cached.names[number]
            try:
                found = os.lstat(os.path.join(real_path, name))
            except OSError:
                del folder.files[name]
                continue
            if not _is_file(found):
                del self._ahead[path]  # it has become something else
                return self._folder(path, real_path)
            folder.files[name] = file_state(found)
        for name in cached.folders:
            inner = self._folder(folder.join(name), os.path.join(real_path, name))
            if inner is not None:
                folder.folders[name] = inner
        self._count += folder.count
        self._finish(folder, cached, len(cached.names) - len(differing))
        return folder

    def _finish(self, folder: ScannedFolder, cached: CachedFolder | None, matched: int) -> None:
        same = (
            cached is not None
            and matched == len(cached.names) == folder.count
            and len(folder.folders) == len(cached.folders)
            and all(inner.tree is not None for inner in folder.folders.values())
            and folder.folders.keys() == set(cached.folders)
        )
        if same and cached is not None and cached.tree and self._folders_as_cached(folder):
            folder.tree = ObjectId(cached.tree.hex())
        else:
            self._changed = True
        if cached is None or set(folder.ignored) != set(cached.ignored):
            self._changed = True

    def _folders_as_cached(self, folder: ScannedFolder) -> bool:
        """Whether every folder inside still has the tree that the cache gave it."""
        for inner in folder.folders.values():
            cached = self._cache.get(inner.path)
            if cached is None or not cached.tree or cached.tree.hex() != inner.tree:
                return False
        return True

    def _look_at(self, folder: ScannedFolder, items: "list[os.DirEntry[str]]", cached: CachedFolder | None) -> None:
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
                if not (is_folder and name in known_folders):
                    kept_as = f"{name}/" if is_folder else name  # a rule may be only for folders, or for files
                    if self._is_ignored(name, path, is_folder, kept_as in known_ignored):
                        folder.ignored.append(kept_as)
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
            if _is_file(found):
                folder.files[name] = file_state(found)
            else:
                self._skipped.append(Skipped(path, "it is a device, a pipe or a socket"))

    def _is_ignored(self, name: str, path: str, is_folder: bool, was_ignored: bool) -> bool:
        if not was_ignored and not self._rules.matches(name, path, is_folder=is_folder):
            return False
        if path == IGNORE_FILE or path in self._always:
            return False
        return (was_ignored and self._is_of_base) or not self._is_tracked(path)


def entry_of(name: str, state: FileState) -> Entry:
    """The tree entry of a file that has been hashed."""
    object_id: ObjectId = state[5].hex()  # type: ignore[assignment]  # a NewType's call would be half the time
    mode = state[4]
    if mode & _TYPE == stat.S_IFLNK:
        return Entry(name, EntryKind.SYMLINK, object_id, state[2])
    return Entry(name, EntryKind.FILE, object_id, state[2], mode & 0o100 != 0)


def _is_file(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)


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
