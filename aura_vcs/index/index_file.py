"""Where the index lies: in the project, in a spare place where that cannot be written, at last in memory."""

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from aura_vcs import layout
from aura_vcs.errors.integrity import StorageDenied, StorageError, StorageFull
from aura_vcs.ids import ReplicaId
from aura_vcs.index.database import Database, IndexUnusable
from aura_vcs.objects.availability import OffloadedRecords
from aura_vcs.operation_log import OperationLogs
from aura_vcs.refs.refs import Refs
from aura_vcs.storage import databases
from aura_vcs.storage.local import LocalStorage

if TYPE_CHECKING:
    from aura_vcs.objects.availability import FetchOffloaded
    from aura_vcs.objects.base import LocationIndex
    from aura_vcs.objects.store import ObjectStore
    from aura_vcs.objects.trees import TreeReader

Place = tuple[LocalStorage | None, str]
"""A storage and a name in it; no storage: memory."""
_MEMORY: Place = (None, "")


class Files:
    """The files of a project, of which the index is a projection."""

    def __init__(self, storage: LocalStorage, refs: Refs, logs: OperationLogs) -> None:
        self.storage = storage
        self.refs = refs
        self.logs = logs
        self._locations: LocationIndex | None = None
        self._fetch: FetchOffloaded | None = None

    @cached_property
    def offloaded(self) -> OffloadedRecords:
        """What of the content is offloaded; for a look at the records the store is not needed."""
        return OffloadedRecords(self.storage)

    @cached_property
    def store(self) -> "ObjectStore":
        """The objects."""
        from aura_vcs.objects.store import ObjectStore  # `log` and a clean `status` read no object

        return ObjectStore(self.storage, self._locations, self._fetch, replica=self.logs.replica)

    @cached_property
    def trees(self) -> "TreeReader":
        """Trees and versions, decoded."""
        from aura_vcs.objects.trees import TreeReader  # as the store

        return TreeReader(self.store)

    def set_locations(self, locations: "LocationIndex") -> None:
        """Let the store ask this index where objects lie."""
        self._locations = locations
        if "store" in self.__dict__:
            self.store.places = locations

    def set_fetch(self, fetch: "FetchOffloaded") -> None:
        """Let the store get with this what is offloaded, when it is needed."""
        self._fetch = fetch
        if "store" in self.__dict__:
            self.store.fetch = fetch

    def set_replica(self, replica: ReplicaId) -> None:
        """Write under another replica id from now on."""
        self.logs.replica = replica
        if "store" in self.__dict__:
            self.store.set_replica(replica)

    def forget_unrecorded(self) -> None:
        """Note that what was stored is recorded now."""
        if "store" in self.__dict__:
            self.store.forget_unrecorded()

    def close(self) -> None:
        """Let go of open packs."""
        if "store" in self.__dict__:
            self.store.close()


class IndexFile:
    """Opens, removes and replaces the file of the index."""

    def __init__(self, place: Place, spare: Place | None = None) -> None:
        self._place = place
        self._spare = spare

    @property
    def is_on_disk(self) -> bool:
        """Whether there is a file."""
        return self._place[0] is not None

    def open(self) -> tuple[Database, bool]:
        """Open the index, and say whether it is new: then it has to be built.

        Where it cannot be written, that is in the spare place, and at last in memory.
        """
        for place in (self._place, self._spare):
            if place is None:
                continue
            self._place = place
            try:
                return self._open_here()
            except (StorageDenied, StorageFull):
                continue
        self._place = _MEMORY
        return self._open_here()

    def start_over(self) -> Database:
        """Begin with an empty file; in memory where the disk does not let go of the old one."""
        try:
            self.remove()
            return Database(*self._place)
        except (StorageDenied, StorageFull):
            self._place = _MEMORY
            return Database(*self._place)

    def give_up(self) -> None:
        """Give the disk back what the file takes; the database goes on in memory."""
        with suppress(StorageError):
            self.remove()
        self._place = _MEMORY

    def remove(self) -> None:
        """Delete the file, if there is one, and what was made of it for searching."""
        storage, name = self._place
        if storage is not None:
            databases.remove(storage, name)
        self.forget_texts()

    @property
    def texts_place(self) -> Place:
        """Where the texts of versions lie that searches made: beside the index; no storage where that is in memory."""
        storage, name = self._place
        return storage, layout.SEARCH if name == layout.INDEX else f"{name}-search"

    def forget_texts(self) -> None:
        """Delete the texts of versions, also of such as are gone: the next search reads them again."""
        storage, name = self.texts_place
        if storage is not None and storage.look(name) is not None:
            databases.remove(storage, name)

    def _open_here(self) -> tuple[Database, bool]:
        try:
            database = Database(*self._place)
            return database, not database.has_schema()
        except IndexUnusable:
            self.remove()
            return Database(*self._place), True
