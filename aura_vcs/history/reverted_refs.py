"""The changes that bring refs back to where they were before an operation, or to where it had brought them."""

from typing import Any, TypeVar

import msgspec

from aura_vcs.codec import from_plain
from aura_vcs.errors import InputError
from aura_vcs.errors.input import OperationExpired, RefMoved, UnknownName
from aura_vcs.history.names.branches import EntryMove, branch_revert
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.queries import describe
from aura_vcs.layout import FIELD_FOLDERS, decode_name
from aura_vcs.model import (
    Annotation,
    BranchEntry,
    Field,
    Label,
    Operation,
    RefChange,
    Tag,
)
from aura_vcs.operation_log import Giver, annotation_change, checkpoint_change, field_change, label_change, tag_change
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
from aura_vcs.refs.refs import CHECKPOINT_FIELDS
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Transaction

T = TypeVar("T")
_LABEL_FIELDS = ("name", "description", "important", *fields_of_stamp("deleted"), *fields_of_stamp("purged"))


def is_set_apart(target: Operation, name: str, change: RefChange) -> bool:
    """Tell whether a ref is the entry of a head that the operation left: it stands until something builds on it."""
    if not name.startswith("branches/"):
        return False
    entries = (_optional(value, BranchEntry, name) for value in (change.before, change.after))
    return all(entry is None or entry.replica != target.replica for entry in entries)


def reverted_ref(
    repo: Repository, transaction: Transaction, target: Operation, name: str, change: RefChange
) -> tuple[str, RefChange]:
    """Build the change that brings a ref from `change.after` to `change.before`."""
    room, *parts = name.split("/")
    if room == "branches":
        branch_name = decode_name(parts[0])
        before = _optional(change.before, BranchEntry, name)
        after = _optional(change.after, BranchEntry, name)
        seen = _branch_before(target, branch_name)
        check_has_content(repo, before.version if before is not None else seen, target)
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


def check_has_content(repo: Repository, version: VersionId | None, target: Operation) -> None:
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
