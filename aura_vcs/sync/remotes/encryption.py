"""Encrypted remotes: making a place one, and opening it again.

Whoever runs the command is asked for the passphrase or the key file when it is known what is
wanted. A wrong one is found out from `encryption.json` alone, before anything is written.
"""

import io
from collections.abc import Callable

import msgspec

from aura_vcs.errors.remotes import RemoteLocked, RemoteMismatch
from aura_vcs.storage.encryption import ENCRYPTION
from aura_vcs.storage.encryption.master_key import (
    Encryption,
    Secret,
    decode_encryption,
    encode_encryption,
    new_encryption,
    open_encryption,
)
from aura_vcs.storage.encryption.remote import MANIFEST_RESERVE, EncryptedRemote
from aura_vcs.storage.remotes.base import RangeReadable, RemoteStorage
from aura_vcs.sync.state.manifest import MANIFEST, PACKS, RECORDS


class SecretRequest(msgspec.Struct, frozen=True):
    """What is asked for: `opens_with` is "passphrase" or "key-file", "" where a new place leaves the choice.

    `key` names the master key, to look a passphrase up by; "" for a new place.
    """

    remote: str
    opens_with: str = ""
    key: str = ""


Ask = Callable[[SecretRequest], Secret]


def encryption_of(remote: RangeReadable) -> Encryption | None:
    """Read how a place is encrypted, None if it is not. One request.

    Raises:
        RemoteCorrupt, RemoteMismatch: `encryption.json` is not one that is understood.
    """
    try:
        data = remote.load(ENCRYPTION).data
    except FileNotFoundError:
        return None
    return decode_encryption(data, remote.location)


def unlock(remote: RemoteStorage, ask: Ask | None, *, key: str = "") -> EncryptedRemote:
    """Unlock an encrypted remote; with `key`, only if it is still sealed under that one.

    Raises:
        RemoteLocked: the passphrase or key file is another one, or there is nobody to ask.
        RemoteMismatch: it is not encrypted, or under another key than before.
        RemoteCorrupt: `encryption.json` was changed.
    """
    found = encryption_of(remote)
    if found is None:
        raise RemoteMismatch(
            remote.location,
            "it should be encrypted, but nothing encrypted is there",
            hint="Nothing was sent. Find out who changed the place; `aura remote remove` forgets it.",
        )
    if key and found.key != key:
        raise RemoteMismatch(
            remote.location,
            "it is encrypted under another key than this project knows",
            hint="Nothing was sent. If you set it up again, remove the remote here and add it again.",
        )
    return EncryptedRemote(remote, open_encryption(found, _ask_for_secret(remote, ask, found), remote.location))


def open_if_encrypted(remote: RemoteStorage, ask: Ask, *, must: bool = False) -> tuple[RemoteStorage, str]:
    """Open the remote if it is encrypted; return it and the name of its key, "" if it is not encrypted.

    Raises:
        RemoteMismatch: it is not encrypted, although it `must` be.
        RemoteLocked, RemoteCorrupt: as `unlock`.
    """
    found = encryption_of(remote)
    if found is None and not must:
        return remote, ""
    key = found.key if found is not None else ""
    return unlock(remote, ask, key=key), key


def _ask_for_secret(remote: RangeReadable, ask: Ask | None, found: Encryption) -> Secret:
    if ask is None:
        raise RemoteLocked(
            remote.location,
            "what is stored there is encrypted",
            hint="Add it with --encrypt, and its passphrase or key file.",
        )
    return ask(SecretRequest(remote.location, found.opens_with, found.key))


def encrypt_remote(remote: RemoteStorage, ask: Ask) -> tuple[EncryptedRemote, str]:
    """Make an empty place an encrypted one, or open it if it is one; with the name of its key.

    Raises:
        RemoteMismatch: something that is not encrypted is there.
        RemoteLocked: as `unlock`.
    """
    found = encryption_of(remote)
    if found is None:
        _check_empty(remote)
        secret = ask(SecretRequest(remote.location))
        made, keys = new_encryption(secret)
        try:
            remote.create(ENCRYPTION, io.BytesIO(encode_encryption(made)))
        except FileExistsError:  # another machine was faster: its key is the place's
            found = encryption_of(remote)
        else:
            return EncryptedRemote(remote, keys), made.key
    key = found.key if found is not None else ""
    return unlock(remote, ask, key=key), key


def _check_empty(remote: RemoteStorage) -> None:
    if remote.size(MANIFEST) is not None or any(remote.list(folder) for folder in (PACKS, RECORDS, MANIFEST_RESERVE)):
        raise RemoteMismatch(
            remote.location,
            "something that is not encrypted is there already",
            hint="Encryption begins with an empty place: name another one, and push everything there.",
        )
