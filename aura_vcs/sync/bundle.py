"""Bundles: a project with its history in one file, to send or to put away."""

import os

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.errors.input import NameTaken
from aura_vcs.history.recording.unversioned_output import leave_unversioned
from aura_vcs.progress import SILENT, Progress
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.new_output import refuse_own_folder
from aura_vcs.storage.remotes.bundle_file import BundleRemote, BundleWriter
from aura_vcs.sync.maintenance.fsck import VerifyReport, fsck_remote
from aura_vcs.sync.push import push
from aura_vcs.sync.state.cache import NullCache, RemoteCache
from aura_vcs.sync.state.manifest_update import create_remote
from aura_vcs.sync.state.snapshot import load_snapshot
from aura_vcs.worktree.checkout.new_file import stored_readers

_MEMORY = "bundle.lock"
"""A name that no remote can have: what is remembered while a bundle is made meets nobody."""


class Bundled(msgspec.Struct, frozen=True):
    """A bundle that was made."""

    path: str
    versions: int
    stored_bytes: int


def create_bundle(repo: Repository, path: str, *, all_versions: bool = False) -> Bundled:
    """Write branches and tags, with all they stand on, into a new file.

    The file appears when it is whole, and can be read by those who can read everything that is stored here.
    No version takes it in, should it lie in the project. Autosaves and restore points only with `all_versions`.

    Raises:
        NameTaken: the file exists. InputError: its folder does not, or there is nothing to bundle.
        ObjectMissing, ObjectCorrupt: this project is damaged.
    """
    full = os.path.abspath(path)
    folder, name = os.path.split(full)
    if os.path.lexists(full):
        raise NameTaken("file", full, hint="Choose another name; a bundle is never written over.")
    if not os.path.isdir(folder):
        raise InputError(f"There is no folder {folder}")
    refuse_own_folder(full)
    cache = RemoteCache(repo, _MEMORY)
    writer = BundleWriter(folder, name, mode=stored_readers(repo.storage))
    try:
        create_remote(writer, repo.format.project, repo.author)
        done = push(repo, writer, cache, all_versions=all_versions, keep_both=True)
        if not done.versions:
            raise InputError("There are no versions to bundle yet", hint='Make one with `aura commit -m "First cut"`.')
        bundled = Bundled(full, len(done.versions), writer.publish())
        leave_unversioned(repo, full)
        return bundled
    finally:
        writer.close()
        cache.clear()


def verify_bundle(path: str, progress: Progress = SILENT) -> VerifyReport:
    """Look through a bundle: every object is hashed, every version is complete.

    Raises:
        RemoteUnreachable: there is no such file. RemoteCorrupt: it is not a bundle at all.
    """
    bundle = BundleRemote(path)
    try:
        return fsck_remote(load_snapshot(bundle, NullCache(), None), progress=progress)
    finally:
        bundle.close()
