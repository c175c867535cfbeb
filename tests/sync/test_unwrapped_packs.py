"""Packs with unwrapped frames on their way: the remote says what it takes to read them, and all else is as ever."""

import json
from pathlib import Path

import pytest
from aura_vcs.errors.remotes import RemoteMismatch
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.bundle import create_bundle, verify_bundle
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.pull import pull
from aura_vcs.sync.push import push
from aura_vcs.sync.state import manifest as manifest_room
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.snapshot import load_snapshot

from tests.objects.test_unwrapped_frames import collect, content, edits, gzipped, project_xml, unwrapped_frames
from tests.sync.machines import clone, folder_remote, known, machine, manifest, save


def _features(repo: Repository) -> list[str]:
    found: list[str] = json.loads(Path(repo.root, ".aura", "format.json").read_text())["features"]
    return found


@pytest.fixture
def one(tmp_path: Path) -> Repository:
    """A machine with four saves of a project, collected."""
    repo = machine(tmp_path / "one", "Ada")
    for number, files in enumerate(edits(4)):
        save(repo, "film.prproj", files["film.prproj"], f"Save {number}")
    collect(repo)
    assert unwrapped_frames(repo) > 0
    return repo


def test_they_travel_as_they_are(one: Repository, tmp_path: Path) -> None:
    """A push sends the pack, the remote names the feature, a clone has both; everything is intact everywhere."""
    remote = folder_remote(tmp_path / "remote", one)
    push(one, remote, known(one))
    assert manifest(remote).features == (manifest_room.UNWRAPPED,)
    assert fsck_remote(load_snapshot(remote, NullCache(), None)).is_clean
    two = clone(tmp_path / "two", "Bo", remote)
    assert _features(two) == ["unwrapped"]
    assert unwrapped_frames(two) == unwrapped_frames(one)
    assert content(two, "HEAD~3", "film.prproj") == edits(1)[0]["film.prproj"]
    assert fsck(two).is_clean
    save(two, "film.prproj", gzipped(project_xml(99)), "Bo's")
    push(two, remote, known(two))
    pull(one, remote, known(one))
    assert content(one, "HEAD", "film.prproj") == gzipped(project_xml(99))


def test_before_anything_is_unwrapped_nobody_says_so(tmp_path: Path) -> None:
    """A remote that is pushed to before gc has no feature, and gets it with the first such pack."""
    one = machine(tmp_path / "one", "Ada")
    save(one, "film.prproj", gzipped(project_xml(1)), "First")
    remote = folder_remote(tmp_path / "remote", one)
    push(one, remote, known(one))
    two = clone(tmp_path / "two", "Bo", remote)
    assert manifest(remote).features == ()
    for number in range(2, 6):
        save(one, "film.prproj", gzipped(project_xml(number)), f"Save {number}")
    collect(one)
    push(one, remote, known(one))
    fetch(two, remote, known(two))
    assert _features(two) == (["unwrapped"] if unwrapped_frames(two) else [])
    assert list(manifest(remote).features) == _features(two)
    assert fsck(two).is_clean


def test_what_is_gathered_is_wrapped_again(one: Repository, tmp_path: Path) -> None:
    """Of a pack that is mostly there already, the rest goes as it was, and nothing new is asked of its readers."""
    remote = folder_remote(tmp_path / "remote", one)
    push(one, remote, known(one))
    two = clone(tmp_path / "two", "Bo", remote)
    save(two, "film.prproj", gzipped(project_xml(99)), "Bo's")
    collect(two)
    there = load_snapshot(remote, NullCache(), None)
    push(two, remote, known(two))
    new = {pack.name for pack in manifest(remote).packs} - {pack.name for pack in there.manifest.packs}
    assert new
    assert not new & set(two.store.packs.names())
    pull(one, remote, known(one))
    assert content(one, "HEAD", "film.prproj") == gzipped(project_xml(99))


def test_an_older_one_refuses_the_remote(one: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cannot write the files again is told the feature's name, and changes nothing."""
    remote = folder_remote(tmp_path / "remote", one)
    push(one, remote, known(one))
    monkeypatch.setattr(manifest_room, "KNOWN_FEATURES", frozenset({"leaving", "annotations", "project"}))
    with pytest.raises(RemoteMismatch, match="unwrapped"):
        load_snapshot(remote, NullCache(), None)


def test_a_bundle(one: Repository, tmp_path: Path) -> None:
    """A bundle holds such packs, and is verified."""
    path = str(tmp_path / "film.bundle")
    create_bundle(one, path)
    assert verify_bundle(path).is_clean
