"""Pull and sync merge what machines did to a branch, where nothing is left open; else both heads stay."""

from functools import partial
from pathlib import Path

import pytest
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import commit
from aura_vcs.history.merge import merge
from aura_vcs.history.names.branches import branch, create_branch
from aura_vcs.history.resolve import open_conflicts
from aura_vcs.history.status import status
from aura_vcs.history.undo import redo, undo
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.merge_heads import MergePolicy, merge_heads
from aura_vcs.sync.pull import Synced, check_out_clone, pull, sync
from aura_vcs.sync.push import push

from tests.helpers.sampling import chance
from tests.sync.machines import files, folder_remote, known, machine, save, write

CLEAN = partial(merge_heads, policy="clean")


class Machines:
    """Some machines that agree, and a remote."""

    def __init__(self, path: Path, *names: str) -> None:
        first = machine(path / names[0], names[0])
        save(first, "script.md", "one\ntwo\nthree\nfour\nfive\n")
        save(first, "brief.json", '{"topic": "sea", "tone": "warm"}')
        self.remote: FolderRemote = folder_remote(path / "remote", first)
        push(first, self.remote, known(first))
        self.repos = [first]
        for name in names[1:]:
            repo = machine(path / name, name, first.format.project)
            fetch(repo, self.remote, known(repo))
            check_out_clone(repo)
            self.repos.append(repo)

    def sync(self, repo: Repository, policy: MergePolicy = "clean") -> Synced:
        """One `aura sync`."""
        return sync(repo, self.remote, known(repo), merge=partial(merge_heads, policy=policy))


@pytest.fixture
def two(tmp_path: Path) -> Machines:
    """A laptop and a desktop."""
    return Machines(tmp_path, "laptop", "desktop")


def _heads(repo: Repository) -> set[str]:
    found = branch(repo, "main")
    assert found is not None
    return {found.version, *found.diverged}


def test_edits_in_different_files_become_one_history(two: Machines) -> None:
    """One sync on each, and both have everything; the third machine's sync finds nothing to merge."""
    laptop, desktop = two.repos
    save(laptop, "laptop.md", "l")
    save(desktop, "desktop.md", "d")
    two.sync(laptop)
    done = two.sync(desktop).pulled
    assert (len(done.merging.merged), done.diverged) == (1, ())
    assert list(done.merging.merged[0].plan.changes) == ["laptop.md"]
    two.sync(laptop)
    assert files(laptop) == files(desktop)
    assert _heads(laptop) == _heads(desktop) == {desktop.head().version}
    for repo in two.repos:
        assert status(repo).is_clean
        assert fsck(repo).problems == ()


def test_any_edits_that_do_not_meet_become_one_history(two: Machines) -> None:
    """Turn after turn, with files, fields and lines of their own, whoever syncs first, also both at a time."""
    dice = chance("merge-heads")
    for turn in range(4):
        for number, repo in enumerate(two.repos):
            if dice.random() < 0.8:
                save(repo, f"{repo.host}-{dice.randrange(3)}.md", f"{turn}\n")
            if dice.random() < 0.4:
                lines = files(repo)["script.md"].decode().splitlines()
                lines[number * 4] = f"{repo.host} {turn}"  # the first line is the laptop's, the last the desktop's
                save(repo, "script.md", "\n".join(lines) + "\n")
        order = dice.sample(two.repos, 2)
        if dice.random() < 0.3:  # both fetched before either sent
            for repo in order:
                fetch(repo, two.remote, known(repo))
        for repo in (*order, order[0]):
            two.sync(repo)
        assert files(two.repos[0]) == files(two.repos[1]), turn
        assert _heads(two.repos[0]) == _heads(two.repos[1]), turn


def test_two_that_merge_at_the_same_time_agree(two: Machines) -> None:
    """Each makes a merge of the same two versions: one is chosen, and no merge answers another without an end."""
    laptop, desktop = two.repos
    save(laptop, "laptop.md", "l")
    save(desktop, "desktop.md", "d")
    for repo in two.repos:
        push(repo, two.remote, known(repo), keep_both=True)
    for repo in two.repos:
        pull(repo, two.remote, known(repo), merge=CLEAN)
    for _ in range(2):
        for repo in two.repos:
            two.sync(repo)
    assert _heads(laptop) == _heads(desktop)
    assert laptop.head() == desktop.head()


def test_an_open_question_keeps_both_heads(two: Machines) -> None:
    """The folder stays, both heads are on both sides, and it says where the question is."""
    laptop, desktop = two.repos
    ours = save(laptop, "brief.json", '{"topic": "sea", "tone": "dry"}')
    theirs = save(desktop, "brief.json", '{"topic": "sea", "tone": "wet"}')
    two.sync(laptop)
    before = files(desktop)
    pulled = two.sync(desktop).pulled
    assert set(pulled.diverged) == {ours.id, theirs.id}
    assert (pulled.merging.open_paths, pulled.merging.open_count) == (("brief.json",), 1)
    assert files(desktop) == before
    assert not open_conflicts(desktop)
    always = two.sync(desktop, "always").pulled
    assert (len(always.merging.merged), always.diverged) == (1, ())
    assert [item.path for item in open_conflicts(desktop)] == ["brief.json"]


def test_never_is_as_it_was(two: Machines) -> None:
    """Both are kept, however well they would go together."""
    laptop, desktop = two.repos
    save(laptop, "laptop.md", "l")
    save(desktop, "desktop.md", "d")
    two.sync(laptop)
    assert len(two.sync(desktop, "never").pulled.diverged) == 2


def test_unsaved_changes_stay_and_are_never_merged_over(two: Machines) -> None:
    """In other files they stay unsaved; in a file that the merge changes, nothing is merged and it is named."""
    laptop, desktop = two.repos
    save(laptop, "laptop.md", "l")
    save(desktop, "desktop.md", "d")
    two.sync(laptop)
    write(desktop, "laptop.md", "mine")
    pulled = two.sync(desktop).pulled
    assert (pulled.in_the_way, pulled.merging.merged) == (("laptop.md",), ())
    assert files(desktop)["laptop.md"] == b"mine"
    Path(desktop.root, "laptop.md").unlink()
    write(desktop, "notes.md", "unsaved")
    assert two.sync(desktop).pulled.diverged == ()
    assert [change.path for change in status(desktop).changes] == ["notes.md"]


def test_one_undo_takes_all_of_it_back(tmp_path: Path) -> None:
    """Also where three machines moved the branch apart."""
    machines = Machines(tmp_path, "laptop", "desktop", "tablet")
    laptop, desktop, tablet = machines.repos
    for repo in machines.repos:
        save(repo, f"{repo.host}.md", "x")
    for repo in (laptop, tablet):
        push(repo, machines.remote, known(repo), keep_both=True)
    before, head = files(desktop), desktop.head()
    pulled = pull(desktop, machines.remote, known(desktop), merge=CLEAN)
    assert len(pulled.merging.merged) == 2
    assert {"laptop.md", "desktop.md", "tablet.md"} <= files(desktop).keys()
    undo(desktop)
    assert (files(desktop), desktop.head()) == (before, head)
    assert len(_heads(desktop)) == 3
    assert fsck(desktop).problems == ()


def test_a_branch_that_nobody_is_on_stays_apart(two: Machines) -> None:
    """Only the current branch is merged: a merge needs the folder."""
    laptop, desktop = two.repos
    save(laptop, "laptop.md", "l")
    save(desktop, "desktop.md", "d")
    two.sync(laptop)
    create_branch(desktop, "side", desktop.head().version)
    checkout(desktop, "side")
    pulled = two.sync(desktop).pulled
    assert pulled.merging.merged == ()
    assert len(_heads(desktop)) == 2


def test_what_is_made_on_the_other_head_leaves_ones_own_on_the_branch(two: Machines) -> None:
    """Whoever goes on from what the other machine made keeps both; undo and redo do too, and a merge ends it."""
    laptop, desktop = two.repos
    own = save(laptop, "laptop.md", "l")
    theirs = save(desktop, "desktop.md", "d")
    two.sync(desktop)
    two.sync(laptop, "never")
    checkout(laptop, theirs.id)
    assert laptop.head().branch == "main"

    made = save(laptop, "more.md", "m")
    assert _heads(laptop) == {own.id, made.id}
    undo(laptop)
    assert _heads(laptop) == {own.id, theirs.id}
    redo(laptop)
    assert _heads(laptop) == {own.id, made.id}

    again = save(laptop, "more.md", "more")
    assert _heads(laptop) == {own.id, again.id}
    two.sync(laptop, "never")
    two.sync(desktop, "never")
    assert _heads(desktop) == {own.id, again.id}
    two.sync(desktop)
    two.sync(laptop)
    assert _heads(laptop) == _heads(desktop) == {desktop.head().version}
    assert set(files(laptop)) >= {"laptop.md", "desktop.md", "more.md"}
    assert fsck(laptop).is_clean


def test_a_merge_of_two_others_leaves_ones_own_on_the_branch(tmp_path: Path) -> None:
    """Of three heads, whoever merges the other two still has the third."""
    three = Machines(tmp_path, "laptop", "desktop", "server")
    laptop = three.repos[0]
    made = [save(repo, f"{number}.md", "x").id for number, repo in enumerate(three.repos)]
    for repo in (*three.repos, laptop):
        three.sync(repo, "never")
    assert _heads(laptop) == set(made)
    checkout(laptop, made[1])
    joined = merge(laptop, made[2])
    assert joined.version is not None
    assert _heads(laptop) == {made[0], joined.version.id}
    undo(laptop)
    assert _heads(laptop) == set(made)


def test_who_takes_over_the_other_version_keeps_what_was_ones_own_in_the_history(two: Machines) -> None:
    """Files as the other head has them, committed on one's own: that version stands for both, whichever id is lower."""
    laptop, desktop = two.repos
    for turn in range(4):  # ids are random: in some turn the other head has the lower one
        own = save(laptop, f"laptop{turn}.md", "l")
        theirs = save(desktop, f"desktop{turn}.md", "d")
        two.sync(desktop)
        two.sync(laptop, "never")
        assert _heads(laptop) == {own.id, theirs.id}
        restore(laptop, theirs.id)
        (Path(laptop.root) / f"laptop{turn}.md").unlink(missing_ok=True)
        made = commit(laptop, "As the other has it").version
        assert made is not None
        assert made.tree == theirs.tree
        assert _heads(laptop) == {made.id}
        two.sync(laptop)
        two.sync(desktop)
        assert _heads(desktop) == {made.id} == {desktop.head().version}
