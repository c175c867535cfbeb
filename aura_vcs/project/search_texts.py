"""Words in every text of the folder and of every version: Markdown, subtitles, timelines, documents, file names, tags.

The texts of versions are entered when somebody searches, the newest version first, each passage once however many
versions have it: see index.passages. The folder's own changes are looked through as they are.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.formats.passages import FILE_BYTES_LIMIT, Passage, is_searched, passages_of
from aura_vcs.history.names.branches import branches
from aura_vcs.history.recording.scan_differences import compare_scan
from aura_vcs.history.recording.version_builder import worktree_base
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.passages import FoundPassage, IndexedPassage, PassageIndex
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Entry, EntryKind
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.plain_text import readable_name
from aura_vcs.project.documents.load import PROJECT_NAME, SCENES_FOLDER, is_scene_file
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.scan.scan import entry_of

TIMELINE = "timeline.json"
BATCH = 50
"""Versions that are entered in one transaction."""
TOLD_FROM = 20
"""From so many versions on, reading them shows how far it is."""
NEAR = 16
"""Of a file that very many versions changed, so many before and after a text was seen are looked at."""
FOLDER_FILES = 500
"""So many changed files of the folder are looked through."""


class TextHit(msgspec.Struct, frozen=True):
    """Text in which all the words occur. `excerpt` marks them with [ ], `place` says where in the file it stands.

    `in_folder` says that the folder has it now. `first` and `last` are the versions that had it first and last, None
    where no version has it. Of a tag, `path` is its name.
    """

    kind: str
    path: str
    place: str
    excerpt: str
    in_folder: bool
    first: VersionRecord | None = None
    last: VersionRecord | None = None


class Looked(msgspec.Struct, frozen=True):
    """Where a search looked: how many files and versions, and what was left out.

    `unread` counts versions whose content is not here, `too_large` texts of the folder that are not looked into,
    `is_full` says that only the newest versions' texts are kept.
    """

    files: int = 0
    versions: int = 0
    unread: int = 0
    too_large: int = 0
    is_full: bool = False


class _SearchState(msgspec.Struct):
    """What a search has looked through so far."""

    unread: int = 0
    too_large: int = 0


def search_texts(repo: Repository, text: str, limit: int = 50) -> tuple[list[TextHit], Looked]:
    """Find all the words in one passage (each may go on): first in the folder, then in versions, best first each.

    What only deleted or purged versions had is not found.
    """
    seen = _SearchState()
    index = PassageIndex(*repo.index.texts_place)
    try:
        _read_versions(repo, index, seen)
        return _find(repo, index, text, limit, seen)
    finally:
        index.close()


def find_texts(repo: Repository, text: str, limit: int = 50) -> tuple[list[TextHit], Looked]:
    """Find the words as `search_texts` does, in the folder and in those versions that were read before."""
    index = PassageIndex(*repo.index.texts_place)
    try:
        return _find(repo, index, text, limit, _SearchState())
    finally:
        index.close()


def read_texts(repo: Repository) -> int:
    """Enter the texts of versions that no search has read yet, the newest first; returns how many it could not read.

    What is entered can be found at once. Interrupted, it has what was entered until then.
    """
    seen = _SearchState()
    index = PassageIndex(*repo.index.texts_place)
    try:
        _read_versions(repo, index, seen)
        return seen.unread
    finally:
        index.close()


def _find(
    repo: Repository, index: PassageIndex, text: str, limit: int, seen: _SearchState
) -> tuple[list[TextHit], Looked]:
    changed, folder = _folder(repo, seen)
    now = {(hit.path, hit.hash): hit for hit in _in_memory(text, [*folder, *_tags(repo)], limit)}
    hits = list(_of_versions(repo, index, text, limit, changed, now))
    alone = [TextHit(hit.kind, hit.path, hit.place, hit.excerpt, True) for hit in now.values()]
    found = sorted([*alone, *hits], key=lambda hit: not hit.in_folder)
    files, _, versions = index.counts()
    return found[:limit], Looked(files, versions, seen.unread, seen.too_large, index.is_full())


def _read_versions(repo: Repository, index: PassageIndex, seen: _SearchState) -> None:
    """Enter the texts of versions that have not been read, the newest first."""
    known = index.known()
    unread = [version for version, _ in reversed(repo.queries.live_versions()) if version not in known]
    if len(unread) >= TOLD_FROM:
        repo.progress.start("Reading the texts of versions", len(unread), "versions")
    for start in range(0, len(unread), BATCH):
        if index.is_full():
            break
        entered: list[IndexedPassage] = []
        read: list[VersionId] = []
        for version in unread[start : start + BATCH]:
            try:
                entered += _new_passages(repo, version, known)
            except AuraError:
                seen.unread += 1  # not here (yet), or damaged, which fsck says: tried again by the next search
                continue
            read.append(version)
            known.add(version)
        index.enter(entered, read)
        if len(unread) >= TOLD_FROM:
            repo.progress.advance(min(BATCH, len(unread) - start))
    if len(unread) >= TOLD_FROM:
        repo.progress.finish()


def _new_passages(repo: Repository, version: VersionId, known: set[VersionId]) -> list[IndexedPassage]:
    """Collect what a version says in files that are not as in a version beside it that was read."""
    record = repo.queries.version(version)
    if record is None:
        return []
    found: list[IndexedPassage] = []
    has_scenes = repo.trees.entry(record.tree, SCENES_FOLDER) is not None
    for difference in repo.trees.differences(_beside(repo, record, known), record.tree):
        entry = difference.new
        if entry is not None and entry.kind is not EntryKind.DIR:
            found += _of_file(repo, difference.path, entry, record.number, has_scenes=has_scenes)
    return found


def _beside(repo: Repository, record: VersionRecord, known: set[VersionId]) -> ObjectId:
    """Return the tree of a parent or child that was read and is here; the empty one for none."""
    queries = repo.queries
    for other in (*record.parents, *queries.children(record.id)):
        found = queries.version(other) if other in known else None
        if found is not None and repo.store.contains(found.tree):
            return found.tree
    return EMPTY_TREE_ID


def _of_file(repo: Repository, path: str, entry: Entry, number: int, *, has_scenes: bool) -> Iterator[IndexedPassage]:
    """Yield a file's name and, where it is a text, what it says. Scenes have an index of their own."""
    yield IndexedPassage(path, "file", "", readable_name(path), number, entry.id)
    if entry.kind is not EntryKind.FILE or entry.size > FILE_BYTES_LIMIT or not _is_read(path, has_scenes=has_scenes):
        return
    for passage in passages_of(path, repo.store.read(entry.id)):
        yield IndexedPassage(path, passage.kind, passage.place, _clean(passage.text), number, entry.id)


def _is_read(path: str, *, has_scenes: bool) -> bool:
    """Tell whether a file is searched here; scenes, and the timeline that follows from them, are searched as such."""
    own = path == PROJECT_NAME or is_scene_file(path) or (has_scenes and path == TIMELINE)
    return not own and is_searched(path)


def _clean(text: str) -> str:
    """Remove halves of surrogate pairs, which JSON can spell and no database takes."""
    return text.encode("utf-8", "replace").decode()


def _folder(repo: Repository, seen: _SearchState) -> tuple[set[str], list[tuple[str, Passage]]]:
    """Return the paths at which the folder differs from HEAD's version, and what the files there say."""
    base = worktree_base(repo)
    scan = repo.worktree.scan(base.tree)
    if scan.root.tree == base.tree:
        return set(), []
    changes, _ = compare_scan(repo, scan, base.tree, renames=False)
    passages: list[tuple[str, Passage]] = []
    has_scenes, source = scan.folder(SCENES_FOLDER) is not None, FolderSource(repo.root)
    for change in changes[:FOLDER_FILES]:
        state = scan.file(change.path)
        if state is None:
            continue
        passages.append((change.path, Passage("file", "", readable_name(change.path))))
        if not _is_read(change.path, has_scenes=has_scenes):
            continue
        if state.size > FILE_BYTES_LIMIT:
            seen.too_large += 1
            continue
        data = source.read(change.path, entry_of(change.path, state))
        if data is not None:  # else it went, or nobody may read it: status says so
            passages += [(change.path, passage) for passage in passages_of(change.path, data)]
    return {change.path for change in changes}, passages


def _tags(repo: Repository) -> list[tuple[str, Passage]]:
    """Collect tags with their messages, and branches, by name."""
    tags = [(name, f"{name} {tag.message}") for name, tag in repo.refs.tags().items() if tag.version is not None]
    found = [(name, Passage("tag", "tag", text)) for name, text in tags]
    return found + [(item.name, Passage("tag", "branch", item.name)) for item in branches(repo)]


def _in_memory(text: str, passages: Sequence[tuple[str, Passage]], limit: int) -> list[FoundPassage]:
    """Find which of these passages have all the words; by the same rules as in the database."""
    if not passages:
        return []
    index = PassageIndex(None, "")
    try:
        nowhere = ObjectId("")
        index.enter((IndexedPassage(path, p.kind, p.place, _clean(p.text), 0, nowhere) for path, p in passages), ())
        return index.find(text, limit)
    finally:
        index.close()


def _of_versions(
    repo: Repository,
    index: PassageIndex,
    text: str,
    limit: int,
    changed: set[str],
    now: dict[tuple[str, bytes], FoundPassage],
) -> Iterator[TextHit]:
    """Yield hits in texts of live versions, with the versions that had them first and last.

    What the folder has in a changed file is taken out of `now` where versions have the very same.
    """
    head = worktree_base(repo).tree
    life = _Life(repo)
    for hit in index.find(text, limit):
        first, last = life.span(hit)
        if first is None or last is None:
            continue  # only deleted or purged versions had it
        if hit.path in changed:
            here = now.pop((hit.path, hit.hash), None)
            place, in_folder = here.place if here is not None else hit.place, here is not None
        else:
            entry = repo.trees.entry(head, hit.path)
            place, in_folder = hit.place, entry is not None and entry.id == hit.last_blob
        yield TextHit(hit.kind, hit.path, place, hit.excerpt, in_folder, first, last)


class _Life:
    """From which version to which a text was there; looks at trees only where a path changed."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._queries = repo.queries
        self._changing: dict[str, list[tuple[int, VersionId]]] = {}
        self._records: dict[VersionId, VersionRecord | None] = {}
        self._blobs: dict[tuple[VersionId, str], ObjectId | None] = {}
        self._heads = {version for item in branches(repo) for version in item.diverged or (item.version,)}

    def span(self, hit: FoundPassage) -> tuple[VersionRecord | None, VersionRecord | None]:
        """Return the lowest and the highest live version that has one of the two contents at the path."""
        blobs = {hit.first_blob, hit.last_blob}
        having = [record for record, blob in self._contents(hit) if blob in blobs]
        lowest = min(having, key=lambda record: record.number, default=None)
        return lowest, max(having, key=lambda record: record.number, default=None)

    def _contents(self, hit: FoundPassage) -> list[tuple[VersionRecord, ObjectId | None]]:
        """List what lies at a path in the live versions where that begins or ends: those that changed it, the ones
        before them, the first, and the heads."""
        touching = self._touching(hit.path)
        near = set(range(len(touching)))
        if len(touching) > 4 * NEAR:
            near = {0, len(touching) - 1}
            for number in (hit.first, hit.last):
                at = bisect_left(touching, (number,))
                near |= set(range(max(0, at - NEAR), min(len(touching), at + NEAR)))
        ids = {touching[n][1] for n in near} | self._heads
        ids |= {parent for version in ids if (found := self._record(version)) is not None for parent in found.parents}
        records = [record for version in ids if (record := self._record(version)) is not None and record.is_live]
        return [(record, self._at(record, hit.path)) for record in records]

    def _touching(self, path: str) -> list[tuple[int, VersionId]]:
        """List the versions that changed a path, oldest first."""
        if path not in self._changing:
            self._changing[path] = [(number, version) for number, version, _ in reversed(self._queries.touching(path))]
        return self._changing[path]

    def _record(self, version: VersionId) -> VersionRecord | None:
        if version not in self._records:
            self._records[version] = self._queries.version(version)
        return self._records[version]

    def _at(self, record: VersionRecord, path: str) -> ObjectId | None:
        key = record.id, path
        if key not in self._blobs:
            try:
                entry = self._repo.trees.entry(record.tree, path)
            except AuraError:
                entry = None
            self._blobs[key] = entry.id if entry is not None else None
        return self._blobs[key]
