"""Reading a file of the person's so that the copy is one the file really had.

A file counts as stable when its stamp is the same before and after it was read, and the
stamp is older than a tick of the file system's clock: a write in the very tick of the last one
would leave no trace. What is younger waits its turn. What a program writes through a memory map
leaves a trace only once the page has been written out: that is done before the file is read.
"""

import errno
import os
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import BinaryIO

from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.ids import Bytes, ObjectId, blob_id
from aura_vcs.model import Kind
from aura_vcs.objects.base import BUFFER_BYTES, PAUSES_SECONDS
from aura_vcs.objects.loose import new_hasher
from aura_vcs.progress import Progress
from aura_vcs.storage.open_writers import has_writer, write_out
from aura_vcs.storage.scratch import Scratch
from aura_vcs.worktree.scan.cache import RACY, FileState, file_state
from aura_vcs.worktree.scan.scan import Scan, drop

TICK_NS = 20_000_000
"""Clocks of file systems with sub-second stamps tick at least this often."""
WRITTEN_OUT_NS = 600_000_000_000
"""What was last changed so long ago has been written to the disk since; Linux does so after 30 seconds."""
UNSTABLE_NS = 1_000_000_000
"""What was changed so short a time ago may be about to be changed again."""
COARSE_TICK_NS = 2_000_000_000
"""FAT counts in steps of two seconds."""
_SECOND_NS = 1_000_000_000


class FilesystemClock:
    """The time as the disk with the project sees it: a server's clock may be another than ours.

    A new file in `folder` tells it, which `use` may have before it goes.
    """

    def __init__(self, folder: Scratch, use: Callable[[int], None] | None = None) -> None:
        name = f"clock-{os.getpid()}-{time.monotonic_ns()}"
        try:
            fd = folder.create(name)
            try:
                stamp = os.fstat(fd).st_mtime_ns
                if use is not None:
                    use(fd)
            finally:
                os.close(fd)
                folder.unlink(name)
        except OSError:
            stamp = time.time_ns()  # a disk that cannot be written to has no fresh files either
        self._offset = stamp - time.monotonic_ns()

    def now_ns(self) -> int:
        """Return nanoseconds since 1970."""
        return time.monotonic_ns() + self._offset


_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # it may have become a pipe, which would be waited for
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


class FileSource:
    """A regular file to be stored; see objects.base.FileToStore.

    `state` is what was seen last, its `id` still empty: at first what the scan saw, which is as
    good a look before reading as one of our own.
    """

    __slots__ = ("_clock", "_past_tick", "fault", "is_unstable", "path", "real_path", "size", "state")

    def __init__(self, path: str, real_path: str, state: FileState, clock: FilesystemClock) -> None:
        self.path = path
        self.real_path = real_path
        self.state = state
        self.size = state.size
        self._clock = clock
        self._past_tick = False
        self.is_unstable = False
        self.fault: FileUnreadable | None = None

    def read(self) -> tuple[Bytes, ObjectId] | None:
        """See Source."""
        now_ns = self._clock.now_ns()
        past_tick = is_past_tick(self.state, now_ns)
        fd = self._open()
        try:
            if past_tick:
                self._show_writes(fd, now_ns)
            data = os.read(fd, self.size + 1)
            held = self._is_as_seen(fd)
        except OSError as error:
            raise unreadable_error(self.path, error) from error
        finally:
            os.close(fd)
        return (data, blob_id(data)) if held and past_tick and len(data) == self.size else None

    def open(self) -> BinaryIO:
        """Open the content.

        Raises:
            FileUnreadable: not permitted, gone, or become something else.
        """
        file = open(self._open(), "rb", buffering=0)  # noqa: SIM115 (the caller closes it)
        now_ns = self._clock.now_ns()
        self._show_writes(file.fileno(), now_ns)
        self._is_as_seen(file.fileno())
        self._past_tick = is_past_tick(self.state, now_ns)
        return file

    def was_stable(self, file: BinaryIO, read_bytes: int) -> bool:
        """See Source."""
        return self._is_as_seen(file.fileno()) and self._past_tick and read_bytes == self.size

    def is_unchanged(self, file: BinaryIO) -> bool:
        """See Source."""
        return self._past_tick and self._is_as_seen(file.fileno())

    def _show_writes(self, fd: int, now_ns: int) -> None:
        """See to it that whatever is written to the file from now on changes its dates, also through a memory map."""
        age_ns = now_ns - max(self.state.ctime_ns, self.state.mtime_ns)
        is_written = has_writer(fd) if age_ns < WRITTEN_OUT_NS else False
        self.is_unstable = bool(is_written) or 0 <= age_ns < UNSTABLE_NS
        if is_written is not False:
            with suppress(OSError):  # a disk that cannot be written to has no such writes
                write_out(fd)

    def _open(self) -> int:
        try:
            fd = os.open(self.real_path, _FLAGS)
            if stat.S_ISREG(os.fstat(fd).st_mode):
                return fd
            os.close(fd)
            raise IsADirectoryError(errno.EISDIR, "it is not a file any more")
        except OSError as error:
            raise unreadable_error(self.path, error) from error

    def _is_as_seen(self, fd: int) -> bool:
        """Tell whether the open file has the stamp that was seen last; if not, remember the one it has."""
        found = os.fstat(fd)
        seen = self.state
        if (
            found.st_mtime_ns == seen[0]
            and found.st_ctime_ns == seen[1]
            and found.st_size == seen[2]
            and found.st_ino == seen[3]
            and found.st_mode == seen[4]
        ):
            return True
        self.state = file_state(found)
        self.size = self.state.size
        return False


def is_past_tick(state: FileState, now_ns: int) -> bool:
    """Tell whether a later write to the file is sure to change its stamp."""
    coarse = state.ctime_ns % _SECOND_NS == 0 and state.mtime_ns % _SECOND_NS == 0
    changed = max(state.ctime_ns, state.mtime_ns if state.mtime_ns <= now_ns else 0)
    return now_ns - changed > (COARSE_TICK_NS if coarse else TICK_NS)


def read_stable_link(path: str, real_path: str, clock: FilesystemClock) -> tuple[FileState, bytes] | None:
    """Read a link's state, with its id, and its target; None if it kept changing.

    Raises:
        FileUnreadable: gone, or no link any more.
    """
    for pause in (0.0, *PAUSES_SECONDS):
        if pause:
            time.sleep(pause)
        try:
            before = file_state(os.lstat(real_path))
        except OSError as error:
            raise unreadable_error(path, error) from error
        if not is_past_tick(before, clock.now_ns()):
            continue
        object_id, target = read_link(path, real_path)
        if _is_unchanged(real_path, before):
            return before._replace(id=bytes.fromhex(object_id)), target
    return None


def read_link(path: str, real_path: str) -> tuple[ObjectId, bytes]:
    """Read the id and bytes of a symbolic link's target.

    Raises:
        FileUnreadable: gone, or no link any more.
    """
    try:
        target = os.fsencode(os.readlink(real_path))
    except OSError as error:
        raise unreadable_error(path, error) from error
    return blob_id(target), target


def _is_unchanged(real_path: str, before: FileState) -> bool:
    try:
        return file_state(os.lstat(real_path)) == before
    except OSError:
        return False


def unreadable_error(path: str, error: OSError) -> FileUnreadable:
    """Build the error for a file from what the system said of it."""
    return FileUnreadable(path, error.strerror or str(error), error.errno or 0)


class WorktreeHasher:
    """Reads files of the project folder `root`; see Worktree.hash."""

    def __init__(self, root: str, temporary: Scratch, progress: Progress, *, is_patient: bool) -> None:
        self._root = root
        self._progress = progress
        self._is_patient = is_patient
        self._clock = FilesystemClock(temporary)

    def hash(self, paths: Sequence[str], scan: Scan) -> list[str]:
        """Enter the ids into the scan; returns the files that kept changing.

        Raises:
            FileUnreadable: no file can be read.
        """
        unstable = []
        self._progress.start("Reading", sum(state.size for p in paths if (state := scan.file(p))), "bytes")
        for path in paths:
            parent, _, name = path.rpartition("/")
            folder = scan.folder(parent)
            if folder is None or name not in folder.files:
                continue
            try:
                state = self._hash_stable(path, folder.files[name])
            except FileUnreadable as error:
                drop(scan, error)
                continue
            if state is None:
                unstable.append(path)
            else:
                folder.files[name] = state
        self._progress.finish()
        return unstable

    def _hash_stable(self, path: str, state: FileState) -> FileState | None:
        found = self._hashed(path, state)
        for pause in PAUSES_SECONDS if self._is_patient else ():
            if found is not None and found.ctime_ns != RACY:
                break
            time.sleep(pause)
            found = self._hashed(path, state)
        return found

    def _hashed(self, path: str, state: FileState) -> FileState | None:
        real_path = os.path.join(self._root, path)
        if state.is_symlink:
            stamp = state if is_past_tick(state, self._clock.now_ns()) else state._replace(ctime_ns=RACY)
            return stamp._replace(id=bytes.fromhex(read_link(path, real_path)[0]))
        source = FileSource(path, real_path, state, self._clock)
        hasher, size = new_hasher(Kind.BLOB), 0
        with source.open() as file:
            try:
                while data := file.read(BUFFER_BYTES):
                    hasher.update(data)
                    size += len(data)
                    self._progress.advance(len(data))
            except OSError as error:
                raise unreadable_error(path, error) from error
            held = source.was_stable(file, size)
        # Unsettled, the id is right for now but must not be remembered: no file has such a ctime.
        stamp = source.state if held else source.state._replace(ctime_ns=RACY)
        return stamp._replace(id=hasher.digest()) if size == source.size else None
