"""Several machines and the places between them, and a plain account of what each has seen.

The account knows three things: what every version held when it was made, what somebody gave up or
moved away on purpose, and what each machine and each remote has shown so far. Nothing that was
shown may ever be missing again, unless it is among the second.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aura_vcs.errors import AuraError, InputError
from aura_vcs.errors.input import ConcurrencyError
from aura_vcs.errors.integrity import NotArrived, ObjectMissing, ObjectOffloaded, ObjectPurged
from aura_vcs.history.names.branches import branch
from aura_vcs.ids import VersionId
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import VersionRecord
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.model import Annotation, VersionType
from aura_vcs.refs.annotations import ROOMS
from aura_vcs.refs.merge import heads
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.offload.fetch_content import enable_lazy_fetch
from aura_vcs.sync.remotes.config import RemoteConfig, remotes, set_remote
from aura_vcs.sync.state.cache import NullCache, RemoteCache
from aura_vcs.sync.state.snapshot import load_snapshot

from tests.helpers.check import versions
from tests.sync.machines import Unsynced, content, files

Copy = dict[str, bytes]
Tips = dict[str, set[VersionId]]
POINTS = {VersionType.AUTOSAVE, VersionType.RESTORE_POINT}


class Account:
    """What is known of versions without asking any machine again."""

    def __init__(self) -> None:
        self.copies: dict[VersionId, Copy] = {}
        self.parents: dict[VersionId, tuple[VersionId, ...]] = {}
        self.given_up: set[VersionId] = set()
        """Deleted, purged or taken back by somebody, at some time: its content may go."""
        self.points: set[VersionId] = set()
        """Autosaves and restore points: a commit made on one builds on what that was made of, by design."""
        self.left: dict[str, set[VersionId]] = defaultdict(set)
        """By branch, the versions that somebody moved it away from on purpose."""
        self.deeds: dict[str, tuple[str, str, VersionId | None]] = {}
        """By action: what it was ("made", "began", "ended"), the branch, and the version that was made."""

    def is_in(self, older: VersionId, newer: VersionId) -> bool:
        """Whether a version is another one, or one that this builds on."""
        return older in self._history(newer)

    def is_kept(self, older: VersionId, newer: VersionId) -> bool:
        """Whether a version is another one, or one that this builds on, or one that such a one stands for."""
        return any(older == each or self._stands_for(each, older) for each in self._history(newer))

    def _history(self, version: VersionId) -> set[VersionId]:
        waiting, seen = [version], set[VersionId]()
        while waiting:
            current = waiting.pop()
            if current not in seen:
                seen.add(current)
                waiting += self.parents.get(current, ())
        return seen

    def _stands_for(self, one: VersionId, other: VersionId) -> bool:
        """Whether both have the same files, and nothing but the other one is missing in its history."""
        copies = self.copies.get(one), self.copies.get(other)
        if None in copies or copies[0] != copies[1]:
            return False
        return all(self.is_in(parent, one) for parent in self.parents[other])


class Shown:
    """What somebody has shown so far: versions, and heads of branches."""

    def __init__(self, name: str, account: Account) -> None:
        self.name = name
        self.account = account
        self.versions: set[VersionId] = set()
        self.heads: Tips = defaultdict(set)
        self.again: Tips = defaultdict(set)
        """What was taken back and done again here: it counts. Others may hear of the first later than of the second."""

    def note(self, versions: set[VersionId], tips: Tips) -> None:
        """Nothing that was shown before is missing; remember what is new."""
        lost = self.versions - versions
        assert not lost, f"{self.name} has lost {shorts(lost)}"
        self.versions |= versions
        for name, seen in self.heads.items():
            now = tips.get(name, set())
            left = self.account.left[name] - self.again[name]
            gone = {v for v in seen - left if not any(self.account.is_kept(v, newer) for newer in now)}
            assert not gone, f"at {self.name}, {shorts(gone)} fell off {name}, which is on {shorts(now)}"
        for name, now in tips.items():
            self.heads[name] |= now - self.account.points


class Place(Shown):
    """A remote."""

    def __init__(self, name: str, remote: RemoteStorage, account: Account) -> None:
        super().__init__(name, account)
        self.remote = remote

    def look(self) -> Tips:
        """Where branches are there; nothing is lost."""
        view = load_snapshot(self.remote, NullCache(), None)
        tips = {n: {e.version for e in heads(entries)} - {None} for n, entries in view.manifest.branches.items()}
        found: Tips = {name: {v for v in tip if v is not None} for name, tip in tips.items()}
        self.note(set(view.labels()), found)
        return found

    def check(self) -> None:
        """Everything there is whole."""
        report = fsck_remote(load_snapshot(self.remote, NullCache(), None))
        assert report.is_clean, f"{self.name}: {report.problems}"


class Machine(Shown):
    """A folder with its own replica."""

    def __init__(self, name: str, repo: Repository, places: dict[str, Place], account: Account) -> None:
        super().__init__(name, account)
        self.repo = repo
        self.root = Path(repo.root)
        self.places = places
        self.heard: set[str] = set()
        """What was said of versions and content, as far as it came here: no field of it ever goes."""
        self.is_blind = False
        """Whether a tool that knows nothing of projects carries its folder: things come in any order."""
        self._attach()

    def _attach(self) -> None:
        for name in self.places:
            if name not in remotes(self.repo):
                set_remote(self.repo, name, RemoteConfig(f"/places/{name}"))
        enable_lazy_fetch(self.repo, lambda name: self.places[name].remote)

    def known(self, place: str) -> RemoteCache:
        """What it remembers of a remote."""
        return RemoteCache(self.repo, place)

    def reopen(self) -> None:
        """The next command comes."""
        self.repo.close()
        self.repo = Repository.open(str(self.root), author=self.name, host=self.name, calls=Unsynced())
        self._attach()

    def records(self) -> list[VersionRecord]:
        """All versions, deleted ones too."""
        return versions(self.repo)

    def tips(self) -> Tips:
        """The heads of every branch."""
        found: Tips = {}
        for name in self.repo.refs.branches():
            state = branch(self.repo, name)
            found[name] = set() if state is None else {state.version, *state.diverged}
        return found

    def last_action(self) -> str:
        """The id of what was done last."""
        mine = [a for a in Queries(self.repo.index).actions(limit=20) if a.replica == self.repo.replica]
        return max(mine, key=lambda action: action.sequence).id

    @contextmanager
    def doing(self, *tolerated: type[AuraError]) -> Iterator[None]:
        """A command: whatever it does or refuses, nothing is lost, and no file that was not saved."""
        before = folder(self.repo)
        try:
            yield
        except (InputError, ConcurrencyError, ObjectPurged, *tolerated):
            pass
        except ObjectMissing as error:
            if not (self.is_blind and isinstance(error, NotArrived)):
                raise
        self.look(before)

    def look(self, before: Copy | None = None) -> None:
        """Note what is new here; `before` is the folder before the command."""
        records = self.records()
        for record in records:
            if record.id not in self.account.copies:
                self._enter(record, before)
        now = folder(self.repo)
        kept = [self.account.copies[record.id] for record in records]
        for path, data in (before or {}).items():
            is_kept = now.get(path) == data or any(copy.get(path) == data for copy in kept)
            assert is_kept, f"{self.name} has lost the unsaved {path}"
        self.note({record.id for record in records}, self.tips())
        told = self.told()
        assert self.heard <= told, f"{self.name} has lost what was said: {self.heard - told}"
        self.heard |= told

    def annotations(self) -> dict[str, Annotation]:
        """Notes, provenance and recipes as their files have them."""
        return {f"{room}/{item.id}": item for room in ROOMS for item in self.repo.refs.annotations.all(room)}

    def told(self) -> set[str]:
        """Every field that was ever given a value, of all of them."""
        return {f"{name}#{key}" for name, item in self.annotations().items() for key in item.fields}

    def _enter(self, record: VersionRecord, before: Copy | None) -> None:
        held = content(self.repo, record)
        if record.type in POINTS:
            assert before is not None, f"{self.name} made a {record.type} by itself"
            assert held == before, f"v{record.number} {record.name!r} does not hold what was in the folder"
            self.account.points.add(record.id)
        self.account.copies[record.id] = held
        self.account.parents[record.id] = tuple(record.parents)

    def check(self) -> None:
        """The machine is whole, and every version that says it is here gives back what it held."""
        found = fsck(self.repo)
        assert found.is_clean, f"{self.name}: {found.problems}"
        bring, self.repo.store.fetch = self.repo.store.fetch, None
        try:
            for record in self.records():
                self._check_version(record)
        finally:
            self.repo.store.fetch = bring

    def _check_version(self, record: VersionRecord) -> None:
        given_up = record.id in self.account.given_up
        assert record.is_live or given_up, f"{self.name}: nobody gave {record.id[:8]} up, and it is not live"
        if not record.is_live:
            return
        recorded = self.repo.store.offloaded.all()
        for path, entry in self.repo.trees.walk(record.tree):
            if entry.kind == "dir":
                continue
            wanted = self.account.copies[record.id][path]
            try:
                assert self.repo.store.read(entry.id) == wanted
            except ObjectOffloaded:
                assert entry.id in recorded, f"{self.name}: {path} of {record.id[:8]} is said to be offloaded"

    def check_content(self) -> None:
        """What is offloaded comes back, whole, for every version that nobody gave up."""
        for record in self.records():
            if record.is_live and record.id not in self.account.given_up:
                assert content(self.repo, record) == self.account.copies[record.id]


def folder(repo: Repository) -> Copy:
    """The files that a version would hold."""
    return {path: data for path, data in files(repo).items() if path != ".stignore"}


def shorts(found: set[VersionId]) -> str:
    """Versions in a message."""
    return ", ".join(sorted(version[:8] for version in found)) or "nothing"
