"""Names of git's branches and tags as ours, and back; names that lead into a repository. Pure."""

import re
import unicodedata

from aura_vcs.errors.input import InvalidName
from aura_vcs.layout import check_name

PREFIX = "git/"
"""Before a name that a branch or tag here cannot have, as `v1.0`: here it is `git/v1.0`."""
_GIT_FOLDERS = frozenset({b".git", b"git~1"})


def own_name(kind: str, name: bytes) -> str | None:
    """Return what a branch or tag of git is called here; None if nothing like its name is possible.

    What may not stand in a name becomes `-`. A name that is otherwise taken for something else gets PREFIX.
    """
    text = unicodedata.normalize("NFC", name.decode("utf-8", "replace"))
    plain = re.sub(r"\.\.+", ".", re.sub(r"/{2,}", "/", "".join(c if _is_allowed(c) else "-" for c in text)))
    for candidate in (text, plain, PREFIX + plain, PREFIX + plain.strip("-./")):
        try:
            return check_name(kind, candidate)
        except InvalidName:
            continue
    return None


def git_name(name: str) -> str:
    """Return what a branch or tag of ours is called in git: without the PREFIX that only `own_name` gave it."""
    bare = name.removeprefix(PREFIX)
    return bare if bare != name and own_name("tag", bare.encode()) == name else name


def is_ref_name(name: str) -> bool:
    """Tell whether git takes a name as that of a branch or tag; see git-check-ref-format(1)."""
    parts = name.split("/")
    is_plain = not any(character < "!" or character in "~^:?*[\\\x7f" for character in name)
    return (
        is_plain
        and not ({"..", "@{"} & {name[at : at + 2] for at in range(len(name))})
        and name != "@"
        and all(part and part[0] not in ".-" and not part.endswith((".lock", ".")) for part in parts)
    )


def is_git_folder(name: bytes) -> bool:
    """Tell whether a folder of that name, written to disk, is taken for a repository, with hooks that git runs."""
    return name.lower().rstrip(b". ") in _GIT_FOLDERS


def _is_allowed(character: str) -> bool:
    return character.isalnum() or character in "._-/" or unicodedata.category(character) == "Mn"
