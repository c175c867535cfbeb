"""What is kept of a sequence of pictures as one thing: an entry of the media index with a record of every frame.

Its sections: `frames`, MessagePack of a list of `SequenceFrame`; `luma` and `colour`, of every frame in order, as
in entries of films (zeros for a frame that is damaged); `poster` and `strip`.
"""

from collections.abc import Iterable

from blake3 import blake3
from msgspec import MsgspecError, Struct

from aura_vcs.codec import decode_packed
from aura_vcs.formats.media.findings import PictureFacts
from aura_vcs.formats.media.index_entry import (
    COLOUR_BYTES,
    LUMA_BYTES,
    VERSION,
    EntryHead,
    MediaEntry,
    NoEntryError,
)
from aura_vcs.formats.media.reader import MediaHeader
from aura_vcs.ids import ObjectId

FRAMES_LIMIT = 100_000
"""Frames of one sequence; a longer one is known by its frames alone."""
NumberedContent = tuple[int, str]
"""The number of a frame and its content id."""


class SequenceFrame(Struct, frozen=True, array_like=True):
    """A frame: its content id, and its facts or why there are none."""

    content: str
    header: MediaHeader | None = None
    picture: PictureFacts | None = None
    problem: str = ""


def sequence_key(frames: Iterable[NumberedContent]) -> ObjectId:
    """Return what the entry of a sequence goes by: the contents in order, the gaps, and the version of the algorithm.

    Where it lies, how it is called, and with which number it begins makes no difference.
    """
    hasher = blake3(b"aura sequence of pictures %d\n" % VERSION)
    first: int | None = None
    for number, content in frames:
        first = number if first is None else first
        hasher.update((number - first).to_bytes(8, "big") + content.encode())
    return ObjectId(hasher.hexdigest())


class FrameEntry(MediaEntry):
    """What a sequence's entry has of one frame, in the form of a picture's entry: without poster and detail."""

    def __init__(self, frame: SequenceFrame, luma: bytes, colour: bytes) -> None:
        head = EntryHead(frame.content, frame.header, picture=frame.picture, problem=frame.problem)
        super().__init__(head, lambda _at, _count: b"", 0)
        self._known = {"luma": luma, "colour": colour}


class SequenceEntry:
    """The entry of a sequence, frame by frame.

    Raises (all methods):
        NoEntryError: a part of the entry is damaged.
    """

    def __init__(self, entry: MediaEntry) -> None:
        self.entry = entry
        try:
            self.frames = decode_packed(entry.section("frames"), tuple[SequenceFrame, ...])
        except MsgspecError as error:
            raise NoEntryError("frames") from error
        self._places = {frame.content: n for n, frame in enumerate(self.frames)}

    def frame(self, content: str) -> FrameEntry | None:
        """Return what is known of the frame with a content; None where it is none of this sequence."""
        n = self._places.get(content)
        if n is None:
            return None
        luma = self.entry.luma()[n * LUMA_BYTES : (n + 1) * LUMA_BYTES]
        colour = self.entry.colour()[n * COLOUR_BYTES : (n + 1) * COLOUR_BYTES]
        if (len(luma), len(colour)) != (LUMA_BYTES, COLOUR_BYTES):
            raise NoEntryError("frames without pictures")
        return FrameEntry(self.frames[n], luma, colour)
