"""Packs for the way to a remote, written one after the other."""

from collections.abc import Iterable, Sequence

from aura_vcs.objects.packs.writer import NewObject, PackWriter
from aura_vcs.progress import Progress
from aura_vcs.storage.local import LocalStorage

WORKERS = 3


def write_packs(
    outgoing: LocalStorage,
    frames: Iterable[Sequence[NewObject]],
    progress: Progress,
    *,
    salted: bool,
    pack_bytes: int | None = None,
) -> list[str]:
    """Write the frames into as few packs as they fit in; returns the names of the packs.

    A pack ends with the frame that makes it reach `pack_bytes`, by default what packs of the store have.
    With `salted`, the packs have names that none ever had. Memory holds a few frames. Interrupted, it
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
                    if salted:
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
