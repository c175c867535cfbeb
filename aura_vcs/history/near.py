"""Near names, to suggest where a wrong one was given."""

from collections.abc import Iterable

SUGGESTIONS = 3


def near(name: str, known: Iterable[str]) -> list[str]:
    """The few names most like `name`, most alike first."""
    import difflib  # slow to import, and only needed for errors

    folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), list(folded), n=SUGGESTIONS, cutoff=0.6)
    return [folded[match] for match in found]
