"""Merging two versions of an editor's cut: clips on tracks, each known by what it is, and the rest of the project.

A clip is a record of its own, so that one side may take it to another track while the other trims it. Where it stands
is left out while the records merge and is laid anew afterwards (`cut_layout`): what only follows from a trim or an
insertion of the other side is not a conflict. A format reads its file into a `Cut` and writes a merged one back.
"""

from collections.abc import Iterable, Sequence

from msgspec import structs

from aura_vcs.compare.merge.cut_layout import Spot, lay
from aura_vcs.compare.merge.cut_model import LINES, PLAYED, Cut, MergedCut, Piece, Record, is_alike, record_of
from aura_vcs.compare.merge.cut_moves import find_moves
from aura_vcs.compare.merge.cut_names import name_versions
from aura_vcs.compare.merge.cut_places import ask_places, place_value, push_apart, start_of
from aura_vcs.compare.merge.cut_questions import Questions
from aura_vcs.compare.merge.json_values import PLAIN, Merge, MergeRules, merge_values
from aura_vcs.compare.merge.lists import Arrangement, arrange
from aura_vcs.compare.merge.ranges import merge_ends
from aura_vcs.formats.jsondoc.values import JsonValue, same


def merge_cuts(base: Cut, ours: Cut, theirs: Cut) -> MergedCut:
    """Merge two changed versions of a cut.

    No clip of either side disappears unless the other took it out and this one had not changed it; what both changed
    differently is a question, and stays as ours has it.
    """
    cuts = base, ours, theirs
    named = name_versions(base, ours, theirs)
    sides = named.sides
    untouched = _untouched(sides)
    records = [
        {"clips": {p.id: record_of(p, cut.rate) for p in pieces if p.id not in untouched}, "rest": cut.rest}
        for pieces, cut in zip(sides, cuts, strict=True)
    ]
    merged = merge_values(*records, rules=RULES)
    questions = Questions(cuts, named, (find_moves(sides[0], sides[1]), find_moves(sides[0], sides[2])))
    clips, asked = questions.ask(merged.value["clips"], merged.conflicts)
    known = {piece.id: piece for pieces in reversed(sides) for piece in pieces}
    pieces = [_piece(known[name], record) for name, record in clips.items()]
    pieces += [known[name] for name in untouched]
    tracks = [*ours.tracks, *(track for track in theirs.tracks if track not in ours.tracks)]
    if stray := next((piece for piece in pieces if piece.track not in tracks), None):
        return MergedCut((), {}, reason=f"the track of {stray.name or 'a clip'} is not there any more")
    free = base.free | ours.free | theirs.free
    spots = [{p.id: Spot(p.track, p.start, p.length) for p in side} for side in sides]
    order = _order(sides, {piece.id for piece in pieces})
    laid = lay(spots[0], spots[1], spots[2], {p.id: Spot(p.track, 0, p.length) for p in pieces}, order, free)
    placed = sorted(
        (structs.replace(p, start=laid.starts[p.id]) for p in pieces),
        key=lambda p: (tracks.index(p.track), p.start, p.id),
    )
    places = ask_places([*laid.asked, *questions.moved_twice()], sides, placed, ours.rate)
    conflicts = [*asked, *places]
    return MergedCut(tuple(placed), merged.value["rest"], tuple(conflicts), own=named.own)


def _untouched(named: Sequence[Sequence[Piece]]) -> set[str]:
    """Select the clips that are alike in all three versions, wherever they stand: most of a large project."""
    ours, theirs = ({piece.id: piece for piece in side} for side in named[1:])
    found = set()
    for piece in named[0]:
        here, there = ours.get(piece.id), theirs.get(piece.id)
        if here is not None and there is not None and is_alike(piece, here) and is_alike(piece, there):
            found.add(piece.id)
    return found


def _piece(like: Piece, record: Record) -> Piece:
    first, length = record["played"]["first"], record["played"]["length"]
    body, name, media = record["body"], record["name"], record["media"]
    return Piece(like.id, record["track"], 0, length, first, body, name, media, like.native)


def cut_value(cut: Cut) -> Record:
    """Return a cut as JSON, as decisions are carried out on it: clips by their names, their places, the rest."""
    places = {piece.id: place_value(piece.start, cut.rate) for piece in cut.pieces}
    return {"clips": {piece.id: record_of(piece, cut.rate) for piece in cut.pieces}, "places": places, "rest": cut.rest}


def cut_of(value: Record, like: Cut) -> MergedCut:
    """Read a decided value (see `cut_value`) as a cut again; what would overlap makes way.

    Raises:
        ValueError: it is not said where a clip stands.
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
        pieces.append(structs.replace(piece, start=start_of(value["places"].get(name, 0))))
    order = {track: n for n, track in enumerate(like.tracks)}
    pieces = push_apart(pieces, like)
    pieces.sort(key=lambda p: (order.get(p.track, len(order)), p.start, p.id))
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


def is_same_cut(one: Iterable[Piece], other: Iterable[Piece]) -> bool:
    """Tell whether two lists of clips are the same cut, whatever the clips are called."""
    sides = [[(_place(p), p.body) for p in pieces] for pieces in (one, other)]
    return len(sides[0]) == len(sides[1]) and all(
        a[0] == b[0] and same(a[1], b[1]) for a, b in zip(*sides, strict=True)
    )


def _place(piece: Piece) -> tuple[object, ...]:
    return piece.track, piece.start, piece.length, piece.first, piece.media, piece.name
