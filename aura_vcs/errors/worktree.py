"""The project's own files stand in the way. The tree is drawn in `aura_vcs.errors`."""

import errno
from collections.abc import Sequence

from aura_vcs.errors import AuraError

NO_SUCH_FILE = {errno.ENOENT, errno.ENOTDIR}
"""What is said of a file that went between being listed and being looked at."""
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""What is said where this process, and not a file, is the matter."""


class WorktreeError(AuraError):
    """The project's own files stand in the way."""

    exit_code = 50


class ProjectGone(WorktreeError):
    """The project's folder was moved, or its disk went away, while aura was working there."""

    exit_code = 56
    hint = "Start again where the project is now."

    def __init__(self, path: str) -> None:
        super().__init__(f"The project is not at {path} any more")
        self.path = path


class FileUnreadable(WorktreeError):
    """One of your files cannot be read."""

    exit_code = 51
    hint = "Make it readable, or leave it out of versions with `aura untrack`."

    def __init__(self, path: str, reason: str, number: int = 0) -> None:
        """Note what cannot be read; `number` is what the system said, as in `errno`; 0 where it said nothing."""
        super().__init__(f"Cannot read {path}: {reason}")
        self.path, self.reason, self.number = path, reason, number

    @property
    def has_gone(self) -> bool:
        """Whether there is no such file any more."""
        return self.number in NO_SUCH_FILE

    @property
    def is_everywhere(self) -> bool:
        """Whether this process, and not the file, is the matter: no other file could be read either."""
        return self.number in EXHAUSTED


class FileUnstable(WorktreeError):
    """A file kept changing while it was read, so no consistent copy could be made."""

    exit_code = 52
    hint = "Wait until the program that writes it is done, then run the command again."

    def __init__(self, paths: Sequence[str]) -> None:
        super().__init__(f"{', '.join(paths)} kept changing while being read")
        self.paths = tuple(paths)


class FileHeld(WorktreeError):
    """A file could not be replaced or removed; the folder was restored as it was."""

    exit_code = 54
    hint = "Close it in the program that has it open (or make it and its folder writable), then run the command again."

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"Cannot replace {path}: {reason}")
        self.path, self.reason = path, reason


class PathCollision(WorktreeError):
    """Two paths of a version are one path on this file system, or something unsaved is in the way."""

    exit_code = 53

    def __init__(self, path: str, other: str, *, hint: str = "") -> None:
        super().__init__(f"{path} and {other} are the same file on this disk", hint=hint)
        self.path, self.other = path, other


class NameUnfit(WorktreeError):
    """This disk cannot have files with these names; nothing was changed."""

    exit_code = 55
    hint = "Rename it on a disk that can have it, commit there, and bring that version here."

    def __init__(self, paths: Sequence[str]) -> None:
        more = f" (and {len(paths) - 1} more names)" if len(paths) > 1 else ""
        super().__init__(f"This disk cannot have a file called {paths[0]}{more}")
        self.paths = tuple(paths)
