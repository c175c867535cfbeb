"""A fault at every call that changes the disk: the project is as before or as after, and goes on."""

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from aura_vcs import AuraError, Repository
from aura_vcs.index.queries import Queries
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.storage.testing.faulty_calls import CountingCalls, Fault, FaultyCalls, Stopped

from tests.crash.scenes import SCENES, Scene
from tests.helpers.check import assert_whole, saved_contents, versions
from tests.helpers.project import Seen, contents, duplicate, look
from tests.helpers.sampling import chance

STRIDE = 24
"""By default every twenty-fourth call is struck, from a start that differs per scene, fault and run."""


class State(msgspec.Struct, frozen=True):
    """What a command is about: where HEAD is, what versions there are, what the folder holds."""

    branch: str | None
    tree: str | None
    versions: tuple[tuple[str, str, bool], ...]
    branches: tuple[str, ...]
    actions: tuple[tuple[str, str], ...]
    folder: dict[bytes, Seen]


def state_of(root: Path) -> State:
    """The state as a new process sees it; finishes nothing in the folder."""
    with Repository.open(root, author="Ada", host="studio") as repo:
        head = repo.head()
        record = Queries(repo.index).version(head.version) if head.version else None
        found = tuple((str(v.type), v.tree, v.is_live) for v in versions(repo))
        names = tuple(sorted({*repo.refs.tags(), *repo.refs.branches()}))
        actions = tuple((a.type, a.status) for a in Queries(repo.index).actions(limit=1000))
        return State(head.branch, record.tree if record else None, found, names, actions, look(root))


def _is_same(one: State, other: State) -> bool:
    return (one.branch, one.tree, one.branches) == (other.branch, other.tree, other.branches)


class Stage(msgspec.Struct, frozen=True):
    """A prepared scene, what it is like before and after the command, and how many calls that takes."""

    template: Path
    before: State
    after: State
    wanted: set[bytes]
    calls: dict[Fault, int]


@pytest.fixture(scope="module")
def stages(quick_folder: Path) -> dict[str, Stage]:
    """Stages that were prepared in this module, by scene."""
    return {}


def _stage(name: str, scene: Scene, folder: Path, stages: dict[str, Stage]) -> Stage:
    if name in stages:
        return stages[name]
    template = folder / f"{len(stages)}-template"
    template.mkdir()
    scene.prepare(template)
    before = state_of(template)
    reference = duplicate(template, folder / f"{len(stages)}-reference")
    counting = CountingCalls()
    with Repository.open(reference, author="Ada", host="studio", calls=counting) as repo:
        scene.attach(repo)
        wanted = contents(before.folder.values()) | (set() if scene.frees else saved_contents(repo))
        counting.names.clear()
        scene.run(repo)
    calls = {fault: len(counting.names) for fault in Fault}
    calls[Fault.SHORT] = counting.names.count("write")
    calls[Fault.UNSYNCED] = sum(n in {"fsync", "fsync_folder", "sync_disk"} for n in counting.names)
    calls[Fault.FULL] = sum(n in {"create", "write", "copy_range", "mkdir", "symlink"} for n in counting.names)
    stages[name] = Stage(template, before, state_of(reference), wanted, calls)
    return stages[name]


def _strike(root: Path, scene: Scene, fault: Fault, at: int, stage: Stage) -> None:
    """Run the command with the fault, check what is left, run it again, check the end."""
    calls = FaultyCalls(fault, at)
    repo = Repository.open(root, author="Ada", host="studio")
    repo.close()
    repo = Repository.open(root, author="Ada", host="studio", calls=calls)
    calls.arm(at)
    try:
        scene.run(repo)
    except (AuraError, Stopped):
        assert fault is not Fault.SHORT, "a short write is not an error"
    finally:
        repo.close()
    if fault is not Fault.STOP and calls.struck_call != "unlink":
        assert not list((root / ".aura" / "local" / "tmp").iterdir()), "temporary files are left"
    _check(root, scene, stage)


def _check(root: Path, scene: Scene, stage: Stage) -> None:
    now = state_of(root)
    assert _is_same(now, stage.before) or _is_same(now, stage.after), "neither the old state nor the new one"
    with Repository.open(root, author="Ada", host="studio") as repo:
        assert fsck(repo).problems == ()
        scene.attach(repo)
        assert_whole(repo)
        if not scene.frees:
            there = contents(look(root).values()) | saved_contents(repo)
            assert stage.wanted <= there, "content is nowhere"
        if scene.repeatable or now.actions != stage.after.actions:
            scene.run(repo)
        assert fsck(repo).problems == ()
        assert_whole(repo)
    end = state_of(root)
    assert _is_same(end, stage.after)
    assert end.folder == stage.after.folder


def _sweep(name: str, fault: Fault, folder: Path, stages: dict[str, Stage], *, every: int) -> None:
    scene = SCENES[name]
    stage = _stage(name, scene, folder, stages)
    number = list(SCENES).index(name)
    for at in range(1 + chance(name, fault).randrange(every), stage.calls[fault] + 1, every):
        root = duplicate(stage.template, folder / f"{every}-{number}-{fault}-{at}")
        try:
            _strike(root, scene, fault, at, stage)
        except BaseException as error:
            error.add_note(f"{name}: {fault} at call {at}")
            raise


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("name", list(SCENES))
def test_faults_here_and_there(name: str, fault: Fault, quick_folder: Path, stages: dict[str, Stage]) -> None:
    """After a fault at some calls of a command, the project is whole, nothing is lost, and it goes on."""
    _sweep(name, fault, quick_folder, stages, every=STRIDE)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # stopped, as by a kill: files stay open
@pytest.mark.parametrize("name", ["checkout", "restore of paths", "undo of a restore", "gc"])
def test_stopped_again_while_finishing(name: str, quick_folder: Path, stages: dict[str, Stage]) -> None:
    """A process that is stopped while it finishes what another left is no worse than the first."""
    scene = SCENES[name]
    stage = _stage(name, scene, quick_folder, stages)
    for at in range(chance(name).randrange(2, 28), stage.calls[Fault.STOP], 26):
        root = duplicate(stage.template, quick_folder / f"{name}-twice-{at}".replace(" ", "-"))
        for second in (at, 3 + at % 7, 2) if scene.repeatable else (at, 2):
            calls = FaultyCalls(Fault.STOP, second)
            with suppress(Stopped), Repository.open(root, author="Ada", host="studio", calls=calls) as repo:
                scene.run(repo)
        _check(root, scene, stage)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("name", list(SCENES))
def test_faults_everywhere(name: str, fault: Fault, quick_folder: Path, stages: dict[str, Stage]) -> None:
    """After a fault at every single call of a command, the project is whole, and goes on."""
    _sweep(name, fault, quick_folder, stages, every=1)
