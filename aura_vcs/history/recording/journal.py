"""Replacing the worktree as one step, however often it is interrupted.

Before the first file is touched, what is to be done lies in `local/pending.json`: the trees before
and after, and the operation that will be recorded. A command that fails puts the files back;
after one that was stopped, whoever opens the project next to change it finishes the work first. Only
files that still are as they were before are replaced then: what a person edited since is left alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from aura_vcs.codec import decode_record, encode_record, with_checksum
from aura_vcs.errors import AuraError, Unfinished
from aura_vcs.errors.integrity import IntegrityError, LinkedPath, ObjectMissing, RecordCorrupt, StorageError
from aura_vcs.ids import ObjectId
from aura_vcs.layout import ASIDE, PENDING
from aura_vcs.model import Entry, EntryKind, Operation
from aura_vcs.objects.availability import evicted_among
from aura_vcs.objects.base import PackLocation
from aura_vcs.objects.trees import Difference
from aura_vcs.plain_text import readable_name
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.scan.scan import Scan, entry_of

if TYPE_CHECKING:
    from aura_vcs.worktree.checkout.writer import Written


SHOWN = 5
"""So many files are named in a note."""


class Pending(msgspec.Struct, frozen=True):
    """`local/pending.json`."""

    operation: Operation
    before: ObjectId
    after: ObjectId
    check: str = ""

    def checked(self) -> "Pending":
        """Return the same record with a checksum."""
        return with_checksum(self)


def pending(repo: Repository) -> Pending | None:
    """Return what was begun and not finished, if anything; a note that cannot be read is set aside."""
    try:
        return read_pending(repo)
    except RecordCorrupt:
        aside = repo.storage.set_aside(PENDING)
        repo.progress.note(f"A note about an interrupted command cannot be read; it was set aside in .aura/{aside}")
        return None


def read_pending(repo: Repository) -> Pending | None:
    """Read what was begun and not finished, if anything.

    Raises:
        RecordCorrupt: the note about it cannot be read.
    """
    try:
        found = decode_record(repo.storage.read(PENDING), Pending, PENDING)
    except FileNotFoundError:
        return None
    if found.check and found != found.checked():
        raise RecordCorrupt(PENDING, "its checksum does not fit")
    return found


def execute(repo: Repository, scan: Scan, operation: Operation, before: ObjectId, after: ObjectId) -> "Written":
    """Put the tree `after` in place of `before` and record the operation.

    The caller holds the worktree lock, and the content of both trees is in the store.

    Raises:
        ObjectMissing: content that is needed is not there; nothing was touched.
        StorageError: the disk refused; the files were restored as they were, as far as it let us.
    """
    differences = list(repo.trees.differences(before, after))
    places = ensure_content(repo, differences)
    begun = Pending(operation, before, after).checked()
    repo.storage.put(PENDING, encode_record(begun))
    with _rolled_back(repo, begun):
        written = repo.worktree.apply(scan, differences, places, repo.progress, (before, after))
        _record(repo, operation)
    _keep_late_edits(repo, begun, everything=False)
    _forget(repo)
    return written


def _keep_late_edits(repo: Repository, begun: Pending | None, *, everything: bool) -> None:
    """See late_edits; with `everything`, also of what an interrupted command left aside."""
    aside = repo.worktree.aside
    if not everything and not aside.unsaved():
        aside.clear()
        return
    if everything and aside.is_empty:
        return
    from aura_vcs.history.recording.late_edits import (  # it is rare that there are any
        Replacement,
        save_interrupted_edits,
        save_late_edits,
    )

    replaced = Replacement(begun.operation, begun.before, begun.after) if begun is not None else None
    if everything or replaced is None:
        save_interrupted_edits(repo, replaced)
    else:
        save_late_edits(repo, replaced)


def recover(repo: Repository) -> Operation | None:
    """Finish what an interruption left, if anything, and say so; returns the operation that is now done.

    Where content that it needs is not there any more (a backup, a tool), it is taken back; where that cannot be
    done either, the files stay as they are and the note about it is set aside. Both are said, and nothing fails.

    Raises:
        AuraError: the disk or the system refused; it was taken back, or the next command tries again.
    """
    if repo.storage.stat(PENDING) is None and repo.storage.stat(ASIDE) is None:
        return None
    if repo.is_preview:
        repo.progress.note("A command was interrupted; what is planned here begins with finishing it")
        return None
    with repo.locks.exclusive("worktree"), repo.locks.shared("objects"):
        found = pending(repo)
        if found is None:
            _keep_late_edits(repo, None, everything=True)
            return None
        if repo.queries.action_by_id(found.operation.id) is None and not _is_finished(repo, found):
            return None
        _keep_late_edits(repo, found, everything=True)
        _forget(repo)
        return found.operation


def _is_finished(repo: Repository, found: Pending) -> bool:
    """Finish the folder and record the operation, or say why that cannot be."""
    what = found.operation.description
    repo.progress.note(f"Finishing what was interrupted: {what}")
    try:
        with _rolled_back(repo, found):
            left = _complete(repo, found.before, found.after)
            _record(repo, found.operation)
    except IntegrityError as error:
        if isinstance(error, StorageError | LinkedPath):
            raise
        repo.progress.note(f"It could not be finished: {error}")
        return False
    if left:
        repo.progress.note(f"Left as they are, because they were edited since: {_listed(left)}")
    return True


def _listed(paths: Sequence[str]) -> str:
    shown = ", ".join(map(readable_name, paths[:SHOWN]))
    return f"{shown} and {len(paths) - SHOWN:,} more" if len(paths) > SHOWN else shown


@contextmanager
def _rolled_back(repo: Repository, begun: Pending) -> Iterator[None]:
    """Put the files back when the block fails before the operation was recorded.

    Where that fails too, the note about it stays, and the next command tries again; it is set aside where
    what is needed for it is not there.
    """
    try:
        yield
    except Unfinished:
        _forget(repo)
        raise
    except AuraError as error:
        try:
            is_back = True
            try:
                _complete(repo, begun.after, begun.before)
            except IntegrityError:  # neither way is open: the files stay as they are, for the person to look at
                is_back = False
            _keep_late_edits(repo, begun, everything=True)
            if is_back:
                _forget(repo)
            else:
                repo.progress.note(
                    f"Your files are as {begun.operation.description!r} left them; `aura status` shows how they differ "
                    f"from the last version. The note about it was set aside in .aura/{repo.storage.set_aside(PENDING)}"
                )
        except AuraError as another:
            error.add_note(str(another))
        raise


def _complete(repo: Repository, before: ObjectId, after: ObjectId) -> list[str]:
    """Put `after` in place wherever the folder still is as `before`; returns the paths where it is as neither."""
    differences = list(repo.trees.differences(before, after))
    places = ensure_content(repo, differences)
    scan = repo.worktree.scan(before, [d.path for d in differences])
    unknown = [d.path for d in differences if (state := scan.file(d.path)) is not None and not state.id]
    repo.worktree.hash(unknown, scan, repo.progress, patient=True)
    current = {d.path: _current(repo, scan, d) for d in differences}
    untouched = [d for d in differences if current[d.path] in (_bare(d.old), None) or _is_folder(d)]
    edited = [
        d.path for d in differences if not _is_folder(d) and current[d.path] not in (_bare(d.old), _bare(d.new), None)
    ]
    return [*edited, *repo.worktree.apply(scan, untouched, places, repo.progress).skipped]


def _record(repo: Repository, operation: Operation) -> None:
    with repo.transaction() as transaction:
        transaction.record(operation)


def _forget(repo: Repository) -> None:
    try:
        repo.storage.delete(PENDING)
    except StorageError:
        return  # whoever finds it sees in the log that it is done, or finishes it


def _current(repo: Repository, scan: Scan, difference: Difference) -> tuple[EntryKind, ObjectId, bool] | None:
    state = scan.file(difference.path)
    if state is None:
        return None
    return _bare(repo.worktree.disk.with_version_mode(entry_of(difference.path, state), difference.old))


def _bare(entry: Entry | None) -> tuple[EntryKind, ObjectId, bool] | None:
    return None if entry is None else (entry.kind, entry.id, entry.executable)


def _is_folder(difference: Difference) -> bool:
    entry = difference.new or difference.old
    return entry is not None and entry.kind is EntryKind.DIR


def ensure_content(repo: Repository, differences: Sequence[Difference]) -> Mapping[ObjectId, PackLocation]:
    """Have all content at hand before the first file is touched; what is offloaded is fetched.

    Returns where in packs the content lies, as far as the index knows.

    Raises:
        ObjectMissing: names the object and the path that needs it.
        ObjectOffloaded: names the files and the remote that cannot be asked now.
    """
    wanted = {d.new.id: d.path for d in differences if d.new is not None and d.new.kind is not EntryKind.DIR}
    if repo.store.offloaded.all():
        for blob in evicted_among(repo.store, wanted):
            del wanted[blob]  # which the worktree leaves out, with words
        repo.store.require(wanted)
        return repo.store.places.find_many(wanted)
    placed = repo.store.places.find_many(wanted)
    for object_id, path in wanted.items():
        if object_id not in placed and not repo.store.contains(object_id):
            raise ObjectMissing(object_id, path)
    return placed
