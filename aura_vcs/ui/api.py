"""The JSON behind the page, under /api/: what the commands print with `--json`, and what changes something.

A GET answers with what the command of that name prints; see docs/api-http.md. A POST does what a command does, as a
job: it is answered when the job has ended, with what the command prints, or at once with the job where the request
says `Prefer: respond-async`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from aura_vcs.cli.commands.projects import listed_project_to_json
from aura_vcs.errors.input import UnknownName
from aura_vcs.studio.projects import ProjectFilter, list_projects
from aura_vcs.ui.actions.base import read_wish
from aura_vcs.ui.actions.table import ACTIONS
from aura_vcs.ui.answers import ANSWERS
from aura_vcs.ui.jobs import Job, job_list
from aura_vcs.ui.pages.frame import recorded_bytes
from aura_vcs.ui.refusals import error_to_json, json_response, status_of
from aura_vcs.ui.site import query_of, site_of
from aura_vcs.ui.workspace import Workspace

QUICK_SECONDS = 0.25
"""What has ended by then is answered as what it is, also where the page would not wait."""
BODY_BYTES = 4 << 20
"""What is sent along with a change is at most as large."""
HEARD_BYTES = 256 << 20
"""Of more than that, so much is read and thrown away: who is cut off while speaking does not hear why."""


def routes() -> list[Route]:
    """List the addresses below /api/."""
    handlers: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/api/projects": _projects,
        "/api/p/{key}/events": _events,
        "/api/p/{key}/jobs": _jobs,
        "/api/p/{key}/jobs/{job}": _job,
        "/api/p/{key}/{name:path}": _answer,
    }
    found = [Route(address, handler, methods=["GET"]) for address, handler in handlers.items()]
    return [
        Route("/api/p/{key}/jobs/{job}/cancel", _cancel, methods=["POST"]),
        Route("/api/p/{key}/{name:path}", _do, methods=["POST"]),
        *found,
    ]


async def _answer(request: Request) -> Response:
    workspace = site_of(request).workspace(request)
    name = request.path_params["name"]
    if name not in ANSWERS:
        raise UnknownName("question", name, sorted(ANSWERS))
    return json_response(await workspace.ask(ANSWERS[name], request))


async def _projects(request: Request) -> Response:
    """Answer with what `aura projects list --json` prints."""
    site = site_of(request)

    def listed() -> list[dict[str, Any]]:
        with site.open_studio() as studio:
            return [listed_project_to_json(entry) for entry in list_projects(studio, ProjectFilter())]

    return json_response({"projects": await run_in_threadpool(listed)})


async def _do(request: Request) -> Response:
    site = site_of(request)
    workspace = site.workspace(request)
    name = request.path_params["name"]
    body = await _body(request)
    if name not in ACTIONS:
        raise UnknownName("action", name, sorted(ACTIONS))
    action = ACTIONS[name]
    wish = read_wish(action, body)
    job = site.jobs(workspace).start(action.title(wish), lambda lane, call: action.work(lane, call, wish))
    return await _outcome(request, workspace, job)


async def _outcome(request: Request, workspace: Workspace, job: Job) -> Response:
    is_patient = "respond-async" not in request.headers.get("prefer", "")
    await run_in_threadpool(job.ended.wait, None if is_patient else QUICK_SECONDS)
    if not job.ended.is_set():
        answer = json_response(job.to_json(), 202)
        answer.headers["location"] = f"/api/p/{workspace.key}/jobs/{job.id}"
        return answer
    if job.error is not None:
        return json_response(error_to_json(job.error), status_of(job.error))
    return json_response(job.result)


async def _body(request: Request) -> bytes:
    """Read what was sent.

    Raises:
        HTTPException: 413, it is too much.
    """
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size <= BODY_BYTES:
            pieces.append(piece)
        elif size > HEARD_BYTES:
            break
    if size > BODY_BYTES:
        raise HTTPException(413)
    return b"".join(pieces)


async def _events(request: Request) -> Response:
    site = site_of(request)
    workspace = site.workspace(request)
    mark = query_of(request).get("mark", "")
    is_behind = bool(mark) and mark != str(await workspace.ask(recorded_bytes))
    return StreamingResponse(
        site.events(workspace).listen(is_behind=is_behind),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )


async def _jobs(request: Request) -> Response:
    site = site_of(request)
    return json_response({"jobs": job_list(site.jobs(site.workspace(request)))})


async def _job(request: Request) -> Response:
    site = site_of(request)
    return json_response(site.jobs(site.workspace(request))[request.path_params["job"]].to_json())


async def _cancel(request: Request) -> Response:
    site = site_of(request)
    job = site.jobs(site.workspace(request))[request.path_params["job"]]
    job.token.cancel()
    await run_in_threadpool(job.ended.wait, QUICK_SECONDS)
    return json_response(job.to_json())
