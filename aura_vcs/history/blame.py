"""Who wrote what: for every line of a text, or every field of a document, the version that wrote it."""

from collections.abc import Iterator

import msgspec

from aura_vcs.compare.diff.fields import FieldSet, Leaves
from aura_vcs.errors import InputError
from aura_vcs.errors.compare import NotStructural
from aura_vcs.errors.input import UnknownName
from aura_vcs.formats.jsondoc.parse import ParsedDocument, parse_document
from aura_vcs.formats.patience import equal_runs
from aura_vcs.formats.text import read_text, split_lines
from aura_vcs.history.lookup.clip_history import PROJECT_BYTES_LIMIT, blame_clips, is_project_name
from aura_vcs.history.lookup.file_history import CONTENT_BYTES_LIMIT, ContentWalk, FileStep, FileVersion
from aura_vcs.ids import VersionId
from aura_vcs.index.queries import describe
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import EntryKind
from aura_vcs.repository.repository import Repository

_ASK_LOG = "`aura log -- FILE` tells who changed it."

Lines = dict[int, tuple[int, ...]]
"""By the number of a line in one version: its numbers in the file that is asked about."""


class Blamed(msgspec.Struct, frozen=True):
    """A line or field of a file and the version that wrote it; `location` is its number or JSON pointer.

    Of a clip it is its place and name, `text` what was done to it, and `kind` "added", "trimmed", "moved" or "changed".
    """

    version: VersionRecord
    location: str
    text: str
    kind: str = ""


def blame(repo: Repository, start: VersionId, path: str) -> list[Blamed]:
    """Find for every line of a text, or every field of a JSON document, the version that wrote it.

    Of the project of an editor, find for every clip the versions that added it and last trimmed, moved or changed it.

    Follows merges into both lines and renames. Elements of lists are known by their ids, or by
    likeness; a field that moved with its element was not written anew. Looks at the versions that
    changed the file only.

    Raises:
        UnknownName: the version has no such file. InputError: it is a folder, or too large.
        NotStructural: it is neither JSON nor text, nor a project that is understood.
    """
    record = repo.queries.version(start)
    assert record is not None
    entry = repo.trees.entry(record.tree, path)
    if entry is None:
        raise UnknownName("file", path, hint=f"{describe(repo.queries, record.id)} does not have it.")
    if entry.kind is not EntryKind.FILE:
        raise InputError(f"{path or 'The project'} is not a file", hint="Name one file in it.")
    limit = PROJECT_BYTES_LIMIT if is_project_name(path) else CONTENT_BYTES_LIMIT
    if entry.size > limit:
        raise InputError(f"{path} has more than {limit >> 20} MiB", hint=_ASK_LOG)
    data = repo.store.read(entry.id)
    walk = ContentWalk(repo)
    if is_project_name(path) and (clips := blame_clips(walk, record, path)) is not None:
        return [Blamed(clip.version, clip.location, clip.text, clip.kind) for clip in clips]
    if entry.size > CONTENT_BYTES_LIMIT:
        raise InputError(f"{path} has more than {CONTENT_BYTES_LIMIT >> 20} MiB", hint=_ASK_LOG)
    document = parse_document(data)
    if isinstance(document, ParsedDocument):
        return _blame_fields(walk, record, path, Leaves(document.value))
    return _blame_lines(walk, record, path, data)


def _blame_fields(walk: ContentWalk, start: VersionRecord, path: str, leaves: Leaves) -> list[Blamed]:
    sought: dict[VersionId, FieldSet] = {start.id: leaves.all}
    known: dict[str, FieldSet] = {}
    parts = list(leaves.listed())
    writers = [start] * len(parts)
    for step in walk.steps(start.id, path):
        fields = sought.pop(step.content.version.id, 0)
        for parent in step.parents if fields else ():
            passed = fields & _fields_of(walk, step, parent, leaves, known)
            sought[parent.version.id] = sought.get(parent.version.id, 0) | passed
            fields &= ~passed
        for n in _members(fields):
            writers[n] = step.content.version
        if not any(sought.values()):
            break
    return [Blamed(writer, place, text) for writer, (place, text) in zip(writers, parts, strict=True)]


def _fields_of(
    walk: ContentWalk, step: FileStep, parent: FileVersion, leaves: Leaves, known: dict[str, FieldSet]
) -> FieldSet:
    """Return, of the fields that are asked about, those that a parent has."""
    if not step.is_changed or walk.is_same(step.content, parent):
        return leaves.all
    entry = walk.entry(parent)
    if entry is None:
        return 0
    if entry.id not in known:
        document = parse_document(walk.read(parent))
        known[entry.id] = leaves.shared_with(document.value) if isinstance(document, ParsedDocument) else 0
    return known[entry.id]


def _members(fields: FieldSet) -> Iterator[int]:
    bits = bin(fields)[:1:-1] if fields else ""
    at = bits.find("1")
    while at >= 0:
        yield at
        at = bits.find("1", at + 1)


def _blame_lines(walk: ContentWalk, start: VersionRecord, path: str, data: bytes) -> list[Blamed]:
    lines = _lines(data)
    sought: dict[VersionId, Lines] = {start.id: {n: (n,) for n in range(len(lines))}}
    writers = [start] * len(lines)
    for step in walk.steps(start.id, path):
        open_ = sought.pop(step.content.version.id, {})
        for parent in step.parents:
            if open_:
                passed = _passed_to_parent(walk, step, parent, open_)
                waiting = sought.setdefault(parent.version.id, {})
                for n, there in passed.items():
                    waiting[there] = (*waiting.get(there, ()), *open_[n])
                open_ = {n: finals for n, finals in open_.items() if n not in passed}
        for finals in open_.values():
            for n in finals:
                writers[n] = step.content.version
        if not any(sought.values()):
            break
    return [Blamed(writers[n], str(n + 1), line.rstrip("\r\n")) for n, line in enumerate(lines)]


def _lines(data: bytes) -> list[str]:
    text = read_text(data)
    if not isinstance(text, str):
        error = NotStructural(text.reason)
        error.hint = f"It is neither a document nor a text. {_ASK_LOG}"
        raise error
    return split_lines(text)


def _passed_to_parent(walk: ContentWalk, step: FileStep, parent: FileVersion, lines: Lines) -> dict[int, int]:
    """Map the numbers of those lines that a parent has too: from their numbers here to those there."""
    if not step.is_changed or walk.is_same(step.content, parent):
        return {n: n for n in lines}
    new, old = (read_text(walk.read(side)) for side in (step.content, parent))
    if not isinstance(new, str) or not isinstance(old, str):
        return {}
    moved: dict[int, int] = {}
    for there, here, length in equal_runs(split_lines(old), split_lines(new)):
        moved.update((here + n, there + n) for n in range(length))
    return {n: moved[n] for n in lines if n in moved}
