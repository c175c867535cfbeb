"""Does a remote really refuse what it must? Asked by trying, with writers that race.

Some servers answer 200 to a conditional write and overwrite all the same (rclone's `serve s3`);
others answer 501. On such a remote the last of two pushes would win and the first be lost.
"""

import io
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec

from aura_vcs.errors import RefMoved
from aura_vcs.storage.remote import RemoteStorage

WRITERS = 8
ROOM = "probe"


class Finding(msgspec.Struct, frozen=True):
    """What a remote turned out to do; `faults` says in words what it does not."""

    faults: tuple[str, ...]

    @property
    def is_safe(self) -> bool:
        """Whether several machines may push there."""
        return not self.faults


def probe(remote: RemoteStorage) -> Finding:
    """Write, race and read a few small files in `probe/`, and remove them again.

    Raises:
        RemoteUnreachable, RemoteDenied: it cannot be written to at all.
    """
    name = f"{ROOM}/{secrets.token_hex(16)}"
    faults: list[str] = []
    try:
        faults += _creation(remote, f"{name}-a")
        faults += _swapping(remote, f"{name}-b")
    finally:
        for end in ("a", "b"):
            remote.delete(f"{name}-{end}")
    return Finding(tuple(faults))


def _creation(remote: RemoteStorage, name: str) -> list[str]:
    faults = []
    won = _race(lambda number: remote.create(name, io.BytesIO(b"writer %d" % number)))
    if len(won) != 1:
        faults.append(f"{len(won)} of {WRITERS} machines that created one file at once were told that they did")
    elif remote.load(name).data != b"writer %d" % won[0]:
        faults.append("the file is not that of the machine that was told it had created it")
    if remote.read_range(name, 0, 6) != b"writer":
        faults.append("a part of a file is not what was asked for")
    return faults


def _swapping(remote: RemoteStorage, name: str) -> list[str]:
    faults = []
    token = remote.swap(name, b"first", None)
    won = _race(lambda number: remote.swap(name, b"writer %d" % number, token))
    if len(won) != 1:
        faults.append(f"{len(won)} of {WRITERS} machines that moved one ref at once were told that they did")
    elif remote.load(name).data != b"writer %d" % won[0]:
        faults.append("the ref is not where the machine that moved it was told it is")
    try:
        remote.swap(name, b"stale", token)
        faults.append("a ref was moved from a state that it was not in any more")
    except RefMoved:
        pass
    return faults


def _race(write: Callable[[int], object]) -> list[int]:
    """Which of the writers were told that they succeeded. One that was refused otherwise counts as not."""

    def attempt(number: int) -> bool:
        try:
            write(number)
        except (FileExistsError, RefMoved):
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as executor:
        return [number for number, success in enumerate(executor.map(attempt, range(WRITERS))) if success]
