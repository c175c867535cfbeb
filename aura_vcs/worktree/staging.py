"""Many small files at once: filled where nobody looks, made durable, and then given their names.

A new folder with thousands of files is made below `temporary`, its small files under the names that
they will have. When the disk has all of it, one rename puts it in place: nobody ever sees a part of
it, and after a power failure it is there with all that is in it, or not at all. Small files that go
into a folder which is there already wait beside it, under numbers, and are renamed one by one.
"""

import errno
import os
import shutil
import struct
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from blake3 import blake3

from aura_vcs.errors.stored import ObjectCorrupt
from aura_vcs.ids import ObjectId
from aura_vcs.objects.base import Place
from aura_vcs.objects.store import ObjectStore
from aura_vcs.objects.trees import Difference
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.calls import FileCalls, write_all
from aura_vcs.worktree.cache import FileState, file_state
from aura_vcs.worktree.folder import AGE_NS, Folder, with_executable
from aura_vcs.worktree.scan import Scan
from aura_vcs.worktree.second_process import SecondProcess, send, start_second
from aura_vcs.worktree.sources import TICK_NS, DiskClock
from aura_vcs.worktree.staged import NOTHING, SINGLES, Staged, StagedFile, StagedFolder, to_be_staged

FOLDER = "staged"
"""Below `temporary`. Who may change the project folder is alone, so whatever lies in it is left over."""
WORTHWHILE_FILES = 1000
"""Fewer are written sooner than a process starts."""
TOGETHER = 100
"""So many files are written before it is asked whether the second process has come so far."""
_TOLD = struct.Struct("<IqqQQI")
"""A file's number among those handed over, and its state."""
_SECOND_NS = 1_000_000_000
_TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EXDEV}


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
        self._staged: Staged | None = None
        self._begun_for: list[Difference] = []
        self._files: list[StagedFile] = []
        self._second: SecondProcess | None = None

    def begin(
        self, scan: Scan, differences: Sequence[Difference], places: Mapping[ObjectId, Place], *, least: int
    ) -> None:
        """Let a second process begin with what `fill` will be asked for, while this one does something else.

        Until `fill` or `discard` the caller is alone in the project folder. Where there can be no second
        process nothing is written yet.
        """
        self._begin(self._planned(scan, differences, places, least), differences)

    def fill(
        self, scan: Scan, differences: Sequence[Difference], places: Mapping[ObjectId, Place], *, least: int
    ) -> Staged:
        """Write the small files among what comes, durably, unless they are fewer than `least`.

        Raises:
            ObjectMissing, ObjectCorrupt: content is damaged. OSError: the disk refused. Nothing is in place.
        """
        staged = self._staged
        if staged is None or self._begun_for != list(differences):
            staged = self._planned(scan, differences, places, least)
            self._begin(staged, ())
        if staged is NOTHING:
            return staged
        files = self._files
        self._write_all(files)
        self._folder.close()
        if not self._calls.sync_disk(self._path):
            self._sync_each(files, [path for folder in staged.folders for path in folder.folders])
        self._settle()
        return staged

    def _planned(
        self, scan: Scan, differences: Sequence[Difference], places: Mapping[ObjectId, Place], least: int
    ) -> Staged:
        return to_be_staged(self._root, os.path.dirname(self._path), scan, differences, places, least=least)

    def _begin(self, staged: Staged, differences: Sequence[Difference]) -> None:
        """Make the folders, and start a second process where there is much to write."""
        self.discard()
        self._staged, self._begun_for = staged, list(differences)
        if staged is NOTHING:
            return
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        self._calls.mkdir(self._path)
        self._folder.make_folder(SINGLES)
        for folder in staged.folders:
            for path in folder.folders:
                self._folder.make_folder(path)
        self._files = files = staged.files_in_stored_order()
        if len(files) >= WORTHWHILE_FILES and type(self._calls) is FileCalls:
            self._second = start_second(partial(self._write_and_tell, files))

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
        if self._second is not None:
            self._second.stop()
            self._second = None
        self._folder.close()
        self._staged = None
        shutil.rmtree(self._path, ignore_errors=True)

    def _write_all(self, files: Sequence[StagedFile]) -> None:
        """Write the files: a second process from the first one on, this one from the last one on, until they meet."""
        if self._second is None:
            self._write(files)
            return
        with suppress(FileExistsError):  # of two that create a file one is told that it is there: so far the other came
            for start in reversed(range(0, len(files), TOGETHER)):
                self._write(files[start : start + TOGETHER])
        second, self._second = self._second, None
        self._take_over(second, files)
        lacking = [file for file in files if file.path not in self._states]
        for file in lacking:
            self._folder.remove_file(file.path)
        self._write(lacking)

    def _write_and_tell(self, files: Sequence[StagedFile], fd: int) -> None:
        """In the second process: write, and tell what was written."""
        self._store.packs.close()  # the first process reads on in the same open files
        self._progress = SILENT
        with suppress(FileExistsError):
            self._write(files, is_second=True)
        states = ((number, self._states.get(file.path)) for number, file in enumerate(files))
        send(fd, b"".join([_TOLD.pack(number, *state[:5]) for number, state in states if state is not None]))

    def _take_over(self, second: SecondProcess, files: Sequence[StagedFile]) -> None:
        """Note what the second process wrote."""
        with open(second.fd, "rb") as pipe:
            told = pipe.read()
        second.ended()
        for number, mtime, ctime, size, inode, mode in _TOLD.iter_unpack(told[: len(told) // _TOLD.size * _TOLD.size]):
            file = files[number]
            self._states[file.path] = FileState(mtime, ctime, size, inode, mode, bytes.fromhex(file.id))
            self._progress.advance(file.size)

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
