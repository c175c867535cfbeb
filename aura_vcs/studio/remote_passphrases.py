"""Passphrases of encrypted remotes that the system's keyring keeps."""

from aura_vcs.studio.secret_store import SERVICE, working_keyring


def stored_passphrase(key: str) -> str | None:
    """Return the passphrase that the keyring has for a remote's key, if there is a keyring that opens."""
    if not key:
        return None
    try:
        import keyring
    except ImportError:
        return None
    try:
        found = keyring.get_password(SERVICE, _entry(key))
    except Exception:
        return None  # every keyring raises errors of its own where it is locked or not running
    return None if found is None else str(found)


def keep_passphrase(key: str, passphrase: str) -> bool:
    """Keep it; False where no keyring works."""
    keyring = working_keyring()
    if keyring is None:
        return False
    keyring.set_password(SERVICE, _entry(key), passphrase)
    return True


def _entry(key: str) -> str:
    return f"remote:{key}"
