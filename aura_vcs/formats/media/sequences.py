"""Sequences of pictures: files that are numbered (`shot.0001.exr` …), each a frame, named as one thing."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from aura_vcs.model import PICTURE_SUFFIXES

LEAST = 3
"""So many files are a sequence, where their numbers are not short."""
DIGITS = 3
"""A number with fewer is short."""
LEAST_SHORT = 10
"""Likewise where numbers are shorter: two versions of a picture are no sequence."""
GAP = 24
"""A gap of more numbers than this, and than there are files, parts two sequences."""
LONGEST = 12
"""Digits of a number at most; longer ones are dates or hashes."""
_NUMBERED = re.compile(rf"(.*?)([0-9]{{1,{LONGEST}}})(\.[A-Za-z]+)", re.DOTALL)
_PATTERN = re.compile(rf"(.*?)\[([0-9]{{1,{LONGEST}}})-([0-9]{{1,{LONGEST}}})\](\.[A-Za-z]+)", re.DOTALL)
Span = tuple[int, int]
"""The first number and the last."""


class FrameName(Struct, frozen=True):
    """A path taken apart: `render/shot.` `0012` `.exr`."""

    prefix: str
    digits: str
    suffix: str

    @property
    def number(self) -> int:
        """Which frame it is."""
        return int(self.digits)


class FrameSequence(Struct, frozen=True):
    """The files of a sequence by their numbers, in order; `width` is how many digits a number has at least."""

    prefix: str
    suffix: str
    width: int
    numbers: tuple[int, ...]

    @property
    def pattern(self) -> str:
        """The whole as it is named: `render/shot.[0001-0240].exr`."""
        return f"{self.prefix}[{self._digits(self.numbers[0])}-{self._digits(self.numbers[-1])}]{self.suffix}"

    @property
    def missing(self) -> tuple[Span, ...]:
        """Which numbers between the first and the last are not there."""
        pairs = zip(self.numbers, self.numbers[1:], strict=False)
        return tuple((one + 1, following - 1) for one, following in pairs if following > one + 1)

    def path(self, number: int) -> str:
        """Return the path of a frame."""
        return f"{self.prefix}{self._digits(number)}{self.suffix}"

    def only(self, numbers: Iterable[int]) -> "FrameSequence | None":
        """Return the sequence of these of its frames; None if there are none."""
        chosen = set(numbers)
        left = tuple(number for number in self.numbers if number in chosen)
        return FrameSequence(self.prefix, self.suffix, self.width, left) if left else None

    def _digits(self, number: int) -> str:
        return f"{number:0{self.width}}"


def frame_name(path: str) -> FrameName | None:
    """Take apart the path of a picture whose name ends with a number; None for others."""
    found = _NUMBERED.fullmatch(path)
    if found is None or found[3].lower() not in PICTURE_SUFFIXES:
        return None
    if found[1][-1:].isdigit():
        return None
    return FrameName(found[1], found[2], found[3])


def find_sequences(paths: Iterable[str], least: int = LEAST) -> list[FrameSequence]:
    """Find the sequences of `least` files or more among paths; what belongs to none is left out."""
    groups: dict[tuple[str, str], list[FrameName]] = {}
    for path in paths:
        name = frame_name(path)
        if name is not None:
            groups.setdefault((name.prefix, name.suffix), []).append(name)
    return [sequence for names in groups.values() if len(names) >= least for sequence in _sequences(names, least)]


def covers(pattern: str, path: str) -> bool:
    """Tell whether a path is a frame of the sequence that is named so: `render/shot.[0001-0240].exr`."""
    found, name = _PATTERN.fullmatch(pattern), frame_name(path)
    if found is None or name is None or (found[1], found[4]) != (name.prefix, name.suffix):
        return False
    return int(found[2]) <= name.number <= int(found[3])


def moved_sequences(old_paths: Mapping[str, str]) -> list[tuple[FrameSequence, FrameSequence]]:
    """Find sequences that were renamed as a whole; `old_paths` has the old path of each new one."""
    groups: dict[tuple[str, str], dict[str, str]] = {}
    for path, old_path in old_paths.items():
        was = frame_name(old_path)
        if was is not None:
            groups.setdefault((was.prefix, was.suffix), {})[path] = old_path
    found = []
    for several in groups.values():
        for new in find_sequences(several):
            paths = [new.path(number) for number in new.numbers]
            before = find_sequences([several[path] for path in paths if path in several])
            if all(path in several for path in paths) and [len(one.numbers) for one in before] == [len(paths)]:
                found.append((before[0], new))
    return found


def spans(numbers: Iterable[int]) -> list[Span]:
    """Group numbers, in order, that follow each other."""
    found: list[Span] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = found[-1][0], number
        else:
            found.append((number, number))
    return found


def frames_words(found: Sequence[Span]) -> str:
    """Name frames: `frame 7`, `frames 12 to 30 and 41`."""
    parts = [f"{first}" if first == last else f"{first} to {last}" for first, last in found]
    word = "frame" if len(found) == 1 and found[0][0] == found[0][1] else "frames"
    return f"{word} {' and '.join(filter(None, [', '.join(parts[:-1]), parts[-1]]))}"


def _sequences(names: Sequence[FrameName], least: int) -> Iterator[FrameSequence]:
    """Make sequences of files that differ by their numbers alone: those of one width, padded with zeros or not."""
    widths = {len(name.digits) for name in names if name.digits.startswith("0") and len(name.digits) > 1}
    numbers: dict[int, set[int]] = {}
    for name in names:
        length = len(name.digits)
        width = length if length in widths else max((width for width in widths if width < length), default=0)
        numbers.setdefault(width, set()).add(name.number)
    for width, members in numbers.items():
        ordered = sorted(members)
        shortest = width or len(str(ordered[0]))
        for part in _parted(ordered):
            if len(part) >= (least if shortest >= DIGITS else LEAST_SHORT):
                yield FrameSequence(names[0].prefix, names[0].suffix, shortest, tuple(part))


def _parted(ordered: Sequence[int]) -> Iterator[Sequence[int]]:
    start = 0
    for n in range(1, len(ordered) + 1):
        if n == len(ordered) or ordered[n] - ordered[n - 1] > max(GAP, len(ordered)):
            yield ordered[start:n]
            start = n
