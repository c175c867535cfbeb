"""The text of a file cut into passages that are found and shown on their own: what a search looks through."""

import posixpath
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

from msgspec import Struct

from aura_vcs.formats.jsondoc.parse import ParsedDocument, parse_document
from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.subtitles import parse_subtitles
from aura_vcs.formats.text import read_text
from aura_vcs.formats.timeline.endings import may_be_project
from aura_vcs.formats.timeline.model import Timeline, spoken
from aura_vcs.formats.timeline.project_file import read_project

PassageKind = Literal["text", "subtitle", "clip", "document", "file", "tag"]

PASSAGE_LIMIT = 2_000
"""Characters of a passage; a longer paragraph is cut at the ends of its lines."""
FILE_BYTES_LIMIT = 4 << 20
"""A larger file is not looked into."""
PASSAGES_LIMIT = 20_000
"""So many passages of one file are looked through."""
_TEXTS = frozenset(
    {
        ".md", ".markdown", ".txt", ".text", ".rst", ".adoc", ".org", ".fountain", ".tex", ".csv", ".tsv", ".yaml",
        ".yml", ".toml", ".ini", ".html", ".htm",
    }
)  # fmt: skip
_SUBTITLES = frozenset({".srt", ".vtt"})


class Passage(Struct, frozen=True):
    """Some text of a file, and where it stands: "line 12", "0 min 4.5 s", a JSON pointer, a clip."""

    kind: PassageKind
    place: str
    text: str


Reader = Callable[[bytes], Iterator[Passage]]


def is_searched(path: str) -> bool:
    """Tell by its name whether a file may have text that is searched."""
    return _reader_of(path) is not None


def passages_of(path: str, data: bytes) -> list[Passage]:
    """Return what a file says, passage by passage; nothing for what is not text, or not what its name says."""
    read = _reader_of(path)
    if read is None or len(data) > FILE_BYTES_LIMIT:
        return []
    found: list[Passage] = []
    for passage in read(data):
        if any(letter.isalnum() for letter in passage.text):
            found.append(passage)
        if len(found) >= PASSAGES_LIMIT:
            break
    return found


def _reader_of(path: str) -> Reader | None:
    if may_be_project(path):
        return partial(_project, path)
    ending = posixpath.splitext(path.lower())[1]
    return next((read for endings, read in READERS if ending in endings), None)


def _paragraphs(data: bytes) -> Iterator[Passage]:
    """Yield paragraphs: the text between empty lines, cut where it is long."""
    text = read_text(data)
    if not isinstance(text, str):
        return
    lines: list[str] = []
    start = size = 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        is_end = not line.strip()
        if lines and (is_end or size + len(line) > PASSAGE_LIMIT):
            yield Passage("text", f"line {start:,}", "\n".join(lines)[:PASSAGE_LIMIT])
            lines, size = [], 0
        if not is_end:
            start = start if lines else number
            lines.append(line)
            size += len(line) + 1


def _cues(data: bytes) -> Iterator[Passage]:
    """Yield the cues of subtitles, with the time at which they are seen."""
    for cue in parse_subtitles(data):
        yield Passage("subtitle", spoken(round(cue.start * 1000) * _TICKS_PER_MS), cue.text[:PASSAGE_LIMIT])


def _project(path: str, data: bytes) -> Iterator[Passage]:
    """Yield clips and markers of an editor's project or a timeline; of any other file, what its name promises."""
    timeline = read_project(path, data)
    if isinstance(timeline, Timeline):
        yield from timeline_passages(timeline)
    else:
        yield from _documents(data) if path.lower().endswith(".json") else _paragraphs(data)


def _documents(data: bytes) -> Iterator[Passage]:
    """Yield the strings of a JSON document with their pointers."""
    parsed = parse_document(data)
    if isinstance(parsed, ParsedDocument):
        yield from _strings(parsed.value)


def timeline_passages(timeline: Timeline) -> Iterator[Passage]:
    """Yield names and texts of tracks, clips and markers of a timeline, whatever editor made it."""
    if timeline.name:
        yield Passage("clip", "timeline", timeline.name[:PASSAGE_LIMIT])
    for name, value in timeline.markers:
        yield Passage("clip", "marker", _with_note(name, value))
    for track in timeline.tracks:
        if track.name:
            yield Passage("clip", "track", track.name[:PASSAGE_LIMIT])
        for clip in track.clips:
            words = [clip.name, clip.text, posixpath.basename(clip.media)]
            text = " · ".join(dict.fromkeys(word for word in words if word))
            if text:
                yield Passage("clip", f"{clip.noun} at {spoken(clip.start)}", text[:PASSAGE_LIMIT])
            for name, value in clip.markers:
                yield Passage("clip", f"marker of {clip.noun} at {spoken(clip.start)}", _with_note(name, value))


def _with_note(name: str, value: str) -> str:
    """Join a marker's name and the texts that it has beside it; `value` is everything about it as JSON."""
    parsed = parse_document(value.encode("utf-8", "surrogatepass")) if value.startswith(("{", "[")) else None
    notes: list[str] = []
    if isinstance(parsed, ParsedDocument):
        notes = [p.text for p in _strings(parsed.value) if p.place.rpartition("/")[2] in _NOTES]
    return " · ".join(dict.fromkeys(filter(None, [name, *notes])))[:PASSAGE_LIMIT]


def _strings(document: JsonValue) -> Iterator[Passage]:
    """Yield every text of a document with more than a word's beginning in it, in the order of the document."""
    waiting: list[tuple[str, JsonValue]] = [("", document)]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, str):
            yield Passage("document", pointer, value[:PASSAGE_LIMIT])
        elif isinstance(value, dict):
            inner = [(f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", item) for key, item in value.items()]
            waiting += reversed(inner)
        elif isinstance(value, list):
            waiting += reversed([(f"{pointer}/{at}", item) for at, item in enumerate(value)])


_TICKS_PER_MS = 10_000
_NOTES = frozenset({"comment", "note", "notes", "description", "text", "name"})
READERS: list[tuple[frozenset[str], Reader]] = [
    (_TEXTS, _paragraphs),
    (_SUBTITLES, _cues),
    (frozenset({".json"}), _documents),
]
"""By the endings of names, what reads the passages of such files; projects of editors are read before."""
