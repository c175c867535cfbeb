"""The difference of two versions of one file, by what kind of file it is."""

import io
import posixpath
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from aura_vcs.compare.diff.describe import LINES_LIMIT, DocumentDiff, diff_documents, diff_parsed
from aura_vcs.compare.diff.text import TextDiff, diff_text
from aura_vcs.errors.integrity import IntegrityError, ObjectOffloaded
from aura_vcs.formats.jsondoc.parse import looks_like_json, parse_document
from aura_vcs.formats.text import NO_TEXT, is_json
from aura_vcs.history.diff.tree_diff import Comparison, PathChange
from aura_vcs.history.sources.content_source import CONTENT_LIMIT, is_file

if TYPE_CHECKING:
    from aura_vcs.compare.timeline.diff import TimelineDiff
    from aura_vcs.formats.media.findings import MediaDiff

DOCUMENT_SUFFIXES = (".json", ".otio")
PROJECT_SUFFIXES = frozenset(
    (".otio", ".otioz", ".kdenlive", ".mlt", ".osp", ".fcpxml", ".xml", ".xmeml", ".edl", ".rpp", ".rpp-bak", ".prproj",
     ".aaf", ".drp", ".flb")
)  # fmt: skip
"""Endings of files that may be the project of an editor; what they are is seen from their content."""
UNSEEN = "Nothing in the timeline changed, only how the file is written"
DETAIL_LINES = 10_000
"""Lines in words for one file where every change is asked for."""


class FileDiff(Struct, frozen=True):
    """What differs in a file. `lines` say it in words; the rest is there as far as `kind` has it.

    A timeline has its fields too. A document that cannot be read without loss has its lines of
    text and, first in `lines`, the reason; so has a project that cannot be read, whose `reason` says
    it too. `media` tells what is known of pictures, sound and video.
    """

    kind: Literal["timeline", "fields", "text", "media", "bytes"]
    lines: tuple[str, ...]
    timeline: "TimelineDiff | None" = None
    document: DocumentDiff | None = None
    text: TextDiff | None = None
    media: "MediaDiff | None" = None
    reason: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether the lines tell each change instead of counting them."""
        told = self.timeline if self.timeline is not None and self.timeline.lines else self.document
        return told is None or told.is_complete


def diff_change(
    comparison: Comparison, change: PathChange, *, media: "MediaDiff | None" = None, limit: int = LINES_LIMIT
) -> FileDiff:
    """Compare a changed file of a comparison; describe it in at most `limit` lines.

    `media` is what was found out about it before (see `media_findings`); such a file is not read again.
    Files that one side does not have, links and folders have nothing inside to compare. Content
    above CONTENT_LIMIT, or that is not here any more, gives a word that says so.

    Raises:
        FileUnreadable: a file of the worktree cannot be read.
    """
    if media is not None:
        return media_diff(media)
    old, new = change.old, change.new
    if old is None or new is None or old.id == new.id or not (is_file(old) and is_file(new)):
        return FileDiff("bytes", ())
    try:
        before = comparison.old.read(change.old_path or change.path, old)
        after = comparison.new.read(change.path, new)
    except ObjectOffloaded as error:
        return FileDiff("bytes", (f"Its content is offloaded to {' and '.join(error.remotes)}, which does not answer",))
    except IntegrityError:
        return FileDiff("bytes", ("Its content is not here any more",))
    if before is None or after is None:
        return FileDiff("bytes", (f"not looked into: it is larger than {CONTENT_LIMIT >> 20} MB",))
    return diff_file(change.path, before, after, limit=limit)


def diff_file(path: str, old: bytes, new: bytes, *, limit: int = LINES_LIMIT) -> FileDiff:
    """Compare two versions of a file; at most `limit` lines in words, nothing when they are equal.

    `path` only helps to tell documents and timelines from other text. Bounded for any bytes.
    """
    if old == new:
        return FileDiff("bytes", ())
    if is_timeline_path(path):
        found = _timelines(path, old, new, limit)
        if found is not None:
            return found
    if path.lower().endswith(DOCUMENT_SUFFIXES) or (is_json(path, (old,)) and is_json(path, (new,))):
        found = _documents(old, new, limit)
        if found is not None:
            return found
    text = diff_text(old, new)
    if text.hunks:
        return FileDiff("text", _text_lines(text), text=text)
    from aura_vcs.formats.media.describe import diff_headers
    from aura_vcs.formats.media.headers import read_header  # most of what is compared is text

    headers = [read_header(io.BytesIO(side)) for side in (old, new)]
    if any(headers):
        return media_diff(diff_headers(*headers, both=True))
    return _bytes_diff(text, f"other content, {len(old):,} → {len(new):,} bytes")


def _bytes_diff(text: TextDiff, other: str) -> FileDiff:
    if not text.fallback:
        return FileDiff("bytes", ("the same text in another encoding",), text=text)
    if text.fallback.endswith(NO_TEXT):
        return FileDiff("bytes", (other,))
    return FileDiff("bytes", (f"{text.fallback}; {other}",), text=text)


def media_diff(media: "MediaDiff") -> FileDiff:
    """Convert the findings about a media file to the difference of a file."""
    problem = (f"not looked into: {media.problem}",) if media.problem else ()
    lines = (*media.lines, *problem)
    return FileDiff("media", lines or ("other content, the header is the same",), media=media)


def is_timeline_path(path: str) -> bool:
    """Tell whether a file may be compared clip by clip: by its name, because a plan may list scenes as well."""
    name = posixpath.basename(path).lower()
    ending = posixpath.splitext(name)[1]
    return name.endswith("timeline.json") or ending in PROJECT_SUFFIXES


def _timelines(path: str, old: bytes, new: bytes, limit: int) -> FileDiff | None:
    """Compare two versions of a timeline or an editor's project; if all changes are wanted, their text too."""
    from aura_vcs.compare.timeline.diff import diff_timeline_files  # with two dozen modules behind it

    before, after = (parse_document(side) if looks_like_json(side) else None for side in (old, new))
    timeline = diff_timeline_files(old, new, limit=limit, path=path, documents=(before, after))
    if timeline.fallback:
        return _unread_project(path, old, new, timeline.fallback)
    document = None if before is None or after is None else diff_parsed(before, after, limit=limit)
    text = None
    if limit >= DETAIL_LINES and document is None:
        text = diff_text(old, new)
        text = text if text.hunks else None
    lines = timeline.lines or (document.lines if document is not None else ())
    return FileDiff("timeline", lines or (UNSEEN,), timeline=timeline, document=document, text=text)


def _unread_project(path: str, old: bytes, new: bytes, reason: str) -> FileDiff | None:
    """Describe a project that cannot be read; return None where another way of comparing says enough."""
    if path.lower().endswith((".json", ".otio", ".xml")) or not reason:
        return None
    text = diff_text(old, new)
    if text.hunks:
        return FileDiff("text", (reason, *_text_lines(text)), text=text, reason=reason)
    other = f"other content, {len(old):,} → {len(new):,} bytes"
    return FileDiff("bytes", (reason, other), reason=reason)


def _documents(old: bytes, new: bytes, limit: int) -> FileDiff | None:
    document = diff_documents(old, new, limit=limit)
    if not document.fallback or document.operations:
        return FileDiff("fields", document.lines, document=document)
    text = diff_text(old, new)
    if text.fallback:
        return None
    return FileDiff("text", (document.fallback, *_text_lines(text)), document=document, text=text)


def _text_lines(text: TextDiff) -> tuple[str, ...]:
    if text.ends:
        return (f"Only the line ends changed: {text.ends}",)
    counts = ((text.added_lines, "added"), (text.removed_lines, "removed"))
    told = [f"{count:,} line{'s' * (count != 1)} {verb}" for count, verb in counts if count]
    return (", ".join(told),) if told else ()
