"""Every error of the library, one tree. Only the command line prints them and exits.

AuraError                    1   something failed
├── Interrupted            130   Ctrl-C or SIGTERM
├── InputError               2   what was asked for cannot be
│   ├── NotAProject         10     no `.aura` here or above
│   ├── ProjectExists       11     `init` where a project is
│   ├── FormatUnsupported   12     written by a newer aura_vcs
│   ├── ForeignOwner        13     another account owns it
│   ├── InvalidTarget       14     no such place that a note could be about
│   ├── InvalidFact         15     not what can be said of where a file comes from
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
│   │   └── NotArrived      40     of another machine's version, which a sync tool is bringing
│   ├── ObjectCorrupt       32     bytes that do not hash to the name
│   ├── ObjectPurged        33     freed on purpose; says by whom and when
│   ├── RecordCorrupt       34     a ref, log line or settings file cannot be read
│   ├── ObjectMalformed     35     hashes well, but is not a valid tree or version
│   ├── UnsafePath          36     a stored name that would escape or overwrite
│   │   └── LinkedPath      36     a link among our own files
│   ├── LimitExceeded       37     deeper or larger than anything sane
│   ├── IndexDamaged        38     the index was, and is gone; the next command builds it anew
│   └── ObjectOffloaded     39     a remote has it, and cannot be asked now
│       └── ObjectEvicted   39     freed because it can be made again
├── StorageError            43   the disk refused
│   ├── StorageFull         41     no space or quota left
│   ├── RecordUnreadable    43     one file of the store cannot be read (also a RecordCorrupt)
│   └── StorageDenied       42     read-only or not permitted
├── WorktreeError           50   the project's own files stand in the way
│   ├── FileUnreadable      51     a file of the person's cannot be read
│   ├── FileUnstable        52     it kept changing while it was read
│   ├── PathCollision       53     two paths are one on this file system
│   ├── FileHeld            54     it cannot be replaced: open in another program, or protected
│   ├── NameUnfit           55     this disk cannot have a file of that name
│   └── ProjectGone         56     the folder was moved, or its disk went away
├── Unfinished              45   it has happened, and the next command finishes it
├── MediaUnreadable         46   a picture, sound or clip cannot be decoded
├── ExtraMissing            47   an optional part of aura_vcs is not installed
├── OutputLost              48   what a command had to say could not be written
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
│   ├── RecipeFailed        64     a file could not be made again
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
│   ├── HelperMissing       99   an extra, `ssh`, or aura on the other side is missing
│   ├── PathLocked         100   somebody else has locked the file
│   ├── LocksUnsupported   101   that kind of remote cannot keep locks
│   ├── RemoteLocked       102   it is encrypted, and this does not open it
│   ├── RemoteUntrusted    103   only the project's files name that host
│   └── RemoteFull         104   no room is left there
├── InterchangeError       110   another program's files cannot be read or written as asked
│   ├── GitUnavailable     111   `git` is not installed, or failed
│   ├── NotAGitRepository  112   no git repository that can be read is there
│   ├── GitDamaged         113   an object of it is missing or damaged
│   ├── TargetExists       114   an export never writes over what is there
│   └── NotADatabase       115   no database of the Aura studio that can be read
└── Problems                 3   the work finished; some of it could not be done

Each family has a module here; what any part may meet is in this one.
"""

import re
from collections.abc import Sequence

_BEFORE_HOST = r"(?i)(\b[a-z][a-z0-9+.-]{0,20}:/{1,2}(?=[^/@\s]{0,500}:)|\bhttps?:/{1,2})[^/@\s]{1,500}@"
"""What stands before the host: a name and a password, or where a browser would ask for both, a token perhaps.

With one slash, too: so it is where an address was taken for a path.
"""
_BEFORE_SHORT_HOST = r"^((?:\./)?)[\w.-]{1,100}:[^/@\s]{1,500}@(?=[\w.-]{0,253}[:/])"
"""The same in an address without a scheme, as of `scp`."""
_IN_QUERY = (
    r"(?i)([?&][\w-]{0,40}(?:token|key|secret|pass|pwd|auth|sig|credential)[\w-]{0,40}=)"
    r"[^&#\s'\"<>]*[^&#\s'\"<>:,.;)]"
)
"""What an address says behind its `?` under a name that secrets have."""


class AuraError(Exception):
    """Something failed; `message` names the thing and the place, `hint` the way out."""

    exit_code = 1
    hint = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(without_passwords(message))
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


def without_passwords(text: str) -> str:
    """Return a text without the passwords and tokens of addresses in it: errors are shown, logged, sent to others."""
    if "@" in text:
        text = re.sub(_BEFORE_HOST, r"\1***@", text)
    return re.sub(_IN_QUERY, r"\1***", text) if "=" in text and "?" in text else text


def place_without_password(place: str) -> str:
    """Return an address or path without the password in it, also where no `://` says that it is an address."""
    return re.sub(_BEFORE_SHORT_HOST, r"\1***@", without_passwords(place)) if "@" in place else without_passwords(place)


def code_of(kind: type[AuraError]) -> str:
    """Return the stable word for a class of errors."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__).lstrip("_")


class Interrupted(AuraError):
    """The person stopped the command; the project is as before or as after."""

    exit_code = 130
    hint = "The project is consistent. Run the command again to finish."


class InputError(AuraError):
    """What was asked for is not possible."""

    exit_code = 2


class Unfinished(AuraError):
    """The operation is recorded and has happened; refs or index could not follow yet."""

    exit_code = 45
    hint = "It has happened: do not repeat it. The next command brings the rest up to date."

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"{operation}, but could not finish: {reason}")
        self.operation, self.reason = operation, reason


class MediaUnreadable(AuraError):
    """A picture, sound or clip is damaged, hostile, or of a kind that cannot be decoded."""

    exit_code = 46
    hint = "It is still saved in versions, byte for byte. Open it in a player; if it fails there too, replace it."

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


class OutputLost(AuraError):
    """The output could not be written: a full disk behind it, most likely. What the command was to do is done."""

    exit_code = 48
    hint = "Send it to a place that has room."

    def __init__(self, reason: str) -> None:
        super().__init__(f"The output could not be written: {reason}")
        self.reason = reason


class Problems(AuraError):
    """The work is done, except for what `problems` lists."""

    exit_code = 3

    def __init__(self, message: str, problems: Sequence[str]) -> None:
        super().__init__(message)
        self.problems = tuple(problems)
