"""Where the thing that a note is about lies: found when it is written, and found again later.

A file is followed through renames, a clip by what it plays, a field by the ids of the list elements on its way.
"""

import os
import re
from collections.abc import Iterator

import msgspec

from aura_vcs.annotations.targets import ClipAnchor, Target, WrittenPlace, seconds_of, shares_of, split_places
from aura_vcs.errors import AuraError
from aura_vcs.errors.compare import PointerUnknown
from aura_vcs.errors.input import InvalidTarget, UnknownName, UnknownVersion
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.formats.jsondoc.parse import ParsedDocument, parse_document
from aura_vcs.formats.jsondoc.values import resolve_pointer
from aura_vcs.formats.media.headers import read_header
from aura_vcs.formats.media.reader import MediaHeader
from aura_vcs.formats.timeline.endings import may_be_project
from aura_vcs.formats.timeline.model import TICKS_PER_SECOND, Clip, Timeline
from aura_vcs.formats.timeline.project_file import read_project
from aura_vcs.history.lookup.content import locate
from aura_vcs.history.lookup.file_history import ContentWalk
from aura_vcs.history.lookup.renames import name_in_parent
from aura_vcs.history.lookup.select_files import shown_path
from aura_vcs.history.merging.conflict_anchors import follow_pointer
from aura_vcs.history.merging.conflicts import anchors
from aura_vcs.history.names.revisions import resolve, split_content
from aura_vcs.history.sources.content_source import StoredSource
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.queries import VersionFilter
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Entry, EntryKind
from aura_vcs.repository.repository import Repository
from aura_vcs.suggestions import suggest

MOST_PLACES = 6
"""So many `@` from the end may each begin a place, or belong to the name."""
DOCUMENT_BYTES = 32 << 20
"""A larger timeline or document is not looked into."""


class Located(msgspec.Struct, frozen=True):
    """Where what a note is about is now, in one version.

    `path` is None where the file no longer exists. `is_same` tells whether it still has the content that the note
    was written about. `start` is where a clip begins now, in seconds; `field` the pointer as it is now; `is_found` is
    False where the clip or field is gone.
    """

    version: VersionId
    path: str | None
    is_same: bool
    is_found: bool = True
    start: float | None = None
    end: float | None = None
    field: str | None = None


def make_target(repo: Repository, text: str) -> Target:
    """Find what `[VERSION:]FILE[@PLACE]` or `VERSION` names; without a version, the file as HEAD has it.

    Raises:
        UnknownVersion, UnknownName, AmbiguousVersion: there is no such version or file.
        InvalidTarget: there is no such place in it.
    """
    name, place = _split(repo, text)
    record, path, entry = _named(repo, name, is_file=place != WrittenPlace())
    if path is None or entry is None:
        if place != WrittenPlace():
            raise InvalidTarget(text, "a place is in a file, and this names a version")
        return Target(version=record.id)
    target = Target(version=record.id, path=shown_path(path), content=entry.id)
    return target if place == WrittenPlace() else _with_place(repo, target, path, entry, place, text)


def _split(repo: Repository, text: str) -> tuple[str, WrittenPlace]:
    """Split a name from the places behind it; of the names that a file has, the longest: one may be `cut@0:12`."""
    ends = [len(text), *(match.start() for match in reversed(list(re.finditer("@", text))))]
    for end in ends[:MOST_PLACES]:
        name, place = split_places(f"f{text[end:]}")
        if name == "f" and _is_file(repo, text[:end]):
            return text[:end], place
    return split_places(text)


def _is_file(repo: Repository, text: str) -> bool:
    """Tell whether all of a text names a file of a version."""
    version, path = split_content(text)
    try:
        record = resolve(repo, version if path is not None and version else "HEAD")
        entry = repo.trees.entry(record.tree, text if path is None else path)
    except AuraError:
        return False
    return entry is not None and entry.kind is not EntryKind.DIR


def _named(repo: Repository, name: str, *, is_file: bool) -> tuple[VersionRecord, str | None, Entry | None]:
    """Find a version, or a file in one; a bare name is a file of HEAD if there is such a one."""
    _, path = split_content(name)
    if path is not None:
        found = locate(repo, name)
        is_file_there = found.path and found.entry.kind is not EntryKind.DIR
        return found.record, found.path or None, found.entry if is_file_there else None
    head = repo.head().version
    record = repo.queries.version(head) if head is not None else None
    entry = repo.trees.entry(record.tree, name) if record is not None and name else None
    if record is not None and entry is not None and entry.kind is not EntryKind.DIR:
        return record, name, entry
    if not is_file or record is None:
        try:
            return resolve(repo, name), None, None
        except UnknownVersion:
            if record is None:
                raise
    hint = "A note is about what a version has: `aura commit` saves the file first."
    is_unsaved = os.path.lexists(os.path.join(repo.root, name))
    near = [] if is_unsaved else suggest(name, [inner for inner, _ in repo.trees.walk(record.tree)])
    raise UnknownName("file" if is_file else "file or version", name, near, hint=hint)


def _with_place(repo: Repository, target: Target, path: str, entry: Entry, place: WrittenPlace, text: str) -> Target:
    """Look into the file for the place that was written."""
    replace = msgspec.structs.replace
    if place.times:
        rate = _frame_rate(repo, path, entry) if any(time.endswith("f") for time in place.times) else None
        start, *end = (seconds_of(time, rate) for time in place.times)
        if end and end[0] < start:
            raise InvalidTarget(text, "the stretch ends before it begins")
        target = replace(target, start=start, end=end[0] if end else None)
    if place.region is not None:
        size = (100.0, 100.0) if place.is_share else _picture_size(repo, path, entry, text)
        target = replace(target, region=shares_of(place.region, *size, text))
    if place.clip is not None:
        target = replace(target, clip=_clip_anchor(repo, path, entry, place.clip, text))
    if place.field is not None:
        target = _with_field(repo, target, entry, place.field, text)
    return target


def _with_field(repo: Repository, target: Target, entry: Entry, pointer: str, text: str) -> Target:
    document = parse_document(_read(repo, entry))
    if not isinstance(document, ParsedDocument):
        raise InvalidTarget(text, f"the file is not a document with fields: {document.reason}")
    try:
        resolve_pointer(document.value, pointer)
    except PointerUnknown as error:
        raise InvalidTarget(text, error.message) from error
    return msgspec.structs.replace(target, field=pointer, anchors=anchors(document.value, pointer))


def _clip_anchor(repo: Repository, path: str, entry: Entry, name: str, text: str) -> ClipAnchor:
    timeline = _timeline(repo, path, entry)
    if timeline is None:
        raise InvalidTarget(text, "the file is not a timeline that can be read")
    clips = list(_clips(timeline))
    found = [clip for clip in clips if name in (clip.name, clip.label, clip.identity)]
    if not found:
        near = suggest(name, [clip.label for clip in clips])
        raise InvalidTarget(text, "the timeline has no such clip" + (f"; near: {', '.join(near)}" if near else ""))
    clip = found[0]
    return ClipAnchor(clip.name or clip.label, clip.media, clip.identity, clip.source_start)


def _clips(timeline: Timeline) -> Iterator[Clip]:
    for track in timeline.tracks:
        for clip in track.clips:
            yield clip
            yield from clip.parts


def _timeline(repo: Repository, path: str, entry: Entry) -> Timeline | None:
    if not may_be_project(path):
        return None
    try:
        found = read_project(path, _read(repo, entry))
    except AuraError:
        return None
    return found if isinstance(found, Timeline) else None


def _read(repo: Repository, entry: Entry) -> bytes:
    """Read a document; empty where it is too large."""
    return repo.store.read(entry.id) if entry.size <= DOCUMENT_BYTES else b""


def _header(repo: Repository, path: str, entry: Entry) -> MediaHeader | None:
    with StoredSource(repo).open(path, entry) as file:
        return read_header(file)


def _frame_rate(repo: Repository, path: str, entry: Entry) -> float | None:
    timeline = _timeline(repo, path, entry)
    if timeline is not None:
        count, per = timeline.rate
        return count / per if count and per else None
    header = _header(repo, path, entry)
    return header.frames_per_second if header is not None else None


def _picture_size(repo: Repository, path: str, entry: Entry, text: str) -> tuple[float, float]:
    header = _header(repo, path, entry)
    if header is None or not header.width or not header.height:
        raise InvalidTarget(text, "the file does not say how large its picture is; write the region in per cent")
    return float(header.width), float(header.height)


def file_names(repo: Repository, where: str) -> list[str] | None:
    """List the names that a file has had up to a version, or to HEAD; None where `where` names no file.

    Raises:
        UnknownVersion, UnknownName: there is no such version or file.
    """
    _, path = split_content(where)
    record: VersionRecord | None
    if path is None:
        head, path = repo.head().version, where
        record = repo.queries.version(head) if head is not None else None
        if record is None or repo.trees.entry(record.tree, path) is None:
            return None
    else:
        record = locate(repo, where).record
    if not path.strip("/"):
        return None
    walk = ContentWalk(repo)
    return list(dict.fromkeys(shown_path(step.content.path) for step in walk.steps(record.id, path)))


def former_names(repo: Repository, path: str) -> list[str]:
    """List the names that a file had which HEAD does not have any more, up to the last version that has it under this.

    Only the path itself where no version has it, or what it was cannot be read.
    """
    records = [repo.queries.version(version) for version in repo.queries.versions_touching(path)]
    try:
        having = [r for r in records if r is not None and r.is_live and repo.trees.entry(r.tree, path) is not None]
        last = max(having, key=lambda record: record.number, default=None)
        steps = ContentWalk(repo).steps(last.id, path) if last is not None else ()
        return list(dict.fromkeys([path, *(shown_path(step.content.path) for step in steps)]))
    except IntegrityError:
        return [path]


def find_now(repo: Repository, target: Target, version: VersionId | None = None) -> Located | None:
    """Find where a target is in a version, HEAD without one; None before the first version, or for a whole version."""
    wanted = version or repo.head().version
    record = repo.queries.version(wanted) if wanted is not None else None
    if record is None or target.path is None:
        return None
    try:
        path = _present_path(repo, target, record)
        entry = repo.trees.entry(record.tree, path) if path is not None else None
        if path is None or entry is None:
            return Located(record.id, None, is_same=False, is_found=False)
        return _inside(repo, target, record, path, entry)
    except IntegrityError:  # content that is not here is no reason to say nothing
        return Located(record.id, target.path, is_same=False, is_found=False)


def _inside(repo: Repository, target: Target, record: VersionRecord, path: str, entry: Entry) -> Located:
    is_same = entry.id == target.content
    if target.clip is not None:
        clip = _same_clip(_timeline(repo, path, entry), target.clip)
        if clip is None:
            return Located(record.id, path, is_same, is_found=False)
        start, end = (ticks / TICKS_PER_SECOND for ticks in (clip.start, clip.start + clip.duration))
        return Located(record.id, path, is_same, start=start, end=end)
    if target.field is not None:
        document = parse_document(_read(repo, entry))
        value = document.value if isinstance(document, ParsedDocument) else None
        field = follow_pointer(value, target.field, target.anchors)
        return Located(record.id, path, is_same, is_found=field is not None, field=field)
    return Located(record.id, path, is_same, start=target.start, end=target.end)


def _same_clip(timeline: Timeline | None, wanted: ClipAnchor) -> Clip | None:
    """Find the clip that a note was about: by its id, by what it plays, or by its name; the nearest of several."""
    clips = list(_clips(timeline)) if timeline is not None else []
    by_identity = [clip for clip in clips if wanted.identity and clip.identity == wanted.identity]
    by_media = [clip for clip in clips if wanted.media and clip.media == wanted.media]
    by_name = [clip for clip in clips if wanted.name in (clip.name, clip.label)]
    found = by_identity or [clip for clip in by_media if clip in by_name] or by_media or by_name
    start = wanted.source_start or 0
    return min(found, key=lambda clip: abs((clip.source_start or 0) - start), default=None)


def _present_path(repo: Repository, target: Target, record: VersionRecord) -> str | None:
    """Return what the file of a target is called in a version, following renames from the version it was said of."""
    path = target.path
    if path is None or repo.trees.entry(record.tree, path) is not None or target.version is None:
        return path
    for newer in _versions_between(repo, target.version, record.id):
        parents = [repo.queries.version(parent) for parent in newer.parents]
        older = next((p for p in parents if p is not None and _has(repo, p.tree, path)), None)
        if older is None or _has(repo, newer.tree, path):
            continue
        path = _renamed(repo, older, newer, path) or path
    return path if _has(repo, record.tree, path) else None


def _has(repo: Repository, tree: ObjectId, path: str) -> bool:
    return repo.trees.entry(tree, path) is not None


def _renamed(repo: Repository, older: VersionRecord, newer: VersionRecord, path: str) -> str | None:
    for difference in repo.trees.differences(older.tree, newer.tree):
        is_new_file = difference.old is None and difference.new is not None and difference.new.kind is EntryKind.FILE
        if is_new_file and name_in_parent(repo, newer, older, difference.path) == path:
            return difference.path
    return None


def _versions_between(repo: Repository, older: VersionId, newer: VersionId) -> list[VersionRecord]:
    """List the versions after one up to another, oldest first, whose content is here."""
    before = repo.queries.ancestors(older)
    history = repo.queries.history(newer, VersionFilter(deleted=True))
    return sorted((v for v in history if v.id not in before and v.is_live), key=lambda v: v.number)
