"""A keyring backend for tests that lasts from process to process; PYTHON_KEYRING_BACKEND names its class."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class FileKeyring(KeyringBackend):
    """Keeps passwords in the file that TEST_KEYRING_FILE names."""

    priority = 5.0  # type: ignore[assignment]

    def get_password(self, service: str, username: str) -> str | None:
        """What was kept, or None."""
        found = _kept().get(f"{service} {username}")
        return None if found is None else str(found)

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a password."""
        _keep({**_kept(), f"{service} {username}": password})

    def delete_password(self, service: str, username: str) -> None:
        """Forget a password."""
        kept = _kept()
        if kept.pop(f"{service} {username}", None) is None:
            raise PasswordDeleteError(username)
        _keep(kept)


class LockedKeyring(FileKeyring):
    """One whose owner does not unlock it."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Never works."""
        raise RuntimeError("the keyring is locked")


def _path() -> Path:
    return Path(os.environ["TEST_KEYRING_FILE"])


def _kept() -> dict[str, str]:
    found: dict[str, str] = json.loads(_path().read_text()) if _path().exists() else {}
    return found


def _keep(kept: dict[str, str]) -> None:
    _path().write_text(json.dumps(kept))
