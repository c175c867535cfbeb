"""Random work on several machines that share remotes, against a plain account of it.

Each rule does one thing that a person does on one machine. What must hold is in `machines`: no
version, no head of a branch and no unsaved file is ever missing again anywhere it was seen, unless
somebody gave it up. In the end everybody syncs, and then all agree.
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from aura_vcs.annotations.notes import add_note, delete_note, edit_note, notes, reopen_note, reply, resolve_note
from aura_vcs.annotations.provenance import costs, set_provenance
from aura_vcs.annotations.recipes import set_recipe
from aura_vcs.errors.input import PlanStale
from aura_vcs.errors.integrity import IntegrityError, ObjectPurged
from aura_vcs.errors.remotes import PushRejected, RemoteUnreachable
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.history.lookup.select_files import select_files
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.refs.annotations import ROOMS
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.encryption.remote import EncryptedRemote
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.storage.testing.faulty_remote import FaultyRemote
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.clone import CloneRequest, clone
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.maintenance.gc import execute_remote_gc, plan_remote_gc
from aura_vcs.sync.offload.fetch_content import LazyFetcher, fetch_content, plan_content
from aura_vcs.sync.offload.offload import execute_offload, plan_offload
from aura_vcs.sync.offload.proof import StorageProver
from aura_vcs.sync.pull import pull, sync
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.url import Address
from aura_vcs.sync.state.manifest_update import create_remote
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.helpers.random_steps import long, short
from tests.sync.kinds import KEYS
from tests.sync.machines import Unsynced, folder_remote

from .machines import Machine, Place
from .random_edits import NAMES, Work, breaks, places, some, which
from .sync_tool import BlindPair

CUT_BYTES = 600_000
"""Packs with a large file are cut on their way to one of the remotes."""


class Machines(Work):
    """What goes on between machines, and upkeep."""

    def teardown(self) -> None:
        """Everybody syncs, all agree, and everything is whole."""
        try:
            if self.machines and sys.exc_info()[0] is None:  # a failure is told as it was
                self.settle(all_versions=True, turn=0)
        finally:
            for machine in self.machines:
                machine.repo.close()
            shutil.rmtree(self.path)

    @initialize(stays_apart=st.booleans())
    def begin(self, stays_apart: bool) -> None:
        """A project on one machine, at two remotes, and a second machine."""
        root = self.path / "anna"
        root.mkdir()
        repo = Repository.init(str(root), author="anna", host="anna", calls=Unsynced())
        memory = MemoryRemote()
        memory.pack_bytes = CUT_BYTES
        remotes: dict[str, RemoteStorage] = {
            "origin": folder_remote(self.path / "origin"),
            "sealed": EncryptedRemote(memory, KEYS),
        }
        self.places = {name: Place(name, remote, self.account) for name, remote in remotes.items()}
        for remote in remotes.values():
            create_remote(remote, repo.format.project, "anna")
        self.machines.append(Machine("anna", repo, self.places, self.account))
        (root / "brief.json").write_text("{}")
        self.save(0)
        self.send(0, "origin", all_versions=False, broken=None)
        self.join(partial=False, all_versions=False)
        if not stays_apart:
            self.both(1, "sealed", all_versions=False, broken=None)

    # Travelling

    @rule(at=some, place=places, all_versions=st.booleans(), broken=breaks)
    def bring(self, at: int, place: str, all_versions: bool, broken: tuple[int, bool] | None) -> None:
        """Fetch."""
        machine = self._machine(at)
        with self._line(machine, place, broken) as remote:
            fetch(machine.repo, remote, machine.known(place), all_versions=all_versions)

    @rule(at=some, place=places, all_versions=st.booleans(), broken=breaks)
    def bring_along(self, at: int, place: str, all_versions: bool, broken: tuple[int, bool] | None) -> None:
        """Pull."""
        machine = self._machine(at)
        with self._line(machine, place, broken) as remote:
            pull(machine.repo, remote, machine.known(place), all_versions=all_versions)

    @rule(at=some, place=places, all_versions=st.booleans(), broken=breaks)
    def send(self, at: int, place: str, all_versions: bool, broken: tuple[int, bool] | None) -> None:
        """Push; what is refused moves nothing."""
        machine = self._machine(at)
        before = self.places[place].look()
        with self._line(machine, place, broken) as remote:
            try:
                push(machine.repo, remote, machine.known(place), all_versions=all_versions)
            except PushRejected:
                assert self.places[place].look() == before
                return
            after = self.places[place].look()
            for name, tips in after.items():
                newest = {v for v in tips if not any(v != w and self.account.is_kept(v, w) for w in tips)}
                stood = before.get(name)  # a branch that is not there yet goes there as it is
                assert len(newest) <= 1 or not stood or tips == stood, f"{name} came apart by a push"

    @rule(at=some, place=places, all_versions=st.booleans(), broken=breaks)
    def both(self, at: int, place: str, all_versions: bool, broken: tuple[int, bool] | None) -> None:
        """Sync."""
        machine = self._machine(at)
        with self._line(machine, place, broken) as remote:
            sync(machine.repo, remote, machine.known(place), all_versions=all_versions)

    @rule(at=some, other=some, all_versions=st.booleans())
    def meet(self, at: int, other: int, all_versions: bool) -> None:
        """One syncs, then another, then the first again."""
        for machine in (at, other, at):
            self.both(machine, "origin", all_versions, None)

    @precondition(lambda self: len(self.machines) < len(NAMES))
    @rule(partial=st.booleans(), all_versions=st.booleans())
    def join(self, partial: bool, all_versions: bool) -> None:
        """Clone onto a new machine."""
        name = NAMES[len(self.machines)]
        address = Address("folder", "/places/origin", "/places/origin")
        try:
            done = clone(
                self.places["origin"].remote,
                address,
                str(self.path / name),
                request=CloneRequest(partial=partial, all_versions=all_versions),
                author=name,
                host=name,
                calls=Unsynced(),
            )
        except ObjectPurged:
            assert self.account.given_up  # its main is on what somebody gave up: that is said
            shutil.rmtree(self.path / name)
            return
        repo = Repository.open(done.path, author=name, host=name, calls=Unsynced())
        self.machines.append(Machine(name, repo, self.places, self.account))
        self.machines[-1].look()
        self.machines[-1].check()

    @precondition(lambda self: len(self.machines) < len(NAMES) and self.pair is None)
    @rule(at=some)
    def copy_folder(self, at: int) -> None:
        """From now on a tool carries a machine's folder to another one."""
        machine = self._machine(at)
        name = NAMES[len(self.machines)]
        self.pair = BlindPair.begin(machine, self.path / name, name)
        self.machines.append(self.pair.right)

    @precondition(lambda self: self.pair is not None)
    @rule(seed=which)
    def carry(self, seed: int) -> None:
        """The tool runs, until both folders are alike."""
        assert self.pair is not None
        self.pair.run(seed)

    # What is said of versions and content

    @rule(at=some, color=st.sampled_from(["", "red"]))
    def remark(self, at: int, color: str) -> None:
        """Write a note on the version that one is on."""
        machine = self._machine(at)
        with machine.doing(*self._unless_whole()):
            add_note(machine.repo, "HEAD", f"{machine.name} says {len(machine.heard)}", color=color)

    @rule(at=some, seed=which, what=st.sampled_from([reply, edit_note, resolve_note, delete_note, reopen_note]))
    def answer(self, at: int, seed: int, what: Callable[..., object]) -> None:
        """Reply to a note, reword, resolve, delete or reopen it."""
        machine = self._machine(at)
        known = [item.id for item in machine.repo.refs.annotations.all(ROOMS[0])]
        if not known:
            return
        words = f"{machine.name} answers {len(machine.heard)}"
        with machine.doing(*self._unless_whole()):
            note = sorted(known)[seed % len(known)]
            if what is reply:
                reply(machine.repo, note, words)
            elif what is edit_note:
                edit_note(machine.repo, note, text=words)
            else:
                what(machine.repo, note)

    @rule(at=some, model=st.sampled_from(["flux", "sora", None]), cost=st.sampled_from(["0.04", "1", None]))
    def say_where_from(self, at: int, model: str | None, cost: str | None) -> None:
        """Say what made the brief, or take it back; and how it can be made again."""
        machine = self._machine(at)
        with machine.doing(FileUnreadable, *self._unless_whole()):
            set_provenance(machine.repo, "brief.json", {"model": model, "cost": cost})
            set_recipe(machine.repo, "brief.json", ["cp", "{input}", "{output}"], ["brief.json"])

    # Upkeep

    @rule(at=some)
    def collect(self, at: int) -> None:
        """Collect garbage, at once."""
        machine = self._machine(at)
        with machine.doing(*((IntegrityError,) if machine.is_blind else ())):
            execute_gc(machine.repo, plan_gc(machine.repo, grace_seconds=0, dead_share=0.0))
        if not machine.is_blind:
            machine.check()

    @rule(at=some, place=places)
    def collect_there(self, at: int, place: str) -> None:
        """Collect a remote's garbage, at once."""
        machine = self._machine(at)
        remote = self.places[place].remote
        with machine.doing(PlanStale):
            plan = plan_remote_gc(machine.repo, remote, machine.known(place), grace_seconds=0)
            execute_remote_gc(machine.repo, remote, machine.known(place), plan, single_writer=True)
        self.places[place].look()
        self.places[place].check()

    @rule(at=some, place=places)
    def offload(self, at: int, place: str) -> None:
        """Let a remote hold what is not needed now."""
        machine = self._machine(at)
        with machine.doing(PlanStale):
            witness = StorageProver(place, self.places[place].remote, machine.repo.format.project)
            execute_offload(
                machine.repo, plan_offload(machine.repo, [witness], select_files(machine.repo, []), least_bytes=1)
            )
        machine.check()

    @rule(at=some)
    def bring_content(self, at: int) -> None:
        """Fetch what is offloaded."""
        machine = self._machine(at)
        with machine.doing(*self._unless_whole()):
            content = LazyFetcher(machine.repo, lambda name: self.places[name].remote)
            fetch_content(content, plan_content(machine.repo, select_files(machine.repo, [])))
        machine.check_content()

    @rule(at=some, what=st.sampled_from(["nothing", "index", "cache"]))
    def open_again(self, at: int, what: str) -> None:
        """Open again, without the index or what was known of the files."""
        machine = self._machine(at)
        local = machine.root / ".aura" / "local"
        machine.repo.close()
        for path in local.glob("index.sqlite*" if what == "index" else "scan-cache" if what == "cache" else "none"):
            path.unlink()
        machine.reopen()
        machine.look()

    @rule(all_versions=st.booleans(), turn=some)
    def settle(self, all_versions: bool, turn: int) -> None:
        """Everybody syncs twice: then all agree, and there is nothing more to send."""
        order = [*self.machines[turn % len(self.machines) :], *self.machines[: turn % len(self.machines)]]
        for _ in range(2):
            for at in [self.machines.index(machine) for machine in order]:
                self.both(at, "sealed", all_versions, None)
                self.both(at, "origin", all_versions, None)
                if self.pair is not None:
                    self.pair.run(turn)
        for machine in order:
            for place in ("sealed", "origin"):
                with machine.doing():
                    again = sync(
                        machine.repo, self.places[place].remote, machine.known(place), all_versions=all_versions
                    )
                    if place == "origin":
                        assert again.pulled.fetched.plan.is_empty, f"{machine.name}: {again.pulled.fetched.plan}"
                        assert again.pushed.is_empty, f"{machine.name}: {again.pushed}"
            machine.check()
            machine.check_content()
        for far in self.places.values():
            far.look()
            far.check()
        self._agree(order, all_versions=all_versions)

    # Helpers

    def _agree(self, order: list[Machine], *, all_versions: bool) -> None:
        first = order[0]
        for other in order[1:]:
            ours_said, theirs_said = first.annotations(), other.annotations()
            assert ours_said == theirs_said, f"{first.name} and {other.name} have heard other things"
            assert [n.id for n in notes(first.repo)] == [n.id for n in notes(other.repo)]
            assert costs(first.repo) == costs(other.repo)
            assert first.tips() == other.tips(), f"{first.name} and {other.name} see other heads"
            assert first.repo.refs.tags() == other.repo.refs.tags()
            ours, theirs = _labels(first), _labels(other)
            if all_versions:
                assert ours == theirs, f"{first.name} and {other.name} see other versions"
            for version in ours.keys() & theirs.keys():
                if any(self.account.is_in(version, tip) for tips in first.tips().values() for tip in tips):
                    assert ours[version] == theirs[version]

    @contextmanager
    def _line(self, machine: Machine, place: str, broken: tuple[int, bool] | None) -> Iterator[RemoteStorage]:
        remote = self.places[place].remote
        if broken is not None:
            at, carried_out = broken
            remote = FaultyRemote(remote, **{"lose_at" if carried_out else "fail_at": (at,)})  # type: ignore[arg-type]
        with machine.doing(*((RemoteUnreachable,) if broken is not None else ()), *self._unless_whole()):
            yield remote
        self.places[place].look()


def _labels(machine: Machine) -> dict[str, tuple[str, bool, bool]]:
    return {
        record.id: (record.name, record.deleted_at is None, record.purged_at is None) for record in machine.records()
    }


TestMachines = Machines.TestCase
TestMachines.settings = short(12, 25)


@pytest.mark.slow
@pytest.mark.timeout(3600)
class TestManyMachines(Machines.TestCase):  # type: ignore[misc, valid-type]
    """The same, for long."""

    settings = long(200, 60, shrinks=True)
