"""On what kind of disk a folder lies, as far as the system tells.

SQLite's write-ahead log needs memory that all processes share, which a network file system does
not give (https://sqlite.org/wal.html): what lies on one must keep its index elsewhere.
"""

import errno
import os
import sys

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a system answers where there is no room: on the disk, for this person, for a file of that size."""
PROBE_BYTES = 1 << 20
"""So much is tried where SQLite could not write and does not say why."""


NETWORK = frozenset(
    {"9p", "afs", "afpfs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs"}
    | {"nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs"}
)
"""Kinds that lead to another machine, or to the host of a virtual one."""
NETWORK_HELPERS = frozenset(
    {"ceph-fuse", "cifs", "davfs", "glusterfs", "gvfsd-fuse", "juicefs", "rclone", "s3fs", "smbnetfs", "sshfs"}
    | {"vmhgfs-fuse"}
)
"""What `fuse.NAME` is for these; other kinds of FUSE are disks."""
_MOUNTS = "/proc/self/mountinfo"
_DRIVE_REMOTE = 4


def is_on_network(folder: str) -> bool:
    """Tell whether the folder lies on a network file system; False where the system does not say."""
    system: str = sys.platform
    if system == "linux":
        kind = kind_of_disk(folder)
        name, _, helper = kind.partition(".")
        return kind in NETWORK or (name in {"fuse", "fuseblk"} and helper in NETWORK_HELPERS)
    if system == "darwin":
        return not _asked_of_macos(folder)[1]
    if system == "win32":
        import ctypes

        drive = os.path.splitdrive(os.path.abspath(folder))[0]
        kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
        return drive.startswith("\\\\") or kernel.GetDriveTypeW(f"{drive}\\") == _DRIVE_REMOTE
    return False


def kind_of_disk(folder: str) -> str:
    """Return the kind of the file system with the folder, "" if it is not known; from mountinfo, see proc(5)."""
    system: str = sys.platform
    if system == "darwin":
        return _asked_of_macos(folder)[0]
    try:
        device = os.stat(folder).st_dev
        with open(_MOUNTS, "rb") as file:
            mounts = file.read()
    except OSError:
        return ""
    wanted = f" {os.major(device)}:{os.minor(device)} ".encode()
    start = mounts.find(wanted)
    found = mounts[start : mounts.find(b"\n", start)].partition(b" - ")[2].split() if start >= 0 else []
    return found[0].decode("ascii", "replace") if found else ""


def _asked_of_macos(folder: str) -> tuple[str, bool]:
    from aura_vcs.storage.macos_calls import kind_and_place, system_library

    return kind_and_place(folder, system_library())


def can_grow(folder: str, size: int = PROBE_BYTES) -> bool:
    """Tell whether a file of `size` bytes can be made in the folder, as the system reports; nothing is left of it."""
    import tempfile  # only where it begins to be full

    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        return error.errno not in FULL
    return True
