"""Packs on disk: reading one frame of many. A pack never changes once it has its name."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO

from aura_vcs.compression import HEAD_BYTES, FrameCache, NotDecodable, content_length, decompress, unshuffled
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.layout import PACKS, pack_path
from aura_vcs.objects.base import PackLocation
from aura_vcs.objects.packs.format import (
    CODEC_RAW,
    CODEC_SHUFFLED,
    CODEC_UNWRAPPED,
    FRAME_LIMIT,
    MAGIC,
    TRAILER_BYTES,
    TWICE_LIMIT,
    UNWRAPPED_CODECS,
    UNWRAPPED_LIMIT,
    Footer,
    Frame,
    decode_footer,
    decode_frames,
    footer_length,
    has_twice,
    has_unwrapped,
    pack_name,
)
from aura_vcs.storage.base import Deletable, FileStat

if TYPE_CHECKING:
    from aura_vcs.formats.deflate.unwrapping import Unwrapped
    from aura_vcs.objects.packs.conflicted_copies import PackCopies
    from aura_vcs.objects.packs.unwrapped import UnwrappedFrame

_PACK = ".pack"

FRAME_CACHE_BYTES = 32 << 20
OPEN_PACKS = 32
CACHED_ENTRIES = 8192
"""Of larger packs the footer is read again when it is asked for again."""
FEW_ENTRIES = 1024
"""Of packs with so few, the entries are kept when the frames are read."""
ENDING_BYTES = 4096
"""So much is read of the end of a pack at first: the footer of a small one is in it."""
RUN_BYTES = 512 << 10
"""So much is read together at most."""

_ONE_BY_ONE = frozenset({CODEC_RAW, *UNWRAPPED_CODECS})
"""Codecs of which one object is read without the rest of its frame."""


class OpenPack:
    """A pack that is being read: its file and its footer."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file = file
        self.name = name
        self.size = file.seek(0, 2)
        path = pack_path(name)
        end = self.read_at(max(0, self.size - ENDING_BYTES), ENDING_BYTES)
        self._footer_at = self.size - TRAILER_BYTES - footer_length(end[-TRAILER_BYTES:], self.size, path)
        if pack_name(end[-TRAILER_BYTES:]) != name:
            raise RecordCorrupt(path, "its name is not the hash of its footer")
        _, self.frames, entries = decode_frames(*self._ending(end), path)
        self._entries = entries if len(entries) <= FEW_ENTRIES else None
        self._footer: Footer | None = None

    @property
    def footer(self) -> Footer:
        """All that the pack holds; kept, unless that is very much.

        Raises:
            RecordCorrupt: frames and entries contradict each other.
        """
        if self._footer is not None:
            return self._footer
        path = pack_path(self.name)
        if self._entries is None:
            found = decode_footer(*self._ending(b""), path)
        else:
            self._entries.check(self.frames, path)
            found = Footer(self.name, self.frames, self._entries)
        self._footer = found if len(found.entries) <= CACHED_ENTRIES else None
        return found

    def _ending(self, end: bytes) -> tuple[bytes, bytes]:
        """Return footer and trailer as they are stored, from the last bytes of the file if those are enough."""
        length = self.size - self._footer_at
        ending = end[-length:] if len(end) >= length else self.read_at(self._footer_at, length)
        return ending[:-TRAILER_BYTES], ending[-TRAILER_BYTES:]

    def read_at(self, offset: int, length: int) -> bytes:
        """Read `length` bytes from `offset`, fewer at the end of the file."""
        self.file.seek(offset)
        return self.file.read(length)

    def check_size(self) -> None:
        """Check that frames and footer fill the pack.

        Raises:
            RecordCorrupt: bytes are missing or left over.
        """
        end = self.frames[-1].offset + self.frames[-1].stored_length if self.frames else len(MAGIC)
        if end != self._footer_at or self.read_at(0, len(MAGIC)) != MAGIC:
            raise RecordCorrupt(pack_path(self.name), "its frames do not fill it")

    def frame_into(self, number: int, buffer: bytearray) -> memoryview:
        """Read a frame as `frame` does; one that is stored as it is comes into `buffer`, which grows as it must.

        What is returned holds until the next call with the same buffer.

        Raises:
            RecordCorrupt: as `frame`.
        """
        frame = self.frames[number]
        if frame.codec != CODEC_RAW:
            return memoryview(self.frame(number))
        if len(buffer) < frame.stored_length:
            buffer.extend(bytes(frame.stored_length - len(buffer)))
        view = memoryview(buffer)[: frame.stored_length]
        self.file.seek(frame.offset)
        filled = 0
        while filled < len(view) and (count := self.file.readinto(view[filled:])):  # type: ignore[attr-defined]
            filled += count
        if filled < len(view):
            raise RecordCorrupt(pack_path(self.name), "a frame is cut off")
        return view

    def frame(self, number: int) -> bytes:
        """Read the decoded bytes of a frame.

        Raises:
            RecordCorrupt: it does not decode to the length the footer gives.
        """
        frame = self.frames[number]
        data = self.read_at(frame.offset, frame.stored_length)
        return decode_frame(frame, data, pack_path(self.name))


def decode_frame(frame: Frame, data: bytes, path: str) -> bytes:
    """Decode the bytes of a frame, never more than the footer gives (a bomb decodes to nothing).

    Raises:
        RecordCorrupt: it does not decode to that length.
    """
    if len(data) != frame.stored_length:
        raise RecordCorrupt(path, "a frame is cut off")
    if frame.codec == CODEC_RAW:
        return data
    try:
        if frame.codec in UNWRAPPED_CODECS:
            return _unwrapped(_content(frame, data), frame).read(0, frame.length)
        whole = decompress(data, length=frame.length, limit=FRAME_LIMIT)
        return unshuffled(whole) if frame.codec == CODEC_SHUFFLED else whole
    except NotDecodable as error:
        raise RecordCorrupt(path, f"a frame does not decode ({error})") from error


def _content_length(pack: "OpenPack", frame: Frame) -> int:
    """Return how much an unwrapped frame says that it holds; 0 if it says nothing."""
    if frame.codec == CODEC_UNWRAPPED:
        return content_length(pack.read_at(frame.offset, HEAD_BYTES))
    try:
        inner = decompress(pack.read_at(frame.offset, frame.stored_length), limit=TWICE_LIMIT)
    except NotDecodable:
        return 0
    return content_length(inner[:HEAD_BYTES])


def _content(frame: Frame, stored: bytes) -> bytes:
    """Decode what is stored of an unwrapped frame. Raises NotDecodable."""
    if frame.codec == CODEC_UNWRAPPED:
        return decompress(stored, limit=UNWRAPPED_LIMIT)
    return decompress(decompress(stored, limit=TWICE_LIMIT), limit=TWICE_LIMIT)


def _unwrapped(data: bytes, frame: Frame) -> "UnwrappedFrame":
    """Check what is in an unwrapped frame. Raises NotDecodable."""
    from aura_vcs.objects.packs.unwrapped import UnwrappedFrame  # most projects have no such frame

    return UnwrappedFrame(data, frame.length)


class Packs:
    """All packs of a store. Frames that were decoded last are kept, FRAME_CACHE_BYTES at most."""

    def __init__(self, storage: Deletable) -> None:
        self._storage = storage
        self._open: OrderedDict[str, OpenPack] = OrderedDict()
        self._frames = FrameCache(FRAME_CACHE_BYTES)
        self._lock = Lock()

    @cached_property
    def _copies(self) -> "PackCopies":
        from aura_vcs.objects.packs.conflicted_copies import PackCopies  # asked for what is not there

        return PackCopies(self._storage)

    def names(self) -> list[str]:
        """List names of the packs on disk, whatever their files are called; a file without a footer has its own."""
        files = self._storage.list(PACKS)
        copies = dict(self._copies.named(files))
        named = (copies.get(file, file.removesuffix(_PACK)) for file in files if file.endswith(_PACK) or file in copies)
        return list(dict.fromkeys(named))

    def stored_size(self, name: str) -> int:
        """Return the size of a pack on disk in bytes, 0 if it is gone."""
        found = self._storage.stat(pack_path(name)) or self._stat_copy(name)
        return found.size if found else 0

    def _stat_copy(self, name: str) -> FileStat | None:
        file = self._copies.find(name)
        return None if file is None else self._storage.stat(f"{PACKS}/{file}")

    def misnamed(self) -> dict[str, str]:
        """Map files of packs to the packs' own names, where nothing is here under those."""
        copies = self._copies.named(self._storage.list(PACKS))
        return {file: name for file, name in copies if self._storage.stat(pack_path(name)) is None}

    def footer(self, name: str) -> Footer:
        """Read what the pack holds.

        Raises:
            RecordCorrupt: the pack is damaged.
            FileNotFoundError: it is gone.
        """
        with self._lock:
            return self._pack(name).footer

    def read(self, place: PackLocation) -> bytes:
        """Read the object's bytes, not verified.

        Raises:
            RecordCorrupt: the pack is damaged there.
            FileNotFoundError: the pack is gone.
        """
        with self._lock:
            pack = self._pack(place.pack)
            if not 0 <= place.frame < len(pack.frames):
                raise RecordCorrupt(pack_path(place.pack), "it has no such frame")
            frame = pack.frames[place.frame]
            if not 0 <= place.offset <= place.offset + place.length <= frame.length:
                raise RecordCorrupt(pack_path(place.pack), "it has no such place in a frame")
            if frame.codec in UNWRAPPED_CODECS:
                return self._read_unwrapped(pack, place)
            if frame.codec != CODEC_RAW:
                return self._frame(pack, place.frame)[place.offset : place.offset + place.length]
            data = pack.read_at(frame.offset + place.offset, place.length)
            if len(data) != place.length:
                raise RecordCorrupt(pack_path(place.pack), "a frame is cut off")
            return data

    def has_unwrapped(self, name: str) -> bool:
        """Tell whether some files in it are written again when they are read. Raises as `footer`."""
        with self._lock:
            return has_unwrapped(self._pack(name).frames)

    def has_twice(self, name: str) -> bool:
        """Tell whether a frame of it has codec 4. Raises as `footer`."""
        with self._lock:
            return has_twice(self._pack(name).frames)

    def content_bytes(self, name: str) -> int:
        """Count the bytes of what is in its unwrapped frames, as far as they say so. Raises as `footer`."""
        with self._lock:
            pack = self._pack(name)
            return sum(_content_length(pack, frame) for frame in pack.frames if frame.codec in UNWRAPPED_CODECS)

    def is_unwrapped(self, place: PackLocation) -> bool:
        """Tell whether what lies there is written again when it is read. Raises as `read`."""
        with self._lock:
            frames = self._pack(place.pack).frames
            return 0 <= place.frame < len(frames) and frames[place.frame].codec in UNWRAPPED_CODECS

    def unwrapped(self, place: PackLocation) -> "Unwrapped | None":
        """Return a file that was taken apart as it was, to be stored so again; None where it was not, or is damaged.

        Raises:
            FileNotFoundError: the pack is gone.
        """
        with self._lock:
            pack = self._pack(place.pack)
            if not 0 <= place.frame < len(pack.frames) or pack.frames[place.frame].codec not in UNWRAPPED_CODECS:
                return None
            try:
                return self._unwrapped_frame(pack, place.frame).unwrapped(place.offset, place.length)
            except NotDecodable:
                return None

    def _read_unwrapped(self, pack: OpenPack, place: PackLocation) -> bytes:
        try:
            return self._unwrapped_frame(pack, place.frame).read(place.offset, place.length)
        except NotDecodable as error:
            raise RecordCorrupt(pack_path(pack.name), f"a frame does not decode ({error})") from error

    def _unwrapped_frame(self, pack: OpenPack, number: int) -> "UnwrappedFrame":
        """Read an unwrapped frame, of which no file has been written again. Raises NotDecodable."""
        frame = pack.frames[number]
        data = self._frames.get(pack.name, number)
        if data is None:
            stored = pack.read_at(frame.offset, frame.stored_length)
            data = self._frames.put(pack.name, number, _content(frame, stored))
        return _unwrapped(data, frame)

    def read_each(self, places: Iterable[PackLocation | None]) -> Iterator[bytes | None]:
        """Yield the bytes at each place, not verified; None where there is none, or the pack is damaged or gone.

        Quick for places in the order in which they lie: every frame is decoded once.
        """
        name, number, data = "", -1, None
        for place in places:
            if place is None:
                yield None
                continue
            if place.frame != number or place.pack != name:
                name, number = place.pack, place.frame
                data = self._decoded_frame(name, number)
            end = place.offset + place.length
            if data is None:
                yield self._read_if_there(place)
            else:
                yield data[place.offset : end] if 0 <= place.offset <= end <= len(data) else None

    def _decoded_frame(self, name: str, number: int) -> bytes | None:
        """Read a decoded frame; None if its objects are better read one by one, or it cannot be read."""
        try:
            with self._lock:
                pack = self._pack(name)
                if not 0 <= number < len(pack.frames) or pack.frames[number].codec in _ONE_BY_ONE:
                    return None
                return self._frame(pack, number)
        except (RecordCorrupt, OSError):
            return None

    def _read_if_there(self, place: PackLocation) -> bytes | None:
        try:
            return self.read(place)
        except (RecordCorrupt, OSError):
            return None

    def read_runs(self, places: Sequence[PackLocation]) -> Iterator[bytes]:
        """Yield the bytes at the places, in their order; what lies side by side is read together.

        Raises:
            RecordCorrupt, FileNotFoundError: as for `read`.
        """
        run: list[PackLocation] = []
        for place in places:
            if run and not self._follows(run[-1], place, sum(item.length for item in run)):
                yield self._read_run(run)
                run = []
            run.append(place)
        if run:
            yield self._read_run(run)

    def _follows(self, before: PackLocation, place: PackLocation, run_bytes: int) -> bool:
        return (
            before.pack == place.pack
            and before.frame == place.frame
            and before.offset + before.length == place.offset
            and run_bytes + place.length <= RUN_BYTES
        )

    def _read_run(self, run: Sequence[PackLocation]) -> bytes:
        first, last = run[0], run[-1]
        length = last.offset + last.length - first.offset
        return self.read(PackLocation(first.pack, first.frame, first.offset, length))

    def read_frame(self, name: str, number: int) -> bytes:
        """Read the decoded bytes of a frame, not verified.

        Raises:
            RecordCorrupt, FileNotFoundError: as for `read`.
        """
        with self._lock:
            return self._pack(name).frame(number)

    def check_size(self, name: str) -> None:
        """Check that frames and footer fill the pack.

        Raises:
            RecordCorrupt: bytes are missing or left over.
        """
        with self._lock:
            self._pack(name).check_size()

    def delete(self, *names: str) -> int:
        """Remove packs; returns the bytes that frees."""
        freed = sum(self.stored_size(name) for name in names)
        for name in names:
            self.forget(name)
        copies = [f"{PACKS}/{file}" for file, own in self._copies.named(self._storage.list(PACKS)) if own in names]
        self._storage.delete_many([*(pack_path(name) for name in names), *copies])
        return freed

    def forget(self, name: str) -> None:
        """Close a pack that will be deleted, and forget what was read of it."""
        with self._lock:
            opened = self._open.pop(name, None)
            if opened:
                opened.file.close()
            self._frames.forget(name)

    def close(self) -> None:
        """Let go of every file and frame."""
        with self._lock:
            for pack in self._open.values():
                pack.file.close()
            self._open.clear()
            self._frames.clear()

    def _pack(self, name: str) -> OpenPack:
        pack = self._open.get(name)
        if pack is None:
            try:
                pack = self._opened(pack_path(name), name)
            except (FileNotFoundError, RecordCorrupt):
                copy = self._copies.find(name)
                if copy is None:
                    raise
                pack = self._opened(f"{PACKS}/{copy}", name)
            self._open[name] = pack
            if len(self._open) > OPEN_PACKS:
                self._open.popitem(last=False)[1].file.close()
        self._open.move_to_end(name)
        return pack

    def _opened(self, path: str, name: str) -> OpenPack:
        file = self._storage.open(path)
        try:
            return OpenPack(file, name)
        except BaseException:
            file.close()
            raise

    def _frame(self, pack: OpenPack, number: int) -> bytes:
        data = self._frames.get(pack.name, number)
        return self._frames.put(pack.name, number, pack.frame(number)) if data is None else data
