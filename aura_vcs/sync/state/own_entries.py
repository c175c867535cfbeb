"""What a remote says of this machine's own moves, compared with what this machine knows of them.

A copy that was restored (from a backup, a snapshot) or cloned together with `local/` has the id of what it
was, and counts on from where it was then. Its moves would stand under numbers that others know already, and
be seen by nobody. Whoever finds a move of its own that it never made goes on as another machine.
"""

from collections.abc import Mapping, Sequence

from aura_vcs.codec import from_plain
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.layout import REFS, branch_ref
from aura_vcs.model import BranchEntry
from aura_vcs.refs.branch_entries import furthest_entry
from aura_vcs.repository.new_replica import become_new_replica
from aura_vcs.repository.repository import Repository


def check_own_entries(repo: Repository, there: Mapping[str, Sequence[BranchEntry]]) -> bool:
    """Take another replica id if the branches of a remote have moves of ours that we never made.

    Moves that our log has, and a ref does not (any more), are made again. Returns whether the id is another.
    """
    strange = []
    for name, entries in there.items():
        far = furthest_entry(entries, repo.replica)
        if far is not None and not _is_known(repo, name, far):
            strange.append(name)
    if strange:
        become_new_replica(repo, [*strange, *(name for name in repo.refs.branches() if name not in strange)])
    return bool(strange)


def _is_known(repo: Repository, name: str, far: BranchEntry) -> bool:
    own = furthest_entry(repo.refs.branch_entries(name), repo.replica)
    if own is not None:
        if (far.version, far.counter, far.seen) == (own.version, own.counter, own.seen):
            return True
        if far.counter < own.counter and _is_below(repo, far, own):
            return True
    logged = _in_log(repo, name, far.counter)
    if logged is None or (logged.version, logged.seen) != (far.version, far.seen):
        return False
    if own is None or own.counter < far.counter:
        with repo.transaction():
            repo.refs.put_entry(name, logged)
    return True


def _is_below(repo: Repository, far: BranchEntry, own: BranchEntry) -> bool:
    """Tell whether our branch is built on that entry, as it nearly always is: then the log is not read."""
    if far.version is None or own.version is None:
        return False
    return far.version == own.version or repo.queries.is_ancestor(far.version, own.version)


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
