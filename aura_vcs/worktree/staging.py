"""Many small files at once: filled where nobody looks, made durable, and then given their names.

A new folder with thousands of files is made below `temporary`, its small files under the names that
they will have. When the disk has all of it, one rename puts it in place: nobody ever sees a part of
it, and after a power failure it is there with all that is in it, or not at all. Small files that go
into a folder which is there already wait beside it, under numbers, and are renamed one by one.
"""

import errno
import os
import shutil
import stat
import struct
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

import msgspec
from blake3 import blake3

from aura_vcs.errors.stored import ObjectCorrupt
from aura_vcs.ids import ObjectId
from aura_vcs.model import Entry, EntryKind
from aura_vcs.objects.base import Place
from aura_vcs.objects.chunking import LARGE_BYTES
from aura_vcs.objects.store import ObjectStore
from aura_vcs.objects.trees import Difference
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.calls import FileCalls, write_all
from aura_vcs.worktree.cache import FileState, file_state
from aura_vcs.worktree.folder import AGE_NS, Folder, with_executable
from aura_vcs.worktree.scan import Scan
from aura_vcs.worktree.second_process import SecondProcess, send, start_second
from aura_vcs.worktree.sources import TICK_NS, DiskClock

FOLDER = "staged"
"""Below `temporary`. Who may change the project folder is alone, so whatever lies in it is left over."""
_SINGLES = "files"
STAGED_BYTES = 1 << 30
"""So much lies beside what it replaces at most, and is written again after an interruption."""
WORTHWHILE_FILES = 1000
"""Fewer are written sooner than a process starts."""
_TOLD = struct.Struct("<IqqQQI")
"""A file's number among those handed over, and its state."""
_SECOND_NS = 1_000_000_000
_TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EXDEV}


class StagedFile(msgspec.Struct, frozen=True, gc=False):
    """A small file: what it is called below the staging folder, and where its content lies."""

    path: str
    id: ObjectId
    size: int
    executable: bool
    place: Place | None


class StagedFolder(msgspec.Struct, frozen=True):
    """A new folder with all folders and the small files in it; `name` is what it is called while it is filled."""

    path: str
    name: str
    folders: list[str]
    files: list[StagedFile]

    def real(self, staged: str) -> str:
        """The path in the project of something in it."""
        return self.path + staged[len(self.name) :]


class Staged(msgspec.Struct, frozen=True):
    """What is ready to be put in place: new folders, and files by their path in the project."""

    folders: list[StagedFolder]
    files: dict[str, StagedFile]

    def all_files(self) -> list[StagedFile]:
        """Every file, in the order in which their content lies in packs."""
        inside = (file for folder in self.folders for file in folder.files)
        return sorted([*self.files.values(), *inside], key=_stored_order)


class Staging:
    """Makes new folders below `temporary` and puts them into the project folder `root`."""

    def __init__(self, root: str, temporary: str, store: ObjectStore, calls: FileCalls, progress: Progress) -> None:
        self._root = root
        self._path = os.path.join(temporary, FOLDER)
        self._store = store
        self._calls = calls
        self._progress = progress
        self._folder = Folder(self._path, temporary, calls)
        self._clock = DiskClock(temporary, calls)
        self._states: dict[str, FileState] = {}

    def fill(
        self, scan: Scan, differences: Sequence[Difference], places: Mapping[ObjectId, Place], *, least: int
    ) -> Staged:
        """Write the small files among what comes, durably, unless they are fewer than `least`.

        Raises:
            ObjectMissing, ObjectCorrupt: content is damaged. OSError: the disk refused. Nothing is in place.
        """
        shutil.rmtree(self._path, ignore_errors=True)
        if sum(map(_is_small, differences)) < least:
            return Staged([], {})
        folders = [f for f in new_folders(self._root, scan, differences, places) if self._belongs(f)]
        staged = _fitting(Staged(folders, _singles(differences, {f.path for f in folders}, places)))
        folders, files = staged.folders, staged.all_files()
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        self._calls.mkdir(self._path)
        self._folder.make_folder(_SINGLES)
        for folder in folders:
            for path in folder.folders:
                self._folder.make_folder(path)
        self._write_all(files)
        self._folder.close()
        if not self._calls.sync_disk(self._path):
            self._sync_each(files, [path for folder in folders for path in folder.folders])
        self._settle()
        return staged

    def place_folder(self, folder: StagedFolder, target: Folder) -> dict[str, FileState] | None:
        """Give a filled folder its name, not durably yet; the states of its files by their path in the project.

        None if something has the name by now: nothing was changed.
        """
        try:
            target.place_folder(os.path.join(self._path, folder.name), folder.path)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            return None
        return {folder.real(file.path): self._states[file.path] for file in folder.files}

    def place_file(self, file: StagedFile, path: str, target: Folder) -> FileState:
        """Give a file its name, not durably yet, replacing the file that has it; returns its state."""
        return target.place_file(os.path.join(self._path, file.path), path, self._states[file.path])

    def discard(self) -> None:
        """Remove what was not put in place."""
        self._folder.close()
        shutil.rmtree(self._path, ignore_errors=True)

    def _belongs(self, folder: StagedFolder) -> bool:
        """Whether the folder above is there, and a folder made here has the group that one made there would have."""
        try:
            above = os.stat(os.path.join(self._root, os.path.dirname(folder.path)), follow_symlinks=False)
            here = os.stat(os.path.dirname(self._path))
        except OSError:
            return False
        if not stat.S_ISDIR(above.st_mode) or (above.st_mode ^ here.st_mode) & stat.S_ISGID:
            return False
        return not above.st_mode & stat.S_ISGID or above.st_gid == here.st_gid

    def _write_all(self, files: Sequence[StagedFile]) -> None:
        """Write the files, a half of very many in a second process."""
        half = len(files) // 2 if len(files) >= WORTHWHILE_FILES and type(self._calls) is FileCalls else 0
        others = files[len(files) - half :]
        second = start_second(partial(self._write_and_tell, others)) if half else None
        if second is None:
            self._write(files)
            return
        try:
            self._write(files[: len(files) - half])
        except BaseException:
            second.stop()  # whoever catches this must find nobody else writing
            raise
        lacking = self._take_over(second, others)
        for file in lacking:
            self._folder.remove_file(file.path)
        self._write(lacking)

    def _write_and_tell(self, files: Sequence[StagedFile], fd: int) -> None:
        """In the second process: write, and tell what was written."""
        self._store.packs.close()  # the first process reads on in the same open files
        self._progress = SILENT
        self._write(files, is_second=True)
        states = ((number, self._states.get(file.path)) for number, file in enumerate(files))
        send(fd, b"".join([_TOLD.pack(number, *state[:5]) for number, state in states if state is not None]))

    def _take_over(self, second: SecondProcess, files: Sequence[StagedFile]) -> list[StagedFile]:
        """Note what the second process wrote; returns what it did not, for whatever reason."""
        with open(second.fd, "rb") as pipe:
            told = pipe.read()
        second.ended()
        lacking = dict(enumerate(files))
        for number, mtime, ctime, size, inode, mode in _TOLD.iter_unpack(told[: len(told) // _TOLD.size * _TOLD.size]):
            file = lacking.pop(number)
            self._states[file.path] = FileState(mtime, ctime, size, inode, mode, bytes.fromhex(file.id))
            self._progress.advance(file.size)
        return list(lacking.values())

    def _write(self, files: Sequence[StagedFile], *, is_second: bool = False) -> None:
        """Write files; the second process passes over what only the index can find."""
        states, advance = self._states, self._progress.advance
        contents = self._store.packs.read_each(file.place for file in files)
        for file, data in zip(files, contents, strict=True):
            digest = blake3(data).digest() if data is not None else b""
            if digest.hex() != file.id:
                if is_second:
                    continue
                data = self._store.read(file.id)  # noqa: PLW2901 (it lies elsewhere, or is damaged)
                digest = bytes.fromhex(file.id)
            assert data is not None
            if len(data) != file.size:
                raise ObjectCorrupt(file.id, f"it has {len(data):,} bytes, and the folder's tree says {file.size:,}")
            states[file.path] = self._write_file(file, data, digest)
            advance(file.size)

    def _write_file(self, file: StagedFile, data: bytes, digest: bytes) -> FileState:
        """Write a file under its name; returns its state."""
        name, dir_fd = self._folder.way_to(file.path)
        fd = self._calls.create(name, dir_fd=dir_fd)
        try:
            written = self._calls.write(fd, data) if data else 0
            if written != len(data):
                write_all(self._calls, fd, data[written:])
            found = os.fstat(fd)
            if file.executable:
                self._calls.chmod(fd, with_executable(found.st_mode, executable=True))
                found = os.fstat(fd)
            if found.st_mtime_ns % _SECOND_NS == 0:  # the disk may count in seconds: see `_settle`
                path = os.path.join(self._path, file.path)
                self._calls.set_times(fd, path, self._clock.now_ns() - AGE_NS)
                found = os.fstat(fd)
        finally:
            os.close(fd)
        return file_state(found, digest)

    def _settle(self) -> None:
        """Wait until any write to a file gives it another date than it has; then its state can be believed."""
        latest = max((state.mtime_ns for state in self._states.values()), default=0)
        while 0 <= (age := self._clock.now_ns() - latest) <= TICK_NS:
            time.sleep((TICK_NS - age + 1) / _SECOND_NS)

    def _sync_each(self, files: Iterable[StagedFile], folders: Iterable[str]) -> None:
        for file in files:
            fd = os.open(os.path.join(self._path, file.path), os.O_RDONLY)
            try:
                self._calls.fsync(fd)
            finally:
                os.close(fd)
        for path in folders:
            self._calls.fsync_folder(os.path.join(self._path, path))


def _fitting(staged: Staged) -> Staged:
    """As many of the files as STAGED_BYTES allow; the others are written like large ones."""
    size, fitting = 0, set()
    for file in staged.all_files():
        size += file.size
        if size > STAGED_BYTES:
            break
        fitting.add(file.path)
    else:
        return staged
    folders = [
        StagedFolder(f.path, f.name, f.folders, [file for file in f.files if file.path in fitting])
        for f in staged.folders
    ]
    return Staged(folders, {path: file for path, file in staged.files.items() if file.path in fitting})


def _stored_order(file: StagedFile) -> tuple[str, int, int]:
    return ("", 0, 0) if file.place is None else (file.place.pack, file.place.frame, file.place.offset)


def _is_small(difference: Difference) -> bool:
    """Whether a small file comes, and not only another mode for the one that is there."""
    old, new = difference.old, difference.new
    if new is None or new.kind is not EntryKind.FILE or new.size >= LARGE_BYTES:
        return False
    return old is None or (old.kind, old.id) != (new.kind, new.id)


def _staged(path: str, entry: Entry, places: Mapping[ObjectId, Place]) -> StagedFile:
    place = places.get(entry.id)
    return StagedFile(path, entry.id, entry.size, entry.executable, None if place is None or place.chunked else place)


def _singles(
    differences: Iterable[Difference], folders: set[str], places: Mapping[ObjectId, Place]
) -> dict[str, StagedFile]:
    """The small files that do not come with a new folder, by their path in the project."""
    found: dict[str, StagedFile] = {}
    inside = None
    for difference in differences:  # in order of paths: what is in a folder follows it
        path, new = difference.path, difference.new
        if path in folders:
            inside = f"{path}/"
        elif inside is not None and path.startswith(inside):
            continue
        elif new is not None and _is_small(difference):
            found[path] = _staged(f"{_SINGLES}/{len(found)}", new, places)
    return found


def new_folders(
    root: str, scan: Scan, differences: Iterable[Difference], places: Mapping[ObjectId, Place]
) -> Iterator[StagedFolder]:
    """The topmost folders that come where nothing is, with what in them is small."""
    folder = None
    for difference in differences:  # in order of paths: what is in a folder follows it
        path, new = difference.path, difference.new
        is_inside = folder is not None and path.startswith(f"{folder.path}/")
        if new is not None and new.kind is EntryKind.DIR and not is_inside:
            if folder is not None:
                yield folder
            folder, is_inside = _new_folder(root, scan, difference), True
        if folder is None or not is_inside or new is None:
            continue
        staged = folder.name + path[len(folder.path) :]
        if new.kind is EntryKind.DIR:
            folder.folders.append(staged)
        elif _is_small(difference):
            folder.files.append(_staged(staged, new, places))
    if folder is not None:
        yield folder


def _new_folder(root: str, scan: Scan, difference: Difference) -> StagedFolder | None:
    path = difference.path
    is_there = difference.old is not None or scan.file(path) is not None or scan.folder(path) is not None
    if is_there or os.path.lexists(os.path.join(root, path)):
        return None
    return StagedFolder(path, os.urandom(6).hex(), [], [])
