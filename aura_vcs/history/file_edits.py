"""Changing single files of the project as one step that undo takes back.

The operation holds two small trees that have only the files in question, before and after; its
payload names their paths. Other files of the folder are neither read nor touched. An interruption
is finished by the next command, like that of a checkout.
"""

import os
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from aura_vcs.codec import encode_tree
from aura_vcs.errors import InputError
from aura_vcs.errors.input import OperationExpired
from aura_vcs.errors.integrity import LinkedPath
from aura_vcs.errors.studio import EditedSince
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.history.recording.journal import execute, recover
from aura_vcs.history.recording.late_edits import PATHS
from aura_vcs.history.recording.undo_batching import merge_into_batch
from aura_vcs.history.recording.version_builder import worktree_base
from aura_vcs.ids import ObjectId
from aura_vcs.model import Entry, EntryKind, Inverse, Kind, Operation, TreeChange
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.objects.batch import Batch
from aura_vcs.objects.trees import sorted_tree
from aura_vcs.plain_text import path_of_text, path_text
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft
from aura_vcs.storage.plain_files import open_below
from aura_vcs.worktree.scan.cache import FileState, file_state
from aura_vcs.worktree.scan.scan import Scan
from aura_vcs.worktree.snapshot.stable_read import FileSource, FilesystemClock, unreadable_error

NOTHING = "\0"
"""A path that no file has: where none is asked for, not all are meant."""

FileEntries = dict[str, Entry]
"""Files by their paths; their entries carry only the last part as name."""


class Additions(msgspec.Struct, frozen=True):
    """Files of any size that an edit puts where there is nothing.

    `outside` are files elsewhere on this machine by the paths that they get, `stored` contents that a version has.
    """

    outside: Mapping[str, str] = {}
    stored: Mapping[str, Entry] = {}


class EditResult(msgspec.Struct, frozen=True):
    """What an edit did. `skipped` are files that somebody wrote meanwhile and that were left as they are."""

    operation: Operation
    skipped: tuple[str, ...] = ()


NO_ADDITIONS = Additions()


def edit_files(
    repo: Repository,
    write: Mapping[str, bytes],
    delete: Sequence[str] = (),
    *,
    draft: Draft,
    additions: Additions = NO_ADDITIONS,
) -> EditResult | None:
    """Write and delete files of the project folder; None if they were so already.

    `draft` says what is recorded of that; what becomes of the folder, and how it is taken back, is added here.
    What was there before is stored first. The files are documents: their bytes are held in memory; those of
    `additions` are not. What is at a remote only is fetched before anything changes.

    Raises:
        FileUnreadable: a file is there and cannot be read, or one elsewhere kept changing.
        InputError: there is something already where a file should be added.
        StorageError.
    """
    recover(repo)
    with repo.locks.exclusive("worktree"), repo.locks.shared("objects"):
        added = sorted({*additions.outside, *additions.stored})
        paths = sorted({*write, *delete, *added})
        _check_free(repo, added)
        scan = repo.worktree.scan(worktree_base(repo).tree, paths)
        with repo.store.batch(repo.progress) as batch:
            before, after = {}, {}
            for path in paths:
                entry = _store_current(repo, batch, scan, path)
                if entry is not None:
                    before[path] = entry
                if path in write:
                    blob = batch.add(Kind.BLOB, write[path], path)
                    executable = entry is not None and entry.executable
                    after[path] = Entry(_name(path), EntryKind.FILE, blob, len(write[path]), executable)
            after |= _bring(repo, batch, additions)
            change = TreeChange(_put_tree(batch, before), _put_tree(batch, after))
            stored = batch.finish()
        if stored:
            repo.adopt_unrecorded_objects()  # so that a version which holds them later is counted
        if change.before == change.after:
            return None
        inverse = Inverse(f"{draft.type}.revert")
        made = msgspec.structs.replace(draft, worktree=change, inverse=inverse, payload=_of_paths(paths))
        with repo.transaction() as transaction:
            operation = transaction.prepare(merge_into_batch(repo, transaction, made))
        return EditResult(operation, execute(repo, scan, operation, change.before, change.after).skipped)


def _check_free(repo: Repository, paths: Sequence[str]) -> None:
    for path in paths:
        if os.path.lexists(os.path.join(repo.root, path)):
            raise InputError(f"There is something at {path} already", hint="Move it, or give it another name.")


def _bring(repo: Repository, batch: Batch, additions: Additions) -> FileEntries:
    """Put files from outside into the batch; return the entries of all that is added."""
    found = {path: msgspec.structs.replace(entry, name=_name(path)) for path, entry in additions.stored.items()}
    clock = FilesystemClock(repo.worktree.scratch)
    sources = [FileSource(path, real, _state_of(real), clock) for path, real in additions.outside.items()]
    for source, stored in batch.add_sources(sources):
        if stored is None:
            reason = "it is being written right now"
            raise source.fault or FileUnreadable(additions.outside[source.path], reason)
        found[source.path] = Entry(_name(source.path), EntryKind.FILE, stored, source.size)
    return found


def _state_of(real_path: str) -> FileState:
    try:
        return file_state(os.stat(real_path))
    except OSError as error:
        raise unreadable_error(real_path, error) from error


class RemovedFiles(msgspec.Struct, frozen=True):
    """What a removal did: the files that went and their bytes, and those that somebody wrote meanwhile."""

    paths: tuple[str, ...]
    size: int
    skipped: tuple[str, ...] = ()


def remove_files(
    repo: Repository, paths: Sequence[str], *, type_: str, description: str, expires_at: str | None = None
) -> RemovedFiles:
    """Remove files of any size from the project folder, ignored ones too; undo brings them back.

    What they hold is stored first. Their folders stay. A file that kept changing stays too.

    Raises:
        FileUnreadable: a file is there and cannot be read. StorageError: for example no room to store them.
    """
    recover(repo)
    with repo.locks.exclusive("worktree"), repo.locks.shared("objects"):
        scan = repo.worktree.scan(worktree_base(repo).tree, paths)
        here = [path for path in paths if scan.file(path) is not None]
        with repo.store.batch(repo.progress) as batch:
            snapshot = repo.worktree.store_all(scan, batch, EMPTY_TREE_ID, here or [NOTHING], repo.progress)
            change = TreeChange(snapshot.tree, _without_files(repo, batch, snapshot.tree))
            stored = batch.finish()
        if stored:
            repo.adopt_unrecorded_objects()
        going = [path for path in here if path not in snapshot.unstable]
        if not going:
            return RemovedFiles((), 0, snapshot.unstable)
        inverse = Inverse(f"{type_}.revert")
        draft = Draft(
            type_, description, worktree=change, inverse=inverse, payload=_of_paths(going), expires_at=expires_at
        )
        with repo.transaction() as transaction:
            operation = transaction.prepare(draft)
        left = execute(repo, scan, operation, change.before, change.after).skipped
    gone = tuple(path for path in going if path not in left)
    sizes = (repo.trees.entry(change.before, path) for path in gone)
    return RemovedFiles(gone, sum(entry.size for entry in sizes if entry is not None), (*snapshot.unstable, *left))


def _without_files(repo: Repository, batch: Batch, tree: ObjectId, prefix: str = "") -> ObjectId:
    """Build the tree with folders only: its files are left out."""
    entries = []
    for entry in repo.trees.tree(tree).entries:
        if entry.kind is EntryKind.DIR:
            inner = _without_files(repo, batch, entry.id, f"{prefix}{entry.name}/")
            entries.append(Entry(entry.name, EntryKind.DIR, inner, 0))
    made = sorted_tree(entries)
    object_id, data = encode_tree(made)
    batch.add(Kind.TREE, data, prefix)
    repo.trees.remember(object_id, made)
    return object_id


def revert_edit(repo: Repository, target: Operation, draft: Draft, *, back: bool) -> EditResult:
    """Put the files of an edit back (or, with `back` false, as the edit made them); `draft` is recorded.

    Raises:
        EditedSince: a file is no longer as the edit (or its undo) left it; nothing was touched.
        OperationExpired: the content has been collected.
    """
    change = target.worktree
    assert change is not None
    expected, wanted = (change.after, change.before) if back else (change.before, change.after)
    paths = [path_of_text(path) for path in target.payload[PATHS]]
    with repo.locks.exclusive("worktree"), repo.locks.shared("objects"):
        scan = repo.worktree.scan(worktree_base(repo).tree, paths)
        for tree in (expected, wanted):
            if not repo.store.contains(tree):
                raise OperationExpired(target.description, f"tree {tree[:12]}")
        for path in paths:
            _check_untouched(repo, path, repo.trees.entry(expected, path), target)
        made = msgspec.structs.replace(draft, worktree=TreeChange(expected, wanted), payload=_of_paths(paths))
        with repo.transaction() as transaction:
            operation = transaction.prepare(made)
        return EditResult(operation, execute(repo, scan, operation, expected, wanted).skipped)


def _of_paths(paths: Iterable[str]) -> dict[str, object]:
    return {PATHS: [path_text(path) for path in paths]}


def _check_untouched(repo: Repository, path: str, expected: Entry | None, target: Operation) -> None:
    found = repo.worktree.content_now(path)
    if found != (None if expected is None else expected.id):
        raise EditedSince(path, target.description)


def _store_current(repo: Repository, batch: Batch, scan: Scan, path: str) -> Entry | None:
    data = read_document(repo, path)
    if data is None:
        return None
    state = scan.file(path)
    executable = state is not None and state.is_executable
    if state is not None and not state.is_symlink:
        batch.also_read_by(state.mode)  # also what it will hold
    entry = Entry(_name(path), EntryKind.FILE, batch.add(Kind.BLOB, data, path), len(data), executable)
    return repo.worktree.disk.with_version_mode(entry, repo.trees.entry(worktree_base(repo).tree, path))


def read_document(repo: Repository, path: str) -> bytes | None:
    """Read the bytes of a file of the folder, None if there is none.

    Raises:
        FileUnreadable. UnsafePath: the path leads out of the folder, or into `.aura`.
    """
    try:
        with open(open_below(repo.root, path), "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except LinkedPath as error:
        raise FileUnreadable(path, "it is a symbolic link, or inside one") from error
    except OSError as error:
        raise FileUnreadable(path, error.strerror or str(error)) from error


def _put_tree(batch: Batch, files: FileEntries, prefix: str = "") -> ObjectId:
    """Put the tree of just these files, and the trees in it, into the batch; return its id."""
    entries: list[Entry] = []
    folders: dict[str, FileEntries] = {}
    for path, entry in files.items():
        name, _, rest = path.partition("/")
        if rest:
            folders.setdefault(name, {})[rest] = entry
        else:
            entries.append(entry)
    for name, inner in folders.items():
        place = f"{prefix}{name}/"
        size = sum(entry.size for entry in inner.values())
        entries.append(Entry(name, EntryKind.DIR, _put_tree(batch, inner, place), size))
    object_id, data = encode_tree(sorted_tree(entries))
    batch.add(Kind.TREE, data, prefix)
    return object_id


def _name(path: str) -> str:
    return path.rpartition("/")[2]
