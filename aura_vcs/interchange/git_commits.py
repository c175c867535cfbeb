"""A commit of git as a version of ours, and what is kept of it so that the same commit can be made again. Pure."""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from aura_vcs.codec import EXTRA_LIMIT
from aura_vcs.history.recording.past_versions import PastVersion
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.interchange.git_objects import GitCommit, message_of, signature_of
from aura_vcs.model import ORIGIN
from aura_vcs.plain_text import format_time

GIT = "git"
"""The key of what a commit says from its author's line on; with BASE64 behind it where it is not UTF-8."""
BASE64 = ".base64"
ORIGIN_PREFIX = "git "
"""What the origin of a version that came from git begins with; the commit's id follows."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CommitContent(msgspec.Struct, frozen=True):
    """What a commit holds, as ours: its tree, the bytes of all files, the documents, and what is kept besides."""

    tree: ObjectId
    size: int
    documents: dict[str, ObjectId | None]
    remainder: dict[str, str]


def past_version(
    commit: GitCommit, git_id: str, content: CommitContent, parents: tuple[VersionId | int, ...], branch: str | None
) -> PastVersion:
    """Return the version that a commit becomes: the message's first line is its name, the rest its description."""
    author, committer = signature_of(commit.rest, b"author"), signature_of(commit.rest, b"committer")
    title, _, text = message_of(commit.rest).strip().partition("\n")
    return PastVersion(
        tree=content.tree,
        size=content.size,
        documents=content.documents,
        parents=parents,
        name=title if title.strip() else f"Commit {git_id[:12]}",
        description=text,
        author=author.who or committer.who,
        created_at=format_time(_believable(author.at) or _believable(committer.at) or _EPOCH),
        branch=branch,
        extra={ORIGIN: f"{ORIGIN_PREFIX}{git_id}", **_extra_of(commit.rest, content.remainder)},
    )


def remaining_data(extra: Mapping[str, str]) -> bytes | None:
    """Return what a commit said from its author's line on, as it was kept; None if it was not."""
    return read_extra(extra, GIT)


def read_extra(extra: Mapping[str, str], key: str) -> bytes | None:
    """Return the bytes that `as_extra` put under a key; None if there are none."""
    if key in extra:
        return extra[key].encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(extra[key + BASE64], validate=True) if key + BASE64 in extra else None
    except (binascii.Error, ValueError):
        return None


def as_extra(key: str, data: bytes) -> dict[str, str]:
    """Return bytes as extra data: as text where they are UTF-8."""
    try:
        return {key: data.decode("utf-8")}
    except UnicodeDecodeError:
        return {key + BASE64: base64.b64encode(data).decode("ascii")}


def git_origin(extra: Mapping[str, str]) -> str | None:
    """Return the id of the commit that a version was imported from."""
    origin = extra.get(ORIGIN, "")
    return origin.removeprefix(ORIGIN_PREFIX) if origin.startswith(ORIGIN_PREFIX) else None


def _extra_of(rest: bytes, remainder: dict[str, str]) -> dict[str, str]:
    """Return the extra data that keeps a commit's own words; none where they are longer than a version takes.

    `remainder` comes along where there is room for both.
    """
    if len(rest) * 4 // 3 + 200 > EXTRA_LIMIT:
        return {}
    words = as_extra(GIT, rest)
    return words if sum(map(len, (words | remainder).values())) + 300 > EXTRA_LIMIT else words | remainder


def _believable(moment: datetime | None) -> datetime | None:
    """Return a moment, unless it is outside the years that records can name."""
    if moment is None:
        return None
    try:
        found = moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return found if found.year >= 1000 else None
