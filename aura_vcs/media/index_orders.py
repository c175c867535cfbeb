"""What the process that makes entries of the media index is asked."""

import msgspec

from aura_vcs.formats.media.findings import DecodeLimits


class FileOrder(msgspec.Struct, frozen=True):
    """A file that is to be looked at: an open one by its number, or a path; where to answer; what it may cost."""

    content: str
    limits: DecodeLimits
    fd: int = -1
    out: int = 1
    path: str = ""


class IndexOrders(msgspec.Struct, frozen=True):
    """Which files are to be looked at, one after the other, and with how many threads."""

    files: tuple[FileOrder, ...]
    threads: int = 1
