"""The far side of an SSH remote: a folder, served on a pipe.

It does what it is asked for in one folder and nowhere else: only names that a remote has are
known, links are not followed, and every object of a pack is hashed before the pack gets its name.
"""

import os
import re
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import BinaryIO

from aura_vcs.errors import AuraError
from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.integrity import IntegrityError, RecordCorrupt
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteError, RemoteMismatch
from aura_vcs.layout import AURA, FORMAT
from aura_vcs.objects.packs.reader import OpenPack
from aura_vcs.objects.packs.verify import check_frames
from aura_vcs.progress import SILENT
from aura_vcs.repository.format_file import is_project
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.storage.remotes.ssh_protocol import (
    GOES_ON,
    MAGIC,
    PIECE_BYTES,
    PROTOCOL,
    Hello,
    SshAnswer,
    SshRequest,
    decode,
    read_bytes,
    read_exactly,
    write_frame,
)
from aura_vcs.sync.remotes.connect import make_folder
from aura_vcs.sync.remotes.location_check import check_no_project
from aura_vcs.sync.remotes.url import parse_address
from aura_vcs.sync.state.manifest import IS_PROJECT, IS_PROJECT_HINT, MANIFEST

_FILE = re.compile(
    r"manifest\.json|packs/[0-9a-f]{64}\.pack|records/[0-9a-f]{64}|probe/[0-9a-f-]{1,80}"
    r"|encryption\.json|sealed/[a-z2-7]{180}"
)
_FOLDER = re.compile(r"packs|records|probe|sealed")


def serve_folder(
    path: str,
    requests: BinaryIO,
    answers: BinaryIO,
    *,
    create: bool = False,
    open_project: Callable[[str, str], FolderRemote] | None = None,
) -> None:
    """Answer requests for what lies in a folder, which is made with `create`, until the other side goes away.

    With `open_project`, it may be a project's own folder: see sync.project_remote.

    Raises:
        RemoteMismatch: the folder is a project. RemoteUnreachable, RemoteDenied: it cannot be made.
        RecordCorrupt: what comes is not our protocol.
    """
    if open_project is not None and is_project(path):
        remote = open_project(path, path)
        try:
            serve(remote, requests, answers)
        finally:
            remote.close()
        return
    if create:
        check_no_project(path, path)
        make_folder(parse_address(path))
    else:  # somebody who reads wants to know how to get what is in it
        check_no_project(path, path, hint=IS_PROJECT_HINT)
    serve(FolderRemote(path), requests, answers)


def serve(remote: FolderRemote, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the other side goes away.

    Raises:
        RecordCorrupt: what comes is not our protocol.
    """
    answers.write(MAGIC)
    write_frame(answers, Hello(PROTOCOL, version("aura-vcs"), (GOES_ON,)))
    answers.flush()
    try:
        if read_exactly(requests, len(MAGIC)) != MAGIC:
            raise RecordCorrupt("the connection", "the other side is not aura")
        while True:
            ask: SshRequest = decode(read_bytes(requests), SshRequest)
            write_frame(answers, _answer(remote, ask, requests, answers))
            answers.flush()
    except (EOFError, BrokenPipeError):
        return


def _answer(remote: FolderRemote, ask: SshRequest, requests: BinaryIO, answers: BinaryIO) -> SshAnswer:
    pieces = _IncomingFile(requests, answers, ask) if ask.verb == "create" else None
    try:
        return _execute(remote, ask, pieces)
    except (FileNotFoundError, FileExistsError, RefMoved) as error:
        return SshAnswer(error=type(error).__name__)
    except RemoteError as error:
        return SshAnswer(error=type(error).__name__, message=error.reason, hint=error.hint)
    except AuraError as error:
        return SshAnswer(error="RemoteError", message=error.message, hint=error.hint)
    finally:
        if pieces is not None:
            pieces.skip()


def _execute(remote: FolderRemote, ask: SshRequest, pieces: "_IncomingFile | None") -> SshAnswer:  # noqa: PLR0911 (a verb a line)
    if not (_FOLDER if ask.verb == "list" else _FILE).fullmatch(ask.name):
        raise RemoteCorrupt(remote.location, f"no remote has a file called {ask.name[:100]!r}")
    if ask.verb == "load":
        return _loaded(remote, ask.name)
    if ask.verb == "read_range":
        return SshAnswer(data=remote.read_range(ask.name, max(0, ask.offset), max(0, min(ask.length, PIECE_BYTES))))
    if ask.verb == "size":
        return SshAnswer(size=remote.size(ask.name))
    if ask.verb == "list":
        return SshAnswer(entries=[(entry.name, entry.size) for entry in remote.list(ask.name)])
    if ask.verb == "swap":
        return SshAnswer(token=remote.swap(ask.name, ask.data, ask.token))
    if ask.verb == "delete":
        remote.delete(ask.name)
        return SshAnswer()
    if pieces is None:
        raise RemoteCorrupt(remote.location, f"{ask.verb[:100]!r} cannot be asked for")
    check = None
    if ask.name.startswith("packs/"):
        check = partial(_check_pack, remote, ask.name.removeprefix("packs/").removesuffix(".pack"))
    # it reads and seeks as far as is needed
    remote.create(ask.name, pieces, check=check, agree=pieces.resume_offset)  # type: ignore[arg-type]
    return SshAnswer()


def _loaded(remote: FolderRemote, name: str) -> SshAnswer:
    """Load a small file. A project in the place of a remote's folder says what it is.

    Raises:
        RemoteMismatch: it is a project.
    """
    try:
        found = remote.load(name)
    except FileNotFoundError:
        if name == MANIFEST and os.path.isfile(os.path.join(remote.root, AURA, FORMAT)):
            raise RemoteMismatch(remote.location, f"it {IS_PROJECT}", hint=IS_PROJECT_HINT) from None
        raise
    return SshAnswer(data=found.data, token=found.token)


class _IncomingFile:
    """A file that comes in frames, as a stream that is read once. One whose length was named comes only
    after it was agreed from where on.
    """

    def __init__(self, requests: BinaryIO, answers: BinaryIO, ask: SshRequest) -> None:
        self._requests = requests
        self._answers = answers
        self._name = ask.name
        self._size = max(0, ask.length)
        self._at = 0
        self._done = self._size > 0  # nothing comes before it was asked for
        self._rest = b""

    def resume_offset(self, there: int, digest: str) -> int:
        """Say what is there; returns from where on the other side sends.

        Raises:
            RecordCorrupt: it does not answer that.
        """
        if not self._size:
            return 0
        write_frame(self._answers, SshAnswer(size=there, token=digest))
        self._answers.flush()
        ask: SshRequest = decode(read_bytes(self._requests), SshRequest)
        if (ask.verb, ask.name) != ("create", self._name) or ask.offset not in {0, there}:
            raise RecordCorrupt("the connection", f"{ask.verb[:100]!r} where a file was to go on")
        self._at, self._done = ask.offset, False
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Seek to the current position, or to the end to learn the size: 0 where nobody said it."""
        if whence == os.SEEK_END:
            return self._size
        assert offset == self._at
        return offset

    def read(self, size: int) -> bytes:
        """Read at most `size` bytes, none at the end.

        Raises:
            RemoteCorrupt: it has another size than was said.
        """
        if not self._rest and not self._done:
            self._rest = read_bytes(self._requests)
            self._done = not self._rest
        data, self._rest = self._rest[:size], self._rest[size:]
        self._at += len(data)
        if self._size and (self._at > self._size or (not data and self._at < self._size)):
            raise RemoteCorrupt(self._name, f"{self._at:,} bytes of a file of {self._size:,} came")
        return data

    def skip(self) -> None:
        """Read what was not wanted, so that the next request can be understood."""
        while not self._done:
            self._done = not read_bytes(self._requests)


def _check_pack(remote: FolderRemote, name: str, file: BinaryIO) -> None:
    """Hash every object of a pack that has arrived.

    Raises:
        RemoteCorrupt: the pack is not what its name says.
    """
    try:
        check_frames(OpenPack(file, name), SILENT)
    except IntegrityError as error:
        raise RemoteCorrupt(remote.location, f"pack {name[:12]} arrived damaged: {error.message}") from error
