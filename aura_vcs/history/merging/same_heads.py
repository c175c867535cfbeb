"""Heads of a branch that say the same: two machines made them apart, and neither is to be merged into the other.

Both followed the advice to merge at the same time, or both made the same edit. Of such versions one is
chosen, the same on every machine; else each merge would be answered with another one, without an end.
"""

from collections.abc import Sequence

from aura_vcs.ids import VersionId
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import VersionRecord


def are_equal(one: VersionRecord, other: VersionRecord) -> bool:
    """Tell whether two versions say the same: they have one content, or are merges of the same versions."""
    return one.tree == other.tree or _are_twins(one, other)


def _are_twins(one: VersionRecord, other: VersionRecord) -> bool:
    return len(one.parents) > 1 and set(one.parents) == set(other.parents)


def without_twins(queries: Queries, versions: Sequence[VersionId]) -> list[VersionId]:
    """Drop versions that say the same as another one, or whose twin another line has built on.

    Those that are not known here stay.
    """
    if len(versions) < 2:
        return list(versions)
    chosen: list[VersionRecord] = []
    for version in sorted(versions):
        record = queries.version(version)
        if record is not None and not any(are_equal(record, other) for other in chosen):
            chosen.append(record)
    left = {record.id for record in chosen if not _is_continued_below(queries, record, chosen)}
    return [version for version in versions if version in left or queries.version(version) is None]


def _is_continued_below(queries: Queries, merge: VersionRecord, others: Sequence[VersionRecord]) -> bool:
    """Tell whether another line contains a merge of the same versions and has gone on from there."""
    if len(merge.parents) < 2:
        return False
    found = (queries.version(child) for child in queries.children(merge.parents[0]) if child != merge.id)
    twins = [record for record in found if record is not None and _are_twins(record, merge)]
    lines = [other.id for other in others if other.id != merge.id]
    return any(queries.is_ancestor(twin.id, line) for twin in twins for line in lines)
