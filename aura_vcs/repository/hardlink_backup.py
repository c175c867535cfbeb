"""Second names for stored files, so that a deletion that travels cannot take what is needed here.

A tool that synchronises a project folder file by file carries deletions, too: what one machine
collected is deleted on another, which may have made a version with it meanwhile, offline. So every
file below `objects/` has a second name (a hard link, which takes no room) in `local/kept/`, which no
tool carries. A file that somebody else deleted has only that name left: it is restored if something
here needs what is in it and nothing else has it, and let go of otherwise.

Only where other replicas are known. On a disk without hard links there are no second names.
"""

from collections.abc import Iterable, Mapping

from aura_vcs import layout
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.ids import ObjectId, is_object_id
from aura_vcs.index.index import Index
from aura_vcs.index.queries import Queries
from aura_vcs.layout import COMPRESSED, OBJECTS, hardlink_path
from aura_vcs.objects.availability import find_in_packs, offloaded_chunks
from aura_vcs.objects.packs.reader import OpenPack
from aura_vcs.objects.store import ObjectStore
from aura_vcs.refs.refs import Refs
from aura_vcs.storage.local import LocalStorage

_PACKS = layout.PACKS.removeprefix(f"{OBJECTS}/")
_PACK = ".pack"


class HardlinkBackup:
    """The second names of the files of one project."""

    def __init__(self, storage: LocalStorage, refs: Refs, store: ObjectStore, index: Index, queries: Queries) -> None:
        self._storage = storage
        self._index = index
        self._store = store
        self._queries = queries
        self._refs = refs

    def link_all(self) -> set[str]:
        """Give a second name to every stored file without one; returns those that have only that left."""
        here, kept = self._names(OBJECTS), self._names(layout.HARDLINK_BACKUP)
        for name in sorted(here - kept):
            if not self._storage.link(f"{OBJECTS}/{name}", hardlink_path(name)):
                break  # this disk has no links, or the file is gone already
        return kept - here

    def restore_temporarily(self, gone: Iterable[str]) -> dict[str, set[ObjectId]]:
        """Restore the files that have something that nothing else has, until `prune` decides.

        So whatever is counted meanwhile can be read. Returns the files with what only they have; the
        others of `gone` were moved by whoever deleted them, and lose their second names.
        """
        held = {name: objects for name in sorted(gone) if (objects := self._objects(name)) is not None}
        present = self.present() if held else set()
        lent = {}
        for name, objects in held.items():
            missing = objects - present
            if not missing:
                self._storage.forget(hardlink_path(name))
            elif self._storage.link(hardlink_path(name), f"{OBJECTS}/{name}"):
                lent[name] = missing
                present |= missing
        return lent

    def prune(self, lent: Mapping[str, set[ObjectId]]) -> list[str]:
        """Leave the files of `lent` that are needed where they are, let go of the others.

        Returns those that stay. The caller holds the refs lock, and the index is current.
        """
        needed = self._reachable(set().union(*lent.values())) if lent else set()
        stay = []
        for name, objects in lent.items():
            if objects & needed:
                stay.append(name)
                continue
            held = self._queries.held(objects)
            self._index.forget(objects - held)
            self._index.mark_offloaded(held)
            self._store.packs.forget(name.removeprefix(f"{_PACKS}/").removesuffix(_PACK))
            self._storage.delete(f"{OBJECTS}/{name}")
            self._storage.forget(hardlink_path(name))
        return stay

    def forget(self, path: str) -> None:
        """Let go of the second name of a file below `.aura`: it is damaged."""
        self._storage.forget(hardlink_path(path.removeprefix(f"{OBJECTS}/")))

    def forget_copies(self) -> None:
        """Let go of second names that are not the only ones: in a copied folder they are files of their own."""
        for name in self._names(layout.HARDLINK_BACKUP) & self._names(OBJECTS):
            self._storage.forget(hardlink_path(name))

    def _reachable(self, objects: set[ObjectId]) -> set[ObjectId]:
        """Return what a live version or a checkpoint holds and is not offloaded; all of it where a deleted version
        has a name on it."""
        queries = self._queries
        named = {entry.version for name in self._refs.branches() for entry in self._refs.branch_entries(name)}
        named |= {tag.version for tag in self._refs.tags().values()}
        for version in named:
            record = queries.version(version) if version is not None else None
            if record is not None and record.deleted_at is not None and record.purged_at is None:
                return objects
        if self._storage.stat(layout.PENDING) is not None:
            return objects
        return (queries.held(objects) - self._offloaded()) | (objects & self._refs.checkpoint_objects())

    def _offloaded(self) -> set[ObjectId]:
        """Return what is gone on purpose, because a remote holds it: blobs that were whole, and chunks of others."""
        store = self._store
        recorded = store.offloaded.all()
        if not recorded:
            return set()
        places = find_in_packs(store, recorded)
        whole = {blob for blob in recorded if blob not in places or not places[blob].chunked}
        return whole | offloaded_chunks(store, recorded)

    def present(self) -> set[ObjectId]:
        """Return every object that is stored now, as the files say: the index may not be there yet."""
        found: set[ObjectId] = set()
        for name in self._names(OBJECTS):
            found |= self._objects(name, f"{OBJECTS}/{name}") or set()
        return found

    def _objects(self, name: str, path: str | None = None) -> set[ObjectId] | None:
        """Return what is in a file of objects, by default the backup of that name; None if that cannot be read."""
        folder, _, file = name.partition("/")
        if folder != _PACKS:
            object_id = ObjectId(folder + file.removesuffix(COMPRESSED))
            return {object_id} if is_object_id(object_id) else None
        try:
            with self._storage.open(path or hardlink_path(name)) as opened:
                return {entry.id for entry in OpenPack(opened, file.removesuffix(_PACK)).footer.entries}
        except (RecordCorrupt, FileNotFoundError):
            return None

    def _names(self, root: str) -> set[str]:
        """Return the files of objects below `root`, as `ab/cdef…` or `packs/….pack`."""
        found = set()
        for folder in self._storage.list(root):
            if folder == _PACKS:
                found |= {f"{folder}/{name}" for name in self._storage.list(f"{root}/{folder}") if name.endswith(_PACK)}
            elif len(folder) == 2:
                found |= {
                    f"{folder}/{name}"
                    for name in self._storage.list(f"{root}/{folder}")
                    if is_object_id(folder + name.removesuffix(COMPRESSED))
                }
        return found
