"""What the media index knows of a file of the person's, looked at now if it was not before."""

from collections.abc import Mapping

from aura_vcs.errors import MediaUnreadable
from aura_vcs.formats.media.index_entry import MediaEntry
from aura_vcs.formats.media.sequence_entry import SequenceEntry
from aura_vcs.formats.media.sequences import FrameSequence
from aura_vcs.history.media_index.build import index_media
from aura_vcs.history.media_index.find import worktree_media
from aura_vcs.history.media_index.sequences import find_sequence, numbered
from aura_vcs.history.media_index.store import MediaIndexStore
from aura_vcs.history.recording.version_builder import worktree_base
from aura_vcs.repository.repository import Repository


def known_sequence(repo: Repository, sequence: FrameSequence) -> SequenceEntry | None:
    """Return what is known of a sequence in the worktree; None where not all of its frames were looked at.

    Raises:
        FileUnreadable: a folder cannot be read.
    """
    scan = repo.worktree.scan(worktree_base(repo).tree)
    states = {path: scan.file(path) for path in map(sequence.path, sequence.numbers)}
    ids = {path: state.id.hex() for path, state in states.items() if state is not None and not state.is_symlink}
    return find_sequence(MediaIndexStore.of(repo), numbered(sequence, ids))


def look_at(repo: Repository, path: str, *, environment: Mapping[str, str] | None = None) -> MediaEntry | None:
    """Return what is known of a file of the worktree; None where its name is not one of media.

    Raises:
        UnknownName: there is no such file. FileUnreadable.
        ExtraMissing: it was not looked at, and the optional part `media` is not installed.
        MediaUnreadable: it cannot be decoded.
    """
    index = MediaIndexStore.of(repo)
    wanted = worktree_media(repo, [path])[:1]
    if not wanted:
        return None
    done = index_media(index, wanted, environment=environment, progress=repo.progress)
    entry = index.get(wanted[0].id)
    if entry is None or entry.head.problem:
        reason = done.problems.get(path) or "it could not be looked at"
        raise MediaUnreadable(path, reason)
    return entry
