"""Import of an Aura studio's database: every project a folder with its history, the studio's settings beside.

Projects are taken one after the other; each version is recorded with the row that it came from. Interrupted, what
was recorded stays, and the next import goes on behind it, as it does when the database has grown.
"""

import os
from collections.abc import Sequence
from typing import Any

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.history.recording.journal import recover
from aura_vcs.history.recording.past_versions import record_past_versions
from aura_vcs.history.recording.tree_steps import files_of
from aura_vcs.ids import VersionId
from aura_vcs.index.queries import VersionFilter
from aura_vcs.interchange.copied_files import store_file
from aura_vcs.interchange.imported_branch import put_in_place
from aura_vcs.model import DEFAULT_BRANCH, Entry
from aura_vcs.objects.batch import Batch
from aura_vcs.plain_text import now, readable_name
from aura_vcs.project.documents.load import TIMELINE_NAME
from aura_vcs.repository.format_file import project_at
from aura_vcs.repository.repository import Repository
from aura_vcs.studio.database.cells import flag, identity
from aura_vcs.studio.database.database_file import DatabaseFile, Row
from aura_vcs.studio.database.media import MediaFinder, MediaPlaces, PathMap
from aura_vcs.studio.database.present import (
    PresentState,
    ProjectTraces,
    actions_by_project,
    present_state,
    slug,
    title_of,
)
from aura_vcs.studio.database.records import exports_by_project, note_state, record_checkpoints, record_exports
from aura_vcs.studio.database.report import DatabaseImported, ImportedProject, Losses
from aura_vcs.studio.database.settings import import_studio
from aura_vcs.studio.database.versions import (
    STATE_PREFIX,
    VERSION_PREFIX,
    TreeMaker,
    VersionDocuments,
    closing_version,
    past_versions,
    read_versions,
)
from aura_vcs.studio.project_configuration import OpenStudio
from aura_vcs.studio.projects import add_project

BESIDE = "studio"
"""The branch that gets what came where `main` went on here meanwhile."""
TAKEN_TABLES = frozenset({
    "efmigrationshistory", "projectstates", "projectversions", "contentblobs", "scenestates", "assetstates",
    "rendercheckpoints", "exporthistory", "templates", "customtemplates", "configurations", "systemconfiguration",
    "usersetup", "actionlogs",
})  # fmt: skip
_FOLDER_TRIES = 1000


class DatabaseSource(msgspec.Struct, frozen=True):
    """What is to be imported: the database, the folder that gets a folder for each project, and where media are."""

    database: str
    folder: str
    media_roots: tuple[str, ...] = ()
    maps: tuple[PathMap, ...] = ()
    titles: tuple[str, ...] = ()
    """Only projects of these titles or ids; all without any."""
    with_studio: bool = True
    dry_run: bool = False


def import_database(wanted: DatabaseSource, studio: OpenStudio | None, options: dict[str, Any]) -> DatabaseImported:
    """Bring the projects of a studio's database here, each with its history, and the person's settings and templates.

    The database is read as it is at one moment and is not changed. A project that an earlier import made in the
    folder gets what is new; work that was done in it since stays, and what came goes to a branch beside it.
    `options` are those that repositories are opened with. Without a `studio`, only projects are taken.

    Raises:
        NotADatabase: the file is none, or damaged. InputError: no project is called so.
    """
    losses = Losses()
    with DatabaseFile(wanted.database) as database:
        home = os.path.dirname(database.path)
        roots = (*wanted.media_roots, home)
        rows = _chosen(database, wanted.titles)
        actions = actions_by_project(database, losses)
        exports = exports_by_project(database, losses)
        done = []
        for row in rows:
            places = MediaPlaces(MediaFinder(roots, wanted.maps))
            one = _Project(database, row, places, losses, tuple(os.path.join(root, "jobs") for root in roots))
            own = identity(row)
            done.append(one.take(wanted, options, actions.get(own, []), exports.get(own, [])))
            if studio is not None and not wanted.dry_run:
                with studio() as opened:
                    add_project(opened, done[-1].path, noticed=True)
        for name, title in sorted(database.tables().items()):
            count = database.count(title) if name not in TAKEN_TABLES else 0
            if count:
                losses.leave(title, "the table has no counterpart here", count=count)
        kept = (
            import_studio(database, studio, wanted.maps, losses, dry_run=wanted.dry_run) if wanted.with_studio else None
        )
    return DatabaseImported(
        database=readable_name(database.path),
        folder=readable_name(os.path.abspath(wanted.folder)),
        projects=tuple(done),
        settings=kept.settings if kept is not None else (),
        templates=kept.templates if kept is not None else (),
        setup=kept.setup if kept is not None else False,
        left=losses.rows(),
        notes=tuple(losses.notes),
        dry_run=wanted.dry_run,
    )


def _chosen(database: DatabaseFile, titles: Sequence[str]) -> list[Row]:
    rows = sorted(database.rows("ProjectStates"), key=lambda row: (str(row.get("createdat")), str(row.get("id"))))
    if not titles:
        return rows
    found = []
    for title in titles:
        named = [row for row in rows if title.casefold() in {title_of(row).casefold(), identity(row)}]
        if not named:
            known = ", ".join(repr(title_of(row)) for row in rows[:10])
            raise InputError(f"The database has no project {title!r}", hint=f"It has {known}." if known else "")
        found += named
    return found


class _Project:
    """One project on its way from the database into a folder."""

    def __init__(
        self, database: DatabaseFile, row: Row, places: MediaPlaces, losses: Losses, jobs: tuple[str, ...]
    ) -> None:
        self._database, self._row, self._places, self._losses = database, row, places, losses
        self._jobs = jobs
        self._id = identity(row)
        self._title = title_of(row)

    def take(
        self, wanted: DatabaseSource, options: dict[str, Any], actions: list[Row], exports: list[Row]
    ) -> ImportedProject:
        """Make the project's folder, or open the one that is there, and record what is new."""
        root, is_new = self._folder(wanted.folder)
        if wanted.dry_run and is_new:
            return self._described(root, self._read(set(), actions))
        if is_new:
            os.makedirs(os.path.dirname(root), exist_ok=True)
            opened = Repository.init(root, project=self._id, **options)
        else:
            opened = Repository(root, **options)
        with opened as repo:
            if wanted.dry_run:
                self._places.known = self._media_here(repo)
                return self._described(root, self._read(self._known(repo), actions), is_new=False)
            recover(repo)
            self._places.known = self._media_here(repo)
            known = self._known(repo)
            found, state = self._read(known, actions)
            versions = self._record(repo, found, state)
            name = self._move(repo)
            if is_new or versions:
                note_state(repo, self._row, self._losses)
            made = record_checkpoints(repo, self._database, self._row, self._places, self._losses)
            described = self._described(root, (found, state), is_new=is_new)
            return msgspec.structs.replace(
                described, versions=versions, known=len(known), branch=name, checkpoints=made,
                exports=record_exports(repo, exports, self._losses),
            )  # fmt: skip

    def _described(
        self, root: str, read: tuple[list[VersionDocuments], PresentState], *, is_new: bool = True
    ) -> ImportedProject:
        found, state = read
        sources = self._places.sources.values()
        return ImportedProject(
            id=self._id,
            title=self._title,
            path=readable_name(root),
            is_new=is_new,
            versions=len(found) + is_new,
            known=0,
            branch=DEFAULT_BRANCH,
            files=len(state.files) + len(self._places.sources),
            media=len(self._places.sources),
            media_bytes=sum(os.path.getsize(source) for source in sources if os.path.exists(source)),
            scenes=state.scenes,
            checkpoints=0,
            exports=0,
            is_deleted=flag(self._row, "isdeleted"),
        )

    def _folder(self, folder: str) -> tuple[str, bool]:
        """Return the project's folder, and whether it is to be made."""
        base = os.path.abspath(folder)
        name = slug(self._title, 60) or "project"
        names = os.listdir(base) if os.path.isdir(base) else []
        for entry in sorted(names, key=lambda entry: (not entry.startswith(name), entry)):
            if project_at(os.path.join(base, entry)) == self._id:
                return os.path.join(base, entry), False
        taken = {entry.casefold() for entry in names if not _is_empty(os.path.join(base, entry))}
        candidates = (name, *(f"{name}-{number}" for number in range(2, _FOLDER_TRIES)))
        return os.path.join(base, next(entry for entry in candidates if entry not in taken)), True

    @staticmethod
    def _known(repo: Repository) -> set[str]:
        return {origin.removeprefix(VERSION_PREFIX) for origin in repo.queries.origins(VERSION_PREFIX)}

    def _read(self, known: set[str], actions: list[Row]) -> tuple[list[VersionDocuments], PresentState]:
        found = read_versions(self._database, self._row, self._places, self._losses, known)
        timelines = [item.documents["timeline"] for item in found if "timeline" in item.documents]
        traces = ProjectTraces(self._jobs, timelines[-1] if timelines else None, actions)
        state = present_state(self._database, self._row, self._places, self._losses, traces)
        for path in self._places.missing():
            self._losses.leave("media", "not found; --media-root or --map says where they are", path)
        return found, state

    def _record(self, repo: Repository, found: list[VersionDocuments], state: PresentState) -> int:
        """Record the versions that are new, and what the project is now if that is new; returns how many."""
        closing = self._closing(repo)
        before = repo.queries.version(closing) if closing is not None else None
        numbers = {record.number for record in repo.queries.all_versions(VersionFilter())}
        numbers |= {record.number for record in repo.queries.all_versions(VersionFilter(deleted=True))}
        with repo.locks.shared("objects"), repo.store.batch(repo.progress) as batch:
            maker = TreeMaker(repo, batch)
            made, top = past_versions(maker, found, closing, numbers, self._losses, self._title)
            entries = {path: maker.entry(path, data) for path, data in state.files.items()}
            if TIMELINE_NAME not in entries and before is not None:
                kept = repo.trees.entry(before.tree, TIMELINE_NAME)
                entries |= {TIMELINE_NAME: kept} if kept is not None else {}
            entries |= {**self._places.kept, **self._media_entries(batch)}
            tree = maker.tree(entries)
            if not made and before is not None and before.tree == tree[0]:
                return 0
            made.append(closing_version(self._row, tree, top, now()))
            stored = batch.finish()
            ids = record_past_versions(
                repo, made, stored, batch.chunks,
                description=f"Imported {len(made)} versions from {readable_name(self._database.path)}",
            )  # fmt: skip
        return len(ids)

    def _media_here(self, repo: Repository) -> dict[str, Entry]:
        """Return the media that an earlier import brought."""
        closing = self._closing(repo)
        record = repo.queries.version(closing) if closing is not None else None
        if record is None or not record.is_live:
            return {}
        return {path: entry for path, entry in files_of(repo.trees, record.tree).items() if path.startswith("assets/")}

    def _media_entries(self, batch: Batch) -> dict[str, Entry]:
        entries = {}
        for place, source in sorted(self._places.sources.items()):
            found = store_file(batch, source, place, lambda what, reason: self._losses.leave("media", reason, what))
            if found is not None:
                entries[place] = found
        return entries

    def _closing(self, repo: Repository) -> VersionId | None:
        """Return the newest version that closed an import, on whose top new ones go."""
        found = [repo.queries.version(one) for one in repo.queries.origins(f"{STATE_PREFIX}{self._id} ").values()]
        newest = max((one for one in found if one is not None), key=lambda one: one.number, default=None)
        return newest.id if newest is not None else None

    def _move(self, repo: Repository) -> str:
        """Put a branch on what was imported, with its files where HEAD is on it; returns the branch's name."""
        target = self._closing(repo)
        return DEFAULT_BRANCH if target is None else put_in_place(repo, target, BESIDE, self._title)


def _is_empty(path: str) -> bool:
    """Tell whether a folder has nothing in it, as one has where an import was interrupted when it had made it."""
    try:
        return not os.path.islink(path) and not os.listdir(path)
    except OSError:
        return False
