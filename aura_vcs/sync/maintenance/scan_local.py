"""Which objects of this project are sound, told by reading and hashing all of them."""

import stat

from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import IntegrityError, RecordUnreadable
from aura_vcs.ids import ObjectId
from aura_vcs.index.rebuild import READ_LIMIT
from aura_vcs.layout import COMPRESSED, loose_path, pack_path
from aura_vcs.model import Kind
from aura_vcs.objects.base import IDENTIFY, PackLocation, StoredObject
from aura_vcs.objects.loose import kind_of
from aura_vcs.objects.packs.format import PackEntry
from aura_vcs.repository.repository import Repository


class IntactObjects:
    """Where sound objects lie, and the files with damage.

    `damaged` has, for each damaged pack or loose file below `.aura`, the sound objects in it. A blob in
    chunks is sound here if its list is one; whether the chunks are its content is told by hashing them.
    """

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self.places: dict[ObjectId, PackLocation | None] = {}
        self.damaged: dict[str, list[StoredObject]] = {}
        self.unreadable: set[str] = set()
        """Those of the damaged files that the disk does not let us read: they may be whole."""
        self._packs: dict[str, list[StoredObject]] = {}

    def scan(self) -> None:
        """Read everything."""
        store = self._repo.store
        names = store.packs.names()
        self._repo.progress.start("Reading what is here", sum(map(store.packs.stored_size, names)), "bytes")
        for name in names:
            self._pack(name)
            self._repo.progress.advance(store.packs.stored_size(name))
        for object_id, size in store.loose.all():
            self._loose(object_id, size)
        self._repo.progress.finish()

    def has(self, object_id: ObjectId) -> bool:
        """Tell whether an intact copy is here."""
        return object_id in self.places

    def reject(self, object_id: ObjectId) -> None:
        """Note that a list of chunks is not its blob's, which no hash of its own tells: count it as damaged."""
        place = self.places.pop(object_id)
        if place is not None:
            sound = self.damaged.get(pack_path(place.pack), self._packs[place.pack])
            self.damaged[pack_path(place.pack)] = [item for item in sound if item.id != object_id]

    def _pack(self, name: str) -> None:
        packs = self._repo.store.packs
        try:
            footer = packs.footer(name)
            packs.check_size(name)
        except (AuraError, FileNotFoundError) as error:
            self.damaged[pack_path(name)] = []
            if self._is_refused(error, pack_path(name)):
                self.unreadable.add(pack_path(name))
            return
        sound: list[StoredObject] = []
        for number, frame in enumerate(footer.frames):
            entries = [entry for entry in footer.entries if entry.frame == number]
            try:
                data = memoryview(packs.read_frame(name, number))
                for entry in entries:
                    content = data[entry.offset : entry.offset + entry.length]
                    if entry.chunked or IDENTIFY[entry.kind](content) == entry.id:
                        sound.append(_stored(name, entry, frame.share_of(entry)))
            except IntegrityError as error:
                if self._is_refused(error, pack_path(name)):
                    self.unreadable.add(pack_path(name))
        self._packs[name] = sound
        self.places.update((item.id, item.location) for item in sound)
        if len(sound) < len(footer.entries):
            self.damaged[pack_path(name)] = sound

    def _loose(self, object_id: ObjectId, size: int) -> None:
        store = self._repo.store
        try:
            if size > READ_LIMIT:
                store.verify(object_id, Kind.BLOB)
                is_sound = True
            else:
                is_sound = kind_of(object_id, store.loose.read(object_id)) is not None
            trouble: BaseException | None = None
        except (AuraError, FileNotFoundError) as error:
            is_sound, trouble = False, error
        if is_sound:
            self.places[object_id] = None
            return
        for name in (loose_path(object_id), loose_path(object_id) + COMPRESSED):
            if self._repo.storage.stat(name) is not None:
                self.damaged[name] = []
                if trouble is not None and self._is_refused(trouble, name):
                    self.unreadable.add(name)

    def _is_refused(self, error: BaseException, name: str) -> bool:
        """Tell whether the disk does not let us read what is a file."""
        if not isinstance(error, RecordUnreadable) and not isinstance(error.__cause__, RecordUnreadable):
            return False
        found = self._repo.storage.look_around(name)
        return found is not None and stat.S_ISREG(found.st_mode)


def _stored(name: str, entry: PackEntry, share: int) -> StoredObject:
    place = PackLocation(name, entry.frame, entry.offset, entry.length, entry.chunked)
    return StoredObject(entry.id, entry.kind, entry.length, share, place)
