"""Planning which content need not be here, because remotes prove to hold it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from aura_vcs.api.credentials import Credentials
from aura_vcs.api.opened import StrPath, project_paths
from aura_vcs.api.upkeep import OffloadPlan
from aura_vcs.api.values import time_text
from aura_vcs.history.lookup.select_files import select
from aura_vcs.history.names.revisions import resolve
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.offload import offload as offload_room
from aura_vcs.sync.offload.proof import StorageProver
from aura_vcs.sync.offload.witnesses import witnesses
from aura_vcs.sync.remotes.link import open_link


def plan_offload(
    repo: Repository,
    credentials: Credentials,
    names: list[str],
    *,
    paths: Iterable[StrPath],
    older_than: timedelta | None,
    remotes: Iterable[str],
    copies: int,
    min_size: int,
    verify: bool,
) -> OffloadPlan:
    """See `Project.plan_offload`."""
    repo.adopt_unrecorded_objects()
    before = None if older_than is None else time_text(datetime.now(UTC) - older_than)
    chosen = select(repo, [resolve(repo, name) for name in names], project_paths(repo, paths), before=before)
    with witnesses(repo, list(remotes), _connect(repo, credentials)) as found:
        plan = offload_room.plan_offload(
            repo, found.asked, chosen, copies=copies, least_bytes=min_size, everything=verify
        )
    return OffloadPlan._of(plan, found.unreachable)


def _connect(repo: Repository, credentials: Credentials) -> Callable[[str], RemoteStorage]:
    return lambda name: open_link(repo, name, credentials._surroundings(), credentials._ask_with).remote


@contextmanager
def asked_remotes(repo: Repository, credentials: Credentials, names: list[str]) -> Iterator[list[StorageProver]]:
    """Open the named remotes, to be asked what they hold; none where none is named.

    Raises:
        InputError: the project has no remote. UnknownName. RemoteError: one cannot be asked.
    """
    if not names:
        yield []
        return
    with witnesses(repo, names, _connect(repo, credentials)) as found:
        yield found.asked
