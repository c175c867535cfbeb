"""A remote as it was seen at one moment: its manifest, its labels, and what its packs hold."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

import msgspec

from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteMismatch, RemoteRewound
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.layout import pack_path
from aura_vcs.model import Label
from aura_vcs.objects.packs.format import TRAILER_BYTES, Footer, PackEntry, decode_footer, footer_length
from aura_vcs.parallel import side_by_side
from aura_vcs.refs.merge import heads, merge_labels
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RangeReadable
from aura_vcs.sync.state.annotations import Annotations, merge_into, proper_annotations
from aura_vcs.sync.state.cache import CacheProtocol, NullCache, RemoteState
from aura_vcs.sync.state.manifest import (
    MANIFEST,
    PROJECT_FOLDER,
    READ_ONLY,
    Manifest,
    PackInfo,
    RecordInfo,
    Records,
    decode_manifest,
    decode_records,
    digest,
    pack_name,
    record_name,
)
from aura_vcs.sync.state.pieces import ReadPieces, read_pieces, with_pieces

SMALL_PACK_BYTES = 1 << 20
"""A pack so small is fetched whole: a request costs more than its bytes."""
_BACK = (
    "Nothing else says what that place holds: take manifest.json back from a backup of it and run `aura remote check "
    "NAME --accept`, or send everything to a new place with `aura remote add`."
)


class RemoteSnapshot:
    """What a remote held when its manifest was loaded."""

    def __init__(
        self, remote: RangeReadable, cache: CacheProtocol, manifest: Manifest, data: bytes, token: str
    ) -> None:
        self.remote = remote
        self.cache = cache
        self.top = manifest
        """The manifest as it is stored: what its pieces list is not among its packs."""
        self.digest = digest(data)
        self.token = token
        self._labels: dict[VersionId, Label] | None = None
        self._annotations: Annotations = {}
        self._table: PackTable | None = None

    @cached_property
    def pieces(self) -> ReadPieces:
        """What the pieces of the list of packs say; those that are not remembered here are fetched.

        Raises:
            RemoteCorrupt: one is not there as it should be.
        """
        return read_pieces(self.remote, self.cache, self.top) if self.top.pieces else ReadPieces()

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest with all packs.

        Raises:
            RemoteCorrupt: a piece of it is not there as it should be.
        """
        return with_pieces(self.top, self.pieces.packs, self.remote.location)

    def labels(self) -> dict[VersionId, Label]:
        """Map every version that the remote has to its label, merged from its records."""
        if self._labels is None:
            parts = side_by_side(self.record, self.manifest.records)
            merged: dict[VersionId, Label] = {}
            for found in parts:
                for label in found.labels:
                    known = merged.get(label.version)
                    merged[label.version] = label if known is None else merge_labels(known, label)
                merge_into(self._annotations, proper_annotations(found.annotations))
            self._labels = merged
            self.cache.retain("records", {info.name for info in self.manifest.records})
        return self._labels

    def annotations(self) -> Annotations:
        """Return the notes, provenance and recipes that the remote has, merged from its records."""
        self.labels()
        return self._annotations

    def count(self, otherwise: int) -> int:
        """Count the versions that have a label there; return `otherwise`, if nobody has looked."""
        return otherwise if self._labels is None else len(self._labels)

    def record(self, info: RecordInfo) -> Records:
        """Read a record, from here or from there.

        Raises:
            RemoteCorrupt: it does not hash to its name.
        """
        cached = self.cache.cached("records", info.name)
        if cached is not None and digest(cached) == info.name:
            return decode_records(cached, info, self.remote.location)
        try:
            data = self.remote.load(record_name(info)).data
        except FileNotFoundError as error:
            raise RemoteCorrupt(self.remote.location, f"record {info.name[:12]} is missing") from error
        found = decode_records(data, info, self.remote.location)
        self.cache.store("records", info.name, data)
        return found

    def table(self, repo: Repository, *, receiving: bool = False) -> "PackTable":
        """Build the table of what lies in which pack; footers that are not here are fetched by range.

        With `receiving`, small packs come as a whole at once: they will be wanted.
        """
        if self._table is None:
            missing = [p for p in self.manifest.packs if repo.storage.stat(pack_path(p.name)) is None]
            found = side_by_side(lambda pack: self.footer(pack, receiving=receiving), missing)
            footers = dict(zip(missing, found, strict=True))
            table = PackTable()
            for pack in self.manifest.packs:
                table.add(pack, footers[pack] if pack in footers else _own_footer(repo, self, pack))
            self._table = table
            self.cache.retain("footers", {info.name for info in self.manifest.packs})
        return self._table

    def footer(self, pack: PackInfo, *, receiving: bool = False) -> Footer:
        """Read the footer of a pack, from here or by range from there.

        Raises:
            RemoteCorrupt: it does not hash to the pack's name.
        """
        cached = self.cache.cached("footers", pack.name)
        if cached is not None:
            try:
                return parse_footer(cached, pack, self.remote.location)
            except RemoteCorrupt:
                pass  # rotted here: it is fetched again
        whole = receiving and pack.size <= SMALL_PACK_BYTES
        start = 0 if whole else pack.size - pack.footer
        try:
            data = self.remote.read_range(pack_name(pack), start, pack.size - start)
        except FileNotFoundError as error:
            raise RemoteCorrupt(self.remote.location, f"pack {pack.name[:12]} is missing") from error
        footer = parse_footer(data[-pack.footer :], pack, self.remote.location)
        self.cache.store("footers", pack.name, data[-pack.footer :])
        if whole and len(data) == pack.size:
            self.cache.store_pack(pack.name, data)
        return footer


def _own_footer(repo: Repository, snapshot: RemoteSnapshot, pack: PackInfo) -> Footer:
    try:
        return repo.store.packs.footer(pack.name)
    except (RecordCorrupt, FileNotFoundError):
        return snapshot.footer(pack)


def parse_footer(data: bytes, pack: PackInfo, place: str) -> Footer:
    """Footer and trailer of a pack, checked against the pack's name.

    Raises:
        RemoteCorrupt: they do not fit.
    """
    trailer = data[-TRAILER_BYTES:]
    try:
        if len(data) != pack.footer or footer_length(trailer, pack.size, pack.name) != len(data) - TRAILER_BYTES:
            raise RemoteCorrupt(place, f"pack {pack.name[:12]} does not end as its manifest says")
        footer = decode_footer(data[:-TRAILER_BYTES], trailer, pack.name)
    except RecordCorrupt as error:
        raise RemoteCorrupt(place, f"pack {pack.name[:12]}: {error.detail}") from error
    if footer.name != pack.name:
        raise RemoteCorrupt(place, f"pack {pack.name[:12]} holds what belongs to another name")
    return footer


class RemoteObject(msgspec.Struct, frozen=True, gc=False):
    """An object of the remote: its pack, and where in it."""

    pack: PackInfo
    entry: PackEntry


class PackTable:
    """Where the objects of a remote lie."""

    def __init__(self) -> None:
        self.footers: dict[PackInfo, Footer] = {}
        self._where: dict[ObjectId, tuple[PackInfo, int]] = {}

    def add(self, pack: PackInfo, footer: Footer) -> None:
        """Enter a pack."""
        self.footers[pack] = footer
        for number, object_id in enumerate(footer.ids()):
            self._where.setdefault(object_id, (pack, number))

    def find(self, object_id: ObjectId) -> RemoteObject | None:
        """Find where the object lies, None if the remote does not have it."""
        found = self._where.get(object_id)
        return None if found is None else RemoteObject(found[0], self.footers[found[0]].entries[found[1]])

    def numbers(self, object_ids: Iterable[ObjectId]) -> dict[PackInfo, list[int]]:
        """Map packs to the rising numbers, in them, of those of the objects that the remote has."""
        by_pack: defaultdict[PackInfo, list[int]] = defaultdict(list)
        where = self._where
        for object_id in object_ids:
            found = where.get(object_id)
            if found is not None:
                by_pack[found[0]].append(found[1])
        return {pack: sorted(numbers) for pack, numbers in by_pack.items()}

    def first_missing(self, object_ids: Iterable[ObjectId]) -> ObjectId | None:
        """Return one of the objects that the remote has not; None where it has all."""
        where = self._where
        return next((object_id for object_id in object_ids if object_id not in where), None)

    def all_ids(self) -> list[ObjectId]:
        """List the ids of all objects, sorted."""
        return sorted(self._where)

    def __contains__(self, object_id: ObjectId) -> bool:
        return object_id in self._where


def load_snapshot(
    remote: RangeReadable, cache: CacheProtocol, project: str | None, *, accept_older: bool = False
) -> RemoteSnapshot:
    """Look at a remote: one request.

    Raises:
        RemoteMismatch: no project of ours is there, or another one.
        RemoteRewound: it shows an older state than was seen there before.
        RemoteCorrupt: its manifest is not one.
    """
    try:
        loaded = remote.load(MANIFEST)
        manifest = decode_manifest(loaded.data, remote.location)
    except FileNotFoundError as error:
        if cache.state().project:
            raise RemoteMismatch(
                remote.location,
                "there is no project there any more: its manifest.json is gone",
                hint=f"Is the disk mounted? {_BACK}",
            ) from error
        raise RemoteMismatch(
            remote.location,
            "there is no project there",
            hint="`aura remote add` prepares a place; `aura push` fills it.",
        ) from error
    except RemoteCorrupt as error:
        raise RemoteCorrupt(remote.location, f"its manifest is damaged: {error.reason}", hint=_BACK) from error
    if project is not None and manifest.project != project:
        raise RemoteMismatch(
            remote.location,
            f"another project ({manifest.project}) is there, not {project}",
            hint="Every project needs a place of its own.",
        )
    snapshot = RemoteSnapshot(remote, cache, manifest, loaded.data, loaded.token)
    if not accept_older:
        _check_age(snapshot, cache.state())
    return snapshot


def _check_age(snapshot: RemoteSnapshot, seen: RemoteState) -> None:
    """Compare with what was seen before: generations and the entries of machines only ever grow."""
    if READ_ONLY not in snapshot.top.features:
        _check_generation(snapshot, seen)
    for branch, counters in seen.counters.items():
        there = {entry.replica: entry.counter for entry in snapshot.top.branches.get(branch, ())}
        for replica, counter in counters.items():
            if there.get(replica, 0) < counter:
                raise RemoteRewound(snapshot.remote.location, f"branch {branch} is further back than was seen there")


def _check_generation(snapshot: RemoteSnapshot, seen: RemoteState) -> None:
    manifest = snapshot.top
    if manifest.generation < seen.generation:
        raise RemoteRewound(
            snapshot.remote.location,
            f"it is at state {manifest.generation}, and state {seen.generation} was seen there",
        )
    if manifest.generation == seen.generation and snapshot.digest != seen.digest:
        raise RemoteRewound(
            snapshot.remote.location, f"its state {manifest.generation} is not the one that was seen there"
        )
    if manifest.generation == seen.generation + 1 and seen.digest and manifest.previous != seen.digest:
        raise RemoteRewound(snapshot.remote.location, "its state does not follow the one that was seen there")


def check_place_of_its_own(snapshot: RemoteSnapshot, what: str) -> None:
    """Refuse to rely on a project's own folder as on a place that keeps things for others; `what` says for what.

    Raises:
        RemoteMismatch.
    """
    if PROJECT_FOLDER in snapshot.top.features:
        raise RemoteMismatch(
            snapshot.remote.location,
            f"it is a project's own folder, and no place {what}: what it keeps is its own to decide",
            hint="Use a place of its own: `aura remote add backup FOLDER`.",
        )


def state_of(
    snapshot: RemoteSnapshot, before: RemoteState, *, fetched: str | None = None, pushed: str | None = None
) -> RemoteState:
    """Build what to remember of a snapshot."""
    manifest = snapshot.top
    passes = READ_ONLY in manifest.features
    return RemoteState(
        project=manifest.project,
        generation=before.generation if passes else manifest.generation,
        digest=before.digest if passes else snapshot.digest,
        counters={
            name: {entry.replica: entry.counter for entry in entries} for name, entries in manifest.branches.items()
        },
        fetched=before.fetched if fetched is None else fetched,
        pushed=before.pushed if pushed is None else pushed,
        versions=snapshot.count(before.versions),
        locks=manifest.locks,
        heads={
            name: tuple({entry.version: None for entry in heads(entries) if entry.version is not None})
            for name, entries in manifest.branches.items()
        },
    )


def named_versions(manifest: Manifest) -> set[VersionId]:
    """Return the versions that branches and tags stand on."""
    tips = {entry.version for entries in manifest.branches.values() for entry in heads(entries)}
    return {version for version in tips | {tag.version for tag in manifest.tags.values()} if version is not None}


def load_unremembered(repo: Repository, remote: RangeReadable) -> RemoteSnapshot:
    """Look at the project's remote with nothing cached, for checks: what is cached here proves nothing.

    Raises:
        RemoteMismatch, RemoteCorrupt: as `load_snapshot`.
    """
    return load_snapshot(remote, NullCache(), repo.format.project)
