"""Undo and redo: taking back what this machine did, in sequence, also after a restart.

An undo is an operation of its own: it moves refs forward to where they were before, puts HEAD
back, and the files that the operation changed; others it leaves alone. Nothing is cut from the log.
"""

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.errors.input import OperationExpired, RefMoved, UnknownName
from aura_vcs.errors.studio import ActionBlocked, EditedSince
from aura_vcs.history.checkout import CheckoutResult, StepRequest, replace_worktree
from aura_vcs.history.file_edits import revert_edit
from aura_vcs.history.names.operation_words import describe_action, describe_operation
from aura_vcs.history.recording.journal import recover
from aura_vcs.history.recording.late_edits import PATHS
from aura_vcs.history.recording.steps import Between, Unedited
from aura_vcs.history.recording.version_builder import WorktreeBase
from aura_vcs.history.reverted_refs import check_has_content, is_set_apart, reverted_ref
from aura_vcs.ids import ObjectId, ReplicaId
from aura_vcs.index.records import ActionRecord, VersionRecord
from aura_vcs.model import (
    Head,
    HeadChange,
    Operation,
    RefChange,
    TreeChange,
)
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.plain_text import now
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft, Transaction
from aura_vcs.undo_stack import UndoStack, is_over

PASSED_SHOWN = 3
"""Of so many actions that undo passes over because their time is over, it says so."""


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
    if action is not None:
        return _with_the_rest(repo, _revert(repo, action, back=True), back=True)
    done, passed = OperationStack(repo).undo()
    return _with_the_rest(repo, msgspec.structs.replace(done, passed_over=passed), back=True)


class OperationStack(UndoStack[ActionRecord, Undone]):
    """What this machine did to a project: the index says what is next, the log what it was."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._operations: dict[str, Operation] = {}

    def next_undo(self, before: ActionRecord | None = None) -> ActionRecord | None:
        """See UndoStack."""
        sequence = before.sequence if before is not None else None
        return self._repo.queries.next_undo(self._repo.replica, now(), before=sequence)

    def next_redo(self) -> ActionRecord | None:
        """See UndoStack."""
        return self._repo.queries.next_redo(self._repo.replica, now())

    def over_since(self, item: ActionRecord | None) -> list[str]:
        """See UndoStack; of many the newest."""
        sequence = item.sequence if item is not None else 0
        over = self._repo.queries.expired_since(self._repo.replica, now(), sequence, limit=PASSED_SHOWN + 1)
        return [found.description for found in over]

    def words_since(self, item: ActionRecord) -> list[str]:
        """See UndoStack."""
        over = self.over_since(item)
        said = [OperationExpired(description, OperationExpired.TIME).message for description in over[:PASSED_SHOWN]]
        return [*said, "others, whose time is over as well"] if len(over) > PASSED_SHOWN else said

    def is_needed(self, item: ActionRecord, later: ActionRecord) -> bool:
        """See UndoStack."""
        return _depends(self.operation(later), self.operation(item))

    def operation(self, item: ActionRecord) -> Operation:
        """Read the operation of an action, once."""
        if item.id not in self._operations:
            self._operations[item.id] = operation_of(self._repo, item)
        return self._operations[item.id]

    def revert(self, item: ActionRecord, *, back: bool) -> Undone:
        """See UndoStack."""
        return _revert(self._repo, item, back=back)


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
    done = _revert(repo, action, back=False) if action is not None else OperationStack(repo).redo()
    return _with_the_rest(repo, done, back=False)


def _with_the_rest(repo: Repository, done: Undone, *, back: bool) -> Undone:
    """Take back as well what the same command did before that (or do again what it did after it).

    Where that cannot be, it stays as it is, with a word: what was reversed already stands for itself.
    """
    correlation, stack = done.operation.correlation_id, OperationStack(repo)
    while correlation is not None:
        found = stack.next_undo() if back else stack.next_redo()
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
    if not back and (versions := _trees_committed(repo, target)) is not None:
        return _commit_again(repo, target, versions)
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


def _trees_committed(repo: Repository, target: Operation) -> TreeChange | None:
    """Return what a commit made of what; None for anything else, or where content of it is not here."""
    if target.type != "commit" or target.worktree is not None or target.head is None:
        return None
    before, after = target.head.before.version, target.head.after.version
    if before is None or after is None:
        return None
    records = [repo.queries.version(version) for version in (before, after)]
    trees = [record.tree for record in records if record is not None and record.purged_at is None]
    return TreeChange(*trees) if len(trees) == 2 and all(map(repo.store.contains, trees)) else None


def _commit_again(repo: Repository, target: Operation, trees: TreeChange) -> Undone:
    """Redo a commit: files that are as before it become as it has them, which matters where one was elsewhere since.

    Else the folder would take back what the version has, and so would the next commit. What was edited stays.
    """

    def draft(transaction: Transaction, _: WorktreeBase, before: ObjectId, after: ObjectId) -> Draft:
        made = _draft(repo, transaction, target, back=False)
        return msgspec.structs.replace(made, worktree=TreeChange(before, after)) if before != after else made

    described = describe_operation(repo, target)
    request = StepRequest("PreRedo", f"Before redoing {described!r}")
    files = replace_worktree(repo, Unedited(repo, trees.after, trees.before), draft, request)
    last = repo.queries.actions(limit=1)[0]
    return Undone(operation_of(repo, last), described, repo.head(), files if files.changed else None)


def _draft(repo: Repository, transaction: Transaction, target: Operation, *, back: bool) -> Draft:
    """Draft the operation that takes `target` back, or does it again."""
    refs = dict(
        reverted_ref(repo, transaction, target, name, change if back else RefChange(change.after, change.before))
        for name, change in target.refs.items()
        if not is_set_apart(target, name, change)
    )
    head = None
    if target.head is not None:
        wanted, expected = (target.head.before, target.head.after) if back else (target.head.after, target.head.before)
        current = repo.head()
        if current != expected and not (target.worktree is None and _head_followed(repo, expected, current)):
            raise RefMoved("HEAD", _value_path(expected), _value_path(current))
        check_has_content(repo, wanted.version, target)
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
