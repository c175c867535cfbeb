"""Does a remote really refuse what it must? Asked by trying, one after the other and then at once.

Some servers answer 200 to a conditional write and overwrite all the same; others look whether they
may, and then write, with room for another writer between the two (rclone's `serve s3`); others
answer 501. On such a remote the last of two pushes would win and the first be lost.

The second kind is only found by writers that meet: they are let go at one moment, from
connections that are open already, several times over, with files that take a moment to write.

Nobody is accused without proof. Two winners are one, and so is a file that is not the winner's.
A race that nobody won is none: the answer to the winner may have been lost, and S3 may refuse all
of several writers at once (409).
"""

import io
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError

import msgspec

from aura_vcs.errors.input import RefMoved
from aura_vcs.storage.remotes.base import RemoteStorage

WRITERS = 8
ROUNDS = 4
FILE_BYTES = 16 << 10
PATIENCE_SECONDS = 60
PROBE_FOLDER = "probe"


class ProbeResult(msgspec.Struct, frozen=True):
    """What a remote turned out to do; `faults` says in words what it does not."""

    faults: tuple[str, ...]

    @property
    def is_safe(self) -> bool:
        """Whether several machines may push there."""
        return not self.faults


def probe(remote: RemoteStorage) -> ProbeResult:
    """Write, race and read a few small files in `probe/`, and remove them again.

    Raises:
        RemoteUnreachable, RemoteDenied: it cannot be written to at all.
    """
    used: list[str] = []

    def name() -> str:
        used.append(f"{PROBE_FOLDER}/{secrets.token_hex(16)}")
        return used[-1]

    try:
        faults = [*_conditions(remote, name()), *_parts(remote, name())]
        for _ in range(ROUNDS):
            faults = faults or [*_creation(remote, name()), *_swapping(remote, name())]
    finally:
        for file in used:
            remote.delete(file)
    return ProbeResult(tuple(faults))


def _conditions(remote: RemoteStorage, name: str) -> list[str]:
    """Check as one writer alone that what is there is not replaced, nor moved from where it is not."""
    faults = []
    token = remote.swap(name, b"first", None)
    remote.swap(name, b"second", token)
    for old, words in ((token, "from a state that it was not in any more"), (None, "as if it were not there")):
        try:
            remote.swap(name, b"stale", old)
            faults.append(f"a ref was moved {words}")
        except RefMoved:
            pass
    try:
        remote.create(name, io.BytesIO(b"stale"))
        faults.append("a file that was there was replaced by one of the same name")
    except FileExistsError:
        pass
    if not faults and remote.load(name).data != b"second":
        faults.append("a write that was refused was carried out")
    return faults


def _parts(remote: RemoteStorage, name: str) -> list[str]:
    remote.create(name, io.BytesIO(b"a part of a file"))
    return [] if remote.read_range(name, 2, 4) == b"part" else ["a part of a file is not what was asked for"]


def _creation(remote: RemoteStorage, name: str) -> list[str]:
    won = _race(remote, name, lambda number: remote.create(name, io.BytesIO(_content(number))))
    return _verdict(remote, name, won, "created one file")


def _swapping(remote: RemoteStorage, name: str) -> list[str]:
    token = remote.swap(name, b"first", None)
    won = _race(remote, name, lambda number: remote.swap(name, _content(number), token))
    return _verdict(remote, name, won, "moved one ref")


def _verdict(remote: RemoteStorage, name: str, won: list[int], words: str) -> list[str]:
    if len(won) > 1:
        return [f"{len(won)} of {WRITERS} machines that {words} at once were told that they did"]
    if won and remote.load(name).data != _content(won[0]):
        return [f"several machines {words} at once, and what is there is not from the one that was told it did"]
    return []


def _content(number: int) -> bytes:
    return (b"writer %d " % number).ljust(FILE_BYTES, b".")


def _race(remote: RemoteStorage, name: str, write: Callable[[int], object]) -> list[int]:
    """Start all writers at one moment; list those that were answered that they succeeded."""
    start = Barrier(WRITERS)

    def attempt(number: int) -> bool:
        try:
            remote.size(name)  # opens the connection, which would take longer than the race
            start.wait(PATIENCE_SECONDS)
        except BrokenBarrierError:
            return False  # another writer cannot reach it, and says so
        except BaseException:
            start.abort()
            raise
        try:
            write(number)
        except (FileExistsError, RefMoved):
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as executor:
        return [number for number, success in enumerate(executor.map(attempt, range(WRITERS))) if success]
