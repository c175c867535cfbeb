"""Which clips of a cut a side moved by hand: what only follows from a trim or an insertion in front is no move."""

from collections.abc import Iterable

from msgspec import Struct

from aura_vcs.compare.diff.sequences import always_increasing, longest_increasing
from aura_vcs.compare.merge.cut_model import Piece


class Moves(Struct, frozen=True):
    """The clips that a side moved: past others, to another track, or (`slid`) between its neighbours.

    `possible` has those as well of which a neighbour may be the one that was moved.
    """

    certain: frozenset[str]
    slid: frozenset[str]
    possible: frozenset[str]


def by_track(pieces: Iterable[Piece]) -> dict[str, list[Piece]]:
    """Group clips by their track, in the order in which they stand there."""
    found: dict[str, list[Piece]] = {}
    for piece in pieces:
        found.setdefault(piece.track, []).append(piece)
    for track in found.values():
        track.sort(key=lambda piece: piece.start)
    return found


def stayed(before: list[Piece], after: list[Piece]) -> set[str]:
    """Return the clips that are in both versions of a track, in their order."""
    common, ranks = _common(before, after)
    return {common[n] for n in longest_increasing(ranks)}


def find_moves(base: Iterable[Piece], side: Iterable[Piece]) -> Moves:
    """Find what a side moved; n log n."""
    old, new = by_track(base), by_track(side)
    there = {piece.id: piece for track in new.values() for piece in track}
    certain = {p.id for track in old.values() for p in track if p.id in there and there[p.id].track != p.track}
    possible, slid = set(certain), set[str]()
    for track, before in old.items():
        after = new.get(track, [])
        common, ranks = _common(before, after)
        kept = {common[n] for n in longest_increasing(ranks)}
        sure = {common[n] for n in always_increasing(ranks)}
        certain.update(name for name in common if name not in kept)
        possible.update(name for name in common if name not in sure)
        slid |= _slid(before, after, kept)
    return Moves(frozenset(certain), frozenset(slid), frozenset(possible | slid))


def _common(before: list[Piece], after: list[Piece]) -> tuple[list[str], list[int]]:
    place = {piece.id: n for n, piece in enumerate(after)}
    common = [piece.id for piece in before if piece.id in place]
    return common, [place[name] for name in common]


def _slid(before: list[Piece], after: list[Piece], kept: set[str]) -> set[str]:
    """Find clips that stand elsewhere while there is other empty time both in front of them and behind."""
    was, now = _gaps(before), _gaps(after)
    return {name for name in kept if all(a != b for a, b in zip(was[name], now[name], strict=True))}


def _gaps(pieces: list[Piece]) -> dict[str, tuple[int, int, int]]:
    """Map clips to their start and the empty time in front of them and behind; the last goes by its start alone."""
    found: dict[str, tuple[int, int, int]] = {}
    end = 0
    for n, piece in enumerate(pieces):
        behind = pieces[n + 1].start - piece.start - piece.length if n + 1 < len(pieces) else -1 - piece.start
        found[piece.id] = (piece.start, piece.start - end, behind)
        end = piece.start + piece.length
    return found
