"""What a fetch is to bring: all that the remote's versions need and that is not here."""

from collections.abc import Iterable, Mapping, Sequence

from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import LimitExceeded
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.history.lookup.select_files import SelectedFile, is_document, shown_path
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.model import Kind, Label, Tree, Version
from aura_vcs.objects.chunking import LARGE_BYTES, decode_chunk_list
from aura_vcs.objects.graph import Folder, TreeVisit, UnreadableObject, Walk, ancestry
from aura_vcs.objects.trees import CACHED_ENTRIES
from aura_vcs.refs.annotations import RECIPE, freed_contents
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.state.manifest import EVICTED
from aura_vcs.sync.state.pack_table import PackTable
from aura_vcs.sync.state.reader import RemoteReader
from aura_vcs.sync.state.snapshot import RemoteSnapshot


class FetchNegotiation:
    """Walks from versions down to chunks and collects what is not here.

    What a live version here holds is here as a whole, or was offloaded on purpose, so the walk stops
    at it. With `partial`, the content of large files is left there; lists of chunks come.
    """

    def __init__(self, repo: Repository, snapshot: RemoteSnapshot, *, partial: bool) -> None:
        self._repo = repo
        self._snapshot = snapshot
        self._partial = partial
        self._queries = repo.queries
        self._reader: RemoteReader | None = None
        self._walk = Walk(self, prune=self._not_held)
        self.table: PackTable | None = None
        self.versions: dict[VersionId, Version] = {}
        self.needed: dict[ObjectId, Kind] = {}
        self.left: dict[ObjectId, SelectedFile] = {}
        self.evicted: dict[ObjectId, SelectedFile] = {}
        """What is not there because it can be made again, as a recipe that is there says."""
        self._freed: frozenset[ObjectId] | None = None
        self.trees: dict[ObjectId, Tree] = {}
        """Of the trees, as many as are kept decoded anyway: they are wanted again when the fetch is recorded."""
        self._kept_entries = 0

    def reader(self) -> RemoteReader:
        """Build the reader of the remote's objects; the footers come when it is asked for first."""
        if self._reader is None:
            self.table = self._snapshot.table(self._repo, fetching=True)
            self._reader = RemoteReader(self._snapshot, self.table)
        return self._reader

    def ancestry(self, roots: Iterable[VersionId]) -> None:
        """Collect versions that are not here, and those they build on."""
        for _ in ancestry(roots, self._version):
            pass

    def _version(self, version: VersionId) -> tuple[VersionId, ...]:
        """Collect a version, if it is not here; returns the parents to look at."""
        if version in self.versions or self._queries.version(version) is not None:
            return ()
        self.versions[version] = found = self.reader().version(version)
        self.needed[version] = Kind.VERSION
        if found.project != self._repo.format.project:
            raise RemoteCorrupt(self._snapshot.remote.location, f"version {version[:12]} belongs to another project")
        return found.parents

    def is_all_of(self, labels: Mapping[VersionId, Label]) -> bool:
        """Tell whether versions with these labels, all that the remote has, are wanted with all their content."""
        return (
            not self._partial
            and labels.keys() == self.versions.keys()
            and all(label.is_live for label in labels.values())
        )

    def content(self, version: VersionId) -> None:
        """Collect what the version's tree needs."""
        known = self.versions.get(version) or self._queries.version(version)
        if known is None:
            return
        blobs: dict[ObjectId, SelectedFile] = {}
        try:
            for folder in self._walk.below(TreeVisit(known.tree)):
                self._folder(folder, blobs)
        except LimitExceeded as error:
            raise RemoteCorrupt(
                self._snapshot.remote.location, f"in version {version[:12]}: {error.message}"
            ) from error
        self._blobs({blob: file for blob, file in blobs.items() if blob not in self.needed})

    def content_if_present(self, version: VersionId) -> None:
        """Add the content of a deleted version that a name stands on; what has gone at the remote is not missed."""
        record = self._queries.version(version)
        if record is not None and self._repo.store.contains(record.tree):
            return
        before = set(self._walk.seen), dict(self.needed), dict(self.left), dict(self.trees), dict(self.evicted)
        try:
            self.content(version)
            self.reader().require(self.needed.keys() - before[1].keys())
        except RemoteCorrupt:
            self._walk.seen, self.needed, self.left, self.trees, self.evicted = before

    def tree(self, tree: ObjectId) -> Tree:
        """Read a tree there, as the walk does."""
        return self.reader().tree(tree)

    def fault(self, object_id: ObjectId, error: AuraError) -> UnreadableObject | None:
        """Say what an error there means for the object."""
        return self.reader().fault(object_id, error)

    def _not_held(self, level: Sequence[TreeVisit]) -> list[TreeVisit]:
        held = self._queries.held({step.id for step in level})
        return sorted((step for step in level if step.id not in held), key=lambda step: step.id)

    def _folder(self, folder: Folder, blobs: dict[ObjectId, SelectedFile]) -> None:
        """Collect a folder that is not here; its files are added to `blobs`."""
        self.needed[folder.id] = Kind.TREE
        if self._kept_entries < CACHED_ENTRIES:
            self.trees[folder.id] = folder.tree
            self._kept_entries += len(folder.entries)
        for path, entry in folder.files():
            blobs.setdefault(entry.id, SelectedFile(entry.id, path, entry.size))

    def _blobs(self, blobs: dict[ObjectId, SelectedFile]) -> None:
        lacking = blobs.keys() - self.left.keys() - self._queries.held(blobs)
        if evicted := self._evicted(lacking):
            self.evicted |= {blob: blobs[blob] for blob in evicted}
            lacking -= evicted
        if not lacking:
            return
        self.reader().require(lacking)
        large = {b for b in lacking if blobs[b].size >= LARGE_BYTES} if self._partial else set()
        left = {blob for blob in large if not is_document(blobs[blob].path)}
        self.left |= {blob: blobs[blob] for blob in left}
        chunks: set[ObjectId] = set()
        assert self.table is not None  # the reader has it
        listed = self.table.lists(lacking)
        for blob in listed:
            pieces = list(decode_chunk_list(self.reader().raw(self.reader().locate(blob)), blob))
            if blob not in left:
                chunks.update(chunk for chunk, _ in pieces)
            elif sum(size for _, size in pieces) != blobs[blob].size:
                path = shown_path(blobs[blob].path)
                raise RemoteCorrupt(self._snapshot.remote.location, f"the content of {path} is cut off")
        self.needed |= dict.fromkeys((lacking - left) | listed, Kind.BLOB)
        chunks.difference_update(self.needed)
        here = self._queries.held(chunks) - self._repo.index.unlocated(chunks)
        for chunk in chunks - here:
            self.needed[chunk] = Kind.CHUNK

    def _evicted(self, lacking: Iterable[ObjectId]) -> set[ObjectId]:
        """Select what is not there, and was freed by somebody because it can be made again."""
        if EVICTED not in self._snapshot.manifest.features:
            return set()
        if self._freed is None:
            named = self._snapshot.annotations().items()
            self._freed = freed_contents(item for name, item in named if name.startswith(f"{RECIPE}/"))
        reader = self.reader()
        return {blob for blob in lacking if blob in self._freed and not reader.has(blob)}
