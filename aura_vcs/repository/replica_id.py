"""Who and where we are, for records; and whether this copy of a project is the one it was.

A replica id belongs to one folder on one machine. When `local/` arrives elsewhere with a blind
copy, the place it names is not this one, and a new id is chosen: two copies never write one log.
"""

import os
import sys

import msgspec
from blake3 import blake3

from aura_vcs.codec import decode_record, encode_record
from aura_vcs.errors import InputError
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.ids import ReplicaId, is_replica_id, new_replica_id
from aura_vcs.layout import AURA, LOCAL, REPLICA
from aura_vcs.plain_text import clean_text
from aura_vcs.storage.local import LocalStorage

AUTHOR_LIMIT = 200
"""Characters of a name with a mail address."""


class ReplicaRecord(msgspec.Struct, frozen=True):
    """`local/replica.json`: this copy's id, and a hash of the place it was chosen for."""

    replica: ReplicaId
    place: str


class ReplicaIdentity(msgspec.Struct, frozen=True):
    """The id of this copy; whether it was chosen just now, and that because the copy has moved in."""

    replica: ReplicaId
    is_new: bool = False
    was_relocated: bool = False


def reading_replica(storage: LocalStorage, root: str) -> ReplicaIdentity:
    """Return the id of a copy that can only be read: the one it has, else one that its place gives, stored nowhere."""
    try:
        return ReplicaIdentity(decode_record(storage.read(REPLICA), ReplicaRecord, REPLICA).replica)
    except (FileNotFoundError, RecordCorrupt):
        return ReplicaIdentity(ReplicaId(_location_hash(root)[:12]))


def this_replica(storage: LocalStorage, root: str) -> ReplicaIdentity:
    """Return the id of this copy; one is chosen where there is none for this place."""
    place = _location_hash(root)
    try:
        record = decode_record(storage.read(REPLICA), ReplicaRecord, REPLICA)
        if record.place == place and is_replica_id(record.replica):
            return ReplicaIdentity(record.replica)
        moved = True
    except FileNotFoundError:
        moved = False
    except RecordCorrupt:
        moved = True
        storage.set_aside(REPLICA)
    replica = new_replica_id()
    put_replica(storage, root, replica)
    return ReplicaIdentity(replica, is_new=True, was_relocated=moved)


def put_replica(storage: LocalStorage, root: str, replica: ReplicaId) -> None:
    """Give this copy an id, durably."""
    storage.put(REPLICA, encode_record(ReplicaRecord(replica, _location_hash(root))))


def check_encoding() -> None:
    """Refuse to work where Python reads names of files otherwise than versions have them.

    Raises:
        InputError: they would be stored under other names.
    """
    encoding = sys.getfilesystemencoding()
    if encoding != "utf-8":
        hint = "Start Python in its UTF-8 mode: `python -X utf8`, or PYTHONUTF8=1 in the environment."
        raise InputError(f"This Python reads names of files as {encoding}; a project has them as UTF-8", hint=hint)


def _location_hash(root: str) -> str:
    """Hash the machine and the folder. The inode distinguishes a copy from the original."""
    folder = os.path.join(root, AURA, LOCAL)
    try:
        inode = os.lstat(folder).st_ino
    except FileNotFoundError:  # a copy that can only be read, and came without it
        inode = os.lstat(os.path.dirname(folder)).st_ino
    return blake3(f"{_machine()}:{inode}".encode()).hexdigest()[:32]


def _machine() -> str:
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            with open(path, encoding="utf-8") as file:
                if text := file.read().strip():
                    return text
        except (OSError, UnicodeError):
            continue
    return host_name()


def host_name() -> str:
    """Return what this machine calls itself."""
    if hasattr(os, "uname"):
        return os.uname().nodename
    import platform

    return platform.node()


def author_name(given: object = None) -> str:
    """Return who works here, for what is recorded: a text, what a function answers, or else the account's name.

    Raises:
        InputError: the text is too long for a name.
    """
    name = given() if callable(given) else given
    if not (isinstance(name, str) and name):
        return full_name()[:AUTHOR_LIMIT]
    clean = clean_text(name)
    if len(clean) > AUTHOR_LIMIT:
        raise InputError(
            f"The name of who works here has {len(clean)} characters; {AUTHOR_LIMIT} is the limit",
            hint="It comes from --author, AURA_AUTHOR, or else `aura config get identity.name`.",
        )
    return clean


def full_name() -> str:
    """Return the full name that the system has of the account's owner, else the account's name."""
    if os.name != "nt":
        import pwd

        try:
            full = pwd.getpwuid(os.getuid()).pw_gecos.partition(",")[0]
        except KeyError:
            full = ""
        if name := "".join(letter for letter in clean_text(full) if letter.isprintable()).strip():
            return name
    return user_name()


def user_name() -> str:
    """Return the account's name, as the system has it."""
    if os.name == "nt":
        return os.getlogin()
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
