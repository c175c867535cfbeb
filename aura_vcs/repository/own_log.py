"""The log of this machine is seen to: a tool that synchronises folders may bring an older one, or another's."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from aura_vcs.codec import encode_operation, from_plain
from aura_vcs.ids import ReplicaId, new_operation_id, new_replica_id
from aura_vcs.layout import decode_name, operations_log
from aura_vcs.model import BranchEntry, Head, Operation, RefChange
from aura_vcs.operation_log import OperationLogs
from aura_vcs.progress import Progress
from aura_vcs.refs.refs import Refs
from aura_vcs.repository.head_file import HeadFile
from aura_vcs.repository.replica_id import put_replica
from aura_vcs.storage.local import LocalStorage

NOTE = (
    "Others know more of what this copy of the project did than it does itself: it was put back to an earlier "
    "state, or copied. It goes on as a machine of its own; everything is kept"
)


class LogOwner(Protocol):
    """What of a repository the log's repair needs."""

    @property
    def replica(self) -> ReplicaId:
        """The id under which this machine writes."""

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be written."""

    root: str
    storage: LocalStorage
    logs: OperationLogs
    refs: Refs
    head_file: HeadFile
    progress: Progress

    def become(self, replica: ReplicaId) -> None:
        """Go on under another id."""


def mend_log(repo: LogOwner) -> bool:
    """See to it that our log has what we did, whatever a tool brought in its place.

    Returns whether somebody else wrote under our id: then we have another, and the index is to be built anew.
    The caller holds the refs lock.
    """
    mended = repo.logs.mend()
    if mended.count:
        repo.progress.note("This machine's log had been put back to an older state: what was gone from it is back")
    if not mended.strange or repo.is_read_only:
        return False
    take_along(repo, mended.strange)
    return True


def take_along(repo: LogOwner, operations: Sequence[Operation]) -> None:
    """Take another replica id, and with it what the log has otherwise now, because somebody else wrote it.

    The operations stand in the new log as they did in the old one, and can be taken back. The caller
    holds the refs lock, and brings index and refs to what the logs have. Interrupted, all of it has happened
    or nothing.
    """
    before, replica = repo.replica, new_replica_id()
    lines = [
        encode_operation(_of_another(operation, before, replica, sequence))
        for sequence, operation in enumerate(sorted(operations, key=lambda operation: operation.sequence), 1)
    ]
    head = repo.head_file.stored()
    repo.storage.append(operations_log(replica), b"".join(lines), at=0)
    put_replica(repo.storage, repo.root, replica)
    for name in {ref.split("/")[1] for operation in operations for ref in operation.refs if _is_of(ref, before)}:
        branch = decode_name(name)
        repo.refs.drop_entry(branch, before)
        for line in repo.logs.read_of(before):
            change = line.operation.refs.get(f"branches/{name}/{before}") if line.operation is not None else None
            if change is not None and change.after is not None:
                repo.refs.put_entry(branch, from_plain(change.after, BranchEntry, name))
    repo.become(replica)
    repo.head_file.put(Head(head.branch, head.version), len(lines))
    repo.progress.note(NOTE)


def _is_of(ref: str, replica: ReplicaId) -> bool:
    return ref.startswith("branches/") and ref.endswith(f"/{replica}")


def _of_another(operation: Operation, before: ReplicaId, replica: ReplicaId, sequence: int) -> Operation:
    """The operation as another replica has it: the entries that it moves are that one's."""
    refs = {}
    for ref, change in operation.refs.items():
        if _is_of(ref, before):
            sides = [None if side is None else {**side, "replica": replica} for side in (change.before, change.after)]
            refs[f"{ref.rpartition('/')[0]}/{replica}"] = RefChange(*sides)
        else:
            refs[ref] = change
    return msgspec.structs.replace(operation, id=new_operation_id(), replica=replica, sequence=sequence, refs=refs)
