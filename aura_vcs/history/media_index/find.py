"""Which media files there are to look at: in the person's files, and in versions."""

from collections.abc import Iterator, Sequence

from aura_vcs.errors.input import UnknownName
from aura_vcs.formats.media.sequence_entry import NumberedContent
from aura_vcs.formats.media.sequences import find_sequences, frame_name
from aura_vcs.history.diff.media_findings import has_media_name
from aura_vcs.history.media_index.build import MediaContent
from aura_vcs.history.media_index.sequences import numbered
from aura_vcs.history.recording.version_builder import worktree_base
from aura_vcs.history.sources.content_source import FolderSource, StoredSource
from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import VersionFilter
from aura_vcs.model import EntryKind
from aura_vcs.objects.graph import TreeVisit, Walk, pass_over
from aura_vcs.repository.repository import Repository
from aura_vcs.suggestions import suggest
from aura_vcs.worktree.scan.scan import Scan, entry_of
from aura_vcs.worktree.scan.selection import Selection


def worktree_media(repo: Repository, paths: Sequence[str] = ()) -> list[MediaContent]:
    """List the media among the person's files as they are now; with `paths`, those files and what is below folders.

    Files whose content id is not known yet are read and hashed. What is being written right now is left out.

    Raises:
        UnknownName: nothing is at a path. FileUnreadable.
    """
    scan = repo.worktree.scan(worktree_base(repo).tree)
    for path in paths:
        if scan.file(path) is None and scan.folder(path) is None:
            known = [folder.join(name) for folder in scan.walk() for name in folder.files]
            raise UnknownName("file", path, suggest(path, known))
    selection = Selection(tuple(paths) or None)
    chosen = [path for path in _files(scan) if has_media_name(path) and selection.covers(path)]
    bare = [path for path in chosen if (state := scan.file(path)) is not None and not state.id]
    unstable = set(repo.worktree.hash(bare, scan, repo.progress)) if bare else set()
    if scan.changed:
        repo.worktree.save(scan)
    source = FolderSource(repo.root)
    found = []
    for path in chosen:
        state = scan.file(path)
        if state is not None and state.id and path not in unstable:
            found.append(MediaContent(path, entry_of(path.rpartition("/")[2], state), source))
    return found


def _files(scan: Scan) -> Iterator[str]:
    for folder in scan.walk():
        for name, state in folder.files.items():
            if not state.is_symlink:
                yield folder.join(name)


def stored_media(repo: Repository, paths: Sequence[str] = ()) -> list[MediaContent]:
    """List the media of all live versions whose content is here, each content once; with `paths`, only there.

    What is offloaded is left out: looking at it would bring all of it back.
    """
    selection = Selection(tuple(paths) or None)
    trees = [record.tree for record in repo.queries.all_versions(VersionFilter()) if record.is_live]
    source = StoredSource(repo)
    offloaded = repo.store.offloaded.all()
    found: dict[ObjectId, MediaContent] = {}
    for folder in Walk(repo.graph, on_fault=pass_over).below(*map(TreeVisit, trees)):
        for path, entry in folder.files():
            is_wanted = has_media_name(path) and selection.covers(path) and entry.id not in offloaded
            if entry.kind is EntryKind.FILE and is_wanted:
                found.setdefault(entry.id, MediaContent(path, entry, source))
    return list(found.values())


def stored_sequences(repo: Repository, paths: Sequence[str] = ()) -> Iterator[list[NumberedContent]]:
    """Yield the frames of each state that a sequence of pictures has in a live version, those of newer ones first.

    A state that several versions have comes once. With `paths`, only there.
    """
    selection = Selection(tuple(paths) or None)
    trees = [record.tree for record in repo.queries.all_versions(VersionFilter()) if record.is_live]
    walk = Walk(repo.graph, on_fault=pass_over)
    for tree in trees:
        for folder in walk.below(TreeVisit(tree)):
            ids = {
                path: str(entry.id)
                for path, entry in folder.files()
                if entry.kind is EntryKind.FILE and frame_name(path) is not None and selection.covers(path)
            }
            yield from (numbered(sequence, ids) for sequence in find_sequences(ids))
