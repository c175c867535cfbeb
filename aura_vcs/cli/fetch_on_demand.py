"""Fetching offloaded content when a command reads it."""

from typing import TYPE_CHECKING

from aura_vcs.cli.remote_environment import surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aura_vcs.cli.output.console import Console
    from aura_vcs.ids import ObjectId
    from aura_vcs.repository.repository import Repository
    from aura_vcs.storage.remotes.base import RemoteStorage
    from aura_vcs.sync.offload.fetch_content import Content


class OnDemand:
    """Fetches offloaded content when a command reads it; opens no remote before."""

    def __init__(self, repo: "Repository", console: "Console") -> None:
        self._repo = repo
        self._console = console
        self._content: Content | None = None

    def __call__(self, blobs: "Mapping[ObjectId, str]") -> None:
        """Bring the content of blobs; see sync.content."""
        self.content().bring(blobs)

    def content(self) -> "Content":
        """What brings content to this project."""
        from aura_vcs.sync.offload.fetch_content import Content

        self._content = self._content or Content(self._repo, self._connect)
        return self._content

    def _connect(self, name: str) -> "RemoteStorage":
        from aura_vcs.sync.remotes.config import remote_config
        from aura_vcs.sync.remotes.connect import open_named
        from aura_vcs.sync.state.cache import Known

        config = remote_config(self._repo, name)[1]
        remote = open_named(self._repo, name, config, surroundings=surroundings())
        if not config.encryption:
            return remote
        from aura_vcs.cli.remote_keys import KeyHolder
        from aura_vcs.sync.remotes.encryption import unlock

        try:
            holder = KeyHolder(self._console, known=Known(self._repo, name).key_file())
            return unlock(remote, holder, key=config.encryption)
        except BaseException:
            remote.close()
            raise

    def close(self) -> None:
        """Let go of connections."""
        if self._content is not None:
            self._content.close()
