"""Which project a folder is in, whose it is, and whether it can only be read.

Used are one's own projects, and those of others that the person called safe. Where nothing can be written (a backup, a
medium, somebody else's folder), looking works, too.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from aura_vcs import layout
from aura_vcs.errors.input import ForeignOwner, NotAProject
from aura_vcs.errors.integrity import StorageDenied
from aura_vcs.repository.format_file import is_project
from aura_vcs.storage.base import FileStat
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.mounts import is_on_network
from aura_vcs.storage.owners import foreign_owner, my_name
from aura_vcs.storage.system_calls import REAL_CALLS, FileCalls, storage_error

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory


class Trust:
    """Which projects of other accounts may be used.

    `sudo_uid` is the account that called `sudo`, where this is root; `is_safe` is asked about a folder.
    """

    def __init__(self, sudo_uid: int | None = None, is_safe: Callable[[str], bool] = lambda _: False) -> None:
        self.sudo_uid, self.is_safe = sudo_uid, is_safe


def check_owner(root: str, trust: Trust) -> None:
    """Refuse a project of another account that nobody called safe.

    Raises:
        ForeignOwner.
    """
    owner = foreign_owner(os.path.join(root, layout.AURA), sudo_uid=trust.sudo_uid)
    if owner is not None and not trust.is_safe(root):
        import shlex

        hint = f"If you trust whoever can write there, say so: `aura config set safe.projects {shlex.quote(root)}`."
        raise ForeignOwner(root, owner, my_name(), hint)


def project_storage(root: str, calls: FileCalls = REAL_CALLS, kind: type[LocalStorage] = LocalStorage) -> LocalStorage:
    """Open the store of the project in a folder; its `.aura` is not a link."""
    aura = os.path.join(root, layout.AURA)
    return kind(aura, temporary=layout.TEMPORARY, aside=layout.DAMAGED, calls=calls, follow_root=False)


def find_root(path: str) -> str:
    """Find the project folder that `path` is or is in.

    Raises:
        NotAProject: there is none.
        StorageDenied: there may be one, but nobody lets us look into its `.aura`.
    """
    start = os.path.abspath(path)
    folder = start
    while True:
        if is_project(folder):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            _check_closed(start)
            raise NotAProject(start, "" if os.path.isdir(start) else f"There is no folder {start}")
        folder = parent


def _check_closed(folder: str) -> None:
    """Refuse a folder whose `.aura` is there and cannot be looked into: it is not for us to say what is in it."""
    aura = os.path.join(folder, layout.AURA)
    if os.path.isdir(aura) and not os.access(aura, os.R_OK | os.X_OK):
        raise StorageDenied("look into", aura, "Permission denied")


MEND_CLOSED = "`chmod -R u+rwX .aura/local` lets you work again; `ls -ld .aura/local` says whose it is."
CLOSED = f"`.aura/local` cannot be read: you see the project without what this machine remembers of it. {MEND_CLOSED}"
"""What is said of a project whose `local/` cannot be looked into."""
IndexLocation = tuple[LocalStorage, str]


def make_local(storage: LocalStorage) -> bool:
    """Make `local/`, if it is not there; False if it, or its folder for temporary files, cannot be written to.

    Raises:
        StorageError: the disk refused for another reason.
    """
    path = storage.path(layout.LOCAL)
    try:
        storage.make_folder(layout.LOCAL)
    except FileNotFoundError:
        raise
    except StorageDenied:
        return False
    except OSError as error:
        found = storage_error("make", path, error)
        if isinstance(found, StorageDenied):
            return False
        raise found from error
    scratch = storage.path(layout.TEMPORARY)
    return os.access(path, os.W_OK) and (os.access(scratch, os.W_OK) or not os.path.isdir(scratch))


class WithoutLocal(LocalStorage):
    """A project whose `local/` nobody lets us look into: it is seen as one that came without.

    Nothing is written, wherever that could be: the locks lie in there, and without them others may write as well.
    """

    def _open(self, name: str, path: str) -> int:
        _check_open(name)
        return super()._open(name, path)

    def open(self, name: str) -> BinaryIO:
        """See LocalStorage."""
        _check_open(name)
        return super().open(name)

    def read(self, name: str) -> bytes:
        """See LocalStorage."""
        _check_open(name)
        return super().read(name)

    def stat(self, name: str) -> FileStat | None:
        """See LocalStorage."""
        return None if _is_local(name) else super().stat(name)

    def look_around(self, name: str) -> os.stat_result | None:
        """See LocalStorage."""
        return None if _is_local(name) else super().look_around(name)

    def list(self, folder: str) -> list[str]:
        """See LocalStorage."""
        return [] if _is_local(f"{folder}/") else super().list(folder)

    def is_writable(self) -> bool:
        """See LocalStorage."""
        return False

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        error = StorageDenied("look into", self.path(layout.LOCAL), "permission denied, so nothing is written")
        error.hint = MEND_CLOSED
        raise error

    upload = append = adopt = set_aside = touch = link = delete_many = delete_folder = discard_folder = _refuse
    make_folder = forget = put_unsynced = restrict = open_lock = _refuse


def _is_local(name: str) -> bool:
    return name.startswith(f"{layout.LOCAL}/")


def _check_open(name: str) -> None:
    if _is_local(name):
        raise FileNotFoundError(name)


def is_closed(storage: LocalStorage) -> bool:
    """Tell whether `local/` is there and cannot be looked into."""
    path = storage.path(layout.LOCAL)
    return os.path.isdir(path) and not os.access(path, os.R_OK | os.X_OK)


def index_locations(
    storage: LocalStorage, folder: str | None, name: str, *, preview: bool = False
) -> tuple[IndexLocation, IndexLocation | None]:
    """Return where the index lies, and where it does if the project cannot be written.

    That is in the project, or in `folder`, called `name`, if the project is on a network disk.
    """
    here = storage, layout.INDEX
    if folder is None:
        return here, None
    place = LocalStorage(folder)
    spare = previewed(place) if preview else place, f"{name}.sqlite"
    return (spare, None) if is_on_network(os.path.dirname(storage.root)) else (here, spare)


def previewed(storage: LocalStorage) -> LocalStorage:
    """Return the storage with everything that is written to it elsewhere."""
    from aura_vcs.storage.preview import PreviewStorage  # for dry runs only

    return PreviewStorage.of(storage)


class TemporaryStorage:
    """A folder among the system's temporary files, for what a command needs to write until it ends."""

    def __init__(self) -> None:
        self._folder: TemporaryDirectory[str] | None = None

    def storage(self) -> LocalStorage:
        """Return the folder, made when it is first asked for."""
        import tempfile

        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="aura-")
        return LocalStorage(self._folder.name, temporary=layout.TEMPORARY)

    def remove(self) -> None:
        """Remove it with all that is in it."""
        if self._folder is not None:
            with suppress(OSError):
                self._folder.cleanup()
            self._folder = None
