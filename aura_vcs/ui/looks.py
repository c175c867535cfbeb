"""Small pictures and strips from the media index. What it does not have yet is looked at in the background, one file
after the other, and the pages that wait for it are told.
"""

import queue
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.formats.media.index_entry import NoEntryError
from aura_vcs.formats.media.sequence_entry import sequence_key
from aura_vcs.formats.media.sequences import frame_name
from aura_vcs.history.lookup.content import locate
from aura_vcs.history.media_index.build import MediaContent, index_media
from aura_vcs.history.media_index.sequences import find_sequence, index_sequences
from aura_vcs.history.media_index.store import MediaIndexStore
from aura_vcs.history.sources.content_source import StoredSource, is_file
from aura_vcs.model import Entry
from aura_vcs.repository.repository import Repository
from aura_vcs.ui.events import Events
from aura_vcs.ui.sequences import files_of_sequence
from aura_vcs.ui.workspace import Workspace

LookKind = Literal["poster", "strip"]
WAITING = 500
"""So many files wait to be looked at; of more, the page asks again."""
SECONDS_EACH = 600.0


class DerivedPicture(msgspec.Struct, frozen=True):
    """A small picture (JPEG), or nothing: then `is_coming` says whether it is worth asking again."""

    content: str
    data: bytes = b""
    is_coming: bool = False


def find_look(repo: Repository, version: str, path: str, kind: LookKind) -> tuple[DerivedPicture, Entry]:
    """Return what the media index has of a file of a version.

    Raises:
        UnknownVersion, UnknownName, ObjectPurged.
    """
    entry = locate(repo, f"{version}:{path}").entry
    if not is_file(entry):
        return DerivedPicture(entry.id), entry
    found = MediaIndexStore.of(repo).get(entry.id)
    if found is None:
        return DerivedPicture(entry.id, is_coming=True), entry
    try:
        return DerivedPicture(entry.id, found.poster() if kind == "poster" else found.strip()), entry
    except NoEntryError:
        return DerivedPicture(entry.id, is_coming=True), entry


def find_sequence_look(
    repo: Repository, version: str, path: str, kind: LookKind
) -> tuple[DerivedPicture, tuple[tuple[str, Entry], ...]]:
    """Return what the media index has of the whole sequence that a picture is a frame of, and its files.

    Raises:
        UnknownVersion, UnknownName, ObjectPurged. InputError: it belongs to none.
    """
    files = files_of_sequence(repo, version, path)
    frames = [(name.number, entry.id) for one, entry in files if (name := frame_name(one)) is not None]
    found = find_sequence(MediaIndexStore.of(repo), frames)
    if found is None:
        return DerivedPicture(sequence_key(frames), is_coming=True), files
    whole = found.entry
    try:
        return DerivedPicture(whole.head.content, whole.poster() if kind == "poster" else whole.strip()), files
    except NoEntryError:
        MediaIndexStore.of(repo).forget(sequence_key(frames))
        return DerivedPicture(whole.head.content, is_coming=True), files


class Looker:
    """Looks at media files of one project in a thread of its own, which ends when nothing is left to do."""

    def __init__(self, workspace: Workspace, events: Events, environment: Mapping[str, str]) -> None:
        self._workspace = workspace
        self._events = events
        self._environment = environment
        self._queue: queue.Queue[tuple[str, tuple[tuple[str, Entry], ...]]] = queue.Queue(WAITING)
        self._known: set[str] = set()
        self._lock = threading.Lock()
        self._is_running = False
        self._is_stopped = False

    def want(self, path: str, entry: Entry) -> None:
        """Have a file looked at, once in a run of the server."""
        self.want_all(entry.id, ((path, entry),))

    def want_all(self, content: str, files: tuple[tuple[str, Entry], ...]) -> None:
        """Have the files looked at that `content` stands for, a sequence by its key; once in a run of the server."""
        with self._lock:
            if content in self._known or self._is_stopped:
                return
            with suppress(queue.Full):
                self._queue.put_nowait((content, files))
                self._known.add(content)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="aura-ui-looks", daemon=True).start()

    def stop(self) -> None:
        """End after the file that is looked at."""
        self._is_stopped = True

    def _run(self) -> None:
        with suppress(AuraError), self._workspace.own_lane() as lane:
            while not self._is_stopped:
                with self._lock:
                    if self._queue.empty():
                        break
                    content, files = self._queue.get_nowait()
                with suppress(AuraError, OSError):
                    lane.run(self._look, files)
                self._events.send("media", {"content": content})
        with self._lock:
            self._is_running = False

    def _look(self, repo: Repository, files: tuple[tuple[str, Entry], ...]) -> None:
        index, source = MediaIndexStore.of(repo), StoredSource(repo)
        wanted = [MediaContent(path, entry, source) for path, entry in files]
        index_media(index, wanted, environment=self._environment, seconds=SECONDS_EACH)
        index_sequences(index, wanted)
