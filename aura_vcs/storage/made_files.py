"""Files that are made from others: copies to make them from, what came out, and taking it away again."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from aura_vcs.storage.new_output import NewOutput
from aura_vcs.storage.system_calls import storage_error

PIECE = 1 << 20


def copy_to(source: BinaryIO, target: Path) -> None:
    """Copy what is left of a stream to a new file; a name that there is is refused.

    Raises:
        OSError.
    """
    with target.open("xb") as out:
        shutil.copyfileobj(source, out, PIECE)


def write_new(target: str, data: bytes) -> None:
    """Write a file under a name that nothing has yet; it appears when it is whole.

    Raises:
        TargetExists, StorageError.
    """
    with NewOutput(target, folder=False) as out:
        try:
            Path(out.path).write_bytes(data)
        except OSError as error:
            raise storage_error("write", out.target, error) from error
        out.publish()


def replace_file(path: str, data: bytes) -> None:
    """Put a file of the person's in place of the one before, with its rights; interrupted, either is there whole.

    Raises:
        StorageError: the one before is as it was.
    """
    target = os.path.realpath(path)
    part = f"{target}.{os.urandom(6).hex()}.aura-part"
    try:
        try:
            with open(part, "xb") as file:
                file.write(data)
                file.flush()
                if os.path.exists(target):
                    shutil.copymode(target, part)
                os.fsync(file.fileno())
            os.replace(part, target)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(part)
    except OSError as error:
        raise storage_error("write", path, error) from error


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
        return f"it was changed meanwhile, and is at {aside.name}"
    os.unlink(aside)
    return "it is being changed"
