"""Other machines: remotes, what is there and not here or the other way round, locks, and branches moved apart."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aura_vcs.api.locks import PathLock
from aura_vcs.api.project import Project
from aura_vcs.api.transfers import RemoteComparison
from aura_vcs.cli.output.humanize import call
from aura_vcs.errors import AuraError
from aura_vcs.errors.remotes import LocksUnsupported
from aura_vcs.history.names.branches import branches
from aura_vcs.index.records import VersionRecord
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.sent import Unsent, unsent
from aura_vcs.ui.pages.frame import page, part
from aura_vcs.ui.site import query_of, site_of
from aura_vcs.ui.workspace import ProjectLane


class Apart(msgspec.Struct, frozen=True):
    """A branch that machines moved apart, and its heads."""

    name: str
    heads: tuple[tuple[str, VersionRecord], ...]


def apart(repo: Repository) -> list[Apart]:
    """List the branches that have several heads."""
    queries = repo.queries
    return [
        Apart(
            item.name,
            tuple((call(repo, found), found) for head in item.diverged if (found := queries.version(head)) is not None),
        )
        for item in branches(repo)
        if item.diverged
    ]


def _unsent(repo: Repository) -> tuple[Unsent, ...]:
    return unsent(repo, repo.head().version)


class RemoteSeen(msgspec.Struct, frozen=True):
    """A remote that was asked: what it has that is not here, what it lacks, who has locked what; or what is wrong."""

    name: str
    comparison: RemoteComparison | None
    locks: tuple[PathLock, ...]
    problem: str
    hint: str


def ask_remote(project: Project, name: str) -> RemoteSeen:
    """Ask a remote; what goes wrong is part of the answer."""
    try:
        comparison = project.remotes.compare(name)
    except AuraError as error:
        return RemoteSeen(name, None, (), error.message, error.hint)
    try:
        locks = tuple(project.locks.list(name))
    except LocksUnsupported:
        locks = ()
    except AuraError as error:
        return RemoteSeen(name, comparison, (), error.message, error.hint)
    return RemoteSeen(name, comparison, locks, "", "")


async def machines_page(request: Request) -> Response:
    """Show the remotes; each is asked afterwards, which may take long."""
    workspace = site_of(request).workspace(request)

    def look(lane: ProjectLane) -> dict[str, object]:
        left = {item.remote: item for item in lane.run(_unsent)}
        return {"remotes": list(lane.project.remotes), "unsent": left, "apart": lane.run(apart)}

    return await page(request, workspace, "machines.html", "machines", look)


async def remote_part(request: Request) -> Response:
    """Return what a remote says, for the page that shows it."""
    workspace = site_of(request).workspace(request)
    name = query_of(request).get("name", "")
    return await part(request, workspace, "remote.html", lambda lane: {"seen": ask_remote(lane.project, name)})
