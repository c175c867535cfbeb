"""One file through time: every version that changed it, and the values of a field of a document."""

import json
from collections.abc import Mapping
from itertools import pairwise

import msgspec
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from aura_vcs.cli.output.humanize import call
from aura_vcs.errors import AuraError
from aura_vcs.errors.input import UnknownName
from aura_vcs.errors.integrity import IntegrityError, ObjectOffloaded, ObjectPurged
from aura_vcs.history.log import log
from aura_vcs.history.lookup.field_history import field_history
from aura_vcs.history.lookup.renames import name_in_parent
from aura_vcs.index.queries import VersionFilter
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Entry
from aura_vcs.repository.repository import Repository
from aura_vcs.ui.contents import Leaf, document_value, leaves_of, read_small
from aura_vcs.ui.media_kinds import Kind, kind_of
from aura_vcs.ui.pages.frame import page
from aura_vcs.ui.pages.noted import names_of, notes_on
from aura_vcs.ui.site import path_after, query_of, site_of
from aura_vcs.ui.workspace import ProjectLane

STEPS_SHOWN = 300
"""So many versions are listed, and values of a field drawn: the newest."""


class FileRow(msgspec.Struct, frozen=True):
    """A version that changed the file, and what it is called there.

    `entry` is None where it is gone, or where `unread` says why nobody knows.
    """

    record: VersionRecord
    called: str
    path: str
    entry: Entry | None
    unread: str = ""


class FieldStep(msgspec.Struct, frozen=True):
    """A version that gave a field another value; texts are "" where the field was not there."""

    record: VersionRecord
    called: str
    before: str
    after: str


class PlotPoint(msgspec.Struct, frozen=True):
    """Where a value stands in a plot, in percent from the left and from the top."""

    x: float
    y: float
    step: FieldStep


class FieldSeen(msgspec.Struct, frozen=True):
    """The values of a field, newest first; `points` are those of its plot, oldest first, where all are numbers."""

    pointer: str
    steps: tuple[FieldStep, ...]
    left_out: int
    points: tuple[PlotPoint, ...] = ()
    lowest: str = ""
    highest: str = ""

    @property
    def lines(self) -> list[tuple[PlotPoint, PlotPoint]]:
        """What leads from each point to the next."""
        return list(pairwise(self.points))


class FileSeen(msgspec.Struct, frozen=True):
    """A file through time."""

    path: str
    kind: Kind
    steps: tuple[FileRow, ...]
    leaves: tuple[Leaf, ...]
    field: FieldSeen | None


def look_through_time(repo: Repository, path: str, pointer: str) -> FileSeen:
    """Find every version that changed a file, and how a field of it went.

    Raises:
        UnknownName: no version has it.
    """
    records = log(repo, VersionFilter(limit=STEPS_SHOWN), everything=True, paths=[path])
    if not records:
        hint = "It is in no version yet, or has another name there: the list of unsaved work has it then."
        raise UnknownName("committed file", path, hint=hint)
    steps = _steps(repo, records, path)
    newest = next((step for step in steps if step.entry is not None), None)
    data = read_small(repo, newest.entry) if newest is not None and newest.entry is not None else None
    value = document_value(data) if data is not None and path.endswith((".json", ".otio")) else None
    leaves = tuple(leaves_of(value)) if isinstance(value, dict | list) else ()
    field = _field(repo, path, pointer) if pointer else None
    return FileSeen(path, kind_of(path), tuple(steps), leaves, field)


def _steps(repo: Repository, records: list[VersionRecord], path: str) -> list[FileRow]:
    found: list[FileRow] = []
    name, newer = path, None
    for record in records:
        entry, unread = _entry(repo, record, name)
        if entry is None and newer is not None:
            name = _older_name(repo, newer, record, name)
            entry, unread = _entry(repo, record, name)
        found.append(FileRow(record, call(repo, record), name, entry, unread))
        newer = record if entry is not None else newer
    return found


def _entry(repo: Repository, record: VersionRecord, path: str) -> tuple[Entry | None, str]:
    """Find the file in a version, or say why that cannot be looked into."""
    try:
        return repo.trees.entry(record.tree, path), ""
    except ObjectPurged:
        return None, "purged"
    except ObjectOffloaded:
        return None, "at a remote only"
    except IntegrityError:
        return None, "cannot be read"


def _older_name(repo: Repository, newer: VersionRecord, older: VersionRecord, name: str) -> str:
    try:
        return name_in_parent(repo, newer, older, name)
    except AuraError:
        return name


def _field(repo: Repository, path: str, pointer: str) -> FieldSeen | None:
    head = repo.head().version
    if head is None:
        return None
    changes = field_history(repo, head, path, "" if pointer == "/" else pointer)
    found, left_out = changes[:STEPS_SHOWN], max(0, len(changes) - STEPS_SHOWN)
    steps = tuple(
        FieldStep(change.version, call(repo, change.version), _written(change.before), _written(change.after))
        for change in found
    )
    numbers = [change.after for change in reversed(found)]
    if len(numbers) > 1 and all(isinstance(value, int | float) and not isinstance(value, bool) for value in numbers):
        return _plotted(FieldSeen(pointer, steps, left_out), [float(value) for value in numbers])
    return FieldSeen(pointer, steps, left_out)


def _written(value: object) -> str:
    if value is UNSET:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _plotted(seen: FieldSeen, values: list[float]) -> FieldSeen:
    """Lay out the values of a field, oldest first."""
    low, high = min(values), max(values)
    room = (high - low) or 1.0
    points = tuple(
        PlotPoint(round(100 * n / (len(values) - 1), 2), round(88 - 76 * (value - low) / room, 2), step)
        for n, (value, step) in enumerate(zip(values, reversed(seen.steps), strict=True))
    )
    return msgspec.structs.replace(seen, points=points, lowest=f"{low:g}", highest=f"{high:g}")


async def file_page(request: Request) -> Response:
    """Show a file through time."""
    workspace = site_of(request).workspace(request)
    query: Mapping[str, str] = query_of(request)
    path = path_after(request, f"/p/{workspace.key}/file/")
    if not path:
        raise UnknownName("file", path, hint="Choose one in a version's list of files.")

    def look(lane: ProjectLane) -> dict[str, object]:
        found = lane.run(look_through_time, path, query.get("field", ""))
        newest = next((step for step in found.steps if step.entry is not None), None)
        notes = notes_on(lane.project, newest.record.id, newest.path) if newest is not None else []
        said = lane.run(names_of, {note.place.version for note in notes})
        return {"seen": found, "newest": newest, "notes": notes, "said": said}

    return await page(request, workspace, "file.html", "history", look)
