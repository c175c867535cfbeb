"""Going on under another replica id, where somebody else has gone on under ours."""

from collections.abc import Iterable

import msgspec

from aura_vcs.ids import new_operation_id, new_replica_id
from aura_vcs.model import Head, Operation
from aura_vcs.operation_log import OperationLogs
from aura_vcs.plain_text import now
from aura_vcs.refs.branch_entries import furthest_entry
from aura_vcs.refs.changes import branch_change
from aura_vcs.repository.own_log import NOTE
from aura_vcs.repository.replica_id import put_replica
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
