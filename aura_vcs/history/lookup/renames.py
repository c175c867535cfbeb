"""What a file was called in the version before: renames are recognised by content, exactly or nearly equal."""

from aura_vcs.compare.merge.conflict_names import folded
from aura_vcs.compare.merge.model import TreeEntry
from aura_vcs.compare.merge.renames import ALIKE, Looks, ending
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Entry, EntryKind
from aura_vcs.repository.repository import Repository
from aura_vcs.suggestions import pair_equal

LOOK_BYTES_LIMIT = 1 << 20
"""A file that was renamed and changed at once is recognised up to this size."""
CANDIDATES_LIMIT = 200
"""So many files that went are looked into; where more went, only equal content tells."""


def name_in_parent(repo: Repository, record: VersionRecord, parent: VersionRecord, path: str) -> str:
    """Return a path's name one version before: the same, unless it was added where another file went.

    That file had its content, or was a document with the same id or a text that is mostly alike.
    Content that is not here any more is no reason to fail: the name stays.
    """
    try:
        entry = repo.trees.entry(record.tree, path)
        if entry is None or not entry.size or repo.trees.entry(parent.tree, path) is not None:
            return path
        gone = {
            found.path: found.old
            for found in repo.trees.differences(parent.tree, record.tree)
            if found.new is None and found.old is not None and found.old.kind is entry.kind
        }
        equal = pair_equal(((name, old.id) for name, old in gone.items()), [(path, entry.id)])
        if equal:
            return equal[path]
        return _most_alike(repo, path, entry, gone) if entry.kind is EntryKind.FILE else path
    except IntegrityError:
        return path


def _most_alike(repo: Repository, path: str, entry: Entry, gone: dict[str, Entry]) -> str:
    """Find the deleted file most like the one that was added; the path itself where none is alike."""
    likely = {name: old for name, old in gone.items() if ending(name) == ending(path) and old.size > 0}
    if len(likely) > CANDIDATES_LIMIT:
        return path
    sizes = {found.id: found.size for found in (entry, *likely.values())}

    def read(file: TreeEntry) -> bytes | None:
        known = next(found for found in (entry, *likely.values()) if found.id == file.id)
        return repo.store.read(known.id) if sizes[known.id] <= LOOK_BYTES_LIMIT else None

    looks = Looks(read)
    new = TreeEntry("file", entry.id)
    scored = [
        (looks.likeness(TreeEntry("file", old.id), new), folded(name) == folded(path), name)
        for name, old in likely.items()
    ]
    share, _, name = max(scored, default=(0.0, False, path))
    return name if share >= ALIKE else path
