"""Planning which content need not be here, because remotes prove to hold it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from aura_vcs.api.credentials import Credentials
from aura_vcs.api.opened import StrPath, project_paths
from aura_vcs.api.upkeep import OffloadPlan
from aura_vcs.api.values import time_text
from aura_vcs.history.lookup.select_files import select
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.recording.journal import recover
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.offload import offload as offload_room
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
    recover(repo)
    repo.adopt_unrecorded_objects()
    before = None if older_than is None else time_text(datetime.now(UTC) - older_than)
    chosen = select(repo, [resolve(repo, name) for name in names], project_paths(repo, paths), before=before)
    with witnesses(
        repo,
        list(remotes),
        lambda name: open_link(repo, name, credentials._surroundings(), credentials._ask_with).remote,
    ) as found:
        plan = offload_room.plan_offload(
            repo, found.asked, chosen, copies=copies, least_bytes=min_size, everything=verify
        )
    return OffloadPlan._of(plan, found.unreachable)
