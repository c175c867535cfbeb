"""`encryption.json`: what lies open at an encrypted remote, and how it gives the keys to those who may.

All files are sealed under one random master key. It lies in `encryption.json`, wrapped by
AES-256-GCM under a key that comes from a passphrase by scrypt (RFC 7914) or from a key file by
HKDF-SHA256 (RFC 5869), with everything else in the file as associated data: a changed parameter
opens nothing. Half of what scrypt or HKDF give is a commitment that is compared first. It tells a
wrong passphrase from a changed file, and keeps a remote from learning about a passphrase by
handing out files that open under many (Len, Grubbs, Ristenpart: "Partitioning Oracle Attacks",
2021).
"""

import os
import re
import unicodedata
from functools import lru_cache
from typing import Any, Literal

import msgspec
from blake3 import blake3

from aura_vcs.codec import decode_record, encode_compact, encode_record
from aura_vcs.errors import InputError
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteLocked, RemoteMismatch
from aura_vcs.storage.encryption import ENCRYPTION
from aura_vcs.storage.encryption.cipher import KEY_BYTES, Keys, derived

ENCRYPTION_FORMAT = 1
CIPHER = "aes-256-gcm-stream"
SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 17, 8, 1
"""128 MiB and some tenths of a second for every guess."""
SCRYPT_MEMORY_LIMIT = 1 << 30
SALT_BYTES = 32
LEAST_LETTERS = 8
KEY_FILE_HEAD = "aura-key-1 "
_KEY_FILE = re.compile(rb"aura-key-1 ([0-9a-f]{64})\s*")
_NONCE_BYTES = 12
_CONTEXT = "aura_vcs 2026 id of a remote's master key"
_ID_LETTERS = 16


class Secret:
    """What opens a place: the passphrase, or the key from a key file. It never shows itself."""

    def __init__(self, kind: Literal["passphrase", "key-file"], data: bytes) -> None:
        self.kind = kind
        self.data = data


class Encryption(msgspec.Struct, frozen=True):
    """`encryption.json`. Bytes are written in hex; `n`, `r` and `p` are scrypt's, 0 for a key file."""

    format: int
    cipher: str
    opens_with: Literal["passphrase", "key-file"]
    salt: str
    n: int
    r: int
    p: int
    key: str
    commitment: str
    wrapped: str

    def bound(self) -> bytes:
        """Return everything that the wrapped key is bound to."""
        return encode_compact(msgspec.structs.replace(self, wrapped=""))


def passphrase_secret(text: str) -> Secret:
    """Turn a typed passphrase into a secret; the same text in another Unicode form is the same."""
    return Secret("passphrase", unicodedata.normalize("NFC", text).encode("utf-8", "surrogateescape"))


def key_file_secret(data: bytes, path: str) -> Secret:
    """Read the secret in the bytes of a key file.

    Raises:
        RemoteLocked: it is not a key file.
    """
    match = _KEY_FILE.fullmatch(data)
    if match is None:
        raise RemoteLocked(path, "it is not a key file", hint="`aura remote add --encrypt --key-file` makes one.")
    return Secret("key-file", bytes.fromhex(match[1].decode()))


def new_key_file() -> bytes:
    """Make the bytes of a new key file."""
    return f"{KEY_FILE_HEAD}{os.urandom(KEY_BYTES).hex()}\n".encode()


def new_encryption(secret: Secret) -> tuple[Encryption, Keys]:
    """Make a new master key, and the file that holds it for those who have the secret.

    Raises:
        InputError: the passphrase is too short.
    """
    master = os.urandom(KEY_BYTES)
    typed = secret.kind == "passphrase"
    if typed and len(secret.data) < LEAST_LETTERS:
        raise InputError(
            f"A passphrase has at least {LEAST_LETTERS} letters", hint="Several words together are good ones."
        )
    record = Encryption(
        ENCRYPTION_FORMAT,
        CIPHER,
        secret.kind,
        os.urandom(SALT_BYTES).hex(),
        SCRYPT_N if typed else 0,
        SCRYPT_R if typed else 0,
        SCRYPT_P if typed else 0,
        key=blake3(master, derive_key_context=_CONTEXT).hexdigest()[:_ID_LETTERS],
        commitment="",
        wrapped="",
    )
    wrapping, commitment = _stretched(record, secret)
    record = msgspec.structs.replace(record, commitment=commitment.hex())
    nonce = os.urandom(_NONCE_BYTES)
    wrapped = nonce + _cipher(wrapping).encrypt(nonce, master, record.bound())
    return msgspec.structs.replace(record, wrapped=wrapped.hex()), Keys(master)


def open_encryption(record: Encryption, secret: Secret, place: str) -> Keys:
    """Open the keys of a place.

    Raises:
        RemoteLocked: it is another secret.
        RemoteCorrupt: the file was changed.
    """
    import hmac  # slow to import, and most places are not encrypted

    from cryptography.exceptions import InvalidTag

    if secret.kind != record.opens_with:
        raise RemoteLocked(place, f"it opens with a {_word(record.opens_with)}, not with a {_word(secret.kind)}")
    wrapping, commitment = _stretched(record, secret)
    if not hmac.compare_digest(commitment.hex(), record.commitment):
        raise RemoteLocked(place, f"this is not its {_word(record.opens_with)}")
    wrapped = bytes.fromhex(record.wrapped)
    try:
        master = _cipher(wrapping).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], record.bound())
    except InvalidTag as error:
        raise RemoteCorrupt(place, f"{ENCRYPTION} was changed there") from error
    return Keys(bytes(master))


def encode_encryption(record: Encryption) -> bytes:
    """Encode the bytes of `encryption.json`."""
    return encode_record(record)


def decode_encryption(data: bytes, place: str) -> Encryption:
    """Decode the record and check it: nothing in it may cost more than a proper one.

    Raises:
        RemoteCorrupt: it is none. RemoteMismatch: a newer aura_vcs wrote it.
    """
    try:
        head = decode_record(data, _Head, ENCRYPTION)
        if head.format != ENCRYPTION_FORMAT or head.cipher != CIPHER:
            raise RemoteMismatch(
                place,
                f"it is encrypted in a way that this aura_vcs does not know ({head.cipher[:40]!r})",
                hint="Install a newer aura_vcs.",
            )
        record = decode_record(data, Encryption, ENCRYPTION)
    except RecordCorrupt as error:
        raise RemoteCorrupt(place, error.message) from error
    lengths = (record.salt, SALT_BYTES), (record.commitment, KEY_BYTES), (record.wrapped, _NONCE_BYTES + KEY_BYTES + 16)
    proper = all(re.fullmatch(f"[0-9a-f]{{{2 * count}}}", text) for text, count in lengths)
    if not proper or not re.fullmatch(f"[0-9a-f]{{{_ID_LETTERS}}}", record.key) or not _is_affordable(record):
        raise RemoteCorrupt(place, f"{ENCRYPTION} is not valid")
    return record


class _Head(msgspec.Struct, frozen=True):
    format: int
    cipher: str = ""


def _is_affordable(record: Encryption) -> bool:
    if record.opens_with == "key-file":
        return True
    sizes = record.n > 1 and record.n & (record.n - 1) == 0 and 1 <= record.r <= 32 and 1 <= record.p <= 4
    return sizes and 128 * record.n * record.r <= SCRYPT_MEMORY_LIMIT


def _stretched(record: Encryption, secret: Secret) -> tuple[bytes, bytes]:
    """Derive the wrapping key and the commitment to it."""
    salt, length = bytes.fromhex(record.salt), 2 * KEY_BYTES
    if record.opens_with == "key-file":
        both = derived(secret.data, b"aura_vcs key file 1", salt=salt, length=length)
    else:
        both = _scrypt(secret.data, salt, length, record.n, record.r, record.p)
    return both[:KEY_BYTES], both[KEY_BYTES:]


@lru_cache(maxsize=4)
def _scrypt(data: bytes, salt: bytes, length: int, n: int, r: int, p: int) -> bytes:
    """Stretch a passphrase, which takes a second on purpose: a program that stays open pays it once for a remote.

    What is kept is as secret as the passphrase, which whoever calls keeps as well.
    """
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return bytes(Scrypt(salt, length, n, r, p).derive(data))


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _word(kind: str) -> str:
    return kind.replace("-", " ")
