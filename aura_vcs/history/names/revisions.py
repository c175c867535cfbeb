"""Names of versions: `v12`, `HEAD~2`, a branch, a tag, a name, an id's beginning, `@{2 hours ago}`."""

import re

from aura_vcs.errors.input import AmbiguousVersion, NoVersions, UnknownVersion
from aura_vcs.errors.integrity import ObjectPurged
from aura_vcs.history.names.branches import branch, branches
from aura_vcs.index.queries import PREFIX_LENGTH, Queries, VersionFilter, describe, distinct_id
from aura_vcs.index.records import VersionRecord
from aura_vcs.plain_text import is_text
from aura_vcs.repository.repository import Repository
from aura_vcs.suggestions import suggest

_STEPS = r"(?P<base>.+?)~(?P<steps>\d{0,15})"  # compiled by the commands that come to use them
_NUMBER = r"v(?P<number>\d{1,15})(\.(?P<prefix>[0-9a-f]{1,64}))?"
_AT = r"(?P<branch>[^@]*)@\{(?P<when>[^}]+)\}"
_CONTENT = r"(?s:(?P<version>[^:@]*(@\{[^}]*\})?[^:]*)(:(?P<path>.*))?)"


def split_content(name: str) -> tuple[str, str | None]:
    """Split `VERSION[:PATH]` into version and path; a colon inside `@{…}` belongs to the time."""
    match = re.fullmatch(_CONTENT, name)
    return (match["version"], match["path"]) if match is not None else (name, None)


def resolve(repo: Repository, name: str) -> VersionRecord:
    """Find the version that goes by `name`.

    Raises:
        UnknownVersion: none does; near names are suggested. NoVersions: there are none at all.
        AmbiguousVersion: several do; all are listed.
        NotArrived: another machine made it, and it is not here yet.
    """
    found = _resolve(repo, name.strip()) if is_text(name) else None
    if found is None:
        from aura_vcs.history.names.partial_sync import check_delivered  # only where a name is not found

        check_delivered(repo, name.strip())
        names = repo.queries.names()
        if not names and not branches(repo):
            raise NoVersions(name)
        known = [*names, *(b.name for b in branches(repo)), *repo.refs.tags(), "HEAD"]
        raise UnknownVersion(name, [other for other in suggest(name, known) if other != name])
    return found


def _resolve(repo: Repository, name: str) -> VersionRecord | None:  # noqa: PLR0911 (one form of name a line)
    queries = repo.queries
    if "~" in name and (match := re.fullmatch(_STEPS, name)):
        return _step_back(repo, match["base"], int(match["steps"] or 1), name)
    if "@{" in name and (match := re.fullmatch(_AT, name)):
        return _at_time(repo, match["branch"], match["when"])
    if name in {"HEAD", "@"}:
        version = repo.head().version
        return queries.version(version) if version is not None else None
    if name.startswith("v") and (match := re.fullmatch(_NUMBER, name)):
        return _numbered(queries, int(match["number"]), match["prefix"] or "", name)
    found = branch(repo, name)
    if found is not None:
        if found.diverged:
            raise AmbiguousVersion(name, [describe(queries, version) for version in found.diverged])
        return queries.version(found.version)
    tag = repo.refs.tags().get(name)
    if tag is not None and tag.version is not None:
        return queries.version(tag.version)
    return _by_id_or_name(queries, name)


def _by_id_or_name(queries: Queries, name: str) -> VersionRecord | None:
    if re.fullmatch(rf"[0-9a-f]{{{PREFIX_LENGTH},64}}", name):
        matches = queries.versions_with_prefix(name)
        if len(matches) > 1:
            raise AmbiguousVersion(name, [f"v{m.number}.{m.id[:8]}" for m in matches])
        if matches:
            return matches[0]
    named = queries.versions_named(name)
    if len(named) > 1:
        raise AmbiguousVersion(name, [describe(queries, record.id) for record in named])
    return named[0] if named else None


def _step_back(repo: Repository, base: str, steps: int, name: str) -> VersionRecord | None:
    queries = repo.queries
    record: VersionRecord | None = resolve(repo, base)
    for _ in range(steps):
        if record is None or not record.parents:
            raise UnknownVersion(name, [base])
        record = queries.version(record.parents[0])
    return record


def _numbered(queries: Queries, number: int, prefix: str, name: str) -> VersionRecord | None:
    matches = [record for record in queries.versions_numbered(number) if record.id.startswith(prefix)]
    if len(matches) > 1:
        raise AmbiguousVersion(name, [f"v{number}.{distinct_id(record.id, matches)}" for record in matches])
    return matches[0] if matches else None


def _at_time(repo: Repository, branch_name: str, when: str) -> VersionRecord | None:
    from aura_vcs.history.names.moments import parse_moment  # few names have a time in them

    moment = parse_moment(when)
    name = branch_name or repo.head().branch
    found = branch(repo, name) if name else None
    start = found.version if found is not None else repo.head().version
    if start is None:
        return None
    history = repo.queries.history(start, VersionFilter(until=moment, deleted=True, limit=1))
    return history[0] if history else None


def check_content(repo: Repository, record: VersionRecord) -> None:
    """Refuse a version whose content was freed.

    Raises:
        ObjectPurged: says when and by whom.
    """
    if record.purged_at is not None:
        raise ObjectPurged(describe(repo.queries, record.id), record.purged_at, record.purged_by or "somebody")
