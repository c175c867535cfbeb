"""Clone: a project from a remote into a folder of its own."""

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.history.recording.journal import recover
from aura_vcs.layout import AURA, FORMAT
from aura_vcs.objects.availability import missing_bytes
from aura_vcs.storage.remotes.base import RangeReadable
from aura_vcs.sync.clone_checkout import CloneCheckout
from aura_vcs.sync.fetch import FetchPlan, fetch
from aura_vcs.sync.interrupted_clone import begin_clone, end_clone
from aura_vcs.sync.offload.fetch_content import enable_lazy_fetch
from aura_vcs.sync.remotes.config import DEFAULT_REMOTE, RemoteConfig, remotes, set_remote
from aura_vcs.sync.remotes.url import Address
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.manifest import (
    IS_PROJECT,
    IS_PROJECT_HINT,
    MANIFEST,
    PROJECT_FOLDER,
    Manifest,
    decode_manifest,
)

if TYPE_CHECKING:
    from aura_vcs.history.checkout import CheckoutResult


class Cloned(msgspec.Struct, frozen=True):
    """What a clone made; `files` is None where the remote has no versions yet.

    `offloaded_bytes` of content stayed at the remote, `stored_bytes` are here now. `of_project`: the remote is a
    project's own folder, whose unsaved work is not here.
    """

    path: str
    fetched: FetchPlan
    files: "CheckoutResult | None"
    offloaded_bytes: int = 0
    stored_bytes: int = 0
    of_project: bool = False


class CloneRequest(msgspec.Struct, frozen=True):
    """What a clone takes along, and on which branch it begins.

    With `partial`, the content of large files stays there until it is needed: what comes is the history,
    and the content of the version that is put in the folder. `encryption` names the key of an encrypted
    remote, which is open already; `key_file` is where it came from, to be found again.
    """

    branch: str | None = None
    all_versions: bool = False
    partial: bool = False
    encryption: str = ""
    key_file: str = ""


EVERYTHING = CloneRequest()


def clone(
    remote: RangeReadable,
    address: Address,
    folder: str,
    *,
    request: CloneRequest = EVERYTHING,
    **options: object,
) -> Cloned:
    """Make the folder a copy of the remote's project, with the remote as `origin`.

    Interrupted, the same call goes on where it stopped. `options` are those of Repository.

    Raises:
        InputError: something else is in the folder.
        RemoteError: the remote cannot be read, or is damaged.
    """
    root = os.path.abspath(folder)
    manifest = _manifest(remote, address)
    with begin_clone(root, manifest.project, address.text, options) as repo:
        recover(repo)
        cache = RemoteCache(repo, DEFAULT_REMOTE)
        if DEFAULT_REMOTE not in remotes(repo):
            known = RemoteConfig(address.text, encryption=request.encryption, partial=request.partial)
            set_remote(repo, DEFAULT_REMOTE, known)
        if request.key_file:
            cache.remember_key_file(request.key_file)
        enable_lazy_fetch(repo, lambda _: remote)
        with ExitStack() as stack:  # who lays out files holds the lock of who may change the folder
            early = CloneCheckout(repo, stack, request.branch)
            fetched = fetch(repo, remote, cache, all_versions=request.all_versions, undoable=False, expecting=early)
            from aura_vcs.sync.pull import check_out_clone  # now, while the disk works

            files = check_out_clone(repo, request.branch)
        end_clone(repo)
        away = {blob: entry.size for blob, entry in repo.store.offloaded.all().items()}
        here = sum(stored for _, _, stored in repo.queries.stored_totals().values())
        of_project = PROJECT_FOLDER in manifest.features
        return Cloned(root, fetched.plan, files, missing_bytes(repo.store, away), here, of_project)


def _manifest(remote: RangeReadable, address: Address) -> Manifest:
    """Return what is there; looked at before anything is made here."""
    try:
        data = remote.load(MANIFEST).data
    except FileNotFoundError as error:
        if address.kind == "folder" and os.path.isfile(os.path.join(address.path, AURA, FORMAT)):
            raise InputError(f"{remote.location} {IS_PROJECT}", hint=IS_PROJECT_HINT) from error
        hint = "Is the address right? `aura push` puts a project there."
        raise InputError(f"{remote.location} has no project", hint=hint) from error
    return decode_manifest(data, remote.location)


def folder_name(address: Address) -> str:
    """Name a clone's folder if nobody says: the last part of the address."""
    last = address.path.rstrip("/").rpartition("/")[2] or address.host
    name = last.removesuffix(".aura").removesuffix(".aurabundle")
    return name if name and not name.startswith((".", "-")) else "project"
