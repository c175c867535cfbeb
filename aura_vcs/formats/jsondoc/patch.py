"""Changes to a JSON document as RFC 6902 operations, and applying them.

An `Operation` also carries `old`, the value it replaces, removes or moves, for people and for
undo. RFC 6902 tells readers to ignore members it does not define, so the operations stay a
valid patch for every other tool.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from aura_vcs.errors.compare import PatchFailed, PatchInvalid, PointerError
from aura_vcs.errors.integrity import LimitExceeded
from aura_vcs.formats.jsondoc.values import JsonValue, count_values, equal_numbers, list_index, split_pointer, step

COPIED_VALUES_LIMIT = 5_000_000
"""Values that all `copy` operations of one patch may make: twenty of them can ask for a million-fold."""

_NEEDS = {"add": "value", "remove": "", "replace": "value", "move": "from", "copy": "from", "test": "value"}


class PatchOperation(Struct, frozen=True, omit_defaults=True, rename={"source": "from"}):
    """One RFC 6902 operation; `source` is written `from`."""

    op: Literal["add", "remove", "replace", "move", "copy", "test"]
    path: str
    source: str | UnsetType = UNSET
    value: JsonValue | UnsetType = UNSET
    old: JsonValue | UnsetType = UNSET

    def plain(self) -> dict[str, JsonValue]:
        """Return the operation as a JSON object."""
        pairs = (("op", self.op), ("path", self.path), ("from", self.source), ("value", self.value))
        return {key: value for key, value in (*pairs, ("old", self.old)) if value is not UNSET}


def read_operation(record: object, position: int = 0) -> PatchOperation:
    """Check one operation that came from outside; members that RFC 6902 does not define are ignored.

    Raises:
        PatchInvalid: it is not an operation; `position` (from 0) says which of the patch.
    """
    if not isinstance(record, Mapping):
        raise PatchInvalid(position, "an operation must be an object")
    op, path = record.get("op"), record.get("path")
    if not isinstance(op, str) or op not in _NEEDS:
        raise PatchInvalid(position, f"'op' must be one of {', '.join(_NEEDS)}, not {op!r}")
    if not isinstance(path, str):
        raise PatchInvalid(position, "'path' must be a JSON pointer")
    needed = _NEEDS[op]
    if needed and needed not in record:
        raise PatchInvalid(position, f"'{op}' needs '{needed}'")
    source = record["from"] if needed == "from" else UNSET
    if needed == "from" and not isinstance(source, str):
        raise PatchInvalid(position, "'from' must be a JSON pointer")
    value = record["value"] if needed == "value" else UNSET
    return PatchOperation(op, path, source=source, value=value, old=record.get("old", UNSET))  # type: ignore[arg-type]


def apply_patch(document: JsonValue, patch: Iterable[PatchOperation | Mapping[str, Any]]) -> JsonValue:
    """Return the document after all operations; `document` itself stays as it is.

    All or nothing: either every operation applies or an error is raised. The result may share
    unchanged parts with `document` and with the patch. Strict: a list index beyond the end, a
    leading zero, a missing field or a failed `test` is an error (RFC 6902, RFC 6901).

    Raises:
        PatchInvalid: an operation is malformed.
        PatchFailed: an operation does not fit the document.
        LimitExceeded: the `copy` operations would blow the document up.
    """
    work = _Work(document)
    for position, record in enumerate(patch):
        operation = record if isinstance(record, PatchOperation) else read_operation(record, position)
        try:
            work.run(operation)
        except PointerError as error:
            raise PatchFailed(position, operation.op, operation.path, error.reason) from error
    return work.root


class _Work:
    """A document being patched. Containers are copied once, when first written to.

    `_owned` holds the containers this patch made: only those may be changed in place. A `copy`
    makes one container reachable twice, so ownership ends there.
    """

    def __init__(self, root: JsonValue) -> None:
        self.root = root
        self._owned: dict[int, list[JsonValue] | dict[str, JsonValue]] = {}
        self._copied = 0

    def run(self, operation: PatchOperation) -> None:
        path = split_pointer(operation.path)
        if operation.op == "add":
            self._add(path, operation.value, operation.path)
        elif operation.op == "remove":
            self._remove(path, operation.path)
        elif operation.op == "replace":
            self._get(path, operation.path)
            self._replace(path, operation.value, operation.path)
        elif operation.op == "test":
            if not equal_numbers(self._get(path, operation.path), operation.value):
                raise PointerError(operation.path, "the value there is another one")
        else:
            self._transfer(operation, path)

    def _transfer(self, operation: PatchOperation, path: tuple[str, ...]) -> None:
        pointer = str(operation.source)
        source = split_pointer(pointer)
        value = self._get(source, pointer)
        if operation.op == "copy":
            self._copied += count_values(value, COPIED_VALUES_LIMIT)
            if self._copied > COPIED_VALUES_LIMIT:
                raise LimitExceeded("What the patch copies", COPIED_VALUES_LIMIT)
            self._owned.clear()
        else:
            if source == path:
                return
            if path[: len(source)] == source:
                raise PointerError(operation.path, "a value cannot be moved into itself")
            self._remove(source, pointer)
        self._add(path, value, operation.path)

    def _get(self, path: tuple[str, ...], pointer: str) -> JsonValue:
        value = self.root
        for token in path:
            value = step(value, token, pointer)
        return value

    def _own(self, container: JsonValue) -> JsonValue:
        if id(container) in self._owned:
            return container
        copy = container.copy()
        self._owned[id(copy)] = copy
        return copy

    def _parent(self, path: tuple[str, ...], pointer: str) -> JsonValue:
        """Return the container that holds the last token, owned, like all containers above it."""
        self._get(path[:-1], pointer)
        if not isinstance(self.root, dict | list):
            raise PointerError(pointer, f"{path[0]!r} is looked for inside a plain value")
        value = self.root = self._own(self.root)
        for token in path[:-1]:
            below = step(value, token, pointer)
            if not isinstance(below, dict | list):
                raise PointerError(pointer, "a plain value has no parts")
            below = self._own(below)
            value[token if isinstance(value, dict) else int(token)] = below
            value = below
        return value

    def _add(self, path: tuple[str, ...], value: JsonValue, pointer: str) -> None:
        if not path:
            self.root = value
            return
        parent = self._parent(path, pointer)
        if isinstance(parent, dict):
            parent[path[-1]] = value
            return
        index = len(parent) if path[-1] == "-" else list_index(path[-1])
        if index is None:
            raise PointerError(pointer, f"{path[-1]!r} is not a position in a list")
        if index > len(parent):
            raise PointerError(pointer, f"the list has {len(parent):,} elements, {index} is beyond its end")
        parent.insert(index, value)

    def _remove(self, path: tuple[str, ...], pointer: str) -> None:
        if not path:
            raise PointerError(pointer, "a patch cannot remove the whole document")
        self._get(path, pointer)
        parent = self._parent(path, pointer)
        del parent[path[-1] if isinstance(parent, dict) else int(path[-1])]

    def _replace(self, path: tuple[str, ...], value: JsonValue, pointer: str) -> None:
        if not path:
            self.root = value
            return
        parent = self._parent(path, pointer)
        parent[path[-1] if isinstance(parent, dict) else int(path[-1])] = value
