"""Merging two versions of an editor's cut: clips on tracks, each known by what it is, and the rest of the project.

A clip is a record of its own, so that one side may take it to another track while the other trims it. Where it stands
is left out while the records merge and is laid anew afterwards (`cut_layout`): what only follows from a trim or an
insertion of the other side is not a conflict. A format reads its file into a `Cut` and writes a merged one back.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import UNSET, Struct, structs

from aura_vcs.compare.merge.cut_layout import Spot, lay
from aura_vcs.compare.merge.json_values import PLAIN, Merge, MergeRules, merge_values
from aura_vcs.compare.merge.lists import Arrangement, arrange
from aura_vcs.compare.merge.model import Conflict
from aura_vcs.compare.merge.ranges import merge_ends
from aura_vcs.compare.timeline.match import match_timelines
from aura_vcs.formats.jsondoc.values import JsonValue, join_pointer, same
from aura_vcs.formats.timeline.model import Clip, Timeline, Track

Record = dict[str, JsonValue]
LINES = "lines"
"""The one key of a record of lines that mean something only together."""
PLAYED = ("first", "length", "rate")


class Piece(Struct, frozen=True):
    """A clip of a cut: from `first` of its media, `length` long, at `start` of its track, in units of the cut.

    `body` is everything else that it says, without ids that mean nothing outside of one file. `native` is an id of the
    editor's that holds over saves, "" for none; `id` is what the merge calls it.
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
    """The merged clips and the rest, and what is left to decide; with a `reason` it must not count."""

    pieces: tuple[Piece, ...]
    rest: Record
    conflicts: tuple[Conflict, ...] = ()
    reason: str = ""


def merge_cuts(base: Cut, ours: Cut, theirs: Cut) -> MergedCut:
    """Merge two changed versions of a cut.

    No clip of either side disappears unless the other took it out and this one had not changed it; what both changed
    differently is a question, and stays as ours has it.
    """
    named = name_pieces(base, ours, theirs)
    untouched = _untouched(named)
    sides = [
        {"clips": {p.id: _record(p, cut.rate) for p in pieces if p.id not in untouched}, "rest": cut.rest}
        for pieces, cut in zip(named, (base, ours, theirs), strict=True)
    ]
    merged = merge_values(*sides, rules=RULES)
    known = {piece.id: piece for pieces in reversed(named) for piece in pieces}
    pieces = [_piece(known[name], record) for name, record in merged.value["clips"].items()]
    pieces += [known[name] for name in untouched]
    tracks = [*ours.tracks, *(track for track in theirs.tracks if track not in ours.tracks)]
    if stray := next((piece for piece in pieces if piece.track not in tracks), None):
        return MergedCut((), {}, reason=f"the track of {stray.name or 'a clip'} is not there any more")
    free = base.free | ours.free | theirs.free
    spots = [{p.id: Spot(p.track, p.start, p.length) for p in side} for side in named]
    order = _order(named, {piece.id for piece in pieces})
    laid = lay(spots[0], spots[1], spots[2], {p.id: Spot(p.track, 0, p.length) for p in pieces}, order, free)
    placed = sorted(
        (structs.replace(p, start=laid.starts[p.id]) for p in pieces),
        key=lambda p: (tracks.index(p.track), p.start, p.id),
    )
    conflicts = [*merged.conflicts, *_places(laid.asked, spots, ours.rate)]
    return MergedCut(tuple(placed), merged.value["rest"], tuple(conflicts))


def _untouched(named: Sequence[Sequence[Piece]]) -> set[str]:
    """Select the clips that are alike in all three versions, wherever they stand: most of a large project."""
    ours, theirs = ({piece.id: piece for piece in side} for side in named[1:])
    found = set()
    for piece in named[0]:
        here, there = ours.get(piece.id), theirs.get(piece.id)
        if here is not None and there is not None and _is_alike(piece, here) and _is_alike(piece, there):
            found.add(piece.id)
    return found


def _is_alike(one: Piece, other: Piece) -> bool:
    return (one.track, one.length, one.first, one.media, one.name, one.body) == (
        other.track, other.length, other.first, other.media, other.name, other.body,
    )  # fmt: skip


def _record(piece: Piece, rate: tuple[int, int]) -> Record:
    return {
        "name": piece.name,
        "track": piece.track,
        "played": {"first": piece.first, "length": piece.length, "rate": list(rate)},
        "media": piece.media,
        "body": piece.body,
    }


def _piece(like: Piece, record: Record) -> Piece:
    first, length = record["played"]["first"], record["played"]["length"]
    body, name, media = record["body"], record["name"], record["media"]
    return Piece(like.id, record["track"], 0, length, first, body, name, media, like.native)


def cut_value(cut: Cut) -> Record:
    """Return a cut as JSON, as decisions are carried out on it: clips by their names, their places, the rest."""
    places = {piece.id: _place_value(piece.start, cut.rate) for piece in cut.pieces}
    return {"clips": {piece.id: _record(piece, cut.rate) for piece in cut.pieces}, "places": places, "rest": cut.rest}


def cut_of(value: Record, like: Cut) -> MergedCut:
    """Read a decided value (see `cut_value`) as a cut again.

    Raises:
        ValueError: two of its clips would play at once on one track.
    """
    natives = {piece.id: piece.native for piece in like.pieces}
    pieces = []
    for name, record in value["clips"].items():
        piece = Piece(
            name,
            record["track"],
            0,
            record["played"]["length"],
            record["played"]["first"],
            record["body"],
            record["name"],
            record["media"],
            natives.get(name, ""),
        )
        pieces.append(structs.replace(piece, start=_start_of(value["places"].get(name, 0))))
    order = {track: n for n, track in enumerate(like.tracks)}
    pieces.sort(key=lambda p: (order.get(p.track, len(order)), p.start, p.id))
    for one, other in pairwise(pieces):
        if one.track == other.track and one.track not in like.free and one.start + one.length > other.start:
            raise ValueError(f"{other.name or 'a clip'} would begin before {one.name or 'the clip in front'} ends")
    return MergedCut(tuple(pieces), value["rest"])


def _together(base: Record, ours: Record, theirs: Record) -> Record | None:
    """Merge what a clip plays of its media by its two ends; lines of a file only as a whole."""
    if set(ours) == set(theirs) == {LINES}:
        return None
    if set(base) != set(PLAYED) or set(ours) != set(PLAYED) or set(theirs) != set(PLAYED):
        return {}
    ends = [(side["first"], side["first"] + side["length"]) for side in (base, ours, theirs)]
    joined = merge_ends(ends[0], ends[1], ends[2], near=0)
    return None if joined is None else {"first": joined[0], "length": joined[1], "rate": ours["rate"]}


def _match(old: list[JsonValue], new: list[JsonValue], merge: Merge) -> list[tuple[int, int]]:
    return PLAIN.match(old, new, merge)


RULES = MergeRules(_match, _together, merges_words=False)


def name_pieces(base: Cut, ours: Cut, theirs: Cut) -> tuple[list[Piece], list[Piece], list[Piece]]:
    """Name the clips of the three versions: those that are the same clip get the same id."""
    old = list(base.pieces)
    mine, other = _renamed(base, ours, "ours"), _renamed(base, theirs, "theirs")
    known = {piece.id for piece in old}
    added = {_content(piece): piece.id for piece in reversed(mine) if piece.id not in known}
    natives = {piece.native: piece.id for piece in mine if piece.native and piece.id not in known}
    result = []
    for piece in other:
        twin = None
        if piece.id not in known:
            twin = natives.pop(piece.native, None) if piece.native else added.pop(_content(piece), None)
        result.append(structs.replace(piece, id=twin) if twin else piece)
    return old, mine, result


def _content(piece: Piece) -> tuple[object, ...]:
    return piece.track, piece.start, piece.length, piece.first, piece.media, piece.name, str(piece.body)


def _renamed(base: Cut, side: Cut, word: str) -> list[Piece]:
    match = match_timelines(_model(base), _model(side), strict=True)
    by_track = [[p for p in cut.pieces if p.track == track] for cut in (base, side) for track in cut.tracks]
    olds, news = by_track[: len(base.tracks)], by_track[len(base.tracks) :]
    ids = {news[b.track][b.position].id: olds[a.track][a.position].id for a, b in match.clips}
    taken = {piece.id for piece in base.pieces}
    renamed = []
    for piece in side.pieces:
        name = ids.get(piece.id) or _free((piece.native and f"clip {piece.native}") or f"{piece.id} ({word})", taken)
        taken.add(name)
        renamed.append(structs.replace(piece, id=name))
    return renamed


def _free(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name} {number}", number + 1
    return candidate


def _model(cut: Cut) -> Timeline:
    """Return a cut as a timeline whose clips and tracks can be matched; a track of the same id is the same track."""
    tracks = []
    for track in cut.tracks:
        clips = tuple(
            Clip("", "clip", n + 1, p.name, p.native, p.media, p.first, p.start, p.length)
            for n, p in enumerate(p for p in cut.pieces if p.track == track)
        )
        tracks.append(Track(track, track, "", clips))
    return Timeline(tuple(tracks), {})


def _order(named: Sequence[Sequence[Piece]], kept: set[str]) -> list[str]:
    """Merge the order of the clips: for those that stand at one place."""
    places = [{p.id: n for n, p in enumerate(side)} for side in named]
    ids = [p.id for p in named[0]]
    ids += [p.id for side in named[1:] for p in side if p.id not in places[0]]
    ids = list(dict.fromkeys(ids))
    to_ours = sorted(
        ((places[0][i], places[1][i]) for i in ids if i in places[0] and i in places[1]), key=lambda pair: pair[1]
    )
    to_theirs = sorted(
        ((places[0][i], places[2][i]) for i in ids if i in places[0] and i in places[2]), key=lambda pair: pair[1]
    )
    added = [(places[1][i], places[2][i]) for i in ids if i not in places[0] and i in places[1] and i in places[2]]
    plan = Arrangement((len(named[0]), len(named[1]), len(named[2])), to_ours, to_theirs, added)
    by_entity = {}
    for n, (b, o, t) in enumerate(plan.entities):
        side, at = next((side, at) for side, at in zip(named, (b, o, t), strict=True) if at is not None)
        by_entity[n] = side[at].id
    members = {n for n, name in by_entity.items() if name in kept}
    arranged = arrange(plan, members, lambda n: [by_entity[n]], counts=lambda _: False, wait=lambda _: False)
    return [by_entity[n] for n in arranged.order]


def _start_of(place: JsonValue) -> int:
    """Read a place; conflicts that were stored by an earlier version have bare numbers."""
    found = place.get("starts") if isinstance(place, dict) else place
    if not isinstance(found, int):
        raise ValueError("it is not said where a clip stands")
    return found


def _place_value(start: int, rate: tuple[int, int]) -> JsonValue:
    return {"starts": start, "rate": list(rate)}


def _places(asked: Iterable[str], spots: Sequence[dict[str, Spot]], rate: tuple[int, int]) -> list[Conflict]:
    """Return the conflicts about where a clip stands."""
    found = []
    for name in asked:
        sides = [_place_value(side[name].start, rate) if name in side else UNSET for side in spots]
        found.append(Conflict("changed", join_pointer(("places", name)), *sides))
    return found


def is_same_cut(one: Iterable[Piece], other: Iterable[Piece]) -> bool:
    """Tell whether two lists of clips are the same cut, whatever the clips are called."""
    sides = [[(_place(p), p.body) for p in pieces] for pieces in (one, other)]
    return len(sides[0]) == len(sides[1]) and all(
        a[0] == b[0] and same(a[1], b[1]) for a, b in zip(*sides, strict=True)
    )


def _place(piece: Piece) -> tuple[object, ...]:
    return piece.track, piece.start, piece.length, piece.first, piece.media, piece.name
