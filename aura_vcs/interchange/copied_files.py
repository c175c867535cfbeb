"""The files of one copy, folder or ZIP, on their way into the store. What cannot be taken is told, and left.

A ZIP from somebody else may name files outside, be a bomb, or lie about its sizes: names are held to those of a
project, sizes to what is said and to LIMITS, links and encrypted files are left out.
"""

import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from aura_vcs.codec import readable_name
from aura_vcs.errors.integrity import UnsafePath
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.ids import Bytes, ObjectId, blob_id
from aura_vcs.interchange.git_content import StreamSource
from aura_vcs.layout import check_entry_name, is_own_folder
from aura_vcs.model import Entry, EntryKind, Kind
from aura_vcs.objects.batch import Batch
from aura_vcs.objects.chunking import LARGE_BYTES

FILES_LIMIT = 1_000_000
RATIO_LIMIT = 1_000
"""A ZIP that says of its content that it is so many times larger is a bomb, beyond BOMB_BYTES."""
BOMB_BYTES = 4 << 30
LINK_LIMIT = 4096
_LITTER = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
Left = Callable[[str, str], None]
"""Told of each path that could not be taken, and why."""


class OutsideFile:
    """A file that is taken into a project: see objects.base.FileToStore."""

    is_unstable = False

    def __init__(self, path: str, target: str) -> None:
        self.path = target
        self.fault: FileUnreadable | None = None
        self._file = path
        self._found = os.stat(path)
        self.size = self._found.st_size

    def read(self) -> tuple[Bytes, ObjectId] | None:
        """See FileToStore."""
        with self.open() as file:
            data = file.read(self.size + 1)
        return (data, blob_id(data)) if len(data) == self.size else None

    def open(self) -> BinaryIO:
        """See FileToStore."""
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        try:
            return os.fdopen(os.open(self._file, flags), "rb")
        except OSError as error:
            self.fault = FileUnreadable(self._file, error.strerror or str(error))
            raise self.fault from error

    def is_unchanged(self, file: BinaryIO) -> bool:
        """See FileToStore."""
        found = os.fstat(file.fileno())
        return (found.st_size, found.st_mtime_ns) == (self.size, self._found.st_mtime_ns)

    def was_stable(self, file: BinaryIO, read_bytes: int) -> bool:
        """See FileToStore."""
        return read_bytes == self.size and self.is_unchanged(file)


def store_file(batch: Batch, path: str, target: str, left: Left) -> Entry | None:
    """Store a file, and return its entry; None, which is told, if it cannot be read as it was at one moment."""
    try:
        file = OutsideFile(path, target)
        if file.size < LARGE_BYTES:
            found = file.read()
            object_id = None if found is None else batch.add(Kind.BLOB, bytes(found[0]), target)
        else:
            object_id = next((one for _, one in batch.add_sources([file])), None)
    except (OSError, FileUnreadable) as error:
        left(readable_name(path), str(getattr(error, "strerror", None) or error))
        return None
    if object_id is None:
        left(readable_name(path), "it changed while it was read")
        return None
    is_program = bool(os.stat(path).st_mode & stat.S_IXUSR) and os.name != "nt"
    return Entry("", EntryKind.FILE, object_id, file.size, is_program)


def store_folder(batch: Batch, folder: str, left: Left) -> dict[str, Entry]:
    """Store the files and links below a folder; returns their entries by path. Stores of ours and of git are left."""
    entries: dict[str, Entry] = {}
    for above, folders, names in os.walk(folder):
        prefix = os.path.relpath(above, folder).replace(os.sep, "/")
        prefix = "" if prefix == "." else f"{prefix}/"
        links = [name for name in folders if os.path.islink(os.path.join(above, name))]
        folders[:] = sorted(n for n in folders if n not in links and not is_own_folder(n) and n.lower() != ".git")
        for name in sorted([*names, *links]):
            path = f"{prefix}{name}"
            if len(entries) >= FILES_LIMIT:
                left(path, f"a copy has more than {FILES_LIMIT:,} files")
                return entries
            entry = _store_one(batch, os.path.join(above, name), path, left)
            if entry is not None:
                entries[path] = entry
    return entries


def _store_one(batch: Batch, full: str, path: str, left: Left) -> Entry | None:
    name = path.rpartition("/")[2]
    if name.lower() in _LITTER:
        return None
    try:
        check_entry_name(name)
        found = os.lstat(full)
    except (UnsafePath, OSError) as error:
        left(readable_name(path), error.reason if isinstance(error, UnsafePath) else error.strerror or str(error))
        return None
    if stat.S_ISLNK(found.st_mode):
        target = os.fsencode(os.readlink(full))
        return Entry("", EntryKind.SYMLINK, batch.add(Kind.BLOB, target, path), len(target))
    if not stat.S_ISREG(found.st_mode):
        left(readable_name(path), "it is neither a file, a folder nor a link")
        return None
    return store_file(batch, full, path, left)


def store_zip(batch: Batch, path: str, left: Left) -> dict[str, Entry]:
    """Store the files of a ZIP; returns their entries by path. One folder around all of them is taken off."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = list(_members(archive, os.path.getsize(path), left))
            return _store_members(batch, archive, _without_top(members), left)
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        left(readable_name(os.path.basename(path)), f"the ZIP cannot be read: {error}")
        return {}


def _members(archive: zipfile.ZipFile, stored: int, left: Left) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    infos = archive.infolist()
    total = sum(info.file_size for info in infos)
    if len(infos) > FILES_LIMIT or (total > BOMB_BYTES and total > stored * RATIO_LIMIT):
        left(readable_name(archive.filename or ""), f"it says that it holds {len(infos):,} files and {total:,} bytes")
        return
    seen: set[str] = set()
    for info in infos:
        name = info.filename.replace("\\", "/").rstrip("/")
        parts = name.split("/")
        if info.is_dir() or parts[0] == "__MACOSX" or parts[-1].lower() in _LITTER:
            continue
        reason = _reason(info, parts, name in seen)
        if reason:
            left(readable_name(name)[:300], reason)
            continue
        seen.add(name)
        yield name, info


def _reason(info: zipfile.ZipInfo, parts: list[str], is_double: bool) -> str:
    if info.flag_bits & 1:
        return "it is encrypted"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "links in a ZIP are not taken"
    if is_double:
        return "the ZIP has the name twice"
    if any(part.lower() == ".git" for part in parts):
        return "it belongs to git"
    try:
        for part in parts:
            check_entry_name(part)
    except UnsafePath as error:
        return error.reason
    return ""


def _without_top(members: list[tuple[str, zipfile.ZipInfo]]) -> list[tuple[str, zipfile.ZipInfo]]:
    tops = {name.partition("/")[0] for name, _ in members}
    if len(tops) == 1 and all("/" in name for name, _ in members):
        return [(name.partition("/")[2], info) for name, info in members]
    return members


def _store_members(
    batch: Batch, archive: zipfile.ZipFile, members: list[tuple[str, zipfile.ZipInfo]], left: Left
) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for name, info in members:
        try:
            with archive.open(info) as stream:
                source = StreamSource(name, info.file_size, stream)  # type: ignore[arg-type]  # it reads, which is all
                object_id = _store_stream(batch, source)
        except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError, zlib.error) as error:
            left(readable_name(name), f"it cannot be unpacked: {error}")
            continue
        if object_id is None:
            left(readable_name(name), "it is not as long as the ZIP says")
            continue
        is_program = bool((info.external_attr >> 16) & stat.S_IXUSR) and info.create_system == 3
        entries[name] = Entry("", EntryKind.FILE, object_id, info.file_size, is_program)
    return entries


def _store_stream(batch: Batch, source: StreamSource) -> ObjectId | None:
    if source.size < LARGE_BYTES:
        data = source.stream.read(source.size + 1)
        return batch.add(Kind.BLOB, data, source.path) if len(data) == source.size else None
    return next((one for _, one in batch.add_sources([source])), None)
