"""Notes, provenance, recipes and settings on their way between machines, merged with what the other side has.

What names a place or a program of one machine stays there: a remote does not say where files are
written here, or what is run.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from aura_vcs.codec import encode_compact
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.ids import ReplicaId, is_replica_id
from aura_vcs.model import Annotation, Field
from aura_vcs.refs.annotations import ROOMS, check_annotation, fits, merge_annotations
from aura_vcs.refs.merge import is_believable
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
    if not found:
        return {}
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


SETTINGS_LIMIT = 1000
SETTINGS_BYTES = 1 << 20
AT_HOME = ("general.", "media.")
"""What keys begin with that stay on their machine."""
_KEY = r"[a-z][a-z0-9_]{0,63}(\.[a-z0-9_]{1,64}){1,3}"


def travelling_settings(settings: Mapping[str, Field]) -> dict[str, Field]:
    """Select the settings that travel."""
    return {key: field for key, field in settings.items() if not key.startswith(AT_HOME) and re.fullmatch(_KEY, key)}


def merge_settings(ours: Mapping[str, Field], theirs: Mapping[str, Field]) -> dict[str, Field]:
    """Merge settings: of each the one with the higher stamp. Commutes; idempotent."""
    joined = dict(ours)
    for key, field in theirs.items():
        if key not in joined or field.stamp > joined[key].stamp:
            joined[key] = field
    return dict(sorted(joined.items()))


def newer_settings(replica: ReplicaId, ours: Mapping[str, Field], theirs: Mapping[str, Field]) -> dict[str, Field]:
    """Select what other machines set since; what is said to be ours, we know."""
    return {
        key: field
        for key, field in theirs.items()
        if field.stamp[1] != replica and (key not in ours or field.stamp > ours[key].stamp)
    }


def check_settings(settings: Mapping[str, Field]) -> None:
    """Look through settings that somebody else may have written.

    Raises:
        RecordCorrupt: one is not valid, or they are larger than any.
    """
    if len(settings) > SETTINGS_LIMIT or len(encode_compact(settings)) > SETTINGS_BYTES:
        raise RecordCorrupt("the settings", "there are too many, or they are too large")
    for key, field in settings.items():
        if len(travelling_settings({key: field})) != 1:
            raise RecordCorrupt(f"the setting {key[:80]}", "it is none that travels")
        if field.stamp[0] < 0 or not is_replica_id(field.stamp[1]):
            raise RecordCorrupt(f"the setting {key}", "its stamp is not valid")
