"""Films that exports of this machine have written, for the browser; what it cannot play is made playable."""

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from aura_vcs.errors import InputError
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.project.records.export_jobs import find_export
from aura_vcs.repository.repository import Repository
from aura_vcs.ui.media import ContentStream, answer_state, content_response, send_proxy
from aura_vcs.ui.media_kinds import BYTES, kind_of, type_of
from aura_vcs.ui.proxies import ProxySource, source_in_folder
from aura_vcs.ui.remembered import Remembered
from aura_vcs.ui.site import site_of


def find_film(repo: Repository, export: str) -> Path:
    """Return the film that an export has written, as long as it is the one that was written.

    Raises:
        UnknownName. InputError: there is none. FileUnreadable.
    """
    job = find_export(repo, export)
    if job.status != "Completed" or kind_of(job.output_file) not in ("picture", "sound", "video"):
        raise InputError("That export has no film that can be played", hint="Look at the list of exports.")
    path = Path(job.output_file)
    with FolderSource(str(path.parent)).open(path.name) as file:
        if job.file_size is not None and job.file_size != file.seek(0, 2):
            raise InputError(f"{path.name} was written anew since", hint="Play it where it lies.")
    return path


def _source(repo: Repository, export: str, remembered: Remembered) -> ProxySource:
    path = find_film(repo, export)
    return source_in_folder(str(path.parent), path.name, remembered)


async def exported(request: Request) -> Response:
    """Send a film as it was written."""
    workspace = site_of(request).workspace(request)
    path = await workspace.ask(find_film, request.path_params["export"])
    if type_of(path.name) == BYTES:
        hint = "The page makes it playable; or play it where it lies."
        raise InputError(f"Browsers do not play {path.name}", hint=hint)
    file = await run_in_threadpool(FolderSource(str(path.parent)).open, path.name)
    return content_response(request, ContentStream(file, ""), path.name, is_fixed=False)


async def playable(request: Request) -> Response:
    """Say how far it is to make a film playable; begin it."""
    site = site_of(request)
    workspace = site.workspace(request)
    source = await workspace.ask(_source, request.path_params["export"], workspace.remembered)
    return await answer_state(site, workspace, source)


async def export_proxy(request: Request) -> Response:
    """Send what was made of a film so that it can be played."""
    workspace = site_of(request).workspace(request)
    source = await workspace.ask(_source, request.path_params["export"], workspace.remembered)
    return await send_proxy(request, workspace, source, source.name, is_fixed=False)
