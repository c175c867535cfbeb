"""A pack of git, written object by object. Format: gitformat-pack(5), without deltas."""

import hashlib
import struct
import zlib
from collections.abc import Iterable
from typing import BinaryIO

KINDS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
LEVEL = 1
"""Media hardly compress; git makes small packs of what does by itself, later."""


class PackFile:
    """Writes objects, each once, to a new file that can be read too."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._known: set[bytes] = set()
        file.write(b"PACK" + struct.pack(">II", 2, 0))

    def add(self, kind: str, data: bytes) -> str:
        """Write an object that is in memory; returns its id."""
        digest = hashlib.sha1(f"{kind} {len(data)}\0".encode() + data, usedforsecurity=False)
        if digest.digest() not in self._known:
            self._known.add(digest.digest())
            self._file.write(_head(KINDS[kind], len(data)) + zlib.compress(data, LEVEL))
        return digest.hexdigest()

    def add_stream(self, size: int, pieces: Iterable[bytes]) -> str:
        """Write a blob of `size` bytes; returns its id. One that is there already lies in the pack twice, which is
        harmless to git but for the room: the caller sees to that."""
        digest = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
        squeeze = zlib.compressobj(LEVEL)
        self._file.write(_head(KINDS["blob"], size))
        for piece in pieces:
            digest.update(piece)
            self._file.write(squeeze.compress(piece))
        self._file.write(squeeze.flush())
        self._known.add(digest.digest())
        return digest.hexdigest()

    def finish(self) -> None:
        """Write the number of objects and the checksum."""
        file = self._file
        file.seek(8)
        file.write(struct.pack(">I", len(self._known)))
        file.seek(0)
        digest = hashlib.sha1(usedforsecurity=False)
        while data := file.read(1 << 20):
            digest.update(data)
        file.write(digest.digest())


def _head(kind: int, size: int) -> bytes:
    first, size = kind << 4 | size & 15, size >> 4
    found = bytearray()
    while size:
        found.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    found.append(first)
    return bytes(found)
