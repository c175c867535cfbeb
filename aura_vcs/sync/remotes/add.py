"""Adding a remote to a project: prepared, probed, and only then entered."""

import msgspec

from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.remotes import RemoteMismatch, RemoteUnsafe
from aura_vcs.layout import check_name
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.remotes.config import RemoteConfig, address_of, remote_config, remove_remote, set_remote
from aura_vcs.sync.remotes.connect import UNKNOWN, Surroundings, make_folder, open_named, open_remote
from aura_vcs.sync.remotes.encryption import Ask, SecretRequest, encrypt_remote, encryption_of, unlock
from aura_vcs.sync.remotes.location_check import check_new_location
from aura_vcs.sync.remotes.probe import ProbeResult, probe
from aura_vcs.sync.remotes.url import Address
from aura_vcs.sync.state.cache import RemoteCache, RemoteState
from aura_vcs.sync.state.manifest import MANIFEST
from aura_vcs.sync.state.manifest_update import create_remote
from aura_vcs.sync.state.snapshot import RemoteSnapshot, load_snapshot, state_of

READ_ONLY = frozenset({"http"})
"""Kinds of remotes that are only read."""
BUCKETS = frozenset({"s3", "gs", "az"})


class CheckedRemote(msgspec.Struct, frozen=True):
    """What a look at a remote showed. `probe` is None where it is only read.

    `encryption` names its key, "" where nothing is encrypted.
    """

    name: str
    url: str
    probe: ProbeResult | None
    generation: int
    packs: int
    stored_bytes: int
    encryption: str = ""


class AddRequest(msgspec.Struct, frozen=True):
    """How a remote is added.

    With `ask`, everything there is encrypted; it is asked for the passphrase or key file. With `force`, a
    folder with other files is taken; they stay as they are.
    """

    single_writer: bool = False
    surroundings: Surroundings = UNKNOWN
    ask: Ask | None = None
    force: bool = False


PLAIN = AddRequest()


def add_remote(
    repo: Repository,
    name: str,
    address: Address,
    *,
    request: AddRequest = PLAIN,
) -> CheckedRemote:
    """Prepare the place if nothing is there, probe it, and enter it in the project's settings.

    Raises:
        InvalidName, NameTaken.
        RemoteMismatch: something else is there, or it is in a project.
        RemoteLocked: what is there is encrypted, and is not opened; nothing was written.
        RemoteUnsafe: it does not enforce conditional writes, and `single_writer` was not given.
    """
    check_name("remote", name)
    single_writer, surroundings = request.single_writer, request.surroundings
    check_new_location(
        address, repo.root, force=request.force, of_project=repo.format.project if surroundings.open_project else None
    )  # fmt: skip
    set_remote(repo, name, RemoteConfig(address.text, single_writer))
    done = False
    try:
        make_folder(address, repo.root)
        remote = open_remote(address, single_writer=single_writer, create=True, surroundings=surroundings)
        try:
            checked = _prepare(repo, name, address, remote, single_writer=single_writer, ask=request.ask)
        finally:
            remote.close()
        if checked.encryption:
            set_remote(repo, name, RemoteConfig(address.text, single_writer, checked.encryption), replace=True)
        done = True
        return checked
    finally:
        if not done:
            remove_remote(repo, name)


def _prepare(
    repo: Repository, name: str, address: Address, remote: RemoteStorage, *, single_writer: bool, ask: Ask | None
) -> CheckedRemote:
    """Open what is locked, before anything is written; probe; make what is not there yet."""
    finding, encryption = None, ""
    found = encryption_of(remote)
    if found is not None:
        remote, encryption = unlock(remote, ask, key=found.key), found.key
    if address.kind not in READ_ONLY:
        secret = ask(SecretRequest(address.text)) if ask is not None and found is None else None
        finding = _probed(remote, address, single_writer=single_writer)
        if not finding.is_safe and not single_writer:
            raise RemoteUnsafe(address.text, finding.faults)
        if secret is not None:
            remote, encryption = encrypt_remote(remote, lambda _: secret)
        try:
            remote.load(MANIFEST)
        except FileNotFoundError:
            _create(repo, address, remote)
    snapshot = load_snapshot(remote, RemoteCache(repo, name), repo.format.project)
    return _checked(name, snapshot, finding, encryption)


def _probed(remote: RemoteStorage, address: Address, *, single_writer: bool) -> ProbeResult:
    """Probe a remote; a bucket that is written without conditions is never safe, however its races end today."""
    finding = probe(remote)
    if single_writer and finding.is_safe and address.kind in BUCKETS:
        return ProbeResult(("it is written to without conditions, as --single-writer asks",))
    return finding


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
    repo: Repository,
    name: str | None,
    *,
    accept_older: bool = False,
    surroundings: Surroundings = UNKNOWN,
    ask: Ask | None = None,
) -> CheckedRemote:
    """Look at a remote and probe it again.

    With `accept_older`, a state older than was seen there before is taken as it is from now on.

    Raises:
        UnknownName, RemoteRewound, RemoteMismatch, RemoteUnreachable, RemoteLocked.
    """
    name, config = remote_config(repo, name)
    address = address_of(repo, config)
    remote = open_named(repo, name, config, surroundings=surroundings)
    try:
        if config.encryption:
            remote = unlock(remote, ask, key=config.encryption)
        cache = RemoteCache(repo, name)
        snapshot = load_snapshot(remote, cache, repo.format.project, accept_older=accept_older)
        if accept_older:
            cache.remember(state_of(snapshot, RemoteState(locks=cache.state().locks), fetched="", pushed=""))
        finding = None
        if address.kind not in READ_ONLY:
            finding = _probed(remote, address, single_writer=config.single_writer)
        return _checked(name, snapshot, finding, config.encryption)
    finally:
        remote.close()


def _checked(name: str, snapshot: RemoteSnapshot, finding: ProbeResult | None, encryption: str) -> CheckedRemote:
    manifest = snapshot.manifest
    return CheckedRemote(
        name=name,
        url=snapshot.remote.location,
        probe=finding,
        generation=manifest.generation,
        packs=len(manifest.packs),
        stored_bytes=sum(p.size for p in manifest.packs) + sum(r.size for r in (*manifest.records, *manifest.pieces)),
        encryption=encryption,
    )
