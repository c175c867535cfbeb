"""Making entries of the media index in processes of their own, with limits, progress and a way to stop."""

import os
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import BinaryIO, NamedTuple

import msgspec

from aura_vcs.codec import decode_packed
from aura_vcs.errors import ExtraMissing, MediaUnreadable
from aura_vcs.formats.media.findings import DecodeLimits
from aura_vcs.formats.media.index_entry import EntryHead, NoEntryError, encode_entry, read_entry
from aura_vcs.media.index_orders import FileOrder, IndexOrders
from aura_vcs.media.process import media_process, why_it_ended

MODULE = "aura_vcs.media.index_worker"
ENTRY_BYTES = 1 << 30
"""Bytes of one entry at most; a film of four hours has a half of it."""
STALL_SECONDS = 120.0
"""A process that reports nothing for so long is ended."""
POLL_SECONDS = 0.1
THREADS = 8
INDEX_LIMITS = DecodeLimits(seconds=6 * 3_600.0, clock_seconds=12 * 3_600.0, answer_bytes=ENTRY_BYTES)
SECONDS_PER_MEGABYTE = 30.0
LEAST_SECONDS = 120.0
REPORT_BYTES = 1 << 16
Watch = Callable[[str, float], None]
"""Is called several times a second with a content id and what share of it was looked at; to end the work, it raises."""


class FileToIndex(NamedTuple):
    """A real file, open for reading, whose content has the id `content`: whoever asks has checked, or checks, that.

    `name` is what messages call it.
    """

    file: BinaryIO
    content: str
    name: str


def can_look_into() -> bool:
    """Tell whether the optional part `media` is installed."""
    return all(find_spec(name) is not None for name in ("av", "PIL", "numpy"))


def limits_for(size: int) -> DecodeLimits:
    """Return what looking at a file of so many bytes may cost: a small hostile one cannot take hours."""
    seconds = min(INDEX_LIMITS.seconds, LEAST_SECONDS + SECONDS_PER_MEGABYTE * size / 2**20)
    return msgspec.structs.replace(INDEX_LIMITS, seconds=seconds, clock_seconds=2 * seconds)


def processors() -> int:
    """Return how many processors there are to decode with."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(THREADS, allowed or 1))


def build_entries(
    files: Sequence[FileToIndex],
    *,
    limits: DecodeLimits | None = None,
    threads: int = 1,
    watch: Watch = lambda _content, _share: None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[tuple[FileToIndex, bytes | MediaUnreadable]]:
    """Decode files, one after the other, and yield the entry of each as it is made.

    A file that cannot be decoded has an entry that says why. An error comes instead where the process was ended for
    what it took, crashed, or had no memory or threads left: another attempt may do better, and nothing is remembered.
    Closed early, or when `watch` raises, nothing is left of what was begun.

    Raises:
        ExtraMissing: the optional part `media` is not installed.
        MediaUnreadable: there is no Python to start.
    """
    if not can_look_into():
        raise ExtraMissing("Looking into media files", "media")
    if not sys.executable:
        raise MediaUnreadable(files[0].name, "this program has no Python executable to start a process with")
    if os.name == "nt":
        for one in files:
            yield one, _build_by_path(one, limits, threads, environment)
        return
    costs = [limits or limits_for(os.fstat(one.file.fileno()).st_size) for one in files]
    pipes = [os.pipe() for _ in files]
    ours = [end for pipe in pipes for end in pipe]
    try:
        asked = tuple(
            FileOrder(one.content, cost, one.file.fileno(), out)
            for one, cost, (_, out) in zip(files, costs, pipes, strict=True)
        )
        passed = [number for wanted in asked for number in (wanted.fd, wanted.out)]
        request = msgspec.json.encode(IndexOrders(asked, threads))
        with media_process(
            MODULE, request, environment={"OPENBLAS_NUM_THREADS": "1", **(environment or {})},
            files=passed, own_group=True,
        ) as process:  # fmt: skip
            for _, out in pipes:
                ours.remove(out)
                os.close(out)
            assert process.stdout is not None
            ends = 0
            """Of so many files it was read how their process ended."""
            for n, (one, cost, (source, _)) in enumerate(zip(files, costs, pipes, strict=True)):
                try:
                    data = _answer(source, one, cost, watch)
                    if data is not None:
                        yield one, _checked(data, one)
                        continue
                    yield one, _end_of(one, process.stdout.read(2 * (n + 1 - ends))[2 * (n - ends) :])
                    ends = n + 1
                except MediaUnreadable as error:
                    yield one, error
                    return  # what hangs is ended; the files behind it are for another process
    finally:
        for end in ours:
            os.close(end)


def _answer(source: int, one: FileToIndex, limits: DecodeLimits, watch: Watch) -> tuple[bytes, bytes] | None:
    """Read what the process says about a file, up to its last word; None if it ends without one.

    Raises:
        MediaUnreadable: it took too long, or said too much or what nobody understands.
    """
    began = heard = time.monotonic()
    data = bytearray()
    share = 0.0
    poll = select.poll()  # `select.select` takes no descriptor above 1023, which a large program may have
    poll.register(source, select.POLLIN)
    while True:
        ready = bool(poll.poll(POLL_SECONDS * 1000))
        now = time.monotonic()
        if ready:
            heard = now
            piece = os.read(source, 1 << 20)
            if not piece:
                return None
            data += piece
        while len(data) >= 5:
            kind, size = bytes(data[:1]), int.from_bytes(data[1:5], "big")
            if kind not in (b"p", b"e", b"f", b"m") or size > (limits.answer_bytes if kind == b"e" else REPORT_BYTES):
                raise MediaUnreadable(one.name, "the answer is larger than is allowed")
            if len(data) < 5 + size:
                break
            message = bytes(data[5 : 5 + size])
            del data[: 5 + size]
            if kind != b"p":
                return kind, message
            share = _share(message, one.name)
        watch(one.content, share)
        if now - began > limits.clock_seconds:
            raise MediaUnreadable(one.name, f"it took more than {limits.clock_seconds:g} s")
        if now - heard > STALL_SECONDS:
            raise MediaUnreadable(one.name, f"it got nowhere for {STALL_SECONDS:g} s")


def _share(message: bytes, name: str) -> float:
    try:
        done, of = decode_packed(message, tuple[float, float])
    except msgspec.MsgspecError as error:
        raise MediaUnreadable(name, "the decoder wrote nonsense") from error
    return max(0.0, min(1.0, done / of)) if of > 0 else 0.0


def _end_of(one: FileToIndex, code: bytes) -> MediaUnreadable:
    """Return the error for a file whose process ended without a word."""
    number = int.from_bytes(code, "big", signed=True) if len(code) == 2 else 1
    return MediaUnreadable(one.name, why_it_ended(number))


def _checked(answer: tuple[bytes, bytes], one: FileToIndex) -> bytes | MediaUnreadable:
    kind, data = answer
    if kind == b"m":
        return MediaUnreadable(one.name, data.decode("utf-8", "replace"))
    if kind == b"f":
        return encode_entry(EntryHead(one.content, problem=data.decode("utf-8", "replace")), {})
    try:
        read_entry(data, one.content)
    except NoEntryError as error:
        raise MediaUnreadable(one.name, "the decoder wrote nonsense") from error
    return data


def _build_by_path(
    one: FileToIndex, limits: DecodeLimits | None, threads: int, environment: Mapping[str, str] | None
) -> bytes | MediaUnreadable:
    """Build an entry where a process cannot be given open files."""
    cost = limits or limits_for(os.fstat(one.file.fileno()).st_size)
    wanted = FileOrder(one.content, cost, path=os.path.abspath(one.file.name))
    request = msgspec.json.encode(IndexOrders((wanted,), threads))
    with media_process(MODULE, request, environment=environment) as process:
        assert process.stdout is not None
        clock = threading.Timer(cost.clock_seconds, process.kill)
        clock.start()
        try:
            while len(start := process.stdout.read(5)) == 5:
                size = int.from_bytes(start[1:], "big")
                if size > cost.answer_bytes:
                    return MediaUnreadable(one.name, "the answer is larger than is allowed")
                data = process.stdout.read(size)
                if start[:1] != b"p":
                    return _checked((start[:1], data), one)
        except MediaUnreadable as error:
            return error
        finally:
            clock.cancel()
        return MediaUnreadable(one.name, why_it_ended(process.wait()))
