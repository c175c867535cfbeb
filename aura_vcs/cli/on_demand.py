"""Fetching offloaded content when a command reads it."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aura_vcs.ids import ObjectId
    from aura_vcs.repository.repository import Repository
    from aura_vcs.storage.remote import RemoteStorage
    from aura_vcs.sync.content import Content


class OnDemand:
    """Fetches offloaded content when a command reads it; opens no remote before."""

    def __init__(self, repo: "Repository") -> None:
        self._repo = repo
        self._content: Content | None = None

    def __call__(self, blobs: "Mapping[ObjectId, str]") -> None:
        """Bring the content of blobs; see sync.content."""
        self.content().bring(blobs)

    def content(self) -> "Content":
        """What brings content to this project."""
        from aura_vcs.sync.content import Content
        from aura_vcs.sync.opening import open_remote
        from aura_vcs.sync.remotes import address_of, remote_config

        def connect(name: str) -> "RemoteStorage":
            config = remote_config(self._repo, name)[1]
            return open_remote(address_of(self._repo, config), single_writer=config.single_writer, ssh=ssh_command())

        self._content = self._content or Content(self._repo, connect)
        return self._content

    def close(self) -> None:
        """Let go of connections."""
        if self._content is not None:
            self._content.close()


def ssh_command() -> list[str]:
    """The command that connects to other machines: `ssh`, or what AURA_SSH says."""
    import shlex  # not every command connects

    words = shlex.split(os.environ.get("AURA_SSH", ""))
    return words or ["ssh"]
