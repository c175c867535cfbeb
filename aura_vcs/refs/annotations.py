"""Annotations: notes, provenance and recipes, in files that merge field by field.

They are kept as labels are: a small file each, very many packed into one. A copy that a sync tool left beside a file
counts, whatever it is called: what it is about is written in it.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import reduce
from typing import Any

from aura_vcs import layout
from aura_vcs.codec import encode_compact, encode_record, to_plain
from aura_vcs.errors.integrity import LimitExceeded, RecordCorrupt
from aura_vcs.ids import ObjectId, ReplicaId, is_note_id, is_object_id, is_replica_id
from aura_vcs.model import Annotation, Field
from aura_vcs.refs.packed_labels import PackedRecords, decode_ref
from aura_vcs.storage.base import Deletable

NOTE, PROVENANCE, RECIPE = ROOMS = layout.ANNOTATION_ROOMS
DELETED = "deleted"
"""The field that says that an annotation is gone, and what of it was seen by whoever deleted it."""
EVICT, FREED = "evict", "freed"
"""Fields of recipes: whoever wants the content that they make to go, and that it has gone somewhere."""
ANNOTATION_BYTES = 256 << 10
"""Encoded bytes of the largest annotation that a change makes; merged with others' it may be larger."""
MERGED_BYTES = 4 << 20
"""Encoded bytes of the largest annotation that is read; where merging would make a larger one, ours stays as it is."""
AT_ONCE = 64
"""An operation that changes more annotations of a kind packs them at once."""


def merge_annotations(ours: Annotation, theirs: Annotation) -> Annotation:
    """Merge two copies: of each field the value with the higher stamp. Commutes; idempotent.

    Where two copies of one replica gave one stamp to two values, the value decides, the same everywhere.
    """
    fields = dict(ours.fields)
    for key, field in theirs.fields.items():
        known = fields.get(key)
        if known is None or _rank(field) > _rank(known):
            fields[key] = field
    return Annotation(ours.id, dict(sorted(fields.items())))


def fits(annotation: Annotation) -> bool:
    """Tell whether an annotation is not larger than whoever reads it takes."""
    return len(encode_compact(annotation)) <= MERGED_BYTES


def _rank(field: Field) -> tuple[int, str, bytes]:
    return *field.stamp, encode_compact([field.value, field.updated_at, field.updated_by])


def value_of(annotation: Annotation, key: str) -> Any:
    """Return the value of a field; None where there is none."""
    field = annotation.fields.get(key)
    return None if field is None else field.value


def is_deleted(annotation: Annotation) -> bool:
    """Tell whether an annotation is gone: deleted by somebody who knew all that was said of it."""
    value = value_of(annotation, DELETED)
    seen = value.get("seen") if isinstance(value, dict) else None
    if not isinstance(seen, dict):
        return False
    stamps = (field.stamp for key, field in annotation.fields.items() if key != DELETED)
    return all(isinstance(known := seen.get(replica, 0), int) and counter <= known for counter, replica in stamps)


def freed_contents(recipes: Iterable[Annotation]) -> frozenset[ObjectId]:
    """Return the contents that somebody has freed because a recipe makes them: where they are not, nothing is wrong."""
    return frozenset(ObjectId(item.id) for item in recipes if value_of(item, FREED) is not None)


def deletion(annotation: Annotation) -> dict[str, Any]:
    """Build the value of DELETED that deletes an annotation as it is now."""
    seen: dict[ReplicaId, int] = {}
    for key, field in annotation.fields.items():
        if key != DELETED:
            seen[field.stamp[1]] = max(field.stamp[0], seen.get(field.stamp[1], 0))
    return {"seen": dict(sorted(seen.items()))}


def with_values(
    annotation: Annotation, values: Mapping[str, Any], replica: ReplicaId, at: str, by: str, *, taken_back: bool = False
) -> Annotation:
    """Return the annotation with values given by this replica, stamped above every stamp it has.

    What came from several machines may be larger than one may write: it can still be resolved, deleted and brought
    back, and a change of it be `taken_back`, up to what is read.

    Raises:
        LimitExceeded: it would be larger than ANNOTATION_BYTES, or than MERGED_BYTES where nothing is said anew.
    """
    counter = max((field.stamp[0] for field in annotation.fields.values()), default=0) + 1
    given = {key: Field(value, (counter, replica), at, by) for key, value in values.items()}
    changed = Annotation(annotation.id, dict(sorted({**annotation.fields, **given}.items())))
    says_more = not taken_back and any(
        value is not None and value is not True for key, value in values.items() if key != DELETED
    )
    limit = ANNOTATION_BYTES if says_more else MERGED_BYTES
    if len(encode_compact(changed)) > limit:
        error = LimitExceeded("The size of what is said about one thing, in bytes", limit)
        error.hint = "Nothing was changed. Say it in a note of its own; this one can still be resolved and deleted."
        raise error
    return changed


def reverted_values(current: Annotation, before: Annotation | None, after: Annotation | None) -> dict[str, Any]:
    """Return the values that take a change from `before` to `after` back, in an annotation as it is `current`.

    None stands for an annotation that was not there. What others said meanwhile stays.
    """
    if before is None:
        return {DELETED: deletion(current)}
    if after is None:
        return {DELETED: None}
    keys = sorted(before.fields.keys() | after.fields.keys())
    values = {key: value_of(before, key) for key in keys if value_of(before, key) != value_of(after, key)}
    return values if values.get(DELETED) is None else {**values, DELETED: deletion(current)}


def check_annotation(room: str, annotation: Annotation, path: str) -> Annotation:
    """Return an annotation that somebody else may have written, if it is proper.

    Raises:
        RecordCorrupt: it is not, or it is larger than any.
    """
    is_note = room == NOTE
    if not (is_note_id(annotation.id) if is_note else is_object_id(annotation.id)):
        raise RecordCorrupt(path, f"{annotation.id[:80]!r} is not an id of {room}")
    if not all(is_replica_id(field.stamp[1]) for field in annotation.fields.values()):
        raise RecordCorrupt(path, "a stamp names no replica")
    if not fits(annotation):
        raise RecordCorrupt(path, f"it is larger than {MERGED_BYTES} bytes")
    return annotation


class AnnotationRefs:
    """The annotations of one project, as their files have them."""

    def __init__(self, storage: Deletable) -> None:
        self._storage = storage
        self._packed = {
            room: PackedRecords(storage, f"{layout.REFS}/{room}", layout.PACKED_ANNOTATIONS, Annotation)
            for room in ROOMS
        }

    def files(self, room: str) -> list[str]:
        """File names in the folder of a kind: one for an annotation, or for many that were packed."""
        return self._storage.list(f"{layout.REFS}/{room}")

    def get(self, room: str, annotation_id: str, packed: Iterable[str] | None = None) -> Annotation | None:
        """Read an annotation, its copies merged; None if there is none. `packed` are the packed files, if known."""
        loose = self._load(room, f"{annotation_id}.json")
        files = self._packed[room].files() if packed is None else packed
        found = [held[annotation_id] for file in files if annotation_id in (held := self._packed[room].records(file))]
        copies = found if loose is None else [loose, *found]
        return reduce(merge_annotations, copies) if copies else None

    def copies_in(self, room: str, file: str) -> list[Annotation]:
        """Read the annotations in a file as it has them, whatever a sync tool called it; none if it is unreadable."""
        if file.endswith(layout.PACKED_ANNOTATIONS):
            return [item for item in self._packed[room].records(file).values() if _is_proper(room, item)]
        found = self._load(room, file) if file.endswith(".json") else None
        return [] if found is None else [found]

    def all(self, room: str) -> Iterator[Annotation]:
        """Yield every annotation of a kind, deleted ones too, all readable copies merged.

        Complete also while they are being packed: what went meanwhile lies in a file that came.
        """
        merged: dict[str, Annotation] = {}
        seen: set[str] = set()
        while new := [file for file in self.files(room) if file not in seen]:
            seen.update(new)
            for file in new:
                for item in self.copies_in(room, file):
                    known = merged.get(item.id)
                    merged[item.id] = item if known is None else merge_annotations(known, item)
        yield from merged.values()

    def advance(self, changes: Mapping[str, Any]) -> None:
        """Merge annotations, by their names in an operation, into the files; very many go into one packed file.

        What is no proper annotation is passed over, so that no operation that has happened keeps others from going on.
        """
        for room in ROOMS:
            given = {name: after for name, after in changes.items() if name.startswith(f"{room}/")}
            if given:
                self._advance_room(room, given)

    def bring_back(self, copies: Iterable[tuple[str, Any]]) -> None:
        """Merge copies of annotations, as operations name and record them, into the files; pass over improper ones."""
        merged: dict[str, Annotation] = {}
        for name, plain in copies:
            with suppress(RecordCorrupt):
                item = _decoded(name, plain)
                merged[name] = merge_annotations(merged[name], item) if name in merged else item
        self.advance({name: to_plain(item) for name, item in merged.items()})

    def _advance_room(self, room: str, changes: Mapping[str, Any]) -> None:
        packed = self._packed[room].files()
        newer: dict[str, Annotation] = {}
        for name, plain in changes.items():
            path = f"{layout.REFS}/{name}.json"
            try:
                item = _decoded(name, plain)
            except RecordCorrupt:
                continue
            known = self.get(room, item.id, packed)
            merged = item if known is None else merge_annotations(known, item)
            if merged != known and fits(merged):
                newer[path] = merged
        if len(newer) > AT_ONCE:
            self._packed[room].put(newer.values())
            return
        for path, item in newer.items():
            self._storage.put(path, encode_record(item))

    def pack(self, keep: int) -> int:
        """Gather loose annotations of each kind into one file, where there are more than `keep`; return how many went.

        The gathered file is durable before the first loose one goes. The caller holds the refs lock.
        """
        return sum(self._pack_room(room, keep) for room in ROOMS)

    def _pack_room(self, room: str, keep: int) -> int:
        names = [name for name in self.files(room) if name.endswith(".json")]
        if len(names) <= keep:
            return 0
        found = {name: item for name in names for item in self.copies_in(room, name) if name == f"{item.id}.json"}
        if len(found) <= keep:
            return 0
        packed = self._packed[room].files()
        merged = [self.get(room, item.id, packed) for item in found.values()]
        self._packed[room].put([item for item in merged if item is not None])
        self._storage.delete_many([f"{layout.REFS}/{room}/{name}" for name in found])
        return len(found)

    def damaged(self) -> list[RecordCorrupt]:
        """List the files that cannot be read, with their paths below `.aura`."""
        problems: list[RecordCorrupt] = []
        for room in ROOMS:
            for file in self.files(room):
                path = f"{layout.REFS}/{room}/{file}"
                try:
                    self._check(room, file, path)
                except RecordCorrupt as error:
                    problems.append(RecordCorrupt(path, error.detail))
                except FileNotFoundError:
                    continue
        return problems

    def _check(self, room: str, file: str, path: str) -> None:
        if file.endswith(layout.PACKED_ANNOTATIONS):
            for item in self._packed[room].read(file).values():
                check_annotation(room, item, path)
        elif file.endswith(".json"):
            check_annotation(room, decode_ref(self._storage.read(path), Annotation, path), path)

    def _load(self, room: str, file: str) -> Annotation | None:
        path = f"{layout.REFS}/{room}/{file}"
        try:
            return check_annotation(room, decode_ref(self._storage.read(path), Annotation, path), path)
        except (FileNotFoundError, RecordCorrupt):
            return None


def _decoded(name: str, plain: Any) -> Annotation:
    """Decode an annotation as an operation has it under its name."""
    path = f"{layout.REFS}/{name}.json"
    room, _, item_id = name.partition("/")
    item = check_annotation(room, decode_ref(encode_compact(plain), Annotation, path), path)
    if item.id != item_id:
        raise RecordCorrupt(path, "it is about something else than its name says")
    return item


def _is_proper(room: str, item: Annotation) -> bool:
    try:
        check_annotation(room, item, "")
    except RecordCorrupt:
        return False
    return True
