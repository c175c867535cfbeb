"""What a push delivers: packs, hashed before they get their name there, and records of labels.

Nothing sees either until the manifest lists them. What an interrupted delivery left there is found
by its name, which says what is in it, and is not sent again; nor is the beginning of a pack that was
under way, where the remote keeps that.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from threading import Event
from typing import BinaryIO

import msgspec

from aura_vcs.errors import Interrupted
from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.ids import VersionId
from aura_vcs.layout import pack_path
from aura_vcs.model import Annotation, Label
from aura_vcs.objects.packs.folder_packs import cut
from aura_vcs.objects.packs.reader import OpenPack
from aura_vcs.objects.packs.verify import check_frames
from aura_vcs.parallel import TRANSFERS
from aura_vcs.progress import SILENT, Progress, Silent
from aura_vcs.refs.merge import merge_labels
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.state.annotations import merge_into, proper_annotations
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.manifest import PackInfo, RecordInfo, encode_records, pack_name, record_name
from aura_vcs.sync.state.manifest_update import tombstones
from aura_vcs.sync.state.pieces import create_record
from aura_vcs.sync.state.snapshot import RemoteSnapshot

PROBE_BYTES = 1 << 20
"""A pack of this size is asked for before it is sent: one small request against sending it in vain."""


class Uploaded(msgspec.Struct, frozen=True):
    """The packs that are there now, and how many bytes of them had been there before."""

    packs: tuple[PackInfo, ...]
    arrived_bytes: int


class _Way(msgspec.Struct, frozen=True):
    """Where packs go, what is remembered of it, how large packs of the store may be there, and whether to stop."""

    remote: RemoteStorage
    cache: RemoteCache
    pack_bytes: int | None
    stop: Event


def send_packs(
    repo: Repository,
    remote: RemoteStorage,
    cache: RemoteCache,
    sources: Sequence[tuple[LocalStorage, str]],
    pack_bytes: int | None = None,
) -> Uploaded:
    """Send packs beside each other, and look at what has arrived; `sources` say where each lies, and its name.

    Packs of the store with more than `pack_bytes` are cut for the way; see objects.packs.folder_packs.
    Interrupted, those that arrived as a whole stay there, unlisted, and of others what has arrived, where
    the remote can go on with it. On Ctrl-C those under way end with the piece that is being sent.

    Raises:
        RefMoved: one was collected there before it could be listed.
        RemoteCorrupt: one did not arrive as it was sent.
        ObjectCorrupt, RecordCorrupt: one is damaged here; it did not get its name there.
    """
    from concurrent.futures import ThreadPoolExecutor  # slow to import, and often not needed

    progress = repo.progress
    progress.start("Sending", sum(_size(storage, name) for storage, name in sources), "bytes")
    way = _Way(remote, cache, pack_bytes, Event())
    with ThreadPoolExecutor(TRANSFERS) as executor:
        try:
            sent = list(executor.map(lambda source: _send_pack(repo, way, *source), sources))
        except KeyboardInterrupt:
            way.stop.set()  # else they would be sent to their ends before anybody hears of it
            raise
    progress.finish()
    arrived = sum(there for _, there in chain(*sent))
    if arrived >= PROBE_BYTES:  # less is not worth a line
        progress.note(f"{arrived / 1e6:,.1f} MB had arrived already and were not sent again")
    return Uploaded(tuple(info for info, _ in chain(*sent)), arrived)


class _CountedProgress(Silent):
    """Counts the bytes of one pack, over several passes over it, and ends the sending when it is to stop."""

    def __init__(self, progress: Progress, size: int, stop: Event, passes: int) -> None:
        self._progress = progress
        self._size = size
        self._stop = stop
        self._passes = passes
        self._seen = 0
        self._told = 0

    def advance(self, amount: int) -> None:
        """See Progress.

        Raises:
            Interrupted: the person stopped it.
        """
        if self._stop.is_set():
            raise Interrupted("Stopped")
        self._seen += amount
        self._tell(min(self._size, self._seen // self._passes))

    def finish(self) -> None:
        """Count all of it as sent."""
        self._tell(self._size)

    def _tell(self, done: int) -> None:
        if done > self._told:
            fresh, self._told = done - self._told, done
            self._progress.advance(fresh)


def _size(storage: LocalStorage, name: str) -> int:
    found = storage.stat(pack_path(name))
    return found.size if found is not None else 0


def _send_pack(repo: Repository, way: _Way, storage: LocalStorage, name: str) -> list[tuple[PackInfo, int]]:
    """Send a pack, cut where it must be, unless it is there; with how much of each was there before."""
    remote, cache, limit = way.remote, way.cache, way.pack_bytes
    with storage.open(pack_path(name)) as file:
        opened = OpenPack(file, name)
        if storage is not repo.storage or limit is None or opened.size <= limit:
            counted = _CountedProgress(repo.progress, opened.size, way.stop, _passes(remote))
            return [_send_part(remote, cache, opened, counted, is_ours=storage is repo.storage)]
        sent, rest = [], opened.size
        for part in cut(opened.footer, limit):
            counted = _CountedProgress(repo.progress, part.length, way.stop, _passes(remote))
            sent.append(_send_part(remote, cache, OpenPack(part.open(file), part.name), counted, is_ours=False))
            rest -= part.length
        repo.progress.advance(rest)  # the footer of the whole, for which each of them has one of its own
        return sent


def _passes(remote: RemoteStorage) -> int:
    """Return how often the bytes of a pack are counted on their way."""
    return 2 if remote.create_checked is not None else 1


def _send_part(
    remote: RemoteStorage, cache: RemoteCache, opened: OpenPack, counted: _CountedProgress, *, is_ours: bool
) -> tuple[PackInfo, int]:
    """Send what is to be one pack there, and look at what has arrived. Its footer is kept if no pack of ours has it."""
    last = opened.frames[-1]
    start = last.offset + last.stored_length
    info = PackInfo(opened.name, opened.size, opened.size - start)
    tail = opened.read_at(start, info.footer)
    there = min(_upload(remote, info, opened, counted), info.size)
    counted.finish()
    try:
        arrived = remote.read_range(pack_name(info), start, info.footer + 1)
    except FileNotFoundError as error:  # collected before it was listed: look again, and send it otherwise
        raise RefMoved(f"{remote.location}/{pack_name(info)}", "there", "gone") from error
    if arrived != tail:
        raise RemoteCorrupt(remote.location, f"pack {info.name[:12]} did not arrive as it was sent")
    if not is_ours:
        cache.store("footers", info.name, tail)
    return info, there


def _upload(remote: RemoteStorage, info: PackInfo, opened: OpenPack, progress: Progress) -> int:
    """Create a pack there that is hashed; how many of its bytes were there already.

    A folder lets us hash what arrived: one pass for both sides.

    Raises:
        ObjectCorrupt, RecordCorrupt: it is damaged here; it did not get its name there.
        RemoteCorrupt: it was damaged on its way.
    """

    def check(arrived: BinaryIO) -> None:
        try:
            check_frames(OpenPack(arrived, info.name), progress)
        except IntegrityError as error:
            check_frames(opened, SILENT)  # was it damaged here? Then that is what is said
            raise RemoteCorrupt(remote.location, f"pack {info.name[:12]} arrived damaged: {error.message}") from error

    if info.size >= PROBE_BYTES and remote.size(pack_name(info)) is not None:
        return info.size
    try:
        if remote.create_checked is not None:
            return remote.create_checked(pack_name(info), opened.file, check=check, progress=progress)
        check_frames(opened, SILENT)
        return remote.create(pack_name(info), opened.file, progress=progress)
    except FileExistsError:
        return info.size


def send_labels(
    remote: RemoteStorage,
    snapshot: RemoteSnapshot,
    labels: Mapping[VersionId, Label],
    annotations: Mapping[str, Annotation],
) -> tuple[RecordInfo, ...]:
    """Send labels and annotations that changed, together with small records before them: their number stays small.

    Returns the records that the manifest is to list. Interrupted, a record lies there unlisted.

    Raises:
        RefMoved: a record was collected there before it could be listed.
        RemoteCorrupt: a record is there with other bytes.
    """
    records = list(snapshot.manifest.records)
    if not labels and not annotations:
        return tuple(records)
    joined, said = dict(labels), dict(annotations)
    name, data = _encoded(joined, said, snapshot)
    while records and records[-1].size <= 2 * len(data):
        found = snapshot.record(records.pop())
        for label in found.labels:
            known = joined.get(label.version)
            joined[label.version] = label if known is None else merge_labels(label, known)
        merge_into(said, proper_annotations(found.annotations))
        name, data = _encoded(joined, said, snapshot)
    info = RecordInfo(name, len(data))
    create_record(remote, info, data)
    snapshot.cache.store("records", name, data)
    return (*records, info) if info.name not in {r.name for r in records} else tuple(records)


def _encoded(
    labels: Mapping[VersionId, Label], annotations: Mapping[str, Annotation], snapshot: RemoteSnapshot
) -> tuple[str, bytes]:
    """Encode a record, under a name that is not spent."""
    name, data = encode_records(labels.values(), annotations)
    if record_name(name) in tombstones(snapshot.manifest):
        import secrets  # seldom needed, and slow to import

        name, data = encode_records(labels.values(), annotations, salt=secrets.token_hex(8))
    return name, data
