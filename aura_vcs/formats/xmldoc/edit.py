"""Changing an XML document as text: what no edit touches keeps every byte."""

import re
from collections.abc import Sequence
from typing import Any

from aura_vcs.formats.xmldoc.parse import Element, XmlDocument, start_tag_end

Tree = dict[str, Any]
"""An element as JSON: `tag`, `attributes`, `text` (where it has any), `children` (where it has any)."""

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def escape_text(text: str) -> str:
    """Text between tags; what XML cannot hold is left out."""
    return "".join(_ESCAPES.get(c, c) for c in _FORBIDDEN.sub("", text))


def escape_attribute(text: str, quote: str = '"') -> str:
    """Text between these quotes."""
    escaped = escape_text(text).replace("\n", "&#10;").replace("\t", "&#9;").replace("\r", "&#13;")
    return escaped.replace('"', "&quot;") if quote == '"' else escaped.replace("'", "&apos;")


def write_tree(tree: Tree, indent: str, step: str) -> str:
    """Write a new element as text, its lines behind `indent`, each level by `step` further in."""
    attributes = "".join(f' {key}="{escape_attribute(str(value))}"' for key, value in tree["attributes"].items())
    children, text = tree.get("children", []), escape_text(tree.get("text", ""))
    if not children and not text:
        return f"<{tree['tag']}{attributes}/>"
    if not children:
        return f"<{tree['tag']}{attributes}>{text}</{tree['tag']}>"
    rows = "".join(f"\n{indent}{step}{write_tree(child, indent + step, step)}" for child in children)
    return f"<{tree['tag']}{attributes}>{text}{rows}\n{indent}</{tree['tag']}>"


class XmlEdits:
    """Edits of a document that are carried out together."""

    def __init__(self, document: XmlDocument) -> None:
        self._data = document.data
        self._pieces: list[tuple[int, int, bytes]] = []
        self.line_end = b"\r\n" if b"\r\n" in document.data[:4_096] else b"\n"
        first = next(iter(document.root.children), None)
        self.step = self._indent(first).decode() if first is not None else " "

    def set_attribute(self, element: Element, name: str, value: str) -> None:
        """Give an attribute another value; one that is not there yet comes last."""
        if element.attributes.get(name) == value:
            return
        end = start_tag_end(self._data, element)
        found = re.compile(rb"\s" + re.escape(name.encode()) + rb"\s*=\s*([\"'])").search(
            self._data, element.start, end
        )
        if found is None:
            at = self._open_end(element, end)
            self._pieces.append((at, at, f' {name}="{escape_attribute(value)}"'.encode()))
            return
        quote = found.group(1)
        close = self._data.find(quote, found.end())
        self._pieces.append((found.end(), close, escape_attribute(value, quote.decode()).encode()))

    def remove_attribute(self, element: Element, name: str) -> None:
        """Take an attribute away, with the space in front of it."""
        end = start_tag_end(self._data, element)
        found = re.compile(rb"\s+" + re.escape(name.encode()) + rb"\s*=\s*([\"'])").search(
            self._data, element.start, end
        )
        if found is not None:
            self._pieces.append((found.start(), self._data.find(found.group(1), found.end()) + 1, b""))

    def set_text(self, element: Element, text: str) -> None:
        """Give an element without children another text."""
        if element.text == text:
            return
        start = start_tag_end(self._data, element)
        if start == element.end:  # <property name="x"/>
            told = b">" + escape_text(text).encode() + self._close(element)
            self._pieces.append((self._open_end(element, start), element.end, told))
            return
        self._pieces.append((start, self._data.rfind(b"</", start, element.end), escape_text(text).encode()))

    def set_children(self, element: Element, children: Sequence[Element | Tree]) -> None:
        """Give an element these children: some that it has, in their order, and new ones."""
        kept = [child for child in children if isinstance(child, Element)]
        if len(kept) == len(children) == len(element.children):
            return
        tag_end = start_tag_end(self._data, element)
        outer = self._indent(element).decode()
        inner = self._indent(element.children[0]).decode() if element.children else outer + self.step
        is_closed = tag_end == element.end
        before: list[Tree] = []
        waiting = iter([*kept, None])
        following = next(waiting)
        place = tag_end
        removed = {id(child) for child in element.children} - {id(child) for child in kept}
        new = iter(children)
        for child in element.children:
            if id(child) in removed:
                self._remove(place, child)
            else:
                while (item := next(new)) is not following:
                    assert isinstance(item, dict)
                    before.append(item)
                self._insert(place, before, inner)
                before = []
                following = next(waiting)
            place = child.end
        rest = [item for item in new if isinstance(item, dict)]
        if is_closed:
            rows = self._rows(rest, inner)
            closed = self.line_end + outer.encode() + self._close(element)
            self._pieces.append((self._open_end(element, tag_end), element.end, b">" + rows + closed))
        else:
            self._insert(place, rest, inner)

    def insert_before(self, element: Element, trees: Sequence[Tree]) -> None:
        """Put new elements in front of one, each on a line of its own."""
        indent = self._indent(element).decode()
        text = "".join(f"{write_tree(tree, indent, self.step)}\n{indent}" for tree in trees)
        encoded = text.encode().replace(b"\n", self.line_end)
        if encoded:
            self._pieces.append((element.start, element.start, encoded))

    def render(self) -> bytes:
        """Return the document with all edits carried out.

        Raises:
            ValueError: two of them want one place.
        """
        result, at = [], 0
        for start, end, text in sorted(self._pieces, key=lambda piece: (piece[0], piece[1])):
            if start < at:
                raise ValueError("two changes of the file want one place in it")
            result += [self._data[at:start], text]
            at = end
        return b"".join([*result, self._data[at:]])

    def _open_end(self, element: Element, end: int) -> int:
        """Return where the last attribute of a start tag ends that ends at `end`."""
        at = end - (2 if self._data[end - 2 : end] == b"/>" else 1)
        return element.start + len(self._data[element.start : at].rstrip())

    def _insert(self, place: int, trees: Sequence[Tree], indent: str) -> None:
        rows = self._rows(trees, indent)
        if rows:
            self._pieces.append((place, place, rows))

    def _rows(self, trees: Sequence[Tree], indent: str) -> bytes:
        text = "".join(f"\n{indent}{write_tree(tree, indent, self.step)}" for tree in trees)
        return text.encode().replace(b"\n", self.line_end)

    def _remove(self, place: int, child: Element) -> None:
        """Take an element out, with the space in front of it; a comment there stays."""
        between = self._data[place : child.start]
        start = place + len(between.rstrip())
        self._pieces.append((start, child.end, b""))

    def _indent(self, element: Element) -> bytes:
        line = self._data.rfind(b"\n", 0, element.start) + 1
        space = self._data[line : element.start]
        return space if not space.strip() else b""

    def _close(self, element: Element) -> bytes:
        return b"</" + element.tag.encode() + b">"
