"""Tags: how copies of one merge, and what two machines that did not know of each other make of one name.

Pure: tags come in, tags go out. What a tag has seen is a version vector, as in the entries of branches: only
who knew of a tag takes it away. Tags that do not say what they have seen were written before there was such a
field: they count as having seen every tag of that name with a lower counter.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping

import msgspec

from aura_vcs import layout
from aura_vcs.errors.input import InvalidName
from aura_vcs.ids import ReplicaId
from aura_vcs.model import Tag

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
