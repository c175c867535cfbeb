"""Sealing files so that the place that keeps them can neither read nor change them.

A file is cut into segments of SEGMENT_BYTES, each encrypted by AES-256-GCM (NIST SP 800-38D, by
`cryptography`) in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: "Online
Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015), as age and Tink use it: the
nonce is the segment's number and whether it is the last one. Every file has a key of its own, by
HKDF-SHA256 (RFC 5869) from the content key, 32 random bytes at the file's head, and its name. So
a segment that was moved, swapped, left out or cut off does not open, and neither does a file
under another name; any range can be read and verified without the rest.

Names are sealed by AES-SIV (RFC 5297): the same name gives the same sealed name, which is what
`create` needs, and a listing can be read by those who have the key.

The 32 bytes are random, or (`Keys.same_file`) a keyed hash of the file's name and of all its segments,
as in SIV (Rogaway, Shrimpton: "Deterministic Authenticated-Encryption", 2006): so a large file that is
sent a second time is the same bytes, and the sending can go on. A key is used twice for the same
segments only: each is hashed again before it is sealed, and must be the one that the key was made for.
"""

import base64
import binascii
import io
import os
from typing import BinaryIO

from blake3 import blake3

from aura_vcs.errors.integrity import StorageError
from aura_vcs.storage.generated_file import GeneratedFile

MAGIC = b"AURASEA1"
SALT_BYTES = 32
HEAD_BYTES = len(MAGIC) + SALT_BYTES
SEGMENT_BYTES = 64 << 10
TAG_BYTES = 16
SEALED_SEGMENT_BYTES = SEGMENT_BYTES + TAG_BYTES
KEY_BYTES = 32
NAME_BYTES = 96
"""Names are filled up to this, so that their length does not tell what they name."""
_COUNTER_BYTES = 11
_SIV_KEY_BYTES = 64
_FILLER = b"\0"


class Unsealable(Exception):
    """The bytes are not what was sealed under this key, name and place; nothing of them is believed."""


class FileKey:
    """The key of one file: opens and seals its segments."""

    def __init__(self, content_key: bytes, name: str, salt: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.salt = salt
        self._name = name.encode()
        self._cipher = AESGCM(derived(content_key, b"aura_vcs file 1\0" + self._name, salt=salt))

    @property
    def head(self) -> bytes:
        """What a sealed file begins with."""
        return MAGIC + self.salt

    def seal(self, number: int, data: bytes, *, last: bool) -> bytes:
        """Seal a segment. The same number is sealed once only, or with the same bytes."""
        return bytes(self._cipher.encrypt(_nonce(number, last=last), data, self._name))

    def open(self, number: int, sealed: bytes, *, last: bool) -> bytes:
        """Open a sealed segment and return its bytes.

        Raises:
            Unsealable: they were changed, or belong to another place.
        """
        from cryptography.exceptions import InvalidTag

        try:
            return bytes(self._cipher.decrypt(_nonce(number, last=last), sealed, self._name))
        except (InvalidTag, ValueError) as error:
            raise Unsealable(f"segment {number} does not open") from error


class Keys:
    """What the master key of a place gives: a key for contents and one for names."""

    def __init__(self, master: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        self._content = derived(master, b"aura_vcs content 1")
        self._salts = derived(master, b"aura_vcs salts 1")
        self._segments = derived(master, b"aura_vcs segments 1")
        self._names = AESSIV(derived(master, b"aura_vcs names 1", length=_SIV_KEY_BYTES))

    def new_file(self, name: str) -> FileKey:
        """Make a fresh key for a file that is written."""
        return FileKey(self._content, name, os.urandom(SALT_BYTES))

    def same_file(self, name: str, source: BinaryIO) -> tuple[FileKey, "Pinned"]:
        """Derive the key that a file of this name and content always has, and what may be sealed with it.

        Reads all of the source, a segment at a time.
        """
        pinned = Pinned(self._segments, source)
        data = name.encode()
        parts = [len(data).to_bytes(8, "big"), data, pinned.size.to_bytes(8, "big"), *pinned.digests]
        return FileKey(self._content, name, blake3(b"".join(parts), key=self._salts).digest()), pinned

    def file(self, name: str, head: bytes) -> FileKey:
        """Derive the key of a file that is there, from its first HEAD_BYTES.

        Raises:
            Unsealable: it is not a sealed file.
        """
        if len(head) < HEAD_BYTES or not head.startswith(MAGIC):
            raise Unsealable("it does not begin as a sealed file")
        return FileKey(self._content, name, head[len(MAGIC) : HEAD_BYTES])

    def seal_name(self, name: str) -> str:
        """Seal a name: 180 letters and digits, whatever the name.

        Raises:
            ValueError: the name is longer than any of ours.
        """
        data = name.encode()
        if len(data) > NAME_BYTES:
            raise ValueError(f"a name has at most {NAME_BYTES} bytes")
        sealed = self._names.encrypt(data.ljust(NAME_BYTES, _FILLER), None)
        return base64.b32encode(sealed).decode("ascii").rstrip("=").lower()

    def open_name(self, sealed: str) -> str:
        """Open a sealed name and return the name.

        Raises:
            Unsealable: it was not sealed with this key.
        """
        from cryptography.exceptions import InvalidTag

        text = sealed.upper()
        try:
            data = base64.b32decode(text + "=" * (-len(text) % 8))
            return bytes(self._names.decrypt(data, None)).rstrip(_FILLER).decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise Unsealable("the name is not one of ours") from error


class Pinned:
    """Keyed hashes of all segments of a source, as it was when it was read first: 32 bytes for 64 KiB."""

    def __init__(self, key: bytes, source: BinaryIO) -> None:
        self._key = key
        self.size = source.seek(0, io.SEEK_END)
        self.digests = [
            self._digest(_exactly(source, start, min(SEGMENT_BYTES, self.size - start)))
            for start in range(0, max(1, self.size), SEGMENT_BYTES)
        ]

    def check(self, number: int, data: bytes) -> None:
        """Refuse a segment that is another one now: sealed with the same key, it would betray both.

        Raises:
            StorageError: it is.
        """
        if self._digest(data) != self.digests[number]:
            raise StorageError("send", "a file", "it does not read the same twice")

    def _digest(self, data: bytes) -> bytes:
        return blake3(data, key=self._key).digest()


class SealedStream(GeneratedFile):
    """What a source becomes when it is sealed.

    The source must not change meanwhile, and cannot where it is `pinned`.
    """

    def __init__(self, source: BinaryIO, file: FileKey, pinned: Pinned | None = None) -> None:
        self._pinned = pinned
        self._source = source
        self._file = file
        self._plain = source.seek(0, io.SEEK_END) if pinned is None else pinned.size
        self._segment: tuple[int, bytes] = (-1, b"")
        super().__init__(sealed_size(self._plain))

    def _piece(self, most: int) -> bytes:
        """See GeneratedFile: the rest of the head, or of a segment."""
        if self._at < HEAD_BYTES:
            return self._file.head[self._at :][:most]
        number, inside = divmod(self._at - HEAD_BYTES, SEALED_SEGMENT_BYTES)
        if self._segment[0] != number:
            length = min(SEGMENT_BYTES, self._plain - number * SEGMENT_BYTES)
            last = (number + 1) * SEGMENT_BYTES >= self._plain
            data = _exactly(self._source, number * SEGMENT_BYTES, length)
            if self._pinned is not None:
                self._pinned.check(number, data)
            self._segment = number, self._file.seal(number, data, last=last)
        return self._segment[1][inside:][:most]


def _exactly(source: BinaryIO, offset: int, length: int) -> bytes:
    """Read exactly so many bytes from there.

    Raises:
        StorageError: there are fewer.
    """
    source.seek(offset)
    pieces, left = [], length
    while left:
        data = source.read(left)
        if not data:
            raise StorageError("send", "a file", "it became shorter while it was sent")
        pieces.append(data)
        left -= len(data)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def derived(key: bytes, purpose: bytes, *, salt: bytes | None = None, length: int = KEY_BYTES) -> bytes:
    """Derive a key for one purpose, by HKDF-SHA256 (RFC 5869)."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return bytes(HKDF(SHA256(), length, salt, purpose).derive(key))


def sealed_size(plain: int) -> int:
    """Return the size of a sealed file that holds so many bytes."""
    return HEAD_BYTES + plain + TAG_BYTES * max(1, -(-plain // SEGMENT_BYTES))


def plain_size(sealed: int) -> int:
    """Return how many bytes a sealed file of that size holds.

    Raises:
        Unsealable: no sealed file has that size.
    """
    body = sealed - HEAD_BYTES
    count = -(-body // SEALED_SEGMENT_BYTES)
    plain = body - count * TAG_BYTES
    if plain < 0 or sealed_size(plain) != sealed:
        raise Unsealable("no sealed file has its size")
    return plain


def seal(file: FileKey, data: bytes) -> bytes:
    """Seal a small file as a whole."""
    return SealedStream(io.BytesIO(data), file).read()


def open_segments(file: FileKey, first: int, sealed: bytes, *, ends: bool) -> list[bytes]:
    """Open segments from number `first` on; `ends` says that the last of them is the file's last.

    Raises:
        Unsealable: one of them is not what was sealed there.
    """
    if not sealed:
        raise Unsealable("it is cut off")
    view = memoryview(sealed)
    pieces = [view[at : at + SEALED_SEGMENT_BYTES] for at in range(0, len(view), SEALED_SEGMENT_BYTES)]
    last = len(pieces) - 1
    return [
        file.open(first + number, piece, last=ends and number == last)  # type: ignore[arg-type]  # a view will do
        for number, piece in enumerate(pieces)
    ]


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(_COUNTER_BYTES, "big") + (b"\1" if last else b"\0")
