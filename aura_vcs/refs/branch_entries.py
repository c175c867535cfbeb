"""Entries of a branch, which say where each machine has it: which of them count.

Pure: entries come in, entries go out.
"""

from collections.abc import Iterable

import msgspec
from blake3 import blake3

from aura_vcs.ids import ReplicaId
from aura_vcs.model import BranchEntry
from aura_vcs.refs.packed_labels import STAMP_LIMIT


def heads(entries: Iterable[BranchEntry]) -> list[BranchEntry]:
    """Return the entries that no other entry has seen: one, or several where machines diverged.

    What an entry claims to have seen of a machine beyond that machine's own entries counts for nothing: it
    would be above all that the machine does from now on. Where entries claim to have seen each other, all stand.
    """
    entries = list(entries)
    newest: dict[ReplicaId, int] = {}
    for entry in entries:
        newest[entry.replica] = max(entry.counter, newest.get(entry.replica, 0))
    seen: dict[ReplicaId, int] = {}
    for entry in entries:
        for replica, counter in entry.seen.items():
            if replica != entry.replica and seen.get(replica, -1) < counter <= newest.get(replica, -1):
                seen[replica] = counter
    last = [entry for entry in entries if entry.counter == newest[entry.replica]]
    return [entry for entry in last if entry.counter > seen.get(entry.replica, -1)] or last


def claimed_branches(entries: Iterable[BranchEntry], replica: ReplicaId) -> int:
    """Return the highest counter of a replica that others claim to have seen, among those that are believable."""
    claims = (entry.seen.get(replica, 0) for entry in entries if entry.replica != replica)
    return max((claim for claim in claims if claim <= STAMP_LIMIT), default=0)


def renamed_apart(entry: BranchEntry, known: Iterable[BranchEntry]) -> BranchEntry:
    """Return the entry, renamed where `known` has another one of the same replica and counter.

    Two copies of one replica that both worked write such entries; neither may hide the other, nor
    count as seen where the other was. The name follows from the entry: whoever sets it apart gives the same.
    """
    twins = [other for other in known if (other.replica, other.counter) == (entry.replica, entry.counter)]
    if not twins or entry.version in {other.version for other in twins}:
        return entry
    return set_apart(entry)


def set_apart(entry: BranchEntry) -> BranchEntry:
    """Return the entry under a name of its own, made of what it says: it stands whatever its replica does."""
    name = blake3(f"{entry.replica}:{entry.counter}:{entry.version}".encode()).hexdigest()[:12]
    return msgspec.structs.replace(entry, replica=ReplicaId(name), counter=1)


def furthest_entry(entries: Iterable[BranchEntry], replica: ReplicaId) -> BranchEntry | None:
    """Return the last entry of a replica; of its conflicted copies the one that it wrote last."""
    return max((entry for entry in entries if entry.replica == replica), key=lambda entry: entry.counter, default=None)
