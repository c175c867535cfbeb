"""The plain data of a project: what is stored, in memory.

Every struct is frozen. Paths are `str` with "/" between parts, relative to the project folder;
bytes of a name that are not UTF-8 are carried as lone surrogates (PEP 383), as `os.fsdecode`
gives them. Times are UTC in RFC 3339 with microseconds and a final "Z".
"""

from enum import StrEnum
from typing import Any

import msgspec

from aura_vcs.ids import ObjectId, OperationId, ReplicaId, VersionId

DOCUMENTS = ("brief", "plan", "voice", "render", "timeline")
"""The five specifications whose hashes every version carries."""

ORIGIN = "origin"
"""The key of a version's extra data that says where it was imported from, such as `git 1f3c…`."""
DEFAULT_BRANCH = "main"
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".tif", ".tiff", ".bmp", ".exr", ".dpx", ".psd")
"""How the names of still pictures end."""
PROVENANCE_ENDING = ".provenance.json"
"""What files are called that say where the file beside them comes from: `sky.png.provenance.json`."""
SESSION = "session"
"""The key of an operation's payload that says in which session of a program it was done."""
GRACE_SECONDS = 14 * 86400
"""How long deleted content can be brought back, unless gc is told otherwise."""


class Kind(StrEnum):
    """What an object is."""

    BLOB = "blob"
    TREE = "tree"
    VERSION = "version"
    CHUNK = "chunk"


class EntryKind(StrEnum):
    """What an entry of a tree is."""

    FILE = "file"
    DIR = "dir"
    SYMLINK = "symlink"


class VersionType(StrEnum):
    """Why a version was made."""

    MANUAL = "manual"
    AUTOSAVE = "autosave"
    RESTORE_POINT = "restore_point"


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One name in a tree.

    `size` counts bytes: of the file, of a symlink's target, or of all files below a folder.
    """

    name: str
    kind: EntryKind
    id: ObjectId
    size: int
    executable: bool = False


class Tree(msgspec.Struct, frozen=True):
    """A folder: its entries, sorted by the bytes of their names."""

    entries: tuple[Entry, ...]

    @property
    def size(self) -> int:
        """Bytes of all files below."""
        return sum([entry.size for entry in self.entries])


class Version(msgspec.Struct, frozen=True):
    """A snapshot of the whole folder; immutable, identified by the hash of its JSON.

    `documents` maps each of DOCUMENTS to the id of its blob, or None where there is none.
    `size` counts the bytes of all files of the tree. `extra` is what another program said of it, by key; under
    ORIGIN it has the id that the version has where it was imported from.
    """

    number: int
    parents: tuple[VersionId, ...]
    tree: ObjectId
    type: VersionType
    name: str
    description: str
    author: str
    created_at: str
    project: str
    documents: dict[str, ObjectId | None]
    size: int
    trigger: str | None = None
    extra: dict[str, str] = {}


class Label(msgspec.Struct, frozen=True):
    """What may change about a version: its ref, `refs/versions/<id>.json`.

    `stamps` holds, per changed field, a counter and the replica that set it; two copies of a
    label merge field by field, the higher stamp winning (a Lamport clock, so no wall clock
    decides). Fields without a stamp are as they were when the version was made. `branch` is
    the branch it was made on and never changes.
    """

    version: VersionId
    number: int
    name: str
    branch: str | None = None
    description: str = ""
    important: bool = False
    deleted_at: str | None = None
    deleted_by: str | None = None
    purged_at: str | None = None
    purged_by: str | None = None
    purge_reason: str | None = None
    stamps: dict[str, tuple[int, ReplicaId]] = {}
    updated_at: str | None = None
    updated_by: str | None = None

    @property
    def is_live(self) -> bool:
        """Whether the content of the version is wanted: it is neither deleted nor purged."""
        return self.deleted_at is None and self.purged_at is None


class BranchEntry(msgspec.Struct, frozen=True):
    """Where one replica says a branch is: `refs/branches/<name>/<replica>.json`.

    `counter` grows with every move this replica makes; `seen` holds the counters of the others
    that it knew of then. `version` is None where the branch was deleted.
    """

    replica: ReplicaId
    version: VersionId | None
    counter: int
    seen: dict[ReplicaId, int]
    updated_at: str
    updated_by: str


class Tag(msgspec.Struct, frozen=True):
    """A name that stays on a version: `refs/tags/<name>.json`. Deleted: `version` is None.

    `seen` holds, for other replicas, the counter of the last change to the tag that this one takes into account;
    None where it was written before tags said so, or builds on one that was. `extra` is what other programs keep of
    it, as in Version: what a tag of git said, word for word.
    """

    version: VersionId | None
    message: str
    created_at: str
    created_by: str
    stamp: tuple[int, ReplicaId]
    seen: dict[ReplicaId, int] | None = None
    extra: dict[str, str] = {}


class Field(msgspec.Struct, frozen=True):
    """One setting of the project, or one fact about its state; None where it was unset.

    `stamp` orders the values that machines gave it, as in Label.
    """

    value: Any
    stamp: tuple[int, ReplicaId]
    updated_at: str
    updated_by: str


class Fields(msgspec.Struct, frozen=True):
    """`refs/settings/<replica>.json` (what this machine set for the project) and `local/state.json`
    (where its making stands on this machine). Settings merge value by value, the higher stamp winning.
    """

    fields: dict[str, Field] = {}


class Annotation(msgspec.Struct, frozen=True):
    """What was said about versions or content, field by field: a note, a provenance or a recipe.

    `refs/notes/<id>.json` has an id of its own; `refs/provenance/<id>.json` and `refs/recipes/<id>.json` have that of
    the blob they are about. Two copies merge as settings do: of each field, the value with the higher stamp counts.
    """

    id: str
    fields: dict[str, Field] = {}


class Reading(msgspec.Struct, frozen=True):
    """How far one replica has read the logs of the others: `refs/replicas/<replica>.json`.

    When it had read them up to the sequence numbers in `read`, its own log was at `sequence`.
    """

    replica: ReplicaId
    sequence: int
    read: dict[ReplicaId, int]
    host: str
    updated_at: str
    updated_by: str


class Head(msgspec.Struct, frozen=True):
    """Where the worktree is: `local/HEAD.json`.

    `branch` is None after the checkout of an older version; `version` is None before the first
    commit. `version` is what the worktree is based on: whatever it has otherwise is unsaved.
    """

    branch: str | None
    version: VersionId | None


class RefChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """A ref before and after an operation; None where it did not exist."""

    before: Any = None
    after: Any = None


class HeadChange(msgspec.Struct, frozen=True):
    """HEAD before and after an operation."""

    before: Head
    after: Head


class TreeChange(msgspec.Struct, frozen=True):
    """The worktree before and after an operation, as ids of trees.

    They differ where files were replaced. What both have alike was not touched, and is not always what was there.
    """

    before: ObjectId
    after: ObjectId


class Inverse(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an operation is taken back: a type, and what the changes listed do not already tell."""

    type: str
    payload: dict[str, Any] = {}


class Operation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of `operations/<replica>.jsonl`: something that was done, and how to undo it.

    `refs` maps names such as `branches/main/<replica>` and `versions/<id>` to their change.
    An operation without `inverse` is not undone itself (a garbage collection; a restore point,
    which only adds). `undoes` and `redoes` name the operation they act on.
    """

    id: OperationId
    replica: ReplicaId
    sequence: int
    type: str
    description: str
    user: str
    host: str
    time: str
    refs: dict[str, RefChange] = {}
    head: HeadChange | None = None
    worktree: TreeChange | None = None
    inverse: Inverse | None = None
    undoes: OperationId | None = None
    redoes: OperationId | None = None
    payload: dict[str, Any] = {}
    can_batch: bool = False
    expires_at: str | None = None
    correlation_id: str | None = None
    error_message: str | None = None


class Format(msgspec.Struct, frozen=True):
    """`format.json`: what a reader must understand before it touches anything."""

    format: int
    project: str
    features: tuple[str, ...] = ()
