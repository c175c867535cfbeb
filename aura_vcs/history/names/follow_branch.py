"""HEAD goes on with its branch where another machine took it on and a tool brought its files here.

In a folder that a tool mirrors, `local/HEAD.json` does not travel. What another machine committed
comes into the folder, and would look like unsaved changes on the version that HEAD still names; a
commit of them would stand beside that machine's own. So HEAD goes on to the branch's version when the
files say that it is here. Nothing is recorded: the log has what was done, and nothing was done.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import Enum

from aura_vcs.errors.integrity import IntegrityError, RecordCorrupt, StorageError
from aura_vcs.history.merging.same_heads import are_one
from aura_vcs.history.names.branches import branch
from aura_vcs.history.names.partial_sync import was_recorded_here
from aura_vcs.ids import ObjectId, ReplicaId, VersionId
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import VersionRecord
from aura_vcs.layout import PENDING
from aura_vcs.model import Entry, EntryKind, Head, Operation
from aura_vcs.objects.trees import EMPTY_TREE_ID, Difference
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.scan.cache import FileState
from aura_vcs.worktree.scan.scan import Scan, entry_of

TEXT_BYTES = 1 << 20
"""Larger files are not compared line by line."""
LOOKED_AT = 20
"""So many operations are looked through for the last one that moved HEAD."""
MOVES_ALONE = frozenset({"undo", "redo", "branch.rename", "checkout"})
"""Operations that may move HEAD and no file: then the files say nothing about it."""


class _Like(Enum):
    """What a file in the folder is as, of a path that differs between two versions."""

    OLDER = 0
    NEWER = 1
    NEITHER = 2


def follow_branch(repo: Repository) -> VersionRecord | None:
    """Let HEAD go on to where its branch has gone, if the folder is there already, edits apart.

    Of the paths that differ between HEAD's version and the branch's, none may be as HEAD's version has
    it (it has not come yet, or the folder was never there), and what is as neither must be an edit of the
    newer one: see `_is_edit_of_newer`. Where all of them were edited, the version must have come by a
    tool, not by a fetch, which brings no files. Returns the version that HEAD went on to.
    """
    head = repo.head()
    newer = _next(repo, head)
    if newer is None:
        return _follow_others(repo, head)
    older = Queries(repo.index).version(head.version) if head.version is not None else None
    is_same = older is not None and older.tree == newer.tree
    if not is_same and not (repo.others.known() and _is_there(repo, head.version, newer)):
        return None
    return newer if _go(repo, head, Head(head.branch, newer.id)) else None


def _go(repo: Repository, head: Head, after: Head) -> bool:
    try:
        with repo.locks.shared("worktree"), repo.transaction():
            if repo.head() != head or repo.storage.stat(PENDING) is not None:
                return False
            repo.head_file.put(after, repo.head_file.stored().sequence)
    except StorageError:
        return False  # a disk that can only be read: HEAD stays, and the next command looks again
    return True


def _follow_others(repo: Repository, head: Head) -> VersionRecord | None:
    """Let HEAD go where another machine went last in this folder: to another branch or version, or back.

    Its log, which a tool brought with the files, says so, and the files must say it, too.
    """
    operation = _last_move(repo) if repo.others.known() else None
    if operation is None or operation.head is None or operation.head.after == head:
        return None
    after, queries = operation.head.after, Queries(repo.index)
    record = queries.version(after.version) if after.version is not None else None
    if not _stands(repo, after):
        return None
    if operation.worktree is None and operation.type in MOVES_ALONE:
        is_there = operation.head.before == head
    else:
        is_there = record is not None and _is_there(repo, head.version, record, is_certain=True)
    if not is_there or not _go(repo, head, after):
        return None
    where = f"branch {after.branch}" if after.branch is not None else "no branch"
    what = f"v{record.number}" if record is not None else "no version"
    repo.progress.note(f"{operation.user} went to {what} on {where} in this folder, and so do you")
    return record


def _last_move(repo: Repository) -> Operation | None:
    """The operation of another machine that moved HEAD, if none of ours is later."""
    for action in Queries(repo.index).actions(limit=LOOKED_AT):
        if action.replica == repo.replica:
            return None
        reading = repo.others.readings().get(ReplicaId(action.replica))
        own = repo.index.end_of_log(repo.replica)[1]
        if reading is not None and action.sequence > reading.sequence and reading.read.get(repo.replica, 0) < own:
            return None  # whatever its clock says: it had not heard yet of what we did last
        try:
            operation = repo.logs.read_at(ReplicaId(action.replica), action.start, action.end, action.segment)
        except RecordCorrupt:
            return None
        if operation.head is not None:
            return operation
    return None


def _stands(repo: Repository, head: Head) -> bool:
    """Whether HEAD can be there: a branch is still where it was then."""
    if head.branch is None:
        return head.version is not None
    found = branch(repo, head.branch)
    if found is None or head.version is None:
        return found is None and head.version is None
    return head.version in (found.diverged or (found.version,))


def _is_there(repo: Repository, older: VersionId | None, newer: VersionRecord, *, is_certain: bool = False) -> bool:
    try:
        return _is_in_folder(repo, older, newer, is_certain=is_certain)
    except (IntegrityError, StorageError):
        return False  # not all of it has come, or cannot be read: the next command looks again


def _next(repo: Repository, head: Head) -> VersionRecord | None:
    """Where the branch that HEAD is on has gone, if that is one version which builds on HEAD's, or says the same."""
    found = branch(repo, head.branch) if head.branch is not None else None
    if found is None or found.diverged or found.version == head.version:
        return None
    queries = Queries(repo.index)
    record = queries.version(found.version)
    older = queries.version(head.version) if head.version is not None else None
    if record is None or (head.version is not None and older is None):
        return None
    if older is not None and not are_one(older, record) and not queries.is_ancestor(older.id, record.id):
        return None
    return record if repo.store.contains(record.tree) else None


def _is_in_folder(repo: Repository, older: VersionId | None, newer: VersionRecord, *, is_certain: bool) -> bool:
    record = Queries(repo.index).version(older) if older is not None else None
    tree = record.tree if record is not None and repo.store.contains(record.tree) else EMPTY_TREE_ID
    differences = [d for d in repo.trees.differences(tree, newer.tree) if not _is_folder(d)]
    scan = repo.worktree.scan(tree, [d.path for d in differences])
    found = list(_compared(repo, scan, differences))
    if any(like is _Like.OLDER for _, like in found):
        return False
    edited = [difference for difference, like in found if like is _Like.NEITHER]
    if edited and len(edited) == len(found) and (is_certain or was_recorded_here(repo, newer.id)):
        return False
    return all(_is_edit_of_newer(repo, scan, difference) for difference in edited)


def _is_folder(difference: Difference) -> bool:
    entry = difference.new or difference.old
    return entry is not None and entry.kind is EntryKind.DIR


def _compared(repo: Repository, scan: Scan, differences: Sequence[Difference]) -> Iterable[tuple[Difference, _Like]]:
    """What each path is as in the folder. Only files that have the size of one of the two are read."""
    unread = [d.path for d in differences if _is_to_read(scan.file(d.path), (d.old, d.new))]
    unstable = set(repo.worktree.hash(unread, scan, repo.progress))
    for difference in differences:
        here = None if difference.path in unstable else _entry(repo, scan, difference)
        if difference.path in unstable:
            yield difference, _Like.NEITHER
        elif _bare(here) == _bare(difference.new):
            yield difference, _Like.NEWER
        elif _bare(here) == _bare(difference.old):
            yield difference, _Like.OLDER
        else:
            yield difference, _Like.NEITHER


def _is_to_read(state: FileState | None, entries: Iterable[Entry | None]) -> bool:
    if state is None or state.id:
        return False
    return any(entry is not None and entry.size == state.size for entry in entries)


def _entry(repo: Repository, scan: Scan, difference: Difference) -> Entry | None:
    state = scan.file(difference.path)
    if state is None:
        return None
    return repo.worktree.disk.as_meant(entry_of(difference.path, state), difference.new or difference.old)


def _bare(entry: Entry | None) -> tuple[EntryKind, ObjectId, bool] | None:
    return None if entry is None else (entry.kind, entry.id, entry.executable)


def _is_edit_of_newer(repo: Repository, scan: Scan, difference: Difference) -> bool:
    """Whether a file that is as neither version has it was edited after the newer one had come.

    Not where it has more lines of the older one, nor where the newer one's content lies beside it under
    a name that begins alike: then a tool has set that aside for what was edited here before.
    """
    if difference.new is not None and _is_set_aside(repo, scan, difference.path, difference.new):
        return False
    state = scan.file(difference.path)
    if state is None or difference.new is None or difference.old is None:
        return True
    here = _lines(repo.worktree.read(difference.path, scan, TEXT_BYTES))
    sides = [_stored_lines(repo, entry) for entry in (difference.old, difference.new)]
    if here is None or None in sides:
        return True
    older, newer = (_distance(here, side) for side in sides if side is not None)
    return newer <= older


def _is_set_aside(repo: Repository, scan: Scan, path: str, wanted: Entry) -> bool:
    folder, _, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    scanned = scan.folder(folder)
    beside = scanned.files if scanned is not None else {}
    found = [
        scanned.join(other)
        for other, state in beside.items()
        if scanned is not None and other != name and other.startswith(stem) and state.size == wanted.size
    ]
    repo.worktree.hash([other for other in found if _is_to_read(scan.file(other), (wanted,))], scan, repo.progress)
    states = [scan.file(other) for other in found]
    return any(state is not None and state.id and state.id.hex() == wanted.id for state in states)


def _stored_lines(repo: Repository, entry: Entry) -> Counter[bytes] | None:
    if entry.kind is not EntryKind.FILE or entry.size > TEXT_BYTES:
        return None
    return _lines(repo.store.read(entry.id))


def _lines(data: bytes | None) -> Counter[bytes] | None:
    return None if data is None or b"\0" in data else Counter(data.splitlines())


def _distance(one: Counter[bytes], other: Counter[bytes]) -> int:
    """How many lines only one of two texts has."""
    return ((one - other) + (other - one)).total()
