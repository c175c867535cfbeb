"""What is suggested to a person: names near a wrong one, what a file was called before, paths as they are typed."""

import os
import posixpath
from collections.abc import Iterable

SUGGESTIONS = 3


def suggest(name: str, known: Iterable[str]) -> list[str]:
    """Suggest the few names most like `name`, most alike first."""
    import difflib  # slow to import, and only needed for errors

    folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), list(folded), n=SUGGESTIONS, cutoff=0.6)
    return [folded[match] for match in found]


def pair_equal(gone: Iterable[tuple[str, str]], come: Iterable[tuple[str, str]]) -> dict[str, str]:
    """New path to old path of files that went and came with the same content, each used once.

    Both are paths with what their content is known by. The name of a file counts most, then its folder.
    """
    old_paths: dict[str, list[str]] = {}
    for path, content in gone:
        old_paths.setdefault(content, []).append(path)
    return {path: take_nearest(path, paths) for path, content in come if (paths := old_paths.get(content))}


def take_nearest(new: str, old_paths: list[str]) -> str:
    """Take the old path of the same name, else of the same folder, else the first."""

    def distance(old: str) -> tuple[bool, bool, str]:
        different_name = posixpath.basename(old) != posixpath.basename(new)
        return different_name, posixpath.dirname(old) != posixpath.dirname(new), old

    chosen = min(old_paths, key=distance)
    old_paths.remove(chosen)
    return chosen


def quote_path(path: str) -> str:
    """Return a path as it can be typed in a command that is suggested, in a shell like bash or zsh.

    A name with spaces, quotes or the like stands in quotes; one with bytes that are not UTF-8, or characters that a
    terminal does not show, as $'…'; one that begins with a dash begins with ./ instead.
    """
    path = f"./{path}" if path.startswith("-") else path
    if not path.isprintable():
        return f"$'{''.join(map(_typed, path))}'"
    import shlex  # few paths are suggested

    return shlex.quote(path)


def _typed(char: str) -> str:
    """Return a character as it stands between $' and '."""
    if char in "\\'":
        return f"\\{char}"
    return char if char.isprintable() else "".join(f"\\x{byte:02x}" for byte in os.fsencode(char))
