"""What each side of a merge changed in a media file that both changed."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from aura_vcs.errors import AuraError
from aura_vcs.formats.media.findings import MediaDiff
from aura_vcs.history.diff.media_diff import QUICK, Budget, look_into_media
from aura_vcs.history.diff.media_findings import has_media_name
from aura_vcs.history.diff.tree_diff import Comparison, PathChange
from aura_vcs.history.media_index.store import MediaIndexStore
from aura_vcs.history.merging.conflicts import OpenConflict
from aura_vcs.history.sources.content_source import CONTENT_LIMIT, StoredSource
from aura_vcs.ids import ObjectId
from aura_vcs.model import Entry, EntryKind
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.repository.repository import Repository


class MediaSides(Struct, frozen=True):
    """What became of a media file on both sides, against what both had; None where it is not known."""

    ours: MediaDiff | None = None
    theirs: MediaDiff | None = None


def media_changes(
    repo: Repository,
    conflicts: Sequence[OpenConflict],
    *,
    budget: Budget = QUICK,
    environment: Mapping[str, str] | None = None,
) -> dict[str, MediaSides]:
    """Compare media files that both sides changed with what both had, by the ids of the conflicts.

    What the media index does not have is looked at now, as far as the budget goes. What is not here is left out.

    Raises:
        Interrupted: what was finished is kept.
    """
    changes = []
    for item in conflicts:
        tree = item.tree
        if tree is None or tree.kind != "changed" or not has_media_name(item.path):
            continue
        sides = [tree.base, tree.ours, tree.theirs]
        if any(side is None or side.kind != "file" for side in sides):
            continue
        try:
            base, ours, theirs = [_entry(repo, item.path, ObjectId(side.id)) for side in sides if side is not None]
        except AuraError:
            continue  # not here
        for name, new in (("ours", ours), ("theirs", theirs)):
            changes.append(PathChange(f"{name}/{item.id}/{item.path}", "modified", base, new, item.path))
    if not changes:
        return {}
    stored = StoredSource(repo)
    found = look_into_media(
        Comparison(tuple(changes), {}, stored, stored),
        budget,
        index=MediaIndexStore.of(repo),
        environment=environment,
        progress=repo.progress,
    )
    told = {}
    for item in conflicts:
        sides_of = MediaSides(*(found.by_path.get(f"{name}/{item.id}/{item.path}") for name in ("ours", "theirs")))
        if sides_of.ours is not None or sides_of.theirs is not None:
            told[item.id] = sides_of
    return told


def _entry(repo: Repository, path: str, content: ObjectId) -> Entry:
    """Return the entry of a content, with its size as far as that counts for reading it.

    Raises:
        IntegrityError: it is not here.
    """
    name = path.rpartition("/")[2]
    file = repo.store.loose_blob(content)
    if file is not None:
        with file:
            return Entry(name, EntryKind.FILE, content, max(file.seek(0, 2), CONTENT_LIMIT + 1))
    place = repo.store.location(content)
    size = 0
    if place is not None and place.chunked:
        size = sum(length for _, length in decode_chunk_list(repo.store.packs.read(place), content))
    return Entry(name, EntryKind.FILE, content, size)
