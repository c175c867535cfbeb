"""What happened to the clips of an editor's project: which version added, trimmed, moved or changed each.

Clips are followed by what they are, as `compare/timeline/match` tells it, through renamed files and clips. A merge
counts only where a clip is in it as no parent has it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec

from aura_vcs.compare.timeline.changes import TimelineChange
from aura_vcs.compare.timeline.diff import TimelineDiff, diff_timelines
from aura_vcs.compare.timeline.match import ClipPosition
from aura_vcs.compare.timeline.summary import Words
from aura_vcs.errors.input import UnknownName
from aura_vcs.formats.timeline.endings import may_be_project
from aura_vcs.formats.timeline.model import Clip, Timeline, spoken
from aura_vcs.formats.timeline.project_file import read_project
from aura_vcs.history.lookup.file_history import ContentWalk, FileStep, FileVersion
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import EntryKind
from aura_vcs.repository.repository import Repository

K = TypeVar("K")
V = TypeVar("V")
_FOLLOWS = ("ripple", "shifted")
"""Changes that only follow from those of other clips."""
_GROUPS = {
    **dict.fromkeys(("added", "split"), "added"),
    **dict.fromkeys(("trimmed", "slipped", "retimed"), "trimmed"),
    "moved": "moved",
}
"""Of each of these, and of everything else together, the last change of a clip is told."""


PROJECT_BYTES_LIMIT = 16 << 20
"""A larger project is not looked into: it has more than a hundred thousand clips."""
_KEPT = 8
"""So many versions, and comparisons of two, are held in memory."""


class ClipChange(msgspec.Struct, frozen=True):
    """A version that did something to clips of a name, in a project file: sentences, and stable words for them."""

    version: VersionRecord
    path: str
    texts: tuple[str, ...]
    kinds: tuple[str, ...]


class ClipBlame(msgspec.Struct, frozen=True):
    """The last version that did one sort of thing to a clip: "added", "trimmed", "moved" or "changed"."""

    version: VersionRecord
    location: str
    kind: str
    text: str


class _Timelines:
    """The project files of a walk; a content that is asked for again soon is read once."""

    def __init__(self, walk: ContentWalk) -> None:
        self._walk = walk
        self._known: dict[ObjectId, Timeline | None] = {}
        self._diffs: dict[tuple[ObjectId, ObjectId], TimelineDiff] = {}

    def of(self, content: FileVersion) -> Timeline | None:
        """Return what a version of the file plays; None where it does not have it, or it cannot be read."""
        entry = self._walk.entry(content)
        if entry is None or entry.kind is not EntryKind.FILE:
            return None
        if entry.id not in self._known:
            found = read_project(content.path, self._walk.read(content, PROJECT_BYTES_LIMIT))
            _make_room(self._known)
            self._known[entry.id] = found if isinstance(found, Timeline) else None
        return self._known[entry.id]

    def between(self, parent: FileVersion, content: FileVersion) -> TimelineDiff | None:
        """Compare a version with one before it; None where either has no timeline."""
        old, new = self.of(parent), self.of(content)
        if old is None or new is None:
            return None
        first, second = self._walk.entry(parent), self._walk.entry(content)
        assert first is not None
        assert second is not None
        if (first.id, second.id) not in self._diffs:
            _make_room(self._diffs)
            self._diffs[first.id, second.id] = diff_timelines(old, new)
        return self._diffs[first.id, second.id]


def _make_room(kept: dict[K, V]) -> None:
    while len(kept) >= _KEPT:
        del kept[next(iter(kept))]


def clip_history(repo: Repository, start: VersionId, name: str, paths: Sequence[str] = ()) -> list[ClipChange]:
    """List the versions that did something to the clips called `name`, newest first; of all project files, or of these.

    Case does not count; the name of a clip's media does as well. Under names that the clips had before, they are
    followed.

    Raises:
        UnknownName: no version has such a clip.
    """
    record = repo.queries.version(start)
    assert record is not None
    walk = ContentWalk(repo)
    timelines = _Timelines(walk)
    files = list(paths) or [path for path, _ in repo.trees.walk(record.tree) if is_project_name(path)]
    found: list[ClipChange] = []
    for path in files:
        names = {name.casefold()}
        for step in walk.steps(start, path):
            if step.is_changed and not any(walk.is_same(step.content, parent) for parent in step.parents):
                found += _of_step(timelines, step, names)
    if not found:
        hint = "`aura blame FILE` lists the clips of a project file."
        if large := [path for path in files if _is_too_large(repo, record, path)]:
            hint = f"{large[0]} has more than {PROJECT_BYTES_LIMIT >> 20} MiB and was not looked into."
        raise UnknownName("clip", name, hint=hint)
    return sorted(found, key=lambda change: -change.version.number)


def _is_too_large(repo: Repository, record: VersionRecord, path: str) -> bool:
    entry = repo.trees.entry(record.tree, path)
    return entry is not None and entry.size > PROJECT_BYTES_LIMIT


def is_project_name(path: str) -> bool:
    """Tell whether a file may be the project of an editor; timelines of the studio are documents with fields."""
    return may_be_project(path) and not path.lower().endswith(".json")


def _of_step(timelines: _Timelines, step: FileStep, names: set[str]) -> Iterator[ClipChange]:
    told: list[TimelineChange] = []
    for parent in step.parents or (None,):
        mine = list(_about(timelines, parent, step.content, names))
        if not mine:
            return  # a parent has them so
        told = told or mine
    names |= {str(change.before).casefold() for change in told if change.kind == "renamed"}
    texts = tuple(dict.fromkeys(f"{change.subject} {'had ' * change.possessive}{change.text}" for change in told))
    yield ClipChange(step.content.version, step.content.path, texts, tuple(dict.fromkeys(c.kind for c in told)))


def _about(
    timelines: _Timelines, parent: FileVersion | None, content: FileVersion, names: set[str]
) -> Iterator[TimelineChange]:
    """Yield what was done to clips of these names between a parent and a version."""
    diff = timelines.between(parent, content) if parent is not None else None
    if diff is None:
        new = timelines.of(content)
        had = timelines.of(parent) is not None if parent is not None else False
        for clip in _clips(new) if new is not None and not had else ():
            if _is_called(clip, names):
                yield TimelineChange("added", clip.label, "added", clip.pointer)
        return
    assert diff.old is not None
    assert diff.new is not None
    mine = {clip.pointer for clip in _clips(diff.new) if _is_called(clip, names)}
    gone = {clip.pointer for clip in _clips(diff.old) if _is_called(clip, names)}
    for change in diff.changes:
        if change.kind in ("track_removed", "track_added"):
            yield from _with_track(diff, change, names)
        elif change.kind not in _FOLLOWS and change.owner in (gone if change.kind == "removed" else mine):
            yield change


def _with_track(diff: TimelineDiff, change: TimelineChange, names: set[str]) -> Iterator[TimelineChange]:
    """Yield the clips of these names that came or went with their track; those that moved have their own change."""
    assert diff.match is not None
    is_gone = change.kind == "track_removed"
    timeline = diff.old if is_gone else diff.new
    assert timeline is not None
    passed = {pair[0 if is_gone else 1] for pair in diff.match.clips}
    kind, words = "removed" if is_gone else "added", Words(timeline)
    for t, track in enumerate(timeline.tracks):
        for n, clip in enumerate(track.clips if track.pointer == change.owner else ()):
            if _is_called(clip, names) and ClipPosition(t, n) not in passed:
                text = f"{kind} with track {words.track(track)} ({spoken(clip.duration)})"
                yield TimelineChange(kind, clip.label, text, clip.pointer)


def _clips(timeline: Timeline) -> Iterator[Clip]:
    return (clip for track in timeline.tracks for clip in track.clips)


def _is_called(clip: Clip, names: set[str]) -> bool:
    media = clip.media.replace("\\", "/").rpartition("/")[2]
    return clip.name.casefold() in names or media.casefold() in names


def blame_clips(walk: ContentWalk, start: VersionRecord, path: str) -> list[ClipBlame] | None:
    """Say of every clip which version added it, and which last trimmed, moved or changed it.

    None where the file is no project that is understood. Looks at the versions that changed the file only.
    """
    timelines = _Timelines(walk)
    timeline = timelines.of(FileVersion(start, path))
    if timeline is None or not any(track.clips for track in timeline.tracks):
        return None
    clips = [ClipPosition(t, n) for t, track in enumerate(timeline.tracks) for n in range(len(track.clips))]
    told: list[dict[str, tuple[VersionRecord, str]]] = [{} for _ in clips]
    sought: dict[VersionId, dict[int, ClipPosition]] = {start.id: dict(enumerate(clips))}
    for step in walk.steps(start.id, path):
        open_ = sought.pop(step.content.version.id, {})
        if open_:
            for parent, passed in _passed(walk, timelines, step, open_, told):
                waiting = sought.setdefault(parent.version.id, {})
                for n, place in passed.items():
                    waiting.setdefault(n, place)
        if not any(sought.values()):
            break
    words = Words(timeline)
    return [
        ClipBlame(version, _location(words, place), kind, text)
        for place, kinds in zip(clips, told, strict=True)
        for kind, (version, text) in sorted(kinds.items(), key=lambda item: item[1][0].number)
    ]


def _passed(
    walk: ContentWalk,
    timelines: _Timelines,
    step: FileStep,
    open_: dict[int, ClipPosition],
    told: list[dict[str, tuple[VersionRecord, str]]],
) -> Iterator[tuple[FileVersion, dict[int, ClipPosition]]]:
    """Hand clips on to the parents that have them, and note what the version did to them."""
    record = step.content.version
    for parent in step.parents:
        if not step.is_changed or walk.is_same(step.content, parent):
            yield parent, open_
            return
    sides = [
        (parent, _ComparedClips(diff)) for parent in step.parents if (diff := timelines.between(parent, step.content))
    ]
    handed: dict[int, dict[int, ClipPosition]] = {}
    for n, place in open_.items():
        known = [(k, seen) for k, (_, seen) in enumerate(sides) if place in seen.before]
        if not known:
            told[n].setdefault("added", (record, "added"))
            continue
        k, seen = next(((k, seen) for k, seen in known if not seen.changes_of(place)), known[0])
        for change in seen.changes_of(place):
            text = f"{'had ' * change.possessive}{change.text}"
            told[n].setdefault(_GROUPS.get(change.kind, "changed"), (record, text))
        if "added" in told[n]:  # by a split: what it was before is another clip's story
            continue
        handed.setdefault(k, {})[n] = seen.before[place]
    for k, (parent, _) in enumerate(sides):
        if k in handed:
            yield parent, handed[k]


class _ComparedClips:
    """A comparison, by the places of the clips in the newer version."""

    def __init__(self, diff: TimelineDiff) -> None:
        assert diff.new is not None
        assert diff.match is not None
        self._new = diff.new
        self.before = {b: a for a, b in diff.match.clips}
        self._changes: dict[str, list[TimelineChange]] = {}
        for change in diff.changes:
            # a removed clip is named by its old place, where another stands by now
            if change.kind not in (*_FOLLOWS, "removed") and change.owner:
                self._changes.setdefault(change.owner, []).append(change)

    def changes_of(self, place: ClipPosition) -> Iterable[TimelineChange]:
        """Return what was done to the clip at a place."""
        return self._changes.get(self._new.tracks[place.track].clips[place.position].pointer, ())


def _location(words: Words, place: ClipPosition) -> str:
    track = words.timeline.tracks[place.track]
    clip = track.clips[place.position]
    at = words.at(clip.start)
    return " ".join(part for part in (track.sequence, track.name, at, clip.label) if part)
