"""Notes of a project: what people and programs say about versions and files."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

from aura_vcs.annotations import markers, notes
from aura_vcs.annotations.places import Located, find_now
from aura_vcs.annotations.targets import Target, describe_place
from aura_vcs.api.opened import Part, StrPath, has
from aura_vcs.api.reporting import NO_CALL
from aura_vcs.api.values import VersionLike, name_of, path_or_none, time_text
from aura_vcs.api.where import Where, where_text
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.history.names.revisions import resolve
from aura_vcs.plain_text import parse_time
from aura_vcs.repository.repository import Repository

NoteState = Literal["open", "resolved", "deleted"]


@dataclass(frozen=True, slots=True)
class NotePlace:
    """What a note is about: a version, a file in it, and a place in the file.

    `version` and `content` are ids. `start` and `end` are seconds, `end` None for a moment; `region` is left, top,
    width and height as shares of the picture; `clip` the name of a clip of a timeline; `field` a JSON pointer.
    `text` is the place as it is written after a file's name.
    """

    version: str | None
    path: Path | None
    content: str | None
    start: float | None
    end: float | None
    region: tuple[float, float, float, float] | None
    clip: str | None
    field: str | None
    text: str

    @classmethod
    def _of(cls, target: Target) -> Self:
        """Take over a target."""
        clip = target.clip.name or target.clip.media if target.clip is not None else None
        path = path_or_none(target.path)
        return cls(
            target.version, path, target.content, target.start, target.end, target.region, clip, target.field,
            describe_place(target),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class NoteReply:
    """An answer to a note."""

    id: str
    text: str
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Note:
    """A note, merged from all machines.

    `earlier` are wordings that were replaced, or written at the same time on another machine.
    """

    id: str
    text: str
    state: NoteState
    place: NotePlace
    color: str
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    resolved_at: datetime | None
    resolved_by: str | None
    replies: tuple[NoteReply, ...]
    earlier: tuple[str, ...]

    @classmethod
    def _of(cls, found: notes.Note) -> Self:
        """Take over a note."""
        replies = (NoteReply(item.id, item.text, _time(item.created_at), item.created_by) for item in found.replies)
        return cls(
            id=found.id,
            text=found.text,
            state=found.state,
            place=NotePlace._of(found.target),
            color=found.color,
            created_at=_time(found.created_at),
            created_by=found.created_by,
            updated_at=_time(found.updated_at),
            updated_by=found.updated_by,
            resolved_at=None if found.resolved_at is None else _time(found.resolved_at),
            resolved_by=found.resolved_by,
            replies=tuple(replies),
            earlier=found.earlier,
        )


@dataclass(frozen=True, slots=True)
class NotePlaceNow:
    """Where the place of a note is in a version, followed through renames and edits.

    `path` is None if the file is gone; `found` is False if the clip or field is. `same_content` tells whether
    the file is as it was when the note was written. `start` and `end` are seconds, `field` a JSON pointer.
    """

    version: str
    path: Path | None
    same_content: bool
    found: bool
    start: float | None
    end: float | None
    field: str | None

    @classmethod
    def _of(cls, now: Located) -> Self:
        """Take over a place."""
        path = path_or_none(now.path)
        return cls(now.version, path, now.is_same, now.is_found, now.start, now.end, now.field)


class Notes(Part):
    """The notes of a project, newest first; name one by the beginning of its id."""

    def __iter__(self) -> Iterator[Note]:
        return iter(self.list())

    def __getitem__(self, note: str) -> Note:
        return Note._of(self._opened.run(NO_CALL, notes.find_note, note))

    def __contains__(self, name: str) -> bool:
        return has(self.__getitem__, name)

    def list(
        self,
        where: Where | None = None,
        *,
        state: NoteState | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> list[Note]:
        """List notes; without a `state`, those that are not deleted. `where` names a version or a file.

        Notes on a file are found under every name that it has had.
        """
        return self._opened.run(NO_CALL, _listed, where, state, time_text(since), limit)

    @property
    def open_count(self) -> int:
        """How many notes are open."""
        return self._opened.run(NO_CALL, notes.count_open)

    def add(self, where: Where, text: str, *, color: str = "") -> Note:
        """Write a note on `VERSION`, `[VERSION:]FILE`, or a place in a file: `v3:cut.mp4@0:12-0:15`.

        Raises:
            UnknownVersion, UnknownName, InvalidTarget.
        """
        return self._opened.run(NO_CALL, _added, where, text, color)

    def reply(self, note: str, text: str) -> Note:
        """Answer a note."""
        return Note._of(self._opened.run(NO_CALL, notes.reply, note, text))

    def edit(self, note: str, text: str | None = None, *, color: str | None = None) -> Note:
        """Give a note another wording or colour; earlier wordings are kept."""
        return Note._of(self._opened.run(NO_CALL, notes.edit_note, note, text=text, color=color))

    def resolve(self, note: str) -> Note:
        """Mark a note as resolved."""
        return Note._of(self._opened.run(NO_CALL, notes.resolve_note, note))

    def reopen(self, note: str) -> Note:
        """Open a note again that was resolved or deleted."""
        return Note._of(self._opened.run(NO_CALL, notes.reopen_note, note))

    def delete(self, note: str) -> Note:
        """Delete a note; `undo` and `reopen` bring it back."""
        return Note._of(self._opened.run(NO_CALL, notes.delete_note, note))

    def import_markers(self, file: Where) -> tuple[Note, ...]:
        """Make notes of those markers of a timeline or an editor's project that have none yet.

        Raises:
            UnknownVersion, UnknownName, InvalidTarget.
        """
        return self._opened.run(NO_CALL, _imported, file)

    def export_markers(self, file: Where, output: StrPath) -> int:
        """Write the notes on a file as markers into a new OpenTimelineIO file; return how many.

        Raises:
            UnknownVersion, UnknownName, TargetExists. InputError: no note on it is about a moment.
        """
        return self._opened.run(NO_CALL, _exported, file, os.fspath(output))

    def locate(self, note: str, version: VersionLike = "HEAD") -> NotePlaceNow | None:
        """Find the place of a note in a version; None for a note on a whole version."""
        return self._opened.run(NO_CALL, _located, note, name_of(version))


def _located(repo: Repository, note: str, version: str) -> NotePlaceNow | None:
    now = find_now(repo, notes.find_note(repo, note).target, resolve(repo, version).id)
    return None if now is None else NotePlaceNow._of(now)


def _time(text: str) -> datetime:
    """Read a time that somebody else may have written; one that is none is the beginning of all times."""
    try:
        return parse_time(text)
    except RecordCorrupt:
        return datetime.fromtimestamp(0, UTC)


def _listed(
    repo: Repository, where: Where | None, state: NoteState | None, since: str | None, limit: int | None
) -> list[Note]:
    about = None if where is None else where_text(repo, where)
    return list(map(Note._of, notes.notes(repo, about, state=state, since=since, limit=limit)))


def _added(repo: Repository, where: Where, text: str, color: str) -> Note:
    return Note._of(notes.add_note(repo, where_text(repo, where), text, color=color))


def _imported(repo: Repository, file: Where) -> tuple[Note, ...]:
    return tuple(map(Note._of, markers.import_markers(repo, where_text(repo, file))))


def _exported(repo: Repository, file: Where, output: str) -> int:
    return markers.export_markers(repo, where_text(repo, file), output)
