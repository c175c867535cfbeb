"""The remotes of a project, and what goes there and comes from there."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from aura_vcs.api.opened import Opened, StrPath
from aura_vcs.api.reporting import Listener
from aura_vcs.api.results import CheckedRemote, Repaired
from aura_vcs.errors.input import UnknownName
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.maintenance.repair_local import execute_repair, plan_repair
from aura_vcs.sync.remotes.add import add_remote, check_remote
from aura_vcs.sync.remotes.config import RemoteConfig, remove_remote
from aura_vcs.sync.remotes.config import remotes as configured
from aura_vcs.sync.remotes.trusted_hosts import host_of
from aura_vcs.sync.remotes.url import parse_address
from aura_vcs.sync.state.cache import Known


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote as the project's settings name it."""

    name: str
    url: str
    single_writer: bool
    encrypted: bool
    partial: bool


class Remotes:
    """The remotes of a project, by name."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def __iter__(self) -> Iterator[Remote]:
        found = self._opened.run(None, configured)
        return iter([_remote(name, config) for name, config in found.items()])

    def __getitem__(self, name: str) -> Remote:
        found = {remote.name: remote for remote in self}
        if name not in found:
            raise UnknownName("remote", name, list(found))
        return found[name]

    def add(
        self,
        name: str,
        address: StrPath,
        *,
        single_writer: bool = False,
        force: bool = False,
        encrypt: bool = False,
        progress: Listener | None = None,
    ) -> CheckedRemote:
        """Prepare a place, try it out, and give it a name; with `encrypt`, the credentials have its key."""
        where = parse_address(os.fspath(address), str(self._opened.root))
        credentials = self._opened.credentials.agree(host_of(where, sealed=encrypt))
        checked = self._opened.run(
            progress,
            add_remote,
            name,
            where,
            single_writer=single_writer,
            surroundings=credentials.surroundings(),
            ask=credentials.ask_with("") if encrypt else None,
            force=force,
        )
        self._opened.credentials = credentials
        return checked

    def check(self, name: str | None = None, *, progress: Listener | None = None) -> CheckedRemote:
        """Look at a remote and try it out again."""
        credentials = self._opened.credentials
        return self._opened.run(
            progress, check_remote, name, surroundings=credentials.surroundings(), ask=credentials.ask_with("")
        )

    def remove(self, name: str) -> None:
        """Forget a remote; what lies there stays."""
        self._opened.run(None, remove_remote, name)


def repair_from(repo: Repository, remote: RemoteStorage, known: Known) -> Repaired:
    """Fetch what is damaged or missing here; see `Project.repair`."""
    return execute_repair(repo, known, plan_repair(repo, remote))


def _remote(name: str, config: RemoteConfig) -> Remote:
    return Remote(name, config.url, config.single_writer, bool(config.encryption), config.partial)
