"""What the environment says of how to connect, and what of it other programs are told."""

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.homes import studio_folder
from aura_vcs.cli.output.console import Console, escape, is_terminal
from aura_vcs.errors import InputError
from aura_vcs.errors.remotes import RemoteUntrusted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aura_vcs.sync.project_remote import ProjectRemote
    from aura_vcs.sync.remotes.connect import Surroundings
    from aura_vcs.sync.remotes.trusted_hosts import TrustedHosts

GIT_VARIABLES = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SSH_AUTH_SOCK",
        "TMPDIR",
        "SYSTEMROOT",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    }
)
"""What git gets where it reads or writes a repository of somebody's; nothing that names a configuration."""
WORKER_VARIABLES = frozenset({"SYSTEMROOT"})
"""What a process that decodes media gets: what Windows needs to start one."""


def surroundings() -> "Surroundings":
    """Find out if there are keys for S3, the command for other machines (AURA_SSH), and who agrees to hosts."""
    from aura_vcs.sync.remotes.environment import surroundings_of  # not every command connects

    return surroundings_of(os.environ, _consent, open_project)


def open_project(path: str, place: str) -> "ProjectRemote":
    """Open a project's own folder as a remote, as the person who works here; see sync.project_remote."""
    from aura_vcs.sync.project_remote import open_project as open_remote

    context = click.get_current_context(silent=True)
    session: Any = context.find_root().obj if context is not None else None
    if session is None:
        return open_remote(path, place)
    options = session.options()
    del options["progress"]  # what is done there is not told here
    return open_remote(path, place, trust=session.trust(), **options)


def worker_environment() -> dict[str, str]:
    """Select what processes that decode media may know of the environment."""
    return {name: os.environ[name] for name in WORKER_VARIABLES if name in os.environ}


def git_environment() -> dict[str, str]:
    """Return what git may know of the environment: where programs are, how to get out, what opens hosts over SSH."""
    return {name: os.environ[name] for name in GIT_VARIABLES if name in os.environ}


def agreements() -> "TrustedHosts":
    """Return the hosts that the person has agreed to."""
    from aura_vcs.sync.remotes.trusted_hosts import TrustedHosts

    return TrustedHosts(studio_folder())


def _consent(name: str, host: str) -> None:
    """Ask the person about a host, once; without a terminal, refuse.

    Raises:
        RemoteUntrusted: they have not agreed.
    """
    words = f"This project's settings name {host} for {name}", "These settings may come from a copied folder."
    if not _is_agreed(host, *words):
        raise RemoteUntrusted(name, host)


def lfs_consent(given: "Iterable[str]") -> "Callable[[str], None]":
    """Return what asks the person about the server of Git LFS that a repository names, unless they gave its host."""
    from aura_vcs.storage.remotes.web_hosts import web_host

    try:
        hosts = {web_host(host) for host in given}
    except ValueError as error:
        raise InputError("A host is written as https://example.com") from error

    def agree(host: str) -> None:
        words = f"The repository names {host} for content of Git LFS", "Whoever made the repository chose it."
        if host not in hosts and not _is_agreed(host, *words):
            hint = f"If you know that host: `--lfs-host {host}`. With `--no-lfs` the pointers come as they are."
            raise RemoteUntrusted("Git LFS", host, named_by="the repository names", hint=hint)

    return agree


def _is_agreed(host: str, what: str, warning: str) -> bool:
    """Tell whether the person agrees to a host; where they can be asked, they are, once."""
    known = agreements()
    if known.is_trusted(host):
        return True
    context = click.get_current_context(silent=True)
    console = getattr(context and context.find_root().obj, "console", None) or Console()
    if not console.as_json and is_terminal(sys.stdin) and is_terminal(sys.stderr):
        console.note(f"{what}, and you have not used it on this machine yet.")
        console.note(f"Your keys and tokens would be used there. {warning}")
        if click.confirm(f"Use {escape(host)} from now on?", err=True):
            known.add(host)
            return True
    return False
