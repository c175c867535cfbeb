"""Where two sounds or videos differ, and how they sound: of two versions, or the sides of a conflict in the folder."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aura_vcs.history.compare_versions import compare_versions
from aura_vcs.history.diff.media_diff import Budget, look_into_media
from aura_vcs.history.diff.tree_diff import Comparison, PathChange
from aura_vcs.history.media_index.store import MediaIndexStore
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.history.sources.loose_files import entry_of_file
from aura_vcs.repository.repository import Repository
from aura_vcs.ui.proxies import FOLDER
from aura_vcs.ui.refusals import json_response
from aura_vcs.ui.site import checked_path, query_of, site_of

LISTEN = Budget(1, 20.0, 2 << 30)


class Pair(msgspec.Struct, frozen=True):
    """What is compared: a path in two versions, or with `other` two files of the folder."""

    old: str
    new: str
    path: str
    other: str


async def heard_and_seen(request: Request) -> Response:
    """Return where a sound or video differs, and how its sound goes; decoding takes a moment, so it is asked later."""
    site = site_of(request)
    workspace = site.workspace(request)
    query = query_of(request)
    paths = [checked_path(query.get(name, "")) for name in ("path", "other")]
    pair = Pair(query.get("old", ""), query.get("new", ""), *paths)
    found = await workspace.ask(_decoded, pair, site.settings.worker_environment)
    return json_response(found)


def _decoded(repo: Repository, pair: Pair, environment: Mapping[str, str]) -> dict[str, Any]:
    comparison = _in_folder(repo, pair) if pair.other else _in_versions(repo, pair)
    index = MediaIndexStore.of(repo)
    known = look_into_media(comparison, LISTEN, index=index, thumbnails=True, environment=environment)
    media = known.by_path.get(pair.other or pair.path)
    if media is None:
        return {"problem": "It is no picture, sound or video.", "decoded": False}
    sides = {
        name: None
        if facts is None
        else {"seconds": facts.header.seconds, "envelope": list(facts.envelope), "loudness": facts.loudness_lufs,
              "frames_per_second": facts.header.frames_per_second, "peak": facts.peak_db}
        for name, facts in (("old", media.old), ("new", media.new))
    }  # fmt: skip
    return {
        **sides, "decoded": media.decoded, "scenes": media.scenes, "sounds": media.sounds, "lead": media.lead,
        "distance": media.distance, "lines": media.lines,
        "problem": media.problem or ("" if not known.needs_extra else "The part “media” is not installed."),
    }  # fmt: skip


def _in_versions(repo: Repository, pair: Pair) -> Comparison:
    names = [name for name in (pair.old, pair.new) if name and name != FOLDER]
    return compare_versions(repo, names, [pair.path]).comparison


def _in_folder(repo: Repository, pair: Pair) -> Comparison:
    source = FolderSource(repo.root)
    old, new = (entry_of_file(source, path) for path in (pair.path, pair.other))
    change = PathChange(pair.other, "modified", old, new, old_path=pair.path)
    return Comparison((change,), {}, source, source)
