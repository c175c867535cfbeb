"""Many small files at once: filled where nobody looks, made durable, and then given their names.

A new folder with thousands of files is made below `temporary`, its small files under the names that
they will have. When the disk has all of it, one rename puts it in place: nobody ever sees a part of
it, and after a power failure it is there with all that is in it, or not at all. Small files that go
into a folder which is there already wait beside it, under numbers, and are renamed one by one.
"""

import errno
import os
import struct
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from threading import Thread

from blake3 import blake3

from aura_vcs.errors.integrity import ObjectCorrupt
from aura_vcs.forked_worker import ForkedWorker, fork_worker, send
from aura_vcs.ids import ObjectId
from aura_vcs.layout import STAGED
from aura_vcs.objects.base import PackLocation
from aura_vcs.objects.store import ObjectStore
from aura_vcs.objects.trees import Difference
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.scratch import Scratch
from aura_vcs.storage.system_calls import FileCalls, write_all
from aura_vcs.worktree.checkout.new_file import AGE_NS, StoredReaders, with_executable
from aura_vcs.worktree.checkout.safe_folder import SafeFolder
from aura_vcs.worktree.checkout.set_aside import Aside, SeenFile
from aura_vcs.worktree.checkout.staging_plan import (
    SINGLES,
    Staged,
    StagedFile,
    StagedFolder,
    StagingPlaces,
    plan_staging,
)
from aura_vcs.worktree.scan.cache import FileState, file_state
from aura_vcs.worktree.scan.scan import Scan
from aura_vcs.worktree.snapshot.stable_read import TICK_NS, FilesystemClock

WORTHWHILE_FILES = 1000
"""Fewer are written sooner than a process starts."""
BATCH_FILES = 100
"""So many files are written before it is asked whether the worker process has come so far."""
_RECORD = struct.Struct("<IqqQQI")
"""A file's number among those handed over, and its state."""
_SECOND_NS = 1_000_000_000
_TAKEN = {
    errno.ENOENT,
    errno.EEXIST,
    errno.ENOTEMPTY,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EACCES,
    errno.EPERM,
    errno.EXDEV,
}


class _Sync(Thread):
    """Makes everything on the disk durable while the caller does something else."""

    def __init__(self, calls: FileCalls, path: str) -> None:
        super().__init__(daemon=True)  # who ends before has no use for it
        self._calls, self._path = calls, path
        self._done: bool | OSError = False

    def run(self) -> None:
        """See Thread."""
        try:
            self._done = self._calls.sync_disk(self._path)
        except OSError as error:
            self._done = error

    def result(self) -> bool:
        """Wait for it; False if the system cannot do that.

        Raises:
            OSError: the disk refused.
        """
        self.join()
        if isinstance(self._done, OSError):
            raise self._done
        return self._done


class Staging:
    """Makes new folders below `temporary` and puts them into the project folder `root`."""

    def __init__(
        self, root: str, temporary: Scratch, store: ObjectStore, calls: FileCalls, progress: Progress, aside: Aside
    ) -> None:
        self._root = root
        self._temporary = temporary
        self._scratch = temporary.below(STAGED)
        self._aside = aside
        self._complete = ""
        """What it is called aside, when all of it is durable."""
        self._store = store
        self._calls = calls
        self._progress = progress
        self._folder = SafeFolder(self._scratch.path, temporary, calls, made=self._scratch)
        self._dates_back = False
        """Whether files are dated back, so that nobody has to wait until the clock of their dates has ticked."""
        self._states: dict[str, FileState] = {}
        self._planned: tuple[list[Difference], Staged] | None = None
        self._is_written = False
        self._syncing: _Sync | None = None

    @cached_property
    def _clock(self) -> FilesystemClock:
        return FilesystemClock(self._temporary)

    def plan(
        self, scan: Scan, differences: Sequence[Difference], places: Mapping[ObjectId, PackLocation], *, least: int
    ) -> Staged:
        """Say what `write` will write; writes nothing."""
        self.discard()
        at = StagingPlaces(self._root, os.path.dirname(self._scratch.path))
        staged = plan_staging(at, scan, differences, places, StoredReaders(self._store), least=least)
        self._planned = list(differences), staged
        return staged

    def stage(self) -> None:
        """Write what was planned; the disk makes it durable while the caller does something else.

        From now until `write` or `discard` the caller is alone in the project folder.

        Raises:
            as `write`; nothing is left over.
        """
        assert self._planned is not None
        try:
            self._write_planned(self._planned[1])
            if self._is_written and type(self._calls) is FileCalls:
                self._syncing = _Sync(self._calls, self._scratch.path)
                self._syncing.start()
        except BaseException:
            self.discard()
            raise

    def write(
        self, scan: Scan, differences: Sequence[Difference], places: Mapping[ObjectId, PackLocation], *, least: int
    ) -> Staged:
        """Write the small files among what comes, durably, unless they are fewer than `least`.

        Raises:
            ObjectMissing, ObjectCorrupt: content is damaged. OSError: the disk refused. Nothing is in place.
        """
        if self._is_written and self._planned is not None and self._planned[0] == list(differences):
            staged = self._planned[1]
            self._progress.advance(staged.size)
        else:
            staged = self.plan(scan, differences, places, least=least)
            self._write_planned(staged)
        if self._is_written:
            disk = self._scratch.path
            is_synced = self._syncing.result() if self._syncing is not None else self._calls.sync_disk(disk)
            if not is_synced:
                self._sync_each(staged)
            self._wait_past_tick()
            paths = [(file.path, path) for path, file in staged.files.items()]
            self._complete = self._aside.take_folder(self._temporary, STAGED, paths)
        return staged

    def _write_planned(self, staged: Staged) -> None:
        """Make the folders and write the files, not durably yet."""
        files = staged.files_in_stored_order()
        if not files:
            return
        self._temporary.make()
        with self._temporary.at(STAGED) as (last, dir_fd):
            self._calls.mkdir(last, dir_fd=dir_fd)
        self._folder.make_folder(SINGLES)
        for folder in staged.folders:
            for path in folder.folders:
                self._folder.make_folder(path)
        self._write_all(files)
        self._folder.close()
        self._is_written = True

    def place_folder(self, folder: StagedFolder, target: SafeFolder) -> dict[str, FileState] | None:
        """Give a filled folder its name, not durably yet; the states of its files by their path in the project.

        None if something has the name by now: nothing was changed.
        """
        try:
            target.place_folder(f"{self._complete}/{folder.name}", folder.path)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            return None
        states, path, below = self._states, folder.path, len(folder.name)
        return {path + file.path[below:]: states[file.path] for file in folder.files}

    def place_file(self, file: StagedFile, path: str, target: SafeFolder, seen: SeenFile | None) -> FileState | None:
        """Give a file its name, not durably yet, if what has it is what was `seen`; returns its state, else None."""
        return target.place_file(f"{self._complete}/{file.path}", path, self._states[file.path], seen)

    def discard(self) -> None:
        """Remove what was not put in place."""
        self._folder.close()
        self._planned, self._is_written, self._syncing = None, False, None
        self._states.clear()
        self._scratch.discard()

    def _write_all(self, files: Sequence[StagedFile]) -> None:
        """Write the files: where they are many, a worker process from the first on, this one from the last on.

        Each creates the files that it writes: when one is there, the other has come so far.
        """
        is_worthwhile = len(files) >= WORTHWHILE_FILES and type(self._calls) is FileCalls
        self._dates_back = len(files) < WORTHWHILE_FILES
        second = fork_worker(partial(self._write_in_worker, files)) if is_worthwhile else None
        if second is None:
            self._write(files)
            return
        try:
            with suppress(FileExistsError):
                for start in reversed(range(0, len(files), BATCH_FILES)):
                    self._write(files[start : start + BATCH_FILES])
        except BaseException:
            second.stop()  # whoever catches this must find nobody else writing
            raise
        self._note_written(second, files)
        lacking = [file for file in files if file.path not in self._states]
        for file in lacking:
            self._folder.remove_file(file.path)
        self._write(lacking)

    def _write_in_worker(self, files: Sequence[StagedFile], fd: int) -> None:
        """Write files in the worker process, and send what was written."""
        self._store.packs.close()  # the first process reads on in the same open files
        self._progress = SILENT
        with suppress(FileExistsError):
            self._write(files, is_second=True)
        states = ((number, self._states.get(file.path)) for number, file in enumerate(files))
        send(fd, b"".join([_RECORD.pack(number, *state[:5]) for number, state in states if state is not None]))

    def _note_written(self, second: ForkedWorker, files: Sequence[StagedFile]) -> None:
        """Note what the worker process wrote."""
        with open(second.fd, "rb") as pipe:
            told = pipe.read()
        second.ended()
        told_bytes = 0
        for number, mtime, ctime, size, inode, mode in _RECORD.iter_unpack(
            told[: len(told) // _RECORD.size * _RECORD.size]
        ):
            file = files[number]
            self._states[file.path] = FileState(mtime, ctime, size, inode, mode, bytes.fromhex(file.id))
            told_bytes += size
        self._progress.advance(told_bytes)

    def _write(self, files: Sequence[StagedFile], *, is_second: bool = False) -> None:
        """Write files; the worker process passes over what only the index can find."""
        states, advance = self._states, self._progress.advance
        folder, dir_fd = "", None
        contents = self._store.packs.read_each(file.location for file in files)
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
            above, _, name = file.path.rpartition("/")
            if above != folder or dir_fd is None:
                folder = above
                name, dir_fd = self._folder.way_to(file.path)
            states[file.path] = self._write_file(file, name, dir_fd, data, digest)
            advance(file.size)

    def _write_file(self, file: StagedFile, name: str, dir_fd: int | None, data: bytes, digest: bytes) -> FileState:
        """Write a file under its name in the open folder; returns its state."""
        fd = self._calls.create(name, file.mode, dir_fd=dir_fd)
        try:
            written = self._calls.write(fd, data) if data else 0
            if written != len(data):
                write_all(self._calls, fd, data[written:])
            found = os.fstat(fd)
            if file.executable:
                self._calls.chmod(fd, with_executable(found.st_mode, executable=True))
                found = os.fstat(fd)
            if self._dates_back or found.st_mtime_ns % _SECOND_NS == 0:  # the disk may count in seconds
                self._calls.set_times(fd, self._scratch.path_of(file.path), self._clock.now_ns() - AGE_NS)
                found = os.fstat(fd)
        finally:
            os.close(fd)
        return file_state(found, digest)

    def _wait_past_tick(self) -> None:
        """Wait until any write to a file gives it another date than it has; then its state can be believed."""
        latest = max((state.mtime_ns for state in self._states.values()), default=0)
        while 0 <= (age := self._clock.now_ns() - latest) <= TICK_NS:
            time.sleep((TICK_NS - age + 1) / _SECOND_NS)

    def _sync_each(self, staged: Staged) -> None:
        for file in staged.files_in_stored_order():
            fd = self._scratch.open(file.path)
            try:
                self._calls.fsync(fd)
            finally:
                os.close(fd)
        for folder in staged.folders:
            for path in folder.folders:
                with self._scratch.at(path) as (last, dir_fd):
                    self._calls.fsync_folder(last, dir_fd=dir_fd)
