"""What people do to a cut, done to the project files themselves: for tests of merges."""

import re
from collections.abc import Callable
from random import Random

from aura_vcs.compare.merge.cut import MergedCut, Piece
from aura_vcs.compare.merge.project import CutFile, read_cut
from aura_vcs.formats.jsondoc.parse import Unstructured
from msgspec import structs

Edit = Callable[[list[Piece], Random, CutFile], list[Piece]]


def open_cut(data: bytes) -> CutFile:
    file = read_cut(data)
    assert file is not None
    assert not isinstance(file, Unstructured), file
    return file


def _on(pieces: list[Piece], track: str) -> list[Piece]:
    return sorted((p for p in pieces if p.track == track), key=lambda p: p.start)


def _shift(pieces: list[Piece], track: str, start: int, by: int) -> list[Piece]:
    """Everything on a track from a place on, later or earlier: what editors call a ripple."""
    return [structs.replace(p, start=p.start + by) if p.track == track and p.start >= start else p for p in pieces]


def trim(pieces: list[Piece], random: Random, file: CutFile) -> list[Piece]:
    """Shorten a clip at its end, with or without a ripple."""
    piece = random.choice(pieces)
    if piece.length < 4:
        return pieces
    by = random.randint(1, piece.length // 2)
    new = [structs.replace(p, length=p.length - by) if p.id == piece.id else p for p in pieces]
    return _shift(new, piece.track, piece.start + piece.length, -by) if random.random() < 0.5 else new


def trim_head(pieces: list[Piece], random: Random, file: CutFile) -> list[Piece]:
    """Shorten a clip at its beginning, leaving a gap."""
    piece = random.choice(pieces)
    if piece.length < 4:
        return pieces
    by = random.randint(1, piece.length // 2)
    cut = {"start": piece.start + by, "first": piece.first + by, "length": piece.length - by}
    return [structs.replace(p, **cut) if p.id == piece.id else p for p in pieces]


def delete(pieces: list[Piece], random: Random, file: CutFile) -> list[Piece]:
    """Take a clip out, with or without a ripple."""
    piece = random.choice(pieces)
    new = [p for p in pieces if p.id != piece.id]
    return _shift(new, piece.track, piece.start + piece.length, -piece.length) if random.random() < 0.5 else new


def insert(pieces: list[Piece], random: Random, file: CutFile) -> list[Piece]:
    """Put in another stretch of something that is there already, and push the rest."""
    like, at = random.choice(pieces), random.choice(pieces)
    length = random.randint(3, 60)
    first = like.first + 1000 + random.randint(0, 999)
    new = structs.replace(like, id=f"new {random.random()}", native="", track=at.track, start=at.start, first=first)
    new = structs.replace(new, length=length)
    body = {key: value for key, value in like.body.items() if key not in ("mixes", "compositions")}
    return [*_shift(pieces, at.track, at.start, length), structs.replace(new, body=body)]


def append(pieces: list[Piece], random: Random, file: CutFile) -> list[Piece]:
    """Put something behind the last clip of a track."""
    like, at = random.choice(pieces), random.choice(pieces)
    end = max(p.start + p.length for p in pieces if p.track == at.track)
    body = {key: value for key, value in like.body.items() if key not in ("mixes", "compositions")}
    gap = random.randint(0, 30)
    first = 2000 + random.randint(0, 999)
    return [
        *pieces,
        structs.replace(
            like,
            id=f"new {random.random()}",
            native="",
            track=at.track,
            start=end + gap,
            first=first,
            length=25,
            body=body,
        ),
    ]


def move(pieces: list[Piece], random: Random, file: CutFile) -> list[Piece]:
    """Take a clip to the end of another track."""
    piece = random.choice(pieces)
    tracks = [
        track
        for track in file.cut.tracks
        if track != piece.track and track.partition(" ")[0] == piece.track.partition(" ")[0]
    ]
    if not tracks:
        return pieces
    track = random.choice(tracks)
    end = max((p.start + p.length for p in pieces if p.track == track), default=0)
    body = {key: value for key, value in piece.body.items() if key not in ("mixes", "compositions")} | (
        {"part": 0} if "part" in piece.body else {}
    )
    return [structs.replace(p, track=track, start=end + 10, body=body) if p.id == piece.id else p for p in pieces]


EDITS: tuple[Edit, ...] = (trim, trim_head, delete, insert, append, move)


def edited(data: bytes, random: Random, *, times: int = 1) -> bytes:
    """The project after some edits, as its editor would save it."""
    file = open_cut(data)
    pieces = list(file.cut.pieces)
    for _ in range(times):
        if pieces:
            changed = random.choice(EDITS)(pieces, random, file)
            pieces = changed if _fits(changed, file) else pieces
    order = {track: n for n, track in enumerate(file.cut.tracks)}
    pieces.sort(key=lambda p: (order[p.track], p.start))
    return file.write(MergedCut(tuple(pieces), file.cut.rest), {p.id: p.id for p in file.cut.pieces})


def _fits(pieces: list[Piece], file: CutFile) -> bool:
    """Whether no two clips overlap where they must not."""
    for track in file.cut.tracks:
        end = 0
        for piece in _on(pieces, track) if track not in file.cut.free else []:
            if piece.start < end:
                return False
            end = piece.start + piece.length
    return True


def renumbered(data: bytes, random: Random) -> bytes:
    """The project with its ids given anew, as Kdenlive and Shotcut do at every save."""
    names = sorted(set(re.findall(rb'<(?:chain|producer) id="([^"{]+)"', data)))
    new = list(names)
    random.shuffle(new)
    table = dict(zip(names, new, strict=True))
    return re.sub(
        rb'((?:<(?:chain|producer) id|producer)=")([^"]+)"',
        lambda m: m.group(1) + table.get(m.group(2), m.group(2)) + b'"',
        data,
    )
