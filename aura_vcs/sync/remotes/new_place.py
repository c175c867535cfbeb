"""Making a place that a project can be pushed to, before there is a project that names it."""

import os

from aura_vcs.errors import InputError
from aura_vcs.sync.remotes.connect import make_folder
from aura_vcs.sync.remotes.location_check import check_no_project
from aura_vcs.sync.remotes.url import parse_address


def make_empty_place(path: str) -> str:
    """Make an empty folder for a remote; returns its path.

    Raises:
        InputError: something is in it. RemoteMismatch: it lies in a project. RemoteUnreachable, RemoteDenied.
    """
    address = parse_address(path)
    check_no_project(address.path, address.path)
    make_folder(address)
    if os.listdir(address.path):
        raise InputError(f"{address.path} is not empty", hint="Name a folder that does not exist yet.")
    return address.path
