"""What is new in the trees of a version, told by what differs from the version it was made from."""

from aura_vcs.ids import ObjectId
from aura_vcs.index import counts
from aura_vcs.model import EntryKind
from aura_vcs.objects.trees import TreeReader

DIFFERENCES_LIMIT = 2000
"""With more, counting all is not much slower."""


def fresh_in_trees(trees: TreeReader, old: ObjectId, new: ObjectId) -> counts.Fresh:
    """For the folders of `new` that `old` has too: what changed in them, where much more did not; see `Fresh`.

    Raises:
        IntegrityError: a tree cannot be read.
        LimitExceeded: see TreeReader.differences.
    """
    changed: dict[str, set[str]] = {}
    come: set[str] = set()
    for number, difference in enumerate(trees.differences(old, new)):
        if number >= DIFFERENCES_LIMIT:
            return {}
        _note(changed, difference.path)
        if difference.new is not None and difference.new.kind is EntryKind.DIR:
            come.add(difference.path)
    found: dict[ObjectId, set[tuple[ObjectId, bool]]] = {}
    waiting = [("", new)] if changed else []
    while waiting:
        path, tree = waiting.pop()
        entries = trees.tree(tree).entries
        names = changed[path]
        fresh = [entry for entry in entries if entry.name in names]
        for entry in fresh:
            below = f"{path}/{entry.name}" if path else entry.name
            if below in changed and below not in come:
                waiting.append((below, entry.id))
        if len(entries) - len(fresh) >= counts.OWED_LEAST:
            found[tree] = {(entry.id, entry.kind is EntryKind.DIR) for entry in fresh}
    return found


def _note(changed: dict[str, set[str]], path: str) -> None:
    """The path changed, and so did the folders above it."""
    while True:
        above, _, name = path.rpartition("/")
        names = changed.setdefault(above, set())
        if name in names or not above:
            names.add(name)
            return
        names.add(name)
        path = above
