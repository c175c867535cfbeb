"""Going back: checkout moves the work folder to a version, restore brings content back."""

from collections.abc import Callable, Sequence

import msgspec

from aura_vcs.codec import encode_tree, readable_name
from aura_vcs.errors.asking import UnknownName
from aura_vcs.errors.folder import FileUnstable
from aura_vcs.history.branches import Branch, branch, branches
from aura_vcs.history.following import follow_branch
from aura_vcs.history.making import NAME_LIMIT, Base, Wanted, base_of, need, one_line, record_point, take_snapshot
from aura_vcs.history.pending import carry_out, check_present, finish_pending
from aura_vcs.history.revisions import check_content, resolve
from aura_vcs.ids import ObjectId, VersionId, new_operation_id
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Entry, EntryKind, Head, HeadChange, Inverse, Kind, TreeChange, VersionType
from aura_vcs.objects.batch import Batch
from aura_vcs.objects.trees import EMPTY_TREE_ID
from aura_vcs.repository.repository import Draft, Repository, Transaction
from aura_vcs.worktree.selection import Selection
from aura_vcs.worktree.snapshot import Snapshot, sorted_tree

MakeDraft = Callable[[Transaction, Base, ObjectId, ObjectId], Draft]
"""Makes the operation from what the folder is based on, and its trees before and after."""
MakeTree = Callable[[Batch, ObjectId], ObjectId]
"""Makes the tree to be from the one that the folder is; what is new goes into the batch."""


class Moved(msgspec.Struct, frozen=True):
    """What happened to the work folder.

    `restore_point` holds what was there, if anything was unsaved (or always, for `restore`).
    `changed` counts paths. `left` are files that were edited meanwhile and were left as they are.
    """

    head: Head
    restore_point: VersionRecord | None
    changed: int
    left: tuple[str, ...]


def checkout(repo: Repository, name: str) -> Moved:
    """Put the files of a branch's or version's content in place, and HEAD there.

    Unsaved work becomes a restore point (trigger PreCheckout) first. Interrupted, the next command
    that changes the project finishes it.

    Raises:
        UnknownVersion, AmbiguousVersion, ObjectPurged, ObjectMissing.
        FileUnstable: a file would not hold still, so it could not be saved; nothing was touched.
    """
    finish_pending(repo)
    follow_branch(repo)
    on_branch = branch(repo, name)
    record = need(repo, _own_head(repo, on_branch)) if on_branch is not None else resolve(repo, name)
    check_content(record)
    head = Head(name if on_branch is not None else _branch_at(repo, record), record.id)
    place = f"v{record.number}" if head.branch is None else f"{head.branch} (v{record.number})"

    def draft(_: Transaction, base: Base, before: ObjectId, after: ObjectId) -> Draft:
        return Draft(
            "checkout",
            f"Checked out {place}",
            head=HeadChange(base.head, head),
            worktree=TreeChange(before, after),
            inverse=Inverse("checkout.revert"),
        )

    return replace_folder(repo, record.tree, draft, trigger="PreCheckout", why=f"Before checking out {place}")


def restore(repo: Repository, name: str, paths: Sequence[str] | None = None) -> Moved:
    """Bring a version's content (or only `paths` of it) back onto the current branch, unsaved.

    What was there becomes a restore point (trigger PreRestore) first, always.

    Raises:
        UnknownVersion, AmbiguousVersion, ObjectPurged, ObjectMissing, FileUnstable.
        UnknownName: neither the version nor the folder has a path.
    """
    finish_pending(repo)
    follow_branch(repo)
    record = resolve(repo, name)
    check_content(record)
    listed = one_line(", ".join(map(readable_name, paths or ())))
    what = f"v{record.number}" + (f" ({listed})" if paths else "")

    def draft(_: Transaction, base: Base, before: ObjectId, after: ObjectId) -> Draft:
        return Draft(
            "restore",
            f"Restored {what}",
            head=HeadChange(base.head, base.head),
            worktree=TreeChange(before, after),
            inverse=Inverse("restore.revert"),
        )

    return replace_folder(
        repo, record.tree, draft, trigger="PreRestore", why=f"Before restoring {what}", paths=paths, always=True
    )


def _own_head(repo: Repository, found: Branch) -> VersionId:
    """Where a branch is for this machine: of several heads the one that HEAD is on, or this machine's own."""
    here = repo.head().version
    return here if here is not None and here in found.diverged else found.version


def _branch_at(repo: Repository, record: VersionRecord) -> str | None:
    """The branch whose head, or one of whose heads, the version is: the current one, or the only one."""
    current = repo.head().branch
    names = [found.name for found in branches(repo) if record.id in (found.diverged or (found.version,))]
    if current in names:
        return current
    return names[0] if len(names) == 1 else None


def replace_folder(
    repo: Repository,
    target: ObjectId | MakeTree,
    draft: MakeDraft,
    *,
    trigger: str,
    why: str,
    paths: Sequence[str] | None = None,
    always: bool = False,
    known: ObjectId | None = None,
    makes_version: bool = False,
) -> Moved:
    """Save what the folder has, if it is not saved, and put `target` in its place.

    With `paths`, only those are replaced. With `always`, a restore point is made in any case;
    without, none is made for the tree `known`, which an operation has put there. With
    `makes_version`, the draft has stored a version and what it holds.
    """
    if not callable(target):
        _fetch_content(repo, target, paths)
    with repo.locks.exclusive("worktree"), repo.locks.shared("objects"):
        base = base_of(repo)
        with repo.store.batch(repo.progress) as batch:
            scan, snapshot = take_snapshot(repo, batch, base)
            after = _target(repo, batch, snapshot, target, paths)
            hidden = repo.worktree.in_the_way(scan, repo.trees.list_differences(snapshot.tree, after))
            if hidden:  # ignored files are work too: they go into the restore point before they are replaced
                scan, snapshot = take_snapshot(repo, batch, base, always=hidden)
                after = _target(repo, batch, snapshot, target, paths)
            if snapshot.unstable:
                raise FileUnstable(snapshot.unstable)
            correlation = new_operation_id()
            point, stored = None, {}
            if always or snapshot.tree not in {base.tree, known}:
                wanted = Wanted(VersionType.RESTORE_POINT, one_line(why)[:NAME_LIMIT], trigger=trigger)
                point = record_point(repo, batch, base, snapshot, wanted, correlation)
            else:
                stored = batch.finish()
        with repo.transaction() as transaction:
            made = draft(transaction, base, snapshot.tree, after)
            if point is not None:
                payload = {**made.payload, "restore_point": point.id}
                made = msgspec.structs.replace(made, correlation_id=correlation, payload=payload)
            operation = transaction.prepare(made)
        if makes_version or stored:
            repo.learn_objects()  # what a version holds, this one's or a later one's, is counted in rows
        written = carry_out(repo, scan, operation, snapshot.tree, after)
    head = operation.head.after if operation.head is not None else base.head
    return Moved(head, point, len(written.states), written.left)


def _fetch_content(repo: Repository, target: ObjectId, paths: Sequence[str] | None) -> None:
    """Fetch what is offloaded before any lock is held: it may take long. `carry_out` looks again.

    Raises:
        ObjectOffloaded: a remote cannot be asked now; nothing was touched.
    """
    if not repo.store.offloaded.all():
        return
    selection = Selection(paths)
    differences = [d for d in repo.trees.differences(base_of(repo).tree, target) if selection.covers(d.path)]
    check_present(repo, differences)


def _target(
    repo: Repository, batch: Batch, snapshot: Snapshot, target: ObjectId | MakeTree, paths: Sequence[str] | None
) -> ObjectId:
    if callable(target):
        return target(batch, snapshot.tree)
    if paths is None:
        return target
    grafted, made = _graft(repo, snapshot.tree, target, paths)
    for object_id, data in made:
        assert batch.add(Kind.TREE, data) == object_id
    return grafted


def _graft(
    repo: Repository, onto: ObjectId, source: ObjectId, paths: Sequence[str]
) -> tuple[ObjectId, list[tuple[ObjectId, bytes]]]:
    """The tree `onto` with `paths` as in `source`, and the trees that are new.

    Raises:
        UnknownName: a path is in neither.
    """
    for path in paths:
        if repo.trees.entry(source, path) is None and repo.trees.entry(onto, path) is None:
            raise UnknownName("file or folder", path, hint="`aura show VERSION:` lists what a version has.")
    made: list[tuple[ObjectId, bytes]] = []
    entry = _grafted(repo, onto, source, Selection(paths), "", made)
    return (entry.id if entry is not None else EMPTY_TREE_ID), made


def _grafted(
    repo: Repository,
    onto: ObjectId | None,
    source: ObjectId | None,
    selection: Selection,
    path: str,
    made: list[tuple[ObjectId, bytes]],
) -> Entry | None:
    ours = {} if onto is None else {entry.name: entry for entry in repo.trees.tree(onto).entries}
    theirs = {} if source is None else {entry.name: entry for entry in repo.trees.tree(source).entries}
    entries: list[Entry] = []
    for name in ours.keys() | theirs.keys():
        inner = f"{path}/{name}" if path else name
        our, their = ours.get(name), theirs.get(name)
        if selection.covers(inner):
            kept = their
        elif selection.leads_into(inner) and (_dir_id(our) or _dir_id(their)):
            grafted = _grafted(repo, _dir_id(our), _dir_id(their), selection, inner, made)
            kept = our if grafted is None else grafted  # a file gives way only to something that comes
        else:
            kept = our
        if kept is not None:
            entries.append(kept)
    if path and not entries and onto is None:
        return None
    tree = sorted_tree(entries)
    object_id, data = encode_tree(tree)
    repo.trees.remember(object_id, tree)
    made.append((object_id, data))
    return Entry(path.rpartition("/")[2], EntryKind.DIR, object_id, tree.size)


def _dir_id(entry: Entry | None) -> ObjectId | None:
    return entry.id if entry is not None and entry.kind is EntryKind.DIR else None
