"""What very many machines have seen of each other: said in steps, the same for whoever reads it, and never believed."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteMismatch
from aura_vcs.ids import ReplicaId, VersionId
from aura_vcs.model import BranchEntry
from aura_vcs.refs.merge import heads
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.pull import sync
from aura_vcs.sync.push import push
from aura_vcs.sync.state import manifest as manifests, seen_steps
from aura_vcs.sync.state.manifest import MANIFEST, STEPS, Manifest, decode_manifest, encode_manifest
from aura_vcs.sync.state.manifest_update import create_remote
from aura_vcs.sync.state.seen_steps import in_steps, with_seen

from .machines import clone, files, known, machine, manifest, save

NOW = "2026-12-01T08:00:00.000000Z"
PROJECT = "11111111-1111-4111-8111-111111111111"
A, B, C = (ReplicaId(letter * 12) for letter in "abc")


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_steps, "MANY_SEEN", 2)


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Repository]:
    """A machine that has a project."""
    repo = machine(tmp_path / "anna", "anna")
    yield repo
    repo.close()


def an_entry(replica: str, counter: int, **seen: int) -> BranchEntry:
    """An entry of a branch."""
    version = VersionId(f"{counter:064x}")  # type: ignore[arg-type]
    known_of = {ReplicaId(name * 12): number for name, number in seen.items()}
    return BranchEntry(ReplicaId(replica * 12), version, counter, known_of, NOW, "Ada")


def a_manifest(*entries: BranchEntry, branch: str = "main") -> Manifest:
    """A manifest of one branch."""
    return Manifest(1, PROJECT, 3, "", NOW, "anna", branches={branch: entries})


def test_steps_say_what_the_entries_said() -> None:
    """Machines that move in turn, side by side, back, and not for a long time: every entry comes back as it was."""
    chance = random.Random(7)
    for _ in range(60):
        replicas = [ReplicaId(f"{number:012x}") for number in range(chance.randrange(1, 9))]
        entries = tuple(
            BranchEntry(
                one,
                None,
                chance.randrange(1, 30),
                {other: chance.randrange(30) for other in replicas if other != one and chance.random() < 0.7},
                NOW,
                "Ada",
            )
            for one in replicas
        )
        before = a_manifest(*entries)
        after = decode_manifest(encode_manifest(before), "there")
        assert after.branches == before.branches
        assert heads(after.branches["main"]) == heads(entries)


def test_a_thousand_machines_take_little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each moved when it had seen all before it, a step has three numbers at most."""
    replicas = [ReplicaId(f"{number:012x}") for number in range(300)]
    entries = tuple(
        BranchEntry(one, None, 1, dict.fromkeys(replicas[:number], 1), NOW, "Ada")
        for number, one in enumerate(replicas)
    )
    data = encode_manifest(a_manifest(*entries))
    steps = json.loads(data)["steps"]["main"]
    assert max(len(changed) for _, changed in steps) <= 3
    monkeypatch.setattr(seen_steps, "MANY_SEEN", 1 << 30)
    assert len(data) * 7 < len(encode_manifest(a_manifest(*entries)))
    assert decode_manifest(data, "there").branches["main"] == entries


def test_few_machines_are_listed_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Older versions read them."""
    monkeypatch.setattr(seen_steps, "MANY_SEEN", 3)
    few = a_manifest(an_entry("a", 2), an_entry("b", 1, a=2))
    stored = json.loads(encode_manifest(msgspec.structs.replace(few, features=(STEPS,))))
    assert (stored["steps"], stored["features"]) == ({}, [])
    assert stored["branches"]["main"][1]["seen"] == {A: 2}


def test_older_versions_refuse_steps_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode_manifest(a_manifest(an_entry("a", 2, c=1), an_entry("b", 1, a=2)))
    monkeypatch.setattr(manifests, "KNOWN_FEATURES", manifests.KNOWN_FEATURES - {STEPS})
    with pytest.raises(RemoteMismatch, match="feature steps"):
        decode_manifest(data, "there")


def test_machines_share_a_remote_whose_manifest_has_steps(
    anna: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They push, pull, merge and take over as ever."""
    monkeypatch.setattr(seen_steps, "MANY_SEEN", 1)
    remote = MemoryRemote()
    create_remote(remote, anna.format.project, anna.author)
    save(anna, "brief.json", "{}")
    push(anna, remote, known(anna))
    bert = clone(tmp_path / "bert", "bert", remote)
    for number in range(3):
        for repo, path in ((anna, "plan.json"), (bert, "brief.json")):
            sync(repo, remote, known(repo))
            save(repo, path, json.dumps({"take": number}))
            sync(repo, remote, known(repo))
    sync(anna, remote, known(anna))
    assert json.loads(remote.load(MANIFEST).data)["steps"]["main"]
    assert len(heads(manifest(remote).branches["main"])) == 1
    assert files(anna) == files(bert) == files(clone(tmp_path / "carl", "carl", remote))


def _stored() -> dict[str, Any]:
    entries = (an_entry("a", 2, c=1), an_entry("b", 1, a=2), an_entry("c", 4, a=1, b=1))
    found: dict[str, Any] = json.loads(encode_manifest(a_manifest(*entries)))
    return found


def _steps(change: Callable[[list[Any]], object]) -> Callable[[dict[str, Any]], object]:
    return lambda stored: change(stored["steps"]["main"])


HOSTILE: dict[str, Callable[[dict[str, Any]], object]] = {
    "without a word": lambda stored: stored.update(features=[]),
    "of another branch": lambda stored: stored.update(steps={"other": stored["steps"]["main"]}),
    "of a machine that has no entry": _steps(lambda row: row.append(["d" * 12, {}])),
    "one twice": _steps(lambda row: row.append(row[0])),
    "one twice, another not": _steps(lambda row: row.__setitem__(1, row[0])),
    "one too few": _steps(lambda row: row.pop()),
    "taking away what nobody has seen": _steps(lambda row: row[0][1].update({"d" * 12: None})),
    "of a name that is none": _steps(lambda row: row[0][1].update({"../../x": 1})),
    "below nothing": _steps(lambda row: row[0][1].update({"d" * 12: -1})),
    "above all": _steps(lambda row: row[0][1].update({"d" * 12: 1 << 60})),
    "beside what entries say": lambda stored: stored["branches"]["main"][0].update(seen={"d" * 12: 1}),
    "no numbers": _steps(lambda row: row[0][1].update({"d" * 12: "many"})),
    "no steps": lambda stored: stored.update(steps={"main": {"a": 1}}),
}


@pytest.mark.parametrize("what", list(HOSTILE))
def test_hostile_steps_are_refused(what: str) -> None:
    stored = _stored()
    HOSTILE[what](stored)
    with pytest.raises(RemoteCorrupt):
        decode_manifest(json.dumps(stored).encode(), "there")


def test_steps_that_unfold_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes for each entry, and millions of numbers in memory: the sum is bounded before it is made."""
    monkeypatch.setattr(seen_steps, "SEEN_LIMIT", 500)
    replicas = [ReplicaId(f"{number:012x}") for number in range(60)]
    branches = {"main": tuple(BranchEntry(one, None, 1, {}, NOW, "Ada") for one in replicas)}
    first = dict.fromkeys(replicas, 1)
    row = tuple((one, dict(first) if number == 0 else {}) for number, one in enumerate(replicas))
    with pytest.raises(RecordCorrupt, match="more than there can be"):
        with_seen(branches, {"main": row}, "there")


def test_more_than_is_read_is_not_written_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_steps, "SEEN_LIMIT", 3)
    found = a_manifest(an_entry("a", 2, b=1, c=1), an_entry("b", 1, a=2, c=1))
    assert in_steps(found.branches) == (found.branches, {})
    assert decode_manifest(encode_manifest(found), "there").branches == found.branches
