"""Collecting garbage by itself: only what is due, once a day, with the guarantees of a person's own gc."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.codec import encode_record
from aura_vcs.errors.integrity import StorageError
from aura_vcs.history.commit import commit
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.versions import delete_version
from aura_vcs.ids import ObjectId
from aura_vcs.layout import HOUSEKEEPING
from aura_vcs.maintenance import housekeeping
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.housekeeping import Housekeeping, begin, is_due, keep_house
from aura_vcs.plain_text import format_time, now, parse_time

OLD = "UPDATE objects SET last_referenced_at = 1577836800000000 WHERE refcount <= 0"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Repository]:
    """A project of which the first of two versions was deleted, with two megabytes that only that one held."""
    root = tmp_path / "film"
    root.mkdir()
    with Repository.init(str(root)) as repo:
        (root / "take.mov").write_bytes(os.urandom(2 << 20))
        commit(repo, "First")
        (root / "take.mov").write_bytes(os.urandom(2 << 20))
        commit(repo, "Second")
        delete_version(repo, resolve(repo, "v1"))
        yield repo


def age(repo: Repository) -> None:
    """Let all garbage be years old."""
    repo.adopt_unrecorded_objects()
    with repo.index.database.transaction() as connection:
        connection.execute(OLD)


def first_take(repo: Repository) -> ObjectId:
    """The content that only the deleted version holds."""
    entry = repo.trees.entry(resolve(repo, "v1").tree, "take.mov")
    assert entry is not None
    return entry.id


def test_what_is_young_is_not_due(project: Repository) -> None:
    """Within the grace period nothing is due, and nothing goes."""
    assert not is_due(project)
    assert keep_house(project) is None
    assert project.store.contains(first_take(project))


def test_what_is_old_goes_once_a_day(project: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Due, noted, collected; and not due again within a day, whatever there is."""
    age(project)
    monkeypatch.setattr(housekeeping, "_ago", lambda seconds: format_time(parse_time(now())))
    assert is_due(project)
    take = first_take(project)
    assert begin(project)
    assert not is_due(project)
    before = Housekeeping("2020-01-01T00:00:00Z")
    project.storage.put(HOUSEKEEPING, encode_record(before))
    assert is_due(project)
    for damaged in (b"{", encode_record(Housekeeping("soon")), encode_record(Housekeeping("2999-01-01T00:00:00Z"))):
        project.storage.put(HOUSEKEEPING, damaged)
        assert is_due(project), damaged
    assert keep_house(project) is None  # the index says old, the log says young: the proof keeps it
    assert project.store.contains(take)
    assert keep_house(project, grace_seconds=0) is not None
    assert not project.store.contains(take)
    assert fsck(project).problems == ()


def test_nothing_is_begun_where_it_cannot_be_noted(project: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full or read-only disk it would begin again with every commit."""

    def refuse(*_: object) -> None:
        raise StorageError("write", HOUSEKEEPING, "no space")

    monkeypatch.setattr(project.storage, "put", refuse)
    assert not begin(project)


def test_nobody_is_in_the_way(project: Repository) -> None:
    """While somebody stores, nothing is done and nothing is raised."""
    age(project)
    with Repository.open(project.root, lock_seconds=0) as other, project.locks.shared("objects"):
        assert keep_house(other) is None
    assert project.store.contains(first_take(project))


def test_the_command_begins_it_and_waits_for_nothing(project: Repository, tmp_path: Path) -> None:
    """One line, a process of its own, and the content is gone; with the setting off, nothing begins."""
    take = first_take(project)
    environment = {**os.environ, "AURA_HOME": str(tmp_path / "home"), "HOME": str(tmp_path), "AURA_AUTHOR": "Ada"}

    def aura(*words: str) -> str:
        command = [sys.executable, "-m", "aura_vcs", "-C", project.root, *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout + done.stderr

    def change(text: str) -> None:
        Path(project.root, "notes.txt").write_text(text)
        project.refresh()
        age(project)

    aura("config", "set", "maintenance.auto", "off")
    change("one")
    assert "in the background" not in aura("commit", "-m", "Third")
    aura("config", "set", "maintenance.auto", "on")
    change("two")
    assert "in the background" in aura("commit", "-m", "Fourth")
    assert project.storage.stat(HOUSEKEEPING) is not None
    aura("gc", "--auto")  # which waits for the other one
    assert project.store.contains(take)  # its deletion is young, whatever the index says: the proof keeps it
    change("three")
    assert "in the background" not in aura("commit", "-m", "Fifth")
    assert "Nothing was due." in aura("gc", "--auto")
    aura("fsck")
