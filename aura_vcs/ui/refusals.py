"""What a request is answered that cannot be done: a page or JSON that says what and what to do."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from aura_vcs.cli.output.console import to_json
from aura_vcs.errors import AuraError, ExtraMissing, InputError, Interrupted, Problems
from aura_vcs.errors.input import (
    AmbiguousVersion,
    ConcurrencyError,
    NotAProject,
    NothingToUndo,
    UnknownName,
    UnknownVersion,
)
from aura_vcs.errors.integrity import ObjectOffloaded, ObjectPurged
from aura_vcs.errors.worktree import ProjectGone
from aura_vcs.ui.templating import render

_STATUS: tuple[tuple[type[AuraError], int], ...] = (
    (UnknownVersion, 404),
    (UnknownName, 404),
    (NotAProject, 404),
    (ProjectGone, 404),
    (ObjectPurged, 410),
    (ObjectOffloaded, 503),
    (ConcurrencyError, 409),
    (NothingToUndo, 409),
    (AmbiguousVersion, 409),
    (Interrupted, 409),
    (ExtraMissing, 501),
    (InputError, 400),
)


def status_of(error: AuraError) -> int:
    """Return the HTTP status that fits best; 422 for what could not be done, though it was asked rightly."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 422)


def error_to_json(error: AuraError) -> dict[str, object]:
    """Convert an error to what `--json` prints of it."""
    shape: dict[str, object] = {"code": error.code, "message": error.message, "hint": error.hint}
    if isinstance(error, Problems):
        shape["problems"] = list(error.problems)
    return {"error": shape}


def refused(request: Request, error: AuraError) -> Response:
    """Answer with an error: to programs as JSON, to people as a page."""
    if request.url.path.startswith("/api/"):
        return json_response(error_to_json(error), status_of(error))
    return refusal(request, status_of(error), error.message, error.hint)


def refusal(request: Request, status: int, message: str, hint: str) -> Response:
    """Answer what is not an error of the library."""
    if request.url.path.startswith("/api/"):
        shape = {"code": "refused", "message": message, "hint": hint}
        return json_response({"error": shape}, status)
    body = render("problem.html", {"status": status, "message": message, "hint": hint})
    return HTMLResponse(body, status)


def json_response(value: object, status: int = 200) -> Response:
    """Answer with JSON as `--json` prints it."""
    return Response(to_json(value), status, media_type="application/json")
