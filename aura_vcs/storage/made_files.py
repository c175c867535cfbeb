"""Files that are made from others: copies to make them from, what came out, and taking it away again."""

import os
import shutil
from pathlib import Path
from typing import BinaryIO

from aura_vcs.storage.new_output import NewOutput

PIECE = 1 << 20


def copy_to(source: BinaryIO, target: Path) -> None:
    """Copy what is left of a stream to a new file; a name that there is is refused.

    Raises:
        OSError.
    """
    with target.open("xb") as out:
        shutil.copyfileobj(source, out, PIECE)


def publish_copy(made: Path, target: str) -> None:
    """Give a copy of a file a name that nothing has yet; it appears when it is whole.

    Raises:
        TargetExists, StorageError.
    """
    with NewOutput(target, folder=False) as out:
        shutil.copyfile(made, out.path)
        out.publish()


def remove_unchanged(target: Path, seen: os.stat_result) -> str:
    """Remove a file that is as it was `seen`; say why it stays, where somebody writes to it at this very moment.

    It goes to a name beside it first, and is looked at there: what somebody has changed comes back.

    Raises:
        OSError.
    """
    aside = target.with_name(f".{target.name[:100]}.{os.urandom(6).hex()}.aura-part")
    os.rename(target, aside)
    found = aside.lstat()
    if (seen.st_ino, seen.st_size, seen.st_mtime_ns) == (found.st_ino, found.st_size, found.st_mtime_ns):
        os.unlink(aside)
        return ""
    try:
        os.link(aside, target)
    except OSError:  # something is there again, or the disk has no second names
        return f"it was changed meanwhile, and lies at {aside.name}"
    os.unlink(aside)
    return "it is being changed"
