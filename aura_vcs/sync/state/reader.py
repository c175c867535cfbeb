"""Reading single objects of a remote by range: versions, trees and lists of chunks.

Small packs are fetched whole, once. Of a large pack all frames that hold versions and trees are
fetched together, because one of them is rarely wanted alone. Everything is hashed.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from aura_vcs.codec import decode_tree, decode_version
from aura_vcs.compression import FrameCache
from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import IntegrityError, RecordCorrupt
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.model import Kind, Tree, Version
from aura_vcs.objects.base import EMPTY_TREE_ID, IDENTIFY
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.objects.graph import State, UnreadableObject, fault_of
from aura_vcs.objects.packs.format import CODEC_RAW, Frame
from aura_vcs.objects.packs.reader import decode_frame
from aura_vcs.objects.trees import EMPTY_TREE
from aura_vcs.sync.state.manifest import PackInfo, pack_name
from aura_vcs.sync.state.pack_table import PackTable, RemoteObject
from aura_vcs.sync.state.snapshot import SMALL_PACK_BYTES, RemoteSnapshot

CACHE_BYTES = 64 << 20
GAP_BYTES = 64 << 10
"""Two ranges so close are fetched as one: a request costs more than the bytes between them."""
RANGE_BYTES = 16 << 20
DECODED_BYTES = 32 << 20
"""Kept decoded: folders that were stored together lie in one frame, and are asked for one after the other."""


class RemoteReader:
    """Objects of one remote snapshot."""

    def __init__(self, snapshot: RemoteSnapshot, table: PackTable) -> None:
        self._snapshot = snapshot
        self._table = table
        self._stored = FrameCache(CACHE_BYTES)
        self._decoded = FrameCache(DECODED_BYTES)

    def version(self, version: VersionId) -> Version:
        """Read a version.

        Raises:
            RemoteCorrupt: it is not there, or damaged.
            ObjectMalformed: it is not a proper version.
        """
        return decode_version(self.read(version, Kind.VERSION), version)

    def tree(self, tree: ObjectId) -> Tree:
        """Read a tree.

        Raises:
            RemoteCorrupt: it is not there, or damaged.
            ObjectMalformed, UnsafePath, LimitExceeded: it is not a proper tree.
        """
        return EMPTY_TREE if tree == EMPTY_TREE_ID else decode_tree(self.read(tree, Kind.TREE), tree)

    def chunks(self, blob: ObjectId) -> Sequence[ObjectId]:
        """Read which chunks a blob is kept in; none where it is kept whole.

        Raises:
            RemoteCorrupt: it is not there, or one of them is not, or is not as long as the list says.
            ObjectCorrupt: it is not a proper list.
        """
        found = self.locate(blob)
        if not found.entry.chunked:
            return ()
        listed = list(decode_chunk_list(self.raw(found), blob))
        for chunk, length in listed:
            if self.locate(chunk).entry.length != length:
                raise RemoteCorrupt(self._snapshot.remote.location, f"the chunks of {blob[:12]} do not fit its list")
        return [chunk for chunk, _ in listed]

    def fault(self, object_id: ObjectId, error: AuraError) -> UnreadableObject | None:
        """Say what an error means for the object; None where the remote cannot be asked any more."""
        if isinstance(error, RemoteCorrupt):
            return UnreadableObject(object_id, State.DAMAGED if self.has(object_id) else State.MISSING, error.reason)
        return fault_of(object_id, error) if isinstance(error, IntegrityError) else None

    def read(self, object_id: ObjectId, kind: Kind) -> bytes:
        """Read the bytes of an object that lies whole in a frame, hashed.

        Raises:
            RemoteCorrupt: it is not there, or damaged.
        """
        found = self.locate(object_id)
        data = self.raw(found)
        if found.entry.chunked or IDENTIFY[kind](data) != object_id:
            raise RemoteCorrupt(self._snapshot.remote.location, f"{kind} {object_id[:12]} does not hash to its name")
        return data

    def has(self, object_id: ObjectId) -> bool:
        """Tell whether a listed pack has the object; the empty folder is known to everybody."""
        return object_id == EMPTY_TREE_ID or object_id in self._table

    def locate(self, object_id: ObjectId) -> RemoteObject:
        """Find where an object lies.

        Raises:
            RemoteCorrupt: no listed pack has it.
        """
        self.require([object_id])
        found = self._table.find(object_id)
        assert found is not None
        return found

    def require(self, object_ids: Iterable[ObjectId]) -> None:
        """See that a listed pack has each of them.

        Raises:
            RemoteCorrupt: none has one of them.
        """
        lacking = self._table.first_missing(object_ids)
        if lacking is not None:
            raise RemoteCorrupt(self._snapshot.remote.location, f"object {lacking} is needed and is not there")

    def raw(self, found: RemoteObject) -> bytes:
        """Read the bytes of an entry as the pack has them, not hashed."""
        return self.frame(found.pack, found.entry.frame)[found.entry.offset :][: found.entry.length]

    def frame(self, pack: PackInfo, number: int) -> bytes:
        """Read a frame and decode it.

        Raises:
            RemoteCorrupt: it does not decode to what the footer says.
        """
        data = self._decoded.get(pack.name, number)
        if data is not None:
            return data
        frame = self._table.footers[pack].frames[number]
        stored = self._stored.get(pack.name, number) or self._fetch(pack, number)
        try:
            return self._decoded.put(pack.name, number, decode_frame(frame, stored, f"pack {pack.name[:12]}"))
        except RecordCorrupt as error:
            raise RemoteCorrupt(self._snapshot.remote.location, error.message) from error

    def _fetch(self, pack: PackInfo, number: int) -> bytes:
        """Get a frame, and with it those that are likely to be wanted next."""
        footer = self._table.footers[pack]
        wanted = {number}
        if pack.size <= SMALL_PACK_BYTES:
            wanted = set(range(len(footer.frames)))
        elif footer.frames[number].codec != CODEC_RAW:
            wanted |= {entry.frame for entry in footer.entries if entry.kind in {Kind.TREE, Kind.VERSION}}
        total = 0
        for run in runs(footer.frames, sorted(wanted)):
            first, last = footer.frames[run[0]], footer.frames[run[-1]]
            total += last.offset + last.stored_length - first.offset
            if total > CACHE_BYTES // 2 and number not in run:
                continue
            with suppress(RemoteCorrupt):  # damage beside what is wanted: that is fetched for itself then
                self.cache_run(pack, run)
        found = self._stored.get(pack.name, number)
        if found is None:
            self.cache_run(pack, [number])
            found = self._stored.get(pack.name, number)
        assert found is not None
        return found

    def cache_run(self, pack: PackInfo, run: list[int]) -> None:
        """Fetch neighbouring frames with one request."""
        frames = self._table.footers[pack].frames
        start = frames[run[0]].offset
        data = fetch(self._snapshot, pack, start, frames[run[-1]].offset + frames[run[-1]].stored_length - start)
        for number in run:
            at = frames[number].offset - start
            self._stored.put(pack.name, number, data[at : at + frames[number].stored_length])


def runs(frames: tuple[Frame, ...], numbers: list[int]) -> list[list[int]]:
    """Group numbers of frames by what is worth one request each; gaps are filled in."""
    found: list[list[int]] = []
    for number in numbers:
        if found:
            first, last = frames[found[-1][0]], frames[found[-1][-1]]
            gap = frames[number].offset - (last.offset + last.stored_length)
            size = frames[number].offset + frames[number].stored_length - first.offset
            if gap <= GAP_BYTES and size <= RANGE_BYTES:
                found[-1] += range(found[-1][-1] + 1, number + 1)
                continue
        found.append([number])
    return found


def fetch(snapshot: RemoteSnapshot, pack: PackInfo, offset: int, length: int) -> bytes:
    """Fetch a range of a pack, from what has arrived already or from the remote.

    Raises:
        RemoteCorrupt: the pack is missing or shorter than its manifest says.
    """
    here = snapshot.cache.partial_range(pack.name, offset, length)
    if here is not None:
        return here
    try:
        data = snapshot.remote.read_range(pack_name(pack), offset, length)
    except FileNotFoundError as error:
        raise RemoteCorrupt(snapshot.remote.location, f"pack {pack.name[:12]} is missing") from error
    if len(data) != length:
        raise RemoteCorrupt(snapshot.remote.location, f"pack {pack.name[:12]} is shorter than it should be")
    return data
