"""Fetching offloaded content when a command reads it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aura_vcs.cli.output.console import Console
    from aura_vcs.ids import ObjectId
    from aura_vcs.repository.repository import Repository
    from aura_vcs.storage.remotes.base import RemoteStorage
    from aura_vcs.sync.offload.fetch_content import LazyFetcher


class FetchOnDemand:
    """Fetches offloaded content when a command reads it; opens no remote before."""

    def __init__(self, repo: "Repository", console: "Console") -> None:
        self._repo = repo
        self._console = console
        self._content: LazyFetcher | None = None

    def __call__(self, blobs: "Mapping[ObjectId, str]") -> None:
        """Bring the content of blobs; see sync.content."""
        self.content().fetch(blobs)

    def content(self) -> "LazyFetcher":
        """Build the fetcher that brings content to this project."""
        from aura_vcs.sync.offload.fetch_content import LazyFetcher

        self._content = self._content or LazyFetcher(self._repo, self._connect)
        return self._content

    def _connect(self, name: str) -> "RemoteStorage":
        from aura_vcs.cli.remote_environment import surroundings
        from aura_vcs.cli.remote_keys import KeyHolder
        from aura_vcs.sync.remotes.link import open_link

        return open_link(self._repo, name, surroundings(), lambda known: KeyHolder(self._console, known=known)).remote

    def close(self) -> None:
        """Let go of connections."""
        if self._content is not None:
            self._content.close()
