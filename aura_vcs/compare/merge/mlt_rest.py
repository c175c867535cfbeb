"""Writing what an MLT document says beside its clips: bin, tracks, sequences, settings, and how long it is."""

import json

from aura_vcs.compare.merge.cut_model import MergedCut, Record
from aura_vcs.compare.merge.mlt_cut import GROUPS, MltCut
from aura_vcs.compare.merge.mlt_groups import follow_groups
from aura_vcs.compare.merge.mlt_write import MltWriter
from aura_vcs.formats.jsondoc.values import JsonValue, same
from aura_vcs.formats.timeline.fingerprint import digest_of
from aura_vcs.formats.timeline.mlt_notes import is_noise
from aura_vcs.formats.timeline.mlt_parts import is_internal, properties_of
from aura_vcs.formats.xmldoc.edit import Tree
from aura_vcs.formats.xmldoc.parse import Element


def write_mlt(cut: MltCut, merged: MergedCut, names: dict[str, str]) -> bytes:
    """Write the document with the merged cut in it; `names` says which of its clips a merged one is.

    Raises:
        ValueError: it cannot be written; the message says why.
    """
    writer = MltWriter(cut, merged, names)
    rest = RestWriter(writer)
    rest.bin()
    writer.clips()
    rest.run()
    follow_groups(writer)
    return writer.render()


class RestWriter:
    """The rest of one document; `writer` has its clips and edits."""

    def __init__(self, writer: MltWriter) -> None:
        self.writer = writer
        self.cut = writer.cut
        self.rest = writer.merged.rest

    def bin(self) -> None:
        """Media of the bin: what came, what changed; what went, where no clip plays it."""
        holder = self.cut.reader.bin
        if holder is None:
            return
        wanted: Record = self.rest["bin"]
        current = self.writer.children_of(holder)
        played = json.dumps([piece.body for piece in self.writer.merged.pieces])
        for name, producer in self.cut.bin.items():
            if name not in wanted:
                if json.dumps(name) in played:
                    continue
                gone = [e for e in holder.all("entry") if e.get("producer") == producer.get("id")]
                current[:] = [child for child in current if not any(child is entry for entry in gone)]
            elif not same(self.cut.body(producer), wanted[name]):
                self.writer.edit(producer, wanted[name])
        for name, body in wanted.items():
            if name in self.cut.bin:
                continue
            self.writer.number(name)
            new = self.writer.id_of(body, holder, "\0bin")
            last = self.cut.reader.frames(body["attributes"].get("out", ""), 0)
            attributes = {"producer": new, "in": self.writer.time(0), "out": self.writer.time(last)}
            current.append({"tag": "entry", "attributes": attributes})

    def run(self) -> None:
        """Write tracks, sequences, settings and lengths."""
        if self.cut.reader.bin is not None:
            self._properties([self.cut.reader.bin], self.rest["project"])
        profile = self.cut.reader.root.find("profile")
        if profile is not None:
            for key, value in self.rest["profile"].items():
                self.writer.edits.set_attribute(profile, key, value)
        for name, (track, source, lists) in self.cut.tracks.items():
            said = self.rest["tracks"][name]
            self.writer.replace(source, list(source.all("filter")), said["filters"], source)
            self._properties([source, *(each for each in lists if each is not source)], said["properties"])
            if track is not source and track.get("hide") != said["hide"]:
                self.writer.edits.set_attribute(track, "hide", said["hide"])
        for key, tractor in self.cut.tractors.items():
            self._sequence(key, tractor)
        self._lengths()

    def _properties(self, holders: list[Element], wanted: Record) -> None:
        """Set, add and take away properties; a new one goes to the first holder."""
        left = dict(wanted)
        for holder in holders:
            for child in [c for c in holder.children if c.tag == "property"]:
                name = child.get("name")
                if is_noise(name) or name in GROUPS:
                    continue
                if name not in wanted:
                    current = self.writer.children_of(holder)
                    current[:] = [each for each in current if each is not child]
                    continue
                left.pop(name, None)
                if not same(self.cut.property_value(name, child.text), wanted[name]):
                    self.writer.edits.set_text(child, self._written(wanted[name]))
        for name, value in left.items():
            tree: Tree = {"tag": "property", "attributes": {"name": name}, "text": self._written(value)}
            current = self.writer.children_of(holders[0])
            last = max((n for n, each in enumerate(current) if _tag(each) == "property"), default=-1)
            current.insert(last + 1, tree)

    def _written(self, value: JsonValue) -> str:
        if isinstance(value, dict) and "json" in value:
            return json.dumps(value["json"], indent=4, ensure_ascii=False) + "\n"
        return self.cut.local(str(value))

    def _sequence(self, key: str, tractor: Element) -> None:
        said = self.rest["sequences"].get(key)
        if said is None:
            raise ValueError("a sequence is not there any more")
        if tractor.tag == "playlist":
            return
        self._properties([tractor], said["properties"])
        self.writer.replace(tractor, list(tractor.all("filter")), said["filters"], tractor)
        self.writer.replace(tractor, list(tractor.all("properties")), said["more"], tractor)
        old = [t for t in tractor.all("transition") if not is_internal(t) and "in" in t.attributes]
        tracks = {name for name in self.cut.tracks if (name.partition(" ")[0] if " " in name else "") == key}
        wanted = [
            (record, piece.start)
            for piece in self.writer.merged.pieces
            if piece.track in tracks
            for record in piece.body.get("compositions", [])
        ]
        self._transitions(tractor, old, wanted, said["loose"])
        for name in tracks:
            _, source, lists = self.cut.tracks[name]
            if len(lists) > 1:
                mixes = [
                    (record, p.start)
                    for p in self.writer.merged.pieces
                    if p.track == name
                    for record in p.body.get("mixes", [])
                ]
                self._transitions(source, [t for t in source.all("transition") if not is_internal(t)], mixes, [])

    def _transitions(
        self, holder: Element, old: list[Element], wanted: list[tuple[Record, int]], loose: list[JsonValue]
    ) -> None:
        """Write transitions with the places that their clips have now."""
        free: dict[str, list[Element]] = {}
        for element in reversed(old):
            body = self.cut.canonical(element)
            times = {k: body["attributes"].pop(k, None) for k in ("in", "out")}
            free.setdefault(digest_of(body), []).append(element)
            free.setdefault(digest_of({**body, "attributes": {**body["attributes"], **times}}), []).append(element)
        used: set[int] = set()
        new: list[Tree] = []

        def take(body: Record, at: int | None = None) -> "Element | None":
            found = [e for e in free.get(digest_of(body), []) if id(e) not in used]
            if at is not None:
                found = [e for e in found if self.cut.reader.frames(e.get("in")) == at]
            if found:
                used.add(id(found[-1]))
                return found[-1]
            return None

        placed = [(record, start + record["offset"]) for record, start in wanted]
        exact = [take(record["transition"], first) for record, first in placed]
        for (record, first), there in zip(placed, exact, strict=True):
            last = first + record["length"] - 1
            known = there if there is not None else take(record["transition"])
            if known is not None:
                self.writer.set_time(known, "in", first)
                self.writer.set_time(known, "out", last)
                continue
            tree = self.writer.tree(record["transition"], holder, "")
            tree["attributes"] |= {"in": self.writer.time(first), "out": self.writer.time(last)}
            new.append(tree)
        new += [self.writer.tree(body, holder, "") for body in loose if take(body) is None]
        current = self.writer.children_of(holder)
        gone = {id(element) for element in old if id(element) not in used}
        last_place = max(
            (n for n, each in enumerate(current) if _tag(each) in ("transition", "track")), default=len(current) - 1
        )
        result = [*current[: last_place + 1], *new, *current[last_place + 1 :]]
        current[:] = [each for each in result if id(each) not in gone]

    def _lengths(self) -> None:
        """Write how long the whole is, where the document says so: what played to the old end plays to the new one."""
        old = max((p.start + p.length for p in self.cut.cut.pieces), default=0)
        new = max((p.start + p.length for p in self.writer.merged.pieces), default=0)
        if old == new or not old:
            return
        for element in self.cut.reader.root.walk():
            if element.tag in ("tractor", "track", "entry") and self._ends_with(element, old):
                self.writer.set_time(element, "out", new - 1)
        black = next((e for e in self.cut.reader.by_id.values() if self.cut.reader.is_black(e) and _is_colour(e)), None)
        if black is not None and "out" in black.attributes and self.cut.reader.frames(black.get("out")) < new - 1:
            self.writer.set_time(black, "out", new - 1)
            for child in black.children:
                if child.get("name") == "length" and self.cut.reader.frames(child.text) < new:
                    self.writer.edits.set_text(child, self.writer.time(new) if ":" in child.text else str(new))

    def _ends_with(self, element: Element, old: int) -> bool:
        """Tell whether an element lasts as long as the old whole, and is not a clip."""
        if "out" not in element.attributes or self.cut.reader.frames(element.get("out")) != old - 1:
            return False
        if element.tag == "entry":
            played = self.cut.reader.by_id.get(element.get("producer"))
            return played is not None and self.cut.reader.is_black(played)
        return element.tag == "track" or "shotcut:transition" not in properties_of(element)


def _tag(each: Element | Tree) -> str:
    return each.tag if isinstance(each, Element) else each["tag"]


def _is_colour(element: Element) -> bool:
    """Tell whether a producer is a plain colour: media of a clip may have any id."""
    return element.tag == "producer" and properties_of(element).get("mlt_service") in {"color", "colour"}
