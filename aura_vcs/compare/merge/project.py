"""Merging the projects of editors by clip, and deciding what a merge of them left open.

A format is read as a cut (`cut`), the cuts merge, and the result is written into the file of one side as text. Before
it counts it is read again: it must be the cut that was meant, with ids that are there once and references that lead
somewhere.
"""

import json
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from msgspec import Struct, structs

from aura_vcs.compare.merge.cut import cut_of, cut_value, is_same_cut, merge_cuts
from aura_vcs.compare.merge.cut_model import Cut, MergedCut, Piece, Record, needs_of
from aura_vcs.compare.merge.edl_cut import read_edl_cut
from aura_vcs.compare.merge.fcpxml_write import FcpxmlFile
from aura_vcs.compare.merge.mlt_cut import MltCut
from aura_vcs.compare.merge.mlt_rest import write_mlt
from aura_vcs.compare.merge.model import Choice, Conflict, MergedDocument
from aura_vcs.compare.merge.reaper_cut import ReaperFile
from aura_vcs.compare.merge.resolve_json import resolve_value
from aura_vcs.compare.merge.xml_references import check_references
from aura_vcs.errors.compare import ChoiceImpossible, NotStructural
from aura_vcs.formats.jsondoc.parse import ParsedDocument, Unstructured, parse_document
from aura_vcs.formats.jsondoc.values import join_pointer, same, split_pointer
from aura_vcs.formats.timeline.edl import is_edl
from aura_vcs.formats.timeline.fcpxml import is_fcpxml
from aura_vcs.formats.timeline.fingerprint import digest_of
from aura_vcs.formats.timeline.mlt import is_mlt
from aura_vcs.formats.timeline.reaper import is_reaper
from aura_vcs.formats.xmldoc.parse import XmlDocument, parse_xml

T = TypeVar("T")


class CutFile(Protocol):
    """A project file that is read as a cut."""

    cut: Cut
    frame: str
    """Fingerprint of what is around the clips and only taken whole, from the side that changed it; "" for none."""

    def write(self, merged: MergedCut, names: dict[str, str]) -> bytes:
        """Return the file with a merged cut in it, as text; `names` says which of its clips a merged one is.

        Raises:
            ValueError: it cannot be written.
        """

    def complete(self, merged: MergedCut, sides: Sequence["CutFile"]) -> MergedCut:
        """Return the merged cut with what its clips still need of what a side took out."""

    def check(self, sides: Sequence["CutFile"]) -> str:
        """Say why the file is not intact, though these are; "" where it is."""


class MergedProject(Struct, frozen=True):
    """A merged project and what is left to decide; without `data`, `reason` is why both versions are kept."""

    data: bytes | None
    conflicts: tuple[Conflict, ...] = ()
    reason: str = ""


class MltFile:
    """A document of Kdenlive or Shotcut."""

    def __init__(self, document: XmlDocument) -> None:
        self.document = document
        self.mlt = MltCut(document)
        self.cut = self.mlt.cut
        self.frame = ""

    def write(self, merged: MergedCut, names: dict[str, str]) -> bytes:
        """See CutFile."""
        return write_mlt(self.mlt, merged, names)

    def complete(self, merged: MergedCut, sides: Sequence[CutFile]) -> MergedCut:
        """See CutFile: media of the bin that a clip plays are never taken out of it."""
        played = needs_of(merged)
        found: Record = dict(merged.rest["bin"])
        for side in sides:
            for name, body in side.cut.rest["bin"].items():
                if name not in found and json.dumps(name) in played:
                    found[name] = body
        return structs.replace(merged, rest={**merged.rest, "bin": found})

    def check(self, sides: Sequence[CutFile]) -> str:
        """See CutFile."""
        documents = [side.document for side in sides if isinstance(side, MltFile)]
        return check_references(self.document, documents, "id", ("producer",))


def read_cut(data: bytes) -> CutFile | Unstructured | None:
    """Read a project that merges by clip; None where this is none."""
    if is_reaper(data):
        return _read_or_reason(ReaperFile, data)
    if not (is_mlt(data) or is_fcpxml(data)):
        return read_edl_cut(data) if is_edl(data) else None
    document = parse_xml(data)
    if isinstance(document, Unstructured):
        return document
    if document.root.tag not in ("mlt", "fcpxml"):
        return None
    if not document.is_editable:
        return Unstructured("it is not written in UTF-8")
    return MltFile(document) if document.root.tag == "mlt" else _read_or_reason(FcpxmlFile, document)


def _read_or_reason(make: Callable[[T], CutFile], source: T) -> CutFile | Unstructured:
    try:
        return make(source)
    except ValueError as error:
        return Unstructured(str(error))


def is_project(data: bytes) -> bool:
    """Tell whether bytes are a project that merges by clip."""
    return not isinstance(read_cut(data), Unstructured | None)


def merge_project(base: bytes, ours: bytes, theirs: bytes) -> MergedProject | None:
    """Merge two changed versions of a project by clip; None where they are no projects that merge so."""
    if theirs in (ours, base):
        return MergedProject(ours)
    if ours == base:
        return MergedProject(theirs)
    files = []
    for word, data in (("before both", base), ("in ours", ours), ("in theirs", theirs)):
        found = read_cut(data)
        if found is None:
            return None
        if isinstance(found, Unstructured):
            return MergedProject(None, reason=f"not merged by clip: {word}, {found.reason}")
        files.append(found)
    try:
        return _merge(files)
    except ValueError as error:
        return MergedProject(None, reason=f"not merged by clip: {error}")


def _merge(files: Sequence[CutFile]) -> MergedProject:
    base, ours, theirs = files
    if len({file.cut.rate for file in files}) > 1:
        raise ValueError("its versions have different frame rates")
    carrier, side = _carrier(base, ours, theirs)
    merged = merge_cuts(base.cut, ours.cut, theirs.cut)
    if merged.reason:
        return MergedProject(None, reason=f"not merged by clip: {merged.reason}")
    names = merged.own[side]
    merged = carrier.complete(merged, (ours, theirs))
    data = carrier.write(merged, names)
    meant, found = _proven(data, carrier, merged, files)
    conflicts = _as_called(merged.conflicts, meant, found)
    return MergedProject(data, conflicts)


def _carrier(base: CutFile, ours: CutFile, theirs: CutFile) -> tuple[CutFile, int]:
    """Choose the file that the result is written into: that of the side which changed the tracks, else ours.

    Raises:
        ValueError: both changed them, or what else is only taken whole.
    """
    was, here, there = ((file.cut.tracks, file.frame) for file in (base, ours, theirs))
    if there in (was, here):
        return ours, 1
    if here == was:
        return theirs, 2
    if was[0] not in (here[0], there[0]) and here[0] != there[0]:
        raise ValueError("both added or removed tracks")
    raise ValueError("both changed more than clips, and what is around them")


def _proven(
    data: bytes, carrier: CutFile, merged: MergedCut, files: Sequence[CutFile]
) -> tuple[list[Piece], list[Piece]]:
    """Read the merged file again; returns the clips that were meant, and those that it has, in one order.

    Raises:
        ValueError: it is not what was meant.
    """
    fresh = read_cut(data)
    if fresh is None or isinstance(fresh, Unstructured):
        reason = fresh.reason if fresh is not None else "it is not a project"
        raise ValueError(f"the result could not be read any more ({reason})")
    meant, found = (_in_order(pieces, carrier.cut) for pieces in (merged.pieces, fresh.cut.pieces))
    if not is_same_cut(found, meant):
        raise ValueError("the result would play something else than was meant")
    if not same(fresh.cut.rest, merged.rest):
        raise ValueError("the result would say something else than was meant")
    reason = fresh.check(files)
    if reason:
        raise ValueError(reason)
    return meant, found


def _in_order(pieces: Sequence[Piece], cut: Cut) -> list[Piece]:
    """Sort clips by track, by place, and at one place by what they are: not by what they are called."""
    order = {track: n for n, track in enumerate(cut.tracks)}
    return sorted(
        pieces,
        key=lambda p: (order.get(p.track, len(order)), p.start, p.length, p.first, p.media, p.name, digest_of(p.body)),
    )


def _as_called(conflicts: Sequence[Conflict], meant: Sequence[Piece], found: Sequence[Piece]) -> tuple[Conflict, ...]:
    """Return the conflicts with the names that the clips have in the merged file."""
    names = {a.id: b.id for a, b in zip(meant, found, strict=True)}
    called = []
    for conflict in conflicts:
        tokens = split_pointer(conflict.pointer)
        if len(tokens) > 1 and tokens[0] in ("clips", "places"):
            tokens = (tokens[0], names.get(tokens[1], tokens[1]), *tokens[2:])
        called.append(structs.replace(conflict, pointer=join_pointer(tokens)))
    return tuple(called)


def structure_of(data: bytes) -> ParsedDocument | Unstructured:
    """Read a document, or a project that merges by clip, as the JSON that its conflicts lead into."""
    found = read_cut(data)
    if found is None:
        return parse_document(data)
    return found if isinstance(found, Unstructured) else ParsedDocument(cut_value(found.cut))


def resolve_project(data: bytes, conflicts: tuple[Conflict, ...], pointer: str, choice: Choice) -> MergedDocument:
    """Decide conflicts of a project like `resolve_document`; the rest of the file stays as it is written.

    Raises:
        NotStructural: the project cannot be read any more.
        ConflictUnknown: there is no open conflict at or below `pointer`.
        ChoiceImpossible: the choice does not fit what is there.
    """
    file = read_cut(data)
    if file is None or isinstance(file, Unstructured):
        raise NotStructural(file.reason if file is not None else "it is not a project any more")
    merged = resolve_value(cut_value(file.cut), conflicts, pointer, choice)
    hint = "Change it in the editor, then `aura resolve --as-is` closes the conflict."
    try:
        decided = file.complete(cut_of(merged.value, file.cut), (file,))
        names = {piece.id: piece.id for piece in file.cut.pieces}
        written = file.write(decided, names)
        meant, found = _proven(written, file, decided, (file,))
    except ValueError as error:
        raise ChoiceImpossible(pointer, choice, str(error), hint=hint) from error
    return MergedDocument(written, _as_called(merged.conflicts, meant, found))
