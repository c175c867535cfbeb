"""A storage that can be written to without anything being changed: what is written lies in a folder of its own.

For dry runs: opening a project finishes what a command that was interrupted recorded, learns objects and
remembers what it saw, and a plan builds on that. All of it happens here, and is gone with `close`.
"""

import os
import shutil
import stat
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import BinaryIO

from aura_vcs.errors.integrity import LinkedPath
from aura_vcs.storage import databases
from aura_vcs.storage.base import FileStat
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.own_folders import OpenFolder
from aura_vcs.storage.plain_files import READ, open_plain
from aura_vcs.storage.system_calls import translated

_COPIED_BYTES = 4 << 20


class PreviewStorage(LocalStorage):
    """The files of `lower` as they are, and above them what was written since.

    A file is copied up when it is asked for by `at` or `folder_of`, which may be to change it; `read` and `open` leave
    it where it is. Locks are taken on the files of `lower`, which are not written to.
    """

    def __init__(self, lower: LocalStorage, upper: str, *, temporary: str) -> None:
        super().__init__(upper, temporary=temporary, calls=lower.calls)
        self._lower = lower
        self._shown_root = lower._shown_root
        self._deleted: set[str] = set()
        self._end: Callable[[], object] | None = None

    @classmethod
    def of(cls, lower: LocalStorage) -> "PreviewStorage":
        """Begin a preview of a storage, in a new folder of the system's for temporary files."""
        made = cls(lower, tempfile.mkdtemp(prefix="aura-preview-"), temporary=lower.temporary)
        made._end = weakref.finalize(made, shutil.rmtree, made.root, ignore_errors=True)
        return made

    def below(self, folder: str) -> "PreviewStorage":
        """See LocalStorage."""
        return PreviewStorage(self._lower.below(folder), os.path.join(self.root, folder), temporary=self.temporary)

    def path(self, name: str) -> str:
        """See LocalStorage: where the file is that `at` led to, else where it is in `lower`."""
        return self._upper(name) if self._above(name) is not None else self._lower.path(name)

    def folder_of(self, name: str) -> tuple[str, OpenFolder]:
        """See LocalStorage. A file that is only in `lower` is copied first."""
        folder, _, last = name.rpartition("/")
        if folder and self._is_folder(folder):
            super().make_folder(folder)
        if last not in {"", "-"}:
            self._copy_up(name)
        return super().folder_of(name)

    def open(self, name: str) -> BinaryIO:
        """See LocalStorage."""
        return super().open(name) if self._is_above(name) else self._lower.open(name)

    def read(self, name: str) -> bytes:
        """See LocalStorage."""
        return super().read(name) if self._is_above(name) else self._lower.read(name)

    def stat(self, name: str) -> FileStat | None:
        """See LocalStorage."""
        found = self.look(name)
        return None if found is None else FileStat(found.st_size, found.st_mtime_ns)

    def append(self, name: str, data: bytes, *, at: int, durable: bool = True) -> None:
        """See LocalStorage. A file that is only in `lower` is copied first."""
        with suppress(FileNotFoundError), translated("append to", self.path(name)):
            self.folder_of(name)
        super().append(name, data, at=at, durable=durable)

    def look_around(self, name: str) -> os.stat_result | None:
        """See LocalStorage."""
        return self._above(name) or (None if name in self._deleted else self._lower.look_around(name))

    def list(self, folder: str) -> list[str]:
        """See LocalStorage."""
        names = {name for name in self._lower.list(folder) if f"{folder}/{name}" not in self._deleted}
        with suppress(FileNotFoundError, NotADirectoryError):
            names.update(os.listdir(self._upper(folder)))
        return sorted(names)

    def walk(self, folder: str) -> Iterator[tuple[str, int]]:
        """See LocalStorage."""
        if folder:
            yield from super().walk(folder)
            return
        names = {name: size for name, size in self._lower.walk("") if name not in self._deleted}
        names.update(super().walk(""))
        yield from sorted(names.items())

    def _open(self, name: str, path: str) -> int:
        if not self._is_above(name):
            return self._lower._open(name, path)
        last, folder = super().folder_of(name)
        return open_plain(last, READ, path, dir_fd=folder.fd)

    def open_lock(self, name: str, *, to_read: bool = False) -> int:
        """See LocalStorage. Open to read: whoever holds it writes nothing into it."""
        with suppress(FileNotFoundError):
            return self._lower._open(name, self.path(name))
        return super().open_lock(name, to_read=to_read)

    def touch(self, name: str) -> None:
        """Renew nothing: what is not written needs no date."""

    def delete_many(self, names: Iterable[str]) -> None:
        """See LocalStorage."""
        for name in names:
            self._drop(name)

    def forget(self, name: str) -> None:
        """See LocalStorage."""
        self._drop(name)

    def discard_folder(self, name: str) -> None:
        """See LocalStorage."""
        for path, _ in list(self.walk(name)):
            self._drop(path)

    def link(self, name: str, other: str) -> bool:  # noqa: ARG002 (a disk that cannot)
        """See LocalStorage."""
        return False

    def close(self) -> None:
        """Throw everything away that was written."""
        super().close()
        self._lower.close()
        if self._end is not None:
            self._end()

    def _upper(self, name: str) -> str:
        return os.path.join(self.root, *name.split("/"))

    def _above(self, name: str) -> os.stat_result | None:
        try:
            return os.lstat(self._upper(name))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _is_above(self, name: str) -> bool:
        """Tell whether a file is to be read here, and not in `lower`.

        Raises:
            FileNotFoundError: it was deleted.
        """
        if self._above(name) is not None:
            return True
        if name in self._deleted:
            raise FileNotFoundError(name)
        return False

    def _is_folder(self, name: str) -> bool:
        if (above := self._above(name)) is not None:
            return stat.S_ISDIR(above.st_mode)
        with suppress(LinkedPath):
            found = self._lower.look(name)
            return found is not None and stat.S_ISDIR(found.st_mode)
        return False

    def _copy_up(self, name: str) -> None:
        if name in self._deleted or self._above(name) is not None:
            return
        found = self._lower.look_around(name)
        if found is None or not stat.S_ISREG(found.st_mode):
            return
        path = self._lower.path(name)
        target = self._upper(name)
        if name.endswith(".sqlite"):
            databases.copy(self._lower, name, target)
            self._deleted.update(name + suffix for suffix in databases.SUFFIXES if suffix)
            return
        with translated("read", path), self._lower.open(name) as source, open(target, "xb") as copy:
            shutil.copyfileobj(source, copy, _COPIED_BYTES)
        os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))

    def _drop(self, name: str) -> None:
        self._deleted.add(name)
        with suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(self._upper(name))
