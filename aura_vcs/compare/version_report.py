"""The compare report of two versions, or of a version and the work folder: gathers what it shows."""

from pathlib import PurePosixPath
from typing import Literal

from aura_vcs.codec import readable_name
from aura_vcs.compare.file_diff import diff_file
from aura_vcs.compare.report import PICTURES_BYTES_LIMIT
from aura_vcs.compare.report_model import FileReport, Report
from aura_vcs.compare.versions import Comparison, PathChange, Read
from aura_vcs.errors import IntegrityError
from aura_vcs.model import Entry, EntryKind

LINES = 40
"""Lines in words for one file."""
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
ALL_PICTURES_BYTES = 4 * PICTURES_BYTES_LIMIT
"""Bytes of pictures that are read; later ones are compared without being shown."""

Change = Literal["added", "removed", "changed", "renamed"]
_WORDS: dict[str, Change] = {
    "added": "added", "deleted": "removed", "modified": "changed", "renamed": "renamed", "type_changed": "changed",
}  # fmt: skip


def version_report(comparison: Comparison, title: str, old_name: str, new_name: str) -> Report:
    """The report of a comparison; render it with `render_report`.

    Files are read one by one. Those above the limit of comparisons are only listed, and of very
    many pictures the first are shown.
    """
    gathering = _Gathering(comparison)
    files = tuple(gathering.file(change) for change in comparison.changes)
    notes = ("There are more pictures than a page can hold: only the first are shown",) if gathering.is_full else ()
    return Report(title, old_name, new_name, files, notes)


class _Gathering:
    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._left = ALL_PICTURES_BYTES
        self.is_full = False

    def file(self, change: PathChange) -> FileReport:
        """What the report shows of one path."""
        path, word = readable_name(change.path), _WORDS[change.change]
        old_path = readable_name(change.old_path) if change.old_path is not None else ""
        before = self._read(self._comparison.read_old, change.old_path or change.path, change.old)
        after = self._read(self._comparison.read_new, change.path, change.new)
        lines: tuple[str, ...] = ()
        if (before is None and change.old is not None) or (after is None and change.new is not None):
            return FileReport(path, word, ("It is too large to look into, or not here any more",), old_path)
        pictures = self._pictures(change.path, before or b"", after or b"")
        if before is None or after is None or before == after:
            return FileReport(path, word, lines, old_path, old_picture=pictures[0], new_picture=pictures[1])
        found = diff_file(change.path, before, after, limit=LINES)
        return FileReport(
            path, word, found.lines, old_path, found.timeline, found.document, found.text, found.media, *pictures
        )

    def _read(self, read: Read, path: str, entry: Entry | None) -> bytes | None:
        if entry is None or entry.kind is not EntryKind.FILE:
            return b"" if entry is not None else None
        try:
            return read(path, entry)
        except IntegrityError:
            return None

    def _pictures(self, path: str, before: bytes, after: bytes) -> tuple[bytes, bytes]:
        if PurePosixPath(path).suffix.lower() not in PICTURE_SUFFIXES or before == after:
            return b"", b""
        self._left -= len(before) + len(after)
        if self._left < 0:
            self.is_full = True
            return b"", b""
        return before, after
