"""Every error of the library, one tree. Only the command line prints them and exits.

AuraError                    1   something failed
├── Interrupted            130   Ctrl-C or SIGTERM
├── InputError               2   what was asked for cannot be
│   ├── NotAProject         10     no `.aura` here or above
│   ├── ProjectExists       11     `init` where a project is
│   ├── FormatUnsupported   12     written by a newer aura_vcs
│   ├── UnknownVersion      20     no version goes by that name
│   │   └── NoVersions      20     there is none at all yet
│   ├── AmbiguousVersion    21     several do
│   ├── InvalidName         22     not a name for a branch or tag
│   ├── NameTaken           23     `create` refuses an existing name
│   ├── UnknownName         24     no such branch, tag, path, operation …
│   ├── NothingToUndo       25     also: nothing to redo
│   ├── VersionInUse        26     a branch or tag still stands on it
│   └── OperationExpired    27     its content has been collected
├── ConcurrencyError
│   ├── RefMoved            28     a ref is not where it was seen
│   ├── PlanStale           29     things moved since the plan was shown
│   └── LockBusy            44     another command holds the project
├── IntegrityError          30   stored data is not what it should be
│   ├── ObjectMissing       31     absent, and nobody freed it
│   ├── ObjectCorrupt       32     bytes that do not hash to the name
│   ├── ObjectPurged        33     freed on purpose; says by whom and when
│   ├── RecordCorrupt       34     a ref, log line or settings file cannot be read
│   ├── ObjectMalformed     35     hashes well, but is not a valid tree or version
│   ├── UnsafePath          36     a stored name that would escape or overwrite
│   ├── LimitExceeded       37     deeper or larger than anything sane
│   ├── IndexDamaged        38     the index was, and is gone; the next command builds it anew
│   └── ObjectOffloaded     39     a remote has it, and cannot be asked now
├── StorageError            43   the disk refused
│   ├── StorageFull         41     no space or quota left
│   └── StorageDenied       42     read-only or not permitted
├── WorktreeError           50   the project's own files stand in the way
│   ├── FileUnreadable      51     a file of the person's cannot be read
│   ├── FileUnstable        52     it kept changing while it was read
│   ├── PathCollision       53     two paths are one on this file system
│   ├── FileHeld            54     it cannot be replaced: open in another program, or protected
│   └── NameUnfit           55     this disk cannot have a file of that name
├── Unfinished              45   it has happened, and the next command finishes it
├── MediaUnreadable         46   a picture, sound or clip cannot be decoded
├── ExtraMissing            47   an optional part of aura_vcs is not installed
├── CompareError            70   two or three things cannot be compared or joined as asked
│   ├── PointerError        71   an address inside a document does not fit it
│   │   ├── PointerInvalid  71     it is not a JSON pointer
│   │   └── PointerUnknown  71     it points at nothing
│   ├── PatchInvalid        72   not a list of RFC 6902 operations
│   ├── PatchFailed         73   an operation does not fit the document
│   ├── NotStructural       74   the bytes are no JSON that can be compared by structure
│   ├── ConflictUnknown     75   there is no conflict at that place
│   └── ChoiceImpossible    76   the conflict cannot be resolved that way
├── ProjectError            60   the project's documents or media cannot be used as asked
│   ├── DocumentMalformed   61     a document is not JSON; says line and column
│   ├── UnknownField        62     nothing is at that JSON pointer
│   ├── InvalidValue        63     a value that the field cannot have
│   ├── EncoderMissing      66     this FFmpeg cannot write that codec
│   ├── ExportFailed        67     the video could not be rendered; names the scene
│   ├── ExportCancelled     68     stopped on request; no file was left
│   └── InvalidTransition   69     a job cannot go from that state to this one
├── StudioError             80   the studio's folder, or the making of a video, stands in the way
│   ├── UnknownSetting      81     no configuration key is called so
│   ├── SettingInvalid      82     a value that the key cannot have
│   ├── SecretUnavailable   83     a sensitive value cannot be encrypted or decrypted here
│   ├── TemplateProtected   84     a system template is never changed
│   ├── NothingToRecover    85     no valid checkpoint is left
│   ├── EditedSince         86     a file was edited after what is to be undone
│   ├── ActionBlocked       87     later actions depend on the one to be undone
│   ├── ProjectDeleted      88     the project is deleted, or must be before it is purged
│   └── TemplateUnusable    89     a template file that cannot be one
├── RemoteError             90   a remote refused, or cannot be used
│   ├── RemoteUnreachable   91   no connection, no such folder, bucket or host
│   ├── RemoteDenied        92   credentials or permissions are missing
│   ├── RemoteMismatch      93   nothing of ours is there, or another project
│   ├── RemoteUnsafe        94   it does not enforce conditional writes
│   ├── RemoteRewound       95   it shows an older state than was seen before
│   ├── RemoteCorrupt       96   what it sent does not hash to what it is called
│   ├── PushRejected        97   somebody else's work is there and not here
│   ├── InvalidUrl          98   not the address of a remote
│   ├── HelperMissing       99   an extra, `ssh`, or aura on the far side is missing
│   ├── PathLocked         100   somebody else has locked the file
│   ├── LocksUnsupported   101   that kind of remote cannot keep locks
│   └── RemoteLocked       102   it is encrypted, and this does not open it
└── Problems                 3   the work finished; some of it could not be done
"""

from collections.abc import Sequence

SHOWN_FILES = 5
"""So many files an error names; of more it says how many there are."""


class AuraError(Exception):
    """Something failed; `message` names the thing and the place, `hint` the way out."""

    exit_code = 1
    hint = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint

    @property
    def message(self) -> str:
        """One line, without the hint."""
        return str(self.args[0])

    @property
    def code(self) -> str:
        """A stable word for scripts: the class name in snake_case."""
        return code_of(type(self))


def code_of(kind: type[AuraError]) -> str:
    """The stable word for a class of errors."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__).lstrip("_")


class Interrupted(AuraError):
    """The person stopped the command; the project is as before or as after."""

    exit_code = 130
    hint = "The project is consistent. Run the command again to finish."


class InputError(AuraError):
    """What was asked for cannot be."""

    exit_code = 2


class NotAProject(InputError):
    """Neither this folder nor one above it is a project."""

    exit_code = 10
    hint = "Start one here with `aura init`, or name a project folder with `aura -C DIR …`."

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is not in a project (no .aura folder here or above)")
        self.path = path


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


class UnknownVersion(InputError):
    """No version goes by that name."""

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
    """Several versions go by that name."""

    exit_code = 21

    def __init__(self, name: str, candidates: Sequence[str]) -> None:
        super().__init__(f"{name!r} could be {' or '.join(candidates)}")
        self.name, self.candidates = name, tuple(candidates)
        self.hint = "Use one of those names."


class InvalidName(InputError):
    """Not a name that a branch, tag, remote or lock can have."""

    exit_code = 22
    hint = "Names have letters, digits, '.', '_', '-' and '/', and begin with a letter or digit."

    def __init__(self, kind: str, name: str, reason: str) -> None:
        super().__init__(f"{name!r} cannot name a {kind}: {reason}")
        self.kind, self.name, self.reason = kind, name, reason


class NameTaken(InputError):
    """`create` refuses a name that exists."""

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
            self.hint = f"Did you mean {', '.join(near)}?"


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
    """A branch or tag stands on the version; deleting it would leave that name on nothing."""

    exit_code = 26

    def __init__(self, version: str, holder: str, *, hint: str) -> None:
        super().__init__(f"{version} cannot be deleted: {holder} stands on it", hint=hint)
        self.version, self.holder = version, holder


class OperationExpired(InputError):
    """The content that would bring it back has been collected."""

    exit_code = 27
    hint = "Content is kept for the grace period of `aura gc`, then it is gone."

    def __init__(self, operation: str, missing: str) -> None:
        super().__init__(f"{operation} can no longer be taken back: {missing} has been collected")
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
    """Another command holds the lock and did not let go in time."""

    exit_code = 44
    hint = "Wait for it to finish and run the command again. Locks of dead processes free themselves."

    def __init__(self, lock: str, waited_seconds: float, holder: str = "") -> None:
        by = f" by {holder}" if holder else ""
        super().__init__(f"The {lock} lock is held{by}; waited {waited_seconds:.0f} s")
        self.lock, self.waited_seconds, self.holder = lock, waited_seconds, holder


class IntegrityError(AuraError):
    """Stored data is not what it should be."""

    exit_code = 30
    hint = "`aura fsck` says what else is affected."


class ObjectMissing(IntegrityError):
    """The object is absent, and nobody freed it on purpose."""

    exit_code = 31

    def __init__(self, object_id: str, needed_by: str = "") -> None:
        super().__init__(f"Object {object_id} is missing" + (f" (needed by {needed_by})" if needed_by else ""))
        self.object_id, self.needed_by = object_id, needed_by


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


class RecordCorrupt(IntegrityError):
    """A ref, an operation or a settings file cannot be read."""

    exit_code = 34

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path} cannot be read: {detail}")
        self.path, self.detail = path, detail


class ObjectMalformed(IntegrityError):
    """The bytes hash well, but they are not a valid object of their kind."""

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


class LimitExceeded(IntegrityError):
    """Deeper, longer or larger than anything a project has."""

    exit_code = 37

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"{what} exceeds the limit of {limit:,}")
        self.what, self.limit = what, limit


class IndexDamaged(IntegrityError):
    """The index could not be read. It was removed: nothing is in it that the files do not say."""

    exit_code = 38
    hint = "Nothing is lost. Run the command again: the index is then built anew from the files."

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"The index {path} was damaged ({detail}) and has been removed")
        self.path, self.detail = path, detail


class StorageError(AuraError):
    """The disk, or what stands for one, refused."""

    exit_code = 43

    def __init__(self, action: str, path: str, reason: str) -> None:
        super().__init__(f"Cannot {action} {path}: {reason}")
        self.action, self.path, self.reason = action, path, reason


class StorageFull(StorageError):
    """No space or no quota is left; nothing was recorded."""

    exit_code = 41
    hint = "Free some space (`aura storage`, `aura gc --dry-run`) and run the command again."


class StorageDenied(StorageError):
    """Read-only, or not permitted."""

    exit_code = 42
    hint = "Check the folder's permissions and whether the disk is mounted read-only."


class Unfinished(AuraError):
    """The operation is recorded and has happened; refs or index could not follow yet."""

    exit_code = 45
    hint = "It has happened: do not repeat it. The next command brings the rest up to date."

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"{operation}, but could not finish: {reason}")
        self.operation, self.reason = operation, reason


class WorktreeError(AuraError):
    """The project's own files stand in the way."""

    exit_code = 50


class FileUnreadable(WorktreeError):
    """A file of the person's cannot be read."""

    exit_code = 51
    hint = "Make it readable, or name it in .auraignore."

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"Cannot read {path}: {reason}")
        self.path, self.reason = path, reason


class FileUnstable(WorktreeError):
    """A file kept changing while it was read, so no consistent copy could be made."""

    exit_code = 52
    hint = "Wait until the program that writes it is done, then run the command again."

    def __init__(self, paths: Sequence[str]) -> None:
        super().__init__(f"{', '.join(paths)} kept changing while being read")
        self.paths = tuple(paths)


class FileHeld(WorktreeError):
    """A file could not be replaced or removed; the folder was put back as it was."""

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
    """Names that this disk cannot have; nothing was changed."""

    exit_code = 55
    hint = "Rename it on a disk that can have it, commit there, and bring that version here."

    def __init__(self, paths: Sequence[str]) -> None:
        more = f" (and {len(paths) - 1} more names)" if len(paths) > 1 else ""
        super().__init__(f"This disk cannot have a file called {paths[0]}{more}")
        self.paths = tuple(paths)


class CompareError(AuraError):
    """Two or three things cannot be compared or joined as asked."""

    exit_code = 70


class PointerError(CompareError):
    """An address inside a document does not fit it."""

    exit_code = 71
    hint = "An address looks like /scenes/0/script; `aura diff --json` prints them."

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer!r} does not fit the document: {reason}")
        self.pointer, self.reason = pointer, reason


class PointerInvalid(PointerError):
    """The text is not a JSON pointer (RFC 6901)."""


class PointerUnknown(PointerError):
    """The pointer is well formed, but nothing is there."""


class PatchInvalid(CompareError):
    """The patch is not a list of RFC 6902 operations; nothing was changed."""

    exit_code = 72
    hint = "A patch is a JSON list as `aura diff --json` prints it under 'fields'."

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"Operation {position} of the patch is not valid: {reason}")
        self.position, self.reason = position, reason


class PatchFailed(CompareError):
    """An operation does not fit the document; nothing was changed."""

    exit_code = 73
    hint = "The patch was made for another version of the document. Nothing was changed."

    def __init__(self, position: int, op: str, path: str, reason: str) -> None:
        super().__init__(f"Operation {position} of the patch cannot {op} {path!r}: {reason}")
        self.position, self.op, self.path, self.reason = position, op, path, reason


class NotStructural(CompareError):
    """The bytes are no JSON document that can be compared or joined field by field."""

    exit_code = 74
    hint = "It is kept as it is, byte by byte, and compared as text."

    def __init__(self, reason: str) -> None:
        super().__init__(f"The document cannot be compared field by field: {reason}")
        self.reason = reason


class ConflictUnknown(CompareError):
    """There is no conflict at that place."""

    exit_code = 75
    hint = "`aura status` lists the conflicts that are left."

    def __init__(self, place: str, near: Sequence[str] = ()) -> None:
        super().__init__(f"There is no conflict at {place!r}")
        self.place, self.near = place, tuple(near)
        if near:
            self.hint = f"Conflicts are at {', '.join(near)}."


class ChoiceImpossible(CompareError):
    """The conflict cannot be resolved that way."""

    exit_code = 76

    def __init__(self, place: str, choice: str, reason: str, *, hint: str) -> None:
        super().__init__(f"{place!r} cannot be resolved with --{choice}: {reason}", hint=hint)
        self.place, self.choice, self.reason = place, choice, reason


class ProjectError(AuraError):
    """The project's documents or media cannot be used as asked."""

    exit_code = 60


class DocumentMalformed(ProjectError):
    """A document is not valid JSON."""

    exit_code = 61
    hint = "Correct it in a text editor, or restore it from the last version."

    def __init__(self, file: str, line: int, column: int, detail: str) -> None:
        super().__init__(f"{file} is not valid JSON: {detail} (line {line}, column {column})")
        self.file, self.line, self.column, self.detail = file, line, column, detail


class UnknownField(ProjectError):
    """A JSON pointer leads to nothing."""

    exit_code = 62

    def __init__(self, file: str, pointer: str, known: Sequence[str]) -> None:
        super().__init__(f"{file} has nothing at {pointer}")
        self.file, self.pointer, self.known = file, pointer, tuple(known)
        self.hint = f"There is: {', '.join(known[:12])}{' …' if len(known) > 12 else ''}" if known else ""


class InvalidValue(ProjectError):
    """A value that the field cannot have; nothing was changed."""

    exit_code = 63

    def __init__(self, file: str, pointer: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{file}{' at ' + pointer if pointer else ''}: {reason}", hint=hint)
        self.file, self.pointer, self.reason = file, pointer, reason


class MediaUnreadable(AuraError):
    """A picture, sound or clip is damaged, hostile, or of a kind that cannot be decoded."""

    exit_code = 46
    hint = "It is versioned byte by byte all the same. Open it in a player; if it fails there too, replace it."

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} cannot be decoded: {reason}")
        self.path, self.reason = path, reason


class ExtraMissing(AuraError):
    """An optional part of aura_vcs is not installed."""

    exit_code = 47

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs the optional part {extra!r} of aura_vcs")
        self.purpose, self.extra = purpose, extra
        self.hint = f"Install it with: pip install 'aura-vcs[{extra}]'"


class EncoderMissing(ProjectError):
    """The FFmpeg at hand cannot write that codec."""

    exit_code = 66
    hint = "Choose another preset, or install a PyAV build that has the encoder."

    def __init__(self, preset: str, encoder: str) -> None:
        super().__init__(f"The preset {preset!r} needs the encoder {encoder}, which this FFmpeg does not have")
        self.preset, self.encoder = preset, encoder


class ExportFailed(ProjectError):
    """The video could not be rendered; no file was left under its name."""

    exit_code = 67

    def __init__(self, reason: str, *, scene: str = "", hint: str = "") -> None:
        super().__init__(f"{scene}: {reason}" if scene else reason, hint=hint)
        self.reason, self.scene = reason, scene


class ExportCancelled(ProjectError):
    """The export was stopped on request; no file was left."""

    exit_code = 68

    def __init__(self, output: str) -> None:
        super().__init__(f"The export to {output} was cancelled")
        self.output = output


class InvalidTransition(ProjectError):
    """A job cannot go from the state it is in to the one asked for."""

    exit_code = 69

    def __init__(self, job: str, state: str, wanted: str, allowed: Sequence[str]) -> None:
        super().__init__(f"{job} is {state} and cannot become {wanted}")
        self.job, self.state, self.wanted = job, state, wanted
        self.hint = f"From {state} it can become {' or '.join(allowed)}." if allowed else f"{state} is final."


class StudioError(AuraError):
    """The studio's folder, or the making of a video, stands in the way."""

    exit_code = 80


class UnknownSetting(StudioError):
    """No configuration key is called so."""

    exit_code = 81

    def __init__(self, key: str, near: Sequence[str] = ()) -> None:
        super().__init__(f"There is no configuration key {key!r}")
        self.key, self.near = key, tuple(near)
        self.hint = f"Did you mean {', '.join(near)}?" if near else "`aura config describe` lists them all."


class SettingInvalid(StudioError):
    """A value that the key cannot have; nothing was changed. The value itself is never repeated."""

    exit_code = 82

    def __init__(self, key: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{key}: {reason}", hint=hint)
        self.key, self.reason = key, reason


class SecretUnavailable(StudioError):
    """A sensitive value cannot be encrypted or decrypted here."""

    exit_code = 83
    hint = "Set it again with `aura config set`."

    def __init__(self, key: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"The value of {key} cannot be used: {reason}", hint=hint)
        self.key, self.reason = key, reason


class TemplateProtected(StudioError):
    """A system template is never changed or deleted."""

    exit_code = 84

    def __init__(self, name: str, wanted: str) -> None:
        super().__init__(f"{name} is a system template and cannot be {wanted}")
        self.name, self.wanted = name, wanted
        self.hint = "Export it, and import the file under another name; the copy is yours."


class NothingToRecover(StudioError):
    """No valid checkpoint is left to resume from."""

    exit_code = 85

    def __init__(self, where: str, reasons: Sequence[str] = ()) -> None:
        super().__init__(f"{where} has no valid checkpoint" + (f": {'; '.join(reasons)}" if reasons else ""))
        self.where, self.reasons = where, tuple(reasons)
        self.hint = "Renderers save them with `aura checkpoint save`; `aura checkpoint list --all` shows all."


class EditedSince(StudioError):
    """A file was edited after what is to be taken back; nothing was touched."""

    exit_code = 86

    def __init__(self, path: str, operation: str, *, studio: bool = False) -> None:
        super().__init__(f"{path} was edited since {operation!r}; taking that back would lose the edit")
        self.path, self.operation = path, operation
        self.hint = f"See `aura diff {path}`; `aura restore VERSION -- {path}` brings an older state back."
        if studio:
            self.hint = "`aura ops --studio --json` shows what was there before; set it by hand."


class ActionBlocked(StudioError):
    """Later actions depend on the one that is to be taken back."""

    exit_code = 87

    def __init__(self, action: str, later: Sequence[str]) -> None:
        super().__init__(f"{action} cannot be taken back alone: {'; '.join(later)} came after it")
        self.action, self.later = action, tuple(later)
        self.hint = "Undo the later ones first, or all of them in turn with `aura undo`."


class ProjectDeleted(StudioError):
    """The project is deleted, or must be deleted before it is purged."""

    exit_code = 88


class TemplateUnusable(StudioError):
    """A template, or a file that should be one, is not."""

    exit_code = 89

    def __init__(self, name: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{name} cannot be used as a template: {reason}", hint=hint)
        self.name, self.reason = name, reason


class RemoteError(AuraError):
    """A remote refused. `remote` is its name or address, without credentials."""

    exit_code = 90

    def __init__(self, remote: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"{remote}: {reason}", hint=hint)
        self.remote, self.reason = remote, reason


class RemoteUnreachable(RemoteError):
    """No connection, or nothing at that address."""

    exit_code = 91
    hint = "Check the address and the connection, then run the command again; it goes on where it stopped."


class RemoteDenied(RemoteError):
    """Credentials or permissions are missing."""

    exit_code = 92
    hint = "Check the account's rights there. Credentials come from the environment or the usual files."


class RemoteMismatch(RemoteError):
    """Nothing of ours is there, or it belongs to another project."""

    exit_code = 93
    hint = "`aura remote show` prints the address that is used."


class RemoteUnsafe(RemoteError):
    """It answers yes to conditional writes without enforcing them: racing pushes would be lost."""

    exit_code = 94
    hint = "Use another kind of remote, or add it with --single-writer if only one machine ever pushes."


class RemoteRewound(RemoteError):
    """It shows an older state than this machine has seen there; nothing was taken from it."""

    exit_code = 95
    hint = "If it was restored from a backup, accept that with `aura remote check NAME --accept`, then push."


class RemoteCorrupt(RemoteError):
    """What it sent is not what it should be; nothing of it was kept."""

    exit_code = 96
    hint = "Nothing here was changed. Another machine's `aura push` may mend it; `aura fsck` checks this one."


class PushRejected(RemoteError):
    """The remote has work that is not here; nothing there was moved."""

    exit_code = 97
    hint = "Run `aura sync`: it fetches, then pushes. Both versions are kept whatever happens."

    def __init__(self, remote: str, branch: str, there: str) -> None:
        super().__init__(remote, f"branch {branch} has {there}, which is not here yet")
        self.branch, self.there = branch, there


class InvalidUrl(RemoteError):
    """Not the address of a remote, or one that could be used to run something."""

    exit_code = 98
    hint = "Addresses are a folder, ssh://user@host/path, host:path, s3://, gs://, az:// or https://…"


class HelperMissing(RemoteError):
    """Something that this kind of remote needs is not installed."""

    exit_code = 99


class PathLocked(RemoteError):
    """Somebody else has locked the file; nothing was moved."""

    exit_code = 100

    def __init__(self, remote: str, path: str, holder: str, reason: str, *, hint: str) -> None:
        super().__init__(remote, f"{path} is locked by {holder}{f': {reason}' if reason else ''}", hint=hint)
        self.path, self.holder = path, holder


class LocksUnsupported(RemoteError):
    """That kind of remote cannot keep locks apart that are taken at the same moment."""

    exit_code = 101
    hint = "Locks need a folder, SSH or a bucket that several machines may push to: `aura remote list`."


class RemoteLocked(RemoteError):
    """It is encrypted, and no passphrase or key file was given that opens it; nothing was written."""

    exit_code = 102
    hint = "Set AURA_PASSPHRASE or AURA_KEY_FILE, or run the command in a terminal: it asks."


class Problems(AuraError):
    """The work is done, except for what `problems` lists."""

    exit_code = 3

    def __init__(self, message: str, problems: Sequence[str]) -> None:
        super().__init__(message)
        self.problems = tuple(problems)
