"""The difference of two media files in words."""

from aura_vcs.compare.media_model import MediaFacts
from aura_vcs.compare.media_source import MediaHeader
from aura_vcs.compare.timeline_model import seconds_to_ticks, spoken

NOTHING = "looks the same"


def describe(header: MediaHeader) -> str:
    """A file in one line: `video, mp4, 1920×1080, 25 fps, 12.5 s, h264 aac`."""
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


def diff_lines(
    old: MediaFacts | None,
    new: MediaFacts | None,
    *,
    distance: float | None = None,
    differs: tuple[tuple[float, float], ...] = (),
) -> tuple[str, ...]:
    """What differs, one line each; for a file that came or went, what it is or was."""
    if old is None or new is None:
        only = old or new
        return (f"{'was' if old else 'is'} {describe(only.header)}",) if only else ()
    a, b = old.header, new.header
    pairs = [
        ("kind", a.kind, b.kind),
        ("format", a.format, b.format),
        ("size", _size(a), _size(b)),
        ("length", _length(a.seconds), _length(b.seconds)),
        ("frame rate", _unit(a.frames_per_second, "fps"), _unit(b.frames_per_second, "fps")),
        ("codecs", " ".join(a.codecs), " ".join(b.codecs)),
        ("sample rate", _unit(a.rate, "Hz"), _unit(b.rate, "Hz")),
        ("channels", _unit(a.channels, ""), _unit(b.channels, "")),
        ("peak", _unit(old.peak_db, "dBFS"), _unit(new.peak_db, "dBFS")),
        ("loudness", _unit(old.loudness_lufs, "LUFS"), _unit(new.loudness_lufs, "LUFS")),
    ]
    lines = [f"{name}: {was or 'unknown'} → {now or 'unknown'}" for name, was, now in pairs if was != now]
    if distance is not None:
        lines.append(_looks(distance))
    if differs:
        lines.append(f"{'the picture' if b.kind == 'video' else 'the sound'} differs {_places(differs)}")
    if old.partial or new.partial:
        lines.append("only the beginning of the sound was compared")
    return tuple(lines)


def _size(header: MediaHeader) -> str:
    return f"{header.width}×{header.height}" if header.width and header.height else ""


def _length(seconds: float | None) -> str:
    return spoken(seconds_to_ticks(seconds)) if seconds else ""


def _unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:g} {unit}".strip()


def _looks(distance: float) -> str:
    if distance == 0:
        return NOTHING
    if distance < 0.02:
        return f"looks nearly the same ({distance:.1%} different)"
    return f"looks {'different' if distance < 0.35 else 'like another picture'} ({distance:.0%})"


def _places(differs: tuple[tuple[float, float], ...]) -> str:
    shown = [f"from {start:g} to {end:g} s" for start, end in differs[:3]]
    more = f" and at {len(differs) - 3} more places" if len(differs) > 3 else ""
    return ", ".join(shown) + more
