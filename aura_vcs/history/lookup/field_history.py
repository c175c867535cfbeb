"""The history of one field of a document: which versions gave it another value, and under which file names."""

import msgspec

from aura_vcs.errors.input import UnknownName
from aura_vcs.formats.jsondoc.parse import ParsedDocument, parse_document
from aura_vcs.formats.jsondoc.values import JsonValue, list_index, same, split_pointer
from aura_vcs.history.lookup.file_history import ContentWalk, FileVersion
from aura_vcs.history.merging.conflict_anchors import find_anchor
from aura_vcs.history.merging.conflicts import anchor, weak_anchor
from aura_vcs.ids import VersionId
from aura_vcs.index.records import VersionRecord
from aura_vcs.repository.repository import Repository


class FieldChange(msgspec.Struct, frozen=True):
    """A version that gave a field another value; UNSET where the field was not there."""

    version: VersionRecord
    path: str
    before: JsonValue
    after: JsonValue


def field_history(repo: Repository, start: VersionId, path: str, pointer: str) -> list[FieldChange]:
    """List the versions that changed a field of a document, newest first, across renames.

    Elements of lists on the way to it are followed by their ids, or by their headings where they have
    none: a scene that was moved keeps its history. A merge counts only where it decided on a value that neither side
    had. Versions whose content is gone, or is not JSON, are passed over.

    Raises:
        PointerInvalid. UnknownName: no version has the file, or the field.
    """
    walk = ContentWalk(repo)
    field = _FieldReader(walk, pointer)
    found = []
    for step in walk.steps(start, path):
        if not step.is_changed or any(walk.is_same(step.content, parent) for parent in step.parents):
            continue
        after = field.value(step.content)
        before = [field.value(parent) for parent in step.parents] or [msgspec.UNSET]
        if not any(_equal(value, after) for value in before):
            found.append(FieldChange(step.content.version, step.content.path, before[0], after))
    if not found:
        raise UnknownName("field", f"{path}#{pointer}", hint="`aura blame FILE` lists the fields of a document.")
    return found


class _FieldReader:
    """A place in the versions of a document, led by what the list elements on the way go by in the first one."""

    def __init__(self, walk: ContentWalk, pointer: str) -> None:
        self._walk = walk
        self._tokens = split_pointer(pointer)
        self._ids: tuple[str, ...] | None = None
        self._known: dict[str, JsonValue] = {}

    def value(self, content: FileVersion) -> JsonValue:
        """Read the field in a version, UNSET where it has nothing."""
        entry = self._walk.entry(content)
        if entry is None:
            return msgspec.UNSET
        if entry.id not in self._known:
            document = parse_document(self._walk.read(content))
            found = self._follow(document.value) if isinstance(document, ParsedDocument) else msgspec.UNSET
            if self._ids is None:
                return found
            self._known[entry.id] = found
        return self._known[entry.id]

    def _follow(self, value: JsonValue) -> JsonValue:
        ids: list[str] = []
        for n, token in enumerate(self._tokens):
            if isinstance(value, dict) and token in value:
                value = value[token]
                ids.append("")
            elif isinstance(value, list) and (place := self._pointer_in(value, n, token)) is not None:
                value = value[place]
                ids.append(anchor(value) or weak_anchor(value))
            else:
                return msgspec.UNSET
        if self._ids is None:
            self._ids = tuple(ids)
        return value

    def _pointer_in(self, elements: list[JsonValue], n: int, token: str) -> int | None:
        place = list_index(token)
        if place is None or self._ids is None:
            return place if place is not None and place < len(elements) else None
        return find_anchor(elements, place, self._ids[n])


def _equal(one: JsonValue, other: JsonValue) -> bool:
    return one is other or (msgspec.UNSET not in (one, other) and same(one, other))
