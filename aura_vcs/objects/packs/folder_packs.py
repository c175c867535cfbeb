"""Packs for the way to a remote: written one after the other, and a large one in several smaller ones.

Every cut pack is a pack like any other: a run of frames with their bytes as they are, and a footer of
its own. Nothing is decoded for it. The same pack is always cut in the same way, so the names
of what it is cut into are always the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import BinaryIO

import msgspec

from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.objects.packs.format import MAGIC, Footer, Frame, PackEntry, encode_footer
from aura_vcs.objects.packs.writer import NewObject, PackWriter
from aura_vcs.progress import Progress
from aura_vcs.storage.generated_file import GeneratedFile
from aura_vcs.storage.local import LocalStorage

WORKERS = 3


def write_packs(
    outgoing: LocalStorage,
    frames: Iterable[Sequence[NewObject]],
    progress: Progress,
    *,
    unique_names: bool,
    pack_bytes: int | None = None,
) -> list[str]:
    """Write the frames into as few packs as they fit in; returns the names of the packs.

    A pack ends with the frame that makes it reach `pack_bytes`, by default what packs of the store have.
    With `unique_names`, the packs have names that none ever had. Memory holds a few frames. Interrupted, it
    leaves whole packs and one temporary file.

    Raises:
        ObjectCorrupt: what was written does not read back.
    """
    from concurrent.futures import ThreadPoolExecutor  # slow to import, and often not needed

    names: list[str] = []
    with ThreadPoolExecutor(WORKERS) as executor:
        writer: PackWriter | None = None
        try:
            for frame in frames:
                if writer is None:
                    writer = PackWriter(outgoing, executor, pack_bytes=pack_bytes)
                    if unique_names:
                        writer.add_nonce()
                writer.add_frame(frame)
                progress.advance(sum(len(item.data) for item in frame))
                if writer.is_full:
                    names.append(writer.finish()[0])
                    writer = None
            if writer is not None:
                names.append(writer.finish()[0])
                writer = None
        finally:
            if writer is not None:
                writer.discard()
    return names


class CutPack(msgspec.Struct, frozen=True):
    """A run of a pack's frames, `length` bytes from `offset` on, with the name and the ending of a pack."""

    name: str
    offset: int
    length: int
    ending: bytes

    def open(self, file: BinaryIO) -> BinaryIO:
        """Open the cut pack, read from the file of the whole one."""
        return _CutFile(file, self)  # type: ignore[return-value]  # it reads and seeks


def cut(footer: Footer, limit: int) -> Iterator[CutPack]:
    """Cut a pack between frames, so that frames of no more than `limit` stored bytes come together.

    A frame that is larger comes alone. Every object is in exactly one of the cut packs.
    """
    by_frame: list[list[PackEntry]] = [[] for _ in footer.frames]
    for entry in footer.entries:
        by_frame[entry.frame].append(entry)
    for run in _runs(footer.frames, limit):
        frames = footer.frames[run.start : run.stop]
        at = accumulate((frame.stored_length for frame in frames), initial=len(MAGIC))
        moved = [Frame(start, f.stored_length, f.length, f.codec) for start, f in zip(at, frames, strict=False)]
        entries = [
            PackEntry(e.id, e.kind, number, e.offset, e.length, e.chunked)
            for number, frame in enumerate(run)
            for e in by_frame[frame]
        ]
        name, ending = encode_footer(moved, entries)
        yield CutPack(name, frames[0].offset, sum(frame.stored_length for frame in frames), ending)


def _runs(frames: Sequence[Frame], limit: int) -> Iterator[range]:
    start, size = 0, 0
    for number, frame in enumerate(frames):
        if number > start and size + frame.stored_length > limit:
            yield range(start, number)
            start, size = number, 0
        size += frame.stored_length
    if frames:
        yield range(start, len(frames))


class _CutFile(GeneratedFile):
    """Reads what a cut pack would be as a file."""

    def __init__(self, file: BinaryIO, pack: CutPack) -> None:
        super().__init__(len(MAGIC) + pack.length + len(pack.ending))
        self._file = file
        self._pack = pack

    def _piece(self, most: int) -> bytes:
        """See GeneratedFile."""
        behind = self._at - len(MAGIC)
        if behind < 0:
            return MAGIC[self._at :][:most]
        if behind >= self._pack.length:
            return self._pack.ending[behind - self._pack.length :][:most]
        self._file.seek(self._pack.offset + behind)
        data = self._file.read(min(most, self._pack.length - behind))
        if not data:
            raise RecordCorrupt(f"pack {self._pack.name[:12]}", "what it is cut from ends too soon")
        return data
