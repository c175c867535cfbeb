"""The file of the scan cache: read at once, written as a whole or by what changed.

The file is a row of segments: MAGIC, a digest, the digest of the segment before (zeros in the first), the length of
what follows, and that. The first has everything: `_HEAD`, a `_FOLDER` for each folder, all names joined by
zero bytes (a folder's path, then its files, folders, ignored and held names), a `STAMP` for each file. The
others have what changed since: `_CHANGES`, a `_CHANGE` for each folder, all names (paths of folders that went; then for
each folder its path, the files that changed, those that went, and if they changed its folders, ignored and held names),
a STAMP for each file that changed. So an edit of one file in hundreds of thousands writes a few
hundred bytes. A segment counts only behind the very one that it was made for, so whatever is lost, or written by two
commands at once, what is read is the state after one of them. It opens in a few milliseconds for tens of thousands of
files: states are only made of the folders that somebody asks for.
"""

import os
import struct
from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from blake3 import blake3

from aura_vcs.errors.integrity import LinkedPath, StorageError
from aura_vcs.ids import Bytes
from aura_vcs.layout import SCAN_CACHE
from aura_vcs.storage.own_folders import OwnFolders
from aura_vcs.storage.plain_files import READ, open_plain
from aura_vcs.worktree.scan.cache import STAMP, CachedFolder, FolderChange, ScanCache

if TYPE_CHECKING:
    from aura_vcs.storage.local import LocalStorage

MAGIC = b"AURASCAN4"
NO_DIGEST = bytes(16)
_SEGMENT = struct.Struct("<9s16s16sQ")
_HEAD = struct.Struct("<16sIQ")
"""The ignore rules' fingerprint, how many folders, the bytes of names."""
_FOLDER = struct.Struct("<IIII32s")
"""How many files, folders, ignored and held names; the folder's tree, zeros if it is not known."""
_CHANGES = struct.Struct("<IIQ")
"""How many folders went, and changed; the bytes of names."""
_CHANGE = struct.Struct("<?IIIII32s")
"""Whether the lists changed; how many files changed, and went, folders, ignored and held names; the tree."""
NO_TREE = bytes(32)
LINES_FOR_ONE = 20
"""One name in so many is looked for without making a table of all."""
CHANGES_SHARE = 8
"""What changed may be an eighth as long as the first segment; then all of it is written anew."""


def load_scan_cache(place: "LocalStorage | OwnFolders") -> ScanCache:
    """Load the cache in a store; an empty one if it is absent or damaged."""
    try:
        last, folder = place.folder_of(SCAN_CACHE)
        fd = open_plain(last, READ, SCAN_CACHE, dir_fd=folder.fd)
        with open(fd, "rb", buffering=0) as file:
            inode, data = os.fstat(fd).st_ino, file.read()
    except (OSError, LinkedPath):
        return ScanCache(b"", {})
    try:
        return _decode(data, inode)
    except (ValueError, IndexError, struct.error):
        return ScanCache(b"", {})  # whoever made it knew how to make a digest, but not a cache


def _decode(data: bytes, inode: int) -> ScanCache:
    found, changes, at = ScanCache(b"", {}), dict[str, _Change](), 0
    while (segment := _segment_at(data, at, found.digest or NO_DIGEST)) is not None:
        digest, payload = segment
        if at == 0:
            found = _decode_first(payload)
        else:
            _decode_changes(found, changes, payload)
        at += _SEGMENT.size + len(payload)
        found.digest, found.inode, found.all_bytes = digest, inode, at
        found.first_bytes = found.first_bytes or at
    for path, change in changes.items():
        found.folders[path] = change.applied_to(found.folders.get(path))
    return found


def _segment_at(data: bytes, at: int, before: bytes) -> tuple[bytes, memoryview] | None:
    """Return the digest and what is in the segment there, not copied, if it is whole and follows that digest."""
    if len(data) < at + _SEGMENT.size:
        return None
    magic, digest, follows, length = _SEGMENT.unpack_from(data, at)
    start = at + _SEGMENT.size
    payload = memoryview(data)[start : start + length]
    if magic != MAGIC or follows != before or len(payload) != length or digest != _digest(before, payload):
        return None
    return digest, payload


def _digest(before: bytes, payload: Bytes) -> bytes:
    hasher = blake3(before)
    hasher.update(payload)
    return hasher.digest()[: len(NO_DIGEST)]


def _segment(before: bytes, payload: bytes) -> bytes:
    return _SEGMENT.pack(MAGIC, _digest(before, payload), before, len(payload)) + payload


def _decode_first(data: memoryview) -> ScanCache:
    fingerprint, count, text_bytes = _HEAD.unpack_from(data)
    table = _HEAD.size
    text = table + count * _FOLDER.size
    stamp = text + text_bytes
    names = str(data[text:stamp], "utf-8").split("\0")
    folders, at = {}, 0
    for files, inner, ignored, held, tree in _FOLDER.iter_unpack(data[table:text]):
        path, at = names[at], at + 1
        ends = tuple(accumulate((files, inner, ignored, held), initial=at))
        stamps = data[stamp : stamp + files * STAMP.size]
        stamp += len(stamps)
        own, below, hidden, kept = [names[start:end] for start, end in pairwise(ends)]
        folders[path] = CachedFolder(own, stamps, below, hidden, kept, b"" if tree == NO_TREE else tree)
        at = ends[-1]
    if at != len(names) or stamp != len(data):
        raise ValueError("names or stamps are left over, or lacking")
    return ScanCache(fingerprint, folders)


def save_scan_cache(storage: "LocalStorage", cache: ScanCache) -> None:
    """Write the whole cache. It is not synced: after a power failure its digests tell."""
    with suppress(FileNotFoundError, StorageError, LinkedPath):
        storage.put_unsynced(SCAN_CACHE, _segment(NO_DIGEST, _encode(cache)))


def append_to_scan_cache(
    storage: "LocalStorage", known: ScanCache, changes: Sequence[FolderChange], gone: Sequence[str]
) -> bool:
    """Append what changed, and which folders went, to the cache that was loaded; False where it must be written whole.

    So it must where the file is another by now, or most of it would be changes.
    """
    try:
        encoded = _encode_changes(changes, gone)
    except struct.error:
        return False
    if known.all_bytes - known.first_bytes + len(encoded) > known.first_bytes // CHANGES_SHARE:
        return False
    found = storage.look(SCAN_CACHE)
    if found is None or (found.st_ino, found.st_size) != (known.inode, known.all_bytes):
        return False
    with suppress(FileNotFoundError, StorageError, LinkedPath):
        storage.append(SCAN_CACHE, _segment(known.digest, encoded), at=known.all_bytes, durable=False)
    return True


def _encode(cache: ScanCache) -> bytes:
    table, names, stamps = [], [], []
    for path, folder in cache.folders.items():
        counts = len(folder.names), len(folder.folders), len(folder.ignored), len(folder.held)
        table.append(_FOLDER.pack(*counts, folder.tree or NO_TREE))
        names.append(path)
        names += folder.names
        names += folder.folders
        names += folder.ignored
        names += folder.held
        stamps.append(folder.stamps)
    text = "\0".join(names).encode("utf-8")
    return b"".join([_HEAD.pack(cache.fingerprint, len(table), len(text)), *table, text, *stamps])


def _encode_changes(changes: Sequence[FolderChange], gone: Sequence[str]) -> bytes:
    """Encode what changed and which folders went.

    Raises:
        struct.error: a file is dated beyond the year 2262.
    """
    table, names, stamps = [], [*gone], []
    for change in changes:
        lists = change.lists or ((), (), ())
        counts = len(change.files), len(change.gone), *map(len, lists)
        table.append(_CHANGE.pack(change.lists is not None, *counts, change.tree or NO_TREE))
        names += [change.path, *change.files, *change.gone]
        for listed in lists:
            names += listed
        stamps += [STAMP.pack(*state) for state in change.files.values()]
    text = "\0".join(names).encode("utf-8")
    return b"".join([_CHANGES.pack(len(gone), len(table), len(text)), *table, text, *stamps])


class _Change:
    """What all changes together made of a folder."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.gone: set[str] = set()
        self.lists: list[list[str]] | None = None
        self.tree = b""

    def applied_to(self, was: CachedFolder | None) -> CachedFolder:
        """Return the folder as it is since."""
        was = was or CachedFolder([], b"", [], [], [], b"")
        folders, ignored, held = self.lists or (was.folders, was.ignored, was.held)
        names, size = list(was.names), STAMP.size
        stamps = bytearray(was.stamps)
        for name, place in _places(names, self.files).items():
            state = self.files[name]
            if place is None:
                names.append(name)
                stamps += state
            else:
                stamps[place * size : (place + 1) * size] = state
        if self.gone:
            kept = [place for place, name in enumerate(names) if name not in self.gone]
            stamps = bytearray().join(stamps[place * size : (place + 1) * size] for place in kept)
            names = [names[place] for place in kept]
        return CachedFolder(names, bytes(stamps), folders, ignored, held, self.tree)


def _places(names: list[str], wanted: Collection[str]) -> dict[str, int | None]:
    """Map names to where they are in the list, None for those that are not; a few are looked for one by one."""
    if len(wanted) * LINES_FOR_ONE < len(names):
        return {name: names.index(name) if name in names else None for name in wanted}
    known = {name: place for place, name in enumerate(names)}
    return {name: known.get(name) for name in wanted}


def _decode_changes(cache: ScanCache, changes: dict[str, _Change], data: memoryview) -> None:
    """Add encoded changes to those before them; folders that went are taken out of the cache.

    Raises:
        ValueError, IndexError, struct.error: they are none.
    """
    gone, count, text_bytes = _CHANGES.unpack_from(data)
    text = _CHANGES.size + count * _CHANGE.size
    stamp = text + text_bytes
    names = str(data[text:stamp], "utf-8").split("\0")
    for path in names[:gone]:
        cache.folders.pop(path, None)
        changes.pop(path, None)
    at = gone
    for has_lists, files, left, inner, ignored, held, tree in _CHANGE.iter_unpack(data[_CHANGES.size : text]):
        change = changes.setdefault(names[at], _Change())
        ends = tuple(accumulate((files, left, inner, ignored, held), initial=at + 1))
        changed, went, *lists = [names[start:end] for start, end in pairwise(ends)]
        for name in changed:
            change.files[name] = bytes(data[stamp : stamp + STAMP.size])
            stamp += STAMP.size
        change.gone.difference_update(changed)
        for name in went:
            change.files.pop(name, None)
            change.gone.add(name)
        change.lists = lists if has_lists else change.lists
        change.tree = b"" if tree == NO_TREE else tree
        at = ends[-1]
    if (at != len(names) and names != [""]) or stamp != len(data):
        raise ValueError("names or stamps are left over, or lacking")
