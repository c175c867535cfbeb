"""The difference of two media files in words, as their entries in the media index have it."""

from collections.abc import Iterable

from aura_vcs.formats.media.describe import (
    SAME,
    describe,
    header_pairs,
    layout,
    length_words,
    looks,
    loudness_pairs,
    moment,
)
from aura_vcs.formats.media.findings import (
    AudioDiff,
    Box,
    MediaDiff,
    MediaFacts,
    MediaStretch,
    SequenceFacts,
    VideoDiff,
    VideoFacts,
)
from aura_vcs.formats.media.index_entry import EntryHead

STRETCHES = 12
"""Stretches that are told one by one."""
FIRST_SECONDS = 0.005
TRACKS = {"video": "picture", "audio": "sound", "subtitle": "subtitles"}
NEAR_SECONDS = 0.08
"""Ends of a cut in picture and sound that are so near are one cut."""


def entry_lines(found: MediaDiff) -> tuple[str, ...]:
    """Describe what differs, one line each; for a file that came or went, what it is or was."""
    old, new = found.old, found.new
    if old is None or new is None:
        only = old or new
        return (_one_sided(only),) if only is not None else ()
    if old.header.kind != new.header.kind:
        return f"was: {describe(old.header)}", f"is now: {describe(new.header)}"
    anew = _encoded_anew(found)
    pairs = [pair for pair in header_pairs(old.header, new.header) if not (anew and pair[0] == "codecs")]
    pairs += _stream_pairs(old, new)
    gain = found.sound.gain_db if found.sound is not None else 0.0
    if found.sound is not None and found.sound.verdict != "identical" and not gain:
        pairs += loudness_pairs(old, new, heard=1.0 if found.sound.verdict == "same" else 0.25)
    lines = [f"{name}: {was or 'unknown'} → {now or 'unknown'}" for name, was, now in pairs if was != now]
    lines += anew
    if found.distance is not None and (found.distance or not lines):
        lines.append(looks(found.distance) + (f", {where(found.box)}" if found.box is not None else ""))
    if found.video is not None:
        lines += _picture_words(found.video)
    lines += _stretch_lines(found)
    if found.sound is not None:
        lines += _audio_words(found.sound)
    lines += _track_words(old, new)
    lines += _partial(old, new)
    return tuple(lines) or (_nothing_differs(found),)


def describe_head(head: EntryHead) -> list[str]:
    """Describe what was found in a file by decoding it, one line for each kind of thing in it."""
    lines = []
    video, sound, picture = head.video, head.sound, head.picture
    if video is not None:
        rate = f", {video.frames_per_second:g} frames a second" if video.frames_per_second else ""
        odd = [_fields(video)] if video.is_interlaced else []
        odd += ["frames of variable duration"] if video.is_variable else []
        odd += [f"turned by {video.rotation}°"] if video.rotation else []
        odd += ["with an alpha channel"] if video.has_alpha else []
        odd += [f"{video.bits} bits"] if video.bits > 8 else []
        stream = _stream(video.codec, video.bits_per_second)
        scenes = f"{len(video.cuts) + 1} scene{'s' if video.cuts else ''}"
        lines.append(", ".join([f"picture: {stream}", f"{video.frames:,} frames{rate}", scenes, *odd]))
    if sound is not None:
        stream = _stream(sound.codec, sound.bits_per_second)
        peaks = [peak for peak in sound.peaks_db if peak is not None]
        level = f"peak {max(peaks):.1f} dBFS" if peaks else "silent"
        loudness = f", {sound.loudness_lufs:.1f} LUFS" if sound.loudness_lufs is not None else ""
        lines.append(f"sound: {stream}, {sound.rate:,} Hz, {sound.layout or sound.channels}, {level}{loudness}")
    if picture is not None:
        alpha = ", with an alpha channel" if picture.has_alpha else ""
        lines.append(f"pixels: {picture.mode}, {picture.bits} bits{alpha}")
    lines += [_sequence(head.sequence)] if head.sequence is not None else []
    others = [f"{track.codec} ({TRACKS[track.kind]})" for track in head.tracks]
    lines += [f"further tracks: {', '.join(others)}"] if others else []
    return [*lines, *([head.partial] if head.partial else [])]


def _sequence(found: SequenceFacts) -> str:
    sizes = [f"{wide}×{high}" + (f" ({n:,})" if len(found.sizes) > 1 else "") for wide, high, n in found.sizes[:12]]
    scenes = f"{len(found.cuts) + 1} scene{'s' if found.cuts else ''}"
    odd = [f"{found.damaged:,} damaged"] if found.damaged else []
    return ", ".join([f"looked into: {found.frames:,} frames", *sizes, scenes, *odd])


def _nothing_differs(found: MediaDiff) -> str:
    assert found.new is not None
    return SAME.get(found.new.header.kind, "no difference was found")


def _one_sided(facts: MediaFacts) -> str:
    loudness = "" if facts.loudness_lufs is None else f"{facts.loudness_lufs:.1f} LUFS"
    return ", ".join(part for part in (describe(facts.header), loudness) if part)


def _partial(old: MediaFacts, new: MediaFacts) -> list[str]:
    if old.partial or new.partial:
        return ["not all of it could be decoded: what could was compared"]
    return []


def _track_words(old: MediaFacts, new: MediaFacts) -> list[str]:
    """Say what became of streams besides the first ones: they are not decoded, but every byte is compared."""
    lines = []
    for kind, word in TRACKS.items():
        was, now = ([track for track in facts.tracks if track.kind == kind] for facts in (old, new))
        first = 1 if kind == "subtitle" else 2
        if len(was) != len(now):
            words = [f"{len(side) + first - 1} track{'s' * (len(side) + first != 2)}" for side in (was, now)]
            lines.append(f"{word}: {words[0]} → {words[1]}")
        for number, (before, after) in enumerate(zip(was, now, strict=False), first):
            if before.digest != after.digest:
                codecs = "" if before.codec == after.codec else f" ({before.codec} → {after.codec})"
                lines.append(f"track {number} of the {word} has other content{codecs}")
    return lines


def _stream_pairs(old: MediaFacts, new: MediaFacts) -> list[tuple[str, str, str]]:
    """List what headers do not say: turned, interlaced, opacity, depth."""
    found: list[tuple[str, str, str]] = []
    if old.video is not None and new.video is not None:
        a, b = old.video, new.video
        found += [
            ("turned", f"{a.rotation}°", f"{b.rotation}°"),
            ("bits of a sample", f"{a.bits}", f"{b.bits}"),
            ("fields", _fields(a), _fields(b)),
            ("opacity", _opacity(a.has_alpha), _opacity(b.has_alpha)),
            ("frame durations", _durations(a), _durations(b)),
        ]
    if old.picture is not None and new.picture is not None:
        found.append(("bits of a sample", f"{old.picture.bits}", f"{new.picture.bits}"))
        found.append(("opacity", _opacity(old.picture.has_alpha), _opacity(new.picture.has_alpha)))
    was, now = old.sound, new.sound
    if was is not None and now is not None and was.codec.startswith("pcm_") and now.codec.startswith("pcm_"):
        found.append(("bits of a sample of sound", f"{was.bits}", f"{now.bits}"))
    if (was is None) != (now is None):
        found.append(("sound", "none" if was is None else was.codec, "none" if now is None else now.codec))
    return found


def _fields(video: VideoFacts) -> str:
    return "interlaced" if video.is_interlaced else "progressive"


def _opacity(has_alpha: bool) -> str:
    return "alpha channel" if has_alpha else "none"


def _durations(video: VideoFacts) -> str:
    return "variable" if video.is_variable else "constant"


def _encoded_anew(found: MediaDiff) -> list[str]:
    """Say of streams that are the same and were encoded in another way, that they were."""
    old, new = found.old, found.new
    assert old is not None
    assert new is not None
    lines = []
    if found.video is not None and found.video.verdict == "same" and old.video is not None and new.video is not None:
        was = _stream(old.video.codec, old.video.bits_per_second)
        now = _stream(new.video.codec, new.video.bits_per_second)
        lines.append(f"the same pictures, re-encoded: {was} → {now}")
    if found.sound is not None and old.sound is not None and new.sound is not None:
        was = _stream(old.sound.codec, old.sound.bits_per_second)
        now = _stream(new.sound.codec, new.sound.bits_per_second)
        if found.sound.verdict == "same":
            is_mixed = old.sound.channels != new.sound.channels
            how = f"mixed to {layout(new.sound.channels)}" if is_mixed else "re-encoded"
            lines.append(f"the same sound, {how}: {was} → {now}")
        elif found.sound.verdict == "identical" and old.sound.codec != new.sound.codec:
            lines.append(f"the same sound in every sample, re-encoded: {was} → {now}")
    return lines


def _stream(codec: str, rate: int | None) -> str:
    if not rate:
        return codec
    return f"{codec} {rate / 1e6:.3g} Mbit/s" if rate >= 1e6 else f"{codec} {rate / 1e3:.3g} kbit/s"


def _picture_words(video: VideoDiff) -> list[str]:
    lines = []
    if video.verdict == "other":
        lines.append("the picture differs throughout")
    if video.speed != 1.0:
        lines.append(f"the same pictures at {video.speed:.4g} times the speed")
    if video.crop is not None:
        what = "the black bars are gone: shows" if video.has_bars else "cropped: shows a part of the picture before,"
        lines.append(f"{what} {_span(video.crop)}")
    if video.inside is not None:
        what = "black bars around it: the" if video.has_bars else "shows more than before: what was the"
        lines.append(f"{what} picture is at {_span(video.inside)}")
    if video.throughout is not None:
        lines.append(f"the picture differs throughout, {where(video.throughout)}")
    return lines


def _span(box: Box) -> str:
    left, top, right, bottom = box
    return f"{left:.0%} to {right:.0%} across, {top:.0%} to {bottom:.0%} down"


def _audio_words(sound: AudioDiff) -> list[str]:
    lines = _channel_words(sound.channels)
    if sound.verdict == "other":
        lines.append("the sound differs throughout")
    if sound.gain_db:
        lines.append(f"the sound is {abs(sound.gain_db):.1f} dB {'louder' if sound.gain_db > 0 else 'softer'}")
    if sound.offset:
        direction = "later" if sound.offset > 0 else "earlier"
        lines.append(f"the sound comes {abs(sound.offset):.3g} s {direction} than before")
    if sound.is_faint and not sound.stretches:
        lines.append("samples of the sound differ, by less than anybody hears")
    return lines


def _channel_words(channels: tuple[int, ...]) -> list[str]:
    """Say which channels changed places, or their sign."""
    moved = [f"{n} is {abs(was)} before" for n, was in enumerate(channels, 1) if abs(was) != n]
    lines = [f"channels of the sound changed places: {', '.join(moved)}"] if moved else []
    turned = [str(n) for n, was in enumerate(channels, 1) if was < 0]
    if turned and len(turned) == len(channels):
        lines.append("the polarity of the sound is inverted")
    elif turned:
        lines.append(f"the polarity of channel {' and '.join(turned)} is inverted")
    return lines


def _stretch_lines(found: MediaDiff) -> list[str]:
    """Describe stretches in order; what was done to picture and sound alike, once."""
    video = found.video.stretches if found.video is not None else ()
    sound = found.sound.stretches if found.sound is not None else ()
    told = set()
    entries = []
    for one in video:
        twin = _same_cut(one, sound)
        told.add(twin)
        entries.append((one.start, _words(one, "picture and sound" if twin is not None else "picture", found)))
    entries += [(one.start, _words(one, "sound", found)) for n, one in enumerate(sound) if n not in told]
    entries.sort(key=lambda entry: entry[0])
    lines = [words for _, words in entries[:STRETCHES]]
    left = len(entries) - STRETCHES
    return [*lines, f"and in {left} more place{'s' * (left != 1)}"] if left > 0 else lines


def _same_cut(one: MediaStretch, others: Iterable[MediaStretch]) -> int | None:
    """Find the stretch of the sound that was cut with one of the picture."""
    for n, other in enumerate(others):
        pairs = (
            (one.start, other.start),
            (one.end, other.end),
            (one.old_start, other.old_start),
            (one.old_end, other.old_end),
        )
        is_same = one.kind == other.kind and one.kind != "changed"
        if is_same and all(abs(a - b) < NEAR_SECONDS for a, b in pairs):
            return n
    return None


def _words(one: MediaStretch, what: str, found: MediaDiff) -> str:
    """Describe a stretch: when, in which frames, what, and where in the picture."""
    has_both = found.video is not None and found.sound is not None
    of = f" of the {what}" if has_both and what != "picture and sound" else ""
    frames, span = _frames(one), f"{moment(one.start)} to {moment(one.end)}"
    if one.kind == "changed":
        place = f", {where(one.box)}" if one.box is not None else ""
        is_faint = what == "sound" and found.sound is not None and found.sound.is_faint
        barely = ", by less than anybody hears" if is_faint else ""
        if _is_throughout(one, found, what):
            return f"the {what} differs throughout{place}{barely}"
        return f"the {what} differs from {span}{frames}{place}{barely}"
    if one.kind == "moved":
        return f"{span}{frames}{of}: moved here from {moment(one.old_start)}"
    length = length_words(one.old_end - one.old_start if one.kind == "removed" else one.end - one.start)
    return f"{length}{of} {_place(one, found, what)}{frames}"


def _place(one: MediaStretch, found: MediaDiff, what: str) -> str:
    """Say where something was put in or cut out: at the beginning, at the end, or when."""
    old_end, end = _seconds(found.old, what) - NEAR_SECONDS, _seconds(found.new, what) - NEAR_SECONDS
    is_cut = one.kind == "removed"
    if max(one.start, one.old_start) < (NEAR_SECONDS if one.first < 0 else FIRST_SECONDS):
        return "cut from the beginning" if is_cut else "put before the beginning"
    if one.old_end > old_end and one.end > end:
        return "cut from the end" if is_cut else "put after the end"
    return f"cut out at {moment(one.start)}" if is_cut else f"put in at {moment(one.start)}"


def _frames(one: MediaStretch) -> str:
    if one.first < 0:
        return ""
    before = " before" if one.kind == "removed" else ""
    if one.first == one.last:
        return f" (frame {one.first}{before})"
    return f" (frames {one.first} to {one.last}{before})"


def _seconds(facts: MediaFacts | None, what: str) -> float:
    if facts is None:
        return 0.0
    if what == "sound" and facts.sound is not None:
        return facts.sound.seconds
    return facts.video.seconds if facts.video is not None else facts.header.seconds or 0.0


def _is_throughout(one: MediaStretch, found: MediaDiff, what: str) -> bool:
    length = _seconds(found.new, what)
    return length > 0 and one.end - one.start > 0.95 * length


def where(box: Box) -> str:
    """Say in words and numbers which part of the picture it is."""
    left, top, right, bottom = box
    if (right - left) * (bottom - top) > 0.8:
        return "nearly everywhere in it"
    across = "left" if right <= 0.5 else "right" if left >= 0.5 else ""
    down = "upper" if bottom <= 0.5 else "lower" if top >= 0.5 else ""
    part = {
        ("", ""): "in the middle",
        ("", "left"): "on the left",
        ("", "right"): "on the right",
        ("upper", ""): "at the top",
        ("lower", ""): "at the bottom",
    }.get((down, across), f"in the {down} {across}")
    return f"{part} ({_span(box)})"
