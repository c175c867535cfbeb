"""Where media are that a project file names and that are not there: in the folder under another name, or in a version.

In this order: the content that a version had at that path, wherever it is now; what the editor's own checksum says;
the same name, told apart by size and by the folders in front of it; the newest version that had a file there.
"""

import hashlib
import posixpath
from collections.abc import Iterator
from typing import BinaryIO, Literal

import msgspec

from aura_vcs.errors.integrity import IntegrityError, UnsafePath
from aura_vcs.formats.timeline.model import MediaReference
from aura_vcs.history.lookup.path_versions import last_with_path
from aura_vcs.history.recording.version_builder import worktree_base
from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import describe
from aura_vcs.model import Entry, EntryKind, Kind
from aura_vcs.objects.loose import new_hasher
from aura_vcs.project.media.resolve_path import ResolvedPath, plain_spellings, series_pattern
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.plain_files import open_below

FoundBy = Literal["content", "checksum", "name and size", "name", "version", "path"]
_EDGE = 1_000_000
"""Kdenlive and Shotcut take the checksum of so many bytes at either end of a large file."""
_CHECKED = 40
"""So many files of the right size are read for a checksum."""
_BUFFER = 1 << 20


class FoundMedia(msgspec.Struct, frozen=True):
    """Where a missing file is: a path of the folder, and how that is known.

    With `entry` it is not in the folder, but content of the version `version` that can be brought back to `path`.
    """

    path: str
    by: FoundBy
    version: str = ""
    entry: Entry | None = None


class MediaSearch:
    """Looks for missing media of one folder; `sizes` are its regular files."""

    def __init__(self, repo: Repository, sizes: dict[str, int]) -> None:
        self._repo, self._sizes = repo, sizes
        self._by_name: dict[str, list[str]] = {}
        for path in sorted(sizes):
            self._by_name.setdefault(posixpath.basename(path).casefold(), []).append(path)
        self._by_content: dict[ObjectId, list[str]] | None = None
        self._new: list[str] = []
        self._digests: dict[str, str] = {}
        self._ids: dict[str, ObjectId | None] = {}

    def find(self, reference: MediaReference, resolved: ResolvedPath) -> FoundMedia | tuple[str, ...]:
        """Return where it is; or the files that it may be, where nothing tells them apart: none, or several."""
        versioned = self._versioned(reference, resolved)
        if versioned is not None:
            path, entry, label = versioned
            here = self._path_with(entry)
            if here is not None:
                return FoundMedia(here, "content", label)
        if (match := self._by_digest(reference)) is not None:
            return FoundMedia(match, "checksum")
        named = self._named(reference, resolved)
        if isinstance(named, FoundMedia) or named:
            return named
        if versioned is not None:
            return FoundMedia(path, "version", label, entry)
        return ()

    def _versioned(self, reference: MediaReference, resolved: ResolvedPath) -> tuple[str, Entry, str] | None:
        """Find the newest version that has a file where the path leads, or in the folder by the end of the path."""
        for path in self._tails(reference, resolved):
            try:
                record = last_with_path(self._repo, path)
                entry = self._repo.trees.entry(record.tree, path) if record is not None else None
            except (UnsafePath, IntegrityError):
                continue
            if record is not None and entry is not None and entry.kind is EntryKind.FILE:
                return path, entry, describe(self._repo.queries, record.id)
        return None

    def _tails(self, reference: MediaReference, resolved: ResolvedPath) -> Iterator[str]:
        if resolved.place == "project" and resolved.path:
            yield resolved.path
        for written in plain_spellings(reference.path):
            parts = [part for part in written.split("/") if part not in ("", ".", "..")]
            for n in range(len(parts)):
                yield "/".join(parts[n:])

    def _path_with(self, wanted: Entry) -> str | None:
        """Find a file of the folder that has a content: one that the last version knows, else a new one that is read.

        A file that was only moved is new until it is committed; brought back from a version it would be there twice.
        """
        if self._by_content is None:
            self._by_content = {}
            for path, entry in self._repo.trees.walk(worktree_base(self._repo).tree):
                if entry.kind is EntryKind.FILE and path in self._sizes:
                    self._by_content.setdefault(entry.id, []).append(path)
            known = {path for paths in self._by_content.values() for path in paths}
            self._new = sorted(self._sizes.keys() - known)
        if found := self._by_content.get(wanted.id):
            return found[0]
        same = [path for path in self._new if self._sizes[path] == wanted.size]
        return next((path for path in same[:_CHECKED] if self._id_of(path) == wanted.id), None)

    def _id_of(self, path: str) -> ObjectId | None:
        if path not in self._ids:
            hasher = new_hasher(Kind.BLOB)
            try:
                with open(open_below(self._repo.root, path), "rb") as file:
                    while data := file.read(_BUFFER):
                        hasher.update(data)
                self._ids[path] = ObjectId(hasher.hexdigest())
            except (OSError, UnsafePath):
                self._ids[path] = None
        return self._ids[path]

    def _by_digest(self, reference: MediaReference) -> str | None:
        kind, _, digest = reference.digest.partition(":")
        if kind not in ("kdenlive", "shotcut") or len(digest) != 32:
            return None
        same = [path for path, size in self._sizes.items() if size == reference.size or reference.size < 0]
        same.sort(key=lambda path: posixpath.basename(path) != posixpath.basename(reference.path.replace("\\", "/")))
        return next((path for path in same[:_CHECKED] if self._digest(path) == digest), None)

    def _digest(self, path: str) -> str:
        if path not in self._digests:
            try:
                with open(open_below(self._repo.root, path), "rb") as file:
                    self._digests[path] = editors_checksum(file, self._sizes[path])
            except (OSError, UnsafePath):
                self._digests[path] = ""
        return self._digests[path]

    def _named(self, reference: MediaReference, resolved: ResolvedPath) -> FoundMedia | tuple[str, ...]:
        spelled = [one for path in (resolved.path, reference.path) if path for one in plain_spellings(path)]
        written, found = next(
            ((one, found) for one in spelled if (found := self._called(one, resolved.path))), ("", [])
        )
        if reference.size >= 0:
            sized = [path for path in found if self._sizes.get(path) == reference.size]
            if len(sized) == 1:
                return FoundMedia(sized[0], "name and size")
            found = sized or found
        if len(found) > 1:
            shared = {path: _shared_end(path, written) for path in found}
            best = max(shared.values())
            found = [path for path in found if shared[path] == best]
        return FoundMedia(found[0], "name") if len(found) == 1 else tuple(found)

    def _called(self, written: str, unwanted: str) -> list[str]:
        """List the files with the name of a path; for numbered pictures, that name in the folders that have some."""
        name = posixpath.basename(written)
        found = self._by_name.get(name.casefold(), [])
        if not found and (pattern := series_pattern(name)) is not None:
            folders = {posixpath.dirname(path) for path in self._sizes if pattern.fullmatch(posixpath.basename(path))}
            found = [posixpath.join(folder, name) for folder in sorted(folders)]
        return [path for path in found if path != unwanted]


def _shared_end(one: str, other: str) -> int:
    """Count the folders and the name that two paths end with alike."""
    count = 0
    for a, b in zip(reversed(one.casefold().split("/")), reversed(other.casefold().split("/")), strict=False):
        if a != b:
            break
        count += 1
    return count


def editors_checksum(file: BinaryIO, size: int) -> str:
    """Compute the checksum by which Kdenlive and Shotcut know a file: of its ends, where it is large."""
    data = file.read(2 * _EDGE if size <= 2 * _EDGE else _EDGE)
    if size > 2 * _EDGE:
        file.seek(size - _EDGE)
        data += file.read(_EDGE)
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
