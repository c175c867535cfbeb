"""Names for what is set aside: `shot (v14 from laptop).mp4`, free on every disk.

What is one name on some disk counts as one here: names that differ only in upper and lower case or
in Unicode's composed and decomposed forms, and a file where another path has a folder.
"""

from collections.abc import Iterable

from aura_vcs.layout import fold_path

NAME_BYTES_LIMIT = 255
"""Bytes of one name that every usual file system takes."""
SUFFIX_BYTES_LIMIT = 20
"""A longer ending after the last dot is not a kind of file, but part of the name."""
LABEL_BYTES_LIMIT = 120
_FORBIDDEN = frozenset('/\\:*?"<>|')


def taken_names(paths: Iterable[str]) -> set[str]:
    """Collect all names that these paths use, folded: their own, and those of the folders they are in."""
    taken: set[str] = set()
    for path in paths:
        name = fold_path(path)
        while name and name not in taken:
            taken.add(name)
            name = name.rpartition("/")[0]
    return taken


def free_name(path: str, label: str, taken: set[str]) -> str:
    """Make a name beside `path` that is not in `taken` (see `taken_names`), with a number if need be.

    The ending stays, so that programs know the file; what is too long for a name is cut before the mark.
    """
    words = " ".join("".join(" " if c in _FORBIDDEN or not c.isprintable() else c for c in label).split())
    words = _cut(words.strip(". ") or "other", LABEL_BYTES_LIMIT)
    folder, slash, name = path.rpartition("/")
    stem, ending = _parted(name)
    number = 1
    while True:
        mark = f" ({words})" if number == 1 else f" ({words} {number})"
        candidate = f"{folder}{slash}{_cut(stem, NAME_BYTES_LIMIT - _bytes(mark + ending))}{mark}{ending}"
        if fold_path(candidate) not in taken:
            return candidate
        number += 1


def _parted(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.rpartition(".")
    if not stem or not suffix or _bytes(suffix) > SUFFIX_BYTES_LIMIT:
        return name, ""
    return stem, dot + suffix


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def _cut(stem: str, limit: int) -> str:
    """Cut a stem to at most `limit` bytes, whole characters, without a space or dot before the mark."""
    if _bytes(stem) <= limit:
        return stem
    data = stem.encode("utf-8", "surrogateescape")[: max(limit, 1)]
    if not any(0xDC80 <= ord(c) <= 0xDCFF for c in stem):
        return data.decode("utf-8", "ignore").rstrip(" .") or "_"
    return data.decode("utf-8", "surrogateescape").rstrip(" .") or "_"
