"""The difference of two versions of one file, by what kind of file it is."""

import io
from typing import Literal

from msgspec import Struct

from aura_vcs.compare.document_diff import DocumentDiff, diff_documents
from aura_vcs.compare.media_headers import read_header
from aura_vcs.compare.media_model import MediaDiff
from aura_vcs.compare.media_probe import diff_headers
from aura_vcs.compare.readable import LINES_LIMIT
from aura_vcs.compare.text_diff import TextDiff, diff_text
from aura_vcs.compare.timeline_diff import TimelineDiff, diff_timeline_files

DOCUMENT_SUFFIXES = (".json", ".otio")


class FileDiff(Struct, frozen=True):
    """What differs in a file. `lines` say it in words; the rest is there as far as `kind` has it.

    A timeline has its fields too. A document that cannot be read without loss has its lines of
    text and, first in `lines`, the reason. `media` tells what the headers tell.
    """

    kind: Literal["timeline", "fields", "text", "media", "bytes"]
    lines: tuple[str, ...]
    timeline: TimelineDiff | None = None
    document: DocumentDiff | None = None
    text: TextDiff | None = None
    media: MediaDiff | None = None


def diff_file(path: str, old: bytes, new: bytes, *, limit: int = LINES_LIMIT) -> FileDiff:
    """Compare two versions of a file; at most `limit` lines in words, nothing when they are equal.

    `path` only helps to tell documents from other text. Bounded for any bytes.
    """
    if old == new:
        return FileDiff("bytes", ())
    if path.lower().endswith(DOCUMENT_SUFFIXES):
        found = _documents(old, new, limit)
        if found is not None:
            return found
    media = [read_header(io.BytesIO(side)) for side in (old, new)]
    if any(media):
        difference = diff_headers(*media)
        lines = difference.lines or (f"other content, {_sizes(old, new)}",)
        return FileDiff("media", lines, media=difference)
    text = diff_text(old, new)
    if text.fallback:
        return FileDiff("bytes", (f"{text.fallback}; {_sizes(old, new)}",), text=text)
    if not text.hunks and old != new:  # the same text in another encoding
        return FileDiff("bytes", (_sizes(old, new),), text=text)
    return FileDiff("text", _text_lines(text), text=text)


def _documents(old: bytes, new: bytes, limit: int) -> FileDiff | None:
    document = diff_documents(old, new, limit=limit)
    timeline = diff_timeline_files(old, new, limit=limit)
    if not timeline.fallback:
        lines = timeline.lines or document.lines
        return FileDiff("timeline", lines, timeline=timeline, document=document)
    if not document.fallback or document.operations:
        return FileDiff("fields", document.lines, document=document)
    text = diff_text(old, new)
    if text.fallback:
        return None
    return FileDiff("text", (document.fallback, *_text_lines(text)), document=document, text=text)


def _text_lines(text: TextDiff) -> tuple[str, ...]:
    counts = ((text.added_lines, "added"), (text.removed_lines, "removed"))
    told = [f"{count:,} line{'s' * (count != 1)} {verb}" for count, verb in counts if count]
    return (", ".join(told),) if told else ()


def _sizes(old: bytes, new: bytes) -> str:
    return f"{len(old):,} → {len(new):,} bytes"
