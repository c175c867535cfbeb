"""Making versions: from a snapshot of the folder to an object, its label and the operation."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from aura_vcs.codec import encode_version
from aura_vcs.errors import InputError
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Head, Kind, Label, RefChange, Version, VersionType
from aura_vcs.objects.base import EMPTY_TREE_ID, StoredObject
from aura_vcs.operation_log import label_change
from aura_vcs.plain_text import clean_text, now, one_line
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft, Transaction

if TYPE_CHECKING:
    from aura_vcs.objects.batch import Batch
    from aura_vcs.objects.trees import Snapshot
    from aura_vcs.worktree.scan.scan import Scan

NAME_LIMIT = 200
DESCRIPTION_LIMIT = 2000


class VersionSpec(msgspec.Struct, frozen=True):
    """What a new version shall be."""

    type: VersionType
    name: str
    description: str = ""
    important: bool = False
    trigger: str | None = None
    author: str | None = None
    """Whose work it is, instead of the person's that the project was opened for."""
    correlation_id: str | None = None
    """What the operations of one command share; undo takes them back together."""


class WorktreeBase(msgspec.Struct, frozen=True):
    """What the worktree is based on: HEAD, and the version's tree (the empty one before the first).

    `record` is the version as the index had it when HEAD was read; None before the first.
    """

    head: Head
    tree: ObjectId
    record: VersionRecord | None = None

    def is_at(self, other: "WorktreeBase") -> bool:
        """Tell whether both stand on the same version of the same branch, whatever its label says."""
        return (self.head, self.tree) == (other.head, other.tree)


def worktree_base(repo: Repository, before: WorktreeBase | None = None) -> WorktreeBase:
    """Return the version that the worktree is based on now; `before`, if that is still where HEAD is."""
    head = repo.head()
    if before is not None and before.head == head and (before.record is not None or head.version is None):
        return before
    record = repo.queries.version(head.version) if head.version is not None else None
    return WorktreeBase(head, record.tree if record is not None else EMPTY_TREE_ID, record)


def is_purged(base: WorktreeBase) -> bool:
    """Tell whether somebody purged the version: its content may be gone."""
    return base.record is not None and base.record.purged_at is not None


def check_texts(name: str, description: str) -> tuple[str, str]:
    """Name and description as they are stored: no control characters, no bytes that are not text.

    Raises:
        InputError: too long, or no name at all.
    """
    clean = one_line(name)
    if not clean:
        raise InputError("A version needs a name", hint='Give one with -m, for example -m "First cut".')
    if len(clean) > NAME_LIMIT:
        raise InputError(f"The name has {len(clean)} characters; {NAME_LIMIT} is the limit")
    return clean, check_note(description)


def check_note(text: str) -> str:
    """Clean a description, message or reason for storing: no control characters, only text.

    Raises:
        InputError: too long.
    """
    clean = clean_text(text).strip()
    if len(clean) > DESCRIPTION_LIMIT:
        raise InputError(f"The description has {len(clean)} characters; {DESCRIPTION_LIMIT} is the limit")
    return clean


def take_snapshot(
    repo: Repository,
    batch: "Batch",
    base: WorktreeBase,
    paths: Sequence[str] | None = None,
    always: Sequence[str] = (),
    *,
    hold_back: "Callable[[Repository, Scan], object] | None" = None,
) -> "tuple[Scan, Snapshot]":
    """Scan the folder and put what is new into the batch; `hold_back` may take files out of the scan.

    Of a base that another machine purged, nothing is taken for stored, but where only `paths` are asked for.
    """
    tree = base.tree
    if paths is None and is_purged(base):
        tree, always = EMPTY_TREE_ID, [*always, *_paths(repo, base.tree)]
    scan = repo.worktree.scan(tree, always)
    if hold_back is not None:
        hold_back(repo, scan)
    return scan, repo.worktree.store_all(scan, batch, tree, paths, repo.progress)


def report_unseen(repo: Repository, scan: "Scan") -> None:
    """Say what could not be looked at or read: it is in a version as it was before, if at all."""
    for skipped in scan.skipped:
        if skipped.is_unreadable and not skipped.is_evicted:
            repo.progress.note(f"{skipped.path} is skipped: {skipped.reason}")


def _paths(repo: Repository, tree: ObjectId) -> list[str]:
    """List every path of a tree whose folders are still here: an ignore rule does not make them vanish."""
    found: list[str] = []
    with suppress(IntegrityError):
        for path, _ in repo.trees.walk(tree):
            found.append(path)
    return found


class NewVersion(msgspec.Struct, frozen=True):
    """A version that is in the store and not recorded yet."""

    id: VersionId
    version: Version


def make_version(
    repo: Repository,
    batch: "Batch",
    base: WorktreeBase,
    snapshot: "Snapshot",
    wanted: VersionSpec,
    *,
    parents: tuple[VersionId, ...] | None = None,
) -> NewVersion:
    """Put the version object into the batch. Its number is a guess until `renumber` has looked.

    Its parents are those given, by default what the base gives it.
    """
    version = Version(
        number=repo.queries.next_number(),
        parents=parents_for(repo, base.record) if parents is None else parents,
        tree=snapshot.tree,
        type=wanted.type,
        name=wanted.name,
        description=wanted.description,
        author=clean_text(wanted.author) if wanted.author else repo.author,
        created_at=now(),
        project=repo.format.project,
        documents=snapshot.documents,
        size=snapshot.size,
        trigger=wanted.trigger,
    )
    version_id, data = encode_version(version)
    batch.add(Kind.VERSION, data, "version", known=version_id)
    return NewVersion(version_id, version)


def parents_for(repo: Repository, record: VersionRecord | None) -> tuple[VersionId, ...]:
    """Return the parents of what is made on a version.

    Autosaves and restore points are nobody's parent, so that removing them rewrites nothing: what is
    made on one hangs off the manual version that it hangs off.
    """
    while record is not None and record.type is not VersionType.MANUAL:
        record = repo.queries.version(record.parents[0]) if record.parents else None
    return (record.id,) if record is not None else ()


def renumber(repo: Repository, made: NewVersion, parents: tuple[VersionId, ...]) -> NewVersion:
    """Renumber the version for recording, inside a transaction: with a free number and those parents."""
    number = repo.queries.next_number()
    if number == made.version.number and parents == made.version.parents:
        return made
    version = msgspec.structs.replace(made.version, number=number, parents=parents)
    version_id, data = encode_version(version)
    repo.store.put(Kind.VERSION, data)
    return NewVersion(version_id, version)


def new_label(
    repo: Repository, transaction: Transaction, made: NewVersion, wanted: VersionSpec, branch: str | None
) -> tuple[str, RefChange]:
    """Build the change that gives a new version its label; `branch` is the one it was made on."""
    label = Label(
        version=made.id,
        number=made.version.number,
        name=wanted.name,
        branch=branch,
        description=wanted.description,
        important=wanted.important,
        updated_at=transaction.at,
        updated_by=repo.author,
    )
    return label_change(None, label)


def record_side_version(
    repo: Repository, batch: "Batch", base: WorktreeBase, snapshot: "Snapshot", wanted: VersionSpec
) -> VersionRecord:
    """Record an autosave or restore point: it hangs off HEAD's version and moves nothing."""
    made = make_version(repo, batch, base, snapshot, wanted)
    stored = batch.finish()
    with repo.transaction() as transaction:
        made = renumber(repo, made, made.version.parents)
        ref, change = new_label(repo, transaction, made, wanted, base.head.branch)
        kind = "Autosaved" if wanted.type is VersionType.AUTOSAVE else "Saved restore point"
        draft = Draft(
            str(wanted.type),
            f"{kind} v{made.version.number} {wanted.name!r}",
            {ref: change},
            correlation_id=wanted.correlation_id,
        )
        transaction.record(draft, with_version_object(stored, repo, made), batch.chunks)
    return get_version(repo, made.id)


def with_version_object(
    stored: Mapping[ObjectId, StoredObject], repo: Repository, made: NewVersion
) -> Mapping[ObjectId, StoredObject]:
    """Add the version object to what a batch stored; store it where the batch did not."""
    if made.id in stored:
        if stored[made.id].location is not None:  # packs are read back before they get their names
            repo.trees.remember_version(made.id, made.version)
        return stored
    _, data = encode_version(made.version)
    return {**stored, made.id: repo.store.put(Kind.VERSION, data)}


def get_version(repo: Repository, version: VersionId) -> VersionRecord:
    """Return the record of a version that is known to be there."""
    record = repo.queries.version(version)
    assert record is not None
    return record
