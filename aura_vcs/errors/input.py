"""What was asked for cannot be, or somebody else was first. The tree is drawn in `aura_vcs.errors`."""

from collections.abc import Sequence

from aura_vcs.errors import AuraError, InputError

LIKELY = 3
"""More names than these are no guess at what was meant, but all that there are."""


class NotAProject(InputError):
    """Neither this folder nor one above it is a project."""

    exit_code = 10
    hint = "Start one here with `aura init`, or name a project folder with `aura -C DIR …`."

    def __init__(self, path: str, message: str = "") -> None:
        super().__init__(message or f"{path} is not in a project (no .aura folder here or above)")
        self.path = path

    @classmethod
    def nowhere(cls) -> "NotAProject":
        """Say that the current folder was deleted, or its disk went away."""
        error = cls(".", "The folder you are in no longer exists")
        error.hint = "Go to one that exists, even if it has the same name (`cd DIR`), or name one: `aura -C DIR …`."
        return error


class ProjectExists(InputError):
    """`init` never starts over an existing project."""

    exit_code = 11
    hint = "It is ready to use: try `aura status`."

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is already a project")
        self.path = path


class FormatUnsupported(InputError):
    """The project was written by a newer aura_vcs; nothing was touched."""

    exit_code = 12
    hint = "Install a newer aura_vcs to work with this project. Nothing was changed."

    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"{path} uses {what}, which this aura_vcs does not know")
        self.path, self.what = path, what


class ForeignOwner(InputError):
    """Another account owns it, and could have prepared it to do harm; nothing in it was read or written."""

    exit_code = 13

    def __init__(self, path: str, owner: str, me: str, hint: str) -> None:
        super().__init__(f"{path} belongs to {owner}, and you are {me}", hint=hint)
        self.path, self.owner = path, owner


class UnknownVersion(InputError):
    """No version has that name."""

    exit_code = 20

    def __init__(self, name: str, near: Sequence[str] = ()) -> None:
        super().__init__(f"No version is called {name!r}")
        self.name, self.near = name, tuple(near)
        self.hint = f"Did you mean {', '.join(near)}?" if near else "`aura log --all` lists the versions."


class NoVersions(UnknownVersion):
    """The project has no version yet."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.args = (f"There is no {name}: the project has no versions yet",)
        self.hint = 'Make the first with `aura commit -m "First cut"`.'


class AmbiguousVersion(InputError):
    """Several versions have that name."""

    exit_code = 21

    def __init__(self, name: str, candidates: Sequence[str]) -> None:
        super().__init__(f"{name!r} could be {' or '.join(candidates)}")
        self.name, self.candidates = name, tuple(candidates)
        self.hint = "Use one of those names."


class InvalidName(InputError):
    """A branch, tag, remote or lock cannot have that name."""

    exit_code = 22
    hint = "Names have letters, digits, '.', '_', '-' and '/', and begin with a letter or digit."

    def __init__(self, kind: str, name: str, reason: str) -> None:
        super().__init__(f"{name!r} cannot name a {kind}: {reason}")
        self.kind, self.name, self.reason = kind, name, reason


class InvalidTarget(InputError):
    """The place that a note is about is written wrongly, or does not exist in the file."""

    exit_code = 14
    hint = "Such as `v3:cut.mp4@0:12-0:15`, `poster.png@10%,20%,30%x40%`, `cut.otio@clip=Title`, `brief.json@/title`."

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"There is no place {text!r}: {reason}")
        self.text, self.reason = text, reason


class InvalidFact(InputError):
    """There is no such fact about where a file comes from, or it cannot have that value."""

    exit_code = 15

    def __init__(self, name: str, value: object, reason: str) -> None:
        super().__init__(f"{name} cannot be {str(value)[:80]!r}: {reason}")
        self.name, self.value, self.reason = name, value, reason


class NameTaken(InputError):
    """The name exists already."""

    exit_code = 23

    def __init__(self, kind: str, name: str, *, hint: str | None = None) -> None:
        super().__init__(f"A {kind} called {name!r} exists", hint=hint)
        self.kind, self.name = kind, name


class UnknownName(InputError):
    """There is no branch, tag, path, operation … of that name."""

    exit_code = 24

    def __init__(self, kind: str, name: str, near: Sequence[str] = (), *, hint: str | None = None) -> None:
        super().__init__(f"There is no {kind} {name!r}", hint=hint)
        self.kind, self.name, self.near = kind, name, tuple(near)
        if near:
            self.hint = f"Did you mean {', '.join(near)}?" if len(near) <= LIKELY else f"There are: {', '.join(near)}."


class NothingToUndo(InputError):
    """No operation is left to take back (or to do again)."""

    exit_code = 25
    hint = "`aura ops` lists what was done."

    def __init__(self, verb: str = "undo", *, studio: bool = False) -> None:
        super().__init__(f"There is nothing to {verb}" + (" in the studio" if studio else ""))
        self.verb = verb
        if studio:
            self.hint = "`aura ops --studio` lists what was done."


class VersionInUse(InputError):
    """A branch or tag is on the version; deleting it would leave that name on nothing."""

    exit_code = 26

    def __init__(self, version: str, holder: str, *, hint: str) -> None:
        super().__init__(f"{version} cannot be deleted: {holder} needs it", hint=hint)
        self.version, self.holder = version, holder


class OperationExpired(InputError):
    """The content that would bring it back has been collected, or its time (`TIME`) is over."""

    exit_code = 27
    hint = "Content is kept for the grace period of `aura gc`, then it is gone."
    TIME = "its time"

    def __init__(self, operation: str, missing: str) -> None:
        reason = "its time is over" if missing == self.TIME else f"{missing} has been collected"
        super().__init__(f"{operation} can no longer be taken back: {reason}")
        if missing == self.TIME:
            self.hint = "Edits can be taken back for as many days as actions.expire_days says."
        self.operation, self.missing = operation, missing


class ConcurrencyError(AuraError):
    """Somebody else was faster, or is at work."""


class RefMoved(ConcurrencyError):
    """Compare-and-swap failed: the ref is not where it was seen."""

    exit_code = 28
    hint = "Another command moved it. Look with `aura log` and run the command again."

    def __init__(self, ref: str, expected: str, actual: str) -> None:
        super().__init__(f"{ref} is at {actual}, not at {expected} any more")
        self.ref, self.expected, self.actual = ref, expected, actual


class PlanStale(ConcurrencyError):
    """The project moved since the plan was made; nothing was deleted."""

    exit_code = 29
    hint = "Nothing was deleted. Run the command again to see the new plan."


class LockBusy(ConcurrencyError):
    """Another command holds the lock, and did not release it in time."""

    exit_code = 44
    hint = "Wait for it to finish and run the command again. Locks of dead processes free themselves."

    def __init__(self, lock: str, waited_seconds: float, holder: str = "") -> None:
        by = f" by {holder}" if holder else ""
        super().__init__(f"The {lock} lock is held{by}; waited {waited_seconds:.0f} s")
        self.lock, self.waited_seconds, self.holder = lock, waited_seconds, holder
