"""A remote on another machine: the system's `ssh` runs `aura serve --stdio` there.

Keys, agents, jump hosts and host checks are ssh's and `~/.ssh/config`'s matter. Requests go one
after the other over one connection, which is made anew when it broke.
"""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from threading import Lock, Thread
from typing import Any, BinaryIO

import msgspec

from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.errors.remotes import (
    HelperMissing,
    RemoteCorrupt,
    RemoteDenied,
    RemoteError,
    RemoteFull,
    RemoteMismatch,
    RemoteUnreachable,
)
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.base import check_storage_name
from aura_vcs.storage.remotes.base import RemoteEntry, RemoteFile
from aura_vcs.storage.remotes.ssh_errors import ssh_error
from aura_vcs.storage.remotes.ssh_protocol import (
    GOES_ON,
    MAGIC,
    PIECE_BYTES,
    PROTOCOL,
    SENT_BYTES,
    Hello,
    SshAnswer,
    SshRequest,
    decode,
    read_bytes,
    read_exactly,
    write_bytes,
    write_frame,
)
from aura_vcs.storage.resumable_upload import PART_BYTES, resume_offset
from aura_vcs.storage.system_calls import storage_error

SSH = ("ssh",)
_OPTIONS = ("-T", "-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4")
_NOT_FOUND = 127
_SSH_FAILED = 255
_STDERR_BYTES = 4000
_SERVED = {
    kind.__name__: kind
    for kind in (RemoteError, RemoteUnreachable, RemoteDenied, RemoteMismatch, RemoteCorrupt, RemoteFull)
}
"""What the other side may say went wrong, by the name it sends."""


def ssh_arguments(
    host: str, path: str, *, user: str = "", port: int | None = None, create: bool = False, ssh: Sequence[str] = SSH
) -> list[str]:
    """Build the command line that serves `path` on `host`; none of them can become an option."""
    words = ["aura", "serve", "--stdio", *(["--create"] if create else []), "--", path]
    at = ["-p", str(port)] if port is not None else []
    target = f"{user}@{host}" if user else host
    return [*ssh, *_OPTIONS, *at, "--", target, " ".join(shlex.quote(word) for word in words)]


class SshRemote:
    """The remote that a process serves on its stdin and stdout; `arguments` start it.

    `environment` is all that the process gets of one.
    """

    pack_bytes: int | None = None
    create_checked = None

    def __init__(self, arguments: Sequence[str], place: str, *, environment: Mapping[str, str] | None = None) -> None:
        self.location = place
        self._arguments = list(arguments)
        self._environment = dict(environment or {})
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr = b""
        self._reader: Thread | None = None
        self._goes_on = False
        self._arrived: dict[str, int] = {}
        """Of files under way, how much was there before the first attempt of ours."""

    def connect(self) -> None:
        """Make the connection now, to hear of trouble early.

        Raises:
            RemoteUnreachable, RemoteDenied, HelperMissing.
        """
        with self._lock:
            self._connected()

    def load(self, name: str) -> RemoteFile:
        """See RangeReadable."""
        answer = self._ask(SshRequest("load", check_storage_name(name)))
        if answer.data is None or answer.token is None:
            raise self._strange()
        return RemoteFile(answer.data, answer.token)

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See RangeReadable."""
        pieces = []
        while True:
            wanted = min(length, PIECE_BYTES)
            data = self._ask(SshRequest("read_range", check_storage_name(name), offset, wanted)).data
            if data is None or len(data) > wanted:
                raise self._strange()
            pieces.append(data)
            offset, length = offset + len(data), length - len(data)
            if length <= 0 or len(data) < wanted:
                return b"".join(pieces)

    def size(self, name: str) -> int | None:
        """See RangeReadable."""
        return self._ask(SshRequest("size", check_storage_name(name))).size

    def list(self, folder: str) -> list[RemoteEntry]:
        """See Listable."""
        entries = self._ask(SshRequest("list", check_storage_name(folder))).entries
        if entries is None:
            raise self._strange()
        return [RemoteEntry(name, size) for name, size in entries]

    def create(self, name: str, source: BinaryIO, *, progress: Progress = SILENT) -> int:
        """See Creatable. The remote side hashes what a pack holds before it gets its name."""
        size = source.seek(0, os.SEEK_END)
        ask = SshRequest("create", check_storage_name(name), length=size if size >= PART_BYTES else 0)
        self._ask(ask, _Upload(source, progress))
        return self._arrived.pop(name, 0)

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """See Swappable."""
        answer = self._ask(SshRequest("swap", check_storage_name(name), data=data, token=token))
        if answer.token is None:
            raise self._strange()
        return answer.token

    def delete(self, name: str) -> None:
        """See RemoteStorage."""
        self._ask(SshRequest("delete", check_storage_name(name)))

    def close(self) -> None:
        """End the process on both sides."""
        with self._lock:
            self._drop()

    def _ask(self, ask: SshRequest, upload: "_Upload | None" = None) -> SshAnswer:
        with self._lock:
            stdin, stdout = self._connected()
            try:
                answer = self._converse(stdin, stdout, ask, upload)
            except (OSError, EOFError) as error:
                raise self._failure() from error
            except RecordCorrupt as error:
                self._drop()
                raise RemoteCorrupt(self.location, error.detail) from error
            except BaseException:  # in the middle of a request: the next one could not be understood
                self._abandon()
                raise
        if answer.error is not None:
            raise self._error(ask, answer)
        return answer

    def _converse(self, stdin: BinaryIO, stdout: BinaryIO, ask: SshRequest, upload: "_Upload | None") -> SshAnswer:
        if not self._goes_on:
            ask = msgspec.structs.replace(ask, length=0) if upload is not None else ask
        write_frame(stdin, ask)
        if upload is not None:
            start = 0
            if ask.length:
                stdin.flush()
                there: SshAnswer = decode(read_bytes(stdout), SshAnswer)
                if there.error is not None:
                    return there
                start = upload.resume_offset(there.size or 0, there.token or "", ask.length)
                self._arrived.setdefault(ask.name, start)  # what later attempts find was sent by this one
                write_frame(stdin, SshRequest("create", ask.name, offset=start))
            upload.send(stdin, start)
        stdin.flush()
        answer: SshAnswer = decode(read_bytes(stdout), SshAnswer)
        return answer

    def _connected(self) -> tuple[BinaryIO, BinaryIO]:
        if self._process is None:
            self._start()
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        return process.stdin, process.stdout  # type: ignore[return-value]

    def _start(self) -> None:
        try:
            self._process = process = subprocess.Popen(
                self._arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
            )
        except FileNotFoundError as error:
            raise HelperMissing(self.location, f"{self._arguments[0]} is not installed here") from error
        assert process.stdin is not None
        assert process.stdout is not None
        self._stderr = b""
        self._reader = Thread(target=self._listen, args=(process.stderr,), daemon=True)
        self._reader.start()
        stdin, stdout = process.stdin, process.stdout
        try:
            stdin.write(MAGIC)
            stdin.flush()
            found = read_exactly(stdout, len(MAGIC))  # type: ignore[arg-type]
            hello = decode(read_bytes(stdout), Hello) if found == MAGIC else None  # type: ignore[arg-type]
        except (OSError, EOFError, RecordCorrupt) as error:
            raise self._failure() from error
        if hello is None:
            self._drop()
            raise RemoteError(
                self.location,
                f"the other side says {found.decode('latin-1')!r} instead of what aura says",
                hint="Its shell must not print anything for commands: look at ~/.bashrc there.",
            )
        self._goes_on = GOES_ON in hello.features
        if hello.protocol != PROTOCOL:
            self._drop()
            raise RemoteMismatch(
                self.location,
                f"aura {hello.aura} there speaks another protocol",
                hint="Install the same version on both.",
            )

    def _listen(self, stream: Any) -> None:
        """Keep the end of what ssh and the remote side complain about."""
        while data := stream.read1(4096):
            self._stderr = (self._stderr + data)[-_STDERR_BYTES:]

    def _failure(self) -> RemoteError:
        """Build the error for a connection that broke."""
        process = self._process
        code = None
        if process is not None:
            for stream in (process.stdin, process.stdout):
                _close(stream)
            try:
                code = process.wait(5)
            except subprocess.TimeoutExpired:
                code = None
        self._drop()
        lines = self._stderr.decode("utf-8", "replace").strip().splitlines()
        told = [at for at, line in enumerate(lines) if line.startswith("Error: ")]
        if code == _NOT_FOUND:
            return HelperMissing(
                self.location,
                "aura is not installed on the other side",
                hint="Install it there, on the PATH of its shell.",
            )
        if code == _SSH_FAILED and not told:
            return ssh_error(self.location, self._host(), lines)
        if not told:
            return RemoteUnreachable(self.location, (lines or ["the connection ended"])[-1])
        kind = next((kind for kind in _SERVED.values() if kind.exit_code == code), RemoteUnreachable)
        hint = " ".join(lines[told[-1] + 1 :])[:500]  # what our own command says below its error
        return kind(self.location, lines[told[-1]].removeprefix("Error: "), hint=hint or None)

    def _host(self) -> str:
        """Return what `ssh` was asked to connect to."""
        return self._arguments[-2] if len(self._arguments) > 1 else self.location

    def _abandon(self) -> None:
        """End a connection that may still have much to say."""
        if self._process is not None:
            self._process.terminate()
        self._drop()

    def _drop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (process.stdin, process.stdout):
            _close(stream)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._reader is not None:
            self._reader.join(5)
        _close(process.stderr)

    def _error(self, ask: SshRequest, answer: SshAnswer) -> Exception:
        if answer.error == "FileNotFoundError":
            return FileNotFoundError(ask.name)
        if answer.error == "FileExistsError":
            return FileExistsError(ask.name)
        if answer.error == "RefMoved":
            return RefMoved(f"{self.location}/{ask.name}", ask.token or "nothing", "another state")
        kind = _SERVED.get(answer.error or "", RemoteError)
        return kind(self.location, answer.message[:500], hint=answer.hint[:500] or None)

    def _strange(self) -> RemoteCorrupt:
        return RemoteCorrupt(self.location, "the other side gave an answer to another question")


class _Upload:
    """A file that is sent in pieces."""

    def __init__(self, source: BinaryIO, progress: Progress) -> None:
        self._source = source
        self._progress = progress

    def resume_offset(self, there: int, digest: str, size: int) -> int:
        """Return from where to continue a file of which so much is there.

        Raises:
            RecordCorrupt: there is more of it than there can be.
        """
        if not 0 <= there <= size:
            raise RecordCorrupt("the connection", f"{there:,} bytes of a file of {size:,} have arrived")
        return resume_offset(self._source, there, digest)

    def send(self, stream: BinaryIO, start: int) -> None:
        """Send the file from there on, and its end."""
        self._progress.advance(start)
        self._source.seek(start)
        while data := self._read():
            write_bytes(stream, data)
            stream.flush()
            self._progress.advance(len(data))
        write_bytes(stream, b"")

    def _read(self) -> bytes:
        try:
            return self._source.read(SENT_BYTES)
        except OSError as error:  # not the line's fault
            raise storage_error("read", "a file that is sent", error) from error


def _close(stream: Any) -> None:
    try:
        if stream is not None:
            stream.close()
    except OSError:
        return  # what could not be written is lost with the connection
