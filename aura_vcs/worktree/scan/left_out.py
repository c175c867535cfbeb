"""Files of a version that are not among the files because their content was evicted: nobody deleted them.

`local/left-out.json` names those that were left out here, with their contents: they stay so, also where the content has
come back into the store meanwhile, until they are put there.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from aura_vcs.codec import decode_record, encode_record
from aura_vcs.errors.integrity import IntegrityError, RecordCorrupt, StorageError
from aura_vcs.ids import ObjectId
from aura_vcs.layout import LEFT_OUT
from aura_vcs.model import EntryKind
from aura_vcs.objects.availability import evicted_among
from aura_vcs.objects.store import ObjectStore
from aura_vcs.objects.trees import Difference, TreeReader
from aura_vcs.progress import Progress
from aura_vcs.storage.local import LocalStorage
from aura_vcs.worktree.scan.scan import Scan, Skipped

EVICTED = "its content was evicted; `aura derived make` makes it again, `aura fetch --content` asks remotes for it"
"""Why a file of a version is not among the files."""


def note_left_out(scan: Scan, base: ObjectId, store: ObjectStore, trees: TreeReader) -> None:
    """Say in a scan which files of the tree `base` are absent because their content was evicted."""
    listed, recorded = _read(store.storage), store.offloaded.evicted()
    if not listed and not recorded:
        return
    if back := [path for path in listed if scan.file(path) is not None]:
        with suppress(StorageError):  # a disk that cannot be written to: the next scan does it
            _write(store.storage, {path: blob for path, blob in listed.items() if path not in back})
    if scan.root.tree == base:
        return
    absent: dict[str, ObjectId] = {}
    with suppress(IntegrityError):  # a base that was purged
        for path, entry in trees.walk(base):
            is_meant = entry.kind is EntryKind.FILE and (entry.id in recorded or listed.get(path) == entry.id)
            if is_meant and scan.file(path) is None and scan.folder(path) is None:
                absent[path] = entry.id
    gone = evicted_among(store, absent.values())
    for path, blob in absent.items():
        if blob in gone or listed.get(path) == blob:
            scan.skipped.append(Skipped(path, EVICTED, is_unreadable=True, is_evicted=True))


def without_evicted(
    store: ObjectStore, differences: Sequence[Difference]
) -> tuple[Sequence[Difference], dict[str, ObjectId]]:
    """Leave out files whose content was evicted, of which only what was there goes; return also these, by path."""
    if not store.offloaded.evicted():
        return differences, {}
    files = {d.path: d.new.id for d in differences if d.new is not None and d.new.kind is EntryKind.FILE}
    blobs = evicted_among(store, files.values())
    absent = {path: blob for path, blob in files.items() if blob in blobs}
    kept = [d if d.path not in absent else Difference(d.path, d.old, None) for d in differences]
    return [d for d in kept if d.new is not None or d.old is not None], absent


def record_left_out(
    storage: LocalStorage, absent: Mapping[str, ObjectId], written: Collection[str], progress: Progress
) -> None:
    """Remember which files were left out, and say so; no longer those that were written or removed."""
    for path in absent:
        progress.note(f"{path} is left out: {EVICTED}")
    known = _read(storage)
    after = {path: blob for path, blob in known.items() if path not in written} | dict(absent)
    if after != known:
        _write(storage, after)


def _read(storage: LocalStorage) -> dict[str, ObjectId]:
    if storage.stat(LEFT_OUT) is None:
        return {}
    try:
        return decode_record(storage.read(LEFT_OUT), dict[str, ObjectId], LEFT_OUT)
    except (FileNotFoundError, RecordCorrupt):
        return {}  # what is evicted still is, and says so


def _write(storage: LocalStorage, paths: Mapping[str, ObjectId]) -> None:
    if paths:
        storage.put(LEFT_OUT, encode_record(dict(sorted(paths.items()))))
    else:
        storage.delete(LEFT_OUT)
