"""Copies of a project: each is a replica of its own, from its first command on."""

import json
import os
import random
import re
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.commit import commit
from aura_vcs.history.names.branches import create_branch, get_branch
from aura_vcs.history.names.tags import create_tag
from aura_vcs.history.status import status
from aura_vcs.history.undo import undo
from aura_vcs.index.queries import Queries, VersionFilter
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.repair_records import find_repairable
from aura_vcs.storage.testing.faulty_calls import CountingCalls, Fault, FaultyCalls, Stopped
from aura_vcs.sync.pull import sync
from aura_vcs.sync.push import push
from aura_vcs.sync.state.own_entries import become_new_replica

from tests.helpers.check import versions
from tests.helpers.project import duplicate
from tests.sync.machines import clone, folder_remote, known, machine, save


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """A project with three versions and something unsaved."""
    root = tmp_path / "original"
    root.mkdir()
    with Repository.init(str(root)) as repo:
        for take in range(3):
            (root / "plan.json").write_text(f'{{"take": {take}}}')
            commit(repo, f"Take {take}")
    (root / "plan.json").write_text('{"take": "unsaved"}')
    return root


def test_a_copy_is_another_replica_and_stays_one(original: Path, tmp_path: Path) -> None:
    """A blind copy chooses an id of its own once; renaming its folder does not make another."""
    copy = shutil.copytree(original, tmp_path / "copy")
    with Repository.open(str(original)) as ours, Repository.open(str(copy)) as theirs:
        assert theirs.has_moved
        assert not ours.has_moved
        assert ours.replica != theirs.replica
        replica = theirs.replica
    renamed = copy.rename(tmp_path / "renamed")
    with Repository.open(str(renamed)) as again:
        assert (again.replica, again.has_moved) == (replica, False)


def test_head_follows_the_first_commit_of_a_copy_wherever_that_dies(original: Path, tmp_path: Path) -> None:
    """The original's HEAD.json, with its higher sequence number, does not hide what the copy did."""
    template = shutil.copytree(original, tmp_path / "template")
    counting = CountingCalls()
    counted = shutil.copytree(template, tmp_path / "counted")
    with Repository.open(str(counted), calls=counting) as repo:
        counting.names.clear()
        commit(repo, "On the train")
    for at in range(1, len(counting.names) + 1):
        root = shutil.copytree(template, tmp_path / f"copy-{at}")
        Repository.open(str(root)).close()
        calls = FaultyCalls(Fault.STOP, at)
        repo = Repository.open(str(root), calls=calls)
        calls.arm(at)
        try:
            commit(repo, "On the train")
        except Stopped:
            pass
        finally:
            repo.close()
        with Repository.open(str(root)) as repo:
            assert get_branch(repo, "main").version == repo.head().version, f"died at call {at}"


def test_copies_write_no_file_of_each_other(original: Path, tmp_path: Path) -> None:
    """What one of them changed outside `local`, the other did not: a sync tool has nothing to decide."""
    copy = shutil.copytree(original, tmp_path / "copy")
    before = _shared(original)
    for root, name in ((original, "At the desk"), (copy, "On the train")):
        (root / "plan.json").write_text(f'{{"where": "{name}"}}')
        with Repository.open(str(root)) as repo:
            commit(repo, name)
    ours, theirs = ({item for item in _shared(root).items() if item not in before.items()} for root in (original, copy))
    assert ours
    assert theirs
    assert {path for path, _ in ours} & {path for path, _ in theirs} == set()


def _shared(root: Path) -> dict[str, bytes]:
    """Every file of the store that a sync tool would carry."""
    store = root / ".aura"
    names = [path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file()]
    return {name: (store / name).read_bytes() for name in names if not name.startswith("local/")}


class Copies:
    """Copies of one project that take themselves for the same replica, and a remote that all of them use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.roots = [path / "first"]
        with machine(self.roots[0], "first") as repo:
            save(repo, "plan.json", "first", "First")
            self.remote = folder_remote(path / "remote", repo)
            push(repo, self.remote, known(repo))
        self.made: list[str] = []

    def copy(self, name: str) -> Path:
        """A clone of the machine with all that it has: a snapshot that was started."""
        self.roots.append(duplicate(self.roots[0], self.path / name))
        return self.roots[-1]

    def work(self, root: Path, note: str) -> None:
        """Edit and commit."""
        with Repository.open(str(root), author=root.name, host=root.name) as repo:
            save(repo, f"{note}.txt", note, note)
            self.made.append(note)

    def send(self, root: Path) -> None:
        """What `aura sync` does."""
        with Repository.open(str(root), author=root.name, host=root.name) as repo:
            sync(repo, self.remote, known(repo))

    def check(self) -> None:
        """All that was made and sent is on the branch, as everybody new sees it."""
        with clone(self.path / f"new-{len(self.made)}-{len(self.roots)}", "new", self.remote) as repo:
            found = get_branch(repo, "main")
            queries = Queries(repo.index)
            tips = found.diverged or (found.version,)
            seen = {record.name for tip in tips for record in queries.history(tip, VersionFilter(limit=None))}
        assert set(self.made) <= seen, sorted(set(self.made) - seen)


@pytest.mark.parametrize(("lost", "made"), [(1, 1), (1, 3), (3, 1), (2, 2)])
def test_what_is_made_after_a_backup_was_put_back_is_seen_by_everybody(tmp_path: Path, lost: int, made: int) -> None:
    """Whatever others know of the time in between, and however many moves each side counts."""
    copies = Copies(tmp_path)
    root, backup = copies.roots[0], tmp_path / "backup"
    shutil.copytree(root / ".aura", backup)
    for number in range(lost):
        copies.work(root, f"lost-{number}")
    copies.send(root)
    _put_back(backup, root / ".aura")
    for number in range(made):
        copies.work(root, f"after-{number}")
    copies.send(root)
    copies.check()
    with Repository.open(str(root)) as repo:
        assert fsck(repo).is_clean


def _put_back(backup: Path, target: Path) -> None:
    """What rsync does: the same files as in the backup, in the folders that are there (which stay the same ones)."""
    wanted = {path.relative_to(backup): path for path in backup.rglob("*") if path.is_file()}
    for path in [path for path in target.rglob("*") if path.is_file()]:
        if path.relative_to(target) not in wanted:
            path.unlink()
    for name, path in wanted.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target / name)


@pytest.mark.parametrize("seed", range(4))
def test_copies_with_one_id_lose_nothing_whatever_each_does(tmp_path: Path, seed: int) -> None:
    """Three copies that take themselves for one machine commit and sync in any order."""
    chance = random.Random(seed)
    copies = Copies(tmp_path)
    for name in ("second", "third"):
        copies.copy(name)
    for number in range(10):
        root = chance.choice(copies.roots)
        copies.work(root, f"{root.name}-{number}")
        if chance.random() < 0.5:
            copies.send(chance.choice(copies.roots))
    for root in copies.roots:
        copies.send(root)
    copies.check()
    for root in copies.roots:
        with Repository.open(str(root)) as repo:
            assert fsck(repo).is_clean
    assert len({json.loads((root / ".aura/local/replica.json").read_bytes())["replica"] for root in copies.roots}) == 3


def test_a_machine_that_was_never_put_back_keeps_its_id(tmp_path: Path) -> None:
    """Also where its branch went back by undo, and where a ref was restored that the log knows better."""
    copies = Copies(tmp_path)
    root = copies.roots[0]
    copies.work(root, "one")
    entry = next((root / ".aura/refs/branches/main").iterdir())
    before = entry.read_bytes()
    copies.work(root, "two")
    copies.send(root)
    with Repository.open(str(root)) as repo:
        replica = repo.replica
        undo(repo)
        undo(repo)
    copies.send(root)
    copies.work(root, "three")
    copies.send(root)
    newest = entry.read_bytes()
    entry.write_bytes(before)
    copies.send(root)
    assert entry.read_bytes() == newest
    with Repository.open(str(root)) as repo:
        assert repo.replica == replica


def test_going_on_as_another_may_be_cut_off_anywhere(tmp_path: Path) -> None:
    """Whichever call it dies at, the next sync brings everything to everybody."""
    copies = Copies(tmp_path)
    twin = copies.copy("second")
    copies.work(twin, "twin")
    copies.send(twin)
    copies.work(copies.roots[0], "own")
    template, store = tmp_path / "template", copies.roots[0] / ".aura"
    shutil.copytree(store, template)
    remote = tmp_path / "remote-before"
    shutil.copytree(tmp_path / "remote", remote)
    counting = CountingCalls()
    with Repository.open(str(copies.roots[0]), calls=counting) as repo:
        counting.names.clear()
        become_new_replica(repo, ["main"])
    for at in range(1, len(counting.names) + 1):
        _put_back(template, store)
        _put_back(remote, tmp_path / "remote")
        calls = FaultyCalls(Fault.STOP, at)
        with Repository.open(str(copies.roots[0]), calls=calls) as repo:
            calls.arm(at)
            with suppress(Stopped):
                become_new_replica(repo, ["main"])
        copies.send(copies.roots[0])
        shutil.rmtree(tmp_path / "new-2-2", ignore_errors=True)
        copies.check()


def _log(root: Path) -> Path:
    """The log of a project that only one machine works on."""
    (path,) = (root / ".aura/operations").iterdir()
    return path


@pytest.mark.parametrize("lines", [0, 1, 3])
def test_a_log_that_a_tool_put_back_is_mended(original: Path, lines: int) -> None:
    """Also where it is gone altogether: the project is whole, and what was done can be taken back."""
    log = _log(original)
    whole = log.read_bytes()
    log.write_bytes(b"".join(whole.splitlines(keepends=True)[:lines]))
    if not lines:
        log.unlink()
    with Repository.open(str(original)) as repo:
        assert log.read_bytes() == whole
        assert fsck(repo).is_clean
        assert undo(repo).description == "Committed v3 'Take 2'"
        assert undo(repo).description == "Committed v2 'Take 1'"


def test_what_a_tool_took_with_the_log_is_back_with_it(tmp_path: Path) -> None:
    """A tool mirrors an older state over a newer one: the versions that the log had made count and are named."""
    older, newer = tmp_path / "older", tmp_path / "newer"
    save(machine(older, "anna"), "plan.json", "1", "One")
    newer.mkdir()
    _mirror_store(older, newer)
    with Repository.open(str(newer)) as repo:
        create_tag(repo, "final", save(repo, "plan.json", "2", "Two").id)
    for folder in ("objects", "operations", "refs"):
        shutil.rmtree(newer / ".aura" / folder)
    _mirror_store(older, newer)
    with Repository.open(str(newer)) as repo:
        assert [record.name for record in versions(repo)] == ["One", "Two"]
        assert get_branch(repo, "main").version == repo.head().version == repo.refs.tags()["final"].version
        assert fsck(repo).is_clean
        assert undo(repo).description == "Created tag final"
        assert undo(repo).description == "Committed v2 'Two'"
        assert fsck(repo).is_clean


def test_a_log_whose_older_part_was_closed_is_mended(original: Path) -> None:
    """The copy follows when gc closes the older part; an older state that has more lines loses none."""
    log = _log(original)
    before = log.read_bytes()
    with Repository.open(str(original)) as repo, repo.locks.exclusive("refs"):
        repo.logs.close_segment(keep=1)
    with Repository.open(str(original)) as repo:
        save(repo, "plan.json", '{"take": 4}', "Take 4")
    log.write_bytes(before)
    with Repository.open(str(original)) as repo:
        assert log.read_bytes().startswith(before)
        assert fsck(repo).is_clean
        assert undo(repo).description == "Committed v4 'Take 4'"


def test_what_was_done_beside_somebody_else_with_our_id_is_taken_along(original: Path) -> None:
    """Our log comes back with what a copy with the same id did: ours stands under a new id, and can be taken back."""
    log = _log(original)
    twin = duplicate(original, original.parent / "twin")
    for root, take in ((original, "ours"), (twin, "theirs")):
        with Repository.open(str(root)) as repo:
            save(repo, "plan.json", take, take)
            replica = repo.replica
    _mirror_store(twin, original)
    with Repository.open(str(original)) as repo:
        assert repo.replica != replica
        found = get_branch(repo, "main")
        names = {Queries(repo.index).version(version).name for version in found.diverged}  # type: ignore[union-attr]
        assert names == {"ours", "theirs"}
        assert fsck(repo).is_clean
        assert re.fullmatch(r"Committed v4\.[0-9a-f]{4} 'ours'", undo(repo).description)
        assert get_branch(repo, "main").diverged == ()
    assert log.read_bytes() == _log(twin).read_bytes()


@pytest.mark.parametrize("copy", ["log copy", "no log copy", "no index"])
def test_a_project_put_back_but_for_its_local_folder_goes_on_from_there(original: Path, copy: str) -> None:
    """Backups leave `local` out: it says more than there is then. The project is as it was, under a new id."""
    backup = duplicate(original, original.parent / "backup")
    with Repository.open(str(original)) as repo:
        replica, before = repo.replica, repo.head()
        made = save(repo, "plan.json", '{"take": 4}', "Take 4").id
        create_branch(repo, "side", made)
        create_tag(repo, "final", made)
        save(repo, "plan.json", '{"take": 5}', "Take 5")
    _put_back_but_local(backup, original)
    local = original / ".aura/local"
    if copy == "no log copy":
        shutil.rmtree(local / "log")
    elif copy == "no index":
        (local / "index.sqlite").unlink()
    with Repository.open(str(original)) as repo:
        assert repo.replica != replica
        assert repo.head() == before
        assert [change.path for change in status(repo).changes] == ["plan.json"]
        assert fsck(repo).is_clean
        goes_on = commit(repo, "Goes on").version
        assert goes_on is not None
        assert goes_on.parents == (before.version,)
        assert fsck(repo).is_clean
        undo(repo)
    with Repository.open(str(original)) as repo:
        assert repo.head() == before
        assert fsck(repo).is_clean


@pytest.mark.parametrize("at", range(1, 12))
def test_going_on_from_a_backup_may_be_cut_off_anywhere(original: Path, at: int) -> None:
    """HEAD is where the project was restored to, whenever the power goes."""
    backup = duplicate(original, original.parent / "backup")
    with Repository.open(str(original)) as repo:
        before = repo.head()
        save(repo, "plan.json", '{"take": 4}', "Take 4")
    _put_back_but_local(backup, original)
    calls = FaultyCalls(Fault.STOP, at)
    with suppress(Stopped), Repository.open(str(original), calls=calls):
        pass
    with Repository.open(str(original)) as repo:
        assert repo.head() == before
        assert fsck(repo).is_clean


def test_of_what_a_backup_lacks_only_that_is_left_out(original: Path) -> None:
    """Objects that are here still, because nothing deleted them, keep the operations that made them."""
    backup = duplicate(original, original.parent / "backup")
    with Repository.open(str(original)) as repo:
        save(repo, "plan.json", '{"take": 4}', "Take 4")
        kept = {path.name for path in (original / ".aura/objects/packs").iterdir()}
        last = save(repo, "plan.json", '{"take": 5}', "Take 5")
    for path in (original / ".aura/objects/packs").iterdir():
        if path.name not in kept:
            path.unlink()
    shutil.copytree(backup / ".aura/operations", original / ".aura/operations", dirs_exist_ok=True)
    (original / f".aura/refs/versions/{last.id}.json").unlink()
    shutil.copytree(backup / ".aura/refs/branches", original / ".aura/refs/branches", dirs_exist_ok=True)
    with Repository.open(str(original)) as repo:
        here = Queries(repo.index).version(repo.head().version)  # type: ignore[arg-type]
        assert here is not None
        assert here.name == "Take 4"
        assert fsck(repo).is_clean


def _put_back_but_local(backup: Path, target: Path) -> None:
    local = target.parent / "local"
    (target / ".aura/local").rename(local)
    shutil.rmtree(target)
    shutil.copytree(backup, target, ignore=lambda folder, _: {"local"} if folder.endswith(".aura") else set())
    local.rename(target / ".aura/local")


def _mirror_store(source: Path, target: Path) -> None:
    """What a tool brings of a store: files of the same name are replaced, others are left."""
    for path in [path for path in (source / ".aura").rglob("*") if path.is_file()]:
        name = path.relative_to(source)
        if name.parts[1] != "local":
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target / name)


@pytest.mark.parametrize("last", ["ours", "theirs"])
def test_a_tag_that_a_tool_wrote_over_is_brought_back(original: Path, tmp_path: Path, last: str) -> None:
    """Two machines gave it in a mirrored folder, and the tool kept one file only: the logs know both."""
    copy = shutil.copytree(original, tmp_path / "copy")
    with Repository.open(str(original)) as ours, Repository.open(str(copy)) as theirs:
        wanted = {versions(ours)[0].id, versions(ours)[1].id}
        create_tag(ours, "sent", versions(ours)[0].id)
        create_tag(theirs, "sent", versions(ours)[1].id)
        log = f".aura/operations/{theirs.replica}.jsonl"
    shutil.copyfile(copy / log, original / log)
    if last == "theirs":
        shutil.copyfile(copy / ".aura/refs/tags/sent.json", original / ".aura/refs/tags/sent.json")
    with Repository.open(str(original)) as repo:
        assert {tag.version for tag in repo.refs.tags().values()} == wanted
        assert [name for name, _ in status(repo).tags_apart] == ["sent"]


def test_a_tag_that_a_tool_writes_over_later_is_brought_back(original: Path, tmp_path: Path) -> None:
    """The log came first, and was read; the file comes when nothing else does."""
    copy = shutil.copytree(original, tmp_path / "copy")
    with Repository.open(str(original)) as ours, Repository.open(str(copy)) as theirs:
        wanted = {versions(ours)[0].id, versions(ours)[1].id}
        create_tag(ours, "sent", versions(ours)[0].id)
        create_tag(theirs, "sent", versions(ours)[1].id)
        log = f".aura/operations/{theirs.replica}.jsonl"
    shutil.copyfile(copy / log, original / log)
    with Repository.open(str(original)) as repo:
        status(repo)
    for path in (original / ".aura/refs/tags").iterdir():
        path.unlink()
    shutil.copyfile(copy / ".aura/refs/tags/sent.json", tmp_path / "arriving")
    os.replace(tmp_path / "arriving", original / ".aura/refs/tags/sent.json")
    with Repository.open(str(original)) as repo:
        assert {tag.version for tag in repo.refs.tags().values()} == wanted
    with Repository.open(str(original)) as repo:
        assert repo.index.is_current()


def test_a_tag_that_two_machines_gave_in_a_mirrored_folder_is_whole(original: Path, tmp_path: Path) -> None:
    """What a tag has seen grows where copies merge, and no operation says so: nothing is damaged, nothing to mend."""
    twin = shutil.copytree(original, tmp_path / "twin")
    with Repository.open(str(original)) as ours, Repository.open(str(twin)) as theirs:
        create_tag(ours, "sent", versions(ours)[0].id)
        create_tag(theirs, "sent", versions(ours)[1].id)
    for source, target in ((original, twin), (twin, original), (original, twin)):
        _mirror_store(source, target)
        with Repository.open(str(target)) as repo:
            status(repo)
    for root in (original, twin):
        with Repository.open(str(root)) as repo:
            seen = [tag.seen for tag in repo.refs.tags().values()]
            assert len(seen) == 2
            assert any(seen)
            assert fsck(repo).is_clean
            assert find_repairable(repo) == []


def test_a_tag_that_has_seen_less_than_was_recorded_is_damaged(original: Path) -> None:
    """It only ever grows."""
    with Repository.open(str(original)) as repo:
        create_tag(repo, "sent", versions(repo)[0].id)
        path = original / ".aura/refs/tags/sent.json"
        tag = json.loads(path.read_text())
        path.write_text(json.dumps(tag | {"seen": {"0" * 12: 3}}))
        assert find_repairable(repo) == []
        del tag["seen"]
        path.write_text(json.dumps(tag))
        assert [item.path for item in find_repairable(repo)] == ["refs/tags/sent.json"]
