"""What is stored is not what it should be, or the disk refused. The tree is drawn in `aura_vcs.errors`."""

from collections.abc import Sequence

from aura_vcs.errors import AuraError

SHOWN_FILES = 5
"""So many files an error names; of more it says how many there are."""


class IntegrityError(AuraError):
    """Stored data is not what it should be."""

    exit_code = 30
    hint = "`aura fsck` shows what else is affected."


class ObjectMissing(IntegrityError):
    """The object is absent, and nobody freed it on purpose."""

    exit_code = 31

    def __init__(self, object_id: str, needed_by: str = "") -> None:
        super().__init__(f"Object {object_id} is missing" + (f" (needed by {needed_by})" if needed_by else ""))
        self.object_id, self.needed_by = object_id, needed_by


class NotArrived(ObjectMissing):
    """It belongs to a version of another machine, and a sync tool has not brought all of that version yet."""

    exit_code = 40
    hint = (
        "Another machine made it, and what copies this folder (Dropbox, Syncthing …) has not brought all of it. "
        "Let it finish, then run the command again. If it has finished, `aura fsck` lists what is missing."
    )

    def __init__(self, object_id: str, what: str) -> None:
        super().__init__(object_id)
        self.args = (f"{what} has not arrived here yet",)
        self.what = what


class ObjectCorrupt(IntegrityError):
    """The stored bytes do not hash to the object's name."""

    exit_code = 32

    def __init__(self, object_id: str, detail: str, place: str = "") -> None:
        super().__init__(f"Object {object_id} is damaged{f' in {place}' if place else ''}: {detail}")
        self.object_id, self.detail, self.place = object_id, detail, place


class ObjectPurged(IntegrityError):
    """The content was freed on purpose."""

    exit_code = 33
    hint = "Purged content is gone for good; the version stays as a record."

    def __init__(self, what: str, when: str, by: str) -> None:
        super().__init__(f"The content of {what} was purged on {when} by {by}")
        self.what, self.when, self.by = what, when, by


class ObjectOffloaded(IntegrityError):
    """The content is not here but at a remote, which could not be asked for it; nothing was changed."""

    exit_code = 39

    def __init__(self, files: Sequence[str], remotes: Sequence[str], size_bytes: int, reason: str = "") -> None:
        more = f" and {len(files) - SHOWN_FILES} more files" if len(files) > SHOWN_FILES else ""
        named = f"{', '.join(files[:SHOWN_FILES])}{more}"
        where = " and ".join(remotes) or "a remote"
        verb = "is" if len(files) == 1 else "are"
        super().__init__(f"{named} ({size_bytes:,} bytes) {verb} offloaded to {where} and could not be fetched")
        self.files, self.remotes, self.size_bytes, self.reason = tuple(files), tuple(remotes), size_bytes, reason
        said = f"{reason}. " if reason else ""
        self.hint = f"{said}Make {where} reachable and run the command again; nothing was changed."


class ObjectEvicted(ObjectOffloaded):
    """The content was freed because it can be made again; nothing makes it unasked, and nothing was changed."""

    def __init__(self, files: Sequence[str], size_bytes: int, reason: str = "") -> None:
        super().__init__(files, (), size_bytes, reason)
        more = f" and {len(files) - SHOWN_FILES} more files" if len(files) > SHOWN_FILES else ""
        verb = "was" if len(files) == 1 else "were"
        self.args = (f"{', '.join(files[:SHOWN_FILES])}{more} ({size_bytes:,} bytes) {verb} evicted",)
        said = f"{reason}. " if reason else ""
        self.hint = f"{said}It can be made again: `aura derived make VERSION:FILE`. Nothing was changed."


class RecordCorrupt(IntegrityError):
    """A ref, an operation or a settings file cannot be read."""

    exit_code = 34

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path} cannot be read: {detail}")
        self.path, self.detail = path, detail


class ObjectMalformed(IntegrityError):
    """The bytes have the right hash, but are not a valid object of their kind."""

    exit_code = 35

    def __init__(self, kind: str, object_id: str, detail: str) -> None:
        super().__init__(f"{kind} {object_id} is malformed: {detail}")
        self.kind, self.object_id, self.detail = kind, object_id, detail


class UnsafePath(IntegrityError):
    """A stored name that would leave the project folder or overwrite what it must not."""

    exit_code = 36
    hint = "Nothing was written there. The project may come from a hostile or damaged source."

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"The name {name!r} is not safe to use: {reason}")
        self.name, self.reason = name, reason


class LinkedPath(UnsafePath):
    """A link, or something else that is no file or folder, is among aura's own files; it is not followed."""

    hint = (
        "Nothing was read or written through it. If you made it, put what it leads to in its place; "
        "if not, remove it: the project may come from a hostile source."
    )

    def __init__(self, path: str, what: str = "a symbolic link") -> None:
        AuraError.__init__(self, f"{path} is {what}, and aura follows none among its own files")
        self.name, self.reason, self.path = path, f"it is {what}", path


class LimitExceeded(IntegrityError):
    """Deeper, longer or larger than anything a project has."""

    exit_code = 37

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"{what} exceeds the limit of {limit:,}")
        self.what, self.limit = what, limit


class IndexDamaged(IntegrityError):
    """The index could not be read. It was removed: nothing is in it that the files do not say."""

    exit_code = 38
    hint = "Nothing is lost. Run the command again: the index is then rebuilt from the files."

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"The index {path} was damaged ({detail}) and has been removed")
        self.path, self.detail = path, detail


class StorageError(AuraError):
    """The disk, or what stands for one, refused."""

    exit_code = 43

    def __init__(self, action: str, path: str, reason: str) -> None:
        super().__init__(f"Cannot {action} {path}: {reason}")
        self.action, self.path, self.reason = action, path, reason


class RecordUnreadable(StorageError, RecordCorrupt):
    """One file or folder of the store cannot be read; it is treated as damaged, and left as it is."""

    hint = "Everything else works. `aura fsck` names all that cannot be read; a copy on a healthy disk may help."

    def __init__(self, action: str, path: str, reason: str, *, denied: bool = False) -> None:
        AuraError.__init__(self, f"Cannot {action} {path}: {reason}")
        self.action, self.path, self.reason, self.detail = action, path, reason, reason
        if denied:
            self.hint = f"Check who owns it and its permissions. {self.hint}"


class StorageFull(StorageError):
    """No space or no quota is left; nothing was recorded."""

    exit_code = 41
    hint = "Free some space (`aura storage`, `aura gc --dry-run`) and run the command again."


class StorageDenied(StorageError):
    """Read-only, or not permitted."""

    exit_code = 42
    hint = "Check the folder's permissions and whether the disk is mounted read-only."
