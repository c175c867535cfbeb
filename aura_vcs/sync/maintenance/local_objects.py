"""Objects of this project for a remote that lacks them: what is sound here, hashed as it is read.

Nothing is fetched for it: what is offloaded is not here.
"""

from collections.abc import Iterable

from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import ObjectMissing
from aura_vcs.ids import ObjectId
from aura_vcs.index.rebuild import READ_LIMIT
from aura_vcs.model import Kind
from aura_vcs.objects.availability import find_in_packs, offloaded_chunks
from aura_vcs.objects.base import IDENTIFY, PackLocation
from aura_vcs.repository.repository import Repository


class OwnObjects:
    """What this project can give."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._places: dict[ObjectId, PackLocation | None] = {}
        self._away: set[ObjectId] | None = None

    def expect(self, object_ids: Iterable[ObjectId]) -> None:
        """Look for many at once what will be asked for: one search through the packs instead of many."""
        new = set(object_ids) - self._places.keys()
        if new:
            self._places |= dict.fromkeys(new) | find_in_packs(self._repo.store, new)

    def read(self, object_id: ObjectId, kind: Kind) -> bytes | None:
        """Read the bytes of a whole object and hash them; return None if it is not here, or damaged here."""
        try:
            if self._repo.store.loose.find(object_id) is not None:
                data = self._repo.store.loose.read(object_id)
            elif (place := self._place(object_id)) is not None and not place.chunked:
                data = self._repo.store.packs.read(place)
            else:
                return None
        except (AuraError, OSError):
            return None
        return data if IDENTIFY[kind](data) == object_id else None

    def chunk(self, chunk: ObjectId) -> bytes:
        """Read the bytes of a chunk, hashed.

        Raises:
            ObjectMissing: it is not here, or damaged here.
        """
        data = self.read(chunk, Kind.CHUNK)
        if data is None:
            raise ObjectMissing(chunk)
        return data

    def listed(self, blob: ObjectId) -> bytes | None:
        """Read the list of a blob's chunks as packs have it; only hashing the chunks tells whether it is right."""
        try:
            place = None if self._repo.store.loose.find(blob) is not None else self._place(blob)
            return self._repo.store.packs.read(place) if place is not None and place.chunked else None
        except (AuraError, OSError):
            return None

    def has_blob(self, blob: ObjectId) -> bool:
        """Tell whether a blob is here in one piece, and hashes to its name."""
        found = self._repo.store.loose.find(blob)
        if found is None or found[1] <= READ_LIMIT:
            return self.read(blob, Kind.BLOB) is not None
        try:
            self._repo.store.verify(blob, Kind.BLOB)
        except (AuraError, OSError):
            return False
        return True

    def is_offloaded(self, object_id: ObjectId) -> bool:
        """Tell whether the object was offloaded: it is not here on purpose."""
        if self._away is None:
            recorded = self._repo.store.offloaded.all()
            self._away = {*recorded, *offloaded_chunks(self._repo.store, recorded)} if recorded else set()
        return object_id in self._away

    def _place(self, object_id: ObjectId) -> PackLocation | None:
        self.expect([object_id])
        return self._places[object_id]
