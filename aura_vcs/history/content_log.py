"""The history of one file's content: which versions changed it, under which names, a field of it, who wrote what.

Renames are found by content: where a file appears, the version before is searched for one that went
and had the same bytes.
"""

import heapq
from collections.abc import Iterable, Iterator

import msgspec

from aura_vcs.compare.documents import Document, parse_document
from aura_vcs.compare.json_pointer import join_pointer, resolve_pointer
from aura_vcs.compare.text_lines import matching_blocks, split_lines
from aura_vcs.compare.values import JsonValue, same
from aura_vcs.errors import InputError
from aura_vcs.errors.asking import UnknownName
from aura_vcs.errors.comparing import NotStructural, PointerUnknown
from aura_vcs.errors.stored import IntegrityError
from aura_vcs.history.conflicts import anchor
from aura_vcs.history.log import name_in_parent
from aura_vcs.ids import VersionId
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Entry, EntryKind
from aura_vcs.repository.repository import Repository

BLAME_BYTES = 4 << 20
"""Bytes of the largest file whose lines and fields are followed."""


_ASK_LOG = "`aura log -- FILE` tells who changed it."


class FieldChange(msgspec.Struct, frozen=True):
    """A version that gave a field another value; UNSET where the field was not there."""

    version: VersionRecord
    path: str
    before: JsonValue
    after: JsonValue


class Blamed(msgspec.Struct, frozen=True):
    """A line or field of a file and the version that wrote it; `place` is its number or JSON pointer."""

    version: VersionRecord
    place: str
    text: str


class _Content(msgspec.Struct, frozen=True):
    """A file in one version."""

    version: VersionRecord
    path: str
    entry: Entry | None


def field_history(repo: Repository, start: VersionId, path: str, pointer: str) -> list[FieldChange]:
    """The versions that changed a field of a document, newest first, across renames.

    A merge counts only where it decided on a value that neither side had. Versions whose content
    is gone, or is no JSON, are passed over.

    Raises:
        PointerInvalid. UnknownName: no version has the file, or the field.
    """
    found = []
    for content, parents in _walk(repo, start, path):
        if any(_same_file(content, parent) for parent in parents):
            continue
        after = _field(repo, content, pointer)
        before = [_field(repo, parent, pointer) for parent in parents] or [msgspec.UNSET]
        if not any(_equal(value, after) for value in before):
            found.append(FieldChange(content.version, content.path, before[0], after))
    if not found:
        raise UnknownName("field", f"{path}#{pointer}", hint="`aura blame FILE` lists the fields of a document.")
    return found


def blame(repo: Repository, start: VersionId, path: str) -> list[Blamed]:
    """For every line of a text, or every field of a JSON document, the version that wrote it.

    Follows merges into both lines and renames. Looks at the versions that changed the file only.

    Raises:
        UnknownName: the version has no such file. InputError: it is a folder, or too large.
        NotStructural: it is neither JSON nor text.
    """
    record = Queries(repo.index).version(start)
    assert record is not None
    entry = repo.trees.entry(record.tree, path)
    if entry is None:
        raise UnknownName("file", path, hint=f"v{record.number} does not have it.")
    if entry.kind is not EntryKind.FILE:
        raise InputError(f"{path or 'The project'} is no file", hint="Name one file in it.")
    if entry.size > BLAME_BYTES:
        raise InputError(f"{path} has more than {BLAME_BYTES >> 20} MiB", hint=_ASK_LOG)
    try:
        pieces = _pieces(repo.store.read(entry.id))
    except NotStructural as error:
        error.hint = f"It is neither a document nor a text. {_ASK_LOG}"
        raise
    open_: dict[VersionId, Places] = {start: {n: (n,) for n in range(len(pieces))}}
    written: dict[int, VersionRecord] = {}
    for content, parents in _walk(repo, start, path):
        lines = open_.pop(content.version.id, {})
        for parent in parents:
            if lines and parent.entry is not None:
                passed = _passed(repo, content, parent, lines)
                waiting = open_.setdefault(parent.version.id, {})
                for n in passed:
                    there = passed[n]
                    waiting[there] = (*waiting.get(there, ()), *lines[n])
                lines = {n: finals for n, finals in lines.items() if n not in passed}
        written.update((final, content.version) for finals in lines.values() for final in finals)
        if not any(open_.values()):
            break
    return [Blamed(written.get(n, record), place, text) for n, (place, text, _) in enumerate(pieces)]


def _walk(repo: Repository, start: VersionId, path: str) -> Iterator[tuple[_Content, list[_Content]]]:
    """The file in a version and in its parents, newest version first, each once."""
    queries = Queries(repo.index)
    names = {start: path}
    first = queries.version(start)
    waiting = [] if first is None else [(-first.number, first.id)]
    while waiting:
        record = queries.version(heapq.heappop(waiting)[1])
        assert record is not None
        content = _content(repo, record, names[record.id])
        parents = []
        for older in _older(repo, queries, record):
            if older.id not in names:
                names[older.id] = name_in_parent(repo, record, older, content.path)
                heapq.heappush(waiting, (-older.number, older.id))
            parents.append(_content(repo, older, names[older.id]))
        if content.entry is not None or any(parent.entry is not None for parent in parents):
            yield content, parents


def _older(repo: Repository, queries: Queries, record: VersionRecord) -> list[VersionRecord]:
    """The parents; in place of one whose content was freed, those before it."""
    found: dict[VersionId, VersionRecord] = {}
    waiting = list(record.parents)
    while waiting:
        older = queries.version(waiting.pop(0))
        if older is None or older.id in found:
            continue
        if older.is_live or repo.store.contains(older.tree):
            found[older.id] = older
        else:
            waiting.extend(older.parents)
    return list(found.values())


def _content(repo: Repository, record: VersionRecord, path: str) -> _Content:
    try:
        return _Content(record, path, repo.trees.entry(record.tree, path))
    except IntegrityError:
        return _Content(record, path, None)


def _same_file(one: _Content, other: _Content) -> bool:
    return (one.entry and one.entry.id) == (other.entry and other.entry.id)


def _bytes(repo: Repository, content: _Content) -> bytes:
    if content.entry is None or content.entry.kind is not EntryKind.FILE or content.entry.size > BLAME_BYTES:
        return b""
    try:
        return repo.store.read(content.entry.id)
    except IntegrityError:
        return b""


def _field(repo: Repository, content: _Content, pointer: str) -> JsonValue:
    document = parse_document(_bytes(repo, content))
    if not isinstance(document, Document):
        return msgspec.UNSET
    try:
        return resolve_pointer(document.value, pointer)
    except PointerUnknown:
        return msgspec.UNSET


def _equal(one: JsonValue, other: JsonValue) -> bool:
    return one is other or (msgspec.UNSET not in (one, other) and same(one, other))


Places = dict[int, tuple[int, ...]]
"""By the number of a line or field in one version: its numbers in the file that is asked about."""
Piece = tuple[str, str, object]
"""A line or field: its place, its text, and what it is recognised by in other versions."""


def _pieces(data: bytes) -> list[Piece]:
    document = parse_document(data)
    if isinstance(document, Document):
        return list(_fields(document.value))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotStructural(f"byte {error.start:,} is not valid UTF-8") from error
    return [(str(n), line.rstrip("\r\n"), line) for n, line in enumerate(split_lines(text), 1)]


def _fields(value: JsonValue) -> Iterator[Piece]:
    """The leaves of a document; elements of lists are known by their ids, where they have them."""
    stack: list[tuple[tuple[str, ...], tuple[object, ...], JsonValue]] = [((), (), value)]
    while stack:
        tokens, key, here = stack.pop()
        inner: Iterable[tuple[str, object, JsonValue]] = ()
        if isinstance(here, dict):
            inner = [(name, name, item) for name, item in here.items()]
        elif isinstance(here, list):
            inner = [(str(n), ("id", anchor(item)) if anchor(item) else n, item) for n, item in enumerate(here)]
        if inner:
            stack.extend(((*tokens, token), (*key, known), item) for token, known, item in reversed(list(inner)))
        else:
            text = msgspec.json.encode(here).decode()
            yield join_pointer(tokens), text, (key, text)


def _passed(repo: Repository, content: _Content, parent: _Content, lines: Places) -> dict[int, int]:
    """Of the lines of `content`, those that the parent has: from their numbers here to those there."""
    if _same_file(content, parent):
        return {n: n for n in lines}
    try:
        new, old = (_pieces(_bytes(repo, side)) for side in (content, parent))
    except NotStructural:
        return {}
    if new and isinstance(new[0][2], tuple):
        known = {key: n for n, (_, _, key) in enumerate(old)}
        return {n: known[new[n][2]] for n in lines if new[n][2] in known}
    moved: dict[int, int] = {}
    for block in matching_blocks([str(piece[2]) for piece in old], [str(piece[2]) for piece in new]):
        moved.update((block[1] + n, block[0] + n) for n in range(block[2]))
    return {n: moved[n] for n in lines if n in moved}
