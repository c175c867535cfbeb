"""An editor's cut as it merges: clips on tracks, and the rest of the project as JSON."""

import json

from msgspec import UNSET, Struct

from aura_vcs.compare.merge.model import Conflict
from aura_vcs.formats.jsondoc.values import JsonValue

Record = dict[str, JsonValue]
LINES = "lines"
"""The one key of a record of lines that mean something only together."""
PLAYED = ("first", "length", "rate")


class Piece(Struct, frozen=True):
    """A clip of a cut: from `first` of its media, `length` long, at `start` of its track, in units of the cut.

    `body` is everything else that it says, without ids that mean nothing outside of one file. `native` is an id of the
    editor's that holds over saves, "" for none; `id` is what the merge calls it. `speed` is as text how fast it plays,
    where that is said beside its times: a trim of one side means something else at the other's speed.
    """

    id: str
    track: str
    start: int
    length: int
    first: int
    body: Record
    name: str = ""
    media: str = ""
    native: str = ""
    speed: str = ""


class Cut(Struct, frozen=True):
    """A project as it merges: its clips by track and place, `rest` as JSON, and how many units a second has.

    `tracks` are in order; on those in `free` clips may overlap.
    """

    pieces: tuple[Piece, ...]
    tracks: tuple[str, ...]
    rest: Record
    rate: tuple[int, int]
    free: frozenset[str] = frozenset()


class MergedCut(Struct, frozen=True):
    """The merged clips and the rest, and what is left to decide; with a `reason` it must not count.

    `own` maps the ids of clips to those that the common, our and their cut have for them.
    """

    pieces: tuple[Piece, ...]
    rest: Record
    conflicts: tuple[Conflict, ...] = ()
    reason: str = ""
    own: tuple[dict[str, str], dict[str, str], dict[str, str]] = ({}, {}, {})


def needs_of(merged: MergedCut) -> str:
    """Return as JSON all that clips say, and what they may say once their questions are decided."""
    sides = [(conflict.ours, conflict.theirs, conflict.base) for conflict in merged.conflicts]
    asked = [value for values in sides for value in values if value is not UNSET]
    return json.dumps([[piece.body for piece in merged.pieces], asked])


def is_alike(one: Piece, other: Piece) -> bool:
    """Tell whether two clips are equal in all but their place on their track."""
    return (one.track, one.length, one.first, one.media, one.name, one.body) == (
        other.track, other.length, other.first, other.media, other.name, other.body,
    )  # fmt: skip


def record_of(piece: Piece, rate: tuple[int, int]) -> Record:
    """Return a clip as JSON, as it merges: all but where it stands."""
    return {
        "name": piece.name,
        "track": piece.track,
        "played": {"first": piece.first, "length": piece.length, "rate": list(rate)},
        "media": piece.media,
        "body": piece.body,
    }
