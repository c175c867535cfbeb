"""Asking the watcher of a project which files are not as the scan cache has them; see worktree.watch.

The watcher listens on a socket in `.aura/local` that only the same user can open. A question says what the caller
sees: which folder, through which mount, which cache. Anything that does not fit, or takes long, is no answer, and then
every file is looked at.
"""

import _socket
import os
import stat
import struct
import sys
import time
from array import array
from collections.abc import Sequence
from contextlib import suppress

from blake3 import blake3

from aura_vcs.errors.integrity import LinkedPath
from aura_vcs.layout import AURA, SCAN_CACHE, WATCHER_FAULT, WATCHER_SOCKET
from aura_vcs.storage.own_folders import OwnFolders
from aura_vcs.worktree.scan.cache import NOT_COMPARED, OUTDATED_SECONDS, CleanFolder, ScanCache
from aura_vcs.worktree.scan.cache_file import MAGIC

ASK, ABOUT, STOP, STAY = b"A", b"S", b"X", b"K"
"""Which files differ; what the watcher is; end; stay when the program has ended for which it was started."""
QUESTION = struct.Struct("<c16sQQQQQQq")
"""What is asked; the program; device and inode of the project folder, its mount, the mount namespace; inode, size and
date of the scan cache."""
ANSWER = struct.Struct("<B??I16s16s32sQ")
"""What is answered; whether the caller is to look at everything to verify it; whether there is a file of conflicts; the
bytes that follow; the digest of the cache, the fingerprint of its rules, its tree (zeros where a file differs); how
many files it has."""
SOCKET, FAULT, CACHE = (os.path.basename(name) for name in (WATCHER_SOCKET, WATCHER_FAULT, SCAN_CACHE))
SURE, BUSY, REFUSED, TOLD = range(4)
SECONDS = 1.0
"""How long to wait for an answer."""
MOST_BYTES = 1 << 22
_CREDENTIALS = 12
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
is_off = False
"""Whether this process asks no watcher."""
Header = tuple[int, bool, bool, int, bytes, bytes, bytes, int]
"""An unpacked ANSWER."""


class WatcherAnswer:
    """What the watcher of the folder `root` says; of the same use as a look ahead (see prefetch)."""

    def __init__(self, root: str, header: Header, more: bytes) -> None:
        self.root = root
        _, self.is_to_be_verified, self._has_conflicts, _, self.digest, self._fingerprint, self._tree, self._files = (
            header
        )
        self._more = more
        self._since = time.monotonic()

    @property
    def clean(self) -> CleanFolder | None:
        """The tree to which the folder is equal in every file; None where it is to none, or the answer is old."""
        if self.is_to_be_verified or not any(self._tree) or time.monotonic() - self._since > OUTDATED_SECONDS:
            return None
        return CleanFolder(self._tree.hex(), self._fingerprint, self._files, self._has_conflicts)

    def differing(self, cache: ScanCache) -> dict[str, Sequence[int]]:
        """Map folders to the numbers of their differing files, where all else is as the cache has it.

        Empty if another cache is meant, or the answer is older than OUTDATED_SECONDS.
        """
        if self.digest != cache.digest or time.monotonic() - self._since > OUTDATED_SECONDS:
            return {}
        return self.claims(cache)

    def claims(self, cache: ScanCache) -> dict[str, Sequence[int]]:
        """Return the same, however old it is."""
        found: dict[str, Sequence[int]] = dict.fromkeys(cache.folders, ())
        if not self._more:
            return found
        paths = list(cache.folders)
        words = array("I", self._more)
        at = 0
        while at < len(words):
            folder, count = words[at : at + 2]
            at += 2
            if count == NOT_COMPARED:
                del found[paths[folder]]
                continue
            found[paths[folder]] = words[at : at + count]
            at += count
        return found


def ask_watcher(root: str) -> WatcherAnswer | None:
    """Ask the watcher of a project folder; None where there is none, or it is not to be believed."""
    told = talk(root, ASK)
    return WatcherAnswer(root, *told) if told is not None and told[0][0] == SURE else None


def talk(root: str, kind: bytes, seconds: float = SECONDS) -> tuple[Header, bytes] | None:
    """Ask the watcher something; None where there is none, or it does not answer in time."""
    if sys.platform != "linux" or (kind == ASK and is_off):
        return None
    try:
        local = open_local(root)
    except (OSError, LinkedPath):
        return None
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        if kind == ASK and os.path.lexists(f"/proc/self/fd/{local}/{FAULT}"):
            return None
        sock.settimeout(seconds)
        sock.connect(f"/proc/self/fd/{local}/{SOCKET}")
        seen = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _CREDENTIALS)
        if int.from_bytes(seen[4:8], sys.byteorder) != os.geteuid():
            return None
        sock.sendall(_question(root, local, kind))
        header = ANSWER.unpack(_receive(sock, ANSWER.size))
        return header, _receive(sock, header[3])
    except (OSError, ValueError, struct.error):
        return None
    finally:
        sock.close()
        os.close(local)


def open_local(root: str) -> int:
    """Open the folder of a project for what belongs to this machine, through no link.

    Raises:
        OSError, LinkedPath: it is not there, or is none.
    """
    folders = OwnFolders(os.path.join(root, AURA), follow_root=False)
    try:
        with folders.at(WATCHER_SOCKET) as (_, dir_fd):
            if dir_fd is None:
                raise NotADirectoryError(root)
            return os.dup(dir_fd)
    finally:
        folders.close()


def program() -> bytes:
    """Return what tells this program from another one, or from another version of it."""
    own = os.stat(__file__)
    return blake3(b"\0".join([os.fsencode(__file__), MAGIC, b"%d %d" % (own.st_ino, own.st_mtime_ns)])).digest()[:16]


def cache_stamp(local: int) -> tuple[int, int, int]:
    """Return inode, size and date of the scan cache in the folder that is open as `local`; zeros without one."""
    with suppress(OSError):
        found = os.stat(CACHE, dir_fd=local, follow_symlinks=False)
        if stat.S_ISREG(found.st_mode):
            return found.st_ino, found.st_size, found.st_mtime_ns
    return 0, 0, 0


def mount_number(fd: int) -> int:
    """Return the number of the mount through which a file was opened.

    Raises:
        OSError, ValueError: the system does not say.
    """
    with open(f"/proc/self/fdinfo/{fd}", "rb", buffering=0) as file:
        return int(file.read().partition(b"mnt_id:")[2].split(maxsplit=1)[0])


def namespace() -> int:
    """Return which mounts this process sees.

    Raises:
        OSError: the system does not say.
    """
    return os.stat("/proc/self/ns/mnt").st_ino


def _question(root: str, local: int, kind: bytes) -> bytes:
    fd = os.open(root, _FOLDER & ~getattr(os, "O_NOFOLLOW", 0))
    try:
        here, mount = os.fstat(fd), mount_number(fd)
    finally:
        os.close(fd)
    return QUESTION.pack(kind, program(), here.st_dev, here.st_ino, mount, namespace(), *cache_stamp(local))


def _receive(sock: _socket.socket, size: int) -> bytes:
    """Receive so many bytes.

    Raises:
        ValueError: the other side has gone, or says more than there is to say.
    """
    if size > MOST_BYTES:
        raise ValueError("too much to be an answer")
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise ValueError("the watcher has gone")
        data += more
    return data
