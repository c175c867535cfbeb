"""What stands for a clip that a side took out: it put another one there, and nothing says that it is the same clip.

Where the other side did something to that clip as well, both are about one place, and one of them can be.
"""

from aura_vcs.compare.merge.cut_model import Piece
from aura_vcs.compare.merge.cut_moves import by_track, stayed


def find_stand_ins(old: list[Piece], side: list[Piece]) -> dict[str, Piece]:
    """Find what a side put between its neighbours for a clip that it took out, by the id of that; n log n."""
    known = {piece.id for piece in old}
    gone = known - {piece.id for piece in side}
    here = by_track(side) if gone else {}
    found: dict[str, Piece] = {}
    for track, before in by_track(old).items() if gone else ():
        after = here.get(track, [])
        anchors = stayed(before, after)
        for olds, news in zip(_between(before, anchors), _between(after, anchors), strict=True):
            waiting = [piece for piece in news if piece.id not in known]
            for piece in (piece for piece in olds if piece.id in gone):
                if not waiting:
                    break
                same = next((n for n, new in enumerate(waiting) if new.length == piece.length), 0)
                found[piece.id] = waiting[same]
                del waiting[: same + 1]
    return found


def _between(pieces: list[Piece], anchors: set[str]) -> list[list[Piece]]:
    """Cut the clips of a track at those that stayed."""
    found: list[list[Piece]] = [[]]
    for piece in pieces:
        if piece.id in anchors:
            found.append([])
        else:
            found[-1].append(piece)
    return found
