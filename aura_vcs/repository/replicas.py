"""The machines that work in copies of this project folder: which one we are, and what each has read of us.

A replica id belongs to one folder on one machine. When `local/` arrives elsewhere with a blind
copy, the place it names is not this one, and a new id is chosen: two copies never write one log.

Every replica says in `refs/replicas/` how far it has read the logs of the others. A deletion is an
operation in a log: whoever has read it knows that the content goes. What was deleted is collected
when every other replica has said so, with all its own versions here that it had made until then.
"""

import os
import sys
import time
from typing import TYPE_CHECKING

import msgspec
from blake3 import blake3

from aura_vcs import layout
from aura_vcs.codec import decode_record, encode_record
from aura_vcs.errors import InputError
from aura_vcs.errors.integrity import RecordCorrupt, StorageError, StorageFull
from aura_vcs.ids import ObjectId, ReplicaId, VersionId, is_object_id, is_replica_id, new_replica_id
from aura_vcs.layout import AURA, LOCAL, REPLICA, SCAN_CACHE
from aura_vcs.model import Reading
from aura_vcs.plain_text import clean_text, now
from aura_vcs.progress import Progress

if TYPE_CHECKING:
    from aura_vcs.index.index import Index
    from aura_vcs.operation_log import OperationLogs
    from aura_vcs.storage.local import LocalStorage

SILENT_SECONDS = 90 * 86400
"""A replica of which nothing came for so long is not waited for any more."""

NO_ROOM = (
    "The disk is full: this copy of the project can be looked at, and nothing can be recorded until there is room."
)
"""What is said where a copy has no room for an id of its own."""


class OtherReplica(msgspec.Struct, frozen=True):
    """Another replica: its machine's name where that is known, when something of it came last
    (seconds since 1970), and the time of our operation up to which it has read our log.

    What became garbage until `read_until` is known there as garbage; "" if it never read our log, or if
    something that it made is not here yet.
    """

    replica: ReplicaId
    host: str
    read_until: str


class OtherReplicas:
    """The other replicas of one project."""

    def __init__(self, storage: "LocalStorage", logs: "OperationLogs", index: "Index") -> None:
        self._storage = storage
        self._logs = logs
        self._index = index

    def known_replicas(self) -> set[ReplicaId]:
        """Return every other replica that left something here. Looks at two folders' names."""
        own, found = self._logs.replica, set[ReplicaId]()
        for folder in (layout.OPERATIONS, layout.REPLICAS):
            for file in self._storage.list(folder):
                name = file.split(".", 1)[0]
                if folder == layout.REPLICAS:
                    name = name.split(" ", 1)[0]
                if name != own and is_replica_id(name):
                    found.add(ReplicaId(name))
        return found

    def publish_read_positions(self, host: str, author: str) -> None:
        """Write our own reading, if it has moved. What cannot be written is left: others wait longer.

        A machine that has never done anything here writes nothing: nobody waits for it.
        """
        sequence = self._index.end_of_log(self._logs.replica)[1]
        if not sequence:
            return
        read = {replica: self._index.end_of_log(replica)[1] for replica in sorted(self.known_replicas())}
        own = self.readings().get(self._logs.replica)
        if own is not None and own.read == read:
            return
        reading = Reading(self._logs.replica, sequence, read, host, now(), author)
        try:
            self._storage.put(layout.replica_ref(self._logs.replica), encode_record(reading))
        except StorageError:
            return

    def readings(self) -> dict[ReplicaId, Reading]:
        """Read what every replica says of itself; of several copies the one with the highest sequence number."""
        found: dict[ReplicaId, Reading] = {}
        for name in self._storage.list(layout.REPLICAS):
            path = f"{layout.REPLICAS}/{name}"
            try:
                reading = decode_record(self._storage.read(path), Reading, path)
            except (RecordCorrupt, FileNotFoundError):
                continue
            known = found.get(reading.replica)
            if known is None or known.sequence <= reading.sequence:
                found[reading.replica] = reading
        return found

    def active_replicas(self) -> list[OtherReplica]:
        """List the other replicas that are not silent, and up to where each has read. Opens their logs."""
        readings = self.readings()
        limit = time.time() - SILENT_SECONDS
        found = []
        for replica in sorted(self.known_replicas()):
            if self._last_seen(replica) >= limit:
                reading = readings.get(replica)
                host = reading.host if reading is not None else self._host(replica)
                found.append(OtherReplica(replica, host, self._read_until(reading)))
        return found

    def _read_until(self, reading: Reading | None) -> str:
        if reading is None or not self._has_synced(reading):
            return ""
        return self._index.time_of(self._logs.replica, reading.read.get(self._logs.replica, 0))

    def _has_synced(self, reading: Reading) -> bool:
        """Tell whether all versions are here that the replica had made or changed when it wrote its reading."""
        if self._index.is_waiting() or self._index.end_of_log(reading.replica)[1] < reading.sequence:
            return False
        return all(self._index.knows(version) for version in self._named_in_log(reading))

    def _named_in_log(self, reading: Reading) -> set[VersionId]:
        named = set()
        for line in self._logs.read_of(reading.replica):
            if line.operation is None or line.operation.sequence > reading.sequence:
                continue
            for ref in line.operation.refs:
                room, _, name = ref.partition("/")
                if room == "versions" and is_object_id(name):
                    named.add(VersionId(ObjectId(name)))
        return named

    def _last_seen(self, replica: ReplicaId) -> float:
        names = [layout.replica_ref(replica), layout.operations_log(replica)]
        stats = [self._storage.stat(name) for name in names]
        return max((found.mtime_ns / 1e9 for found in stats if found is not None), default=0.0)

    def _host(self, replica: ReplicaId) -> str:
        for line in self._logs.read_of(replica):
            if line.operation is not None:
                return line.operation.host
        return ""


AUTHOR_LIMIT = 200
"""Characters of a name with a mail address."""


class ReplicaRecord(msgspec.Struct, frozen=True):
    """`local/replica.json`: this copy's id, and a hash of the place it was chosen for."""

    replica: ReplicaId
    place: str


class ReplicaIdentity(msgspec.Struct, frozen=True):
    """The id of this copy; whether it was chosen just now, and that because the copy has moved in.

    `is_unstored` is one that a copy goes by which can only be read.
    """

    replica: ReplicaId
    is_new: bool = False
    was_relocated: bool = False
    is_unstored: bool = False


def reading_replica(storage: "LocalStorage", root: str) -> ReplicaIdentity:
    """Return the id of a copy that can only be read: the one it has, else one that its place gives, stored nowhere."""
    try:
        replica = decode_record(storage.read(REPLICA), ReplicaRecord, REPLICA).replica
    except (FileNotFoundError, RecordCorrupt):
        replica = ReplicaId(_location_hash(root)[:12])
    return ReplicaIdentity(replica, is_unstored=True)


def this_replica(storage: "LocalStorage", root: str) -> ReplicaIdentity:
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


def identify(storage: "LocalStorage", root: str, progress: Progress, *, is_read_only: bool) -> ReplicaIdentity:
    """Return the id of this copy, chosen if need be; one that is not stored where nothing can be written.

    On a full disk the room for a new id is what the copy has noted of files' dates, which are those of another
    folder. Where even that is too little, the copy can only be read.
    """
    if is_read_only:
        return reading_replica(storage, root)
    try:
        return this_replica(storage, root)
    except StorageFull:
        storage.forget(SCAN_CACHE)
    try:
        return this_replica(storage, root)
    except StorageFull:
        progress.note(NO_ROOM)
        return reading_replica(storage, root)


def put_replica(storage: "LocalStorage", root: str, replica: ReplicaId) -> None:
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
