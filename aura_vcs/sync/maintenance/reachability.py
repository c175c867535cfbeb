"""What of a remote's objects is in use, found from its own refs and labels."""

from collections.abc import Callable, Collection, Mapping

from aura_vcs.annotations.recipes import inputs_of_evicted
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.model import EntryKind, Label
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.progress import Progress
from aura_vcs.refs.annotations import RECIPE, freed_contents
from aura_vcs.sync.state.reader import RemoteReader
from aura_vcs.sync.state.snapshot import RemoteSnapshot, named_versions

HoldsContent = Callable[[Label], bool]


class RemoteReachability:
    """Marks what versions hold, from trees down to chunks. Closed: what cannot be read stops it."""

    def __init__(
        self,
        snapshot: RemoteSnapshot,
        reader: RemoteReader,
        progress: Progress,
        inputs: Collection[ObjectId] = (),
    ) -> None:
        """Look at a snapshot. `inputs` are what this machine knows that evicted content is made from."""
        self._snapshot = snapshot
        self._reader = reader
        self._progress = progress
        self._inputs = inputs
        self._freed: frozenset[ObjectId] = frozenset()
        """What nobody has to have: a recipe makes it."""

    def reachable(self, labels: Mapping[VersionId, Label], holds: HoldsContent) -> set[ObjectId]:
        """Find every object below the versions whose content `holds` says is wanted; versions themselves not.

        What evicted content is made from is among them, as far as it is there: the only copy of it may be.

        Raises:
            RemoteCorrupt: something that is needed is not there, or cannot be read.
        """
        marked: set[ObjectId] = {EMPTY_TREE_ID}
        annotations = self._snapshot.annotations().items()
        recipes = [item for name, item in annotations if name.startswith(f"{RECIPE}/")]
        self._freed = freed_contents(recipes)
        self._progress.start("Checking what is in use", len(labels), "versions")
        for version in [*labels, *(named_versions(self._snapshot.manifest) - labels.keys())]:
            if version not in labels:
                raise RemoteCorrupt(self._snapshot.remote.location, f"version {version[:12]} has no label")
            label = labels[version]
            self.mark(version, marked, content=holds(label), partly=not label.is_live)
            self._progress.advance(1)
        self._progress.finish()
        for blob in {*self._inputs, *inputs_of_evicted(recipes)} - marked:
            self._chunks(blob, marked, partly=True)
        return marked

    def mark(self, version: VersionId, marked: set[ObjectId], *, content: bool = True, partly: bool = False) -> None:
        """Look whether a version is there, and with `content` mark everything below it.

        With `partly`, what of it is not there is not missed: content of deleted versions is not sent,
        also if a name stands on them, and may have gone before the name came.

        Raises:
            RemoteCorrupt: something is not there, or cannot be read.
        """
        try:
            tree = self._reader.version(version).tree
            if content:
                self._tree(tree, marked, partly=partly)
        except IntegrityError as error:
            raise RemoteCorrupt(self._snapshot.remote.location, error.message) from error

    def _tree(self, tree: ObjectId, marked: set[ObjectId], *, partly: bool) -> None:
        waiting = [tree]
        while waiting:
            current = waiting.pop()
            if current in marked or (partly and not self._reader.has(current)):
                continue
            marked.add(current)
            for entry in self._reader.tree(current).entries:
                if entry.kind is EntryKind.DIR:
                    waiting.append(entry.id)
                elif entry.id not in marked:
                    self._chunks(entry.id, marked, partly=partly)

    def _chunks(self, blob: ObjectId, marked: set[ObjectId], *, partly: bool) -> None:
        if not self._reader.has(blob) and (partly or blob in self._freed):
            return
        marked.add(blob)
        found = self._reader.locate(blob)
        if not found.entry.chunked:
            return
        for chunk, length in decode_chunk_list(self._reader.raw(found), blob):
            if partly and not self._reader.has(chunk):
                continue
            if self._reader.locate(chunk).entry.length != length:
                raise RemoteCorrupt(self._snapshot.remote.location, f"the chunks of {blob[:12]} do not fit its list")
            marked.add(chunk)
