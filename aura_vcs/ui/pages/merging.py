"""Merging: what two lines have changed since they parted, and what a merge left to be decided."""

import json

import msgspec
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from aura_vcs.cli.output.humanize import call
from aura_vcs.compare.diff.text import diff_text, highlights
from aura_vcs.errors import AuraError
from aura_vcs.history.diff.suggest_name import describe_changes
from aura_vcs.history.diff.tree_diff import PathChange, compare_trees
from aura_vcs.history.merge import MergePlan, plan_merge
from aura_vcs.history.merging.conflict_groups import ConflictGroup, group_conflicts
from aura_vcs.history.merging.conflicts import OpenConflict
from aura_vcs.history.names.branches import branches
from aura_vcs.history.resolve import open_conflicts
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.ids import blob_id
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import DOCUMENTS
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.repository.repository import Repository
from aura_vcs.ui.contents import timeline_in
from aura_vcs.ui.differences import Marked, TextRow, marked, text_rows
from aura_vcs.ui.drawing import shown_media
from aura_vcs.ui.hand_edits import MOST_BYTES, editable_text
from aura_vcs.ui.media_kinds import Kind, kind_of
from aura_vcs.ui.pages.frame import page
from aura_vcs.ui.site import number_of, query_of, site_of
from aura_vcs.ui.workspace import ProjectLane

CHANGES_SHOWN = 200
MOST = 100_000
WIDTH = 4_000


class ConflictClip(msgspec.Struct, frozen=True):
    """The clip of a timeline that both sides changed: what it shows, and which of its fields is at stake."""

    title: str
    media: str
    seconds: float
    field: str


class Decision(msgspec.Struct, frozen=True):
    """One open conflict, ready to be shown: the sides as text, or as files of the folder where whole files differ.

    `field` is how `project set` calls the place, "" where it has no name there: then it can be edited here.
    """

    number: int
    path: str
    place: str
    shown_place: str
    kind: str
    media_kind: Kind
    base: str | None
    ours: Marked | None
    theirs: Marked | None
    ours_label: str
    theirs_label: str
    ours_file: str
    theirs_file: str
    source: str
    field: str
    value: str
    text: str | None
    """The whole file, where it is a text that can be edited here; `shown` is its content id, `line` where to look."""
    shown: str
    line: int
    rows: tuple[TextRow, ...]
    """Both sides of a text beside each other, where whole files differ."""
    is_seen: str
    """What the two sides are, where they are pictures, sounds or films that are looked at together; "" elsewhere."""
    clip: ConflictClip | None


class Deciding(msgspec.Struct, frozen=True):
    """What is to be decided, by place, and the one that is looked at; `at` counts from 1."""

    places: tuple[str, ...]
    at: int
    item: Decision | None


def decisions(repo: Repository, number: int) -> Deciding:
    """List what is to be decided, and look at the one of that number, or the last."""
    found = open_conflicts(repo)
    groups = group_conflicts(found)
    at = min(number, len(groups))
    item = _group_decision(_decision(repo, groups[at - 1].first, at, found), groups[at - 1]) if at else None
    return Deciding(tuple(group.location for group in groups), at, item)


def _group_decision(first: Decision, group: ConflictGroup) -> Decision:
    """Let what is shown of the first frame of a sequence stand for all that are decided with it."""
    if group.sequence is None:
        return first
    return msgspec.structs.replace(first, path=group.path, shown_place=group.location, text=None, shown="")


def _decision(repo: Repository, item: OpenConflict, number: int, among: tuple[OpenConflict, ...]) -> Decision:
    sides: list[str | None] = [None, None, None]
    kind, place = "changed", ""
    if item.field is not None:
        kind, place = item.field.kind, item.field.pointer
        sides = [_value(value) for value in (item.field.base, item.field.ours, item.field.theirs)]
    elif item.text is not None:
        place = str(item.text.line)
        sides = [item.text.base, item.text.ours, item.text.theirs]
    elif item.tree is not None:
        kind = item.tree.kind
    field = _field_name(item.path, place)
    text, content, rows = (None, "", ()) if field else _editable_file(repo, item)
    rivals = [other for other in among if other.location == item.location and other.id != item.id]
    ours, theirs = _both_marked(sides[1], sides[2])
    aside = item.tree.aside if item.tree is not None and item.tree.aside else ""
    media_kind = kind_of(item.path)
    entries = (item.tree.ours, item.tree.theirs) if item.tree is not None else ()
    ids = [entry.id for entry in entries if entry is not None]
    is_seen = ""
    if media_kind in ("picture", "sound", "video") and kind_of(aside) == media_kind and len(ids) == 2:
        is_seen = "-".join(ids)
    return Decision(
        number, item.path, place, item.location, kind, media_kind, sides[0], ours, theirs,
        item.ours_label, item.theirs_label,
        item.path if item.tree is not None and item.tree.ours is not None else "", aside,
        item.theirs_label if rivals else "", field, sides[1] or "",
        text, content, item.text.line if item.text is not None else 1, rows, is_seen, _clip(repo, item, place),
    )  # fmt: skip


def _clip(repo: Repository, item: OpenConflict, place: str) -> ConflictClip | None:
    """Find the clip that a place in a timeline belongs to, as your folder has it."""
    timeline = timeline_in(item.path, _read(repo, item.path)) if item.field is not None else None
    if timeline is None:
        return None
    clips = [clip for track in timeline.tracks for clip in track.clips]
    found = max(
        (c for c in clips if f"{place}/".startswith(f"{c.pointer}/")), key=lambda c: len(c.pointer), default=None
    )
    if found is None:
        return None
    title = f"{found.label} {found.name}".strip() if found.noun == "scene" else found.label
    field = " ".join(place[len(found.pointer) :].split("/")).strip().replace("_", " ")
    return ConflictClip(title, *shown_media(timeline, found, item.path.rpartition("/")[0]), field)


def _editable_file(repo: Repository, item: OpenConflict) -> tuple[str | None, str, tuple[TextRow, ...]]:
    """Read a file of text as it is now, for somebody who edits it, and compare it with the other side's."""
    if item.tree is not None and item.tree.kind in ("renamed", "blocked"):
        return None, "", ()
    data = _read(repo, item.path)
    text = editable_text(data)
    if data is None or text is None:
        return None, "", ()
    other = _read(repo, item.tree.aside) if item.tree is not None and item.tree.aside else None
    rows = text_rows(diff_text(data, other)) if other is not None and editable_text(other) is not None else ()
    return text, blob_id(data), rows


def _read(repo: Repository, path: str) -> bytes | None:
    """Read a small file of the folder; None where it cannot be read or is none."""
    try:
        with FolderSource(repo.root).open(path) as file:
            data = file.read(MOST_BYTES + 1)
    except AuraError:
        return None
    return data if len(data) <= MOST_BYTES else None


def _field_name(path: str, pointer: str) -> str:
    """Return how `project set` calls a field of one of the documents; "" for what it does not know."""
    name = path.removesuffix(".json")
    parts = pointer.split("/")[1:]
    if name not in DOCUMENTS or not parts or any("~" in part or "." in part or part.isdecimal() for part in parts):
        return ""
    return ".".join((name, *parts))


def _value(value: object) -> str | None:
    if value is UNSET:
        return None
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _both_marked(ours: str | None, theirs: str | None) -> tuple[Marked | None, Marked | None]:
    """Mark the words in which two sides differ."""
    if ours is None or theirs is None or len(ours) + len(theirs) > WIDTH:
        return (None if side is None else ((side, False),) for side in (ours, theirs))  # type: ignore[return-value]
    one, other = highlights(ours, theirs)
    return marked(ours, one), marked(theirs, other)


class MergeSide(msgspec.Struct, frozen=True):
    """What one line has changed since both parted."""

    called: str
    record: VersionRecord
    words: str
    changes: tuple[PathChange, ...]


class ShownMerge(msgspec.Struct, frozen=True):
    """A merge that has not been made: both lines, what both touched, and what would be left to decide."""

    plan: MergePlan
    parted: VersionRecord | None
    parted_called: str
    ours: MergeSide
    theirs: MergeSide
    both: frozenset[str]
    problem: str


def look_at_merge(repo: Repository, name: str) -> ShownMerge:
    """Merge in memory, and compare both lines with where they parted.

    Raises:
        UnknownVersion, AmbiguousVersion. InputError: there is nothing to merge with.
    """
    plan = plan_merge(repo, name or None)
    queries = repo.queries
    common = queries.ancestors(plan.ours.id) & queries.ancestors(plan.theirs.id)
    records = [record for version in common if (record := queries.version(version)) is not None]
    parted = max(records, key=lambda record: record.number, default=None)
    tree = parted.tree if parted is not None else EMPTY_TREE_ID
    lines, problem = [], ""
    for record in (plan.ours, plan.theirs):
        words = ""
        changes: tuple[PathChange, ...] = ()
        try:
            comparison = compare_trees(repo, tree, record.tree)
            words, changes = describe_changes(comparison), comparison.changes
        except AuraError as error:
            problem = error.message
        lines.append(MergeSide(call(repo, record), record, words, changes[:CHANGES_SHOWN]))
    both = frozenset(change.path for change in lines[0].changes) & {change.path for change in lines[1].changes}
    called = call(repo, parted) if parted is not None else ""
    return ShownMerge(plan, parted, called, lines[0], lines[1], frozenset(both), problem)


class Mergeable(msgspec.Struct, frozen=True):
    """What can be merged: other branches, and whether machines moved this one apart."""

    branches: tuple[str, ...]
    is_diverged: bool


def _mergeable(repo: Repository) -> Mergeable:
    current = repo.head().branch
    found = branches(repo)
    apart = any(item.diverged for item in found if item.name == current)
    return Mergeable(tuple(item.name for item in found if item.name != current), apart)


async def merge_page(request: Request) -> Response:
    """Show what is to be decided, or what a merge would do."""
    workspace = site_of(request).workspace(request)
    query = query_of(request)
    wanted, number = query.get("with", ""), number_of(query, "n", 1, MOST)

    def look(lane: ProjectLane) -> dict[str, object]:
        others = lane.run(_mergeable)
        deciding = lane.run(decisions, max(1, number))
        is_wanted = bool(wanted) or (others.is_diverged and ("with" in query or deciding.item is None))
        return {
            "deciding": deciding,
            "others": others,
            "wanted": wanted,
            "merge": lane.run(look_at_merge, wanted) if is_wanted else None,
        }

    return await page(request, workspace, "merge.html", "merge", look)
