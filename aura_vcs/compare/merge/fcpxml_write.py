"""Writing a merged cut back into Final Cut Pro XML as text: what did not change keeps every byte.

New resources and styles get ids that are free there; times are written with the denominators that stood there.
"""

import json
from collections.abc import Sequence

from msgspec import structs

from aura_vcs.compare.diff.sequences import longest_increasing
from aura_vcs.compare.merge.cut_model import MergedCut, Piece, Record, needs_of
from aura_vcs.compare.merge.fcpxml_cut import STYLE, FcpxmlCut, read_flicks, write_flicks
from aura_vcs.compare.merge.xml_children import ChildrenWriter
from aura_vcs.compare.merge.xml_references import check_references
from aura_vcs.formats.jsondoc.values import same
from aura_vcs.formats.timeline.fingerprint import digest_of
from aura_vcs.formats.xmldoc.edit import Tree, XmlEdits
from aura_vcs.formats.xmldoc.parse import Element, XmlDocument


def write_fcpxml(cut: FcpxmlCut, merged: MergedCut, names: dict[str, str], whole: dict[str, Record]) -> bytes:
    """Write the document with the merged cut in it; `names` says which of its clips a merged one is.

    `whole` has resources of other files with all that they say, under their names.

    Raises:
        ValueError: it cannot be written; the message says why.
    """
    return _Writer(cut, merged, names, whole).run()


class FcpxmlFile:
    """A document of Final Cut Pro."""

    def __init__(self, document: XmlDocument) -> None:
        self.document = document
        self.parts = FcpxmlCut(document)
        self.cut = self.parts.cut
        self.frame = self.parts.frame
        self.whole: dict[str, Record] = {}

    def write(self, merged: MergedCut, names: dict[str, str]) -> bytes:
        """See CutFile."""
        return write_fcpxml(self.parts, merged, names, self.whole)

    def complete(self, merged: MergedCut, sides: Sequence[object]) -> MergedCut:
        """See CutFile: a resource that something needs is never taken out."""
        others = [side.parts for side in sides if isinstance(side, FcpxmlFile)]
        found: Record = dict(merged.rest["resources"])
        pieces = needs_of(merged)
        while True:
            told = pieces + json.dumps([found, merged.rest["sequences"]])
            bodies = {
                key: side.cut.rest["resources"][key]
                for side in others
                for key in side.resources
                if key not in found and json.dumps("\0" + key) in told
            }
            if not bodies:
                break
            found |= bodies
        for side in others:
            self.whole |= {
                k: side.canonical(e) for k, e in side.resources.items() if k in found and k not in self.whole
            }
        return structs.replace(merged, rest={**merged.rest, "resources": found})

    def check(self, sides: Sequence[object]) -> str:
        """See CutFile."""
        documents = [side.document for side in sides if isinstance(side, FcpxmlFile)]
        return check_references(self.document, documents, "id", ("ref", "format"))


class _Writer(ChildrenWriter):
    def __init__(self, cut: FcpxmlCut, merged: MergedCut, names: dict[str, str], whole: dict[str, Record]) -> None:
        super().__init__(XmlEdits(cut.document))
        self.cut, self.merged, self.names, self.whole = cut, merged, names, whole
        self.ids = {e.get("id") for e in cut.root.walk() if "id" in e.attributes}
        self.id_of = {key: element.get("id") for key, element in cut.resources.items()}
        self.styles: dict[tuple[int, str], str] = {}
        self.scope = 0

    def run(self) -> bytes:
        self._new_ids()
        self._resources()
        for track, (sequence, spine) in self.cut.spines.items():
            mine = [piece for piece in self.merged.pieces if piece.track == track]
            self._sequence(track, sequence, spine, mine)
        if any(piece.track not in self.cut.spines for piece in self.merged.pieces):
            raise ValueError("a clip stands in a storyline that is not there any more")
        return self.render()

    def _new_ids(self) -> None:
        for key in self.merged.rest["resources"]:
            if key not in self.id_of:
                self.id_of[key] = self._free("r")

    def _free(self, stem: str) -> str:
        number = 1
        while f"{stem}{number}" in self.ids:
            number += 1
        self.ids.add(f"{stem}{number}")
        return f"{stem}{number}"

    def _resources(self) -> None:
        """Write the resources that came or changed, and leave out those that went."""
        holder, wanted = self.cut.holder, self.merged.rest["resources"]
        if holder is None:
            if wanted:
                raise ValueError("there is no place for resources in it")
            return
        for key, element in self.cut.resources.items():
            if key not in wanted:
                current = self.children_of(holder)
                current[:] = [child for child in current if child is not element]
            elif not same(self.cut.resource_body(element), wanted[key]):
                self._attributes(element, wanted[key]["attributes"], keep=("id",))
                old = [c for c in element.children if c.tag not in ("bookmark", "sequence")]
                self.replace(element, old, wanted[key]["children"], element)
        for key, body in wanted.items():
            if key not in self.cut.resources:
                told = self.whole.get(key, body)
                own = {name: value for name, value in told["attributes"].items() if name != "id"}
                tree = self.new_child({**told, "attributes": {"id": self.id_of[key], **own}}, holder)
                self.children_of(holder).append(tree)

    def _sequence(self, track: str, sequence: Element, spine: Element, pieces: Sequence[Piece]) -> None:
        said = self.merged.rest["sequences"].get(track)
        if said is None:
            raise ValueError("a storyline is not there any more")
        self._attributes(sequence, said["attributes"], keep=("duration",))
        self.replace(sequence, [c for c in sequence.children if c is not spine], said["children"], sequence)
        zero = read_flicks(sequence.get("tcStart"))
        old = [p for p in self.cut.cut.pieces if p.track == track]
        was, now = (max((p.start + p.length for p in side), default=0) for side in (old, pieces))
        if was != now and "duration" in sequence.attributes and read_flicks(sequence.get("duration")) == was:
            self._time(sequence, "duration", now)
        self._spine(spine, zero, pieces)

    def _spine(self, spine: Element, zero: int, pieces: Sequence[Piece]) -> None:
        places = {id(child): n for n, child in enumerate(spine.children)}
        found = [self.cut.places.get(self.names.get(piece.id, "")) for piece in pieces]
        kept = [(n, places[id(e)]) for n, e in enumerate(found) if e is not None and id(e) in places]
        steady = {kept[n][0] for n in longest_increasing([place for _, place in kept])}
        like = [text for child in spine.children for text in (child.get("offset"), child.get("duration")) if text][:8]
        result: list[Element | Tree] = []
        at, last = zero, -1
        for n, piece in enumerate(pieces):
            element = found[n] if n in steady else None
            start = piece.start + zero
            if start < at:
                raise ValueError(f"{piece.name or 'a clip'} would begin before the clip in front of it ends")
            place = places[id(element)] if element is not None else last
            if start > at:
                result.append(self._gap(spine, last, place, at, start - at, like))
            result += self._transitions(spine, last, place, piece, "before", start, like)
            result.append(self._clip(piece, element, start, like))
            last, at = place, start + piece.length
            if n == len(pieces) - 1:
                result += self._transitions(spine, last, len(spine.children), piece, "after", start, like)
        result += self._closing_gap(spine, at)
        self.children_of(spine)[:] = result

    def _closing_gap(self, spine: Element, at: int) -> list[Element | Tree]:
        """Empty time at the end, which no clip says anything of."""
        last = next(iter(reversed(spine.children)), None)
        if last is None or last.tag != "gap" or last.children:
            return []
        self._time(last, "offset", at)
        return [last]

    def _gap(self, spine: Element, last: int, place: int, at: int, length: int, like: Sequence[str]) -> Element | Tree:
        """Empty time: the gap that was there, else a new one."""
        for child in spine.children[last + 1 : max(last + 1, place)]:
            if child.tag == "gap" and not child.children:
                self._time(child, "offset", at)
                self._time(child, "duration", length)
                return child
        return {
            "tag": "gap",
            "attributes": {
                "name": "Gap",
                "offset": write_flicks(at, like),
                "start": "3600s",
                "duration": write_flicks(length, like),
            },
        }

    def _transitions(
        self, spine: Element, last: int, place: int, piece: Piece, word: str, start: int, like: Sequence[str]
    ) -> list[Element | Tree]:
        there = [child for child in spine.children[last + 1 : max(last + 1, place)] if child.tag == "transition"]
        result: list[Element | Tree] = []
        for record in piece.body.get(word, []):
            offset = start + record["by"]
            twin = next((each for each in there if self._is(each, record["transition"])), None)
            if twin is not None:
                there.remove(twin)
                self._time(twin, "offset", offset)
                result.append(twin)
                continue
            tree = self.new_child(record["transition"], spine)
            tree["attributes"]["offset"] = write_flicks(offset, like)
            result.append(tree)
        return result

    def _is(self, element: Element, body: Record) -> bool:
        made = self.cut.canonical(element)
        made["attributes"].pop("offset", None)
        return digest_of(made) == digest_of(body)

    def _clip(self, piece: Piece, element: Element | None, start: int, like: Sequence[str]) -> Element | Tree:
        body = {k: v for k, v in piece.body.items() if k not in ("before", "after")}
        if element is None:
            tree = self.new_child(body, self.cut.root)
            times = {"offset": start, "start": piece.first, "duration": piece.length}
            times = {"offset": start} if body["tag"] == "audition" else times
            tree["attributes"] |= {key: write_flicks(value, like) for key, value in times.items()}
            return tree
        if "offset" in element.attributes:
            self._time(element, "offset", start)
        elif start != self._implied(element):
            self.edits.set_attribute(element, "offset", write_flicks(start, like))
        if piece.first != self.cut.first_of(element):
            self._time(element, "start", piece.first, like)
        if element.tag != "audition" and piece.length != self.cut.length_of(element):
            self._time(element, "duration", piece.length, like)
        self._attributes(element, body["attributes"], keep=("offset", "start", "duration"))
        self._children(element, body.get("children", []))
        return element

    def _children(self, element: Element, wanted: Sequence[Record]) -> None:
        """Give a clip its children; those of a title are written together, with styles of their own."""
        if any(child.tag.startswith("text") for child in element.children):
            if [self.canonical(child) for child in element.children] != list(wanted):
                self.scope += 1
                self.children_of(element)[:] = [self._tree(child) for child in wanted]
            return
        self.replace(element, list(element.children), wanted, element)

    def _implied(self, element: Element) -> int:
        return -1 if "offset" not in element.attributes else read_flicks(element.get("offset"))

    def _time(self, element: Element, name: str, flicks: int, like: Sequence[str] = ()) -> None:
        """Give a time another value, written as it was, where it is another one."""
        written = element.get(name)
        if not written or read_flicks(written) != flicks:
            others = [element.get(key) for key in ("duration", "start", "offset")]
            self.edits.set_attribute(element, name, write_flicks(flicks, [written, *others, *like]))

    def _attributes(self, element: Element, wanted: Record, *, keep: Sequence[str] = ()) -> None:
        for name in element.attributes:
            if name not in wanted and name not in keep:
                self.edits.remove_attribute(element, name)
        for name, value in wanted.items():
            if name not in keep and self.cut.named(name, element.get(name)) != value:
                self.edits.set_attribute(element, name, self._value(value))

    def _value(self, value: str) -> str:
        """Write an attribute with ids of this document."""
        if value.startswith(STYLE):
            key = self.scope, value
            if key not in self.styles:
                self.styles[key] = self._free("ts")
            return self.styles[key]
        if value.startswith("\0"):
            if value[1:] not in self.id_of:
                raise ValueError(f"{value[1:41]!r}, which a clip needs, is not there any more")
            return self.id_of[value[1:]]
        return value

    def canonical(self, element: Element) -> Record:
        """See ChildrenWriter."""
        return self.cut.canonical(element)

    def change(self, child: Element, body: Record) -> bool:
        """See ChildrenWriter: a connected clip that is the same in name and media."""
        made = self.cut.canonical(child)
        told = made["attributes"], body["attributes"]
        if child.tag != body["tag"] or any(told[0].get(k) != told[1].get(k) for k in ("ref", "name", "key")):
            return False
        if (made.get("text") or "") != (body.get("text") or "") or child.tag.startswith("text"):
            return False
        self._attributes(child, body["attributes"])
        self._children(child, body.get("children", []))
        return True

    def new_child(self, body: Record, _before: Element) -> Tree:
        """See ChildrenWriter; the styles of a title are its own."""
        self.scope += 1
        return self._tree(body)

    def _tree(self, body: Record) -> Tree:
        attributes = {k: self._value(v) for k, v in body["attributes"].items()}
        made: Tree = {"tag": body["tag"], "attributes": attributes}
        if "text" in body:
            made["text"] = body["text"]
        if "children" in body:
            made["children"] = [self._tree(child) for child in body["children"]]
        return made
