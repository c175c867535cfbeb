"""The difference of two media files in words."""

from aura_vcs.formats.media.findings import MediaDiff, MediaFacts
from aura_vcs.formats.media.reader import MediaHeader
from aura_vcs.formats.timeline.model import seconds_to_ticks, spoken

SAME = {"picture": "looks the same", "sound": "sounds the same", "video": "looks and sounds the same"}
"""What is said when only the bytes of a file differ."""
_CHANNELS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
HEARD_DB = 0.25


def describe(header: MediaHeader) -> str:
    """Describe a file in one line: `video, mp4, 1920×1080, 25 fps, 12.5 s, h264 aac`."""
    parts = [header.kind, header.format]
    if header.width and header.height:
        parts.append(_size(header))
    if header.frames_per_second:
        parts.append(f"{header.frames_per_second:g} fps")
    if header.seconds:
        parts.append(length_words(header.seconds))
    if header.rate:
        parts.append(f"{header.rate:,} Hz")
    if header.codecs:
        parts.append(" ".join(header.codecs))
    return ", ".join(parts)


def diff_lines(old: MediaFacts | None, new: MediaFacts | None) -> tuple[str, ...]:
    """Describe what differs by the headers alone, one line each; for a file that came or went, what it is or was."""
    if old is None or new is None:
        only = old or new
        return (describe(only.header),) if only else ()
    if old.header.kind != new.header.kind:
        return f"was: {describe(old.header)}", f"is now: {describe(new.header)}"
    pairs = header_pairs(old.header, new.header)
    return tuple(f"{name}: {was or 'unknown'} → {now or 'unknown'}" for name, was, now in pairs if was != now)


def diff_headers(old: MediaHeader | None, new: MediaHeader | None, *, both: bool = False) -> MediaDiff:
    """Compare two headers: all that is known without the extra `media`.

    `both` says that the file is on both sides: where only one of them has a header, the other is no media.
    """
    before = None if old is None else MediaFacts(old)
    after = None if new is None else MediaFacts(new)
    if both and old is None and new is not None:
        return MediaDiff(before, after, ("was: no media", f"is now: {describe(new)}"))
    if both and new is None and old is not None:
        return MediaDiff(before, after, (f"was: {describe(old)}", "is now: no media"))
    return MediaDiff(before, after, diff_lines(before, after))


def header_pairs(old: MediaHeader, new: MediaHeader) -> list[tuple[str, str, str]]:
    """List what headers say: its name, and what it was and is."""
    resolution = "size" if new.kind == "picture" else "resolution"
    return [
        ("format", old.format, new.format),
        (resolution, _size(old), _size(new)),
        ("length", length_words(old.seconds), length_words(new.seconds)),
        ("frame rate", _unit(old.frames_per_second, "fps"), _unit(new.frames_per_second, "fps")),
        ("codecs", " ".join(old.codecs), " ".join(new.codecs)),
        ("sample rate", _unit(old.rate, "Hz"), _unit(new.rate, "Hz")),
        ("channels", layout(old.channels), layout(new.channels)),
    ]


def loudness_pairs(old: MediaFacts, new: MediaFacts, *, heard: float = HEARD_DB) -> list[tuple[str, str, str]]:
    """List peak and loudness, where anybody could hear the difference. Very short sounds have no loudness."""
    found = []
    was, now = old.peak_db, new.peak_db
    if was != now and (was is None or now is None or abs(was - now) > heard):
        found.append(("peak", _level(was, "dBFS"), _level(now, "dBFS")))
    was, now = old.loudness_lufs, new.loudness_lufs
    if was is not None and now is not None and abs(was - now) > heard:
        found.append(("loudness", _level(was, "LUFS"), _level(now, "LUFS")))
    return found


def looks(distance: float) -> str:
    """Describe how different two pictures look."""
    if distance == 0:
        return SAME["picture"]
    if distance < 0.02:
        return f"looks nearly the same ({max(distance, 0.001):.1%} different)"
    return f"looks {'different' if distance < 0.35 else 'like another picture'} ({distance:.0%} different)"


def length_words(seconds: float | None) -> str:
    """Describe a length of time, "" for none."""
    return spoken(seconds_to_ticks(seconds)) if seconds else ""


def moment(seconds: float) -> str:
    """Write a place in a film: `12.50 s`, `2:05.50`, `1:02:03.00`."""
    hundredths = round(seconds * 100)
    if hundredths < 6_000:
        return f"{hundredths / 100:.2f} s"
    minutes, rest = divmod(hundredths, 6_000)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{clock}:{rest / 100:05.2f}"


def _level(value: float | None, unit: str) -> str:
    return "no sound" if value is None else f"{value:.1f} {unit}"


def layout(count: int | None) -> str:
    """Return how so many channels are called; empty if nobody knows how many."""
    return "" if count is None else _CHANNELS.get(count, f"{count}")


def _size(header: MediaHeader) -> str:
    return f"{header.width}×{header.height}" if header.width and header.height else ""


def _unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:,.10g} {unit}"
