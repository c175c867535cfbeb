"""The person's list of projects, and the templates that projects begin with."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from aura_vcs.ui.site import Site, key_of, query_of, site_of
from aura_vcs.ui.templating import render

LISTED = 500


def _projects(site: Site, words: str) -> list[dict[str, Any]]:
    found = []
    for item in site.studio().projects.list(limit=LISTED):
        if words and words.lower() not in f"{item.info.title} {item.path} {item.info.category}".lower():
            continue
        is_shown = not item.is_missing and site.settings.root is None
        found.append({"item": item, "key": key_of(str(item.path)) if is_shown else None})
    return found


async def projects_page(request: Request) -> Response:
    """Show the list of projects."""
    site = site_of(request)
    words = query_of(request).get("q", "")
    found = await run_in_threadpool(_projects, site, words)
    interrupted = await run_in_threadpool(site.studio().interrupted)
    values = {"projects": found, "words": words, "interrupted": interrupted, "view": "projects"}
    return HTMLResponse(render("projects.html", values))


async def templates_page(request: Request) -> Response:
    """Show the templates."""
    site = site_of(request)
    found = await run_in_threadpool(site.studio().templates.list)
    return HTMLResponse(render("templates.html", {"templates": found, "view": "templates"}))
