"""What was done to a project, newest first, with what can be taken back."""

from starlette.requests import Request
from starlette.responses import Response

from aura_vcs.project.records.activity import list_activity
from aura_vcs.ui.pages.frame import page
from aura_vcs.ui.site import number_of, query_of, site_of
from aura_vcs.ui.workspace import ProjectLane

PAGE = 100
MOST = 1_000_000


async def operations_page(request: Request) -> Response:
    """Show the list of operations."""
    workspace = site_of(request).workspace(request)
    query = query_of(request)
    offset = number_of(query, "offset", 0, MOST)
    everything = bool(query.get("all"))

    def look(lane: ProjectLane) -> dict[str, object]:
        found = lane.run(list_activity, limit=PAGE + 1, offset=offset, everything=everything)
        following = offset + PAGE if len(found) > PAGE else None
        return {"operations": found[:PAGE], "everything": everything, "offset": offset, "next_offset": following}

    return await page(request, workspace, "operations.html", "operations", look)
