"""Films that were exported into the project's own folder: made from a version, and in none.

`local/outputs` names them with their size and date. A file that is not as it was exported any more is
somebody's work and is versioned like any other; a line such as `!film.mp4` in `.auraignore` takes an
export in as well.
"""

import os
import stat

import msgspec

from aura_vcs.codec import decode_json, encode_compact
from aura_vcs.layout import AURA, OUTPUTS
from aura_vcs.plain_text import path_of_text, path_text

MAX_FILES = 1000
"""So many exports are remembered, the newest ones."""
BYTES_LIMIT = 1 << 20


class ExportedFile(msgspec.Struct, frozen=True):
    """A file that was exported: its path in the project (as `path_text` has it), its size in bytes, its date."""

    path: str
    size: int
    mtime_ns: int


def read_outputs(root: str) -> tuple[ExportedFile, ...]:
    """Return what is remembered of the exports below `root`, oldest first; nothing where it cannot be read."""
    path = os.path.join(root, AURA, *OUTPUTS.split("/"))
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return ()
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
        with open(fd, "rb") as file:
            return decode_json(file.read(BYTES_LIMIT), tuple[ExportedFile, ...])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ()


def untouched_outputs(root: str) -> frozenset[str]:
    """Return the paths of those exports that lie there as they were made."""
    return frozenset(path_of_text(output.path) for output in read_outputs(root) if _is_untouched(root, output))


def with_output(root: str, path: str) -> bytes:
    """Return what is to be remembered once the file at `path`, relative to `root`, was exported.

    Raises:
        OSError: it is not there.
    """
    found = os.lstat(os.path.join(root, *path.split("/")))
    output = ExportedFile(path_text(path), found.st_size, found.st_mtime_ns)
    others = [other for other in read_outputs(root) if other.path != output.path]
    return encode_compact([*others, output][-MAX_FILES:]) + b"\n"


def _is_untouched(root: str, output: ExportedFile) -> bool:
    try:
        found = os.lstat(os.path.join(root, *path_of_text(output.path).split("/")))
    except (OSError, ValueError):
        return False
    return (found.st_size, found.st_mtime_ns) == (output.size, output.mtime_ns)
