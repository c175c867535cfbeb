"""A remote of the project, by its name, connected and opened."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from aura_vcs.errors.remotes import RemoteError
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.remotes.config import RemoteConfig, remote_config
from aura_vcs.sync.remotes.connect import Surroundings, open_named
from aura_vcs.sync.state.cache import RemoteCache

if TYPE_CHECKING:
    from aura_vcs.sync.remotes.encryption import Ask

AskWith = Callable[[str], "Ask"]
"""Gives who is asked for the key of an encrypted remote, from where its key file was the last time ("" if none)."""


class Link(NamedTuple):
    """A remote of the project, connected."""

    name: str
    config: RemoteConfig
    remote: RemoteStorage
    cache: RemoteCache


def open_link(repo: Repository, name: str | None, surroundings: Surroundings, ask_with: AskWith) -> Link:
    """Connect to a remote by its name, without one to `origin` or the only one. Close `Link.remote` when done.

    Raises:
        UnknownName, RemoteError.
    """
    name, config = remote_config(repo, name)
    cache = RemoteCache(repo, name)
    remote = open_named(repo, name, config, surroundings=surroundings)
    if not config.encryption:
        return Link(name, config, remote, cache)
    try:
        from aura_vcs.sync.remotes.encryption import unlock  # few remotes are encrypted

        return Link(name, config, unlock(remote, ask_with(cache.key_file()), key=config.encryption), cache)
    except BaseException:
        remote.close()
        raise


@contextmanager
def connected(repo: Repository, name: str | None, surroundings: Surroundings, ask_with: AskWith) -> Iterator[Link]:
    """Connect as `open_link` does, and close the remote afterwards. Hints of errors name the remote."""
    try:
        link = open_link(repo, name, surroundings, ask_with)
        try:
            yield link
        finally:
            link.remote.close()
    except RemoteError as error:
        error.hint = error.hint and error.hint.replace("NAME", remote_config(repo, name)[0])  # known here which one
        raise
