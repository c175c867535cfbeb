"""Ids and references of XML documents: whether what was merged still leads where it should."""

from collections import Counter
from collections.abc import Sequence

from aura_vcs.formats.xmldoc.parse import Element, XmlDocument


def check_references(document: XmlDocument, sides: Sequence[XmlDocument], key: str, references: Sequence[str]) -> str:
    """Say why ids or references of an XML document are wrong though those of all sides are right; "" if not."""
    now, known = _Ids(document, key, references), [_Ids(side, key, references) for side in sides]
    for name, count in now.ids.items():
        if count > max(1, *(side.ids[name] for side in known)):
            return f"the result would have two elements with the id {name!r}"
    for name in now.leading - now.ids.keys():
        if not any(name in side.leading - side.ids.keys() for side in known):
            return f"something in the result would lead to {name!r}, which is not there"
    return ""


class _Ids:
    def __init__(self, document: XmlDocument, key: str, references: Sequence[str]) -> None:
        self.ids: Counter[str] = Counter()
        self.leading: set[str] = set()
        for element in document.root.walk():
            if key in element.attributes and _is_referred_to(element):
                self.ids[element.get(key)] += 1
            self.leading.update(element.get(name) for name in references if name in element.attributes)


def _is_referred_to(element: Element) -> bool:
    return element.tag not in ("filter", "transition", "link")
