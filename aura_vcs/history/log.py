"""Looking back: which versions there are, and which of them changed a path."""

from collections.abc import Callable, Sequence

import msgspec

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.names.branches import branch
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.queries import Queries, VersionFilter
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import EntryKind, VersionType
from aura_vcs.repository.repository import Repository

GROWTH = 8
"""How much longer a list is read where a shorter one had too few of the versions that are looked for."""


def log(
    repo: Repository,
    wanted: VersionFilter,
    *,
    start: VersionId | None = None,
    everything: bool = False,
    paths: Sequence[str] = (),
) -> list[VersionRecord]:
    """List versions, newest first: the current branch's history, or with `everything` all there are.

    Autosaves and restore points are no part of a branch; they are listed with `everything` or when
    `wanted.types` asks for them. Deleted ones that were made on the branch are listed with the rest where
    they are wanted, also such as were amended or taken back, on which nothing builds. With `paths`, only
    versions that changed one of them, also under the names that they had before.
    """
    queries = repo.queries
    heads = [start] if start is not None else _heads(repo)
    is_all = everything or any(kind != "manual" for kind in wanted.types)

    def listed(wanted: VersionFilter) -> list[VersionRecord]:
        if is_all:
            return queries.all_versions(wanted)
        found = _histories(queries, heads, wanted)
        if wanted.deleted and start is None:
            found = _with_replaced(repo, queries, found, wanted)
        return found if wanted.limit is None else found[: wanted.limit]

    if not paths:
        return listed(wanted)
    chosen = set[VersionId]().union(*(_touching(repo, queries, path) for path in paths))
    return _first_of(listed, wanted, chosen)


def _heads(repo: Repository) -> list[VersionId]:
    if repo.others.known_replicas():
        from aura_vcs.history.names.follow_branch import follow_branch  # looks at the files, which a log seldom needs

        follow_branch(repo)
    head = repo.head()
    current = branch(repo, head.branch) if head.branch is not None else None
    if current is not None:
        return list(current.diverged) or [current.version]
    return [head.version] if head.version is not None else []


def _histories(queries: Queries, heads: Sequence[VersionId], wanted: VersionFilter) -> list[VersionRecord]:
    if len(heads) == 1:
        return queries.history(heads[0], wanted)
    merged = {record.id: record for head in heads for record in queries.history(head, wanted)}
    return sorted(merged.values(), key=lambda record: (-record.number, record.id))


def _with_replaced(
    repo: Repository, queries: Queries, found: list[VersionRecord], wanted: VersionFilter
) -> list[VersionRecord]:
    """Add to the history the deleted versions that were made on this branch and left it."""
    name = repo.head().branch
    others = queries.all_versions(msgspec.structs.replace(wanted, types=(VersionType.MANUAL,), limit=None))
    merged = {record.id: record for record in found}
    merged |= {record.id: record for record in others if record.deleted_at is not None and record.branch == name}
    return sorted(merged.values(), key=lambda record: (-record.number, record.id))


def _first_of(
    listed: Callable[[VersionFilter], list[VersionRecord]], wanted: VersionFilter, chosen: set[VersionId]
) -> list[VersionRecord]:
    """List those of the chosen versions that are wanted; of many versions no more are read than it takes."""
    limit = wanted.limit
    step = None if limit is None else max(limit, 1) * GROWTH
    while True:
        records = listed(msgspec.structs.replace(wanted, limit=step))
        found = [record for record in records if record.id in chosen]
        if step is None or len(records) < step:
            return found[:limit]
        if limit is not None and len(found) >= limit:
            return found[:limit]
        step *= GROWTH


def _touching(repo: Repository, queries: Queries, path: str) -> set[VersionId]:
    """Find the versions that changed a path, under the names that it had before too."""
    found: set[VersionId] = set()
    waiting, seen = [path], {path}
    while waiting:
        name = waiting.pop()
        touching = [
            version
            for _, version, is_sure in queries.touching(name)
            if is_sure or _changes(repo, queries, version, name)
        ]
        found.update(touching)
        before = _name_before(repo, queries, touching[-1], name) if touching else name
        if before not in seen:
            seen.add(before)
            waiting.append(before)
    return found


def _name_before(repo: Repository, queries: Queries, version: VersionId, path: str) -> str:
    """Return the file's name before the version in which it is first seen under this name."""
    from aura_vcs.history.lookup.renames import name_in_parent  # with the comparisons: only a log of paths needs them

    record = queries.version(version)
    parent = queries.version(record.parents[0]) if record is not None and record.parents else None
    return path if record is None or parent is None else name_in_parent(repo, record, parent, path)


def _changes(repo: Repository, queries: Queries, version: VersionId, path: str) -> bool:
    """Tell by its tree whether a version changed a path. A merge counts where it has what none of its parents had.

    What cannot be read any more is believed of a merge, which the index has it from, and of no other.
    """
    record = queries.version(version)
    if record is None:
        return False
    parents = [found for parent in record.parents if (found := queries.version(parent)) is not None]
    try:
        after = _at(repo, record.tree, path)
        return all(_at(repo, parent.tree, path) != after for parent in parents) and (bool(parents) or after is not None)
    except IntegrityError:
        return len(record.parents) > 1


def _at(repo: Repository, tree: ObjectId, path: str) -> tuple[ObjectId, EntryKind] | None:
    entry = repo.trees.entry(tree, path)
    return None if entry is None else (entry.id, entry.kind)
