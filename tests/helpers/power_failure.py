"""Playing a power failure: what a recorded trace leaves on a disk that kept only what it had to.

The disk here is as forgetful as POSIX allows. Of a file's bytes, what was not synced may be gone or
zeros; of a folder's names, every change since the folder was last synced may be undone, or kept, in
the order in which they were made. A rename is one change.
"""

import os
import shutil
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path

from aura_vcs.storage.testing.recorded_calls import RecordedCall


class Bytes(StrEnum):
    """What becomes of bytes that were not synced."""

    LOST = "lost"
    ZEROED = "zeroed"
    KEPT = "kept"


class Names(StrEnum):
    """What becomes of changes of names that were not synced."""

    UNDONE = "undone"
    KEPT = "kept"
    ALTERNATING = "alternating"
    """Of a folder's unsynced changes, the first is undone and so on: each folder by itself."""


class File:
    """Bytes with a durable state."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = bytearray(content)
        self.durable = bytes(content)

    def survivor(self, rule: Bytes) -> bytes:
        """What is left of it."""
        if rule is Bytes.KEPT or bytes(self.content) == self.durable:
            return bytes(self.content)
        if rule is Bytes.LOST:
            return self.durable
        kept = 0
        while kept < min(len(self.durable), len(self.content)) and self.durable[kept] == self.content[kept]:
            kept += 1
        return bytes(self.content[:kept]) + bytes(len(self.content) - kept)


Target = File | str
"""What a name is for: a file's bytes, or where a link leads."""
Change = tuple[str, Target | None]
"""A path, and what it names from then on (None: nothing)."""


class Disk:
    """A folder tree, as it was durable when the trace began, with the trace's changes upon it."""

    def __init__(self, root: Path) -> None:
        self.names: dict[str, Target] = {}
        self.folders = {str(root)}
        for folder, folders, files in os.walk(root):
            self.folders.update(os.path.join(folder, name) for name in folders)
            for name in files + [n for n in folders if os.path.islink(os.path.join(folder, n))]:
                path = os.path.join(folder, name)
                link = os.path.islink(path)
                self.names[path] = os.readlink(path) if link else File(Path(path).read_bytes())
        self.durable_names = dict(self.names)
        self.durable_folders = set(self.folders)
        self._pending: dict[str, list[list[Change]]] = {}
        self._open: dict[int, File] = {}

    def play(self, events: Iterable[RecordedCall]) -> None:
        """Let the events happen."""
        for event in events:
            getattr(self, f"_on_{event.call}")(event)

    def _on_create(self, event: RecordedCall) -> None:
        file = File()
        self._open[event.file] = file
        self._change([(event.path, file)])

    def _on_open(self, event: RecordedCall) -> None:
        target = self.names[event.path]
        assert isinstance(target, File)
        self._open[event.file] = target

    def _on_write(self, event: RecordedCall) -> None:
        content = self._open[event.file].content
        if len(content) < event.offset:
            content.extend(bytes(event.offset - len(content)))
        content[event.offset : event.offset + len(event.data)] = event.data

    def _on_truncate(self, event: RecordedCall) -> None:
        content = self._open[event.file].content
        del content[event.offset :]
        content.extend(bytes(event.offset - len(content)))

    def _on_fsync(self, event: RecordedCall) -> None:
        target = self._open.get(event.file) or self.names.get(event.path)
        if isinstance(target, File):
            target.durable = bytes(target.content)

    def _on_fsync_folder(self, event: RecordedCall) -> None:
        for changes in self._pending.pop(event.path, []):
            self._settle(changes)

    def _on_sync_disk(self, _: RecordedCall) -> None:
        for folder in list(self._pending):
            self._on_fsync_folder(RecordedCall("fsync_folder", folder))
        for target in self.names.values():
            if isinstance(target, File):
                target.durable = bytes(target.content)

    def _on_replace(self, event: RecordedCall) -> None:
        if event.path in self.folders:
            self._move_folder(event.path, event.target)
            return
        self._change([(event.target, self.names[event.path]), (event.path, None)])

    def _move_folder(self, old: str, new: str) -> None:
        """One change; what the folder holds must be durable by then, or it would be seen and not be whole."""
        below = [path for path in self.names if path.startswith(f"{old}/")]
        assert not any(f"{folder}/".startswith(f"{old}/") for folder in self._pending), "names in it were not synced"
        for path in below:
            target = self.names[path]
            assert isinstance(target, str) or target.durable == bytes(target.content), f"{path} was not synced"
        for folder in [folder for folder in self.folders if f"{folder}/".startswith(f"{old}/")]:
            self.folders.discard(folder)
            self.folders.add(new + folder[len(old) :])
        changes: list[Change] = [(new + path[len(old) :], self.names[path]) for path in below]
        changes += [(path, None) for path in below]
        for path, target_or_none in changes:
            if target_or_none is None:
                self.names.pop(path)
            else:
                self.names[path] = target_or_none
        self._pending.setdefault(os.path.dirname(new), []).append(changes)

    def _on_exchange(self, event: RecordedCall) -> None:
        self._change([(event.target, self.names[event.path]), (event.path, self.names[event.target])])

    def _on_link(self, event: RecordedCall) -> None:
        self._change([(event.target, self.names[event.path])])

    def _on_unlink(self, event: RecordedCall) -> None:
        self._change([(event.path, None)])

    def _on_symlink(self, event: RecordedCall) -> None:
        self._change([(event.path, event.target)])

    def _on_mkdir(self, event: RecordedCall) -> None:
        self.folders.add(event.path)
        self.durable_folders.add(event.path)  # an empty folder that stays hurts nobody

    def _on_rmdir(self, event: RecordedCall) -> None:
        self.folders.discard(event.path)

    def _change(self, changes: list[Change]) -> None:
        for path, target in changes:
            if target is None:
                self.names.pop(path, None)
            else:
                self.names[path] = target
        self._pending.setdefault(os.path.dirname(changes[0][0]), []).append(changes)

    def _settle(self, changes: list[Change]) -> None:
        for path, target in changes:
            if target is None:
                self.durable_names.pop(path, None)
            else:
                self.durable_names[path] = target

    def survivors(self, names: Names) -> dict[str, Target]:
        """The names that are left."""
        if names is Names.KEPT:
            return dict(self.names)
        found = dict(self.durable_names)
        if names is Names.ALTERNATING:
            kept = self.durable_names
            self.durable_names = found
            for number, folder in enumerate(sorted(self._pending)):
                for changes in self._pending[folder][number % 2 :]:
                    self._settle(changes)
            self.durable_names = kept
        return found


def image(root: Path, before: Path, events: Sequence[RecordedCall], names: Names, data: Bytes, target: Path) -> Path:
    """Lay out in `target` what is left of the project after `events`, which began with `before` in `root`."""
    disk = Disk(before)
    moved = [_moved(event, str(root), str(before)) for event in events]
    disk.play(moved)
    left = disk.survivors(names)
    for folder in sorted(disk.folders | disk.durable_folders):
        if folder not in left and not _is_below(folder, left):
            (target / os.path.relpath(folder, before)).mkdir(parents=True, exist_ok=True)
    for path, found in left.items():
        if _is_below(path, left):
            continue  # it was put into a folder that did not last
        place = target / os.path.relpath(path, before)
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(found, File):
            place.write_bytes(found.survivor(data))
        else:
            place.symlink_to(found)
    _adopt(before, target)
    return target


def _is_below(path: str, names: dict[str, Target]) -> bool:
    while path != (path := os.path.dirname(path)):
        if path in names:
            return True
    return False


def _moved(event: RecordedCall, old: str, new: str) -> RecordedCall:
    import msgspec

    path, to = event.path.replace(old, new, 1), event.target
    if event.call in {"replace", "exchange"}:
        to = to.replace(old, new, 1)
    return msgspec.structs.replace(event, path=path, target=to)


def _adopt(before: Path, target: Path) -> None:
    """The index is not the disk's business here: it is lost. Modes are as they were."""
    for path in target.glob(".aura/local/index.sqlite*"):
        path.unlink()
    for path in before.rglob("*"):
        place = target / path.relative_to(before)
        if path.is_file() and not path.is_symlink() and place.is_file() and not place.is_symlink():
            shutil.copymode(path, place)
