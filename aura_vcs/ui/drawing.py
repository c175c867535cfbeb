"""Timelines as they are drawn: tracks with clips in percent of the width, so that a drawing fits any window."""

import posixpath
from collections.abc import Mapping

import msgspec

from aura_vcs.compare.report.timeline import clip_partners, clip_states, clip_words
from aura_vcs.compare.timeline.diff import TimelineDiff
from aura_vcs.formats.timeline.model import TICKS_PER_SECOND, Clip, Ticks, Timeline, spoken
from aura_vcs.ui.media_kinds import kind_of
from aura_vcs.ui.templating import clock

CLIPS_LIMIT = 3_000
"""So many clips of one timeline are drawn."""
MARKS = 10
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
STATES = {
    "added": "added",
    "removed": "removed",
    "moved": "moved",
    "trimmed": "trimmed",
    "slipped": "trimmed",
    "retimed": "trimmed",
    "other": "other",
    "same": "same",
}
"""What happened to a clip, and the class that it is drawn in."""


class DrawnClip(msgspec.Struct, frozen=True):
    """A clip: `x` and `width` in percent. `media` is the file that it shows, "" for none, from `seconds` on."""

    pointer: str
    partner: str
    x: float
    width: float
    label: str
    title: str
    state: str
    media: str
    seconds: float


class DrawnTrack(msgspec.Struct, frozen=True):
    """Clips that follow one another."""

    name: str
    kind: str
    clips: tuple[DrawnClip, ...]


class DrawnTimeline(msgspec.Struct, frozen=True):
    """A timeline with the marks of its scale: percent and words. `left_out` clips are not drawn."""

    tracks: tuple[DrawnTrack, ...]
    marks: tuple[tuple[float, str], ...]
    seconds: float
    left_out: int

    @property
    def clip_count(self) -> int:
        """So many clips are drawn."""
        return sum(len(track.clips) for track in self.tracks)


def draw_timeline(
    timeline: Timeline,
    folder: str,
    *,
    length: Ticks = 0,
    states: Mapping[str, str] | None = None,
    words: Mapping[str, str] | None = None,
    partners: Mapping[str, str] | None = None,
) -> DrawnTimeline:
    """Lay out a timeline; `folder` is where the file lies that it was read from. `length` makes two fit each other."""
    whole = max(length, timeline.duration, 1)
    tracks, left = [], CLIPS_LIMIT
    for track in timeline.tracks:
        clips = []
        for clip in track.clips[:left]:
            state = (states or {}).get(clip.pointer, "same")
            told = (words or {}).get(clip.pointer, "")
            partner = (partners or {}).get(clip.pointer, "")
            clips.append(_clip(timeline, clip, folder, whole, state, told, partner))
        left -= len(clips)
        tracks.append(DrawnTrack(track.name, track.kind, tuple(clips)))
    total = sum(len(track.clips) for track in timeline.tracks)
    seconds = whole / TICKS_PER_SECOND
    return DrawnTimeline(tuple(tracks), _marks(seconds), seconds, max(0, total - CLIPS_LIMIT))


def draw_both(diff: TimelineDiff, folder: str) -> tuple[DrawnTimeline, DrawnTimeline] | None:
    """Lay out a timeline before and after, in one scale, with what happened to each clip; None where none was read."""
    if diff.old is None or diff.new is None or diff.match is None:
        return None
    length = max(diff.old.duration, diff.new.duration, 1)
    old_states, new_states = clip_states(diff)
    old_words, new_words = clip_words(diff)
    to_old = clip_partners(diff)
    to_new = {old: new for new, old in to_old.items()}
    before = draw_timeline(diff.old, folder, length=length, states=old_states, words=old_words, partners=to_new)
    after = draw_timeline(diff.new, folder, length=length, states=new_states, words=new_words, partners=to_old)
    return before, after


def find_clip(timeline: Timeline, pointer: str) -> Clip | None:
    """Return the clip at a place of the document."""
    return next((clip for track in timeline.tracks for clip in track.clips if clip.pointer == pointer), None)


def _clip(timeline: Timeline, clip: Clip, folder: str, whole: Ticks, state: str, told: str, partner: str) -> DrawnClip:
    label = f"{clip.number} {clip.name}".strip() if clip.noun == "scene" else clip.name or clip.label
    title = f"{label}, {spoken(clip.duration)} from {spoken(clip.start)}" + (f": {told}" if told else "")
    media, seconds = shown_media(timeline, clip, folder)
    width = max(0.15, round(100 * clip.duration / whole, 3))
    x = round(100 * clip.start / whole, 3)
    return DrawnClip(clip.pointer, partner, x, width, label, title, STATES.get(state, "other"), media, seconds)


def shown_media(timeline: Timeline, clip: Clip, folder: str) -> tuple[str, float]:
    """Return the file of the project that shows a clip, and the second of it that comes first; "" for none."""
    for part in (*clip.parts, clip):
        written = part.media
        if 0 <= part.reference < len(timeline.media):
            written = timeline.media[part.reference].path or written
        if (
            written
            and "://" not in written
            and not written.startswith("/")
            and kind_of(written) in ("picture", "video")
        ):
            path = posixpath.normpath(posixpath.join(folder, written))
            if not path.startswith(".."):
                return path, max(0, part.source_start or 0) / TICKS_PER_SECOND
    return "", 0.0


def _marks(seconds: float) -> tuple[tuple[float, str], ...]:
    step = next((step for step in STEPS if seconds / step <= MARKS), seconds / MARKS)
    count = int(seconds / step)
    return tuple((round(100 * n * step / seconds, 3), _scale_time(n * step)) for n in range(count + 1))


def _scale_time(seconds: float) -> str:
    """Write a time at a scale: "1:05", "1:00:00", "0.5 s" where it is finer than a second."""
    if seconds != int(seconds):
        return spoken(round(seconds * TICKS_PER_SECOND))
    return clock(round(seconds * TICKS_PER_SECOND))
