"""What two sides did to one clip of a cut that cannot both be, and is not two values of one field.

Fields of a clip merge one by one. Of some clips that would make a third clip that nobody meant: where both gave it
other media, or one changed its speed and the other its length. And where one side took a clip out while the other moved
it or split it, no field differs at all. Such a clip is decided as a whole.
"""

from collections.abc import Mapping, Sequence

from aura_vcs.compare.merge.cut_model import Cut, Piece, Record, is_alike, record_of
from aura_vcs.compare.merge.cut_moves import Moves, by_track
from aura_vcs.compare.merge.cut_names import NamedPieces
from aura_vcs.compare.merge.model import Conflict
from aura_vcs.formats.jsondoc.values import join_pointer, split_pointer


class Questions:
    """The questions of one merge that go beyond fields."""

    def __init__(self, cuts: Sequence[Cut], named: NamedPieces, moves: tuple[Moves, Moves]) -> None:
        self.cuts = cuts
        self.named = named
        self.moves = moves
        self.by_id = [{piece.id: piece for piece in side} for side in named.sides]

    def ask(self, clips: Record, conflicts: Sequence[Conflict]) -> tuple[Record, list[Conflict]]:
        """Return the merged clips and the conflicts with what is decided as a whole: ours, until somebody decides."""
        undivided = self._undivided(clips, conflicts)
        found = dict(clips)
        left = [c for c in conflicts if not _is_below(c, undivided)]
        for name in undivided:
            records = [self._record(side, name) for side in range(3)]
            found[name] = records[1]
            left.append(Conflict("changed", join_pointer(("clips", name)), *records))
            left += self._cut_off(name, found)
        for side in (1, 2):
            for name in self._held(side, found):
                found[name] = self._record(side, name)
                left.append(self._removed(side, name))
        return found, left

    def moved_twice(self) -> list[str]:
        """List clips that both sides moved, to different places."""
        mine, other = self.moves
        both = (mine.certain | mine.slid) & (other.certain | other.slid) - (mine.slid & other.slid)
        if not both:
            return []
        common = self.by_id[1].keys() & self.by_id[2].keys()
        fronts = [_in_front(side, common) for side in self.named.sides[1:]]
        return [p.id for p in self.named.sides[0] if p.id in both and fronts[0][p.id] != fronts[1][p.id]]

    def _cut_off(self, name: str, clips: Record) -> list[Conflict]:
        """Ask about the parts of a clip that a side cut off it: they go where the other side's clip is taken."""
        found = []
        for side, parts in enumerate(self.named.torn.get(name, ()), 1):
            for part in parts:
                if part in clips and part not in self.by_id[3 - side]:
                    pointer, record = join_pointer(("clips", part)), self._record(side, part)
                    if side == 1:
                        found.append(Conflict("removed_by_theirs", pointer, ours=record))
                    else:
                        found.append(Conflict("removed_by_ours", pointer, theirs=record))
        return found

    def _removed(self, side: int, name: str) -> Conflict:
        """Ask about a clip that the other side took out; where this one moved it, with its place."""
        pointer, was, record = join_pointer(("clips", name)), self._record(0, name), self._record(side, name)
        if name in self.moves[side - 1].possible:
            was["starts"], record["starts"] = self.by_id[0][name].start, self.by_id[side][name].start
        if side == 1:
            return Conflict("removed_by_theirs", pointer, was, ours=record)
        return Conflict("removed_by_ours", pointer, was, theirs=record)

    def _record(self, side: int, name: str) -> Record:
        return record_of(self.by_id[side][name], self.cuts[side].rate)

    def _undivided(self, clips: Record, conflicts: Sequence[Conflict]) -> list[str]:
        """List clips that both sides changed, differently, and that do not merge field by field.

        A format says what a clip is called and plays more than once: those belong together.
        """
        asked: set[str] = set()
        for conflict in conflicts:
            tokens = split_pointer(conflict.pointer)
            if len(tokens) > 2 and tokens[0] == "clips" and tokens[2] in ("name", "media"):
                asked.add(tokens[1])
        together = self.named.replaced | asked
        found = []
        for name in clips:
            base, here, there = (side.get(name) for side in self.by_id)
            if base is None or here is None or there is None or is_alike(here, there):
                continue
            is_changed = not (is_alike(base, here) or is_alike(base, there))
            if name in self.named.torn or (is_changed and (name in together or _is_torn(base, here, there))):
                found.append(name)
        return found

    def _held(self, side: int, clips: Mapping[str, object]) -> list[str]:
        """List clips that the other side took out while this one moved or split them."""
        kept = self.moves[side - 1].possible | self.named.split
        gone = kept - clips.keys() - self.by_id[3 - side].keys()
        return [piece.id for piece in self.named.sides[side] if piece.id in gone and piece.id in self.by_id[0]]


def _is_below(conflict: Conflict, names: Sequence[str]) -> bool:
    tokens = split_pointer(conflict.pointer)
    return len(tokens) > 1 and tokens[0] == "clips" and tokens[1] in names


def _is_torn(base: Piece, ours: Piece, theirs: Piece) -> bool:
    """Tell whether two changes of a clip would make a third one together."""
    if len({base.media, ours.media, theirs.media}) == 3:
        return True
    faster = [side.speed != base.speed for side in (ours, theirs)]
    trimmed = [(side.first, side.length) != (base.first, base.length) for side in (ours, theirs)]
    other = [side.media != base.media for side in (ours, theirs)]
    if all(trimmed) and any(other):
        return True
    return any(faster[n] and (faster[1 - n] or trimmed[1 - n]) for n in (0, 1))


def _in_front(pieces: Sequence[Piece], common: Mapping[str, Piece] | set[str]) -> dict[str, tuple[str, str]]:
    """Map the clips that both sides have to their track and to the one in front."""
    found: dict[str, tuple[str, str]] = {}
    for track, members in by_track(pieces).items():
        front = ""
        for piece in members:
            if piece.id in common:
                found[piece.id] = (track, front)
                front = piece.id
    return found
