"""What is made of media so that browsers can play it: one after the other in the background, kept by content.

Each takes at most PROXY_BYTES; with small pictures and hashes they share the room of the media index, where what was
not used for longest goes first.
"""

import os
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Literal, cast

import msgspec
from blake3 import blake3

from aura_vcs.errors import AuraError, InputError
from aura_vcs.history.lookup.content import locate
from aura_vcs.history.media_index.build import MediaContent, is_content, real_file
from aura_vcs.history.media_index.store import MediaIndexStore
from aura_vcs.history.sources.content_source import FolderSource, StoredSource, is_file
from aura_vcs.history.sources.loose_files import entry_of_file
from aura_vcs.ids import ObjectId
from aura_vcs.media.proxies import ProxyOrder, make_proxy, make_sequence_proxy
from aura_vcs.media.proxy_worker import ProxyKind
from aura_vcs.model import Entry
from aura_vcs.repository.repository import Repository
from aura_vcs.ui.media_kinds import kind_of
from aura_vcs.ui.remembered import Remembered
from aura_vcs.ui.sequences import files_of_sequence, sequence_of
from aura_vcs.ui.workspace import Workspace

PROXY_BYTES = 1 << 30
"""What one proxy may take."""
WAITING = 200
"""So many wait to be made; a page asks again for more."""
AGAIN_SECONDS = 30.0
"""So long after it failed something is tried once more, when somebody looks at it."""
FOLDER = "folder"
"""Stands for the person's files where an address names a version."""


class _Stopped(Exception):
    """The server ends."""


class ProxySource(msgspec.Struct, frozen=True):
    """What a proxy is made of: a file, or the pictures of a sequence, by path. `key` is what it is kept under.

    `folder` is where they lie as files of the person's, "" where they are stored.
    """

    key: ObjectId
    name: str
    kind: ProxyKind
    files: tuple[tuple[str, Entry], ...]
    folder: str = ""


class ProxyState(msgspec.Struct, frozen=True):
    """How far a proxy is. `percent` is None where nobody knows; `message` and `hint` say why there is none.

    `since` is when it failed, by the clock that only goes on.
    """

    state: Literal["made", "waiting", "making", "failed"]
    percent: int | None = None
    message: str = ""
    hint: str = ""
    since: float = 0.0


def find_source(repo: Repository, version: str, path: str, remembered: Remembered, *, sequence: bool) -> ProxySource:
    """Return what is played of a file of a version or of the folder, with `sequence` of all that is numbered like it.

    A file of the folder is read as a whole to know what it is, once as long as it does not change.

    Raises:
        UnknownVersion, UnknownName, ObjectPurged, FileUnreadable. InputError: it is nothing that could be played.
    """
    kind = kind_of(path)
    if kind not in ("picture", "sound", "video"):
        raise InputError(f"{path} is no picture, sound or film", hint="Download it to look at it.")
    if sequence:
        return _sequence_source(repo, version, path)
    if version == FOLDER:
        return source_in_folder(repo.root, path, remembered)
    entry = locate(repo, f"{version}:{path}").entry
    if not is_file(entry):
        raise InputError(f"{path} is no file in {version}", hint="Go up to the folder that it is in.")
    return ProxySource(entry.id, path, cast("ProxyKind", kind), ((path, entry),))


def source_in_folder(folder: str, path: str, remembered: Remembered) -> ProxySource:
    """Return what is played of a picture, sound or film that lies in a folder; no link is followed to it.

    Raises:
        FileUnreadable.
    """
    source = FolderSource(folder)
    with source.open(path) as file:
        found = os.fstat(file.fileno())
    question = ("content", folder, path, found.st_ino, found.st_size, found.st_mtime_ns)
    entry = remembered.get(question, lambda: entry_of_file(source, path))
    return ProxySource(entry.id, path, cast("ProxyKind", kind_of(path)), ((path, entry),), folder)


def _sequence_source(repo: Repository, version: str, path: str) -> ProxySource:
    files = files_of_sequence(repo, version, path)
    hasher = blake3(b"aura proxy of a sequence\n")
    for _, entry in files:
        hasher.update(bytes.fromhex(entry.id))
    found = sequence_of(path, [name for name, _ in files])
    folder = path.rpartition("/")[0]
    title = found.title if found is not None else path
    return ProxySource(ObjectId(hasher.hexdigest()), f"{folder}/{title}" if folder else title, "sequence", files)


def open_proxy(repo: Repository, source: ProxySource) -> BinaryIO | None:
    """Open what was made; None where nothing was."""
    return MediaIndexStore.of(repo).open_proxy(source.key)


class Proxies:
    """Makes proxies of one project, in a thread of its own that ends when nothing is left to do."""

    def __init__(self, workspace: Workspace, environment: Mapping[str, str]) -> None:
        self._workspace = workspace
        self._environment = environment
        self._queue: queue.Queue[ProxySource] = queue.Queue(WAITING)
        self._states: dict[ObjectId, ProxyState] = {}
        self._lock = threading.Lock()
        self._is_running = False
        self._is_stopped = False

    def want(self, source: ProxySource, *, is_there: bool) -> ProxyState:
        """Return how far it is; what nobody began is begun, and what failed some time ago is tried again."""
        with self._lock:
            if is_there:
                self._states.pop(source.key, None)
                return ProxyState("made", 100)
            known = self._states.get(source.key)
            is_late = known is not None and known.state == "failed" and time.monotonic() - known.since > AGAIN_SECONDS
            if known is not None and known.state != "made" and not is_late:  # made, and gone to give room: again
                return known
            state = ProxyState("waiting")
            try:
                self._queue.put_nowait(source)
            except queue.Full:
                return state
            self._states[source.key] = state
            if not self._is_running and not self._is_stopped:
                self._is_running = True
                threading.Thread(target=self._run, name="aura-ui-proxies", daemon=True).start()
            return state

    def stop(self) -> None:
        """End what is being made."""
        self._is_stopped = True

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._is_stopped or self._queue.empty():
                    self._is_running = False
                    return
                source = self._queue.get_nowait()
                self._states[source.key] = ProxyState("making")
            state = self._made(source)
            with self._lock:
                self._states[source.key] = state

    def _made(self, source: ProxySource) -> ProxyState:
        try:
            with self._workspace.own_lane() as lane:
                lane.run(self._make, source)
        except AuraError as error:
            return _failed(error.message, error.hint)
        except OSError as error:
            return _failed(f"{source.name} cannot be made playable: {error.strerror or error}")
        except _Stopped:
            return _failed("The server was stopped")
        return ProxyState("made", 100)

    def _make(self, repo: Repository, source: ProxySource) -> None:
        index = MediaIndexStore.of(repo)
        order = ProxyOrder(source.name, source.kind, PROXY_BYTES, self._environment)

        def watch(share: float | None) -> None:
            if self._is_stopped:
                raise _Stopped
            self._states[source.key] = ProxyState("making", None if share is None else int(100 * share))

        with index.new_proxy(source.key) as write:
            if source.kind == "sequence":
                sizes = [entry.size for _, entry in source.files]
                make_sequence_proxy(_pictures(repo, source), sizes, order, write, watch)
            else:
                path, entry = source.files[0]
                contents = FolderSource(source.folder) if source.folder else StoredSource(repo)
                with real_file(MediaContent(path, entry, contents)) as (file, is_checked):
                    make_proxy(file, order, write, watch)
                    if not is_checked and not is_content(file, entry.id):
                        raise InputError(f"{path} was changed meanwhile", hint="Load the page again.")
        index.trim()


def _failed(message: str, hint: str = "") -> ProxyState:
    return ProxyState("failed", None, message, hint, time.monotonic())


def _pictures(repo: Repository, source: ProxySource) -> Iterator[BinaryIO]:
    contents = StoredSource(repo)
    for path, entry in source.files:
        yield contents.open(path, entry)
