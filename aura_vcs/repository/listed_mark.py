"""What a project remembers of its place in a person's list: `local/listed` says in whose, and where it was then.

Read after every command that did something; the studio itself is not imported for that.
"""

import os
from contextlib import suppress

from aura_vcs.errors.integrity import StorageError
from aura_vcs.layout import AURA, LISTED, TEMPORARY
from aura_vcs.repository.format_file import project_at
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.local import LocalStorage


def is_listed(repo: Repository, home: str) -> bool:
    """Tell whether the project was entered, from where it is now, into the studio's list in the folder `home`."""
    try:
        return repo.storage.read(LISTED) == _mark(repo.root, home)
    except (FileNotFoundError, StorageError):  # what cannot be read is written anew, if that is possible
        return False


def original_of(repo: Repository) -> str | None:
    """Return the folder that this one was copied from, if it was, and the project is still there; else None."""
    try:
        path = os.fsdecode(repo.storage.read(LISTED)).split("\n")[1]
        if not path or os.path.realpath(path) == os.path.realpath(repo.root):
            return None
    except (OSError, StorageError, IndexError, ValueError):
        return None
    return path if project_at(path) == repo.format.project else None


def mark_listed(root: str, home: str) -> None:
    """Remember that it was entered; where that cannot be written, the next command tries again."""
    with suppress(StorageError):
        LocalStorage(os.path.join(root, AURA), temporary=TEMPORARY).put(LISTED, _mark(root, home))


def _mark(root: str, home: str) -> bytes:
    return os.fsencode(f"{home}\n{os.path.realpath(root)}\n")
