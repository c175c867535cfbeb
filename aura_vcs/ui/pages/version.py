"""One version: what it changed, its files, documents, timeline and scenes; and what can be taken from it."""

import posixpath
from collections.abc import Iterable, Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aura_vcs.cli.output.humanize import call
from aura_vcs.cli.output.sequence_lists import fold_listed
from aura_vcs.errors import AuraError
from aura_vcs.history.diff.suggest_name import describe_changes
from aura_vcs.history.diff.tree_diff import Comparison, PathChange, compare_trees
from aura_vcs.history.lookup.content import LocatedContent, locate
from aura_vcs.history.names.branches import branches
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.resolve import conflicts_in
from aura_vcs.history.sources.content_source import StoredSource
from aura_vcs.ids import VersionId
from aura_vcs.index.records import VersionRecord
from aura_vcs.maintenance.purge_plan import plan_purge
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.project.documents.load import SceneFile, load_project
from aura_vcs.project.records.export_jobs import list_exports
from aura_vcs.project.records.exports import ExportRecord
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.sent import sent_to
from aura_vcs.ui.contents import (
    Named,
    ShownText,
    ShownTimeline,
    list_named,
    read_small,
    shown_text,
    timeline_in,
    timelines_of,
)
from aura_vcs.ui.drawing import DrawnTimeline, draw_timeline
from aura_vcs.ui.media_kinds import Kind, kind_of
from aura_vcs.ui.pages.frame import page
from aura_vcs.ui.pages.noted import names_of, notes_about, notes_on
from aura_vcs.ui.sequences import PictureSequence, sequences_among
from aura_vcs.ui.site import path_after, query_of, site_of
from aura_vcs.ui.workspace import ProjectLane, Workspace

CHANGES_SHOWN = 300
EXPORTS_SHOWN = 20


class ShownVersion(msgspec.Struct, frozen=True):
    """Everything that the view of a version says. `problem` says why its content cannot be shown."""

    record: VersionRecord
    called: str
    names: tuple[tuple[str, str], ...]
    parents: tuple[tuple[str, str], ...]
    children: tuple[tuple[str, str], ...]
    words: str
    changes: tuple[PathChange, ...]
    alone_bytes: int
    timelines: tuple[ShownTimeline, ...]
    scenes: tuple[SceneFile, ...]
    exports: tuple[ExportRecord, ...]
    remotes: tuple[str, ...]
    conflicts: int
    files: tuple[Named, ...]
    is_head: bool
    problem: str


def look_at(repo: Repository, name: str) -> ShownVersion:
    """Look at a version."""
    record = resolve(repo, name)
    queries = repo.queries
    parents, children = _called(repo, record.parents), _called(repo, queries.children(record.id))
    names = [("branch", item.name) for item in branches(repo) if record.id in (item.diverged or (item.version,))]
    names += [("tag", tag) for tag, found in sorted(repo.refs.tags().items()) if found.version == record.id]
    problem, comparison, alone = "", None, 0
    timelines: list[ShownTimeline] = []
    scenes: tuple[SceneFile, ...] = ()
    files: list[Named] = []
    conflicts = 0
    try:
        comparison = _comparison(repo, record)
        alone = plan_purge(repo, record).stored_bytes
        timelines = timelines_of(repo, record)
        if any(record.documents.values()):
            scenes = load_project(StoredSource(repo, record.tree)).scenes
        files = list_named(repo, record.tree, "", comparison.changes)
        conflicts = len(conflicts_in(repo, record.tree))
    except AuraError as error:
        problem = error.message
    changes = comparison.changes if comparison is not None else ()
    words = describe_changes(comparison) if comparison is not None and record.parents else ""
    exports = [job for job in list_exports(repo, limit=200) if job.input_file == record.id]
    return ShownVersion(
        record, call(repo, record), tuple(names), parents, children, words, changes, alone, tuple(timelines), scenes,
        tuple(exports[:EXPORTS_SHOWN]), sent_to(repo, record.id), conflicts, tuple(files),
        record.id == repo.head().version, problem,
    )  # fmt: skip


def _called(repo: Repository, versions: Iterable[VersionId]) -> tuple[tuple[str, str], ...]:
    """Return what versions are called, with their ids."""
    found = [repo.queries.version(version) for version in versions]
    return tuple((record.id, call(repo, record)) for record in found if record is not None)


def _comparison(repo: Repository, record: VersionRecord) -> Comparison:
    parent = repo.queries.version(record.parents[0]) if record.parents else None
    return compare_trees(repo, parent.tree if parent is not None else EMPTY_TREE_ID, record.tree)


async def version_page(request: Request) -> Response:
    """Show a version."""
    workspace = site_of(request).workspace(request)

    def look(lane: ProjectLane) -> dict[str, object]:
        found = lane.run(look_at, request.path_params["version"])
        listed = fold_listed(found.changes)
        shown = listed[:CHANGES_SHOWN]
        return {
            "version": found,
            "record": found.record,
            "changes": shown,
            "notes": notes_about(lane.project, found.record.id),
            "more": len(listed) - len(shown),
        }

    return await page(request, workspace, "version.html", "history", look)


class ShownFile(msgspec.Struct, frozen=True):
    """A file or folder of a version. A text has its `text`, a timeline is drawn, a folder has what lies in it."""

    record: VersionRecord
    called: str
    path: str
    kind: Kind
    size: int
    id: str
    is_folder: bool
    entries: tuple[Named, ...]
    text: ShownText | None
    timeline: DrawnTimeline | None
    sequences: tuple[tuple[str, PictureSequence, int], ...] = ()
    """Of a folder, what is numbered: by what the pictures have in common, with the bytes of all."""
    sequence: PictureSequence | None = None
    """The one that is looked at; `entries` are its pictures."""


def look_inside(repo: Repository, version: str, path: str, wanted: str = "") -> ShownFile:
    """Look at a file or folder of a version; `wanted` is the sequence of pictures in it that is looked at."""
    located = locate(repo, f"{version}:{path}")
    entry, kind = located.entry, kind_of(path)
    entries: list[Named] = []
    text, drawn, sequence = None, None, None
    summed: tuple[tuple[str, PictureSequence, int], ...] = ()
    if located.is_folder:
        entries = list_named(repo, entry.id, path, _changes(repo, located))
        sequences = sequences_among([item.path for item in entries if not item.is_folder and not item.is_link])
        sequence = sequences.get(f"{path}/{wanted}" if path else wanted)
        entries, summed = _folded(entries, sequences, sequence)
    elif kind in ("text", "other"):
        data = read_small(repo, entry)
        timeline = timeline_in(path, data) if data is not None else None
        if timeline is not None and any(track.clips for track in timeline.tracks):
            drawn = draw_timeline(timeline, path.rpartition("/")[0])
        text = shown_text(data)
    return ShownFile(
        located.record, call(repo, located.record), path, kind, entry.size, entry.id, located.is_folder,
        tuple(entries), text, drawn, summed, sequence,
    )  # fmt: skip


def _folded(
    entries: list[Named], sequences: Mapping[str, PictureSequence], wanted: PictureSequence | None
) -> tuple[list[Named], tuple[tuple[str, PictureSequence, int], ...]]:
    """Leave the pictures of a sequence alone, or what belongs to none, with the sequences and their sizes."""
    if wanted is not None:
        inside = frozenset(wanted.paths)
        return [item for item in entries if item.path in inside], ()
    sizes = {item.path: item.size for item in entries}
    folded = {path for sequence in sequences.values() for path in sequence.paths}
    summed = [
        (posixpath.basename(key), sequence, sum(sizes[path] for path in sequence.paths))
        for key, sequence in sorted(sequences.items())
    ]
    return [item for item in entries if item.path not in folded], tuple(summed)


def _changes(repo: Repository, located: LocatedContent) -> tuple[PathChange, ...]:
    """List what the version changed, if what it is compared with is here."""
    try:
        return _comparison(repo, located.record).changes
    except AuraError:
        return ()


async def files_page(request: Request) -> Response:
    """Show a folder or a file of a version."""
    site = site_of(request)
    workspace: Workspace = site.workspace(request)
    version = request.path_params["version"]
    path = path_after(request, f"/v/{version}/files/")
    wanted = query_of(request).get("sequence", "")
    parts = path.split("/") if path else []

    def look(lane: ProjectLane) -> dict[str, object]:
        found = lane.run(look_inside, version, path, wanted)
        notes = notes_on(lane.project, found.record.id, path) if path and not found.is_folder else []
        return {
            "file": found,
            "record": found.record,
            "trail": [("/".join(parts[: n + 1]), part) for n, part in enumerate(parts)],
            "notes": notes,
            "said": lane.run(names_of, {note.place.version for note in notes}),
        }

    return await page(request, workspace, "files.html", "history", look)
