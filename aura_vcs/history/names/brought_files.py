"""Whether a version's files are in the folder, edits apart: brought there by a tool that mirrors it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import Enum

from aura_vcs.history.names.partial_sync import was_recorded_here
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Entry, EntryKind
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.objects.trees import Difference
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.scan.cache import FileState
from aura_vcs.worktree.scan.scan import Scan, entry_of

TEXT_BYTES = 1 << 20
"""Larger files are not compared line by line."""


class _State(Enum):
    """What a file in the folder is as, of a path that differs between two versions."""

    OLDER = 0
    NEWER = 1
    NEITHER = 2


def is_in_worktree(repo: Repository, older: VersionId | None, newer: VersionRecord, *, is_certain: bool) -> bool:
    """Return whether the folder, which was as `older`, is as `newer`, apart from edits of it."""
    record = repo.queries.version(older) if older is not None else None
    tree = record.tree if record is not None and repo.store.contains(record.tree) else EMPTY_TREE_ID
    differences = [d for d in repo.trees.differences(tree, newer.tree) if not _is_folder(d)]
    scan = repo.worktree.scan(tree, [d.path for d in differences])
    found = list(_compared(repo, scan, differences))
    if any(like is _State.OLDER for _, like in found):
        return False
    edited = [difference for difference, like in found if like is _State.NEITHER]
    if edited and len(edited) == len(found) and (is_certain or was_recorded_here(repo, newer.id)):
        return False
    return all(_is_edit_of_newer(repo, scan, difference) for difference in edited)


def _is_folder(difference: Difference) -> bool:
    entry = difference.new or difference.old
    return entry is not None and entry.kind is EntryKind.DIR


def _compared(repo: Repository, scan: Scan, differences: Sequence[Difference]) -> Iterable[tuple[Difference, _State]]:
    """Yield each path with its state in the folder. Only files that have the size of one of the two are read."""
    unread = [d.path for d in differences if _is_to_read(scan.file(d.path), (d.old, d.new))]
    unstable = set(repo.worktree.hash(unread, scan, repo.progress))
    for difference in differences:
        here = None if difference.path in unstable else _entry(repo, scan, difference)
        if difference.path in unstable:
            yield difference, _State.NEITHER
        elif _bare(here) == _bare(difference.new):
            yield difference, _State.NEWER
        elif _bare(here) == _bare(difference.old):
            yield difference, _State.OLDER
        else:
            yield difference, _State.NEITHER


def _is_to_read(state: FileState | None, entries: Iterable[Entry | None]) -> bool:
    if state is None or state.id:
        return False
    return any(entry is not None and entry.size == state.size for entry in entries)


def _entry(repo: Repository, scan: Scan, difference: Difference) -> Entry | None:
    state = scan.file(difference.path)
    if state is None:
        return None
    return repo.worktree.disk.with_version_mode(entry_of(difference.path, state), difference.new or difference.old)


def _bare(entry: Entry | None) -> tuple[EntryKind, ObjectId, bool] | None:
    return None if entry is None else (entry.kind, entry.id, entry.executable)


def _is_edit_of_newer(repo: Repository, scan: Scan, difference: Difference) -> bool:
    """Tell whether a file that is as neither version has it was edited after the newer one had come.

    Not where it has more lines of the older one, nor where the newer one's content lies beside it under
    a name that begins alike: then a tool has set that aside for what was edited here before.
    """
    if difference.new is not None and _is_set_aside(repo, scan, difference.path, difference.new):
        return False
    state = scan.file(difference.path)
    if state is None or difference.new is None or difference.old is None:
        return True
    is_small = state.size <= TEXT_BYTES
    here = _lines(FolderSource(repo.root).read(difference.path, entry_of(difference.path, state)) if is_small else None)
    sides = [_stored_lines(repo, entry) for entry in (difference.old, difference.new)]
    if here is None or None in sides:
        return True
    older, newer = (_distance(here, side) for side in sides if side is not None)
    return newer <= older


def _is_set_aside(repo: Repository, scan: Scan, path: str, wanted: Entry) -> bool:
    folder, _, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    scanned = scan.folder(folder)
    beside = scanned.files if scanned is not None else {}
    found = [
        scanned.join(other)
        for other, state in beside.items()
        if scanned is not None and other != name and other.startswith(stem) and state.size == wanted.size
    ]
    repo.worktree.hash([other for other in found if _is_to_read(scan.file(other), (wanted,))], scan, repo.progress)
    states = [scan.file(other) for other in found]
    return any(state is not None and state.id and state.id.hex() == wanted.id for state in states)


def _stored_lines(repo: Repository, entry: Entry) -> Counter[bytes] | None:
    if entry.kind is not EntryKind.FILE or entry.size > TEXT_BYTES:
        return None
    return _lines(repo.store.read(entry.id))


def _lines(data: bytes | None) -> Counter[bytes] | None:
    return None if data is None or b"\0" in data else Counter(data.splitlines())


def _distance(one: Counter[bytes], other: Counter[bytes]) -> int:
    """Count the lines that only one of two texts has."""
    return ((one - other) + (other - one)).total()
