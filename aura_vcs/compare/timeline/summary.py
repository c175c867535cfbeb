"""The changes of a timeline in sentences, the fewest that say it all, and what clips, tracks, times are called."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from aura_vcs.compare.timeline.changes import TimelineChange, folder_of
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


SUMMARY_LIMIT = 12
PREDICATES_LIMIT = 5
RELINKED_TOGETHER = 3
"""From so many clips on, media that only moved to another folder is one line."""
_ORDER = ("added", "removed", "split", "trimmed", "slipped", "retimed", "moved", "shifted", "renamed")
_COUNTED = {
    "added": "added",
    "removed": "removed",
    "split": "split",
    "moved": "moved",
    "trimmed": "trimmed or extended",
}


class Summary(Struct, frozen=True):
    """Sentences without full stops; `is_complete` is False where they count changes instead of telling each."""

    lines: tuple[str, ...] = ()
    is_complete: bool = True


def summary(changes: Sequence[TimelineChange], old: Timeline, new: Timeline, *, limit: int = SUMMARY_LIMIT) -> Summary:
    """Write at most `limit` sentences: what was done to each clip, then what followed.

    When there are too many, changes are counted by kind; tracks, settings and ripples stay. A clip
    with many changes has its first ones told, all of them where more lines are wanted.
    """
    if not changes:
        return Summary()
    most = PREDICATES_LIMIT if limit <= SUMMARY_LIMIT else len(changes)
    told = sentences(changes, most=most)
    lines = [*told, *_length(old, new)]
    if len(lines) <= limit:
        return Summary(tuple(lines), told == sentences(changes, most=len(changes)))
    overall = [change for change in changes if change.kind.startswith("track_") or _covers_all(change)]
    followed = [change for change in changes if change.kind == "ripple"]
    noun = next((clip.noun for side in (new, old) for track in side.tracks for clip in track.clips), "clip")
    short = [*_counted(changes, overall, noun), *sentences([*overall, *followed], most=most), *_length(old, new)]
    if len(short) > limit:
        short = [*short[: limit - 1], f"… and {len(short) - limit + 1:,} more kinds of changes"]
    return Summary(tuple(short), is_complete=False)


def _covers_all(change: TimelineChange) -> bool:
    return change.kind == "setting" or (change.kind == "other" and not change.subject)


def noise_line(noise: Sequence[str], *, is_alone: bool) -> str:
    """Write one line for what changed by looking at a project."""
    words = ", ".join(noise)
    return f"Nothing in the timeline changed; besides: {words}" if is_alone else f"Besides: {words}"


def sentences(changes: Sequence[TimelineChange], *, most: int) -> list[str]:
    """Write one sentence for each thing that changed, in the order things appear; ripples last.

    At most `most` changes of one thing are told, the others counted.
    """
    groups: dict[tuple[str, str, bool], list[TimelineChange]] = {}
    ripple, settings = [], []
    relinked = _relinked(changes)
    told = {id(change) for found in relinked.values() for change in found}
    for change in changes:
        if id(change) in told:
            continue
        if change.kind == "ripple":
            ripple.append(f"{change.subject} {change.text}")
        elif change.kind == "setting":
            settings.append(f"Timeline: {change.text}")
        elif change.kind == "other" and not change.subject:
            settings.append(change.text)
        else:
            groups.setdefault((change.subject, change.owner, change.kind == "removed"), []).append(change)
    places = [f"The media of {len(found):,} clips: {old} → {new}" for (old, new), found in relinked.items()]
    return [_sentence(group[0].subject, group, most) for group in groups.values()] + places + ripple + settings


def _relinked(changes: Sequence[TimelineChange]) -> dict[tuple[str, str], list[TimelineChange]]:
    """Group files that are taken from another folder under the same name, where that happened to many at once."""
    found: dict[tuple[str, str], list[TimelineChange]] = {}
    for change in changes:
        old, new = change.before, change.after
        if change.kind == "media" and isinstance(old, str) and isinstance(new, str) and old and new:
            names = [path.replace("\\", "/").rpartition("/")[2] for path in (old, new)]
            if names[0] == names[1]:
                found.setdefault((folder_of(old), folder_of(new)), []).append(change)
    return {places: moved for places, moved in found.items() if len(moved) >= RELINKED_TOGETHER}


def _sentence(subject: str, changes: Sequence[TimelineChange], most: int) -> str:
    def rank(change: TimelineChange) -> int:
        return _ORDER.index(change.kind) if change.kind in _ORDER else len(_ORDER)

    done = sorted((change for change in changes if not change.possessive), key=rank)
    had = [change for change in changes if change.possessive]
    texts = [change.text for change in (*done, *had)]
    if len(texts) > most:
        texts = [*texts[: most - 1], f"{len(texts) - most + 1:,} more changes made to it"]
    return f"{subject} {'was' if done else 'had'} {_list(texts)}"


def _list(texts: Sequence[str]) -> str:
    if len(texts) < 3:
        return " and ".join(texts)
    return ", ".join(texts[:-1]) + ", and " + texts[-1]


def _counted(changes: Sequence[TimelineChange], told: Sequence[TimelineChange], noun: str) -> list[str]:
    groups: dict[str, int] = {}
    subjects: set[tuple[str, str]] = set()
    known = {id(change) for change in told}
    for change in changes:
        if id(change) in known or change.kind == "ripple":
            continue
        words = _COUNTED.get(change.kind, "otherwise changed")
        key = (words, change.owner)
        if key not in subjects:
            subjects.add(key)
            groups[words] = groups.get(words, 0) + 1
    ranked = sorted(groups.items(), key=lambda item: [*_COUNTED.values(), "otherwise changed"].index(item[0]))
    return [f"{count:,} {noun}{'s were' if count != 1 else ' was'} {words}" for words, count in ranked]


def _length(old: Timeline, new: Timeline) -> list[str]:
    if abs(old.duration - new.duration) <= 5_000:
        return []
    verb = "shorter" if new.duration < old.duration else "longer"
    amount = spoken(abs(new.duration - old.duration))
    return [f"The whole is {amount} {verb} ({spoken(old.duration)} → {spoken(new.duration)})"]
