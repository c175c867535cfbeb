"""What all that lies below `.aura` is, to the last block of the disk."""

import os
import stat
from collections.abc import Collection, Mapping

import msgspec

from aura_vcs import layout
from aura_vcs.storage.local import LocalStorage

BLOCK_BYTES = 512
"""What the system counts blocks in, whatever the disk's own are."""
SECOND_NAMES = "second_names"
"""Of these only files count that have no other name left."""
_PARTS = {
    layout.OBJECTS: "objects",
    layout.REFS: "refs",
    layout.OPERATIONS: "log",
    layout.LOG_COPIES: "log",
    layout.INDEX: "index",
    layout.SEARCH: "index",
    layout.SCAN_CACHE: "caches",
    layout.MEDIA_INDEX: "caches",
    layout.REMOTES: "caches",
    layout.TEMPORARY: "unfinished",
    layout.ASIDE: "unfinished",
    layout.PENDING: "unfinished",
    layout.CLONING: "unfinished",
    layout.UNRECORDED: "unfinished",
    layout.DAMAGED: "set_aside",
    layout.HARDLINK_BACKUP: SECOND_NAMES,
}
"""What lies where; anything else is `settings`: identity, HEAD, configuration, locks."""
OTHER = "settings"
BLOCKS = "blocks"


class FolderUsage(msgspec.Struct):
    """Files and bytes of each part, by its name, and bytes of all blocks."""

    files: dict[str, int]
    bytes: dict[str, int]
    block_bytes: int


def folder_usage(storage: LocalStorage, *, passing: Collection[str] = ()) -> FolderUsage:
    """Measure everything below the storage, and its folders; a file with several names counts once.

    Files called as in `passing` are there only while the project is open, and do not count.

    Raises:
        StorageError: a folder cannot be listed.
    """
    names = dict.fromkeys([*_PARTS.values(), OTHER], 0)
    usage = FolderUsage(dict(names), dict(names), 0)
    seen: set[tuple[int, int]] = set()
    everything = [(_part_of(name), found) for name, found in storage.stats() if name not in passing]
    for part, found in sorted(everything, key=lambda item: item[0] == SECOND_NAMES):
        if found is None or (found.st_dev, found.st_ino) in seen:
            continue
        usage.block_bytes += _block_bytes(found)
        if not stat.S_ISDIR(found.st_mode):
            usage.files[part] += 1
            usage.bytes[part] += found.st_size
            if found.st_nlink > 1:
                seen.add((found.st_dev, found.st_ino))
    return usage


def split_objects(usage: FolderUsage, stored: Mapping[str, tuple[int, int]]) -> FolderUsage:
    """Tell what the stored objects are, given how many of each kind there are and their bytes on disk.

    What of their files is none of these are the tables of packs.
    """
    files = {name: count for name, count in usage.files.items() if name != "objects"}
    sizes = {name: size for name, size in usage.bytes.items() if name != "objects"}
    for name, (count, size) in stored.items():
        files[name], sizes[name] = count, size
    files["pack_tables"] = usage.files["objects"]
    sizes["pack_tables"] = usage.bytes["objects"] - sum(size for _, size in stored.values())
    return FolderUsage(files, sizes, usage.block_bytes)


def _part_of(name: str) -> str:
    """Return what a path below `.aura` belongs to: the longest beginning of it that is known."""
    while name:
        found = _PARTS.get(name) or _PARTS.get(name.removesuffix("-wal").removesuffix("-shm"))
        if found is not None:
            return found
        name = name.rpartition("/")[0]
    return OTHER


def _block_bytes(found: os.stat_result) -> int:
    blocks: int | None = getattr(found, "st_blocks", None)
    return found.st_size if blocks is None else blocks * BLOCK_BYTES
