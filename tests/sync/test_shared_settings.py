"""Settings of the project travel value by value; what belongs to one machine stays there."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.history.project_settings import set_fields
from aura_vcs.ids import ReplicaId
from aura_vcs.model import Field
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.sync.fetch import fetch, plan_fetch
from aura_vcs.sync.pull import sync
from aura_vcs.sync.push import plan_push, push
from aura_vcs.sync.state.annotations import merge_settings
from aura_vcs.sync.state.manifest import MANIFEST, decode_manifest, digest, encode_manifest

from .machines import clone, folder_remote, known, machine, manifest, save

PATTERNS = "locks.patterns"
OTHER = ReplicaId("0123456789ab")
Two = tuple[Repository, Repository, FolderRemote]


@pytest.fixture
def two(tmp_path: Path) -> Two:
    """Anna and Bert at the same version, and their remote."""
    anna = machine(tmp_path / "anna", "anna")
    save(anna, "brief.json", b"{}")
    remote = folder_remote(tmp_path / "remote", anna)
    push(anna, remote, known(anna))
    return anna, clone(tmp_path / "bert", "bert", remote), remote


def put(repo: Repository, key: str, value: Any) -> None:
    """Give a setting of the project a value."""
    set_fields(repo, {"settings": {key: value}}, f"Set {key}", type_="config.set")


def value(repo: Repository, key: str) -> Any:
    """What a project sets."""
    return repo.refs.settings()[key].value


def field(value: Any, counter: int = 1, replica: ReplicaId = OTHER) -> Field:
    """A setting as some machine gave it."""
    return Field(value, (counter, replica), "2026-11-23T08:00:00.000000Z", "somebody")


def rewrite(remote: FolderRemote, settings: dict[str, Field]) -> None:
    """Move the manifest on to one with these settings, whatever they are."""
    seen = remote.load(MANIFEST)
    found = decode_manifest(seen.data, "there")
    raw = msgspec.structs.replace(found, generation=found.generation + 1, previous=digest(seen.data), settings=settings)
    remote.swap(MANIFEST, encode_manifest(raw), seen.token)


def test_settings_travel(two: Two) -> None:
    """What one machine sets for the project holds on the other after a sync; plans say so before."""
    anna, bert, remote = two
    put(anna, PATTERNS, ["*.mp4"])
    assert plan_push(anna, remote, known(anna)).settings == (PATTERNS,)
    push(anna, remote, known(anna))
    assert plan_push(anna, remote, known(anna)).is_empty
    assert plan_fetch(bert, remote, known(bert)).settings == (PATTERNS,)
    fetch(bert, remote, known(bert))
    assert value(bert, PATTERNS) == ["*.mp4"]
    assert sync(bert, remote, known(bert)).pushed.is_empty
    put(bert, PATTERNS, None)
    sync(bert, remote, known(bert))
    sync(anna, remote, known(anna))
    assert value(anna, PATTERNS) is None, "unset is a value, too"


def test_of_two_values_the_same_one_holds_everywhere(two: Two) -> None:
    """Set on both machines offline, one wins, and it is the same one on both and on the remote."""
    anna, bert, remote = two
    put(anna, PATTERNS, ["*.aep"])
    put(bert, PATTERNS, ["*.mov"])
    for repo in (anna, bert, anna):
        sync(repo, remote, known(repo))
    assert value(anna, PATTERNS) == value(bert, PATTERNS) == manifest(remote).settings[PATTERNS].value


def test_settings_of_a_machine_stay_there(two: Two) -> None:
    """Where files are written and which program is used is nobody else's business."""
    anna, _, remote = two
    put(anna, "general.output_directory", "/home/ada/out")
    put(anna, "media.ffmpeg_path", "/opt/ffmpeg")
    assert plan_push(anna, remote, known(anna)).is_empty
    assert manifest(remote).settings == {}


def test_a_fetch_of_settings_survives_the_index(two: Two) -> None:
    """They come as an operation like everything else: a rebuilt index and a reopened project say the same."""
    anna, bert, remote = two
    put(anna, PATTERNS, ["*.mp4"])
    push(anna, remote, known(anna))
    fetch(bert, remote, known(bert))
    bert.rebuild_index()
    with Repository.open(bert.root) as again:
        assert value(again, PATTERNS) == ["*.mp4"]


def test_nobody_writes_our_settings(two: Two) -> None:
    """A value that is said to be ours, and that we never gave, is passed over."""
    _, bert, remote = two
    rewrite(remote, {PATTERNS: field(["*"], 99, bert.replica)})
    assert plan_fetch(bert, remote, known(bert)).settings == ()


@pytest.mark.parametrize(
    "settings",
    [
        {"general.output_directory": field("/etc")},
        {"media.ffmpeg_path": field("/tmp/evil")},
        {"../../config": field(1)},
        {PATTERNS: field(["x" * (2 << 20)])},
        {PATTERNS: field([], -1)},
        {PATTERNS: field([], 1, ReplicaId("../../x"))},
        {f"a.b{n}": field(n) for n in range(1001)},
    ],
)
def test_hostile_settings_are_refused(two: Two, settings: dict[str, Field]) -> None:
    """A remote that says where this machine writes or what it runs, or that floods it, is not believed."""
    _, bert, remote = two
    rewrite(remote, settings)
    with pytest.raises(RemoteCorrupt):
        fetch(bert, remote, known(bert))
    assert bert.refs.settings() == {}


def test_joining_commutes() -> None:
    """Whoever joins first, the result is the same."""
    ours = {"a.a": field(1, 3), "b.b": field(2, 1)}
    theirs = {"a.a": field(7, 2), "b.b": field(8, 2), "c.c": field(9)}
    joined = merge_settings(ours, theirs)
    assert joined == merge_settings(theirs, ours) == merge_settings(joined, theirs)
    assert [joined[key].value for key in ("a.a", "b.b", "c.c")] == [1, 8, 9]
