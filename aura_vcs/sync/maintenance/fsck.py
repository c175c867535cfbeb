"""Looking through a whole remote: every pack decoded, every object hashed, every version complete."""

import msgspec

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.model import EntryKind, Kind
from aura_vcs.objects.packs.format import PackEntry
from aura_vcs.objects.packs.verify import check_chunk_list, check_entries
from aura_vcs.objects.trees import EMPTY_TREE_ID
from aura_vcs.progress import SILENT, Progress
from aura_vcs.refs.branch_entries import heads
from aura_vcs.sync.state.reader import FarReader
from aura_vcs.sync.state.snapshot import PackTable, View


class RemoteReport(msgspec.Struct, frozen=True):
    """What was found; `stored_bytes` counts the packs that were looked through."""

    problems: tuple[str, ...]
    versions: int
    objects: int
    stored_bytes: int

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify_remote(view: View, progress: Progress = SILENT) -> RemoteReport:
    """Read and hash everything that the manifest lists; repairs nothing.

    Memory holds one frame and the list of objects.

    Raises:
        RemoteUnreachable: the connection went.
    """
    checker = _Checker(view, progress)
    checker.packs()
    checker.lists()
    checker.versions()
    size = sum(pack.size for pack in view.manifest.packs)
    return RemoteReport(tuple(checker.problems), checker.count, len(checker.table.all_ids()), size)


class _Checker:
    def __init__(self, view: View, progress: Progress) -> None:
        self._view = view
        self._progress = progress
        self.problems: list[str] = []
        self.table = PackTable()
        self.count = 0
        self._reader = FarReader(view, self.table)
        self._trees: set[ObjectId] = {EMPTY_TREE_ID}

    def packs(self) -> None:
        """Every pack: its footer, its frames, its objects."""
        self._progress.start("Checking", sum(pack.size for pack in self._view.manifest.packs), "bytes")
        for pack in self._view.manifest.packs:
            try:
                footer = self._view.footer(pack)
            except RemoteCorrupt as error:
                self.problems.append(error.reason)
                continue
            self.table.add(pack, footer)
            by_frame: dict[int, list[PackEntry]] = {}
            for entry in footer.entries:
                by_frame.setdefault(entry.frame, []).append(entry)
            for number, frame in enumerate(footer.frames):
                try:
                    check_entries(self._reader.frame(pack, number), by_frame.get(number, ()), pack.name)
                except IntegrityError as error:
                    self.problems.append(error.message)
                except RemoteCorrupt as error:
                    self.problems.append(error.reason)
                self._progress.advance(frame.stored_length)
        self._progress.finish()

    def lists(self) -> None:
        """Every blob in chunks, over its chunks."""
        for object_id in self.table.all_ids():
            found = self.table.find(object_id)
            if found is None or not found.entry.chunked:
                continue
            try:
                check_chunk_list(object_id, self._reader.raw(found), self._chunk)
            except IntegrityError as error:
                self.problems.append(error.message)
            except RemoteCorrupt as error:
                self.problems.append(error.reason)

    def _chunk(self, chunk: ObjectId) -> bytes:
        return self._reader.read(chunk, Kind.CHUNK)

    def versions(self) -> None:
        """Every version that a ref stands on, with its ancestry, and all that live ones need."""
        manifest = self._view.manifest
        try:
            labels = self._view.labels()
        except RemoteCorrupt as error:
            self.problems.append(error.reason)
            return
        tips = [entry.version for entries in manifest.branches.values() for entry in heads(entries)]
        waiting = [v for v in (*tips, *(tag.version for tag in manifest.tags.values()), *labels) if v is not None]
        seen: set[VersionId] = set()
        while waiting:
            version = waiting.pop()
            if version in seen:
                continue
            seen.add(version)
            try:
                found = self._reader.version(version)
                waiting += found.parents
                if version not in labels:
                    self.problems.append(f"version {version[:12]} has no label")
                elif labels[version].is_live:
                    self._tree(found.tree, f"v{found.number}")
            except IntegrityError as error:
                self.problems.append(error.message)
            except RemoteCorrupt as error:
                self.problems.append(f"version {version[:12]}: {error.reason}")
        self.count = len(seen)

    def _tree(self, tree: ObjectId, name: str) -> None:
        level = [tree]
        while level:
            current = level.pop()
            if current in self._trees:
                continue
            self._trees.add(current)
            for entry in self._reader.tree(current).entries:
                if entry.kind is EntryKind.DIR:
                    level.append(entry.id)
                elif entry.id not in self.table:
                    self.problems.append(f"{name}: the content of {entry.name!r} ({entry.id[:12]}) is not there")
