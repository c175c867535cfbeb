"""How copies of one ref merge: of tags, of labels field by field, and of the entries of a branch.

Pure: refs come in, refs go out. What a tag has seen is a version vector, as in the entries of branches: only
who knew of a tag takes it away. Tags that do not say what they have seen were written before there was such a
field: they count as having seen every tag of that name with a lower counter.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from blake3 import blake3

from aura_vcs import layout
from aura_vcs.errors.input import InvalidName
from aura_vcs.ids import ReplicaId
from aura_vcs.model import BranchEntry, Label, Tag
from aura_vcs.refs.packed_labels import STAMP_LIMIT

_DEPTH = 8
"""So many names that are taken are tried for a tag that is kept beside another one."""
_APART = r"\.[0-9a-f]{4}\Z"


def next_stamp(before: Tag | None, replica: ReplicaId) -> tuple[tuple[int, ReplicaId], dict[ReplicaId, int] | None]:
    """Return the stamp, and what it has seen, of a replica's change to the tag `before` (None: there never was one)."""
    if before is None:
        return (1, replica), {}
    counter = max(before.stamp[0], *(before.seen or {}).values(), 0) + 1
    return (counter, replica), _union(before, before, replica)


def merge_tags(one: Tag, other: Tag) -> tuple[Tag, Tag | None]:
    """Merge two copies of a tag into the one that has the name, and one to be kept beside it, if any.

    Where one has seen the other, it counts. Where neither has, the tag stays that was not deleted; of two
    versions, the one with the higher stamp has the name. Commutes; idempotent.
    """
    higher, lower = (one, other) if _rank(one) >= _rank(other) else (other, one)
    if (one.stamp, one.version) == (other.stamp, other.version):
        return _with_seen(higher, lower), None
    if _has_seen(higher, lower):
        return _with_seen(higher, lower), None
    if _has_seen(lower, higher):
        return _with_seen(lower, higher), None
    if higher.version is None:
        return _with_seen(lower, higher), None
    kept = None if lower.version in {None, higher.version} else lower
    return _with_seen(higher, lower), kept


def add_tag(tags: dict[str, Tag], name: str, tag: Tag) -> None:
    """Merge a copy of a tag into tags by name.

    One that is to be kept beside it is added under a name that follows from the tag (see `name_apart`), so that
    all machines give the same; where that name is taken by yet another one, the same goes for the two of them.
    """
    for _ in range(_DEPTH):
        known = tags.get(name)
        if known is None:
            tags[name] = tag
            return
        tags[name], kept = merge_tags(known, tag)
        if kept is None:
            return
        tag, name = kept, name_apart(name, kept)


def name_apart(name: str, tag: Tag) -> str:
    """Return the name of a tag that is kept beside the one called `name`.

    The first characters of `name`, as many as a name may have, a dot and the first four digits of the tag's
    version; the next four, if it has that name already. Not those of the replica: one replica gives a name twice,
    and where both are kept, the later would replace the earlier.
    """
    digits = tag.version or tag.stamp[1]
    ending = f".{digits[4:8]}" if name.endswith(f".{digits[:4]}") else f".{digits[:4]}"
    for length in range(layout.NAME_LIMIT - len(ending), 0, -1):
        if length > len(name):
            continue
        try:
            return layout.check_name("tag", f"{name[:length]}{ending}")
        except InvalidName:
            continue
    return f"tag{ending}"


def tags_apart(tags: Mapping[str, Tag]) -> Iterator[tuple[str, str]]:
    """Yield the names of tags that machines gave to two versions, each with the name of the one kept beside it."""
    living = {name: tag for name, tag in sorted(tags.items()) if tag.version is not None}
    names = list(living)
    for apart, tag in living.items():
        start = apart.rpartition(".")[0]
        if not start or not may_be_apart(apart):
            continue
        at = bisect_left(names, start)
        for name in names[at : at + _DEPTH]:
            if name != apart and living[name].version != tag.version and name_apart(name, tag) == apart:
                yield name, apart


def may_be_apart(name: str) -> bool:
    """Tell whether a tag that stands beside another one can have this name."""
    return re.search(_APART, name) is not None


def _has_seen(one: Tag, other: Tag) -> bool:
    """Tell whether `one` was given by somebody who knew of `other`."""
    if one.seen is None or one.stamp[1] == other.stamp[1]:
        return one.stamp[0] > other.stamp[0]
    return one.seen.get(other.stamp[1], 0) >= other.stamp[0]


def _with_seen(tag: Tag, other: Tag) -> Tag:
    """Return the tag, marked as having seen the other one."""
    if tag.seen is None:
        is_same = tag.stamp == other.stamp
        return msgspec.structs.replace(tag, seen=other.seen) if is_same else tag
    return msgspec.structs.replace(tag, seen=_union(tag, other, tag.stamp[1]))


def _union(tag: Tag, other: Tag, replica: ReplicaId) -> dict[ReplicaId, int] | None:
    """Compute what a tag of the replica that follows both has seen, sorted; None where the tag does not note it."""
    if tag.seen is None:
        return None
    seen = dict(tag.seen)
    for of, counter in (*(other.seen or {}).items(), (other.stamp[1], other.stamp[0])):
        seen[of] = max(counter, seen.get(of, 0))
    seen.pop(replica, None)
    return dict(sorted(seen.items()))


def _rank(tag: Tag) -> tuple[tuple[int, ReplicaId], str, list[tuple[str, str]]]:
    """Order copies; of one change, the copy comes first from which nothing was left out by an older reader."""
    return tag.stamp, tag.version or "", sorted(tag.extra.items())


def heads(entries: Iterable[BranchEntry]) -> list[BranchEntry]:
    """Return the entries that no other entry has seen: one, or several where machines diverged.

    What an entry claims to have seen of a machine beyond that machine's own entries counts for nothing: it
    would be above all that the machine does from now on. Where entries claim to have seen each other, all stand.
    """
    entries = list(entries)
    if len(entries) < 2:
        return entries
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
    return max([entry for entry in entries if entry.replica == replica], key=attrgetter("counter"), default=None)


_STAMPED = ("name", "description", "important")
_DELETION = ("deleted_at", "deleted_by")
_PURGE = ("purged_at", "purged_by", "purge_reason")


def merge_labels(ours: Label, theirs: Label) -> Label:
    """Merge two copies of a label into one: per field, the higher stamp wins. Commutes; idempotent.

    Where two copies of one replica gave one stamp to two values, the value decides, the same everywhere.
    """
    changes: dict[str, Any] = {}
    stamps = dict(ours.stamps)
    for field, stamp in theirs.stamps.items():
        known = ours.stamps.get(field, (0, ReplicaId("")))
        if stamp > known or (stamp == known and _stamp_rank(field, theirs) > _stamp_rank(field, ours)):
            stamps[field] = stamp
            for name in fields_of_stamp(field):
                changes[name] = getattr(theirs, name)
    newest = max(ours, theirs, key=lambda label: (label.updated_at or "", label.updated_by or ""))
    return msgspec.structs.replace(
        ours, **changes, stamps=stamps, updated_at=newest.updated_at, updated_by=newest.updated_by
    )


def _stamp_rank(stamp: str, label: Label) -> list[str]:
    return [repr(getattr(label, name)) for name in fields_of_stamp(stamp)]


def fields_of_stamp(stamp: str) -> Sequence[str]:
    """List the fields that change together under one stamp."""
    if stamp == "deleted":
        return _DELETION
    if stamp == "purged":
        return _PURGE
    return (stamp,) if stamp in _STAMPED else ()


def stamp_label(label: Label, replica: ReplicaId, at: str, by: str, **changes: Any) -> Label:
    """Return the label with fields changed by this replica, stamped above every stamp it has."""
    counter = max((count for count, _ in label.stamps.values()), default=0) + 1
    stamps = dict(label.stamps)
    for field in changes:
        name = "deleted" if field in _DELETION else "purged" if field in _PURGE else field
        stamps[name] = (counter, replica)
    return msgspec.structs.replace(label, **changes, stamps=stamps, updated_at=at, updated_by=by)


def is_believable(stamp: tuple[int, ReplicaId]) -> bool:
    """Tell whether a stamp's counter is plausible: a higher one would be above all that come later."""
    return 0 <= stamp[0] <= STAMP_LIMIT
