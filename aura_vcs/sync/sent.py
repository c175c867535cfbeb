"""What is known here, without asking anybody, of the versions that remotes have.

As old as the last transfer: another machine may have sent the same since, and nothing is decided by it.
"""

from collections.abc import Sequence

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.ids import VersionId
from aura_vcs.index.queries import Queries
from aura_vcs.layout import CONFIG
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.remotes.config import remotes
from aura_vcs.sync.state.cache import RemoteCache

LOOKED_AT = 2_000
"""So many versions are looked through for those that were not sent; then it is "more than"."""


class Unsent(msgspec.Struct, frozen=True):
    """How many versions of a line a remote does not have, as far as is known here.

    `is_more` says that the search ended at its limit. `never` says that nothing was exchanged with it yet.
    """

    remote: str
    versions: int
    is_more: bool = False
    never: bool = False


def unsent(repo: Repository, head: VersionId | None) -> tuple[Unsent, ...]:
    """Return, for each remote that lacks some, how many versions of `head`'s line it lacks.

    The cost grows with what was not sent. A remote that was used by an older release, of which no versions
    were noted, is passed over until the next transfer.
    """
    if head is None or not _has_remotes(repo):
        return ()
    return tuple(item for name in _names(repo) if (item := _unsent(repo, name, head)) is not None)


def sent_to(repo: Repository, version: VersionId) -> tuple[str, ...]:
    """Return the remotes that are known to have a version."""
    if not _has_remotes(repo):
        return ()
    queries = repo.queries
    return tuple(
        name
        for name in _names(repo)
        if any(queries.is_ancestor(version, head) for head in _heads(repo, name) if queries.version(head) is not None)
    )


def _has_remotes(repo: Repository) -> bool:
    return repo.storage.stat(CONFIG) is not None and bool(_names(repo))


def _names(repo: Repository) -> Sequence[str]:
    try:
        return list(remotes(repo))
    except AuraError:
        return ()  # whoever uses the remotes hears of it


def _heads(repo: Repository, name: str) -> set[VersionId]:
    return {version for versions in RemoteCache(repo, name).state().heads.values() for version in versions}


def _unsent(repo: Repository, name: str, head: VersionId) -> Unsent | None:
    seen = RemoteCache(repo, name).state()
    there = {version for versions in seen.heads.values() for version in versions}
    if not there and seen.generation > 0 and seen.counters:
        return None  # noted by an older release
    queries = repo.queries
    if head in there:
        return None
    found, is_more = _until(queries, head, there)
    known = [record for version in there if (record := queries.version(version)) is not None]
    highest = max((record.number for record in known), default=-1)
    lacking = [
        version
        for version, number in found
        if number > highest or not any(queries.is_ancestor(version, record.id) for record in known)
    ]
    return Unsent(name, len(lacking), is_more, never=not there) if lacking else None


def _until(queries: Queries, head: VersionId, there: set[VersionId]) -> tuple[list[tuple[VersionId, int]], bool]:
    """List the live versions of a line back to where the remote is, with their numbers, and whether there are more."""
    found: list[tuple[VersionId, int]] = []
    waiting, looked = [head], {head, *there}
    while waiting and len(looked) < LOOKED_AT:
        record = queries.version(waiting.pop())
        if record is None:
            continue
        if record.is_live:
            found.append((record.id, record.number))
        new = [parent for parent in record.parents if parent not in looked]
        looked.update(new)
        waiting += new
    return found, bool(waiting)
