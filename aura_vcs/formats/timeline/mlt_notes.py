"""What an MLT document says beside its clips: guides, settings, and the noise of looking at it."""

import re

from aura_vcs.formats.jsondoc.parse import value_in
from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.timeline.fingerprint import digest_of
from aura_vcs.formats.timeline.mlt_parts import Properties, properties_of, read_frames
from aura_vcs.formats.timeline.model import shown
from aura_vcs.formats.timeline.studio import canonical
from aura_vcs.formats.timeline.timecode import Rate, format_timecode
from aura_vcs.formats.xmldoc.parse import Element

MARKERS_LIMIT = 10_000
_PREFIXES = ("kdenlive:docproperties.", "kdenlive:sequenceproperties.", "kdenlive:", "shotcut:")
_NOISE = {
    "playhead": re.compile(r"position|seekOffset|monitorPosition"),
    "zoom": re.compile(r"zoom|scrollPos|verticalzoom|scroll|binZoom|scaleFactor"),
    "selection": re.compile(
        r"zone.*|activeTrack|activetimeline|opensequences|audioTarget|videoTarget|activeeffect|targettrack|.*targettrack|groups\.selection"
    ),
    "window": re.compile(r"expandedFolders|browserurl|collapsed|trackheight|binsort|.*Headers?Width|extraBins.*"),
    "render settings": re.compile(
        r"render.*|sessionid|generateproxy|preview.*|.*previewchunks|disablepreview|proxyresize"
    ),
    "version of the editor": re.compile(r"kdenliveversion|version|documentid|uuid|xml_retain|decimalPoint"),
}
_CONTENT = re.compile(
    r"guides(?:Categories)?|groups|clipgroups|clipname|marker\..*|guide\..*|markers|control_uuid|duration|maxduration|producer_type"
    r"|id|file_hash|file_size|folderid|sequenceFolder|sequenceproperties\..*|tracksCount|hasAudio|hasVideo|uuid|clip_type"
)


def is_noise(name: str) -> bool:
    """Tell whether a property changes by looking at a project, or is given anew at every save."""
    bare = next((name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix)), name)
    return any(names.fullmatch(bare) for names in _NOISE.values())


class MltNotes:
    """Fingerprints under their names: `other` of content that is not looked into, `noise` of what means nothing."""

    def __init__(self) -> None:
        self.other: dict[str, str] = {}
        self.noise: dict[str, str] = {}

    def keep(self, name: str, value: JsonValue) -> None:
        """Remember a part that is not looked into."""
        if value:
            self.other[name] = digest_of(value)


def _entries(text: str) -> list[JsonValue]:
    found = value_in(text)
    return found[:MARKERS_LIMIT] if isinstance(found, list) else []


def read_markers(found: Properties, rate: Rate) -> tuple[tuple[str, str], ...]:
    """Read the markers of a bin clip."""
    markers = [_marker(entry, rate) for entry in _entries(found.get("kdenlive:markers", ""))]
    return tuple(markers) + _named_by_time(found, "kdenlive:marker.")


def _marker(entry: JsonValue, rate: Rate) -> tuple[str, str]:
    record = entry if isinstance(entry, dict) else {}
    name, at = record.get("comment"), record.get("pos")
    where = format_timecode(at, rate) if isinstance(at, int) and abs(at) < 10**10 else ""
    rest = {key: value for key, value in record.items() if key not in ("comment", "pos")}
    return shown(name if isinstance(name, str) else "") or "marker", canonical({"at": where, **rest})


def _named_by_time(found: Properties, prefix: str) -> tuple[tuple[str, str], ...]:
    """Read markers as Kdenlive wrote them until 17: the time, in seconds, in the name of a property."""
    return tuple(
        (value.partition(":")[2] or value, canonical({"at": key.removeprefix(prefix)}))
        for key, value in found.items()
        if key.startswith(prefix)
    )


def read_guides(found: Properties, tractor: Element | None, rate: Rate, sequence: str) -> list[tuple[str, str]]:
    """Read the markers of a whole sequence, as name and the rest."""
    text = found.get("kdenlive:sequenceproperties.guides") or found.get("kdenlive:docproperties.guides") or ""
    guides = [_marker(entry, rate) for entry in _entries(text)]
    guides += _named_by_time(found, "kdenlive:guide.")
    for holder in tractor.all("properties") if tractor is not None else ():
        for each in holder.all("properties") if holder.get("name") == "shotcut:markers" else ():
            marker = properties_of(each)
            at = read_frames(marker.get("start", ""), rate)
            where = format_timecode(at, rate) if at is not None else marker.get("start", "")
            rest = {key: value for key, value in marker.items() if key not in ("text", "start")}
            guides.append((marker.get("text", ""), canonical({"at": where, **rest})))
    if sequence:
        guides = [(f"{name} ({sequence})", rest) for name, rest in guides]
    return guides[:MARKERS_LIMIT]


def read_settings(
    root: Element, project: Properties, sequences: list[Properties], notes: MltNotes
) -> dict[str, JsonValue]:
    """Read the document's settings, without prefixes; noise goes to `notes`."""
    profile = root.find("profile")
    settings: dict[str, JsonValue] = {}
    if profile is not None:
        settings["profile"] = dict(sorted(profile.attributes.items()))
    noise: dict[str, list[JsonValue]] = {}
    groups: list[JsonValue] = []
    for place, found in enumerate((project, *sequences)):
        for key, value in found.items():
            name = next((key.removeprefix(p) for p in _PREFIXES if key.startswith(p)), key)
            if name == "clipgroups":  # until 17: XML, its lines in whatever order
                groups.append(sorted(value.split("\n")))
            elif name == "groups":
                groups.append([group for group in _entries(value) if not _is_selection(group)])
            if _CONTENT.fullmatch(name) or key.startswith("kdenlive:guide.") or key == "shotcut":
                continue
            word = next((word for word, names in _NOISE.items() if names.fullmatch(name)), "")
            if word:
                noise.setdefault(word, []).append([place, name, value])
            elif place == 0 or key.startswith("shotcut:") or len(sequences) == 1:
                settings.setdefault(name, value)
    for key in ("LC_NUMERIC", "version", "title", "root"):
        noise.setdefault("version of the editor" if key != "root" else "folder", []).append(root.get(key))
    notes.noise |= {word: digest_of(values) for word, values in noise.items()}
    notes.keep("groups", [group for group in groups if group])
    return settings


def _is_selection(group: JsonValue) -> bool:
    return isinstance(group, dict) and group.get("type") == "Selection"
