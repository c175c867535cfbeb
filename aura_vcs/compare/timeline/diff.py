"""What changed between two timelines, in plain words first and in full on demand.

`timeline.json` and OpenTimelineIO files are read into one model (`timeline_model`); clips are
matched by what they are (`timeline_match`). What only follows from another change (everything
after a trimmed clip starts earlier) is one "ripple", not a change of each clip.
"""

from collections.abc import Iterator

from msgspec import Struct, structs

from aura_vcs.compare.diff.describe import readable_lines
from aura_vcs.compare.diff.json_values import diff_values
from aura_vcs.compare.diff.sequences import longest_increasing
from aura_vcs.compare.timeline.changes import JITTER, Subject, TimelineChange, clip_changes, named_changes
from aura_vcs.compare.timeline.match import Place, TimelineMatch, match_timelines
from aura_vcs.compare.timeline.ripple import Shift, ripples
from aura_vcs.compare.timeline.summary import SUMMARY_LIMIT, summary
from aura_vcs.formats.jsondoc.parse import Unstructured, parse_document
from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.timeline.model import Clip, Ticks, Timeline, Track, shown, spoken
from aura_vcs.formats.timeline.otio import is_otio, read_otio
from aura_vcs.formats.timeline.studio import is_studio_timeline, read_studio_timeline


class TimelineDiff(Struct, frozen=True):
    """The changes between two timelines.

    `lines` is the summary for people, `is_complete` if it tells each change; `changes` every single
    one. `match` and both models serve drawing. `fallback` is a sentence when a file is no timeline that can be read.
    """

    lines: tuple[str, ...] = ()
    changes: tuple[TimelineChange, ...] = ()
    old: Timeline | None = None
    new: Timeline | None = None
    match: TimelineMatch | None = None
    fallback: str = ""
    is_complete: bool = True


def is_timeline(value: JsonValue) -> bool:
    """Whether a parsed document is a timeline of either format."""
    return is_studio_timeline(value) or is_otio(value)


def read_timeline(data: bytes) -> Timeline | Unstructured:
    """The model of a `timeline.json` or OpenTimelineIO file, or why there is none."""
    document = parse_document(data)
    if isinstance(document, Unstructured):
        return document
    if is_studio_timeline(document.value):
        return read_studio_timeline(document.value)
    if is_otio(document.value):
        return read_otio(document.value)
    return Unstructured("it is neither the studio's timeline nor an OpenTimelineIO timeline")


def diff_timeline_files(old: bytes, new: bytes, *, limit: int = SUMMARY_LIMIT) -> TimelineDiff:
    """Compare two versions of a timeline file; at most `limit` lines of summary."""
    before, after = read_timeline(old), read_timeline(new)
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
    return TimelineDiff(told.lines, changes, old, new, match, is_complete=told.is_complete)


class _Diff:
    def __init__(self, old: Timeline, new: Timeline, match: TimelineMatch) -> None:
        self.old, self.new, self.match = old, new, match
        self.partner = {j: i for i, j in match.tracks}
        self.by_new = {b: a for a, b in match.clips}
        self.movers = self._find_movers()
        self.second_halves = self._find_splits()

    def _find_movers(self) -> set[Place]:
        """New places of clips that changed track or order: all but a longest run that kept it."""
        stays: set[Place] = set()
        by_track: dict[int, list[tuple[Place, Place]]] = {}
        for a, b in self.match.clips:
            if self.partner.get(b.track) == a.track:
                by_track.setdefault(b.track, []).append((a, b))
        for pairs in by_track.values():
            stays |= {pairs[n][1] for n in longest_increasing([a.position for a, _ in pairs])}
        return {b for _, b in self.match.clips} - stays

    def _find_splits(self) -> dict[Place, Place]:
        """New clips that play on where the one in front, which was cut short, ends: first half by second."""
        found = {}
        for j, track in enumerate(self.new.tracks):
            for n in range(1, len(track.clips)):
                first, second = Place(j, n - 1), Place(j, n)
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
                if Place(i, n) not in gone and i in kept:
                    yield self._removed(clip, track)
        for j, track in enumerate(self.new.tracks):
            yield from self._clips(j, track)
        yield from ripples(list(self._shifts()))
        yield from self._settings()

    def _label(self, clip: Clip, track: Track, tracks: tuple[Track, ...]) -> str:
        if clip.noun == "scene" or clip.name:
            return clip.label
        return clip.label if len(tracks) == 1 else f"{clip.label} on {shown(track.name)}"

    def _tracks(self) -> Iterator[TimelineChange]:
        kept = {i for i, _ in self.match.tracks}
        for i, track in enumerate(self.old.tracks):
            if i not in kept:
                text = f"removed with {_count(track)}"
                yield TimelineChange("track_removed", f"Track {shown(track.name)}", text, track.pointer, track.pointer)
        order = longest_increasing([i for i, _ in self.match.tracks])
        stays = {self.match.tracks[n] for n in order}
        for j, track in enumerate(self.new.tracks):
            subject = f"Track {shown(track.name)}"
            home = self.partner.get(j)
            if home is None:
                text = f"added with {_count(track)}"
                place = track.pointer
                yield TimelineChange("track_added", subject, text, place, new_pointer=place)
                continue
            yield from _track_changes(self.old.tracks[home], track, moved=(home, j) not in stays)

    def _removed(self, clip: Clip, track: Track) -> TimelineChange:
        subject = _full(clip, self._label(clip, track, self.old.tracks))
        text, pointer = f"removed ({spoken(clip.duration)})", clip.pointer
        return TimelineChange("removed", subject, text, pointer, pointer, before=clip.duration / 10**7)

    def _added(self, clip: Clip, track: Track, place: Place) -> TimelineChange:
        """New scenes are told by heading: their numbers are those of the new timeline."""
        pointer, after = clip.pointer, clip.duration / 10**7
        if clip.noun == "scene":
            subject = f'Scene "{shown(clip.name)}"' if clip.name else f"New scene {clip.number}"
            where = f" as scene {clip.number}" if clip.name else ""
        else:
            subject, where = self._label(clip, track, self.new.tracks), f" {self._where(place)}"
        text = f"added{where} ({spoken(clip.duration)})"
        return TimelineChange("added", subject, text, pointer, new_pointer=pointer, after=after)

    def _clips(self, j: int, track: Track) -> Iterator[TimelineChange]:
        for n, clip in enumerate(track.clips):
            place = Place(j, n)
            if place in self.by_new:
                yield from self._changed(clip, track, place)
            elif place in self.second_halves:
                yield self._split(track, self.second_halves[place], clip)
            elif j in self.partner:
                yield self._added(clip, track, place)

    def _changed(self, clip: Clip, track: Track, place: Place) -> Iterator[TimelineChange]:
        a = self.by_new[place]
        home = self.old.tracks[a.track]
        before = home.clips[a.position]
        subject = Subject(before, clip, self._label(before, home, self.old.tracks))
        is_split = place in self.second_halves.values()
        yield from (change for change in clip_changes(subject) if not (is_split and change.kind == "trimmed"))
        if place in self.movers:
            across = "" if self.partner.get(place.track) == a.track else f"to track {shown(track.name)}, "
            yield subject.change("moved", f"moved {across}{self._where(place)}", before.pointer, clip.pointer)

    def _split(self, track: Track, first: Place, second: Clip) -> TimelineChange:
        a = self.by_new[first]
        home = self.old.tracks[a.track]
        before, half = home.clips[a.position], track.clips[first.position]
        subject = Subject(before, half, self._label(before, home, self.old.tracks))
        lengths = f"{spoken(half.duration)} and {spoken(second.duration)}"
        change = subject.change("split", f"split in two ({lengths})", before.duration / 10**7, half.duration / 10**7)
        return structs.replace(change, new_pointer=second.pointer)

    def _where(self, place: Place) -> str:
        """Next to which clip that stayed it is now, in the old timeline's numbers."""
        clips = self.new.tracks[place.track].clips
        for n in range(place.position + 1, min(len(clips), place.position + 50)):
            neighbour = self._neighbour(Place(place.track, n))
            if neighbour:
                return f"before {neighbour}"
        for n in range(place.position - 1, max(-1, place.position - 50), -1):
            neighbour = self._neighbour(Place(place.track, n))
            if neighbour:
                return f"after {neighbour}"
        return f"to {spoken(clips[place.position].start)}"

    def _neighbour(self, place: Place) -> str:
        if place in self.movers or place not in self.by_new:
            return ""
        a = self.by_new[place]
        track = self.old.tracks[a.track]
        label = self._label(track.clips[a.position], track, self.old.tracks)
        return label[0].lower() + label[1:] if track.clips[a.position].noun == "scene" else label

    def _shifts(self) -> Iterator[list[Shift]]:
        """Per track, how far each clip that kept its place in the order starts from where it did."""
        for i, j in self.match.tracks:
            one, other = self.old.tracks[i], self.new.tracks[j]
            shifts = []
            for n, clip in enumerate(other.clips):
                a = self.by_new.get(Place(j, n))
                if a is None or Place(j, n) in self.movers:
                    continue
                before = one.clips[a.position]
                label = self._label(before, one, self.old.tracks)
                shifts.append(Shift(label, clip.noun, before, clip, _gap(one, a.position), _gap(other, n)))
            yield shifts

    def _settings(self) -> Iterator[TimelineChange]:
        operations = diff_values(self.old.settings, self.new.settings)
        for line in readable_lines(self.new.settings, operations, limit=len(operations)):
            yield TimelineChange("setting", "", line)


def _is_split(old: Clip, first: Clip, second: Clip) -> bool:
    """Whether two clips play, one after the other, what one clip played."""
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


def _full(clip: Clip, label: str) -> str:
    return f'{label} "{shown(clip.name)}"' if clip.noun == "scene" and clip.name else label


def _gap(track: Track, position: int) -> Ticks:
    """The empty time before a clip; negative when it begins before the one in front ends."""
    clip = track.clips[position]
    if not position:
        return clip.start
    return clip.start - track.clips[position - 1].start - track.clips[position - 1].duration


def _count(track: Track) -> str:
    return f"{len(track.clips):,} clip{'s' * (len(track.clips) != 1)}"


def _track_changes(old: Track, new: Track, *, moved: bool) -> Iterator[TimelineChange]:
    subject = Subject(_as_clip(old), _as_clip(new), f"Track {shown(old.name)}")
    if old.name != new.name:
        yield subject.change("track_renamed", f"renamed to {shown(new.name)}", old.name, new.name)
    if moved:
        yield subject.change("track_moved", "moved among the tracks")
    for kind, before, after in (("effect", old.effects, new.effects), ("marker", old.markers, new.markers)):
        for verb, name, was, now in named_changes(before, after):
            yield subject.had(kind, f'its {kind} "{shown(name)}" {verb}', was, now)


def _as_clip(track: Track) -> Clip:
    """A track seen as one thing with a place."""
    return Clip(track.pointer, "track", 0, name=track.name)
