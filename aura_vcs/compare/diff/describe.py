"""Changed fields in a few lines that a person reads, and as fields for machines.

Text from documents is quoted as JSON writes it, so a line stays one line; what else a terminal
may not see (escapes, bidi marks) is the business of whoever prints it.
"""

import json
from collections import Counter
from collections.abc import Sequence

from msgspec import UNSET, Struct

from aura_vcs.compare.diff.json_values import parsed_fields
from aura_vcs.compare.diff.list_match import strong_identity
from aura_vcs.formats.jsondoc.parse import ParsedDocument, Unstructured, parse_document
from aura_vcs.formats.jsondoc.patch import PatchOperation
from aura_vcs.formats.jsondoc.values import JsonValue, split_pointer

LINES_LIMIT = 12
TEXT_WIDTH = 60
DEPTH_SHOWN = 8
"""Steps of a place in a document that are shown; of a deeper one the first and the last."""
WHOLE_PARTS = 8
"""Values in a container that is shown in full."""
NAMES_SHOWN = 4
_LABEL_KEYS = ("heading", "title", "name", "id", "uuid", "key", "file_path", "path")
_VERBS = {"add": "added", "remove": "removed", "move": "moved", "replace": "changed"}


def readable_lines(
    new: JsonValue, operations: Sequence[PatchOperation], *, limit: int = LINES_LIMIT
) -> tuple[str, ...]:
    """Write at most `limit` lines for the operations that led to the document `new`.

    Each change has a line while they fit; else changes are counted by the place they are in,
    and the last line says how many places are not shown. An element that left one list and
    came into another is told as one move.
    """
    joined = _across_lists(operations)
    lines = [line for operation in joined for line in [_line(new, operation)] if line]
    if len(lines) <= limit:
        return tuple(lines)
    return _counted(new, joined, limit)


def short(value: JsonValue, width: int = TEXT_WIDTH) -> str:
    """Write a value in at most about `width` characters: text quoted, containers in full if they fit, else counted."""
    if isinstance(value, dict | list):
        label = label_of(value)
        return label or _is_short(value, width) or _counts(value)
    if isinstance(value, str):
        cut = value if len(value) <= width else value[: width - 1] + "…"
        return json.dumps(cut, ensure_ascii=False)
    text = json.dumps(value) if not isinstance(value, int) or abs(value) < 10**width else "a huge number"
    return text if len(text) <= width else text[: width - 1] + "…"


def _is_short(container: JsonValue, width: int) -> str:
    """Write a small container as JSON, empty if it is too long."""
    parts = container.values() if isinstance(container, dict) else container
    if len(container) > WHOLE_PARTS or any(isinstance(part, dict | list) and part for part in parts):
        return ""
    text = json.dumps(container, ensure_ascii=False)
    return text if len(text) <= width else ""


def _counts(container: JsonValue) -> str:
    if isinstance(container, list):
        return f"a list of {len(container):,}"
    names = ", ".join(name if name.isidentifier() else short(name, 24) for name in list(container)[:NAMES_SHOWN])
    more = ", …" if len(container) > NAMES_SHOWN else ""
    return f"{len(container):,} field{'s' * (len(container) != 1)} ({names}{more})"


def label_of(element: JsonValue) -> str:
    """Return what an object goes by: its heading, name or id, quoted; empty if it has none."""
    if isinstance(element, dict):
        for key in _LABEL_KEYS:
            value = element.get(key)
            if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
                return short(value, 32)
    return ""


def location_name(document: JsonValue, pointer: str) -> str:
    """Write a pointer in words: `scenes › "Opening" › duration`; list elements by name or by number from 1."""
    words, value = [], document
    for token in split_pointer(pointer):
        if isinstance(value, list) and token.isdecimal() and int(token) < len(value):
            value = value[int(token)]
            words.append(label_of(value) or f"no. {int(token) + 1}")
        else:
            value = value.get(token) if isinstance(value, dict) else None
            words.append(token if token.isidentifier() else json.dumps(token, ensure_ascii=False))
    if len(words) > DEPTH_SHOWN:
        words = [*words[:3], "…", *words[4 - DEPTH_SHOWN :]]
    return " › ".join(words) or "the document"


def _parent(pointer: str) -> str:
    return pointer.rpartition("/")[0]


def _is_list_place(operation: PatchOperation) -> bool:
    return operation.path.rpartition("/")[2].isdecimal()


def _line(new: JsonValue, operation: PatchOperation) -> str:
    if operation.op == "replace":
        name = location_name(new, operation.path)
        return f"{name}: {changed_text(operation.old, operation.value)}"
    parent = location_name(new, _parent(operation.path))
    value = operation.old if operation.value is UNSET else operation.value
    if operation.op == "move":
        return _move_line(new, operation, parent)
    if _is_list_place(operation):
        return f"{parent}: {_VERBS[operation.op]} {short(value)}"
    return f"{location_name(new, operation.path)}: {_VERBS[operation.op]} {short(value)}"


def _move_line(new: JsonValue, operation: PatchOperation, parent: str) -> str:
    source = str(operation.source)
    if _parent(source) != _parent(operation.path):
        return f"{short(operation.old)}: moved from {location_name(new, _parent(source))} to {parent}"
    before, after = source.rpartition("/")[2], operation.path.rpartition("/")[2]
    if _is_list_place(operation):
        where = f"from place {int(before) + 1} to {int(after) + 1}"
        return f"{parent}: moved {label_of(operation.old) or short(operation.old)} {where}"
    return f"{parent}: {short(before)} is now called {short(after)}"


def changed_text(old: JsonValue, new: JsonValue) -> str:
    """Write `old → new`; of long texts only the surroundings of what differs."""
    if not (isinstance(old, str) and isinstance(new, str)) or len(old) + len(new) <= 2 * TEXT_WIDTH:
        return f"{short(old)} → {short(new)}"
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    return f"{_excerpt(old, start, len(old) - end)} → {_excerpt(new, start, len(new) - end)}"


def _common(old: str, new: str) -> int:
    """Count the characters that both begin with; by halves, because a text may have millions."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _excerpt(text: str, start: int, end: int) -> str:
    """Return the changed part from `start` to `end` with a few words around it."""
    begin, stop = max(0, start - 20), min(len(text), end + 20)
    if stop - begin > TEXT_WIDTH + 20:
        stop = begin + TEXT_WIDTH + 20
    cut = ("…" if begin else "") + text[begin:stop] + ("…" if stop < len(text) else "")
    return json.dumps(cut, ensure_ascii=False)


def _across_lists(operations: Sequence[PatchOperation]) -> list[PatchOperation]:
    """Join a removal here and an addition there of the same thing into one move."""
    removed = {}
    for n, operation in enumerate(operations):
        name = strong_identity(operation.old) if operation.op == "remove" else None
        if name is not None:
            removed[name] = n
    drop: set[int] = set()
    result: list[PatchOperation] = []
    for operation in operations:
        name = strong_identity(operation.value) if operation.op == "add" else None
        gone = removed.get(name) if name is not None else None
        if gone is not None and gone not in drop:
            drop.add(gone)
            source = operations[gone]
            result.append(PatchOperation("move", operation.path, source=source.path, old=source.old))
        else:
            result.append(operation)
    dropped = {id(operations[n]) for n in drop}
    return [operation for operation in result if id(operation) not in dropped]


def _counted(new: JsonValue, operations: Sequence[PatchOperation], limit: int) -> tuple[str, ...]:
    """Write lines that count the changes by the list or top field they are in."""
    places: dict[str, Counter[str]] = {}
    for operation in operations:
        tokens = split_pointer(operation.path)
        depth = next((n for n, token in enumerate(tokens) if token.isdecimal()), min(1, len(tokens)))
        place = location_name(new, "".join(f"/{part}" for part in operation.path.split("/")[1 : depth + 1]))
        verb = _VERBS[operation.op] if depth == len(tokens) - 1 else "changed"
        places.setdefault(place, Counter())[verb] += 1
    lines = [
        f"{place}: " + ", ".join(f"{count:,} {verb}" for verb, count in sorted(counts.items()))
        for place, counts in places.items()
    ]
    if len(lines) > limit:
        lines = [*lines[: limit - 1], f"… and changes in {len(lines) - limit + 1:,} more places"]
    return tuple(lines)


class DocumentDiff(Struct, frozen=True):
    """What changed in a JSON document.

    `fallback` is a sentence when the fields are not listed one by one: show a text difference then.
    `rewritten` means the bytes differ, but no field does; `is_complete` that the lines tell each
    change instead of counting them.
    """

    operations: tuple[PatchOperation, ...]
    lines: tuple[str, ...]
    fallback: str = ""
    rewritten: bool = False
    is_complete: bool = True


def diff_documents(old: bytes, new: bytes, *, limit: int = LINES_LIMIT) -> DocumentDiff:
    """Compare two versions of a JSON document field by field; at most `limit` lines."""
    if old == new:
        return DocumentDiff((), ())
    return diff_parsed(parse_document(old), parse_document(new), limit=limit)


def diff_parsed(
    old: ParsedDocument | Unstructured, new: ParsedDocument | Unstructured, *, limit: int = LINES_LIMIT
) -> DocumentDiff:
    """Compare two versions of a document that were read, and whose bytes differ; see `diff_documents`."""
    found = parsed_fields(old, new)
    rewritten = not found.operations and not found.fallback
    if rewritten:
        return DocumentDiff((), ("Only the writing changed (spaces or the order of fields)",), "", rewritten)
    if found.fallback:
        return DocumentDiff(found.operations, (found.fallback,), found.fallback)
    assert isinstance(new, ParsedDocument)
    lines = readable_lines(new.value, found.operations, limit=limit)
    return DocumentDiff(found.operations, lines, is_complete=len(found.operations) <= limit)
