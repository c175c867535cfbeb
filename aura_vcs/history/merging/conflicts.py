"""Open conflicts: what a merge could not decide, kept in the project itself.

They lie in one document at the top of the project, `.aura-conflicts.json`, as part of the version
that the merge made. So they are committed, carried, compared, undone and checked out with the
files that they are about, and the last decision removes the document. It is read as something
that a stranger may have written.
"""

import json
from collections.abc import Callable, Iterable, Sequence

import msgspec
from blake3 import blake3

from aura_vcs.codec import convert
from aura_vcs.compare.diff.list_match import WEAK_KEYS
from aura_vcs.compare.merge.file import MergedFile
from aura_vcs.compare.merge.model import Conflict, TextConflict
from aura_vcs.compare.merge.project import structure_of
from aura_vcs.compare.merge.tree import TreeConflict
from aura_vcs.errors.input import FormatUnsupported
from aura_vcs.errors.integrity import LimitExceeded, RecordCorrupt, UnsafePath
from aura_vcs.formats.jsondoc.parse import ParsedDocument, Unstructured, parse_document
from aura_vcs.formats.jsondoc.values import MAX_DEPTH, JsonValue, Limits, count_values, same, split_pointer
from aura_vcs.ids import is_object_id
from aura_vcs.layout import CONFLICTS, check_entry_name
from aura_vcs.plain_text import is_text, name_bytes

FORMAT = 1
LIST_LIMITS = Limits(size=64 << 20, values=4 << 20, depth=MAX_DEPTH + 8)
"""What whoever reads the list takes, and therefore all that is ever written: about 100,000 questions.

A document of the greatest depth lies a few levels deep in it.
"""
FILE_WEIGHT_LIMIT = 8 << 20
"""Bytes that the questions about the inside of one file may take in the list; beyond, both files are kept."""
VALUE_WEIGHT = LIST_LIMITS.size // LIST_LIMITS.values
"""A value weighs as much as so many bytes at least, so that one weight says whether both limits are kept."""
INDENTED_LIMIT = 256 << 10
"""Bytes of a list up to which it is indented; a longer one has one question a line."""
LIST_CAPACITY = LIST_LIMITS.size - (1 << 10)
"""What the questions may weigh together; the rest is for what stands around them."""
DIGITS = 10
"""A list has no place with so many digits."""
_BYTES = "\0bytes:"
"""Before the hexadecimal bytes of a name that is not UTF-8; no file name has a NUL."""


class OpenConflict(msgspec.Struct, frozen=True, omit_defaults=True):
    """One decision that is still to be made.

    `by` says how the file was joined ("fields", "timeline", "text"), or "tree" where whole files
    stand against each other; `field`, `text` or `tree` has the rest. `id` stays the same while
    other decisions move it to another place. Labels say where the sides come from. `anchors` are
    what the list elements go by that the field's pointer leads through, "" for one without a name: edits
    move elements, and a decision must not hit another one.
    """

    id: str
    path: str
    by: str
    ours_label: str
    theirs_label: str
    field: Conflict | None = None
    text: TextConflict | None = None
    tree: TreeConflict | None = None
    anchors: tuple[str, ...] = ()

    @property
    def location(self) -> str:
        """How a person names it: `brief.json#/tone`, `script.md#12`, `shot.mp4`."""
        if self.field is not None:
            return f"{self.path}#{self.field.pointer}"
        return f"{self.path}#{self.text.line}" if self.text is not None else self.path


class _Stored(msgspec.Struct, frozen=True):
    format: int
    conflicts: tuple[OpenConflict, ...]


def from_file_merge(path: str, merged: MergedFile, labels: tuple[str, str]) -> list[OpenConflict]:
    """List the open conflicts of a merged file."""
    document = structure_of(merged.data) if merged.conflicts and merged.data is not None else None
    value = document.value if isinstance(document, ParsedDocument) else None
    fields = [
        _named(OpenConflict("", path, merged.by, *labels, field=found, anchors=anchors(value, found.pointer)))
        for found in merged.conflicts
    ]
    return fields + [_named(OpenConflict("", path, merged.by, *labels, text=found)) for found in merged.text_conflicts]


def from_tree_merge(conflicts: Iterable[TreeConflict], labels: tuple[str, str]) -> list[OpenConflict]:
    """List the open conflicts about whole files."""
    return [_named(OpenConflict("", found.path, "tree", *labels, tree=found)) for found in conflicts]


def _named(item: OpenConflict) -> OpenConflict:
    return msgspec.structs.replace(item, id=blake3(_dump(_stored(item))).hexdigest()[:16])


def merge_conflict_lists(
    base: Sequence[OpenConflict], ours: Sequence[OpenConflict], theirs: Sequence[OpenConflict]
) -> list[OpenConflict]:
    """Merge the lists of open conflicts of two versions: what either side decided is decided."""
    known, here, there = ({item.id for item in side} for side in (base, ours, theirs))
    kept = [item for item in ours if item.id in there or item.id not in known]
    return kept + [item for item in theirs if item.id not in here and item.id not in known]


def dedupe(items: Iterable[OpenConflict]) -> tuple[OpenConflict, ...]:
    """Remove duplicates. Of two conflicts at one place the later stands for both where it is the same again, or where
    its side has gone on from what the earlier one's side had."""
    by_place: dict[tuple[str, str], list[OpenConflict]] = {}
    for item in {item.id: item for item in items}.values():
        before = by_place.setdefault((item.location, item.by), [])
        before[:] = [*(other for other in before if not _continues(other, item)), item]
    return tuple(item for found in by_place.values() for item in found)


def _continues(old: OpenConflict, new: OpenConflict) -> bool:
    if old.tree is not None and new.tree is not None:
        return (old.tree.kind, old.tree.aside) == (new.tree.kind, new.tree.aside)
    one, other = old.field or old.text, new.field or new.text
    if one is None or other is None:
        return False
    is_something = one.theirs not in ("", msgspec.UNSET)  # nothing is what many places had before
    return same(one.theirs, other.theirs) or (is_something and same(one.theirs, other.base))


def sort(items: Iterable[OpenConflict]) -> list[OpenConflict]:
    """Sort the conflicts as a person reads them: by file, from its top to its end, those about one place together."""
    return sorted(items, key=lambda item: (name_bytes(item.path), _position_order(item), item.theirs_label))


def _position_order(item: OpenConflict) -> tuple[tuple[int, str], ...]:
    if item.text is not None:
        return ((item.text.line, ""),)
    tokens = split_pointer(item.field.pointer) if item.field is not None else ()
    return tuple((int(t), "") if t.isdecimal() and len(t) < DIGITS else (-1, t) for t in tokens)


def anchors(value: JsonValue, pointer: str) -> tuple[str, ...]:
    """List the anchors of the list elements on the way to a place: see `anchor`; "" for an element without."""
    found = []
    for token in split_pointer(pointer):
        if isinstance(value, list):
            place = int(token) if token.isdecimal() and len(token) < DIGITS else len(value)
            if place >= len(value):
                break
            value = value[place]
            found.append(anchor(value) or weak_anchor(value))
        elif isinstance(value, dict) and token in value:
            value = value[token]
        else:
            break
    return tuple(found)


def anchor(element: JsonValue) -> str:
    """Return what identifies a list element."""
    own = element.get("id") if isinstance(element, dict) else None
    return json.dumps(own) if isinstance(own, str | int) and not isinstance(own, bool) else ""


def weak_anchor(element: JsonValue) -> str:
    """Identify a list element without an id by its name or heading, as an object of that one field."""
    for key in WEAK_KEYS if isinstance(element, dict) else ():
        name = element.get(key)
        if isinstance(name, str) and name:
            return json.dumps({key: name})
    return ""


def weight(items: Iterable[OpenConflict]) -> int:
    """Return how much of `LIST_CAPACITY` the conflicts take."""
    return sum(_weight(stored, _dump(stored)) for stored in map(_stored, items))


def _weight(stored: object, line: bytes) -> int:
    return max(len(line) + 2, VALUE_WEIGHT * count_values(stored, LIST_LIMITS.values))


def encode(items: Sequence[OpenConflict]) -> bytes:
    """Encode the document; the same conflicts give the same bytes on every machine.

    Raises:
        LimitExceeded: it would be larger than what is read again.
    """
    ordered = sorted(items, key=lambda item: (name_bytes(item.path), item.by, item.id))
    listed = [_stored(item) for item in ordered]
    lines = [_dump(item) for item in listed]
    total = sum(map(_weight, listed, lines))
    if total > LIST_CAPACITY:
        error = LimitExceeded("The list of what is left open", LIST_LIMITS.size)
        error.hint = "Nothing was changed. Merge an earlier version of the other line first, or decide what is open."
        raise error
    if total <= INDENTED_LIMIT:
        return _dump({"format": FORMAT, "conflicts": listed}, indent=1) + b"\n"
    return b'{"conflicts": [\n' + b",\n".join(lines) + f'\n], "format": {FORMAT}}}\n'.encode()


def decode(data: bytes) -> tuple[OpenConflict, ...]:
    """Decode the conflicts in a document.

    Raises:
        RecordCorrupt: it is none of ours. FormatUnsupported: a newer aura_vcs wrote it.
    """
    document = parse_document(data, LIST_LIMITS)
    if isinstance(document, Unstructured):
        raise _unreadable(document.reason)
    if isinstance(document.value, dict) and document.value.get("format") not in {None, FORMAT}:
        raise FormatUnsupported(CONFLICTS, f"format {document.value['format']}")
    try:
        found = convert(document.value, _Stored).conflicts
        return tuple(_checked(_loaded(item)) for item in found)
    except (msgspec.ValidationError, UnsafePath, ValueError) as error:
        raise _unreadable(str(error)) from error


def _unreadable(reason: str) -> RecordCorrupt:
    error = RecordCorrupt(CONFLICTS, reason)
    error.hint = f"`aura restore VERSION {CONFLICTS}` brings an older one back. Without the file, nothing is open."
    return error


def _checked(item: OpenConflict) -> OpenConflict:
    given = [item.field, item.text, item.tree]
    if sum(part is not None for part in given) != 1 or (item.tree is None) != (item.by != "tree"):
        raise ValueError("a conflict about nothing, or about two things")
    paths = [item.path] if item.tree is None else [item.path, item.tree.path, item.tree.aside or item.path]
    for path in paths:
        for part in path.split("/"):
            check_entry_name(part)
    sides = () if item.tree is None else (item.tree.base, item.tree.ours, item.tree.theirs)
    if any(side is not None and not is_object_id(side.id) for side in sides):
        raise ValueError("a side is not an object")
    return item


def _stored(item: OpenConflict) -> object:
    if not is_text(item.path) or (item.tree is not None and not is_text(item.tree.aside)):
        item = _renamed(item, _store_name)
    return msgspec.to_builtins(item)


def _loaded(item: OpenConflict) -> OpenConflict:
    return _renamed(item, _load_name)


def _renamed(item: OpenConflict, change: Callable[[str], str]) -> OpenConflict:
    tree = item.tree
    if tree is not None:
        tree = msgspec.structs.replace(tree, path=change(tree.path), aside=change(tree.aside))
    return msgspec.structs.replace(item, path=change(item.path), tree=tree)


def _store_name(name: str) -> str:
    return name if is_text(name) else _BYTES + name_bytes(name).hex()


def _load_name(name: str) -> str:
    if not name.startswith(_BYTES):
        return name
    return bytes.fromhex(name.removeprefix(_BYTES)).decode("utf-8", "surrogateescape")


def _dump(value: object, indent: int | None = None) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False, indent=indent).encode()
