"""What a damaged remote needs to be whole again, and where each object of it can be had.

From here, where it is sound; else from a damaged pack there, if it is sound in it; else from nowhere.
The walk goes from the versions down, through what is whole there and through what is here.
"""

from collections import defaultdict
from collections.abc import Collection

from aura_vcs.codec import decode_tree, decode_version
from aura_vcs.errors.integrity import IntegrityError, ObjectMissing
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.model import Kind, Tree
from aura_vcs.objects.base import IDENTIFY
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.objects.graph import NOTHING, Below, ancestry
from aura_vcs.objects.packs.verify import check_chunk_list
from aura_vcs.objects.packs.writer import is_nonce
from aura_vcs.progress import Progress
from aura_vcs.sync.maintenance.local_objects import OwnObjects
from aura_vcs.sync.maintenance.remote_labels import RemoteLabels
from aura_vcs.sync.maintenance.scan_remote import RemoteIntactObjects
from aura_vcs.sync.state.manifest import Manifest, PackInfo
from aura_vcs.sync.state.pack_table import RemoteObject
from aura_vcs.sync.state.snapshot import named_versions
from aura_vcs.sync.transfer.push_negotiation import ObjectToSend

Lost = frozenset[ObjectId]


class RemoteNeeds:
    """Collects what is to be sent from here (`send`) and written anew from damaged packs (`carry`).

    `lost` are objects that versions need and that neither side has, with these versions. `is_blind` tells
    that a version or folder is among them: what else it needs is not known. Then all that damaged packs
    hold is kept, and `unsaved` is what of it is not to be had.
    """

    def __init__(
        self, sound: RemoteIntactObjects, own: OwnObjects, progress: Progress, freed: Collection[ObjectId] = ()
    ) -> None:
        self._sound = sound
        self._own = own
        self._freed = freed
        self._progress = progress
        self._below = Below(self)
        self._lost_versions: dict[VersionId, Lost] = {}
        """Versions that were looked at, and themselves where they are lost."""
        self._trees: dict[VersionId, ObjectId | None] = {}
        self._numbers: dict[VersionId, int] = {}
        self.send: dict[ObjectId, ObjectToSend] = {}
        self.carry: dict[ObjectId, RemoteObject] = {}
        self.lost: defaultdict[ObjectId, set[str]] = defaultdict(set)
        self.is_blind = False
        self.unsaved: set[ObjectId] = set()
        self.wrong_lists: set[tuple[PackInfo, ObjectId]] = set()
        """Lists in packs that looked whole, with chunks that nobody has: the content was found without them."""

    def ancestry(self, manifest: Manifest, labels: RemoteLabels) -> set[VersionId]:
        """Look for every version that a label, branch or tag names; returns those that branches build on."""
        reached = set(ancestry(named_versions(manifest), self._version))
        for version in labels.all():
            self._version(version)
        return reached

    def name(self, version: VersionId, labels: RemoteLabels) -> str:
        """Name a version for messages."""
        label = labels.get(version)
        number = label.number if label is not None else self._numbers.get(version)
        return version[:12] if number is None else f"v{number}"

    def content(self, manifest: Manifest, labels: RemoteLabels) -> None:
        """Look for what the versions hold.

        Of those that no live label, branch or tag asks for, what is still to be had is kept, and what is
        not is not missed: a collection may have let it go.
        """
        found, named = labels.all(), named_versions(manifest)
        self._progress.start("Looking for what is needed", len(self._trees), "versions")
        for version, tree in self._trees.items():
            label, lost = found.get(version), self._lost_versions[version]
            if tree is not None and (label is None or label.purged_at is None):
                below = self._below.tree(tree)
                lost |= below if version in named or (label is not None and label.is_live) else NOTHING
            for object_id in lost:
                self.lost[object_id].add(self.name(version, labels))
            self._progress.advance(1)
        self._progress.finish()
        if self.is_blind:
            self._save_all()

    def _version(self, version: VersionId) -> tuple[VersionId, ...]:
        if version in self._lost_versions:
            return ()
        self._lost_versions[version] = NOTHING
        data = self._obtain(version, Kind.VERSION, "version")
        if data is None:
            self._lost_versions[version], self._trees[version] = frozenset({version}), None
            self.is_blind = True
            return ()
        found = decode_version(data, version)
        self._trees[version], self._numbers[version] = found.tree, found.number
        return found.parents

    def open_tree(self, tree: ObjectId, path: str) -> tuple[Tree | None, Lost]:
        """Get a tree from where it is to be had, or say that it is lost; see Question."""
        data = self._obtain(tree, Kind.TREE, f"{path}/")
        if data is None:
            self.is_blind = True
            return None, frozenset({tree})
        return decode_tree(data, tree), NOTHING

    def ask_blob(self, blob: ObjectId, path: str) -> Lost:
        """Find what of a file's content is lost; see Question."""
        found = self._sound.whole.find(blob)
        if found is not None and not found.entry.chunked:
            return NOTHING
        lost = self._find_content(blob, path)
        return NOTHING if blob in self._freed else lost  # a recipe makes it

    def _obtain(self, object_id: ObjectId, kind: Kind, path: str) -> bytes | None:
        """Obtain a version or tree; note where it is to come from, if the remote does not have it whole."""
        data, whole = self._own.read(object_id, kind), self._sound.whole.find(object_id)
        if data is not None:
            if whole is None:
                self.send[object_id] = ObjectToSend(object_id, kind, path)
            return data
        found = whole or self._sound.rest.get(object_id)
        if found is None:
            return None
        data = self._sound.raw(found)
        if IDENTIFY[kind](data) != object_id:
            return None
        if whole is None:
            self.carry[object_id] = found
        return data

    def _find_content(self, blob: ObjectId, path: str) -> Lost:
        """Find the content of a file that is not whole there in one piece; returns what of it is lost."""
        whole, rest = self._sound.whole.find(blob), self._sound.rest.get(blob)
        listed = None if whole is None else self._sound.raw(whole)
        if listed is not None and not self._chunks(blob, listed, path):
            return NOTHING
        own = None
        if self._own.has_blob(blob) or ((own := self._own.listed(blob)) is not None and self._fits(blob, own)):
            self.send[blob] = ObjectToSend(blob, Kind.BLOB, path)
            if whole is not None and listed != own:
                self.wrong_lists.add((whole.pack, blob))
            if own is not None:
                self._chunks(blob, own, path)
            return NOTHING
        if rest is not None and (listed is None or not rest.entry.chunked):
            self.carry[blob] = rest
            if whole is not None:
                self.wrong_lists.add((whole.pack, blob))
            return self._chunks(blob, self._sound.raw(rest), path) if rest.entry.chunked else NOTHING
        listed = listed or own
        return (self._chunks(blob, listed, path) if listed is not None else NOTHING) or frozenset({blob})

    def _chunks(self, blob: ObjectId, listed: bytes, path: str) -> Lost:
        """Find the chunks of a list; returns those that are lost."""
        try:
            chunks = dict(decode_chunk_list(listed, blob))
        except IntegrityError:
            return frozenset({blob})
        lacking = [chunk for chunk in chunks if chunk not in self._sound.whole]
        self._own.expect(lacking)
        return frozenset(chunk for chunk in lacking if not self._take(chunk, path))

    def _take(self, chunk: ObjectId, path: str) -> bool:
        if chunk in self.send or chunk in self.carry:
            return True
        if self._own.read(chunk, Kind.CHUNK) is not None:
            self.send[chunk] = ObjectToSend(chunk, Kind.CHUNK, path)
        elif (found := self._sound.rest.get(chunk)) is not None and not found.entry.chunked:
            self.carry[chunk] = found
        else:
            return False
        return True

    def _fits(self, blob: ObjectId, listed: bytes) -> bool:
        """Tell whether all chunks of a list can be had, and are the content of the blob."""

        def read(chunk: ObjectId) -> bytes:
            data = self._own.read(chunk, Kind.CHUNK)
            found = self._sound.find(chunk) if data is None else None
            if found is not None and not found.entry.chunked:
                data = self._sound.raw(found)
            if data is None:
                raise ObjectMissing(chunk)
            return data

        try:
            self._own.expect(chunk for chunk, _ in decode_chunk_list(listed, blob))
            check_chunk_list(blob, listed, read)
        except IntegrityError:
            return False
        return True

    def _save_all(self) -> None:
        """Nobody can tell what of damaged packs is needed: keep all that is to be had."""
        for look in self._sound.damaged().values():
            for entry in look.footer.entries if look.footer is not None else ():
                if entry.id in self._sound.whole or entry.id in self.send or entry.id in self.carry:
                    continue
                if self._own.read(entry.id, entry.kind) is not None:
                    self.send[entry.id] = ObjectToSend(entry.id, entry.kind, "")
                elif (found := self._sound.rest.get(entry.id)) is not None:
                    self.carry[entry.id] = found
                elif not is_nonce(entry):
                    self.unsaved.add(entry.id)
