"""What is laid out aside: which files come with a new folder, and which one by one."""

import os
import stat
from collections.abc import Iterable, Mapping

import msgspec

from aura_vcs.ids import ObjectId
from aura_vcs.model import Entry, EntryKind
from aura_vcs.objects.base import PackLocation
from aura_vcs.objects.chunking import LARGE_BYTES
from aura_vcs.objects.trees import Difference
from aura_vcs.worktree.checkout.new_file import StoredReaders
from aura_vcs.worktree.scan.cache import FileState
from aura_vcs.worktree.scan.scan import Scan

SINGLES = "files"
"""Where files wait that do not come with a new folder."""
STAGED_BYTES = 1 << 30
"""So much lies beside what it replaces at most, and is written again after an interruption."""


class StagedFile(msgspec.Struct, frozen=True, gc=False):
    """A small file: what it is called below the staging folder, and where its content lies."""

    path: str
    id: ObjectId
    size: int
    executable: bool
    location: PackLocation | None
    mode: int = 0o666
    """What it is made with: nobody can read it who cannot read the file that it will replace, or what is stored."""


class StagedFolder(msgspec.Struct, frozen=True):
    """A new folder with all folders and the small files in it; `name` is what it is called while it is filled."""

    path: str
    name: str
    folders: list[str]
    files: list[StagedFile]

    def real(self, staged: str) -> str:
        """Return the path in the project of something in it."""
        return self.path + staged[len(self.name) :]


class Staged(msgspec.Struct, frozen=True):
    """What is to be put in place: new folders, and files by their path in the project."""

    folders: list[StagedFolder]
    files: dict[str, StagedFile]

    def files_in_stored_order(self) -> list[StagedFile]:
        """List every file, in the order in which their content lies in packs."""
        return sorted(self._all(), key=_stored_order)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self._all())

    def _all(self) -> list[StagedFile]:
        return [*self.files.values(), *(file for folder in self.folders for file in folder.files)]


class StagingPlaces(msgspec.Struct, frozen=True):
    """The project folder, `root`, and the folder `above`: in one inside it, new files are laid out."""

    root: str
    above: str


def plan_staging(
    folders_at: StagingPlaces,
    scan: Scan,
    differences: Iterable[Difference],
    places: Mapping[ObjectId, PackLocation],
    readers: StoredReaders,
    *,
    least: int,
) -> Staged:
    """Plan the small files among what comes into the project folder; none, if they are fewer than `least`.

    The topmost folders that come where nothing is come
    as a whole.
    """
    root, above = folders_at.root, folders_at.above
    folders: list[StagedFolder] = []
    singles: dict[str, StagedFile] = {}
    folder: StagedFolder | None = None
    inside: str | None = None  # how paths in the new folder begin
    for difference in differences:  # in order of paths: what is in a folder follows it
        path, new = difference.path, difference.new
        if new is None:
            continue
        if inside is None or not path.startswith(inside):
            folder = inside = None
            if new.kind is EntryKind.DIR and _is_new(root, scan, difference):
                inside = f"{path}/"
                folder = StagedFolder(path, str(len(folders)), [], []) if _belongs(root, above, path) else None
                folders += [folder] if folder is not None else []
        if new.kind is EntryKind.DIR:
            if folder is not None:
                folder.folders.append(folder.name + path[len(folder.path) :])
        elif not _is_small(difference.old, new):
            continue
        elif folder is not None:
            folder.files.append(_staged(folder.name + path[len(folder.path) :], new, places, readers))
        else:
            singles[path] = _staged(f"{SINGLES}/{len(singles)}", new, places, readers, scan.file(path))
    count = len(singles) + sum(len(folder.files) for folder in folders)
    return _within_limit(Staged(folders, singles)) if count >= least else Staged([], {})


def _is_new(root: str, scan: Scan, difference: Difference) -> bool:
    path = difference.path
    is_there = difference.old is not None or scan.file(path) is not None or scan.folder(path) is not None
    return not is_there and not os.path.lexists(os.path.join(root, path))


def _belongs(root: str, above: str, path: str) -> bool:
    """Tell whether the folder around a path is there, and gives what is made in it the group that `above` gives."""
    try:
        around = os.stat(os.path.join(root, os.path.dirname(path)), follow_symlinks=False)
        here = os.stat(above)
    except OSError:
        return False
    if not stat.S_ISDIR(around.st_mode) or (around.st_mode ^ here.st_mode) & stat.S_ISGID:
        return False
    return not around.st_mode & stat.S_ISGID or around.st_gid == here.st_gid


def _is_small(old: Entry | None, new: Entry) -> bool:
    """Tell whether a small file comes, and not merely another mode for the one that is there."""
    if new.kind is not EntryKind.FILE or new.size >= LARGE_BYTES:
        return False
    return old is None or (old.kind, old.id) != (new.kind, new.id)


def _staged(
    path: str,
    entry: Entry,
    places: Mapping[ObjectId, PackLocation],
    readers: StoredReaders,
    replaced: FileState | None = None,
) -> StagedFile:
    place = places.get(entry.id)
    mode = readers.making_mode(entry.id, place, replaced)
    place = None if place is None or place.chunked else place
    return StagedFile(path, entry.id, entry.size, entry.executable, place, mode)


def _within_limit(staged: Staged) -> Staged:
    """Select as many of the files as STAGED_BYTES allow; the others are written like large ones."""
    if staged.size <= STAGED_BYTES:
        return staged
    size, fitting = 0, set()
    for file in staged.files_in_stored_order():
        size += file.size
        if size > STAGED_BYTES:
            break
        fitting.add(file.path)
    folders = [
        StagedFolder(f.path, f.name, f.folders, [file for file in f.files if file.path in fitting])
        for f in staged.folders
    ]
    return Staged(folders, {path: file for path, file in staged.files.items() if file.path in fitting})


def _stored_order(file: StagedFile) -> tuple[str, int, int]:
    return ("", 0, 0) if file.location is None else (file.location.pack, file.location.frame, file.location.offset)
