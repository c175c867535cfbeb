"""What an environment says of how to connect, and what of it `ssh` is told. Whoever calls reads the environment."""

import os
from collections.abc import Callable, Mapping

from aura_vcs.errors import InputError
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.remotes.connect import Surroundings
from aura_vcs.sync.remotes.trusted_hosts import Consent

KEYS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
)
"""One of these in the environment says how to be let in to S3."""
SSH_VARIABLES = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TERM", "TZ", "TMPDIR",
    "SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "SSH_SK_PROVIDER", "SSH_SK_HELPER",
    "GPG_TTY", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS",
    "KRB5CCNAME", "KRB5_CONFIG", "SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERNAME",
    "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA",
})  # fmt: skip
"""All that `ssh` gets of the environment, besides `LC_…`: never a key of a bucket, nor a passphrase."""


def surroundings_of(
    environment: Mapping[str, str], consent: Consent | None, open_project: Callable[[str, str], RemoteStorage] | None
) -> Surroundings:
    """Read from the environment whether there are keys for S3, and the command for other machines (AURA_SSH).

    Raises:
        InputError: AURA_SSH is not a command line.
    """
    command = environment.get("AURA_SSH", "")
    try:
        words = _split(command) if command else []
    except ValueError as error:
        raise InputError(f"AURA_SSH is not a command line: {error}", hint="Close its quotes.") from error
    return Surroundings(
        tuple(words),
        environment={
            name: value
            for name, value in environment.items()
            if (plain := name.upper() if os.name == "nt" else name) in SSH_VARIABLES or plain[:3] == "LC_"
        },
        has_keys=any(environment.get(name) for name in KEYS),
        has_token=bool(environment.get("AWS_SESSION_TOKEN") or environment.get("AWS_WEB_IDENTITY_TOKEN_FILE")),
        consent=consent,
        open_project=open_project,
    )


def _split(command: str) -> list[str]:
    import shlex  # few say how to connect

    return shlex.split(command)
