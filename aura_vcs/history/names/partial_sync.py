"""Versions of other machines that a sync tool has not brought as a whole yet.

A tool that mirrors folders brings files in any order: a branch or a label can be here before the
version that it names, and a version before its content. That is not damage: the rest is on its way.
"""

from collections.abc import Iterator

import msgspec

from aura_vcs.errors.integrity import IntegrityError, NotArrived, ObjectMissing
from aura_vcs.history.names.branches import branch_and_missing
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.queries import describe, describe_numbered
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import EntryKind
from aura_vcs.repository.repository import Repository


class MissingHead(msgspec.Struct, frozen=True):
    """A version that a branch stands on and that is not here; number and name where its label is."""

    version: VersionId
    by: str
    number: int | None = None
    name: str = ""
    called: str = ""

    @property
    def title(self) -> str:
        """As a person calls it."""
        what = (
            f'{self.called or f"v{self.number}"} "{self.name}"'
            if self.number is not None
            else f"a version ({self.version[:8]})"
        )
        return f"{what} by {self.by}" if self.by else what


def missing_heads(repo: Repository, name: str) -> tuple[MissingHead, ...]:
    """List the versions of other machines that a branch stands on and that are not here yet."""
    found = {}
    for entry in branch_and_missing(repo, name)[1]:
        assert entry.version is not None
        label = repo.refs.label(entry.version)
        head = MissingHead(entry.version, entry.updated_by)
        if label is not None:
            called = describe_numbered(repo.queries, entry.version, label.number)
            head = MissingHead(entry.version, entry.updated_by, label.number, label.name, called)
        found[entry.version] = head
    return tuple(found.values())


def all_missing_heads(repo: Repository) -> dict[str, tuple[MissingHead, ...]]:
    """Map each branch that waits for versions of other machines to those that are missing."""
    return {name: found for name in repo.refs.branches() if (found := missing_heads(repo, name))}


def check_delivered(repo: Repository, wanted: str) -> None:
    """Refuse to say that there is no such version, where it is only on its way.

    `wanted` is a branch, a number such as `v3`, a version's name, or a prefix of its id.

    Raises:
        NotArrived: another machine's version goes by that name, and is not here yet.
    """
    for name, found in all_missing_heads(repo).items():
        for item in found:
            names = {name, f"v{item.number}", item.called, item.name}
            if wanted in names or (len(wanted) >= 4 and item.version.startswith(wanted)):
                raise NotArrived(item.version, item.title)


def delivery_error(repo: Repository, error: ObjectMissing) -> NotArrived | None:
    """Explain the error where it is about another machine's version that arrived incomplete; return None otherwise.

    None where it is damage: a version that was made here, or was fetched, was here as a whole. Opens
    trees, and reads this machine's log.
    """
    if isinstance(error, NotArrived) or not repo.others.known_replicas():
        return None
    object_id = ObjectId(error.object_id)
    needed = {object_id, ObjectId(error.needed_by.removeprefix("blob "))}
    for record, path in _needing(repo, needed):
        if not was_recorded_here(repo, record.id):
            title = f'{describe(repo.queries, record.id)} "{record.name}" by {record.author}'
            return NotArrived(object_id, f"{path} of {title}" if path else title)
    return None


def _needing(repo: Repository, needed: set[ObjectId]) -> Iterator[tuple[VersionRecord, str]]:
    """Yield the versions that need one of these objects, newest first, and for which file."""
    queries = repo.queries
    for version, tree in reversed(queries.live_versions()):
        record = queries.version(version)
        if record is None:
            continue
        if tree in needed or version in needed:
            yield record, ""
            continue
        try:
            for path, entry in repo.trees.walk(tree):
                if entry.id in needed:
                    yield record, "" if entry.kind is EntryKind.DIR else path
                    break
        except ObjectMissing as error:
            if error.object_id in needed:
                yield record, ""
        except IntegrityError:
            continue


def was_recorded_here(repo: Repository, version: VersionId) -> bool:
    """Tell whether this machine recorded the version itself: made it, or fetched it. Reads its log."""
    ref = f"versions/{version}"
    return any(line.operation is not None and ref in line.operation.refs for line in repo.logs.read_of(repo.replica))
