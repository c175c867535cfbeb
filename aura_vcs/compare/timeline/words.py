"""What a clip, a track and a time are called in a sentence, so that nobody takes one for another."""

from collections import Counter

from aura_vcs.formats.timeline.model import Clip, Ticks, Timeline, Track, shown, spoken
from aura_vcs.formats.timeline.timecode import timecode


class Words:
    """The names in one timeline. A clip's name alone is enough where it is the only one of that name."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.is_alone = len(timeline.tracks) == 1
        self.sequences = {track.sequence for track in timeline.tracks}
        self._on_track: Counter[tuple[str, str]] = Counter()
        self._tracks: dict[tuple[str, str], set[str]] = {}
        for track in timeline.tracks:
            for clip in track.clips:
                key = clip.noun, clip.name
                self._on_track[track.pointer, clip.name] += 1
                self._tracks.setdefault(key, set()).add(track.pointer)

    def track(self, track: Track) -> str:
        """Write `V1`, or `V1 in Intro` for one of a nested sequence."""
        return f"{shown(track.name)} in {shown(track.sequence)}" if track.sequence else shown(track.name)

    def at(self, ticks: Ticks) -> str:
        """Write a place on the timeline: timecode with frames where it has a rate."""
        if not self.timeline.rate[0]:
            return spoken(ticks)
        whole = ticks + (0 if self.timeline.format == "premiere" else self.timeline.start)
        return timecode(whole, self.timeline.rate, is_drop_frame=self.timeline.is_drop_frame)

    def clip(self, clip: Clip, track: Track, *, with_time: bool = True) -> str:
        """Name a clip, with its track and place as needed where its name does not say which one it is."""
        if clip.noun == "scene":
            return clip.label
        name = clip.label
        if not clip.name:
            return name if self.is_alone else f"{name} on {self.track(track)}"
        if len(self._tracks.get((clip.noun, clip.name), ())) > 1:
            name = f"{name} on {self.track(track)}"
        if with_time and self._on_track[track.pointer, clip.name] > 1:
            name = f"{name} at {self.at(clip.start)}"
        return name

    def place(self, clip: Clip, track: Track) -> str:
        """Write where a clip is: ` on V1 at 00:00:12:05`; nothing where the timeline has no rate."""
        if not self.timeline.rate[0]:
            return ""
        return f" on {self.track(track)} at {self.at(clip.start)}"
