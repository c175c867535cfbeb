"""What is suggested to a person: names near a wrong one, paths as they are typed."""

import os
from collections.abc import Iterable

SUGGESTIONS = 3


def suggest(name: str, known: Iterable[str]) -> list[str]:
    """Suggest the few names most like `name`, most alike first."""
    import difflib  # slow to import, and only needed for errors

    folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), list(folded), n=SUGGESTIONS, cutoff=0.6)
    return [folded[match] for match in found]


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
