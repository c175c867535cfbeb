"""One cut as each editor would write it: small projects for tests, and where the real ones lie."""

import gzip
import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

from aura_vcs.formats.timeline.timecode import format_timecode
from msgspec import Struct

_BESIDE = [folder / "shared" / "data" for folder in Path(__file__).parents[3:5]]
SHARED = next((folder for folder in _BESIDE if folder.is_dir()), _BESIDE[0])
OWN = Path(__file__).parent / "samples"
RATE = 25


class Item(Struct, frozen=True):
    """A clip: `media` from frame `first` for `length` frames, `gap` empty frames in front of it.

    `called` is its own name, `speed` how many frames of its media it plays in one; both only in some formats.
    """

    media: str
    first: int = 0
    length: int = 50
    gap: int = 0
    effects: tuple[tuple[str, str, str], ...] = ()
    id: str = ""
    called: str = ""
    speed: int = 1

    @property
    def file(self) -> str:
        return self.media.rpartition("/")[2]

    @property
    def name(self) -> str:
        return self.called or self.file


Cut = dict[str, list[Item]]
"""Clips by the name of their track; names that begin with A are sound."""


def samples(*kinds: str) -> list[Path]:
    """Real projects of these kinds, ours and those beside the project."""
    found = [path for path in OWN.iterdir() if path.suffix[1:] in kinds]
    if (SHARED / "editors").is_dir():
        found += [path for kind in kinds for path in sorted((SHARED / "editors" / kind).glob("*"))]
    return sorted(found)


def media_of(cut: Cut) -> list[str]:
    return list(dict.fromkeys(item.media for items in cut.values() for item in items))


def _property(name: str, value: object) -> str:
    return f'<property name="{name}">{escape(str(value))}</property>'


def _clock(frames: int, comma: bool) -> str:
    seconds, rest = divmod(frames, RATE)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest * 1000 // RATE:03d}"
    return text.replace(".", ",") if comma else text


def _filters(item: Item) -> str:
    return "".join(
        f'\n   <filter id="filter{n}">\n    {_property("mlt_service", name)}\n    {_property("kdenlive_id", name)}'
        f"\n    {_property(key, value)}\n   </filter>"
        for n, (name, key, value) in enumerate(item.effects)
    )


def _bin_id(path: str) -> int:
    return 10 + sum(map(ord, path)) % 1000


def kdenlive(
    cut: Cut, *, order: Iterable[str] = (), comma: bool = False, settings: dict[str, str] | None = None, root: str = ""
) -> bytes:
    """A project of Kdenlive since 23.04: names are those of its bin, other speeds are media of their own. `order` of the media is that of their ids, which mean nothing."""
    media = list(order) or sorted(media_of(cut))
    names = {path: n for n, path in enumerate(media)}
    called = {item.media: [item.called] for items in cut.values() for item in items if item.called}
    lines = [
        "<?xml version='1.0' encoding='utf-8'?>",
        f'<mlt LC_NUMERIC="{"cs_CZ.UTF-8" if comma else "C"}" producer="main_bin" version="7.28.0" root="{root}">',
        ' <profile frame_rate_num="25" frame_rate_den="1" width="1920" height="1080" progressive="1"/>',
    ]
    for path, n in names.items():
        lines += [
            f' <chain id="chain{n}" out="{_clock(2999, comma)}">',
            f"  {_property('length', 3000)}",
            f"  {_property('resource', path)}",
            f"  {_property('mlt_service', 'avformat-novalidate')}",
            f"  {_property('kdenlive:control_uuid', '{' + path + '}')}",
            f"  {_property('kdenlive:id', _bin_id(path))}",
            *(f"  {_property('kdenlive:clipname', name)}" for name in called.get(path, ())),
            " </chain>",
        ]
    warped = dict.fromkeys((item.media, item.speed) for items in cut.values() for item in items if item.speed != 1)
    for n, (path, speed) in enumerate(warped):
        lines += [
            f' <producer id="producer{n}" in="{_clock(0, comma)}" out="{_clock(2999 // speed, comma)}">',
            f"  {_property('length', 3000 // speed)}",
            f"  {_property('resource', f'{speed}:{path}')}",
            f"  {_property('warp_speed', speed)}",
            f"  {_property('warp_resource', path)}",
            f"  {_property('mlt_service', 'timewarp')}",
            f"  {_property('kdenlive:id', _bin_id(path))}",
            " </producer>",
        ]
    for number, (track, items) in enumerate(cut.items()):
        sound = f"\n  {_property('kdenlive:audio_track', 1)}" if track.startswith("A") else ""
        lines.append(f' <playlist id="playlist{2 * number}">{sound}')
        for item in items:
            if item.gap:
                lines.append(f'  <blank length="{_clock(item.gap, comma)}"/>')
            times = f'in="{_clock(item.first, comma)}" out="{_clock(item.first + item.length - 1, comma)}"'
            known = _property("kdenlive:id", _bin_id(item.media))
            plays = f"chain{names[item.media]}"
            if item.speed != 1:
                plays = f"producer{list(warped).index((item.media, item.speed))}"
            lines.append(f'  <entry producer="{plays}" {times}>\n   {known}{_filters(item)}\n  </entry>')
        lines += [" </playlist>", f' <playlist id="playlist{2 * number + 1}"/>']
        lines += [
            f' <tractor id="tractor{number}">{sound}',
            f"  {_property('kdenlive:track_name', track)}",
            f'  <track producer="playlist{2 * number}"/>',
            f'  <track producer="playlist{2 * number + 1}"/>',
            " </tractor>",
        ]
    length = max((sum(i.gap + i.length for i in items) for items in cut.values()), default=0)
    lines += [
        f' <tractor id="{{aaaa}}" in="{_clock(0, comma)}" out="{_clock(max(0, length - 1), comma)}">',
        f"  {_property('kdenlive:uuid', '{aaaa}')}",
        f"  {_property('kdenlive:clipname', 'Sequence 1')}",
        f"  {_property('kdenlive:sequenceproperties.position', (settings or {}).get('position', '0'))}",
        *(f'  <track producer="tractor{n}"/>' for n in range(len(cut))),
        " </tractor>",
        ' <playlist id="main_bin">',
        *(
            f"  {_property('kdenlive:docproperties.' + k, v)}"
            for k, v in {"uuid": "{aaaa}", **(settings or {})}.items()
        ),
        *(
            f'  <entry producer="chain{n}" in="{_clock(0, comma)}" out="{_clock(2999, comma)}"/>'
            for n in names.values()
        ),
        " </playlist>",
        f' <tractor id="tractor{len(cut)}" in="{_clock(0, comma)}" out="{_clock(max(0, length - 1), comma)}">',
        f"  {_property('kdenlive:projectTractor', 1)}",
        '  <track producer="{aaaa}"/>',
        " </tractor>",
        "</mlt>",
    ]
    return ("\n".join(lines) + "\n").encode()


def shotcut(cut: Cut) -> bytes:
    """A project of Shotcut: a chain for each clip."""
    lines = [
        '<?xml version="1.0" standalone="no"?>',
        '<mlt LC_NUMERIC="C" version="7.24.0" title="Shotcut version 24.04.28" producer="tractor0">',
        '  <profile description="automatic" width="1920" height="1080" frame_rate_num="25" frame_rate_den="1"/>',
    ]
    lists = []
    count = 0
    for number, (track, items) in enumerate(cut.items()):
        kind = "audio" if track.startswith("A") else "video"
        body = [
            f'  <playlist id="playlist{number}">',
            f"    {_property(f'shotcut:{kind}', 1)}",
            f"    {_property('shotcut:name', track)}",
        ]
        for item in items:
            lines += [
                f'  <chain id="chain{count}" out="{_clock(2999, False)}">',
                f"    {_property('length', _clock(3000, False))}",
                f"    {_property('resource', item.media if item.speed == 1 else f'{item.speed}:{item.media}')}",
                f"    {_property('mlt_service', 'avformat-novalidate' if item.speed == 1 else 'timewarp')}",
                f"    {_property('shotcut:hash', 'hash of ' + item.media)}",
                f"    {_property('shotcut:caption', item.name)}",
                *(
                    f'    <filter id="filter{count}">{_property("mlt_service", name)}{_property("shotcut:filter", name)}'
                    f"{_property(key, value)}</filter>"
                    for name, key, value in item.effects
                ),
                "  </chain>",
            ]
            if item.gap:
                body.append(f'    <blank length="{_clock(item.gap, False)}"/>')
            times = f'in="{_clock(item.first, False)}" out="{_clock(item.first + item.length - 1, False)}"'
            body.append(f'    <entry producer="chain{count}" {times}/>')
            count += 1
        lists += [*body, "  </playlist>"]
    lines += lists
    lines += [
        '  <tractor id="tractor0" title="Shotcut version 24.04.28">',
        f"    {_property('shotcut', 1)}",
        *(f'    <track producer="playlist{n}"/>' for n in range(len(cut))),
        "  </tractor>",
        "</mlt>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _curve(item: Item) -> list[dict[str, object]]:
    """Which frame of its media plays in which of a clip: one point as it is, two at another speed."""
    points = [(1.0, 1.0)] if item.speed == 1 else [(1.0, 1.0), (1001.0, 1.0 + 1000 * item.speed)]
    return [{"co": {"X": x, "Y": y}, "interpolation": 1} for x, y in points]


def openshot(cut: Cut, **more: object) -> bytes:
    """A project of OpenShot 2 or 3."""
    files = [{"id": f"F{n}", "path": path, "media_type": "video"} for n, path in enumerate(media_of(cut))]
    by_path = {file["path"]: file["id"] for file in files}
    clips = []
    for number, (_, items) in enumerate(cut.items()):
        at = 0
        for n, item in enumerate(items):
            at += item.gap
            clips.append(
                {
                    "id": item.id or f"C{number}{n}",
                    "layer": 1000000 * (number + 1),
                    "position": at / RATE,
                    "start": item.first / RATE,
                    "end": (item.first + item.length) / RATE,
                    "file_id": by_path[item.media],
                    "title": item.name,
                    "time": {"Points": _curve(item)},
                    "effects": [
                        {"id": f"E{number}{n}", "type": name, "name": name, key: value}
                        for name, key, value in item.effects
                    ],
                }
            )
            at += item.length
    value = {
        "id": "T0", "fps": {"num": 25, "den": 1}, "width": 1280, "height": 720, "scale": 15.0, "playhead_position": 0,
        "files": files, "clips": clips, "effects": [], "markers": [],
        "layers": [{"id": f"L{n + 1}", "number": 1000000 * (n + 1), "label": name, "lock": False} for n, name in enumerate(cut)],
        "history": {"undo": [], "redo": []}, "version": {"openshot-qt": "3.1.1"}, **more,
    }  # fmt: skip
    return json.dumps(value, indent=1).encode()


def _time_map(item: Item) -> str:
    if item.speed == 1:
        return "/>"
    points = f'<timept time="0s" value="0s"/><timept time="100s" value="{100 * item.speed}s"/>'
    return f"><timeMap>{points}</timeMap></asset-clip>"


def fcpxml(cut: Cut, version: str = "1.10") -> bytes:
    """A project of Final Cut Pro: the first track is the primary storyline, the others are lanes connected to a gap."""
    assets = "\n".join(
        f'    <asset id="r{n + 2}" name="{escape(path.rpartition("/")[2])}" uid="UID {escape(path)}" start="0s" duration="120s" '
        f'hasVideo="1" format="r1"><media-rep kind="original-media" src="file:///{escape(path)}"/></asset>'
        for n, path in enumerate(media_of(cut))
    )
    refs = {path: f"r{n + 2}" for n, path in enumerate(media_of(cut))}

    def spine(items: list[Item], indent: str) -> str:
        at, lines = 0, []
        for item in items:
            if item.gap:
                lines.append(f'{indent}<gap name="Gap" offset="{at}/25s" start="3600s" duration="{item.gap}/25s"/>')
                at += item.gap
            lines.append(
                f'{indent}<asset-clip ref="{refs[item.media]}" offset="{at}/25s" name="{escape(item.name)}" '
                f'start="{item.first}/25s" duration="{item.length}/25s"{_time_map(item)}'
            )
            at += item.length
        return "\n".join(lines)

    first = next(iter(cut.values()), [])
    length = sum(i.gap + i.length for i in first)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE fcpxml>

<fcpxml version="{version}">
  <resources>
    <format id="r1" name="FFVideoFormat1080p25" frameDuration="100/2500s" width="1920" height="1080"/>
{assets}
  </resources>
  <library location="file:///Users/mira/Movies/Trip.fcpbundle/">
    <event name="Trip" uid="E-1">
      <project name="Trip" uid="P-1" modDate="2026-01-01 10:00:00 +0100">
        <sequence format="r1" duration="{length}/25s" tcStart="0s" tcFormat="NDF">
          <spine>
{spine(first, "            ")}
          </spine>
        </sequence>
      </project>
    </event>
  </library>
</fcpxml>
""".encode()


def xmeml(cut: Cut) -> bytes:
    """Final Cut Pro 7 XML, as Premiere exports it."""
    known: set[str] = set()
    parts: dict[str, list[str]] = {"video": [], "audio": []}
    count = 0
    for track, items in cut.items():
        at, rows = 0, []
        for item in items:
            at += item.gap
            name = f"file-{media_of(cut).index(item.media)}"
            file = f'<file id="{name}"/>' if name in known else (
                f'<file id="{name}"><name>{escape(item.name)}</name><pathurl>file://localhost/{escape(item.media)}</pathurl></file>'
            )  # fmt: skip
            known.add(name)
            count += 1
            rows.append(
                f'<clipitem id="clipitem-{count}"><name>{escape(item.name)}</name><enabled>TRUE</enabled>'
                f"<start>{at}</start><end>{at + item.length}</end><in>{item.first}</in><out>{item.first + item.length}</out>{file}</clipitem>"
            )
            at += item.length
        parts["audio" if track.startswith("A") else "video"].append(
            f"<track>{''.join(rows)}<locked>FALSE</locked></track>"
        )
    media = "".join(f"<{kind}>{''.join(rows)}</{kind}>" for kind, rows in parts.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n<xmeml version="4"><sequence id="sequence-1"><name>Trip</name>'
        f"<rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><media>{media}</media></sequence></xmeml>\n"
    ).encode()


def edl(cut: Cut, *, start: int = 90_000, line_end: str = "\n") -> bytes:
    """An edit list of the first track."""
    lines, at = ["TITLE: Trip", "FCM: NON-DROP FRAME", ""], start
    for number, item in enumerate(next(iter(cut.values()), []), 1):
        at += item.gap
        times = (item.first, item.first + item.length * item.speed, at, at + item.length)
        clock = " ".join(format_timecode(frames, (RATE, 1)) for frames in times)
        reel = f"{item.file.partition('.')[0][:8]:8}"
        lines.append(f"{number:03d}  {reel} V     C        {clock}")
        if item.speed != 1:
            lines.append(f"M2   {reel}  {RATE * item.speed:05.1f}  {format_timecode(item.first, (RATE, 1))}")
        lines.append(f"* FROM CLIP NAME: {item.name}")
        at += item.length
    return (line_end.join(lines) + line_end).encode()


def reaper(cut: Cut, *, saved: int = 1_700_000_000, playhead: str = "0") -> bytes:
    """A project of REAPER."""
    lines = [
        f'<REAPER_PROJECT 0.1 "6.69/win64" {saved}',
        "  RIPPLE 0",
        "  TIMEMODE 1 5 -1 25 0 0 -1",
        f"  CURSOR {playhead}",
        "  TEMPO 120 4 4",
    ]
    for number, (track, items) in enumerate(cut.items()):
        guid = f"{{{number:08X}-0000-0000-0000-000000000000}}"
        lines += [f"  <TRACK {guid}", f"    NAME {track}", "    VOLPAN 1 0 -1 -1 1", f"    TRACKID {guid}"]
        at = 0
        for n, item in enumerate(items):
            at += item.gap
            lines += [
                "    <ITEM", f"      POSITION {at / RATE:.14g}", f"      LENGTH {item.length / RATE:.14g}",
                f"      IGUID {{{item.id or f'{number:04X}{n:04X}'}-1111-0000-0000-000000000000}}", f"      IID {n}",
                f'      NAME "{item.name}"', f"      SOFFS {item.first / RATE:.14g}", f"      PLAYRATE {item.speed} 1 0 -1 0 0.0025",
                f"      GUID {{{item.id or f'{number:04X}{n:04X}'}-2222-0000-0000-000000000000}}",
                "      <SOURCE WAVE", f'        FILE "{item.media}"', "      >", "    >",
            ]  # fmt: skip
            at += item.length
        lines.append("  >")
    return ("\n".join([*lines, ">"]) + "\n").encode()


def premiere(cut: Cut, *, playhead: int = 0) -> bytes:
    """A project of Premiere."""
    per_frame = 254_016_000_000 // RATE
    rows: list[str] = []
    count = 100
    groups: dict[str, list[str]] = {"Video": [], "Audio": []}
    for path in media_of(cut):
        rows.append(
            f'<Media ObjectUID="media-{escape(path)}"><FilePath>/Volumes/{escape(path)}</FilePath><Title>{escape(path)}</Title></Media>'
        )
    for track, items in cut.items():
        kind = "Audio" if track.startswith("A") else "Video"
        places, at = [], 0
        for n, item in enumerate(items):
            at += item.gap
            places.append(f'<TrackItem Index="{n}" ObjectRef="{count}"/>')
            rows.append(
                f'<{kind}ClipTrackItem ObjectID="{count}"><ClipTrackItem><TrackItem><Start>{at * per_frame}</Start><End>{(at + item.length) * per_frame}</End>'
                f'</TrackItem><SubClip ObjectRef="{count + 1}"/></ClipTrackItem></{kind}ClipTrackItem>'
                f'<SubClip ObjectID="{count + 1}"><Clip ObjectRef="{count + 2}"/><Name>{escape(item.name)}</Name></SubClip>'
                f'<{kind}Clip ObjectID="{count + 2}"><Clip><Source ObjectRef="{count + 3}"/><InPoint>{item.first * per_frame}</InPoint></Clip></{kind}Clip>'
                f'<{kind}MediaSource ObjectID="{count + 3}"><MediaSource><Media ObjectURef="media-{escape(item.media)}"/></MediaSource></{kind}MediaSource>'
            )
            at += item.length
            count += 4
        groups[kind].append(track)
        rows.append(
            f'<{kind}ClipTrack ObjectUID="{track}"><ClipTrack><ClipItems><TrackItems>{"".join(places)}</TrackItems></ClipItems></ClipTrack></{kind}ClipTrack>'
        )
    lists = {
        kind: "".join(f'<Track Index="{n}" ObjectURef="{track}"/>' for n, track in enumerate(tracks))
        for kind, tracks in groups.items()
    }
    for n, kind in enumerate(groups):
        rows.append(
            f'<{kind}TrackGroup ObjectID="{n + 1}"><TrackGroup><Tracks>{lists[kind]}</Tracks><FrameRate>{per_frame}</FrameRate></TrackGroup></{kind}TrackGroup>'
        )
    body = "\n".join(rows)
    return gzip.compress(
        f'<?xml version="1.0" encoding="UTF-8" ?>\n<PremiereData Version="3">\n<Sequence ObjectUID="seq"><Node><Properties>'
        f"<MZ.EditLine>{playhead}</MZ.EditLine></Properties></Node><TrackGroups>"
        '<TrackGroup Index="0"><Second ObjectRef="1"/></TrackGroup><TrackGroup Index="1"><Second ObjectRef="2"/></TrackGroup>'
        f"</TrackGroups><Name>Trip</Name></Sequence>\n{body}\n</PremiereData>\n".encode(),
        mtime=0,
    )


def resolve(cut: Cut) -> bytes:
    """A project of Resolve, as far as it is read."""
    tracks = []
    for track, items in cut.items():
        tag, at, rows = ("Sm2TiAudioClip" if track.startswith("A") else "Sm2TiVideoClip"), 0, []
        for n, item in enumerate(items):
            at += item.gap
            rows.append(
                f'<Element><{tag} DbId="{n}"><Name>{escape(item.name)}</Name><Start>{at}</Start><Duration>{item.length}</Duration>'
                f"<In>{item.first}</In><MediaFilePath>/Volumes/{escape(item.media)}</MediaFilePath><FieldsBlob>00ff</FieldsBlob></{tag}></Element>"
            )
            at += item.length
        tracks.append(f"<Element><Sm2TiTrack><Items>{''.join(rows)}</Items></Sm2TiTrack></Element>")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("project.xml", "<SM_Project><ProjectName>Trip</ProjectName></SM_Project>")
        archive.writestr(
            "SeqContainer/0.xml",
            f"<Sm2SequenceContainer><FrameRate>25</FrameRate>{''.join(tracks)}</Sm2SequenceContainer>",
        )
    return buffer.getvalue()


def _otio_speed(item: Item) -> dict[str, object]:
    warp = {"OTIO_SCHEMA": "LinearTimeWarp.1", "name": "speed", "time_scalar": float(item.speed)}
    return {"effects": [warp]} if item.speed != 1 else {}


def otio(cut: Cut) -> bytes:
    """An OpenTimelineIO timeline."""

    def time(frames: int) -> dict[str, object]:
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": 25, "value": frames}

    def range_(first: int, length: int) -> dict[str, object]:
        return {"OTIO_SCHEMA": "TimeRange.1", "start_time": time(first), "duration": time(length)}

    tracks = []
    for track, items in cut.items():
        children: list[dict[str, object]] = []
        for item in items:
            if item.gap:
                children.append({"OTIO_SCHEMA": "Gap.1", "source_range": range_(0, item.gap)})
            reference = {"OTIO_SCHEMA": "ExternalReference.1", "target_url": item.media}
            children.append(
                {
                    "OTIO_SCHEMA": "Clip.1",
                    "name": item.name,
                    "source_range": range_(item.first, item.length),
                    "media_reference": reference,
                    **_otio_speed(item),
                }
            )
        kind = "Audio" if track.startswith("A") else "Video"
        tracks.append({"OTIO_SCHEMA": "Track.1", "name": track, "kind": kind, "children": children})
    value = {"OTIO_SCHEMA": "Timeline.1", "name": "Trip", "tracks": {"OTIO_SCHEMA": "Stack.1", "children": tracks}}
    return json.dumps(value, indent=1).encode()


def otioz(cut: Cut) -> bytes:
    """The same in a zip file with its media."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("content.otio", otio(cut))
        archive.writestr("version.txt", "1.0.0")
        archive.writestr("media/a.mp4", b"not a film")
    return buffer.getvalue()
