"""Which files are not versioned: `.auraignore`, in gitignore's syntax (by pathspec)."""

import os
import re
from functools import cached_property
from typing import TYPE_CHECKING

from blake3 import blake3

from aura_vcs.layout import AURA, IGNORE_FILE, is_own_folder

if TYPE_CHECKING:
    import pathspec

DEFAULT_PATTERNS = (
    ".git",
    ".hg",
    ".svn",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    "*.aura-temporary",
    "~$*",
    "*~",
    "*.part",
    "*.partial",
    "*.crdownload",
    "*.tmp",
    "*.temp",
    "tmp/",
    "temp/",
    ".tmp/",
    ".cache/",
)
"""Other version controls, litter of systems, what programs left for themselves (DOMAIN's temporary
assets); a `!pattern` takes one back."""
TEMPORARY_SUFFIX = ".aura-temporary"


class IgnoreRules:
    """The rules of one project. `fingerprint` changes whenever they do."""

    def __init__(self, text: bytes = b"") -> None:
        self._lines = [*DEFAULT_PATTERNS, *text.decode("utf-8", "replace").splitlines()]
        self.fingerprint = blake3("\n".join(self._lines).encode("utf-8", "replace")).digest()[:16]

    @cached_property
    def _spec(self) -> "pathspec.GitIgnoreSpec":
        import pathspec  # only where a name is met that no scan has judged before

        return pathspec.GitIgnoreSpec.from_lines(self._lines)

    @cached_property
    def _any_exclusion(self) -> re.Pattern[str]:
        """One pattern for all that exclude: most paths match none, and are judged by one search."""
        excluding = [pattern.regex.pattern for pattern in self._spec.patterns if pattern.include and pattern.regex]
        return re.compile("|".join(f"(?:{_unnamed(text)})" for text in excluding))

    def matches(self, path: str, *, is_folder: bool) -> bool:
        """Whether the path is not versioned; what lies in an ignored folder is not asked for."""
        candidate = path + "/" if is_folder else path
        if self._any_exclusion.search(candidate) is None:
            return False
        return bool(self._spec.match_file(candidate))


def _unnamed(pattern: str) -> str:
    """The pattern with its named groups made anonymous, so that several fit into one."""
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


def load_ignore_rules(root: str) -> IgnoreRules:
    """The rules in the project folder `root`; unreadable or absent, there are only the default ones."""
    try:
        with open(os.path.join(root, IGNORE_FILE), "rb") as file:
            return IgnoreRules(file.read())
    except OSError:
        return IgnoreRules()


def is_reserved(name: str) -> bool:
    """Whether a name in the project folder belongs to aura, or would be taken for it somewhere."""
    return name == AURA or is_own_folder(name)
