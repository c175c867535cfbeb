"""Edit lists (CMX 3600) as cuts that merge: by event, numbers given anew, record times worked out from both sides."""

import re
from collections.abc import Sequence
from itertools import pairwise

from msgspec import structs

from aura_vcs.compare.merge.cut_model import Cut, MergedCut, Piece, Record
from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.text import read_text, split_lines
from aura_vcs.formats.timeline.edl import EVENT, NOTE, SPEED, Event, guess_rate, read_events, why_not_read
from aura_vcs.formats.timeline.timecode import format_timecode

_TIME = re.compile(r"\d{1,2}:\d{2}:\d{2}[:;.,]\d{2,3}")
_HEAD = re.compile(r"\ufeff?\s*(?:(?:TITLE|FCM|SPLIT)\s*:.*|[*>].*)?", re.IGNORECASE)
_NUMBER = re.compile(r"\s*(\d{1,6})")


class EdlFile:
    """One edit list."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        bare = [line.rstrip("\r\n") for line in lines]
        self.rate = guess_rate(bare)
        self.events = list(read_events(bare, self.rate))
        self.cut = self._read()
        self.frame = ""

    def _read(self) -> Cut:
        pieces: list[Piece] = []
        lead: list[str] = []
        counts: dict[str, int] = {}
        for n, event in enumerate(self.events):
            end = self.events[n + 1].first if n + 1 < len(self.events) else len(self.lines)
            lines = self.lines[event.first : end]
            if event.record[0] == event.record[1]:
                lead += lines  # the outgoing side of a dissolve: it goes with the event behind it
                continue
            pieces.append(self._piece(event, lines, lead, counts))
            lead = []
        head = self.lines[: self.events[0].first] if self.events else self.lines
        tracks = tuple(dict.fromkeys(piece.track for piece in pieces))
        free = {a.track for a, b in pairwise(pieces) if a.track == b.track and a.start + a.length > b.start}
        return Cut(tuple(pieces), tracks, {"head": head, "lead": lead}, self.rate, frozenset(free))

    def _piece(self, event: Event, lines: list[str], lead: list[str], counts: dict[str, int]) -> Piece:
        notes = [match for note in event.notes if (match := NOTE.fullmatch(note))]
        name = next((m.group(2).strip() for m in notes if "CLIP NAME" in m.group(1).upper()), event.reel)
        called = f"{event.channel.upper()} {name}"
        counts[called] = counts.get(called, 0) + 1
        body: Record = {
            "line": _NUMBER.sub(lambda m: m.group().replace(m.group(1), "{n}"), _TIME.sub(_mask, lines[0]), count=1),
            "notes": lines[1:],
            "lead": [
                _TIME.sub(_mask, _NUMBER.sub("{n}", line, count=1)) if EVENT.match(line) else line for line in lead
            ],
            "plays": event.source[1] - event.source[0] - (event.record[1] - event.record[0]),
        }
        if lead and (first := EVENT.fullmatch(lead[0].rstrip("\r\n"))):
            body["times"] = [first.group(6), first.group(7)]
        return Piece(
            called if counts[called] == 1 else f"{called} ({counts[called]})",
            event.channel.upper(),
            event.record[0],
            event.record[1] - event.record[0],
            event.source[0],
            body,
            name,
            event.reel,
            speed=_speed(event),
        )

    def write(self, merged: MergedCut, _names: dict[str, str]) -> bytes:
        """See CutFile: every event as it is written, with its number and its places."""
        width = len(self.events[0].number) if self.events else 3
        result = list(merged.rest["head"])
        for n, piece in enumerate(sorted(merged.pieces, key=lambda p: (p.start, p.track, p.id)), 1):
            number = str(n).zfill(width)
            end = piece.first + piece.length + piece.body["plays"]
            outgoing = piece.body.get("times", ["", ""])
            for line in piece.body["lead"]:
                result.append(self._filled(line, number, [*outgoing, piece.start, piece.start]))
            times = [piece.first, end, piece.start, piece.start + piece.length]
            result += [self._filled(piece.body["line"], number, times), *piece.body["notes"]]
        return "".join([*result, *merged.rest["lead"]]).encode()

    def _filled(self, line: str, number: str, times: Sequence[int | str]) -> str:
        """Write a line with its number and its four times, in the form in which they stood there."""
        waiting = list(times)

        def fill(match: re.Match[str]) -> str:
            time = waiting.pop(0) if waiting else 0
            if isinstance(time, str):
                return time
            text = format_timecode(time, self.rate, is_drop_frame=match.group(1) == ";")
            return text[:-3] + match.group(1) + text[-2:]

        return re.sub(r"\{t(.)\}", fill, line).replace("{n}", number, 1)

    def complete(self, merged: MergedCut, _sides: Sequence[object]) -> MergedCut:
        """See CutFile."""
        return merged

    def check(self, _sides: Sequence[object]) -> str:
        """See CutFile."""
        return ""


def _speed(event: Event) -> str:
    """Say how much is played in how much time, where that is not the same, and what the notes say of it."""
    played, shown = event.source[1] - event.source[0], event.record[1] - event.record[0]
    said = [note for note in event.notes if SPEED.fullmatch(note)]
    return "\n".join([*([f"{played}/{shown}"] if played != shown else []), *said])


def _mask(match: re.Match[str]) -> str:
    return "{t" + match.group()[-3] + "}"


def read_edl_cut(data: bytes) -> EdlFile | Unstructured:
    """Read an edit list as a cut, or say why it is none."""
    text = read_text(data)
    if isinstance(text, Unstructured):
        return text
    lines = split_lines(text)
    reason = why_not_read([line.rstrip("\r\n") for line in lines])
    if "{n}" in text or "{t" in text:
        reason = "it has braces in it that are not understood"
    if reason:
        return Unstructured(reason)
    file = EdlFile(lines)
    if not file.cut.pieces:
        return Unstructured("it has no event in it")
    if not all(_HEAD.fullmatch(line.rstrip("\r\n")) for line in file.cut.rest["head"]):
        return Unstructured("there is more in it than an edit list")
    whole = file.write(MergedCut(tuple(structs.replace(p) for p in file.cut.pieces), file.cut.rest), {})
    numbers = [event.number for event in file.events if event.record[0] != event.record[1]]
    if whole != data or numbers != [str(n).zfill(len(numbers[0])) for n in range(1, len(numbers) + 1)]:
        return Unstructured("its events do not count up in the order of their record times")
    return file
