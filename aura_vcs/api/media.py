"""What is in the pictures, sounds and videos of a project, looked at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self, Unpack

from aura_vcs.api.opened import Part, StrPath, project_paths
from aura_vcs.api.reporting import NO_CALL, Call
from aura_vcs.api.results import MediaEntry
from aura_vcs.api.values import paths_of
from aura_vcs.history.media_index.build import Indexed, index_media
from aura_vcs.history.media_index.find import stored_media, stored_sequences, worktree_media
from aura_vcs.history.media_index.sequences import index_sequences, index_stored_sequences
from aura_vcs.history.media_index.store import MediaIndexStore
from aura_vcs.ids import ObjectId
from aura_vcs.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class IndexedMedia:
    """What indexing found: files that were indexed now, those that were known, and why others were not decoded."""

    made: tuple[Path, ...]
    known: tuple[Path, ...]
    problems: Mapping[Path, str]

    @classmethod
    def _of(cls, found: Indexed) -> Self:
        """Take over what was found."""
        problems = {Path(path): reason for path, reason in found.problems.items()}
        return cls(paths_of(found.made), paths_of(found.known), problems)


@dataclass(frozen=True, slots=True)
class MediaRoom:
    """How many entries the media index has, and how many bytes they take."""

    entries: int
    bytes: int


class MediaIndex(Part):
    """The media index: what every frame and sample of media files looks and sounds like, by content id."""

    def index(self, *paths: StrPath, everything: bool = False, **call: Unpack[Call]) -> IndexedMedia:
        """Look at every frame and sample of the media in the folder, or of these files and folders, each only once.

        With `everything`, include the media of all versions. If it is interrupted, what is finished is kept.

        Raises:
            ExtraMissing: the optional part `media` is not installed.
        """
        return self._opened.run(call, _index, paths, everything)

    def __getitem__(self, path: StrPath) -> MediaEntry:
        """Return what is known of a file of the folder, looked at now if it was not before.

        Raises:
            KeyError: it is not media, or could not be looked at; `index` says why.
        """
        found = self._opened.run(NO_CALL, _entry, path)
        if found is None:
            raise KeyError(str(path))
        return found

    def get(self, content: str) -> MediaEntry | None:
        """Return what is known about a content, by its id; None if it was not looked at."""
        return self._opened.run(NO_CALL, _known, content)

    def room(self) -> MediaRoom:
        """Measure what the index takes on disk."""
        return self._opened.run(NO_CALL, _room)

    def clear(self) -> MediaRoom:
        """Delete the whole index; it is made again when needed."""
        return self._opened.run(NO_CALL, _clear)


def _index(repo: Repository, paths: Iterable[StrPath], everything: bool) -> IndexedMedia:
    chosen = project_paths(repo, paths)
    wanted = [*worktree_media(repo, chosen), *(stored_media(repo, chosen) if everything else ())]
    index = MediaIndexStore.of(repo)
    found = index_media(index, wanted, progress=repo.progress)
    index_sequences(index, wanted)
    if everything:
        index_stored_sequences(index, stored_sequences(repo, chosen))
    return IndexedMedia._of(found)


def _entry(repo: Repository, path: StrPath) -> MediaEntry | None:
    index = MediaIndexStore.of(repo)
    wanted = worktree_media(repo, project_paths(repo, [path]))[:1]
    index_media(index, wanted, progress=repo.progress)
    return index.get(wanted[0].id) if wanted else None


def _known(repo: Repository, content: str) -> MediaEntry | None:
    return MediaIndexStore.of(repo).get(ObjectId(content))


def _room(repo: Repository) -> MediaRoom:
    room = MediaIndexStore.of(repo).room()
    return MediaRoom(room.entries, room.bytes)


def _clear(repo: Repository) -> MediaRoom:
    room = MediaIndexStore.of(repo).clear()
    return MediaRoom(room.entries, room.bytes)
