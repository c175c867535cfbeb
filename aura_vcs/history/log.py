"""Looking back: which versions there are, and which of them changed a path."""

from collections.abc import Sequence

import msgspec

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.names.branches import branch
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.queries import Queries, VersionFilter
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import EntryKind, VersionType
from aura_vcs.repository.repository import Repository


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
    limit = wanted.limit
    if paths:
        wanted = msgspec.structs.replace(wanted, limit=None)
    heads = [start] if start is not None else _heads(repo)
    if everything or any(kind != "manual" for kind in wanted.types):
        found = queries.all_versions(wanted)
    else:
        found = _histories(queries, heads, wanted)
        if wanted.deleted and start is None:
            found = _with_replaced(repo, queries, found, wanted)
    if paths:
        found = _touching(repo, queries, found, paths)
    return found if limit is None else found[:limit]


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


def _touching(
    repo: Repository, queries: Queries, records: Sequence[VersionRecord], paths: Sequence[str]
) -> list[VersionRecord]:
    chosen: set[VersionId] = set()
    for path in paths:
        chosen |= _touching_one(repo, queries, path)
    return [record for record in records if record.id in chosen]


def _touching_one(repo: Repository, queries: Queries, path: str) -> set[VersionId]:
    """Find the versions that changed a path, under the names that it had before too."""
    found: set[VersionId] = set()
    waiting, seen = [path], {path}
    records = queries.all_versions(VersionFilter(deleted=True))
    while waiting:
        name = waiting.pop()
        known = queries.versions_touching(name)
        touching = [record for record in records if _changes(repo, record, name, known.get(record.id))]
        found.update(record.id for record in touching)
        before = _name_before(repo, queries, touching[-1], name) if touching else name
        if before not in seen:
            seen.add(before)
            waiting.append(before)
    return found


def _name_before(repo: Repository, queries: Queries, record: VersionRecord, path: str) -> str:
    """Return the file's name before the version in which it is first seen under this name."""
    from aura_vcs.history.lookup.renames import name_in_parent  # with the comparisons: only a log of paths needs them

    parent = queries.version(record.parents[0]) if record.parents else None
    return path if parent is None else name_in_parent(repo, record, parent, path)


def _changes(repo: Repository, record: VersionRecord, path: str, known: bool | None) -> bool:
    """Tell whether a version changed a path; `known` is the index's answer, False if it has none.

    A merge counts where it has what none of its parents had.
    """
    if known is not False and len(record.parents) < 2:
        return known is True
    if known is None:
        return False
    queries = repo.queries
    parents = [found for parent in record.parents if (found := queries.version(parent)) is not None]
    try:
        after = _at(repo, record.tree, path)
        return all(_at(repo, parent.tree, path) != after for parent in parents) and (bool(parents) or after is not None)
    except IntegrityError:
        return known is True


def _at(repo: Repository, tree: ObjectId, path: str) -> tuple[ObjectId, EntryKind] | None:
    entry = repo.trees.entry(tree, path)
    return None if entry is None else (entry.id, entry.kind)
