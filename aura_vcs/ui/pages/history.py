"""The history: versions newest first with their branches, what is unsaved, filters and search."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import PurePosixPath
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aura_vcs.cli.output.humanize import call, count
from aura_vcs.cli.output.sequence_lists import fold_listed
from aura_vcs.errors import InputError
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.diff.suggest_name import describe_changes, suggest_name
from aura_vcs.history.diff.tree_diff import compare_trees
from aura_vcs.history.log import log
from aura_vcs.history.names.branches import branches, get_branch
from aura_vcs.history.names.moments import parse_moment
from aura_vcs.history.status import Status, status
from aura_vcs.index.queries import VersionFilter
from aura_vcs.index.records import VersionRecord
from aura_vcs.layout import CONFLICTS
from aura_vcs.maintenance.purge_plan import plan_purge
from aura_vcs.model import Entry, EntryKind, VersionType
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.plain_text import readable_name
from aura_vcs.repository.repository import Repository
from aura_vcs.ui.lanes import LaneRow, lanes
from aura_vcs.ui.media_kinds import kind_of
from aura_vcs.ui.pages.frame import page, part, recorded_bytes, standing
from aura_vcs.ui.refusals import json_response, status_of
from aura_vcs.ui.remembered import Remembered
from aura_vcs.ui.site import Site, checked_path, number_of, query_of, site_of
from aura_vcs.ui.templating import url_path
from aura_vcs.ui.workspace import ProjectLane

PAGE = 60
"""Versions that are listed at once; the next come when the end of the list is near."""
GROWTH = 4
MOST_OFFSET = 10_000_000
GLANCES = 40
"""Versions that are looked into for one request."""
UNSAVED_SHOWN = 200
FILTERS = ("q", "type", "author", "since", "until", "path", "important", "deleted", "branch")


class Row(msgspec.Struct, frozen=True):
    """One version of the list; `folded` counts autosaves and restore points that hang off it and are not shown."""

    record: VersionRecord
    called: str
    lane: LaneRow
    names: tuple[tuple[str, str], ...]
    """Branches and tags on it, each with its kind."""
    is_head: bool
    folded: int


class Listing(msgspec.Struct, frozen=True):
    """A page of the list; `next_offset` is where the next begins, None at the end."""

    rows: tuple[Row, ...]
    next_offset: int | None
    columns: int


def listing(repo: Repository, query: Mapping[str, str], offset: int, known: Remembered, *, unfolded: bool) -> Listing:
    """List versions of every branch, or of the one that is asked for.

    Lines of branches come from above, so each page needs what is before it. That is asked for in steps that grow, and
    `known` as long as nothing is recorded: to scroll through all versions costs about as much as to list them once.
    """
    limit = PAGE + 1
    while limit <= offset + PAGE:
        limit *= GROWTH
    wanted = _filter(query, limit)
    types = wanted.types or (() if unfolded else (VersionType.MANUAL,))
    path = query.get("path", "")
    start = None
    if query.get("branch"):
        start = get_branch(repo, query["branch"]).version
    wanted = msgspec.structs.replace(wanted, types=types)
    paths = [checked_path(path)] if path else []

    def laid_out() -> tuple[list[VersionRecord], list[LaneRow]]:
        found = log(repo, wanted, start=start, everything=start is None, paths=paths)
        return found, lanes(found)

    records, drawn = known.get((recorded_bytes(repo), wanted, start, path), laid_out)
    names = _names(repo)
    head = repo.head().version
    ids = [record.id for record in records[offset : offset + PAGE]]
    hanging = {} if unfolded else repo.queries.count_hanging(ids)
    rows = tuple(
        Row(
            record,
            call(repo, record),
            lane,
            tuple(names.get(record.id, ())),
            record.id == head,
            hanging.get(record.id, 0),
        )
        for record, lane in zip(records[offset : offset + PAGE], drawn[offset : offset + PAGE], strict=True)
    )
    more = len(records) > offset + PAGE
    columns = (
        max((max(row.lane, *(n for line in row.lines for n in line), 0) for row in drawn[: offset + PAGE]), default=0)
        + 1
    )
    return Listing(rows, offset + PAGE if more else None, min(columns, 12))


def _filter(query: Mapping[str, str], limit: int) -> VersionFilter:
    """Read the filters of an address.

    Raises:
        InputError: a time that is none.
    """
    kind = query.get("type", "")
    since, until = query.get("since", ""), query.get("until", "")
    return VersionFilter(
        types=(VersionType(kind),) if kind in set(VersionType) else (),
        since=parse_moment(since, "start") if since else None,
        until=parse_moment(until, "end") if until else None,
        author=query.get("author") or None,
        grep=query.get("q") or None,
        important=True if query.get("important") else None,
        deleted=bool(query.get("deleted")),
        limit=limit,
    )


def _names(repo: Repository) -> dict[str, list[tuple[str, str]]]:
    """Map versions to the branches and tags that are on them."""
    found: dict[str, list[tuple[str, str]]] = {}
    for item in branches(repo):
        for version in item.diverged or (item.version,):
            found.setdefault(version, []).append(("branch", item.name))
    for name, tag in sorted(repo.refs.tags().items()):
        if tag.version is not None:
            found.setdefault(tag.version, []).append(("tag", name))
    return found


async def history_page(request: Request) -> Response:
    """Show the history."""
    workspace = site_of(request).workspace(request)
    query = query_of(request)
    unfolded = bool(query.get("all"))
    filters = {name: query.get(name, "") for name in FILTERS}

    refused: list[InputError] = []

    def listed(lane: ProjectLane) -> Listing:
        try:
            return lane.run(listing, query, 0, workspace.listings, unfolded=unfolded)
        except InputError as error:  # said beside what was filled in, which can be corrected there
            refused.append(error)
            return Listing((), None, 1)

    def look(lane: ProjectLane) -> dict[str, object]:
        return {
            "listing": listed(lane),
            "branches": lane.run(lambda repo: [item.name for item in branches(repo)]),
            "filters": filters,
            "unfolded": unfolded,
            "is_filtered": any(filters.values()),
            "problem": refused[0] if refused else None,
            "query": _without_offset(query),
        }

    answer = await page(request, workspace, "history.html", "history", look)
    answer.status_code = status_of(refused[0]) if refused else answer.status_code
    return answer


def first_look(site: Site) -> None:
    """Look at the history before anybody asks, where one project is shown: its browser takes longer to start.

    What goes wrong is for the page to say.
    """
    workspace = site.only
    if workspace is None:
        return
    with suppress(Exception), workspace.lane() as lane:
        lane.run(standing)
        lane.run(listing, {}, 0, workspace.listings, unfolded=False)


async def rows(request: Request) -> Response:
    """Return the next rows of the list, for a page that has the ones before."""
    workspace = site_of(request).workspace(request)
    query = query_of(request)
    offset = number_of(query, "offset", 0, MOST_OFFSET)

    def look(lane: ProjectLane) -> dict[str, object]:
        found = lane.run(listing, query, offset, workspace.listings, unfolded=bool(query.get("all")))
        return {"listing": found, "query": _without_offset(query)}

    return await part(request, workspace, "rows.html", look)


def _without_offset(query: Mapping[str, str]) -> str:
    """Write the filters of an address again, for that of the next rows."""
    return urlencode({name: value for name, value in query.items() if name != "offset"}, errors="surrogateescape")


class Glance(msgspec.Struct, frozen=True):
    """What is worth a look at a version: in words, as a picture, and what it alone holds on the disk."""

    words: str
    picture: str | None
    """Path of what is shown, as the version has it."""
    kind: str | None


async def glance(request: Request) -> Response:
    """Return glances at versions; those that cannot be looked into are left out."""
    workspace = site_of(request).workspace(request)
    ids = query_of(request).get("v", "").split(",")[:GLANCES]
    found = await workspace.ask(_glances, ids, workspace.remembered)
    return json_response(found)


def _glances(repo: Repository, ids: Sequence[str], remembered: Remembered) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for version in ids:
        record = repo.queries.version(version)  # type: ignore[arg-type]
        if record is None or record.purged_at is not None:
            continue
        try:
            seen = remembered.get(("glance", version), lambda record=record: glance_at(repo, record))  # type: ignore[misc]
            alone = plan_purge(repo, record).stored_bytes
        except IntegrityError:
            continue
        found[version] = {
            "words": readable_name(seen.words),
            "picture": url_path(seen.picture) if seen.picture is not None else None,
            "kind": seen.kind,
            "alone_bytes": alone,
        }
    return found


def glance_at(repo: Repository, record: VersionRecord) -> Glance:
    """Look at what a version changed since the one before."""
    parent = repo.queries.version(record.parents[0]) if record.parents else None
    tree = parent.tree if parent is not None else EMPTY_TREE_ID
    comparison = compare_trees(repo, tree, record.tree)
    changes = tuple(change for change in comparison.changes if change.path != CONFLICTS)
    comparison = msgspec.structs.replace(comparison, changes=changes)
    words = describe_changes(comparison) if parent is not None else f"{count(len(changes), 'file')} to begin with"
    shown = [change for change in comparison.changes if change.new is not None and _is_shown(change.path)]
    largest = max(shown, key=lambda change: change.new.size if change.new is not None else 0, default=None)
    path = largest.path if largest is not None and parent is not None else _first_picture(repo, record.tree)
    return Glance(words or "nothing changed", path, kind_of(path) if path is not None else None)


def _is_shown(path: str) -> bool:
    return kind_of(path) in {"picture", "video"}


def _first_picture(repo: Repository, tree: str) -> str | None:
    """Find the first picture or video of a version, by path."""
    entries: list[tuple[str, Entry]] = list(repo.trees.walk(tree, ""))  # type: ignore[arg-type]
    return next((path for path, entry in entries if entry.kind is EntryKind.FILE and _is_shown(path)), None)


class UnsavedWork(msgspec.Struct, frozen=True):
    """What of the folder is in no version yet; `suggestion` is a name for the version that would save it."""

    found: Status
    suggestion: str
    folders: tuple[tuple[str, int], ...]
    new_bytes: int


def look_for_unsaved(repo: Repository) -> UnsavedWork:
    """Compare the folder with the version it is based on."""
    found = status(repo)
    counts: dict[str, int] = {}
    for change in found.changes:
        counts[str(PurePosixPath(change.path).parent)] = counts.get(str(PurePosixPath(change.path).parent), 0) + 1
    suggestion = suggest_name(repo) if found.changes else ""
    size = sum(found.sizes.get(change.path, 0) for change in found.changes)
    return UnsavedWork(found, suggestion, tuple(sorted(counts.items())), size)


async def unsaved(request: Request) -> Response:
    """Return the unsaved work of the folder, which takes a look at every file."""
    workspace = site_of(request).workspace(request)

    def look(lane: ProjectLane) -> dict[str, object]:
        found = lane.run(look_for_unsaved)
        listed = fold_listed(found.found.changes)
        return {"unsaved": found, "shown": listed[:UNSAVED_SHOWN], "left": max(0, len(listed) - UNSAVED_SHOWN)}

    return await part(request, workspace, "unsaved.html", look)
