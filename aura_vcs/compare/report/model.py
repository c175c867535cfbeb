"""What a compare report shows, as plain data."""

from typing import Literal

from msgspec import Struct

from aura_vcs.compare.diff.describe import DocumentDiff
from aura_vcs.compare.diff.text import TextDiff
from aura_vcs.compare.timeline.diff import TimelineDiff
from aura_vcs.formats.media.findings import MediaDiff


class FileReport(Struct, frozen=True):
    """One file of the report; whichever differences are given are shown, in this order.

    `lines` is the summary in words. `old_picture` and `new_picture` are the files' own bytes, for
    the wipe slider; they are shown only if they are PNG, JPEG, GIF or WebP.
    """

    path: str
    change: Literal["added", "removed", "changed", "renamed"]
    lines: tuple[str, ...] = ()
    old_path: str = ""
    timeline: TimelineDiff | None = None
    document: DocumentDiff | None = None
    text: TextDiff | None = None
    media: MediaDiff | None = None
    old_picture: bytes = b""
    new_picture: bytes = b""


class ComparisonReport(Struct, frozen=True):
    """A comparison of two versions. Names are shown as they are: `v3 "Before the cut"`."""

    title: str
    old_name: str
    new_name: str
    files: tuple[FileReport, ...]
    notes: tuple[str, ...] = ()
