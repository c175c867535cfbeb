"""The log of this machine is seen to: a tool that synchronises folders may bring an older one, or another's."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from aura_vcs.codec import encode_operation, from_plain
from aura_vcs.ids import ObjectId, ReplicaId, VersionId, new_operation_id, new_replica_id
from aura_vcs.layout import decode_name, operations_log
from aura_vcs.model import BranchEntry, Head, Operation, RefChange
from aura_vcs.operation_log import OperationLogs
from aura_vcs.repository.replicas import put_replica

if TYPE_CHECKING:
    from aura_vcs.progress import Progress
    from aura_vcs.refs.refs import Refs
    from aura_vcs.repository.hardlink_backup import HardlinkBackup
    from aura_vcs.repository.head_file import HeadFile
    from aura_vcs.storage.local import LocalStorage

NOTE = (
    "Others know more of what this copy of the project did than it does itself: it was restored to an earlier "
    "state, or copied. It continues as a machine of its own; everything is kept"
)

BACKUP_RESTORED = (
    "This project was restored to an earlier state: what was done in it since is not here. It continues from there "
    "as a machine of its own; what was sent to a remote comes back with `aura pull`"
)


class LogOwner(Protocol):
    """What of a repository the log's repair needs."""

    @property
    def replica(self) -> ReplicaId:
        """The id under which this machine writes."""

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be written."""

    @property
    def hardlink_backup(self) -> "HardlinkBackup":
        """Second names of stored files."""

    root: str
    storage: "LocalStorage"
    logs: OperationLogs
    refs: "Refs"
    head_file: "HeadFile"
    progress: "Progress"

    def become(self, replica: ReplicaId) -> None:
        """Go on under another id."""


def mend_log(repo: LogOwner) -> bool:
    """See to it that our log has what we did, whatever a tool brought in its place.

    What it led to is restored as well, where a tool took that, too. Returns whether the index is to be built
    anew: something was restored, or we have another id, because somebody else wrote under ours. The caller
    holds the refs lock.
    """
    mended = repo.logs.mend(lambda lost: _count_recoverable(repo, lost))
    if mended.restored:
        repo.progress.note("This machine's log had been restored to an older state: what was missing from it is back")
    if repo.is_read_only:
        return False
    for operation in mended.restored:
        repo.refs.apply(operation.refs)
    if mended.foreign:
        adopt_foreign_lines(repo, mended.foreign)
    elif mended.absent or _is_head_absent(repo):
        _go_on_from_backup(repo)
    else:
        return bool(mended.restored)
    return True


def _count_recoverable(repo: LogOwner, lost: Sequence[Operation]) -> int:
    """Count the lost operations, from the first on, that can be restored: what they made is here.

    All of them, where what they led to is here. It is not where all of the project was restored but `local`,
    which a backup leaves out: then the objects went back with the log.
    """
    present = repo.hardlink_backup.present()
    led_to: dict[str, VersionId] = {}
    for operation in lost:
        led_to |= _refs_and_head(operation)
    if all(version in present for version in led_to.values()):
        return len(lost)
    absent = (any(v not in present for v in _refs_and_head(operation).values()) for operation in lost)
    return next((count for count, is_absent in enumerate(absent) if is_absent), len(lost))


def _refs_and_head(operation: Operation) -> dict[str, VersionId]:
    """Return where an operation put branches and HEAD."""
    found = {}
    for ref, change in operation.refs.items():
        version = change.after.get("version") if ref.startswith("branches/") and change.after is not None else None
        if isinstance(version, str):
            found[ref] = VersionId(ObjectId(version))
    if operation.head is not None and operation.head.after.version is not None:
        found["HEAD"] = operation.head.after.version
    return found


def _is_head_absent(repo: LogOwner) -> bool:
    """Tell whether HEAD was put by an operation that the log does not have, to a version that is not here."""
    head = repo.head_file.written()
    if head is None or head.version is None or head.version in repo.hardlink_backup.present():
        return False
    last = max((line.operation.sequence for line in repo.logs.read_of(repo.replica) if line.operation), default=0)
    return head.sequence > last


def _go_on_from_backup(repo: LogOwner) -> None:
    """Go on from the state that the project was restored to, as another replica, with HEAD where it was then.

    What was done since may have been sent: its numbers are not used again. Interrupted before the id has
    changed, the next command does it again.
    """
    head, replica = repo.head_file.recovered(), new_replica_id()
    repo.head_file.put(Head(head.branch, head.version), head.sequence)
    put_replica(repo.storage, repo.root, replica)
    repo.become(replica)
    repo.head_file.put(Head(head.branch, head.version), 0)
    repo.progress.note(BACKUP_RESTORED)


def adopt_foreign_lines(repo: LogOwner, operations: Sequence[Operation]) -> None:
    """Take another replica id, and with it what the log has otherwise now, because somebody else wrote it.

    The operations stand in the new log as they did in the old one, and can be taken back. The caller
    holds the refs lock, and brings index and refs to what the logs have. Interrupted, all of it has happened
    or nothing.
    """
    before, replica = repo.replica, new_replica_id()
    lines = [
        encode_operation(_as_another_replica(operation, before, replica, sequence))
        for sequence, operation in enumerate(sorted(operations, key=lambda operation: operation.sequence), 1)
    ]
    head = repo.head_file.stored()
    repo.storage.append(operations_log(replica), b"".join(lines), at=0)
    put_replica(repo.storage, repo.root, replica)
    for name in {ref.split("/")[1] for operation in operations for ref in operation.refs if _is_by(ref, before)}:
        branch = decode_name(name)
        repo.refs.drop_entry(branch, before)
        for line in repo.logs.read_of(before):
            change = line.operation.refs.get(f"branches/{name}/{before}") if line.operation is not None else None
            if change is not None and change.after is not None:
                repo.refs.put_entry(branch, from_plain(change.after, BranchEntry, name))
    repo.become(replica)
    repo.head_file.put(Head(head.branch, head.version), len(lines))
    repo.progress.note(NOTE)


def _is_by(ref: str, replica: ReplicaId) -> bool:
    return ref.startswith("branches/") and ref.endswith(f"/{replica}")


def _as_another_replica(operation: Operation, before: ReplicaId, replica: ReplicaId, sequence: int) -> Operation:
    """Return the operation as another replica has it: the entries that it moves are that one's."""
    refs = {}
    for ref, change in operation.refs.items():
        if _is_by(ref, before):
            sides = [None if side is None else {**side, "replica": replica} for side in (change.before, change.after)]
            refs[f"{ref.rpartition('/')[0]}/{replica}"] = RefChange(*sides)
        else:
            refs[ref] = change
    return msgspec.structs.replace(operation, id=new_operation_id(), replica=replica, sequence=sequence, refs=refs)
