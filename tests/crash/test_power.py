"""Power fails: what was not synced is gone. The project is whole, and no commit is taken back."""

import json
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.layout import REPLICA
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.storage.testing.recorded_calls import RecordedCall, RecordingCalls

from tests.crash.scenes import SCENES, Scene
from tests.helpers.check import assert_whole, saved_contents, versions
from tests.helpers.power_failure import Bytes, Names, image
from tests.helpers.project import clone, contents, duplicate, look

RULES = [(names, data) for names in Names for data in Bytes]
POINTS = 4
"""Moments of every command at which the power fails, by default."""


def _record(name: str, folder: Path) -> tuple[Path, Path, list[RecordedCall]]:
    """Play a scene: the folder it was played in, what that was before, and the trace."""
    scene = SCENES[name]
    template = folder / "template"
    template.mkdir()
    scene.prepare(template)
    root = duplicate(template, folder / "root")
    before = clone(root, folder / "before")
    calls = RecordingCalls()
    with Repository.open(root, author="Ada", host="studio", calls=calls) as repo:
        scene.run(repo)
    return root, before, calls.events


def _check(root: Path, before: Path, wanted: set[bytes], numbers: set[int], scene: Scene) -> None:
    known = json.loads((before / REPLICA_PATH).read_bytes())["replica"]
    with Repository.open(root, author="Ada", host="studio") as repo:
        _take_over(root, repo, known)
    with Repository.open(root, author="Ada", host="studio") as repo:
        assert fsck(repo).problems == ()
        scene.attach(repo)
        assert_whole(repo)
        assert numbers <= {record.number for record in versions(repo)}, "a committed version is gone"
        if not scene.frees:
            assert wanted <= saved_contents(repo) | contents(look(root).values())


REPLICA_PATH = f".aura/{REPLICA}"


def _take_over(root: Path, repo: Repository, known: str) -> None:
    """The image is another folder than the one that failed; let it be taken for that one."""
    record = root / REPLICA_PATH
    record.write_bytes(record.read_bytes().replace(repo.replica.encode(), known.encode()))


def _fail_at(name: str, folder: Path, *, points: int) -> None:
    root, before, events = _record(name, folder)
    with Repository.open(before) as repo:
        SCENES[name].attach(repo)
        wanted = saved_contents(repo) | contents(look(before).values())
        numbers = {record.number for record in versions(repo)}

    whole = wanted | contents(look(root).values())
    step = max(1, len(events) // points)
    for at in [*range(1, len(events), step), len(events)]:
        for number, (names, data) in enumerate(RULES):
            if points < len(events) and (at + number) % 3:
                continue  # by default, a third of the rules at every point
            target = image(root, before, events[:at], names, data, folder / f"{at}-{names}-{data}")
            try:
                assert contents(look(target).values()) <= whole, "half a file has its name"
                _check(target, before, wanted, numbers, SCENES[name])
            except BaseException as error:
                error.add_note(f"{name}: power failed after {at} of {len(events)} calls, {names} names, {data} bytes")
                raise


@pytest.mark.parametrize("name", list(SCENES))
def test_power_fails_here_and_there(name: str, quick_path: Path) -> None:
    """After a power failure everything in `.aura` that was promised is there, and whole."""
    _fail_at(name, quick_path, points=POINTS)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", list(SCENES))
def test_power_fails_everywhere(name: str, quick_path: Path) -> None:
    """The same, after every single call, with every rule."""
    _fail_at(name, quick_path, points=10**6)
