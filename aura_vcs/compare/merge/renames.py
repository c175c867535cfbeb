"""What either side of a merge gave another name."""

from collections.abc import Mapping

from aura_vcs.compare.diff.likeness import ReadContent, pair_alike
from aura_vcs.compare.merge.model import TreeEntry
from aura_vcs.ids import blob_id
from aura_vcs.renames import Look, pair_renames

Entries = Mapping[str, TreeEntry]
EMPTY = blob_id(b"")


def find_renames(base: Entries, side: Entries) -> dict[str, str]:
    """Map old path to new path of what a side only gave another name."""
    return pair_renames(_looks(base, side), _looks(side, base))


def _looks(entries: Entries, without: Entries) -> dict[str, Look]:
    paths = sorted(path for path in entries.keys() - without.keys() if entries[path].kind != "dir")
    return {path: Look(entries[path].kind, entries[path].id.replace(EMPTY, "")) for path in paths}


def changed_renames(
    base: Entries,
    side: Entries,
    other: Entries,
    certain: tuple[Mapping[str, str], Mapping[str, str]],
    read: ReadContent,
) -> dict[str, str]:
    """Find what a side renamed and changed at once, of those files that the other side changed or renamed as well.

    `certain` are the renames of this side and of the other that are known. For what only this
    side touched it makes no difference, so no content is read for it.
    """
    mine, others = certain
    gone = {}
    for path in sorted(base.keys() - side.keys() - mine.keys()):
        there = other.get(others.get(path, path))
        if base[path].kind == "file" and there is not None and (there != base[path] or path in others):
            gone[path] = base[path].id
    taken = set(mine.values())
    new = sorted(side.keys() - base.keys() - taken)
    return pair_alike(gone, {path: side[path].id for path in new if side[path].kind == "file"}, read)
