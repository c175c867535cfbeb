"""Only what its recipe has made again on this machine goes, or what a remote holds that is asked."""

import shutil
import sys
from datetime import timedelta
from pathlib import Path

import aura_vcs as aura
import pytest
from aura_vcs import layout
from aura_vcs.annotations.proofs import NOT_TRIED, is_proved
from aura_vcs.annotations.recipes import Recipe, agree, find_recipe, set_recipe
from aura_vcs.history.commit import commit
from aura_vcs.history.undo import undo
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.project import derived
from aura_vcs.project.derived import make, make_stored, try_recipes
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.offload.evict import find_untried, free_evicted, mark_evicted, plan_version_eviction
from aura_vcs.sync.offload.proof import StorageProver
from aura_vcs.sync.push import push

from tests.cli.conftest import Film
from tests.sync.machines import clone, folder_remote, known, machine, save, write

UPPER = [sys.executable, "-c", "import sys; open(sys.argv[2], 'w').write(open(sys.argv[1]).read().upper())"]
RANDOM = [sys.executable, "-c", "import os, sys; open(sys.argv[2], 'wb').write(os.urandom(9))"]
FAILING = [sys.executable, "-c", "import sys; sys.exit('no such codec')"]


def project(root: Path, command: list[str] | None = None) -> Repository:
    """A project whose first version has a file that the second has not, and that a command is said to make."""
    repo = machine(root, "Ada")
    write(repo, "script.txt", "one")
    write(repo, "render.bin", "ONE")
    set_recipe(repo, "render.bin", [*(command or UPPER), "{input}", "{output}"], ["script.txt"])
    commit(repo, "one")
    save(repo, "render.bin", "painted over by hand")
    return repo


def reasons(repo: Repository) -> list[str]:
    """Why things stay; nothing where all goes."""
    return [file.reason for file in plan_version_eviction(repo).staying]


def proved(repo: Repository) -> bool:
    """Try what was not tried; tell whether it may go."""
    try_recipes(repo, find_untried(repo, plan_version_eviction(repo)))
    return bool(plan_version_eviction(repo).going)


def freed(repo: Repository) -> int:
    """Mark and free all that can go."""
    mark_evicted(repo, plan_version_eviction(repo))
    return free_evicted(repo, grace_seconds=0).files


def the_recipe(repo: Repository) -> Recipe:
    """How the first version's file is said to be made."""
    return find_recipe(repo, "v1:render.bin")


def test_not_tried(tmp_path: Path) -> None:
    """What was only said about a file frees nothing; tried, it goes and comes back."""
    repo = project(tmp_path / "film")
    assert reasons(repo) == [NOT_TRIED]
    assert freed(repo) == 0
    before = sorted(path.name for path in Path(repo.root).iterdir())
    assert proved(repo)
    assert sorted(path.name for path in Path(repo.root).iterdir()) == before
    assert Path(repo.root, "render.bin").read_text() == "painted over by hand"
    assert freed(repo) == 1
    assert make_stored(repo, the_recipe(repo)).is_same


@pytest.mark.parametrize(
    ("command", "reason"),
    [(["cp"], "other bytes"), (RANDOM, "other bytes"), (FAILING, "no such codec"), (["true"], "it made no file")],
    ids=["wrong", "other bytes each time", "failing", "nothing"],
)
def test_wrong_recipes(tmp_path: Path, command: list[str], reason: str) -> None:
    """A recipe that does not make the same bytes again is told, and what it is of stays, however often it is tried."""
    repo = project(tmp_path / "film", command)
    for _ in range(2):
        untried = find_untried(repo, plan_version_eviction(repo))
        faults = try_recipes(repo, untried)
        assert list(faults) == untried
        assert reason in faults[untried[0]]
        assert reason in plan_version_eviction(repo).with_faults(faults).staying[0].reason
        assert freed(repo) == 0
    assert repo.store.read(the_recipe(repo).content) == b"ONE"


def test_other_bytes_are_no_proof(tmp_path: Path) -> None:
    """What `make` accepts as new was made once, not again."""
    repo = project(tmp_path / "film", RANDOM)
    assert not make(repo, the_recipe(repo)).is_same
    commit(repo, "random")
    save(repo, "render.bin", "by hand again")
    assert reasons(repo) == [NOT_TRIED, NOT_TRIED]


@pytest.mark.parametrize("recorded", [False, True])
def test_made_is_proof(tmp_path: Path, recorded: bool) -> None:
    """What `make` makes byte for byte as before counts; with other inputs than the recipe's, it does not."""
    repo = project(tmp_path / "film")
    assert make(repo, the_recipe(repo), recorded=recorded).is_same
    commit(repo, "made")
    save(repo, "render.bin", "by hand again")
    assert plan_version_eviction(repo).going


def test_other_inputs(tmp_path: Path) -> None:
    """The same bytes from another input prove the recipe with that input, which is the one that is known then."""
    repo = project(tmp_path / "film")
    old = the_recipe(repo)
    write(repo, "script.txt", "One")
    assert make(repo, old).is_same
    assert not is_proved(repo, old)
    assert is_proved(repo, the_recipe(repo))


def test_a_recipe_that_changed(tmp_path: Path) -> None:
    """A proof is of the command, the inputs and the environment as they stood; marked before, it stays all the same."""
    repo = project(tmp_path / "film")
    assert proved(repo)
    old = the_recipe(repo)
    command = list(old.command)
    changes: list[tuple[list[str], list[str], str]] = [
        (["cp", "{input}", "{output}"], ["script.txt"], ""),
        (command, ["v2:render.bin"], ""),
        (command, ["script.txt", "v2:render.bin"], ""),
        (command, ["script.txt"], "python 4"),
    ]
    for words, inputs, environment in changes:
        mark_evicted(repo, plan_version_eviction(repo))
        set_recipe(repo, "v1:render.bin", words, inputs, environment=environment)
        kept = free_evicted(repo, grace_seconds=0)
        assert [file.reason for file in kept.staying] == [NOT_TRIED]
        assert kept.files == 0
        set_recipe(repo, "v1:render.bin", command, ["script.txt"])
    assert find_untried(repo, plan_version_eviction(repo)) == []
    assert free_evicted(repo, grace_seconds=0).files == 1, "it is again as it was proved"


def test_marked_and_tried_later(tmp_path: Path) -> None:
    """What was marked while its recipe was another one is tried, too, and goes then."""
    repo = project(tmp_path / "film")
    assert proved(repo)
    mark_evicted(repo, plan_version_eviction(repo))
    set_recipe(repo, "v1:render.bin", list(the_recipe(repo).command), ["script.txt"], environment="python 4")
    assert find_untried(repo, plan_version_eviction(repo)) == [the_recipe(repo).content]
    proved(repo)
    assert free_evicted(repo, grace_seconds=0).files == 1


def test_another_machine(tmp_path: Path) -> None:
    """What one machine has made, another has not: programs and their versions differ."""
    repo = project(tmp_path / "film")
    assert proved(repo)
    remote = folder_remote(tmp_path / "remote", repo)
    push(repo, remote, known(repo))
    other = clone(tmp_path / "other", "Bo", remote)
    agree(other, the_recipe(other))
    assert reasons(other) == [NOT_TRIED]
    for file in Path(repo.storage.root, layout.PROVED).iterdir():
        other.storage.put(f"{layout.PROVED}/{file.name}", file.read_bytes())
    assert reasons(other) == [NOT_TRIED], "a copy of what is remembered is another machine's as well"
    assert proved(other)


def test_not_agreed(tmp_path: Path) -> None:
    """Nothing is run that the person of this machine has not agreed to."""
    repo = project(tmp_path / "film")
    repo.storage.delete(layout.AGREED)
    content = the_recipe(repo).content
    assert "not agreed" in try_recipes(repo, [content])[content]
    assert not is_proved(repo, the_recipe(repo))


def test_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted while the command runs, or before it is compared, nothing is remembered and nothing is left."""
    repo = project(tmp_path / "film")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(derived.tempfile, "tempdir", str(scratch))
    for name in ("run_command", "_hash"):
        with monkeypatch.context() as patch:
            patch.setattr(derived, name, _interrupt)
            with pytest.raises(KeyboardInterrupt):
                proved(repo)
        assert list(scratch.iterdir()) == []
        assert reasons(repo) == [NOT_TRIED]
        assert not Path(repo.storage.root, layout.PROVED).exists()
    assert proved(repo)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_damaged_memory(tmp_path: Path) -> None:
    """What is remembered and cannot be read counts for nothing, and is noted anew."""
    repo = project(tmp_path / "film")
    assert proved(repo)
    (file,) = Path(repo.storage.root, layout.PROVED).iterdir()
    file.write_bytes(b"\xff" + file.read_bytes()[1:])
    assert reasons(repo) == [NOT_TRIED]
    assert proved(repo)


def test_a_remote_that_holds_it(tmp_path: Path) -> None:
    """What a remote holds that is asked goes untried, as long as it is asked and has it."""
    repo = project(tmp_path / "film", RANDOM)
    empty = folder_remote(tmp_path / "empty", repo)
    remote = folder_remote(tmp_path / "remote", repo)
    push(repo, remote, known(repo))
    assert not plan_version_eviction(repo, witnesses=[StorageProver("empty", empty, repo.format.project)]).going
    prover = StorageProver("origin", remote, repo.format.project)
    mark_evicted(repo, plan_version_eviction(repo, witnesses=[prover]))
    assert free_evicted(repo, grace_seconds=0).files == 0, "it was not asked"
    files = [path for path in (tmp_path / "remote").rglob("*") if path.is_file() and "packs" in path.parts]
    whole = {path: path.read_bytes() for path in files}
    for path, data in whole.items():
        path.write_bytes(bytes(len(data)))
    lost = StorageProver("origin", remote, repo.format.project)
    assert free_evicted(repo, grace_seconds=0, witnesses=[lost]).files == 0, "it is damaged there"
    for path, data in whole.items():
        path.write_bytes(data)
    asked = StorageProver("origin", remote, repo.format.project)
    assert free_evicted(repo, grace_seconds=0, witnesses=[asked]).files == 1
    assert fsck(repo).evicted == 1


def test_for_people(tmp_path: Path) -> None:
    """The command says what was not tried and how to try it; a dry run, and one with nobody to ask, run nothing."""
    repo = project(tmp_path / "film")
    root = Path(repo.root)
    repo.close()
    film = Film(root, {"AURA_AUTHOR": "Ada", "HOME": str(tmp_path), "NO_COLOR": "", "TZ": "UTC"})
    evict = ("derived", "evict", "--versions")
    for more in (["--yes"], ["--dry-run"], ["--prove", "--dry-run"]):
        said = film(*evict, *more).out
        assert f"render.bin stays: {NOT_TRIED}" in said
        assert "`aura derived evict --versions --prove`" in said
    assert "nobody to ask" in film(*evict, "--prove", "--json", code=2).out
    assert [file["reason"] for file in film.data(*evict, "--dry-run")["left"]] == [NOT_TRIED]
    assert not (root / ".aura" / layout.PROVED).exists()
    said = film(*evict, "--prove", "--yes").out
    assert "Marked 1 file" in said
    assert NOT_TRIED not in said
    film("derived", "set", "script.txt", "--", *RANDOM, "{output}")
    film.commit("other words", {"script.txt": "two"})
    (left,) = film.data(*evict, "--prove", "--yes")["left"]
    assert left["reason"] == "something that was evicted is made from it"


def test_for_people_in_the_folder(tmp_path: Path) -> None:
    """Without `--versions`, too: what was not tried stays and says how, what does not come out the same stays."""
    repo = project(tmp_path / "film")
    save(repo, ".auraignore", "*.out\n")
    for name, text in (("right.out", "ONE"), ("wrong.out", "by hand")):
        write(repo, name, text)
        set_recipe(repo, name, [*UPPER, "{input}", "{output}"], ["script.txt"])
    root = Path(repo.root)
    repo.close()
    film = Film(root, {"AURA_AUTHOR": "Ada", "HOME": str(tmp_path), "NO_COLOR": "", "TZ": "UTC"})
    said = film("derived", "evict", "--yes").out
    assert f"right.out stays: {NOT_TRIED}" in said
    assert "`aura derived evict --prove`" in said
    assert film.data("derived", "evict", "--prove", "--dry-run")["files"] == []
    film("derived", "evict", "--prove", "--json", code=2)
    assert not (root / ".aura" / layout.PROVED).exists()
    said = film("derived", "evict", "--prove", "--yes").out
    assert "wrong.out stays: its recipe was tried: it made other bytes than before" in said
    assert [path.name for path in root.glob("*.out")] == ["wrong.out"]


def test_marked_before(tmp_path: Path) -> None:
    """What was marked while nothing was tried, as older versions of `aura` did, is not freed, and gc says why."""
    repo = project(tmp_path / "film")
    assert proved(repo)
    mark_evicted(repo, plan_version_eviction(repo))
    shutil.rmtree(Path(repo.storage.root, layout.PROVED))
    root = Path(repo.root)
    repo.close()
    film = Film(root, {"AURA_AUTHOR": "Ada", "HOME": str(tmp_path), "NO_COLOR": "", "TZ": "UTC"})
    said = film("gc", "--grace", "0").out
    assert f"render.bin stays: {NOT_TRIED}" in said
    assert "--prove" in said
    assert "in 1 file" in film("derived", "evict", "--versions", "--prove", "--yes", "--grace", "0").out


def test_for_programs(tmp_path: Path) -> None:
    """`evict_versions(prove=True)` tries first, and says of what fails why it stays."""
    repo = project(tmp_path / "film")
    root = repo.root
    repo.close()
    with aura.open(root) as film:
        assert film.derived.plan_evict_versions().left == (("render.bin", NOT_TRIED),)
        assert film.derived.evict_versions().files == ()
        assert film.derived.evict_versions(prove=True).files == (Path("render.bin"),)
        assert film.gc(film.plan_gc(grace=timedelta())).evicted_files == 1
    wrong = project(tmp_path / "wrong", ["cp"])
    root = wrong.root
    wrong.close()
    with aura.open(root) as film:
        ((path, reason),) = film.derived.evict_versions(prove=True).left
        assert (path, "other bytes" in reason) == ("render.bin", True)


def test_taken_back(tmp_path: Path) -> None:
    """A recipe that undo took back and that is said again is proved as it was."""
    repo = project(tmp_path / "film")
    assert proved(repo)
    set_recipe(repo, "v1:render.bin", ["cp", "{input}", "{output}"], ["script.txt"])
    assert reasons(repo) == [NOT_TRIED]
    undo(repo)
    assert plan_version_eviction(repo).going
