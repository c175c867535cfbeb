"""Push, fetch, pull, sync and clone between machines with one remote."""

import io
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aura_vcs.errors.input import LockBusy, NothingToUndo
from aura_vcs.errors.remotes import PushRejected, RemoteMismatch, RemoteRewound, RemoteUnreachable
from aura_vcs.history.checkout import restore
from aura_vcs.history.commit import commit
from aura_vcs.history.merge import merge
from aura_vcs.history.names.branches import branch
from aura_vcs.history.names.tags import create_tag, delete_tag
from aura_vcs.history.status import status
from aura_vcs.history.undo import redo, undo
from aura_vcs.history.untrack import untrack
from aura_vcs.history.versions import delete_version, edit_version
from aura_vcs.index.queries import Queries, VersionFilter
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.progress import SILENT, Progress, Silent
from aura_vcs.refs.merge import heads
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteFile, RemoteStorage
from aura_vcs.storage.testing.faulty_remote import FaultyRemote, RecordingRemote
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.fetch import fetch, plan_fetch
from aura_vcs.sync.pull import pull, sync
from aura_vcs.sync.push import plan_push, push
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.manifest import MANIFEST
from aura_vcs.sync.state.manifest_update import create_remote

from .machines import clone, content, files, folder_remote, known, machine, manifest, save, write

MIB = 1 << 20


def media(size: int, seed: int = 1) -> bytes:
    """Bytes that do not compress."""
    return random.Random(seed).randbytes(size)


class Pair:
    """Two machines, `anna` with a version that `bert` has cloned, and their remote."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.anna = machine(path / "anna", "anna")
        write(self.anna, "assets/take.wav", media(2 * MIB))
        write(self.anna, "scenes/010.json", '{"id": "a", "index": 0}')
        self.first = save(self.anna, "brief.json", '{"topic": "tides"}', "First")
        self.remote: RemoteStorage = folder_remote(path / "remote", self.anna)
        push(self.anna, self.remote, known(self.anna))
        self.bert = clone(path / "bert", "bert", self.remote)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Two machines that agree."""
    return Pair(tmp_path)


def all_versions(repo: Repository) -> set[str]:
    """Ids of all versions of a project."""
    return {record.id for record in Queries(repo.index).all_versions(VersionFilter(deleted=True))}


def test_a_clone_is_the_project(pair: Pair) -> None:
    """Files, versions, labels and the branch arrive; nothing is unsaved; the store is whole."""
    assert files(pair.bert) == files(pair.anna)
    assert pair.bert.head() == pair.anna.head()
    assert status(pair.bert).is_clean
    record = Queries(pair.bert.index).version(pair.first.id)
    assert record is not None
    assert record.name == "First"
    assert content(pair.bert, record) == files(pair.anna)
    pair.bert.rebuild_index()
    assert content(pair.bert, record) == files(pair.anna)


def test_work_goes_to_and_fro(pair: Pair) -> None:
    """What one commits and pushes the other pulls, many times over."""
    for number in range(4):
        one, other = (pair.anna, pair.bert) if number % 2 else (pair.bert, pair.anna)
        made = save(one, "plan.json", f'{{"round": {number}}}')
        assert push(one, pair.remote, known(one)).versions == (made.id,)
        pulled = pull(other, pair.remote, known(other))
        assert pulled.head == one.head()
        assert files(other) == files(one)


def test_requests_are_few(pair: Pair) -> None:
    """A push of one small commit takes 5 requests, a pull of it 3, a sync with nothing to do 2."""
    remote = RecordingRemote(pair.remote)
    save(pair.bert, "brief.json", '{"topic": "moons"}')
    push(pair.bert, remote, known(pair.bert))
    assert remote.count() <= 6
    assert "list" not in remote.by_verb()
    remote.requests.clear()
    pull(pair.anna, remote, known(pair.anna))
    assert remote.count() <= 3
    sync(pair.anna, remote, known(pair.anna))
    remote.requests.clear()
    sync(pair.anna, remote, known(pair.anna))
    sync(pair.bert, remote, known(pair.bert))
    assert remote.by_verb() == {"load": 4}


def test_a_small_change_in_a_large_file_sends_little(pair: Pair) -> None:
    """1 MiB changed in the middle of 24 MiB: less than 3 MB are sent, and less are fetched."""
    data = bytearray(media(24 * MIB, 2))
    save(pair.anna, "assets/long.mov", bytes(data))
    push(pair.anna, pair.remote, known(pair.anna))
    pull(pair.bert, pair.remote, known(pair.bert))
    data[10 * MIB : 11 * MIB] = media(MIB, 3)
    save(pair.anna, "assets/long.mov", bytes(data))
    remote = RecordingRemote(pair.remote)
    push(pair.anna, remote, known(pair.anna))
    assert MIB < remote.sent() < 3_000_000
    remote.requests.clear()
    pull(pair.bert, remote, known(pair.bert))
    assert MIB < remote.received() < 3_000_000
    assert files(pair.bert) == files(pair.anna)


def test_plans_change_nothing_and_tell_the_truth(pair: Pair) -> None:
    """What `--dry-run` shows is what then happens."""
    made = save(pair.bert, "brief.json", '{"topic": "moons"}')
    before = manifest(pair.remote)
    plan = plan_push(pair.bert, pair.remote, known(pair.bert))
    assert plan.versions == (made.id,)
    assert plan.branches == ("main",)
    assert plan.objects == 3
    assert 0 < plan.sent_bytes < 5000
    assert manifest(pair.remote) == before
    assert push(pair.bert, pair.remote, known(pair.bert)) == plan
    coming = plan_fetch(pair.anna, pair.remote, known(pair.anna))
    assert coming.versions == (made.id,)
    assert made.id not in all_versions(pair.anna)
    assert fetch(pair.anna, pair.remote, known(pair.anna)).plan.versions == coming.versions


def test_autosaves_and_restore_points_travel_only_when_asked(pair: Pair) -> None:
    """Branches and tags carry their history; the rest stays until `all_versions` says otherwise."""
    write(pair.anna, "brief.json", '{"topic": "unsaved"}')
    point = restore(pair.anna, "v1").restore_point
    assert point is not None
    push(pair.anna, pair.remote, known(pair.anna))
    fetch(pair.bert, pair.remote, known(pair.bert))
    assert point.id not in all_versions(pair.bert)
    push(pair.anna, pair.remote, known(pair.anna), all_versions=True)
    fetch(pair.bert, pair.remote, known(pair.bert))
    assert point.id not in all_versions(pair.bert)
    fetch(pair.bert, pair.remote, known(pair.bert), all_versions=True)
    record = Queries(pair.bert.index).version(point.id)
    assert record is not None
    assert content(pair.bert, record)["brief.json"] == b'{"topic": "unsaved"}'


def test_names_tags_and_deletions_travel(pair: Pair) -> None:
    """What was changed about a version, and which tags there are, reaches the other machine."""
    second = save(pair.anna, "brief.json", '{"topic": "moons"}', "Second")
    save(pair.anna, "brief.json", '{"topic": "suns"}', "Third")
    create_tag(pair.anna, "delivered", second.id)
    edit_version(pair.anna, second, name="Second, renamed", important=True)
    sync(pair.anna, pair.remote, known(pair.anna))
    sync(pair.bert, pair.remote, known(pair.bert))
    assert pair.bert.refs.tags()["delivered"].version == second.id
    record = Queries(pair.bert.index).version(second.id)
    assert record is not None
    assert (record.name, record.important) == ("Second, renamed", True)
    delete_version(pair.bert, Queries(pair.bert.index).version(pair.first.id) or pair.first)
    sync(pair.bert, pair.remote, known(pair.bert))
    sync(pair.anna, pair.remote, known(pair.anna))
    deleted = Queries(pair.anna.index).version(pair.first.id)
    assert deleted is not None
    assert deleted.deleted_by == "bert"


def test_deleted_content_is_not_sent(pair: Pair, tmp_path: Path) -> None:
    """A version that was deleted before it was ever pushed travels as a record, without its files."""
    heavy = save(pair.anna, "assets/heavy.mov", media(3 * MIB, 9), "Heavy")
    Path(pair.anna.root, "assets/heavy.mov").unlink()
    commit(pair.anna, "Without it")
    delete_version(pair.anna, heavy)
    remote = RecordingRemote(pair.remote)
    push(pair.anna, remote, known(pair.anna))
    assert remote.sent() < 100_000
    other = clone(tmp_path / "carl", "carl", pair.remote)
    record = Queries(other.index).version(heavy.id)
    assert record is not None
    assert record.deleted_at is not None
    assert files(other) == files(pair.anna)


def test_a_deleted_version_is_no_reason_to_push_again(pair: Pair) -> None:
    """Where everything is there, also the record of what was deleted, nothing is sent and nothing moves."""
    gone = save(pair.anna, "assets/take.wav", b"take", "Take")
    save(pair.anna, "assets/take.wav", b"better take", "Better take")
    delete_version(pair.anna, gone)
    push(pair.anna, pair.remote, known(pair.anna))
    pull(pair.bert, pair.remote, known(pair.bert))
    before = pair.remote.load(MANIFEST)
    assert plan_push(pair.bert, pair.remote, known(pair.bert)).is_empty
    assert sync(pair.bert, pair.remote, known(pair.bert)).pushed.is_empty
    assert pair.remote.load(MANIFEST) == before


# Racing and coming apart


class At:
    """A remote that does something just before its n-th request of a kind."""

    def __init__(self, inner: RemoteStorage, verb: str, action: Callable[[], object]) -> None:
        self.inner, self.location, self.pack_bytes = inner, inner.location, inner.pack_bytes
        self.create_checked = None
        self._verb, self._action = verb, action

    def _maybe(self, verb: str) -> None:
        if verb == self._verb and self._action is not None:
            action, self._action = self._action, lambda: None
            action()

    def load(self, name: str) -> RemoteFile:
        """See RangeReadable."""
        return self.inner.load(name)

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See RangeReadable."""
        self._maybe("read_range")
        return self.inner.read_range(name, offset, length)

    def create(self, name: str, source: io.BytesIO, *, progress: Progress = SILENT) -> int:
        """See Creatable."""
        self._maybe("create")
        return self.inner.create(name, source, progress=progress)

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """See Swappable."""
        self._maybe("swap")
        return self.inner.swap(name, data, token)


@pytest.mark.parametrize("verb", ["create", "read_range", "swap"])
def test_of_two_racing_pushes_one_wins_and_the_other_is_told(pair: Pair, verb: str) -> None:
    """Whenever the other push comes through, the branch never loses a version, and sync settles it."""
    ours = save(pair.anna, "brief.json", '{"topic": "anna"}', "Anna's")
    theirs = save(pair.bert, "brief.json", '{"topic": "bert"}', "Bert's")
    remote = At(pair.remote, verb, lambda: push(pair.bert, pair.remote, known(pair.bert)))
    with pytest.raises(PushRejected, match=rf'v2\.{theirs.id[:4]} "Bert\'s" by bert') as caught:
        push(pair.anna, remote, known(pair.anna))  # type: ignore[arg-type]
    assert "aura sync" in caught.value.hint
    assert [e.version for e in manifest(pair.remote).branches["main"] if e.replica == pair.bert.replica] == [theirs.id]
    assert ours.id not in str(manifest(pair.remote))
    sync(pair.anna, pair.remote, known(pair.anna))
    sync(pair.bert, pair.remote, known(pair.bert))
    for repo in (pair.anna, pair.bert):
        found = branch(repo, "main")
        assert found is not None
        assert set(found.diverged) == {ours.id, theirs.id}
        for record, topic in ((ours, "anna"), (theirs, "bert")):
            assert content(repo, record)["brief.json"] == f'{{"topic": "{topic}"}}'.encode()


def test_racing_pushes_of_different_branches_both_win(pair: Pair) -> None:
    """A push that only lost the race for the manifest looks again and goes on."""
    from aura_vcs.history.checkout import checkout
    from aura_vcs.history.names.branches import create_branch

    create_branch(pair.bert, "trailer", pair.first.id)
    checkout(pair.bert, "trailer")
    theirs = save(pair.bert, "brief.json", '{"topic": "bert"}')
    ours = save(pair.anna, "brief.json", '{"topic": "anna"}')
    remote = At(pair.remote, "swap", lambda: push(pair.bert, pair.remote, known(pair.bert)))
    push(pair.anna, remote, known(pair.anna))  # type: ignore[arg-type]
    fetch(pair.anna, pair.remote, known(pair.anna))
    assert branch(pair.anna, "trailer").version == theirs.id  # type: ignore[union-attr]
    assert branch(pair.anna, "main").version == ours.id  # type: ignore[union-attr]


def test_a_diverged_pull_keeps_both_heads_and_the_folder(pair: Pair) -> None:
    """Pull says which heads there are and leaves the files alone."""
    ours = save(pair.anna, "brief.json", '{"topic": "anna"}')
    theirs = save(pair.bert, "plan.json", '{"pacing": "Fast"}')
    push(pair.bert, pair.remote, known(pair.bert))
    before = files(pair.anna)
    pulled = pull(pair.anna, pair.remote, known(pair.anna))
    assert set(pulled.diverged) == {ours.id, theirs.id}
    assert files(pair.anna) == before
    assert pair.anna.head().version == ours.id
    with pytest.raises(PushRejected):
        push(pair.anna, pair.remote, known(pair.anna))


def test_pull_carries_unsaved_changes_along(pair: Pair) -> None:
    """Unsaved work on other files stays unsaved; on the same file the folder is left alone."""
    save(pair.bert, "brief.json", '{"topic": "bert"}')
    save(pair.bert, "scenes/020.json", '{"id": "b", "index": 1}')
    push(pair.bert, pair.remote, known(pair.bert))
    write(pair.anna, "plan.json", '{"mine": true}')
    Path(pair.anna.root, "scenes/010.json").unlink()
    pulled = pull(pair.anna, pair.remote, known(pair.anna))
    assert pulled.head == pair.bert.head()
    assert files(pair.anna)["plan.json"] == b'{"mine": true}'
    assert files(pair.anna)["brief.json"] == b'{"topic": "bert"}'
    assert {(c.path, c.change) for c in status(pair.anna).changes} == {
        ("plan.json", "added"),
        ("scenes/010.json", "deleted"),
    }
    save(pair.bert, "plan.json", '{"theirs": true}')
    push(pair.bert, pair.remote, known(pair.bert))
    pulled = pull(pair.anna, pair.remote, known(pair.anna))
    assert pulled.in_the_way == ("plan.json",)
    assert files(pair.anna)["plan.json"] == b'{"mine": true}'
    assert status(pair.anna).behind == pair.bert.head().version


def test_a_pull_is_one_step_back_and_forth(pair: Pair) -> None:
    """Undo of a pull puts HEAD and files back, the branch is where the other put it; redo goes there again."""
    theirs = save(pair.bert, "brief.json", '{"topic": "bert"}')
    push(pair.bert, pair.remote, known(pair.bert))
    pull(pair.anna, pair.remote, known(pair.anna))
    undo(pair.anna)
    assert pair.anna.head().version == pair.first.id
    assert status(pair.anna).behind == theirs.id
    assert files(pair.anna)["brief.json"] == b'{"topic": "tides"}'
    redo(pair.anna)
    assert branch(pair.anna, "main") == branch(pair.bert, "main")
    assert files(pair.anna) == files(pair.bert)


def test_a_fetch_is_one_step_back_and_forth(pair: Pair) -> None:
    """Undo of a fetch leaves what others made, and where they put the branch; before it is what one did oneself."""
    mine = save(pair.anna, "plan.json", '{"mine": true}')
    push(pair.anna, pair.remote, known(pair.anna))
    pull(pair.bert, pair.remote, known(pair.bert))
    theirs = save(pair.bert, "brief.json", '{"topic": "bert"}')
    push(pair.bert, pair.remote, known(pair.bert))
    fetch(pair.anna, pair.remote, known(pair.anna))
    for deed in (lambda: None, lambda: undo(pair.anna)):
        deed()
        assert pair.anna.head().version == mine.id
        assert branch(pair.anna, "main").version == theirs.id  # type: ignore[union-attr]
        assert status(pair.anna).behind == theirs.id
    undo(pair.anna)
    assert pair.anna.head().version == pair.first.id
    assert branch(pair.anna, "main").version == theirs.id  # type: ignore[union-attr]
    record = Queries(pair.anna.index).version(theirs.id)
    assert record is not None
    assert record.is_live
    redo(pair.anna)
    redo(pair.anna)
    assert pair.anna.head().version == mine.id
    assert branch(pair.anna, "main").version == theirs.id  # type: ignore[union-attr]


def test_a_clone_is_not_undone_into_nothing(pair: Pair) -> None:
    """There is nothing to take back in a fresh clone."""
    with pytest.raises(NothingToUndo):
        undo(pair.bert)


# Interruptions


@pytest.mark.parametrize("kind", ["fail_at", "lose_at"])
def test_a_push_cut_off_at_any_request_is_finished_by_the_next(pair: Pair, kind: str) -> None:
    """After every possible cut the remote is as before or as after, and the next push completes it."""
    for number in range(1, 7):
        made = save(pair.anna, "brief.json", f'{{"topic": "{number}"}}')
        before = manifest(pair.remote)
        faulty = FaultyRemote(pair.remote, **{kind: [number]})
        try:
            push(pair.anna, faulty, known(pair.anna))
        except RemoteUnreachable:
            there = manifest(pair.remote)
            assert there == before or made.id in str(there)
        push(pair.anna, pair.remote, known(pair.anna))
        pull(pair.bert, pair.remote, known(pair.bert))
        assert files(pair.bert) == files(pair.anna)


def test_a_pull_cut_off_at_any_request_is_finished_by_the_next(pair: Pair) -> None:
    """A cut fetch has changed nothing; the next one completes it."""
    save(pair.anna, "assets/more.wav", media(3 * MIB, 5))
    save(pair.anna, "brief.json", '{"topic": "more"}')
    push(pair.anna, pair.remote, known(pair.anna))
    before = files(pair.bert), pair.bert.head(), pair.bert.store.packs.names()
    number = 0
    while True:
        number += 1
        faulty = FaultyRemote(pair.remote, fail_at=[number])
        try:
            pull(pair.bert, faulty, known(pair.bert))
            break
        except RemoteUnreachable:
            assert (files(pair.bert), pair.bert.head(), pair.bert.store.packs.names()) == before
    assert number > 3
    assert files(pair.bert) == files(pair.anna)


def test_a_large_pack_goes_on_where_it_stopped(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fetch that was cut inside a pack asks only for the rest of it."""
    monkeypatch.setattr("aura_vcs.sync.transfer.download.PART_BYTES", MIB)
    save(pair.anna, "assets/long.mov", media(10 * MIB, 6))
    push(pair.anna, pair.remote, known(pair.anna))
    recording = RecordingRemote(pair.remote)
    faulty = FaultyRemote(recording, fail_at=[11])
    with pytest.raises(RemoteUnreachable):
        pull(pair.bert, faulty, known(pair.bert))
    first = recording.received()
    assert first > 4 * MIB
    recording.requests.clear()
    pull(pair.bert, recording, known(pair.bert))
    assert recording.received() < 10 * MIB + 500_000 - (first - MIB)
    assert files(pair.bert) == files(pair.anna)


def test_two_transfers_of_one_project_wait_for_each_other(pair: Pair) -> None:
    """A second pull on the same machine does not write into the first one's unfinished packs."""
    save(pair.anna, "assets/more.wav", media(2 * MIB, 7))
    push(pair.anna, pair.remote, known(pair.anna))

    def another(_: int) -> bool:
        with Repository.open(pair.bert.root) as repo:
            return pull(repo, folder_remote(pair.path / "remote"), known(repo)).head == pair.anna.head()

    with ThreadPoolExecutor(3) as executor:
        assert list(executor.map(another, range(3))) == [True, True, True]
    assert files(pair.bert) == files(pair.anna)
    with pair.bert.locks.exclusive(known(pair.bert).lock), Repository.open(pair.bert.root, lock_seconds=0) as repo:
        for action in (fetch, push):
            with pytest.raises(LockBusy):
                action(repo, pair.remote, known(repo))  # type: ignore[operator]


# Safety


def test_the_wrong_project_is_refused(pair: Pair, tmp_path: Path) -> None:
    """A remote holds one project; another one is neither pushed there nor pulled from there."""
    other = machine(tmp_path / "other", "anna")
    save(other, "brief.json", "{}")
    for action in (push, pull, fetch, sync):
        with pytest.raises(RemoteMismatch, match="another project"):
            action(other, pair.remote, known(other))  # type: ignore[operator]


def test_an_empty_place_is_no_remote(pair: Pair) -> None:
    """A disk that lost everything is not taken for a project without versions."""
    with pytest.raises(RemoteMismatch, match="no project"):
        sync(pair.anna, MemoryRemote(), known(pair.anna))


def test_a_remote_that_went_back_in_time_is_reported(pair: Pair) -> None:
    """An old manifest, or another one with the same number, is refused until it is accepted."""
    old = pair.remote.load(MANIFEST)
    save(pair.anna, "brief.json", '{"topic": "newer"}')
    push(pair.anna, pair.remote, known(pair.anna))
    pair.remote.swap(MANIFEST, old.data, pair.remote.load(MANIFEST).token)
    for action in (push, pull, fetch, sync):
        with pytest.raises(RemoteRewound):
            action(pair.anna, pair.remote, known(pair.anna))  # type: ignore[operator]
    known(pair.anna).clear()
    push(pair.anna, pair.remote, known(pair.anna))
    pull(pair.bert, pair.remote, known(pair.bert))
    assert files(pair.bert) == files(pair.anna)


def test_many_pushes_leave_few_records(pair: Pair) -> None:
    """Small records are joined as they come, so that their number grows with the logarithm."""
    for number in range(20):
        save(pair.anna, "brief.json", f'{{"topic": "{number}"}}')
        push(pair.anna, pair.remote, known(pair.anna))
    assert len(manifest(pair.remote).records) <= 5
    pull(pair.bert, pair.remote, known(pair.bert))
    assert all_versions(pair.bert) == all_versions(pair.anna)


def test_a_remote_in_memory_does_as_well(tmp_path: Path) -> None:
    """The strict twin carries a project like any other remote."""
    repo = machine(tmp_path / "anna", "anna")
    save(repo, "brief.json", '{"topic": "tides"}')
    remote = MemoryRemote()
    create_remote(remote, repo.format.project, "anna")
    push(repo, remote, known(repo))
    assert files(clone(tmp_path / "bert", "bert", remote)) == files(repo)


def test_two_heads_go_to_a_place_where_nothing_stands_against_them(pair: Pair) -> None:
    """A branch that has come apart is pushed to a new place with both heads; refused is only what others have there."""
    theirs = save(pair.bert, "brief.json", '{"topic": "bert"}', "Bert's")
    push(pair.bert, pair.remote, known(pair.bert))
    ours = save(pair.anna, "brief.json", '{"topic": "anna"}', "Anna's")
    fetch(pair.anna, pair.remote, known(pair.anna))
    with pytest.raises(PushRejected, match="yours does not build on it"):
        push(pair.anna, pair.remote, known(pair.anna))
    backup = folder_remote(pair.path / "backup", pair.anna)
    push(pair.anna, backup, RemoteCache(pair.anna, "backup"))
    assert {entry.version for entry in heads(manifest(backup).branches["main"])} == {ours.id, theirs.id}
    other = clone(pair.path / "other", "cleo", backup)
    found = branch(other, "main")
    assert found is not None
    assert set(found.diverged) == {ours.id, theirs.id}


def test_a_branch_that_has_diverged_does_not_diverge_elsewhere_by_a_push(pair: Pair) -> None:
    """A remote that has the branch, with nothing that stands against it, is not made to diverge without asking."""
    backup = folder_remote(pair.path / "backup", pair.anna)
    push(pair.anna, backup, RemoteCache(pair.anna, "backup"))
    theirs = save(pair.bert, "brief.json", '{"topic": "bert"}', "Bert's")
    push(pair.bert, pair.remote, known(pair.bert))
    ours = save(pair.anna, "brief.json", '{"topic": "anna"}', "Anna's")
    fetch(pair.anna, pair.remote, known(pair.anna))
    before = manifest(backup)
    with pytest.raises(PushRejected, match=r'would diverge there: v2\.\w+ "Bert\'s" by bert and your newest'):
        push(pair.anna, backup, RemoteCache(pair.anna, "backup"))
    assert manifest(backup) == before
    push(pair.anna, backup, RemoteCache(pair.anna, "backup"), keep_both=True)
    assert {entry.version for entry in heads(manifest(backup).branches["main"])} == {ours.id, theirs.id}


def test_a_tag_given_by_two_machines_is_told_and_kept_by_both(pair: Pair) -> None:
    """Nothing is lost, both agree which has the name, and removing one decides it everywhere."""
    create_tag(pair.anna, "sent", pair.first.id)
    push(pair.anna, pair.remote, known(pair.anna))
    theirs = save(pair.bert, "brief.json", '{"topic": "bert"}', "Bert's")
    create_tag(pair.bert, "sent", theirs.id)
    told: list[str] = []
    pair.bert.progress = Notes(told)
    push(pair.bert, pair.remote, known(pair.bert))
    said = [line for line in told if line.startswith("The tag sent was given to two versions: ")]
    assert len(said) == 1
    mine, other = (f"v{v.number}.{v.id[:4]} (tagged by {who})" for v, who in ((theirs, "bert"), (pair.first, "anna")))
    if pair.bert.replica > pair.anna.replica:
        assert f": sent stays on yours, {mine}; {other} is sent.{pair.first.id[:4]} now. " in said[0]
    else:
        assert f": sent is {other} now; yours, {mine}, is sent.{theirs.id[:4]}. " in said[0]
    for repo in (pair.anna, pair.bert, pair.anna):
        sync(repo, pair.remote, known(repo))
    tags = pair.anna.refs.tags()
    assert tags == pair.bert.refs.tags()
    assert {tag.version for tag in tags.values()} == {pair.first.id, theirs.id}
    assert len(tags) == 2
    delete_tag(pair.anna, next(name for name in tags if name != "sent"))
    for repo in (pair.anna, pair.bert, pair.anna):
        sync(repo, pair.remote, known(repo))
    assert list(pair.anna.refs.tags()) == list(pair.bert.refs.tags()) == ["sent"]
    for repo in (pair.anna, pair.bert):
        assert fsck(repo).is_clean


class Notes(Silent):
    """Remembers what is noted."""

    def __init__(self, told: list[str]) -> None:
        self.told = told

    def note(self, message: str) -> None:
        """See Progress."""
        self.told.append(message)


def test_merges_made_at_the_same_time_are_one(pair: Pair) -> None:
    """Both merge the same heads, again and again: both agree on one of the merges, and work goes on from it."""
    for number in range(3):
        save(pair.anna, f"a{number}.txt", "a")
        save(pair.bert, f"b{number}.txt", "b")
        for repo in (pair.anna, pair.bert, pair.anna):
            sync(repo, pair.remote, known(repo))
        for repo in (pair.anna, pair.bert):
            merge(repo)
        for repo in (pair.anna, pair.bert, pair.anna, pair.bert):
            assert sync(repo, pair.remote, known(repo)).pulled.diverged == ()
        states = [(status(repo).head, status(repo).is_clean) for repo in (pair.anna, pair.bert)]
        assert states[0] == states[1]
        assert states[0][1]


def test_a_line_that_went_on_from_one_of_two_merges_stands_for_both(pair: Pair) -> None:
    """Bert commits on his merge before he hears of Anna's: there is nothing left to merge."""
    save(pair.anna, "a.txt", "a")
    save(pair.bert, "b.txt", "b")
    for repo in (pair.anna, pair.bert, pair.anna):
        sync(repo, pair.remote, known(repo))
    for repo in (pair.anna, pair.bert):
        merge(repo)
    later = save(pair.bert, "c.txt", "c")
    for repo in (pair.anna, pair.bert, pair.anna):
        assert sync(repo, pair.remote, known(repo)).pulled.diverged == ()
    for repo in (pair.anna, pair.bert):
        found = branch(repo, "main")
        assert found is not None
        assert (found.version, found.diverged) == (later.id, ())


def test_a_tag_given_elsewhere_outlives_one_that_was_removed_here(pair: Pair) -> None:
    """Who removed a tag of that name, and gave it again, had not heard of the other machine's."""
    second = save(pair.bert, "notes.txt", "x")
    create_tag(pair.anna, "sent", pair.first.id)
    for version in (second, pair.first, second):
        create_tag(pair.bert, "sent", version.id)
        if version is not second or "sent" in pair.bert.refs.tags():
            delete_tag(pair.bert, "sent")
    create_tag(pair.bert, "sent", second.id)
    push(pair.bert, pair.remote, known(pair.bert))
    sync(pair.anna, pair.remote, known(pair.anna))
    fetch(pair.bert, pair.remote, known(pair.bert))
    for repo in (pair.anna, pair.bert):
        assert {tag.version for tag in repo.refs.tags().values()} == {pair.first.id, second.id}
        assert [name for name, _ in status(repo).tags_apart] == ["sent"]
    for name in set(pair.bert.refs.tags()) - {"sent"}:
        delete_tag(pair.bert, name)
    push(pair.bert, pair.remote, known(pair.bert))
    fetch(pair.anna, pair.remote, known(pair.anna))
    assert {*pair.anna.refs.tags()} == {*pair.bert.refs.tags()} == {"sent"}
    assert status(pair.anna).tags_apart == ()


def test_a_tag_removed_here_stays_where_it_was_given_elsewhere(pair: Pair) -> None:
    """A removal is about the tag that was known."""
    create_tag(pair.bert, "sent", pair.first.id)
    delete_tag(pair.bert, "sent")
    push(pair.bert, pair.remote, known(pair.bert))
    create_tag(pair.anna, "sent", pair.first.id)
    sync(pair.anna, pair.remote, known(pair.anna))
    fetch(pair.bert, pair.remote, known(pair.bert))
    assert {*pair.anna.refs.tags()} == {*pair.bert.refs.tags()} == {"sent"}


def test_what_another_machine_left_out_of_versions_stays_here(pair: Pair) -> None:
    """A pull that brings the rule, and the version without the files, takes none of them out of the folder."""
    untrack(pair.anna, ["assets"])
    push(pair.anna, pair.remote, known(pair.anna))
    pull(pair.bert, pair.remote, known(pair.bert))
    assert files(pair.bert)["assets/take.wav"] == media(2 * MIB)
    assert status(pair.bert).is_clean
