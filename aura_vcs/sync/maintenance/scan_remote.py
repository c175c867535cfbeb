"""Which objects of a remote are sound, told by reading and hashing all that it lists.

Packs never change, so what was read once is not read again: after a lost race only packs are read
that are new there.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

import msgspec

from aura_vcs.errors.integrity import IntegrityError, ObjectMissing, RecordCorrupt
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.ids import ObjectId
from aura_vcs.objects.packs.format import MAGIC, TRAILER_BYTES, Footer, PackEntry, decode_footer, footer_length
from aura_vcs.objects.packs.reader import decode_frame
from aura_vcs.objects.packs.verify import ReadChunk, check_chunk_list, check_entries
from aura_vcs.parallel import side_by_side
from aura_vcs.progress import Progress
from aura_vcs.sync.state.manifest import PackInfo, pack_name
from aura_vcs.sync.state.pack_table import PackTable, RemoteObject
from aura_vcs.sync.state.reader import RemoteReader, fetch, runs
from aura_vcs.sync.state.snapshot import RemoteSnapshot

KnownFooter = Callable[[PackInfo], Footer | None]
"""The footer of a pack from elsewhere, checked against the pack's name; None if nobody has it."""


class PackScan(msgspec.Struct, frozen=True):
    """What was found of a listed pack. `fault` is "" where all of it is sound.

    `footer` says what it holds, or None if nobody can tell; `at` is how its bytes are to be read, which
    is another than the listed one where the file holds something else. `bad` do not hash to their names.
    """

    fault: str
    at: PackInfo
    footer: Footer | None
    bad: frozenset[ObjectId] = frozenset()


class RemoteIntactObjects:
    """Where the sound objects of a remote lie: in `whole` packs, or in packs that are damaged.

    `rest` has what is sound in damaged packs, and can be read with `reader`.
    """

    def __init__(self, known_footer: KnownFooter, progress: Progress) -> None:
        self._known_footer = known_footer
        self._progress = progress
        self._looks: dict[PackInfo, PackScan] = {}
        self._checked: set[tuple[PackInfo, ObjectId]] = set()
        self.whole = PackTable()
        self.rest: dict[ObjectId, RemoteObject] = {}

    def scan(self, snapshot: RemoteSnapshot) -> None:
        """Read what the snapshot lists and was not read before.

        Raises:
            RemoteUnreachable: the connection went.
        """
        new = [pack for pack in snapshot.manifest.packs if pack not in self._looks]
        self._progress.start("Reading what is there", sum(pack.size for pack in new), "bytes")
        found = side_by_side(lambda pack: self._pack(snapshot, pack), new)
        self._progress.finish()
        self._looks |= dict(zip(new, found, strict=True))
        self._looks = {pack: self._looks[pack] for pack in snapshot.manifest.packs}
        self._register(snapshot)

    def damaged(self) -> dict[PackInfo, PackScan]:
        """Return the listed packs that are not as they should be."""
        return {pack: look for pack, look in self._looks.items() if look.fault}

    def find(self, object_id: ObjectId) -> RemoteObject | None:
        """Find where an intact copy lies, in whichever pack; None if there is none."""
        return self.whole.find(object_id) or self.rest.get(object_id)

    def raw(self, found: RemoteObject) -> bytes:
        """Return the bytes of an object that was found, not hashed again."""
        return self.reader.raw(found)

    def check_lists(self, read_chunk: ReadChunk) -> None:
        """Hash the blobs that are kept in chunks: a list has no hash of its own, and a wrong one is damage.

        What `read_chunk` does not have is looked for there. Where chunks are missing, only
        another pack's list tells.

        Raises:
            RemoteCorrupt: what could be read before cannot be read any more.
        """

        def read(chunk: ObjectId) -> bytes:
            try:
                return read_chunk(chunk)
            except ObjectMissing:
                found = self.find(chunk)
                if found is None or found.entry.chunked:
                    raise
                return self.raw(found)

        wrong: defaultdict[PackInfo, set[ObjectId]] = defaultdict(set)
        unsure: list[tuple[PackInfo, ObjectId]] = []
        lists = [(pack, entry) for pack, look in self._looks.items() for entry in _intact_lists(look)]
        new = [(pack, entry) for pack, entry in lists if (pack, entry.id) not in self._checked]
        self._progress.start("Checking content in parts", len(new), "files")
        for pack, entry in new:
            try:
                check_chunk_list(entry.id, self.raw(RemoteObject(self._looks[pack].at, entry)), read)
                self._checked.add((pack, entry.id))
            except ObjectMissing:
                unsure.append((pack, entry.id))
            except IntegrityError:
                wrong[pack].add(entry.id)
            self._progress.advance(1)
        self._progress.finish()
        right = {blob for _, blob in self._checked}
        for pack, blob in unsure:
            if blob in right:
                wrong[pack].add(blob)
        self._reject(wrong)

    def reject(self, lists: set[tuple[PackInfo, ObjectId]]) -> None:
        """Mark whole packs as damaged whose lists turned out not to be those of their blobs."""
        wrong: defaultdict[PackInfo, set[ObjectId]] = defaultdict(set)
        for pack, blob in lists:
            wrong[pack].add(blob)
        self._reject(wrong)

    def _reject(self, wrong: Mapping[PackInfo, set[ObjectId]]) -> None:
        for pack, blobs in wrong.items():
            look = self._looks[pack]
            fault = look.fault or f"the list of the parts of {min(blobs)[:12]} is not that of its content"
            self._looks[pack] = msgspec.structs.replace(look, fault=fault, bad=look.bad | blobs)
        if wrong:
            self._register(self._snapshot)

    def _register(self, snapshot: RemoteSnapshot) -> None:
        """Sort what was found into whole packs and the rest."""
        self._snapshot, self.whole, self.rest = snapshot, PackTable(), {}
        everything = PackTable()
        for pack, look in self._looks.items():
            if look.footer is None:
                continue
            everything.footers[look.at] = look.footer
            if not look.fault:
                self.whole.add(pack, look.footer)
                continue
            for entry in look.footer.entries:
                if entry.id not in look.bad:
                    self.rest.setdefault(entry.id, RemoteObject(look.at, entry))
        self.reader = RemoteReader(snapshot, everything)

    def _pack(self, snapshot: RemoteSnapshot, pack: PackInfo) -> PackScan:
        fault, at, footer = self._footer(snapshot, pack)
        if footer is None:
            self._progress.advance(pack.size)
            return PackScan(fault, at, None)
        by_frame: defaultdict[int, list[PackEntry]] = defaultdict(list)
        for entry in footer.entries:
            by_frame[entry.frame].append(entry)
        bad: set[ObjectId] = set()
        for number, data in frames(snapshot, at, footer, range(len(footer.frames))):
            found = _damaged_objects(data, by_frame[number], pack.name)
            if data is None and not found:
                fault = fault or "a part of it cannot be read"
            bad |= found
            self._progress.advance(footer.frames[number].stored_length)
        if bad and not fault:
            fault = f"{len(bad):,} of its {len(footer.entries):,} objects {'is' if len(bad) == 1 else 'are'} damaged"
        if not fault and not has_pack_header(snapshot, pack):
            fault = "it does not begin as a pack does"
        self._progress.advance(pack.footer)
        return PackScan(fault, at, footer, frozenset(bad))

    def _footer(self, snapshot: RemoteSnapshot, pack: PackInfo) -> tuple[str, PackInfo, Footer | None]:
        """Return what is wrong with the file as such, and what the pack holds, from there or from elsewhere."""
        fault = ""
        try:
            size = snapshot.remote.size(pack_name(pack))
            if size is None:
                return "it is not there", pack, self._known_footer(pack)
            if size != pack.size:
                fault = f"it has {size:,} bytes, not {pack.size:,}"
            return fault, pack, snapshot.footer(pack)
        except RemoteCorrupt as error:
            fault = fault or error.reason
        footer = self._known_footer(pack)
        if footer is not None:
            return fault, pack, footer
        return fault, *_actual_footer(snapshot, pack)


def _actual_footer(snapshot: RemoteSnapshot, pack: PackInfo) -> tuple[PackInfo, Footer | None]:
    """Read what the file under a pack's name really holds, if it is a pack at all."""
    with suppress(RecordCorrupt, RemoteCorrupt, FileNotFoundError):
        size = snapshot.remote.size(pack_name(pack)) or 0
        trailer = snapshot.remote.read_range(pack_name(pack), max(0, size - TRAILER_BYTES), TRAILER_BYTES)
        at = PackInfo(pack.name, size, footer_length(trailer, size, pack.name) + TRAILER_BYTES)
        ending = fetch(snapshot, at, size - at.footer, at.footer)
        return at, decode_footer(ending[:-TRAILER_BYTES], trailer, pack.name)
    return pack, None


def frames(
    snapshot: RemoteSnapshot, pack: PackInfo, footer: Footer, numbers: Sequence[int]
) -> Iterator[tuple[int, bytes | None]]:
    """Yield frames of a pack, decoded; None for one that cannot be read or does not decode.

    Neighbours come with one request; where that fails, each is tried for itself.
    """
    wanted = set(numbers)
    for run in runs(footer.frames, sorted(wanted)):
        first, last = footer.frames[run[0]], footer.frames[run[-1]]
        data = _fetched(snapshot, pack, first.offset, last.offset + last.stored_length - first.offset)
        for number in run:
            if number not in wanted:
                continue
            frame = footer.frames[number]
            at = frame.offset - first.offset
            stored = data[at : at + frame.stored_length] if data is not None else None
            if stored is None and len(run) > 1:
                stored = _fetched(snapshot, pack, frame.offset, frame.stored_length)
            decoded = None
            with suppress(RecordCorrupt):
                decoded = decode_frame(frame, stored, pack.name) if stored is not None else None
            yield number, decoded


def _fetched(snapshot: RemoteSnapshot, pack: PackInfo, offset: int, length: int) -> bytes | None:
    try:
        return fetch(snapshot, pack, offset, length)
    except RemoteCorrupt:
        return None


def _damaged_objects(data: bytes | None, entries: Sequence[PackEntry], pack: str) -> set[ObjectId]:
    """Find the objects of a frame whose bytes do not hash to their ids."""
    if data is None:
        return {entry.id for entry in entries}
    found = set()
    for entry in entries:
        try:
            check_entries(data, [entry], pack)
        except IntegrityError:
            found.add(entry.id)
    return found


def has_pack_header(snapshot: RemoteSnapshot, pack: PackInfo) -> bool:
    """Tell whether the first bytes are those of a pack: no object covers them."""
    return _fetched(snapshot, pack, 0, len(MAGIC)) == MAGIC


def _intact_lists(look: PackScan) -> list[PackEntry]:
    return [] if look.footer is None else [entry for entry in look.footer.chunked() if entry.id not in look.bad]
