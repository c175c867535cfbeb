"""A version of a film as it is compared: its small pictures and the times of its frames."""

from collections.abc import Sequence

from msgspec import Struct, structs

from aura_vcs.compare.media.align import Frames, by_time
from aura_vcs.compare.media.crop import cut_out
from aura_vcs.compare.media.planes import differences, picked, sums
from aura_vcs.formats.media.findings import Box, VideoFacts
from aura_vcs.formats.media.frame_hashes import frame_hashes
from aura_vcs.formats.media.index_entry import LUMA_BYTES, MediaEntry

UNLIKE_FRAMES = 12
UNLIKE = 0.2
"""The mean difference, as a share of how much pictures vary, from which on they may show different parts."""


class FilmSide(Struct):
    """A version of a film, as it is compared."""

    entry: MediaEntry
    video: VideoFacts
    times: Sequence[int]
    luma: bytes
    colour: bytes
    alpha: bytes
    frames: Frames
    is_cut_out: bool = False

    @classmethod
    def of(cls, entry: MediaEntry) -> "FilmSide":
        """Read what is compared from an entry.

        Raises:
            NoEntryError: a part of it is damaged.
        """
        video = entry.head.video
        assert video is not None
        luma = entry.luma()
        return cls(entry, video, entry.times(), luma, entry.colour(), entry.alpha(), Frames.of(luma, entry.hashes()))

    @property
    def count(self) -> int:
        """How many frames there are."""
        return self.frames.count

    def cut_out(self, part: Box, *, has_bars: bool) -> "FilmSide":
        """Return the film as frames are aligned by, as if a part of its picture were all of it."""
        luma = cut_out(self.luma, part, has_bars=has_bars)
        frames = Frames.of(luma, frame_hashes(luma))
        return structs.replace(self, luma=luma, frames=frames, is_cut_out=True)

    def time(self, frame: int) -> float:
        """Return when a frame is shown, in seconds from the first one; behind the last, when that ends."""
        if not self.times:
            return 0.0
        if frame >= self.count:
            return self.video.seconds
        return (self.times[max(0, frame)] - self.times[0]) / 1e6


def is_unlike(a: FilmSide, b: FilmSide) -> bool:
    """Tell whether pictures differ by much of how much they vary, as dark ones of which a part is shown do."""
    moments = [a.times[0] + (time - b.times[0]) for time in b.times[:: max(1, b.count // UNLIKE_FRAMES)]]
    sources = by_time(a.times, moments)
    old = picked(a.luma, LUMA_BYTES, sources)
    new = picked(b.luma, LUMA_BYTES, range(0, b.count, max(1, b.count // UNLIKE_FRAMES)))
    levels = b"".join([bytes([total // LUMA_BYTES]) * LUMA_BYTES for total in sums(new, LUMA_BYTES)])
    varied = sum(sums(differences(levels, new, LUMA_BYTES), LUMA_BYTES))
    return sum(sums(differences(old, new, LUMA_BYTES), LUMA_BYTES)) > max(UNLIKE * varied, len(new))
