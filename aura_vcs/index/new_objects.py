"""What is new in a version, told by what differs from the version it was made from."""

from collections.abc import Mapping

from aura_vcs.ids import ObjectId
from aura_vcs.index import reference_counts as counts
from aura_vcs.index.reference_counts import Children, NewChildren
from aura_vcs.model import EntryKind
from aura_vcs.objects.chunking import LARGE_BYTES
from aura_vcs.objects.trees import Difference, TreeReader

DIFFERENCES_LIMIT = 2000
"""With more, counting all is not much slower."""


def new_children_in(
    trees: TreeReader, children: Children, old: ObjectId, new: ObjectId
) -> Mapping[ObjectId, NewChildren]:
    """Map the folders and chunked files of the tree `new` that `old` has too to what is new in them.

    Only of those that share much. `children` says what a chunked file holds.

    Raises:
        IntegrityError: a tree cannot be read.
        LimitExceeded: see TreeReader.differences.
    """
    changed: dict[str, set[str]] = {}
    were: dict[str, set[ObjectId]] = {}
    come: set[str] = set()
    found: dict[ObjectId, NewChildren] = {}
    for number, difference in enumerate(trees.differences(old, new)):
        if number >= DIFFERENCES_LIMIT:
            return {}
        _note(changed, difference.path)
        if difference.old is not None:
            were.setdefault(difference.path.rpartition("/")[0], set()).add(difference.old.id)
        if difference.new is not None and difference.new.kind is EntryKind.DIR:
            come.add(difference.path)
        found.update(_new_chunks(children, difference))
    waiting = [("", old, new)] if changed else []
    stayed = changed.keys() - come
    while waiting:
        path, base, tree = waiting.pop()
        entries = trees.tree(tree).entries
        names = changed[path]
        fresh = [entry for entry in entries if entry.name in names]
        inside = [(below, entry) for entry in fresh if (below := _inside(path, entry.name)) in stayed]
        before = {entry.name: entry.id for entry in trees.tree(base).entries} if inside else {}
        for below, entry in inside:
            were.setdefault(path, set()).add(before[entry.name])
            waiting.append((below, before[entry.name], entry.id))
        rest = len(entries) - len(fresh)
        if rest >= counts.MIN_DEFERRED:
            others = {entry.id for entry in entries if entry.name not in names}
            here = {(entry.id, entry.kind is EntryKind.DIR) for entry in fresh}
            found[tree] = _new_children(here, others, base, were.get(path, set()))
    return found


def _new_children(
    here: set[tuple[ObjectId, bool]], others: set[ObjectId], base: ObjectId, were: set[ObjectId]
) -> NewChildren:
    """Say what is new in a holder that has `here` and `others`, of which `base` had `others`, and `were`."""
    fresh = {object_id for object_id, _ in here}
    dropped = {object_id for object_id in were | fresh if object_id in were or object_id in others}
    return NewChildren(here, len(others), base, dropped - (others - fresh))


def _inside(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _new_chunks(children: Children, difference: Difference) -> Mapping[ObjectId, NewChildren]:
    """Find the chunks that are new in a large file that changed."""
    old, new = difference.old, difference.new
    if old is None or new is None or old.kind is not new.kind or min(old.size, new.size) < LARGE_BYTES:
        return {}
    there = set(children(old.id, False))
    here = set(children(new.id, False)) if there else set()
    rest = len(here & there)
    if rest < counts.MIN_DEFERRED:
        return {}
    return {new.id: NewChildren(here - there, rest, old.id, {chunk for chunk, _ in there - here})}


def _note(changed: dict[str, set[str]], path: str) -> None:
    """Note that the path changed, and so did the folders above it."""
    while True:
        above, _, name = path.rpartition("/")
        names = changed.setdefault(above, set())
        if name in names or not above:
            names.add(name)
            return
        names.add(name)
        path = above
