"""Walking the project folder: one stat per file, nothing read that has not changed.

What cannot be looked at is named and passed over on its own; what went meanwhile is as if it had never been there.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence

from aura_vcs.errors.worktree import EXHAUSTED, NO_SUCH_FILE
from aura_vcs.ids import ObjectId
from aura_vcs.layout import AURA, IGNORE_FILE, is_own_folder
from aura_vcs.objects.base import DEPTH_LIMIT
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.system_calls import storage_error
from aura_vcs.worktree.scan.cache import CachedFolder, FileState, ScanCache, file_state
from aura_vcs.worktree.scan.ignore import IgnoreRules, half_copied
from aura_vcs.worktree.scan.prefetch import LookAhead
from aura_vcs.worktree.scan.scan import Scan, ScannedFolder, Skipped

IsTracked = Callable[[str], bool]
"""Whether the version the work is based on has the path: an ignore rule does not make it vanish."""


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
        ahead: LookAhead | None = None,
        *,
        is_of_base: bool = False,
        progress: Progress = SILENT,
    ) -> None:
        self._progress = progress
        self._root = root
        self._rules = rules
        self._has_same_rules = cache.fingerprint == rules.fingerprint
        differing = ahead.differing(cache) if ahead is not None and not always else {}
        self._ahead = differing if self._has_same_rules else {}
        self._cache = (cache if self._has_same_rules else cache.files_only(rules.fingerprint)).folders
        self._known = cache
        self._is_tracked = is_tracked
        self._is_of_base = is_of_base and self._has_same_rules
        self._always = always | {parent for path in always for parent in _parents(path)}
        self._skipped: list[Skipped] = []
        self._changed = not self._has_same_rules
        self._count = 0

    def scan(self) -> Scan:
        """Look at everything.

        Raises:
            StorageError: the project folder itself cannot be listed.
        """
        self._progress.start("Looking at files", None, "files")
        root = self._folder("", self._root, is_inside=False)
        self._progress.finish()
        if root is None:
            reason = next((skipped.reason for skipped in self._skipped if not skipped.path), "it is gone")
            raise storage_error("list", self._root, OSError(reason))
        return Scan(root, self._skipped, self._changed, self._count, self._rules.fingerprint, self._always, self._known)

    def _folder(self, path: str, real_path: str, *, is_inside: bool) -> ScannedFolder | None:
        """Look at a folder; None if it cannot be. `is_inside`: it is ignored, and looked at for what is versioned."""
        cached = self._cache.get(path)
        if cached is not None and path in self._ahead and not self._may_show_otherwise(path, cached, is_inside):
            return self._as_prefetched(path, real_path, cached, self._ahead[path], is_inside=is_inside)
        folder = ScannedFolder(path, cached)
        try:
            with os.scandir(real_path) as listing:
                others, matched = self._compare(folder, listing, cached, is_inside=is_inside)
            if others:
                matched += self._look_at(folder, others, cached, is_inside=is_inside)
        except OSError as error:
            self._pass_over(path, error, "it cannot be listed")
            return None
        count = folder.count
        self._count += count
        self._progress.advance(count)
        self._finish(folder, cached, matched)
        return folder

    def _compare(
        self,
        folder: ScannedFolder,
        listing: "Iterator[os.DirEntry[str]]",
        cached: CachedFolder | None,
        *,
        is_inside: bool,
    ) -> "tuple[list[os.DirEntry[str]], int]":
        """Find what is to be looked at more closely, and count the files that are as the cache has them."""
        is_sure = self._has_same_rules and (self._is_of_base or not (is_inside or (cached and cached.held)))
        known = cached.files if cached and is_sure else {}
        files, matched = folder.files, 0
        others = []
        for item in listing:  # the loop that every file of every project goes through
            name = item.name
            before = known.get(name)
            if before is None:
                others.append(item)
                continue
            try:
                found = item.stat(follow_symlinks=False)
            except OSError:
                others.append(item)
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
        if matched and cached is not None and cached.held:
            folder.held += [name for name in cached.held if name in files]
        return others, matched

    def _may_show_otherwise(self, path: str, cached: CachedFolder, is_inside: bool) -> bool:
        """Tell whether what was ignored must now be looked at, because the version has it, or the other way."""
        if self._is_of_base:
            return False
        if is_inside or cached.held:
            return True
        prefix = f"{path}/" if path else ""
        return any(self._is_tracked(prefix + name.rstrip("/")) for name in cached.ignored)

    def _as_prefetched(
        self, path: str, real_path: str, cached: CachedFolder, differing: Sequence[int], *, is_inside: bool
    ) -> ScannedFolder | None:
        """Build the folder as the cache has it but for the files of these numbers."""
        folder = ScannedFolder(path, cached, has_files_of_was=True)
        folder.ignored, folder.held = cached.ignored, cached.held
        for number in differing:
            name = cached.names[number]
            try:
                found = os.lstat(os.path.join(real_path, name))
                is_file = _is_file(found)
            except OSError:
                is_file = False
            if not is_file:
                del self._ahead[path]  # it has become something else, or gone, or cannot be seen
                return self._folder(path, real_path, is_inside=is_inside)
            folder.files[name] = file_state(found)
        held = frozenset(cached.held)
        for name in cached.folders:
            is_held = is_inside or f"{name}/" in held
            inner = self._folder(folder.join(name), os.path.join(real_path, name), is_inside=is_held)
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
        if cached is None or set(folder.ignored) != set(cached.ignored) or set(folder.held) != set(cached.held):
            self._changed = True

    def _folders_as_cached(self, folder: ScannedFolder) -> bool:
        """Tell whether every folder inside still has the tree that the cache gave it."""
        for inner in folder.folders.values():
            cached = self._cache.get(inner.path)
            if cached is None or not cached.tree or cached.tree.hex() != inner.tree:
                return False
        return True

    def _look_at(
        self, folder: ScannedFolder, items: "list[os.DirEntry[str]]", cached: CachedFolder | None, *, is_inside: bool
    ) -> int:
        """Look at entries that are folders, new, or not as the cache has them; count the files that are as it has them.

        Raises:
            PermissionError: nothing in the folder can be looked at.
        """
        matched, failed = 0, list[tuple[str, OSError]]()
        names = _Names(folder, items, cached, is_inside=is_inside)
        for item in items:
            name = item.name
            path = folder.join(name)
            if is_own_folder(name):
                if path != AURA:
                    self._skipped.append(Skipped(path, "the name belongs to aura (some disks take it for .aura)"))
                continue
            try:
                is_folder = item.is_dir(follow_symlinks=False)
                is_hidden = self._is_hidden(name, path, names, is_folder=is_folder)
                if is_hidden and not self._is_tracked_ignored(path, f"{name}/" if is_folder else name, names):
                    folder.ignored.append(f"{name}/" if is_folder else name)
                    continue
                if is_hidden and not is_inside:
                    folder.held.append(f"{name}/" if is_folder else name)
                if is_folder:
                    self._look_into(folder, name, path, item.path, is_inside=is_hidden)
                    continue
                found = item.stat(follow_symlinks=False)
            except OSError as error:
                failed.append((path, error))
                continue
            if not _is_file(found):
                self._skipped.append(Skipped(path, "it is a device, a pipe or a socket"))
                continue
            folder.files[name] = state = names.known_state(name, file_state(found))
            matched += bool(state.id)
        self._pass_over_all(folder, failed)
        return matched

    def _pass_over_all(self, folder: ScannedFolder, failed: list[tuple[str, OSError]]) -> None:
        """Name what could not be looked at; one word for a folder with names that nobody may look at.

        Raises:
            PermissionError: nothing in the folder can be looked at.
        """
        denied = [error for _, error in failed if isinstance(error, PermissionError)]
        if folder.path and len(denied) > 1 and not folder.files and not folder.folders:
            raise denied[0]
        for path, error in failed:
            self._pass_over(path, error, "it cannot be looked at")

    def _pass_over(self, path: str, error: OSError, what: str) -> None:
        """Continue without a path that has gone, or cannot be looked at, which is reported.

        Raises:
            StorageError: it is not about this path.
        """
        if error.errno in EXHAUSTED:
            raise storage_error("look at", path or self._root, error) from error
        if error.errno not in NO_SUCH_FILE:
            self._skipped.append(Skipped(path, f"{what} ({error.strerror})", is_unreadable=True))

    def _look_into(self, folder: ScannedFolder, name: str, path: str, real_path: str, *, is_inside: bool) -> None:
        if path.count("/") >= DEPTH_LIMIT:
            self._skipped.append(Skipped(path, f"it is more than {DEPTH_LIMIT} folders deep"))
            return
        inner = self._folder(path, real_path, is_inside=is_inside)
        if inner is not None:
            folder.folders[name] = inner

    def _is_hidden(self, name: str, path: str, names: "_Names", *, is_folder: bool) -> bool:
        """Tell whether the rules ignore an entry; they are asked where the cache does not know."""
        if path == IGNORE_FILE:
            return False
        if names.is_inside:
            return True
        was = names.was_hidden(f"{name}/" if is_folder else name) if self._has_same_rules else None
        if was is not None and half_copied(name) is None:
            return was
        if self._rules.matches(name, path, is_folder=is_folder):
            return True
        is_half = not is_folder and names.is_half_copied(name)
        return is_half and not self._rules.takes_back(name, path, is_folder=False)

    def _is_tracked_ignored(self, path: str, kept_as: str, names: "_Names") -> bool:
        """Tell whether an entry that the rules ignore is looked at all the same."""
        if path in self._always:
            return True
        was = names.was_hidden(kept_as) if self._is_of_base else None
        if was is not None:
            return not was or kept_as in names.held
        return self._is_tracked(path)


class _Names:
    """What the cache knows of the names in a folder that is being looked at."""

    def __init__(
        self, folder: ScannedFolder, items: "list[os.DirEntry[str]]", cached: CachedFolder | None, *, is_inside: bool
    ) -> None:
        self.is_inside = is_inside
        self.held = frozenset(cached.held) if cached else frozenset()
        self._folder = folder
        self._items = items
        self._files = cached.files if cached else {}
        self._folders = frozenset(cached.folders) if cached else frozenset()
        self._ignored = frozenset(cached.ignored) if cached else frozenset()
        self._here: frozenset[str] | None = None

    def was_hidden(self, kept_as: str) -> bool | None:
        """Tell whether the rules ignored the name (a folder's ends with a slash); None if it is new."""
        if kept_as in self._ignored or kept_as in self.held:
            return True
        is_known = kept_as[:-1] in self._folders if kept_as[-1] == "/" else kept_as in self._files
        return False if is_known else None

    def is_half_copied(self, name: str) -> bool:
        """Tell whether an interrupted rsync left the file beside the one that it was to become."""
        if half_copied(name) is None:
            return False
        if self._here is None:
            self._here = frozenset(item.name for item in self._items)
        whole = half_copied(name)
        return whole in self._here or whole in self._folder.files

    def known_state(self, name: str, found: FileState) -> FileState:
        """Return the state with the id of its content, if the cache has just that state."""
        before = self._files.get(name)
        return before if before is not None and before[:5] == found[:5] else found


def _is_file(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
