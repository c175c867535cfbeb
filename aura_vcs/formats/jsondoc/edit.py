"""Changes one value of a JSON document and leaves every other byte alone.

A person's editor chose the indentation, the order of keys, `1.0` instead of `1`, CRLF and the
byte order mark; a diff should show the one field that changed. Values are named by JSON
pointers (RFC 6901): `/llm_parameters/temperature`, `/scenes/0/heading`, `/tags/-`.

Of a key that occurs twice the last one counts for readers: `set_value` changes that one,
`remove` takes all of them, so that the key is gone.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from aura_vcs.errors.compare import PointerInvalid
from aura_vcs.errors.documents import InvalidValue, UnknownField
from aura_vcs.formats.jsondoc.spans import BOM, DocumentSpans, Member, Node, parse
from aura_vcs.formats.jsondoc.style import style_of
from aura_vcs.formats.jsondoc.values import escape, split_pointer


def get(data: bytes, pointer: str, *, name: str = "the document") -> Any:
    """Return the value at `pointer`.

    Raises:
        DocumentMalformed: `data` is not JSON.
        UnknownField: nothing is there.
    """
    document = parse(data, name)
    return document.value(_find(document, pointer))


def set_value(data: bytes, pointer: str, value: Any, *, name: str = "the document") -> bytes:
    """Return the document with `value` at `pointer`.

    Replaces what is there, adds a key to an object (at its end), or appends to an array (`-` or
    its length). An equal value of the same type keeps its spelling: nothing changes. The parent
    must exist.

    Raises:
        DocumentMalformed: `data` is not JSON.
        UnknownField: the parent does not exist.
        InvalidValue: `value` cannot be written as JSON (NaN, half a surrogate pair, an object of ours).
    """
    document = parse(data, name)
    if not pointer:
        return _replace(document, document.root, value, depth=0)
    parent, key, depth = _parent(document, pointer)
    existing = _child(parent, key)
    if existing is not None:
        return _replace(document, existing, value, depth)
    return _add(document, parent, key, value, depth=depth)


def set_values(data: bytes, values: Mapping[str, Any], *, name: str = "the document") -> bytes:
    """Return the document with several values set, each spelled as `set_value` alone would; read once.

    Raises:
        DocumentMalformed, UnknownField, InvalidValue: as `set_value` does.
    """
    document = parse(data, name)
    edits: list[tuple[int, int, bytes]] = []
    later: dict[str, Any] = {}
    for pointer, value in values.items():
        parent, key, depth = _parent(document, pointer)
        existing = _child(parent, key) if pointer else None
        if existing is None or existing.kind in ("object", "array"):
            later[pointer] = value
        elif not _same(document.value(existing), value):
            edits.append((existing.start, existing.end, _Style(document).render(value, depth, pointer)))
    for start, end, rendered in sorted(edits, reverse=True):
        data = data[:start] + rendered + data[end:]
    for pointer, value in later.items():
        data = set_value(data, pointer, value, name=name)
    return data


def move_item(data: bytes, pointer: str, start: int, to: int, *, name: str = "the document") -> bytes:
    """Return the document with element `start` of the array at `pointer` at place `to`, the others in order.

    What stands between the elements stays; each element keeps its bytes.

    Raises:
        DocumentMalformed: `data` is not JSON.
        UnknownField: `pointer` names no array, or it has no such element or place.
    """
    document = parse(data, name)
    node = _find(document, pointer)
    count = len(node.items)
    if node.kind != "array" or not 0 <= start < count or not 0 <= to < count:
        raise UnknownField(name, f"{pointer}/{max(start, to)}", [])
    order = list(range(count))
    order.insert(to, order.pop(start))
    pieces, at = [], 0
    for place, item in enumerate(order):
        slot, content = node.items[place], node.items[item]
        pieces += [data[at : slot.start], data[content.start : content.end]]
        at = slot.end
    return b"".join([*pieces, data[at:]])


def insert(data: bytes, pointer: str, value: Any, *, name: str = "the document") -> bytes:
    """Return the document with `value` inserted before the array element at `pointer`, or a new key added.

    Raises:
        DocumentMalformed: `data` is not JSON.
        UnknownField: the parent does not exist or the index is beyond the end.
        InvalidValue: the key exists already, or `value` cannot be written as JSON.
    """
    document = parse(data, name)
    parent, key, depth = _parent(document, pointer)
    existing = _child(parent, key)
    if existing is None:
        return _add(document, parent, key, value, depth=depth)
    if parent.kind == "object":
        raise InvalidValue(name, pointer, "the key exists already")
    index = parent.items.index(existing)
    rendered = _Style(document, within=parent).render(value, depth, pointer)
    gap = _gap(document, parent, index)
    return data[: existing.start] + rendered + b"," + gap + data[existing.start :]


def remove(data: bytes, pointer: str, *, name: str = "the document") -> bytes:
    """Return the document without the key or array element at `pointer`.

    Raises:
        DocumentMalformed: `data` is not JSON.
        UnknownField: nothing is there.
        InvalidValue: `pointer` names the whole document.
    """
    document = parse(data, name)
    if not pointer:
        raise InvalidValue(name, pointer, "the whole document cannot be removed, only its parts")
    _find(document, pointer)
    parent, key, _ = _parent(document, pointer)
    spans = _spans(parent)
    removed = (
        {index for index, member in enumerate(parent.members) if member.key == key}
        if parent.kind == "object"
        else {int(key)}
    )
    kept = [index for index in range(len(spans)) if index not in removed]
    if not kept:
        return data[: parent.start + 1] + data[parent.end - 1 :]
    return _without(data, spans, removed, kept)


def _without(data: bytes, spans: list[tuple[int, int]], removed: set[int], kept: list[int]) -> bytes:
    """Cut elements with one comma each: with the one before, or after where the first elements go."""
    cuts = []
    for index in sorted(removed):
        if index > kept[0]:
            cuts.append((spans[index - 1][1], spans[index][1]))
        else:
            cuts.append((spans[index][0], spans[index + 1][0]))
    pieces, at = [], 0
    for start, end in cuts:
        pieces.append(data[at:start])
        at = end
    return b"".join([*pieces, data[at:]])


def keys_of(pointer: str) -> tuple[str, ...]:
    """Split a JSON pointer into its keys.

    Raises:
        InvalidValue: it is none.
    """
    try:
        return split_pointer(pointer)
    except PointerInvalid as error:
        raise InvalidValue("the pointer", pointer, "a JSON pointer begins with '/'") from error


def _find(document: DocumentSpans, pointer: str) -> Node:
    node, place = document.root, ""
    for key in keys_of(pointer):
        found = _child(node, key)
        place += f"/{escape(key)}"
        if found is None:
            raise UnknownField(document.name, place, [member.key for member in node.members])
        node = found
    return node


def _parent(document: DocumentSpans, pointer: str) -> tuple[Node, str, int]:
    """Return the container that holds what `pointer` names, the key in it, and the depth of that value."""
    *above, key = keys_of(pointer) or ("",)
    parent = _find(document, "".join(f"/{escape(part)}" for part in above))
    if parent.kind not in ("object", "array"):
        raise UnknownField(document.name, pointer, [])
    return parent, key, len(above) + 1


def _child(node: Node, key: str) -> Node | None:
    if node.kind == "object":
        return next((member.value for member in reversed(node.members) if member.key == key), None)
    if node.kind == "array" and re.fullmatch(r"0|[1-9][0-9]{0,8}", key) and int(key) < len(node.items):
        return node.items[int(key)]
    return None


def _spans(node: Node) -> list[tuple[int, int]]:
    """Start and end of every element of a container, keys included."""
    if node.kind == "object":
        return [(member.key_start, member.value.end) for member in node.members]
    return [(item.start, item.end) for item in node.items]


def _replace(document: DocumentSpans, node: Node, value: Any, depth: int) -> bytes:
    if _same(document.value(node), value):
        return document.data
    within = node if node.kind in ("object", "array") else None
    rendered = _Style(document, within=within).render(value, depth, "")
    return document.data[: node.start] + rendered + document.data[node.end :]


def _add(document: DocumentSpans, parent: Node, key: str, value: Any, *, depth: int) -> bytes:
    """Write a new element at the end of `parent`, spaced as its last one is."""
    data, style, pointer = document.data, _Style(document, within=parent), f"/…/{escape(key)}"
    if parent.kind == "array" and key not in ("-", str(len(parent.items))):
        raise UnknownField(document.name, pointer, [])
    rendered = style.render(value, depth, pointer)
    if parent.kind == "object":
        rendered = style.text(key, pointer) + _colon(data, parent, style) + rendered
    spans = _spans(parent)
    if not spans:
        inside = style.line(depth) + rendered + style.line(depth - 1)
        return data[: parent.start + 1] + inside + data[parent.end - 1 :]
    end = spans[-1][1]
    return data[:end] + b"," + _gap(document, parent, len(spans) - 1) + rendered + data[end:]


def _gap(document: DocumentSpans, parent: Node, index: int) -> bytes:
    """Return the bytes between a comma of `parent` and the element after it, near element `index`."""
    data, spans = document.data, _spans(parent)
    if len(spans) > 1:
        right = max(index, 1)
        between = data[spans[right - 1][1] : spans[right][0]]
        return between.partition(b",")[2]
    before = data[parent.start + 1 : spans[0][0]]
    if before:
        return before
    return b" " if _Style(document).spaced else b""


def _colon(data: bytes, parent: Node, style: "_Style") -> bytes:
    """Return the colon as this object writes it, with the blanks around it."""
    if parent.members:
        last: Member = parent.members[-1]
        between = data[last.key_end : last.value.start]
        if b"\n" not in between:
            return between
    return b": " if style.spaced else b":"


class _Style:
    """How this document is laid out."""

    def __init__(self, document: DocumentSpans, *, within: Node | None = None) -> None:
        """Read the style of a document; the container `within` stays on one line if it is on one line now."""
        data = document.data
        style = style_of(data.removeprefix(BOM))
        flat = within is not None and _spans(within) and b"\n" not in data[within.start : within.end]
        self.newline = style.line_end.encode() if style.indent and not flat else b""
        self.indent = (style.indent or "").encode()
        self.spaced = style.colon == ": "
        self.ascii_only = style.ascii_only

    def line(self, depth: int) -> bytes:
        """Return a new line at this depth, or nothing in a document that stands on one line."""
        return self.newline + self.indent * depth if self.newline else b""

    def text(self, text: str, pointer: str) -> bytes:
        """Return a string in quotes, escaped as the document does it."""
        try:
            return json.dumps(text, ensure_ascii=self.ascii_only).encode("utf-8")
        except UnicodeEncodeError as error:
            raise InvalidValue("the value", pointer, "the text is not valid Unicode") from error

    def render(self, value: Any, depth: int, pointer: str) -> bytes:
        """Write a value as it would stand at `depth` in this document."""
        if isinstance(value, str):
            return self.text(value, pointer)
        if isinstance(value, dict) and value:
            colon = b": " if self.spaced else b":"
            parts = [
                self.text(str(key), pointer) + colon + self.render(item, depth + 1, pointer)
                for key, item in value.items()
            ]
            return self._bracket(b"{", parts, b"}", depth)
        if isinstance(value, (list, tuple)) and value:
            return self._bracket(b"[", [self.render(item, depth + 1, pointer) for item in value], b"]", depth)
        return self._plain(value, pointer)

    def _plain(self, value: Any, pointer: str) -> bytes:
        if isinstance(value, float) and not math.isfinite(value):
            raise InvalidValue("the value", pointer, "JSON has no NaN and no infinity")
        if value is not None and not isinstance(value, (bool, int, float, dict, list, tuple)):
            raise InvalidValue("the value", pointer, f"a {type(value).__name__} cannot be written as JSON")
        try:
            return json.dumps(value).encode()
        except ValueError as error:
            raise InvalidValue("the value", pointer, "the number has too many digits") from error

    def _bracket(self, opening: bytes, parts: list[bytes], closing: bytes, depth: int) -> bytes:
        comma = b"," if self.newline or not self.spaced else b", "
        inner = (comma + self.line(depth + 1)).join(parts)
        return opening + self.line(depth + 1) + inner + self.line(depth) + closing


def _same(old: Any, new: Any) -> bool:
    """Tell whether two values are equal all the way down; 1 and 1.0 are the same number, 1 and true are not."""
    if isinstance(old, dict) and isinstance(new, dict):
        return list(old) == list(new) and all(_same(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, (list, tuple)):
        return len(old) == len(new) and all(map(_same, old, new))
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        return old == new
    return type(old) is type(new) and bool(old == new)
