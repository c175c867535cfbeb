"""A file or folder for somebody else: it has another name until it is whole, and goes again if it never is."""

import os
import shutil
from contextlib import suppress
from typing import Self

from aura_vcs.errors import InputError
from aura_vcs.errors.interchange import TargetExists
from aura_vcs.layout import is_own_folder
from aura_vcs.storage.system_calls import REAL_CALLS, FileCalls, storage_error


def refuse_own_folder(target: str) -> None:
    """Refuse a place in a project's `.aura`, where nothing that is for somebody else may lie.

    Raises:
        InputError.
    """
    if any(is_own_folder(part) for part in os.path.realpath(target).split(os.sep)):
        raise InputError(f"{target} is in a project's own storage", hint="Name a place outside of `.aura`.")


class NewOutput:
    """A name that nothing has yet. Write to `path`, then `publish`; without that, nothing is left. Use it in a `with`.

    Nobody can read it who cannot read a file of the mode `readers`.

    An empty folder of that name gives way. Interrupted by force, a hidden file or folder beside it may be left.

    Raises:
        InputError: the place is in a project's `.aura`.
        TargetExists: something has the name.
        StorageError: the folder that it is to lie in is not there, or cannot be written.
    """

    def __init__(self, target: str, *, folder: bool, readers: int = 0o666, calls: FileCalls = REAL_CALLS) -> None:
        self.target = os.path.abspath(target)
        self._calls = calls
        self._is_folder = folder
        above, name = os.path.split(self.target)
        self.path = os.path.join(above, f".{name[:100]}.{os.urandom(6).hex()}.aura-part")
        """Where it lies until it is published."""
        refuse_own_folder(self.target)
        self._check()
        try:
            if folder:
                os.mkdir(self.path, 0o700 | readers | (readers & 0o444) >> 2)
            else:
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, readers | 0o600))
        except OSError as error:
            raise storage_error("write", self.target, error) from error

    def _check(self) -> None:
        is_empty = False
        with suppress(OSError):
            is_empty = self._is_folder and not os.path.islink(self.target) and not os.listdir(self.target)
        if os.path.lexists(self.target) and not is_empty:
            raise TargetExists(self.target)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not os.path.lexists(self.path):
            return
        if self._is_folder:
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            with suppress(OSError):
                os.unlink(self.path)

    def move(self, old: str, new: str) -> None:
        """Give something inside another name."""
        os.rename(os.path.join(self.path, old), os.path.join(self.path, new))

    def publish(self) -> None:
        """Give it its name; a file is durable then.

        Raises:
            TargetExists: something came to have the name.
        """
        self._check()
        try:
            if not self._is_folder:
                fd = os.open(self.path, os.O_RDONLY)
                try:
                    self._calls.fsync(fd)
                finally:
                    os.close(fd)
            elif os.path.isdir(self.target):
                os.rmdir(self.target)
            os.rename(self.path, self.target)
        except OSError as error:
            raise storage_error("write", self.target, error) from error
