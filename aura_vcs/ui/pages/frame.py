"""What is around every view of a project: its name, where it stands, and what can be taken back."""

from collections.abc import Callable, Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from aura_vcs.cli.output.humanize import call
from aura_vcs.history.merging.conflict_groups import group_conflicts
from aura_vcs.history.names.operation_words import describe_action
from aura_vcs.history.resolve import open_conflicts
from aura_vcs.index.records import VersionRecord
from aura_vcs.plain_text import now
from aura_vcs.project.summary import read_facts
from aura_vcs.repository.repository import Repository
from aura_vcs.ui.jobs import job_list
from aura_vcs.ui.site import site_of
from aura_vcs.ui.templating import render
from aura_vcs.ui.workspace import ProjectLane, Workspace

Look = Callable[[ProjectLane], Mapping[str, object]]
"""What looks something up, and returns what a template is given."""


class Standing(msgspec.Struct, frozen=True):
    """Where a project stands; `undo` and `redo` are what those would take back or do again, None for nothing."""

    title: str
    author: str
    branch: str | None
    head: str | None
    undo: str | None
    redo: str | None
    conflicts: int
    is_film: bool
    at: str
    """Branch and version that HEAD is on, for a page that asks whether something brought it elsewhere."""
    mark: int
    """How much was recorded when this was looked up: a page that listens says so, and hears if there is more."""


def standing(repo: Repository) -> Standing:
    """Find out where the project stands."""
    head = repo.head()
    record = repo.queries.version(head.version) if head.version is not None else None
    undo, redo = repo.queries.next_undo(repo.replica, now()), repo.queries.next_redo(repo.replica, now())
    facts = read_facts(repo.root, project=repo.format.project)
    return Standing(
        facts.title if facts is not None and facts.title else repo.root.rpartition("/")[2],
        repo.author,
        head.branch,
        call(repo, record) if record is not None else None,
        describe_action(repo, undo) if undo is not None else None,
        describe_action(repo, redo) if redo is not None else None,
        len(group_conflicts(open_conflicts(repo))),
        record is not None and _is_film(record),
        f"{head.branch or ''} {head.version or ''}",
        recorded_bytes(repo),
    )


def recorded_bytes(repo: Repository) -> int:
    """Measure the operation logs, which grow with all that is done."""
    return sum(repo.logs.sizes().values())


def _is_film(record: VersionRecord) -> bool:
    """Tell whether the version has documents of a video."""
    return any(document is not None for document in record.documents.values())


async def page(request: Request, workspace: Workspace, template: str, active: str, look: Look) -> Response:
    """Answer with a view inside its frame: looked up and rendered in one thread, at one go.

    Where it stands is looked up first: what is recorded meanwhile, the page is told when it listens.
    """
    site = site_of(request)
    frame = {
        "base": f"/p/{workspace.key}",
        "api": f"/api/p/{workspace.key}",
        "key": workspace.key,
        "active": active,
        "read_only": site.access.read_only,
        "form_token": site.access.form_token,
        "jobs": job_list(site.jobs(workspace)),
        "has_list": site.settings.root is None,
        "root": workspace.root,
    }

    def made(lane: ProjectLane) -> str:
        stands = lane.run(standing)
        return render(template, {**frame, "stands": stands, **look(lane)})

    return HTMLResponse(await workspace.use(made))


async def part(request: Request, workspace: Workspace, template: str, look: Look) -> Response:
    """Answer with a piece of a view that the page puts in its place."""
    around = {
        "base": f"/p/{workspace.key}",
        "api": f"/api/p/{workspace.key}",
        "read_only": site_of(request).access.read_only,
    }
    return HTMLResponse(await workspace.use(lambda lane: render(template, {**around, **look(lane)})))
