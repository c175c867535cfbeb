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

from aura_vcs.errors.integrity import UnsafePath
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.ids import Bytes, ObjectId, blob_id
from aura_vcs.layout import check_entry_name, is_own_folder
from aura_vcs.model import Entry, EntryKind, Kind
from aura_vcs.objects.batch import Batch
from aura_vcs.objects.chunking import LARGE_BYTES
from aura_vcs.plain_text import readable_name
from aura_vcs.storage.plain_files import open_regular
from aura_vcs.worktree.snapshot.snapshot import READ

FILES_LIMIT = 1_000_000
RATIO_LIMIT = 1_000
"""A ZIP that says of its content that it is so many times larger is a bomb, beyond BOMB_BYTES."""
BOMB_BYTES = 4 << 30
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
        self.mode = self._found.st_mode

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


class ZipMember:
    """A file of a ZIP that is taken into a project, unpacked anew whenever it is read: see objects.base.FileToStore."""

    is_unstable = False

    def __init__(self, name: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        self.path, self.size = name, info.file_size
        self.fault: FileUnreadable | None = None
        self._archive, self._info = archive, info

    def read(self) -> tuple[Bytes, ObjectId] | None:
        """See FileToStore."""
        with self.open() as file:
            data = file.read(self.size + 1)
        return (data, blob_id(data)) if len(data) == self.size else None

    def open(self) -> BinaryIO:
        """See FileToStore."""
        return self._archive.open(self._info)  # type: ignore[return-value]  # it reads, and that is all that is asked

    def is_unchanged(self, file: BinaryIO) -> bool:  # noqa: ARG002 (protocol)
        """See FileToStore."""
        return True

    def was_stable(self, file: BinaryIO, read_bytes: int) -> bool:  # noqa: ARG002 (protocol)
        """See FileToStore."""
        if read_bytes != self.size:  # it says so each time: nobody waits for it to change
            self.fault = FileUnreadable(self.path, "it is not as long as the ZIP says")
            raise self.fault
        return True


def store_file(batch: Batch, path: str, target: str, left: Left) -> Entry | None:
    """Store a file, and return its entry; None, which is told, if it cannot be read as it was at one moment.

    Nobody can read what is stored who cannot read the file; so it is with what the batch stores next.
    """
    try:
        file = OutsideFile(path, target)
        batch.read_by(file.mode)
        if file.size < LARGE_BYTES:
            found = file.read()
            object_id = None if found is None else batch.add(Kind.BLOB, bytes(found[0]), target)
        else:
            object_id = next((one for _, one in batch.add_sources([file])), None)
    except (OSError, FileUnreadable) as error:
        reason = error.reason if isinstance(error, FileUnreadable) else error.strerror or str(error)
        left(readable_name(path), reason)
        return None
    if object_id is None:
        left(readable_name(path), "it changed while it was read")
        return None
    is_program = bool(file.mode & stat.S_IXUSR) and os.name != "nt"
    return Entry("", EntryKind.FILE, object_id, file.size, is_program)


def store_folder(batch: Batch, folder: str, left: Left) -> dict[str, Entry]:
    """Store the files and links below a folder; returns their entries by path. Stores of ours and of git are left.

    What can be read by fewer people is stored apart; what the batch stores next, such as trees, is for those who can
    read all of it.
    """
    found = list(_found_below(folder, left))
    if len(found) > FILES_LIMIT:
        left(readable_name(folder), f"a copy has more than {FILES_LIMIT:,} files")
    entries: dict[str, Entry] = {}
    readers = READ
    for path, mode in sorted(found[:FILES_LIMIT], key=lambda one: one[1] & READ):
        entry = _store_one(batch, os.path.join(folder, path), path, left)
        if entry is not None:
            entries[path] = entry
            readers &= mode
    batch.read_by(readers)
    return entries


def _found_below(folder: str, left: Left) -> Iterator[tuple[str, int]]:
    """Yield paths and modes of what may be taken, and tell of folders that cannot be looked into; links have none."""
    waiting = [""]
    while waiting:
        above = waiting.pop()
        try:
            with os.scandir(os.path.join(folder, above)) as scanned:
                found = sorted(scanned, key=lambda one: one.name)
        except OSError as error:
            left(readable_name(above or os.path.basename(folder)), error.strerror or str(error))
            continue
        for one in found:
            if one.is_dir(follow_symlinks=False):
                if not is_own_folder(one.name) and one.name.lower() != ".git":
                    waiting.append(f"{above}{one.name}/")
            elif one.name.lower() not in _LITTER:
                yield f"{above}{one.name}", _mode_of(one)


def _mode_of(found: "os.DirEntry[str]") -> int:
    try:
        return READ if found.is_symlink() else found.stat(follow_symlinks=False).st_mode
    except OSError:
        return READ  # storing it says what is wrong


def _store_one(batch: Batch, full: str, path: str, left: Left) -> Entry | None:
    try:
        for part in path.split("/"):
            check_entry_name(part)
        found = os.lstat(full)
        if stat.S_ISLNK(found.st_mode):
            target = os.fsencode(os.readlink(full))
            return Entry("", EntryKind.SYMLINK, batch.add(Kind.BLOB, target, path), len(target))
    except (UnsafePath, OSError) as error:
        left(readable_name(path), error.reason if isinstance(error, UnsafePath) else error.strerror or str(error))
        return None
    if not stat.S_ISREG(found.st_mode):
        left(readable_name(path), "it is neither a file, a folder nor a link")
        return None
    return store_file(batch, full, path, left)


def without_files_for_folders(entries: dict[str, Entry], left: Left) -> dict[str, Entry]:
    """Take out, and tell of, files that lie where others need a folder: only one of both can be."""
    folders = {path[:at] for path in entries for at, letter in enumerate(path) if letter == "/"}
    for path in sorted(folders & entries.keys()):
        left(readable_name(path), "a folder is called so, too")
    return {path: entry for path, entry in entries.items() if path not in folders}


def store_zip(batch: Batch, path: str, left: Left) -> dict[str, Entry]:
    """Store the files of a ZIP; returns their entries by path. One folder around all of them is taken off."""
    try:
        with open(open_regular(path), "rb") as file, zipfile.ZipFile(file) as archive:
            batch.read_by(os.fstat(file.fileno()).st_mode)
            members = list(_members(archive, path, os.fstat(file.fileno()).st_size, left))
            return _store_members(batch, archive, _without_top(members), left)
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        left(readable_name(os.path.basename(path)), f"the ZIP cannot be read: {error}")
        return {}


def _members(archive: zipfile.ZipFile, path: str, stored: int, left: Left) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    infos = archive.infolist()
    total = sum(info.file_size for info in infos)
    if len(infos) > FILES_LIMIT or (total > BOMB_BYTES and total > stored * RATIO_LIMIT):
        left(readable_name(os.path.basename(path)), f"it says that it holds {len(infos):,} files and {total:,} bytes")
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
            object_id = _store_member(batch, ZipMember(name, archive, info))
        except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError, zlib.error) as error:
            left(readable_name(name), f"it cannot be unpacked: {error}")
            continue
        if object_id is None:
            left(readable_name(name), "it is not as long as the ZIP says")
            continue
        is_program = bool((info.external_attr >> 16) & stat.S_IXUSR) and info.create_system == 3
        entries[name] = Entry("", EntryKind.FILE, object_id, info.file_size, is_program)
    return entries


def _store_member(batch: Batch, source: ZipMember) -> ObjectId | None:
    if source.size < LARGE_BYTES:
        found = source.read()
        return None if found is None else batch.add(Kind.BLOB, bytes(found[0]), source.path)
    return next((one for _, one in batch.add_sources([source])), None)
