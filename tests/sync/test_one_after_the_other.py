"""Two machines that work one after the other in a folder that a tool mirrors: one line of history."""

import random
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.cli.main import cli
from aura_vcs.errors import InputError
from aura_vcs.errors.input import NothingToUndo, RefMoved, UnknownVersion
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import Committed, commit
from aura_vcs.history.merge import merge
from aura_vcs.history.names.branches import branch, branches, create_branch, get_branch
from aura_vcs.history.recording.version_builder import get_version
from aura_vcs.history.status import status
from aura_vcs.history.undo import undo
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.repository.sync_tool_hints import SYNCTHING
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.pull import sync
from aura_vcs.sync.push import push
from click.testing import CliRunner

from tests.helpers.check import versions
from tests.helpers.project import duplicate, write

from .machines import Unsynced, clone, folder_remote, known, machine, save


def open_at(root: Path) -> Repository:
    """The project, opened by the machine that is called as its folder."""
    return Repository.open(str(root), author=root.name, host=root.name, calls=Unsynced())


def _carried(root: Path) -> dict[Path, Path]:
    found = {path.relative_to(root): path for path in root.rglob("*")}
    return {
        name: path for name, path in found.items() if name.parts[:2] != (".aura", "local") and name != Path(SYNCTHING)
    }


def mirror(source: Path, target: Path, *, but: tuple[str, ...] = ()) -> None:
    """What a tool does when it has finished: the same files here as there, but what stays at home."""
    ours, theirs = _carried(target), _carried(source)
    for name, path in sorted(ours.items(), reverse=True):
        if name not in theirs and str(name) not in but:
            path.rmdir() if path.is_dir() else path.unlink()
    for name, path in sorted(theirs.items()):
        if str(name) in but:
            continue
        if path.is_dir():
            (target / name).mkdir(exist_ok=True)
        elif name not in ours or ours[name].read_bytes() != path.read_bytes():
            shutil.copy2(path, target / name)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Anna's folder with a version, and Bert's, which a tool has filled."""
    anna, bert = tmp_path / "anna", tmp_path / "bert"
    with machine(anna, "anna") as repo:
        write(anna, {"notes.txt": "one\n", "clip.mp4": b"\0clip"})
        save(repo, "plan.json", "{}", "First")
    bert.mkdir()
    mirror(anna, bert)
    open_at(bert).close()
    return anna, bert


def on(root: Path, files: dict[str, str | bytes], name: str) -> Committed:
    """Edit and commit on a machine, and nothing else."""
    write(root, files)
    with open_at(root) as repo:
        return commit(repo, name)


def test_a_commit_stands_on_what_a_tool_brought(pair: tuple[Path, Path]) -> None:
    """Each edits the other's newest text without a look before: one line, clean everywhere, nothing open."""
    text = "one\n"
    for turn in range(6):
        here, there = pair if turn % 2 else pair[::-1]
        text += f"turn {turn}\n"
        done = on(here, {"notes.txt": text}, f"Turn {turn}")
        assert done.beside is None
        mirror(here, there)
    for root in pair:
        with open_at(root) as repo:
            found = status(repo)
            assert (found.is_clean, found.diverged, found.behind) == (True, (), None)
            assert [len(record.parents) for record in versions(repo)] == [0, 1, 1, 1, 1, 1, 1]
            assert len({record.parents for record in versions(repo)}) == len(versions(repo))


def test_a_file_that_has_not_come_yet_is_not_taken_for_an_edit(pair: tuple[Path, Path]) -> None:
    """HEAD waits for the last file; a commit meanwhile stands beside, says so, and a merge takes nothing back."""
    anna, bert = pair
    theirs = on(bert, {"notes.txt": "one\ntwo\n", "clip.mp4": b"\0new clip"}, "Bert's").version
    assert theirs is not None
    mirror(bert, anna, but=("clip.mp4",))
    with open_at(anna) as repo:
        assert status(repo).behind == theirs.id
    ours = on(anna, {"more.txt": "more"}, "Anna's")
    assert ours.beside is not None
    assert ours.beside.id == theirs.id
    with open_at(anna) as repo:
        assert merge(repo).plan.conflicts == ()
    assert (anna / "clip.mp4").read_bytes() == b"\0new clip"
    mirror(anna, bert)
    with open_at(bert) as repo:
        assert status(repo).is_clean


def test_what_was_edited_before_the_other_version_came_stays_on_its_own(pair: tuple[Path, Path]) -> None:
    """A file that a tool left as it was edited here, with the other's beside it, is not an edit of the other's."""
    anna, bert = pair
    theirs = on(bert, {"clip.mp4": b"\0bert's clip"}, "Bert's").version
    write(anna, {"clip.mp4": b"\0anna's clip", "clip.sync-conflict-20261130.mp4": b"\0bert's clip"})
    mirror(bert, anna, but=("clip.mp4", "clip.sync-conflict-20261130.mp4"))
    with open_at(anna) as repo:
        done = commit(repo, "Anna's")
    assert done.beside == theirs


def test_an_edit_of_a_film_that_was_brought_goes_on_from_there(pair: tuple[Path, Path]) -> None:
    """Where nothing else tells, a new film is an edit of the one that came, not of the one before."""
    anna, bert = pair
    theirs = on(bert, {"clip.mp4": b"\0bert's clip"}, "Bert's").version
    mirror(bert, anna)
    ours = on(anna, {"clip.mp4": b"\0anna's later clip"}, "Anna's").version
    assert theirs is not None
    assert ours is not None
    assert ours.parents == (theirs.id,)


def test_a_fetch_brings_no_files_so_head_stays(tmp_path: Path) -> None:
    """What came by a fetch is not in the folder: a commit stands beside it, and that is said."""
    anna = machine(tmp_path / "anna", "anna")
    save(anna, "notes.txt", "one\n", "First")
    remote = folder_remote(tmp_path / "remote", anna)
    push(anna, remote, known(anna))
    bert = clone(tmp_path / "bert", "bert", remote)
    theirs = save(bert, "notes.txt", "one\ntwo\n", "Bert's")
    push(bert, remote, known(bert))
    fetch(anna, remote, known(anna))
    write(Path(anna.root), {"notes.txt": "one\nthree\n"})
    assert commit(anna, "Anna's").beside == theirs


def test_after_the_first_commit_is_taken_back_work_goes_on(pair: tuple[Path, Path]) -> None:
    """Bert had built on it: Anna's next commit goes on top, for the files are there."""
    anna, bert = pair
    theirs = on(bert, {"more.txt": "more"}, "Bert's").version
    mirror(bert, anna)
    with open_at(anna) as repo:
        undo(repo)
        assert repo.head().version is None
    ours = on(anna, {"third.txt": "third"}, "Anna's").version
    assert theirs is not None
    assert ours is not None
    assert ours.parents == (theirs.id,)


def test_after_the_first_commit_is_taken_back_another_may_stand_beside(pair: tuple[Path, Path]) -> None:
    """Where the files are others, the commit stands beside what the other machine made, and says so."""
    anna, bert = pair
    theirs = on(bert, {"more.txt": "more"}, "Bert's").version
    with open_at(anna) as repo:
        undo(repo)
    mirror(bert, anna, but=("more.txt", "notes.txt", "clip.mp4", "plan.json"))
    done = on(anna, {"third.txt": "third"}, "Anna's")
    assert done.beside == theirs
    with open_at(anna) as repo:
        assert len(get_branch(repo, "main").diverged) == 2
        merge(repo)
        assert status(repo).diverged == ()


def test_what_head_followed_keeps_nothing_from_being_taken_back(pair: tuple[Path, Path]) -> None:
    """Undo of our commit works also after HEAD went on to what the other machine built on it."""
    anna, bert = pair
    on(anna, {"more.txt": "more"}, "Anna's")
    mirror(anna, bert)
    theirs = on(bert, {"notes.txt": "two"}, "Bert's").version
    mirror(bert, anna)
    with open_at(anna) as repo:
        assert status(repo).head == theirs
        undo(repo)
        assert theirs is not None
        assert get_branch(repo, "main").version == theirs.id


def test_from_two_heads_there_is_a_way(tmp_path: Path) -> None:
    """`checkout main` goes to this machine's own head, a head's id to that one; both are on the branch."""
    anna = machine(tmp_path / "anna", "anna")
    first = save(anna, "notes.txt", "one\n", "First")
    remote = folder_remote(tmp_path / "remote", anna)
    sync(anna, remote, known(anna))
    bert = clone(tmp_path / "bert", "bert", remote)
    theirs, ours = save(bert, "b.txt", "b"), save(anna, "a.txt", "a")
    sync(bert, remote, known(bert))
    checkout(anna, "v1")
    assert anna.head().branch is None
    sync(anna, remote, known(anna))
    found = branch(anna, "main")
    assert found is not None
    assert set(found.diverged) == {ours.id, theirs.id}
    assert checkout(anna, "main").head.version == ours.id
    assert checkout(anna, theirs.id).head == checkout(anna, "main").head
    assert anna.head().branch == "main"
    assert merge(anna).version.parents == (theirs.id, ours.id)
    assert first.id in {parent for record in versions(anna) for parent in record.parents}


def test_where_a_backup_took_away_what_head_is_on_work_goes_on_from_the_branch(pair: tuple[Path, Path]) -> None:
    """Anna's folder is restored, and mirrored: Bert's next commit builds on what there is, and begins no history."""
    anna, bert = pair
    backup = duplicate(anna, anna.parent / "backup")
    on(anna, {"notes.txt": "two\n"}, "Gone")
    mirror(anna, bert)
    with open_at(bert) as repo:
        assert status(repo).is_clean
    shutil.rmtree(anna)
    backup.rename(anna)
    mirror(anna, bert)
    with open_at(bert) as repo:
        assert status(repo).is_clean
    done = on(bert, {"notes.txt": "three\n"}, "Goes on")
    assert (done.version is not None, done.beside) == (True, None)
    with open_at(bert) as repo:
        assert [record.name for record in versions(repo)] == ["First", "Goes on"]
        assert [len(record.parents) for record in versions(repo)] == [0, 1]
        assert fsck(repo).is_clean


def test_a_checkout_is_not_taken_back_under_what_others_did_since(pair: tuple[Path, Path]) -> None:
    """The files are those of the other machine's version: undo says so and leaves them."""
    anna, bert = pair
    with open_at(anna) as repo:
        create_branch(repo, "trailer", get_version(repo, repo.head().version).id)  # type: ignore[arg-type]
    on(anna, {"more.txt": "more"}, "Anna's")
    with open_at(anna) as repo:
        checkout(repo, "trailer")
    mirror(anna, bert)
    theirs = on(bert, {"third.txt": "third"}, "Bert's").version
    mirror(bert, anna)
    with open_at(anna) as repo:
        assert status(repo).head == theirs
        with pytest.raises(RefMoved):
            undo(repo)
        assert status(repo).is_clean


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(n, marks=pytest.mark.slow) for n in range(4, 40))])
def test_whatever_is_done_one_after_the_other_is_one_line(tmp_path: Path, seed: int) -> None:
    """Edits, commits, branches, undo, restores and merges on three machines, with a mirror between the steps.

    Each branch is one line (merges are only of branches), everybody stands where the last one did, with
    nothing changed after a commit, and no restore points appear but where something unsaved was replaced.
    """
    chance = random.Random(seed)
    roots = [tmp_path / name for name in ("anna", "bert", "cleo")]
    with machine(roots[0], "anna") as repo:
        save(repo, "notes.txt", "first\n", "First")
    for root in roots[1:]:
        root.mkdir()
        mirror(roots[0], root)
        open_at(root).close()
    for step in range(25):
        root = chance.choice(roots)
        is_commit = _do_something(root, chance, step)
        for other in roots:
            if other is not root:
                mirror(root, other)
        heads_, clean = set(), set()
        for other in roots:
            with open_at(other) as repo:
                found = status(repo)
                assert found.diverged == (), step
                heads_.add((found.branch, found.head.id if found.head is not None else None))
                clean.add(found.is_clean)
                points = {record.trigger for record in versions(repo) if record.type == "restore_point"}
                assert points <= {"PreRestore"}, step  # which a restore makes in any case
        assert len(heads_) == 1, (step, heads_)
        assert clean == {True} if is_commit else len(clean) == 1, step


def _do_something(root: Path, chance: random.Random, step: int) -> bool:
    """One step on one machine, with or without a look at the status before; whether it was a commit."""
    name = chance.choice(["notes.txt", "plan.json", "clip.mp4", "scenes/1.json"])
    text = f"{step} {chance.random()}\n" * chance.randint(1, 4)
    what = chance.choice(["commit", "commit", "commit", "branch", "checkout", "undo", "restore", "merge"])
    if what == "commit":
        old = (root / name).read_text() if (root / name).exists() and chance.random() < 0.5 else ""
        write(root, {name: old + text})
    with open_at(root) as repo:
        if what in {"commit", "merge"} or not status(repo).is_clean:
            other = chance.choice(branches(repo)).name if what == "merge" else ""
            if what == "merge" and status(repo).is_clean and repo.head().branch is not None:
                merge(repo, other)
                return False
            commit(repo, f"Step {step}")
            return True
        if what == "branch":
            with suppress(InputError):  # the version under HEAD may have been taken back
                create_branch(repo, f"b{step}", get_version(repo, repo.head().version).id)  # type: ignore[arg-type]
        elif what == "checkout":
            checkout(repo, chance.choice([found.name for found in branches(repo)]))
        elif what == "undo":
            with suppress(NothingToUndo, RefMoved):
                undo(repo)
        elif what == "restore":
            with suppress(UnknownVersion):
                restore(repo, f"v{chance.randint(1, 4)}")
            if not status(repo).is_clean:
                commit(repo, f"Restored at {step}")
                return True
    return False


def test_undo_says_where_the_branch_stays(pair: tuple[Path, Path]) -> None:
    """What another machine has built on is hidden here, but the branch is not moved back from there."""
    anna, bert = pair
    on(bert, {"notes.txt": "one\ntwo\n"}, "Bert's")
    mirror(bert, anna)
    on(anna, {"notes.txt": "one\ntwo\nthree\n"}, "Anna's")
    mirror(anna, bert)
    with open_at(bert) as repo:
        assert status(repo).behind is None
    said = CliRunner().invoke(cli, ["-C", str(bert), "undo"], env={"HOME": str(bert.parent)})
    assert said.exit_code == 0
    assert "The branch itself stays at v3" in said.output
    with open_at(bert) as repo:
        now = repo.queries.version(get_branch(repo, "main").version or "")
        assert now is not None
        assert now.name == "Anna's"
