"""Reading REAPER projects (`.rpp`): tracks with items, each with takes that play a source."""

from msgspec import structs

from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.text import TEXT_BYTES_LIMIT, split_lines
from aura_vcs.formats.timeline.fingerprint import digest_of
from aura_vcs.formats.timeline.model import (
    Clip,
    MediaReference,
    Ticks,
    Timeline,
    Track,
    is_absolute,
    seconds_to_ticks,
    spoken,
)
from aura_vcs.formats.timeline.reaper_blocks import Block, fields_of, parse_blocks
from aura_vcs.formats.timeline.studio import canonical
from aura_vcs.formats.timeline.timecode import UNKNOWN, Rate, make_rate, timecode

NOISE = {
    "playhead": "CURSOR",
    "zoom": "ZOOM VZOOMEX MIXERUIFLAGS",
    "selection": "SELECTION SELECTION2 LOOP LOOPGRAN UNDO_OPEN",
    "window": "WINDOW_ST MASTERTRACKVIEW MASTERTRACKHEIGHT MASTERPEAKCOL RULERHEIGHT RULERLANE DOCKED TCPUIFLAGS "
    "LASTSEL MASTERHWOUT_ST",
    "render settings": "RENDER_FILE RENDER_PATTERN RENDER_FMT RENDER_1X RENDER_RANGE RENDER_RESAMPLE RENDER_ADDTOPROJ "
    "RENDER_STEMS RENDER_DITHER RENDER_CFG RENDER_TRIM RENDER_CLOSEDLG RENDER_NORMALIZE RECORD_CFG APPLYFX_CFG",
}
"""Lines of a project that change by looking at it or by rendering it."""
TRACK_NOISE = (
    "PEAKCOL",
    "TRACKHEIGHT",
    "SEL",
    "TRACKID",
    "SHOWINMIX",
    "BUSCOMP",
    "FIXEDLANES",
    "LANEREC",
    "INQ",
    "REC",
    "FXWINDOW",
)
_TRACK_KNOWN = (
    "NAME",
    "MUTESOLO",
    "VOLPAN",
    "IPHASE",
    "ISBUS",
    "BEAT",
    "NCHAN",
    "FX",
    "FREEMODE",
    "LOCK",
    *TRACK_NOISE,
)
ITEM_NOISE = ("SEL", "IID", "LASTSEL")
_ITEM_KNOWN = (
    "POSITION",
    "LENGTH",
    "NAME",
    "SOFFS",
    "PLAYRATE",
    "IGUID",
    "GUID",
    "MUTE",
    "FADEIN",
    "FADEOUT",
    "VOLPAN",
    "LOCK",
    *ITEM_NOISE,
)
_PLUGINS = ("VST", "AU", "JS", "DX", "LV2", "CLAP", "VIDEO_EFFECT")


def is_reaper(data: bytes) -> bool:
    """Tell whether bytes begin like a REAPER project."""
    return data[:64].lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<REAPER_PROJECT")


def read_lines(data: bytes) -> list[str] | Unstructured:
    """Split a project into lines. Names in older ones are in the encoding of their computer: those bytes stay."""
    if len(data) > TEXT_BYTES_LIMIT:
        return Unstructured(f"it is larger than {TEXT_BYTES_LIMIT >> 20} MiB")
    return split_lines(data.decode("utf-8", "surrogateescape"))


def read_reaper(data: bytes) -> Timeline | Unstructured:
    """Read the model of a REAPER project, or say why there is none."""
    lines = read_lines(data)
    if isinstance(lines, Unstructured):
        return lines
    top = parse_blocks(lines)
    if isinstance(top, Unstructured):
        return top
    if top.name != "REAPER_PROJECT":
        return Unstructured("it is not a REAPER project")
    return _Reader(top, lines).timeline()


class _Reader:
    def __init__(self, top: Block, lines: list[str]) -> None:
        self.top = top
        self.lines = lines
        self.media: list[MediaReference] = []
        mode = top.fields("TIMEMODE")
        self.rate: Rate = make_rate(mode[3]) if len(mode) > 3 else UNKNOWN
        offsets = [0]
        for line in lines:
            length = len(line) if line.isascii() else len(line.encode("utf-8", "surrogateescape"))
            offsets.append(offsets[-1] + length)
        self.offsets = offsets

    def timeline(self) -> Timeline:
        tracks = tuple(self._track(block, n) for n, block in enumerate(self.top.blocks("TRACK")))
        words = {key: word for word, keys in NOISE.items() for key in keys.split()}
        noise: dict[str, list[JsonValue]] = {}
        settings: dict[str, JsonValue] = {}
        other: dict[str, list[JsonValue]] = {}
        for child in self.top.children:
            name = child.name if isinstance(child, Block) else child[1].partition(" ")[0]
            value: JsonValue = block_value(child) if isinstance(child, Block) else child[1][len(name) + 1 :]
            if name.startswith("UNDO_"):
                noise.setdefault("undo history", []).append([name, value])
            elif name in words:
                noise.setdefault(words[name], []).append([name, value])
            elif isinstance(child, Block):
                if name != "TRACK":
                    other.setdefault(_word(name), []).append(value)
            elif name not in ("MARKER", "TEMPO"):
                settings.setdefault(name, value)
        settings["TEMPO"] = self.top.line("TEMPO")
        head = fields_of(self.top.head)
        noise["time of saving"] = head[2:3]
        noise["version of the editor"] = head[:2]
        length = max((clip.start + clip.duration for track in tracks for clip in track.clips), default=0)
        return Timeline(
            tracks,
            settings,
            length,
            format="reaper",
            rate=self.rate,
            media=tuple(self.media),
            markers=self._markers(),
            other={k: digest_of(v) for k, v in other.items()},
            noise={k: digest_of(v) for k, v in noise.items()},
        )

    def _markers(self) -> tuple[tuple[str, str], ...]:
        found = []
        for _, text in self.top.lines():
            fields = fields_of(text) if text.startswith("MARKER ") else []
            if len(fields) > 3:
                at = _seconds(fields[2])
                where = timecode(at, self.rate) if self.rate[0] else spoken(at)
                found.append(
                    (fields[3] or f"marker {fields[1]}", canonical({"at": where, "region": fields[4:5] == ["1"]}))
                )
        return tuple(found)

    def _track(self, block: Block, place: int) -> Track:
        clips = [self._item(item) for item in block.blocks("ITEM")]
        clips.sort(key=lambda clip: clip.start)
        named = "".join(block.fields("NAME")[:1]) or f"track {place + 1}"
        mute = block.fields("MUTESOLO")
        details = [("muted", "yes")] if mute[:1] == ["1"] else []
        details += [("solo", "yes")] if mute[1:2] not in ([], ["0"]) else []
        details += [("locked", "yes")] if block.line("LOCK") not in ("", "0") else []
        details += [(word, block.line(key)) for word, key in (("volume and pan", "VOLPAN"), ("folder", "ISBUS"))]
        rest = [text for _, text in block.lines() if text.partition(" ")[0] not in _TRACK_KNOWN]
        rest_blocks = [block_value(inner) for inner in block.blocks() if inner.name not in ("ITEM", "FXCHAIN")]
        details.append(("envelopes and routing", digest_of([rest, rest_blocks])))
        effects = tuple(effect for chain in block.blocks("FXCHAIN") for effect in plugins_of(chain))
        numbered = tuple(structs.replace(clip, number=n + 1) for n, clip in enumerate(clips))
        identity = block.head.strip() or "".join(block.fields("TRACKID")[:1])
        return Track(f"line {block.start + 1}", named, "audio", numbered, (), effects, "", identity, tuple(details))

    def _item(self, item: Block) -> Clip:
        """Read an item, with its active take: takes follow one another, cut by lines `TAKE`."""
        take = active_take(item)
        path, reference = self._source(take)
        rate = take.fields("PLAYRATE")
        rest = [text for _, text in item.lines() if text.partition(" ")[0] not in _ITEM_KNOWN]
        blocks = [block_value(inner) for inner in item.blocks() if inner.name != "TAKEFX"]
        details = [("enabled", "false")] if item.fields("MUTE")[:1] == ["1"] else []
        details += [("locked", "yes")] if item.line("LOCK") not in ("", "0") else []
        details += [(word, item.line(key)) for word, key in (("fade in", "FADEIN"), ("fade out", "FADEOUT"))]
        details.append(("volume and pan", take.line("VOLPAN")))
        name = "".join(take.fields("NAME")[:1])
        identity = item.line("IGUID")
        return Clip(
            pointer=f"line {item.start + 1}",
            noun="clip",
            number=0,
            name=name or path.replace("\\", "/").rpartition("/")[2] or "empty item",
            identity=canonical(identity) if identity else "",
            media=path,
            source_start=_seconds(take.line("SOFFS")),
            start=_seconds(item.line("POSITION")),
            duration=max(0, _seconds(item.line("LENGTH"))),
            speed=_float(rate[0]) if rate else 1.0,
            effects=tuple(effect for chain in item.blocks("TAKEFX") for effect in plugins_of(chain)),
            details=tuple(details),
            reference=reference,
            other=digest_of([rest, blocks]),
        )

    def _source(self, take: Block) -> tuple[str, int]:
        """Return what a take plays: a file, "MIDI" and the like; sections and reversed sources have theirs inside."""
        for source in take.blocks("SOURCE"):
            inner = next(source.blocks("SOURCE"), source)
            kind = inner.head.split(" ")[0]
            fields = inner.fields("FILE")
            if not fields:
                return f"{kind} {digest_of(block_value(inner))}" if kind else "", -1
            number = inner.number_of("FILE")
            start, end = self._path_span(number)
            self.media.append(
                MediaReference(
                    fields[0],
                    "file",
                    fields[0].replace("\\", "/").rpartition("/")[2],
                    is_absolute=is_absolute(fields[0]),
                    start=start,
                    end=end,
                    writing="quoted",
                    pointer=f"line {number + 1}: FILE",
                )
            )
            return fields[0], len(self.media) - 1
        return "", -1

    def _path_span(self, number: int) -> tuple[int, int]:
        """Return where a path stands on a line after `FILE`, its quotes included."""
        line = self.lines[number].encode("utf-8", "surrogateescape")
        begin = line.find(b"FILE ") + 5
        quote = line[begin : begin + 1]
        end = line.find(quote, begin + 1) + 1 if quote in (b'"', b"'", b"`") else -1
        end = end or len(line)
        if end < 0:
            end = begin + len(line[begin:].split()[0])
        return self.offsets[number] + begin, self.offsets[number] + end


def active_take(item: Block) -> Block:
    """Return the part of an item that plays, as a block of its own."""
    if item.number_of("TAKE") < 0:
        return item
    takes = [Block("ITEM", item.head, item.start)]
    chosen = 0
    for child in item.children:
        if isinstance(child, tuple) and (child[1] == "TAKE" or child[1].startswith("TAKE ")):
            if child[1].endswith("SEL"):
                chosen = len(takes)
            takes.append(Block("ITEM", "", child[0]))
        takes[-1].children.append(child)
    return takes[chosen]


def plugins_of(chain: Block) -> tuple[tuple[str, str], ...]:
    """List the plug-ins of a chain; their state is one value: nobody can read it."""
    found = []
    bypass = ""
    for child in chain.children:
        if isinstance(child, tuple):
            bypass = child[1][7:] if child[1].startswith("BYPASS ") else bypass
        elif child.name in _PLUGINS:
            name = "".join(fields_of(child.head)[:1]) or child.name
            found.append((name, canonical({"bypass": bypass, "state": digest_of(block_value(child))})))
    return tuple(found)


def block_value(block: Block) -> JsonValue:
    """Return a block as lists, to be compared."""
    return [
        block.name,
        block.head,
        [block_value(child) if isinstance(child, Block) else child[1] for child in block.children],
    ]


def _word(name: str) -> str:
    return name.replace("_", " ").lower()


def _float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if abs(value) < 1e12 else 0.0


def _seconds(text: str) -> Ticks:
    return seconds_to_ticks(_float(text.partition(" ")[0])) if text else 0
