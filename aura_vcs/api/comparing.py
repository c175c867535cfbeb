"""What differs between two versions, or between one and the folder, as data."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, Self, Unpack

from msgspec import UNSET

from aura_vcs.api.jsons import Json
from aura_vcs.api.opened import Opened, StrPath, project_paths
from aura_vcs.api.reporting import NO_CALL, Call, Reporter
from aura_vcs.api.results import MediaDiff, TextHunk, TimelineChange
from aura_vcs.api.values import Version, VersionLike, name_of, path_or_none, paths_of, version_or_none
from aura_vcs.compare.diff.describe import LINES_LIMIT
from aura_vcs.compare.report.page import render_report
from aura_vcs.errors import InputError
from aura_vcs.formats.jsondoc.patch import PatchOperation
from aura_vcs.history.compare_versions import compare_versions
from aura_vcs.history.diff import file_diff
from aura_vcs.history.diff.loose_diff import compare_files
from aura_vcs.history.diff.media_diff import NOTHING, QUICK, REPORT, THOROUGH, look_into_media, show_picture
from aura_vcs.history.diff.media_findings import MediaFindings
from aura_vcs.history.diff.report import version_report
from aura_vcs.history.diff.tree_diff import Comparison, PathChange
from aura_vcs.history.media_index.store import MediaIndexStore
from aura_vcs.progress import Progress
from aura_vcs.repository.repository import Repository

Effort = Literal["headers", "quick", "report", "thorough"]
"""How long pictures, sounds and videos are looked into: not at all, for seconds, for a minute, or all of them."""
_BUDGETS = {"headers": NOTHING, "quick": QUICK, "report": REPORT, "thorough": THOROUGH}


@dataclass(frozen=True, slots=True)
class FieldEdit:
    """A change to a JSON document, as in RFC 6902; `old` is what it replaces, removes or moves.

    `op` is "add", "remove", "replace", "move" or "copy"; `pointer` the place, `moved_from` where it was.
    `old` and `new` are None if there is nothing, and if there is a null.
    """

    op: str
    pointer: str
    moved_from: str | None
    old: Json
    new: Json

    @classmethod
    def _of(cls, found: PatchOperation) -> Self:
        """Take over an operation."""
        old, new = (None if value is UNSET else value for value in (found.old, found.value))
        return cls(found.op, found.path, found.source if isinstance(found.source, str) else None, old, new)


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What differs in a file: `lines` say it in words; which other fields are filled depends on its `kind`.

    `kind` is "timeline", "fields", "text", "media" or "bytes"; a timeline has its `fields` too. `is_complete` is
    False if lines only count changes instead of naming each. `fallback` says why fields or clips were not compared,
    if one could expect that.
    """

    kind: str
    lines: tuple[str, ...]
    is_complete: bool
    clips: tuple[TimelineChange, ...]
    fields: tuple[FieldEdit, ...]
    text: tuple[TextHunk, ...]
    media: MediaDiff | None
    fallback: str

    @classmethod
    def _of(cls, found: file_diff.FileDiff) -> Self:
        """Take over what was found."""
        timeline, document, text = found.timeline, found.document, found.text
        reasons = [part.fallback for part in (timeline, document, text) if part is not None]
        return cls(
            found.kind,
            found.lines,
            found.is_complete,
            () if timeline is None else timeline.changes,
            () if document is None else tuple(map(FieldEdit._of, document.operations)),
            () if text is None else text.hunks,
            found.media,
            next(filter(None, reasons), ""),
        )


@dataclass(frozen=True)
class FileChange:
    """A path that differs between the two sides of a `Diff`; a size is None if the side does not have it."""

    path: Path
    change: str
    """`added`, `modified`, `deleted`, `renamed` or `type_changed`."""
    old_path: Path | None
    old_size: int | None
    new_size: int | None
    _diff: "Diff"
    _change: PathChange

    def inside(self, *, media: Effort = "headers", lines: int = LINES_LIMIT, **call: Unpack[Call]) -> FileDiff:
        """Compare the content: fields of a document, clips of a timeline, lines of a text, media by eye and ear.

        `lines` is the most lines in words. Offloaded content is fetched.
        """
        return self._diff._opened.run(call, _inside, self._diff._comparison, self._change, media, lines)

    def picture(self, kind: Literal["side_by_side", "heat_map"] = "side_by_side", **call: Unpack[Call]) -> bytes:
        """Draw a PNG file of a picture before and after, or with what differs in red.

        Raises:
            MediaUnreadable: it is not a picture that is on both sides. ExtraMissing.
        """
        return self._diff._opened.run(call, _picture, self._diff._comparison, self._change, kind)


class Diff:
    """What differs between two sides; iterate over it for the changes, sorted by path."""

    def __init__(self, opened: Opened, old: Version | None, new: Version | None, comparison: Comparison) -> None:
        self._opened = opened
        self._comparison = comparison
        self.old = old
        self.new = new

    @cached_property
    def changes(self) -> tuple[FileChange, ...]:
        """Paths that differ."""
        return tuple(_file_change(self, change) for change in self._comparison.changes)

    @property
    def documents(self) -> dict[str, bool]:
        """Whether each document of a video (`brief`, `script` …) differs."""
        return dict(self._comparison.documents)

    @property
    def unstable(self) -> tuple[Path, ...]:
        """Files of the folder that are being written right now."""
        return paths_of(self._comparison.unstable)

    def __iter__(self) -> Iterator[FileChange]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)

    def __repr__(self) -> str:
        return f"<aura_vcs.Diff {self.old or 'nothing'} → {self.new or 'folder'}: {len(self)} changed>"

    def report(self, *, title: str = "", media: Effort = "report", **call: Unpack[Call]) -> str:
        """Write a page to look at or send: timelines, fields and pictures, in one HTML file."""
        names = str(self.old or "nothing"), str(self.new or "the folder")
        return self._opened.run(call, _report, self._comparison, title or " → ".join(names), *names, media)


def compare(
    opened: Opened, call: Call, old: VersionLike | None, new: VersionLike | None, paths: Iterable[StrPath]
) -> Diff:
    """Compare; see `Project.diff`.

    Raises:
        InputError: `new` was given without `old`.
    """
    if new is not None and old is None:
        raise InputError("A comparison with a version needs the one before it, too", hint="Give old and new.")
    names = [name_of(version) for version in (old, new) if version is not None]
    chosen = opened.run(NO_CALL, project_paths, paths)
    found = opened.run(call, compare_versions, names, chosen)
    return Diff(opened, version_or_none(found.old), version_or_none(found.new), found.comparison)


def diff_files(
    old: StrPath, new: StrPath, *, media: Effort = "quick", lines: int = LINES_LIMIT, **call: Unpack[Call]
) -> FileDiff:
    """Compare two files on the disk, in a project or not: fields, clips, lines, what is seen and heard.

    Two that are the same have no `lines`.

    Raises:
        FileUnreadable: one cannot be read.
    """
    reporter = Reporter()
    with reporter.listening(call):
        comparison = compare_files(os.fspath(old), os.fspath(new))
        if not comparison.changes:
            return FileDiff("bytes", (), True, (), (), (), None, "")
        return _compared(reporter, comparison, comparison.changes[0], media, lines)


def _file_change(diff: Diff, change: PathChange) -> FileChange:
    old, new = (None if side is None else side.size for side in (change.old, change.new))
    return FileChange(Path(change.path), change.change, path_or_none(change.old_path), old, new, diff, change)


def _inside(repo: Repository, comparison: Comparison, change: PathChange, media: Effort, lines: int) -> FileDiff:
    return _compared(repo.progress, comparison, change, media, lines, MediaIndexStore.of(repo))


def _compared(
    progress: Progress,
    comparison: Comparison,
    change: PathChange,
    media: Effort,
    lines: int,
    index: MediaIndexStore | None = None,
) -> FileDiff:
    known = _looked_into(progress, comparison, media, [change], index).by_path.get(change.path)
    return FileDiff._of(file_diff.diff_change(comparison, change, media=known, limit=lines))


def _picture(
    _: Repository, comparison: Comparison, change: PathChange, kind: Literal["side_by_side", "heat_map"]
) -> bytes:
    return show_picture(comparison, change, kind, environment={})


def _report(repo: Repository, comparison: Comparison, title: str, old: str, new: str, media: Effort) -> str:
    index = MediaIndexStore.of(repo)
    known = _looked_into(repo.progress, comparison, media, comparison.changes, index, thumbnails=True)
    return render_report(version_report(comparison, title, old, new, known))


def _looked_into(
    progress: Progress,
    comparison: Comparison,
    media: Effort,
    changes: Iterable[PathChange],
    index: MediaIndexStore | None,
    *,
    thumbnails: bool = False,
) -> MediaFindings:
    part = comparison.only(changes)
    return look_into_media(part, _BUDGETS[media], index=index, thumbnails=thumbnails, progress=progress)
