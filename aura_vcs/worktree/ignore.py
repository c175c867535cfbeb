"""Which files are not versioned: `.auraignore`, in gitignore's syntax (by pathspec)."""

import os
from functools import cached_property
from typing import TYPE_CHECKING

from blake3 import blake3

from aura_vcs.layout import IGNORE_FILE

if TYPE_CHECKING:
    import pathspec

TEMPORARY_SUFFIX = ".aura-temporary"
LITTER = (".git", ".hg", ".svn", ".DS_Store", "Thumbs.db", "desktop.ini", ".stignore", ".stfolder", ".stversions")
"""Names of other version controls, and what operating systems and sync tools leave."""
TEMPORARY_FOLDERS = ("tmp", "temp", ".tmp", ".cache")
TEMPORARY_SUFFIXES = (".tmp", ".temp", ".part", ".partial", ".crdownload", "~", TEMPORARY_SUFFIX)
TEMPORARY_PREFIX = "~$"
"""What programs leave for themselves: temporary assets stay out of versions."""
DEFAULT_PATTERNS = (
    *LITTER,
    *(f"{name}/" for name in TEMPORARY_FOLDERS),
    *(f"*{suffix}" for suffix in TEMPORARY_SUFFIXES),
    f"{TEMPORARY_PREFIX}*",
)
"""The same in gitignore's words; a `!pattern` in .auraignore takes one back."""

_LITTER = frozenset(LITTER)
_TEMPORARY_FOLDERS = frozenset(TEMPORARY_FOLDERS)


class IgnoreRules:
    """The rules of one project. `fingerprint` changes whenever they do."""

    def __init__(self, text: bytes = b"") -> None:
        own = text.decode("utf-8", "replace").splitlines()
        self._lines = [*DEFAULT_PATTERNS, *own]
        self._only_default = not any(line.strip() and not line.startswith("#") for line in own)
        self.fingerprint = blake3("\n".join(self._lines).encode("utf-8", "replace")).digest()[:16]

    @cached_property
    def _spec(self) -> "pathspec.GitIgnoreSpec":
        import pathspec  # slow to import, and without an .auraignore names alone decide

        return pathspec.GitIgnoreSpec.from_lines(self._lines)

    def matches(self, name: str, path: str, *, is_folder: bool) -> bool:
        """Whether the path, called `name`, is not versioned.

        What lies in an ignored folder is not asked for.
        """
        if self._only_default:
            return is_litter(name, is_folder=is_folder)
        return bool(self._spec.match_file(path + "/" if is_folder else path))


def is_litter(name: str, *, is_folder: bool) -> bool:
    """What DEFAULT_PATTERNS say of a name."""
    return (
        name in _LITTER
        or name.endswith(TEMPORARY_SUFFIXES)
        or name.startswith(TEMPORARY_PREFIX)
        or (is_folder and name in _TEMPORARY_FOLDERS)
    )


def load_ignore_rules(root: str) -> IgnoreRules:
    """The rules in the project folder `root`; unreadable or absent, there are only the default ones."""
    try:
        with open(os.path.join(root, IGNORE_FILE), "rb") as file:
            return IgnoreRules(file.read())
    except OSError:
        return IgnoreRules()
