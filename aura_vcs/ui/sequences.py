"""Pictures that are a film together: `shot.0001.exr` and what follows it."""

import posixpath
import re
from collections.abc import Sequence

import msgspec

from aura_vcs.ui.media_kinds import kind_of

LEAST = 8
"""So many numbered pictures are a sequence."""
MOST = 100_000
_NUMBERED = re.compile(r"(?s)(.*?)(\d{2,9})(\.[A-Za-z0-9]+)\Z")


class PictureSequence(msgspec.Struct, frozen=True):
    """Numbered pictures of one folder, in the order of their numbers."""

    title: str
    paths: tuple[str, ...]
    missing: int
    """So many numbers between the first and the last have no picture."""


def sequence_key(path: str) -> str:
    """Return what the pictures of a sequence have in common: "" for what is no numbered picture."""
    folder, name = posixpath.split(path)
    found = _NUMBERED.match(name)
    if found is None or kind_of(path) != "picture":
        return ""
    return posixpath.join(folder, f"{found[1]}#{len(found[2])}{found[3].lower()}")


def sequences_among(paths: Sequence[str]) -> dict[str, PictureSequence]:
    """Find the sequences among the files of one folder, by what their pictures have in common."""
    groups: dict[str, list[str]] = {}
    for path in paths:
        if key := sequence_key(path):
            groups.setdefault(key, []).append(path)
    return {key: _sequence(group) for key, group in groups.items() if LEAST <= len(group) <= MOST}


def _sequence(paths: list[str]) -> PictureSequence:
    ordered = sorted(paths, key=lambda path: (_number(path), path))
    first, last = (_NUMBERED.match(posixpath.basename(path)) for path in (ordered[0], ordered[-1]))
    assert first is not None
    assert last is not None
    title = f"{first[1]}[{first[2]}-{last[2]}]{first[3]}"
    return PictureSequence(title, tuple(ordered), int(last[2]) - int(first[2]) + 1 - len(ordered))


def _number(path: str) -> int:
    found = _NUMBERED.match(posixpath.basename(path))
    assert found is not None
    return int(found[2])
