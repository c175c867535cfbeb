"""What people do on one machine, at random: work, names, merging, taking back."""

import os
import tempfile
from pathlib import Path

from aura_vcs.errors.compare import CompareError
from aura_vcs.errors.input import NothingToUndo, NoVersions
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.autosave import autosave, restore_point
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import commit
from aura_vcs.history.merge import merge
from aura_vcs.history.names.branches import create_branch, delete_branch, rename_branch
from aura_vcs.history.names.follow_branch import follow_branch
from aura_vcs.history.names.tags import create_tag, delete_tag
from aura_vcs.history.resolve import resolve_conflicts
from aura_vcs.history.undo import Undone, redo, undo
from aura_vcs.history.versions import delete_version, edit_version, purge_version, undelete_version
from aura_vcs.index.records import VersionRecord
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.helpers.project import noise

from .machines import Account, Copy, Machine, Place, folder
from .sync_tool import BlindPair

NAMES = ["anna", "bert", "cleo", "dora"]
PATHS = ["brief.json", "notes.txt", "d/take.wav", "d/x.txt"]
CONTENTS = {
    "{}": b"{}",
    "title": b'{"title": "Tides", "tone": "calm"}',
    "tone": b'{"title": "Sea", "tone": "loud"}',
    "one": b"one\n",
    "lines": b"one\ntwo\nthree\n",
    "media": noise(5000, seed=1),
    "large": noise((1 << 20) + 7, seed=2),
}
BRANCHES = ["main", "side", "other"]

some = st.integers(0, 3)
places = st.sampled_from(["origin", "origin", "origin", "sealed"])
which = st.integers(0, 1000)
breaks = st.one_of(st.none(), st.none(), st.tuples(st.integers(1, 14), st.booleans()))
"""The request at which the line breaks, and whether it was carried out."""


class Work(RuleBasedStateMachine):
    """Every rule is one command on one of the machines."""

    def __init__(self) -> None:
        super().__init__()
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.path = Path(tempfile.mkdtemp(prefix="aura-machines-", dir=base))
        self.account = Account()
        self.machines: list[Machine] = []
        self.places: dict[str, Place] = {}
        self.count = 0
        self.pair: BlindPair | None = None

    # Work

    @rule(at=some, path=st.sampled_from(PATHS), content=st.sampled_from(sorted(CONTENTS)))
    def write(self, at: int, path: str, content: str) -> None:
        """Write a file."""
        target = self._machine(at).root / path
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(CONTENTS[content])

    @rule(at=some, path=st.sampled_from(PATHS))
    def remove(self, at: int, path: str) -> None:
        """Remove a file."""
        (self._machine(at).root / path).unlink(missing_ok=True)

    @rule(at=some, path=st.sampled_from(PATHS), content=st.sampled_from(sorted(CONTENTS)))
    def write_and_save(self, at: int, path: str, content: str) -> None:
        """Write a file and commit."""
        self.write(at, path, content)
        self.save(at)

    @rule(at=some)
    def save_something_new(self, at: int) -> None:
        """Commit what nobody has had before."""
        self.count += 1
        name = self._machine(at).name
        (self._machine(at).root / f"{name}.txt").write_text(f"{name} {self.count}\n")
        self.save(at)

    @rule(at=some)
    def save(self, at: int) -> None:
        """Commit."""
        machine = self._machine(at)
        wanted = folder(machine.repo)
        with machine.doing():
            made = commit(machine.repo, f"by {machine.name}").version
            if made is not None:
                self._made(machine, made)
        assert folder(machine.repo) == wanted

    @rule(at=some, always=st.booleans())
    def keep_aside(self, at: int, always: bool) -> None:
        """An autosave, or a restore point."""
        machine = self._machine(at)
        with machine.doing():
            if always:
                restore_point(machine.repo, "PreScriptRegeneration")
            else:
                autosave(machine.repo)

    @rule(at=some, version=which)
    def go_to_version(self, at: int, version: int) -> None:
        """Check a version out."""
        machine = self._machine(at)
        with machine.doing(*self._unless_whole()):
            record = self._choose(machine, version)
            follow_branch(machine.repo)
            here = machine.repo.head().version
            base = self.account.copies[here] if here is not None else {}
            wanted = moved(base, folder(machine.repo), self.account.copies[record.id])
            checkout(machine.repo, record.id)
            assert folder(machine.repo) == wanted

    @rule(at=some, name=st.sampled_from(BRANCHES))
    def go_to_branch(self, at: int, name: str) -> None:
        """Switch to a branch."""
        machine = self._machine(at)
        with machine.doing(*self._unless_whole()):
            checkout(machine.repo, name)

    @rule(at=some, version=which)
    def bring_back(self, at: int, version: int) -> None:
        """Restore a version's content."""
        machine = self._machine(at)
        with machine.doing(*self._unless_whole()):
            record = self._choose(machine, version)
            restore(machine.repo, record.id)

    # Names

    @rule(at=some, name=st.sampled_from(BRANCHES), version=which)
    def start_branch(self, at: int, name: str, version: int) -> None:
        """Start a branch on a version."""
        machine = self._machine(at)
        with machine.doing():
            create_branch(machine.repo, name, self._choose(machine, version).id)
            self._did(machine, "began", name)

    @rule(at=some, name=st.sampled_from(BRANCHES))
    def end_branch(self, at: int, name: str) -> None:
        """Delete a branch."""
        machine = self._machine(at)
        with machine.doing():
            delete_branch(machine.repo, name)
            self._leave(machine, name)
            self._did(machine, "ended", name)

    @rule(at=some, old=st.sampled_from(BRANCHES), new=st.sampled_from(BRANCHES))
    def rename(self, at: int, old: str, new: str) -> None:
        """Give a branch another name."""
        machine = self._machine(at)
        with machine.doing():
            rename_branch(machine.repo, old, new)
            self._leave(machine, old)
            self._did(machine, "renamed", f"{old} {new}")

    @rule(at=some, name=st.sampled_from(["cut", "final"]), version=which, ends=st.booleans())
    def tag(self, at: int, name: str, version: int, ends: bool) -> None:
        """Give a version a name, or take it away."""
        machine = self._machine(at)
        with machine.doing():
            if ends:
                delete_tag(machine.repo, name)
            else:
                create_tag(machine.repo, name, self._choose(machine, version).id)

    @rule(at=some, version=which)
    def edit(self, at: int, version: int) -> None:
        """Call a version something else."""
        machine = self._machine(at)
        self.count += 1
        with machine.doing():
            edit_version(machine.repo, self._choose(machine, version), name=f"{machine.name} was here {self.count}")

    @rule(at=some, version=which, how=st.sampled_from(["delete", "delete", "purge", "undelete", "undelete"]))
    def give_up(self, at: int, version: int, how: str) -> None:
        """Delete or purge a version, or bring it back."""
        machine = self._machine(at)
        with machine.doing():
            record = self._choose(machine, version)
            if how == "undelete":
                undelete_version(machine.repo, record)
                return
            (delete_version if how == "delete" else purge_version)(machine.repo, record)
            self.account.given_up.add(record.id)

    # Merging, and taking back

    @rule(at=some, name=st.sampled_from([None, None, *BRANCHES]))
    def join_heads(self, at: int, name: str | None) -> None:
        """Merge the heads of the branch, or another branch."""
        machine = self._machine(at)
        with machine.doing(*self._unless_whole()):
            done = merge(machine.repo, name)
            if done.plan.kind == "join":
                self._made(machine, done.version, own=False)
            elif done.plan.kind == "forward":
                self._went(machine, done.version)

    @rule(at=some, decision=st.sampled_from(["ours", "theirs", "as_is"]))
    def decide(self, at: int, decision: str) -> None:
        """Decide all conflicts."""
        machine = self._machine(at)
        with machine.doing(CompareError, *self._unless_whole()):
            resolve_conflicts(machine.repo, "", "", decision)  # type: ignore[arg-type]

    @rule(at=some)
    def take_back(self, at: int) -> None:
        """Undo."""
        machine = self._machine(at)
        with machine.doing(*self._unless_whole()):
            try:
                done = undo(machine.repo)
            except NothingToUndo:
                return
            self._took_back(machine, done)

    @rule(at=some)
    def do_again(self, at: int) -> None:
        """Redo."""
        machine = self._machine(at)
        with machine.doing(*self._unless_whole()):
            done = redo(machine.repo)
            kind, name, made = self.account.deeds.get(done.operation.redoes or "", ("", "", None))
            if kind in {"made", "went"} and made is not None:
                machine.again[name].add(made)
            elif kind in {"ended", "renamed"}:
                self._leave(machine, name.split(" ", 1)[0])

    @rule(at=some, back=st.integers(1, 4), again=st.integers(1, 4))
    def back_and_forth(self, at: int, back: int, again: int) -> None:
        """Undo some, and redo some."""
        for _ in range(back):
            self.take_back(at)
        for _ in range(again):
            self.do_again(at)

    # Helpers

    def _machine(self, at: int) -> Machine:
        return self.machines[at % len(self.machines)]

    def _choose(self, machine: Machine, number: int) -> VersionRecord:
        found = machine.records()
        if not found:
            raise NoVersions(f"v{number}")
        return found[number % len(found)]

    def _unless_whole(self) -> tuple[type[IntegrityError], ...]:
        """What needs a version that somebody gave up may be refused."""
        return (IntegrityError,) if self.account.given_up else ()

    def _made(self, machine: Machine, made: VersionRecord, *, own: bool = True) -> None:
        if own:
            self.account.copies[made.id] = folder(machine.repo)
            self.account.parents[made.id] = tuple(made.parents)
        name = machine.repo.head().branch or ""
        self._did(machine, "made", name)
        self.account.deeds[machine.last_action()] = ("made", name, made.id)
        machine.heads[name].add(made.id)

    def _went(self, machine: Machine, version: VersionRecord) -> None:
        """The branch follows another: to take that back moves it away from there."""
        name = machine.repo.head().branch or ""
        self.account.deeds[machine.last_action()] = ("went", name, version.id)

    def _did(self, machine: Machine, kind: str, name: str) -> None:
        self.account.deeds[machine.last_action()] = (kind, name, None)

    def _leave(self, machine: Machine, name: str) -> None:
        self.account.left[name] |= {record.id for record in machine.records()}
        for each in self.machines:
            each.again[name].clear()

    def _took_back(self, machine: Machine, done: Undone) -> None:
        kind, name, made = self.account.deeds.get(done.operation.undoes or "", ("", "", None))
        if kind in {"made", "went"} and made is not None:
            self.account.left[name].add(made)
            machine.again[name].discard(made)
        if kind == "made" and made is not None:
            self.account.given_up.add(made)
        elif kind == "began":
            self._leave(machine, name)
        elif kind == "renamed":
            self._leave(machine, name.split(" ", 1)[1])
        for ref in done.operation.refs:
            if ref.startswith("versions/"):
                self.account.given_up.add(ref.removeprefix("versions/"))  # type: ignore[arg-type]


def moved(base: Copy, before: Copy, target: Copy) -> Copy:
    """What a folder holds after a checkout: only what the two versions have differently is touched."""
    touched = {path for path in base.keys() | target.keys() if base.get(path) != target.get(path)}
    untouched = {path: data for path, data in before.items() if path not in touched}
    return untouched | {path: target[path] for path in touched if path in target}
