"""Another program's history or archive cannot be read or written as asked. The tree is drawn in `aura_vcs.errors`."""

from aura_vcs.errors import AuraError, place_without_password


class InterchangeError(AuraError):
    """Another program's files cannot be read or written as asked."""

    exit_code = 110


class GitUnavailable(InterchangeError):
    """The program `git` is not installed, or did not do what it was asked."""

    exit_code = 111

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"git could not {what}: {reason}")
        self.what, self.reason = what, reason


class NotAGitRepository(InterchangeError):
    """There is no git repository at that place, or it cannot be read."""

    exit_code = 112

    def __init__(self, path: str, reason: str, *, hint: str | None = None) -> None:
        path = place_without_password(path)
        super().__init__(f"{path} is not a git repository that can be read: {reason}", hint=hint)
        self.path, self.reason = path, reason


class GitDamaged(InterchangeError):
    """An object of the git repository is missing or damaged; what was imported before it stays."""

    exit_code = 113
    hint = "`git fsck --full` in the repository says more. A fresh clone of it may be intact."

    def __init__(self, thing: str, reason: str) -> None:
        super().__init__(f"Git's {thing} cannot be read: {reason}")
        self.thing, self.reason = thing, reason


class NotADatabase(InterchangeError):
    """There is no database of the Aura studio at that place, or it cannot be read."""

    exit_code = 115

    def __init__(self, path: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"{path} is not a database of the Aura studio that can be read: {reason}", hint=hint)
        self.path, self.reason = path, reason


class TargetExists(InterchangeError):
    """The target exists, and an export never overwrites anything."""

    exit_code = 114
    hint = "Name a folder or file that does not exist yet."

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} already exists")
        self.path = path
