"""What takes the space: a map of it, and a plan of what could go."""

from collections.abc import Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aura_vcs.api.reporting import Call
from aura_vcs.errors import InputError
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.queries import describe
from aura_vcs.maintenance.disk_usage import StorageReport, file_type, storage_report, stored_files
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.offload.space_plan import SpacePlan
from aura_vcs.ui.pages.frame import page, part, recorded_bytes
from aura_vcs.ui.site import query_of, site_of
from aura_vcs.ui.treemap import Tile, lay_out
from aura_vcs.ui.workspace import ProjectLane

WAYS = ("kind", "path", "version")
TILES = 400
"""So many tiles are drawn one by one; the rest of each group is one more."""
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


class SpaceSeen(msgspec.Struct, frozen=True):
    """What takes the space; `groups` are names with their bytes, the largest first."""

    report: StorageReport
    tiles: tuple[Tile, ...]
    groups: tuple[tuple[str, int], ...]
    by: str


_TYPES = {"manual": "committed", "autosave": "autosaves", "restore_point": "restore points"}


def look_at_space(repo: Repository, by: str) -> SpaceSeen:
    """Measure what is stored, and map it by kind of file, by path or by version."""
    report = storage_report(repo)
    tiles = _versions(repo, report) if by == "version" else _files(repo, by)
    largest = sorted(tiles, key=lambda tile: -tile.bytes)
    rest: dict[str, list[Tile]] = {}
    for tile in largest[TILES:]:
        rest.setdefault(tile.group, []).append(tile)
    others = [
        Tile("others", f"{len(group):,} others", sum(t.bytes for t in group), name) for name, group in rest.items()
    ]
    totals: dict[str, int] = {}
    for tile in tiles:
        totals[tile.group] = totals.get(tile.group, 0) + tile.bytes
    groups = tuple(sorted(totals.items(), key=lambda item: -item[1]))
    return SpaceSeen(report, lay_out([*largest[:TILES], *others]), groups, by)


def _files(repo: Repository, by: str) -> list[Tile]:
    return [
        Tile(
            file.path.rpartition("/")[2],
            file.path,
            file.stored_bytes,
            file_type(file.path) if by == "kind" else file.path.rpartition("/")[0] or "not in a folder",
            file.path,
        )
        for file in stored_files(repo)
    ]


def _versions(repo: Repository, report: StorageReport) -> list[Tile]:
    called = {share.id: describe(repo.queries, VersionId(ObjectId(share.id))) for share in report.versions}
    return [
        Tile(called[share.id], f"{called[share.id]} {share.name}", share.alone_bytes, _TYPES[share.type], share.id)
        for share in report.versions
    ]


def read_size(text: str) -> int:
    """Read "20 GB" or "500m".

    Raises:
        InputError: it is no size.
    """
    plain = text.strip().upper().replace(" ", "")
    digits = plain.rstrip("BKMGT")
    unit = plain[len(digits) :]
    unit = unit if unit.endswith("B") or not unit else f"{unit}B"
    try:
        amount = float(digits)
    except ValueError:
        amount = -1.0
    if unit not in _UNITS or not 0 <= amount < 1e6:
        raise InputError(f"{text!r} is not a size", hint="Write it as 20 GB or 500 MB.")
    return int(amount * _UNITS[unit])


async def space_page(request: Request) -> Response:
    """Show what takes the space. Measuring looks at every version, so the map comes afterwards."""
    workspace = site_of(request).workspace(request)
    query: Mapping[str, str] = query_of(request)
    by = query.get("by", "kind") if query.get("by") in WAYS else "kind"
    free = query.get("free", "")
    return await page(request, workspace, "space.html", "space", lambda _: {"by": by, "free": free})


async def map_part(request: Request) -> Response:
    """Return the map, for the page that shows it; until that is measured, what is known of it at once."""
    site = site_of(request)
    workspace = site.workspace(request)
    looks = site.long_looks(workspace)
    by = query_of(request).get("by", "kind")
    by = by if by in WAYS else "kind"

    def look(lane: ProjectLane) -> dict[str, object]:
        def measure(own: ProjectLane, told: Call) -> SpaceSeen:
            return own.run_reporting(told, look_at_space, by)

        asked = looks.ask(f"map by {by}", lane.run(recorded_bytes), measure)
        return {
            "seen": asked.result,
            "reached": asked.reached,
            "stored": lane.run(_stored) if asked.result is None else 0,
        }

    return await part(request, workspace, "space_map.html", look)


def _stored(repo: Repository) -> int:
    return sum(stored for _, _, stored in repo.queries.stored_totals().values())


async def plan_part(request: Request) -> Response:
    """Return a plan of what could go, for the page that shows it; remotes are asked."""
    site = site_of(request)
    workspace = site.workspace(request)
    looks = site.long_looks(workspace)
    wanted = read_size(query_of(request).get("free", ""))

    def look(lane: ProjectLane) -> dict[str, object]:
        def plan(own: ProjectLane, told: Call) -> SpacePlan:
            return own.project.plan_free(wanted, **told)

        asked = looks.ask("plan", (wanted, lane.run(recorded_bytes)), plan, is_kept=False)
        return {"plan": asked.result, "reached": asked.reached}

    return await part(request, workspace, "space_plan.html", look)
