"""From an address to a remote that can be used.

What the person typed is opened by `open_remote`. What a project's settings name is opened by
`open_named`, once the person has agreed to its host.

Each kind is imported where one is opened: a sync with a folder needs neither ssh, HTTP nor ZIP files,
which take longer to import than all that it does.
"""

import os
from collections.abc import Callable, Mapping

import msgspec

from aura_vcs.errors.remotes import RemoteDenied, RemoteUnreachable, RemoteUntrusted
from aura_vcs.repository.format_file import is_project
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.sync.remotes.config import RemoteConfig, address_of
from aura_vcs.sync.remotes.location_check import check_location
from aura_vcs.sync.remotes.trusted_hosts import Consent, check_line, host_of
from aura_vcs.sync.remotes.url import Address


class Surroundings(msgspec.Struct, frozen=True):
    """What whoever runs this knows of the environment, which is not looked at here.

    `ssh` is the command that connects, without one the system's, and `environment` all that it is told
    of the environment. `has_keys` says that keys for S3 are in the environment: then they need not be
    looked for elsewhere; `has_token`, that a token of temporary ones is there, too. `consent` is asked
    before a host that only a project names gets credentials; without it, none does.
    """

    ssh: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}
    has_keys: bool = False
    has_token: bool = False
    consent: Consent | None = None
    open_project: Callable[[str, str], RemoteStorage] | None = None
    """Opens a project's own folder as a remote, by its path and what it is called; without it, none is one."""


UNKNOWN = Surroundings()


def open_named(
    repo: Repository, name: str, config: RemoteConfig, *, surroundings: Surroundings = UNKNOWN
) -> RemoteStorage:
    """Open a remote that the project's settings name. Close it when done.

    Raises:
        RemoteMismatch: it is a folder of a project, which somebody wrote into the settings.
        RemoteUntrusted: the person has not agreed to its host; nothing was sent there.
        RemoteUnreachable, RemoteDenied, HelperMissing: as `open_remote`.
    """
    address = address_of(repo, config)
    check_location(address, repo.root, of_project=repo.format.project if surroundings.open_project else None)
    host = host_of(address, sealed=bool(config.encryption))
    if host:
        check_line(address)
        if surroundings.consent is None:
            raise RemoteUntrusted(name, host)
        surroundings.consent(name, host)
    return open_remote(address, single_writer=config.single_writer, surroundings=surroundings)


def credential_host(repo: Repository, config: RemoteConfig) -> str:
    """Return the host that a configured remote's credentials would go to, "" where none go anywhere; see `host_of`.

    Raises:
        InvalidUrl.
    """
    return host_of(address_of(repo, config), sealed=bool(config.encryption))


def check_credential_host(repo: Repository, config: RemoteConfig) -> str:
    """Return the same host, if credentials may go there at all.

    Raises:
        InvalidUrl. RemoteDenied: they could be read on the way.
    """
    check_line(address_of(repo, config))
    return credential_host(repo, config)


def open_remote(
    address: Address, *, single_writer: bool = False, create: bool = False, surroundings: Surroundings = UNKNOWN
) -> RemoteStorage:
    """Open the remote at an address that the person named. Close it when done.

    With `single_writer`, a bucket is written without conditions: the caller made sure that nobody
    else writes there. With `create`, a folder on another machine is made if it is not there.

    Raises:
        RemoteUnreachable, RemoteDenied: it cannot be used.
        HelperMissing: something that it needs is not installed.
    """
    if address.kind == "folder" and os.path.isfile(address.path):
        from aura_vcs.storage.remotes.bundle_file import BundleRemote

        return BundleRemote(address.path)
    if address.kind == "folder":
        if surroundings.open_project is not None and is_project(address.path):
            return surroundings.open_project(address.path, address.text)
        return FolderRemote(address.path, place=address.text)
    from aura_vcs.storage.remotes.retry import RetryingRemote

    check_line(address)
    remote = _open_network(address, single_writer=single_writer, create=create, surroundings=surroundings)
    return RetryingRemote(remote)


def _open_network(address: Address, *, single_writer: bool, create: bool, surroundings: Surroundings) -> RemoteStorage:
    """Open a remote that is on a network."""
    if address.kind == "ssh":
        from aura_vcs.storage.remotes.ssh import SSH, SshRemote, ssh_arguments

        ssh = surroundings.ssh or SSH
        arguments = ssh_arguments(
            address.host, address.path, user=address.user, port=address.port, create=create, ssh=ssh
        )
        remote = SshRemote(arguments, address.text, environment=surroundings.environment)
        remote.connect()
        return remote
    if address.kind in {"s3", "gs", "az"}:
        from aura_vcs.storage.remotes.bucket import BucketRequest, open_bucket

        return open_bucket(
            BucketRequest(
                address.kind,
                address.host,
                address.path,
                address.parameters,
                address.text,
                conditional=not single_writer,
                has_keys=surroundings.has_keys,
                has_token=surroundings.has_token,
            )
        )
    from aura_vcs.storage.remotes.web import HttpRemote

    return HttpRemote(address.text)


def make_folder(address: Address, like: str | None = None) -> None:
    """Make the folder of a new folder remote; the one above it must be there (is the disk mounted?).

    Nobody can enter it who cannot enter the folder `like`, the project's: what lies in it follows its modes.

    Raises:
        RemoteUnreachable, RemoteDenied.
    """
    if address.kind != "folder" or os.path.isdir(address.path):
        return
    parent = os.path.dirname(address.path)
    if not os.path.isdir(parent):
        raise RemoteUnreachable(address.text, f"{parent} is not there", hint="Is the disk mounted?")
    try:
        os.mkdir(address.path, 0o777 if like is None else os.stat(like).st_mode & 0o777 | 0o700)
    except OSError as error:
        raise RemoteDenied(address.text, f"the folder cannot be made: {error.strerror}") from error
