"""Giving the elements of an XML document other children: what stays keeps every byte."""

from collections.abc import Sequence

from aura_vcs.compare.diff.sequences import longest_increasing
from aura_vcs.compare.merge.cut_model import Record
from aura_vcs.formats.timeline.fingerprint import digest_of
from aura_vcs.formats.xmldoc.edit import Tree, XmlEdits
from aura_vcs.formats.xmldoc.parse import Element


class ChildrenWriter:
    """One document under way; a format says what its elements are without the ids of one file."""

    def __init__(self, edits: XmlEdits) -> None:
        self.edits = edits
        self.lists: dict[int, tuple[Element, list[Element | Tree]]] = {}
        self.new: list[tuple[Element, Tree]] = []
        """Elements to be written in front of others."""

    def canonical(self, element: Element) -> Record:
        """Describe an element without ids that mean nothing outside of its file."""
        raise NotImplementedError

    def new_child(self, body: Record, before: Element) -> Tree:
        """Build a new element from such a description; what it needs is defined in front of `before`."""
        raise NotImplementedError

    def local(self, text: str) -> str:
        """Write a text as this document would."""
        return text

    def render(self) -> bytes:
        """Return the document with all that was changed."""
        for element, children in self.lists.values():
            self.edits.set_children(element, children)
        for element, tree in self.new:
            self.edits.insert_before(element, [tree])
        return self.edits.render()

    def children_of(self, element: Element) -> list[Element | Tree]:
        """Return the children that an element will have: to be changed in place."""
        return self.lists.setdefault(id(element), (element, list(element.children)))[1]

    def replace(self, element: Element, old: Sequence[Element], wanted: Sequence[Record], before: Element) -> None:
        """Let `wanted` stand in the place of the children `old`, in order."""
        digests = [digest_of(self.canonical(child)) for child in old]
        asked = [digest_of(body) for body in wanted]
        if digests == asked:
            return
        current = self.children_of(element)
        free: dict[str, list[int]] = {}
        for n in reversed(range(len(old))):
            free.setdefault(digests[n], []).append(n)
        pairs = [(k, free[digest].pop()) for k, digest in enumerate(asked) if free.get(digest)]
        kept = dict(pairs[n] for n in longest_increasing([n for _, n in pairs]))
        named = {child.get("name"): n for n, child in enumerate(old) if child.tag == "property"}
        items: list[Element | Tree] = []
        low = -1
        for k, body in enumerate(wanted):
            place = kept.get(k)
            if place is None and body["tag"] == "property" and "text" in body:
                at = named.get(body["attributes"].get("name", ""), -1)
                upper = min((n for j, n in kept.items() if j > k), default=len(old))
                if low < at < upper and at not in kept.values():
                    self.edits.set_text(old[at], self.local(body["text"]))
                    place = at
            if place is None:
                place = self._changed(old, digests, asked, body, low, kept, k)
            if place is None:
                items.append(self.new_child(body, before))
            else:
                items.append(old[place])
                low = place
        gone = {id(child) for child in old}
        first = next((n for n, child in enumerate(current) if id(child) in gone), len(current))
        stay = [(n, child) for n, child in enumerate(current) if id(child) not in gone]
        ahead = [child for n, child in stay if n < first]
        current[:] = [*ahead, *_woven(items, [child for n, child in stay if n >= first], element)]

    def _changed(
        self,
        old: Sequence[Element],
        digests: Sequence[str],
        asked: Sequence[str],
        body: Record,
        low: int,
        kept: dict[int, int],
        k: int,
    ) -> int | None:
        """Find the child that `body` is, changed, and change it; None where there is none that may stand here."""
        upper = min((n for j, n in kept.items() if j > k), default=len(old))
        for n in range(low + 1, upper):
            if digests[n] not in asked and self.change(old[n], body):
                return n
        return None

    def change(self, _child: Element, _body: Record) -> bool:
        """Make a child say what `_body` does, where it is the same thing; False where a new one is written instead."""
        return False


def _woven(items: Sequence[Element | Tree], others: Sequence[Element | Tree], element: Element) -> list[Element | Tree]:
    """Interleave both in one list, in which elements of the document keep their order."""
    order = {id(child): n for n, child in enumerate(element.children)}
    result: list[Element | Tree] = []
    waiting = list(others)
    for item in items:
        if isinstance(item, Element):
            while waiting and order.get(id(waiting[0]), -1) < order[id(item)]:
                result.append(waiting.pop(0))
        result.append(item)
    return [*result, *waiting]
