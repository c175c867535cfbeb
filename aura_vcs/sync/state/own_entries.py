"""What a remote says of this machine's own moves, and going on under another replica id where others took ours.

A copy that was restored (from a backup, a snapshot) or cloned together with `local/` has the id of what it
was, and counts on from where it was then. Its moves would stand under numbers that others know already, and
be seen by nobody. Whoever finds a move of its own that it never made goes on as another machine.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from aura_vcs.codec import from_plain
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.ids import new_operation_id, new_replica_id
from aura_vcs.layout import REFS, branch_ref
from aura_vcs.model import BranchEntry, Head, Operation
from aura_vcs.operation_log import OperationLogs, branch_change
from aura_vcs.plain_text import now
from aura_vcs.refs.merge import furthest_entry
from aura_vcs.repository.own_log import NOTE
from aura_vcs.repository.replicas import put_replica
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft


def become_new_replica(repo: Repository, branches: Iterable[str]) -> None:
    """Take another replica id: this copy was restored to an earlier state, or copied, and others know more.

    Where we said that one of `branches` is, is said under the new id; what stands under the old one there
    belongs to whoever went on with it. Undo begins anew; the new log's first operation says which id it was.
    Interrupted, all of it has happened or nothing, but that old entries may still be here, which others know better.
    """
    before, replica = repo.replica, new_replica_id()
    with repo.locks.exclusive("refs"):
        entries = {name: furthest_entry(repo.refs.branch_entries(name), before) for name in branches}
        own = {name: entry for name, entry in entries.items() if entry is not None}
        moved = [
            branch_change(name, None, msgspec.structs.replace(entry, replica=replica, counter=1))
            for name, entry in own.items()
        ]
        draft = Draft("replica", "Went on as a machine of its own", dict(moved), payload={"was": before})
        operation = Operation(
            id=new_operation_id(), replica=replica, sequence=1, user=repo.author, host=repo.host, time=now(),
            **msgspec.structs.asdict(draft),
        )  # fmt: skip
        OperationLogs(repo.storage, replica).append(operation, at=0)
        head = repo.head_file.stored()
        put_replica(repo.storage, repo.root, replica)
        repo.become(replica)
        repo.head_file.put(Head(head.branch, head.version), 0)
        for name in own:
            repo.refs.drop_entry(name, before)
    repo.refresh()  # which brings the refs to where the new log has them
    repo.progress.note(NOTE)


def check_own_entries(repo: Repository, there: Mapping[str, Sequence[BranchEntry]]) -> bool:
    """Take another replica id if the branches of a remote have moves of ours that we never made.

    Moves that our log has, and a ref does not (any more), are made again. Returns whether the id is another.
    """
    strange = []
    for name, entries in there.items():
        listed = furthest_entry(entries, repo.replica)
        if listed is not None and not _is_known(repo, name, listed):
            strange.append(name)
    if strange:
        become_new_replica(repo, [*strange, *(name for name in repo.refs.branches() if name not in strange)])
    return bool(strange)


def _is_known(repo: Repository, name: str, listed: BranchEntry) -> bool:
    own = furthest_entry(repo.refs.branch_entries(name), repo.replica)
    if own is not None:
        if (listed.version, listed.counter, listed.seen) == (own.version, own.counter, own.seen):
            return True
        if listed.counter < own.counter and _is_below(repo, listed, own):
            return True
    logged = _in_log(repo, name, listed.counter)
    if logged is None or (logged.version, logged.seen) != (listed.version, listed.seen):
        return False
    if own is None or own.counter < listed.counter:
        with repo.transaction():
            repo.refs.put_entry(name, logged)
    return True


def _is_below(repo: Repository, listed: BranchEntry, own: BranchEntry) -> bool:
    """Tell whether our branch is built on that entry, as it nearly always is: then the log is not read."""
    if listed.version is None or own.version is None:
        return False
    return listed.version == own.version or repo.queries.is_ancestor(listed.version, own.version)


def _in_log(repo: Repository, name: str, counter: int) -> BranchEntry | None:
    """Our move of the branch with that number, as our log has it."""
    ref = branch_ref(name, repo.replica).removeprefix(f"{REFS}/").removesuffix(".json")
    for line in repo.logs.read_of(repo.replica):
        change = line.operation.refs.get(ref) if line.operation is not None else None
        if change is None or change.after is None:
            continue
        try:
            entry = from_plain(change.after, BranchEntry, ref)
        except RecordCorrupt:
            continue
        if entry.counter == counter:
            return entry
    return None
