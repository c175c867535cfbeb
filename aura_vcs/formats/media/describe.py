"""The difference of two media files in words."""

from aura_vcs.formats.media.findings import MediaAnswer, MediaFacts, Stretches
from aura_vcs.formats.media.reader import MediaHeader
from aura_vcs.formats.timeline.model import seconds_to_ticks, spoken

SAME = {"picture": "looks the same", "sound": "sounds the same", "video": "looks and sounds the same"}
"""What is said when only the bytes of a file differ."""
_CHANNELS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
TELLING_SECONDS = 0.15
"""What an encoder adds to the ends of a sound is shorter than this."""
HEARD_DB = 0.25
_PLACES = 3
NEARLY_ALL = 0.85


def describe(header: MediaHeader) -> str:
    """Describe a file in one line: `video, mp4, 1920×1080, 25 fps, 12.5 s, h264 aac`."""
    parts = [header.kind, header.format]
    if header.width and header.height:
        parts.append(_size(header))
    if header.frames_per_second:
        parts.append(f"{header.frames_per_second:g} fps")
    if header.seconds:
        parts.append(_length(header.seconds))
    if header.rate:
        parts.append(f"{header.rate:,} Hz")
    if header.codecs:
        parts.append(" ".join(header.codecs))
    return ", ".join(parts)


def diff_lines(old: MediaFacts | None, new: MediaFacts | None, found: MediaAnswer | None = None) -> tuple[str, ...]:
    """Describe what differs, one line each; for a file that came or went, what it is or was.

    `found` is what decoding both has shown, if they were decoded.
    """
    if old is None or new is None:
        only = old or new
        return (_one_sided(only),) if only else ()
    a, b = old.header, new.header
    if a.kind != b.kind:
        return f"was: {describe(a)}", f"is now: {describe(b)}"
    resolution = "size" if b.kind == "picture" else "resolution"
    pairs = [
        ("format", a.format, b.format),
        (resolution, _size(a), _size(b)),
        ("length", _length(a.seconds), _length(b.seconds)),
        ("frame rate", _unit(a.frames_per_second, "fps"), _unit(b.frames_per_second, "fps")),
        ("codecs", " ".join(a.codecs), " ".join(b.codecs)),
        ("sample rate", _unit(a.rate, "Hz"), _unit(b.rate, "Hz")),
        ("channels", _channels(a.channels), _channels(b.channels)),
        *(_loudness(old, new) if found is not None and not old.partial | new.partial else ()),
    ]
    lines = [f"{name}: {was or 'unknown'} → {now or 'unknown'}" for name, was, now in pairs if was != now]
    if found is not None:
        partial = old.partial or new.partial
        lines += _shown_by_decoding(a, b, found, alone=not lines and not partial)
        if partial:
            lines.append("there was no time to compare all of it")
    return tuple(lines)


def _shown_by_decoding(old: MediaHeader, new: MediaHeader, found: MediaAnswer, *, alone: bool) -> list[str]:
    lines = []
    if found.distance is not None:
        lines.append(_looks(found.distance))
    before, after = old.seconds or 0.0, new.seconds or 0.0
    end = before + found.lead
    if found.lead:
        done = "put before" if found.lead > 0 else "cut from"
        lines.append(f"{_length(abs(found.lead))} {done} the beginning")
    scenes, sounds = (_within(places, found.lead, end) for places in (found.scenes, found.sounds))
    if scenes:
        lines.append(f"the picture differs {_places(scenes, after)}")
    if sounds:
        lines.append(f"the sound differs {_places(sounds, after)}")
    if before and after and abs(after - end) > TELLING_SECONDS and not (scenes or sounds):
        lines.append(f"{_length(round(abs(after - end), 2))} {'put after' if after > end else 'cut from'} the end")
    return lines or ([SAME.get(new.kind, "no difference was found")] if alone else [])


def _within(places: Stretches, start: float, end: float) -> Stretches:
    """Cut stretches to the time that both versions have."""
    cut = ((max(start, a), min(end, b)) for a, b in places)
    return tuple((a, b) for a, b in cut if b - a > TELLING_SECONDS / 2)


def _one_sided(facts: MediaFacts) -> str:
    loudness = "" if facts.loudness_lufs is None else _level(facts.loudness_lufs, "LUFS")
    return ", ".join(part for part in (describe(facts.header), loudness) if part)


def _loudness(old: MediaFacts, new: MediaFacts) -> list[tuple[str, str, str]]:
    """Describe peak and loudness, where anybody could hear the difference. Very short sounds have no loudness."""
    found = []
    was, now = old.peak_db, new.peak_db
    if was != now and (was is None or now is None or abs(was - now) > HEARD_DB):
        found.append(("peak", _level(was, "dBFS"), _level(now, "dBFS")))
    was, now = old.loudness_lufs, new.loudness_lufs
    if was is not None and now is not None and abs(was - now) > HEARD_DB:
        found.append(("loudness", _level(was, "LUFS"), _level(now, "LUFS")))
    return found


def _level(value: float | None, unit: str) -> str:
    return "no sound" if value is None else f"{value:.1f} {unit}"


def _channels(count: int | None) -> str:
    return "" if count is None else _CHANNELS.get(count, f"{count}")


def _size(header: MediaHeader) -> str:
    return f"{header.width}×{header.height}" if header.width and header.height else ""


def _length(seconds: float | None) -> str:
    return spoken(seconds_to_ticks(seconds)) if seconds else ""


def _unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:,.10g} {unit}"


def _looks(distance: float) -> str:
    if distance == 0:
        return SAME["picture"]
    if distance < 0.02:
        return f"looks nearly the same ({max(distance, 0.001):.1%} different)"
    return f"looks {'different' if distance < 0.35 else 'like another picture'} ({distance:.0%} different)"


def _places(places: Stretches, length: float) -> str:
    """Describe places in words: the first few stretches and how many more there are."""
    if sum(end - start for start, end in places) > NEARLY_ALL * length > 0:
        return "throughout"
    shown = [f"from {_moment(start)} to {_moment(end)}" for start, end in places[:_PLACES]]
    left = len(places) - _PLACES
    more = [f"in {left} more place{'s' * (left != 1)}"] if left > 0 else []
    parts = [*shown, *more]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _moment(seconds: float) -> str:
    """Write a place in a film: `12.5 s`, `2:05.5`, `1:02:03.0`."""
    tenths = round(seconds * 10)
    if tenths < 600:
        return f"{tenths / 10:.1f} s"
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{clock}:{rest / 10:04.1f}"
