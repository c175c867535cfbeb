"""Which objects share a frame when they are packed anew: successive versions of a file, which are alike."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from aura_vcs.compression import THOROUGH_LEVEL, compress
from aura_vcs.formats.deflate.unwrapping import FilePart, NotRebuilt, Unwrapped, take_apart
from aura_vcs.ids import Bytes, ObjectId
from aura_vcs.model import Kind
from aura_vcs.objects.base import StoredObject
from aura_vcs.objects.packs.format import CODEC_UNWRAPPED, CODEC_UNWRAPPED_TWICE, PARTS_LIMIT, UNWRAPPED_LIMIT
from aura_vcs.objects.packs.unwrapped import encode, head_bytes
from aura_vcs.objects.packs.writer import NewObject, encode_frame
from aura_vcs.objects.store import ObjectStore

FILE_FRAME_BYTES = 8 << 20
"""A frame holds so much of successive versions of one file: it takes ten milliseconds to decode."""
UNWRAPPED_FRAME_BYTES = 16 << 20
"""So much content of taken-apart files lies in one frame, or FRAME_VERSIONS of the first one if that is more."""
FRAME_VERSIONS = 8
LARGE_FRAME_BYTES = 120 << 20
"""Nor more, but for two versions: what makes so much of a file's versions is decoded together, and held in memory."""

TWICE_BYTES = 8 << 20
"""From this content of one file on, versions in a frame are compressed twice: zstd says what repeats once a block."""
TWICE_GAIN = 64
"""Bytes that must gain: the codec has a feature of its own."""


class Gathered(msgspec.Struct, frozen=True):
    """What is known of objects that are packed anew, as far as it is.

    The bytes of those that were read already, how files are taken apart, a path that each has had, and packs in
    which nothing is stored unwrapped.
    """

    content: Mapping[ObjectId, bytes] = {}
    recipes: Mapping[ObjectId, tuple[FilePart, ...]] = {}
    paths: Mapping[ObjectId, str] = {}
    plain: frozenset[str] = frozenset()


class FrameToWrite(msgspec.Struct):
    """Objects for one frame; `files` are they as they were taken apart, if they were."""

    objects: list[NewObject] = []
    files: list[Unwrapped] = []
    path: str | None = None
    """The path of all of them, None if they have several."""
    size: int = 0

    @property
    def is_large(self) -> bool:
        """Whether it takes so much memory that nothing else should be written beside it."""
        return self.size > UNWRAPPED_FRAME_BYTES

    @property
    def may_be_twice(self) -> bool:
        """Whether what repeats in it is worth being compressed once more, or it is too large to be stored otherwise."""
        largest = max((file.size for file in self.files), default=0)
        return (len(self.files) > 1 and largest >= TWICE_BYTES) or self._must_be_twice

    @property
    def _must_be_twice(self) -> bool:
        parts = sum(len(file.parts) for file in self.files)
        return sum(file.size for file in self.files) + head_bytes(parts) > UNWRAPPED_LIMIT

    @property
    def is_media(self) -> bool:
        """Whether these are chunks of large files."""
        return self.objects[0].kind is Kind.CHUNK

    def takes(self, item: NewObject, file: Unwrapped | None, path: str | None, frame_bytes: int) -> bool:
        """Tell whether an object belongs into this frame, too."""
        if not self.objects:
            return True
        if (file is not None) != bool(self.files) or self.is_media != (item.kind is Kind.CHUNK):
            return False
        if file is not None:
            parts = len(file.parts) + sum(len(before.parts) for before in self.files)
            first = self.files[0].size
            most = min(
                max(UNWRAPPED_FRAME_BYTES, FRAME_VERSIONS * first), max(LARGE_FRAME_BYTES, 2 * first + first // 8)
            )
            wrapped = len(item.data) + sum(len(before.data) for before in self.objects)
            return max(self.size + file.size, wrapped) <= most and parts <= PARTS_LIMIT
        is_one_file = path is not None and path == self.path
        return self.size + len(item.data) <= (max(frame_bytes, FILE_FRAME_BYTES) if is_one_file else frame_bytes)

    def encode(self, pieces: Sequence[Bytes], level: int | None) -> tuple[int, Sequence[Bytes]]:
        """Return codec and stored bytes of the frame of `files`: unwrapped if that is smaller."""
        stored, codec = encode(self.files), CODEC_UNWRAPPED
        if self.may_be_twice:
            again = compress(stored, THOROUGH_LEVEL)
            if len(again) + TWICE_GAIN <= len(stored) or self._must_be_twice:
                stored, codec = again, CODEC_UNWRAPPED_TWICE
        if len(stored) < sum(map(len, pieces)):
            return codec, [stored]
        return encode_frame(pieces, level)

    def add(self, item: NewObject, file: Unwrapped | None, path: str | None) -> None:
        """Put an object into the frame."""
        self.path = path if not self.objects or path == self.path else None
        self.objects.append(item)
        if file is not None:
            self.files.append(file)
        self.size += len(item.data) if file is None else file.size


def frames(
    store: ObjectStore, items: Iterable[StoredObject], frame_bytes: int, gathered: Gathered
) -> Iterator[FrameToWrite]:
    """Yield the objects, verified, in frames of about `frame_bytes`; larger ones where one file's versions follow.

    Chunks of media are not mixed with the rest, nor is what was taken apart.

    Raises:
        ObjectCorrupt: one is damaged.
    """
    frame = FrameToWrite()
    for item in items:
        new = _read(store, item, gathered)
        file, path = _taken_apart(store, item, new, gathered), gathered.paths.get(item.id)
        if not frame.takes(new, file, path, frame_bytes):
            yield frame
            frame = FrameToWrite()
        frame.add(new, file, path)
    if frame.objects:
        yield frame


def _read(store: ObjectStore, item: StoredObject, gathered: Gathered) -> NewObject:
    data = gathered.content.get(item.id)
    if data is None:
        data = store.loose.read(item.id) if item.location is None else store.packs.read(item.location)
    chunked = item.location is not None and item.location.chunked
    if not chunked:
        store.check(item.id, item.kind, data)
    return NewObject(item.id, item.kind, data, chunked)


def _taken_apart(store: ObjectStore, item: StoredObject, new: NewObject, gathered: Gathered) -> Unwrapped | None:
    """Take a file apart that has a recipe, or is stored so already."""
    if new.chunked or item.kind not in {Kind.BLOB, Kind.CHUNK} or not new.data:
        return None
    parts = gathered.recipes.get(item.id)
    try:
        if parts is not None:
            return take_apart(bytes(new.data), parts)
        if item.location is None or item.location.pack in gathered.plain:
            return None
        return store.packs.unwrapped(item.location)
    except (NotRebuilt, FileNotFoundError):
        return None
