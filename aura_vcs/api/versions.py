"""The versions of a project, and what is in them."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO, Unpack

from aura_vcs.api.opened import Part, StrPath, has, project_paths
from aura_vcs.api.reporting import NO_CALL, Call
from aura_vcs.api.upkeep import PurgePlan
from aura_vcs.api.values import FileInfo, Version, VersionLike, VersionType, name_of, time_text
from aura_vcs.errors import InputError
from aura_vcs.history.commit import project_path
from aura_vcs.history.log import log
from aura_vcs.history.lookup.content import list_folder, locate
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.sources.content_source import StoredSource, is_file
from aura_vcs.history.versions import delete_version, edit_version, purge_version, undelete_version
from aura_vcs.index.queries import VersionFilter
from aura_vcs.maintenance.purge_plan import plan_purge
from aura_vcs.model import VersionType as StoredType
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.maintenance.gc import plan_remote_purge
from aura_vcs.sync.offload.fetch_content import LazyFetcher
from aura_vcs.sync.offload.remote_file import open_at_remote
from aura_vcs.sync.push import push
from aura_vcs.sync.state.cache import RemoteCache


class Versions(Part):
    """The versions of a project: iterate over them (newest first), or look one up by any of its names."""

    def __iter__(self) -> Iterator[Version]:
        return iter(self.list())

    def __getitem__(self, version: VersionLike) -> Version:
        return self._opened.run(NO_CALL, _version, name_of(version))

    def __contains__(self, name: VersionLike) -> bool:
        return has(self.__getitem__, name)

    def list(
        self,
        *,
        limit: int | None = None,
        types: Iterable[VersionType] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        author: str | None = None,
        search: str | None = None,
        important: bool = False,
        deleted: bool = False,
        everything: bool = False,
        paths: Iterable[StrPath] = (),
    ) -> list[Version]:
        """List versions, newest first: those of the branch, or with `everything` all there are.

        `types` are "manual", "autosave" and "restore_point"; `author` and `search` are parts of the author's
        name, and of the version's name and description; with `deleted`, deleted ones too; with `paths` those
        that changed one of them.
        """
        wanted = VersionFilter(
            types=tuple(map(StoredType, types)),
            since=time_text(since),
            until=time_text(until),
            author=author,
            grep=search,
            important=True if important else None,
            deleted=deleted,
            limit=limit,
        )
        return self._opened.run(NO_CALL, _listed, wanted, everything, paths)

    def edit(
        self,
        version: VersionLike,
        *,
        name: str | None = None,
        description: str | None = None,
        important: bool | None = None,
    ) -> Version:
        """Change a version's name, description or importance; what is None stays."""
        return self._opened.run(NO_CALL, _edited, name_of(version), name, description, important)

    def delete(self, version: VersionLike) -> Version:
        """Hide a version; gc frees its content after the grace period, until then `undelete` shows it again."""
        return self._opened.run(NO_CALL, _deleted, name_of(version))

    def undelete(self, version: VersionLike) -> Version:
        """Show a deleted or purged version again, as long as gc has not freed its content."""
        return self._opened.run(NO_CALL, _undeleted, name_of(version))

    def plan_purge(self, version: VersionLike, *, remote: str | None = None, **call: Unpack[Call]) -> PurgePlan:
        """Count what deleting or purging a version would free in the end, here and at `remote`."""
        if remote is not None:
            return self._opened.run_at(call, remote, _purge_plan_at, name_of(version))
        return self._opened.run(call, _purge_plan, name_of(version))

    def purge(
        self, version: VersionLike, reason: str = "", *, remote: str | None = None, **call: Unpack[Call]
    ) -> Version:
        """Give a version's content up for good; the version stays as a record of who, when and why.

        `remote` is told at once, with all else that is new here; others hear of it with the next push.

        Raises:
            VersionInUse: a branch or tag stands on it.
        """
        purged = self._opened.run(call, _purged, name_of(version), reason)
        if remote is not None:
            self._opened.run_at(call, remote, push, keep_both=True)
        return purged


def list_files(repo: Repository, version: str, folder: StrPath, recursive: bool) -> list[FileInfo]:
    """List what is in a version; see `Project.files`.

    Raises:
        UnknownVersion, UnknownName, ObjectPurged.
    """
    inside = project_path(repo, str(folder), repo.root) if str(folder) else ""
    located = locate(repo, f"{version}:{inside}")
    return [FileInfo._of(path, entry) for path, entry in list_folder(repo, located, recursive=recursive)]


def find_file(repo: Repository, version: str, path: StrPath) -> FileInfo:
    """Find one file, link or folder of a version; see `Project.file`.

    Raises:
        UnknownVersion, UnknownName, ObjectPurged.
    """
    inside = project_path(repo, str(path), repo.root)
    return FileInfo._of(inside, locate(repo, f"{version}:{inside}").entry)


def open_content(repo: Repository, content: LazyFetcher, version: str, path: StrPath) -> BinaryIO:
    """Open a file of a version; see `Project.open_file`.

    Raises:
        UnknownVersion, UnknownName, ObjectPurged, IntegrityError. InputError: it is not a file.
    """
    inside = project_path(repo, str(path), repo.root)
    located = locate(repo, f"{version}:{inside}")
    if not is_file(located.entry):
        raise InputError(f"{inside} is not a file in {version}", hint="`files` lists what a folder has.")
    remote_file = open_at_remote(repo, content, located.entry.id)
    return remote_file or StoredSource(repo).open(inside, located.entry)


def read_content(repo: Repository, version: str, path: StrPath) -> bytes:
    """Read a file of a version whole; see `Project.read`.

    Raises:
        UnknownVersion, UnknownName, ObjectPurged, IntegrityError. InputError: it is not a file.
    """
    inside = project_path(repo, str(path), repo.root)
    located = locate(repo, f"{version}:{inside}")
    if located.is_folder:
        raise InputError(f"{inside} is not a file in {version}", hint="`files` lists what a folder has.")
    pieces = []
    repo.progress.start(f"Reading {inside}", located.entry.size, "bytes")
    for piece in repo.store.stream(located.entry.id):
        pieces.append(piece)
        repo.progress.advance(len(piece))
    repo.progress.finish()
    return b"".join(pieces)


def _version(repo: Repository, name: str) -> Version:
    return Version._of(resolve(repo, name))


def _listed(repo: Repository, wanted: VersionFilter, everything: bool, paths: Iterable[StrPath]) -> list[Version]:
    found = log(repo, wanted, everything=everything, paths=project_paths(repo, paths))
    return [Version._of(record) for record in found]


def _edited(
    repo: Repository, version: str, name: str | None, description: str | None, important: bool | None
) -> Version:
    record = resolve(repo, version)
    return Version._of(edit_version(repo, record, name=name, description=description, important=important))


def _deleted(repo: Repository, name: str) -> Version:
    return Version._of(delete_version(repo, resolve(repo, name)))


def _undeleted(repo: Repository, name: str) -> Version:
    return Version._of(undelete_version(repo, resolve(repo, name)))


def _purged(repo: Repository, name: str, reason: str) -> Version:
    return Version._of(purge_version(repo, resolve(repo, name), reason))


def _purge_plan(repo: Repository, name: str, remote_bytes: int | None = None) -> PurgePlan:
    plan = plan_purge(repo, resolve(repo, name))
    return PurgePlan(plan.objects, plan.stored_bytes, plan.shared_bytes, remote_bytes)


def _purge_plan_at(repo: Repository, remote: RemoteStorage, cache: RemoteCache, name: str) -> PurgePlan:
    return _purge_plan(repo, name, plan_remote_purge(repo, remote, cache, resolve(repo, name).id))
