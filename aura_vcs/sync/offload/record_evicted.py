"""The record of content that is evicted: freed here, or not at the remote that a version came from."""

from collections.abc import Mapping

from aura_vcs.ids import ObjectId
from aura_vcs.plain_text import now
from aura_vcs.repository.format_file import EVICTED, with_feature
from aura_vcs.repository.repository import Repository


def record_evicted(repo: Repository, content: Mapping[ObjectId, tuple[int, str, int]]) -> None:
    """Record, durably, which blobs are evicted: size, path and readers of each. Readers that know nothing of it refuse.

    The caller holds the objects lock.
    """
    if not content:
        return
    with repo.transaction():
        repo.format = with_feature(repo.storage, repo.format, EVICTED)
    nowhere: Mapping[str, str] = {}
    entries = {blob: (size, path, nowhere, readers) for blob, (size, path, readers) in content.items()}
    with repo.locks.exclusive("offloaded"):
        repo.store.offloaded.note(repo.replica, entries, now(), evicted=True)
