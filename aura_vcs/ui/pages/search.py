"""Words in every text of the folder and of every version."""

from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aura_vcs.api.reporting import Call
from aura_vcs.cli.output.humanize import call
from aura_vcs.project.search_texts import TextHit, find_texts, read_texts
from aura_vcs.repository.repository import Repository
from aura_vcs.ui.long_looks import LongLooks
from aura_vcs.ui.pages.frame import page, part, recorded_bytes
from aura_vcs.ui.site import query_of, site_of
from aura_vcs.ui.workspace import ProjectLane

FOUND = 60
LONGEST = 200
"""So much of what is looked for is read."""


class TextsFound(msgspec.Struct, frozen=True):
    """Where words are, and what the versions that had them are called, by their ids."""

    hits: Sequence[TextHit]
    called: dict[str, str]
    unread: int
    """Versions whose content is not here."""


async def search_page(request: Request) -> Response:
    """Show where words are found. A project that is searched for the first time is read for it, so that comes later."""
    workspace = site_of(request).workspace(request)
    words = _words(request)
    return await page(request, workspace, "search.html", "search", lambda _: {"words": words})


async def found_part(request: Request) -> Response:
    """Return what was found until now, for the page that shows it; texts that were not read yet are read meanwhile."""
    site = site_of(request)
    workspace = site.workspace(request)
    looks = site.long_looks(workspace)
    words = _words(request)
    return await part(request, workspace, "found.html", lambda lane: _look(lane, looks, words))


def _words(request: Request) -> str:
    return query_of(request).get("q", "")[:LONGEST]


def _look(lane: ProjectLane, looks: LongLooks, words: str) -> dict[str, object]:
    if not words.strip():
        return {"words": "", "found": TextsFound((), {}, 0), "reached": None}

    def read(own: ProjectLane, told: Call) -> int:
        return own.run_reporting(told, read_texts)

    reading = looks.ask("texts", lane.run(recorded_bytes), read)
    reached = None if reading.ended.is_set() else reading.reached
    return {"words": words, "found": lane.run(_find, words, reading.result or 0), "reached": reached}


def _find(repo: Repository, words: str, unread: int) -> TextsFound:
    found = find_texts(repo, words, FOUND)[0]
    named = [record for hit in found for record in (hit.first, hit.last) if record is not None]
    return TextsFound(found, {record.id: call(repo, record) for record in named}, unread)
