"""What is known of the media of a comparison, and which files are media at all.

Apart from `media_diff`, so that a comparison without media need not import what looks into them.
"""

import posixpath
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from aura_vcs.history.diff.tree_diff import PathChange
from aura_vcs.history.sources.content_source import is_file
from aura_vcs.model import PICTURE_SUFFIXES

if TYPE_CHECKING:
    from aura_vcs.formats.media.findings import MediaDiff

MEDIA_SUFFIXES = frozenset(
    {
        *PICTURE_SUFFIXES,
        *(".wav", ".w64", ".rf64", ".bwf", ".aif", ".aiff", ".aifc", ".flac", ".mp3", ".aac"),
        *(".ogg", ".oga", ".opus", ".m4a"),
        *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mxf"),
    }
)


class MediaFindings(Struct, frozen=True):
    """What is known of the media of a comparison, by path.

    Of `header_only` files nothing but the header was read, because the budget was spent; `needs_extra` says that
    none was looked into, because an optional part is not installed.
    """

    by_path: "dict[str, MediaDiff]" = {}
    header_only: int = 0
    needs_extra: bool = False


def is_media(change: PathChange) -> bool:
    """Tell whether the content of a picture, sound or video differs, or is on one side only."""
    sides = [side for side in (change.old, change.new) if side is not None]
    if change.change == "renamed" or not sides or not all(is_file(side) for side in sides):
        return False
    if change.old is not None and change.new is not None and change.old.id == change.new.id:
        return False
    return has_media_name(change.path)


def may_have_sequences(changes: Sequence[PathChange]) -> bool:
    """Tell whether enough pictures are not alike that they may be frames of a sequence."""
    return any(change.path.lower().endswith(PICTURE_SUFFIXES) for change in changes)


def has_media_name(path: str) -> bool:
    """Tell whether a file is called as a picture, sound or video is."""
    return posixpath.splitext(path)[1].lower() in MEDIA_SUFFIXES
