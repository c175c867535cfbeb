"""Tag objects of git: what they said is kept with our tag, so that the same objects can be made again. Pure."""

import re
from collections.abc import Mapping, Sequence

from aura_vcs.interchange.git_commits import GIT, as_extra, read_extra
from aura_vcs.interchange.git_names import git_name, is_ref_name
from aura_vcs.interchange.git_objects import object_id

KEPT_BYTES_LIMIT = 1 << 16
"""Tags are read whole with every command: of longer ones only the message is taken."""
NAME = "git.name"
"""The key of a tag's name in git, where it is another one here."""
TAG_DEPTH = 10
"""So many tags of tags are followed."""
_TAG = re.compile(rb"object (?P<object>[0-9a-f]{40}|[0-9a-f]{64})\ntype (?:commit|tag)\n(?P<rest>tag .*)", re.DOTALL)
_SIGNED = re.compile(
    rb"^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----.*\Z", re.DOTALL | re.MULTILINE
)
_SIGNED_HEADER = re.compile(rb"^gpgsig(?:-sha256)? .*\n(?: .*\n)*", re.MULTILINE)


def tag_extra(objects: Sequence[bytes], name: bytes = b"") -> dict[str, str]:
    """Return the extra data that keeps tag objects, outermost first; none where they are longer than a tag takes.

    `name` is git's for the tag, where it is another one here.
    """
    found = as_extra(NAME, name) if name else {}
    if sum(map(len, objects)) > KEPT_BYTES_LIMIT:
        return found
    for depth, data in enumerate(objects):
        found |= as_extra(_key(depth), data)
    return found


def tag_objects(extra: Mapping[str, str], commit: str) -> list[bytes]:
    """Return the tag objects to be written for a tag that now names this commit, innermost first; none if none is kept.

    They are the original ones where they lead to this commit. Else there is one, with the tagger, name and message
    of the outermost, and without its signature, which would not match.
    """
    kept: list[bytes] = []
    while len(kept) < TAG_DEPTH and (data := read_extra(extra, _key(len(kept)))) is not None:
        kept.append(data)
    found = [_TAG.fullmatch(data) for data in kept]
    if not kept or found[0] is None:
        return []
    named = [match["object"].decode() if match is not None else "" for match in found]
    if named == [*(object_id("tag", data) for data in kept[1:]), commit]:
        return kept[::-1]
    head, blank, message = found[0]["rest"].partition(b"\n\n")
    rest = _SIGNED_HEADER.sub(b"", head + b"\n").removesuffix(b"\n") + blank + _SIGNED.sub(b"", message)
    return [f"object {commit}\ntype commit\n".encode() + rest]


def name_in_git(name: str, extra: Mapping[str, str]) -> str:
    """Return what a tag of ours is called in git: as it was there, if git takes such a name."""
    try:
        there = (read_extra(extra, NAME) or b"").decode()
    except UnicodeDecodeError:
        there = ""
    return there if is_ref_name(there) else git_name(name)


def _key(depth: int) -> str:
    return f"{GIT}.{depth}" if depth else GIT
