"""Key files of encrypted remotes: they lie where the person says, and in no project."""

import os

from aura_vcs.errors import InputError
from aura_vcs.errors.remotes import RemoteLocked
from aura_vcs.storage.encryption.master_key import Secret, key_file_secret, new_key_file
from aura_vcs.storage.system_calls import sync_file

KEY_FILE_LIMIT = 4096


def read_key_file(path: str) -> Secret:
    """Read the key in a file.

    Raises:
        RemoteLocked: it cannot be read, or is not a key file.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(KEY_FILE_LIMIT)
    except OSError as error:
        raise RemoteLocked(path, f"the key file cannot be read: {error.strerror}", hint="") from error
    return key_file_secret(data, path)


def make_key_file(path: str, folders: tuple[str, ...]) -> bool:
    """Make a key file that is not there yet, for the account alone; whether it was made.

    Raises:
        InputError: it would lie in one of `folders`, which travel, or cannot be made.
    """
    for folder in folders:
        if os.path.realpath(path).startswith(os.path.join(os.path.realpath(folder), "")):
            raise InputError(
                f"The key file would be in {folder}, and travel with what it locks",
                hint="Name a place outside, best one that is backed up.",
            )
    if os.path.lexists(path):
        return False
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(new_key_file())
            file.flush()
            sync_file(file.fileno())
    except OSError as error:
        raise InputError(f"The key file {path} cannot be made: {error.strerror}") from error
    return True
