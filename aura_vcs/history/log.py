"""Looking back: which versions there are, and which of them changed a path."""

from collections.abc import Sequence

import msgspec

from aura_vcs.history.branches import branch
from aura_vcs.ids import VersionId
from aura_vcs.index.queries import Queries, VersionFilter
from aura_vcs.index.records import VersionRecord
from aura_vcs.objects.trees import EMPTY_TREE_ID
from aura_vcs.repository.repository import Repository


def log(
    repo: Repository,
    wanted: VersionFilter,
    *,
    start: VersionId | None = None,
    everything: bool = False,
    paths: Sequence[str] = (),
) -> list[VersionRecord]:
    """Versions, newest first: the current branch's history, or with `everything` all there are.

    Autosaves and restore points are no part of a branch; they are listed with `everything` or when
    `wanted.types` asks for them. With `paths`, only versions that changed one of them.
    """
    queries = Queries(repo.index)
    limit = wanted.limit
    if paths:
        wanted = msgspec.structs.replace(wanted, limit=None)
    heads = [start] if start is not None else _heads(repo)
    if everything or any(kind != "manual" for kind in wanted.types):
        found = queries.all_versions(wanted)
    else:
        found = _histories(queries, heads, wanted)
    if paths:
        found = _touching(repo, queries, found, paths)
    return found if limit is None else found[:limit]


def _heads(repo: Repository) -> list[VersionId]:
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


def _touching(
    repo: Repository, queries: Queries, records: Sequence[VersionRecord], paths: Sequence[str]
) -> list[VersionRecord]:
    touched = [(path, queries.versions_touching(path)) for path in paths]
    return [
        record
        for record in records
        if any(_changes(repo, record, path, known.get(record.id)) for path, known in touched)
    ]


def _changes(repo: Repository, record: VersionRecord, path: str, known: bool | None) -> bool:
    """Whether a version changed a path; `known` is the index's answer, False if it has none."""
    if known is not False:
        return known is True
    parent = Queries(repo.index).version(record.parents[0]) if record.parents else None
    before = repo.trees.entry(parent.tree if parent is not None else EMPTY_TREE_ID, path)
    after = repo.trees.entry(record.tree, path)
    return (before and (before.id, before.kind)) != (after and (after.id, after.kind))
