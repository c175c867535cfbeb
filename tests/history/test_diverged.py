"""Two machines, one branch: what was done apart is joined, and what is open travels with the folder."""

import json
import shutil
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.history.checkout import checkout
from aura_vcs.history.merge import merge
from aura_vcs.history.names.branches import branch, create_branch, delete_branch
from aura_vcs.history.resolve import open_conflicts, resolve_conflicts
from aura_vcs.history.undo import redo, undo
from aura_vcs.index.queries import Queries
from aura_vcs.layout import CONFLICTS
from aura_vcs.maintenance.fsck import fsck

from tests.helpers.project import clone, look, noise, save, write
from tests.history.lines import edit, field


def carry(source: Path, target: Path) -> None:
    """Bring what is newer from one machine's store to the other's, as a sync tool does; `local/` stays at home."""
    for path in (source / ".aura").rglob("*"):
        inner = path.relative_to(source)
        other = target / inner
        if path.is_dir() or inner.parts[1] == "local":
            continue
        if not other.exists() or other.stat().st_mtime_ns < path.stat().st_mtime_ns:
            other.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, other)


@pytest.fixture
def machines(quick_path: Path, project: Path) -> tuple[Path, Path]:
    """The same project on two machines, with one version."""
    studio, laptop = quick_path / "studio", quick_path / "laptop"
    shutil.move(project, studio)
    with Repository.init(studio, author="Ada", host="studio") as repo:
        save(repo, "First cut")
    clone(studio, laptop)
    return studio, laptop


def work(machines: tuple[Path, Path]) -> None:
    """Both machines commit offline: other fields, the same field, the same picture."""
    studio, laptop = machines
    for root, host, tone, name, seed in (
        (studio, "studio", "wild", "Ours", 21),
        (laptop, "laptop", "stern", "Theirs", 22),
    ):
        with Repository.open(root, author="Ada", host=host) as repo:
            edit(root, "brief.json", tone=tone, **{f"by_{host}": 1})
            write(root, {"assets/sky.png": noise(4000, seed=seed)})
            save(repo, name)


def test_diverged_heads_join_without_a_name(machines: tuple[Path, Path]) -> None:
    """`merge` without an argument joins the branch's heads; the other machine goes forward to the result."""
    studio, laptop = machines
    work(machines)
    carry(laptop, studio)
    with Repository.open(studio, author="Ada", host="studio") as repo:
        found = branch(repo, "main")
        assert found is not None
        assert len(found.diverged) == 2
        done = merge(repo)
        assert field(studio, "brief.json", "by_laptop") == field(studio, "brief.json", "by_studio") == 1
        assert (studio / f"assets/sky (v2.{done.plan.theirs.id[:4]} from laptop).png").exists()
        joined = branch(repo, "main")
        assert joined is not None
        assert (joined.version, joined.diverged) == (done.version.id, ())
        assert merge(repo).plan.kind == "up_to_date"
        assert not fsck(repo).problems
    carry(studio, laptop)
    with Repository.open(laptop, author="Ada", host="laptop") as repo:
        forward = merge(repo)
        assert forward.plan.kind == "forward"
        assert forward.version.id == done.version.id
        assert not fsck(repo).problems
    assert look(laptop) == look(studio)


def test_lines_that_never_met(quick_path: Path, project: Path) -> None:
    """Two first versions without a common one: everything of both is there, documents merged by field."""
    studio, laptop = quick_path / "studio", quick_path / "laptop"
    shutil.move(project, studio)
    Repository.init(studio, author="Ada", host="studio").close()
    clone(studio, laptop)
    write(laptop, {"brief.json": '{"tone": "stern", "goal": "teach"}', "only.txt": "theirs", "assets/sky.png": "x"})
    (laptop / "plan.json").unlink()
    for root, name in ((studio, "Ours"), (laptop, "Theirs")):
        with Repository.open(root, author="Ada", host=root.name) as repo:
            assert save(repo, name).parents == ()
    carry(laptop, studio)
    with Repository.open(studio, author="Ada", host="studio") as repo:
        before = look(studio)
        done = merge(repo)
        assert len(done.version.parents) == 2
        assert sorted(item.location for item in done.plan.conflicts) == ["assets/sky.png", "brief.json#/tone"]
        assert json.loads((studio / "brief.json").read_text()) == {
            "topic": "Why the sea rises", "tone": "calm", "goal": "teach",
        }  # fmt: skip
        assert (studio / "only.txt").read_text() == "theirs"
        assert (studio / "plan.json").exists()
        assert not fsck(repo).problems
        undo(repo)
        assert look(studio) == before


def test_both_machines_join_alike(machines: tuple[Path, Path]) -> None:
    """The same join of the same sides has the same content on every machine."""
    studio, laptop = machines
    work(machines)
    carry(laptop, studio)
    trees = []
    for name in ("one", "other"):
        copy = clone(studio, studio.parent / name)
        with Repository.open(copy, author="Ada", host=name) as repo:
            trees.append(merge(repo).version.tree)
    assert trees[0] == trees[1]


def test_a_conflict_is_decided_on_another_machine(machines: tuple[Path, Path]) -> None:
    """Open conflicts travel in the version; decided there, the decision comes back."""
    studio, laptop = machines
    work(machines)
    carry(laptop, studio)
    with Repository.open(studio, author="Ada", host="studio") as repo:
        done = merge(repo)
        aside = next(item.tree.aside for item in done.plan.conflicts if item.tree is not None)
    carry(studio, laptop)
    with Repository.open(laptop, author="Ada", host="laptop") as repo:
        merge(repo)
        assert sorted(item.location for item in open_conflicts(repo)) == ["assets/sky.png", "brief.json#/tone"]
        before = look(laptop)
        resolve_conflicts(repo, "brief.json", "/tone", "theirs")
        left = resolve_conflicts(repo, "assets/sky.png", "", "theirs").remaining
        assert not left
        undo(repo)
        undo(repo)
        assert look(laptop) == before
        resolve_conflicts(repo, "", "", "theirs")
        assert not (laptop / aside).exists()
        assert (laptop / "assets/sky.png").read_bytes() == noise(4000, seed=22)
        save(repo, "Decided")
        assert not fsck(repo).problems
    carry(laptop, studio)
    with Repository.open(studio, author="Ada", host="studio") as repo:
        merge(repo)
        assert open_conflicts(repo) == ()
        assert field(studio, "brief.json", "tone") == "stern"


def test_a_commit_forgets_nothing_that_was_seen(machines: tuple[Path, Path]) -> None:
    """What this machine had taken into account stays so, else the other one would have to tell it again."""
    studio, laptop = machines
    with Repository.open(laptop, author="Ada", host="laptop") as repo:
        save(repo, "Mine", allow_empty=True)
    carry(laptop, studio)
    with Repository.open(studio, author="Ada", host="studio") as repo:
        merge(repo)
        save(repo, "One", allow_empty=True)
        save(repo, "Two", allow_empty=True)
        entries = {entry.replica: entry for entry in repo.refs.branch_entries("main")}
        own = entries.pop(repo.replica)
        assert own.seen == {replica: entry.counter for replica, entry in entries.items()}


def test_undo_of_a_first_move_keeps_the_branch(machines: tuple[Path, Path]) -> None:
    """A machine that undoes the first thing it did to a branch leaves the branch where the other put it."""
    _, laptop = machines
    with Repository.open(laptop, author="Ada", host="laptop") as repo:
        first = repo.head().version
        edit(laptop, "brief.json", tone="stern")
        save(repo, "Theirs")
        undo(repo)
        found = branch(repo, "main")
        assert found is not None
        assert found.version == first == repo.head().version
        checkout(repo, "main")


def test_undo_of_a_join_has_both_heads_again(machines: tuple[Path, Path]) -> None:
    """Taking back a merge takes nothing of the other machine's off the branch, on either side; redo joins again."""
    studio, laptop = machines
    work(machines)
    carry(laptop, studio)
    with Repository.open(studio, author="Ada", host="studio") as repo:
        apart = branch(repo, "main")
        assert apart is not None
        done = merge(repo)
        undo(repo)
        assert branch(repo, "main") == apart
        redo(repo)
        joined = branch(repo, "main")
        assert joined is not None
        assert (joined.version, joined.diverged) == (done.version.id, ())
        undo(repo)
    carry(studio, laptop)
    with Repository.open(laptop, author="Ada", host="laptop") as repo:
        found = branch(repo, "main")
        assert found is not None
        assert found.diverged == apart.diverged


@pytest.mark.parametrize("theirs", ["beside", "on top"])
def test_undo_of_a_commit_leaves_the_other_machine_its_own(machines: tuple[Path, Path], theirs: str) -> None:
    """What another machine put beside our version, or on top of it, stays on the branch when ours is taken back."""
    studio, laptop = machines
    with Repository.open(studio, author="Ada", host="studio") as repo:
        edit(studio, "brief.json", tone="wild")
        save(repo, "Ours")
    if theirs == "on top":
        carry(studio, laptop)
    with Repository.open(laptop, author="Ada", host="laptop") as repo:
        if theirs == "on top":
            checkout(repo, "main")
        edit(laptop, "brief.json", tone="stern")
        kept = save(repo, "Theirs").id
    carry(laptop, studio)
    with Repository.open(studio, author="Ada", host="studio") as repo:
        undo(repo)
        found = branch(repo, "main")
        assert found is not None
        assert (found.version, found.diverged) == (kept, ())


def test_undo_of_a_deletion_brings_the_branch_back_as_it_was(machines: tuple[Path, Path]) -> None:
    """A branch that had come apart comes back so, whichever machine deleted it."""
    studio, laptop = machines
    work(machines)
    carry(laptop, studio)
    with Repository.open(studio, author="Ada", host="studio") as repo:
        before = branch(repo, "main")
        create_branch(repo, "side", repo.head().version)
        checkout(repo, "side")
        delete_branch(repo, "main")
        assert branch(repo, "main") is None
        undo(repo)
        assert branch(repo, "main") == before
        redo(repo)
        assert branch(repo, "main") is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"format": 1}',
        b'{"format": 1, "conflicts": [{"id": "x", "path": "../out", "by": "tree", "ours_label": "", '
        b'"theirs_label": ""}]}',
        b'{"format": 1, "conflicts": [{"id": "x", "path": "a", "by": "tree", "ours_label": "", "theirs_label": "", '
        b'"tree": {"kind": "changed", "path": "../../etc/passwd", "aside": ".aura/HEAD"}}]}',
        b'{"format": 1, "conflicts": [{"id": "x", "path": "a", "by": "tree", "ours_label": "", "theirs_label": "", '
        b'"tree": {"kind": "changed", "path": "a", "theirs": {"kind": "file", "id": "../x"}}}]}',
    ],
)
def test_a_hostile_list_is_refused(machines: tuple[Path, Path], content: bytes) -> None:
    """A list of conflicts that a stranger wrote leads nowhere outside the project, and says what is wrong."""
    studio, _ = machines
    write(studio, {CONFLICTS: content})
    with Repository.open(studio, author="Ada") as repo:
        save(repo, "From a stranger")
        with pytest.raises(RecordCorrupt, match=CONFLICTS):
            open_conflicts(repo)
        with pytest.raises(RecordCorrupt, match=CONFLICTS):
            resolve_conflicts(repo, "", "", "theirs")
        assert Queries(repo.index).next_number() == 3


def test_big_numbers_survive_in_a_conflict(machines: tuple[Path, Path]) -> None:
    """A number beyond 64 bits comes back from a stored conflict digit by digit (D1)."""
    studio, laptop = machines
    for root, seed in ((studio, 10**30 + 1), (laptop, 10**30 + 2)):
        with Repository.open(root, author="Ada") as repo:
            edit(root, "render.json", seed=seed)
            save(repo, "Seed")
    carry(laptop, studio)
    with Repository.open(studio, author="Ada") as repo:
        merge(repo)
        resolve_conflicts(repo, "render.json", "/seed", "theirs")
    assert json.loads((studio / "render.json").read_text())["seed"] in {10**30 + 1, 10**30 + 2}
