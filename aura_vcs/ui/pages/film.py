"""What a video project is made of now: its stage and progress, scenes and their media, checkpoints, exports."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aura_vcs.api.project import Project
from aura_vcs.ui.pages.frame import page, part
from aura_vcs.ui.site import site_of

LISTED = 50


def look_at_film(project: Project) -> dict[str, Any]:
    """Collect what the view shows."""
    return {
        "info": project.info(),
        "scenes": list(project.scenes),
        "checkpoints": project.checkpoints.list(valid=None)[:LISTED],
        "exports": project.exports.list(limit=LISTED),
        "presets": project.exports.presets,
    }


async def film_page(request: Request) -> Response:
    """Show the film."""
    workspace = site_of(request).workspace(request)
    return await page(request, workspace, "film.html", "film", lambda lane: look_at_film(lane.project))


async def remarks_part(request: Request) -> Response:
    """Return what is to be said of the documents, for the page that shows it; that looks at every file."""
    workspace = site_of(request).workspace(request)
    return await part(request, workspace, "remarks.html", lambda lane: {"problems": lane.project.check()[:LISTED]})
