"""What a three-way merge gives back: the joined thing and, as plain data, what it could not decide.

A conflict can be stored as JSON, carried to another machine and resolved there (`resolve`). Until
then the document is valid and holds our side; a part that one side removed and the other
changed stays, so that nothing anybody made is out of sight.
"""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from aura_vcs.formats.jsondoc.values import JsonValue

CONTEXT_LINES = 3
Choice = Literal["ours", "theirs", "base", "both"]


class Conflict(Struct, frozen=True, omit_defaults=True):
    """Two changes of one field or list element that cannot both be.

    `kind` is "changed" (to two different values), "removed_by_ours" or "removed_by_theirs" (and
    changed or moved on the other side), or "moved" (to two places, or to a place where the other side put something
    else: the values are places in the merged document then, positions in the list or pointers).
    `pointer` is the place in the merged document; a side without the value has none.
    """

    kind: Literal["changed", "removed_by_ours", "removed_by_theirs", "moved"]
    pointer: str
    base: JsonValue | UnsetType = UNSET
    ours: JsonValue | UnsetType = UNSET
    theirs: JsonValue | UnsetType = UNSET


class TextConflict(Struct, frozen=True, omit_defaults=True):
    """Two changes of one passage of a text; our lines stand in the merged text from `line` on.

    `line` counts from 1; the texts are whole lines with their ends. `before` and `after` are the
    lines around, `CONTEXT_LINES` at most: the text may be edited before somebody decides.
    """

    line: int
    base: str
    ours: str
    theirs: str
    before: str = ""
    after: str = ""


class MixedPassage(Struct, frozen=True):
    """Lines in which words of both sides stand: what they say together was written by nobody.

    `line` counts from 1 in the merged text; `text` is whole lines with their ends.
    """

    line: int
    text: str


class MergedValue(Struct, frozen=True):
    """A merged JSON value and what is left to decide. With a `reason`, a clause, it must not count."""

    value: JsonValue
    conflicts: tuple[Conflict, ...] = ()
    reason: str = ""


class MergedDocument(Struct, frozen=True):
    """A joined JSON document as bytes. With a `fallback`, a sentence, nothing was merged by fields."""

    data: bytes
    conflicts: tuple[Conflict, ...] = ()
    fallback: str = ""


class MergedText(Struct, frozen=True):
    """A joined text as bytes. With a `fallback`, a sentence, it is not text that can be joined."""

    data: bytes
    conflicts: tuple[TextConflict, ...] = ()
    fallback: str = ""
    mixed: tuple[MixedPassage, ...] = ()


class TreeEntry(Struct, frozen=True):
    """What stands at a path. `dir` is an empty folder; folders with something in them have no entry."""

    kind: Literal["file", "symlink", "dir"]
    id: str
    executable: bool = False
