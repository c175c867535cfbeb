"""What a media file brings along of where it comes from: texts of PNG, EXIF and XMP of JPEG, ID3, Broadcast WAV.

Every number comes from the file and may be a lie: reads are few and bounded (see `HeaderReader`), texts are cut,
compressed ones are decoded up to a limit, and anything odd ends in less information, never in an error. Sources: PNG
(third edition) 11.3.3, EXIF 2.32 4.6, XMP part 3, ID3v2.3 and 2.4, EBU Tech 3285.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from aura_vcs.formats.media.reader import HeaderReader, HeaderSource, NothingMoreError
from aura_vcs.formats.provenance.facts import Facts, proper_facts
from aura_vcs.formats.provenance.generators import from_texts

TEXT_BYTES = 1 << 20
"""Decoded bytes of a text that are looked at."""
PIECE = 65_536
_CHUNKS = 60
_PNG = b"\x89PNG\r\n\x1a\n"
_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_TAGS = {0x010F: "maker", 0x0110: "camera", 0x0131: "program", 0x013B: "person", 0x8298: "license", 0x0132: "made_at"}
_USER_COMMENT, _EXIF_FOLDER, _DESCRIPTION = 0x9286, 0x8769, 0x010E
_ENTRIES = 200
_ID3 = {
    "TPE1": "person",
    "TCOP": "license",
    "TENC": "program",
    "TSSE": "program",
    "TDRC": "made_at",
    "WCOP": "license_source",
}
_XMP_FIELDS = (
    ("program", rb"CreatorTool"), ("license_terms", rb"UsageTerms"), ("license_source", rb"WebStatement"),
    ("license", rb"rights"), ("person", rb"creator"), ("made_at", rb"CreateDate"),
)  # fmt: skip


def read_embedded(source: HeaderSource) -> Facts:
    """Return what the file says of where it comes from; empty where it says nothing. Never raises for any bytes."""
    try:
        reader = HeaderReader(source)
        found = _read(reader)
    except (NothingMoreError, struct.error, ValueError, OverflowError, IndexError, RecursionError):
        return {}
    return proper_facts(
        {name: _cleaned(value) for name, value in found.items()} | ({"origin": "file"} if found else {})
    )


def _read(reader: HeaderReader) -> dict[str, Any]:
    head = reader.head
    for is_so, read in (
        (head.startswith(_PNG), _png),
        (head.startswith(b"\xff\xd8"), _jpeg),
        (head.startswith(b"ID3"), _id3),
        (head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE", _wav),
        (head[:4] == b"RIFF" and head[8:12] == b"WEBP", _webp),
        (head[:4] in (b"II*\0", b"MM\0*"), _tiff),
    ):
        if is_so:
            return read(reader)
    return {}


def _png(reader: HeaderReader) -> dict[str, Any]:
    return _png_exif(reader) | _from_texts(dict(_png_texts(reader)))


def _tiff(reader: HeaderReader) -> dict[str, Any]:
    return _exif(_bytes(reader, 0, min(reader.size, TEXT_BYTES)))


def _cleaned(value: Any) -> Any:
    return value.replace("\0", "").strip() if isinstance(value, str) else value


def _from_texts(texts: dict[str, str]) -> dict[str, Any]:
    if found := from_texts(texts):
        return found
    plain = {"Software": "program", "Author": "person", "Copyright": "license", "Creation Time": "made_at"}
    found = {plain[key]: text for key, text in texts.items() if key in plain}
    if "XML:com.adobe.xmp" in texts:
        found = _xmp(texts["XML:com.adobe.xmp"].encode("utf-8", "replace")) | found
    return found


def _png_chunks(reader: HeaderReader) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, place and length of what is in the chunks of a PNG."""
    position = len(_PNG)
    for _ in range(_CHUNKS):
        try:
            length, name = struct.unpack(">I4s", reader.at(position, 8))
        except NothingMoreError:
            return
        yield name, position + 8, length
        position += 12 + length


def _png_texts(reader: HeaderReader) -> Iterator[tuple[str, str]]:
    for name, at, length in _png_chunks(reader):
        if name in (b"tEXt", b"zTXt", b"iTXt") and length <= TEXT_BYTES:
            found = _png_text(name, _bytes(reader, at, length))
            if found is not None:
                yield found
        if name == b"IEND":
            return


def _png_exif(reader: HeaderReader) -> dict[str, Any]:
    for name, at, length in _png_chunks(reader):
        if name == b"eXIf" and length <= PIECE:
            with suppress(struct.error):  # the texts beside it may be proper
                return _exif(reader.at(at, length))
    return {}


def _webp(reader: HeaderReader) -> dict[str, Any]:
    position, found = 12, dict[str, Any]()
    for _ in range(_CHUNKS):
        try:
            name, size = struct.unpack("<4sI", reader.at(position, 8))
        except NothingMoreError:
            break
        if name == b"EXIF" and size <= PIECE:
            found |= _exif(reader.at(position + 8, size).removeprefix(_EXIF))
        elif name == b"XMP " and size <= PIECE:
            found = _xmp(reader.at(position + 8, size)) | found
        position += 8 + size + size % 2
    return found


def _bytes(reader: HeaderReader, position: int, count: int) -> bytes:
    """Read so many bytes in pieces that the reader gives."""
    return b"".join(reader.at(at, min(PIECE, position + count - at)) for at in range(position, position + count, PIECE))


def _png_text(name: bytes, data: bytes) -> tuple[str, str] | None:
    key, _, rest = data.partition(b"\0")
    if name == b"tEXt":
        return key.decode("latin-1"), _either(rest)
    if name == b"zTXt":
        return key.decode("latin-1"), _either(_inflated(rest[1:]))
    is_compressed, rest = rest[:1] == b"\1", rest[2:]
    text = rest.partition(b"\0")[2].partition(b"\0")[2]
    return key.decode("latin-1"), (_inflated(text) if is_compressed else text).decode("utf-8", "replace")


def _either(data: bytes) -> str:
    """Decode a text that should be Latin-1: generators write UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, TEXT_BYTES)
    except zlib.error:
        return b""


def _jpeg(reader: HeaderReader) -> dict[str, Any]:
    position, found = 2, dict[str, Any]()
    for _ in range(_CHUNKS):
        try:
            marker, length = struct.unpack(">HH", reader.at(position, 4))
        except NothingMoreError:
            break
        if marker & 0xFF00 != 0xFF00 or length < 2 or marker == 0xFFDA:
            break
        if marker == 0xFFE1:
            data = reader.at(position + 4, length - 2)
            if data.startswith(_EXIF):
                found |= _exif(data[len(_EXIF) :])
            elif data.startswith(_XMP):
                found = _xmp(data[len(_XMP) :]) | found
        position += 2 + length
    return found


def _exif(data: bytes) -> dict[str, Any]:
    """Read what EXIF says of camera, program, person and rights, and a generator's text in its comment."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return {}
    texts: dict[int, str] = {}
    (first,) = struct.unpack(order + "I", data[4:8])
    waiting, seen = [first], set[int]()
    while waiting and len(seen) < 4:
        at = waiting.pop()
        if at in seen or at + 2 > len(data):
            continue
        seen.add(at)
        (count,) = struct.unpack_from(order + "H", data, at)
        for number in range(min(count, _ENTRIES)):
            tag, kind, length, value = struct.unpack_from(order + "HHII", data, at + 2 + 12 * number)
            if tag == _EXIF_FOLDER:
                waiting.append(value)
            elif kind in (1, 2, 7) and length <= TEXT_BYTES:
                start = value if length > 4 else at + 2 + 12 * number + 8
                texts.setdefault(tag, _exif_text(tag, data[start : start + length], order))
    found: dict[str, Any] = {name: texts[tag] for tag, name in _TAGS.items() if tag in texts}
    camera = " ".join(part for part in (found.pop("maker", ""), found.pop("camera", "")) if part.strip())
    if camera:
        found |= {"kind": "recorded", "parameters": {"camera": _cleaned(camera)}}
    comment = texts.get(_USER_COMMENT, "")
    return found | (from_texts({"parameters": comment}) or from_texts({"parameters": texts.get(_DESCRIPTION, "")}))


def _exif_text(tag: int, data: bytes, order: str) -> str:
    if tag != _USER_COMMENT:
        return data.rstrip(b"\0").decode("utf-8", "replace")
    code, text = data[:8], data[8:]
    if code == b"UNICODE\0":
        return text.decode("utf-16-le" if order == "<" and text[:1] != b"\0" else "utf-16-be", "replace")
    return text.decode("utf-8", "replace")


def _xmp(data: bytes) -> dict[str, Any]:
    """Read single properties of an XMP packet, without its graph: as attributes, or as the first text inside."""
    found: dict[str, Any] = {}
    for name, tag in _XMP_FIELDS:
        pattern = rb"<[\w]{1,20}:" + tag + rb"\b[^>]{0,200}>(?:\s*<[^>]{1,200}>){0,3}\s*([^<]{1,4096})"
        match = re.search(rb"\b[\w]{1,20}:" + tag + rb'="([^"]{1,4096})"', data) or re.search(pattern, data)
        if match is not None and match[1].strip():
            found[name] = _unescaped(match[1].decode("utf-8", "replace"))
    return found


def _unescaped(text: str) -> str:
    for code, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(code, letter)
    return text


def _id3(reader: HeaderReader) -> dict[str, Any]:
    major = reader.head[3]
    end = 10 + _synchsafe(reader.head[6:10])
    if major not in (3, 4):
        return {}
    position, found = 10, dict[str, Any]()
    for _ in range(_CHUNKS):
        if position + 10 > end:
            break
        name, size, _ = struct.unpack(">4sIH", reader.at(position, 10))
        size = _synchsafe(struct.pack(">I", size)) if major == 4 else size
        key = _ID3.get(name.decode("latin-1"))
        if not name.strip(b"\0") or position + 10 + size > end:
            break
        if key is not None and 0 < size <= PIECE:
            data = reader.at(position + 10, size)
            found.setdefault(key, data.decode("latin-1") if name.startswith(b"W") else _id3_text(data))
        position += 10 + size
    return found


def _synchsafe(data: bytes) -> int:
    a, b, c, d = data
    return (a & 127) << 21 | (b & 127) << 14 | (c & 127) << 7 | (d & 127)


def _id3_text(data: bytes) -> str:
    encoding = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}.get(data[0], "latin-1")
    return data[1:].decode(encoding, "replace").split("\0", 1)[0]


def _wav(reader: HeaderReader) -> dict[str, Any]:
    """Read the chunk of a Broadcast WAV that says who recorded it, and the list of texts beside it."""
    position, found = 12, dict[str, Any]()
    for _ in range(_CHUNKS):
        try:
            name, size = struct.unpack("<4sI", reader.at(position, 8))
        except NothingMoreError:
            break
        if name == b"bext" and size >= 602:
            found |= _bext(reader.at(position + 8, 602))  # it says what recorded, the list what wrote the file last
        elif name == b"LIST" and 4 <= size <= PIECE:
            found = _info(reader.at(position + 8, size)) | found
        position += 8 + size + size % 2
    return found


def _bext(data: bytes) -> dict[str, Any]:
    description, originator, _, day, clock = (
        part.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
        for part in struct.unpack_from("256s32s32s10s8s", data)
    )
    made = f"{day.replace(':', '-')}T{clock.replace('-', ':')}" if day and clock else day
    said = {"kind": "recorded", "program": originator, "note": description, "made_at": made}
    return {name: text for name, text in said.items() if text}


def _info(data: bytes) -> dict[str, Any]:
    names = {b"IART": "person", b"ICOP": "license", b"ISFT": "program"}
    position, found = 4, dict[str, Any]()
    while data[:4] == b"INFO" and position + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        if name in names:
            found[names[name]] = data[position + 8 : position + 8 + size].split(b"\0", 1)[0].decode("utf-8", "replace")
        position += 8 + size + size % 2
    return found
