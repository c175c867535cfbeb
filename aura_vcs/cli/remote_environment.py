"""What the environment says of how to connect, and what of it other programs are told."""

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.homes import studio_folder
from aura_vcs.cli.output.console import Console, is_terminal
from aura_vcs.cli.output.escaping import escape
from aura_vcs.errors.remotes import RemoteUntrusted

if TYPE_CHECKING:
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
    known = agreements()
    if known.is_trusted(host):
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
