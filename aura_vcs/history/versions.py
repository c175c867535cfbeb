"""What may change about a version: its name, and whether it and its content are still wanted."""

from typing import Any

from aura_vcs.errors import InputError
from aura_vcs.errors.input import OperationExpired, VersionInUse
from aura_vcs.errors.integrity import ObjectPurged
from aura_vcs.history.names.branches import branches
from aura_vcs.history.recording.undo_batching import merge_into_batch
from aura_vcs.history.recording.version_builder import check_note, check_texts, get_version
from aura_vcs.index.queries import describe
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Inverse
from aura_vcs.operation_log import label_change
from aura_vcs.refs.merge import stamp_label
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft, Transaction


def edit_version(
    repo: Repository,
    record: VersionRecord,
    *,
    name: str | None = None,
    description: str | None = None,
    important: bool | None = None,
) -> VersionRecord:
    """Change a version's name, description or importance; what is None stays.

    Raises:
        InputError: too long, or nothing to change.
    """
    new_name, new_description = check_texts(
        record.name if name is None else name, record.description if description is None else description
    )
    wanted = {
        "name": new_name,
        "description": new_description,
        "important": record.important if important is None else important,
    }
    changes = {field: value for field, value in wanted.items() if value != getattr(record, field)}
    if not changes:
        return record
    return _change(repo, record, "version.edit", "Edited", changes, can_batch=True)


def delete_version(repo: Repository, record: VersionRecord) -> VersionRecord:
    """Hide a version; gc frees its content after the grace period. `undelete_version` brings it back.

    Raises:
        VersionInUse: a branch, a tag or the worktree stands on it.
    """
    repo.free_disk_space()
    check_unused(repo, record)
    if record.deleted_at is not None:
        return record
    return _change(repo, record, "version.delete", "Deleted", {"deleted_at": None, "deleted_by": repo.author})


def undelete_version(repo: Repository, record: VersionRecord) -> VersionRecord:
    """Show a deleted version again.

    Raises:
        InputError: it is not deleted.
        ObjectPurged: its content has been freed.
    """
    if record.is_live:
        raise InputError(f"{describe(repo.queries, record.id)} is not deleted")
    if record.purged_at is not None and not repo.store.contains(record.tree):
        raise ObjectPurged(describe(repo.queries, record.id), record.purged_at, record.purged_by or "somebody")
    if not repo.store.contains(record.tree):
        raise OperationExpired(f"Deleting {describe(repo.queries, record.id)}", "its content")
    cleared = dict.fromkeys(("deleted_at", "deleted_by", "purged_at", "purged_by", "purge_reason"))
    return _change(repo, record, "version.undelete", "Brought back", cleared)


def purge_version(repo: Repository, record: VersionRecord, reason: str = "") -> VersionRecord:
    """Give a version's content up; the version stays as a record of who, when and why.

    gc frees the content after the grace period; until then undo brings it back.

    Raises:
        VersionInUse: a branch, a tag or the worktree stands on it.
    """
    repo.free_disk_space()
    check_unused(repo, record)
    if record.purged_at is not None:
        return record
    changes = {"purged_at": None, "purged_by": repo.author, "purge_reason": check_note(reason) or None}
    return _change(repo, record, "version.purge", "Purged", changes)


def check_unused(repo: Repository, record: VersionRecord) -> None:
    """Refuse a version that something stands on.

    Raises:
        VersionInUse: names the branch, the tag or the worktree.
    """
    name = describe(repo.queries, record.id)
    for found in branches(repo):
        if record.id in {found.version, *found.diverged}:
            hint = "Take the last commit back with `aura undo`, or go on: only older versions can be deleted."
            raise VersionInUse(name, f"branch {found.name}", hint=hint)
    for tag_name, tag in repo.refs.tags().items():
        if tag.version == record.id:
            raise VersionInUse(name, f"tag {tag_name}", hint=f"Remove it first: `aura tag -d {tag_name}`.")
    if repo.head().version == record.id:
        raise VersionInUse(name, "HEAD", hint="Check out another version first.")


def _change(
    repo: Repository,
    record: VersionRecord,
    type_: str,
    verb: str,
    changes: dict[str, Any],
    *,
    can_batch: bool = False,
) -> VersionRecord:
    with repo.transaction() as transaction:
        label = repo.refs.label(record.id)
        if label is None:
            name = describe(repo.queries, record.id)
            raise InputError(f"The label of {name} is not here", hint="`aura fsck` shows more.")
        after = stamp_label(
            label, transaction.replica, transaction.at, repo.author, **_dated(transaction, type_, changes)
        )
        ref, change = label_change(label, after)
        draft = Draft(
            type_,
            f"{verb} {describe(repo.queries, record.id)} {record.name!r}",
            {ref: change},
            inverse=Inverse(f"{type_}.revert"),
            can_batch=can_batch,
        )
        transaction.record(merge_into_batch(repo, transaction, draft))
    return get_version(repo, record.id)


def _dated(transaction: Transaction, type_: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Date deletions and purges with the transaction's time."""
    field = {"version.delete": "deleted_at", "version.purge": "purged_at"}.get(type_)
    return changes if field is None else {**changes, field: transaction.at}
