"""Sensitive values at rest.

Where the system has a working keyring (package `keyring`), values lie there and the file names
the entry. Else they are encrypted with AES-256-GCM (NIST SP 800-38D, by `cryptography`), a random
96-bit nonce each, bound to their key by the additional data; the key lies beside the file,
readable by its owner alone. That protects copies of the configuration, not against somebody who
can read the person's files: `Sealed.method` says which of the two it is.
"""

import os
import stat
from typing import Any, Literal

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.errors.studio import SecretUnavailable
from aura_vcs.studio.folder import KEY, StudioFolder

SERVICE = "aura_vcs"
KEY_BYTES, NONCE_BYTES = 32, 12


class Sealed(msgspec.Struct, frozen=True):
    """A sensitive value as the configuration has it; `data` is empty where the keyring keeps it."""

    method: Literal["keyring", "aes-gcm"]
    data: str = ""


def seal(folder: StudioFolder, key: str, value: str, keyring: Any = None) -> Sealed:
    """Encrypt a value for the configuration. The caller holds the studio's lock.

    `keyring` is a working one, or None.

    Raises:
        SecretUnavailable: neither a keyring nor `cryptography` is there.
    """
    if keyring is not None:
        keyring.set_password(SERVICE, _entry(folder, key), value)
        return Sealed("keyring")
    import base64  # settings that are no secrets are read far more often

    nonce = os.urandom(NONCE_BYTES)
    data = nonce + _cipher(_file_key(folder, key, create=True), key).encrypt(nonce, value.encode(), key.encode())
    return Sealed("aes-gcm", base64.b64encode(data).decode("ascii"))


def unseal(folder: StudioFolder, key: str, sealed: Sealed, keyring: Any = None) -> str:
    """Decrypt a sealed value.

    Raises:
        SecretUnavailable: the keyring or the key file does not open it.
    """
    if sealed.method == "keyring":
        found = keyring.get_password(SERVICE, _entry(folder, key)) if keyring is not None else None
        if found is None:
            raise SecretUnavailable(key, "the keyring does not have it")
        return str(found)
    import base64

    try:
        data = base64.b64decode(sealed.data, validate=True)
    except ValueError as error:
        raise SecretUnavailable(key, "what is stored is damaged") from error
    from cryptography.exceptions import InvalidTag

    cipher = _cipher(_file_key(folder, key, create=False), key)
    try:
        return str(cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], key.encode()).decode())
    except (InvalidTag, ValueError) as error:
        raise SecretUnavailable(key, f"{KEY} does not open it, or it was changed") from error


def forget(folder: StudioFolder, key: str, sealed: Sealed, keyring: Any = None) -> None:
    """Remove what the keyring keeps; what the file has goes with its line."""
    if sealed.method == "keyring" and keyring is not None:
        try:
            keyring.delete_password(SERVICE, _entry(folder, key))
        except Exception:
            return  # every keyring raises errors of its own for what is not there


def working_keyring() -> Any:
    """Return the system's keyring, if the package is installed and retains what it is given; else None."""
    try:
        import keyring
        from keyring.backends import fail, null
    except ImportError:
        return None
    try:
        found = keyring.get_keyring()
        if isinstance(found, fail.Keyring | null.Keyring) or getattr(found, "priority", 1) < 1:
            return None
        found.set_password(SERVICE, "probe", "works")
        works = found.get_password(SERVICE, "probe") == "works"
        found.delete_password(SERVICE, "probe")
    except Exception:
        return None  # a keyring that is locked, or whose service is not running
    return found if works else None


def _entry(folder: StudioFolder, key: str) -> str:
    return f"{folder.path}:{key}"


def _file_key(folder: StudioFolder, key: str, *, create: bool) -> bytes:
    try:
        data = folder.storage.read(KEY)
    except FileNotFoundError as error:
        if not create:
            raise SecretUnavailable(key, f"{folder.storage.path(KEY)} is not there") from error
        data = os.urandom(KEY_BYTES)
        folder.storage.put(KEY, data, private=True)
    except AuraError as error:
        raise SecretUnavailable(key, error.message) from error
    if len(data) != KEY_BYTES:
        raise SecretUnavailable(key, f"{folder.storage.path(KEY)} is damaged")
    found = folder.storage.look(KEY)
    if os.name == "posix" and found is not None and stat.S_IMODE(found.st_mode) & 0o077:
        path = folder.storage.path(KEY)
        raise SecretUnavailable(key, f"others can read {path}", hint=f"chmod 600 {path}, and change the secrets.")
    return data


def _cipher(data: bytes, key: str) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as error:
        hint = "Install it with: pip install cryptography"
        raise SecretUnavailable(key, "the package cryptography is not installed", hint=hint) from error
    return AESGCM(data)
