"""What this machine remembers of a remote, in `local/remotes/<name>/`: only to save requests.

state.json         the manifest that was seen last, and how far fetching and pushing got
key-file.json      where on this machine the key file of an encrypted remote lies
records/<id>       records that were fetched
footers/<id>       footers of packs that are not here
pieces/<id>        pieces of the list of packs that were fetched
objects.sqlite     which pack may hold an object, of remotes that hold very many
incoming/          packs that are being received: taken up again after an interruption
content/           packs with offloaded content on its way back
outgoing/          packs that were gathered for the way
"""

import re
from functools import cached_property
from typing import Protocol

import msgspec

from aura_vcs.codec import decode_record, encode_record
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.ids import ReplicaId, VersionId
from aura_vcs.layout import PACKS, encode_name, pack_path, remote_folder
from aura_vcs.repository.repository import Repository
from aura_vcs.storage import databases
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.sweep import sweep_temporary
from aura_vcs.sync.state.locations import RemoteLocations
from aura_vcs.sync.state.lock_record import PathLock

PART = ".part"
"""What the name of a pack that has not arrived as a whole ends in."""
_KEY_FILE = "key-file.json"
_OBJECTS = "objects.sqlite"
PACK_FILE = rf"[0-9a-f]{{64}}\.pack(?:{re.escape(PART)})?"
"""What packs are called here: of what is called otherwise, nothing is deleted."""
_CACHED_FILE = r"[0-9a-f]{64}"


class RemoteState(msgspec.Struct, frozen=True):
    """`state.json`. `counters` has, per branch and machine, how far its entry was.

    `fetched` and `pushed` name the states (remote's and ours) for which there is nothing to do;
    "" where there may be. `versions` counts the versions that the remote had labels of, `locks` are those
    that it had. `heads` has the versions that each of its branches stood on.
    """

    project: str = ""
    generation: int = -1
    digest: str = ""
    counters: dict[str, dict[ReplicaId, int]] = {}
    fetched: str = ""
    pushed: str = ""
    versions: int = 0
    locks: tuple[PathLock, ...] = ()
    heads: dict[str, tuple[VersionId, ...]] = {}


class KeyFile(msgspec.Struct, frozen=True):
    """`key-file.json`: an absolute path."""

    path: str


class CacheProtocol(Protocol):
    """What is asked of whoever remembers a remote, to look at it."""

    def state(self) -> RemoteState:
        """Return the state of the remote when it was seen last."""

    def remembered_piece(self, name: str) -> bytes | None:
        """Return a piece of the list of packs that was kept, also where nothing else that was is believed."""

    def cached(self, room: str, name: str) -> bytes | None:
        """Return the cached bytes, None if there are none; the caller checks them."""

    def store(self, room: str, name: str, data: bytes) -> None:
        """Keep bytes that can be fetched again."""

    def retain(self, room: str, names: set[str]) -> None:
        """Forget what the remote no longer lists."""

    def partial_range(self, pack: str, offset: int, length: int) -> bytes | None:
        """Read a range of a pack that is being received, None if it has not arrived yet."""

    def store_pack(self, pack: str, data: bytes) -> None:
        """Keep a whole pack that came in one piece."""

    def locations(self) -> RemoteLocations | None:
        """Open what is known of where objects lie there; None where nothing is remembered."""


class NullCache:
    """Remembers nothing: for a look at a remote that no project here has."""

    def state(self) -> RemoteState:
        """Return an empty state."""
        return RemoteState()

    def cached(self, room: str, name: str) -> None:
        """Return None: nothing is cached."""

    def remembered_piece(self, name: str) -> bytes | None:
        """Return None: nothing is cached."""

    def store(self, room: str, name: str, data: bytes) -> None:
        """Forgotten."""

    def retain(self, room: str, names: set[str]) -> None:
        """Do nothing: nothing is cached anyway."""

    def partial_range(self, pack: str, offset: int, length: int) -> None:
        """Return None: nothing is cached."""

    def store_pack(self, pack: str, data: bytes) -> None:
        """Forgotten."""

    def locations(self) -> None:
        """Return None: nothing is remembered."""


class UntrustedCache(NullCache):
    """Knows what was seen last, and believes no bytes that were kept: for a look at what is really there."""

    def __init__(self, cache: "RemoteCache") -> None:
        self._cache = cache

    def state(self) -> RemoteState:
        """Return the state of the remote when it was seen last."""
        return self._cache.state()

    def remembered_piece(self, name: str) -> bytes | None:
        """Return a piece that was kept: its name is its hash."""
        return self._cache.remembered_piece(name)


class RemoteCache:
    """The folder of one remote."""

    def __init__(self, repo: Repository, remote: str) -> None:
        self.name = remote
        self._storage = repo.scratch_storage
        self._folder = remote_folder(remote)
        self.lock = f"remote-{encode_name(remote)}"
        """The lock that a transfer holds: two at once would write into each other's unfinished packs."""

    @cached_property
    def incoming(self) -> LocalStorage:
        """The packs that are being received."""
        return self._storage.below(f"{self._folder}/incoming")

    @cached_property
    def content(self) -> LocalStorage:
        """The packs that are being received for offloaded content alone."""
        return self._storage.below(f"{self._folder}/content")

    @cached_property
    def outgoing(self) -> LocalStorage:
        """The packs that are being gathered to be sent."""
        return self._storage.below(f"{self._folder}/outgoing")

    def state(self) -> RemoteState:
        """Read the state of the remote when it was seen last; an empty state, where that cannot be read."""
        path = f"{self._folder}/state.json"
        try:
            return decode_record(self._storage.read(path), RemoteState, path)
        except (FileNotFoundError, RecordCorrupt):
            return RemoteState()

    def remember(self, seen: RemoteState) -> None:
        """Keep it for the next time."""
        self._storage.put(f"{self._folder}/state.json", encode_record(seen))

    def key_file(self) -> str:
        """Return the path of the remote's key file on this machine, "" where none was named."""
        path = f"{self._folder}/{_KEY_FILE}"
        try:
            return decode_record(self._storage.read(path), KeyFile, path).path
        except (FileNotFoundError, RecordCorrupt):
            return ""

    def remember_key_file(self, path: str) -> None:
        """Remember where the key file lies; the key itself stays there."""
        self._storage.put(f"{self._folder}/{_KEY_FILE}", encode_record(KeyFile(path)))

    def cached(self, room: str, name: str) -> bytes | None:
        """Read the cached bytes, None if there are none; the caller checks them."""
        try:
            return self._storage.read(f"{self._folder}/{room}/{name}")
        except FileNotFoundError:
            return None

    def remembered_piece(self, name: str) -> bytes | None:
        """See CacheProtocol."""
        return self.cached("pieces", name)

    def store(self, room: str, name: str, data: bytes) -> None:
        """Keep bytes that can be fetched again."""
        self._storage.put(f"{self._folder}/{room}/{name}", data)

    def retain(self, room: str, names: set[str]) -> None:
        """Forget what the remote no longer lists."""
        for name in self._storage.list(f"{self._folder}/{room}"):
            if name not in names and re.fullmatch(_CACHED_FILE, name):
                self._storage.delete(f"{self._folder}/{room}/{name}")

    def partial_range(self, pack: str, offset: int, length: int) -> bytes | None:
        """Read a range of a pack that is being received, None if it has not arrived yet."""
        for name in (pack_path(pack), pack_path(pack) + PART):
            found = self.incoming.stat(name)
            if found is not None and found.size >= offset + length:
                with self.incoming.open(name) as file:
                    file.seek(offset)
                    return file.read(length)
        return None

    def store_pack(self, pack: str, data: bytes) -> None:
        """Keep a whole pack that came in one piece, as if it had been received in parts."""
        self.incoming.append(pack_path(pack) + PART, data, at=0)

    def locations(self) -> RemoteLocations:
        """See CacheProtocol."""
        return RemoteLocations(self._storage, f"{self._folder}/{_OBJECTS}")

    def clear(self) -> None:
        """Remove everything that was remembered."""
        for room in ("records", "footers", "pieces"):
            self.retain(room, set())
        for storage in (self.incoming, self.content, self.outgoing):
            clear(storage)
        for file in ("state.json", _KEY_FILE):
            self._storage.delete(f"{self._folder}/{file}")
        if self._storage.look(f"{self._folder}/{_OBJECTS}") is not None:
            databases.remove(self._storage, f"{self._folder}/{_OBJECTS}")


def clear(storage: LocalStorage) -> None:
    """Remove the packs, whole and partial, that lie in a storage; nothing that is called otherwise."""
    for name in storage.list(PACKS):
        if re.fullmatch(PACK_FILE, name):
            storage.delete(f"{PACKS}/{name}")
    sweep_temporary(storage, older_than_seconds=0)
