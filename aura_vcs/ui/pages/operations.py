"""What was done to a project, newest first, with what can be taken back."""

from starlette.requests import Request
from starlette.responses import Response

from aura_vcs.project.records.activity import list_activity
from aura_vcs.ui.pages.frame import page, standing
from aura_vcs.ui.site import number_of, query_of, site_of

PAGE = 100
MOST = 1_000_000


async def operations_page(request: Request) -> Response:
    """Show the list of operations."""
    workspace = site_of(request).workspace(request)
    query = query_of(request)
    offset = number_of(query, "offset", 0, MOST)
    everything = bool(query.get("all"))
    found = await workspace.ask(list_activity, limit=PAGE + 1, offset=offset, everything=everything)
    stands = await workspace.ask(standing)
    return page(
        request, workspace, "operations.html", "operations", stands,
        operations=found[:PAGE], everything=everything, offset=offset,
        next_offset=offset + PAGE if len(found) > PAGE else None,
    )  # fmt: skip
