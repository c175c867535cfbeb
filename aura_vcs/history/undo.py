"""Undo and redo: taking back what this machine did, in sequence, also after a restart.

An undo is an operation of its own: it moves refs forward to where they were before, puts HEAD
back, and the files that the operation changed; others it leaves alone. Nothing is cut from the log.
"""

from typing import Any, TypeVar

import msgspec

from aura_vcs.codec import from_plain
from aura_vcs.errors import InputError
from aura_vcs.errors.input import NothingToUndo, OperationExpired, RefMoved, UnknownName
from aura_vcs.errors.studio import ActionBlocked, EditedSince
from aura_vcs.history.checkout import CheckoutResult, StepRequest, replace_worktree
from aura_vcs.history.file_edits import revert_edit
from aura_vcs.history.names.branches import EntryMove, branch_revert
from aura_vcs.history.names.operation_words import describe_action, describe_operation
from aura_vcs.history.recording.journal import recover
from aura_vcs.history.recording.late_edits import PATHS
from aura_vcs.history.recording.steps import Between
from aura_vcs.history.recording.version_builder import WorktreeBase
from aura_vcs.ids import ObjectId, ReplicaId, VersionId
from aura_vcs.index.queries import describe
from aura_vcs.index.records import ActionRecord, VersionRecord
from aura_vcs.layout import decode_name
from aura_vcs.model import (
    Annotation,
    BranchEntry,
    Field,
    Head,
    HeadChange,
    Label,
    Operation,
    RefChange,
    Tag,
    TreeChange,
)
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.operation_log import Giver, annotation_change, checkpoint_change, field_change, label_change, tag_change
from aura_vcs.plain_text import now
from aura_vcs.refs.annotations import (
    EVICT,
    FREED,
    RECIPE,
    ROOMS as ANNOTATION_ROOMS,
    reverted_values,
    value_of,
    with_values,
)
from aura_vcs.refs.merge import fields_of_stamp, furthest_entry, next_stamp, stamp_label
from aura_vcs.refs.refs import CHECKPOINT_FIELDS, FIELD_FOLDERS
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft, Transaction
from aura_vcs.undo_stack import is_over

T = TypeVar("T")

PASSED_SHOWN = 3
"""Of so many actions that undo passes over because their time is over, it says so."""
PASSED_LIMIT = 1000
"""So many operations that can no longer be taken back are passed over in one undo."""

_LABEL_FIELDS = ("name", "description", "important", *fields_of_stamp("deleted"), *fields_of_stamp("purged"))


class Undone(msgspec.Struct, frozen=True):
    """What was taken back or done again; `files` says what happened to the worktree, if anything."""

    operation: Operation
    description: str
    head: Head
    files: CheckoutResult | None = None
    passed_over: tuple[str, ...] = ()
    """Why later operations were left as they are: what they would bring back has been collected."""
    other_restore_points: tuple[VersionRecord, ...] = ()
    """What was unsaved in further steps that went back, or were done again, along with it; oldest first."""

    @property
    def restore_point(self) -> VersionRecord | None:
        """What was unsaved before, if anything."""
        return self.files.restore_point if self.files is not None else None


def undo(repo: Repository, action: ActionRecord | None = None) -> Undone:
    """Take back the last operation of this machine that can be, or the given one.

    Operations whose time is over are passed over; so are those whose content has been collected, and
    what these depend on.

    A given one may have later ones after it, as long as none of them depends on it: none touches
    the same ref, file or, where HEAD or the whole folder moved, anything of either.

    What one command did in several operations goes back as one.

    An undo that was interrupted is finished, and that is all.

    Raises:
        NothingToUndo: there is none.
        OperationExpired: what it would bring back has been collected, or its time is over; without
            a given one, this holds for all that are left.
        ActionBlocked: later operations depend on the given one.
        EditedSince: a file was edited since.
        RefMoved: a branch has been moved by another machine since.
    """
    repo.free_disk_space()
    finished = recover(repo)
    if finished is not None and finished.undoes is not None:
        return Undone(finished, describe_operation(repo, finished), repo.head())
    if action is not None:
        _check_given(repo, action, "Applied")
    done = _undo_last(repo) if action is None else _revert(repo, action, back=True)
    return _with_the_rest(repo, done, back=True)


def _undo_last(repo: Repository) -> Undone:
    """Take back the newest operation that can be, and on which none of those passed over depends."""
    expired: list[OperationExpired] = []
    passed: list[Operation] = []
    found = repo.queries.next_undo(repo.replica, now())
    while found is not None and len(passed) < PASSED_LIMIT:
        target = operation_of(repo, found)
        if not any(_depends(later, target) for later in passed):
            try:
                words = (*_over_since(repo, found), *(error.message for error in expired))
                done = _revert(repo, found, back=True)
                return msgspec.structs.replace(done, passed_over=words)
            except OperationExpired as error:
                expired.append(error)
        passed.append(target)
        found = repo.queries.next_undo(repo.replica, now(), before=found.sequence)
    if expired:
        raise expired[0]
    over = repo.queries.expired_since(repo.replica, now(), limit=1)
    if over:
        raise OperationExpired(over[0].description, OperationExpired.TIME)
    raise NothingToUndo


def _over_since(repo: Repository, action: ActionRecord) -> list[str]:
    """Say what was done after `action` and can no longer be taken back because its time is over."""
    over = repo.queries.expired_since(repo.replica, now(), action.sequence, limit=PASSED_SHOWN + 1)
    said = [OperationExpired(item.description, OperationExpired.TIME).message for item in over[:PASSED_SHOWN]]
    return [*said, "others, whose time is over as well"] if len(over) > PASSED_SHOWN else said


def redo(repo: Repository, action: ActionRecord | None = None) -> Undone:
    """Redo what was undone last, or the given operation that was taken back.

    A redo that was interrupted is finished, and that is all.

    Raises:
        NothingToUndo: nothing was taken back, or something new was done since.
        OperationExpired, ActionBlocked, EditedSince, RefMoved: as for `undo`.
    """
    finished = recover(repo)
    if finished is not None and finished.redoes is not None:
        return Undone(finished, describe_operation(repo, finished), repo.head())
    if action is not None:
        _check_given(repo, action, "Undone")
    found = action or repo.queries.next_redo(repo.replica, now())
    if found is None:
        raise NothingToUndo("redo")
    return _with_the_rest(repo, _revert(repo, found, back=False), back=False)


def _with_the_rest(repo: Repository, done: Undone, *, back: bool) -> Undone:
    """Take back as well what the same command did before that (or do again what it did after it).

    Where that cannot be, it stays as it is, with a word: what was reversed already stands for itself.
    """
    correlation = done.operation.correlation_id
    while correlation is not None:
        queries = repo.queries
        found = (queries.next_undo if back else queries.next_redo)(repo.replica, now())
        if found is None or found.correlation_id != correlation:
            break
        try:
            rest = _revert(repo, found, back=back)
        except (EditedSince, OperationExpired, RefMoved) as error:
            repo.progress.note(error.message)
            break
        description = done.description if back else rest.description  # of what was done last
        points = (*done.other_restore_points, *((rest.restore_point,) if rest.restore_point is not None else ()))
        done = msgspec.structs.replace(done, head=rest.head, description=description, other_restore_points=points)
    return done


def _check_given(repo: Repository, action: ActionRecord, status: str) -> None:
    name = f"{action.id[:8]} {describe_action(repo, action)!r}"
    if action.replica != repo.replica:
        raise InputError(f"{name} was done by another machine", hint="Undo it there.")
    if not action.undoable:
        raise InputError(f"{name} cannot be taken back itself", hint="`aura ops` marks those that can.")
    if action.status != status:
        raise InputError(f"{name} is {action.status}, not {status}")
    if is_over(action.expires_at, now()):
        raise OperationExpired(action.description, OperationExpired.TIME)
    later = repo.queries.applied_since(repo.replica, action.sequence)
    target = operation_of(repo, action)
    blocking = [other for other in later if _depends(operation_of(repo, other), target)]
    if blocking:
        raise ActionBlocked(name, [f"{other.id[:8]} {describe_action(repo, other)!r}" for other in blocking[:3]])


def _depends(later: Operation, target: Operation) -> bool:
    """Tell whether taking `target` back would remove what `later` builds on."""
    if later.head is not None and (target.head is not None or target.worktree is not None):
        return True
    if set(later.refs) & set(target.refs):
        return True
    if later.worktree is None or target.worktree is None:
        return False
    paths, others = later.payload.get(PATHS), target.payload.get(PATHS)
    return paths is None or others is None or bool(set(paths) & set(others))


def operation_of(repo: Repository, action: ActionRecord) -> Operation:
    """Read the whole operation behind an action from its log.

    Raises:
        RecordCorrupt: the line is damaged.
    """
    return repo.logs.read_at(ReplicaId(action.replica), action.start, action.end, action.segment)


def find_action(repo: Repository, prefix: str) -> ActionRecord:
    """Find the action whose id begins with `prefix`.

    Raises:
        UnknownName: none does. InputError: several do.
    """
    found = repo.queries.action(prefix)
    if not found:
        raise UnknownName("operation", prefix, hint="`aura ops` lists them.")
    if len(found) > 1:
        raise InputError(f"Several operations begin with {prefix!r}", hint="Give more digits of the id.")
    return found[0]


def _revert(repo: Repository, action: ActionRecord, *, back: bool) -> Undone:
    target = operation_of(repo, action)
    described = describe_operation(repo, target)
    if target.worktree is None:
        with repo.locks.shared("worktree"), repo.transaction() as transaction:
            operation = transaction.record(_draft(repo, transaction, target, back=back))
        return Undone(operation, described, repo.head())
    if PATHS in target.payload:
        edited = revert_edit(repo, target, _plain_draft(target, back=back), back=back)
        return Undone(edited.operation, described, repo.head())
    wanted = target.worktree.before if back else target.worktree.after
    current = target.worktree.after if back else target.worktree.before
    if not all(tree == EMPTY_TREE_ID or repo.store.contains(tree) for tree in (wanted, current)):
        raise OperationExpired(described, "what the folder had then")

    def draft(transaction: Transaction, _: WorktreeBase, before: ObjectId, after: ObjectId) -> Draft:
        made = _draft(repo, transaction, target, back=back)
        return msgspec.structs.replace(made, worktree=TreeChange(before, after))

    verb = "undoing" if back else "redoing"
    trigger = "PreUndo" if back else "PreRedo"
    why = f"Before {verb} {described!r}"
    files = replace_worktree(repo, Between(repo, wanted, current), draft, StepRequest(trigger, why))
    last = repo.queries.actions(limit=1)[0]
    return Undone(operation_of(repo, last), described, repo.head(), files)


def _draft(repo: Repository, transaction: Transaction, target: Operation, *, back: bool) -> Draft:
    """Draft the operation that takes `target` back, or does it again."""
    refs = dict(
        _reverted_ref(repo, transaction, target, name, change if back else RefChange(change.after, change.before))
        for name, change in target.refs.items()
        if not _is_set_apart(target, name, change)
    )
    head = None
    if target.head is not None:
        wanted, expected = (target.head.before, target.head.after) if back else (target.head.after, target.head.before)
        current = repo.head()
        if current != expected and not (target.worktree is None and _head_followed(repo, expected, current)):
            raise RefMoved("HEAD", _value_path(expected), _value_path(current))
        _check_has_content(repo, wanted.version, target)
        head = HeadChange(current, wanted)
    return msgspec.structs.replace(_plain_draft(target, back=back), refs=refs, head=head)


def _head_followed(repo: Repository, before: Head, now: Head) -> bool:
    """Tell whether HEAD followed its branch, which no operation records.

    What changed no file can be taken back all the same; the files are those of what others did since.
    """
    if before.branch is None or before.branch != now.branch or now.version is None:
        return False
    return before.version is None or repo.queries.is_ancestor(before.version, now.version)


def _plain_draft(target: Operation, *, back: bool) -> Draft:
    return Draft(
        "undo" if back else "redo",
        f"{'Undid' if back else 'Redid'}: {target.description}",
        undoes=target.id if back else None,
        redoes=None if back else target.id,
        correlation_id=target.correlation_id,
    )


def _value_path(head: Head) -> str:
    return f"{head.branch or 'an older version'} ({(head.version or 'no version')[:12]})"


def _is_set_apart(target: Operation, name: str, change: RefChange) -> bool:
    """Tell whether a ref is the entry of a head that the operation left: it stands until something builds on it."""
    if not name.startswith("branches/"):
        return False
    entries = (_optional(value, BranchEntry, name) for value in (change.before, change.after))
    return all(entry is None or entry.replica != target.replica for entry in entries)


def _reverted_ref(
    repo: Repository, transaction: Transaction, target: Operation, name: str, change: RefChange
) -> tuple[str, RefChange]:
    """Build the change that brings a ref from `change.after` to `change.before`."""
    room, *parts = name.split("/")
    if room == "branches":
        branch_name = decode_name(parts[0])
        before = _optional(change.before, BranchEntry, name)
        after = _optional(change.after, BranchEntry, name)
        seen = _branch_before(target, branch_name)
        _check_has_content(repo, before.version if before is not None else seen, target)
        _check_branch(repo, branch_name, after.version if after is not None else seen)
        version = before.version if before is not None else seen
        own = version is None or (after is not None and f"versions/{after.version}" in target.refs)
        return branch_revert(repo, transaction, branch_name, version, EntryMove(after, before, own))
    if room == "versions":
        return _reverted_label(repo, transaction, target, VersionId(ObjectId(parts[0])), change)
    if room == "tags":
        return _reverted_tag(repo, transaction, decode_name(parts[0]), change)
    if room in FIELD_FOLDERS:
        return _reverted_field(repo, transaction, room, "/".join(parts), change)
    if room in ANNOTATION_ROOMS:
        return _reverted_annotation(repo, transaction, target, name, change)
    if room == "checkpoints":
        return _reverted_checkpoint(repo, target, parts[0], change)
    raise InputError(f"{name} cannot be taken back by this aura_vcs")


def _optional(value: Any, shape: type[T], name: str) -> T | None:
    return None if value is None else from_plain(value, shape, name)


def _check_has_content(repo: Repository, version: VersionId | None, target: Operation) -> None:
    """Refuse to go back onto a version whose content is gone: nothing could be compared with it."""
    record = repo.queries.version(version) if version is not None else None
    if record is not None and not repo.store.contains(record.tree):
        raise OperationExpired(target.description, f"the content of {describe(repo.queries, record.id)}")


def _branch_before(target: Operation, name: str) -> VersionId | None:
    """Return where another machine had put the branch that HEAD was on, before this one first moved it."""
    head = target.head.before if target.head is not None else None
    return head.version if head is not None and head.branch == name else None


def _check_branch(repo: Repository, name: str, expected: VersionId | None) -> None:
    own = furthest_entry(repo.refs.branch_entries(name), repo.replica)
    current = own.version if own is not None else None
    if current != expected:
        raise RefMoved(f"Branch {name}", (expected or "no version")[:12], (current or "no version")[:12])


def _reverted_label(
    repo: Repository, transaction: Transaction, target: Operation, version: VersionId, change: RefChange
) -> tuple[str, RefChange]:
    current = repo.refs.label(version)
    if current is None:
        raise UnknownName("version", version)
    was_purged = False
    if change.before is None:
        changes: dict[str, Any] = {"deleted_at": transaction.at, "deleted_by": repo.author}
    elif change.after is None:
        changes = {"deleted_at": None, "deleted_by": None}
    else:
        before, after = from_plain(change.before, Label, "label"), from_plain(change.after, Label, "label")
        was_purged = after.purged_at is not None
        changes = {
            field: getattr(before, field) for field in _LABEL_FIELDS if getattr(before, field) != getattr(after, field)
        }
    if current.purged_at is not None and not was_purged and changes.get("deleted_at", "") is None:
        changes = {**changes, **dict.fromkeys(fields_of_stamp("purged"))}  # gc purged it because it was deleted
    label = stamp_label(current, transaction.replica, transaction.at, repo.author, **changes)
    if _is_restored(current, label):
        record = repo.queries.version(version)
        if record is not None and not repo.store.contains(record.tree):
            raise OperationExpired(target.description, f"the content of {describe(repo.queries, record.id)}")
    return label_change(current, label)


def _is_restored(current: Label, label: Label) -> bool:
    """Tell whether a version stops being deleted or purged: gc may have freed its content."""
    undeleted = current.deleted_at is not None and label.deleted_at is None
    unpurged = current.purged_at is not None and label.purged_at is None
    return undeleted or unpurged


def _reverted_field(
    repo: Repository, transaction: Transaction, room: str, key: str, change: RefChange
) -> tuple[str, RefChange]:
    current = (repo.refs.settings() if room == "settings" else repo.refs.state()).get(key)
    before = _optional(change.before, Field, key)
    value = before.value if before is not None else None
    return field_change(room, key, current, value, Giver(transaction.replica, transaction.at, repo.author))


def _reverted_annotation(
    repo: Repository, transaction: Transaction, target: Operation, ref: str, change: RefChange
) -> tuple[str, RefChange]:
    room, _, name = ref.partition("/")
    current = repo.refs.annotations.get(room, name) or Annotation(name)
    before, after = _optional(change.before, Annotation, name), _optional(change.after, Annotation, name)
    values = reverted_values(current, before, after)
    if room == RECIPE and value_of(current, FREED) is not None and (before is None or EVICT in values):
        raise OperationExpired(target.description, "what it is about")
    back = with_values(current, values, transaction.replica, transaction.at, repo.author, taken_back=True)
    return annotation_change(room, current, back)


def _reverted_checkpoint(repo: Repository, target: Operation, name: str, change: RefChange) -> tuple[str, RefChange]:
    current = repo.refs.checkpoint(name)
    if current is None:
        raise OperationExpired(target.description, "the checkpoint")
    before = _optional(change.before, dict[str, Any], name) or {}
    return checkpoint_change(name, current, {field: before.get(field) for field in CHECKPOINT_FIELDS})


def _reverted_tag(repo: Repository, transaction: Transaction, name: str, change: RefChange) -> tuple[str, RefChange]:
    current = repo.refs.tag(name)
    before = _optional(change.before, Tag, name)
    after = _optional(change.after, Tag, name)
    pattern = before or after
    assert pattern is not None
    stamp, seen = next_stamp(current, transaction.replica)
    tag = msgspec.structs.replace(
        pattern, version=before.version if before is not None else None, stamp=stamp, seen=seen
    )
    return tag_change(name, current, tag)
