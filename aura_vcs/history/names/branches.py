"""Branches: where they are, and how they move without losing what another machine did."""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.errors.input import NameTaken, UnknownName, UnknownVersion, VersionInUse
from aura_vcs.ids import ID_LENGTH, VersionId, is_object_id
from aura_vcs.index.queries import Queries, describe
from aura_vcs.index.records import VersionRecord
from aura_vcs.layout import check_name
from aura_vcs.model import DEFAULT_BRANCH, BranchEntry, Head, HeadChange, Inverse, Operation, RefChange
from aura_vcs.operation_log import branch_change
from aura_vcs.plain_text import is_text
from aura_vcs.refs.merge import claimed_branches, furthest_entry, heads, set_apart
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft, Transaction


def default_branch(names: Iterable[str]) -> str | None:
    """Choose the branch that a clone checks out if nobody says: `main`, else the first."""
    return min(names, key=lambda name: (name != DEFAULT_BRANCH, name), default=None)


class Branch(msgspec.Struct, frozen=True):
    """A branch and the version it is on.

    `diverged` lists the heads where machines moved it apart; it is empty otherwise.
    """

    name: str
    version: VersionId
    diverged: tuple[VersionId, ...] = ()


def branch(repo: Repository, name: str) -> Branch | None:
    """Return the branch, None if there is none of that name or it was deleted."""
    return branch_and_missing(repo, name)[0]


def branch_and_missing(repo: Repository, name: str) -> tuple[Branch | None, tuple[BranchEntry, ...]]:
    """Return the branch, and those of its heads that other machines put on versions not here yet."""
    if not name or not is_text(name):
        return None, ()
    entries = repo.refs.branch_entries(name)
    versions = [entry.version for entry in entries if entry.version is not None]
    if all(map(repo.index.knows, versions)):
        return _state(repo, name, entries), ()
    if not all(map(repo.is_index_complete, versions)):
        entries = repo.refs.branch_entries(name)
    # What stands on a version that is not here is damaged, or came before its objects did.
    known = [entry for entry in entries if entry.version is None or repo.index.knows(entry.version)]
    awaited = [e for e in heads(entries) if e not in known and e.replica != repo.replica]
    return _state(repo, name, known), tuple(awaited)


def branches(repo: Repository) -> list[Branch]:
    """List every branch, by name."""
    return [found for name in repo.refs.branches() if (found := branch(repo, name)) is not None]


def get_branch(repo: Repository, name: str) -> Branch:
    """Return the branch of that name.

    Raises:
        UnknownName: there is none; suggests near ones.
    """
    found = branch(repo, name)
    if found is None:
        from aura_vcs.suggestions import suggest

        raise UnknownName(
            "branch", name, suggest(name, [b.name for b in branches(repo)]), hint="`aura branch` lists them."
        )
    return found


def _state(repo: Repository, name: str, entries: Sequence[BranchEntry]) -> Branch | None:
    tips = heads(entries)
    versions = list(dict.fromkeys([entry.version for entry in tips if entry.version is not None]))
    if not versions:
        return None
    if len(versions) == 1:
        return Branch(name, versions[0])
    queries = repo.queries
    newest = newest_heads(queries, versions)
    if len(newest) == 1:
        return Branch(name, newest[0])
    own = next((entry.version for entry in tips if entry.replica == repo.replica and entry.version in newest), None)
    return Branch(name, own or newest[0], tuple(sorted(newest)))


def newest_heads(queries: Queries, versions: Sequence[VersionId]) -> list[VersionId]:
    """Return the heads of a branch on which no other builds; of several that say the same, one."""
    newest = [v for v in versions if not any(other != v and queries.is_ancestor(v, other) for other in versions)]
    return newest if len(newest) < 2 else _without_twins(queries, newest)


def stands_for(queries: Queries, one: VersionRecord, other: VersionRecord) -> bool:
    """Tell whether a version says all that another one says, so that a branch on it has lost nothing.

    Both have one content, or are merges of the same versions, and what the other was made on is in its history.
    """
    is_same = one.tree == other.tree or _are_twins(one, other)
    return is_same and all(queries.is_ancestor(parent, one.id) for parent in other.parents)


def _are_twins(one: VersionRecord, other: VersionRecord) -> bool:
    return len(one.parents) > 1 and set(one.parents) == set(other.parents)


def _without_twins(queries: Queries, versions: Sequence[VersionId]) -> list[VersionId]:
    """Drop versions that say the same as another one, or whose twin another line has built on.

    Both machines followed the advice to merge at the same time, or both made the same edit. Of such versions one is
    chosen, the same on every machine; else each merge would be answered with another one, without an end. What the
    one that is left out was made on is in the history of the one that stays. Those that are not known here stay.
    """
    records = [record for version in sorted(versions) if (record := queries.version(version)) is not None]
    chosen = [record for record in records if not any(_goes_before(queries, other, record) for other in records)]
    left = {record.id for record in chosen if not _is_continued_below(queries, record, chosen)}
    return [version for version in versions if version in left or queries.version(version) is None]


def _goes_before(queries: Queries, one: VersionRecord, other: VersionRecord) -> bool:
    """Tell whether a version stands for another one; of two that stand for each other, the lower id does."""
    if one.id == other.id or not stands_for(queries, one, other):
        return False
    return one.id < other.id or not stands_for(queries, other, one)


def _is_continued_below(queries: Queries, merge: VersionRecord, others: Sequence[VersionRecord]) -> bool:
    """Tell whether another line contains a merge of the same versions and has gone on from there."""
    if len(merge.parents) < 2:
        return False
    found = (queries.version(child) for child in queries.children(merge.parents[0]) if child != merge.id)
    twins = [record for record in found if record is not None and _are_twins(record, merge)]
    lines = [other.id for other in others if other.id != merge.id]
    return any(queries.is_ancestor(twin.id, line) for twin in twins for line in lines)


class BranchMove(msgspec.Struct, frozen=True):
    """Where a branch goes: to `version`; None deletes it.

    With `over_all`, entries of other machines count as seen, whatever they are: a move back, or a deletion, is meant
    to hold against them. `parents` are those of a version that is only being made. Made `instead_of` another one, it
    holds against machines that stand on that, and not against what they made on it.
    """

    version: VersionId | None
    over_all: bool = False
    parents: Sequence[VersionId] = ()
    instead_of: VersionId | None = None


def branch_update(
    repo: Repository,
    transaction: Transaction,
    name: str,
    move: BranchMove,
) -> dict[str, RefChange]:
    """Build the changes that move the branch.

    Entries of other machines count as seen where the new version includes theirs. Where our own entry
    had followed another machine and the new version does not build on that (a commit after a mere
    fetch), what it had followed stands again beside the new version. Where our entry was on a head of its own and
    the new version is made on another head of the branch, ours stays one, by an entry of its own.
    """
    queries, version = repo.queries, move.version
    entries = repo.refs.branch_entries(name)
    before = furthest_entry(entries, transaction.replica)
    place = before.version if before is not None else None

    def is_included(older: VersionId | None) -> bool:
        if move.over_all or older is None or older == move.instead_of:
            return True
        if version is None:
            return False
        newest = (version, *move.parents)
        return any(queries.is_ancestor(older, newer) for newer in newest) or is_stood_for(older, newest)

    def is_stood_for(older: VersionId, newest: Sequence[VersionId]) -> bool:
        record, others = queries.version(older), map(queries.version, newest)
        return record is not None and any(other is not None and stands_for(queries, other, record) for other in others)

    def seen_of(entry: BranchEntry, known: int) -> int:
        if is_included(entry.version):
            return max(entry.counter, known)
        if entry.version is not None and place is not None and not is_included(place):
            return min(entry.counter - 1, known) if queries.is_ancestor(entry.version, place) else known
        return known

    after = _next_entry(repo, transaction, name, version, seen_of)
    changes = [branch_change(name, before, after)]
    if before is not None and not is_included(before.version):
        changes += _head_left(repo, name, before, after)
    return dict(changes)


def _head_left(repo: Repository, name: str, before: BranchEntry, after: BranchEntry) -> list[tuple[str, RefChange]]:
    """Build the change that keeps a head which our entry leaves and no other one has, where it was a head."""
    entries = repo.refs.branch_entries(name)
    if before not in heads(entries):
        return []
    others = [entry for entry in entries if entry.replica != before.replica]
    tips = [entry.version for entry in heads([*others, after]) if entry.version is not None]
    if before.version is None or any(repo.queries.is_ancestor(before.version, tip) for tip in tips):
        return []
    left = set_apart(before)
    is_known = any(entry.replica == left.replica for entry in others)
    return [] if is_known else [branch_change(name, None, left)]


class EntryMove(msgspec.Struct, frozen=True):
    """Our move of a branch from the entry `to` to the entry `left`; `is_own`: nobody but us put the branch there."""

    left: BranchEntry | None
    to: BranchEntry | None
    is_own: bool


def branch_revert(
    repo: Repository,
    transaction: Transaction,
    name: str,
    version: VersionId | None,
    move: EntryMove,
) -> tuple[str, RefChange]:
    """Build the change that takes our move back, or does it again the other way round.

    It puts the branch on `version`. Where nobody but us put the branch there, it holds against machines that
    only followed to where the branch was; always against what was taken into account before the move. Where the move
    itself followed another machine (a pull), or merged its head in (a merge), that stands again as it
    did, with whoever followed there too, and what was put on top since stays on the branch.
    """
    queries, left, to = repo.queries, move.left, move.to
    earlier, later = to.seen if to is not None else {}, left.seen if left is not None else {}
    place = left.version if left is not None else None

    def is_included(entry: BranchEntry) -> bool:
        if entry.version is None or (version is not None and queries.is_ancestor(entry.version, version)):
            return True
        if entry.counter <= earlier.get(entry.replica, 0):
            return True
        # Not what the move itself took in; nor what is seen only because it is in that, as of a follower.
        return move.is_own and entry.counter > later.get(entry.replica, 0) and entry.version == place

    def seen_of(entry: BranchEntry, known: int) -> int:
        return max(entry.counter, known) if is_included(entry) else min(entry.counter - 1, known)

    before = furthest_entry(repo.refs.branch_entries(name), transaction.replica)
    return branch_change(name, before, _next_entry(repo, transaction, name, version, seen_of))


def _next_entry(
    repo: Repository,
    transaction: Transaction,
    name: str,
    version: VersionId | None,
    seen_of: Callable[[BranchEntry, int], int],
) -> BranchEntry:
    """Return our next entry; `seen_of` says how much of another machine's moves counts as seen, given how much did."""
    entries, replica = repo.refs.branch_entries(name), transaction.replica
    before = furthest_entry(entries, replica)
    seen = dict(before.seen) if before is not None else {}
    for entry in sorted(entries, key=attrgetter("counter")):  # of conflicted copies the newest decides
        if entry.replica == replica:
            continue
        if counter := seen_of(entry, seen.get(entry.replica, 0)):
            seen[entry.replica] = counter
        else:
            seen.pop(entry.replica, None)
    return BranchEntry(
        replica=replica,
        version=version,
        counter=max(before.counter if before is not None else 0, claimed_branches(entries, replica)) + 1,
        seen=seen,
        updated_at=transaction.at,
        updated_by=repo.author,
    )


def create_branch(repo: Repository, name: str, version: VersionId) -> Operation:
    """Start a branch on a version; the worktree stays where it is.

    Raises:
        InvalidName, NameTaken.
        InputError: the version is deleted.
    """
    with repo.transaction() as transaction:
        check_new_branch(repo, name, version)
        changes = branch_update(repo, transaction, name, BranchMove(version, over_all=True))
        return transaction.record(
            Draft("branch.create", f"Created branch {name}", changes, inverse=Inverse("branch.delete"))
        )


def check_new_branch(repo: Repository, name: str, version: VersionId) -> None:
    """Refuse to start a branch of that name on that version.

    Raises:
        InvalidName, NameTaken.
        InputError: the version is deleted.
    """
    check_name("branch", name)
    check_not_deleted(repo, version)
    check_free(repo, name)


def check_not_deleted(repo: Repository, version: VersionId) -> None:
    """Refuse to give a name to a version that was deleted: its content is not sent, and may be gone elsewhere.

    Raises:
        UnknownVersion: there is no version of that id. InputError: it is deleted or purged.
    """
    record = repo.queries.version(version) if isinstance(version, str) and is_object_id(version) else None
    if record is None:
        raise UnknownVersion(str(version)[:ID_LENGTH])
    if not record.is_live:
        name = describe(repo.queries, record.id)
        hint = f"Bring it back first with `aura version undelete {name}`."
        raise InputError(f"{name} is {'purged' if record.purged_at is not None else 'deleted'}", hint=hint)


def check_free(repo: Repository, name: str) -> None:
    """Refuse a name that a branch or a tag has.

    Raises:
        NameTaken: says which, and the way on.
    """
    if branch(repo, name) is not None:
        raise NameTaken("branch", name, hint=f"Go there with `aura checkout {name}`.")
    if name in repo.refs.tags():
        raise NameTaken("tag", name, hint=f"Choose another name, or remove the tag with `aura tag -d {name}`.")


def delete_branch(repo: Repository, name: str) -> Operation:
    """Delete a branch; its versions stay.

    Raises:
        UnknownName: there is none.
        VersionInUse: the worktree is on it.
    """
    with repo.transaction() as transaction:
        get_branch(repo, name)
        if repo.head().branch == name:
            raise VersionInUse(f"Branch {name}", "HEAD", hint="Go to another branch first.")
        changes = branch_update(repo, transaction, name, BranchMove(None, over_all=True))
        return transaction.record(
            Draft("branch.delete", f"Deleted branch {name}", changes, inverse=Inverse("branch.create"))
        )


def rename_branch(repo: Repository, old: str, new: str) -> Operation:
    """Give a branch another name; HEAD follows if it is on it.

    Raises:
        UnknownName, InvalidName, NameTaken.
    """
    check_name("branch", new)
    with repo.transaction() as transaction:
        found = get_branch(repo, old)
        check_free(repo, new)
        if found.diverged:
            raise InputError(f"Branch {old} has diverged", hint="Merge its heads with `aura merge` first.")
        head = repo.head()
        refs = branch_update(repo, transaction, new, BranchMove(found.version, over_all=True))
        refs |= branch_update(repo, transaction, old, BranchMove(None, over_all=True))
        change = HeadChange(head, Head(new, head.version)) if head.branch == old else None
        return transaction.record(
            Draft("branch.rename", f"Renamed branch {old} to {new}", refs, change, inverse=Inverse("branch.rename"))
        )


def free_name(repo: Repository, wanted: str) -> str:
    """Return `wanted`, or the first of `wanted-2`, `wanted-3` … that no branch has."""
    name, number = wanted, 1
    while branch(repo, name) is not None:
        number += 1
        name = f"{wanted}-{number}"
    return name
