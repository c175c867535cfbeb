"""Adding a remote to a project: prepared, probed, and only then entered."""

from collections.abc import Sequence

import msgspec

from aura_vcs.errors import RefMoved, RemoteMismatch, RemoteUnsafe
from aura_vcs.layout import check_name
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remote import RemoteStorage
from aura_vcs.storage.remote_ssh import SSH
from aura_vcs.sync.addresses import Address
from aura_vcs.sync.known import Known, Seen
from aura_vcs.sync.manifest import MANIFEST
from aura_vcs.sync.opening import make_folder, open_remote
from aura_vcs.sync.probing import Finding, probe
from aura_vcs.sync.remotes import RemoteConfig, address_of, remote_config, remove_remote, set_remote
from aura_vcs.sync.sending import create_remote
from aura_vcs.sync.view import View, load_view, seen_of

READ_ONLY = frozenset({"http"})
"""Kinds of remotes that are only read."""


class Checked(msgspec.Struct, frozen=True):
    """What a look at a remote showed. `finding` is None where it is only read."""

    name: str
    url: str
    finding: Finding | None
    generation: int
    packs: int
    stored_bytes: int


def add_remote(
    repo: Repository, name: str, address: Address, *, single_writer: bool = False, ssh: Sequence[str] = SSH
) -> Checked:
    """Prepare the place if nothing is there, probe it, and enter it in the project's settings.

    Raises:
        InvalidName, NameTaken.
        RemoteMismatch: something else is there.
        RemoteUnsafe: it does not enforce conditional writes, and `single_writer` was not given.
    """
    check_name("remote", name)
    set_remote(repo, name, RemoteConfig(address.text, single_writer))
    done = False
    try:
        make_folder(address)
        remote = open_remote(address, single_writer=single_writer, create=True, ssh=ssh)
        try:
            checked = _prepare(repo, name, address, remote, single_writer=single_writer)
        finally:
            remote.close()
        done = True
        return checked
    finally:
        if not done:
            remove_remote(repo, name)


def _prepare(repo: Repository, name: str, address: Address, remote: RemoteStorage, *, single_writer: bool) -> Checked:
    finding = None
    if address.kind not in READ_ONLY:
        finding = probe(remote)
        if not finding.is_safe and not single_writer:
            raise RemoteUnsafe(address.text, "; ".join(finding.faults))
        try:
            remote.load(MANIFEST)
        except FileNotFoundError:
            _create(repo, address, remote)
    return _checked(name, load_view(remote, Known(repo, name), repo.format.project), finding)


def _create(repo: Repository, address: Address, remote: RemoteStorage) -> None:
    if any(remote.list(folder) for folder in ("packs", "records")):
        raise RemoteMismatch(
            address.text,
            "packs are there, but no manifest that lists them",
            hint="If the disk is still being copied, wait for it. Otherwise choose an empty place.",
        )
    try:
        create_remote(remote, repo.format.project, repo.author)
    except RefMoved:
        return  # somebody else was faster; whose it is, is looked at next


def check_remote(
    repo: Repository, name: str | None, *, accept_older: bool = False, ssh: Sequence[str] = SSH
) -> Checked:
    """Look at a remote and probe it again.

    With `accept_older`, a state older than was seen there before is taken as it is from now on.

    Raises:
        UnknownName, RemoteRewound, RemoteMismatch, RemoteUnreachable.
    """
    name, config = remote_config(repo, name)
    address = address_of(repo, config)
    remote = open_remote(address, single_writer=config.single_writer, ssh=ssh)
    try:
        known = Known(repo, name)
        view = load_view(remote, known, repo.format.project, accept_older=accept_older)
        if accept_older:
            known.remember(seen_of(view, Seen(), fetched="", pushed=""))
        return _checked(name, view, None if address.kind in READ_ONLY else probe(remote))
    finally:
        remote.close()


def _checked(name: str, view: View, finding: Finding | None) -> Checked:
    manifest = view.manifest
    return Checked(
        name=name,
        url=view.remote.place,
        finding=finding,
        generation=manifest.generation,
        packs=len(manifest.packs),
        stored_bytes=sum(p.size for p in manifest.packs) + sum(r.size for r in manifest.records),
    )
