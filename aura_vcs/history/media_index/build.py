"""Looking at media files that the media index does not have yet."""

import os
import queue
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import BinaryIO, cast

import msgspec
from blake3 import blake3

from aura_vcs.errors import AuraError, MediaUnreadable
from aura_vcs.formats.media.findings import DecodeLimits
from aura_vcs.history.media_index.store import MediaIndexStore
from aura_vcs.history.sources.content_source import COPY_BYTES, ContentSource
from aura_vcs.ids import ObjectId
from aura_vcs.media.build_entries import FileToIndex, build_entries, processors
from aura_vcs.model import Entry
from aura_vcs.progress import SILENT, Progress

BATCH_FILES = 24
"""Small files that one process looks at."""
BATCH_BYTES = 8 << 20
PAUSE_SECONDS = 0.1
CHANGED = "it was changed while it was looked at"
PATIENCE_SECONDS = 20.0
"""What would be done in so much more time is finished: given up, it would be begun anew each time."""
TRIM_EVERY = 256 << 20
"""After so many bytes of new entries the index is trimmed."""


class MediaContent(msgspec.Struct, frozen=True):
    """A file whose content is to be in the index: which one, and where it can be read."""

    path: str
    entry: Entry
    source: ContentSource

    @property
    def id(self) -> ObjectId:
        """Its content id."""
        return self.entry.id


class Indexed(msgspec.Struct):
    """What came of it: files that were looked at now, those that were known, and by path why others were not."""

    made: list[str] = []
    known: list[str] = []
    problems: dict[str, str] = {}


class _Stop(Exception):
    """Nobody wants more."""


def index_media(
    index: MediaIndexStore,
    wanted: Iterable[MediaContent],
    *,
    environment: Mapping[str, str] | None = None,
    seconds: float | None = None,
    limits: DecodeLimits | None = None,
    progress: Progress = SILENT,
) -> Indexed:
    """Look at every frame and sample of the files that the index does not have; keep what is found.

    Equal contents are looked at once. As many processes as there are processors decode, with limits, without the
    caller's environment but for `environment`. `progress` counts bytes. After `seconds`, what is not
    nearly done is given up. Interrupted, the index has what was finished; nothing else is left.

    Raises:
        ExtraMissing: the optional part `media` is not installed.
        Interrupted, or whatever `progress` raises.
    """
    found = Indexed()
    todo: dict[ObjectId, MediaContent] = {}
    seen: set[ObjectId] = set()
    for one in wanted:
        if one.id in seen:
            continue
        seen.add(one.id)
        entry = index.get(one.id)
        if entry is None:
            todo[one.id] = one
        else:
            found.known.append(one.path)
            if entry.head.problem:
                found.problems[one.path] = entry.head.problem
    if todo:
        ends = None if seconds is None else time.monotonic() + seconds
        _Run(index, list(todo.values()), found, environment, ends, limits, progress).run(processors())
    return found


class _Run:
    """One run over several files: threads wait for the processes, and this one reports."""

    def __init__(
        self,
        index: MediaIndexStore,
        todo: list[MediaContent],
        found: Indexed,
        environment: Mapping[str, str] | None,
        ends: float | None,
        limits: DecodeLimits | None,
        progress: Progress,
    ) -> None:
        self._index = index
        self._todo = {one.id: one for one in todo}
        self._found = found
        self._environment = environment
        self._ends = ends
        self._limits = limits
        self._progress = progress
        self._batches: queue.SimpleQueue[list[MediaContent]] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[MediaContent, bytes | AuraError | OSError] | Exception | None]
        self._results = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._shares: dict[str, float] = {}
        self._reported = 0
        self._written = 0
        self._done_bytes = 0
        self._began = time.monotonic()

    def run(self, at_once: int) -> None:
        batches = _batches(list(self._todo.values()))
        for batch in batches:
            self._batches.put(batch)
        count = min(at_once, len(batches))
        decoding = max(1, at_once // count)
        workers = [threading.Thread(target=self._work, args=(decoding,), daemon=True) for _ in range(count)]
        self._progress.start("Looking at media", sum(one.entry.size for one in self._todo.values()), "bytes")
        try:
            for worker in workers:
                worker.start()
            self._listen(count)
        finally:
            self._stopped.set()
            for worker in workers:
                worker.join()
            self._progress.finish()
            if self._written:
                self._index.trim()

    def _listen(self, working: int) -> None:
        """Take in results until every thread has ended, or there is no time left."""
        while working:
            try:
                result = self._results.get(timeout=PAUSE_SECONDS)
            except queue.Empty:
                self._report()
                if self._is_late():
                    return
                continue
            if result is None:
                working -= 1
            elif isinstance(result, Exception):
                raise result
            else:
                self._take(*result)

    def _is_late(self) -> bool:
        """Tell whether the time is over, and it would take long until all is done."""
        now = time.monotonic()
        if self._ends is None or now < self._ends:
            return False
        total = sum(one.entry.size for one in self._todo.values()) + self._done_bytes
        share = self._reported / total if total else 1.0
        return share <= 0 or (now - self._began) * (1 - share) / share > PATIENCE_SECONDS

    def _report(self) -> None:
        done = sum(int(share * one.entry.size) for one in list(self._todo.values())
                   if (share := self._shares.get(one.id, 0.0)))  # fmt: skip
        done += self._done_bytes
        self._progress.advance(max(0, done - self._reported))
        self._reported = max(done, self._reported)

    def _take(self, one: MediaContent, result: bytes | AuraError | OSError) -> None:
        del self._todo[one.id]
        self._done_bytes += one.entry.size
        if isinstance(result, bytes):
            self._index.put(one.id, result)
            entry = self._index.get(one.id)
            if entry is not None and entry.head.problem:
                self._found.problems[one.path] = entry.head.problem
            self._found.made.append(one.path)
            self._written += len(result)
            if self._written > TRIM_EVERY:
                self._written = 1
                self._index.trim()
        else:
            self._found.problems[one.path] = _reason(result)
        self._report()

    def _work(self, threads: int) -> None:
        """Look at batch after batch, in a thread of its own."""
        try:
            while not self._stopped.is_set():
                try:
                    batch = self._batches.get_nowait()
                except queue.Empty:
                    break
                self._look(batch, threads)
        except _Stop:
            return
        except Exception as error:
            self._results.put(error)
        finally:
            self._results.put(None)

    def _look(self, batch: list[MediaContent], threads: int) -> None:
        with ExitStack() as stack:
            opened: dict[str, tuple[MediaContent, BinaryIO, bool]] = {}
            for one in batch:
                try:
                    file, is_checked = stack.enter_context(real_file(one))
                    opened[one.id] = one, file, is_checked
                except (AuraError, OSError) as error:
                    self._results.put((one, error))
            files = [FileToIndex(file, content, one.path) for content, (one, file, _) in opened.items()]
            while files:
                left = files
                entries = build_entries(
                    files, limits=self._limits, threads=threads, watch=self._watch, environment=self._environment
                )
                for done, result in entries:
                    one, file, is_checked = opened[done.content]
                    is_it = is_checked or not isinstance(result, bytes) or is_content(file, one.id)
                    self._results.put((one, result if is_it else MediaUnreadable(one.path, CHANGED)))
                    left = left[1:]
                files = left if len(left) < len(files) else []

    def _watch(self, content: str, share: float) -> None:
        self._shares[content] = share
        if self._stopped.is_set():
            raise _Stop


def _batches(todo: list[MediaContent]) -> list[list[MediaContent]]:
    """Group small files, so that starting processes costs less than looking; large ones, which take longest, first."""
    ordered = sorted(todo, key=lambda one: -one.entry.size)
    batches = [[one] for one in ordered if one.entry.size >= BATCH_BYTES // 4]
    small = [one for one in ordered if one.entry.size < BATCH_BYTES // 4]
    room = 0
    spread = max(1, min(BATCH_FILES, -(-len(small) // processors())))
    for one in small:
        if (
            not batches
            or room < one.entry.size
            or len(batches[-1]) >= spread
            or batches[-1][0].entry.size >= BATCH_BYTES // 4
        ):
            batches.append([])
            room = BATCH_BYTES
        batches[-1].append(one)
        room -= one.entry.size
    return batches


@contextmanager
def real_file(one: MediaContent) -> Iterator[tuple[BinaryIO, bool]]:
    """Open a content as a real file, and tell whether it is known to be the content that was asked for.

    What is a file already is read where it is, else a copy without a name is.
    """
    with one.source.open(one.path, one.entry) as stream:
        if os.name != "nt" and _has_number(stream):
            yield stream, False
            return
    with tempfile.NamedTemporaryFile(prefix="aura-media-") as copy:
        hasher = blake3()
        for piece in one.source.pieces(one.path, one.entry):
            hasher.update(piece)
            copy.write(piece)
        copy.flush()
        if hasher.hexdigest() != one.id:
            raise MediaUnreadable(one.path, CHANGED)
        copy.seek(0)
        yield cast("BinaryIO", copy), True


def _has_number(stream: BinaryIO) -> bool:
    try:
        return stream.fileno() >= 0
    except OSError:
        return False


def is_content(file: BinaryIO, content: ObjectId) -> bool:
    """Tell whether a file has the content still, after it was looked at."""
    hasher = blake3()
    try:
        file.seek(0)
        while data := file.read(COPY_BYTES):
            hasher.update(data)
    except OSError:
        return False
    return hasher.hexdigest() == content


def _reason(error: AuraError | OSError) -> str:
    if isinstance(error, MediaUnreadable):
        return error.reason
    return error.message if isinstance(error, AuraError) else error.strerror or str(error)
