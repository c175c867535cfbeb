"""Which clip of a cut is which clip of two others: names that hold over the three versions of a merge.

A clip is known by what it is. Where both sides gave one clip other media, nothing of it is left to know it by: then
what each put in its place stands for it. A clip that one side split is split in the other versions as well, so that
what was done to the whole is done to each part.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import Struct, structs

from aura_vcs.compare.merge.cut_model import Cut, Piece, is_alike
from aura_vcs.compare.merge.cut_moves import by_track, find_moves
from aura_vcs.compare.merge.stand_ins import find_stand_ins
from aura_vcs.compare.timeline.match import match_timelines
from aura_vcs.formats.timeline.model import Clip, Timeline, Track

Pieces = list[Piece]
Sides = tuple[Pieces, Pieces, Pieces]
Cuts = tuple[Cut, Cut, Cut]


class NamedPieces(Struct, frozen=True):
    """The clips of common, our and their version: those that are the same clip have the same id.

    `own` maps these ids to those that the three cuts have for them. `replaced` are clips to which both sides gave other
    media, `split` the parts of clips that a side split and the other took out. `torn` are clips that a side split while
    what the other did to the whole cannot be done to each part, with what ours and theirs cut off them.
    """

    sides: Sides
    own: tuple[dict[str, str], dict[str, str], dict[str, str]]
    replaced: frozenset[str] = frozenset()
    split: frozenset[str] = frozenset()
    torn: dict[str, tuple[list[str], list[str]]] = {}


def name_versions(base: Cut, ours: Cut, theirs: Cut) -> NamedPieces:
    """Name the clips of the three versions."""
    cuts = (base, ours, theirs)
    named = _name(cuts)
    splits = _Splits(cuts, named)
    if not splits.points:
        return structs.replace(named, torn=splits.torn)
    again = _name(splits.split())
    return structs.replace(again, split=frozenset(splits.parts), torn=splits.torn)


def _name(cuts: Cuts) -> NamedPieces:
    old = list(cuts[0].pieces)
    mine, other = _renamed(cuts[0], cuts[1], "ours"), _renamed(cuts[0], cuts[2], "theirs")
    replaced, mine, other = _with_stand_ins(old, mine, other)
    known = {piece.id for piece in old}
    added = {_content(piece): piece.id for piece in reversed(mine) if piece.id not in known}
    natives = {piece.native: piece.id for piece in mine if piece.native and piece.id not in known}
    result = []
    for piece in other:
        twin = None
        if piece.id not in known:
            twin = natives.pop(piece.native, None) if piece.native else added.pop(_content(piece), None)
        result.append(structs.replace(piece, id=twin) if twin else piece)
    own = (_ids(old, cuts[0]), _ids(mine, cuts[1]), _ids(result, cuts[2]))
    return NamedPieces((old, mine, result), own, replaced)


def _ids(side: Pieces, cut: Cut) -> dict[str, str]:
    return {piece.id: own.id for piece, own in zip(side, cut.pieces, strict=True)}


def _with_stand_ins(old: Pieces, mine: Pieces, other: Pieces) -> tuple[frozenset[str], Pieces, Pieces]:
    """Let what a side put in the place of a clip be that clip, where the other side changed it or took it out, too.

    Returns the ids of those that both sides replaced, and the clips of both.
    """
    sides = mine, other
    found = [find_stand_ins(old, side) for side in sides]
    if not (found[0] or found[1]):
        return frozenset(), mine, other
    was = {piece.id: piece for piece in old}
    moves = [find_moves(old, side).possible for side in sides]
    result = []
    for number, side in enumerate(sides):
        there = {piece.id: piece for piece in sides[1 - number]}
        names = {}
        for name, new in found[number].items():
            counterpart = there.get(name)
            if counterpart is None or name in moves[1 - number] or not is_alike(was[name], counterpart):
                names[new.id] = name
        result.append([structs.replace(piece, id=names.get(piece.id, piece.id)) for piece in side])
    return frozenset(found[0].keys() & found[1].keys()), result[0], result[1]


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


class _Splits:
    """Clips that a side split while the other changed the whole, moved it or took it out."""

    def __init__(self, cuts: Cuts, named: NamedPieces) -> None:
        self.cuts = cuts
        self.sides = named.sides
        self.by_id = [{piece.id: piece for piece in side} for side in named.sides]
        self.points: dict[str, list[int]] = {}
        """Where in its media a clip is split, by its id in the common version."""
        self.parts: set[str] = set()
        self.torn: dict[str, tuple[list[str], list[str]]] = {}
        self.chains: list[dict[str, Pieces]] = [{}, self._chains(1), self._chains(2)]
        names = dict.fromkeys([*self.chains[1], *self.chains[2]])
        moves = [find_moves(self.sides[0], side).possible if names else () for side in self.sides]
        for name in names:
            if any(name in self.chains[3 - side] and self._is_changed(name, side, moves[side]) for side in (1, 2)):
                self._add(name)

    def _chains(self, side: int) -> dict[str, Pieces]:
        """Find clips that are followed by what was cut off them; by their ids in the common version."""
        found: dict[str, Pieces] = {}
        for pieces in by_track(self.sides[side]).values():
            for n, piece in enumerate(pieces):
                base = self.by_id[0].get(piece.id)
                if base is None:
                    continue
                first = last = n
                while first and self._goes_on(base, pieces[first - 1], pieces[first], pieces[first - 1]):
                    first -= 1
                while last + 1 < len(pieces) and self._goes_on(base, pieces[last], pieces[last + 1], pieces[last + 1]):
                    last += 1
                if first < last:
                    found[piece.id] = pieces[first : last + 1]
        return found

    def _goes_on(self, base: Piece, one: Piece, other: Piece, new: Piece) -> bool:
        """Tell whether `new`, one of two neighbours, is of the clip and the second goes on where the first ends."""
        return (
            new.id not in self.by_id[0]
            and one.media == other.media == base.media
            and one.name == other.name
            and (one.first + one.length, one.start + one.length) == (other.first, other.start)
            and base.first <= new.first
            and new.first + new.length <= base.first + base.length
        )

    def _is_changed(self, name: str, side: int, moved: Iterable[str]) -> bool:
        piece = self.by_id[side].get(name)
        if piece is None or name in self.chains[side] or name in moved:
            return True
        return not is_alike(self.by_id[0][name], piece)

    def _add(self, name: str) -> None:
        base = self.by_id[0][name]
        here = [self.chains[side].get(name) or [*filter(None, [self.by_id[side].get(name)])] for side in (1, 2)]
        if not all(_may_split(base, piece) for pieces in here for piece in pieces):
            mine, other = ([piece.id for piece in pieces if piece.id != name] for pieces in here)
            self.torn[name] = mine, other
            return
        self.points[name] = sorted({p.first for chain in self.chains[1:] for p in chain.get(name, ())[1:]})
        if not all(here):
            self.parts.update(part.id for part in self._split(base, base, self.points[name]))

    def split(self) -> Cuts:
        """Return the three cuts with these clips split alike."""
        result = []
        for number, cut in enumerate(self.cuts):
            owners = {piece.id: name for name, chain in self.chains[number].items() for piece in chain}
            pieces: Pieces = []
            for own, piece in zip(cut.pieces, self.sides[number], strict=True):
                points = self.points.get(owners.get(piece.id, piece.id), [])
                pieces += self._split(own, piece, points)
            result.append(structs.replace(cut, pieces=tuple(pieces)))
        return result[0], result[1], result[2]

    def _split(self, own: Piece, piece: Piece, points: Sequence[int]) -> Pieces:
        """Split a clip at places of its media; what is said of it is said of each part."""
        end = piece.first + piece.length
        ends = [piece.first, *(point for point in points if piece.first < point < end), end]
        found = []
        for n, (first, last) in enumerate(pairwise(ends)):
            start = own.start + first - own.first
            part = structs.replace(own, start=start, first=first, length=last - first)
            found.append(structs.replace(part, id=f"{own.id}, part {n + 1}", native="") if n else part)
        return found


def _may_split(base: Piece, piece: Piece) -> bool:
    """Tell whether a version of a clip can be split where another one was: it plays some of the same, as fast."""
    moved = piece.first - base.first
    is_slipped = moved and moved == piece.first + piece.length - base.first - base.length
    return not is_slipped and (piece.media, piece.speed) == (base.media, base.speed)
