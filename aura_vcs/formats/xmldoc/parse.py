"""Reading XML without ever expanding anything, with the place of every element in the bytes.

Expat does the reading; our handlers refuse documents that declare entities, and stop at the limits. A document type
without declarations (`<!DOCTYPE fcpxml>`) is fine: nothing is fetched for it.
"""

from collections.abc import Iterator, Sequence
from xml.parsers import expat

from msgspec import Struct

from aura_vcs.formats.jsondoc.parse import Unstructured

MAX_BYTES = 64 << 20
MAX_ELEMENTS = 3_000_000
MAX_DEPTH = 200
_ASCII_ALIKE = ("utf-8", "us-ascii", "ascii")


class XmlLimits(Struct, frozen=True):
    """How large a document may be that is read by structure."""

    size: int = MAX_BYTES
    elements: int = MAX_ELEMENTS
    depth: int = MAX_DEPTH


XML_LIMITS = XmlLimits()


class Element:
    """One element: `start` and `end` are where it stands in the bytes; `end` is behind the end tag.

    `text` is all text directly in it, without that of its children and the space between them. A plain class: large
    projects have hundreds of thousands.
    """

    __slots__ = ("attributes", "children", "end", "start", "tag", "text")

    def __init__(self, tag: str, attributes: dict[str, str], start: int) -> None:
        self.tag = tag
        self.attributes = attributes
        self.start = start
        self.end = -1
        self.text = ""
        self.children: Sequence[Element] = ()

    def get(self, name: str, default: str = "") -> str:
        """Return the value of an attribute."""
        return self.attributes.get(name, default)

    def find(self, tag: str) -> "Element | None":
        """Return the first child of that name."""
        for child in self.children:
            if child.tag == tag:
                return child
        return None

    def all(self, *tags: str) -> Iterator["Element"]:
        """Return the children of these names, in order."""
        return (child for child in self.children if child.tag in tags)

    def text_of(self, *path: str) -> str:
        """Return the text of what these names lead to, first children all the way; "" where there is none."""
        found: Element | None = self
        for tag in path:
            found = found.find(tag) if found is not None else None
        return found.text.strip() if found is not None else ""

    def walk(self) -> Iterator["Element"]:
        """Yield the element and everything in it, in the order of the document."""
        stack = [self]
        while stack:
            element = stack.pop()
            yield element
            stack.extend(reversed(element.children))


class XmlDocument(Struct, frozen=True):
    """A document that was read. Only where `is_editable` are the places of its elements places in its bytes."""

    root: Element
    data: bytes
    is_editable: bool


class _RefusedError(Exception):
    """The document is one that is not read; the message is the reason."""


def _read(data: bytes, limits: XmlLimits) -> XmlDocument:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 1 << 16
    top = Element("", {}, 0)
    stack = [top]
    encodings: list[str] = []
    count, depth_limit = limits.elements, limits.depth

    def declared(_version: str, encoding: str | None, _standalone: int) -> None:
        encodings.append(encoding or "")

    def entity(*_: object) -> None:
        raise _RefusedError("it declares entities of its own, which are never expanded")

    def external(*_: object) -> int:
        raise _RefusedError("it refers to something outside of itself, which is never fetched")

    def begin(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count
        element = Element(tag, attributes, parser.CurrentByteIndex)
        parent = stack[-1]
        if parent.children:
            parent.children.append(element)  # type: ignore[attr-defined]
        else:
            parent.children = [element]  # most elements have none: a list for each would cost time and memory
        stack.append(element)
        count -= 1
        if count < 0:
            raise _RefusedError(f"it has more than {limits.elements:,} elements")
        if len(stack) > depth_limit + 1:
            raise _RefusedError(f"it is nested deeper than {depth_limit} levels")

    def text(found: str) -> None:
        element = stack[-1]
        if not (element.children and found.isspace()):  # between children, it only sets them apart
            element.text = element.text + found if element.text else found

    def end(_tag: str) -> None:
        at = parser.CurrentByteIndex
        element = stack.pop()
        if not element.children and not element.text and data[at - 2 : at] == b"/>":
            element.end = at
        else:
            element.end = data.find(b">", at) + 1

    parser.XmlDeclHandler = declared
    parser.EntityDeclHandler = entity
    parser.UnparsedEntityDeclHandler = entity
    parser.SkippedEntityHandler = entity
    parser.ExternalEntityRefHandler = external
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.Parse(data, True)
    encoding = (encodings[0] if encodings else "").lower() or "utf-8"
    is_marked = data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4]
    return XmlDocument(top.children[0], data, encoding in _ASCII_ALIKE and not is_marked)


def start_tag_end(data: bytes, element: Element) -> int:
    """Return where the start tag of an element ends, behind its `>`."""
    at = element.start
    while True:
        end = data.find(b">", at)
        if end < 0:
            return element.end
        if _is_closed(data[element.start : end]):
            return end + 1
        at = end + 1


def _is_closed(tag: bytes) -> bool:
    """Tell whether no quote is open at the end of this beginning of a tag."""
    at = 0
    while True:
        double, single = tag.find(b'"', at), tag.find(b"'", at)
        if double < 0 and single < 0:
            return True
        first = min(place for place in (double, single) if place >= 0)
        close = tag.find(tag[first : first + 1], first + 1)
        if close < 0:
            return False
        at = close + 1


def parse_xml(data: bytes, limits: XmlLimits = XML_LIMITS) -> XmlDocument | Unstructured:
    """Read an XML document, or say why it cannot be compared by structure.

    Never expands an entity and never fetches anything. Bounded by `limits`; ten megabytes take less than a second.
    """
    if len(data) > limits.size:
        return Unstructured(f"it is larger than {limits.size >> 20} MiB")
    try:
        return _read(data, limits)
    except _RefusedError as error:
        return Unstructured(str(error))
    except expat.ExpatError as error:
        return Unstructured(f"it is not valid XML: {expat.ErrorString(error.code)} (line {error.lineno})")
    except (ValueError, LookupError) as error:
        return Unstructured(f"it is not valid XML: {error}")


def parse_xml_of(data: bytes, tag: str, name: str) -> XmlDocument | Unstructured:
    """Read an XML document whose root is a `tag`, or say why there is none; such a document is called `name`."""
    document = parse_xml(data)
    if isinstance(document, XmlDocument) and document.root.tag != tag:
        return Unstructured(f"it is XML, but no {name}")
    return document
