"""REAPER projects as files that merge by clip."""

import hashlib
from collections.abc import Sequence

from msgspec import structs

from aura_vcs.compare.merge.cut_model import LINES, MergedCut, Piece
from aura_vcs.compare.merge.reaper_lines import ReaperLines
from aura_vcs.compare.merge.reaper_write import write_reaper


def _with_own_ids(piece: Piece) -> Piece:
    """Give an item other ids, the same on every machine."""
    body = dict(piece.body)
    for key in ("IGUID", "GUID"):
        if key in body:
            text = f"{body[key][LINES]} {piece.first}"
            digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest().upper()
            parts = (digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:])
            body[key] = {LINES: [f"{key} {{{'-'.join(parts)}}}"]}
    return structs.replace(piece, body=body)


class ReaperFile(ReaperLines):
    """One project."""

    def write(self, merged: MergedCut, names: dict[str, str]) -> bytes:
        """See CutFile."""
        return write_reaper(self, merged, names)

    def complete(self, merged: MergedCut, _sides: Sequence[object]) -> MergedCut:
        """See CutFile: what both sides cut off one item, at two places, is two items, each with ids of its own."""
        seen: set[str] = set()
        pieces = []
        for piece in merged.pieces:
            name = "".join(piece.body.get("IGUID", {}).get(LINES, ()))
            pieces.append(_with_own_ids(piece) if name and name in seen else piece)
            seen.add(name)
        return structs.replace(merged, pieces=tuple(pieces))

    def check(self, _sides: Sequence[object]) -> str:
        """See CutFile: that ids are there once is seen while it is read."""
        return ""
