"""What people do to a cut, done to the project files themselves: for tests of merges."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from random import Random

from aura_vcs.compare.merge.cut_model import MergedCut, Piece, Record
from aura_vcs.compare.merge.project import CutFile, read_cut
from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.timeline.studio import canonical
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


def _any(pieces: list[Piece], random: Random) -> Piece:
    """Some clip that has its own times; an audition has those of what is in it."""
    return random.choice([p for p in pieces if p.body.get("tag") not in ("audition", "gap")] or pieces)


def _copied(piece: Piece, random: Random) -> Record:
    """What another use of a clip says: its own id where the format has ids, and no transitions."""
    body = {k: v for k, v in piece.body.items() if k not in ("mixes", "compositions", "before", "after")}
    if "IGUID" in body:
        body["IGUID"] = {"lines": [f"IGUID {{{random.getrandbits(128):032X}}}"]}
    return body


def trim(pieces: list[Piece], random: Random, file: CutFile) -> list[Piece]:
    """Shorten a clip at its end, with or without a ripple."""
    piece = _any(pieces, random)
    if piece.length < 4:
        return pieces
    by = random.randint(1, piece.length // 2)
    new = [structs.replace(p, length=p.length - by) if p.id == piece.id else p for p in pieces]
    return _shift(new, piece.track, piece.start + piece.length, -by) if random.random() < 0.5 else new


def trim_head(pieces: list[Piece], random: Random, file: CutFile) -> list[Piece]:
    """Shorten a clip at its beginning, leaving a gap."""
    piece = _any(pieces, random)
    if piece.length < 4:
        return pieces
    by = random.randint(1, piece.length // 2)
    cut = {"start": piece.start + by, "first": piece.first + by, "length": piece.length - by}
    return [structs.replace(p, **cut) if p.id == piece.id else p for p in pieces]


def delete(pieces: list[Piece], random: Random, file: CutFile) -> list[Piece]:
    """Take a clip out, with or without a ripple."""
    piece = _any(pieces, random)
    new = [p for p in pieces if p.id != piece.id]
    return _shift(new, piece.track, piece.start + piece.length, -piece.length) if random.random() < 0.5 else new


def insert(pieces: list[Piece], random: Random, file: CutFile) -> list[Piece]:
    """Put in another stretch of something that is there already, and push the rest."""
    like, at = _any(pieces, random), _any(pieces, random)
    length = random.randint(3, 60)
    first = like.first + 1000 + random.randint(0, 999)
    new = structs.replace(like, id=f"new {random.random()}", native="", track=at.track, start=at.start, first=first)
    new = structs.replace(new, length=length)
    body = _copied(like, random)
    return [*_shift(pieces, at.track, at.start, length), structs.replace(new, body=body)]


def append(pieces: list[Piece], random: Random, file: CutFile) -> list[Piece]:
    """Put something behind the last clip of a track."""
    like, at = _any(pieces, random), _any(pieces, random)
    end = max(p.start + p.length for p in pieces if p.track == at.track)
    body = _copied(like, random)
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
    piece = _any(pieces, random)
    tracks = [
        track
        for track in file.cut.tracks
        if track != piece.track and track.partition(" ")[0] == piece.track.partition(" ")[0]
    ]
    if not tracks:
        return pieces
    track = random.choice(tracks)
    end = max((p.start + p.length for p in pieces if p.track == track), default=0)
    left = ("mixes", "compositions", "before", "after")
    body = {k: v for k, v in piece.body.items() if k not in left} | ({"part": 0} if "part" in piece.body else {})
    return [structs.replace(p, track=track, start=end + 10, body=body) if p.id == piece.id else p for p in pieces]


def add_effect(pieces: list[Piece], random: Random, file: CutFile) -> list[Piece]:
    """Put an effect on a clip, where the format says them as elements of the clip."""
    piece = _any(pieces, random)
    if "entry" not in piece.body:
        return pieces
    values = {"mlt_service": "brightness", "level": f"0.{random.randint(10, 99)}7"}
    children = [{"tag": "property", "attributes": {"name": k}, "text": v} for k, v in values.items()]
    filters = [*piece.body["entry"], {"tag": "filter", "attributes": {}, "children": children}]
    return [structs.replace(p, body={**p.body, "entry": filters}) if p.id == piece.id else p for p in pieces]


def retime(pieces: list[Piece], random: Random, file: CutFile) -> list[Piece]:
    """Let a clip of a file play faster, as MLT's timewarp does."""
    piece = _any(pieces, random)
    plays = piece.body.get("plays")
    texts = {c["attributes"].get("name"): c.get("text", "") for c in plays["children"]} if _has_children(plays) else {}
    if not texts.get("mlt_service", "").startswith("avformat"):
        return pieces
    speed = f"{random.randint(11, 39) / 10}"
    told = {"mlt_service": "timewarp", "resource": f"{speed}:{texts['resource']}"}
    children = [
        {**c, "text": told[c["attributes"]["name"]]} if c["attributes"].get("name") in told else c
        for c in plays["children"]
    ]
    body = {**piece.body, "plays": {**plays, "children": children}}
    return [structs.replace(p, body=body) if p.id == piece.id else p for p in pieces]


def _has_children(plays: object) -> bool:
    return isinstance(plays, dict) and "children" in plays


EDITS: tuple[Edit, ...] = (trim, trim_head, delete, insert, append, move, add_effect, retime)


def edit_pieces(file: CutFile, random: Random, *, times: int = 1) -> list[Piece]:
    """The clips after some edits; what is the same clip keeps its name."""
    pieces = list(file.cut.pieces)
    for _ in range(times):
        if pieces:
            changed = random.choice(EDITS)(pieces, random, file)
            pieces = changed if _fits(changed, file) else pieces
    order = {track: n for n, track in enumerate(file.cut.tracks)}
    return sorted(pieces, key=lambda p: (order[p.track], p.start))


def saved(file: CutFile, pieces: list[Piece]) -> bytes:
    """The project with these clips, as its editor would save it."""
    return file.write(MergedCut(tuple(pieces), file.cut.rest), {p.id: p.id for p in file.cut.pieces})


def edited(data: bytes, random: Random, *, times: int = 1) -> bytes:
    """The project after some edits, as its editor would save it."""
    file = open_cut(data)
    return saved(file, edit_pieces(file, random, times=times))


Heard = tuple[str, str, int, int, str, str]
"""Of a clip: its track, its media, from where to where of it, what it plays there, and what is done to it.

Transitions belong to two clips, and are left out.
"""


def played(pieces: Iterable[Piece]) -> Counter[Heard]:
    return Counter(_heard(p) for p in pieces)


def _heard(piece: Piece) -> Heard:
    told = {
        k: v
        for k, v in piece.body.items()
        if k not in ("part", "times", "compositions", "mixes", "plays", "before", "after")
    }
    plays = canonical(piece.body.get("plays"))
    return piece.track, piece.media, piece.first, piece.first + piece.length, plays, canonical(told)


def meant(base: Iterable[Piece], ours: Iterable[Piece], theirs: Iterable[Piece]) -> Counter[Heard] | None:
    """What a merge of edits should play, worked out from who did what; None where somebody must decide."""
    sides = [{p.id: _heard(p) for p in side} for side in (base, ours, theirs)]
    result: Counter[Heard] = Counter()
    for name in dict.fromkeys(name for side in sides for name in side):
        was, here, there = (side.get(name) for side in sides)
        if was is None:
            result[here or there] += 1  # type: ignore[index]
        elif here is None or there is None:
            if (here or there or was) != was:
                return None
        else:
            parts = [_one_of(b, o, t) for b, o, t in zip(was, here, there, strict=True)]
            slipped = [side[2] - was[2] == side[3] - was[3] != 0 for side in (here, there)]
            if None in parts or (any(slipped) and was[2:4] not in (here[2:4], there[2:4])):
                return None
            result[tuple(part[0] for part in parts)] += 1  # type: ignore[index,arg-type]
    return result


def _one_of(was: object, here: object, there: object) -> tuple[object] | None:
    if here in (was, there):
        return (there,)
    return (here,) if there == was else None


def bounds(was: int, here: int, there: int) -> tuple[int, int]:
    """How many equal things a merge may have, at least and at most, where nothing is asked.

    What each put in is there; of what both took out, it may have been the same ones or each others.
    """
    gone = [max(0, was - side) for side in (here, there)]
    new = sum(max(0, side - was) for side in (here, there))
    return max(0, was - sum(gone)) + new, was - max(gone) + new


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
    """The project with its ids given anew, as Kdenlive, Shotcut and Final Cut do at every save."""
    if b"<fcpxml" in data[:500]:
        names = sorted(set(re.findall(rb'\bid="(r\d+|ts\d+)"', data)))
        fresh = {
            name: b"%s%d" % (name[: 1 + (name[:1] == b"t")], n)
            for n, name in enumerate(random.sample(names, len(names)), 1)
        }
        return re.sub(
            rb'\b((?:id|ref|format)=")([^"]+)"', lambda m: m.group(1) + fresh.get(m.group(2), m.group(2)) + b'"', data
        )
    if b"<mlt" not in data[:4096]:
        return data
    names = sorted(set(re.findall(rb'<(?:chain|producer) id="([^"{]+)"', data)))
    new = list(names)
    random.shuffle(new)
    table = dict(zip(names, new, strict=True))
    return re.sub(
        rb'((?:<(?:chain|producer) id|producer)=")([^"]+)"',
        lambda m: m.group(1) + table.get(m.group(2), m.group(2)) + b'"',
        data,
    )
