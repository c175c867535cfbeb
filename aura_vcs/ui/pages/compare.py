"""Any two states of a project beside each other: two versions, or a version and the folder."""

from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aura_vcs.cli.output.humanize import call
from aura_vcs.cli.output.sequence_lists import ListedChange, fold_listed
from aura_vcs.errors import AuraError
from aura_vcs.history.compare_versions import Compared, compare_versions
from aura_vcs.history.diff.file_diff import FileDiff, diff_change, is_timeline_path
from aura_vcs.history.diff.suggest_name import describe_changes
from aura_vcs.history.diff.tree_diff import Comparison, PathChange, compare_trees
from aura_vcs.history.log import log
from aura_vcs.history.names.branches import branches
from aura_vcs.history.names.revisions import check_content, resolve
from aura_vcs.index.queries import VersionFilter
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import VersionType
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.repository.repository import Repository
from aura_vcs.ui.contents import ShownText, shown_text
from aura_vcs.ui.differences import FieldRow, TextRow, field_rows, text_rows
from aura_vcs.ui.drawing import DrawnTimeline, draw_both, find_clip, shown_media
from aura_vcs.ui.media_kinds import Kind, kind_of
from aura_vcs.ui.pages.frame import page, part
from aura_vcs.ui.pages.noted import notes_on
from aura_vcs.ui.proxies import FOLDER
from aura_vcs.ui.site import checked_path, query_of, site_of
from aura_vcs.ui.workspace import ProjectLane

FILES_SHOWN = 1_000
SUMMED_UP = 12
"""So many files are looked into for the words at the top."""
SUMMED_BYTES = 1 << 20
LINES_EACH = 3
LINES = 200
CHOICE = 200
"""Versions that can be chosen from the lists; others by their names in the address."""


class Side(msgspec.Struct, frozen=True):
    """One side: what it is called, and how addresses name it ("" for the time before the first version)."""

    called: str
    name: str
    address: str


class ComparedClip(msgspec.Struct, frozen=True):
    """The clip that was clicked on, before and after: what it shows, and where in that it begins."""

    title: str
    old_media: str
    old_seconds: float
    new_media: str
    new_seconds: float
    texts: tuple[str, ...]


class ComparedFile(msgspec.Struct, frozen=True):
    """What is shown of one file. Of `kind` "timeline" there are drawings, of "fields" and "text" rows."""

    path: str
    old_path: str
    change: str
    kind: str
    media_kind: Kind
    lines: tuple[str, ...]
    old_size: int | None
    new_size: int | None
    old_id: str
    new_id: str
    before: DrawnTimeline | None
    after: DrawnTimeline | None
    changes: tuple[str, ...]
    fields: tuple[FieldRow, ...]
    texts: tuple[TextRow, ...]
    alone: ShownText | None
    clip: ComparedClip | None
    has_old: bool
    has_new: bool


class ShownComparison(msgspec.Struct, frozen=True):
    """The whole comparison: words first, then the files, of which one is looked into."""

    old: Side
    new: Side
    words: str
    summary: tuple[tuple[str, tuple[str, ...]], ...]
    changes: tuple[PathChange, ...]
    listed: tuple[ListedChange, ...]
    """The changes as they are listed: those of a sequence of pictures in a line."""
    left_out: int
    file: ComparedFile | None
    previous: str
    following: str


def compare(repo: Repository, old: str, new: str, path: str, clip: str, side: str) -> ShownComparison:
    """Compare two states; of the file at `path`, or of the one that tells most, all is shown.

    Raises:
        UnknownVersion, AmbiguousVersion, ObjectPurged.
    """
    found = _compared(repo, old, new)
    comparison = found.comparison
    changes = comparison.changes
    chosen = _change_at(changes, path) if path else _most_telling(changes)
    differs = _differs(comparison, chosen) if chosen is not None else None
    file = _file(comparison, chosen, differs, clip, side) if chosen is not None and differs is not None else None
    at = changes.index(chosen) if chosen is not None else 0
    return ShownComparison(
        _side(repo, found.old, "nothing"),
        _side(repo, found.new, "your folder"),
        describe_changes(comparison),
        tuple(_summary(comparison, chosen, differs)),
        changes[:FILES_SHOWN],
        tuple(fold_listed(changes[:FILES_SHOWN])),
        max(0, len(changes) - FILES_SHOWN),
        file,
        changes[at - 1].path if changes and at > 0 else "",
        changes[at + 1].path if at + 1 < len(changes) else "",
    )


def _change_at(changes: Sequence[PathChange], path: str) -> PathChange | None:
    """Find what changed at a path, under the name that either side has for it."""
    found = [change for change in changes if path in (change.path, change.old_path)]
    return min(found, key=lambda change: change.path != path, default=None)


def _compared(repo: Repository, old: str, new: str) -> Compared:
    """Compare by names; a version that has none before it is compared with nothing."""
    if new and new != FOLDER and not old:
        record = resolve(repo, new)
        check_content(repo, record)
        return Compared(None, record, compare_trees(repo, EMPTY_TREE_ID, record.tree))
    return compare_versions(repo, [name for name in (old, new) if name and name != FOLDER])


def _side(repo: Repository, record: VersionRecord | None, otherwise: str) -> Side:
    if record is not None:
        return Side(call(repo, record), record.name, record.id)
    return Side(otherwise, "", FOLDER if otherwise == "your folder" else "")


def _most_telling(changes: Sequence[PathChange]) -> PathChange | None:
    """Return the change that a person would look at first: the timeline, a document, a picture."""

    def rank(change: PathChange) -> int:
        if change.change == "modified" and is_timeline_path(change.path):
            return 0
        kind = kind_of(change.path)
        is_changed = change.change in ("modified", "renamed")
        return {"picture": 2, "video": 1, "sound": 3, "text": 2}.get(kind, 5) + (0 if is_changed else 4)

    return min(changes, key=rank, default=None)


def _summary(
    comparison: Comparison, known: PathChange | None, differs: FileDiff | None
) -> list[tuple[str, tuple[str, ...]]]:
    """Say in words what changed in the first documents and timelines; of one that is known already."""
    told = []
    looked = 0
    for change in comparison.changes:
        sizes = [entry.size for entry in (change.old, change.new) if entry is not None]
        if looked >= SUMMED_UP or kind_of(change.path) in ("picture", "sound", "video") or sum(sizes) > SUMMED_BYTES:
            continue
        if change.old is None or change.new is None:
            continue
        looked += 1
        lines = differs.lines if change is known and differs is not None else ()
        if not lines or len(lines) > LINES_EACH:  # which says how many more there are
            lines = _differs(comparison, change, LINES_EACH).lines
        if lines:
            told.append((change.path, lines[: LINES_EACH + 1]))
    return told


def _differs(comparison: Comparison, change: PathChange, limit: int = LINES) -> FileDiff:
    try:
        return diff_change(comparison, change, limit=limit)
    except AuraError as error:
        return FileDiff("bytes", (error.message,))


def _file(comparison: Comparison, change: PathChange, found: FileDiff, clip: str, side: str) -> ComparedFile:
    folder = change.path.rpartition("/")[0]
    drawn = draw_both(found.timeline, folder) if found.timeline is not None else None
    clips = found.timeline.changes if found.timeline is not None else ()
    return ComparedFile(
        path=change.path,
        old_path=change.old_path or change.path,
        change=change.change,
        kind=found.kind,
        media_kind=kind_of(change.path),
        lines=found.lines,
        old_size=change.old.size if change.old is not None else None,
        new_size=change.new.size if change.new is not None else None,
        old_id=change.old.id if change.old is not None else "",
        new_id=change.new.id if change.new is not None else "",
        before=drawn[0] if drawn is not None else None,
        after=drawn[1] if drawn is not None else None,
        changes=tuple(f"{item.subject} {item.text}".strip() for item in clips[:500]),
        fields=field_rows(found.document) if found.document is not None else (),
        texts=text_rows(found.text) if found.text is not None else (),
        alone=_alone(comparison, change),
        clip=_clip(found, folder, clip, side) if clip else None,
        has_old=change.old is not None,
        has_new=change.new is not None,
    )


def _alone(comparison: Comparison, change: PathChange) -> ShownText | None:
    """Show a text that only one side has."""
    if (change.old is None) == (change.new is None) or kind_of(change.path) not in ("text", "other"):
        return None
    try:
        if change.new is not None:
            return shown_text(comparison.new.read(change.path, change.new))
        assert change.old is not None
        return shown_text(comparison.old.read(change.path, change.old))
    except AuraError as error:
        return ShownText("", error.message, False)


def _clip(found: FileDiff, folder: str, pointer: str, side: str) -> ComparedClip | None:
    """Find the clip that was clicked on, on both sides."""
    diff = found.timeline
    drawn = draw_both(diff, folder) if diff is not None else None
    if diff is None or diff.old is None or diff.new is None or drawn is None:
        return None
    timelines = (diff.old, diff.new)
    at = 0 if side == "old" else 1
    partner = next((c.partner for track in drawn[at].tracks for c in track.clips if c.pointer == pointer), "")
    pointers = (pointer, partner) if at == 0 else (partner, pointer)
    clips = [find_clip(timeline, wanted) for timeline, wanted in zip(timelines, pointers, strict=True)]
    media = [
        shown_media(timeline, clip, folder) if clip is not None else ("", 0.0)
        for timeline, clip in zip(timelines, clips, strict=True)
    ]
    known = clips[1] or clips[0]
    if known is None:
        return None
    own = {"removed": pointers[0]}
    texts = tuple(item.text for item in diff.changes if item.owner and item.owner == own.get(item.kind, pointers[1]))
    title = f"{known.label} {known.name}".strip() if known.noun == "scene" else known.label
    return ComparedClip(title, *media[0], *media[1], texts)


async def compare_page(request: Request) -> Response:
    """Show a comparison. Its address says all of it: versions, file, clip, and how it is looked at."""
    workspace = site_of(request).workspace(request)
    query = query_of(request)
    old, new = query.get("old", ""), query.get("new", "")
    path = checked_path(query.get("path", ""))
    clip, side = query.get("clip", ""), query.get("side", "new")

    def look(lane: ProjectLane) -> dict[str, object]:
        found = lane.run(compare, old, new, path, clip, side)
        notes = []
        if found.file is not None and found.file.media_kind == "video":
            seen_in = found.new.address if found.new.address not in ("", FOLDER) else "HEAD"
            notes = notes_on(lane.project, seen_in, found.file.path)
        names = lane.run(_named)
        return {
            "found": found,
            "old": old,
            "new": new,
            "path": path,
            "file": found.file,
            "named": names,
            "notes": notes,
        }

    return await page(request, workspace, "compare.html", "compare", look)


class Choice(msgspec.Struct, frozen=True):
    """What can be compared, by name."""

    branches: tuple[str, ...]
    tags: tuple[str, ...]


def _named(repo: Repository) -> Choice:
    return Choice(tuple(item.name for item in branches(repo)), tuple(sorted(repo.refs.tags())))


async def choice_part(request: Request) -> Response:
    """Return the versions that can be chosen, for a page that is there already."""
    workspace = site_of(request).workspace(request)

    def look(lane: ProjectLane) -> dict[str, object]:
        wanted = VersionFilter(types=(VersionType.MANUAL,), limit=CHOICE)
        return {
            "versions": lane.run(lambda repo: [(one, call(repo, one)) for one in log(repo, wanted, everything=True)])
        }

    return await part(request, workspace, "choice.html", look)
