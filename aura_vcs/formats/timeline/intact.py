"""Whether a project file is written to its end: its editor may be at it, or may have died over it.

Only the form is looked at, quickly. What is no form that is known counts as whole.
"""

import json
import re
import zlib
from collections.abc import Callable

_ROOT = re.compile(rb"<([A-Za-z_][\w.:-]*)")
_SPACE = b" \t\r\n\0"
_PROLOGUE = re.compile(rb"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\])?\s*>|\s+)*", re.DOTALL)
_PIECE = 1 << 20
CUT_OFF = "it ends before its end"
_END_OF_ZIP = b"PK\x05\x06"
_END_RECORD = 22
"""Bytes of the record at the end of a zip file, without the comment whose length its last two have."""
_FIRST_BYTES = frozenset((b"\x1f", b"P", b"PK", b"PK\x03"))
"""What there is of a gzip or zip file before it can be told to be one."""


def why_not_intact(data: bytes) -> str:
    """Say why the bytes of a project file are no intact one; "" where they are, or nobody can tell."""
    if not data.strip(_SPACE):
        return "it is empty"
    if data in _FIRST_BYTES:
        return CUT_OFF
    start = data[:64].lstrip(b"\xef\xbb\xbf" + _SPACE)
    look = next((look for begins, look in _LOOKS if start.startswith(begins)), None)
    return look(data) if look is not None else ""


def _reaper(data: bytes) -> str:
    return "" if data.rstrip(_SPACE).endswith(b">") and _is_closed(data) else CUT_OFF


def _zip(data: bytes) -> str:
    tail = data[-(1 << 16) - _END_RECORD :]
    at = tail.find(_END_OF_ZIP)
    while at >= 0:
        comment = int.from_bytes(tail[at + _END_RECORD - 2 : at + _END_RECORD], "little")
        if len(tail) >= at + _END_RECORD + comment:
            return ""
        at = tail.find(_END_OF_ZIP, at + 1)
    return CUT_OFF


def _is_closed(data: bytes) -> bool:
    lines = [line.strip() for line in data.split(b"\n")]
    return sum(line.startswith(b"<") for line in lines) <= sum(line == b">" for line in lines)


def _xml(data: bytes) -> str:
    match = _PROLOGUE.match(data.removeprefix(b"\xef\xbb\xbf"))
    data = data.removeprefix(b"\xef\xbb\xbf")
    root = _ROOT.match(data, match.end() if match is not None else 0)
    if root is None:
        return CUT_OFF if len(data) < 4_096 and b"</" not in data else ""
    end = data.rstrip(_SPACE)
    while end.endswith(b"-->") and b"<!--" in end:
        end = end[: end.rfind(b"<!--")].rstrip(_SPACE)
    is_closed = re.search(rb"</" + re.escape(root.group(1)) + rb"\s*>\Z", end[-512:]) is not None
    is_alone = end.endswith(b"/>") and b"<" not in end[root.end() :]
    return "" if is_closed or is_alone else CUT_OFF


def _json(data: bytes) -> str:
    if data.rstrip(_SPACE)[-1:] not in (b"}", b"]"):
        return CUT_OFF
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return "it is no whole JSON"
    return ""


def _gzip(data: bytes) -> str:
    reader = zlib.decompressobj(wbits=31)
    waiting = data
    try:
        while waiting and not reader.eof:
            reader.decompress(waiting, _PIECE)
            waiting = reader.unconsumed_tail
    except zlib.error:
        return "it is no whole gzip file"
    return "" if reader.eof else CUT_OFF


_LOOKS: tuple[tuple[bytes | tuple[bytes, ...], Callable[[bytes], str]], ...] = (
    (b"<REAPER_PROJECT", _reaper),
    (b"<", _xml),
    ((b"{", b"["), _json),
    (b"\x1f\x8b", _gzip),
    (b"PK\x03\x04", _zip),
)
"""How contents begin, and what looks at them."""
