"""A version's timeline as an OpenTimelineIO file, alone or with its media in one `.otioz`.

A `timeline.otio` comes out byte for byte as `.otio`; a `timeline.json` of the studio is written as OpenTimelineIO.
"""

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from typing import IO, Any
from urllib.parse import quote, unquote

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.formats.jsondoc.spans import parse
from aura_vcs.formats.jsondoc.values import MAX_DOCUMENT_BYTES
from aura_vcs.formats.timeline.otio_write import studio_as_otio
from aura_vcs.history.names.revisions import check_content, resolve
from aura_vcs.history.recording.unversioned_output import leave_unversioned
from aura_vcs.history.sources.content_source import unsafe_reason
from aura_vcs.index.queries import describe
from aura_vcs.interchange.export_version import write_zip_member
from aura_vcs.model import Entry, EntryKind
from aura_vcs.plain_text import parse_time
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.new_output import NewOutput
from aura_vcs.storage.system_calls import storage_error

TIMELINES = ("timeline.otio", "timeline.json")
DEFAULT_RATE = 30.0
OTIOZ_VERSION = b"1.0.0"
"""The version of the bundle's layout: `content.otio`, `version.txt` and `media/`."""


class OtioExported(msgspec.Struct, frozen=True):
    """What was written; `missing` are media that the timeline names and the version does not have."""

    path: str
    number: int
    media: int
    missing: tuple[str, ...]


def export_otio(repo: Repository, version: str, target: str) -> OtioExported:
    """Write the timeline of a version to a new `FILE.otio`, or with its media to `FILE.otioz`.

    Raises:
        TargetExists. UnknownVersion, AmbiguousVersion, ObjectPurged, ObjectMissing, StorageError.
        InputError: the version has no timeline, or the file has another ending.
    """
    kind = os.path.splitext(target)[1].lower()
    if kind not in {".otio", ".otioz"}:
        raise InputError(f"{target} is neither an .otio nor an .otioz file")
    record = resolve(repo, version)
    check_content(repo, record)
    entries = {name: repo.trees.entry(record.tree, name) for name in TIMELINES}
    name, entry = next(((name, entry) for name, entry in entries.items() if entry is not None), (None, None))
    if name is None or entry is None or entry.size > MAX_DOCUMENT_BYTES:
        raise InputError(
            f"{describe(repo.queries, record.id)} has no timeline", hint=f"It would be {' or '.join(TIMELINES)}."
        )
    data = repo.store.read(entry.id)
    if name == "timeline.json":
        data = _converted(repo, record.tree, data)
    value = parse(data, name).value()
    found = {path: repo.trees.entry(record.tree, path) for path in dict.fromkeys(_media(value))}
    media = {path: one for path, one in found.items() if one is not None and one.kind is EntryKind.FILE}
    missing = tuple(path for path in found if path not in media)
    with NewOutput(target, folder=False) as output:
        try:
            with open(output.path, "wb") as file:
                if kind == ".otio":
                    file.write(data)
                else:
                    repo.store.require({one.id: path for path, one in media.items()})
                    _write_bundle(repo, file, value, media, record.created_at)
        except OSError as error:
            raise storage_error("write", output.target, error) from error
        output.publish()
    leave_unversioned(repo, output.target)
    return OtioExported(output.target, record.number, len(media) if kind == ".otioz" else 0, missing)


def _converted(repo: Repository, tree: str, data: bytes) -> bytes:
    value = parse(data, "timeline.json").value()
    if not isinstance(value, dict) or not isinstance(value.get("scenes"), list):
        raise InputError("timeline.json of that version has no scenes")
    made = studio_as_otio(value, rate=_rate(repo, tree), name=os.path.basename(repo.root), url_of=quote)
    return (json.dumps(made, indent=4, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _rate(repo: Repository, tree: Any) -> float:
    entry = repo.trees.entry(tree, "render.json")
    if entry is None or entry.size > MAX_DOCUMENT_BYTES:
        return DEFAULT_RATE
    value = parse(repo.store.read(entry.id), "render.json").value()
    rate = value.get("fps") if isinstance(value, dict) else None
    usable = isinstance(rate, int | float) and not isinstance(rate, bool) and 1 <= rate <= 1000
    return float(rate) if usable and rate is not None else DEFAULT_RATE


def _references(value: Any) -> Iterator[dict[str, Any]]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += reversed(item)
        elif isinstance(item, dict):
            if str(item.get("OTIO_SCHEMA", "")).startswith("ExternalReference") and isinstance(
                item.get("target_url"), str
            ):
                yield item
            waiting += reversed([*item.values()])


def _media(value: Any) -> Iterator[str]:
    """Yield the files of the project that a timeline names, by their paths in it."""
    for reference in _references(value):
        path = unquote(reference["target_url"])
        if path and not unsafe_reason(path):
            yield path


def _write_bundle(repo: Repository, file: IO[bytes], value: Any, media: Mapping[str, Entry], at: str) -> None:
    names: dict[str, str] = {}
    for path in media:
        stem, dot, end = path.rpartition("/")[2].rpartition(".")
        name, number = f"{stem}{dot}{end}", 1
        while name.casefold() in {taken.casefold() for taken in names.values()}:
            number += 1
            name = f"{stem}-{number}{dot}{end}"
        names[path] = name
    for reference in _references(value):
        path = unquote(reference["target_url"])
        if path in names:
            reference["target_url"] = "media/" + quote(names[path])
    content = (json.dumps(value, indent=4, ensure_ascii=False) + "\n").encode("utf-8", "replace")
    moment = parse_time(at)
    with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
        for name, data in (("content.otio", content), ("version.txt", OTIOZ_VERSION)):
            write_zip_member(archive, name, len(data), iter([data]), moment, stored=False)
        for path, entry in media.items():
            write_zip_member(
                archive, f"media/{names[path]}", entry.size, repo.store.stream(entry.id), moment, stored=True
            )  # fmt: skip
