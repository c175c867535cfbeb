"""The studio's folder: JSON files under the rules of the store.

Every file is replaced as a whole, durably, by one writer at a time: changes happen under one lock
of the operating system. The SQLite file beside them only answers quickly; it may go at any time.

    config.json               what the person configured; sensitive values encrypted
    secret.key                0600: the key of those values, where no keyring keeps it
    setup.json                how far the first-run wizard came
    ratings.json              uses and ratings of templates
    actions.jsonl             what was done, with what was there before, to take it back; the newest 2 MB at least
    done.json                 the last of these that is finished
    projects/<id>.json        one project each: where it lies and what it is
    templates/<id>.json       one template of the person's each
    index.sqlite tmp/ locks/  rebuilt, or of this moment
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from aura_vcs.codec import decode_record, encode_record
from aura_vcs.locks import WAIT_SECONDS, ProcessLocks
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.system_calls import REAL_CALLS, FileCalls

T = TypeVar("T")

CONFIG = "config.json"
KEY = "secret.key"
SETUP = "setup.json"
RATINGS = "ratings.json"
PROJECTS = "projects"
TEMPLATES = "templates"
ACTIONS = "actions.jsonl"
DONE = "done.json"
INDEX = "index.sqlite"


class StudioFolder:
    """One person's studio, in the folder `path`; `user` goes into what is recorded.

    Nothing is created before something is stored.
    """

    def __init__(
        self,
        path: str,
        *,
        user: str,
        progress: Progress = SILENT,
        calls: FileCalls = REAL_CALLS,
        lock_seconds: float = WAIT_SECONDS,
    ) -> None:
        self.path = os.path.abspath(path)
        self.user = user
        self.progress = progress
        self.storage = LocalStorage(self.path, calls=calls)
        self._locks = ProcessLocks(self.storage, "locks", wait_seconds=lock_seconds)

    def load(self, name: str, shape: type[T]) -> T | None:
        """Load the record in a file, None where there is no file.

        Raises:
            RecordCorrupt: it cannot be read; names the file.
        """
        try:
            return decode_record(self.storage.read(name), shape, self.storage.path(name))
        except FileNotFoundError:
            return None

    def put(self, name: str, record: object) -> None:
        """Replace a file. The caller holds the lock."""
        self.storage.put(name, encode_record(record), private=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep every other writer of the studio away.

        Raises:
            LockBusy: one held it for too long.
        """
        self.storage.make_folder("")
        with self._locks.exclusive("studio"):
            yield

    def stamp(self, name: str) -> str:
        """Return a stamp that changes whenever the file, or the names in the folder, do; empty where nothing is."""
        found = self.storage.stat(name)
        return "" if found is None else f"{found.mtime_ns}.{found.size}"
