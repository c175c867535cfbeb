"""From an address to a remote that can be used.

Each kind is imported where one is opened: a sync with a folder needs neither ssh, HTTP nor ZIP files,
which take longer to import than all that it does.
"""

import os

import msgspec

from aura_vcs.errors.remotes import RemoteDenied, RemoteUnreachable
from aura_vcs.storage.remote import RemoteStorage
from aura_vcs.storage.remote_folder import FolderRemote
from aura_vcs.sync.addresses import Address


class Surroundings(msgspec.Struct, frozen=True):
    """What whoever runs this knows of the environment, which is not looked at here.

    `ssh` is the command that connects, without one the system's. `has_keys` says that keys for S3 are
    in the environment: then they need not be looked for elsewhere.
    """

    ssh: tuple[str, ...] = ()
    has_keys: bool = False


UNKNOWN = Surroundings()


def open_remote(
    address: Address, *, single_writer: bool = False, create: bool = False, surroundings: Surroundings = UNKNOWN
) -> RemoteStorage:
    """The remote at an address. Close it when done.

    With `single_writer`, a bucket is written without conditions: the caller made sure that nobody
    else writes there. With `create`, a folder on another machine is made if it is not there.

    Raises:
        RemoteUnreachable, RemoteDenied: it cannot be used.
        HelperMissing: something that it needs is not installed.
    """
    if address.kind == "folder" and os.path.isfile(address.path):
        from aura_vcs.storage.remote_bundle import BundleRemote

        return BundleRemote(address.path)
    if address.kind == "folder":
        return FolderRemote(address.path, place=address.text)
    from aura_vcs.storage.remote_wrappers import RetryingRemote

    far = _open_far(address, single_writer=single_writer, create=create, surroundings=surroundings)
    return RetryingRemote(far)


def _open_far(address: Address, *, single_writer: bool, create: bool, surroundings: Surroundings) -> RemoteStorage:
    """A remote that is reached by a network."""
    if address.kind == "ssh":
        from aura_vcs.storage.remote_ssh import SSH, SshRemote, ssh_arguments

        ssh = surroundings.ssh or SSH
        arguments = ssh_arguments(
            address.host, address.path, user=address.user, port=address.port, create=create, ssh=ssh
        )
        remote = SshRemote(arguments, address.text)
        remote.connect()
        return remote
    if address.kind in {"s3", "gs", "az"}:
        from aura_vcs.storage.remote_bucket import open_bucket

        return open_bucket(
            address.kind,
            address.host,
            address.path,
            address.parameters,
            address.text,
            conditional=not single_writer,
            has_keys=surroundings.has_keys,
        )
    from aura_vcs.storage.remote_http import HttpRemote

    return HttpRemote(address.text)


def make_folder(address: Address) -> None:
    """Make the folder of a new folder remote; the one above it must be there (is the disk mounted?).

    Raises:
        RemoteUnreachable, RemoteDenied.
    """
    if address.kind != "folder" or os.path.isdir(address.path):
        return
    parent = os.path.dirname(address.path)
    if not os.path.isdir(parent):
        raise RemoteUnreachable(address.text, f"{parent} is not there", hint="Is the disk mounted?")
    try:
        os.mkdir(address.path)
    except OSError as error:
        raise RemoteDenied(address.text, f"the folder cannot be made: {error.strerror}") from error
