"""What changed between two timelines, in plain words first and in full on demand.

Timelines and the projects of editors are read into one model (`formats/timeline`); clips are
matched by what they are (`match`). What only follows from another change (everything
after a trimmed clip starts earlier) is one "ripple", not a change of each clip.
"""

from collections.abc import Iterator

from msgspec import Struct, structs

from aura_vcs.compare.diff.describe import readable_lines, short
from aura_vcs.compare.diff.json_values import diff_values
from aura_vcs.compare.diff.sequences import longest_increasing
from aura_vcs.compare.timeline.changes import (
    JITTER,
    Subject,
    TimelineChange,
    clip_changes,
    marker_text,
    named_changes,
    track_details,
    values,
)
from aura_vcs.compare.timeline.match import ClipPosition, TimelineMatch, match_timelines
from aura_vcs.compare.timeline.ripple import ClipShift, ripples
from aura_vcs.compare.timeline.summary import SUMMARY_LIMIT, Words, noise_line, summary
from aura_vcs.formats.jsondoc.parse import ParsedDocument, Unstructured
from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.timeline.model import OF_MEDIA, Clip, Ticks, Timeline, Track, shown, spoken
from aura_vcs.formats.timeline.otio import is_otio
from aura_vcs.formats.timeline.project_file import read_project
from aura_vcs.formats.timeline.studio import is_studio_timeline
from aura_vcs.formats.timeline.timecode import Rate

Documents = tuple[ParsedDocument | Unstructured | None, ParsedDocument | Unstructured | None]


class TimelineDiff(Struct, frozen=True):
    """The changes between two timelines.

    `lines` is the summary for people, `is_complete` if it tells each change; `changes` every single
    one. `match` and both models serve drawing. `noise` are words for what changed by looking at the project: the
    playhead, the zoom. `fallback` is a sentence when a file is not a timeline that can be read.
    """

    lines: tuple[str, ...] = ()
    changes: tuple[TimelineChange, ...] = ()
    old: Timeline | None = None
    new: Timeline | None = None
    match: TimelineMatch | None = None
    fallback: str = ""
    is_complete: bool = True
    noise: tuple[str, ...] = ()


def is_timeline(value: JsonValue) -> bool:
    """Tell whether a parsed document is a timeline of either format."""
    return is_studio_timeline(value) or is_otio(value)


def diff_timeline_files(
    old: bytes,
    new: bytes,
    *,
    limit: int = SUMMARY_LIMIT,
    path: str = "timeline.json",
    rate: Rate | None = None,
    documents: Documents = (None, None),
) -> TimelineDiff:
    """Compare two versions of a timeline or of an editor's project; at most `limit` lines of summary.

    `path` is what the file is called; `rate` is for edit lists, which do not say theirs; `documents` are both as JSON,
    where they were read.
    """
    was, now = documents
    before = read_project(path, old, rate=rate, document=was)
    after = read_project(path, new, rate=rate, document=now)
    for side, timeline in (("old", before), ("new", after)):
        if isinstance(timeline, Unstructured):
            reason = f"The {side} timeline is not compared clip by clip: {timeline.reason}"
            return TimelineDiff((reason,), fallback=reason)
    assert isinstance(before, Timeline)
    assert isinstance(after, Timeline)
    return diff_timelines(before, after, limit=limit)


def diff_timelines(old: Timeline, new: Timeline, *, limit: int = SUMMARY_LIMIT) -> TimelineDiff:
    """Compare two timelines; 5,000 clips take well under a second."""
    match = match_timelines(old, new)
    changes = tuple(_Diff(old, new, match).changes())
    told = summary(changes, old, new, limit=limit)
    words = (*old.noise, *(word for word in new.noise if word not in old.noise))
    noise = tuple(word for word in words if old.noise.get(word, "") != new.noise.get(word, ""))
    lines = (*told.lines, noise_line(noise, is_alone=not changes)) if noise else told.lines
    return TimelineDiff(lines, changes, old, new, match, is_complete=told.is_complete, noise=noise)


class _Diff:
    def __init__(self, old: Timeline, new: Timeline, match: TimelineMatch) -> None:
        self.old, self.new, self.match = old, new, match
        self.words_old, self.words_new = Words(old), Words(new)
        self.partner = {j: i for i, j in match.tracks}
        self.by_new = {b: a for a, b in match.clips}
        self.movers = self._find_movers()
        self.second_halves = self._find_splits()

    def _find_movers(self) -> set[ClipPosition]:
        """Find new places of clips that changed track or order: all but a longest run that stayed in order."""
        stays: set[ClipPosition] = set()
        by_track: dict[int, list[tuple[ClipPosition, ClipPosition]]] = {}
        for a, b in self.match.clips:
            if self.partner.get(b.track) == a.track:
                by_track.setdefault(b.track, []).append((a, b))
        for pairs in by_track.values():
            stays |= {pairs[n][1] for n in longest_increasing([a.position for a, _ in pairs])}
        return {b for _, b in self.match.clips} - stays

    def _find_splits(self) -> dict[ClipPosition, ClipPosition]:
        """Find new clips that play on where the one in front, which was cut short, ends: first half by second."""
        found = {}
        for j, track in enumerate(self.new.tracks):
            for n in range(1, len(track.clips)):
                first, second = ClipPosition(j, n - 1), ClipPosition(j, n)
                if second in self.by_new or first not in self.by_new:
                    continue
                a = self.by_new[first]
                if _is_split(self.old.tracks[a.track].clips[a.position], track.clips[n - 1], track.clips[n]):
                    found[second] = first
        return found

    def changes(self) -> Iterator[TimelineChange]:
        yield from self._tracks()
        gone = {a for a, _ in self.match.clips}
        kept = set(self.partner.values())
        for i, track in enumerate(self.old.tracks):
            for n, clip in enumerate(track.clips):
                if ClipPosition(i, n) not in gone and i in kept:
                    yield self._removed(clip, track)
        for j, track in enumerate(self.new.tracks):
            yield from self._clips(j, track)
        yield from ripples(list(self._shifts()), self.words_new.at if self.new.rate[0] else None)
        yield from self._settings()

    def _label(self, clip: Clip, track: Track) -> str:
        return self.words_old.clip(clip, track)

    def _tracks(self) -> Iterator[TimelineChange]:
        kept = {i for i, _ in self.match.tracks}
        for i, track in enumerate(self.old.tracks):
            if i not in kept:
                text = f"removed with {_count(track)}"
                subject = f"Track {self.words_old.track(track)}"
                yield TimelineChange("track_removed", subject, text, track.pointer, track.pointer)
        order = longest_increasing([i for i, _ in self.match.tracks])
        stays = {self.match.tracks[n] for n in order}
        for j, track in enumerate(self.new.tracks):
            subject = f"Track {self.words_new.track(track)}"
            home = self.partner.get(j)
            if home is None:
                text = f"added with {_count(track)}"
                place = track.pointer
                yield TimelineChange("track_added", subject, text, place, new_pointer=place)
                continue
            before = self.old.tracks[home]
            yield from _track_changes(before, track, self.words_old.track(before), moved=(home, j) not in stays)

    def _removed(self, clip: Clip, track: Track) -> TimelineChange:
        label = _full(clip, self._label(clip, track))
        where = "" if " at " in label else self.words_old.place(clip, track).replace(" on ", " from ", 1)
        subject, text, pointer = label, f"removed{where} ({spoken(clip.duration)})", clip.pointer
        return TimelineChange("removed", subject, text, pointer, pointer, before=clip.duration / 10**7)

    def _added(self, clip: Clip, track: Track, place: ClipPosition) -> TimelineChange:
        """Describe an added clip. New scenes go by heading: their numbers are those of the new timeline."""
        pointer, after = clip.pointer, clip.duration / 10**7
        if clip.noun == "scene":
            subject = f'Scene "{shown(clip.name)}"' if clip.name else f"New scene {clip.number}"
            where = f" as scene {clip.number}" if clip.name else ""
        else:
            exact = self.words_new.place(clip, track)
            subject = clip.label if exact else self.words_new.clip(clip, track, with_time=False)
            where = exact or f" {self._where(place)}"
        text = f"added{where} ({spoken(clip.duration)})"
        return TimelineChange("added", subject, text, pointer, new_pointer=pointer, after=after)

    def _clips(self, j: int, track: Track) -> Iterator[TimelineChange]:
        for n, clip in enumerate(track.clips):
            place = ClipPosition(j, n)
            if place in self.by_new:
                yield from self._changed(clip, track, place)
            elif place in self.second_halves:
                yield self._split(track, self.second_halves[place], clip)
            elif j in self.partner:
                yield self._added(clip, track, place)

    def _changed(self, clip: Clip, track: Track, place: ClipPosition) -> Iterator[TimelineChange]:
        a = self.by_new[place]
        home = self.old.tracks[a.track]
        before = home.clips[a.position]
        subject = Subject(before, clip, self._label(before, home))
        is_split = place in self.second_halves.values()
        yield from (change for change in clip_changes(subject) if not (is_split and change.kind == "trimmed"))
        if place in self.movers:
            across = "" if self.partner.get(place.track) == a.track else f"to track {self.words_new.track(track)}, "
            where = f"to {self.words_new.at(clip.start)}" if self.new.rate[0] else self._where(place)
            yield subject.change("moved", f"moved {across}{where}", before.pointer, clip.pointer)

    def _split(self, track: Track, first: ClipPosition, second: Clip) -> TimelineChange:
        a = self.by_new[first]
        home = self.old.tracks[a.track]
        before, half = home.clips[a.position], track.clips[first.position]
        subject = Subject(before, half, self._label(before, home))
        lengths = f"{spoken(half.duration)} and {spoken(second.duration)}"
        change = subject.change("split", f"split in two ({lengths})", before.duration / 10**7, half.duration / 10**7)
        return structs.replace(change, new_pointer=second.pointer)

    def _where(self, place: ClipPosition) -> str:
        """Say next to which clip that stayed it is now, in the old timeline's numbers."""
        clips = self.new.tracks[place.track].clips
        for n in range(place.position + 1, min(len(clips), place.position + 50)):
            neighbour = self._neighbour(ClipPosition(place.track, n))
            if neighbour:
                return f"before {neighbour}"
        for n in range(place.position - 1, max(-1, place.position - 50), -1):
            neighbour = self._neighbour(ClipPosition(place.track, n))
            if neighbour:
                return f"after {neighbour}"
        return f"to {spoken(clips[place.position].start)}"

    def _neighbour(self, place: ClipPosition) -> str:
        if place in self.movers or place not in self.by_new:
            return ""
        a = self.by_new[place]
        track = self.old.tracks[a.track]
        label = self._label(track.clips[a.position], track)
        return label[0].lower() + label[1:] if track.clips[a.position].noun == "scene" else label

    def _shifts(self) -> Iterator[list[ClipShift]]:
        """Yield per track by how much each clip that stayed in order starts elsewhere than it did."""
        for i, j in self.match.tracks:
            one, other = self.old.tracks[i], self.new.tracks[j]
            shifts = []
            for n, clip in enumerate(other.clips):
                a = self.by_new.get(ClipPosition(j, n))
                if a is None or ClipPosition(j, n) in self.movers:
                    continue
                before = one.clips[a.position]
                label = self._label(before, one)
                shifts.append(ClipShift(label, clip.noun, before, clip, _gap(one, a.position), _gap(other, n)))
            yield shifts

    def _settings(self) -> Iterator[TimelineChange]:
        old, new = self.old.settings, self.new.settings
        operations = diff_values(old, new) if old or new else ()
        for line in readable_lines(self.new.settings, operations, limit=len(operations)):
            yield TimelineChange("setting", "", line)
        for verb, name, was, now in named_changes(self.old.markers, self.new.markers):
            yield TimelineChange("guide", f"Marker {short(name)}", marker_text(verb, was, now), before=was, after=now)
        if self.old.rate != self.new.rate:
            rates = [f"{side.rate[0] / side.rate[1]:g}" for side in (self.old, self.new)]
            yield TimelineChange("setting", "", f"frames per second changed from {rates[0]} to {rates[1]}")
        yield from self._others()

    def _others(self) -> Iterator[TimelineChange]:
        """Yield changes in parts that are not looked into, and media that came or went without a clip that plays it."""
        for name in [*self.old.other, *(name for name in self.new.other if name not in self.old.other)]:
            was, now = self.old.other.get(name), self.new.other.get(name)
            if was == now:
                continue
            path = name.removeprefix(OF_MEDIA)
            if path == name or (was and now):
                yield TimelineChange("other", "", f"Something else changed in {shown(name)}", after=name)
            elif path not in _played(self.new if now else self.old):
                verb = "added to" if now else "removed from"
                text = f"{verb} the project's media; no clip plays it"
                yield TimelineChange("media", f"Media {shown(path)}", text, before=was or "", after=now or "")


def _is_split(old: Clip, first: Clip, second: Clip) -> bool:
    """Tell whether two clips play, one after the other, what one clip played."""
    if not (old.media or old.name) or not (old.media, old.name) == (first.media, first.name) == (
        second.media,
        second.name,
    ):
        return False
    starts = old.source_start, first.source_start, second.source_start
    if starts[0] is None or starts[1] is None or starts[2] is None or abs(starts[0] - starts[1]) > JITTER:
        return False
    in_a_row = abs(starts[1] + first.duration - starts[2]) <= JITTER
    return in_a_row and abs(first.duration + second.duration - old.duration) <= JITTER


def _played(timeline: Timeline) -> set[str]:
    """Return paths, or names, of the media that clips play."""
    used = {clip.reference for track in timeline.tracks for clip in track.clips if clip.reference >= 0}
    return {timeline.media[n].path or timeline.media[n].name for n in used}


def _full(clip: Clip, label: str) -> str:
    return f'{label} "{shown(clip.name)}"' if clip.noun == "scene" and clip.name else label


def _gap(track: Track, position: int) -> Ticks:
    """Return the empty time before a clip; negative when it begins before the one in front ends."""
    clip = track.clips[position]
    if not position:
        return clip.start
    return clip.start - track.clips[position - 1].start - track.clips[position - 1].duration


def _count(track: Track) -> str:
    return f"{len(track.clips):,} clip{'s' * (len(track.clips) != 1)}"


def _track_changes(old: Track, new: Track, called: str, *, moved: bool) -> Iterator[TimelineChange]:
    subject = Subject(_as_clip(old), _as_clip(new), f"Track {called}")
    if old.name != new.name:
        yield subject.change("track_renamed", f"renamed to {shown(new.name)}", old.name, new.name)
    if moved:
        yield subject.change("track_moved", "moved among the tracks")
    for kind, before, after in (("effect", old.effects, new.effects), ("marker", old.markers, new.markers)):
        for verb, name, was, now in named_changes(before, after):
            yield subject.had(kind, f'its {kind} "{shown(name)}" {verb}{values(was, now)}', was, now)
    yield from track_details(subject, dict(old.details), dict(new.details))


def _as_clip(track: Track) -> Clip:
    """Turn a track into a clip: one thing with a place."""
    return Clip(track.pointer, "track", 0, name=track.name)
