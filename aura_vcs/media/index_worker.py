"""The process that makes entries of the media index: `python -m aura_vcs.media.index_worker`.

Codecs are large and files may be hostile, so this runs alone, without the caller's environment, with limits on
time, memory and written files. A request comes on standard input as JSON. Each file is looked at by a copy of this
process that has only that file open and a pipe of its own: what takes it over can say nothing about other files.

Down a file's pipe go messages, each a letter, a length of 4 bytes and so many bytes: `p`, how far it is; at the end
`e`, an entry, `f`, why the file has none, or `m`, why this machine made none: that says nothing about the file.
Standard output has two bytes for each file: how its process ended.
"""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import BinaryIO

import msgspec

from aura_vcs.formats.media.headers import read_header
from aura_vcs.media.index_film import index_film, is_of_the_machine
from aura_vcs.media.index_orders import FileOrder, IndexOrders
from aura_vcs.media.index_picture import index_picture
from aura_vcs.media.limits import confine


def build(wanted: FileOrder, threads: int) -> tuple[bytes, bytes]:
    """Build the entry, or say why there is none: the letter of the message, and the message."""
    try:
        with open(wanted.fd, "rb") if wanted.fd >= 0 else open(wanted.path, "rb") as file:
            return b"e", _entry(file, wanted, threads)
    except MemoryError:
        return b"m", b"it needs more memory than is allowed"
    except Exception as error:  # whatever a decoder raises: the file is at fault, or the machine, not the caller
        if is_of_the_machine(error):
            return b"m", f"this machine could not decode it just now ({type(error).__name__})".encode()
        return b"f", reason_of(error).encode()


def _entry(file: BinaryIO, wanted: FileOrder, threads: int) -> bytes:
    file.seek(0)
    header = read_header(file)
    if header is None:
        raise ValueError("it is not a picture, sound or video of a kind that is known")
    file.seek(0)
    if header.kind == "picture":
        return index_picture(file, header, wanted.content, wanted.limits)
    return index_film(file, header, wanted.content, threads, wanted.limits, _Reporter(wanted.out).report)


class _Reporter:
    """Says how far the work is, a few times a second."""

    def __init__(self, out: int) -> None:
        self._out = out
        self._next = 0.0

    def report(self, seconds: float, of: float) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + 0.1
            _send(self._out, b"p", msgspec.msgpack.encode((seconds, of)))


def reason_of(error: Exception) -> str:
    """Say why a file cannot be decoded, for a person; decoders' own words name our copies and numbers."""
    kind = type(error).__name__
    if "Bomb" in kind:
        return "it claims more pixels than are looked at"
    if kind == "ValueError" and str(error).startswith("it "):
        return str(error)
    return f"it is damaged, or of a kind that is not known ({kind})"


def _send(out: int, kind: bytes, data: bytes) -> None:
    message = memoryview(kind + len(data).to_bytes(4, "big") + data)
    while message:
        message = message[os.write(out, message) :]


def _look(wanted: FileOrder, threads: int) -> None:
    """Look at one file, confined."""
    limits = wanted.limits
    confine(memory_bytes=limits.memory_bytes, cpu_seconds=int(limits.seconds) + 2, file_bytes=0)
    _send(wanted.out, *build(wanted, threads))


def _look_apart(files: Sequence[FileOrder], threads: int) -> None:
    """Look at each file in a copy of this process."""
    for module in ("av", "PIL.Image", "PIL.ImageOps", "numpy") if len(files) > 1 else ():
        with suppress(ImportError):
            import_module(module)
    for n, wanted in enumerate(files):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for other in files[n + 1 :]:
                    os.close(other.fd)
                    os.close(other.out)
                os.close(1)
                _look(wanted, threads)
                code = 0
            finally:
                os._exit(code)
        os.close(wanted.fd)
        os.close(wanted.out)
        _, status = os.waitpid(child, 0)
        os.write(1, os.waitstatus_to_exitcode(status).to_bytes(2, "big", signed=True))


def main() -> None:
    """Read one request, write what comes of it."""
    with open(0, "rb", closefd=False) as source:
        request = msgspec.json.decode(source.read(), type=IndexOrders)
    if hasattr(os, "fork") and all(wanted.fd >= 0 for wanted in request.files):
        _look_apart(request.files, request.threads)
    else:
        for wanted in request.files:
            _look(wanted, request.threads)


if __name__ == "__main__":
    main()
