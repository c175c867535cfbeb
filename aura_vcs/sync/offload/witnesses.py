"""Which remotes can be asked what they hold, before content is freed here."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.errors.remotes import RemoteError
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.offload.proof import StorageProver
from aura_vcs.sync.remotes.config import address_of, location_key, remote_config, remotes
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.pack_table import PackTable
from aura_vcs.sync.state.snapshot import RemoteSnapshot


class Witnesses(msgspec.Struct):
    """Remotes that answer; `unreachable` are those that do not, with the reason."""

    asked: list[StorageProver]
    unreachable: dict[str, str]


@contextmanager
def witnesses(repo: Repository, names: Sequence[str], connect: Callable[[str], RemoteStorage]) -> Iterator[Witnesses]:
    """Ask the named remotes, which must answer, or all that can be reached; two names for one place count once.

    `connect` opens a remote by its name.

    Raises:
        InputError: the project has no remote. UnknownName.
        RemoteError: one that was named, or the only one, cannot be asked.
    """
    configured = remotes(repo)
    if not configured:
        raise InputError("This project has no remote", hint="Add one with `aura remote add origin PLACE`, and push.")
    found: dict[tuple[object, ...], StorageProver] = {}
    unreachable: dict[str, str] = {}
    with ExitStack() as stack:
        for name in dict.fromkeys(names or configured):
            _, config = remote_config(repo, name)
            try:
                remote = connect(name)
                stack.callback(remote.close)
                hints = partial(_hints, repo, name)
                prover = StorageProver(name, remote, repo.format.project, hints)
                found.setdefault(location_key(address_of(repo, config)), prover)
            except RemoteError as error:
                if names or len(configured) == 1:
                    raise
                unreachable[name] = error.message
        yield Witnesses(list(found.values()), unreachable)


def _hints(repo: Repository, name: str, snapshot: RemoteSnapshot) -> PackTable:
    """Say what this machine knows of where the remote's objects lie."""
    return snapshot.remembered(RemoteCache(repo, name)).table(repo)
