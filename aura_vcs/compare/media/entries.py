"""Two versions of a media file, compared by their entries in the media index: facts, differences, words."""

from msgspec import structs

from aura_vcs.compare.media.audio import compare_sounds
from aura_vcs.compare.media.film import compare_films
from aura_vcs.compare.media.still import compare_stills
from aura_vcs.compare.media.words import entry_lines
from aura_vcs.formats.media.findings import AudioDiff, MediaDiff, MediaFacts, MediaStretch, Stretches, VideoDiff
from aura_vcs.formats.media.index_entry import EntryHead, MediaEntry

ENVELOPE_POINTS = 400
SYNC_SECONDS = 0.075
"""From this offset on between sound and picture, it is told where a sound was re-encoded."""
EXACT_SYNC_SECONDS = 0.012


def compare_entries(old: MediaEntry, new: MediaEntry, *, thumbnails: bool = False) -> MediaDiff:
    """Compare two files by what was found in them; both were decoded.

    Raises:
        NoEntryError: a part of an entry is damaged.
    """
    a, b = old.head, new.head
    before, after = facts_of(old, thumbnails=thumbnails), facts_of(new, thumbnails=thumbnails)
    video = compare_films(old, new) if a.video is not None and b.video is not None else None
    sound = compare_sounds(old, new) if a.sound is not None and b.sound is not None else None
    if sound is not None:
        sound = structs.replace(sound, offset=_against_pictures(sound, video, a, b))
    still = compare_stills(old, new) if a.picture is not None and b.picture is not None else None
    found = MediaDiff(
        before,
        after,
        (),
        distance=still.distance if still is not None else None,
        scenes=_in_new(video.stretches) if video is not None else (),
        sounds=_in_new(sound.stretches) if sound is not None else (),
        lead=_lead(video, sound),
        decoded=not (a.partial or b.partial),
        video=video,
        sound=sound,
        box=still.box if still is not None else None,
    )
    return structs.replace(found, lines=entry_lines(found))


def describe_entry(entry: MediaEntry, *, is_old: bool, thumbnails: bool = False) -> MediaDiff:
    """Describe a file that has no other version."""
    facts = facts_of(entry, thumbnails=thumbnails)
    found = MediaDiff(facts if is_old else None, None if is_old else facts, (), decoded=not facts.partial)
    return structs.replace(found, lines=entry_lines(found))


def facts_of(entry: MediaEntry, *, thumbnails: bool = False) -> MediaFacts:
    """Return the facts of an entry; with `thumbnails`, also what is shown of it."""
    head = entry.head
    assert head.header is not None
    peaks = [peak for peak in head.sound.peaks_db if peak is not None] if head.sound is not None else []
    shown = (entry.strip() if head.video is not None else entry.poster()) if thumbnails else b""
    return MediaFacts(
        head.header,
        peak_db=round(max(peaks), 1) if peaks else None,
        loudness_lufs=head.sound.loudness_lufs if head.sound is not None else None,
        envelope=_envelope(entry) if thumbnails else (),
        thumbnails=(shown,) if shown else (),
        strip_times=head.strip.times if thumbnails and head.strip is not None else (),
        partial=bool(head.partial),
        video=head.video,
        sound=head.sound,
        picture=head.picture,
        tracks=head.tracks,
    )


def _envelope(entry: MediaEntry) -> tuple[int, ...]:
    """Return at most ENVELOPE_POINTS peaks from 0 to 100."""
    sound = entry.head.sound
    wave = entry.waveform(sound.seconds / ENVELOPE_POINTS / 8) if sound is not None else None
    if wave is None:
        return ()
    highest = [0] * (len(wave.channels[0]) // 2)
    for channel in wave.channels:
        pairs = zip(highest, channel[::2], channel[1::2], strict=False)
        highest = [max(most, -low, high) for most, low, high in pairs]
    step = max(1, -(-len(highest) // ENVELOPE_POINTS))
    runs = (highest[n : n + step] for n in range(0, len(highest), step))
    return tuple(min(100, round(max(run) * 100 / 32_767)) for run in runs)


def _in_new(stretches: tuple[MediaStretch, ...]) -> Stretches:
    return tuple((stretch.start, stretch.end) for stretch in stretches if stretch.kind != "removed")


def _lead(video: VideoDiff | None, sound: AudioDiff | None) -> float:
    """Return how much was put before the beginning of the picture, or of the sound where there is none."""
    found = video or sound
    for stretch in found.stretches if found is not None else ():
        if stretch.kind == "inserted" and stretch.start < 0.005 and stretch.old_start < 0.005:
            return round(stretch.end - stretch.start, 4)
        if stretch.kind == "removed" and stretch.start < 0.005 and stretch.old_start < 0.005:
            return round(stretch.old_start - stretch.old_end, 4)
    return 0.0


def _against_pictures(sound: AudioDiff, video: VideoDiff | None, a: EntryHead, b: EntryHead) -> float:
    """Return how much later the sound is heard against the pictures than it was; 0 where nobody notices."""
    offset = sound.offset
    if video is not None and a.video is not None and b.video is not None:
        offset -= b.video.start - a.video.start
        if video.stretches or video.speed != 1.0:
            return 0.0
    elif a.video is None and b.video is None:
        return 0.0
    least = EXACT_SYNC_SECONDS if sound.verdict == "identical" else SYNC_SECONDS
    return round(offset, 3) if abs(offset) >= least else 0.0
