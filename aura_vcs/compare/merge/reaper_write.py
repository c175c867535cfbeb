"""Writing a merged cut back into a REAPER project as text: a line that did not change keeps every byte."""

import re
from collections.abc import Sequence

from aura_vcs.compare.diff.sequences import longest_increasing
from aura_vcs.compare.merge.cut_model import LINES, MergedCut, Piece, Record
from aura_vcs.compare.merge.reaper_lines import PLACED, ReaperLines, seconds_text
from aura_vcs.formats.timeline.reaper import ITEM_NOISE, TRACK_NOISE
from aura_vcs.formats.timeline.reaper_blocks import Block

_NAMED = re.compile(r"(AUXRECV )(\{[^}]*\})(?= |$)")


def write_reaper(file: ReaperLines, merged: MergedCut, names: dict[str, str]) -> bytes:
    """Write the project with the merged cut in it; `names` says which of its items a merged one is.

    Raises:
        ValueError: it cannot be written; the message says why.
    """
    return _Writer(file, merged, names).run()


class _Writer:
    def __init__(self, file: ReaperLines, merged: MergedCut, names: dict[str, str]) -> None:
        self.file, self.merged, self.names = file, merged, names
        self.changes: list[tuple[int, int, list[str]]] = []
        self.numbers = {key: str(n) for n, key in enumerate(file.tracks)}
        self.line_end = "\r\n" if file.lines and file.lines[0].endswith("\r\n") else "\n"
        ids = [item.line("IID") for item in file.items.values()]
        self.highest = max((int(text) for text in ids if text.isdecimal() and len(text) < 9), default=0)

    def run(self) -> bytes:
        by_track: dict[str, list[Piece]] = {}
        for piece in self.merged.pieces:
            by_track.setdefault(piece.track, []).append(piece)
        self._project()
        for key, track in self.file.tracks.items():
            said = self.merged.rest["tracks"].get(key)
            if said is None:
                raise ValueError("a track is not there any more")
            self._block(track, said, ("ITEM", *TRACK_NOISE))
            self._items(track, by_track.pop(key, []))
        if by_track:
            raise ValueError("an item stands on a track that is not there any more")
        return self._render().encode("utf-8", "surrogateescape")

    def _render(self) -> str:
        result: list[str] = []
        at = 0
        for start, end, lines in sorted(self.changes, key=lambda change: change[:2]):
            if start < at:
                raise ValueError("two changes of the file want one place in it")
            result += [*self.file.lines[at:start], *lines]
            at = end
        return "".join([*result, *self.file.lines[at:]])

    def _project(self) -> None:
        """Write settings and markers; lines that are noise stay."""
        said = dict(self.merged.rest["project"])
        wanted = said.pop("MARKER", [])
        old = [(n, text) for n, text in self.file.top.lines() if text.startswith("MARKER ")]
        if [text for _, text in old] != wanted:
            place = old[0][0] if old else next((t.start for t in self.file.tracks.values()), self.file.top.end - 1)
            known = {text: self.file.lines[n] for n, text in old}
            self.changes += [(n, n + 1, []) for n, _ in old]
            rows = sorted(wanted, key=_marker_place)
            self.changes.append(
                (place, place, [known.get(row) or self._line(row, self._inner(self.file.top)) for row in rows])
            )
        now = self.file.project()
        for key, start, end in self.file.chunks(self.file.top):
            if key not in now or key == "MARKER":
                continue
            if key not in said:
                self.changes.append((start, end, []))
            elif said[key] != now[key]:
                self.changes.append((start, end, self._lines(said[key][LINES], self._inner(self.file.top))))
        place = next((t.start for t in self.file.tracks.values()), self.file.top.end - 1)
        new = [line for key, record in said.items() if key not in now for line in record[LINES]]
        if new:
            self.changes.append((place, place, self._lines(new, self._inner(self.file.top))))

    def _block(self, block: Block, wanted: Record, noise: Sequence[str]) -> None:
        """Give a block its lines and blocks, but for `noise`; new ones stand behind what they came behind."""
        chunks = [c for c in self.file.chunks(block) if c[0].partition("#")[0] not in noise]
        there = {key: (start, end) for key, start, end in chunks}
        indent = self._inner(block)
        for key, (start, end) in there.items():
            if key in PLACED and block.name == "ITEM":
                continue
            if key not in wanted:
                self.changes.append((start, end, []))
            elif self.file.said(start, end) != wanted[key]:
                self.changes.append((start, end, self._lines(wanted[key][LINES], indent)))
        place = block.start + 1
        for key, record in wanted.items():
            if key in there:
                place = there[key][1]
            elif not (key in PLACED and block.name == "ITEM"):
                self.changes.append((place, place, self._lines(record[LINES], indent)))

    def _items(self, track: Block, pieces: Sequence[Piece]) -> None:
        """Give a track its items: those that stay where they are in the file, then those that came."""
        blocks = list(track.blocks("ITEM"))
        places = {id(block): n for n, block in enumerate(blocks)}
        found = [self.file.items.get(self.names.get(piece.id, "")) for piece in pieces]
        mine = [(n, places[id(b)]) for n, b in enumerate(found) if b is not None and id(b) in places]
        kept = {id(found[n]) for n, _ in mine}
        steady = [mine[n][1] for n in longest_increasing([place for _, place in mine])]
        self.changes += [(each.start, each.end, []) for each in blocks if id(each) not in kept]
        end = next((b.end for b in reversed(blocks)), track.end - 1)
        place = blocks[steady[0]].start if steady else end
        for piece, block in zip(pieces, found, strict=True):
            if block is not None and id(block) in places:
                self._change(block, piece)
                place = block.end
            else:
                self.changes.append((place, place, self._item(piece, self._inner(track))))

    def _change(self, block: Block, piece: Piece) -> None:
        """Change an item in its place."""
        self._block(block, piece.body, ITEM_NOISE)
        indent = self._inner(block)
        for word, now, was in zip(PLACED, _times(piece), self.file.times_of(block), strict=True):
            number = block.number_of(word)
            if now == was:
                continue
            if number < 0:
                self.changes.append(
                    (block.start + 1, block.start + 1, [self._line(f"{word} {seconds_text(now)}", indent)])
                )
                continue
            line = self.file.lines[number]
            text = line.strip().partition(" ")[2].split(" ", 1)
            row = " ".join([word, seconds_text(now), *text[1:]])
            self.changes.append((number, number + 1, [self._line(row, indent)]))

    def _item(self, piece: Piece, indent: str) -> list[str]:
        """Write an item that was not there; its number is a free one."""
        self.highest += 1
        inner = indent + self._step()
        rows = [self._line("<ITEM", indent)]
        numbers = dict(zip(PLACED, _times(piece), strict=True))
        for key, record in piece.body.items():
            if key in PLACED:
                rows.append(self._line(f"{key} {seconds_text(numbers.pop(key))}", inner))
            else:
                rows += self._lines(record[LINES], inner)
            if key == "IGUID":
                rows.append(self._line(f"IID {self.highest}", inner))
        rest = [self._line(f"{key} {seconds_text(value)}", inner) for key, value in numbers.items() if value]
        return [rows[0], *rest, *rows[1:], self._line(">", indent)]

    def _lines(self, texts: Sequence[str], indent: str) -> list[str]:
        """Write lines and blocks, what is in a block further in."""
        rows = []
        depth = 0
        for text in texts:
            depth -= text == ">"
            rows.append(self._line(text, indent + depth * self._step()))
            depth += text.startswith("<")
        return rows

    def _line(self, text: str, indent: str) -> str:
        match = _NAMED.match(text)
        if match is not None:
            if match.group(2) not in self.numbers:
                raise ValueError("a track that another one receives from is not there any more")
            text = f"{match.group(1)}{self.numbers[match.group(2)]}{text[match.end() :]}"
        return f"{indent}{text}{self.line_end}"

    def _inner(self, block: Block) -> str:
        """Return the space in front of what is in a block."""
        line = self.file.lines[block.start]
        return line[: len(line) - len(line.lstrip())] + self._step()

    def _step(self) -> str:
        return "  "


def _times(piece: Piece) -> tuple[int, int, int]:
    return piece.start, piece.length, piece.first


def _marker_place(row: str) -> float:
    try:
        return float(row.split(" ")[2])
    except (ValueError, IndexError):
        return 0.0
