"""Committing: a snapshot of the folder becomes the next version of a branch."""

import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.errors.input import RefMoved, UnknownName
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.names.branches import BranchMove, branch, branch_update, branches, free_name
from aura_vcs.history.names.follow_branch import follow_branch
from aura_vcs.history.recording.journal import recover
from aura_vcs.history.recording.version_builder import (
    NewVersion,
    VersionSpec,
    WorktreeBase,
    check_texts,
    get_version,
    is_purged,
    make_version,
    new_label,
    parents_for,
    renumber,
    take_snapshot,
    with_version_object,
    worktree_base,
)
from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import describe
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import PROVENANCE_ENDING, EntryKind, Head, HeadChange, Inverse, RefChange, VersionType
from aura_vcs.objects.batch import Batch
from aura_vcs.objects.trees import Difference
from aura_vcs.operation_log import label_change
from aura_vcs.refs.merge import stamp_label
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft, Transaction
from aura_vcs.worktree.scan.scan import Scan, Skipped

if TYPE_CHECKING:
    from aura_vcs.formats.provenance.facts import Facts
    from aura_vcs.objects.trees import Snapshot

ATTEMPTS = 50
_PAUSE_SECONDS = 0.01


Reshape = Callable[["Batch", "Snapshot"], "Snapshot"]
"""Makes a snapshot from one that was taken; what is new goes into the batch."""


class CommitRequest(msgspec.Struct, frozen=True):
    """What is asked of a commit. `paths` are relative to the project, None for the whole folder.

    `reshape` makes another snapshot of the one that was taken, for a version that the folder is not like.
    `author` and `correlation_id` are those of `VersionSpec`.
    """

    name: str
    description: str = ""
    important: bool = False
    allow_empty: bool = False
    paths: Sequence[str] | None = None
    author: str | None = None
    reshape: Reshape | None = None
    correlation_id: str | None = None


class AmendRequest(msgspec.Struct, frozen=True):
    """What is asked of an amendment; what is None stays as it was. `paths` as of `CommitRequest`.

    `keep` leaves the version before as it is, for one that other machines have.
    """

    name: str | None = None
    description: str | None = None
    important: bool | None = None
    paths: Sequence[str] | None = None
    author: str | None = None
    keep: bool = False


class _Attempt(msgspec.Struct, frozen=True):
    """What one attempt is to record, with the version whose place it takes."""

    spec: VersionSpec
    paths: Sequence[str] | None
    allow_empty: bool
    reshape: Reshape | None = None
    amended: VersionRecord | None = None
    keep: bool = False


class Committed(msgspec.Struct, frozen=True):
    """What a commit did. `version` is None where nothing had changed.

    `unstable` are files that kept changing: the version has them as they were before. `skipped` are
    paths that cannot be versioned. `new_branch` names a branch that was started for the commit. `beside` is
    where another machine had taken the branch: the files were not there, so the version stands beside it.
    """

    version: VersionRecord | None
    unstable: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    new_branch: str | None = None
    beside: VersionRecord | None = None
    amended: VersionRecord | None = None
    """The version whose place this one takes, as `amend` made it."""
    stored_bytes: int = 0
    """How much room of the disk the commit took: of content that was there already, nothing."""
    folders_for_files: tuple[str, ...] = ()
    """Paths at which the version has a folder, where the one before it has a file."""


def commit(repo: Repository, wanted: CommitRequest | str) -> Committed:
    """Snapshot the folder as the branch's next version; a text is the name of one of the whole folder.

    On an older version a branch `from-vN` is started. Interrupted at any moment, the commit has
    happened as a whole or not at all.

    Raises:
        InputError: no name; a path that is neither in the folder nor in the last version; paths, where
            that version was purged.
        FileUnreadable, StorageError.
    """
    request = CommitRequest(wanted) if isinstance(wanted, str) else wanted
    spec = VersionSpec(
        VersionType.MANUAL,
        *check_texts(request.name, request.description),
        request.important,
        author=request.author,
        correlation_id=request.correlation_id,
    )
    attempt = _Attempt(spec, request.paths, request.allow_empty, request.reshape)
    recover(repo)
    follow_branch(repo)
    with repo.locks.shared("worktree"), repo.locks.shared("objects"):
        for _ in range(ATTEMPTS):
            done = _attempt(repo, attempt)
            if done is not None:
                return done
            time.sleep(_PAUSE_SECONDS)
    raise RefMoved("HEAD", "where the commit began", "another version")


def amend(repo: Repository, wanted: AmendRequest) -> Committed:
    """Make the branch's last version anew, of the folder as it is now.

    The new version has the parents of the one before and takes its place on the branch. The one before is
    deleted, as `delete_version` does it, unless something else stands on it or was made on it: it stays in the
    log of deleted versions until gc, and undo brings it back. Kept, it stays as it is: on machines that have
    it the branch has both heads then, and what they made on it stays. Where neither the files nor the words
    differ, nothing is recorded.

    Raises:
        InputError: there is nothing to amend, or HEAD is not where its branch is.
        As `commit`.
    """
    recover(repo)
    follow_branch(repo)
    before = _amendable(repo)
    name, text = check_texts(
        before.name if wanted.name is None else wanted.name,
        before.description if wanted.description is None else wanted.description,
    )
    important = before.important if wanted.important is None else wanted.important
    spec = VersionSpec(VersionType.MANUAL, name, text, important, author=wanted.author)
    same = (before.name, before.description, before.important) == (name, text, important)
    with repo.locks.shared("worktree"), repo.locks.shared("objects"):
        for _ in range(ATTEMPTS):
            done = _attempt(repo, _Attempt(spec, wanted.paths, not same, amended=before, keep=wanted.keep))
            if done is not None:
                return done
            before = _amendable(repo)
            time.sleep(_PAUSE_SECONDS)
    raise RefMoved("HEAD", "where the commit began", "another version")


def _amendable(repo: Repository) -> VersionRecord:
    """Return the version that an amendment would replace.

    Raises:
        InputError: there is none; says why.
    """
    head = repo.head()
    record = repo.queries.version(head.version) if head.version is not None else None
    if record is None:
        raise InputError("There is no version to amend yet", hint='Make the first with `aura commit -m "First cut"`.')
    found = branch(repo, head.branch) if head.branch is not None else None
    name = describe(repo.queries, record.id)
    if found is None:
        hint = "Go to a branch first, or commit here: a branch starts by itself."
        raise InputError(f"You are on the older version {name}, which is not amended", hint=hint)
    if found.version != record.id or found.diverged:
        hint = "Go there with `aura checkout`, or merge both with `aura merge`."
        raise InputError(f"Branch {found.name} has moved on from {name}, so it is not amended", hint=hint)
    if not record.is_live or record.type is not VersionType.MANUAL:
        raise InputError(f"{name} is not a version that can be amended", hint="Commit as usual.")
    return record


def _attempt(repo: Repository, request: _Attempt) -> Committed | None:
    """Try once to commit; return None if the branch moved meanwhile and the paths must go on its new head."""
    paths, amended = request.paths, request.amended
    base = worktree_base(repo)
    if paths is not None:
        _check_has_content(repo, base)
    with repo.store.batch(repo.progress) as batch:
        scan, snapshot = take_snapshot(repo, batch, base, paths)
        if paths is not None:
            _check_paths(repo, base, scan, paths)
        if request.reshape is not None:
            snapshot = request.reshape(batch, snapshot)
        unchanged = snapshot.tree == base.tree and not request.allow_empty
        if unchanged:
            _save(repo, scan)
            return Committed(None, snapshot.unstable, tuple(scan.skipped))
        parents = amended.parents if amended is not None else None
        made = make_version(repo, batch, base, snapshot, request.spec, parents=parents)
        stored = batch.finish()
    _save(repo, scan)
    with repo.index.with_locations(stored):
        differences = _differences(repo, base.tree, snapshot.tree)
        facts = _provenance(repo, snapshot.tree, differences)
    with repo.transaction() as transaction:
        current = worktree_base(repo, base)
        if not current.is_at(base) and (paths is not None or snapshot.unstable or amended is not None):
            return None
        if current.tree == snapshot.tree and not request.allow_empty:
            return Committed(None, snapshot.unstable, tuple(scan.skipped))
        if amended is not None and _amendable(repo) != amended:
            return None
        is_same = amended is not None or current.is_at(base)  # whose parents were looked up already
        made = renumber(repo, made, made.version.parents if is_same else parents_for(repo, current.record))
        beside = _other_head(repo, current) if amended is None else None
        recorded = with_version_object(stored, repo, made)
        refs, did, branch_name = _changes(repo, transaction, current, made, request)
        if facts:
            from aura_vcs.history.provenance_files import fact_changes  # few commits bring any

            refs |= fact_changes(repo, transaction, facts, origin="file")
        head = HeadChange(current.head, Head(branch_name, made.id))
        inverse, correlation = Inverse("commit.revert"), request.spec.correlation_id
        draft = Draft("commit", did, refs, head, inverse=inverse, correlation_id=correlation)
        transaction.record(draft, recorded, batch.chunks)
    return Committed(
        version=get_version(repo, made.id),
        unstable=snapshot.unstable,
        skipped=tuple(scan.skipped),
        new_branch=branch_name if current.head.branch is None else None,
        beside=beside,
        amended=amended,
        stored_bytes=sum([item.stored_size for item in recorded.values()]),
        folders_for_files=_folders_for_files(differences),
    )


def _differences(repo: Repository, before: ObjectId, after: ObjectId) -> tuple[Difference, ...]:
    """List what a version has otherwise; of one whose content is not here, nothing is known."""
    try:
        return tuple(repo.trees.differences(before, after))
    except IntegrityError:
        return ()


def _folders_for_files(differences: Sequence[Difference]) -> tuple[str, ...]:
    """Find where a folder took the place of a file: what is in it may be ignored, and the file is in no new version."""
    return tuple(
        found.path
        for found in differences
        if found.old is not None and found.old.kind is not EntryKind.DIR
        and found.new is not None and found.new.kind is EntryKind.DIR
    )  # fmt: skip


def _provenance(repo: Repository, tree: ObjectId, differences: Sequence[Difference]) -> "dict[ObjectId, Facts]":
    """Read what lies beside files of where they come from."""
    if not any(item.path.endswith(PROVENANCE_ENDING) for item in differences):
        return {}
    from aura_vcs.history.provenance_files import facts_beside  # few commits bring any

    return facts_beside(repo, tree, differences)


def _changes(
    repo: Repository, transaction: Transaction, base: WorktreeBase, made: NewVersion, request: _Attempt
) -> tuple[dict[str, RefChange], str, str]:
    """Build the changes of refs that record a commit, what is said of it, and its branch, new where there is none."""
    name = base.head.branch or free_name(repo, _branch_from(base))
    amended, wanted = request.amended, request.spec
    instead = amended.id if amended is not None else None
    refs = dict([new_label(repo, transaction, made, wanted, name)])
    refs |= branch_update(
        repo, transaction, name, BranchMove(made.id, parents=made.version.parents, instead_of=instead)
    )
    if amended is None:
        return refs, f"Committed v{made.version.number} {wanted.name!r}", name
    refs |= {} if request.keep else _without(repo, transaction, amended, name)
    did = f"Amended {describe(repo.queries, amended.id)} as v{made.version.number} {wanted.name!r}"
    return refs, did, name


def _without(
    repo: Repository, transaction: Transaction, amended: VersionRecord, branch_name: str
) -> dict[str, RefChange]:
    """Build the change that deletes an amended version; none where anything else needs it."""
    queries = repo.queries
    others = [found for found in branches(repo) if found.name != branch_name]
    is_named = any(amended.id in (found.version, *found.diverged) for found in others) or any(
        tag.version == amended.id for tag in repo.refs.tags().values()
    )
    children = filter(None, map(queries.version, queries.children(amended.id)))
    label = repo.refs.label(amended.id)
    if label is None or is_named or any(child.type is VersionType.MANUAL and child.is_live for child in children):
        return {}
    after = stamp_label(
        label, transaction.replica, transaction.at, repo.author, deleted_at=transaction.at, deleted_by=repo.author
    )
    return dict([label_change(label, after)])


def _other_head(repo: Repository, base: WorktreeBase) -> VersionRecord | None:
    """Return the head that another machine gave the branch, if what is made on `base` does not build on it."""
    found = branch(repo, base.head.branch) if base.head.branch is not None else None
    if found is None or found.version == base.head.version:
        return None
    queries = repo.queries
    if base.head.version is not None and queries.is_ancestor(found.version, base.head.version):
        return None
    return queries.version(found.version)


def _branch_from(base: WorktreeBase) -> str:
    return f"from-v{base.record.number}" if base.record is not None else "main"


def _check_has_content(repo: Repository, base: WorktreeBase) -> None:
    """Refuse to take what is not among the paths from a version that somebody purged."""
    if base.record is not None and is_purged(base):
        name = describe(repo.queries, base.record.id)
        hint = "Commit all of it: `aura commit` without paths takes your files as they are."
        raise InputError(f"{name}, which you are on, was purged: there is nothing to add paths to", hint=hint)


def _check_paths(repo: Repository, base: WorktreeBase, scan: Scan, paths: Sequence[str]) -> None:
    for path in paths:
        here = path == "" or scan.file(path) is not None or scan.folder(path) is not None or scan.is_unseen(path)
        if not here and repo.trees.entry(base.tree, path) is None:
            raise UnknownName("file or folder", path, hint=why_not_here(repo.root, path))


def _save(repo: Repository, scan: Scan) -> None:
    if scan.changed:
        repo.worktree.save(scan)


def why_not_here(root: str, path: str) -> str:
    """Return a hint for a path that no version can have from the folder as it is: beyond a link, ignored or not there.

    `path` is as versions have it.
    """
    parts = path.split("/")
    links = ("/".join(parts[:count]) for count in range(1, len(parts)))
    link = next((link for link in links if os.path.islink(os.path.join(root, link))), None)
    if link is not None:
        return f"{link} is a link: name the file where it lies. A version has the link, not what it leads to."
    is_ignored = os.path.lexists(os.path.join(root, path))
    return "It is ignored; see .auraignore." if is_ignored else "Paths are relative to where you are."


def project_path(repo: Repository, path: str, folder: str = ".") -> str:
    """Convert a path given in `folder` to the form of versions: relative to the project, "/" between parts.

    Raises:
        InputError: it is outside the project.
    """
    root = os.path.realpath(repo.root)
    full = os.path.normpath(os.path.join(os.path.realpath(folder), path))
    if os.path.isabs(path) and os.path.relpath(full, root).startswith(os.pardir):  # it leads there through a link
        full = os.path.join(os.path.realpath(os.path.dirname(full)), os.path.basename(full))
    relative = os.path.relpath(full, root)
    if relative == ".":
        return ""
    if relative == ".." or relative.startswith(f"..{os.sep}") or os.path.isabs(relative):
        raise InputError(f"{path} is outside the project {repo.root}")
    return relative.replace(os.sep, "/")
