"""The common ground of two versions: the newest versions that both come from."""

from collections.abc import Collection

from aura_vcs.ids import VersionId
from aura_vcs.index.queries import VersionFilter
from aura_vcs.index.records import VersionRecord
from aura_vcs.repository.repository import Repository


def merge_bases(repo: Repository, ours: Collection[VersionId], theirs: VersionId) -> list[VersionRecord]:
    """Find the common ancestors that are no ancestors of another common ancestor, newest first.

    Several, where lines crossed (a criss-cross); none, where they never met. Versions whose
    content was freed are passed over for the ones before them. Costs one walk of each history.
    """
    everything = VersionFilter(deleted=True)
    queries = repo.queries
    mine = {record.id: record for head in ours for record in queries.history(head, everything)}
    common = {record.id for record in queries.history(theirs, everything)} & mine.keys()
    while True:
        # Ancestors of a common version are common too: what is nobody's parent here is the newest.
        inner = {parent for version in common for parent in mine[version].parents}
        best = common - inner
        freed = {version for version in best if not _has_content(repo, mine[version])}
        if not freed:
            return sorted((mine[version] for version in best), key=lambda record: (-record.number, record.id))
        common -= freed


def _has_content(repo: Repository, record: VersionRecord) -> bool:
    return record.is_live or repo.store.contains(record.tree)
