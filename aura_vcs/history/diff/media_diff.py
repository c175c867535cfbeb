"""Comparing the pictures, sounds and videos of a comparison, frame by frame and sample by sample.

Headers are read for every media file; they cost a few reads, however large the file. What the media index has is
compared at once. What it does not have is looked at now, as far as a budget allows; what was left out is counted,
so that it can be said. What was looked at once is never decoded again.
"""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct, structs

from aura_vcs.compare.media.entries import compare_entries, describe_entry
from aura_vcs.errors import AuraError, MediaUnreadable
from aura_vcs.formats.media.describe import diff_headers
from aura_vcs.formats.media.findings import DecodeLimits, MediaDiff, PictureKind
from aura_vcs.formats.media.headers import read_header
from aura_vcs.formats.media.index_entry import MediaEntry, NoEntryError
from aura_vcs.formats.media.reader import MediaHeader
from aura_vcs.history.diff.known_frames import DETAILED, KnownFrames
from aura_vcs.history.diff.media_findings import MediaFindings, is_media
from aura_vcs.history.diff.tree_diff import Comparison, PathChange
from aura_vcs.history.media_index.build import MediaContent, index_media
from aura_vcs.history.media_index.store import MediaIndexStore
from aura_vcs.history.sources.content_source import ContentSource
from aura_vcs.ids import ObjectId
from aura_vcs.media.build_entries import can_look_into
from aura_vcs.media.draw_pictures import draw_pictures
from aura_vcs.model import Entry
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.local import LocalStorage

HEADERS_LIMIT = 2_000
"""Files whose headers are read for one comparison."""
ADDED_LIMIT = 100
"""Files that are only on one side, and are described."""


class Budget(Struct, frozen=True):
    """What decoding may cost in one comparison: so many files, seconds of the clock, and bytes of both sides.

    `limits` are those of one file, without any they go by its size.

    What would be done soon after that is finished all the same: given up, it would be begun anew each time.
    """

    files: int
    seconds: float | None
    decoded_bytes: int
    limits: DecodeLimits | None = None


NOTHING = Budget(0, 0.0, 0)
KNOWN = Budget(1, 0.0, 0)
"""What the media index has, and nothing else."""
QUICK = Budget(200, 10.0, 4 << 30)
"""What nobody minds waiting for."""
REPORT = Budget(1_000, 60.0, 16 << 30)
THOROUGH = Budget(100_000, None, 1 << 50)


def look_into_media(
    comparison: Comparison,
    budget: Budget,
    *,
    index: MediaIndexStore | None = None,
    thumbnails: bool = False,
    environment: Mapping[str, str] | None = None,
    progress: Progress = SILENT,
) -> MediaFindings:
    """Compare the media files of a comparison, in its order, until the budget is spent.

    `index` has what was looked at before, and gets what is looked at now; without one, that is forgotten. A file
    that cannot be decoded is compared by its header and has a `problem`. With `thumbnails`, files of one side only
    are looked into as well, for a report. `environment` is all that the worker processes get to see.

    Raises:
        Interrupted: what was finished is kept.
    """
    wanted = [change for change in comparison.changes if is_media(change)]
    if not wanted:
        return MediaFindings()
    with ExitStack() as stack:
        if index is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="aura-diff-"))
            index = MediaIndexStore(LocalStorage(folder))
        frames = KnownFrames(comparison, index, wanted if budget.files else ())
        looking = _MediaComparison(comparison, budget, index, frames, thumbnails=thumbnails)
        looking.take(wanted)
        looking.decode(environment or {}, progress)
        return looking.findings()


def show_picture(
    comparison: Comparison, change: PathChange, kind: PictureKind, *, environment: Mapping[str, str] | None = None
) -> bytes:
    """Draw as a PNG file how a picture changed: both sides, or where they differ in red.

    Raises:
        MediaUnreadable: it is not a picture on both sides, or damaged, hostile, too large.
        ExtraMissing: the optional part `media` is not installed.
        AuraError: its content is not here.
    """
    with tempfile.TemporaryDirectory(prefix="aura-diff-") as folder:
        old, new = _copies(comparison, change, Path(folder))
        kinds = {header.kind for path in (old, new) if path is not None and (header := _read_header(path)) is not None}
        if old is None or new is None or kinds != {"picture"}:
            raise MediaUnreadable(change.path, "there is no picture on both sides")
        return draw_pictures(old, new, kind, environment=environment)


class _MediaComparison:
    """What was found so far, which changes are to be looked into, and what is left of the budget."""

    def __init__(
        self, comparison: Comparison, budget: Budget, index: MediaIndexStore, frames: KnownFrames, *, thumbnails: bool
    ) -> None:
        self._comparison = comparison
        self._frames = frames
        self._budget = budget
        self._index = index
        self._thumbnails = thumbnails
        self._found: dict[str, MediaDiff] = {}
        self._waiting: dict[str, PathChange] = {}
        self._left = 0
        self._alone = 0

    def take(self, changes: Sequence[PathChange]) -> None:
        """Compare the headers of files, as many as may be read, and note those of which more can be known."""
        left = HEADERS_LIMIT
        for change in changes:
            old, new = (self._frames.get(one.id) if one is not None else None for one in (change.old, change.new))
            if old is not None and new is not None:
                self._found[change.path] = diff_headers(old.head.header, new.head.header, both=True)
                self._waiting[change.path] = change
            elif left:
                left -= 1
                self._take_header(change)

    def _take_header(self, change: PathChange) -> None:
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
        self._found[change.path] = diff_headers(old, new, both=both)
        if self._budget.files and (old and new if both else self._thumbnails):
            self._waiting[change.path] = change

    def decode(self, environment: Mapping[str, str], progress: Progress) -> None:
        """Look at what the index does not have, and compare what it has then."""
        wanted: list[MediaContent] = []
        files, size = self._budget.files, self._budget.decoded_bytes
        for change in self._waiting.values():
            sides = [side for side in self._sides(change) if self._entry(side.id) is None]
            weight = sum(side.entry.size for side in sides)
            if sides and (files < 1 or weight > size):
                continue
            files -= bool(sides)
            size -= weight
            wanted += sides
        problems: dict[str, str] = {}
        if wanted and can_look_into():
            done = index_media(
                self._index,
                wanted,
                environment=environment,
                seconds=self._budget.seconds,
                limits=self._budget.limits,
                progress=progress,
            )
            problems = done.problems
        if wanted:
            self._frames.look()
        for change in self._waiting.values():
            self._compare(change, problems)

    def _entry(self, content: ObjectId) -> MediaEntry | None:
        """Return what is known of a content; where many changed, of frames what their sequence has of them."""
        if len(self._waiting) > DETAILED:
            return self._frames.get(content) or self._index.get(content)
        return self._index.get(content) or self._frames.get(content)

    def _sides(self, change: PathChange) -> list[MediaContent]:
        sides = (
            (change.old_path or change.path, change.old, self._comparison.old),
            (change.path, change.new, self._comparison.new),
        )
        return [MediaContent(path, entry, source) for path, entry, source in sides if entry is not None]

    def _compare(self, change: PathChange, problems: Mapping[str, str]) -> None:
        entries = [self._entry(side.id) for side in self._sides(change)]
        reason = next((entry.head.problem for entry in entries if entry is not None and entry.head.problem), "")
        if not reason and None in entries:
            reason = next((problems[side.path] for side in self._sides(change) if side.path in problems), "")
            self._left += not reason
        elif not reason:
            known = [entry for entry in entries if entry is not None]
            try:
                self._found[change.path] = self._compared(change, known)
                return
            except NoEntryError:
                reason = "what is known about it is damaged; it is looked at again the next time"
                for side in self._sides(change):
                    self._index.forget(side.id)
        if reason:
            self._found[change.path] = structs.replace(self._found[change.path], problem=reason)

    def _compared(self, change: PathChange, entries: list[MediaEntry]) -> MediaDiff:
        if len(entries) == 2:
            return compare_entries(entries[0], entries[1], thumbnails=self._thumbnails)
        return describe_entry(entries[0], is_old=change.new is None, thumbnails=self._thumbnails)

    def findings(self) -> MediaFindings:
        """Return what was found."""
        needs_extra = bool(self._left) and not can_look_into()
        return MediaFindings(self._found, 0 if needs_extra else self._left, needs_extra)


def _header(side: ContentSource, path: str, entry: Entry | None) -> MediaHeader | None:
    if entry is None:
        return None
    with side.open(path, entry) as file:
        return read_header(file)


def _read_header(path: Path) -> MediaHeader | None:
    with path.open("rb") as file:
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
            out.writelines(contents.pieces(path, entry))
        made.append(target)
    return made[0], made[1]
