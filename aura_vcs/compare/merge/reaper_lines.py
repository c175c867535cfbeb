"""REAPER projects as cuts: items by their ids, everything else of a track or the project line by line.

Positions are seconds with decimals, counted exactly; a line that nobody changed keeps every byte. Items may lie over
one another. A track is named by its id, so that routing, which the file says by numbers of tracks, follows.
"""

import re
from decimal import Decimal

from aura_vcs.compare.merge.cut_model import LINES, Cut, Piece, Record
from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.timeline.fingerprint import digest_of
from aura_vcs.formats.timeline.reaper import ITEM_NOISE, NOISE, TRACK_NOISE, read_lines
from aura_vcs.formats.timeline.reaper_blocks import Block, fields_of, parse_blocks

DIGITS = 18
UNITS = 10**DIGITS
"""In a second. REAPER writes 14 or 15 significant digits."""
PLACED = ("POSITION", "LENGTH", "SOFFS")
_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,18})?", re.ASCII)
_LOOKS = frozenset(word for words in NOISE.values() for word in words.split())
_INDEX = re.compile(r"(AUXRECV )(\d+)(?= |$)", re.ASCII)

Chunk = tuple[str, int, int]
"""A line or block of the file: what it is called, and its lines from and to (exclusive)."""


class ReaperLines:
    """One project.

    Raises:
        ValueError: it cannot be merged by clip; the message says why.
    """

    def __init__(self, data: bytes) -> None:
        lines = read_lines(data)
        top = lines if isinstance(lines, Unstructured) else parse_blocks(lines)
        if isinstance(lines, Unstructured) or isinstance(top, Unstructured):
            raise ValueError(lines.reason if isinstance(lines, Unstructured) else getattr(top, "reason", ""))
        self.lines = lines
        self.top = top
        self.tracks: dict[str, Block] = {}
        self.items: dict[str, Block] = {}
        for block in top.blocks("TRACK"):
            key = block.head.strip() or "".join(block.fields("TRACKID")[:1])
            if not key or key in self.tracks:
                raise ValueError("its tracks have no ids of their own")
            self.tracks[key] = block
        self.cut = self._read()
        blocks = [c for c in top.children if isinstance(c, Block) and c.name != "TRACK" and not _is_look(c.name)]
        self.frame = digest_of([self.text_of(b.start, b.end) for b in blocks])

    def _read(self) -> Cut:
        pieces: list[Piece] = []
        for key, track in self.tracks.items():
            name = "".join(track.fields("NAME")[:1]) or f"track {list(self.tracks).index(key) + 1}"
            counts: dict[str, int] = {}
            found = [self._piece(item, key, f"{name} ", counts) for item in track.blocks("ITEM")]
            pieces += sorted(found, key=lambda p: (p.start, p.id))
        ids = [piece.native for piece in pieces]
        if len(set(ids)) < len(ids):
            raise ValueError("two of its items have one id, or none, which REAPER gives them when it saves the project")
        tracks: Record = {key: self._said(track) for key, track in self.tracks.items()}
        rest: Record = {"tracks": tracks, "project": self.project()}
        return Cut(tuple(pieces), tuple(self.tracks), rest, (UNITS, 1), frozenset(self.tracks))

    def _piece(self, item: Block, track: str, stem: str, counts: dict[str, int]) -> Piece:
        name = "".join(item.fields("NAME")[:1])
        source = next(item.blocks("SOURCE"), None)
        inner = next(source.blocks("SOURCE"), source) if source is not None else None
        media = "".join(inner.fields("FILE")[:1]) if inner is not None else ""
        name = name or media.replace("\\", "/").rpartition("/")[2] or "empty item"
        numbers = self.times_of(item)
        body: Record = {}
        for key, start, end in self.chunks(item):
            if key.partition("#")[0] not in ITEM_NOISE:
                body[key] = {} if key in PLACED else self.said(start, end)
        counts[name] = counts.get(name, 0) + 1
        called = stem + name if counts[name] == 1 else f"{stem}{name} ({counts[name]})"
        while called in self.items:
            called += " again"
        self.items[called] = item
        start, length, first = numbers
        speed = "".join(item.fields("PLAYRATE")[:1])
        return Piece(called, track, start, length, first, body, name, media, item.line("IGUID"), speed)

    def chunks(self, block: Block) -> list[Chunk]:
        """List the lines and blocks directly in one, each under its first word; from the second take on all are one."""
        found: list[Chunk] = []
        counts: dict[str, int] = {}
        for child in block.children:
            start, end = (child.start, child.end) if isinstance(child, Block) else (child[0], child[0] + 1)
            word = child.name if isinstance(child, Block) else child[1].partition(" ")[0]
            if (block.name == "ITEM" and word == "TAKE") or (found and found[-1][0] == "TAKE"):
                first = found.pop()[1] if found and found[-1][0] == "TAKE" else start
                found.append(("TAKE", first, end))
                continue
            counts[word] = counts.get(word, 0) + 1
            found.append((word if counts[word] == 1 else f"{word}#{counts[word]}", start, end))
        return found

    def text_of(self, start: int, end: int) -> list[str]:
        """Return lines without the space around them; tracks are named, not numbered."""
        return [self._named(line.strip()) for line in self.lines[start:end]]

    def said(self, start: int, end: int) -> Record:
        """Return lines as a record that merges as a whole."""
        return {LINES: self.text_of(start, end)}

    def _named(self, line: str) -> str:
        match = _INDEX.match(line)
        if match is None or int(match.group(2)) >= len(self.tracks):
            return line
        return f"{match.group(1)}{list(self.tracks)[int(match.group(2))]}{line[match.end() :]}"

    def _said(self, track: Block) -> Record:
        """Return what a track says beside its items."""
        return {
            key: self.said(start, end)
            for key, start, end in self.chunks(track)
            if key.partition("#")[0] not in ("ITEM", *TRACK_NOISE)
        }

    def project(self) -> Record:
        """Return what the project says in lines: settings, and its markers as one list."""
        said: Record = {"MARKER": []}
        for key, start, end in self.chunks(self.top):
            word = key.partition("#")[0]
            if word == "MARKER":
                said["MARKER"].append(self.text_of(start, end)[0])
            elif (
                end == start + 1
                and not (word in _LOOKS or word.startswith("UNDO_"))
                and not self.lines[start].lstrip().startswith("<")
            ):
                said[key] = self.said(start, end)
        return said

    def times_of(self, item: Block) -> list[int]:
        """Return where an item stands, how long it is, and from where of its media it plays."""
        return [_units(item.line(word)) for word in PLACED]


def _is_look(word: str) -> bool:
    return word in _LOOKS or word.startswith("UNDO_")


def _units(text: str) -> int:
    if not text:
        return 0
    number = fields_of(text)[0]
    if _NUMBER.fullmatch(number) is None:
        raise ValueError(f"{number[:40]!r} is not a time that can be counted exactly")
    return int(Decimal(number).scaleb(DIGITS))


def seconds_text(units: int) -> str:
    """Write a time as REAPER does: no more digits than it needs."""
    text = f"{Decimal(units).scaleb(-DIGITS):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
