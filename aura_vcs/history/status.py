"""What has changed in the work folder since the version it is based on."""

import msgspec

from aura_vcs.codec import name_bytes
from aura_vcs.errors.stored import RecordCorrupt, StorageError
from aura_vcs.history.branches import branch_and_awaited
from aura_vcs.history.following import follow_branch
from aura_vcs.history.making import base_of
from aura_vcs.history.near import take_nearest
from aura_vcs.history.pending import pending
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import VersionRecord
from aura_vcs.layout import CONFLICTS
from aura_vcs.model import Entry, EntryKind
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.cache import FileState
from aura_vcs.worktree.scan import Scan, ScannedFolder, Skipped, entry_of


class Change(msgspec.Struct, frozen=True):
    """A path that is not as it was: added, modified, deleted, renamed or type_changed."""

    path: str
    change: str
    old_path: str | None = None


class Status(msgspec.Struct, frozen=True):
    """Where the work folder is and what has changed in it.

    `branch` is None on an older version. `diverged` lists the branch's heads where machines moved it
    apart. `behind` is the branch's version where it has moved past the work folder's. `conflicts` are
    the places that merges left open. `awaited` are versions that other machines put the branch on and
    that a sync tool has not brought yet.
    """

    branch: str | None
    head: VersionRecord | None
    changes: tuple[Change, ...]
    diverged: tuple[VersionId, ...]
    behind: VersionId | None
    skipped: tuple[Skipped, ...]
    unstable: tuple[str, ...]
    interrupted: str | None
    files: int
    conflicts: tuple[str, ...] = ()
    awaited: tuple[VersionId, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing has changed."""
        return not self.changes


def status(repo: Repository) -> Status:
    """Compare the work folder with the version it is based on.

    One stat per file; only files whose stamp changed but not their size are read, and new files
    as large as one that is gone (it may have been renamed).
    """
    follow_branch(repo)
    base = base_of(repo)
    scan = repo.worktree.scan(base.tree)
    unstable: list[str] = []
    changes: tuple[Change, ...] = ()
    if scan.root.tree != base.tree:
        changes, unstable = compare_scan(repo, scan, base.tree)
        _save(repo, scan, base.tree, changes)
    found, awaited = branch_and_awaited(repo, base.head.branch or "")
    begun = pending(repo)
    return Status(
        branch=base.head.branch,
        head=Queries(repo.index).version(base.head.version) if base.head.version is not None else None,
        changes=changes,
        diverged=found.diverged if found is not None else (),
        behind=found.version if found is not None and found.version != base.head.version else None,
        skipped=tuple(scan.skipped),
        unstable=tuple(unstable),
        interrupted=begun.operation.description if begun is not None else None,
        files=scan.count,
        conflicts=_conflicts(repo) if scan.file(CONFLICTS) is not None else (),
        awaited=tuple(dict.fromkeys(entry.version for entry in awaited if entry.version is not None)),
    )


def _conflicts(repo: Repository) -> tuple[str, ...]:
    from aura_vcs.history.conflicts import in_order
    from aura_vcs.history.resolving import open_conflicts  # slow to import, and there seldom are any

    try:
        return tuple(item.place for item in in_order(open_conflicts(repo)))
    except RecordCorrupt as error:  # somebody edited it: everything else can be told
        repo.progress.note(f"{error}. {error.hint}")
        return ()


def _save(repo: Repository, scan: Scan, tree: ObjectId, changes: tuple[Change, ...]) -> None:
    if not changes and not scan.skipped:
        scan.root.tree = tree
    if not scan.changed:
        return
    try:
        repo.worktree.save(scan)
    except StorageError:
        return  # a full or read-only disk: the next status looks at these files again


class _Found(msgspec.Struct):
    """Differences while they are being collected."""

    added: dict[str, FileState | None]
    deleted: dict[str, Entry]
    modified: set[str]
    type_changed: set[str]
    unsure: list[tuple[str, Entry]]


def compare_scan(repo: Repository, scan: Scan, base: ObjectId) -> tuple[tuple[Change, ...], list[str]]:
    """What a scan of the folder has otherwise than a tree, and files that would not hold still."""
    found = _Found({}, {}, set(), set(), [])
    _walk(repo, scan.root, base, found)
    unstable = _settle_unsure(repo, scan, found)
    _leave_unseen(scan, found)
    renames = _renames(repo, scan, found)
    changes = [Change(new, "renamed", old) for new, old in renames.items()]
    changes += [Change(path, "added") for path in found.added.keys() - renames.keys()]
    changes += [Change(path, "deleted") for path in found.deleted.keys() - set(renames.values())]
    changes += [Change(path, "modified") for path in found.modified]
    changes += [Change(path, "type_changed") for path in found.type_changed]
    return tuple(sorted(changes, key=lambda change: name_bytes(change.path))), unstable


def _walk(repo: Repository, folder: ScannedFolder, base: ObjectId | None, found: _Found) -> None:
    if folder.tree is not None and folder.tree == base:
        return
    before = {} if base is None else {entry.name: entry for entry in repo.trees.tree(base).entries}
    for name, state in folder.files.items():
        _file(folder.join(name), state, before.pop(name, None), found, repo)
    for name, inner in folder.folders.items():
        entry = before.pop(name, None)
        if entry is not None and entry.kind is not EntryKind.DIR:
            found.type_changed.add(inner.path)
            entry = None
        elif entry is None and not inner.files and not inner.folders:
            found.added[inner.path] = None
        _walk(repo, inner, entry.id if entry is not None else None, found)
    for name, entry in before.items():
        _gone(repo, folder.join(name), entry, found)


def _file(path: str, state: FileState, entry: Entry | None, found: _Found, repo: Repository) -> None:
    if entry is None:
        found.added[path] = state
        return
    shown = repo.worktree.disk.as_meant(entry_of(path, state), entry)
    if entry.kind is not shown.kind:
        found.type_changed.add(path)
        if entry.kind is EntryKind.DIR:
            for inner, below in repo.trees.walk(entry.id, path + "/"):
                if below.kind is not EntryKind.DIR:
                    found.deleted[inner] = below
    elif state.size != entry.size or shown.executable != entry.executable:
        found.modified.add(path)
    elif not state.id:
        found.unsure.append((path, entry))
    elif state.id.hex() != entry.id:
        found.modified.add(path)


def _gone(repo: Repository, path: str, entry: Entry, found: _Found) -> None:
    if entry.kind is not EntryKind.DIR:
        found.deleted[path] = entry
        return
    below = [(inner, e) for inner, e in repo.trees.walk(entry.id, path + "/") if e.kind is not EntryKind.DIR]
    if not below:
        found.deleted[path] = entry
    found.deleted.update(below)


def _settle_unsure(repo: Repository, scan: Scan, found: _Found) -> list[str]:
    """Read the files whose stamp alone has changed."""
    unstable = repo.worktree.hash([path for path, _ in found.unsure], scan, repo.progress)
    for path, entry in found.unsure:
        state = scan.file(path)
        if state is None:
            found.deleted[path] = entry  # gone since it was listed, or it cannot be read
        elif not state.id or state.id.hex() != entry.id:
            found.modified.add(path)
    return unstable


def _leave_unseen(scan: Scan, found: _Found) -> None:
    """Say nothing of what cannot be seen: whether it is still there, or still the same, is not known."""
    unseen = tuple(f"{skipped.path}/" for skipped in scan.skipped if skipped.is_unreadable)
    for path in [path for path in found.deleted if f"{path}/".startswith(unseen)]:
        del found.deleted[path]


def _renames(repo: Repository, scan: Scan, found: _Found) -> dict[str, str]:
    """New paths whose content a deleted path had, each deleted path used once; same names first."""
    sizes = {entry.size for entry in found.deleted.values() if entry.kind is EntryKind.FILE and entry.size}
    candidates = [p for p, s in found.added.items() if s is not None and not s.is_symlink and s.size in sizes]
    repo.worktree.hash([p for p in candidates if not _id_of(scan, p)], scan, repo.progress)
    for path in [path for path in candidates if scan.file(path) is None]:
        del found.added[path]
    gone: dict[str, list[str]] = {}
    for path, entry in sorted(found.deleted.items()):
        if entry.kind is EntryKind.FILE and entry.size:
            gone.setdefault(entry.id, []).append(path)
    renames: dict[str, str] = {}
    for new in sorted(found.added.keys() & set(candidates)):
        old_paths = gone.get(_id_of(scan, new))
        if old_paths:
            renames[new] = take_nearest(new, old_paths)
    return renames


def _id_of(scan: Scan, path: str) -> str:
    state = scan.file(path)
    return state.id.hex() if state is not None else ""
