"""What goes to remotes and comes from there, as results of calls."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from aura_vcs.api.locks import PathLock
from aura_vcs.api.opened import StrPath, project_paths
from aura_vcs.api.values import Moved, moved_or_none, paths_of
from aura_vcs.history.lookup.select_files import select
from aura_vcs.history.names.revisions import resolve
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.studio.project_configuration import OpenStudio, configured_value
from aura_vcs.sync import fetch as fetch_room, pull as pull_room, push as push_room
from aura_vcs.sync.bundle import create_bundle
from aura_vcs.sync.heads_merged import MergeHeads
from aura_vcs.sync.maintenance.fsck import VerifyReport
from aura_vcs.sync.merge_heads import MergePolicy, merge_heads
from aura_vcs.sync.offload.fetch_content import Brought, LazyFetcher, fetch_content, plan_content
from aura_vcs.sync.remotes.config import remotes
from aura_vcs.sync.state.cache import RemoteCache


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch brought, or would bring; versions are given by their ids.

    `left_bytes` of content stay at the remote until they are needed. `settings` are keys of the project's settings,
    `annotations` is the number of notes, provenances and recipes, and `diverged` are branches that have several
    heads now.
    """

    remote: str
    versions: tuple[str, ...]
    branches: tuple[str, ...]
    objects: int
    received_bytes: int
    left_bytes: int
    settings: tuple[str, ...]
    annotations: int
    diverged: tuple[str, ...]
    is_empty: bool

    @classmethod
    def _of(cls, plan: fetch_room.FetchPlan, diverged: tuple[str, ...] = ()) -> Self:
        """Take over a plan, or what was done."""
        return cls(
            plan.remote,
            tuple(plan.versions),
            plan.branches,
            plan.objects,
            plan.received_bytes,
            plan.offloaded_bytes,
            plan.settings,
            plan.annotations,
            diverged,
            plan.is_empty,
        )


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push sent, or would send, when `sent_bytes` is an estimate. Versions are given by their ids.

    `annotations` is the number of notes, provenances and recipes. `despite_locks` are others' locks on what it
    changes: expired ones, or all if locks were ignored.
    """

    remote: str
    versions: tuple[str, ...]
    branches: tuple[str, ...]
    objects: int
    sent_bytes: int
    settings: tuple[str, ...]
    annotations: int
    despite_locks: tuple[PathLock, ...]
    is_empty: bool

    @classmethod
    def _of(cls, repo: Repository, plan: push_room.PushPlan) -> Self:
        """Take over a plan, or what was done."""
        return cls(
            plan.remote,
            tuple(plan.versions),
            plan.branches,
            plan.objects,
            plan.sent_bytes,
            plan.settings,
            plan.annotations,
            tuple(PathLock._of(repo, lock) for lock in plan.locked),
            plan.is_empty,
        )


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did; `files` is None if your files stayed as they were.

    They stay if nothing was new; if the branch now has `diverged` heads, which were not merged because that would
    leave conflicts in `open_paths`; if unsaved changes are `in_the_way`; or if the branch is on a version
    `without_content`, which somebody deleted.
    """

    fetched: Fetched
    files: Moved | None
    diverged: tuple[str, ...]
    in_the_way: tuple[Path, ...]
    without_content: str | None
    merged: tuple[str, ...]
    """Ids of the versions that were merged from the heads of the branch."""
    open_paths: tuple[Path, ...]

    @classmethod
    def _of(cls, repo: Repository, done: pull_room.Pulled) -> Self:
        """Take over what was done."""
        fetched = Fetched._of(done.fetched.plan, done.fetched.diverged)
        files, in_the_way = moved_or_none(repo, done.files), paths_of(done.in_the_way)
        merged = tuple(one.version.id for one in done.merging.merged)
        return cls(
            fetched,
            files,
            tuple(done.diverged),
            in_the_way,
            done.without_content,
            merged,
            paths_of(done.merging.open_paths),
        )


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did."""

    pulled: Pulled
    pushed: Pushed


@dataclass(frozen=True, slots=True)
class RemoteComparison:
    """What a remote has that is not here, and the other way round."""

    to_fetch: Fetched
    to_push: Pushed


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of some version: a path it has had, its size in bytes, and the id of its content."""

    path: Path
    size: int
    id: str


@dataclass(frozen=True, slots=True)
class FetchedContent:
    """Content that came back, or that is not here: the files, and their bytes in all."""

    files: tuple[StoredFile, ...]
    size: int

    @classmethod
    def _of(cls, found: Brought) -> Self:
        """Take over what came."""
        return cls(tuple(StoredFile(Path(file.path), file.size, file.id) for file in found.files), found.size_bytes)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A project with its history in one file."""

    path: Path
    versions: int
    size: int


@dataclass(frozen=True, slots=True)
class BundleReport:
    """What was found in a bundle; `size` counts the bytes that were checked."""

    problems: tuple[str, ...]
    versions: int
    objects: int
    size: int
    is_clean: bool

    @classmethod
    def _of(cls, found: VerifyReport) -> Self:
        """Take over what was found."""
        return cls(tuple(map(str, found.problems)), found.versions, found.objects, found.stored_bytes, found.is_clean)


def push(
    repo: Repository, remote: RemoteStorage, cache: RemoteCache, *, all_versions: bool, ignore_locks: bool
) -> Pushed:
    """See `Project.push`."""
    return Pushed._of(repo, push_room.push(repo, remote, cache, all_versions=all_versions, ignore_locks=ignore_locks))


def plan_push(
    repo: Repository, remote: RemoteStorage, cache: RemoteCache, *, all_versions: bool, ignore_locks: bool
) -> Pushed:
    """See `Project.plan_push`."""
    plan = push_room.plan_push(repo, remote, cache, all_versions=all_versions, ignore_locks=ignore_locks)
    return Pushed._of(repo, plan)


def fetch(repo: Repository, remote: RemoteStorage, cache: RemoteCache, *, all_versions: bool) -> Fetched:
    """See `Project.fetch`."""
    done = fetch_room.fetch(repo, remote, cache, all_versions=all_versions)
    return Fetched._of(done.plan, done.diverged)


def plan_fetch(repo: Repository, remote: RemoteStorage, cache: RemoteCache, *, all_versions: bool) -> Fetched:
    """See `Project.plan_fetch`."""
    return Fetched._of(fetch_room.plan_fetch(repo, remote, cache, all_versions=all_versions))


def pull(
    repo: Repository,
    remote: RemoteStorage,
    cache: RemoteCache,
    *,
    all_versions: bool,
    merge: MergePolicy | None,
    studio: OpenStudio | None,
) -> Pulled:
    """See `Project.pull`."""
    done = pull_room.pull(repo, remote, cache, all_versions=all_versions, merge=_merger(merge, studio))
    return Pulled._of(repo, done)


def has_no_remotes(repo: Repository) -> bool:
    """Tell whether the project has no remote."""
    return not remotes(repo)


def take_pushed(repo: Repository, *, merge: MergePolicy | None, studio: OpenStudio | None) -> Pulled:
    """See `Project.pull`."""
    return Pulled._of(repo, pull_room.take_pushed(repo, merge=_merger(merge, studio)))


def _merger(merge: MergePolicy | None, studio: OpenStudio | None) -> MergeHeads:
    """Return what merges diverged heads, asking the setting only where it has to."""
    return lambda repo: merge_heads(repo, merge or configured_value(repo, studio, "sync.merge"))


def sync(
    repo: Repository,
    remote: RemoteStorage,
    cache: RemoteCache,
    *,
    all_versions: bool,
    ignore_locks: bool,
    merge: MergePolicy | None,
    studio: OpenStudio | None,
) -> Synced:
    """See `Project.sync`."""
    done = pull_room.sync(
        repo, remote, cache, all_versions=all_versions, ignore_locks=ignore_locks, merge=_merger(merge, studio)
    )  # fmt: skip
    return Synced(Pulled._of(repo, done.pulled), Pushed._of(repo, done.pushed))


def is_exchanged_only(repo: Repository) -> bool:
    """Tell whether the project has no remote, and others exchange versions with it straight."""
    return has_no_remotes(repo) and pull_room.is_exchanged(repo)


def sync_pushed(repo: Repository, *, merge: MergePolicy | None, studio: OpenStudio | None) -> Synced:
    """See `Project.sync`."""
    done = pull_room.sync_pushed(repo, merge=_merger(merge, studio))
    return Synced(Pulled._of(repo, done.pulled), Pushed._of(repo, done.pushed))


def compare_remote(repo: Repository, remote: RemoteStorage, cache: RemoteCache) -> RemoteComparison:
    """See `Remotes.compare`."""
    coming = fetch_room.plan_fetch(repo, remote, cache)
    going = push_room.plan_push(repo, remote, cache, keep_both=True, ignore_locks=True)
    return RemoteComparison(Fetched._of(coming), Pushed._of(repo, going))


def absent_content(repo: Repository, names: list[str], paths: tuple[StrPath, ...]) -> FetchedContent:
    """See `Project.plan_content`."""
    return FetchedContent._of(
        plan_content(repo, select(repo, [resolve(repo, name) for name in names], project_paths(repo, paths)))
    )


def bring_content(
    repo: Repository, content: LazyFetcher, names: list[str], paths: tuple[StrPath, ...]
) -> FetchedContent:
    """See `Project.fetch_content`."""
    plan = plan_content(repo, select(repo, [resolve(repo, name) for name in names], project_paths(repo, paths)))
    return FetchedContent._of(fetch_content(content, plan))


def bundle(repo: Repository, path: str, all_versions: bool) -> Bundle:
    """See `Project.bundle`."""
    done = create_bundle(repo, path, all_versions=all_versions)
    return Bundle(Path(done.path), done.versions, done.stored_bytes)
