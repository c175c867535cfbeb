"""Locks on files that cannot be merged: taken, refused, expired, taken over, and minded by pushes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from aura_vcs.errors import InputError
from aura_vcs.errors.input import RefMoved, UnknownName
from aura_vcs.errors.remotes import PathLocked, RemoteCorrupt
from aura_vcs.history.commit import commit
from aura_vcs.ids import ReplicaId
from aura_vcs.plain_text import format_time, now
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.storage.testing.faulty_remote import RecordingRemote
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.locks.advice import lock_advice
from aura_vcs.sync.locks.locks import lock_paths, remote_locks, unlock_paths
from aura_vcs.sync.pull import pull, sync
from aura_vcs.sync.push import plan_push, push
from aura_vcs.sync.remotes.config import RemoteConfig, set_remote
from aura_vcs.sync.state.lock_record import PathLock
from aura_vcs.sync.state.manifest import MANIFEST, decode_manifest, digest, encode_manifest
from aura_vcs.sync.state.manifest_update import create_remote

from .machines import Unsynced, clone, folder_remote, known, machine, manifest, save, write

CLIP = "assets/clip.mp4"
RACERS = 4
Two = tuple[Repository, Repository, FolderRemote]


def lock(repo: Repository, remote: RemoteStorage, *paths: str, reason: str = "", seconds: float | None = None) -> None:
    """Lock paths."""
    lock_paths(repo, remote, known(repo), paths or (CLIP,), reason=reason, seconds=seconds)


def rewrite(remote: RemoteStorage, **changes: object) -> None:
    """Put other things into the first lock of the manifest, as somebody else might."""
    found = decode_manifest(remote.load(MANIFEST).data, "there")
    first = msgspec.structs.replace(found.locks[0], **changes)
    put_locks(remote, (first, *found.locks[1:]))


def put_locks(remote: RemoteStorage, locks: tuple[PathLock, ...]) -> None:
    """Move the manifest on to one with these locks, whatever they are."""
    seen = remote.load(MANIFEST)
    found = decode_manifest(seen.data, "there")
    raw = msgspec.structs.replace(found, generation=found.generation + 1, previous=digest(seen.data), locks=locks)
    remote.swap(MANIFEST, encode_manifest(raw), seen.token)


def expire(remote: RemoteStorage) -> None:
    """Let the first lock have expired an hour ago."""
    rewrite(remote, expires_at=format_time(datetime.now(UTC) - timedelta(hours=1)))


@pytest.fixture
def two(tmp_path: Path) -> Two:
    """Anna and Bert, at the same version of a clip, and their remote."""
    anna = machine(tmp_path / "anna", "anna")
    save(anna, CLIP, b"clip one")
    remote = folder_remote(tmp_path / "remote", anna)
    push(anna, remote, known(anna))
    bert = clone(tmp_path / "bert", "bert", remote)
    for repo in (anna, bert):
        set_remote(repo, "origin", RemoteConfig(remote.root))
    return anna, bert, remote


def test_of_racing_lockers_one_wins(remote: RemoteStorage, tmp_path: Path) -> None:
    """On every kind of remote, of several that lock one file at once exactly one has it, and the others hear whose."""
    first = machine(tmp_path / "machine-0", "person-0")
    save(first, CLIP, b"clip")
    create_remote(remote, first.format.project, first.author)
    push(first, remote, known(first))
    others = [clone(tmp_path / f"machine-{n}", f"person-{n}", remote) for n in range(1, RACERS)]
    paths = [repo.root for repo in (first, *others)]

    def race(number: int) -> str | None:
        with Repository(paths[number], author=f"person-{number}", host="here", calls=Unsynced()) as repo:
            try:
                lock(repo, remote)
            except PathLocked as error:
                return error.holder
            return None

    with ThreadPoolExecutor(RACERS) as executor:
        told = list(executor.map(race, range(RACERS)))
    assert told.count(None) == 1
    winner = f"person-{told.index(None)}"
    assert [found.owner for found in manifest(remote).locks] == [winner]
    assert all(holder.startswith(f"{winner} on here") for holder in told if holder is not None)


def test_a_lock_costs_two_requests_and_a_push_none_more(two: Two) -> None:
    """Locks stand in the manifest, which is loaded anyway."""
    anna, bert, remote = two
    recording = RecordingRemote(remote)
    lock_paths(anna, recording, known(anna), [CLIP], reason="colours")
    assert [request.verb for request in recording.requests] == ["load", "swap"]
    recording = RecordingRemote(remote)
    sync(anna, recording, known(anna))
    assert recording.count() == 2, "our own lock is no reason to look at anything again"
    fetch(bert, remote, known(bert))
    assert [item.owner for item in known(bert).state().locks] == ["anna"]


def test_a_lock_says_whose_it_is_and_why(two: Two) -> None:
    """Owner, machine, reason, date and end are there for everybody; the loser is told in one line."""
    anna, bert, remote = two
    lock(anna, remote, reason="new\x1b[2J colours", seconds=3600)
    (found,) = remote_locks(bert, remote, known(bert))
    assert (found.path, found.owner, found.host, found.replica) == (CLIP, "anna", "anna", anna.replica)
    assert found.reason == "new[2J colours"
    assert found.expires_at is not None
    assert found.taken_at < found.expires_at
    with pytest.raises(PathLocked, match=r"clip\.mp4 is locked by anna on anna since .*: new\[2J colours") as told:
        lock(bert, remote)
    assert "aura unlock --force" in told.value.hint


def test_locks_on_folders_and_what_is_in_them_meet(two: Two) -> None:
    """A folder is locked with everything in it, and cannot be while somebody has a part of it."""
    anna, bert, remote = two
    lock(anna, remote, "assets")
    with pytest.raises(PathLocked):
        lock(bert, remote, CLIP)
    unlock_paths(anna, remote, known(anna), ["assets"])
    lock(bert, remote, CLIP)
    with pytest.raises(PathLocked):
        lock(anna, remote, "assets")


def test_all_or_none_are_locked(two: Two) -> None:
    """If one of several is somebody else's, none is taken."""
    anna, bert, remote = two
    save(bert, "titles.aep", b"titles")
    lock(anna, remote, CLIP)
    with pytest.raises(PathLocked):
        lock(bert, remote, "titles.aep", CLIP)
    assert [found.path for found in manifest(remote).locks] == [CLIP]


@pytest.mark.parametrize("path", ["", "nothing.mp4", "../clip.mp4", ".aura/config.json", "a\udcffb"])
def test_what_is_no_file_of_the_project_is_not_locked(two: Two, path: str) -> None:
    """A typing error is not a lock; nor is the whole project, what lies outside, or a name that is not text."""
    anna, _, remote = two
    with pytest.raises((InputError, UnknownName)):
        lock(anna, remote, path)
    assert manifest(remote).locks == ()


def test_taking_a_lock_says_that_one_is_behind(two: Two) -> None:
    """A version of the file that was pushed by somebody else, fetched or not, is named; other files are not."""
    anna, bert, remote = two
    save(anna, CLIP, b"clip two", "Colours")
    save(anna, "notes.txt", b"notes")
    push(anna, remote, known(anna))
    taken = lock_paths(bert, remote, known(bert), [CLIP])
    assert [(item.path, item.branch, item.number, item.author) for item in taken.newer] == [(CLIP, "main", 3, "anna")]
    fetch(bert, remote, known(bert))
    assert lock_paths(bert, remote, known(bert), [CLIP]).newer, "fetched is not pulled"
    pull(bert, remote, known(bert))
    assert lock_paths(bert, remote, known(bert), [CLIP]).newer == ()
    save(anna, "notes.txt", b"more notes")
    push(anna, remote, known(anna))
    assert lock_paths(bert, remote, known(bert), [CLIP]).newer == (), "the newer version has the same clip"


def test_ones_own_unsent_change_is_not_being_behind(two: Two) -> None:
    """Who has changed the file and not pushed yet is ahead, whatever else the remote has got meanwhile."""
    anna, bert, remote = two
    save(bert, CLIP, b"bert's clip")
    save(anna, "notes.txt", b"notes")
    push(anna, remote, known(anna))
    assert lock_paths(bert, remote, known(bert), [CLIP]).newer == ()


def test_a_push_with_a_change_to_a_locked_file_is_refused(two: Two) -> None:
    """Push and sync stop before anything moves; other files go; the one who holds the lock goes on."""
    anna, bert, remote = two
    lock(anna, remote, reason="colours")
    save(bert, "notes.txt", b"notes")
    push(bert, remote, known(bert))
    save(bert, CLIP, b"bert's clip")
    before = remote.load(MANIFEST)
    for attempt in (push, sync, plan_push):
        with pytest.raises(PathLocked) as told:
            attempt(bert, remote, known(bert))
        assert "Your versions are safe here" in told.value.hint
    assert remote.load(MANIFEST) == before
    sync(anna, remote, known(anna))
    save(anna, CLIP, b"anna's clip")
    assert push(anna, remote, known(anna)).locked == ()


@pytest.mark.parametrize("change", ["remove", "rename", "everything", "inside"])
def test_every_way_of_changing_a_locked_file_counts(two: Two, change: str) -> None:
    """Removing and renaming it, emptying the project, and adding to a locked folder are changes, too."""
    anna, bert, remote = two
    lock(anna, remote, "assets" if change == "inside" else CLIP)
    clip = Path(bert.root, CLIP)
    if change == "remove":
        clip.unlink()
        write(bert, "notes.txt", b"notes")
    elif change == "rename":
        clip.rename(clip.with_name("other.mp4"))
    elif change == "everything":
        clip.unlink()
        clip.parent.rmdir()
    else:
        write(bert, "assets/second.mp4", b"second")
    assert commit(bert, "Changed").version is not None
    with pytest.raises(PathLocked):
        push(bert, remote, known(bert))


def test_a_push_against_a_lock_can_be_asked_for(two: Two) -> None:
    """With the locks ignored it goes there, says whose it was, and leaves the lock where it is."""
    anna, bert, remote = two
    lock(anna, remote)
    save(bert, CLIP, b"bert's clip")
    plan = push(bert, remote, known(bert), ignore_locks=True)
    assert [item.owner for item in plan.locked] == ["anna"]
    assert [item.owner for item in manifest(remote).locks] == ["anna"]


def test_what_others_changed_is_not_ones_own_change(two: Two, tmp_path: Path) -> None:
    """Merging or passing on what the remote has already is no change of the locked file."""
    anna, bert, remote = two
    lock(anna, remote)
    save(anna, CLIP, b"anna's clip")
    push(anna, remote, known(anna))
    pull(bert, remote, known(bert))
    save(bert, "notes.txt", b"on top of it")
    assert push(bert, remote, known(bert)).locked == ()


def test_a_lock_that_is_taken_while_a_push_is_under_way_is_not_passed_by(two: Two) -> None:
    """Between looking at the locks and moving the branch nobody can slip in: the push looks again."""
    anna, bert, remote = two
    save(bert, CLIP, b"bert's clip")

    class Slow(RecordingRemote):
        """Anna locks just before Bert's manifest would move."""

        taken = False

        def swap(self, name: str, data: bytes, token: str | None) -> str:
            if not self.taken:
                self.taken = True
                lock(anna, remote)
            return super().swap(name, data, token)

    with pytest.raises(PathLocked):
        push(bert, Slow(remote), known(bert))
    assert [item.owner for item in manifest(remote).locks] == ["anna"]
    assert {entry.replica for entry in manifest(remote).branches["main"]} == {anna.replica}


def test_an_expired_lock_is_said_to_be_and_can_be_taken_over(two: Two) -> None:
    """It keeps nobody away: pushes go and name it, another takes it, and its owner hears that it expired."""
    anna, bert, remote = two
    lock(anna, remote, seconds=60)
    expire(remote)
    fetch(anna, remote, known(anna))
    (advice,) = lock_advice(anna, [CLIP], [])
    assert (advice.problem, advice.remote) == ("expired", "origin")
    save(bert, CLIP, b"bert's clip")
    assert [item.owner for item in push(bert, remote, known(bert)).locked] == ["anna"]
    taken = lock_paths(bert, remote, known(bert), [CLIP])
    assert [item.owner for item in taken.taken_over] == ["anna"]
    assert [item.owner for item in manifest(remote).locks] == ["bert"]


def test_a_lock_is_renewed_by_taking_it_again(two: Two) -> None:
    """The later reason and end count; there is one lock."""
    anna, _, remote = two
    lock(anna, remote, reason="first", seconds=60)
    lock(anna, remote, reason="second")
    assert [(item.reason, item.expires_at) for item in manifest(remote).locks] == [("second", None)]


def test_only_the_holder_unlocks_without_force(two: Two) -> None:
    """Somebody else is told whose it is; with force, too, and has it gone; what is not locked is an error."""
    anna, bert, remote = two
    lock(anna, remote, reason="colours")
    with pytest.raises(PathLocked):
        unlock_paths(bert, remote, known(bert), [CLIP])
    done = unlock_paths(bert, remote, known(bert), [CLIP], force=True)
    assert [(item.owner, item.reason) for item in done.of_others] == [("anna", "colours")]
    with pytest.raises(UnknownName):
        unlock_paths(anna, remote, known(anna), [CLIP])
    lock(anna, remote, "assets")
    with pytest.raises(UnknownName) as told:
        unlock_paths(anna, remote, known(anna), [CLIP])
    assert "assets is locked as a whole" in told.value.hint
    assert unlock_paths(anna, remote, known(anna), None).of_others == ()
    assert manifest(remote).locks == ()


def test_unlocking_says_what_is_not_on_the_remote_yet(two: Two) -> None:
    """Unsaved and unpushed changes of the file are named: the next one would begin with an old state."""
    anna, _, remote = two
    lock(anna, remote)
    write(anna, CLIP, b"not saved")
    assert unlock_paths(anna, remote, known(anna), [CLIP]).unsent == (CLIP,)
    lock(anna, remote)
    save(anna, CLIP, b"saved, not pushed")
    assert unlock_paths(anna, remote, known(anna), [CLIP]).unsent == (CLIP,)
    lock(anna, remote)
    push(anna, remote, known(anna))
    save(anna, "notes.txt", b"another file is no reason")
    assert unlock_paths(anna, remote, known(anna), [CLIP]).unsent == ()


def test_a_copy_of_the_same_person_is_somebody_else(two: Two, tmp_path: Path) -> None:
    """Anna at her desktop does not have what Anna at her laptop is doing; she is told that it is hers."""
    anna, _, remote = two
    lock(anna, remote)
    desktop = clone(tmp_path / "desktop", "anna", remote)
    with pytest.raises(PathLocked) as told:
        lock(desktop, remote)
    assert told.value.hint.startswith("It is yours, from anna")


def test_advice_needs_nobody(two: Two) -> None:
    """Who is offline hears what was last known: whose lock, what should be locked, and nothing else."""
    anna, bert, remote = two
    lock(anna, remote, reason="colours")
    assert lock_advice(bert, [CLIP], []) == (), "nothing was heard of it yet"
    with pytest.raises(PathLocked):
        lock(bert, remote)
    assert [item.problem for item in lock_advice(bert, [CLIP], [])] == ["locked"], "who was refused has heard of it"
    Path(remote.root).rename(Path(remote.root).with_name("unplugged"))
    found = lock_advice(bert, [CLIP, "notes.txt", "b.aep", "a.aep"], ["*.aep", "*.mp4", 7])
    assert [(item.path, item.problem) for item in found] == [
        ("a.aep", "not_locked"),
        (CLIP, "locked"),
        ("b.aep", "not_locked"),
    ]
    assert lock_advice(anna, [CLIP], ["*.mp4"]) == (), "it is locked from here"
    assert lock_advice(bert, ["a.aep"], ["a[", "["]) == (), "a pattern that is none says nothing"


def test_without_a_remote_nothing_needs_a_lock(tmp_path: Path) -> None:
    """Patterns alone are no reason to warn somebody who works alone."""
    alone = machine(tmp_path / "alone", "anna")
    assert lock_advice(alone, [CLIP], ["*.mp4"]) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "../out"},
        {"path": ".aura/config.json"},
        {"path": ""},
        {"path": "x/" * 3000 + "x"},
        {"replica": ReplicaId("../../..")},
        {"owner": "x" * 5000},
        {"taken_at": "yesterday"},
        {"expires_at": "0001-01-01T00:00:00+23:59"},
    ],
)
def test_hostile_locks_are_refused(two: Two, changes: dict[str, str]) -> None:
    """What somebody else wrote into the manifest is looked at before it is believed."""
    anna, bert, remote = two
    lock(anna, remote)
    rewrite(remote, **changes)
    with pytest.raises(RemoteCorrupt):
        remote_locks(bert, remote, known(bert))


def test_more_locks_than_anybody_has_are_refused(two: Two) -> None:
    """Two locks on one path, or very many, are no list of locks."""
    anna, bert, remote = two
    one = PathLock(CLIP, "x", "y", anna.replica, "", now())
    many = tuple(msgspec.structs.replace(one, path=f"{n}") for n in range(10_001))
    before = remote.load(MANIFEST).data
    for locks in ((one, one), many):
        put_locks(remote, locks)
        with pytest.raises(RemoteCorrupt):
            remote_locks(bert, remote, known(bert))
        remote.swap(MANIFEST, before, remote.load(MANIFEST).token)


def test_a_manifest_that_never_holds_still_is_given_up(two: Two) -> None:
    """After many attempts the lock is given up, with an error, and nothing was locked."""
    anna, _, remote = two

    class Restless(RecordingRemote):
        """Somebody else is always faster."""

        def swap(self, name: str, data: bytes, token: str | None) -> str:
            raise RefMoved(name, "here", "there")

    with pytest.raises(RefMoved):
        lock_paths(anna, Restless(remote), known(anna), [CLIP])
    assert manifest(remote).locks == ()
