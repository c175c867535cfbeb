"""Who can read a file that comes out of the store: nobody who cannot read what it replaces, or what is stored."""

import stat

from aura_vcs.errors import AuraError
from aura_vcs.ids import ObjectId
from aura_vcs.layout import OBJECTS, PACKS, pack_path
from aura_vcs.objects.availability import find_in_packs
from aura_vcs.objects.base import PackLocation
from aura_vcs.objects.store import ObjectStore
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.plain_files import readers_of
from aura_vcs.worktree.scan.cache import FileState

_OWNER_ALONE = 0o600


class StoredReaders:
    """Modes to make files with. Looks at every pack once: it is made anew for every checkout."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._packs: dict[str, int] = {}

    def making_mode(self, blob: ObjectId, place: PackLocation | None, replaced: FileState | None) -> int:
        """Return the mode to make a file with; while it is made, its owner may write to it.

        Where it replaces a file, it is that one's. Else nobody can read it who cannot read the stored blob, which
        lies at `place`, if that is known.
        """
        if replaced is not None and stat.S_ISREG(replaced.mode):
            return replaced.mode & 0o666 | 0o600
        try:
            return self._of_blob(blob, place)
        except (AuraError, OSError):  # it is told when the blob is read, which may also lie elsewhere
            return _OWNER_ALONE

    def of_stored(self, blob: ObjectId) -> int:
        """Return who can read a stored blob, as bits of a mode."""
        return self.making_mode(blob, None, None)

    def _of_blob(self, blob: ObjectId, place: PackLocation | None) -> int:
        """Return who can read a blob; of one in chunks, who can read the list and every chunk.

        What is not here comes from a remote, and follows the umask.
        """
        if place is None or place.chunked:
            loose = self._store.loose.find(blob)
            if loose is not None:
                return self._store.storage.readers(loose[0])
        if place is None:
            place = self._store.location(blob)
        if place is None:
            return 0o666
        mode = self._of_pack(place.pack)
        if place.chunked and mode != _OWNER_ALONE:
            for chunk in find_in_packs(self._store, set(self._store.chunk_ids(blob))).values():
                mode &= self._of_pack(chunk.pack)
        return mode

    def _of_pack(self, name: str) -> int:
        """Return who can read a pack; its owner alone, if it is not where the index says."""
        mode = self._packs.get(name)
        if mode is None:
            found = self._store.storage.look(pack_path(name))
            mode = self._packs[name] = _OWNER_ALONE if found is None else readers_of(found.st_mode)
        return mode


def stored_readers(storage: LocalStorage) -> int:
    """Return who can read everything in the store, as the mode for a file with all of it in."""
    folders = [PACKS, *(f"{OBJECTS}/{name}" for name in storage.list(OBJECTS) if len(name) == 2)]
    mode = 0o666
    for folder in folders:
        for name in storage.list(folder):
            mode &= storage.readers(f"{folder}/{name}")
    return mode
