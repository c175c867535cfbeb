"""Text as lines and words, what scripts and subtitles are compared by; which files are text, and merge by line.

In XML, in edit lists and in the projects of editors, elements refer to each other by ids and numbers that programs
give out anew at every save. Two such files merged by line can be wrong without a single conflict: a clip plays
another take. What a file is, is read from its content first; its name only decides where content says nothing.
"""

import codecs
import json
import re
from collections.abc import Iterable

from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.jsondoc.values import JsonValue

TEXT_BYTES_LIMIT = 32 * 2**20
NO_TEXT = "it holds control characters"
"""The reason of what was never meant to be text."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_WORD = r"\w+(?:['’]\w+)*|\s|[^\w\s]"
_CONTROL = "[\x00-\x08\x0e-\x1a\x1c-\x1f]"


def read_text(data: bytes) -> str | Unstructured:
    """Decode the text of a file, or say why it is not shown as text; nothing is normalised.

    UTF-8, or UTF-16 with its byte order mark. Bytes that hold control characters are no text.
    """
    if len(data) > TEXT_BYTES_LIMIT:
        return Unstructured(f"it is larger than {TEXT_BYTES_LIMIT // 2**20} MiB")
    try:
        text = data.decode("utf-16" if data.startswith(_UTF16) else "utf-8")
    except UnicodeDecodeError as error:
        return Unstructured(NO_TEXT if b"\0" in data else f"byte {error.start:,} is not valid UTF-8")
    if re.search(_CONTROL, text):
        return Unstructured(NO_TEXT)
    return text


def split_lines(text: str) -> list[str]:
    """Split a text into lines with their ends; only a line feed ends a line, so joining them gives the text back."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def split_words(text: str) -> list[str]:
    """Split a text into words, single spaces and single signs; joining them gives the text back."""
    return re.findall(_WORD, text)


LOOK_BYTES = 64 * 1024
"""So much of a file's beginning is looked at, where its beginning tells."""

_PLAIN = """
txt text md markdown mdown rst adoc org tex log srt vtt sbv fountain spmd
py pyi js mjs cjs ts jsx tsx css scss sass less c h cc cpp hpp rs go java kt swift sh bash zsh fish ps1 bat cmd
rb pl lua r jl sql php vue svelte j2 jinja tmpl hbs ini cfg conf properties env diff patch glsl frag vert
ly jsonl ndjson"""
_XML = """
kdenlive mlt fcpxml xges ardour aepx xml svg html htm xhtml xmp plist xspf ttml dfxp itt smil mpd dae xmeml
kml gpx rss atom xsl xslt xsd fdx drawio aup musicxml mscx mei ntp sfvegas xlf xliff cdl ccc veg imovieproj
storyboard xib ove olive"""
_PROJECTS = """
osp flb rpp rpp-bak drp prproj aep als nk comp setting ma hip blend usda usd tscn tres unity prefab asset mat
pbxproj llc lottie excalidraw gltf"""
_EVENTS = "edl cue"
_SOLID = "obj mtl ply off bvh cube 3dl rtf ps eps"

REFER_IN_XML = "elements of XML refer to each other"
REFER_IN_XMEML = f"{REFER_IN_XML}; the same cut as OpenTimelineIO, Final Cut Pro XML or an edit list merges by clip"
REFER_IN_EVENTS = "the events of an edit list count on and refer to each other"
ONLY_TOGETHER = "its lines mean something only together"

PLAIN_ENDINGS = frozenset(_PLAIN.split())
"""Texts that people write: they may begin with a tag or a brace and still be no more than text."""
REFERRING_ENDINGS = {
    **dict.fromkeys(_XML.split(), REFER_IN_XML),
    **dict.fromkeys(_PROJECTS.split(), "the elements of such a project refer to each other"),
    **dict.fromkeys(_EVENTS.split(), REFER_IN_EVENTS),
    **dict.fromkeys(_SOLID.split(), ONLY_TOGETHER),
}
"""Endings of files that are never merged by line, and why."""
NO_DOCUMENT_ENDINGS = frozenset(("gltf", "jsonl", "ndjson"))
"""JSON that is not merged by field: its elements refer to each other by their places, or each line is one."""

_TAG = r"<(?:\?xml\b|!|[A-Za-z_:])"
_PICKLE = r"(?:\(i[\w.]+\n\w+\n|c[\w.]+\n\w+\n|\([dl]p\d)"
_TIME = r"\d\d:\d\d:\d\d[:;.]\d\d"
_EVENT = rf"(?ma)^\d{{1,6}}[ \t]+\S+[ \t]+\S+[ \t].{{0,200}}?(?:{_TIME}[ \t]+){{3}}{_TIME}[ \t\r]*$"
_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def ending_of(path: str) -> str:
    """Return the text after the last dot of a file's name, in small letters; "" for none."""
    _, dot, ending = path.rpartition("/")[2].rpartition(".")
    return ending.lower() if dot else ""


def is_json(path: str, sides: Iterable[bytes]) -> bool:
    """Tell whether any of these versions is a JSON object or list, whatever the file is called."""
    return ending_of(path) not in NO_DOCUMENT_ENDINGS and any(_is_json(data) for data in sides)


def _is_json(data: bytes) -> bool:
    start = _beginning(data[:4_096])
    if not start.startswith(("{", "[")):
        return False
    try:
        value: JsonValue = json.loads(_decoded(data))
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict | list)


def why_not_by_line(path: str, sides: Iterable[bytes]) -> str:
    """Say why these versions of a file must not be merged by line, as a clause after "because"; "" where they may.

    One version that is not plain text is enough.
    """
    versions = list(sides)
    ending = ending_of(path)
    found = REFERRING_ENDINGS.get(ending) or next((reason for v in versions if (reason := _reason(ending, v))), "")
    is_exchanged = found == REFER_IN_XML and any(b"<xmeml" in version[:LOOK_BYTES] for version in versions)
    return REFER_IN_XMEML if is_exchanged else found


def _reason(ending: str, data: bytes) -> str:
    start = _beginning(data[:LOOK_BYTES])
    may_be_words = not ending or ending in PLAIN_ENDINGS
    if re.match(_TAG, start) and (not may_be_words or _declares(start) or _is_well_formed(data)):
        return REFER_IN_XML
    if start.startswith("{") and ending not in PLAIN_ENDINGS:
        return "it begins like the record of a program"
    if start.startswith(("{\\rtf", "%!PS", "%YAML 1.1\n%TAG", "<REAPER_PROJECT")):
        return ONLY_TOGETHER
    if re.match(_PICKLE, start):
        return "it is a stored object of a program"
    if re.search(_EVENT, start):
        return REFER_IN_EVENTS
    return ""


def _decoded(data: bytes) -> str:
    """Decode bytes in whichever Unicode encoding their mark names; what is none is decoded with replacements."""
    if data.startswith(_UTF_32):
        return data.decode("utf-32", "replace")
    if data.startswith(_UTF_16):
        return data.decode("utf-16", "replace")
    if data[:4].count(b"\0") >= 2:  # no mark; the first characters of any such text are ASCII
        return data.decode("utf-16-le" if data[:2].endswith(b"\0") else "utf-16-be", "replace")
    return data.decode("utf-8-sig", "replace")


def _beginning(data: bytes) -> str:
    return _decoded(data).lstrip("\ufeff\u200b\0" + " \t\r\n\v\f\xa0")


def _declares(start: str) -> bool:
    """Tell whether a text says of itself that it is XML or HTML."""
    return start[:9].lower().startswith(("<?xml", "<!doctype"))


def _is_well_formed(data: bytes) -> bool:
    """Tell whether the text is one XML document. One with a document type counts, unread: it may hold a bomb."""
    from xml.parsers import expat  # only where a plain text begins with a tag

    def stop(*_: object) -> None:
        raise _DeclaresTypeError

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = stop
    try:
        parser.Parse(data, True)
    except _DeclaresTypeError:
        return True
    except (expat.ExpatError, ValueError):
        return False
    return True


class _DeclaresTypeError(Exception):
    """The text has a document type."""
