"""A remote as it was seen at one moment: its manifest, its labels, and what its packs hold."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cached_property

import msgspec

from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteMismatch, RemoteRewound
from aura_vcs.ids import VersionId
from aura_vcs.layout import PACKS
from aura_vcs.model import Label
from aura_vcs.objects.packs.format import TRAILER_BYTES, Footer, decode_footer, footer_length
from aura_vcs.parallel import side_by_side
from aura_vcs.refs.merge import heads, merge_labels
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RangeReadable
from aura_vcs.sync.state.annotations import Annotations, merge_into, proper_annotations
from aura_vcs.sync.state.cache import CacheProtocol, RemoteCache, RemoteState, UntrustedCache
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
from aura_vcs.sync.state.pack_table import LargePackTable, PackTable, are_many
from aura_vcs.sync.state.pieces import ReadPieces, read_intact_pieces, read_pieces, with_pieces

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
        self._records: dict[str, Records] = {}

    @cached_property
    def pieces(self) -> ReadPieces:
        """What the pieces of the list of packs say; those that are not remembered here are fetched.

        Raises:
            RemoteCorrupt: one is not there as it should be.
        """
        return read_pieces(self.remote, self.cache, self.top) if self.top.pieces else ReadPieces()

    def without_lost_pieces(self) -> "RemoteSnapshot":
        """Return the same without what pieces list that cannot be had; `pieces.lost` of it says which these are.

        Raises:
            RemoteUnreachable: the connection went.
        """
        found = read_intact_pieces(self.remote, self.cache, self.top) if self.top.pieces else ReadPieces()
        return self._changed(msgspec.structs.replace(self.top, pieces=tuple(found.packs)), found)

    def with_packs(self, packs: Iterable[PackInfo]) -> "RemoteSnapshot":
        """Return the same with more packs in its list, as they were found there."""
        return self._changed(msgspec.structs.replace(self.top, packs=(*self.top.packs, *packs)), self.pieces)

    def remembered(self, cache: CacheProtocol) -> "RemoteSnapshot":
        """Return the same with what is remembered of the remote."""
        return self._changed(self.top, self.pieces, cache)

    def _changed(self, top: Manifest, pieces: ReadPieces, cache: CacheProtocol | None = None) -> "RemoteSnapshot":
        other = RemoteSnapshot(self.remote, cache or self.cache, top, b"", self.token)
        other.digest, other.pieces = self.digest, pieces
        return other

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
        if info.name in self._records:
            return self._records[info.name]
        cached = self.cache.cached("records", info.name)
        if cached is not None:
            with suppress(RemoteCorrupt):  # rotted here: it is fetched again
                found = self._records[info.name] = decode_records(cached, info, self.remote.location)
                return found
        try:
            data = self.remote.load(record_name(info)).data
        except FileNotFoundError as error:
            raise RemoteCorrupt(self.remote.location, f"record {info.name[:12]} is missing") from error
        found = self._records[info.name] = decode_records(data, info, self.remote.location)
        self.cache.store("records", info.name, data)
        return found

    def table(self, repo: Repository, *, fetching: bool = False) -> PackTable:
        """Build the table of what lies in which pack; footers that are not here are fetched by range.

        Where there are very many objects, footers are read once to enter them, and again when they are asked for.
        With `fetching`, small packs come as a whole at once: they will be wanted.
        """
        if self._table is None:
            packs, here = self.manifest.packs, set(repo.storage.list(PACKS))
            locations = self.cache.locations() if are_many(packs) else None

            def read(some: Sequence[PackInfo]) -> list[Footer]:
                missing = [pack for pack in some if f"{pack.name}.pack" not in here]
                found = side_by_side(lambda pack: self.footer(pack, fetching=fetching), missing)
                footers = dict(zip(missing, found, strict=True))
                return [footers[pack] if pack in footers else _own_footer(repo, self, pack) for pack in some]

            if locations is None:
                self._table = PackTable()
                for pack, footer in zip(packs, read(packs), strict=True):
                    self._table.add(pack, footer)
            else:
                self._table = LargePackTable(packs, locations, read)
            self.cache.retain("footers", {info.name for info in packs})
        return self._table

    def footer(self, pack: PackInfo, *, fetching: bool = False) -> Footer:
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
        whole = fetching and pack.size <= SMALL_PACK_BYTES
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


def load_unremembered(repo: Repository, remote: RangeReadable, cache: RemoteCache) -> RemoteSnapshot:
    """Look at the project's remote with nothing cached, for checks: what is cached here proves nothing.

    Only pieces of the list of packs that are lost there come from here: they say where to look.

    Raises:
        RemoteMismatch, RemoteCorrupt: as `load_snapshot`.
    """
    return load_snapshot(remote, UntrustedCache(cache), repo.format.project, accept_older=True)
