"""HEAD goes on with its branch where another machine took it on and a tool brought its files here.

In a folder that a tool mirrors, `local/HEAD.json` does not travel. What another machine committed
comes into the folder, and would look like unsaved changes on the version that HEAD still names; a
commit of them would stand beside that machine's own. So HEAD goes on to the branch's version when the
files say that it is here. Nothing is recorded: the log has what was done, and nothing was done.
"""

from aura_vcs.errors.integrity import IntegrityError, RecordCorrupt, StorageError
from aura_vcs.history.names.branches import Branch, branch, stands_for
from aura_vcs.ids import ReplicaId, VersionId
from aura_vcs.index.queries import describe
from aura_vcs.index.records import VersionRecord
from aura_vcs.layout import PENDING
from aura_vcs.model import Head, Operation
from aura_vcs.plain_text import readable_name
from aura_vcs.repository.repository import Repository

MOVES_CHECKED = 20
"""So many operations are looked through for the last one that moved HEAD."""
MOVES_ALONE = frozenset({"undo", "redo", "branch.rename", "checkout"})
"""Operations that may move HEAD and no file: then the files say nothing about it."""


def follow_branch(repo: Repository) -> VersionRecord | None:
    """Let HEAD go on to where its branch has gone, if the folder is there already, edits apart.

    Of the paths that differ between HEAD's version and the branch's, none may be as HEAD's version has
    it (it has not come yet, or the folder was never there), and what is as neither must be an edit of the
    newer one: see `brought_files`. Where all of them were edited, the version must have come by a
    tool, not by a fetch, which brings no files. Returns the version that HEAD went on to.
    """
    head = repo.head()
    found = branch(repo, head.branch) if head.branch is not None else None
    if (stays := _replacement_for_missing(repo, head, found)) is not None:
        return stays if _go(repo, head, Head(head.branch, stays.id)) else None
    newer = _next(repo, head, found)
    if newer is None:
        return _follow_other_replicas(repo, head)
    older = repo.queries.version(head.version) if head.version is not None else None
    is_same = older is not None and older.tree == newer.tree
    if not is_same and not (repo.others.known_replicas() and _is_there(repo, head.version, newer)):
        return None
    return newer if _go(repo, head, Head(head.branch, newer.id)) else None


def _replacement_for_missing(repo: Repository, head: Head, found: Branch | None) -> VersionRecord | None:
    """Find the branch's version if a tool took away the one that HEAD is on, as when a backup is restored.

    A commit on what is not here would begin a history of its own.
    """
    if head.version is None or head.branch is None:
        return None
    if found is None or repo.index.knows(head.version) or repo.store.contains(head.version):
        return None
    record = repo.queries.version(found.version)
    if record is not None:
        called = describe(repo.queries, record.id)
        repo.progress.note(
            "The version that you were on is not here any more: something restored older files of the project. "
            f"You are on {readable_name(head.branch)} at {called} now; your files stay as they are"
        )
    return record


def _go(repo: Repository, head: Head, after: Head) -> bool:
    try:
        with repo.locks.shared("worktree"), repo.transaction():
            if repo.head() != head or repo.storage.stat(PENDING) is not None:
                return False
            repo.head_file.put(after, repo.head_file.stored().sequence)
    except StorageError:
        return False  # a disk that can only be read: HEAD stays, and the next command looks again
    return True


def _follow_other_replicas(repo: Repository, head: Head) -> VersionRecord | None:
    """Let HEAD go where another machine went last in this folder: to another branch or version, or back.

    Its log, which a tool brought with the files, says so, and the files must say it, too.
    """
    operation = _last_move(repo) if repo.others.known_replicas() else None
    if operation is None or operation.head is None or operation.head.after == head:
        return None
    after, queries = operation.head.after, repo.queries
    record = queries.version(after.version) if after.version is not None else None
    if not _is_valid(repo, after):
        return None
    if operation.worktree is None and operation.type in MOVES_ALONE:
        is_there = operation.head.before == head
    else:
        is_there = record is not None and _is_there(repo, head.version, record, is_certain=True)
    if not is_there or not _go(repo, head, after):
        return None
    where = f"branch {after.branch}" if after.branch is not None else "no branch"
    what = describe(queries, record.id) if record is not None else "no version"
    repo.progress.note(f"{operation.user} went to {what} on {where} in this folder, and so do you")
    return record


def _last_move(repo: Repository) -> Operation | None:
    """Return the operation of another machine that moved HEAD, if none of ours is later."""
    for action in repo.queries.actions(limit=MOVES_CHECKED):
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


def _is_valid(repo: Repository, head: Head) -> bool:
    """Tell whether HEAD can be there: a branch is still where it was then."""
    if head.branch is None:
        return head.version is not None
    found = branch(repo, head.branch)
    if found is None or head.version is None:
        return found is None and head.version is None
    return head.version in (found.diverged or (found.version,))


def _is_there(repo: Repository, older: VersionId | None, newer: VersionRecord, *, is_certain: bool = False) -> bool:
    from aura_vcs.history.names.brought_files import is_in_worktree  # where a branch has gone on without HEAD

    try:
        return is_in_worktree(repo, older, newer, is_certain=is_certain)
    except (IntegrityError, StorageError):
        return False  # not all of it has come, or cannot be read: the next command looks again


def _next(repo: Repository, head: Head, found: Branch | None) -> VersionRecord | None:
    """Return the version that HEAD's branch has moved to, if it is one that builds on HEAD's or says the same."""
    if found is None or found.diverged or found.version == head.version:
        return None
    queries = repo.queries
    record = queries.version(found.version)
    older = queries.version(head.version) if head.version is not None else None
    if record is None or (head.version is not None and older is None):
        return None
    if older is not None and not stands_for(queries, record, older) and not queries.is_ancestor(older.id, record.id):
        return None
    return record if repo.store.contains(record.tree) else None
