"""Looking into the pictures, sounds and videos of a comparison, as far as a budget allows.

Headers are read for every media file; they cost a few reads, however large the file. Decoding
costs a process and often a copy of the file, so a budget says for how many files, for how long
and how many bytes. What was left out is counted, so that it can be said.
"""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from msgspec import Struct, structs

from aura_vcs.compare.contents import Contents, is_file
from aura_vcs.compare.media_headers import read_header
from aura_vcs.compare.media_model import Limits, MediaDiff, PictureKind
from aura_vcs.compare.media_probe import can_look_into, diff_headers, diff_media, one_sided, probe_media
from aura_vcs.compare.media_source import MediaHeader
from aura_vcs.compare.versions import Comparison, PathChange
from aura_vcs.errors import AuraError, MediaUnreadable
from aura_vcs.model import Entry
from aura_vcs.progress import SILENT, Progress

MEDIA_SUFFIXES = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".gif", ".webp"),
        *(".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a"),
        *(".mp4", ".m4v", ".mov", ".mkv", ".webm"),
    }
)
HEADERS_LIMIT = 2_000
"""Files whose headers are read for one comparison."""
ADDED_LIMIT = 100
"""Files that are only on one side, and are described."""


class Budget(Struct, frozen=True):
    """What decoding may cost in one comparison; `seconds` are the clock's, `copied_bytes` of both sides."""

    files: int
    seconds: float
    file_seconds: float
    copied_bytes: int


NOTHING = Budget(0, 0.0, 0.0, 0)
QUICK = Budget(files=12, seconds=5.0, file_seconds=3.0, copied_bytes=256 << 20)
"""What nobody minds waiting for."""
REPORT = Budget(files=60, seconds=60.0, file_seconds=10.0, copied_bytes=2 << 30)
THOROUGH = Budget(files=100_000, seconds=3_600.0, file_seconds=60.0, copied_bytes=1 << 40)


class MediaFindings(Struct, frozen=True):
    """What is known of the media of a comparison, by path.

    `left` files were not looked into because the budget was spent; `needs_extra` says that none
    was, because the optional part `media` is not installed.
    """

    by_path: dict[str, MediaDiff] = {}
    left: int = 0
    needs_extra: bool = False


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
    wanted = [change for change in comparison.changes if _is_media(change)]
    if not wanted:
        return MediaFindings()
    looking = _Looking(comparison, budget, thumbnails, environment or {})
    progress.start("Looking into media", len(wanted), "files")
    try:
        for change in wanted[:HEADERS_LIMIT]:
            looking.take(change)
            progress.advance(1)
    finally:
        progress.finish()
    return MediaFindings(looking.found, looking.left, looking.needs_extra)


def show_picture(
    comparison: Comparison, change: PathChange, kind: PictureKind, *, environment: Mapping[str, str] | None = None
) -> bytes:
    """A PNG file that shows how a picture changed: both sides, or where they differ in red.

    Raises:
        MediaUnreadable: it is no picture on both sides, or damaged, hostile, too large.
        ExtraMissing: the optional part `media` is not installed.
        AuraError: its content is not here.
    """
    with tempfile.TemporaryDirectory(prefix="aura-diff-") as folder:
        old, new = _copies(comparison, change, Path(folder))
        if old is None or new is None:
            raise MediaUnreadable(change.path, "there is no picture on both sides")
        found = diff_media(old, new, picture=kind, environment=environment)
    if not found.picture:
        raise MediaUnreadable(change.path, "it is no picture on both sides")
    return found.picture


def _is_media(change: PathChange) -> bool:
    sides = [side for side in (change.old, change.new) if side is not None]
    if change.change == "renamed" or not sides or not all(is_file(side) for side in sides):
        return False
    if change.old is not None and change.new is not None and change.old.id == change.new.id:
        return False
    return PurePosixPath(change.path).suffix.lower() in MEDIA_SUFFIXES


class _Looking:
    """What was found so far, and what is left of the budget."""

    def __init__(self, comparison: Comparison, budget: Budget, thumbnails: int, environment: Mapping[str, str]) -> None:
        self.found: dict[str, MediaDiff] = {}
        self.left = 0
        self.needs_extra = False
        self._comparison = comparison
        self._budget = budget
        self._thumbnails = thumbnails
        self._environment = environment
        self._able = can_look_into()
        self._ends = time.monotonic() + budget.seconds
        self._files = budget.files
        self._bytes = budget.copied_bytes
        self._alone = 0

    def take(self, change: PathChange) -> None:
        """Compare one file, as deeply as the budget allows."""
        both = change.old is not None and change.new is not None
        if not both:
            self._alone += 1
            if self._alone > ADDED_LIMIT:
                return
        try:
            old = _header(self._comparison.old, change.old_path or change.path, change.old)
            new = _header(self._comparison.new, change.path, change.new)
        except (AuraError, OSError):
            return  # whoever reads the file itself says what is wrong with it
        if old is None and new is None:
            return
        found = diff_headers(old, new)
        wanted = (both and old is not None and new is not None) or (not both and self._thumbnails)
        self.found[change.path] = self._deeper(change, found) if wanted and self._budget.files else found

    def _deeper(self, change: PathChange, found: MediaDiff) -> MediaDiff:
        if not self._able:
            self.needs_extra = True
            return found
        seconds = min(self._budget.file_seconds, self._ends - time.monotonic())
        weight = sum(side.size for side in (change.old, change.new) if side is not None)
        if self._files < 1 or seconds <= 0 or weight > self._bytes:
            self.left += 1
            return found
        self._files -= 1
        self._bytes -= weight
        try:
            return self._decoded(change, Limits(seconds=seconds))
        except MediaUnreadable as error:
            return structs.replace(found, problem=error.reason)
        except AuraError as error:
            return structs.replace(found, problem=error.message)
        except OSError as error:
            return structs.replace(found, problem=f"no copy of it could be made ({error.strerror or error})")

    def _decoded(self, change: PathChange, limits: Limits) -> MediaDiff:
        with tempfile.TemporaryDirectory(prefix="aura-diff-") as folder:
            old, new = _copies(self._comparison, change, Path(folder))
            options = {"thumbnails": self._thumbnails, "limits": limits, "environment": self._environment}
            if old is not None and new is not None:
                return diff_media(old, new, **options)  # type: ignore[arg-type]
            only = old or new
            assert only is not None
            facts = probe_media(only, **options)  # type: ignore[arg-type]
            return one_sided(facts, is_old=new is None)


def _header(side: Contents, path: str, entry: Entry | None) -> MediaHeader | None:
    if entry is None:
        return None
    with side.open(path, entry) as file:
        return read_header(file)


def _copies(comparison: Comparison, change: PathChange, folder: Path) -> tuple[Path | None, Path | None]:
    """Copies of both sides under names of our own: what people call files never reaches a decoder."""
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
