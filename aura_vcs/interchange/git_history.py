"""The order of commits where git's own list of them ends, because something is missing or damaged."""

from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from graphlib import CycleError, TopologicalSorter

from aura_vcs.errors.interchange import GitDamaged
from aura_vcs.interchange.git_objects import COMMIT_BYTES_LIMIT, GitCommit, parse_commit, signature_of
from aura_vcs.interchange.git_reader import ObjectReader, ObjectStream


def walk_history(objects: ObjectReader, tips: Iterable[str], since: datetime | None = None) -> list[tuple[str, ...]]:
    """Return every commit that leads to the tips with its parents, parents before children.

    One that cannot be read is there without parents. With `since`, older ones are not there.

    Raises:
        GitDamaged: the commits lead in a circle.
    """
    parents: dict[str, tuple[str, ...]] = {}
    level = sorted(set(tips))
    while level:
        found: dict[str, None] = {}
        with closing(objects.ask(level)) as answers:
            for git_id, stream in answers:
                commit = _commit(git_id, stream)
                if commit is not None and since is not None and _is_older(commit, since):
                    continue
                parents[git_id] = commit.parents if commit is not None else ()
                found |= dict.fromkeys(parents[git_id])
        level = [git_id for git_id in found if git_id not in parents]
    known = {git_id: [one for one in named if one in parents] for git_id, named in parents.items()}
    try:
        return [(git_id, *parents[git_id]) for git_id in TopologicalSorter(known).static_order()]
    except CycleError as error:
        raise GitDamaged("history", "its commits lead in a circle") from error


def _commit(git_id: str, stream: ObjectStream | None) -> GitCommit | None:
    try:
        return parse_commit(stream.read(COMMIT_BYTES_LIMIT), git_id) if stream is not None else None
    except GitDamaged:
        return None


def _is_older(commit: GitCommit, since: datetime) -> bool:
    at = signature_of(commit.rest, b"committer").at
    return at is not None and at < since
