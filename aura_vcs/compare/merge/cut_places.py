"""Where clips of a merged cut stand while that is a question, and where they stand once it is decided.

Places are told as they would be in the merged cut: behind what the clip is behind on that side.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from msgspec import UNSET, structs

from aura_vcs.compare.merge.cut_model import Cut, Piece
from aura_vcs.compare.merge.cut_moves import by_track
from aura_vcs.compare.merge.model import Conflict
from aura_vcs.formats.jsondoc.values import JsonValue, join_pointer


def place_value(start: int, rate: tuple[int, int]) -> JsonValue:
    """Return as JSON where a clip stands."""
    return {"starts": start, "rate": list(rate)}


def start_of(place: JsonValue) -> int:
    """Read a place; conflicts that were stored by an earlier version have bare numbers.

    Raises:
        ValueError: it is none.
    """
    found = place.get("starts") if isinstance(place, dict) else place
    if not isinstance(found, int):
        raise ValueError("it is not said where a clip stands")
    return found


def without_place(value: JsonValue) -> JsonValue:
    """Return a clip as it is in the JSON of a cut: what asks about one says beside it where it stands."""
    is_clip = isinstance(value, dict) and "played" in value and "starts" in value
    return {key: part for key, part in value.items() if key != "starts"} if is_clip else value


def ask_places(
    names: Iterable[str], sides: Sequence[Sequence[Piece]], merged: Sequence[Piece], rate: tuple[int, int]
) -> list[Conflict]:
    """Ask where these clips stand; `sides` are the common, our and their clips, and `merged` has them as ours does."""
    placed = {piece.id: piece for piece in merged}
    wanted = {name for name in names if name in placed}
    if not wanted:
        return []
    starts = [_starts(side, placed, wanted) for side in sides]
    found = []
    for name in sorted(wanted, key=lambda name: (placed[name].track, placed[name].start, name)):
        ours = placed[name].start
        values = [place_value(side[name], rate) if name in side else UNSET for side in starts]
        found.append(Conflict("changed", join_pointer(("places", name)), values[0], place_value(ours, rate), values[2]))
    return found


def _starts(side: Sequence[Piece], placed: Mapping[str, Piece], wanted: set[str]) -> dict[str, int]:
    """Work out where clips would stand in the merged cut if they stood as on this side."""
    found: dict[str, int] = {}
    for track, pieces in by_track(side).items():
        shift = 0
        for piece in pieces:
            if piece.id in wanted:
                found[piece.id] = max(0, piece.start + shift)
            elif (now := placed.get(piece.id)) is not None and now.track == track:
                shift = now.start + now.length - piece.start - piece.length
    return found


def push_apart(pieces: Sequence[Piece], like: Cut) -> list[Piece]:
    """Let clips of a decided cut begin later where they would overlap: all that begins there, on every track.

    What was decided about stands where it should; on tracks where clips may overlap nothing has to make way.
    """
    before = {piece.id: (piece.track, piece.start) for piece in like.pieces}

    def order(piece: Piece) -> tuple[int, bool]:
        return piece.start, before.get(piece.id) == (piece.track, piece.start)

    ends: dict[str, int] = {}
    result: list[Piece] = []
    shift = 0
    for (start, _), group in groupby(sorted(pieces, key=order), key=order):
        members = list(group)
        bound = [ends.get(piece.track, 0) for piece in members if piece.track not in like.free]
        shift = max([shift, *(end - start for end in bound)])
        for piece in members:
            at = max(start + shift, 0 if piece.track in like.free else ends.get(piece.track, 0))
            result.append(structs.replace(piece, start=at))
            ends[piece.track] = max(ends.get(piece.track, 0), at + piece.length)
    return result
