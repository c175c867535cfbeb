"""The addresses of the page."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from aura_vcs.errors import AuraError
from aura_vcs.errors.input import NotAProject
from aura_vcs.errors.worktree import ProjectGone
from aura_vcs.ui import api, exports, media
from aura_vcs.ui.access import Guard, set_cookie
from aura_vcs.ui.pages import (
    compare,
    file,
    film,
    heard,
    history,
    machines,
    merging,
    operations,
    search,
    space,
    studio,
    version,
)
from aura_vcs.ui.refusals import refusal, refused
from aura_vcs.ui.site import Site, query_of, site_of
from aura_vcs.ui.templating import STATIC, read_static, render, static_address

Handler = Callable[[Request], Awaitable[Response]]


class _AnyPath(Convertor[str]):
    """The rest of an address, also where a name in it has a line break."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("any", _AnyPath())
FOREVER = "private, max-age=31536000, immutable"
_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


def make_application(site: Site) -> Starlette:
    """Build what answers requests."""
    application = Starlette(
        routes=[
            Route("/", _arrive),
            Route("/static/{digest}/{name}", _static),
            Route("/projects", studio.projects_page),
            Route("/templates", studio.templates_page),
            *_project_routes(),
            *api.routes(),
        ],
        middleware=[Middleware(Guard, access=site.access)],
        exception_handlers={AuraError: _known_error, HTTPException: _http_error, Exception: _unexpected},
    )
    application.state.site = site
    return application


def _project_routes() -> list[Route]:
    pages: dict[str, Handler] = {
        "": history.history_page,
        "/rows": history.rows,
        "/glance": history.glance,
        "/unsaved": history.unsaved,
        "/compare": compare.compare_page,
        "/choice": compare.choice_part,
        "/heard": heard.heard_and_seen,
        "/merge": merging.merge_page,
        "/space": space.space_page,
        "/space/map": space.map_part,
        "/space/plan": space.plan_part,
        "/machines": machines.machines_page,
        "/machines/remote": machines.remote_part,
        "/film": film.film_page,
        "/film/remarks": film.remarks_part,
        "/file/{path:any}": file.file_page,
        "/export/{export}": exports.exported,
        "/export/{export}/playable": exports.playable,
        "/export/{export}/proxy": exports.export_proxy,
        "/operations": operations.operations_page,
        "/search": search.search_page,
        "/search/found": search.found_part,
        "/v/{version}": version.version_page,
        "/v/{version}/files/{path:any}": version.files_page,
        "/raw/{version}/{path:any}": media.raw,
        "/look/{kind}/{version}/{path:any}": media.look,
        "/proxy/{version}/{path:any}": media.proxy_state,
        "/zip/{version}/{path:any}": media.archive,
    }
    return [Route(f"/p/{{key}}{address}", handler, methods=["GET"]) for address, handler in pages.items()]


async def _arrive(request: Request) -> Response:
    """Exchange the token of the first address for the cookie, or go to where the history is.

    The cookie is not sent along a chain that began at another site, so the page itself goes on.
    """
    site = site_of(request)
    only = site.only
    target = "/projects" if only is None else f"/p/{only.key}"
    query = query_of(request)
    if "token" not in query and "ticket" not in query:
        return RedirectResponse(target, 303)
    wanted = query.get("to", "")
    if wanted.startswith(("/p/", "/projects")):
        target = wanted
    answer = HTMLResponse(render("arrive.html", {"target": target}))
    answer.headers["set-cookie"] = set_cookie(site.access)
    return answer


async def _static(request: Request) -> Response:
    """Serve one of our own files, for ever: its address has its hash."""
    name = request.path_params["name"]
    if name not in STATIC:
        raise HTTPException(404)
    if request.url.path != static_address(name):
        return RedirectResponse(static_address(name), 303)
    kind = _TYPES[name.rpartition(".")[2]]
    return Response(read_static(name), headers={"cache-control": FOREVER}, media_type=kind)


async def _known_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AuraError)
    if isinstance(error, NotAProject) and "key" in request.path_params:  # it was one when the page was opened
        error = ProjectGone(site_of(request).workspace(request).root)
    return refused(request, error)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {
        404: "There is nothing at this address",
        405: "That cannot be done here",
        413: "That is more than is ever sent along with a change",
    }
    message = words.get(error.status_code, error.detail)
    hint = "Send at most 4 MB." if error.status_code == 413 else "Go back, or to the history."
    return refusal(request, error.status_code, message, hint)


async def _unexpected(request: Request, error: Exception) -> Response:
    hint = "Nothing of your work is lost. Load the page again; `aura fsck` checks the project."
    return refusal(request, 500, f"Something unexpected happened: {error}", hint)
