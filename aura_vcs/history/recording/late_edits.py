"""What a person wrote while a command replaced files: it becomes a restore point, whatever happened meanwhile.

What came out of the folder lies aside until the operation is recorded (see worktree.aside). Then, or
when an interrupted command is finished, everything there is looked at once more before it goes.
"""

from collections.abc import Collection, Sequence

import msgspec

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.recording.tree_steps import change_tree
from aura_vcs.history.recording.version_builder import (
    NAME_LIMIT,
    VersionSpec,
    record_side_version,
    worktree_base,
)
from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import describe
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Entry, EntryKind, Kind, Operation, VersionType
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.objects.batch import Batch
from aura_vcs.objects.trees import Snapshot, documents_of
from aura_vcs.plain_text import one_line, readable_name
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.checkout.set_aside import Unsaved

TRIGGER = "LateEdit"
PATHS = "paths"
"""The key of an operation's payload that names the files of an edit (see `edits`)."""


class Replacement(msgspec.Struct, frozen=True):
    """What a command did to the folder: its operation, and the trees before and after."""

    operation: Operation
    before: ObjectId
    after: ObjectId


def save_late_edits(repo: Repository, replaced: Replacement) -> VersionRecord | None:
    """Look once more at what this command took out of the folder; what is unsaved becomes a restore point.

    The caller holds the worktree lock. What it takes out next is looked at by another call.
    """
    aside = repo.worktree.aside
    point = _save(repo, aside.unsaved(), _base_tree(repo, replaced), replaced.operation)
    aside.clear()
    return point


def save_interrupted_edits(repo: Repository, replaced: Replacement | None) -> VersionRecord | None:
    """Look at all that an interrupted command left aside; what is unsaved becomes a restore point.

    The caller holds the worktree lock.
    """
    aside = repo.worktree.aside
    if aside.is_empty:
        return None
    known = _ids(repo, replaced) if replaced is not None else None
    found = [unsaved for unsaved in aside.interrupted_files() if not _is_known(repo, unsaved, known)]
    tree = _base_tree(repo, replaced) if replaced is not None else worktree_base(repo).tree
    point = _save(repo, found, tree, replaced.operation if replaced is not None else None)
    aside.clear()
    return point


def _save(
    repo: Repository, found: Sequence[Unsaved], tree: ObjectId, operation: Operation | None
) -> VersionRecord | None:
    if not found:
        return None
    base = worktree_base(repo)
    during = f" during {operation.description!r}" if operation is not None else ""
    listed = ", ".join(readable_name(unsaved.path) for unsaved in found)
    with repo.store.batch(repo.progress) as batch:
        snapshot = _snapshot(repo, batch, found, tree)
        wanted = VersionSpec(
            VersionType.RESTORE_POINT,
            one_line(f"Written{during}: {listed}")[:NAME_LIMIT].rstrip(),
            trigger=TRIGGER,
            correlation_id=operation.correlation_id if operation is not None else None,
        )
        point = record_side_version(repo, batch, base, snapshot, wanted)
    for unsaved in found:
        repo.progress.note(
            f"{readable_name(unsaved.path)} was written while it was being replaced; "
            f"what was written is kept in the restore point {describe(repo.queries, point.id)}"
        )
    return point


def _snapshot(repo: Repository, batch: Batch, found: Sequence[Unsaved], tree: ObjectId) -> Snapshot:
    """Build the tree with the unsaved files in it, in the batch."""
    changes: dict[str, Entry] = {}
    for unsaved, state in repo.worktree.store_aside(batch, found):
        path, number = unsaved.path, 2
        while path in changes:
            path, number = f"{unsaved.path}~{number}", number + 1
        kind = EntryKind.SYMLINK if state.is_symlink else EntryKind.FILE
        blob = ObjectId(state.id.hex())
        changes[path] = Entry(path.rpartition("/")[2], kind, blob, state.size, state.is_executable)

    def put(data: bytes, path: str) -> ObjectId:
        return batch.add(Kind.TREE, data, path)

    onto = tree if tree == EMPTY_TREE_ID or repo.store.contains(tree) else EMPTY_TREE_ID
    made = change_tree(repo.trees, onto, changes, put)
    content = repo.trees.tree(made)
    return Snapshot(made, content.size, documents_of(content))


def _base_tree(repo: Repository, replaced: Replacement) -> ObjectId:
    """Return the tree that the files belong into: an edit's own trees have only what it changes."""
    return worktree_base(repo).tree if PATHS in replaced.operation.payload else replaced.before


def _ids(repo: Repository, replaced: Replacement) -> Collection[ObjectId] | None:
    """Return the ids that the command put in place and replaced; None if that is not known any more."""
    try:
        found = repo.trees.list_differences(replaced.before, replaced.after)
    except IntegrityError:
        return None
    return {entry.id for difference in found for entry in (difference.old, difference.new) if entry is not None}


def _is_known(repo: Repository, unsaved: Unsaved, known: Collection[ObjectId] | None) -> bool:
    """Tell whether a version, or the trees of the operation, have what the file holds."""
    content = repo.worktree.content_aside(unsaved)
    if content is None:
        return False
    return content in known if known is not None else repo.store.contains(content)
