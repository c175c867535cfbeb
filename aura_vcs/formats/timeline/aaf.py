"""Reading AAF files with `pyaaf2`, where that is installed: sequences, tracks, clips, media and their order.

What it cannot say is said as a reason; effects are told by name.
"""

import io
import os
import tempfile
from typing import Any

from msgspec import structs

from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.timeline.model import Clip, MediaReference, ReadingLimitExceeded, Timeline, Track, is_absolute
from aura_vcs.formats.timeline.timecode import Rate, frames_to_ticks, make_rate

MAX_BYTES = 64 << 20
DEPTH = 30
COMPONENTS_LIMIT = 500_000
_MARK = bytes.fromhex("d0cf11e0a1b11ae1")


def is_aaf(data: bytes) -> bool:
    """Tell whether bytes begin like an AAF file: a structured storage with AAF's class in its root."""
    return data.startswith(_MARK) and b"B\x00l\x00o\x00b\x00" not in data[:64]


def read_aaf(data: bytes) -> Timeline | Unstructured:
    """Read the model of an AAF file, or say why there is none."""
    if len(data) > MAX_BYTES:
        return Unstructured(f"it is larger than {MAX_BYTES >> 20} MiB")
    try:
        import aaf2  # an optional extra
    except ImportError:
        return Unstructured("reading AAF needs the extra 'aaf', which is not installed")
    try:
        with tempfile.TemporaryFile() as copy:  # the library reads from files only
            copy.write(data)
            copy.seek(0)
            with aaf2.open(os.dup(copy.fileno()), "r") as file:
                return _Reader().timeline(file)
    except ReadingLimitExceeded:
        raise
    except Exception as error:  # the library raises whatever reading a broken file leads to
        close_left_open(error)
        return Unstructured(f"it is not an AAF file that can be read: {type(error).__name__}")


def close_left_open(error: Exception) -> None:
    """Close the file that the library leaves open where its reading fails at the beginning."""
    trace = error.__traceback__
    while trace is not None:
        file = getattr(trace.tb_frame.f_locals.get("self"), "f", None)
        if isinstance(file, io.IOBase):
            file.close()
        trace = trace.tb_next


class _Reader:
    def __init__(self) -> None:
        self.media: list[MediaReference] = []
        self.places: dict[str, int] = {}
        self.count = 0

    def timeline(self, file: Any) -> Timeline:
        tracks: list[Track] = []
        name = ""
        rate: Rate = (0, 1)
        for number, mob in enumerate(file.content.toplevel()):
            called = str(mob.name or f"sequence {number + 1}")
            name = name or called
            counts: dict[str, int] = {}
            for slot in mob.slots:
                kind = str(getattr(slot.segment, "media_kind", "") or "").lower()
                if kind not in ("picture", "sound"):
                    continue
                edit_rate = make_rate(str(slot.edit_rate))
                rate = rate if rate[0] else edit_rate
                letter = "V" if kind == "picture" else "A"
                counts[letter] = counts.get(letter, 0) + 1
                clips: list[Clip] = []
                self._segment(slot.segment, 0, edit_rate, clips, 0, "")
                called_track = str(slot.name or f"{letter}{counts[letter]}")
                tracks.append(
                    Track(
                        f"{called} slot {slot.slot_id}",
                        called_track,
                        "video" if letter == "V" else "audio",
                        tuple(clips),
                        sequence=called if number else "",
                    )
                )
        length = max((c.start + c.duration for t in tracks if not t.sequence for c in t.clips), default=0)
        return Timeline(tuple(tracks), {}, length, name, format="aaf", rate=rate, media=tuple(self.media))

    def _segment(self, segment: Any, at: int, rate: Rate, clips: list[Clip], depth: int, effect: str) -> int:
        """Read what a segment plays from frame `at` on; returns how many frames it takes."""
        self.count += 1
        length = int(getattr(segment, "length", 0) or 0)
        if depth > DEPTH or self.count > COMPONENTS_LIMIT:
            raise ReadingLimitExceeded(
                f"it has more than {COMPONENTS_LIMIT:,} parts, or more than {DEPTH} in each other"
            )
        kind = type(segment).__name__
        if kind == "Sequence":
            here = at
            waiting = ""
            for component in segment.components:
                if type(component).__name__ == "Transition":
                    waiting = "transition"
                    here -= int(component.length or 0)
                    continue
                before = len(clips)
                here += self._segment(component, here, rate, clips, depth + 1, effect)
                if waiting and len(clips) > before:
                    clips[before] = structs.replace(clips[before], transition=waiting)
                    waiting = ""
            return length
        if kind == "SourceClip":
            self._clip(segment, at, length, rate, clips, effect)
        elif kind == "OperationGroup":
            name = str(getattr(segment.operation, "name", "") or "effect")
            for inner in segment.segments:
                self._segment(inner, at, rate, clips, depth + 1, name)
                break
        elif kind in ("Selector", "NestedScope", "EssenceGroup"):
            inner = segment.get("Selected")
            if inner is not None:
                self._segment(inner.value, at, rate, clips, depth + 1, effect)
        return length

    def _clip(self, segment: Any, at: int, length: int, rate: Rate, clips: list[Clip], effect: str) -> None:
        mob = segment.mob
        if mob is None:
            return
        name = str(mob.name or "")
        path = self._path(mob)
        key = f"{mob.mob_id}"
        if key not in self.places:
            self.places[key] = len(self.media)
            self.media.append(
                MediaReference(path, "file" if path else "generator", name, key, is_absolute=is_absolute(path))
            )
        clips.append(
            Clip(
                f"slot at frame {at}",
                "clip",
                len(clips) + 1,
                name,
                media=path or key,
                source_start=frames_to_ticks(int(segment.start or 0), rate),
                start=frames_to_ticks(at, rate),
                duration=frames_to_ticks(length, rate),
                effects=((effect, ""),) if effect else (),
                reference=self.places[key],
            )
        )

    def _path(self, mob: Any) -> str:
        """Return where the essence of a mob lies, through the mobs that it comes from."""
        for _ in range(DEPTH):
            descriptor = getattr(mob, "descriptor", None)
            for locator in getattr(descriptor, "locator", None) or ():
                url = locator.get("URLString")
                if url is not None and url.value:
                    return str(url.value)
            inner = next((clip.mob for slot in mob.slots for clip in _source_clips(slot.segment)), None)
            if inner is None:
                return ""
            mob = inner
        return ""


def _source_clips(segment: Any) -> list[Any]:
    if type(segment).__name__ == "SourceClip":
        return [segment] if segment.mob is not None else []
    found = getattr(segment, "components", None) or ()
    return [clip for clip in found if type(clip).__name__ == "SourceClip" and clip.mob is not None]
