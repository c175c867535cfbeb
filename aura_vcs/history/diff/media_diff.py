"""Looking into the pictures, sounds and videos of a comparison, as far as a budget allows.

Headers are read for every media file; they cost a few reads, however large the file. Decoding
costs a process and often a copy of the file, so a budget says for how many files, for how long
and how many bytes. What was left out is counted, so that it can be said.
"""

import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from aura_vcs.errors import AuraError, MediaUnreadable
from aura_vcs.formats.media.findings import DecodeLimits, MediaDiff, PictureKind
from aura_vcs.formats.media.headers import read_header
from aura_vcs.formats.media.reader import MediaHeader
from aura_vcs.history.diff.media_findings import MediaFindings, is_media
from aura_vcs.history.diff.tree_diff import Comparison, PathChange
from aura_vcs.history.sources.comparison import Contents
from aura_vcs.media.probe import can_look_into, diff_headers, diff_media, one_sided, probe_media
from aura_vcs.model import Entry
from aura_vcs.progress import SILENT, Progress

if TYPE_CHECKING:
    import subprocess
    import tempfile
    from concurrent.futures import Future

HEADERS_LIMIT = 2_000
"""Files whose headers are read for one comparison."""
ADDED_LIMIT = 100
"""Files that are only on one side, and are described."""


class Budget(Struct, frozen=True):
    """What decoding may cost in one comparison.

    No file is begun after `seconds` of the clock; `copied_bytes` counts both sides of all files.
    `limits` are those of one file.
    """

    files: int
    seconds: float
    copied_bytes: int
    limits: DecodeLimits = DecodeLimits()


NOTHING = Budget(0, 0.0, 0)
QUICK = Budget(12, 5.0, 256 << 20, DecodeLimits(seconds=6.0, clock_seconds=15.0))
"""What nobody minds waiting for."""
REPORT = Budget(60, 60.0, 2 << 30, DecodeLimits(seconds=15.0, clock_seconds=45.0))
THOROUGH = Budget(100_000, 86_400.0, 1 << 40, DecodeLimits(seconds=60.0, clock_seconds=240.0))
AT_ONCE = 2
"""Processes that decode at the same time."""


def look_into_media(
    comparison: Comparison,
    budget: Budget,
    *,
    thumbnails: int = 0,
    environment: Mapping[str, str] | None = None,
    progress: Progress = SILENT,
) -> MediaFindings:
    """Compare the media files of a comparison, in its order, until the budget is spent.

    A file that cannot be decoded, or would take too much, is compared by its header and has a
    `problem`. With `thumbnails`, files of one side only are looked into as well, for a report.
    `environment` is all that the worker process gets to see.
    """
    wanted = [change for change in comparison.changes if is_media(change)]
    if not wanted:
        return MediaFindings()
    progress.start("Looking into media", len(wanted), "files")
    try:
        with _MediaComparison(comparison, budget, thumbnails, environment or {}) as looking:
            for change in wanted[:HEADERS_LIMIT]:
                looking.take(change)
                progress.advance(1)
    finally:
        progress.finish()
    return MediaFindings(looking.found, looking.left, looking.needs_extra)


def show_picture(
    comparison: Comparison, change: PathChange, kind: PictureKind, *, environment: Mapping[str, str] | None = None
) -> bytes:
    """Draw as a PNG file how a picture changed: both sides, or where they differ in red.

    Raises:
        MediaUnreadable: it is not a picture on both sides, or damaged, hostile, too large.
        ExtraMissing: the optional part `media` is not installed.
        AuraError: its content is not here.
    """
    import tempfile

    with tempfile.TemporaryDirectory(prefix="aura-diff-") as folder:
        old, new = _copies(comparison, change, Path(folder))
        if old is None or new is None:
            raise MediaUnreadable(change.path, "there is no picture on both sides")
        found = diff_media(old, new, picture=kind, environment=environment)
    if not found.picture:
        raise MediaUnreadable(change.path, "there is no picture on both sides")
    return found.picture


class _MediaComparison:
    """What was found so far, and what is left of the budget.

    Content is read here, one file at a time; only waiting for the decoding processes is left to
    threads, of which few are ahead, so that few copies lie about.
    """

    def __init__(self, comparison: Comparison, budget: Budget, thumbnails: int, environment: Mapping[str, str]) -> None:
        from concurrent.futures import ThreadPoolExecutor  # with much behind it, and most diffs have no media

        self.found: dict[str, MediaDiff] = {}
        self.left = 0
        self.needs_extra = False
        self._comparison = comparison
        self._budget = budget
        self._processes: list[subprocess.Popen[bytes]] = []
        self._options = {
            "thumbnails": thumbnails,
            "limits": budget.limits,
            "environment": environment,
            "started": self._started,
        }
        self._able = can_look_into()
        self._ends = time.monotonic() + budget.seconds
        self._files = budget.files
        self._bytes = budget.copied_bytes
        self._alone = 0
        self._describes_alone = thumbnails > 0
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._is_stopped = False
        self._waiting: deque[tuple[str, tempfile.TemporaryDirectory[str], Future[MediaDiff]]] = deque()

    def __enter__(self) -> "_MediaComparison":
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        while self._waiting and failure is None:
            self._collect()
        self._is_stopped = True
        for process in self._processes:  # what still runs is not waited for: somebody wants to stop
            process.kill()
        self._pool.shutdown(cancel_futures=True)
        for _path, folder, _future in self._waiting:
            folder.cleanup()

    def _started(self, process: "subprocess.Popen[bytes]") -> None:
        self._processes.append(process)
        if self._is_stopped:
            process.kill()

    def take(self, change: PathChange) -> None:
        """Compare one file, as deeply as the budget allows."""
        both = change.old is not None and change.new is not None
        self._alone += not both
        if not both and self._alone > ADDED_LIMIT:
            return
        try:
            old = _header(self._comparison.old, change.old_path or change.path, change.old)
            new = _header(self._comparison.new, change.path, change.new)
        except (AuraError, OSError):
            return  # whoever reads the file itself says what is wrong with it
        if old is None and new is None:
            return
        self.found[change.path] = diff_headers(old, new, both=both)
        if self._budget.files and (old and new if both else self._describes_alone):
            self._look_deeper(change)

    def _look_deeper(self, change: PathChange) -> None:
        weight = sum(side.size for side in (change.old, change.new) if side is not None)
        if not self._able:
            self.needs_extra = True
        elif self._files < 1 or weight > self._bytes or time.monotonic() > self._ends:
            self.left += 1
        else:
            self._files -= 1
            self._bytes -= weight
            if len(self._waiting) > AT_ONCE:
                self._collect()
            self._decode(change)

    def _decode(self, change: PathChange) -> None:
        import tempfile

        folder = tempfile.TemporaryDirectory(prefix="aura-diff-")
        try:
            paths = _copies(self._comparison, change, Path(folder.name))
        except (AuraError, OSError) as error:
            folder.cleanup()
            self._fail(change.path, error)
            return
        self._waiting.append((change.path, folder, self._pool.submit(_decoded, folder, *paths, self._options)))

    def _collect(self) -> None:
        path, _folder, future = self._waiting.popleft()
        try:
            self.found[path] = future.result()
        except (AuraError, OSError) as error:
            self._fail(path, error)

    def _fail(self, path: str, error: AuraError | OSError) -> None:
        if isinstance(error, MediaUnreadable):
            reason = error.reason
        elif isinstance(error, AuraError):
            reason = error.message
        else:
            reason = f"no copy of it could be made ({error.strerror or error})"
        self.found[path] = structs.replace(self.found[path], problem=reason)


def _decoded(
    folder: "tempfile.TemporaryDirectory[str]", old: Path | None, new: Path | None, options: Mapping[str, Any]
) -> MediaDiff:
    """Compare the two copies in a folder, which is gone afterwards."""
    with folder:
        if old is not None and new is not None:
            return diff_media(old, new, **options)
        only = old or new
        assert only is not None
        return one_sided(probe_media(only, **options), is_old=new is None)


def _header(side: Contents, path: str, entry: Entry | None) -> MediaHeader | None:
    if entry is None:
        return None
    with side.open(path, entry) as file:
        return read_header(file)


def _copies(comparison: Comparison, change: PathChange, folder: Path) -> tuple[Path | None, Path | None]:
    """Copy both sides under names of our own: what people call files never gets to a decoder."""
    sides = (
        ("old", comparison.old, change.old_path or change.path, change.old),
        ("new", comparison.new, change.path, change.new),
    )
    made: list[Path | None] = []
    for name, contents, path, entry in sides:
        if entry is None:
            made.append(None)
            continue
        target = folder / name
        with target.open("xb") as out:
            contents.copy(path, entry, out)
        made.append(target)
    return made[0], made[1]
