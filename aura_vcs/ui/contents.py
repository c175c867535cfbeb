"""What a version has, as views show it: folders as trees, texts, documents, timelines, scenes."""

import json
import posixpath
from collections.abc import Sequence

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.formats.jsondoc.parse import Unstructured, parse_document
from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.text import read_text
from aura_vcs.formats.timeline.endings import may_be_project
from aura_vcs.formats.timeline.model import Timeline
from aura_vcs.formats.timeline.project_file import read_project
from aura_vcs.history.diff.tree_diff import PathChange
from aura_vcs.history.sources.content_source import CONTENT_LIMIT
from aura_vcs.ids import ObjectId
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Entry, EntryKind
from aura_vcs.repository.repository import Repository
from aura_vcs.ui.drawing import DrawnTimeline, draw_timeline
from aura_vcs.ui.media_kinds import Kind, kind_of

TEXT_BYTES = 1 << 20
"""So much of a text is shown."""
TIMELINES_SHOWN = 3


class Named(msgspec.Struct, frozen=True):
    """A file or folder in a folder; what happened to it in `change` ("" for nothing, of a folder for any)."""

    path: str
    name: str
    is_folder: bool
    is_link: bool
    size: int
    id: str
    kind: Kind
    change: str = ""


def list_named(repo: Repository, tree: ObjectId, folder: str, changes: Sequence[PathChange] = ()) -> list[Named]:
    """List what lies in a folder of a version: folders first."""
    changed = {change.path: change.change for change in changes}
    prefix = f"{folder}/" if folder else ""
    found = []
    for entry in repo.trees.tree(tree).entries:
        path = prefix + entry.name
        inside = entry.kind is EntryKind.DIR and any(name.startswith(f"{path}/") for name in changed)
        found.append(_named(path, entry, changed.get(path, "changed inside" if inside else "")))
    return sorted(found, key=lambda item: (not item.is_folder, item.name.lower(), item.name))


def _named(path: str, entry: Entry, change: str) -> Named:
    is_folder, is_link = entry.kind is EntryKind.DIR, entry.kind is EntryKind.SYMLINK
    kind: Kind = "other" if is_folder else kind_of(path)
    return Named(path, posixpath.basename(path), is_folder, is_link, entry.size, entry.id, kind, change)


def read_small(repo: Repository, entry: Entry) -> bytes | None:
    """Read a file of a version if it is one that is shown as a whole; None where it is large or not here."""
    if entry.kind is not EntryKind.FILE or entry.size > CONTENT_LIMIT:
        return None
    try:
        return repo.store.read(entry.id)
    except IntegrityError:
        return None


class ShownText(msgspec.Struct, frozen=True):
    """A text, or the reason why there is none; `is_cut` where the rest is not shown."""

    text: str
    reason: str
    is_cut: bool


def shown_text(data: bytes | None) -> ShownText:
    """Read bytes as a text; a document is indented where it is written in one line."""
    if data is None:
        return ShownText("", "It is too large to be shown here, or not on this disk: download it.", False)
    found = read_text(data[:TEXT_BYTES])
    if isinstance(found, Unstructured):
        return ShownText("", f"It is not shown as text: {found.reason}.", False)
    text = found
    if len(data) <= TEXT_BYTES and text.lstrip()[:1] in ("{", "[") and text.count("\n") < 3:
        value = document_value(data)
        text = json.dumps(value, indent=2, ensure_ascii=False) if value is not None else text
    return ShownText(text, "", len(data) > TEXT_BYTES)


def document_value(data: bytes) -> JsonValue:
    """Read a document as JSON; None where it is none."""
    found = parse_document(data)
    return None if isinstance(found, Unstructured) else found.value


class Leaf(msgspec.Struct, frozen=True):
    """A field of a document: its JSON pointer and its value as text."""

    pointer: str
    value: str


LEAVES_LIMIT = 300


def leaves_of(value: JsonValue, pointer: str = "") -> list[Leaf]:
    """List the fields of a document that have a value of their own, in its order."""
    found: list[Leaf] = []
    _collect(value, pointer, found)
    return found


def _collect(value: JsonValue, pointer: str, found: list[Leaf]) -> None:
    if len(found) >= LEAVES_LIMIT:
        return
    if isinstance(value, dict):
        for key, part in value.items():
            _collect(part, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}", found)
    elif isinstance(value, list):
        for n, part in enumerate(value):
            _collect(part, f"{pointer}/{n}", found)
    else:
        written = value if isinstance(value, str) else json.dumps(value)
        found.append(Leaf(pointer or "/", written))


class ShownTimeline(msgspec.Struct, frozen=True):
    """A timeline or project of an editor in a version."""

    path: str
    drawn: DrawnTimeline
    format: str


def timelines_of(repo: Repository, record: VersionRecord) -> list[ShownTimeline]:
    """Draw the timelines in the first folder of a version, as far as they can be read."""
    found: list[ShownTimeline] = []
    for entry in repo.trees.tree(record.tree).entries:
        if len(found) < TIMELINES_SHOWN and entry.kind is EntryKind.FILE and may_be_project(entry.name):
            timeline = timeline_in(entry.name, read_small(repo, entry))
            if timeline is not None and any(track.clips for track in timeline.tracks):
                found.append(ShownTimeline(entry.name, draw_timeline(timeline, ""), timeline.format))
    return found


def timeline_in(path: str, data: bytes | None) -> Timeline | None:
    """Read a timeline; None where it is none, or none that can be read."""
    if data is None:
        return None
    try:
        found = read_project(path, data)
    except AuraError:
        return None
    return None if isinstance(found, Unstructured) else found
