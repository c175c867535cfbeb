"""The remotes of a project: adding, checking and trusting them, and looking after what lies there."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Self, Unpack

from aura_vcs.api.opened import Opened, Part, StrPath, has
from aura_vcs.api.reporting import NO_CALL, Call
from aura_vcs.api.results import RemoteFsckReport
from aura_vcs.api.transfers import RemoteComparison, compare_remote
from aura_vcs.api.values import VersionLike, name_of
from aura_vcs.errors.input import UnknownName
from aura_vcs.history.names.revisions import resolve
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.studio.remote_passphrases import keep_passphrase
from aura_vcs.sync.maintenance import gc, repair_remote
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.remotes import add
from aura_vcs.sync.remotes.config import (
    RemoteConfig,
    forget_remote,
    remote_config,
    remotes as configured,
    remove_remote,
)
from aura_vcs.sync.remotes.connect import check_credential_host
from aura_vcs.sync.remotes.link import Link
from aura_vcs.sync.remotes.trusted_hosts import host_of
from aura_vcs.sync.remotes.url import parse_address
from aura_vcs.sync.sent import Unsent, unsent
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.snapshot import load_unremembered


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote as the project's settings name it."""

    name: str
    url: str
    single_writer: bool
    encrypted: bool
    partial: bool

    @classmethod
    def _of(cls, name: str, config: RemoteConfig) -> Self:
        """Take over what the settings say."""
        return cls(name, config.url, config.single_writer, bool(config.encryption), config.partial)


@dataclass(frozen=True, slots=True)
class UnsentVersions:
    """How many versions a remote is not known to have; with `is_more`, at least this many.

    `is_unused` says that this machine has exchanged nothing with the remote yet.
    """

    remote: str
    versions: int
    is_more: bool
    is_unused: bool

    @classmethod
    def _of(cls, found: Unsent) -> Self:
        """Take over what is known."""
        return cls(found.remote, found.versions, found.is_more, found.never)


@dataclass(frozen=True, slots=True)
class CheckedRemote:
    """What a look at a remote found; `size` counts the bytes that are stored there.

    `is_safe` says whether several machines may push there, None for a remote that is only read; `faults` say in
    words what it does not keep apart.
    """

    name: str
    url: str
    is_safe: bool | None
    faults: tuple[str, ...]
    packs: int
    size: int
    encrypted: bool

    @classmethod
    def _of(cls, found: add.CheckedRemote) -> Self:
        """Take over what was found."""
        finding = found.probe
        return cls(
            found.name,
            found.url,
            None if finding is None else finding.is_safe,
            () if finding is None else finding.faults,
            found.packs,
            found.stored_bytes,
            bool(found.encryption),
        )


@dataclass(frozen=True, slots=True)
class RemoteGcPlan:
    """What a garbage collection would do at a remote now; files are deleted in steps.

    `deleted_files` are deleted at once, and `rewritten_packs` lose what no version needs; `bytes` counts what is
    free when all steps are done. `condemned_files` are deleted later, `waiting_files` when the machines in
    `waiting_for` have looked.
    """

    deleted_files: int
    condemned_files: int
    rewritten_packs: int
    waiting_files: int
    waiting_for: tuple[str, ...]
    bytes: int

    @classmethod
    def _of(cls, plan: gc.RemoteGcPlan) -> Self:
        """Take over a plan."""
        return cls(
            len(plan.to_delete), len(plan.to_retire), len(plan.shrinks), len(plan.waiting), plan.waiting_for, plan.bytes
        )


@dataclass(frozen=True, slots=True)
class RemoteGcResult:
    """What a garbage collection did at a remote."""

    deleted_files: int
    freed_bytes: int
    condemned_files: int
    rewritten_packs: int


@dataclass(frozen=True, slots=True)
class RemoteRepaired:
    """What a repair of a remote did, or would do: `objects` are sent there, `bytes` in all.

    `faults` are files there that are damaged, with what is wrong. `lost` are objects that neither side has, with
    the versions that need them; `unlabelled` are versions whose labels are lost.
    """

    faults: dict[str, str]
    objects: int
    bytes: int
    lost: dict[str, tuple[str, ...]]
    unlabelled: tuple[str, ...]

    @classmethod
    def _of(cls, plan: repair_remote.RemoteRepairPlan) -> Self:
        """Take over a plan, or what was done."""
        return cls(
            {fault.file: fault.detail for fault in plan.faults},
            plan.objects,
            plan.stored_bytes,
            {loss.object_id: loss.versions for loss in plan.lost},
            plan.unlabelled,
        )


class Remotes(Part):
    """The remotes of a project, by name: those that its settings name, on every machine."""

    def __iter__(self) -> Iterator[Remote]:
        found = self._opened.run(NO_CALL, configured)
        return iter([Remote._of(name, config) for name, config in found.items()])

    def __len__(self) -> int:
        return len(self._opened.run(NO_CALL, configured))

    def __getitem__(self, name: str) -> Remote:
        found = {remote.name: remote for remote in self}
        if name not in found:
            raise UnknownName("remote", name, list(found))
        return found[name]

    def __contains__(self, name: str) -> bool:
        return has(self.__getitem__, name)

    def add(
        self,
        name: str,
        address: StrPath,
        *,
        single_writer: bool = False,
        force: bool = False,
        encrypt: bool = False,
        **call: Unpack[Call],
    ) -> CheckedRemote:
        """Prepare a place, test it, and give it a name; a relative path counts from the project's folder.

        With `encrypt`, everything there is encrypted with what the credentials have. `single_writer` accepts a
        place that cannot keep two pushes apart, `force` a folder with other files in it, which stay.

        Raises:
            NameTaken, InvalidName, InvalidUrl. RemoteMismatch: something else is there. RemoteUnsafe.
        """
        return _added(self._opened, call, name, address, single_writer=single_writer, force=force, encrypt=encrypt)

    def check(self, name: str | None = None, *, accept_older: bool = False, **call: Unpack[Call]) -> CheckedRemote:
        """Look at a remote and test it again; `accept_older` accepts an older state, as after a restored backup.

        Raises:
            RemoteRewound: its state is older than the one that was seen there before. RemoteMismatch,
            RemoteUnreachable.
        """
        return self._opened.run(call, _checked, name, self._opened, accept_older)

    def compare(self, name: str | None = None, **call: Unpack[Call]) -> RemoteComparison:
        """Say what a remote has that is not here, and the other way round."""
        return self._opened.run_at(call, name, compare_remote)

    def unsent(self, version: VersionLike = "HEAD") -> tuple[UnsentVersions, ...]:
        """Say for each remote how many versions up to this one it lacks, as far as the last transfer knew.

        The remote is not asked; another machine may have sent them since. Remotes that have all of them are left
        out.

        Raises:
            UnknownVersion.
        """
        return self._opened.run(NO_CALL, _unsent, name_of(version))

    def is_trusted(self, name: str) -> bool:
        """Tell whether the credentials are used at a remote's host without asking anybody."""
        return self._opened.credentials.trusts(self._opened.run(NO_CALL, _host, name))

    def trust(self, name: str) -> None:
        """Agree that the credentials are used at the host of a remote that only the project's settings name."""
        self._opened.credentials = self._opened.credentials.agree(self._opened.run(NO_CALL, _host, name))

    def distrust(self, name: str) -> None:
        """Take that back."""
        self._opened.credentials = self._opened.credentials.distrust(self._opened.run(NO_CALL, _host, name))

    def remember(self, name: str) -> bool:
        """Keep the passphrase of an encrypted remote in the system's keyring; False where none works."""
        return self._opened.run(NO_CALL, _remembered, name, self._opened.credentials.passphrase)

    def remove(self, name: str, *, force: bool = False) -> None:
        """Forget a remote; what is stored there stays.

        Raises:
            InputError: offloaded content is at it alone, and `force` was not given. UnknownName.
        """
        self._opened.run(NO_CALL, remove_remote if force else forget_remote, name)

    def fsck(self, name: str | None = None, *, sample: float = 1.0, **call: Unpack[Call]) -> RemoteFsckReport:
        """Check everything at a remote; a `sample` (0 to 1) of its content is read and hashed. Repairs nothing."""
        return self._opened.run_at(call, name, _fsck, sample)

    def plan_gc(
        self, name: str | None = None, *, grace: timedelta = timedelta(seconds=gc.GRACE_SECONDS), **call: Unpack[Call]
    ) -> RemoteGcPlan:
        """Find what no version needs at a remote; changes nothing there."""
        return self._opened.run_at(call, name, _gc_plan, grace)

    def gc(
        self, name: str | None = None, *, grace: timedelta = timedelta(seconds=gc.GRACE_SECONDS), **call: Unpack[Call]
    ) -> RemoteGcResult:
        """Do the next step of freeing what no version needs at a remote, beside machines that push and fetch.

        Files first get a tombstone, and are deleted when every machine that pushes there has seen it, or `grace` is
        over.
        """
        return self._opened.run_linked(call, name, lambda repo, link: _collected(repo, link, grace))

    def plan_repair(self, name: str | None = None, **call: Unpack[Call]) -> RemoteRepaired:
        """Read everything at a remote; say what is damaged or missing there that this project has. Changes nothing."""
        return self._opened.run_at(call, name, _repair_plan)

    def repair(self, name: str | None = None, **call: Unpack[Call]) -> RemoteRepaired:
        """Send a remote what is damaged or missing there; damaged files stay unused until `gc` deletes them."""
        self._opened.run(NO_CALL, repair_remote.check_writable, name)
        return self._opened.run_at(call, name, _repaired)


def _unsent(repo: Repository, name: str) -> tuple[UnsentVersions, ...]:
    return tuple(map(UnsentVersions._of, unsent(repo, resolve(repo, name).id)))


def _added(
    opened: Opened, call: Call, name: str, address: StrPath, *, single_writer: bool, force: bool, encrypt: bool
) -> CheckedRemote:
    where = parse_address(os.fspath(address), str(opened.root))
    credentials = opened.credentials.agree(host_of(where, sealed=encrypt))
    ask = credentials._ask_with("") if encrypt else None
    request = add.AddRequest(single_writer, credentials._surroundings(), ask, force)
    checked = opened.run(call, add.add_remote, name, where, request=request)
    opened.credentials = credentials
    if checked.encryption and credentials.key_file is not None:
        RemoteCache(opened.repo, name).remember_key_file(os.path.abspath(credentials.key_file))
    return CheckedRemote._of(checked)


def _checked(repo: Repository, name: str | None, opened: Opened, accept_older: bool) -> CheckedRemote:
    credentials = opened.credentials
    known = RemoteCache(repo, remote_config(repo, name)[0]).key_file()
    found = add.check_remote(
        repo,
        name,
        accept_older=accept_older,
        surroundings=credentials._surroundings(),
        ask=credentials._ask_with(known),
    )
    return CheckedRemote._of(found)


def _host(repo: Repository, name: str) -> str:
    return check_credential_host(repo, remote_config(repo, name)[1])


def _remembered(repo: Repository, name: str, passphrase: str | None) -> bool:
    config = remote_config(repo, name)[1]
    return bool(config.encryption and passphrase) and keep_passphrase(config.encryption, passphrase or "")


def _fsck(repo: Repository, remote: RemoteStorage, cache: RemoteCache, sample: float) -> RemoteFsckReport:
    return fsck_remote(load_unremembered(repo, remote, cache), sample=sample, progress=repo.progress)


def _gc_plan(repo: Repository, remote: RemoteStorage, cache: RemoteCache, grace: timedelta) -> RemoteGcPlan:
    return RemoteGcPlan._of(gc.plan_remote_gc(repo, remote, cache, grace_seconds=grace.total_seconds()))


def _collected(repo: Repository, link: Link, grace: timedelta) -> RemoteGcResult:
    plan = gc.plan_remote_gc(repo, link.remote, link.cache, grace_seconds=grace.total_seconds())
    done = gc.execute_remote_gc(repo, link.remote, link.cache, plan, single_writer=link.config.single_writer)
    return RemoteGcResult(done.removed_files, done.freed_bytes, done.retired_files, done.rewritten_packs)


def _repair_plan(repo: Repository, remote: RemoteStorage, cache: RemoteCache) -> RemoteRepaired:
    return RemoteRepaired._of(repair_remote.plan_remote_repair(repo, remote, cache))


def _repaired(repo: Repository, remote: RemoteStorage, cache: RemoteCache) -> RemoteRepaired:
    plan = repair_remote.plan_remote_repair(repo, remote, cache)
    return RemoteRepaired._of(repair_remote.execute_remote_repair(repo, remote, cache, plan))
