"""Reading edit lists (CMX 3600 `.edl`): events with a reel, a source range and a place in the record.

The file says nothing of 25 or 30 frames per second; whoever knows gives the rate, else it is taken from the timecodes:
drop-frame means 29.97, a frame number above 24 or 25 at least 30.
"""

import re
from collections.abc import Iterator

from msgspec import Struct, structs

from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.text import read_text, split_lines
from aura_vcs.formats.timeline.model import Clip, MediaReference, Timeline, Track, is_absolute, spoken
from aura_vcs.formats.timeline.timecode import Rate, frames_to_ticks, nominal, read_timecode

_TIME = r"(\d{1,2}:\d{2}:\d{2}[:;.,]\d{2,3})"
EVENT = re.compile(
    rf"\s*(?P<number>\d{{1,6}}[A-Z]?)\s+(?P<reel>\S.{{0,127}}?)\s+(?P<channel>\S{{1,16}})\s+(?P<how>C|D|W\d*|K[BO]?)"
    rf"(?:\s+(?P<length>\d{{1,4}}))?\s+{_TIME}\s+{_TIME}\s+{_TIME}\s+{_TIME}\s*",
    re.ASCII | re.IGNORECASE,
)
"""One event: its number, reel, channel, kind of edit, length of that, and four timecodes (groups 6 to 9)."""
_LIKE_EVENT = re.compile(
    rf"\s*\d{{1,9}}\w?\s.{{0,300}}?(?:{_TIME}\s+){{3}}{_TIME}.*", re.ASCII | re.IGNORECASE | re.DOTALL
)
NOTE = re.compile(
    r"\s*\*?\s*(FROM CLIP NAME|TO CLIP NAME|FROM CLIP|SOURCE FILE|LOC|COMMENT|AUDIO NAME|EFFECT NAME|KEY CLIP NAME)"
    r"\s*:?\s*(.*)",
    re.ASCII | re.IGNORECASE,
)
SPEED = re.compile(r"\s*M2\s+(\S+)\s+(-?\d{1,5}(?:\.\d{1,6})?)\s+(\S+).*", re.ASCII | re.IGNORECASE)
EVENTS_LIMIT = 500_000


class Event(Struct, frozen=True):
    """One event: the lines `first` to `last` (exclusive) of the file, counted from 0, and what they say, in frames."""

    first: int
    last: int
    number: str
    reel: str
    channel: str
    how: str
    length: int
    source: tuple[int, int]
    record: tuple[int, int]
    notes: tuple[str, ...] = ()


def is_edl(data: bytes) -> bool:
    """Tell whether bytes look like an edit list."""
    start = data[: 64 << 10].decode("utf-8", "replace")
    return any(EVENT.fullmatch(line) for line in start.splitlines()[:400])


def guess_rate(lines: list[str]) -> Rate:
    """Guess the rate from the timecodes: the usual one of those that they allow."""
    frames = [
        int(re.split("[:;.,]", text)[-1]) for line in lines if (m := EVENT.fullmatch(line)) for text in m.groups()[5:]
    ]
    is_drop = any(";" in line for line in lines if EVENT.fullmatch(line)) or any(
        line.strip().upper() == "FCM: DROP FRAME" for line in lines
    )
    highest = max(frames, default=0)
    if is_drop:
        return (60000, 1001) if highest > 29 else (30000, 1001)
    for rate in (24, 25, 30, 50):
        if highest < rate:
            return (25, 1) if rate == 24 else (rate, 1)
    return 60, 1


def why_not_read(lines: list[str]) -> str:
    """Name the first line that is an event in a form that is not read; "" for none. As a note, it would stay behind."""
    for n, line in enumerate(lines, 1):
        if _LIKE_EVENT.fullmatch(line) and not EVENT.fullmatch(line):
            return f"line {n} is an event that is not understood"
    return ""


def read_events(lines: list[str], rate: Rate) -> Iterator[Event]:
    """Yield the events of a list, each with the notes under it."""
    open_: Event | None = None
    notes: list[str] = []
    last = 0
    for n, line in enumerate(lines):
        match = EVENT.fullmatch(line.rstrip("\r\n"))
        if match is None:
            if open_ is not None and (note := line.strip()):
                notes.append(note)
                last = n + 1
            continue
        if open_ is not None:
            yield structs.replace(open_, last=last, notes=tuple(notes))
        notes, last = [], n + 1
        times = [read_timecode(text, rate) or 0 for text in match.groups()[5:]]
        open_ = Event(
            n,
            last,
            match["number"],
            match["reel"],
            match["channel"],
            match["how"].upper(),
            int(match["length"] or 0),
            (times[0], times[1]),
            (times[2], times[3]),
        )
    if open_ is not None:
        yield structs.replace(open_, last=last, notes=tuple(notes))


def read_edl(data: bytes, rate: Rate | None = None) -> Timeline | Unstructured:
    """Read the model of an edit list, or say why there is none; `rate` where it is known from elsewhere."""
    text = read_text(data)
    if isinstance(text, Unstructured):
        return text
    lines = split_lines(text.removeprefix("\ufeff"))
    if len(lines) > EVENTS_LIMIT:
        return Unstructured(f"it has more than {EVENTS_LIMIT:,} lines")
    bare = [line.rstrip("\r\n") for line in lines]
    if reason := why_not_read(bare):
        return Unstructured(reason)
    rate = rate or guess_rate(bare)
    events = list(read_events(bare, rate))
    if not events:
        return Unstructured("it has no event of an edit list in it")
    media: list[MediaReference] = []
    tracks: dict[str, list[Clip]] = {}
    first = min(event.record[0] for event in events)
    places: dict[str, int] = {}
    for event in events:
        if event.how != "C" or event.source[0] != event.source[1] or event.record[0] != event.record[1]:
            clip = _clip(event, rate, first, media, places)
            clips = tracks.setdefault(event.channel.upper(), [])
            clips.append(structs.replace(clip, number=len(clips) + 1))
    found = tuple(
        Track(
            f"channel {channel}",
            channel,
            "audio" if channel.startswith("A") and channel != "A/V" else "video",
            tuple(clips),
        )
        for channel, clips in sorted(tracks.items(), key=lambda item: (item[0].startswith("A"), item[0]))
    )
    title = next((line.partition(":")[2].strip() for line in bare if line.upper().startswith("TITLE:")), "")
    heads = [line.strip() for line in bare[: events[0].first] if line.strip() and not line.upper().startswith("TITLE:")]
    length = max((clip.start + clip.duration for track in found for clip in track.clips), default=0)
    is_drop = rate[1] == 1001 and any(";" in line for line in bare)
    return Timeline(
        found,
        {"head": heads, "title": title},
        length,
        title,
        format="edl",
        rate=rate,
        is_drop_frame=is_drop,
        start=frames_to_ticks(first, rate),
        media=tuple(media),
    )


def _clip(event: Event, rate: Rate, first: int, media: list[MediaReference], places: dict[str, int]) -> Clip:
    notes: dict[str, str] = {}
    more: list[str] = []
    speed = 1.0
    for line in event.notes:
        note, motion = NOTE.fullmatch(line), SPEED.fullmatch(line)
        if note is not None:
            notes.setdefault(note.group(1).upper(), note.group(2).strip())
        elif motion is not None:
            speed = round(float(motion.group(2)) / nominal(rate), 4)
        else:
            more.append(line)
    name = notes.get("TO CLIP NAME") if event.how != "C" else None
    name = name or notes.get("FROM CLIP NAME") or event.reel
    path = notes.get("SOURCE FILE") or notes.get("FROM CLIP") or ""
    if path and path not in places:
        places[path] = len(media)
        media.append(
            MediaReference(
                path,
                "file",
                name,
                event.reel,
                is_absolute=is_absolute(path),
                writing="plain",
                pointer=f"event {event.number}",
            )
        )
    transition = ""
    if event.how != "C":
        kind = {"D": "dissolve", "K": "key"}.get(event.how[0], f"wipe {event.how[1:]}".strip())
        transition = f"{kind} {spoken(frames_to_ticks(event.length, rate))}"
    markers = tuple((notes[key], "") for key in ("LOC",) if key in notes)
    details = [("comments", "; ".join(more))] if more else []
    details += [(key.lower(), notes[key]) for key in ("COMMENT", "AUDIO NAME", "EFFECT NAME") if key in notes]
    return Clip(
        pointer=f"line {event.first + 1}",
        noun="clip",
        number=0,
        name=name,
        media=f"{event.reel} {path}".strip(),
        source_start=frames_to_ticks(event.source[0], rate),
        start=frames_to_ticks(event.record[0] - first, rate),
        duration=max(0, frames_to_ticks(event.record[1], rate) - frames_to_ticks(event.record[0], rate)),
        speed=speed,
        transition=transition,
        markers=markers,
        details=tuple(details),
        reference=places.get(path, -1),
    )
