"""What git's trees say and ours cannot: submodules, modes that git wrote once, folders of nothing.

A version keeps it beside the commit's words, so that the very trees can be made again. Versions that build on one
with the same name the commit that has it. Formats: see `git.trees` in docs/format.md.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

import msgspec

from aura_vcs.errors.integrity import UnsafePath
from aura_vcs.ids import VersionId
from aura_vcs.interchange.git_commits import as_extra, git_origin, read_extra
from aura_vcs.interchange.git_names import is_git_folder
from aura_vcs.interchange.git_objects import EMPTY_TREE, EXECUTABLE, FILE, LINK, MODULE, TREE, GitEntry, kind_of
from aura_vcs.layout import check_entry_name
from aura_vcs.model import Version
from aura_vcs.objects.base import DEPTH_LIMIT

TREES = "git.trees"
"""The key of what the trees of a commit have besides; with `.base64` behind it where it is not UTF-8."""
SAME_TREES = "git.trees.of"
"""The key of the commit before this one whose version has it."""
KEPT_BYTES_LIMIT = 1 << 16
"""Of one commit: trees that lie in each other many times would make any length."""
REMEMBERED_LINES = 200_000
PLAIN_MODES = frozenset({TREE, FILE, EXECUTABLE, LINK})
_LINE = re.compile(rb"(?P<mode>[0-7]{5,7}) (?P<id>[0-9a-f]{40}|-) (?P<path>.+)\Z", re.DOTALL)


class Remainder(msgspec.Struct, frozen=True):
    """What a tree of git has besides: modes, ids and names of its entries, and folders in it that have some too."""

    lines: tuple[tuple[bytes, bytes], ...]
    folders: tuple[tuple[bytes, str], ...]


class RemainderImport:
    """Notes what trees have besides as they are converted, and says for each commit what its version keeps of it.

    Memory is bounded: what was forgotten of a tree is read again with `read`, which returns the entries that are kept.
    """

    def __init__(self, read: Callable[[str], Iterable[GitEntry]]) -> None:
        self._read = read
        self._some: set[bytes] = set()
        """Trees that have something, or hold one that has; by git's binary ids."""
        self._remembered: OrderedDict[str, Remainder] = OrderedDict()
        self._lines = 0
        self._holders: dict[str, tuple[bytes, str]] = {}
        """Of commits: the digest of what their trees have besides, and the commit whose version has it."""
        self.too_long = 0
        """Commits whose trees have more than is kept."""

    def note(self, git_id: str, entries: Iterable[GitEntry]) -> None:
        """Look at the entries of a tree that are kept in one way or another; those of its folders were noted before."""
        found = self._remainder(entries)
        if found.lines or found.folders:
            self._some.add(bytes.fromhex(git_id))
            self._remember(git_id, found)

    def learn(self, commit: str, tree: str, extra: Mapping[str, str]) -> None:
        """Learn from the version of an earlier import what its commit has besides, so that others can name it."""
        holder = extra.get(SAME_TREES) or (commit if read_extra(extra, TREES) is not None else None)
        data = self._of(tree) if holder is not None else None
        if holder is not None and data:
            self._holders[commit] = _digest(data), holder

    def remaining(self, commit: str, tree: str, parents: Iterable[str]) -> dict[str, str]:
        """Return what a commit's version keeps: nothing for most."""
        data = self._of(tree)
        if data is None:
            self.too_long += 1
        if not data:
            return {}
        digest = _digest(data)
        for parent in parents:
            kept = self._holders.get(parent)
            if kept is not None and kept[0] == digest:
                self._holders[commit] = kept
                return {SAME_TREES: kept[1]}
        self._holders[commit] = digest, commit
        return as_extra(TREES, data)

    def _of(self, tree: str) -> bytes | None:
        """Return the lines of a tree and all that lies in it; None if they are longer than a version keeps."""
        if bytes.fromhex(tree) not in self._some:
            return b""
        found: list[bytes] = []
        size, waiting = 0, [(tree, b"", 0)]
        while waiting:
            git_id, prefix, depth = waiting.pop()
            remainder = self._recalled(git_id)
            for words, name in remainder.lines:
                found.append(b"%s %s%s\0" % (words, prefix, name))
                size += len(found[-1])
            size += len(remainder.folders)
            if size > KEPT_BYTES_LIMIT or depth > DEPTH_LIMIT:
                return None
            waiting += [(one, b"%s%s/" % (prefix, name), depth + 1) for name, one in remainder.folders]
        return b"".join(sorted(found))

    def _recalled(self, git_id: str) -> Remainder:
        known = self._remembered.get(git_id)
        if known is None:
            known = self._remainder(self._read(git_id))
            self._remember(git_id, known)
        else:
            self._remembered.move_to_end(git_id)
        return known

    def _remember(self, git_id: str, found: Remainder) -> None:
        self._remembered[git_id] = found
        self._lines += len(found.lines) + len(found.folders)
        while self._lines > REMEMBERED_LINES and len(self._remembered) > 1:
            old = self._remembered.popitem(last=False)[1]
            self._lines -= len(old.lines) + len(old.folders)

    def _remainder(self, entries: Iterable[GitEntry]) -> Remainder:
        lines, folders = [], []
        for entry in entries:
            if entry.mode not in PLAIN_MODES or entry.written or entry.id == EMPTY_TREE:
                one = entry.id.encode() if kind_of(entry.mode) == MODULE else b"-"
                lines.append((b"%s %s" % (entry.written or b"%o" % entry.mode, one), entry.name))
            if entry.mode == TREE and bytes.fromhex(entry.id) in self._some:
                folders.append((entry.name, entry.id))
        return Remainder(tuple(lines), tuple(folders))


class FolderRemainder(msgspec.Struct):
    """What a version keeps of a folder: modes as they were written, submodules with their commits, folders in it."""

    modes: dict[bytes, bytes] = {}
    modules: dict[bytes, tuple[bytes, str]] = {}
    folders: dict[bytes, "FolderRemainder"] = {}

    def completed(self, entries: Iterable[GitEntry]) -> list[GitEntry]:
        """Return the entries of a tree as they were: a mode only where it means the same, no name twice."""
        found = {entry.name: _written(entry, self.modes.get(entry.name)) for entry in entries}
        for name, (mode, one) in self.modules.items():
            found.setdefault(name, _written(GitEntry(MODULE, name, one), mode))
        return list(found.values())


class RemainderExport:
    """Finds what the trees of versions had besides in git; asked parents first."""

    def __init__(self) -> None:
        self._by_commit: dict[str, FolderRemainder] = {}
        self._holders: dict[VersionId, FolderRemainder] = {}
        self._modules: dict[int, FolderRemainder | None] = {}
        """Submodules alone, by the identity of what has more."""

    def of(self, version_id: VersionId, version: Version, *, has_modules: bool) -> FolderRemainder | None:
        """Return what the trees of a version have besides.

        A version that was made here has the submodules of its first parent, as long as it `has_modules`: the file
        `.gitmodules`.
        """
        commit, before = git_origin(version.extra), version.parents[:1]
        if commit is not None:
            found = self._by_commit.get(version.extra.get(SAME_TREES, ""))
            data = read_extra(version.extra, TREES)
            if data and len(data) <= KEPT_BYTES_LIMIT:
                found = self._by_commit[commit] = _parsed(data)
        else:
            found = self._only_modules(self._holders.get(before[0])) if before and has_modules else None
        if found is not None:
            self._holders[version_id] = found
        return found

    def _only_modules(self, kept: FolderRemainder | None) -> FolderRemainder | None:
        if kept is None:
            return None
        if id(kept) not in self._modules:
            found = self._modules[id(kept)] = _modules_of(kept)
            if found is not None:
                self._modules[id(found)] = found
        return self._modules[id(kept)]


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _written(entry: GitEntry, mode: bytes | None) -> GitEntry:
    """Return an entry with the mode that git wrote, if it is one of the same kind."""
    if mode is None or kind_of(int(mode, 8)) != entry.mode:
        return entry
    number = int(mode, 8)
    return GitEntry(number, entry.name, entry.id, mode if mode != b"%o" % number else b"")


def _parsed(data: bytes) -> FolderRemainder:
    """Return what was kept, which anybody may have written: no names that lead elsewhere, not too deep."""
    top = FolderRemainder()
    for line in data.split(b"\0"):
        found = _LINE.match(line)
        if found is None:
            continue
        *folders, name = found["path"].split(b"/")
        if len(folders) > DEPTH_LIMIT or not all(map(_is_safe, (*folders, name))):
            continue
        at = top
        for folder in folders:
            at = at.folders.setdefault(folder, FolderRemainder())
        if kind_of(int(found["mode"], 8)) == MODULE and found["id"] != b"-":
            at.modules[name] = found["mode"], found["id"].decode()
        elif found["id"] == b"-":
            at.modes[name] = found["mode"]
    return top


def _modules_of(kept: FolderRemainder) -> FolderRemainder | None:
    folders = {name: only for name, folder in kept.folders.items() if (only := _modules_of(folder)) is not None}
    return FolderRemainder({}, kept.modules, folders) if folders or kept.modules else None


def _is_safe(name: bytes) -> bool:
    try:
        check_entry_name(name.decode("utf-8", "surrogateescape"))
    except UnsafePath:
        return False
    return not is_git_folder(name)
