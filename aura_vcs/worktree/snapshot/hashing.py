"""Finding the ids of files of a scan without storing them."""

import os
import time
from collections.abc import Sequence

from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.model import Kind
from aura_vcs.objects.base import BUFFER_BYTES, PAUSES_SECONDS
from aura_vcs.objects.loose import new_hasher
from aura_vcs.progress import Progress
from aura_vcs.storage.scratch import Scratch
from aura_vcs.worktree.scan.cache import RACY, FileState
from aura_vcs.worktree.scan.scan import Scan, drop
from aura_vcs.worktree.snapshot.stable_read import (
    FileSource,
    FilesystemClock,
    is_past_tick,
    read_link,
    unreadable_error,
)


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
        restless = []
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
                restless.append(path)
            else:
                folder.files[name] = state
        self._progress.finish()
        return restless

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
