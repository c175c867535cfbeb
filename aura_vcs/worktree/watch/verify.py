"""Holding what the watcher says against a look at every file."""

import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from aura_vcs.codec import decode_record, encode_record
from aura_vcs.errors.integrity import RecordCorrupt, StorageError
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.ids import ObjectId
from aura_vcs.layout import WATCHER_FAULT
from aura_vcs.worktree.scan.cache import CachedFolder, ScanCache, file_state
from aura_vcs.worktree.scan.watched import STOP, ask_watcher, talk

if TYPE_CHECKING:
    from aura_vcs.progress import Progress
    from aura_vcs.storage.local import LocalStorage
    from aura_vcs.worktree.scan.scan import Scan, ScannedFolder

SHOWN = 10
ReadId = Callable[[str], ObjectId | None]


class WatcherFault(msgspec.Struct, frozen=True):
    """Files that were not as the cache has them, of which the watcher did not tell, and when that was found."""

    time: float
    """Seconds since 1970."""
    paths: tuple[str, ...]


def verify_watcher(
    root: str, storage: "LocalStorage", scan: "Scan", cache: ScanCache, read: ReadId, progress: "Progress"
) -> bool | None:
    """Compare what a look at every file found with what the watcher says after it; whether it told of all.

    `read` returns the id of what a file holds now. None where the watcher says nothing of this cache. Of what changed
    after the look it may tell more, but never less. A difference that it does not tell of is said and recorded; it is
    stopped, and asked no more.
    """
    if scan.known is None or scan.known.fingerprint != scan.fingerprint or scan.always:
        return None
    answer = ask_watcher(root)
    if answer is None or answer.digest != cache.digest:
        return None
    untold = list(_untold(scan, cache, answer.claims(cache)))
    if untold:  # some may be as they were by now
        untold = _still_otherwise(root, untold, cache, read)
        answer = ask_watcher(root)
        if answer is None or answer.digest != cache.digest:
            return None
        still = set(_untold(scan, cache, answer.claims(cache)))
        untold = _still_otherwise(root, [path for path in untold if path in still], cache, read)
    if not untold:
        return True
    with suppress(StorageError):  # a full or read-only disk: it is stopped all the same
        storage.put(WATCHER_FAULT, encode_record(WatcherFault(time.time(), tuple(untold[:SHOWN]))))
    talk(root, STOP)
    progress.note(
        f"The watcher missed that {untold[0]} has changed. It is switched off for this project; "
        "nothing is lost, because every file was looked at now. `aura watch status` shows more"
    )
    return False


def recorded_fault(storage: "LocalStorage") -> WatcherFault | None:
    """Return what the watcher did not tell of, if that was ever found."""
    try:
        return decode_record(storage.read(WATCHER_FAULT), WatcherFault, WATCHER_FAULT)
    except FileNotFoundError:
        return None
    except (RecordCorrupt, StorageError):
        return WatcherFault(0.0, ())


def _still_otherwise(root: str, paths: Sequence[str], cache: ScanCache, read: ReadId) -> list[str]:
    """Choose the paths that are not as the cache has them at this moment either."""
    return [path for path in paths if not _is_as_cached(root, path, cache, read)]


def _is_as_cached(root: str, path: str, cache: ScanCache, read: ReadId) -> bool:
    parent, _, name = path.rpartition("/")
    folder = cache.folders[parent]
    try:
        found = os.stat(os.path.join(root, path), follow_symlinks=False)
    except OSError:
        return name not in folder.names and name not in folder.folders
    if name in folder.folders or name not in folder.names:
        return name in folder.folders and stat.S_ISDIR(found.st_mode)
    now, before = file_state(found), folder.files[name]
    if now._replace(ctime_ns=before.ctime_ns)[:5] != before[:5]:
        return False
    try:  # this date alone may change without a word: a flag was set, or the date of the last reading
        return now.ctime_ns == before.ctime_ns or bytes.fromhex(read(path) or "") == before.id
    except FileUnreadable:
        return False


def _untold(scan: "Scan", cache: ScanCache, claims: Mapping[str, Sequence[int]]) -> Iterator[str]:
    """Yield paths that are not as in the cache, in folders whose differing files are told, and not among those."""
    for folder in scan.walk():
        if folder.path in claims:
            yield from _untold_in(folder, cache.folders[folder.path], frozenset(claims[folder.path]))


def _untold_in(folder: "ScannedFolder", was: CachedFolder, told: frozenset[int]) -> Iterator[str]:
    now = folder.files
    for number, (name, state) in enumerate(was.stamped()):
        found = now.get(name)
        if number not in told and (found is None or found[:5] != state):
            yield folder.join(name)
    names = (now.keys() - set(was.names)) | (folder.folders.keys() ^ set(was.folders))
    for name in names.difference(was.ignored, (name.rstrip("/") for name in was.ignored)):
        yield folder.join(name)
