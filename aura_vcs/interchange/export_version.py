"""A version's files for somebody who has no aura: a folder, a ZIP or a compressed tar. No history goes along.

Archives are the same bytes for the same version: entries in the order of their paths, all dated as the version.
"""

import io
import os
import stat
import tarfile
import zipfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO

import msgspec
import zstandard

from aura_vcs.errors import InputError
from aura_vcs.errors.input import UnknownName
from aura_vcs.history.names.revisions import check_content, resolve
from aura_vcs.history.recording.unversioned_output import leave_unversioned
from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import describe
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Entry, EntryKind
from aura_vcs.objects.availability import ALL_READERS
from aura_vcs.objects.chunking import LARGE_BYTES
from aura_vcs.plain_text import is_text, parse_time, readable_name
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.new_output import NewOutput
from aura_vcs.storage.system_calls import storage_error
from aura_vcs.worktree.checkout.new_file import StoredReaders, with_executable

_ZIP_YEARS = (1980, 2107)
_STORED = (".mp4", ".mov", ".mkv", ".webm", ".mp3", ".m4a", ".aac", ".flac", ".ogg", ".jpg", ".jpeg", ".png", ".webp",
           ".zip", ".gz", ".zst")  # fmt: skip
"""Content that does not compress: it is copied into a ZIP as it is."""
_COMPRESS_BYTES = 64 << 20
"""Larger files are copied into a ZIP as they are: they are media, whatever they are called."""
_BESIDE_BYTES = 4 << 20
_BESIDE_GROUPS = 2
"""So many times _BESIDE_BYTES may have been read and not written."""


class VersionExported(msgspec.Struct, frozen=True):
    """What was written. `size_bytes` counts the content of the files."""

    path: str
    number: int
    files: int
    size_bytes: int


def export_version(repo: Repository, version: str, target: str, paths: Sequence[str] = ()) -> VersionExported:
    """Write the files of a version, or only `paths` of it, to a new place: DIR, FILE.zip or FILE.tar.zst.

    Links and executable bits are kept; empty folders too. What is stored for its owner alone is written so.
    Nothing is written over: the place must not be there, or be an empty folder. It appears when it is whole;
    interrupted, nothing is left. Content that is at a remote is fetched first.

    Raises:
        TargetExists. UnknownVersion, AmbiguousVersion, ObjectPurged. UnknownName: the version has no such path.
        InputError: a folder inside the project; a name that a ZIP cannot hold.
        ObjectMissing, ObjectCorrupt, StorageError.
    """
    record = resolve(repo, version)
    check_content(repo, record)
    wanted = list(_selected_entries(repo, record, paths))
    files = [(path, entry) for path, entry in wanted if entry.kind is not EntryKind.DIR]
    repo.store.require({entry.id: path for path, entry in files})
    at = parse_time(record.created_at)
    size = sum(entry.size for _, entry in files)
    repo.progress.start("Writing files", size, "bytes")
    kind = "zip" if target.lower().endswith(".zip") else "tar" if target.lower().endswith(".tar.zst") else "folder"
    if kind == "folder":
        check_outside(repo, target)
    readers = ALL_READERS if kind == "folder" else _readers_of(repo, files)
    with NewOutput(target, folder=kind == "folder", readers=readers) as output:
        try:
            if kind == "folder":
                _write_folder(repo, output.path, wanted)
            else:
                with open(output.path, "r+b") as file:
                    (_write_zip if kind == "zip" else _write_tar)(repo, file, wanted, at)
        except OSError as error:
            raise storage_error("write", output.target, error) from error
        output.publish()
    repo.progress.finish()
    leave_unversioned(repo, output.target)
    return VersionExported(output.target, record.number, len(files), size)


def plan_zip(repo: Repository, version: str, paths: Sequence[str] = ()) -> Callable[[IO[bytes]], None]:
    """Make ready what `export_version` writes as a ZIP; returns what writes it to a file that need not seek.

    Raises:
        As `export_version`, before a byte is written.
    """
    record = resolve(repo, version)
    check_content(repo, record)
    wanted = list(_selected_entries(repo, record, paths))
    repo.store.require({entry.id: path for path, entry in wanted if entry.kind is not EntryKind.DIR})
    return lambda file: _write_zip(repo, file, wanted, parse_time(record.created_at))


def check_outside(repo: Repository, target: str) -> None:
    """Refuse a folder inside the project: the next version would have all of it once more.

    Raises:
        InputError.
    """
    path = os.path.relpath(os.path.realpath(target), os.path.realpath(repo.root))
    if path != os.pardir and not path.startswith(os.pardir + os.sep):
        hint = "Name one beside it, such as `../out`."
        raise InputError(f"{target} is inside the project: its files would be versioned again", hint=hint)


def _selected_entries(repo: Repository, record: VersionRecord, paths: Sequence[str]) -> Iterator[tuple[str, Entry]]:
    root = ObjectId(record.tree)
    if not paths or "" in paths:
        yield from repo.trees.walk(root)
        return
    found: dict[str, Entry] = {}
    for path in paths:
        entry = repo.trees.entry(root, path)
        if entry is None:
            raise UnknownName("file or folder", f"{describe(repo.queries, record.id)}:{readable_name(path)}")
        found[path] = entry
        if entry.kind is EntryKind.DIR:
            found.update(repo.trees.walk(entry.id, f"{path}/"))
    yield from sorted(found.items(), key=lambda item: [os.fsencode(part) for part in item[0].split("/")])


def _pieces(repo: Repository, entry: Entry) -> Iterator[bytes]:
    for piece in repo.store.stream(entry.id):
        repo.progress.advance(len(piece))
        yield piece


def _target_of(repo: Repository, entry: Entry) -> bytes:
    return b"".join(_pieces(repo, entry))


def _readers_of(repo: Repository, files: Sequence[tuple[str, Entry]]) -> int:
    """Return who can read each of the files as it is stored: who may read a file that has all of them in it."""
    stored, mode = StoredReaders(repo.store), ALL_READERS
    for _, entry in files:
        mode &= stored.of_stored(entry.id)
    return mode


def _write_folder(repo: Repository, folder: str, wanted: Sequence[tuple[str, Entry]]) -> None:
    """Write files first and links last, so that nothing is ever written through one."""
    links: list[tuple[str, Entry]] = []
    stored = StoredReaders(repo.store)
    for path, entry in wanted:
        full = os.path.join(folder, *path.split("/"))
        if entry.kind is EntryKind.DIR:
            os.makedirs(full, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if entry.kind is EntryKind.SYMLINK:
            links.append((full, entry))
            continue
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        mode = stored.of_stored(entry.id)
        fd = os.open(full, flags, with_executable(mode, True) if entry.executable else mode)
        with open(fd, "wb", buffering=0) as file:
            for piece in _pieces(repo, entry):
                _write_all(file, piece)
    for full, entry in links:
        os.symlink(_target_of(repo, entry), os.fsencode(full))


def _write_all(file: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _write_zip(repo: Repository, file: IO[bytes], wanted: Sequence[tuple[str, Entry]], at: datetime) -> None:
    moment = at.astimezone(UTC)
    year = min(max(moment.year, _ZIP_YEARS[0]), _ZIP_YEARS[1])
    date = (year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
        for path, entry in wanted:
            if not is_text(path):
                raise InputError(
                    f"{readable_name(path)} has bytes in its name that no ZIP can hold",
                    hint="Export to a folder or a .tar.zst instead.",
                )
            info = zipfile.ZipInfo(path + ("/" if entry.kind is EntryKind.DIR else ""), date)
            info.create_system = 3
            info.external_attr = _mode(entry) << 16
            if entry.kind is EntryKind.DIR:
                info.external_attr |= 0x10
                archive.writestr(info, b"")
                continue
            small = entry.size < _COMPRESS_BYTES and not path.lower().endswith(_STORED)
            info.compress_type = zipfile.ZIP_DEFLATED if small else zipfile.ZIP_STORED
            info.file_size = entry.size
            with archive.open(info, "w", force_zip64=entry.size >= 1 << 31) as member:
                _write_beside(member, _pieces(repo, entry), entry.size)


def _write_beside(member: IO[bytes], pieces: Iterator[bytes], size: int) -> None:
    """Write pieces to a member of an archive, of a large file while the next ones are being read and hashed.

    What is done to write it (checksum, compression) takes as long as reading it.
    """
    if size < LARGE_BYTES:
        for piece in pieces:
            member.write(piece)
        return
    with ThreadPoolExecutor(1) as executor:
        written: deque[Future[None]] = deque()
        waiting: list[bytes] = []
        waiting_bytes = 0
        for piece in pieces:
            waiting.append(piece)
            waiting_bytes += len(piece)
            if waiting_bytes >= _BESIDE_BYTES:
                written.append(executor.submit(_write_pieces, member, waiting))
                waiting, waiting_bytes = [], 0
            if len(written) > _BESIDE_GROUPS:
                written.popleft().result()
        written.append(executor.submit(_write_pieces, member, waiting))
        for one in written:
            one.result()


def _write_pieces(member: IO[bytes], pieces: Sequence[bytes]) -> None:
    for piece in pieces:
        member.write(piece)


def write_zip_member(
    archive: zipfile.ZipFile, name: str, size: int, pieces: Iterator[bytes], at: datetime, *, stored: bool
) -> None:
    """Add a file of that many bytes to a ZIP, dated `at`; `stored` as it is."""
    moment = at.astimezone(UTC)
    year = min(max(moment.year, _ZIP_YEARS[0]), _ZIP_YEARS[1])
    info = zipfile.ZipInfo(name, (year, moment.month, moment.day, moment.hour, moment.minute, moment.second))
    info.create_system = 3
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    info.file_size = size
    with archive.open(info, "w", force_zip64=size >= 1 << 31) as member:
        for piece in pieces:
            member.write(piece)


def _mode(entry: Entry) -> int:
    if entry.kind is EntryKind.DIR:
        return stat.S_IFDIR | 0o755
    if entry.kind is EntryKind.SYMLINK:
        return stat.S_IFLNK | 0o777
    return stat.S_IFREG | (0o755 if entry.executable else 0o644)


def _write_tar(repo: Repository, file: IO[bytes], wanted: Sequence[tuple[str, Entry]], at: datetime) -> None:
    with _compressed(file) as stream, tarfile.open(
        fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT, encoding="utf-8", errors="surrogateescape"
    ) as archive:  # fmt: skip
        for path, entry in wanted:
            info = tarfile.TarInfo(path)
            info.mode, info.mtime = stat.S_IMODE(_mode(entry)), int(at.timestamp())
            if entry.kind is EntryKind.DIR:
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
            elif entry.kind is EntryKind.SYMLINK:
                info.type, info.linkname = tarfile.SYMTYPE, os.fsdecode(_target_of(repo, entry))
                archive.addfile(info)
            else:
                info.size = entry.size
                reader = io.BufferedReader(PieceReader(_pieces(repo, entry)), LARGE_BYTES)
                archive.addfile(info, reader)


@contextmanager
def _compressed(file: IO[bytes]) -> Iterator[IO[bytes]]:
    with zstandard.ZstdCompressor(level=1, write_checksum=True).stream_writer(file, closefd=False) as stream:
        yield stream


class PieceReader(io.RawIOBase):
    """Pieces of content as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces, self._rest = pieces, memoryview(b"")

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer, as far as the piece at hand goes."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
