"""Where what the kernel tells can be trusted: on which disks, under which mounts, beside which servers."""

import ctypes
import os
from collections.abc import Iterator

from aura_vcs.worktree.watch.quiet_open import are_leases_on

KNOWN = {
    0xEF53: "ext4",
    0x58465342: "xfs",
    0x9123683E: "btrfs",
    0x01021994: "tmpfs",
    0xF2F52010: "f2fs",
}
"""File systems on which nobody writes but through this kernel's own calls, by their numbers in `statfs`."""
_STATFS_BYTES = 512
_SERVERS = {
    "/proc/net/rpc/nfsd": "this machine serves files by NFS",
    "/sys/class/ksmbd-control": "this machine serves files by SMB from within the kernel",
}
"""What is there while the kernel itself may write files for other machines."""


class Untrusted(Exception):
    """The project cannot be watched in a way that can be trusted; says why."""


def why_not(root: int, path: str) -> str:
    """Return why events of the folder that is open as `root` cannot be trusted; "" where they can. `path` is its path.

    Asked at every question: what is mounted can change at any time.
    """
    if not are_leases_on():
        return "the system gives no leases (fs.leases-enable)"
    kind = _file_system(root)
    if kind not in KNOWN:
        return f"the disk's file system ({kind:#x}) is not one of {', '.join(KNOWN.values())}"
    for sign, reason in _SERVERS.items():
        if os.path.lexists(sign):
            return reason
    return next(mounts_in_the_way(path), "")


def _file_system(fd: int) -> int:
    buffer = ctypes.create_string_buffer(_STATFS_BYTES)
    if ctypes.CDLL(None).fstatfs(fd, buffer) != 0:
        return 0
    return int.from_bytes(buffer.raw[: ctypes.sizeof(ctypes.c_long)], "little") & 0xFFFFFFFF


def mounts_in_the_way(path: str, listed: str = "/proc/self/mountinfo") -> Iterator[str]:
    """Yield why mounts, as the system lists them, keep a folder from being watched."""
    inside = path.rstrip("/") + "/"
    try:
        with open(listed, "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        yield "the system does not say what is mounted"
        return
    for line in lines:
        fields = line.split(b" ")
        point = os.fsdecode(_plain(fields[4]))
        if point.startswith(inside):
            yield f"something is mounted inside, on {point}"
        for option in line.rpartition(b" ")[2].split(b",") if b" - overlay " in line else ():
            upper = os.fsdecode(_plain(option.removeprefix(b"upperdir="))).rstrip("/") + "/"
            if option.startswith(b"upperdir=") and (upper.startswith(inside) or inside.startswith(upper)):
                yield "the folder is a layer of an overlay, which writes without a word"


def _plain(escaped: bytes) -> bytes:
    """Undo how mountinfo writes spaces and the like, as three octal digits."""
    if b"\\" not in escaped:
        return escaped
    first, *rest = escaped.split(b"\\")
    return first + b"".join(bytes([int(part[:3], 8)]) + part[3:] for part in rest)
