"""Open conflicts in words: the place, and what each side wants there."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from aura_vcs.cli.output.console import Line, cyan, faint, green, red
from aura_vcs.compare.diff.describe import label_of, readable_lines, short
from aura_vcs.compare.diff.json_values import diff_values
from aura_vcs.formats.timeline.model import seconds_to_ticks, shown, spoken
from aura_vcs.formats.timeline.otio import read_range, read_rational
from aura_vcs.formats.timeline.timecode import format_timecode, frames_to_ticks

if TYPE_CHECKING:
    from aura_vcs.compare.merge.tree import TreeConflict
    from aura_vcs.history.merging.conflict_groups import ConflictGroup
    from aura_vcs.history.merging.conflicts import OpenConflict
    from aura_vcs.history.merging.media_changes import MediaSides

VALUE_LENGTH = 100
"""Characters of a value that are shown."""
TEXT_LINES = 5
MEDIA_LINES = 6
"""Lines about what one side did to a media file."""
CHANGES_SHOWN = 4
TIMES = frozenset({"start", "duration", "end", "duration_seconds", "audio_duration", "start_seconds"})
"""Fields of documents that have seconds."""
FOLLOWING = ("/index", "/start")
"""Fields of a scene that follow from the scenes in front of it."""


def conflict_lines(item: "OpenConflict", number: int, media: "MediaSides | None" = None) -> Iterator[Line]:
    """Yield the few lines of one conflict, with the number by which `aura resolve` takes it.

    `media` is what became of a media file on both sides.
    """
    label = _label(item)
    yield [red(f"{number:4}"), "  ", item.location, *([faint(f"  {label}")] if label else [])]
    if item.tree is not None:
        yield ["      ", _about_files(item.tree, item.ours_label, item.theirs_label)]
        if media is not None:
            yield from _about_media(media)
        return
    for word, label, painter in (("ours", item.ours_label, green), ("theirs", item.theirs_label, cyan)):
        for text in _side(item, word):
            yield ["      ", painter(word.ljust(7)), text, faint(f"  ({label})")]
            break
    for text in _side(item, "base"):
        yield ["      ", faint("base   "), faint(text)]


def group_lines(group: "ConflictGroup", number: int, media: "Mapping[str, MediaSides]") -> Iterator[Line]:
    """Yield the lines of what is decided at once; of frames of a sequence, what became of all together."""
    if group.sequence is None:
        yield from conflict_lines(group.first, number, media.get(group.first.id))
        return
    from aura_vcs.history.merging.sequence_sides import sequence_sides

    tree = group.first.tree
    assert tree is not None
    yield [red(f"{number:4}"), "  ", group.location, faint(f"  {len(group.items):,} frames")]
    ours, theirs = group.first.ours_label, group.first.theirs_label
    both = f"both changed them: here are ours ({ours}); theirs are beside them, the first as {tree.aside}"
    yield ["      ", both if tree.kind == "changed" else _about_files(tree, ours, theirs)]
    for word, lines in sequence_sides(group, media):
        painter = green if word == "ours" else cyan
        for n, line in enumerate(lines[:MEDIA_LINES]):
            yield ["      ", painter(word.ljust(7)) if n == 0 else " " * 7, " ", line]


def _about_media(media: "MediaSides") -> Iterator[Line]:
    for word, found, painter in (("ours", media.ours, green), ("theirs", media.theirs, cyan)):
        if found is None:
            continue
        left = len(found.lines) - MEDIA_LINES
        lines = [*found.lines[:MEDIA_LINES], *([f"and {left:,} more"] if left > 0 else [])]
        for n, line in enumerate(lines or [f"not looked into: {found.problem}" if found.problem else "other content"]):
            yield ["      ", painter(word.ljust(7)) if n == 0 else " " * 7, " ", line]


def _label(item: "OpenConflict") -> str:
    """Label the list element that a field's place leads through: a heading says more than a number."""
    if item.field is None:
        return ""
    sides = [label_of(side) for side in (item.field.ours, item.field.theirs, item.field.base)]
    names = [label_of(json.loads(anchor)) for anchor in item.anchors if anchor.startswith("{")]
    return next((name for name in (*sides, *reversed(names)) if name), "")


def _side(item: "OpenConflict", word: str) -> list[str]:
    if item.field is not None:
        value = getattr(item.field, word)
        if item.field.kind == "moved":
            return [] if value is msgspec.UNSET else [_where(value)]
        if value is msgspec.UNSET:
            return [_nothing(word)]
        return [_changed(item, value) if word != "base" else _value(value, item.field.pointer)]
    assert item.text is not None
    lines = str(getattr(item.text, word)).splitlines()
    told = " ⏎ ".join(lines[:TEXT_LINES]) or _nothing(word)
    return [_short(told)]


def _where(place: Any) -> str:
    """Format a place in a list, counted from 1 as people do; or in another list."""
    return f"at place {place + 1:,}" if isinstance(place, int) else f"at {place}"


def _changed(item: "OpenConflict", value: Any) -> str:
    """Format what a side has; of a whole object that both knew, what it changed in it."""
    field = item.field
    if field is None or not isinstance(value, dict) or not isinstance(field.base, dict):
        return _value(value, field.pointer if field is not None else "")
    told = _length(value, field.pointer)
    if told is not None and len({_length(side, field.pointer) for side in (field.ours, field.theirs)}) > 1:
        return told
    base = field.base
    follows = FOLLOWING if item.by == "timeline" else ()
    changes = [operation for operation in diff_values(base, value) if operation.path not in follows]
    return "; ".join(readable_lines(value, changes, limit=CHANGES_SHOWN)) or _value(value)


def _nothing(word: str) -> str:
    return "nothing" if word == "base" else "nothing: it was removed"


def _value(value: Any, pointer: str = "") -> str:
    if (length := _length(value, pointer)) is not None:
        return length
    if isinstance(value, dict | list):
        return short(value, VALUE_LENGTH)
    return _short(json.dumps(value, ensure_ascii=False))


def _length(value: Any, pointer: str) -> str | None:
    """Format a time that a timeline has in frames, ticks or seconds; return None for other values."""
    if isinstance(value, dict):
        if (played := _played(value) or _stands(value)) is not None:
            return played
        if (whole := read_range(value)) is not None:
            return f"{spoken(whole[1])}, from {spoken(whole[0])} on"
        ticks = read_rational(value)
        return None if ticks is None else spoken(ticks)
    if pointer.rpartition("/")[2] not in TIMES or isinstance(value, bool) or not isinstance(value, int | float):
        return None

    return spoken(seconds_to_ticks(value))


def _played(value: dict[str, Any]) -> str | None:
    """Format what a clip of an editor's project plays, and where it stands, if told; return None for other objects."""

    is_clip = isinstance(value.get("played"), dict)
    record = value["played"] if is_clip else value
    rate = rate if isinstance(rate := record.get("rate"), list) else []
    numbers = [record.get("first"), record.get("length"), *rate]
    if len(numbers) != 4 or not all(isinstance(number, int) for number in numbers) or min(numbers[2:]) < 1:
        return None
    first, length, *_ = numbers
    lasts, begins = spoken(frames_to_ticks(length, (rate[0], rate[1]))), _moment(first, rate)
    if not is_clip or not value.get("name"):
        return f"plays {lasts}, from {begins} of its media on"
    place = _stands({"starts": value.get("starts"), "rate": rate})
    return f"plays {lasts} of {shown(str(value['name']))}, from {begins} on{f'; {place}' if place else ''}"


def _stands(value: dict[str, Any]) -> str | None:
    """Format where a clip of an editor's project stands; return None for other objects."""
    start, rate = value.get("starts"), value.get("rate")
    if not isinstance(start, int) or not isinstance(rate, list) or len(rate) != 2:
        return None
    return f"stands at {_moment(start, rate)}"


def _moment(at: Any, rate: Any) -> str:
    """Format a place on a timeline: a timecode where its units are frames, else seconds."""
    frames = int(rate[0]), int(rate[1])
    return format_timecode(at, frames) if frames[0] < 1_000 * frames[1] else spoken(frames_to_ticks(at, frames))


def _short(text: str) -> str:
    return text if len(text) <= VALUE_LENGTH else f"{text[: VALUE_LENGTH - 1]}…"


def _about_files(conflict: "TreeConflict", ours: str, theirs: str) -> str:
    if conflict.kind == "changed":
        return f"both changed it: here is ours ({ours}); theirs is {conflict.aside}"
    if conflict.kind == "removed_by_ours":
        return f"removed in {ours}, changed in {theirs}; it stays until you decide"
    if conflict.kind == "removed_by_theirs":
        return f"changed in {ours}, removed in {theirs}; it stays until you decide"
    if conflict.kind == "renamed":
        return f"renamed twice: {theirs} calls it {conflict.aside}"
    if conflict.ours is None or conflict.theirs is None:
        file, folder = (theirs, ours) if conflict.ours is None else (ours, theirs)
        return f"a file in {file}, a folder in {folder}: the file was set aside as {conflict.aside}"
    return f"two files of one name, at least on some disks: here is ours ({ours}); theirs is {conflict.aside}"
