"""Near names: to suggest where a wrong one was given, and to tell what a file was called before."""

import posixpath
from collections.abc import Iterable

SUGGESTIONS = 3


def suggest(name: str, known: Iterable[str]) -> list[str]:
    """The few names most like `name`, most alike first."""
    import difflib  # slow to import, and only needed for errors

    folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), list(folded), n=SUGGESTIONS, cutoff=0.6)
    return [folded[match] for match in found]


def take_nearest(new: str, old_paths: list[str]) -> str:
    """Take the old path of the same name, else of the same folder, else the first."""

    def distance(old: str) -> tuple[bool, bool, str]:
        different_name = posixpath.basename(old) != posixpath.basename(new)
        return different_name, posixpath.dirname(old) != posixpath.dirname(new), old

    chosen = min(old_paths, key=distance)
    old_paths.remove(chosen)
    return chosen
