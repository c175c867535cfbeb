"""Notes: what people and programs say about versions and files, with replies, until it is seen to.

A note is an annotation (`refs/annotations.py`): each wording, each reply and the rest are fields of their own, so that
machines that work apart lose nothing, and the newest wording counts. Every change is an operation that can be undone.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from aura_vcs.annotations.targets import Target, target_from
from aura_vcs.codec import to_plain
from aura_vcs.errors import InputError
from aura_vcs.errors.input import UnknownName, UnknownVersion
from aura_vcs.history.names.revisions import resolve
from aura_vcs.ids import new_note_id
from aura_vcs.index.annotations import GONE, OPEN, REPLY, RESOLVED, WORDING, AnnotationTable, state_of, texts
from aura_vcs.model import Annotation, Inverse
from aura_vcs.operation_log import annotation_change
from aura_vcs.plain_text import clean_text
from aura_vcs.refs.annotations import DELETED, NOTE, deletion, value_of, with_values
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft

TEXT_LIMIT = 10_000
"""Characters of a note or a reply."""
COLOR_LIMIT = 32
SHORT = 8
"""So many digits of a note's id are shown; as many name it as no other note begins with."""
_SHOWN = 40
State = Literal["open", "resolved", "deleted"]


class Reply(msgspec.Struct, frozen=True):
    """What somebody answered."""

    id: str
    text: str
    created_at: str
    created_by: str


class Note(msgspec.Struct, frozen=True):
    """A note as all machines together have it.

    `earlier` are wordings that were replaced, or written at the same time on another machine, oldest first.
    """

    id: str
    text: str
    state: State
    target: Target
    created_at: str
    created_by: str
    updated_at: str
    updated_by: str
    color: str = ""
    resolved_by: str | None = None
    resolved_at: str | None = None
    replies: tuple[Reply, ...] = ()
    earlier: tuple[str, ...] = ()


def note_of(item: Annotation) -> Note:
    """Read a note from its fields; what is not valid in it is left out."""
    wordings = [text for _, text in texts(item, WORDING)]
    newest = max(item.fields.values(), key=lambda field: (field.updated_at, field.stamp), default=None)
    created = _text(item, "created_at") or min((field.updated_at for field in item.fields.values()), default="")
    resolved = item.fields.get("resolved")
    is_resolved = resolved is not None and bool(resolved.value)
    state = state_of(NOTE, item)
    return Note(
        id=item.id,
        text=wordings[-1] if wordings else "",
        state="deleted" if state == GONE else "resolved" if state == RESOLVED else "open",
        target=target_from(value_of(item, "target")),
        created_at=created,
        created_by=_text(item, "created_by"),
        updated_at=newest.updated_at if newest is not None else "",
        updated_by=newest.updated_by if newest is not None else "",
        color=_text(item, "color"),
        resolved_by=resolved.updated_by if resolved is not None and is_resolved else None,
        resolved_at=resolved.updated_at if resolved is not None and is_resolved else None,
        replies=_replies(item),
        earlier=tuple(dict.fromkeys(text for text in wordings[:-1] if text != wordings[-1])),
    )


def _replies(item: Annotation) -> tuple[Reply, ...]:
    found = []
    for key, text in texts(item, REPLY):
        value = value_of(item, key)
        at, by = (value.get(name) if isinstance(value.get(name), str) else "" for name in ("at", "by"))
        found.append(Reply(key.removeprefix(REPLY), text, at, by))
    return tuple(sorted(found, key=lambda reply: (reply.created_at, reply.id)))


def _text(item: Annotation, key: str) -> str:
    value = value_of(item, key)
    return value if isinstance(value, str) else ""


def add_note(repo: Repository, where: str, text: str, *, color: str = "") -> Note:
    """Say something about a version, a file, or a place in a file; `where` as `targets.py` has it.

    Raises:
        UnknownVersion, UnknownName: there is no such version or file.
        InvalidTarget: there is no such place in it.
        InputError: the text is empty or too long.
    """
    from aura_vcs.annotations.places import make_target  # whose readers of timelines take longer than a list

    return add_notes(repo, [(make_target(repo, where), text, color)])[0]


def add_notes(repo: Repository, said: Sequence[tuple[Target, str, str]]) -> list[Note]:
    """Make notes of targets, texts and colours, in one operation.

    Raises:
        InputError: a text is empty or too long.
    """
    checked = [(target, _checked(text), _checked_color(color)) for target, text, color in said]
    with repo.transaction() as transaction:
        made = []
        for target, text, color in checked:
            note = Annotation(new_note_id())
            values: dict[str, Any] = {
                "target": to_plain(target),
                "created_at": transaction.at,
                "created_by": repo.author,
                f"{WORDING}{new_note_id()[:SHORT]}": {"text": text},
                **({"color": color} if color else {}),
            }
            made.append(with_values(note, values, transaction.replica, transaction.at, repo.author))
        what = f"Noted {_shortened(checked[0][1])!r}" if len(made) == 1 else f"Added {len(made)} notes"
        changes = dict(annotation_change(NOTE, None, note) for note in made)
        transaction.record(Draft("note.add", what, changes, inverse=Inverse("note.delete")))
    return [note_of(note) for note in made]


def reply(repo: Repository, note_id: str, text: str) -> Note:
    """Answer a note.

    Raises:
        UnknownName: there is no such note. InputError: the text is empty or too long.
    """
    answer = _checked(text)

    def values(_: Annotation, at: str) -> dict[str, Any]:
        return {f"{REPLY}{new_note_id()[:SHORT]}": {"text": answer, "at": at, "by": repo.author}}

    return _change(repo, note_id, "note.reply", "Replied to", values)


def edit_note(repo: Repository, note_id: str, *, text: str | None = None, color: str | None = None) -> Note:
    """Give a note another wording or colour; earlier wordings are kept.

    Raises:
        UnknownName: there is no such note. InputError: the text is empty or too long.
    """
    given: dict[str, Any] = {}
    if text is not None:
        given[f"{WORDING}{new_note_id()[:SHORT]}"] = {"text": _checked(text)}
    if color is not None:
        given["color"] = _checked_color(color)
    return _change(repo, note_id, "note.edit", "Changed", lambda *_: given)


def resolve_note(repo: Repository, note_id: str) -> Note:
    """Mark a note as resolved.

    Raises:
        UnknownName: there is no such note.
    """
    return _change(repo, note_id, "note.resolve", "Resolved", lambda *_: {"resolved": True})


def reopen_note(repo: Repository, note_id: str) -> Note:
    """Open a note again that was resolved or deleted.

    Raises:
        UnknownName: there is no such note.
    """
    given = {"resolved": None, DELETED: None}
    return _change(repo, note_id, "note.reopen", "Reopened", lambda *_: given, deleted=True)


def delete_note(repo: Repository, note_id: str) -> Note:
    """Delete a note. What another machine says of it without knowing brings it back.

    Raises:
        UnknownName: there is no such note.
    """
    return _change(repo, note_id, "note.delete", "Deleted", lambda item, _: {DELETED: deletion(item)})


def _change(repo: Repository, note_id: str, kind: str, verb: str, values: Any, *, deleted: bool = False) -> Note:
    """Give fields of a note other values, those that are other ones, in one operation."""
    with repo.transaction() as transaction:
        known = find_annotation(repo, note_id, deleted=deleted)
        before = repo.refs.annotations.get(NOTE, known.id) or known
        given = {key: value for key, value in values(before, transaction.at).items() if value_of(before, key) != value}
        if not given:
            return note_of(before)
        after = with_values(before, given, transaction.replica, transaction.at, repo.author)
        what = f"{verb} the note {_shortened(note_of(before).text)!r}"
        transaction.record(
            Draft(kind, what, dict([annotation_change(NOTE, before, after)]), inverse=Inverse(f"{kind}.revert"))
        )
    return note_of(after)


def find_note(repo: Repository, note_id: str, *, deleted: bool = True) -> Note:
    """Find the note whose id begins so.

    Raises:
        UnknownName: none does. InputError: several do.
    """
    return note_of(find_annotation(repo, note_id, deleted=deleted))


def find_annotation(repo: Repository, note_id: str, *, deleted: bool) -> Annotation:
    """Find a note as it is stored; see `find_note`."""
    prefix = note_id.strip().lower()
    is_id = bool(prefix) and not prefix.strip("0123456789abcdef")
    found = AnnotationTable(repo.index.database).with_prefix(NOTE, prefix) if is_id else []
    living = [item for item in found if state_of(NOTE, item) != GONE]
    if found and not living and not deleted:
        raise UnknownName("note", note_id, hint=f"It was deleted; `aura note reopen {note_id}` brings it back.")
    chosen = living or found
    if not chosen:
        raise UnknownName("note", note_id, hint="`aura note list` lists the notes.")
    if len(chosen) > 1:
        raise InputError(f"Several notes begin with {note_id!r}", hint="Give more digits of the id.")
    return chosen[0]


def notes(
    repo: Repository, where: str | None = None, *, state: State | None = None, since: str | None = None,
    limit: int | None = None,
) -> list[Note]:  # fmt: skip
    """List notes, newest first; see `each_note`.

    Raises:
        UnknownVersion, UnknownName: there is no such version or file.
    """
    return list(each_note(repo, where, state=state, since=since, limit=limit))


def each_note(
    repo: Repository, where: str | None = None, *, state: State | None = None, since: str | None = None,
    limit: int | None = None,
) -> Iterator[Note]:  # fmt: skip
    """Yield notes, newest first, as they are read; without a state, those that are not deleted.

    `where` is a version, or a file: notes on it under every name that it has had. `since` is a time as records have it.

    Raises:
        UnknownVersion, UnknownName: there is no such version or file.
    """
    paths, versions = (None, None) if where is None else _meant(repo, where)
    found = AnnotationTable(repo.index.database).walk(
        NOTE, state=state, since=since, paths=paths, versions=versions, limit=-1 if limit is None else limit
    )
    return map(note_of, found)


def _meant(repo: Repository, where: str) -> tuple[list[str] | None, list[str] | None]:
    """Return the names of the file that is meant, or the version."""
    from aura_vcs.annotations.places import file_names  # as above

    names = file_names(repo, where)
    if names is not None:
        return names, None
    try:
        return None, [resolve(repo, where).id]
    except UnknownVersion:
        from aura_vcs.annotations.places import former_names

        table, paths = AnnotationTable(repo.index.database), former_names(repo, where)
        if not any(table.select(NOTE, state=state, paths=paths, limit=1) for state in (None, GONE)):
            raise
        return paths, None  # the file no longer exists, but what was said of it is


def count_open(repo: Repository) -> int:
    """Count the open notes."""
    return AnnotationTable(repo.index.database).count(NOTE, OPEN)


def _checked(text: str) -> str:
    clean = clean_text(text).strip()
    if not clean:
        raise InputError("A note needs a text")
    if len(clean) > TEXT_LIMIT:
        raise InputError(f"The note has {len(clean):,} characters; {TEXT_LIMIT:,} is the limit")
    return clean


def _checked_color(color: str) -> str:
    clean = " ".join(clean_text(color).split())
    if len(clean) > COLOR_LIMIT:
        raise InputError(f"The colour has {len(clean)} characters; {COLOR_LIMIT} is the limit")
    return clean


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
