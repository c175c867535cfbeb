"""Which versions have something at a path."""

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.index.records import VersionRecord
from aura_vcs.repository.repository import Repository


def last_with_path(repo: Repository, path: str) -> VersionRecord | None:
    """Return the newest live version that has a file or folder at a path, of any branch; None for none.

    Only versions that changed the path, and the ones before them, are opened.
    """
    queries = repo.queries
    touching = [record for version in queries.versions_touching(path) if (record := queries.version(version))]
    parents = [found for record in touching for parent in record.parents if (found := queries.version(parent))]
    candidates = {record.id: record for record in (*touching, *parents) if record.is_live}
    for record in sorted(candidates.values(), key=lambda record: -record.number):
        try:
            if repo.trees.entry(record.tree, path) is not None:
                return record
        except IntegrityError:
            continue  # what cannot be read holds nothing here; fsck says more
    return None
