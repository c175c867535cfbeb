"""Following the clips of an OpenTimelineIO timeline through tracks and groups while two versions merge.

What cannot be said list by list is settled here first: a clip that one side took to another track is merged as one
clip, and put where it goes on both sides; what both did to its place, or to a clip that one of them cut in two, is a
question. A mark stands where theirs has a clip that stays where ours has it, until its place in the result is known.
"""

from collections.abc import Callable, Iterator
from typing import Literal

from msgspec import UNSET, Struct, structs

from aura_vcs.compare.diff.sequences import always_increasing
from aura_vcs.compare.merge.cut_model import Piece
from aura_vcs.compare.merge.model import Conflict, MergedValue
from aura_vcs.compare.merge.resolve_json import ElementShift
from aura_vcs.compare.merge.stand_ins import find_stand_ins
from aura_vcs.compare.timeline.match import ClipPosition, match_timelines
from aura_vcs.formats.jsondoc.values import JsonValue, join_pointer, resolve_pointer, same
from aura_vcs.formats.timeline.model import Clip, Timeline
from aura_vcs.formats.timeline.otio import read_containers

IS_MARK = "\0place"
"""The field that makes an object a mark; its value is the number of the question."""
LOST = "merged by clip, a clip that is asked about could not be found again"
MergeClips = Callable[[JsonValue, JsonValue, JsonValue], MergedValue]
Side = Literal[1, 2]


class Asked(Struct, frozen=True):
    """An object of the merged document and what is asked about it."""

    value: JsonValue
    conflicts: tuple[Conflict, ...]


class Followed(Struct, frozen=True):
    """Base, ours and theirs as they can be merged list by list; what their objects are, by address; questions."""

    sides: tuple[JsonValue, JsonValue, JsonValue]
    names: dict[int, str]
    asked: tuple[Asked, ...]


class Home(Struct, frozen=True):
    """Where a clip of the common version is on one side."""

    pointer: str
    container: int
    is_away: bool
    is_moved: bool


def follow(base: JsonValue, ours: JsonValue, theirs: JsonValue, merge: MergeClips) -> Followed:
    """Decide what changed places; see the module. The documents are not changed."""
    sides = tuple(_with_own_lists(side) for side in (base, ours, theirs))
    return _Follower(sides, merge).run()


def _with_own_lists(document: JsonValue) -> JsonValue:
    """Copy the lists of tracks and clips of a document, so that clips can change places."""
    if isinstance(document, list):
        return [_with_own_lists(part) for part in document]
    if not isinstance(document, dict):
        return document
    deep = ("tracks", "children")
    return {key: _with_own_lists(part) if key in deep else part for key, part in document.items()}


class _Follower:
    def __init__(self, sides: tuple[JsonValue, ...], merge: MergeClips) -> None:
        self.sides = sides
        self.merge = merge
        self.models = [read_containers(side) for side in sides]
        self.names: dict[int, str] = {}
        self.partners: list[dict[int, int]] = [{}, {}]
        self.homes: tuple[dict[ClipPosition, Home], dict[ClipPosition, Home]] = (self._homes(1), self._homes(2))
        self.asked: list[Asked] = []
        self.gone: list[tuple[list[JsonValue], JsonValue]] = []
        self.back: list[tuple[ClipPosition, JsonValue]] = []
        self.pieces = self._pieces(1), self._pieces(2)
        self.replaced = self._replaced()

    def run(self) -> Followed:
        for place, clip in _clips(self.models[0]):
            self._resolve_positions(place, clip)
        for place, value in self.back:
            self._bring_back(place, value)
        for elements, value in self.gone:
            elements[:] = [element for element in elements if element is not value]
        base, ours, theirs = self.sides
        return Followed((base, ours, theirs), self.names, tuple(self.asked))

    def _homes(self, side: Side) -> dict[ClipPosition, Home]:
        """Find the clips of the common version on a side, and name every object on the way."""
        model, other = self.models[0], self.models[side]
        match = match_timelines(model, other, strict=True)
        for n, track in enumerate(model.tracks):
            self._name(0, track.pointer, f"track {n}")
            for m, clip in enumerate(track.clips):
                self._name(0, clip.pointer, f"clip {n} {m}")
        for n, track in enumerate(other.tracks):
            self._name(side, track.pointer, f"track of {side}, {n}")
            for m, clip in enumerate(track.clips):
                self._name(side, clip.pointer, f"clip of {side}, {n} {m}")
        for i, j in match.tracks:
            if not model.tracks[i].kind.startswith("group"):
                self._name(side, other.tracks[j].pointer, f"track {i}")
        partner = self.partners[side - 1] = {j: i for i, j in match.tracks}
        moved = _moved_inside(match.clips, partner)
        homes = {}
        for a, b in match.clips:
            clip = other.tracks[b.track].clips[b.position]
            self._name(side, clip.pointer, f"clip {a.track} {a.position}")
            container = partner.get(b.track, -1 - b.track)
            homes[a] = Home(clip.pointer, container, container != a.track, container != a.track or a in moved)
        return homes

    def _name(self, side: int, pointer: str, name: str) -> None:
        self.names[id(resolve_pointer(self.sides[side], pointer))] = name

    def _at(self, side: int, pointer: str) -> JsonValue:
        return resolve_pointer(self.sides[side], pointer)

    def _resolve_positions(self, place: ClipPosition, clip: Clip) -> None:
        """Decide the place of one clip of the common version."""
        here, there = self.homes[0].get(place), self.homes[1].get(place)
        cut = [*self._cut(place, clip, 1), *self._cut(place, clip, 2)]
        self.asked += cut
        if here is None or there is None:
            self._removed(clip, here, there)
        elif here.is_away or there.is_away or cut or place in self.replaced:
            self._placed(place, clip, here, there, is_cut=bool(cut))

    def _removed(self, clip: Clip, here: Home | None, there: Home | None) -> None:
        """Ask about a clip that one side removed and the other took to another track: it stays there for now."""
        was = self._at(0, clip.pointer)
        if here is not None and here.is_away:
            value = self._at(1, here.pointer)
            self.asked.append(Asked(value, (Conflict("removed_by_theirs", "", was, value),)))
        if there is not None and there.is_away:
            value = self._at(2, there.pointer)
            self.asked.append(Asked(value, (Conflict("removed_by_ours", "", was, UNSET, value),)))

    def _placed(self, place: ClipPosition, clip: Clip, here: Home, there: Home, *, is_cut: bool) -> None:
        """Merge a clip that both sides have, or ask about it as a whole, and put it where it goes."""
        was, mine, other = self._at(0, clip.pointer), self._at(1, here.pointer), self._at(2, there.pointer)
        is_replaced = place in self.replaced and not same(was, mine) and not same(was, other)
        if is_cut or is_replaced:
            changed = () if same(mine, other) else (Conflict("changed", "", was, mine, other),)
            merged = MergedValue(mine, changed)
        else:
            merged = self.merge(was, mine, other)
        value = dict(merged.value)
        self.names[id(value)] = self.names[id(was)]
        is_together = here.container == there.container
        is_torn = not is_together and (
            (here.is_moved and there.is_moved) or self._has_lost(2, here) or self._has_lost(1, there)
        )
        found = merged.conflicts
        if is_torn:
            found = (*found, Conflict("moved", "", clip.pointer, here.pointer, there.pointer))
        if is_torn or is_together or here.is_away:
            self._put(1, here.pointer, value)
        else:
            self._leave(1, here.pointer)
        if is_together or (there.is_away and not is_torn):
            self._put(2, there.pointer, value)
        elif is_torn:
            mark = {"OTIO_SCHEMA": "Gap.1", IS_MARK: len(self.asked)}
            self.names[id(mark)] = self.names[id(was)]
            self._put(2, there.pointer, mark)
            if not here.is_away:
                self.back.append((place, value))
        else:
            self._leave(2, there.pointer)
        self.asked.append(Asked(value, found))

    def _has_lost(self, side: Side, home: Home) -> bool:
        """Tell whether a side took away the track to which the other side took a clip."""
        return home.is_away and home.container >= 0 and home.container not in self.partners[side - 1].values()

    def _put(self, side: int, pointer: str, value: JsonValue) -> None:
        elements, n = self._spot(side, pointer)
        elements[n] = value

    def _leave(self, side: int, pointer: str) -> None:
        elements, n = self._spot(side, pointer)
        self.gone.append((elements, elements[n]))

    def _spot(self, side: int, pointer: str) -> tuple[list[JsonValue], int]:
        parent, _, last = pointer.rpartition("/")
        return resolve_pointer(self.sides[side], parent), int(last)

    def _bring_back(self, place: ClipPosition, value: JsonValue) -> None:
        """Put a clip that theirs took to another track to its old place there: its new one is only a question."""
        track = self.models[0].tracks[place.track]
        before = [self.homes[1].get(ClipPosition(place.track, n)) for n in range(place.position)]
        stayed = [home for home in before if home is not None and not home.is_moved]
        homes = [home for a, home in self.homes[1].items() if home.container == place.track]
        if stayed:
            elements, n = self._spot(2, stayed[-1].pointer)
            elements.insert(n + 1, value)
        elif homes:
            self._spot(2, homes[0].pointer)[0].insert(0, value)
        else:
            for element in _containers(self.sides[2]):
                if self.names.get(id(element)) == self.names[id(self._at(0, track.pointer))]:
                    element["children"].insert(0, value)

    def _replaced(self) -> set[ClipPosition]:
        """Let what a side put in the place of a clip be that clip, where the other side changed it or took it out."""
        found = [(side, self._stand_ins(side)) for side in (1, 2)]
        known = dict(_clips(self.models[0]))
        met = []
        for side, stand_ins in found:
            for place, pointer in stand_ins.items():
                home = self.homes[2 - side].get(place)
                was = self._at(0, known[place].pointer)
                if home is None or home.is_moved or not same(self._at(3 - side, home.pointer), was):
                    met.append((side, place, pointer))
        for side, place, pointer in met:
            self.homes[side - 1][place] = Home(pointer, place.track, is_away=False, is_moved=False)
            self._name(side, pointer, self.names[id(self._at(0, known[place].pointer))])
        return {place for _, place, _ in met}

    def _stand_ins(self, side: Side) -> dict[ClipPosition, str]:
        """Find what a side put between its neighbours for a clip that it took out, as pointers."""
        home_of = {home.pointer: place for place, home in self.homes[side - 1].items()}
        old, new = list[Piece](), list[Piece]()
        bases: dict[str, tuple[ClipPosition, Clip]] = {}
        for place, clip in _clips(self.models[0]):
            bases[f"{place}"] = place, clip
            old.append(Piece(f"{place}", f"{place.track}", place.position, clip.duration, 0, {}))
        for place, clip in _clips(self.models[side]):
            name = f"{home_of.get(clip.pointer, clip.pointer)}"
            if place.track in self.partners[side - 1] and (clip.pointer in home_of or not self._is_group(side, clip)):
                track = self.partners[side - 1][place.track]
                new.append(Piece(name, f"{track}", place.position, clip.duration, 0, {}))
        found = ((*bases[name], piece.id) for name, piece in find_stand_ins(old, new).items())
        return {place: pointer for place, clip, pointer in found if not self._is_group(0, clip)}

    def _is_group(self, side: int, clip: Clip) -> bool:
        return "children" in self._at(side, clip.pointer)

    def _pieces(self, side: Side) -> dict[ClipPosition, list[str]]:
        """Map clips of the common version to the clips that a side cut off them, as pointers."""
        known = {home.pointer: place for place, home in self.homes[side - 1].items()}
        new = {clip.pointer: clip for _, clip in _clips(self.models[side])}
        found: dict[ClipPosition, list[str]] = {}
        by_media: dict[str, list[tuple[ClipPosition, Clip, Clip]]] = {}
        clips = dict(_clips(self.models[0]))
        for pointer, place in known.items():
            if clips[place].media or clips[place].name:
                by_media.setdefault(clips[place].media, []).append((place, clips[place], new[pointer]))
        for pointer, clip in new.items():
            for place, whole, rest in by_media.get(clip.media, ()) if pointer not in known else ():
                if _is_piece(clip, whole, rest):
                    found.setdefault(place, []).append(pointer)
                    break
        return found

    def _cut(self, place: ClipPosition, clip: Clip, side: Side) -> Iterator[Asked]:
        """Yield questions about the pieces that a side cut off a clip to which the other side did something."""
        pieces = self.pieces[side - 1].get(place, ())
        home = self.homes[2 - side].get(place)
        other = None if home is None else self._at(3 - side, home.pointer)
        if not pieces or (home is not None and not home.is_moved and same(other, self._at(0, clip.pointer))):
            return
        twins = [self._at(3 - side, pointer) for pointer in self.pieces[2 - side].get(place, ())]
        for pointer in pieces:
            value = self._at(side, pointer)
            if any(same(value, twin) for twin in twins):
                continue
            if side == 1:
                yield Asked(value, (Conflict("removed_by_theirs", "", UNSET, value),))
            else:
                yield Asked(value, (Conflict("removed_by_ours", "", UNSET, UNSET, value),))


def _clips(timeline: Timeline) -> Iterator[tuple[ClipPosition, Clip]]:
    for t, track in enumerate(timeline.tracks):
        for n, clip in enumerate(track.clips):
            yield ClipPosition(t, n), clip


def _moved_inside(pairs: tuple[tuple[ClipPosition, ClipPosition], ...], partner: dict[int, int]) -> set[ClipPosition]:
    """Find clips that a side moved within what they stand in."""
    stayed: dict[int, list[ClipPosition]] = {}
    for a, b in pairs:
        if partner.get(b.track) == a.track:
            stayed.setdefault(a.track, []).append(a)
    moved: set[ClipPosition] = set()
    for places in stayed.values():
        steady = always_increasing([place.position for place in places])
        moved.update(place for n, place in enumerate(places) if n not in steady)
    return moved


def _is_piece(clip: Clip, whole: Clip, rest: Clip) -> bool:
    """Tell whether a clip plays a part of what another one played, which that one plays no more."""
    if clip.source_start is None or whole.source_start is None or rest.source_start is None:
        return False
    if not (clip.media or clip.name == whole.name):
        return False
    start, end = clip.source_start, clip.source_start + clip.duration
    is_inside = whole.source_start <= start and end <= whole.source_start + whole.duration
    return is_inside and (end <= rest.source_start or rest.source_start + rest.duration <= start)


def _containers(document: JsonValue) -> Iterator[dict[str, JsonValue]]:
    stack = [document]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack += value
        elif isinstance(value, dict):
            if isinstance(value.get("children"), list):
                yield value
            stack += [value[key] for key in ("tracks", "children") if key in value]


def resolve_places(merged: MergedValue, asked: tuple[Asked, ...]) -> MergedValue:
    """Return the merged document without marks, and its questions with the places that they have in it."""
    if not asked:
        return merged
    objects, marks = _find(merged.value, {id(each.value) for each in asked})
    conflicts = [_unmarked(found) for found in merged.conflicts if found.pointer not in marks.values()]
    for each in asked:
        if each.conflicts and id(each.value) not in objects:
            return MergedValue(merged.value, reason=LOST)
        for conflict in each.conflicts:
            at = objects[id(each.value)]
            conflicts.append(structs.replace(conflict, pointer=at + conflict.pointer))
    targets = {objects[id(asked[number].value)]: pointer for number, pointer in marks.items()}
    shifts = []
    for pointer in sorted(marks.values(), key=lambda pointer: int(pointer.rpartition("/")[2]), reverse=True):
        parent, _, last = pointer.rpartition("/")
        del resolve_pointer(merged.value, parent)[int(last)]
        shifts.append(ElementShift(tuple(parent.split("/")[1:]), int(last), None))
    return MergedValue(merged.value, tuple(_resolved(conflict, targets, shifts) for conflict in conflicts))


def _resolved(conflict: Conflict, targets: dict[str, str], shifts: list[ElementShift]) -> Conflict:
    """Move a question to its place in the document without marks; one moved to another list gets theirs' place too."""
    is_elsewhere = conflict.kind == "moved" and isinstance(conflict.ours, str)
    if is_elsewhere and conflict.pointer in targets:
        conflict = structs.replace(conflict, theirs=targets[conflict.pointer])
    for shift in shifts:
        conflict = shift.moved(conflict)
    return structs.replace(conflict, ours=conflict.pointer) if is_elsewhere else conflict


def _find(document: JsonValue, wanted: set[int]) -> tuple[dict[int, str], dict[int, str]]:
    """Find where the objects with these addresses in memory are in the document, and the marks by their numbers."""
    objects: dict[int, str] = {}
    marks: dict[int, str] = {}
    stack: list[tuple[str, JsonValue]] = [("", document)]
    while stack:
        at, value = stack.pop()
        if isinstance(value, dict) and IS_MARK in value:
            marks[value[IS_MARK]] = at
            continue
        if id(value) in wanted:
            objects[id(value)] = at
        if isinstance(value, dict):
            keys = [key for key in ("tracks", "children") if key in value]
            stack += [(at + join_pointer((key,)), value[key]) for key in keys]
        elif isinstance(value, list):
            stack += [(f"{at}/{n}", part) for n, part in enumerate(value)]
    return objects, marks


def _unmarked(conflict: Conflict) -> Conflict:
    """Remove the marks from the sides of a question: each is a question of its own."""

    def clean(value: JsonValue) -> JsonValue:
        if isinstance(value, list):
            return [clean(part) for part in value if not (isinstance(part, dict) and IS_MARK in part)]
        if not isinstance(value, dict):
            return value
        return {key: clean(part) if key in ("tracks", "children") else part for key, part in value.items()}

    sides = {name: getattr(conflict, name) for name in ("base", "ours", "theirs")}
    return structs.replace(conflict, **{name: side if side is UNSET else clean(side) for name, side in sides.items()})
