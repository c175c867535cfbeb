"""A project that a program works with; each method is what the command of its name does."""

import threading
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Self

from aura_vcs.api.branches import Branches, Tags
from aura_vcs.api.contents import Assets, Scenes
from aura_vcs.api.opened import Opened, StrPath
from aura_vcs.api.records import Checkpoints, Exports
from aura_vcs.api.remotes import Remotes, repair_from
from aura_vcs.api.reporting import Listener
from aura_vcs.api.results import (
    Brought,
    Collected,
    Decision,
    DocumentProblem,
    Fetched,
    FsckReport,
    GcPlan,
    Merged,
    MergePlan,
    OpenConflict,
    PrunePlan,
    Pulled,
    Pushed,
    Repaired,
    Resolved,
    RetentionRules,
    StorageReport,
    Synced,
)
from aura_vcs.api.search import SearchHit
from aura_vcs.api.templates import Templates
from aura_vcs.api.values import Autosaved, Committed, FileInfo, Moved, Operation, Status, Undone, Version, VersionLike
from aura_vcs.api.versions import Diff, Versions, compare, list_files, name_of, open_content, project_paths
from aura_vcs.history.autosave import INTERVAL_SECONDS, LEAST_SECONDS, QUIET_SECONDS, Schedule, autosave, restore_point
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import amend, commit
from aura_vcs.history.diff.suggest_name import suggest_name
from aura_vcs.history.merge import abort_merge, merge, plan_merge
from aura_vcs.history.resolve import open_conflicts, resolve_conflicts
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.history.status import status
from aura_vcs.history.undo import find_action, redo, undo
from aura_vcs.history.untrack import untrack
from aura_vcs.history.watch import watch
from aura_vcs.maintenance.disk_usage import storage_report
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.maintenance.retention import execute_prune, plan_prune
from aura_vcs.model import GRACE_SECONDS
from aura_vcs.project.autosave_loop import folder_changes, keep_saving
from aura_vcs.project.documents.check import check_project
from aura_vcs.project.search_texts import search_texts
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.pull import pull, sync
from aura_vcs.sync.push import push


class Project:
    """A project folder under version control, as `aura.open`, `aura.init` and `aura.clone` give it.

    Use it from one thread at a time (`cancel` is for any thread), and close it, or use `with`. Each call
    sees what other processes did meanwhile. What replaces files saves what would be lost first, and can be
    taken back with `undo`. Paths are relative to the project's folder. `progress` hears how far a call is.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self.versions = Versions(opened)
        self.branches = Branches(opened)
        self.tags = Tags(opened)
        self.remotes = Remotes(opened)
        self.scenes = Scenes(opened)
        self.assets = Assets(opened)
        self.checkpoints = Checkpoints(opened)
        self.exports = Exports(opened)
        self.templates = Templates(opened)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<aura_vcs.Project {str(self.path)!r}>"

    @property
    def path(self) -> Path:
        """The project's folder."""
        return self._opened.root

    @property
    def id(self) -> str:
        """The project's id, the same in every copy."""
        return self.repository.format.project

    @property
    def repository(self) -> Repository:
        """The library below, for what has no method here; it is not promised to stay as it is."""
        return self._opened.repo

    def close(self) -> None:
        """Let go of every file and connection. A later call opens the project again."""
        self._opened.close()

    def cancel(self) -> None:
        """End the call at work, from another thread; it raises `Interrupted`, and the project is consistent."""
        self._opened.reporter.cancel()

    def commit(
        self,
        name: str,
        *,
        description: str = "",
        important: bool = False,
        allow_empty: bool = False,
        paths: Iterable[StrPath] | None = None,
        author: str | None = None,
        progress: Listener | None = None,
    ) -> Committed:
        """Save the folder, or only `paths` of it, as the branch's next version."""
        done = self._opened.run(
            progress,
            commit,
            name,
            description=description,
            important=important,
            allow_empty=allow_empty,
            paths=None if paths is None else project_paths(self._opened, paths),
            author=author,
        )
        return Committed.of(done)

    def amend(
        self,
        name: str | None = None,
        *,
        description: str | None = None,
        important: bool | None = None,
        paths: Iterable[StrPath] | None = None,
        keep: bool = False,
        progress: Listener | None = None,
    ) -> Committed:
        """Make the branch's last version anew, of the folder as it is; `keep` leaves the one before undeleted."""
        wanted = None if paths is None else project_paths(self._opened, paths)
        done = self._opened.run(
            progress, amend, name, description=description, important=important, paths=wanted, keep=keep
        )
        return Committed.of(done)

    def suggest_name(self) -> str:
        """Make a name for the next version from what it would change; "" for none."""
        return self._opened.run(None, suggest_name)

    def search(self, words: str, *, limit: int = 50, progress: Listener | None = None) -> tuple[SearchHit, ...]:
        """Find words in every text of the folder and of every version, what the folder has first."""
        return tuple(map(SearchHit.of, self._opened.run(progress, search_texts, words, limit)[0]))

    def status(self, *, progress: Listener | None = None) -> Status:
        """Compare the folder with the version it is based on."""
        return Status.of(self._opened.run(progress, status))

    def check(self) -> tuple[DocumentProblem, ...]:
        """Say whether the documents and media of the folder fit together."""
        return check_project(FolderSource(self.path))

    def log(
        self,
        *,
        limit: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        author: str | None = None,
        search: str | None = None,
        important: bool = False,
        deleted: bool = False,
        everything: bool = False,
        paths: Iterable[StrPath] = (),
    ) -> list[Version]:
        """List versions, newest first: those of the branch, or with `everything` all there are."""
        return self.versions.list(
            limit=limit,
            since=since,
            until=until,
            author=author,
            search=search,
            important=important,
            deleted=deleted,
            everything=everything,
            paths=paths,
        )

    def show(self, version: VersionLike = "HEAD") -> Version:
        """Find the version that goes by a name."""
        return self.versions[version]

    def files(self, version: VersionLike = "HEAD", folder: StrPath = "") -> list[FileInfo]:
        """List the files of a version, or of a folder in it."""
        return self._opened.run(None, list_files, name_of(version), folder)

    def read(self, path: StrPath, version: VersionLike = "HEAD", *, progress: Listener | None = None) -> bytes:
        """Read a file of a version whole, verified; offloaded content is fetched."""
        with self.open_file(path, version, progress=progress) as file:
            return file.read()

    def open_file(self, path: StrPath, version: VersionLike = "HEAD", *, progress: Listener | None = None) -> BinaryIO:
        """Open a file of a version as a seekable binary stream, of which only what is read is looked at."""
        return self._opened.run(progress, open_content, name_of(version), path)

    def diff(
        self,
        old: VersionLike | None = None,
        new: VersionLike | None = None,
        *,
        paths: Iterable[StrPath] = (),
        progress: Listener | None = None,
    ) -> Diff:
        """Compare two versions, or `old` (the last one, if none is given) with the folder."""
        return self._opened.run(progress, compare, old, new, project_paths(self._opened, paths))

    def checkout(
        self,
        version: VersionLike,
        *,
        clean: bool = False,
        new_branch: str | None = None,
        progress: Listener | None = None,
    ) -> Moved:
        """Go to a branch or version, or start a branch on one; with `clean`, the files are exactly its own."""
        moved = self._opened.run(progress, checkout, name_of(version), clean=clean, new_branch=new_branch)
        return Moved.of(self.repository, moved.head, moved)

    def restore(
        self, version: VersionLike, paths: Iterable[StrPath] | None = None, *, progress: Listener | None = None
    ) -> Moved:
        """Bring files of a version, or all, back into the folder, unsaved; the branch stays."""
        chosen = None if paths is None else project_paths(self._opened, paths)
        moved = self._opened.run(progress, restore, name_of(version), chosen)
        return Moved.of(self.repository, moved.head, moved)

    def undo(self, operation: str | None = None, *, progress: Listener | None = None) -> Undone:
        """Take back the last operation of this machine, or the one whose id begins so."""
        action = None if operation is None else self._opened.run(None, find_action, operation)
        return Undone.of(self.repository, self._opened.run(progress, undo, action))

    def redo(self, operation: str | None = None, *, progress: Listener | None = None) -> Undone:
        """Do again what was taken back last, or the operation whose id begins so."""
        action = None if operation is None else self._opened.run(None, find_action, operation)
        return Undone.of(self.repository, self._opened.run(progress, redo, action))

    def untrack(self, paths: Iterable[StrPath]) -> Version:
        """Make a version without `paths`, which stay in the folder and are ignored from now on."""
        return Version.of(self._opened.run(None, untrack, project_paths(self._opened, paths)).version)

    def plan_merge(self, version: VersionLike | None = None, *, progress: Listener | None = None) -> MergePlan:
        """Merge in memory; changes nothing."""
        return self._opened.run(progress, plan_merge, None if version is None else name_of(version))

    def merge(
        self, version: VersionLike | None = None, *, message: str = "", progress: Listener | None = None
    ) -> Merged:
        """Merge a branch or version into the current branch; without one, what machines moved apart."""
        name = None if version is None else name_of(version)
        return self._opened.run(progress, merge, name, message=message)

    def abort_merge(self, *, progress: Listener | None = None) -> Undone:
        """Take back the merge that the folder stands on, with the decisions made since."""
        return Undone.of(self.repository, self._opened.run(progress, abort_merge))

    def conflicts(self) -> tuple[OpenConflict, ...]:
        """List what a merge left to be decided."""
        return self._opened.run(None, open_conflicts)

    def resolve(self, path: StrPath, decision: Decision, *, place: str = "", source: str = "") -> Resolved:
        """Decide what is open at a path: all of it, or only at `place`, a JSON pointer or a line."""
        chosen = project_paths(self._opened, [path])[0]
        return self._opened.run(None, resolve_conflicts, chosen, place, decision, source=source)

    def autosave(self, *, progress: Listener | None = None) -> Version | None:
        """Save the folder beside the branch; None where nothing has changed."""
        saved = self._opened.run(progress, autosave).version
        return None if saved is None else Version.of(saved)

    def autosaves(
        self,
        *,
        interval: timedelta = timedelta(seconds=INTERVAL_SECONDS),
        least: timedelta = timedelta(seconds=LEAST_SECONDS),
        quiet: timedelta = timedelta(seconds=QUIET_SECONDS),
        rules: RetentionRules | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[Autosaved]:
        """Save while a person works, and yield each autosave, until `stop` is set or the loop is left.

        `interval` after the first change, at least `least` after any version, and not before files have
        held still for `quiet`. With `rules`, old ones go. One watcher a project; a program that does other
        things meanwhile gives it a `Project` and a thread of its own.
        """
        schedule = Schedule(interval=interval.total_seconds(), least=least.total_seconds(), quiet=quiet.total_seconds())
        changes = folder_changes(str(self.path), stop)
        return map(Autosaved.of, keep_saving(self.repository, schedule, lambda: rules, changes))

    def restore_point(self, trigger: str, *, name: str = "", description: str = "") -> Version | None:
        """Save the folder before a program changes a lot; `trigger` says what, in one word."""
        saved = self._opened.run(None, restore_point, trigger, name=name, description=description).version
        return None if saved is None else Version.of(saved)

    def watch(self, *, interval: float = 0.5, seconds: float | None = None) -> Iterator[Operation]:
        """Yield what happens from now on, by this and other processes and machines, as it is recorded.

        Looks every `interval` seconds, for `seconds`, or until the loop is left.
        """
        return map(Operation.of, watch(self.repository, interval=interval, seconds=seconds))

    def storage(self, *, progress: Listener | None = None) -> StorageReport:
        """Say what takes space."""
        return self._opened.run(progress, storage_report)

    def fsck(self, *, quick: bool = False, progress: Listener | None = None) -> FsckReport:
        """Check every byte and reference; with `quick`, not the content. Repairs nothing."""
        return self._opened.run(progress, fsck, quick=quick)

    def plan_gc(self, *, grace_days: float = GRACE_SECONDS / 86400, progress: Listener | None = None) -> GcPlan:
        """Find what no version needs; changes nothing."""
        return self._opened.run(progress, plan_gc, grace_seconds=grace_days * 86400)

    def gc(self, plan: GcPlan | None = None, *, progress: Listener | None = None) -> Collected:
        """Free what no version needs, as planned; what was freed lately can be wanted back by `undo` and stays."""
        wanted = self.plan_gc(progress=progress) if plan is None else plan
        return self._opened.run(progress, execute_gc, wanted)

    def plan_prune(self, rules: RetentionRules | None = None) -> PrunePlan:
        """Say which old autosaves and restore points the rules let go; changes nothing."""
        return self._opened.run(None, plan_prune, RetentionRules() if rules is None else rules)

    def prune(self, plan: PrunePlan | None = None) -> int:
        """Delete old autosaves and restore points, as planned; returns how many."""
        return self._opened.run(None, execute_prune, self.plan_prune() if plan is None else plan)

    def reindex(self, *, progress: Listener | None = None) -> None:
        """Build the index anew from the files. A damaged one is noticed and built anew by itself."""
        self._opened.run(progress, Repository.rebuild_index)

    def push(
        self,
        remote: str | None = None,
        *,
        all_versions: bool = False,
        ignore_locks: bool = False,
        progress: Listener | None = None,
    ) -> Pushed:
        """Send what a remote lacks; without a name to `origin` or the only one."""
        return self._opened.run_at(progress, remote, push, all_versions=all_versions, ignore_locks=ignore_locks)

    def fetch(
        self, remote: str | None = None, *, all_versions: bool = False, progress: Listener | None = None
    ) -> Fetched:
        """Bring versions from a remote; the folder stays as it is."""
        return self._opened.run_at(progress, remote, fetch, all_versions=all_versions)

    def pull(
        self, remote: str | None = None, *, all_versions: bool = False, progress: Listener | None = None
    ) -> Pulled:
        """Fetch, and bring the folder to where its branch has gone, if nothing unsaved is in the way."""
        return self._opened.run_at(progress, remote, pull, all_versions=all_versions)

    def sync(
        self,
        remote: str | None = None,
        *,
        all_versions: bool = False,
        ignore_locks: bool = False,
        progress: Listener | None = None,
    ) -> Synced:
        """Pull, then push."""
        return self._opened.run_at(progress, remote, sync, all_versions=all_versions, ignore_locks=ignore_locks)

    def repair(self, remote: str | None = None, *, progress: Listener | None = None) -> Repaired:
        """Fetch what is damaged or missing here from a remote; what is damaged is set aside, never deleted."""
        return self._opened.run_at(progress, remote, repair_from)

    def fetch_content(self, *versions: VersionLike, progress: Listener | None = None) -> Brought:
        """Bring the offloaded (or missing) content of versions back, from whichever remote has it; it stays."""
        names = [name_of(version) for version in versions]
        return self._opened.run(progress, self._opened.bring_back, names)
