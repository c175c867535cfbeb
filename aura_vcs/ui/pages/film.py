"""What a video project is made of now: its stage and progress, scenes and their media, checkpoints, exports."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aura_vcs.api.project import Project
from aura_vcs.ui.pages.frame import page, standing
from aura_vcs.ui.site import site_of

LISTED = 50


def look_at_film(project: Project) -> dict[str, Any]:
    """Collect what the view shows."""
    return {
        "info": project.info(),
        "scenes": list(project.scenes),
        "checkpoints": project.checkpoints.list(valid=None)[:LISTED],
        "exports": project.exports.list(limit=LISTED),
        "problems": project.check()[:LISTED],
        "presets": project.exports.presets,
    }


async def film_page(request: Request) -> Response:
    """Show the film."""
    workspace = site_of(request).workspace(request)
    stands = await workspace.ask(standing)
    found = await workspace.call(look_at_film)
    return page(request, workspace, "film.html", "film", stands, **found)
