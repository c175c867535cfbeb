"""Writing a merged cut back into an MLT document as text: what did not change keeps every byte.

New producers get ids and numbers that are free there; numbers are written with the decimals of that document, times in
its form.
"""

from collections.abc import Sequence
from typing import Any

from aura_vcs.compare.diff.sequences import longest_increasing
from aura_vcs.compare.merge.cut_model import MergedCut, Piece, Record
from aura_vcs.compare.merge.mlt_cut import MltCut, dropped
from aura_vcs.compare.merge.xml_children import ChildrenWriter
from aura_vcs.formats.jsondoc.values import same
from aura_vcs.formats.timeline.fingerprint import digest_of
from aura_vcs.formats.xmldoc.edit import Tree, XmlEdits
from aura_vcs.formats.xmldoc.parse import Element


class MltWriter(ChildrenWriter):
    """One document under way."""

    def __init__(self, cut: MltCut, merged: MergedCut, names: dict[str, str]) -> None:
        super().__init__(XmlEdits(cut.document))
        self.cut = cut
        self.merged = merged
        self.names = names
        self.ids = {e.get("id") for e in cut.document.root.walk() if "id" in e.attributes}
        self.users = self._users()
        self.defined: dict[tuple[str, str], str] = {}
        self.known: dict[tuple[str, str], str] = {}
        self.old = {piece.id: piece for piece in cut.cut.pieces}
        self.numbers = {name: number for number, name in cut.bin_names.items()}
        self.edited: set[int] = set()
        self.rewritten: set[str] = set()
        """Ids of what is played otherwise now: no other clip may be led there."""
        for piece in cut.cut.pieces:
            place = cut.places[piece.id]
            if place.producer is not None:
                self.known.setdefault((digest_of(piece.body["plays"]), piece.track), place.producer.get("id"))

    def _users(self) -> dict[str, int]:
        """Count how often each id is referred to."""
        found: dict[str, int] = {}
        for element in self.cut.document.root.walk():
            if "producer" in element.attributes:
                found[element.get("producer")] = found.get(element.get("producer"), 0) + 1
        return found

    def clips(self) -> None:
        """Give every playlist its clips."""
        by_list: dict[tuple[str, int], list[Piece]] = {}
        for piece in self.merged.pieces:
            by_list.setdefault((piece.track, piece.body["part"]), []).append(piece)
        for track, (_, _, lists) in self.cut.tracks.items():
            for part, playlist in enumerate(lists):
                self._playlist(playlist, lists[0], by_list.pop((track, part), []))
        if by_list:
            raise ValueError("a clip stands on a track that is not there any more")

    def canonical(self, element: Element) -> Record:
        """See ChildrenWriter."""
        return self.cut.canonical(element)

    def new_child(self, body: Record, before: Element) -> Tree:
        """See ChildrenWriter."""
        return self.tree(body, before, "")

    def local(self, text: str) -> str:
        """See ChildrenWriter."""
        return self.cut.local(text)

    def time(self, frames: int) -> str:
        """Write a time as the document writes them."""
        if not self.cut.uses_clock:
            return str(frames)
        number, denominator = self.cut.reader.rate
        millis = (frames * denominator * 1000 * 2 + number) // (2 * number)
        seconds, rest = divmod(millis, 1000)
        mark = "," if self.cut.clock_comma else "."
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{rest:03d}"

    def set_time(self, element: Element, name: str, frames: int) -> None:
        """Give a time another value, where it is another one."""
        if name not in element.attributes or self.cut.reader.frames(element.get(name), -1) != frames:
            self.edits.set_attribute(element, name, self.time(frames))

    def _playlist(self, playlist: Element, before: Element, pieces: Sequence[Piece]) -> None:
        """Give a playlist its clips and the empty time between them."""
        if not playlist.children and not pieces:
            return
        places = {id(child): n for n, child in enumerate(playlist.children)}
        mine = [(p, self._entry_of(p, playlist)) for p in pieces]
        kept = [(n, places[id(entry)]) for n, (_, entry) in enumerate(mine) if entry is not None]
        steady = {kept[n][0] for n in longest_increasing([place for _, place in kept])}
        current: list[Element | Tree] = [c for c in playlist.children if c.tag not in ("entry", "blank")]
        at = 0
        for n, (piece, entry) in enumerate(mine):
            if piece.start < at:
                raise ValueError(f"{piece.name or 'a clip'} would begin before the clip in front of it ends")
            reused = entry if n in steady else None
            if piece.start > at:
                current.append(self._blank(playlist, places, reused, piece.start - at))
            current.append(self._entry(piece, reused, before))
            at = piece.start + piece.length
        self.children_of(playlist)[:] = current

    def _entry_of(self, piece: Piece, playlist: Element) -> Element | None:
        place = self.cut.places.get(self.names.get(piece.id, ""))
        return place.entry if place is not None and place.playlist is playlist else None

    def _blank(self, playlist: Element, places: dict[int, int], entry: Element | None, length: int) -> Element | Tree:
        """Empty time: the element that was there in front of the clip, else a new one."""
        place = places[id(entry)] if entry is not None else 0
        found = playlist.children[place - 1] if place else None
        if found is None or found.tag != "blank":
            return {"tag": "blank", "attributes": {"length": self.time(length)}}
        self.set_time(found, "length", length)
        return found

    def _entry(self, piece: Piece, reused: Element | None, before: Element) -> Element | Tree:
        producer = self.producer(piece, before)
        last = piece.first + piece.length - 1
        if reused is not None:
            self.set_time(reused, "in", piece.first)
            self.set_time(reused, "out", last)
            self.edits.set_attribute(reused, "producer", producer)
            self.sync(reused, piece.body["entry"])
            return reused
        attributes = {"producer": producer, "in": self.time(piece.first), "out": self.time(last)}
        children = [self.tree(child, before, piece.track) for child in piece.body["entry"]]
        return {"tag": "entry", "attributes": attributes, "children": children}

    def producer(self, piece: Piece, before: Element) -> str:
        """Return the id of what a clip plays, in this document; made new in front of `before` where it is not there."""
        plays = piece.body["plays"]
        own = self.cut.places.get(self.names.get(piece.id, ""))
        was = self.old.get(self.names.get(piece.id, ""))
        if own is not None and own.producer is not None and was is not None:
            name = own.producer.get("id")
            if same(was.body["plays"], plays) and (was.track == piece.track or self.users.get(name, 0) == 1):
                return name
            if self.users.get(name, 0) == 1 and self._can_edit(own.producer, plays):
                self.edit(own.producer, plays)
                self.rewritten.add(name)
                return name
        return self.id_of(plays, before, piece.track)

    def _can_edit(self, producer: Element, plays: Record) -> bool:
        return (
            producer.tag == plays.get("tag")
            and producer.tag in ("producer", "chain")
            and id(producer) not in self.edited
        )

    def edit(self, element: Element, body: Record) -> None:
        """Make a producer say what it should."""
        self.edited.add(id(element))
        for key, value in body["attributes"].items():
            if self.cut.point(element.get(key)) != value:
                self.edits.set_attribute(element, key, self.cut.local(value))
        self.sync(element, body["children"])

    def id_of(self, plays: Record, before: Element, track: str) -> str:
        """Return the id under which the document has what is played, on this track; made new where it has not."""
        if "missing" in plays:
            return str(plays["missing"])
        if "sequence" in plays:
            name = next((e.id for e in self.cut.sequences if e.uuid == plays["sequence"]), "")
            if not name:
                raise ValueError("a sequence that a clip plays is not there any more")
            return name
        key = digest_of(plays), track
        known = self.known.get(key, "")
        if known and known not in self.rewritten and self.cut.reader.flavour == "kdenlive":
            self.users[known] = self.users.get(known, 0) + 1  # from now on it says what two clips play
            return known
        if key not in self.defined or self.cut.reader.flavour != "kdenlive":
            self.defined[key] = self._define(plays, before, track)
        return self.defined[key]

    def _define(self, body: Record, before: Element, track: str) -> str:
        children = [self.tree(child, before, track) for child in body["children"]]
        name = self.free_id(body["tag"])
        attributes = {"id": name, **{k: self.cut.local(v) for k, v in body["attributes"].items()}}
        self.new.append((before, {"tag": body["tag"], "attributes": attributes, "children": children}))
        return name

    def free_id(self, stem: str) -> str:
        """Return an id that nothing in the document has."""
        number = 0
        while f"{stem}{number}" in self.ids:
            number += 1
        self.ids.add(f"{stem}{number}")
        return f"{stem}{number}"

    def tree(self, body: Record, before: Element, track: str) -> Tree:
        """Build a new element of this document."""
        attributes: dict[str, Any] = {}
        if body["tag"] in ("filter", "transition", "link"):
            attributes["id"] = self.free_id(body["tag"])
        if "plays" in body:
            attributes["producer"] = self.id_of(body["plays"], before, track)
        attributes |= {key: self.cut.local(value) for key, value in body["attributes"].items()}
        made: Tree = {"tag": body["tag"], "attributes": attributes}
        if "bin" in body:
            made["text"] = self.number(body["bin"])
        elif "text" in body:
            made["text"] = self.cut.local(body["text"])
        if "children" in body:
            made["children"] = [self.tree(child, before, track) for child in body["children"]]
        return made

    def number(self, name: str) -> str:
        """Return the number that this document gives to media of its bin."""
        if name not in self.numbers:
            taken = {int(number) for number in self.numbers.values() if number.isdecimal()}
            self.numbers[name] = str(max(taken, default=0) + 1)
        return self.numbers[name]

    def sync(self, element: Element, wanted: Sequence[Record]) -> None:
        """Give an element these children; those that it has already stay as they are written."""
        self.replace(element, [c for c in element.children if not dropped(c)], wanted, element)
