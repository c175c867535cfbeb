"""Reads JSON and remembers where every value stands, so that an edit can leave the rest alone.

More forgiving than RFC 8259 where people's programs are: a byte order mark and the words NaN,
Infinity and -Infinity pass (they are reported, see `DocumentSpans.oddities`), because a document
that one editor wrote must not become unreadable for the next. Everything else is strict.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from aura_vcs.errors.documents import DocumentMalformed
from aura_vcs.errors.integrity import LimitExceeded
from aura_vcs.formats.jsondoc.values import MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_VALUES, escape

MAX_INTEGER_DIGITS = 400
"""Longer integers are read as floating point: converting them takes quadratic time."""

BOM = b"\xef\xbb\xbf"
Kind = Literal["object", "array", "string", "number", "word"]

_SPACE = re.compile(rb"[ \t\n\r]*+")
_STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?(?![0-9.eE+\-])")
_WORD = re.compile(rb"(?:true|false|null|NaN|-?Infinity)(?![A-Za-z0-9_])")
_WORDS = {b"true": True, b"false": False, b"null": None}
_WORDS_OUTSIDE_JSON = {b"NaN": float("nan"), b"Infinity": float("inf"), b"-Infinity": float("-inf")}


class Node(msgspec.Struct, gc=False):
    """A value and its bytes, `start` to `end` (exclusive) in the document."""

    kind: Kind
    start: int
    end: int = 0
    members: "list[Member] | tuple[()]" = ()
    """Of an object, in the document's order; a key may occur more than once."""
    items: "list[Node] | tuple[()]" = ()
    """Of an array."""


class Member(msgspec.Struct, gc=False):
    """One key of an object with its value; `key_start` to `key_end` include the quotes."""

    key: str
    key_start: int
    key_end: int
    value: Node


class Oddity(msgspec.Struct, frozen=True):
    """Something legal or tolerated that programs read differently: a double key, NaN, half a character."""

    pointer: str
    message: str


class DocumentSpans(msgspec.Struct):
    """A parsed document: the bytes as they are and the tree of spans over them."""

    name: str
    data: bytes
    root: Node

    def value(self, node: Node | None = None) -> Any:
        """Return the value of a node (the whole document without one). Of a double key the last counts."""
        node = self.root if node is None else node
        if node.kind == "object":
            return {member.key: self.value(member.value) for member in node.members}
        if node.kind == "array":
            return [self.value(item) for item in node.items]
        text = self.data[node.start : node.end]
        if node.kind == "string":
            return json.loads(text)
        if node.kind == "word":
            return _WORDS[text] if text in _WORDS else _WORDS_OUTSIDE_JSON[text]
        if text.lstrip(b"-").isdigit() and len(text) <= MAX_INTEGER_DIGITS:
            return int(text)
        return float(text)

    def oddities(self) -> list[Oddity]:
        """Find double keys, words outside JSON and strings that are not valid Unicode, with their places."""
        return list(self._oddities(self.root, ""))

    def _oddities(self, node: Node, pointer: str) -> Iterator[Oddity]:
        text = self.data[node.start : node.end] if node.kind in ("word", "string") else b""
        if text in _WORDS_OUTSIDE_JSON:
            yield Oddity(pointer, f"{text.decode()} is not JSON; many programs will refuse the file")
        if b"\\u" in text and _has_lone_surrogate(self.value(node)):
            yield Oddity(pointer, "the text has half a surrogate pair and is not valid Unicode")
        seen: set[str] = set()
        for member in node.members:
            place = f"{pointer}/{escape(member.key)}"
            if member.key in seen:
                yield Oddity(place, "the key occurs more than once; the last one counts")
            seen.add(member.key)
            yield from self._oddities(member.value, place)
        for index, item in enumerate(node.items):
            yield from self._oddities(item, f"{pointer}/{index}")

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column, from 1, of a byte."""
        return position(self.data, offset)


def position(data: bytes, offset: int) -> tuple[int, int]:
    """Return line and column, from 1, of the byte at `offset`; columns count characters."""
    start = data.rfind(b"\n", 0, offset) + 1
    line = data.count(b"\n", 0, offset) + 1
    skipped = len(BOM) if start == 0 and data.startswith(BOM) else 0
    return line, len(data[start + skipped : offset].decode("utf-8", "replace")) + 1


def parse(data: bytes, name: str) -> DocumentSpans:
    """Parse `data`; `name` is the file named in errors.

    Takes time proportional to the length. At most `MAX_DOCUMENT_BYTES` long, `MAX_DEPTH`
    deep and with `MAX_VALUES` values.

    Raises:
        DocumentMalformed: it is not JSON, with line and column.
        LimitExceeded: it is too long, too deep or too much.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise LimitExceeded(f"{name} (in bytes)", MAX_DOCUMENT_BYTES)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = position(data, error.start)
        raise DocumentMalformed(name, line, column, "the text is not UTF-8") from error
    return DocumentSpans(name, data, _Reader(data, name).document())


class _Reader:
    """One pass over the bytes, without recursion: depth comes from people's files."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.name = data, name
        self.at = len(BOM) if data.startswith(BOM) else 0

    def document(self) -> Node:
        self._space()
        root = self._value()
        open_nodes = [root] if root.kind in ("object", "array") else []
        values = 1
        while open_nodes:
            if len(open_nodes) > MAX_DEPTH:
                raise LimitExceeded(f"The nesting of {self.name}", MAX_DEPTH)
            node = open_nodes[-1]
            child = self._next_child(node)
            values += 1
            if values > MAX_VALUES:
                raise LimitExceeded(f"The number of values in {self.name}", MAX_VALUES)
            if child is None:
                open_nodes.pop()
            elif child.kind in ("object", "array"):
                open_nodes.append(child)
        self._space()
        if self.at != len(self.data):
            raise self._error("nothing may follow the document's value")
        return root

    def _next_child(self, node: Node) -> Node | None:
        """Read the next element of an open container, or return None when its bracket closes."""
        close = b"}" if node.kind == "object" else b"]"
        count = len(node.members) if node.kind == "object" else len(node.items)
        self._space()
        if self._byte() == close:
            self.at += 1
            node.end = self.at
            return None
        if count:
            if self._byte() != b",":
                raise self._error(f"expected ',' or '{close.decode()}'")
            self.at += 1
            self._space()
        return self._member(node) if node.kind == "object" else self._item(node)

    def _member(self, node: Node) -> Node:
        start = self.at
        if _STRING.match(self.data, start) is None:
            raise self._error("expected a key in double quotes")
        key_node = self._value()
        self._space()
        if self._byte() != b":":
            raise self._error("expected ':' after the key")
        self.at += 1
        self._space()
        child = self._value()
        assert isinstance(node.members, list)
        node.members.append(Member(json.loads(self.data[start : key_node.end]), start, key_node.end, child))
        return child

    def _item(self, node: Node) -> Node:
        child = self._value()
        assert isinstance(node.items, list)
        node.items.append(child)
        return child

    def _value(self) -> Node:
        """Read the value that starts here: all of it, or a container's opening bracket."""
        start, first = self.at, self._byte()
        if first in (b"{", b"["):
            self.at += 1
            return Node("object", start, members=[]) if first == b"{" else Node("array", start, items=[])
        kinds: tuple[tuple[Kind, re.Pattern[bytes]], ...] = (
            ("string", _STRING),
            ("word", _WORD),
            ("number", _NUMBER),
        )
        for kind, pattern in kinds:
            found = pattern.match(self.data, start)
            if found:
                self.at = found.end()
                return Node(kind, start, self.at)
        raise self._error("the text ends too early" if not first else "expected a value")

    def _space(self) -> None:
        found = _SPACE.match(self.data, self.at)
        if found:
            self.at = found.end()

    def _byte(self) -> bytes:
        return self.data[self.at : self.at + 1]

    def _error(self, detail: str) -> DocumentMalformed:
        return DocumentMalformed(self.name, *position(self.data, self.at), detail)


def _has_lone_surrogate(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in text)
