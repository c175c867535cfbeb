"""Notes, provenance and recipes on their way: in records beside the labels, merged with what the other side has."""

from collections.abc import Iterable, Iterator, Mapping

from aura_vcs.codec import encode_compact
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.model import Annotation
from aura_vcs.refs.annotations import ROOMS, check_annotation, fits, merge_annotations
from aura_vcs.refs.label_merge import is_believable
from aura_vcs.repository.repository import Repository

Annotations = dict[str, Annotation]
"""By their names in operations, such as `notes/<id>`."""
LINE_BYTES = 8 << 20
"""Encoded bytes of annotations that are recorded in one operation."""


def own_annotations(repo: Repository) -> Annotations:
    """Return the annotations of this project, deleted ones too."""
    return {f"{room}/{item.id}": item for room in ROOMS for item in repo.refs.annotations.all(room)}


def merge_into(found: Annotations, more: Mapping[str, Annotation]) -> None:
    """Merge annotations into others."""
    for name, item in more.items():
        known = found.get(name)
        found[name] = item if known is None else merge_annotations(known, item)


def newer_annotations(ours: Mapping[str, Annotation], theirs: Mapping[str, Annotation]) -> Annotations:
    """Return what the other side has that is new here, merged with what is here."""
    found: Annotations = {}
    for name, item in theirs.items():
        known = ours.get(name)
        merged = item if known is None else merge_annotations(known, item)
        if merged != known and fits(merged):
            found[name] = merged
    return found


def proper_annotations(stored: Mapping[str, Iterable[Annotation]]) -> Annotations:
    """Return those annotations of a record that somebody can have written; what is not known is passed over."""
    found: Annotations = {}
    for room in ROOMS:
        for item in stored.get(room, ()):
            try:
                check_annotation(room, item, room)
            except RecordCorrupt:
                continue
            if all(is_believable(field.stamp) for field in item.fields.values()):
                merge_into(found, {f"{room}/{item.id}": item})
    return found


def by_room(found: Mapping[str, Annotation]) -> dict[str, tuple[Annotation, ...]]:
    """Sort annotations into the rooms that a record has."""
    names = sorted(found)
    rooms = {room: tuple(found[name] for name in names if name.startswith(f"{room}/")) for room in ROOMS}
    return {room: items for room, items in rooms.items() if items}


def in_lines(found: Mapping[str, Annotation], most: int) -> Iterator[Annotations]:
    """Yield annotations in parts that are recorded in an operation each: a line of the log stays readable."""
    part: Annotations = {}
    room = LINE_BYTES
    for name, item in found.items():
        size = len(encode_compact(item))
        if part and (size > room or len(part) >= most):
            yield part
            part, room = {}, LINE_BYTES
        part[name] = item
        room -= size
    if part:
        yield part
