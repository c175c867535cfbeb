"""Taking objects off the disk: loose files, whole packs, packs written anew without them."""

from collections.abc import Sequence

from aura_vcs.errors.integrity import IntegrityError, StorageFull
from aura_vcs.ids import ObjectId
from aura_vcs.index.records import ObjectRecord
from aura_vcs.layout import pack_path
from aura_vcs.maintenance.repack import rewrite
from aura_vcs.objects.base import PackLocation, StoredObject
from aura_vcs.objects.packs.writer import FRAME_BYTES
from aura_vcs.repository.repository import Repository


class ObjectRemoval:
    """Removes objects; the caller holds the objects lock alone.

    Garbage is forgotten; what is `offloaded` keeps its row, its size and its count.
    """

    def __init__(self, repo: Repository, *, offloaded: bool = False) -> None:
        self._repo = repo
        self._let_go = repo.index.mark_offloaded if offloaded else repo.index.forget

    def remove(self, unwanted: Sequence[ObjectRecord]) -> tuple[int, int]:
        """Remove the objects; returns how many went and the bytes that freed.

        Trees go first: a tree that is there has everything below it.
        """
        loose = [item for item in unwanted if item.pack is None]
        packed: dict[str, set[ObjectId]] = {}
        for item in unwanted:
            if item.pack is not None:
                packed.setdefault(item.pack, set()).add(item.id)
        self._repo.progress.start("Deleting", len(loose) + len(packed), "files")
        removed, freed = self._remove_loose(loose)
        living = {name: self._live_objects(name, ids) for name, ids in packed.items()}
        for name in sorted(packed, key=lambda name: bool(living[name])):  # what needs no room of its own goes first
            try:
                count, size = self._shrink(name, packed[name], living[name])
            except StorageFull:
                count, size = 0, 0
                self._repo.progress.note("The disk is too full to rewrite a pack; the next `aura gc` does it")
            removed, freed = removed + count, freed + size
            self._repo.progress.advance(1)
        self._repo.progress.finish()
        return removed, freed

    def _remove_loose(self, items: Sequence[ObjectRecord]) -> tuple[int, int]:
        freed = 0
        trees = [item.id for item in items if item.kind == "tree"]
        others = [item.id for item in items if item.kind != "tree"]
        for group in (trees, others):
            freed += self._repo.store.loose.delete(group)
            self._repo.progress.advance(len(group))
        self._let_go(item.id for item in items)
        return len(items), freed

    def _live_objects(self, name: str, unwanted: set[ObjectId]) -> list[StoredObject] | None:
        """List what else is in a pack; None where it is damaged: that is fsck's to report, not ours to delete."""
        try:
            return [item for item in self._repo.store.pack_objects(name) if item.id not in unwanted]
        except (IntegrityError, FileNotFoundError):
            return None

    def _shrink(self, name: str, unwanted: set[ObjectId], living: list[StoredObject] | None) -> tuple[int, int]:
        """Write the pack anew without `unwanted`."""
        if living is None:
            return 0, 0
        packs = self._repo.store.packs
        before = packs.stored_size(name)
        mode = self._repo.storage.readers(pack_path(name))
        order = sorted(living, key=_position)
        written = rewrite(self._repo, order, FRAME_BYTES, None, mode=mode) if living else ""
        after = packs.stored_size(written) if written else 0
        self._let_go(unwanted)
        self._repo.index.forget_packs([name])
        packs.delete(name)
        return len(unwanted), max(0, before - after)


def _position(item: StoredObject) -> tuple[int, int]:
    place: PackLocation | None = item.location
    return (0, 0) if place is None else (place.frame, place.offset)
