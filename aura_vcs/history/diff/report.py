"""The compare report of two versions, or of a version and the worktree: gathers what it shows."""

from pathlib import PurePosixPath
from typing import Literal

from aura_vcs.compare.report.model import ComparisonReport, FileReport
from aura_vcs.compare.report.page import PICTURES_BYTES_LIMIT
from aura_vcs.errors.integrity import IntegrityError, ObjectOffloaded
from aura_vcs.history.diff.file_diff import diff_change
from aura_vcs.history.diff.fold_sequences import SequenceChange, fold_sequences
from aura_vcs.history.diff.media_findings import MediaFindings
from aura_vcs.history.diff.tree_diff import Comparison, PathChange
from aura_vcs.history.sources.content_source import ContentSource, is_file
from aura_vcs.model import PICTURE_SUFFIXES, Entry
from aura_vcs.plain_text import readable_name

LINES = 40
"""Lines in words for one file."""
ALL_PICTURES_BYTES = 4 * PICTURES_BYTES_LIMIT
"""Bytes of pictures that are read; later ones are shown small, if they were looked into."""

Change = Literal["added", "removed", "changed", "renamed"]
_WORDS: dict[str, Change] = {
    "added": "added", "deleted": "removed", "modified": "changed", "renamed": "renamed", "type_changed": "changed",
}  # fmt: skip


def version_report(
    comparison: Comparison, title: str, old_name: str, new_name: str, media: MediaFindings | None = None
) -> ComparisonReport:
    """Build the report of a comparison; render it with `render_report`.

    Files are read one by one; those above the limit of comparisons are only listed, media files
    excepted, of which `media` tells (see `look_into_media`; with thumbnails).
    """
    media = media or MediaFindings()
    gathering = _ReportBuilder(comparison, media)
    changes = fold_sequences(comparison, media.by_path)
    files = tuple(
        gathering.sequence(one) if isinstance(one, SequenceChange) else gathering.file(one) for one in changes
    )
    return ComparisonReport(title, old_name, new_name, files, tuple(gathering.notes(media)))


class _ReportBuilder:
    def __init__(self, comparison: Comparison, media: MediaFindings) -> None:
        self._comparison = comparison
        self._media = media
        self._left = ALL_PICTURES_BYTES
        self._is_full = False

    def notes(self, media: MediaFindings) -> list[str]:
        """List what the reader of the report has to know."""
        found = []
        if self._is_full:
            found.append("There are more pictures than a page can hold: only the first are shown in full")
        if media.needs_extra:
            found.append("Sounds and videos are compared by their headers only: the part 'media' is not installed")
        elif media.header_only:
            word = "file was" if media.header_only == 1 else "files were"
            found.append(f"{media.header_only:,} media {word} compared by the headers only, to save time")
        return found

    def sequence(self, change: SequenceChange) -> FileReport:
        """Build the part about a sequence of pictures, with the frame that differs most, or the first one."""
        shown = max(change.changes, key=lambda one: self._distance(one.path))
        known = self._media.by_path.get(shown.path)
        name = readable_name(change.path)
        old_name = readable_name(change.old_path) if change.old_path is not None else ""
        if known is None or change.change != "modified":
            return FileReport(name, _WORDS[change.change], change.found.lines, old_name, media=known)
        number = f"shown: {readable_name(shown.path)}"
        lines = (*change.found.lines, number)
        return FileReport(name, "changed", lines, "", None, None, None, known, *self._pictures(shown))

    def _distance(self, path: str) -> float:
        known = self._media.by_path.get(path)
        return known.distance or 0.0 if known is not None else 0.0

    def file(self, change: PathChange) -> FileReport:
        """Build the part of the report about one path."""
        path, word = readable_name(change.path), _WORDS[change.change]
        old_path = readable_name(change.old_path) if change.old_path is not None else ""
        known = self._media.by_path.get(change.path)
        found = diff_change(self._comparison, change, media=known, limit=LINES)
        pictures = self._pictures(change)
        return FileReport(
            path, word, found.lines, old_path, found.timeline, found.document, found.text, found.media, *pictures
        )

    def _pictures(self, change: PathChange) -> tuple[bytes, bytes]:
        """Return both sides' bytes, none of them when there is no room left."""
        is_picture = PurePosixPath(change.path).suffix.lower() in PICTURE_SUFFIXES
        if not is_picture or change.change == "renamed":
            return b"", b""
        sides = [entry.size for entry in (change.old, change.new) if entry is not None and is_file(entry)]
        if sum(sides) > self._left:
            self._is_full = True
            return b"", b""
        self._left -= sum(sides)
        before = _read(self._comparison.old, change.old_path or change.path, change.old)
        return before, _read(self._comparison.new, change.path, change.new)


def _read(side: ContentSource, path: str, entry: Entry | None) -> bytes:
    if entry is None or not is_file(entry):
        return b""
    try:
        return side.read(path, entry) or b""
    except ObjectOffloaded:
        raise  # a report that shows it as empty would be wrong
    except IntegrityError:
        return b""
