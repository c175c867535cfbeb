"""Machines with a copy of a project, for tests: commit, look, compare."""

import os
from pathlib import Path

from aura_vcs.history.commit import commit
from aura_vcs.index.records import VersionRecord
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.sync_tool_hints import SYNCTHING
from aura_vcs.storage.remotes.base import RangeReadable
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.storage.system_calls import FileCalls
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.pull import check_out_clone
from aura_vcs.sync.state.cache import NullCache, RemoteCache
from aura_vcs.sync.state.manifest import MANIFEST, Manifest, decode_manifest
from aura_vcs.sync.state.manifest_update import create_remote
from aura_vcs.sync.state.snapshot import RemoteSnapshot

OPENED: list[Repository] = []


class Unsynced(FileCalls):
    """Calls that leave durability to the system: these tests are about something else, and many."""

    def fsync(self, fd: int) -> None:
        """Not waited for."""

    def fsync_folder(self, path: str, *, dir_fd: int | None = None) -> None:
        """Not waited for."""


def machine(path: Path, name: str, project: str | None = None) -> Repository:
    """A new project on a machine of that name."""
    path.mkdir(parents=True, exist_ok=True)
    repo = Repository.init(str(path), project=project, author=name, host=name, calls=Unsynced())
    OPENED.append(repo)
    return repo


def write(repo: Repository, path: str, data: bytes | str) -> None:
    """Put a file into the worktree."""
    full = Path(repo.root, path)
    full.parent.mkdir(parents=True, exist_ok=True)
    full.write_bytes(data.encode() if isinstance(data, str) else data)


def save(repo: Repository, path: str, data: bytes | str, name: str = "") -> VersionRecord:
    """Write a file and commit."""
    write(repo, path, data)
    made = commit(repo, name or f"Changed {path}").version
    assert made is not None
    return made


def files(repo: Repository) -> dict[str, bytes]:
    """The worktree without `.aura` and the hint for Syncthing that lies beside it."""
    found = {}
    for folder, folders, names in os.walk(repo.root):
        folders[:] = [f for f in folders if f != ".aura"]
        for name in set(names) - {SYNCTHING}:
            full = Path(folder, name)
            found[str(full.relative_to(repo.root))] = full.read_bytes()
    return found


def content(repo: Repository, version: VersionRecord) -> dict[str, bytes]:
    """The files of a version, read and hashed."""
    if version.tree == EMPTY_TREE_ID:
        return {}
    return {
        path: repo.store.read(entry.id) if entry.kind == "file" else b"->" + repo.store.read(entry.id)
        for path, entry in repo.trees.walk(version.tree)
        if entry.kind != "dir"
    }


def folder_remote(path: Path, repo: Repository | None = None) -> FolderRemote:
    """A folder remote; for `repo`'s project if given."""
    path.mkdir(parents=True, exist_ok=True)
    remote = FolderRemote(str(path), calls=Unsynced())
    if repo is not None:
        create_remote(remote, repo.format.project, repo.author)
    return remote


def known(repo: Repository) -> RemoteCache:
    """What the machine remembers of its remote."""
    return RemoteCache(repo, "origin")


def clone(path: Path, name: str, remote: RangeReadable) -> Repository:
    """A clone on a machine of that name."""
    path.mkdir(parents=True, exist_ok=True)
    probe = machine(path, name, manifest(remote).project)
    fetch(probe, remote, known(probe), undoable=False)
    check_out_clone(probe)
    return probe


def manifest(remote: RangeReadable) -> Manifest:
    """The remote's manifest, with the packs that its pieces list."""
    loaded = remote.load(MANIFEST)
    stored = decode_manifest(loaded.data, remote.location)
    return RemoteSnapshot(remote, NullCache(), stored, loaded.data, loaded.token).manifest
