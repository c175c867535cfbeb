"""What the entries of branches have seen, in a manifest that very many machines moved: each as a step from another.

Of a thousand machines that move one branch in turn, each has seen all the others: a million numbers, and hardly one of
them is news. So they are put into a row in which each differs from the one before it by two or three numbers.
"""

from collections.abc import Mapping, Sequence

import msgspec

from aura_vcs.codec import NUMBER_LIMIT
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.ids import ReplicaId
from aura_vcs.model import BranchEntry
from aura_vcs.refs.packed_labels import is_proper_seen

MANY_SEEN = 20_000
"""Fewer numbers (some 140 machines on one branch) are said in the entries themselves, as older versions read them."""
SEEN_LIMIT = 1 << 22
"""More numbers than these, as they are when all steps are made, are not read: 2,000 machines on one branch."""
Step = tuple[ReplicaId, dict[ReplicaId, int | None]]
"""Whose entry it is, and what it has seen otherwise than the one before it; None: nothing of that machine."""
Branches = Mapping[str, tuple[BranchEntry, ...]]


def in_steps(branches: Branches) -> tuple[dict[str, tuple[BranchEntry, ...]], dict[str, tuple[Step, ...]]]:
    """Return branches whose entries say nothing of what they have seen, and the steps that say it.

    No steps where there are few numbers, or more than are read.
    """
    numbers = sum(len(entry.seen) for entries in branches.values() for entry in entries)
    if not MANY_SEEN <= numbers <= SEEN_LIMIT:
        return dict(branches), {}
    bare = {name: tuple(msgspec.structs.replace(entry, seen={}) for entry in all_) for name, all_ in branches.items()}
    return bare, {name: tuple(_steps(entries)) for name, entries in branches.items() if entries}


def _steps(entries: Sequence[BranchEntry]) -> list[Step]:
    """Put entries into a row: whoever has seen another has seen more in all, and comes later."""
    steps, before = list[Step](), dict[ReplicaId, int]()
    for entry in sorted(entries, key=lambda entry: (sum(entry.seen.values()) + entry.counter, entry.replica)):
        changed: dict[ReplicaId, int | None] = {
            replica: counter for replica, counter in entry.seen.items() if before.get(replica) != counter
        }
        changed |= dict.fromkeys(before.keys() - entry.seen.keys())
        steps.append((entry.replica, dict(sorted(changed.items()))))
        before = entry.seen
    return steps


def with_seen(branches: Branches, steps: Mapping[str, Sequence[Step]], path: str) -> dict[str, tuple[BranchEntry, ...]]:
    """Return the branches with what their entries have seen. `steps` are not trusted.

    Raises:
        RecordCorrupt: they are not those of the branches, or lead to more than anybody has seen.
    """
    found, left = dict(branches), SEEN_LIMIT
    for name, row in steps.items():
        fault = RecordCorrupt(path, f"what was seen of branch {name[:80]} does not fit its entries")
        entries = {entry.replica: entry for entry in branches.get(name, ())}
        if len(row) != len(entries) or any(entry.seen for entry in entries.values()):
            raise fault
        seen: dict[ReplicaId, int] = {}
        of: dict[ReplicaId, dict[ReplicaId, int]] = {}
        for replica, changed in row:
            added = {other: counter for other, counter in changed.items() if counter is not None}
            removed = changed.keys() - added.keys()
            if replica in of or not removed <= seen.keys() or not is_proper_seen(added, NUMBER_LIMIT):
                raise fault
            left -= len(seen) + len(added)
            if left < 0:
                raise RecordCorrupt(path, f"the entries of branch {name[:80]} have seen more than there can be")
            seen = seen | added
            for other in removed:
                del seen[other]
            of[replica] = seen
        if of.keys() != entries.keys():
            raise fault
        found[name] = tuple(msgspec.structs.replace(entry, seen=of[entry.replica]) for entry in branches[name])
    return found
