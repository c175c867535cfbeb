"""The process that looks into media files: `python -m aura_vcs.media.worker`.

Codecs are large and files may be hostile, so this runs alone, without the caller's environment,
with limits on time, memory and written files. A request comes on standard input, the answer
goes to standard output, both as JSON; then it ends.
"""

import math
import os

import msgspec

from aura_vcs.formats.media.findings import MediaAnswer, MediaFacts, MediaRequest, Stretches
from aura_vcs.formats.media.headers import read_header
from aura_vcs.media.limits import confine
from aura_vcs.media.loudness import Levels, differing_sounds
from aura_vcs.media.pictures import (
    compare_picture,
    distance,
    open_picture,
    picture_header,
    thumbnail,
)
from aura_vcs.media.video import Film, differing_scenes

SOUND_SHARE, SCENES_SHARE, STRIPS_SHARE = 0.4, 0.7, 0.85
"""Shares of the processor's time after which listening, comparing pictures, and making thumbnails end."""


def answer(request: MediaRequest) -> MediaAnswer:
    """Look into the files; a file that cannot be read is a `problem`, never an exception."""
    try:
        kinds = {_kind(path) for path in request.paths}
        if kinds == {"picture"}:
            return _pictures(request)
        if "picture" in kinds:
            return MediaAnswer(tuple(_facts(path, request) for path in request.paths))
        return _films(request)
    except MemoryError:
        return MediaAnswer(problem="it needs more memory than is allowed")
    except Exception as error:  # whatever a decoder raises: the file is at fault, not the caller
        return MediaAnswer(problem=_reason(error))


def _reason(error: Exception) -> str:
    """Say why a file cannot be decoded, for a person; decoders' own words name our copies and numbers."""
    kind = type(error).__name__
    if "Bomb" in kind:
        return "it claims more pixels than are looked at"
    if kind == "ValueError" and str(error).startswith("it "):
        return str(error)
    return f"it is damaged, or of a kind that is not known ({kind})"


def _kind(path: str) -> str:
    with open(path, "rb") as file:
        header = read_header(file)
    return "picture" if header is None or header.kind == "picture" else header.kind


def _facts(path: str, request: MediaRequest) -> MediaFacts:
    single = MediaRequest((path,), thumbnails=request.thumbnails, limits=request.limits)
    found = _pictures(single) if _kind(path) == "picture" else _films(single)
    return found.facts[0]


def _pictures(request: MediaRequest) -> MediaAnswer:
    pictures = [open_picture(path, request.limits) for path in request.paths]
    facts = tuple(
        MediaFacts(picture_header(path), thumbnails=(thumbnail(picture),) if request.thumbnails else ())
        for path, picture in zip(request.paths, pictures, strict=True)
    )
    if len(pictures) != 2:
        return MediaAnswer(facts)
    shown = compare_picture(pictures[0], pictures[1], request.picture)
    return MediaAnswer(facts, distance=distance(*pictures), picture=shown)


def _films(request: MediaRequest) -> MediaAnswer:
    """Compare sound first, then pictures; an answer in time, if need be a shorter one."""
    seconds = request.limits.seconds
    films = [Film(path, request.limits, SOUND_SHARE * seconds) for path in request.paths]
    both = len(films) == 2
    has_pictures = any(film.video for film in films)
    levels = []
    for n, film in enumerate(films):
        film.ends = (SOUND_SHARE if has_pictures else SCENES_SHARE) * seconds * (n + 1) / len(films)
        levels.append(film.levels(banded=both))
    sounds, lead = differing_sounds(*levels) if both and all(film.sound for film in films) else ((), 0.0)
    late = any(level.partial for level in levels)
    for film in films:
        film.ends = SCENES_SHARE * seconds
    scenes: Stretches = ()
    if both and all(film.video for film in films):
        scenes, hurried = differing_scenes(films[0], films[1], lead)
        late = late or hurried
    for film in films:
        film.ends = STRIPS_SHARE * seconds
    facts = tuple(_film_facts(film, level, request, late) for film, level in zip(films, levels, strict=True))
    return MediaAnswer(facts, scenes=scenes, sounds=sounds, lead=lead)


def _film_facts(film: Film, levels: Levels, request: MediaRequest, late: bool) -> MediaFacts:
    heard = film.sound is not None
    return MediaFacts(
        film.header(),
        peak_db=round(20 * math.log10(levels.peak), 1) if heard and levels.peak else None,
        loudness_lufs=levels.loudness,
        envelope=levels.envelope() if heard else (),
        thumbnails=tuple(film.strip(request.thumbnails)),
        partial=late,
    )


def main() -> None:
    """Read one request, write one answer."""
    with open(0, "rb", closefd=False) as source:
        request = msgspec.json.decode(source.read(), type=MediaRequest)
    limits = request.limits
    confine(memory_bytes=limits.memory_bytes, cpu_seconds=int(limits.seconds) + 2, file_bytes=0)
    data = msgspec.json.encode(answer(request))
    while data:
        data = data[os.write(1, data) :]


if __name__ == "__main__":
    main()
