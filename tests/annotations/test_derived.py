"""Files that can be made again: with the same bytes, told as stale, never run unasked, never lost."""

import os
import sys
import time
from pathlib import Path

import pytest
from aura_vcs.annotations.proofs import NOT_TRIED
from aura_vcs.annotations.recipes import agree, changed_inputs, find_recipe, recipes, set_recipe, stale
from aura_vcs.errors import InputError
from aura_vcs.errors.documents import RecipeFailed
from aura_vcs.errors.input import UnknownName
from aura_vcs.errors.studio import EditedSince
from aura_vcs.history.checkout import checkout
from aura_vcs.history.undo import redo, undo
from aura_vcs.project.derived import evict, list_derived, make, plan_eviction, try_left
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.push import push

from tests.sync.machines import clone, folder_remote, known, machine, save, write

UPPER = "import sys; open(sys.argv[2], 'w').write(open(sys.argv[1]).read().upper())"
COMMAND = [sys.executable, "-c", UPPER, "{input}", "{output}"]


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """A project with a text and a file that was made of it, which no version has."""
    found = machine(tmp_path / "film", "Ada")
    save(found, ".auraignore", "*.out\n")
    save(found, "script.txt", "one")
    write(found, "script.out", "ONE")
    set_recipe(found, "script.out", COMMAND, ["script.txt"])
    return found


def test_made_again(repo: Repository) -> None:
    """The same inputs give the same bytes; undo brings back what was there."""
    Path(repo.root, "script.out").write_text("spoiled")
    made = make(repo, find_recipe(repo, "script.out"))
    assert (made.is_same, Path(repo.root, "script.out").read_text()) == (True, "ONE")
    undo(repo)
    assert Path(repo.root, "script.out").read_text() == "spoiled"


def test_stale(repo: Repository) -> None:
    """What depends on a changed file is told, also before it is saved; made anew, it has a recipe of its own."""
    assert stale(repo) == {}
    assert stale(repo, {"script.txt"}) == {}, "it is as it was"
    write(repo, "script.txt", "two")
    assert stale(repo, {"script.txt"}) == {"script.out": ["script.txt"]}
    save(repo, "script.txt", "two")
    assert stale(repo) == {"script.out": ["script.txt"]}
    assert list_derived(repo)[0].changed == ("script.txt",)
    old = find_recipe(repo, "script.out")
    made = make(repo, old)
    assert (made.is_same, Path(repo.root, "script.out").read_text()) == (False, "TWO")
    assert stale(repo) == {}
    assert len(recipes(repo)) == 2
    assert make(repo, old, recorded=True).is_same, "from its inputs as they were"
    assert changed_inputs(repo, old) == ["script.txt"]


def test_evicted_and_back(repo: Repository) -> None:
    """What is in no version and can be made again goes, if nobody changed it; it is made again as it was."""
    assert plan_eviction(repo, 3600).files == ()
    os.utime(Path(repo.root, "script.out"), (time.time() - 7200,) * 2)
    assert plan_eviction(repo, 3600).left == (("script.out", NOT_TRIED),)
    assert try_left(repo, plan_eviction(repo, 3600)) == {}
    plan = plan_eviction(repo, 3600)
    assert plan.files == (("script.out", 3),)
    Path(repo.root, "script.out").write_text("mine")
    kept = evict(repo, plan)
    assert (kept.files, Path(repo.root, "script.out").read_text()) == ((), "mine")
    Path(repo.root, "script.out").write_text("ONE")
    assert evict(repo, plan).files == plan.files
    assert [item.state for item in list_derived(repo)] == ["evicted"]
    assert make(repo, find_recipe(repo, "script.out")).is_same
    save(repo, "kept.txt", "ONE")
    set_recipe(repo, "kept.txt", COMMAND, ["script.txt"])
    assert ("kept.txt", "it is in a version") in plan_eviction(repo).left


def test_nothing_runs_unasked(repo: Repository, tmp_path: Path) -> None:
    """A recipe that came from elsewhere is refused until the person agrees; checkout and clone run nothing."""
    mark = tmp_path / "ran"
    write(repo, "other.out", "x")
    hostile = [sys.executable, "-c", f"open({str(mark)!r}, 'w'); open('{{output}}', 'w').write('x')", "{output}"]
    set_recipe(repo, "other.out", hostile, [])
    remote = folder_remote(tmp_path / "remote", repo)
    push(repo, remote, known(repo))
    other = clone(tmp_path / "other", "Bo", remote)
    checkout(other, "v1")
    checkout(other, "main")
    recipe = find_recipe(other, "other.out")
    with pytest.raises(InputError, match="not agreed"):
        make(other, recipe)
    assert not mark.exists()
    agree(other, recipe)
    make(other, recipe)
    assert mark.exists()


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ([sys.executable, "-c", "raise SystemExit(3)", "{output}"], "ended with 3"),
        ([sys.executable, "-c", "pass", "{output}"], "made no file"),
        (["/nowhere/program", "{output}"], "cannot be run"),
        ([sys.executable, "-c", "import time; time.sleep(30)", "{output}"], "longer than"),
    ],
)
def test_a_command_that_fails(repo: Repository, command: list[str], error: str) -> None:
    """It is said, and what is there stays as it is."""
    set_recipe(repo, "script.out", command, ["script.txt"])
    with pytest.raises(RecipeFailed, match=error):
        make(repo, find_recipe(repo, "script.out"), seconds=5 if "longer" not in error else 0.3)
    assert Path(repo.root, "script.out").read_text() == "ONE"


def test_recipes_that_are_none(repo: Repository) -> None:
    """A recipe names its output and files that are there, and writes nowhere else."""
    with pytest.raises(InputError, match="output"):
        set_recipe(repo, "script.out", ["true"], ["script.txt"])
    with pytest.raises(UnknownName):
        find_recipe(repo, "nothing.out")
    with repo.transaction() as transaction:  # as somebody else may write it
        from aura_vcs.model import Annotation
        from aura_vcs.operation_log import annotation_change
        from aura_vcs.refs.annotations import RECIPE, with_values
        from aura_vcs.repository.transaction import Draft

        item = Annotation("ab" * 32)
        values = {"output": "../../evil.txt", "command": ["true", "{output}"], "inputs": []}
        after = with_values(item, values, transaction.replica, transaction.at, "Eve")
        transaction.record(Draft("recipe.set", "x", dict([annotation_change(RECIPE, None, after)])))
    evil = find_recipe(repo, "../../evil.txt")
    agree(repo, evil)
    with pytest.raises(InputError):
        make(repo, evil)
    try_left(repo, plan_eviction(repo))
    assert plan_eviction(repo).files == (("script.out", 3),)


def test_a_wrong_recipe_takes_nothing(repo: Repository) -> None:
    """A file stays in the folder where its recipe makes something else, and that is said."""
    write(repo, "painted.out", "by hand")
    set_recipe(repo, "painted.out", COMMAND, ["script.txt"])
    faults = try_left(repo, plan_eviction(repo))
    assert list(faults) == ["painted.out"]
    plan = plan_eviction(repo).with_faults(faults)
    assert plan.files == (("script.out", 3),)
    assert "other bytes" in dict(plan.left)["painted.out"]
    assert evict(repo, plan).files == (("script.out", 3),)
    assert Path(repo.root, "painted.out").read_text() == "by hand"


def test_recipes_are_undone(repo: Repository) -> None:
    """Undo takes a recipe back, and the index has it again from the files."""
    repo.rebuild_index()
    assert [recipe.output for recipe in recipes(repo)] == ["script.out"]
    undo(repo)
    assert recipes(repo) == []


@pytest.mark.parametrize("where", ["", ".", "e", "0"])
def test_a_short_name_is_no_recipe(repo: Repository, where: str) -> None:
    """What a file's name could be does not run the recipe of a content whose id begins so."""
    content = find_recipe(repo, "script.out").content
    assert find_recipe(repo, content[:8]).content == content
    for name in (where, content[:1], content[:7]):
        with pytest.raises(UnknownName):
            find_recipe(repo, name)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_links_are_left_alone(repo: Repository, tmp_path: Path, kind: str) -> None:
    """What lies behind a link is not taken away, and neither is the link; nothing is run for it."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.out").write_text("ONE")
    write(repo, "renders/a.out", "ONE")
    set_recipe(repo, "renders/a.out", COMMAND, ["script.txt"])
    Path(repo.root, "renders/a.out").unlink()
    plan = plan_eviction(repo)
    link = Path(repo.root, "renders/a.out" if kind == "file" else "renders")
    if kind == "folder":
        link.rmdir()
    link.symlink_to(elsewhere / "a.out" if kind == "file" else elsewhere)
    assert "renders/a.out" not in dict(plan_eviction(repo).files)
    planned = type(plan)((("renders/a.out", 3),), ())
    assert evict(repo, planned).files == ()
    assert link.is_symlink()
    assert (elsewhere / "a.out").read_text() == "ONE"
    with pytest.raises(InputError):
        make(repo, find_recipe(repo, "renders/a.out"))
    assert (elsewhere / "a.out").read_text() == "ONE"


def test_a_folder_in_its_place(repo: Repository) -> None:
    """A folder where the file should be is told before the command is run, and stays."""
    target = Path(repo.root, "script.out")
    target.unlink()
    write(repo, "script.out/mine.txt", "mine")
    with pytest.raises(InputError, match="not a file"):
        make(repo, find_recipe(repo, "script.out"))
    assert (target / "mine.txt").read_text() == "mine"


def test_large_ones(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large file is not written over; undo brings back a small one that a large one was put over."""
    target = Path(repo.root, "script.out")
    target.write_text("m")
    monkeypatch.setattr("aura_vcs.project.derived.EDIT_BYTES", 2)
    assert make(repo, find_recipe(repo, "script.out")).is_same
    assert target.read_text() == "ONE"
    with pytest.raises(EditedSince):
        undo(repo)
    target.unlink()
    undo(repo)
    assert target.read_text() == "m"
    target.write_text("mine, and large")
    with pytest.raises(InputError, match="too large"):
        make(repo, find_recipe(repo, "script.out"))
    assert target.read_text() == "mine, and large"


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="groups of processes")
def test_nothing_goes_on_running(repo: Repository, tmp_path: Path) -> None:
    """What a command has started ends with it, and what it says without end is not held."""
    mark = tmp_path / "pid"
    start = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    said = (
        f"open({str(mark)!r}, 'w').write(str(p.pid)); open(sys.argv[1], 'w').write('x'); sys.stderr.write('e' * 900000)"
    )
    set_recipe(repo, "script.out", [sys.executable, "-c", f"{start}; {said}", "{output}"], [])
    make(repo, find_recipe(repo, "script.out"), seconds=20)
    state = Path(f"/proc/{mark.read_text()}/stat")
    assert not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="names are UTF-8 there")
def test_names_that_are_not_text(repo: Repository) -> None:
    """A recipe is kept, found, run, proved and taken back whatever bytes are in the names of its files."""
    odd, made_of = "zw\udcf6lf.out", "h\udce4nde.txt"
    Path(repo.root, made_of).write_text("twelve")
    Path(repo.root, odd).write_text("TWELVE")
    recipe = set_recipe(repo, odd, COMMAND, [made_of])
    assert (recipe.output, recipe.inputs[0].path) == (odd, made_of)
    assert find_recipe(repo, odd) == recipe
    Path(repo.root, odd).write_text("spoiled")
    assert make(repo, recipe).is_same
    assert Path(repo.root, odd).read_text() == "TWELVE"
    undo(repo)
    assert Path(repo.root, odd).read_text() == "spoiled"
    redo(repo)
    assert Path(repo.root, odd).read_text() == "TWELVE"
    save(repo, "other.txt", "saves the odd one too")
    Path(repo.root, made_of).write_text("thirteen")
    assert stale(repo, {made_of}) == {odd: [made_of]}
