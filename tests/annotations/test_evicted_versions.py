"""What only older versions hold and can be made again goes, and is nowhere taken for damage; it comes back."""

import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aura_vcs as aura
import pytest
from aura_vcs.annotations.proofs import NOT_TRIED
from aura_vcs.annotations.recipes import agree, find_recipe, set_recipe
from aura_vcs.errors import InputError
from aura_vcs.errors.documents import RecipeFailed
from aura_vcs.errors.integrity import ObjectEvicted
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import commit
from aura_vcs.history.left_out import place_left_out
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.status import status
from aura_vcs.history.undo import undo
from aura_vcs.history.versions import delete_version
from aura_vcs.ids import ObjectId
from aura_vcs.maintenance.delete_objects import ObjectRemoval
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.maintenance.housekeeping import is_due, is_eviction_due
from aura_vcs.model import GRACE_SECONDS
from aura_vcs.objects.availability import missing_parts
from aura_vcs.project.derived import make, make_stored, store_evicted, try_recipes
from aura_vcs.repository.format_file import EVICTED
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.maintenance.gc import execute_remote_gc, plan_remote_gc
from aura_vcs.sync.maintenance.repair_remote import plan_remote_repair
from aura_vcs.sync.offload.chunk_lists import blob_parts
from aura_vcs.sync.offload.evict import (
    FreedEvicted,
    find_untried,
    free_evicted,
    keep_house,
    mark_evicted,
    plan_version_eviction,
)
from aura_vcs.sync.offload.offload import removable_objects
from aura_vcs.sync.offload.proof import StorageProver
from aura_vcs.sync.offload.record_evicted import record_evicted
from aura_vcs.sync.push import push
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.snapshot import load_snapshot

from tests.sync.machines import clone, content, folder_remote, known, machine, manifest, save, write

REPEAT = "import sys; open(sys.argv[2], 'w').write(open(sys.argv[1]).read() * int(sys.argv[3]))"


@pytest.fixture(params=[3, 900_000], ids=["small", "in chunks"])
def times(request: pytest.FixtureRequest) -> int:
    """How often the text is repeated: a few bytes, or so many that they are kept in chunks."""
    return int(request.param)


@pytest.fixture
def repo(tmp_path: Path, times: int) -> Repository:
    """A project whose first version has a render that the second has otherwise."""
    found = machine(tmp_path / "film", "Ada")
    command = [sys.executable, "-c", REPEAT, "{input}", "{output}", str(times)]
    for text in ("one", "two"):
        write(found, "script.txt", text)
        write(found, "render.bin", text * times)
        set_recipe(found, "render.bin", command, ["script.txt"])
        commit(found, text)
    return found


def try_all(repo: Repository) -> dict[ObjectId, str]:
    """Try the recipes that were not tried yet."""
    return try_recipes(repo, find_untried(repo, plan_version_eviction(repo)))


def evict_all(repo: Repository) -> int:
    """Try all recipes, mark what can go, and free it at once."""
    try_all(repo)
    mark_evicted(repo, plan_version_eviction(repo))
    return free_evicted(repo, grace_seconds=0).files


def rendered(repo: Repository) -> Path:
    """Where the render lies."""
    return Path(repo.root, "render.bin")


def test_only_what_is_older_goes(repo: Repository) -> None:
    """What HEAD stands on stays; what is marked goes after the grace period, and undo keeps it until then."""
    try_all(repo)
    plan = plan_version_eviction(repo)
    assert [(file.path, file.reason) for file in plan.going] == [("render.bin", "")]
    assert [file.reason for file in plan.staying] == ["HEAD is on it"]
    assert plan_version_eviction(repo, 3600).going == (), "younger than an hour"
    assert mark_evicted(repo, plan) == 1
    assert free_evicted(repo).files == 0, "the grace period is not over"
    undo(repo)
    assert free_evicted(repo, grace_seconds=0).files == 0
    assert evict_all(repo) == 1
    assert EVICTED in repo.format.features
    assert evict_all(repo) == 0
    assert "has been collected" in undo(repo).passed_over[0]


def test_it_is_not_damage(repo: Repository) -> None:
    """Read, it says what it is; fsck, gc and an index made anew do not call it damage."""
    evict_all(repo)
    first = resolve(repo, "v1")
    with pytest.raises(ObjectEvicted, match=r"render.bin .* was evicted") as refused:
        content(repo, first)
    assert "derived make" in (refused.value.hint or "")
    for _ in range(2):
        report = fsck(repo)
        assert (report.problems, report.evicted, report.offloaded) == ((), 1, 0)
        execute_gc(repo, plan_gc(repo, grace_seconds=0))
        repo.rebuild_index()
    assert fsck(repo).evicted == 1


def test_checked_out(repo: Repository, times: int) -> None:
    """A version is checked out without it; that is no change, and the way on and back loses nothing."""
    evict_all(repo)
    checkout(repo, "v1")
    assert (rendered(repo).exists(), Path(repo.root, "script.txt").read_text()) == (False, "one")
    found = status(repo)
    assert found.changes == ()
    assert [(s.path, s.is_evicted) for s in found.skipped] == [("render.bin", True)]
    write(repo, "other.txt", "new")
    made = commit(repo, "beside").version
    assert made is not None
    assert repo.trees.entry(made.tree, "render.bin") is not None, "nobody deleted it"
    checkout(repo, "v2")
    assert rendered(repo).read_text() == "two" * times
    undo(repo)
    assert not rendered(repo).exists()
    write(repo, "render.bin", "mine")
    assert [(c.path, c.change) for c in status(repo).changes] == [("render.bin", "modified")]
    checkout(repo, "v2")
    undo(repo)
    assert rendered(repo).read_text() == "mine"


def test_made_again(repo: Repository, times: int) -> None:
    """Made again, it is in its version as it was: checked out, read, and no longer evicted."""
    evict_all(repo)
    recipe = find_recipe(repo, "v1:render.bin")
    assert make_stored(repo, recipe).is_same
    assert fsck(repo).problems == ()
    assert fsck(repo).evicted == 0
    checkout(repo, "v1")
    assert rendered(repo).read_text() == "one" * times
    assert status(repo).is_clean
    repo.rebuild_index()
    assert fsck(repo).problems == ()


def test_made_where_it_is_checked_out(repo: Repository, remote: FolderRemote, times: int) -> None:
    """Made again for a version that is checked out, it is among the files, and deleting it is a change like any."""
    checkout(repo, "v1")
    make_stored(repo, find_recipe(repo, "v1:render.bin"))
    assert rendered(repo).read_text() == "one" * times
    assert status(repo).is_clean
    rendered(repo).unlink()
    assert [(c.path, c.change) for c in status(repo).changes] == [("render.bin", "deleted")]


def test_left_out(repo: Repository, tmp_path: Path, times: int) -> None:
    """What was left out is no deletion, though its content comes back meanwhile; then it is put there."""
    evict_all(repo)
    checkout(repo, "v1")
    made = tmp_path / "made"
    made.write_text("one" * times)
    store_evicted(repo, "render.bin", made)
    assert status(repo).changes == ()
    assert place_left_out(repo) == ["render.bin"]
    assert place_left_out(repo) == []
    assert rendered(repo).read_text() == "one" * times
    assert status(repo).is_clean


def test_made_in_the_folder(repo: Repository, times: int) -> None:
    """Where the version is checked out, `make` puts it among the files again, and nothing has changed."""
    evict_all(repo)
    checkout(repo, "v1")
    assert make(repo, find_recipe(repo, "v1:render.bin"), recorded=True).is_same
    assert rendered(repo).read_text() == "one" * times
    assert status(repo).changes == ()
    rendered(repo).unlink()
    write(repo, "a.txt", "a")
    commit(repo, "with it gone")
    assert fsck(repo).problems == ()


def test_other_bytes(repo: Repository, tmp_path: Path) -> None:
    """A command that makes something else now is told, and puts nothing into the store."""
    state = tmp_path / "state"
    state.write_text("1")
    code = f"import sys; open(sys.argv[1], 'w').write(open({str(state)!r}).read())"
    write(repo, "odd.bin", "1")
    set_recipe(repo, "odd.bin", [sys.executable, "-c", code, "{output}"], [])
    commit(repo, "odd")
    save(repo, "odd.bin", "other")
    evict_all(repo)
    state.write_text("2")
    with pytest.raises(RecipeFailed, match="other bytes"):
        make_stored(repo, find_recipe(repo, "v3:odd.bin"))
    assert fsck(repo).problems == ()


@pytest.fixture
def remote(repo: Repository, tmp_path: Path) -> FolderRemote:
    """A remote that was never sent what was evicted."""
    evict_all(repo)
    found = folder_remote(tmp_path / "remote", repo)
    push(repo, found, known(repo))
    return found


def test_pushed_and_cloned(repo: Repository, remote: FolderRemote, tmp_path: Path, times: int) -> None:
    """A remote and a clone of it have the versions without it; all look whole, and the clone can make it again."""
    assert manifest(remote).features == ("annotations", "evicted")
    assert fsck_remote(load_snapshot(remote, NullCache(), repo.format.project)).problems == ()
    assert plan_remote_repair(repo, remote, known(repo)).lost == ()
    execute_remote_gc(repo, remote, known(repo), plan_remote_gc(repo, remote, known(repo), grace_seconds=0))
    assert push(repo, remote, known(repo)).is_empty
    other = clone(tmp_path / "other", "Bo", remote)
    assert EVICTED in other.format.features
    assert rendered(other).read_text() == "two" * times
    assert (fsck(other).problems, fsck(other).evicted) == ((), 1)
    checkout(other, "v1")
    assert status(other).changes == ()
    save(other, "script.txt", "three")
    push(other, remote, known(other))
    fetch(repo, remote, known(repo))
    assert fsck(repo).problems == ()
    recipe = find_recipe(other, "v1:render.bin")
    with pytest.raises(InputError, match="not agreed"):
        make_stored(other, recipe)
    agree(other, recipe)
    assert make_stored(other, recipe).is_same
    assert (fsck(other).problems, fsck(other).evicted) == ((), 0)
    assert fsck_remote(load_snapshot(remote, NullCache(), repo.format.project)).problems == ()


def test_its_inputs_stay(repo: Repository) -> None:
    """What something evicted is made from is neither evicted nor collected, and damage of it keeps it here."""
    script = find_recipe(repo, "v1:render.bin").inputs[0]
    evict_all(repo)
    save(repo, "script.txt", "three")
    set_recipe(repo, "script.txt", ["cp", "{input}", "{output}"], ["render.bin"])
    save(repo, "script.txt", "four")
    try_all(repo)
    assert "something that was evicted is made from it" not in [f.reason for f in plan_version_eviction(repo).staying]
    delete_version(repo, resolve(repo, "v1"))
    execute_gc(repo, plan_gc(repo, grace_seconds=0))
    assert repo.store.read(script.content) == b"one"
    assert fsck(repo).problems == ()


def test_not_without_proof(repo: Repository) -> None:
    """An input that is not here keeps it, and so does a command that nobody has agreed to on this machine."""
    script = find_recipe(repo, "v1:render.bin").inputs[0]
    try_all(repo)
    assert plan_version_eviction(repo).going
    mark_evicted(repo, plan_version_eviction(repo))
    found = repo.store.loose.find(script.content)
    if found is not None:
        path = Path(repo.storage.path(found[0]))
        path.unlink()
    else:
        shutil.rmtree(Path(repo.storage.root, "objects", "packs"))
    kept = free_evicted(repo, grace_seconds=0)
    assert kept.files == 0


def test_a_remote_proves_what_is_not_here(repo: Repository, tmp_path: Path) -> None:
    """An input that only a remote has, which is asked, is enough; without asking it, or after it lost it, it is not."""
    remote = folder_remote(tmp_path / "own", repo)
    try_all(repo)
    push(repo, remote, known(repo))
    script = find_recipe(repo, "v1:render.bin").inputs[0].content
    parts = {script: blob_parts(repo, script)}
    record_evicted(repo, {script: (3, "script.txt", 0o644)})
    ObjectRemoval(repo, offloaded=True).remove(removable_objects(repo, parts.keys(), parts, {}))
    assert missing_parts(repo.store, [script])
    prover = StorageProver("origin", remote, repo.format.project)
    assert any("no remote proves" in file.reason for file in plan_version_eviction(repo).staying)
    assert [file.path for file in plan_version_eviction(repo, witnesses=[prover]).going] == ["render.bin"]
    mark_evicted(repo, plan_version_eviction(repo, witnesses=[prover]))
    assert free_evicted(repo, grace_seconds=0).files == 0, "nobody was asked"
    for pack in (path for path in (tmp_path / "own").rglob("*") if path.is_file() and "packs" in path.parts):
        pack.write_bytes(bytes(pack.stat().st_size))
    lost = StorageProver("origin", remote, repo.format.project)
    assert free_evicted(repo, grace_seconds=0, witnesses=[lost]).files == 0, "what it has is damaged"


def test_freed_with_a_remote_as_proof(repo: Repository, tmp_path: Path) -> None:
    """What is marked goes while the remote that has its input is asked."""
    remote = folder_remote(tmp_path / "own", repo)
    push(repo, remote, known(repo))
    prover = StorageProver("origin", remote, repo.format.project)
    mark_evicted(repo, plan_version_eviction(repo, witnesses=[prover]))
    assert free_evicted(repo, grace_seconds=0, witnesses=[prover]).files == 1


def test_freed_by_itself(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was marked longer ago than the grace period makes housekeeping due, and goes with it; nothing else does."""
    assert not is_eviction_due(repo)
    try_all(repo)
    mark_evicted(repo, plan_version_eviction(repo))
    assert not is_due(repo), "the grace period is not over"
    assert keep_house(repo) == (None, FreedEvicted(0, 0))
    later = datetime.now(UTC) + timedelta(seconds=GRACE_SECONDS + 60)
    for module in ("aura_vcs.maintenance.housekeeping", "aura_vcs.sync.offload.evict"):
        monkeypatch.setattr(f"{module}.datetime", _Later(later))
    assert is_due(repo)
    assert keep_house(repo)[1].files == 1
    assert not is_eviction_due(repo)
    assert fsck(repo).evicted == 1
    assert keep_house(repo)[1].files == 0


def test_taken_back_it_is_not_due(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mark that undo took back frees nothing, and the note of it goes."""
    try_all(repo)
    mark_evicted(repo, plan_version_eviction(repo))
    undo(repo)
    later = datetime.now(UTC) + timedelta(seconds=GRACE_SECONDS + 60)
    for module in ("aura_vcs.maintenance.housekeeping", "aura_vcs.sync.offload.evict"):
        monkeypatch.setattr(f"{module}.datetime", _Later(later))
    assert keep_house(repo)[1].files == 0
    assert not is_eviction_due(repo)
    assert fsck(repo).evicted == 0


def test_programs_free_it_too(repo: Repository, tmp_path: Path) -> None:
    """`project.derived.evict_versions` marks, `project.gc` frees after its grace period."""
    root = repo.root
    folder_remote(tmp_path / "own", repo)
    repo.close()
    with aura.open(root) as project:
        project.remotes.add("origin", str(tmp_path / "own"))
        project.push("origin")
        assert project.derived.plan_evict_versions(remotes=["origin"]).files == (Path("render.bin"),)
        assert ("render.bin", NOT_TRIED) in project.derived.plan_evict_versions().left
        assert project.derived.evict_versions(remotes=["origin"]).files == (Path("render.bin"),)
        assert project.gc(project.plan_gc(grace=timedelta())).evicted_files == 0, "the remote was not asked"
        assert project.derived.evict_versions(prove=True).files == (), "it was marked"
        assert project.gc().evicted_files == 0, "the grace period is not over"
        assert project.gc(project.plan_gc(grace=timedelta())).evicted_files == 1
        assert project.fsck().evicted == 1


class _Later:
    """A clock that is ahead."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self, zone: object) -> datetime:
        """The time on it."""
        return self._moment


def test_a_remote_keeps_what_it_is_made_from(repo: Repository, tmp_path: Path, times: int) -> None:
    """A remote's collection keeps it too, where no version has it any more: here it may be offloaded."""
    found = folder_remote(tmp_path / "there", repo)
    script = find_recipe(repo, "v1:render.bin").inputs[0]
    push(repo, found, known(repo))
    evict_all(repo)
    save(repo, "script.txt", "three")
    (Path(repo.root) / "render.bin").unlink()
    commit(repo, "without it")
    delete_version(repo, resolve(repo, "v1"))
    push(repo, found, known(repo))
    for _ in range(2):
        execute_remote_gc(repo, found, known(repo), plan_remote_gc(repo, found, known(repo), grace_seconds=0))
    snapshot = load_snapshot(found, NullCache(), repo.format.project)
    assert script.content in snapshot.table(repo)
    assert fsck_remote(snapshot).problems == ()


def test_its_recipe_stays(repo: Repository, times: int) -> None:
    """Nothing but the recipe is left of what was evicted: another one does not take its place."""
    evict_all(repo)
    before = find_recipe(repo, "v1:render.bin")
    write(repo, "same.bin", "one" * times)
    with pytest.raises(InputError, match="nothing but its recipe"):
        set_recipe(repo, "same.bin", ["cp", "{input}", "{output}"], ["render.bin"])
    assert find_recipe(repo, "v1:render.bin") == before
    commit(repo, "the same")
    set_recipe(repo, "same.bin", ["cp", "{input}", "{output}"], ["render.bin"])
    assert find_recipe(repo, "v1:render.bin").output == "same.bin", "the content is here again"


def test_a_tool_that_mirrors_carries_an_eviction(repo: Repository, tmp_path: Path) -> None:
    """The machine at the other end of a synchronized folder takes it for no damage either, and makes it again."""
    root, other = Path(repo.root), tmp_path / "mirror"
    repo.close()
    shutil.copytree(root, other, ignore=shutil.ignore_patterns("local"))
    with Repository.open(str(other), author="Bo", host="there") as there:
        assert fsck(there).problems == ()
    with Repository.open(str(root), author="Ada", host="here") as here:
        assert evict_all(here) == 1
    for path in (path for path in (root / ".aura").iterdir() if path.name != "local"):
        target = other / ".aura" / path.name
        if path.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(path, target)
        else:
            shutil.copy2(path, target)
    with Repository.open(str(other), author="Bo", host="there") as there:
        assert (fsck(there).problems, fsck(there).evicted) == ((), 1)
        there.rebuild_index()
        recipe = find_recipe(there, "v1:render.bin")
        agree(there, recipe)
        assert make_stored(there, recipe).is_same
        assert (fsck(there).problems, fsck(there).evicted) == ((), 0)


def test_restored(repo: Repository, times: int) -> None:
    """Where a version's file is evicted, restore leaves what is there: no commit after it saves a deletion."""
    evict_all(repo)
    restore(repo, "v1")
    assert Path(repo.root, "script.txt").read_text() == "one"
    assert rendered(repo).read_text() == "two" * times
    saved = commit(repo, "back").version
    assert saved is not None
    assert repo.trees.entry(saved.tree, "render.bin") is not None
    undo(repo)
    undo(repo)
    assert Path(repo.root, "script.txt").read_text() == "two"
    restore(repo, "v1", ["render.bin"])
    assert rendered(repo).read_text() == "two" * times
    make_stored(repo, find_recipe(repo, "v1:render.bin"))
    restore(repo, "v1", ["render.bin"])
    assert rendered(repo).read_text() == "one" * times
