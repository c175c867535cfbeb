"""Which files are not versioned: `.auraignore`, in gitignore's syntax (by pathspec)."""

import os

import pathspec
from blake3 import blake3

from aura_vcs.layout import AURA, IGNORE_FILE, is_own_folder

DEFAULT_PATTERNS = (".DS_Store", "Thumbs.db", "desktop.ini", "*.aura-temporary", "~$*", "*.part", "*.crdownload")
"""Litter of operating systems and unfinished downloads; a `!pattern` in .auraignore takes one back."""
TEMPORARY_SUFFIX = ".aura-temporary"


class IgnoreRules:
    """The rules of one project. `fingerprint` changes whenever they do."""

    def __init__(self, text: bytes = b"") -> None:
        lines = [*DEFAULT_PATTERNS, *text.decode("utf-8", "replace").splitlines()]
        self.fingerprint = blake3("\n".join(lines).encode()).digest()[:16]
        self._spec = pathspec.GitIgnoreSpec.from_lines(lines)

    def matches(self, path: str, *, is_folder: bool) -> bool:
        """Whether the path is not versioned; what lies in an ignored folder is not asked for."""
        return self._spec.match_file(path + "/" if is_folder else path)


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
