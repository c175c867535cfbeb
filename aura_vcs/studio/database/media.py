"""Media that the database names by paths of the machine it was made on: found on this one, and given a place.

A file is only taken from the folder of the database, or below a folder that the person names: a database from
somebody else could name any file of this machine.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.errors.integrity import UnsafePath
from aura_vcs.layout import check_windows_name
from aura_vcs.model import Entry
from aura_vcs.project.documents.assets import asset_type

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\|[^/]*\\")
FOLDERS = {"Audio": "audio", "Image": "images", "Video": "video", "Subtitle": "subtitles"}
"""Where media of a type go, below `assets`."""


class PathMap(msgspec.Struct, frozen=True):
    """What lies below `old` on the other machine lies below `new` on this one."""

    old: tuple[str, ...]
    new: str
    is_windows: bool

    @classmethod
    def parse(cls, given: str, folder: str = ".") -> "PathMap":
        """Parse `OLD=NEW`; NEW is taken from `folder` on.

        Raises:
            InputError.
        """
        old, sign, new = given.partition("=")
        if not sign or not old.strip() or not new.strip():
            raise InputError(f"{given!r} maps no folder to another", hint=r"For example --map 'C:\Users\me=/mnt/old'.")
        return cls(_parts(old), os.path.abspath(os.path.join(folder, new)), _is_windows(old))

    def rest(self, parts: Sequence[str], *, is_windows: bool) -> tuple[str, ...] | None:
        """Return what of a path lies below `old`; None if it does not lie there."""
        head = tuple(parts[: len(self.old)])
        if self.is_windows or is_windows:
            same = [part.lower() for part in head] == [part.lower() for part in self.old]
        else:
            same = head == self.old
        return tuple(parts[len(self.old) :]) if same else None


class MediaFinder:
    """Finds files by what the database calls them: by the maps, then below the roots."""

    def __init__(self, roots: Sequence[str], maps: Sequence[PathMap] = ()) -> None:
        self._roots = tuple(dict.fromkeys(os.path.realpath(root) for root in roots))
        self._maps = sorted(maps, key=lambda item: len(item.old), reverse=True)

    def find(self, path: str, size: int | None = None) -> str | None:
        """Return the file on this machine; None if it is not where it may be taken from.

        Of what lies below a root, the longest end of the path counts; its mere name only with the size that is known.
        """
        parts = _parts(path)
        if not parts or any(part in {".", ".."} or "\0" in part for part in parts):
            return None
        for root, rest in self._candidates(path, parts):
            if _size_below(root, rest) is not None:
                return os.path.join(root, *rest)
        for root in self._roots:
            if size is not None and _size_below(root, parts[-1:]) == size:
                return os.path.join(root, parts[-1])
        return None

    def _candidates(self, path: str, parts: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
        for one in self._maps:
            rest = one.rest(parts, is_windows=_is_windows(path))
            if rest:
                yield os.path.realpath(one.new), rest
        for root in self._roots:
            below = PathMap(_parts(root), root, is_windows=False).rest(parts, is_windows=False)
            if below:
                yield root, below
        for start in range(len(parts) - 1):
            for root in self._roots:
                yield root, parts[start:]


def mapped_path(path: str, maps: Sequence[PathMap]) -> str | None:
    """Return where a file or folder of the other machine is on this one; None where there is none."""
    for one in sorted(maps, key=lambda item: len(item.old), reverse=True):
        rest = one.rest(_parts(path), is_windows=_is_windows(path))
        if rest is not None:
            path = os.path.join(one.new, *rest)
            break
    return path if os.path.isabs(path) and os.path.exists(path) else None


class MediaPlaces:
    """Which place in the project each file gets: `assets/<type>/<its name>`, made unique whatever its case."""

    def __init__(self, finder: MediaFinder) -> None:
        self._finder = finder
        self._places: dict[str, str | None] = {}
        self._targets: dict[str, str] = {}
        self.sources: dict[str, str] = {}
        """The files of this machine, by their place in the project."""
        self.known: Mapping[str, Entry] = {}
        """What an earlier import put in place: it stays where its file is not found any more."""
        self.kept: dict[str, Entry] = {}
        """Those of `known` that stay."""

    def place(self, path: str, kind: str | None = None, size: int | None = None) -> str | None:
        """Return the place of a file that the database names; None if it is not found."""
        if path in self._places:
            return self._places[path]
        source = self._finder.find(path, size)
        place = None
        if source is not None:
            source = os.path.realpath(source)
            place = self._targets.get(source)
            if place is None:
                place = self._targets[source] = next(self._names(path, kind))
                self.sources[place] = source
        elif (names := [name for name in self._names(path, kind) if name in self.known]) != []:
            place = names[0]
            self.kept[place] = self.known[place]
        self._places[path] = place
        return place

    def path_of(self, path: str) -> str:
        """Return the place of a file, or the path as it stands where it is not found."""
        return self.place(path) or path

    def missing(self) -> list[str]:
        """List the files that were asked for and not found."""
        return [path for path, place in self._places.items() if place is None]

    def _names(self, path: str, kind: str | None) -> Iterator[str]:
        """Yield the places that the file could have and that no other one has."""
        name = (_parts(path) or ("file",))[-1]
        try:
            check_windows_name(name)
            name.encode()
        except (UnsafePath, UnicodeEncodeError):
            name = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-. ") or "file"
            name = name if name.lower() != "aura" else "file"
        folder = f"assets/{FOLDERS.get(kind or asset_type(name) or '', 'other')}"
        stem, dot, extension = name.rpartition(".")
        stem, end = (stem, dot + extension) if dot and stem else (name, "")
        taken = {place.casefold() for place in (*self.sources, *self.kept)}
        for number in range(1, len(taken) + 2):
            candidate = f"{folder}/{name}" if number == 1 else f"{folder}/{stem}-{number}{end}"
            if candidate.casefold() not in taken:
                yield candidate


def _parts(path: str) -> tuple[str, ...]:
    plain = path.replace("\\", "/") if _is_windows(path) else path
    return tuple(part for part in plain.split("/") if part)


def _is_windows(path: str) -> bool:
    return _WINDOWS.match(path) is not None and not path.startswith("/")


def _size_below(root: str, rest: Sequence[str]) -> int | None:
    """Return the size of a regular file below `root`; None where there is none, or a link leads out of it."""
    path = os.path.join(root, *rest)
    try:
        real = os.path.realpath(path)
        if os.path.commonpath([real, root]) != root:
            return None
        found = os.stat(real)
    except (OSError, ValueError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None
