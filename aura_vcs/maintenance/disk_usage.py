"""Where the bytes are: per kind of version, per kind of file, per version alone."""

import mimetypes
from contextlib import suppress

import msgspec

from aura_vcs.errors.integrity import IntegrityError, StorageError
from aura_vcs.history.media_index.store import MediaIndexStore
from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import VersionFilter
from aura_vcs.index.records import ObjectRecord, VersionRecord
from aura_vcs.layout import INDEX, TEMPORARY
from aura_vcs.maintenance.folder_usage import BLOCKS, FolderUsage, folder_usage, split_objects
from aura_vcs.model import DOCUMENTS, Kind, VersionType
from aura_vcs.objects.graph import TreeVisit, Walk, find_alone, pass_over
from aura_vcs.objects.packs.format import UNWRAPPED_CODECS
from aura_vcs.repository.format_file import UNWRAPPED
from aura_vcs.repository.repository import Repository

LARGEST = 10
_MEDIA = ("image", "audio", "video")


class Sizes(msgspec.Struct, frozen=True):
    """How many, and how many bytes of content (`logical_bytes`) and on disk (`stored_bytes`)."""

    count: int
    logical_bytes: int
    stored_bytes: int


class LargeObject(msgspec.Struct, frozen=True):
    """One of the largest files, with a path it has had."""

    id: ObjectId
    path: str
    size_bytes: int
    stored_bytes: int


class VersionShare(msgspec.Struct, frozen=True):
    """What one version alone holds: purging it would free about so many stored bytes."""

    id: str
    number: int
    name: str
    type: VersionType
    logical_bytes: int
    alone_bytes: int


class StorageReport(msgspec.Struct, frozen=True):
    """The whole report. `total` counts every version's content as if it were stored on its own.

    `offloaded` counts files whose content is at remotes, `unfinished` files that a command is writing, or
    was writing when it was stopped, `media_index` what was found in media and can be found again, `unwrapped`
    gzip files and ZIP archives that are stored as what is in them.
    """

    total: Sizes
    objects: Sizes
    garbage: Sizes
    by_version_type: dict[str, Sizes]
    by_file_type: dict[str, Sizes]
    largest: tuple[LargeObject, ...]
    versions: tuple[VersionShare, ...]
    offloaded: Sizes
    unfinished: Sizes
    media_index: Sizes
    unwrapped: Sizes
    folder_bytes: int
    """All files below `.aura`: content, the index, logs and caches, and what is unfinished."""
    parts: dict[str, Sizes]
    """What that is, by name; `blocks` are what the disk takes besides, for folders and by whole blocks."""
    disk_bytes: int
    """All parts together: what `du` says."""


_OPEN = (f"{INDEX}-wal", f"{INDEX}-shm")
"""What SQLite has beside the index only while somebody uses it."""


def storage_report(repo: Repository) -> StorageReport:
    """Count what is stored, also what an interrupted command left. Opens every tree once, and no file."""
    with suppress(StorageError):  # a disk that cannot be written to is looked at as far as the index knows it
        repo.adopt_unrecorded_objects()
    queries = repo.queries
    objects = {item.id: item for item in queries.objects_but_chunks()}
    totals = queries.stored_totals()
    nothing = (0, 0, 0)
    everything = [sum(parts) for parts in zip(nothing, *totals.values(), strict=True)]
    versions = [record for record in queries.all_versions(VersionFilter()) if record.purged_at is None]
    sizes = _StoredSizes(repo, objects)
    paths = _paths(repo, versions)
    away = {blob: entry for blob, entry in repo.store.offloaded.all().items() if not entry.evicted}
    shares = _shares(repo, versions, objects, sizes)
    usage = folder_usage(repo.storage, passing=_OPEN if repo.index.database.empty_log() else ())
    return StorageReport(
        total=Sizes(len(versions), sum(r.size_bytes for r in versions), everything[2]),
        objects=Sizes(*everything),
        garbage=Sizes(*totals.get(False, nothing)),
        by_version_type=_by_version_type(shares),
        by_file_type=_by_file_type(paths, objects, sizes),
        largest=_largest(paths, objects, sizes),
        versions=shares,
        offloaded=Sizes(len(away), sum(entry.size for entry in away.values()), 0),
        unfinished=_unfinished(repo),
        media_index=_media_index(repo),
        unwrapped=_unwrapped(repo),
        folder_bytes=sum(usage.bytes.values()),
        parts=_parts(repo, usage),
        disk_bytes=usage.block_bytes,
    )


def _parts(repo: Repository, usage: FolderUsage) -> dict[str, Sizes]:
    kinds = repo.queries.stored_by_kind()
    none = (0, 0)
    content, history = (
        [sum(kind) for kind in zip(*(kinds.get(kind, none) for kind in wanted), strict=True)]
        for wanted in ((Kind.BLOB, Kind.CHUNK), (Kind.TREE, Kind.VERSION))
    )
    found = split_objects(usage, {"content": (content[0], content[1]), "history": (history[0], history[1])})
    parts = {name: Sizes(found.files[name], size, size) for name, size in sorted(found.bytes.items())}
    rest = usage.block_bytes - sum(found.bytes.values())
    return {**parts, BLOCKS: Sizes(0, 0, rest)}


def stored_files(repo: Repository) -> tuple[LargeObject, ...]:
    """List every stored file, the largest on the disk first, with the path that the newest version has it under."""
    objects = {item.id: item for item in repo.queries.objects_but_chunks()}
    sizes = _StoredSizes(repo, objects)
    versions = [record for record in repo.queries.all_versions(VersionFilter()) if record.purged_at is None]
    found = [
        LargeObject(item, path, objects[item].size, sizes.of(item))
        for item, path in _paths(repo, versions).items()
        if item in objects
    ]
    return tuple(sorted(found, key=lambda file: (-file.stored_bytes, file.path)))


def file_type(path: str) -> str:
    """Classify a path as `StorageReport.by_file_type` does."""
    return _file_type(path)


def _unfinished(repo: Repository) -> Sizes:
    """Measure the folder for temporary files; gc removes what is in it once it is older than a day."""
    sizes = [size for _, size in repo.storage.walk(TEMPORARY)]
    return Sizes(len(sizes), sum(sizes), sum(sizes))


def _media_index(repo: Repository) -> Sizes:
    room = MediaIndexStore.of(repo).room()
    return Sizes(room.entries, room.bytes, room.bytes)


def _unwrapped(repo: Repository) -> Sizes:
    """Count files in unwrapped frames; nothing is read where the project has none."""
    packs, files, size, stored = repo.store.packs, 0, 0, 0
    for name in packs.names() if UNWRAPPED in repo.format.features else ():
        with suppress(IntegrityError, FileNotFoundError):
            if not packs.has_unwrapped(name):
                continue
            footer = packs.footer(name)
            frames = {n: frame for n, frame in enumerate(footer.frames) if frame.codec in UNWRAPPED_CODECS}
            files += sum(entry.frame in frames for entry in footer.entries)
            size += sum(frame.length for frame in frames.values())
            stored += sum(frame.stored_length for frame in frames.values())
    return Sizes(files, size, stored)


class _StoredSizes:
    """Bytes on disk of a blob, its chunks included."""

    def __init__(self, repo: Repository, objects: dict[ObjectId, ObjectRecord]) -> None:
        self._repo = repo
        self._objects = objects
        self._queries = repo.queries
        self._chunked: dict[ObjectId, tuple[int, int]] = {}

    def of(self, object_id: ObjectId) -> int:
        """Return an object's bytes on disk; 0 for what is not here."""
        item = self._objects.get(object_id)
        return 0 if item is None else item.stored_size + self._chunks(item)[0]

    def alone(self, object_id: ObjectId) -> int:
        """Return the bytes on disk that only this blob holds."""
        item = self._objects.get(object_id)
        return 0 if item is None else item.stored_size + self._chunks(item)[1]

    def _chunks(self, item: ObjectRecord) -> tuple[int, int]:
        """Stored bytes of the blob's chunks, and of those that it alone has."""
        if not item.chunked:
            return 0, 0
        if item.id not in self._chunked:
            try:
                found = self._queries.stored_sizes(set(self._repo.store.chunk_ids(item.id)))
            except (IntegrityError, FileNotFoundError):
                found = []
            own = sum(stored for stored, refcount in found if refcount <= 1)
            self._chunked[item.id] = sum(stored for stored, _ in found), own
        return self._chunked[item.id]


def _paths(repo: Repository, versions: list[VersionRecord]) -> dict[ObjectId, str]:
    """Find a path for every blob, from the newest version that has it."""
    paths: dict[ObjectId, str] = {}
    walk = Walk(repo.graph, on_fault=pass_over)
    repo.progress.start("Looking through versions", len(versions), "versions")
    for record in versions:
        repo.progress.advance(1)
        for folder in walk.below(TreeVisit(record.tree)):
            for path, entry in folder.files():
                paths.setdefault(entry.id, path)
    repo.progress.finish()
    return paths


def _shares(
    repo: Repository, versions: list[VersionRecord], objects: dict[ObjectId, ObjectRecord], sizes: _StoredSizes
) -> tuple[VersionShare, ...]:
    repo.progress.start("Counting what each version holds", len(versions), "versions")
    found = []
    for record in versions:
        found.append(_share(repo, record, objects, sizes))
        repo.progress.advance(1)
    repo.progress.finish()
    return tuple(found)


def _share(
    repo: Repository, record: VersionRecord, objects: dict[ObjectId, ObjectRecord], sizes: _StoredSizes
) -> VersionShare:
    """Count what is the version's own, chunks that only one of its files has included."""

    def count_of(object_id: ObjectId) -> int | None:
        return objects[object_id].refcount if object_id in objects else None

    own = find_alone(repo.graph, record.tree, count_of, in_chunks=False).own
    alone = sum(objects[i].stored_size if is_tree else sizes.alone(i) for i, is_tree in own.items())
    return VersionShare(record.id, record.number, record.name, record.type, record.size_bytes, alone)


def _by_version_type(shares: tuple[VersionShare, ...]) -> dict[str, Sizes]:
    found = {}
    for kind in VersionType:
        chosen = [share for share in shares if share.type is kind]
        logical = sum(share.logical_bytes for share in chosen)
        found[str(kind)] = Sizes(len(chosen), logical, sum(share.alone_bytes for share in chosen))
    return found


def _by_file_type(
    paths: dict[ObjectId, str], objects: dict[ObjectId, ObjectRecord], sizes: _StoredSizes
) -> dict[str, Sizes]:
    groups: dict[str, list[ObjectId]] = {}
    for object_id, path in paths.items():
        if object_id in objects:
            groups.setdefault(_file_type(path), []).append(object_id)
    return {
        name: Sizes(len(ids), sum(objects[i].size for i in ids), sum(sizes.of(i) for i in ids))
        for name, ids in sorted(groups.items())
    }


def _file_type(path: str) -> str:
    """Classify a path as one of the five documents, scene, image, audio, video, or other."""
    stem, _, suffix = path.rpartition(".")
    if suffix in {"json", "otio"} and stem in DOCUMENTS:
        return stem
    if path.startswith("scenes/") and suffix == "json":
        return "scene"
    guessed = (mimetypes.guess_type(path)[0] or "").split("/")[0]
    return guessed if guessed in _MEDIA else "other"


def _largest(
    paths: dict[ObjectId, str], objects: dict[ObjectId, ObjectRecord], sizes: _StoredSizes
) -> tuple[LargeObject, ...]:
    blobs = sorted((objects[i] for i in paths if i in objects), key=lambda item: (-item.size, item.id))
    return tuple(LargeObject(item.id, paths[item.id], item.size, sizes.of(item.id)) for item in blobs[:LARGEST])
