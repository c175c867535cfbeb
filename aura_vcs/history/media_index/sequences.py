"""Entries of whole sequences of pictures, made of what is known of their frames: nothing is decoded for them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from aura_vcs.compare.media.planes import differences, sums
from aura_vcs.compare.media.still import shown_by_grids
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.formats.media.findings import SequenceFacts
from aura_vcs.formats.media.index_entry import (
    COLOUR_BYTES,
    DETAIL,
    LUMA_BYTES,
    EntryHead,
    MediaEntry,
    NoEntryError,
    StripFacts,
    encode_entry,
)
from aura_vcs.formats.media.reader import MediaHeader
from aura_vcs.formats.media.sequence_entry import (
    FRAMES_LIMIT,
    NumberedContent,
    SequenceEntry,
    SequenceFrame,
    sequence_key,
)
from aura_vcs.formats.media.sequences import FrameSequence, find_sequences
from aura_vcs.history.media_index.build import MediaContent
from aura_vcs.history.media_index.store import MediaIndexStore
from aura_vcs.ids import ObjectId
from aura_vcs.media.index_video import STRIP_FRAMES, STRIP_SIZE, as_jpeg, contrast_of, scene_cuts

if TYPE_CHECKING:
    from PIL.Image import Image


def index_sequences(index: MediaIndexStore, contents: Iterable[MediaContent]) -> int:
    """Make the entries of the sequences among files that were looked at; return how many there are now."""
    by_source: dict[int, dict[str, str]] = {}
    for one in contents:
        by_source.setdefault(id(one.source), {}).setdefault(one.path, one.id)
    return sum(
        find_sequence(index, numbered(sequence, ids)) is not None
        for ids in by_source.values()
        for sequence in find_sequences(ids)
    )


def index_stored_sequences(index: MediaIndexStore, states: Iterable[Sequence[NumberedContent]]) -> int:
    """Make the entries of states of sequences, in their order; return how many there are now.

    What is made takes no more than a quarter of the room: else the states of a long history would push out what is
    known of everything else.
    """
    count, left = 0, index.room_bytes // 4
    before: list[SequenceEntry] = []
    for frames in states:
        if left <= 0:
            break
        is_new = not index.has(sequence_key(frames))
        found = find_sequence(index, frames, before)
        if found is None:
            continue
        count += 1
        before = [found]
        if is_new:
            left -= sum(place.stored for place in found.entry.head.sections.values())
    return count


def numbered(sequence: FrameSequence, ids: Mapping[str, str]) -> list[NumberedContent]:
    """Return the frames of a sequence by number and content id; none where one is not known."""
    found = [(number, ids.get(sequence.path(number), "")) for number in sequence.numbers]
    return found if all(content for _, content in found) else []


def find_sequence(
    index: MediaIndexStore, frames: Sequence[NumberedContent], alike: Sequence[SequenceEntry] = ()
) -> SequenceEntry | None:
    """Return the entry of a sequence, made now where it is not there; None where a frame is not known.

    What a frame's own entry does not tell any more, the entries of sequences that are `alike` do.
    """
    if not frames or len(frames) > FRAMES_LIMIT:
        return None
    key = sequence_key(frames)
    try:
        found = index.get(key)
        if found is not None and found.head.sequence is not None:
            return SequenceEntry(found)
    except NoEntryError:
        index.forget(key)
    try:
        known = _known(index, frames, alike)
        if known is None:
            return None
        with suppress(IntegrityError, OSError):  # a disk that is full: it is made again where it is needed
            index.put(key, _encoded(index, key, known, frames), {ObjectId(content) for _, content in frames})
            index.trim()
        made = index.get(key)
        return SequenceEntry(made) if made is not None else None
    except NoEntryError:
        return None


def _known(
    index: MediaIndexStore, frames: Sequence[NumberedContent], alike: Sequence[SequenceEntry]
) -> list[MediaEntry] | None:
    found: list[MediaEntry] = []
    for _, content in frames:
        entry = next((one for whole in alike if (one := whole.frame(content)) is not None), None)
        own = entry or index.get(ObjectId(content))
        if own is None or (own.head.picture is None and not own.head.problem):
            return None
        found.append(own)
    return found


def _encoded(
    index: MediaIndexStore, key: ObjectId, known: Sequence[MediaEntry], frames: Sequence[NumberedContent]
) -> bytes:
    luma = [one.luma() or bytes(LUMA_BYTES) for one in known]
    colour = b"".join([one.colour() or bytes(COLOUR_BYTES) for one in known])
    records = [SequenceFrame(one.head.content, one.head.header, one.head.picture, one.head.problem) for one in known]
    data = b"".join(luma)
    apart = differences(data[:-LUMA_BYTES], data[LUMA_BYTES:], LUMA_BYTES)
    steps = [0.0, *(total / LUMA_BYTES for total in sums(apart, LUMA_BYTES))]
    good = [n for n, one in enumerate(known) if one.head.picture is not None]
    count = min(STRIP_FRAMES, len(good))
    shown = [good[(2 * n + 1) * len(good) // (2 * count)] for n in range(count)]
    most = max(shown, key=lambda n: contrast_of(luma[n]), default=0)
    first = frames[0][0]
    numbers = [number - first for number, _ in frames]
    sizes = Counter((one.head.picture.width, one.head.picture.height) for one in known if one.head.picture)
    facts = SequenceFacts(
        len(frames),
        tuple((one + 1, after - 1) for one, after in pairwise(numbers) if after > one + 1),
        tuple((*size, n) for size, n in sizes.most_common(100)),
        scene_cuts(steps),
        most,
        len(known) - len(good),
    )
    sections = {"frames": msgspec.msgpack.encode(records), "luma": data, "colour": colour}
    strip = None
    if good:
        own = [index.get(ObjectId(frames[n][1])) or known[n] for n in shown]
        pictures = [_small(one, sizes.most_common(1)[0][0]) for one in own]
        sections["strip"] = _side_by_side(pictures)
        strip = StripFacts(*pictures[0].size, tuple(map(float, shown)))
        at = shown.index(most)
        sections["poster"] = own[at].poster() or as_jpeg(pictures[at])
    header = next((one.head.header for one in known if one.head.header is not None), MediaHeader("picture", ""))
    return encode_entry(EntryHead(key, header, strip=strip, sequence=facts), sections)


def _small(entry: MediaEntry, size: tuple[int, int]) -> "Image":
    """Return a frame at the size of a strip's, upright as frames of so many pixels are."""
    from PIL import Image

    scale = min(1.0, STRIP_SIZE[0] / size[0], STRIP_SIZE[1] / size[1])
    room = max(2, round(size[0] * scale)), max(2, round(size[1] * scale))
    return Image.frombytes("RGB", DETAIL, entry.detail() or shown_by_grids(entry)).resize(room)


def _side_by_side(pictures: Sequence["Image"]) -> bytes:
    from PIL import Image

    wide, high = pictures[0].size
    sheet = Image.new("RGB", (wide * len(pictures), high))
    for n, picture in enumerate(pictures):
        sheet.paste(picture, (n * wide, 0))
    return as_jpeg(sheet)
