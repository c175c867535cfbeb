"""What is done to notes."""

from collections.abc import Callable
from typing import Any

from aura_vcs.annotations.notes import Note, add_note, delete_note, reopen_note, reply, resolve_note
from aura_vcs.cli.shared.notes import note_to_json
from aura_vcs.repository.repository import Repository
from aura_vcs.ui.actions.base import PageAction, Wish, of_library


class NoteWish(Wish, frozen=True):
    """Something to be said about a version, a file, or a place in a file: `v3:cut.mp4@0:12`."""

    where: str
    text: str
    color: str = ""


def _add(repo: Repository, wish: NoteWish) -> Any:
    return {"note": note_to_json(repo, add_note(repo, wish.where, wish.text, color=wish.color))}


class ReplyWish(Wish, frozen=True):
    """An answer to a note, which goes by the beginning of its id."""

    note: str
    text: str


def _reply(repo: Repository, wish: ReplyWish) -> Any:
    return {"note": note_to_json(repo, reply(repo, wish.note, wish.text))}


class OfNoteWish(Wish, frozen=True):
    """One note, by the beginning of its id."""

    note: str


def _of_note(function: Callable[[Repository, str], Note]) -> Callable[[Repository, OfNoteWish], Any]:
    return lambda repo, wish: {"note": note_to_json(repo, function(repo, wish.note))}


NOTE_ACTIONS: dict[str, PageAction] = {
    "note": PageAction(NoteWish, lambda wish: f"Note on {wish.where}", of_library(_add)),
    "note/reply": PageAction(ReplyWish, lambda _: "Answer a note", of_library(_reply)),
    "note/resolve": PageAction(OfNoteWish, lambda _: "Resolve a note", of_library(_of_note(resolve_note))),
    "note/reopen": PageAction(OfNoteWish, lambda _: "Open a note again", of_library(_of_note(reopen_note))),
    "note/delete": PageAction(OfNoteWish, lambda _: "Delete a note", of_library(_of_note(delete_note))),
}
"""Of each name, what does it."""
