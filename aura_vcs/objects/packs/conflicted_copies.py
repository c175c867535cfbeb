"""Stored files under names that a sync tool gave them: "x (conflict_on_…).pack", "x.sync-conflict-….zst".

What a file holds says what it is: a pack is known by its footer, a loose object by the digits its name begins
with and, when it is read, by its hash. So a copy that was set aside is not damage, and may be all that is left.
"""

from collections.abc import Iterator

from aura_vcs.errors.integrity import RecordCorrupt, StorageError
from aura_vcs.ids import ID_LENGTH, ObjectId, is_object_id
from aura_vcs.layout import COMPRESSED, OBJECTS, PACKS
from aura_vcs.objects.packs.format import TRAILER_BYTES, footer_length, pack_name
from aura_vcs.storage.base import Readable

PACK = ".pack"


class PackCopies:
    """The files among the packs of a store that are not called as their footers say."""

    def __init__(self, storage: Readable) -> None:
        self._storage = storage
        self._known: dict[str, str] = {}

    def named(self, files: list[str]) -> Iterator[tuple[str, str]]:
        """Yield files in the folder of packs that are packs under another name, each with its own."""
        for file in files:
            if PACK in file and not is_object_id(file.removesuffix(PACK)):
                name = self._known.get(file) or self._look(file)
                if name:
                    self._known[file] = name
                    yield file, name

    def find(self, name: str) -> str | None:
        """Find a file that is that pack, whatever it is called."""
        return next((file for file, own in self.named(self._storage.list(PACKS)) if own == name), None)

    def _look(self, file: str) -> str:
        """Read the name that a pack should have; "" if it has no valid end."""
        path = f"{PACKS}/{file}"
        try:
            with self._storage.open(path) as opened:
                size = opened.seek(0, 2)
                opened.seek(max(0, size - TRAILER_BYTES))
                trailer = opened.read(TRAILER_BYTES)
            footer_length(trailer, size, path)
            return pack_name(trailer)
        except (RecordCorrupt, StorageError, OSError):
            return ""


class LooseCopies:
    """The loose objects of a store whose files have something behind their names. Each folder is listed once."""

    def __init__(self, storage: Readable) -> None:
        self._storage = storage
        self._known: dict[str, dict[ObjectId, str]] = {}

    def find(self, object_id: ObjectId) -> str | None:
        """Find a file that may be the object."""
        prefix = object_id[:2]
        if prefix not in self._known:
            names = self._storage.list(f"{OBJECTS}/{prefix}")
            found = ((copied_id(prefix, name), name) for name in names)
            self._known[prefix] = {own: f"{OBJECTS}/{prefix}/{name}" for own, name in found if own is not None}
        return self._known[prefix].get(object_id)

    def forget(self, prefix: str) -> None:
        """Forget what was listed of a folder: it does not hold any more."""
        self._known.pop(prefix, None)


def copied_id(prefix: str, name: str) -> ObjectId | None:
    """Return the object that a file with something behind its name is; None if it is called properly, or is none."""
    digits, rest = name[: ID_LENGTH - 2], name[ID_LENGTH - 2 :]
    object_id = ObjectId(prefix + digits)
    if rest in {"", COMPRESSED} or rest[0].isalnum() or not is_object_id(object_id):
        return None
    return object_id
