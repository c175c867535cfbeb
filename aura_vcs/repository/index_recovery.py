"""An index that cannot be trusted is thrown away: the next opening builds it anew from the files.

SQLite notices damage late, in the middle of a query, or not at all (a flipped byte in a text). As
nothing in the index is true on its own, whoever stumbles over it discards it and begins again.
"""

import sqlite3

from aura_vcs.errors import AuraError, Unfinished
from aura_vcs.errors.input import LockBusy, NotAProject
from aura_vcs.errors.integrity import StorageDenied, StorageError, StorageFull
from aura_vcs.index.database import IndexUnusable
from aura_vcs.layout import INDEX, OPERATIONS
from aura_vcs.repository.find_project import find_root, project_storage
from aura_vcs.storage import databases

_ASKED_WRONGLY = ("SQLITE_MISMATCH", "SQLITE_RANGE", "SQLITE_TOOBIG")
"""What SQLite says of a question that makes no sense; the file is as good as before."""


def is_index_trouble(error: BaseException) -> bool:
    """Tell whether an error, or what caused it, is what a damaged index leads to."""
    if isinstance(error, AuraError) and type(error) not in {StorageError, Unfinished}:
        return False
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, StorageFull | StorageDenied | LockBusy | sqlite3.ProgrammingError | sqlite3.DataError):
            return False
        if getattr(cause, "sqlite_errorname", "") in _ASKED_WRONGLY:
            return False
        if isinstance(cause, IndexUnusable | sqlite3.DatabaseError | UnicodeDecodeError):
            return True
        cause = cause.__cause__
    return False


def discard_index(path: str) -> None:
    """Remove the index of the project that `path` is in. Other processes keep the one they have open.

    Raises:
        NotAProject: it is in none.
    """
    databases.remove(project_storage(find_root(path)), INDEX)


def recorded_bytes(path: str) -> int:
    """Count the bytes of the operation logs of the project that `path` is in: while they stay, nothing was done.

    Raises:
        NotAProject: it is in none.
    """
    storage = project_storage(find_root(path))
    logs = (storage.stat(f"{OPERATIONS}/{name}") for name in storage.list(OPERATIONS) if name.endswith(".jsonl"))
    return sum(found.size for found in logs if found is not None)


def heal(path: str, error: Exception, recorded: int | None) -> bool:
    """Throw a damaged index away, if that is what the error comes from; whether to begin again.

    A command that has recorded something is not run a second time: `recorded` counts the bytes of the
    operation logs before it ran, None if it did not come to that.
    """
    if not is_index_trouble(error):
        return False
    try:
        discard_index(path)
        return recorded is None or recorded == recorded_bytes(path)
    except (NotAProject, OSError):
        return False
