"""A commit of git as a version of ours, and what is kept of it so that the same commit can be made again. Pure."""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime

from aura_vcs.codec import EXTRA_LIMIT, format_time
from aura_vcs.history.recording.past_versions import PastVersion
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.interchange.git_objects import GitCommit, message_of, signature_of
from aura_vcs.model import ORIGIN

GIT = "git"
"""The key of what a commit says from its author's line on; with BASE64 behind it where it is not UTF-8."""
BASE64 = ".base64"
ORIGIN_PREFIX = "git "
"""What the origin of a version that came from git begins with; the commit's id follows."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def past_version(
    commit: GitCommit,
    git_id: str,
    tree: ObjectId,
    size: int,
    documents: dict[str, ObjectId | None],
    parents: tuple[VersionId | int, ...],
    branch: str | None,
) -> PastVersion:
    """Return the version that a commit becomes: the message's first line is its name, the rest its description."""
    author, committer = signature_of(commit.rest, b"author"), signature_of(commit.rest, b"committer")
    title, _, text = message_of(commit.rest).strip().partition("\n")
    return PastVersion(
        tree=tree,
        size=size,
        documents=documents,
        parents=parents,
        name=title if title.strip() else f"Commit {git_id[:12]}",
        description=text,
        author=author.who or committer.who,
        created_at=format_time(_believable(author.at) or _believable(committer.at) or _EPOCH),
        branch=branch,
        extra={ORIGIN: f"{ORIGIN_PREFIX}{git_id}", **_extra_of(commit.rest)},
    )


def remaining_data(extra: Mapping[str, str]) -> bytes | None:
    """Return what a commit said from its author's line on, as it was kept; None if it was not."""
    if GIT in extra:
        return extra[GIT].encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(extra[GIT + BASE64], validate=True) if GIT + BASE64 in extra else None
    except (binascii.Error, ValueError):
        return None


def git_origin(extra: Mapping[str, str]) -> str | None:
    """Return the id of the commit that a version was imported from."""
    origin = extra.get(ORIGIN, "")
    return origin.removeprefix(ORIGIN_PREFIX) if origin.startswith(ORIGIN_PREFIX) else None


def _extra_of(rest: bytes) -> dict[str, str]:
    """Return the extra data that keeps a commit's own words; none where they are longer than a version takes."""
    if len(rest) * 4 // 3 + 200 > EXTRA_LIMIT:
        return {}
    try:
        return {GIT: rest.decode("utf-8")}
    except UnicodeDecodeError:
        return {GIT + BASE64: base64.b64encode(rest).decode("ascii")}


def _believable(moment: datetime | None) -> datetime | None:
    """Return a moment, unless it is outside the years that records can name."""
    if moment is None:
        return None
    try:
        found = moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return found if found.year >= 1000 else None
