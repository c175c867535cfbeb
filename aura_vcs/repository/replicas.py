"""The other machines that work in copies of this project folder, and what each has read of us.

Every replica says in `refs/replicas/` how far it has read the logs of the others. A deletion is an
operation in a log: whoever has read it knows that the content goes. What was deleted is collected
when every other replica has said so, with all its own versions here that it had made until then.
"""

import time

import msgspec

from aura_vcs import layout
from aura_vcs.codec import decode_record, encode_record
from aura_vcs.errors.integrity import RecordCorrupt, StorageError
from aura_vcs.ids import ObjectId, ReplicaId, VersionId, is_object_id, is_replica_id
from aura_vcs.index.index import Index
from aura_vcs.model import Reading
from aura_vcs.operation_log import OperationLogs
from aura_vcs.plain_text import now
from aura_vcs.storage.local import LocalStorage

SILENT_SECONDS = 90 * 86400
"""A replica of which nothing came for so long is not waited for any more."""


class OtherReplica(msgspec.Struct, frozen=True):
    """Another replica: its machine's name where that is known, when something of it came last
    (seconds since 1970), and the time of our operation up to which it has read our log.

    What became garbage until `read_until` is known there as garbage; "" if it never read our log, or if
    something that it made is not here yet.
    """

    replica: ReplicaId
    host: str
    last_seen: float
    read_until: str


class OtherReplicas:
    """The other replicas of one project."""

    def __init__(self, storage: LocalStorage, logs: OperationLogs, index: Index) -> None:
        self._storage = storage
        self._logs = logs
        self._index = index

    def known_replicas(self) -> set[ReplicaId]:
        """Return every other replica that left something here. Looks at two folders' names."""
        names = [name.split(".", 1)[0] for name in self._storage.list(layout.OPERATIONS)]
        names += [name.split(".", 1)[0].split(" ", 1)[0] for name in self._storage.list(layout.REPLICAS)]
        return {ReplicaId(name) for name in names if is_replica_id(name)} - {self._logs.replica}

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
            heard_at = self._last_seen(replica)
            if heard_at >= limit:
                reading = readings.get(replica)
                host = reading.host if reading is not None else self._host(replica)
                found.append(OtherReplica(replica, host, heard_at, self._read_until(reading)))
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
