"""Two copies of one project folder, merged file by file by a tool that knows nothing of aura.

The tool copies what changed on one side, deletes what was deleted on one side, and where both
sides changed a file it keeps one under its name and the other as a "conflicted copy". It may be
stopped at any file, run in either direction first, and run again and again.
"""

import os
import random
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.commit import commit
from aura_vcs.history.names.branches import branch
from aura_vcs.history.names.tags import create_tag
from aura_vcs.history.undo import undo
from aura_vcs.history.versions import delete_version, edit_version
from aura_vcs.index.queries import Queries, VersionFilter
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.repository.repository import Repository
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from .machines import Unsynced, content


class BlindTool:
    """Something like Dropbox or Syncthing between two folders. `.aura/local` stays home, as we ask."""

    def __init__(self, left: Path, right: Path, chance: random.Random, *, takes_local: bool = False) -> None:
        self.sides = (left, right)
        self._chance = chance
        self._takes_local = takes_local
        self._base: dict[str, bytes] = {}

    def run(self, *, share: float = 1.0) -> None:
        """Merge a share of the files, in any order."""
        left, right = (self._read(side) for side in self.sides)
        names = sorted(left.keys() | right.keys() | self._base.keys())
        self._chance.shuffle(names)
        for name in names[: max(1, int(len(names) * share))]:
            self._merge(name, left.get(name), right.get(name))

    def _merge(self, name: str, left: bytes | None, right: bytes | None) -> None:
        base = self._base.get(name)
        if left == right:
            result = left
        elif left == base:
            result = right
        elif right == base:
            result = left
        elif left is None or right is None:
            result = left if left is not None else right  # deleted here, changed there: the change stays
        else:
            winner, loser = (left, right) if self._chance.random() < 0.5 else (right, left)
            stem, dot, suffix = name.rpartition(".")
            copy = f"{stem} (conflicted copy {self._chance.randrange(10**6)}).{suffix}" if dot else f"{name} (copy)"
            self._write(copy, loser)
            result = winner
        self._write(name, result)

    def _write(self, name: str, data: bytes | None) -> None:
        for side in self.sides:
            path = side / name
            if data is None:
                path.unlink(missing_ok=True)
            elif not path.is_file() or path.read_bytes() != data:
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary = path.with_name(f".{path.name}.syncing")  # as all such tools do, and rsync
                temporary.write_bytes(data)
                temporary.replace(path)
        if data is None:
            self._base.pop(name, None)
        else:
            self._base[name] = data

    def _read(self, side: Path) -> dict[str, bytes]:
        found = {}
        for folder, folders, names in os.walk(side):
            if not self._takes_local and Path(folder) == side / ".aura":
                folders[:] = [f for f in folders if f != "local"]
            for name in names:
                path = Path(folder, name)
                found[str(path.relative_to(side))] = path.read_bytes()
        return found


class Desk:
    """One machine with its copy of the folder."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        self.made: list[str] = []
        self._count = 0

    def open(self) -> Repository:
        """The project as a command opens it."""
        return Repository.open(str(self.path), author=self.name, host=self.name, calls=Unsynced())

    def do(self, step: str, chance: random.Random) -> None:
        """One thing that a person does; what cannot be done now is left."""
        with self.open() as repo:
            try:
                getattr(self, f"_{step}")(repo, chance)
            except AuraError as error:
                if error.exit_code in {30, 32, 34, 35, 36, 37, 43}:  # 31: it is still on its way
                    raise  # damage, not a refusal

    def _commit(self, repo: Repository, chance: random.Random) -> None:
        self._count += 1
        path = self.path / chance.choice(["brief.json", "plan.json", f"scenes/{self.name}.json", "assets/a.bin"])
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(f"{self.name} {self._count} ".encode() + chance.randbytes(40))
        made = commit(repo, f"{self.name} {self._count}").version
        if made is not None:
            self.made.append(made.id)

    def _commit_again(self, repo: Repository, chance: random.Random) -> None:
        """Content that other versions had, here or there, live or deleted."""
        (self.path / "take.txt").write_text(f"take {chance.randrange(3)} " * 40)
        made = commit(repo, f"{self.name} take").version
        if made is not None:
            self.made.append(made.id)

    def _collect(self, repo: Repository, chance: random.Random, *, wait: bool = True) -> None:
        """Refused while something that is in use has not arrived yet."""
        with suppress(IntegrityError):
            execute_gc(repo, plan_gc(repo, grace_seconds=0, dead_share=0.0, wait_for_others=wait))

    def _collect_alone(self, repo: Repository, chance: random.Random) -> None:
        """The worst that a person can do: not to wait for the other machine."""
        self._collect(repo, chance, wait=False)

    def _commit_media(self, repo: Repository, chance: random.Random) -> None:
        (self.path / "take.wav").write_bytes(chance.randbytes(1_100_000))
        made = commit(repo, f"{self.name} media").version
        if made is not None:
            self.made.append(made.id)

    def _rename(self, repo: Repository, chance: random.Random) -> None:
        found = Queries(repo.index).all_versions(VersionFilter(deleted=True))
        edit_version(repo, chance.choice(found), name=f"{self.name} was here {chance.random()}")

    def _delete(self, repo: Repository, chance: random.Random) -> None:
        delete_version(repo, chance.choice(Queries(repo.index).all_versions(VersionFilter(deleted=True))))

    def _tag(self, repo: Repository, chance: random.Random) -> None:
        found = Queries(repo.index).all_versions(VersionFilter(deleted=True))
        create_tag(repo, chance.choice(["cut", "final"]), chance.choice(found).id)

    def _undo(self, repo: Repository, chance: random.Random) -> None:
        undo(repo)

    def _remove_file(self, repo: Repository, chance: random.Random) -> None:
        (self.path / "plan.json").unlink(missing_ok=True)


def heads_of(repo: Repository) -> set[str]:
    """Where main is, as this machine sees it."""
    found = branch(repo, "main")
    return set() if found is None else {found.version, *found.diverged}


def check(desks: tuple[Desk, Desk]) -> None:
    """Both see all versions and the same heads; everything is whole."""
    seen = []
    for desk in desks:
        with desk.open() as repo:
            queries = Queries(repo.index)
            for version in desks[0].made + desks[1].made:
                record = queries.version(version)
                assert record is not None, f"{desk.name} lost {version}"
                if record.is_live:
                    content(repo, record)
            found = fsck(repo)
            assert found.is_clean, found.problems
            labels = {r.id: (r.name, r.deleted_at) for r in queries.all_versions(VersionFilter(deleted=True))}
            seen.append((heads_of(repo), labels, {n: t.version for n, t in repo.refs.tags().items()}))
    assert seen[0] == seen[1]


def play(path: Path, seed: int, steps: list[tuple[str, int, float]], *, takes_local: bool = False) -> None:
    """Let two machines work and the tool run between them, then let it finish."""
    chance = random.Random(seed)
    left, right = path / "left", path / "right"
    shutil.rmtree(path, ignore_errors=True)
    left.mkdir(parents=True)
    right.mkdir()
    with Repository.init(str(left), author="anna", host="anna", calls=Unsynced()) as repo:
        (left / "brief.json").write_text("{}")
        commit(repo, "First")
    desks = (Desk(left, "anna"), Desk(right, "bert"))
    tool = BlindTool(left, right, chance, takes_local=takes_local)
    tool.run()
    tool._takes_local = False
    for step, side, share in steps:
        if step == "merge":
            tool.run(share=share)
        else:
            desks[side].do(step, chance)
    for _ in range(3):
        tool.run()
        for desk in desks:
            desk.open().close()
    check(desks)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "commit",
                "commit",
                "commit",
                "merge",
                "merge",
                "commit_media",
                "rename",
                "delete",
                "tag",
                "undo",
                "remove_file",
                "commit_again",
                "commit_again",
                "delete",
                "collect",
                "collect_alone",
            ]
        ),
        st.integers(0, 1),
        st.sampled_from([0.2, 0.6, 1.0]),
    ),
    min_size=2,
    max_size=10,
)


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that every example uses anew."""
    return tmp_path_factory.mktemp("blind") / "sync"


@settings(
    max_examples=12, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
@given(steps=STEPS, seed=st.integers(0, 2**16))
def test_nothing_is_lost_between_two_blindly_merged_copies(
    playground: Path, steps: list[tuple[str, int, float]], seed: int
) -> None:
    """However two machines work and the tool merges, both end with all versions and the same heads."""
    play(playground, seed, steps)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, seed=st.integers(0, 2**16))
def test_nothing_is_lost_in_the_long_run(playground: Path, steps: list[tuple[str, int, float]], seed: int) -> None:
    """The same, with many more examples."""
    play(playground, seed, steps)


def test_local_that_travels_is_noticed(tmp_path: Path) -> None:
    """A tool that copies `.aura/local` too does not make two machines one: the copy gets an id of its own."""
    play(tmp_path / "x", 1, [("commit", 0, 1), ("commit", 1, 1), ("merge", 0, 1)], takes_local=True)
    with Desk(tmp_path / "x/left", "anna").open() as left, Desk(tmp_path / "x/right", "bert").open() as right:
        assert left.replica != right.replica


def test_both_machines_see_both_heads(tmp_path: Path) -> None:
    """Two offline commits on one base are two heads on both machines after the merge."""
    play(tmp_path / "x", 2, [("commit", 0, 1), ("commit", 1, 1)])
    with Desk(tmp_path / "x/left", "anna").open() as left, Desk(tmp_path / "x/right", "bert").open() as right:
        assert len(heads_of(left)) == 2
        assert heads_of(left) == heads_of(right)
