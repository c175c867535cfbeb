"""A project's folder as a remote: two machines exchange versions straight, without a third place.

What others read is made of what the project has: its packs lie where they lie, and what a manifest needs beside
them (loose objects, labels) is written to `.aura/local/exchange` when somebody looks. What others send arrives there
too; when they move the manifest, the project fetches it: checked, in quarantine, as one operation. The files of
whoever sits there are not touched. Only what is committed travels.

Interrupted, the manifest has not moved, or the project has what it lists. A pack of the project that gc writes anew
while somebody reads it is missing then: whoever reads looks again, as where any remote is collected.

Of a project that can only be read, what others need is made among the system's temporary files, for as long as they
read; nothing can be sent there.
"""

import os
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.remotes import RemoteDenied, RemoteError, RemoteMismatch
from aura_vcs.layout import EXCHANGE, OBJECTS
from aura_vcs.objects.packs.format import TRAILER_BYTES, footer_length
from aura_vcs.repository.find_project import TemporaryStorage, Trust
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteEntry, RemoteFile
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.push import publish
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.manifest import (
    MANIFEST,
    PROJECT_FOLDER,
    READ_ONLY,
    UNWRAPPED,
    UNWRAPPED_TWICE,
    Manifest,
    PackInfo,
    decode_manifest,
    pack_name,
)
from aura_vcs.sync.state.manifest_update import create_remote, listed_files
from aura_vcs.sync.state.snapshot import RemoteSnapshot, load_snapshot

T = TypeVar("T")
PUBLISHED, RECEIVED = ".published", ".received"
"""What is remembered of both ways is kept under these names, which no remote of the person's can have."""
_LOCK = "exchange"
_READ_ONLY_HINT = "Reading works: `aura clone`, `fetch`, `pull`. Who can write there may pull from here."
_FORGOTTEN_SECONDS = 14 * 86400
"""A pack that arrived and was never listed goes after so long."""


def open_project(path: str, place: str, *, trust: Trust | None = None, **options: object) -> "ProjectRemote":
    """Open the project in the folder `path` as a remote, which is called `place`. Close it when done.

    Raises:
        RemoteDenied: it is somebody else's. RemoteError: it cannot be opened.
    """
    try:
        repo = Repository.open(path, trust=trust or Trust(), **options)
    except AuraError as error:
        raise RemoteDenied(place, error.message, hint=error.hint) from error
    try:
        return ProjectRemote(repo, place)
    except OSError as error:
        repo.close()
        raise RemoteDenied(place, f"{error.filename} cannot be used: {error.strerror}") from error
    except AuraError as error:
        repo.close()
        raise RemoteDenied(place, error.message, hint=error.hint) from error


class ProjectRemote(FolderRemote):
    """See the module. It has the project open, and closes it."""

    def __init__(self, repo: Repository, place: str) -> None:
        self._borrowed = TemporaryStorage()
        self.is_read_only = not _can_exchange(repo)
        self._home = self._borrowed.storage() if self.is_read_only else repo.storage
        self._home.make_folder(EXCHANGE)
        super().__init__(self._home.path(EXCHANGE), place=place)
        self._repo = repo
        self._files = FolderRemote(self.root, place=place)
        if not self.is_read_only:
            repo.storage.make_folder(OBJECTS)
        self._objects = FolderRemote(repo.storage.path(OBJECTS), place=place)

    def load(self, name: str) -> RemoteFile:
        """See RangeReadable. Whoever loads the manifest gets one that has all that the project has now."""
        if name == MANIFEST:
            self._run(self._renew)
        return self._files.load(name)

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See RangeReadable."""
        try:
            return self._files.read_range(name, offset, length)
        except FileNotFoundError:
            return self._objects.read_range(_pack_only(name), offset, length)

    def size(self, name: str) -> int | None:
        """See RangeReadable."""
        found = self._files.size(name)
        return self._objects.size(name) if found is None and name.startswith("packs/") else found

    def list(self, folder: str) -> list[RemoteEntry]:
        """See Listable."""
        found = {entry.name: entry for entry in self._files.list(folder)}
        if folder == "packs":
            found |= {entry.name: entry for entry in self._objects.list(folder)}
        return [found[name] for name in sorted(found)]

    def _check_free(self, name: str) -> None:
        """Refuse what FolderRemote.create would write where it may not, or what the project has already."""
        self._check_writable()
        if not name.startswith(("packs/", "records/", "probe/")):
            raise RemoteMismatch(self.location, "a project's own folder is not encrypted as a remote")
        if self.size(name) is not None:
            raise FileExistsError(name)
        super()._check_free(name)

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """See Swappable. A manifest is moved when the project has taken all that it lists."""
        self._check_writable()
        if name != MANIFEST:
            return self._files.swap(name, data, token)
        return self._run(lambda: self._take(data, token))

    def delete(self, name: str) -> None:
        """See RemoteStorage. What the project itself holds, only its own gc deletes."""
        self._check_writable()
        if name == MANIFEST or (self._files.size(name) is None and self.size(name) is not None):
            raise RemoteDenied(self.location, f"{name} is the project's own; `aura gc` there decides about it")
        self._files.delete(name)

    def close(self) -> None:
        """Let go of the project."""
        for remote in (self._files, self._objects):
            remote.close()
        super().close()
        self._repo.close()
        self._borrowed.remove()

    def _check_writable(self) -> None:
        if self.is_read_only:
            raise RemoteDenied(self.location, "this project can only be read", hint=_READ_ONLY_HINT)

    def _run(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except (RemoteError, RefMoved):
            raise
        except AuraError as error:
            raise RemoteError(self.location, error.message, hint=error.hint) from error

    def _renew(self) -> None:
        """Bring the manifest up to what the project has."""
        repo = self._repo
        with repo.locks.exclusive(_LOCK):
            repo.refresh()
            if self._files.size(MANIFEST) is None:
                create_remote(self._files, repo.format.project, repo.author)
            cache = RemoteCache(repo, PUBLISHED)
            seen = load_snapshot(self._files, cache, repo.format.project, accept_older=True)
            manifest = self._with_own_packs(seen)
            snapshot = RemoteSnapshot(self._files, cache, manifest, self._files.load(MANIFEST).data, seen.token)
            publish(repo, self._files, cache, snapshot, always=manifest != seen.manifest)
            self._drop(listed_files(decode_manifest(self._files.load(MANIFEST).data, self.location)), seen.manifest)

    def _with_own_packs(self, seen: RemoteSnapshot) -> Manifest:
        """Return the manifest with the packs that the project has now, and what it still needs of the exchange."""
        packs, store = self._repo.store.packs, self._repo.store
        own, before = set(packs.names()), {pack.name: pack for pack in seen.manifest.packs}
        found = []
        for name in sorted(own):
            size = packs.stored_size(name)
            info = before.get(name)
            if size and (info is None or info.size != size):
                info = self._pack_info(name, size)
            if size and info is not None:
                found.append(info)
        for pack in seen.manifest.packs:
            if pack.name in own or self._files.size(pack_name(pack)) != pack.size:
                continue
            if any(store.location(object_id) is None for object_id in seen.footer(pack).ids()):
                found.append(pack)
        unwrapped = {UNWRAPPED, UNWRAPPED_TWICE} & set(self._repo.format.features)
        passing = {READ_ONLY} if self.is_read_only else set()
        features = tuple(sorted({*seen.manifest.features, *unwrapped, PROJECT_FOLDER, *passing}))
        return msgspec.structs.replace(seen.manifest, packs=tuple(found), features=features)

    def _pack_info(self, name: str, size: int) -> PackInfo | None:
        trailer = self._objects.read_range(pack_name(name), size - TRAILER_BYTES, TRAILER_BYTES)
        try:
            return PackInfo(name, size, footer_length(trailer, size, name) + TRAILER_BYTES)
        except AuraError:
            return None  # damaged: `aura fsck` there says so

    def _drop(self, listed: set[str], before: Manifest) -> None:
        """Delete files of the exchange that are no longer listed, that the project has too, or nobody ever listed."""
        known = listed_files(before)
        for entry in (*self._files.list("packs"), *self._files.list("records")):
            is_double = entry.name.startswith("packs/") and self._objects.size(entry.name) == entry.size
            if entry.name in listed and not is_double:
                continue
            found = self._home.stat(f"{EXCHANGE}/{entry.name}")
            age = time.time() - found.mtime_ns / 1e9 if found is not None else 0
            if is_double or entry.name in known or age > _FORGOTTEN_SECONDS:
                self._files.delete(entry.name)

    def _take(self, data: bytes, token: str | None) -> str:
        """Let the project fetch what a manifest lists, and move to it.

        Raises:
            RefMoved: the manifest is in another state. RemoteCorrupt: something of it is not what it should be.
        """
        repo = self._repo
        with repo.locks.exclusive(_LOCK):
            now = self._files.load(MANIFEST)
            if now.token != token:
                raise RefMoved(f"{self.location}/{MANIFEST}", token or "nothing", now.token)
            manifest = decode_manifest(data, self.location)
            if manifest.project != repo.format.project:
                raise RemoteMismatch(self.location, f"another project ({manifest.project}) was sent")
            repo.refresh()
            fetch(repo, _Incoming(self, data), RemoteCache(repo, RECEIVED), all_versions=True, undoable=False)
            return self._files.swap(MANIFEST, data, token)


class _Incoming:
    """What is there already and what has arrived, with the manifest that is to be."""

    def __init__(self, place: ProjectRemote, manifest: bytes) -> None:
        self.location = place.location
        self._place, self._manifest = place, manifest

    def load(self, name: str) -> RemoteFile:
        """See RangeReadable."""
        return RemoteFile(self._manifest, "") if name == MANIFEST else self._place.load(name)

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See RangeReadable."""
        return self._place.read_range(name, offset, length)

    def size(self, name: str) -> int | None:
        """See RangeReadable."""
        return self._place.size(name)

    def close(self) -> None:
        """Do nothing: the place stays open."""


def _can_exchange(repo: Repository) -> bool:
    """Tell whether what is exchanged can lie in the project, by what the system shows."""
    if repo.is_read_only:
        return False
    rooms = (EXCHANGE, *(f"{EXCHANGE}/{room}" for room in ("packs", "records", "tmp")))
    found = (repo.storage.path(room) for room in rooms if repo.storage.look(room) is not None)
    return all(os.access(folder, os.W_OK) for folder in found)


def _pack_only(name: str) -> str:
    if not name.startswith("packs/"):
        raise FileNotFoundError(name)
    return name
