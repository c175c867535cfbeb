"""What happened to one clip: trimmed, retimed, moved, its media replaced …"""

import json
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct, structs

from aura_vcs.compare.diff.describe import changed_text, readable_lines, short
from aura_vcs.compare.diff.json_values import diff_values
from aura_vcs.compare.timeline.match import match_parts
from aura_vcs.formats.timeline.model import Clip, Ticks, shown, spoken

Value = float | str
VALUES_WIDTH = 60
"""Characters of values that are told in brackets."""
VALUES_SHOWN = 3
JITTER: Ticks = 5_000
"""Half a millisecond: differences below it come from rounding frame rates, not from people."""


class TimelineChange(Struct, frozen=True):
    """One change; `subject` was or had what `text` says.

    `kind` is a stable word (added, removed, moved, split, trimmed, slipped, retimed, shifted, media,
    renamed, text, transition, effect, marker, detail, part_added, part_removed, part_moved,
    track_added, track_removed, track_renamed, track_moved, track_state, setting, guide, other, ripple). `owner` is the
    pointer of the clip or track it belongs to. A `possessive` text is something the subject had
    done to a thing of its own ("its picture replaced"). `before` and `after` are seconds, places
    or texts, as the kind has it. `amount` counts the clips a ripple concerns.
    """

    kind: str
    subject: str
    text: str
    owner: str = ""
    old_pointer: str = ""
    new_pointer: str = ""
    before: Value = ""
    after: Value = ""
    possessive: bool = False
    amount: int = 1


class Subject(Struct, frozen=True):
    """The clip before and after, and the words for it."""

    old: Clip
    new: Clip
    label: str

    def change(self, kind: str, text: str, before: Value = "", after: Value = "") -> TimelineChange:
        """Make a change of something that the clip was."""
        return TimelineChange(
            kind, self.label, text, self.new.pointer, self.old.pointer, self.new.pointer, before, after
        )

    def had(self, kind: str, text: str, before: Value = "", after: Value = "") -> TimelineChange:
        """Make a change that was made to something of the clip's own."""
        return structs.replace(self.change(kind, text, before, after), possessive=True)

    def had_part(self, change: TimelineChange, text: str) -> TimelineChange:
        """Ascribe a change of one of the clip's parts to the clip."""
        return structs.replace(change, subject=self.label, text=text, owner=self.new.pointer, possessive=True)


def clip_changes(subject: Subject) -> Iterator[TimelineChange]:
    """Yield everything that differs between a clip's two states, except where it stands."""
    old, new = subject.old, subject.new
    yield from _length(subject)
    if old.speed != new.speed:
        yield subject.change(
            "retimed", f"retimed from {_speed(old.speed)} to {_speed(new.speed)}", old.speed, new.speed
        )
    if old.name != new.name:
        yield subject.change("renamed", _renamed(old.name, new.name), old.name, new.name)
    if old.text != new.text:
        yield subject.had("text", _text_changed(old.text, new.text), old.text, new.text)
    if old.media != new.media:
        thing = "narration" if new.noun == "scene" else ("media" if new.noun == "clip" else new.noun)
        yield subject.had("media", _replaced(thing, old.media, new.media), old.media, new.media)
    if old.transition != new.transition:
        yield subject.had("transition", _transition(old.transition, new.transition), old.transition, new.transition)
    yield from _named(subject, "effect", old.effects, new.effects)
    yield from _named(subject, "marker", old.markers, new.markers)
    yield from _details(subject)
    if old.other != new.other:
        yield subject.had("other", "something else about it changed", old.other, new.other)
    yield from _parts(subject)


def _length(subject: Subject) -> Iterator[TimelineChange]:
    old, new = subject.old, subject.new
    cut_head = (new.source_start or 0) - (old.source_start or 0) if old.media == new.media else 0
    if abs(old.duration - new.duration) > JITTER:
        verb = "trimmed" if new.duration < old.duration else "extended"
        ends = ""
        if abs(cut_head) > JITTER:
            both = abs(new.duration + cut_head - old.duration) > JITTER
            ends = " at both ends" if both else " at its beginning"
        yield subject.change(
            "trimmed",
            f"{verb} from {spoken(old.duration)} to {spoken(new.duration)}{ends}",
            old.duration / 10**7,
            new.duration / 10**7,
        )
    elif abs(cut_head) > JITTER:
        direction = "later" if cut_head > 0 else "earlier"
        yield subject.change(
            "slipped",
            f"slipped to begin {spoken(abs(cut_head))} {direction} in its media",
            (old.source_start or 0) / 10**7,
            (new.source_start or 0) / 10**7,
        )


def _speed(speed: float) -> str:
    return "a freeze frame" if speed == 0 else f"{speed * 100:g} % speed"


def _renamed(old: str, new: str) -> str:
    if not old:
        return f"named {short(new)}"
    return f"renamed from {short(old)} to {short(new)}" if new else f"left without its name {short(old)}"


def _text_changed(old: str, new: str) -> str:
    if not old:
        return f"its script written: {short(new)}"
    return f"its script edited: {changed_text(old, new)}" if new else "its script removed"


def _replaced(thing: str, old: str, new: str) -> str:
    if not old:
        return f"its {thing} added ({_file(new)})"
    if new and _file(old) == _file(new):
        return f"its {thing} taken from another place ({folder_of(old)} → {folder_of(new)})"
    return f"its {thing} replaced ({_file(old)} → {_file(new)})" if new else f"its {thing} removed ({_file(old)})"


def _file(path: str) -> str:
    """Return the last part of a path; paths of one folder are distinguished by it."""
    name = path.replace("\\", "/").rstrip("/").rpartition("/")[2] or path
    return short(name, 48)[1:-1]


def folder_of(path: str) -> str:
    """Return where a file lies, in words; the end of it, if that is long."""
    folder = path.replace("\\", "/").rstrip("/").rpartition("/")[0]
    if len(folder) > 48:
        folder = "…" + folder[-47:]
    return shown(folder) or "the project's folder"


def _transition(old: str, new: str) -> str:
    if not old:
        return f"its transition added ({shown(new)})"
    if not new:
        return f"its transition removed ({shown(old)})"
    return f"its transition changed ({shown(old)} → {shown(new)})"


def _named(
    subject: Subject, kind: str, old: tuple[tuple[str, str], ...], new: tuple[tuple[str, str], ...]
) -> Iterator[TimelineChange]:
    """Yield effects or markers that came, went or changed, matched by name and equality."""
    if old == new:
        return
    for verb, name, before, after in named_changes(old, new):
        yield subject.had(kind, f"its {kind} {short(name)} {verb}{values(before, after)}", before, after)


def named_changes(
    old: tuple[tuple[str, str], ...], new: tuple[tuple[str, str], ...]
) -> Iterator[tuple[str, str, str, str]]:
    """Yield (verb, name, before, after) of what differs between two lists of named things."""
    kept = Counter(old) & Counter(new)
    gone: dict[str, list[str]] = {}
    for name, before in reversed(_without(old, kept.copy())):
        gone.setdefault(name, []).append(before)
    for name, after in _without(new, kept.copy()):
        if gone.get(name):
            yield "changed", name, gone[name].pop(), after
        else:
            yield "added", name, "", after
    for name, values in gone.items():
        for before in reversed(values):
            yield "removed", name, before, ""


def marker_text(verb: str, before: str, after: str) -> str:
    """Describe what happened to a marker of the whole: `added at 00:00:10:00`, `moved from … to …`."""
    was, now = _place_of(before), _place_of(after)
    if verb == "changed" and was != now:
        return f"moved from {was} to {now}"
    if verb == "changed":
        return f"changed{values(before, after)}"
    return f"{verb} at {now or was}" if now or was else verb


def _place_of(marker: str) -> str:
    try:
        found = json.loads(marker) if marker else {}
    except ValueError:
        return ""
    return str(found.get("at", "")) if isinstance(found, dict) else ""


STATES = ("muted", "muted or hidden", "hidden", "locked", "solo")


def track_details(subject: Subject, old: dict[str, str], new: dict[str, str]) -> Iterator[TimelineChange]:
    """Yield changes of whether a track is muted, hidden or locked, and of what else it says."""
    for key in [*old, *(key for key in new if key not in old)]:
        before, after = old.get(key, ""), new.get(key, "")
        if before == after:
            continue
        if key in STATES and not (before and after):
            word = key if after else f"no longer {key}"
            yield subject.change("track_state", f"{word} now" if after else word, before, after)
        else:
            told = values(before, after) if len(before + after) < VALUES_WIDTH and not _is_digest(after) else ""
            yield subject.had("track_state", f"its {shown(key)} changed{told}", before, after)


def _is_digest(value: str) -> bool:
    """Tell whether a value is a fingerprint, which says nothing to a person."""
    return len(value) == 24 and all(c in "0123456789abcdef" for c in value)


def _without(items: tuple[tuple[str, str], ...], kept: Counter[tuple[str, str]]) -> list[tuple[str, str]]:
    left = []
    for item in items:
        if kept[item]:
            kept[item] -= 1
        else:
            left.append(item)
    return left


def _details(subject: Subject) -> Iterator[TimelineChange]:
    if subject.old.details == subject.new.details:
        return
    old, new = dict(subject.old.details), dict(subject.new.details)
    for key in [*old, *(key for key in new if key not in old)]:
        before, after = _present(old.get(key)), _present(new.get(key))
        if key == "enabled" and before != after and {before, after} <= {"", "true", "false"}:
            if "false" in (before, after):
                yield subject.change("detail", f"switched {'off' if after == 'false' else 'on'}", before, after)
        elif before != after:
            verb = "added" if not before else "changed" if after else "removed"
            name = shown(key.replace("_", " "))
            yield subject.had("detail", f"its {name} {verb}{values(before, after)}", before, after)


def _present(value: str | None) -> str:
    """Return a field's value; one that is null is as good as absent: programs add such to what they save."""
    return "" if value in (None, "null") else value


def values(before: str, after: str) -> str:
    """Tell in brackets, what became of a value that was there before and is there now; nothing if that is long."""
    if not before or not after:
        return ""
    try:
        old, new = json.loads(before), json.loads(after)
    except ValueError:
        return f" ({shown(before)} → {shown(after)})" if len(before + after) < VALUES_WIDTH else ""
    if isinstance(old, dict) and isinstance(new, dict):
        told = ", ".join(readable_lines(new, diff_values(old, new), limit=VALUES_SHOWN))
        return f" ({told})" if len(told) <= VALUES_WIDTH else ""
    return f" ({short(old)} → {short(new)})" if len(before + after) < VALUES_WIDTH else ""


def _parts(subject: Subject) -> Iterator[TimelineChange]:
    """Yield what happened to the visual assets of a scene, or to the clips inside a nested one."""
    old, new = subject.old.parts, subject.new.parts
    if old == new:
        return
    pairs = match_parts(old, new)
    gone, come = {i for i, _ in pairs}, {j for _, j in pairs}
    for i, j in pairs:
        yield from _part(subject, old[i], new[j], alone=len(new) == 1)
    if [i for i, _ in pairs] != sorted(gone):
        yield subject.had("part_moved", f"its {new[0].noun}s rearranged")
    for j, part in enumerate(new):
        if j not in come:
            change = TimelineChange("part_added", "", "", new_pointer=part.pointer, after=part.media)
            yield subject.had_part(change, f"a {part.noun} added ({_file(part.media) or shown(part.name)})")
    for i, part in enumerate(old):
        if i not in gone:
            change = TimelineChange("part_removed", "", "", old_pointer=part.pointer, before=part.media)
            yield subject.had_part(change, f"its {part.noun} {_file(part.media) or shown(part.name)} removed")


def _part(subject: Subject, old: Clip, new: Clip, *, alone: bool) -> Iterator[TimelineChange]:
    name = f"its {new.noun}" if alone else f"its {new.noun} {new.number}"
    inner = Subject(old, new, name)
    follows = (old.duration, new.duration) == (subject.old.duration, subject.new.duration)
    for change in clip_changes(inner):
        if change.kind == "trimmed" and follows:
            continue  # it fills its scene before and after: the scene's own change says it
        text = f"{name} {change.text}"
        if change.kind == "media" and old.media and new.media:
            text = _replaced(name.removeprefix("its "), old.media, new.media)
        elif change.possessive:
            text = change.text if alone else f"{change.text} (of {name.removeprefix('its ')})"
        yield subject.had_part(change, text)
    if abs(old.start - new.start) > JITTER and old.noun != "clip":
        shift = inner.change("shifted", "", old.start / 10**7, new.start / 10**7)
        yield subject.had_part(shift, f"{name} shifted to {spoken(new.start)}")
