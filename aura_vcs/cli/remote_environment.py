"""What the environment says of how to connect, and what of it other programs are told."""

import os
import sys
from typing import TYPE_CHECKING

import click

from aura_vcs.cli.homes import studio_folder
from aura_vcs.cli.output.console import Console, is_terminal
from aura_vcs.cli.output.escaping import escape

if TYPE_CHECKING:
    from aura_vcs.sync.remotes.connect import Surroundings
    from aura_vcs.sync.remotes.trusted_hosts import Agreements

KEYS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
)
"""One of these in the environment says how to be let in to S3."""
SSH_IS_TOLD = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TERM", "TZ", "TMPDIR",
    "SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "SSH_SK_PROVIDER", "SSH_SK_HELPER",
    "GPG_TTY", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS",
    "KRB5CCNAME", "KRB5_CONFIG", "SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERNAME",
    "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA",
})  # fmt: skip
"""All that `ssh` gets of the environment, besides `LC_…`: never a key of a bucket, nor a passphrase."""
WORKERS_ARE_TOLD = frozenset({"SYSTEMROOT"})
"""What a process that decodes media gets: what Windows needs to start one."""


def surroundings() -> "Surroundings":
    """Whether there are keys for S3, the command for other machines (AURA_SSH), and who agrees to hosts."""
    import shlex  # not every command connects

    from aura_vcs.errors import InputError
    from aura_vcs.sync.remotes.connect import Surroundings

    try:
        words = shlex.split(os.environ.get("AURA_SSH", ""))
    except ValueError as error:
        raise InputError(f"AURA_SSH is not a command line: {error}", hint="Close its quotes.") from error
    return Surroundings(
        tuple(words),
        environment={name: value for name, value in os.environ.items() if _is_for_ssh(name)},
        has_keys=any(os.environ.get(name) for name in KEYS),
        has_token=bool(os.environ.get("AWS_SESSION_TOKEN") or os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE")),
        consent=_consent,
    )


def worker_environment() -> dict[str, str]:
    """What processes that decode media may know of the environment."""
    return {name: os.environ[name] for name in WORKERS_ARE_TOLD if name in os.environ}


def agreements() -> "Agreements":
    """The hosts that the person has agreed to."""
    from aura_vcs.sync.remotes.trusted_hosts import Agreements

    return Agreements(studio_folder())


def _is_for_ssh(name: str) -> bool:
    name = name.upper() if os.name == "nt" else name
    return name in SSH_IS_TOLD or name.startswith("LC_")


def _consent(name: str, host: str) -> None:
    """Ask the person about a host, once; without a terminal, refuse.

    Raises:
        RemoteUntrusted: they have not agreed.
    """
    from aura_vcs.errors.remotes import RemoteUntrusted

    known = agreements()
    if known.cover(host):
        return
    context = click.get_current_context(silent=True)
    console = getattr(context and context.find_root().obj, "console", None) or Console()
    if not console.as_json and is_terminal(sys.stdin) and is_terminal(sys.stderr):
        console.note(f"This project's settings name {host} for {name}, and you have not used it on this machine yet.")
        console.note("Your keys and tokens would be used there. Settings may have come with a copied folder.")
        if click.confirm(f"Use {escape(host)} from now on?", err=True):
            known.add(host)
            return
    raise RemoteUntrusted(name, host)
