"""Where things lie inside `.aura`: every path of the store, and the grammar of names.

Paths are relative to `.aura`, with "/" between parts. Branch and tag names become file names
by percent-encoding everything but lower-case letters, digits, ".", "_" and "-": two names that
differ only in case stay two on every file system, and no name is reserved anywhere.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter

from aura_vcs.errors.input import InvalidName
from aura_vcs.errors.integrity import RecordCorrupt, UnsafePath
from aura_vcs.ids import ObjectId, ReplicaId, VersionId

AURA = ".aura"
IGNORE_FILE = ".auraignore"
CONFLICTS = ".aura-conflicts.json"
"""Beside the person's files, and versioned with them: what merges left to decide."""

FORMAT = "format.json"
CONFIG = "config.json"
OBJECTS = "objects"
PACKS = "objects/packs"
REFS = "refs"
BRANCHES = "refs/branches"
TAGS = "refs/tags"
VERSIONS = "refs/versions"
CHECKPOINTS = "refs/checkpoints"
EXPORTS = "refs/exports"
SETTINGS = "refs/settings"
NOTES = "refs/notes"
PROVENANCE = "refs/provenance"
RECIPES = "refs/recipes"
ANNOTATION_ROOMS = ("notes", "provenance", "recipes")
"""The folders of annotations below `refs`, and what operations call what lies there: `notes/<id>`."""
FIELD_FOLDERS = ("settings", "state")
"""Values one by one: an operation names them `settings/<key>` and `state/<field>`."""
OPERATIONS = "operations"
OFFLOADED = "offloaded"
LOCAL = "local"
HEAD = "local/HEAD.json"
INDEX = "local/index.sqlite"
SEARCH = "local/search.sqlite"
SCAN_CACHE = "local/scan-cache"
WATCHER_SOCKET = "local/watcher.sock"
WATCHER_LOCK = "local/watcher.lock"
WATCHER_FAULT = "local/watcher-fault.json"
"""What the watcher of the project's files did not tell, found by a look at all of them: it is not asked any more."""
MEDIA_INDEX = "local/media-index"
LOCKS = "local/locks"
STAGED = "staged"
"""Below TEMPORARY: files that are laid out before they get their names."""
TEMPORARY = "local/tmp"
ASIDE = "local/aside"
RENDERS = "local/renders"
AGREED = "local/agreed-recipes"
PROVED = "local/proved-recipes"
QUEUED = "local/queued"
"""Where exports that were queued on this machine are to lie, by their ids."""
STATE = "local/state.json"
REPLICA = "local/replica.json"
PENDING = "local/pending.json"
LEFT_OUT = "local/left-out.json"
CLONING = "local/cloning.json"
REMOTES = "local/remotes"
EXCHANGE = "local/exchange"
"""What others read of the project, and send to it, where its folder is their remote; see sync.project_remote."""
LISTED = "local/listed"
OUTPUTS = "local/outputs"
HARDLINK_BACKUP = "local/kept"
LOG_COPIES = "local/log"
UNRECORDED = "local/unrecorded"
"""Lists of what this machine has stored and not recorded yet; see objects.unrecorded."""
REPORTED_IGNORED = "local/held-told"
"""Which paths the person was told of that are versioned although a rule ignores them."""
HOUSEKEEPING = "local/housekeeping.json"
EVICTION_MARKED = "local/eviction-marked.json"
LOOKED_INTO = "local/looked-into.json"
"""Which packs and objects hold nothing that can be taken apart; see maintenance.unwrapping."""
DAMAGED = "local/damaged"
CONFIG_COPY = "local/config.json"
REPLICAS = "refs/replicas"

COMPRESSED = ".zst"
PACKED_LABELS = ".labels"
PACKED_ANNOTATIONS = ".packed"
SEGMENT = ".zst"
NAME_LIMIT = 100
"""Characters in the name of a branch or tag."""
ENCODED_LIMIT = 200
"""Characters in the file name for one; every file system has room for more than that."""

TEMPORARY_FILE = r"\d+-[0-9a-f]{16}|[0-9a-f]{24}|clock-\d+-\d+"
"""What is given as a name below TEMPORARY; whatever is called otherwise there is not ours to sweep."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-")
_RESERVED = r"(?s)(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*([.:].*)?"
_RESERVED_STARTS = frozenset({"con", "prn", "aux", "nul", "com", "lpt"})
_IGNORABLE = dict.fromkeys([*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF], None)
"""Code points that HFS+ ignores when it compares names (git's CVE-2014-9390)."""
_FIRST = frozenset({".", "a", "A", *map(chr, _IGNORABLE)})
"""What a name for `.aura` can begin with; everything else is told at a glance."""
_SHORT_NAME = r"(?i)\.?aura\d*~\d+|au[0-9a-f]{4}~\d+"
"""8.3 names that NTFS gives `.aura`; the second form after the first few are taken."""


def loose_path(object_id: ObjectId) -> str:
    """Return the path of an uncompressed loose object; a compressed one has COMPRESSED after it."""
    return f"{OBJECTS}/{object_id[:2]}/{object_id[2:]}"


@lru_cache(maxsize=256)
def pack_path(pack: str) -> str:
    """Return the path of a pack."""
    return f"{PACKS}/{pack}.pack"


def version_ref(version: VersionId) -> str:
    """Return the ref with a version's label."""
    return f"{VERSIONS}/{version}.json"


def packed_refs(folder: str, digest: str, suffix: str) -> str:
    """Return the file with many refs of a folder; `digest` is the BLAKE3 of its decoded content."""
    return f"{folder}/{digest}{suffix}"


def branch_folder(branch: str) -> str:
    """Return the folder with one entry per replica."""
    return f"{BRANCHES}/{encode_name(branch)}"


def branch_ref(branch: str, replica: ReplicaId) -> str:
    """Return one replica's entry for a branch."""
    return f"{branch_folder(branch)}/{replica}.json"


def tag_ref(tag: str) -> str:
    """Return the ref of a tag."""
    return f"{TAGS}/{encode_name(tag)}.json"


def settings_ref(replica: ReplicaId) -> str:
    """Return the ref with the settings of the project that one replica gave."""
    return f"{SETTINGS}/{replica}.json"


def operations_log(replica: ReplicaId) -> str:
    """Return the log of what one replica did."""
    return f"{OPERATIONS}/{replica}.jsonl"


def log_copy(replica: ReplicaId) -> str:
    """Return this machine's copy of its own log, should a tool put that back to an older state."""
    return f"{LOG_COPIES}/{replica}.jsonl"


def replica_ref(replica: ReplicaId) -> str:
    """Return the ref that says how much a replica has read of what the others did."""
    return f"{REPLICAS}/{replica}.json"


def hardlink_path(name: str) -> str:
    """Return the second name, on this machine, of a file below `objects`."""
    return f"{HARDLINK_BACKUP}/{name}"


def damaged_path(name: str) -> str:
    """Return the path to which a repair sets a damaged file below `objects` aside."""
    return f"{DAMAGED}/{name}"


def offloaded_record(replica: ReplicaId) -> str:
    """Return the record of what one replica knows of content that only remotes have."""
    return f"{OFFLOADED}/{replica}.json"


def remote_folder(remote: str) -> str:
    """Return the folder with what this machine remembers of a remote: all of it can be fetched again."""
    return f"{REMOTES}/{encode_name(remote)}"


def operations_segment(replica: ReplicaId, first_sequence: int) -> str:
    """Return a closed part of a log, compressed; the number is its first operation's."""
    return f"{OPERATIONS}/{replica}.{first_sequence}{SEGMENT}"


def check_name(kind: str, name: str) -> str:
    """Return `name` if a branch, tag, remote or lock may be called so.

    Raises:
        InvalidName: says which rule it breaks.
    """
    reason = _name_fault(name)
    if reason:
        raise InvalidName(kind, name, reason)
    return name


def fold_path(path: str) -> str:
    """Fold a path as disks see it that ignore case and Unicode form."""
    if path.isascii():
        return path.lower()
    import unicodedata  # few names need it

    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


@lru_cache(maxsize=256)
def _name_fault(name: str) -> str:  # noqa: PLR0911 (one rule a line)
    import unicodedata  # only where a name is given

    if not name:
        return "it is empty"
    if len(name) > NAME_LIMIT or len(name.encode("utf-8", "surrogateescape")) > NAME_LIMIT:
        return f"it is longer than {NAME_LIMIT} bytes"
    if any(0xD800 <= ord(c) < 0xE000 for c in name):
        return "it has bytes in it that are not text"
    if len(encode_name(name)) > ENCODED_LIMIT:
        return "it is too long for a file name (capitals and accents count three times)"
    if not name[0].isalnum():
        return "it must begin with a letter or digit"
    if unicodedata.normalize("NFC", name) != name:
        return "it is not in Unicode's composed form"
    if bad := next((c for c in name if not (c.isalnum() or c in "._-/" or unicodedata.category(c) == "Mn")), None):
        return f"it has {bad!r} in it"
    if "//" in name or ".." in name or name.endswith(("/", ".lock")):
        return "it has an empty part, '..', or ends in '/' or '.lock'"
    if name == "HEAD" or (name.startswith("v") and re.fullmatch(r"v\d+(\.[0-9a-f]+)?", name)):
        return "versions are called that"
    if 7 <= len(name) <= 64 and not name.strip("0123456789abcdef"):
        return "it looks like the id of an object"
    return ""


@lru_cache(maxsize=256)
def encode_name(name: str) -> str:
    """Encode the name of a branch or tag as a file name."""
    data = name.encode("utf-8")
    text = "".join(chr(b) if chr(b) in _PLAIN else f"%{b:02X}" for b in data)
    if _is_reserved(text) or text.startswith("."):
        text = f"%{data[0]:02X}{text[1:]}"
    return f"{text[:-1]}%2E" if text.endswith(".") else text


def decode_name(text: str) -> str:
    """Decode the name behind a file name of `encode_name`.

    Raises:
        RecordCorrupt: no name is encoded like that.
    """
    try:
        data = text.encode("ascii")
        if b"%" in data:
            data = re.sub(rb"%([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), data)
        return data.decode("utf-8")
    except UnicodeError as error:
        raise RecordCorrupt(text, "not the encoded name of a branch or tag") from error


def decode_names(files: Sequence[str]) -> list[str]:
    """Decode names of files to those of refs behind them; what cannot be a branch or tag of ours is passed over."""
    found = []
    for file in files:
        try:
            name = check_name("ref", decode_name(file))
        except (RecordCorrupt, InvalidName):
            continue
        if encode_name(name) == file:
            found.append(name)
    return found


def is_own_folder(name: str) -> bool:
    """Tell whether some file system takes `name` for `.aura`.

    Case folding, code points that HFS+ ignores, NTFS short names, trailing dots and spaces, and
    alternate data streams all count, on every system: a project made on one is opened on others.
    """
    if not name or name[0] not in _FIRST:
        return False
    folded = name.split(":", 1)[0].translate(_IGNORABLE).rstrip(". ").casefold()
    return folded == AURA or ("~" in folded and re.fullmatch(_SHORT_NAME, folded) is not None)


def _is_reserved(folded: str) -> bool:
    return folded[:3] in _RESERVED_STARTS and re.fullmatch(_RESERVED, folded) is not None


def is_entry_name(name: str) -> bool:
    """Tell whether `check_entry_name` takes a name that is not empty and has neither "/" nor NUL in it."""
    return name[0] not in _FIRST or (name not in {".", ".."} and not is_own_folder(name))


def are_entry_names(names: Sequence[str]) -> bool:
    """Tell the same of many names; most begin like none that has to be looked at."""
    if _FIRST.isdisjoint({*map(itemgetter(0), names)}):
        return True
    return all(map(is_entry_name, [name for name in names if name[0] in _FIRST]))


def check_entry_name(name: str) -> str:
    """Return `name` if a tree may hold it.

    Raises:
        UnsafePath: it would leave its folder, hide in another, or be taken for `.aura`.
    """
    if name in {"", ".", ".."}:
        raise UnsafePath(name, "it does not name a file")
    if "/" in name or "\0" in name:
        raise UnsafePath(name, "it holds a path separator or NUL")
    if is_own_folder(name):
        raise UnsafePath(name, "some file systems take it for .aura")
    return name


def check_windows_name(name: str) -> str:
    """Return `name` if Windows can have a file of that name, and it means that file only.

    Raises:
        UnsafePath: it would be a path, a drive, a device, a data stream, or another name.
    """
    if any(c in '<>:"/\\|?*' or c < " " for c in name):
        raise UnsafePath(name, "Windows gives a meaning to a character in it")
    if name != name.rstrip(". "):
        raise UnsafePath(name, "Windows drops dots and spaces at the end")
    if _is_reserved(name.casefold()):
        raise UnsafePath(name, "Windows has a device of that name")
    return check_entry_name(name)
