"""Merging on real projects: what lands, what stays open, and what undo takes back."""

import json
from typing import Any

import pytest
from aura_vcs.errors import InputError
from aura_vcs.errors.compare import ChoiceImpossible
from aura_vcs.history.abort_merge import abort_merge
from aura_vcs.history.checkout import checkout
from aura_vcs.history.commit import commit
from aura_vcs.history.merge import merge, plan_merge
from aura_vcs.history.merging.merge_bases import merge_bases
from aura_vcs.history.names.branches import branch, create_branch
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.resolve import open_conflicts, resolve_conflicts
from aura_vcs.history.status import status
from aura_vcs.history.undo import redo, undo
from aura_vcs.layout import CONFLICTS
from aura_vcs.model import VersionType

from tests.helpers.project import look, noise, save, write
from tests.history.lines import Lines, edit, field


def test_both_sides_land(lines: Lines) -> None:
    """Different fields of one document, and different files, of both sides are in the merge."""
    ours = lines.on("main", "Ours", brief={"tone": "wild"})
    theirs = lines.on("side", "Theirs", brief={"topic": "Ebb"}, voice={"rate": 0.9})
    done = lines.merge()
    assert field(lines.root, "brief.json", "tone") == "wild"
    assert field(lines.root, "brief.json", "topic") == "Ebb"
    assert field(lines.root, "voice.json", "rate") == 0.9
    assert done.version.parents == (ours.id, theirs.id)
    assert not done.plan.conflicts
    assert status(lines.repo).is_clean
    found = branch(lines.repo, "main")
    assert found is not None
    assert found.version == done.version.id == lines.repo.head().version


def test_a_branch_that_is_ahead_is_gone_forward_to(lines: Lines) -> None:
    """Where ours did not move, the branch goes to theirs, without a new version."""
    theirs = lines.on("side", "Theirs", brief={"tone": "wild"})
    done = lines.merge()
    assert done.plan.kind == "forward"
    assert done.version.id == theirs.id
    assert lines.repo.head().branch == "main"
    assert field(lines.root, "brief.json", "tone") == "wild"
    undo(lines.repo)
    assert field(lines.root, "brief.json", "tone") == "calm"
    found = branch(lines.repo, "main")
    assert found is not None
    assert found.version != theirs.id


def test_nothing_to_merge_changes_nothing(lines: Lines) -> None:
    """What is in the branch already is not merged again."""
    lines.on("main", "Ours", brief={"tone": "wild"})
    before = look(lines.root)
    assert lines.merge().plan.kind == "up_to_date"
    assert look(lines.root) == before


def test_undo_and_redo_take_the_whole_merge(lines: Lines) -> None:
    """One undo takes back version, branch and files; redo brings them again."""
    ours = lines.on("main", "Ours", brief={"tone": "wild"}, plan={"pacing": "Fast"})
    lines.write("side", "Theirs", {"brief.json": '{"topic": "x", "tone": "stern"}', "new.txt": "n"})
    checkout(lines.repo, "main")
    before = look(lines.root)
    done = merge(lines.repo, "side")
    after = look(lines.root)
    assert CONFLICTS.encode() in after
    undo(lines.repo)
    assert look(lines.root) == before
    assert lines.repo.head().version == ours.id
    redo(lines.repo)
    assert look(lines.root) == after
    assert lines.repo.head().version == done.version.id


def test_abort_takes_back_decisions_too(lines: Lines) -> None:
    """`merge --abort` goes back to before the merge, over decisions made since; later work stops it."""
    lines.on("main", "Ours", brief={"tone": "wild"})
    lines.on("side", "Theirs", brief={"tone": "stern"})
    checkout(lines.repo, "main")
    with pytest.raises(InputError, match="not a merge"):
        abort_merge(lines.repo)
    before = look(lines.root)
    merge(lines.repo, "side")
    resolve_conflicts(lines.repo, "brief.json", "/tone", "theirs")
    abort_merge(lines.repo)
    assert look(lines.root) == before
    merge(lines.repo, "side")
    edit(lines.root, "plan.json", pacing="Fast")
    save(lines.repo, "More")
    with pytest.raises(InputError, match="not a merge"):
        abort_merge(lines.repo)


def test_a_conflict_is_committed_and_decided_later(lines: Lines) -> None:
    """The version holds ours, valid JSON and the open question; work goes on; theirs is chosen at the end."""
    lines.on("main", "Ours", brief={"tone": "wild"})
    lines.on("side", "Theirs", brief={"tone": "stern"})
    done = lines.merge()
    assert [item.location for item in done.plan.conflicts] == ["brief.json#/tone"]
    assert field(lines.root, "brief.json", "tone") == "wild"
    edit(lines.root, "plan.json", pacing="Fast")
    save(lines.repo, "Work goes on")
    assert len(open_conflicts(lines.repo)) == 1
    decided = resolve_conflicts(lines.repo, "brief.json", "/tone", "theirs")
    assert not decided.remaining
    assert field(lines.root, "brief.json", "tone") == "stern"
    assert not (lines.root / CONFLICTS).exists()
    undo(lines.repo)
    assert field(lines.root, "brief.json", "tone") == "wild"
    assert len(open_conflicts(lines.repo)) == 1


@pytest.mark.parametrize(
    ("decision", "expected"),
    [("ours", "wild"), ("theirs", "stern"), ("base", "calm"), ("as_is", "by hand")],
)
def test_every_side_can_be_chosen(lines: Lines, decision: Any, expected: str) -> None:
    """Ours, theirs and what was before are at hand; what was written by hand is kept with as_is."""
    lines.on("main", "Ours", brief={"tone": "wild"})
    lines.on("side", "Theirs", brief={"tone": "stern"})
    lines.merge()
    if decision == "as_is":
        edit(lines.root, "brief.json", tone="by hand")
    resolve_conflicts(lines.repo, "brief.json", "", decision)
    assert field(lines.root, "brief.json", "tone") == expected
    assert open_conflicts(lines.repo) == ()


def test_media_is_kept_twice(lines: Lines) -> None:
    """A picture that both replaced is there twice, under a telling name, until one is chosen."""
    lines.write("main", "Ours", {"assets/sky.png": noise(5000, seed=11)})
    lines.write("side", "Theirs", {"assets/sky.png": noise(6000, seed=12)})
    done = lines.merge()
    aside = f"assets/sky (v{done.plan.theirs.number} from side).png"
    assert (lines.root / "assets/sky.png").read_bytes() == noise(5000, seed=11)
    assert (lines.root / aside).read_bytes() == noise(6000, seed=12)
    resolve_conflicts(lines.repo, aside, "", "theirs")
    assert (lines.root / "assets/sky.png").read_bytes() == noise(6000, seed=12)
    assert not (lines.root / aside).exists()
    assert open_conflicts(lines.repo) == ()
    undo(lines.repo)
    assert (lines.root / aside).read_bytes() == noise(6000, seed=12)


def test_a_deletion_against_a_change_stays_until_decided(lines: Lines) -> None:
    """What one side removed and the other changed is still there; base and theirs can bring back either."""
    lines.write("main", "Ours", {"voice.json": None})
    lines.on("side", "Theirs", voice={"rate": 0.5})
    lines.merge()
    assert field(lines.root, "voice.json", "rate") == 0.5
    resolve_conflicts(lines.repo, "voice.json", "", "ours")
    assert not (lines.root / "voice.json").exists()
    undo(lines.repo)
    resolve_conflicts(lines.repo, "voice.json", "", "base")
    assert field(lines.root, "voice.json", "rate") == 1.0


def test_a_rename_and_an_edit_meet(lines: Lines) -> None:
    """A file renamed here and edited there is under its new name, edited."""
    checkout(lines.repo, "main")
    (lines.root / "scenes/001-scene.json").rename(lines.root / "scenes/001-waves.json")
    save(lines.repo, "Renamed")
    lines.on("side", "Edited", **{"scenes/001-scene": {"script_text": "Waves."}})
    done = lines.merge()
    assert not done.plan.conflicts
    assert field(lines.root, "scenes/001-waves.json", "script_text") == "Waves."
    assert not (lines.root / "scenes/001-scene.json").exists()


def test_unsaved_work_is_kept(lines: Lines) -> None:
    """Unsaved files that the merge leaves alone stay in the folder; others are in a PreMerge restore point."""
    lines.on("side", "Theirs", brief={"tone": "stern"})
    lines.on("main", "Ours", plan={"pacing": "Fast"})
    edit(lines.root, "brief.json", topic="unsaved")
    write(lines.root, {"notes.txt": "unsaved too", "render.json": '{"fps": 60}'})
    before = look(lines.root)
    done = merge(lines.repo, "side")
    assert done.replaced == ("brief.json",)
    assert (lines.root / "notes.txt").read_text() == "unsaved too"
    assert field(lines.root, "render.json", "fps") == 60
    assert done.files is not None
    point = done.files.restore_point
    assert point is not None
    assert point.trigger == "PreMerge"
    again = merge(lines.repo, f"v{point.number}")
    assert again.version.parents == (done.version.id,)
    assert field(lines.root, "brief.json", "topic") == "unsaved"
    assert field(lines.root, "brief.json", "tone") == "stern"
    undo(lines.repo)
    undo(lines.repo)
    assert look(lines.root) == before


def test_a_dry_run_touches_nothing(lines: Lines) -> None:
    """A plan tells what would change and what would stay open; nothing is stored, recorded or written."""
    lines.on("main", "Ours", brief={"tone": "wild"})
    lines.on("side", "Theirs", brief={"tone": "stern"}, voice={"rate": 2})
    checkout(lines.repo, "main")
    before, log = look(lines.root), lines.repo.logs.sizes()
    plan = plan_merge(lines.repo, "side")
    assert set(plan.changes) == {"voice.json", CONFLICTS}
    assert [item.location for item in plan.conflicts] == ["brief.json#/tone"]
    assert (look(lines.root), lines.repo.logs.sizes()) == (before, log)


def test_crossed_lines_have_two_bases(lines: Lines) -> None:
    """After both merged each other, what they decided differently is a conflict, the rest lands."""
    ours = lines.on("main", "Ours", brief={"tone": "wild"})
    theirs = lines.on("side", "Theirs", brief={"tone": "stern"}, voice={"rate": 2})
    create_branch(lines.repo, "main-before", ours.id)
    lines.merge("main", "side")
    lines.merge("side", "main-before")
    resolve_conflicts(lines.repo, "", "", "ours")
    edit(lines.root, "plan.json", pacing="Fast")
    side = save(lines.repo, "Side decided")
    checkout(lines.repo, "main")
    resolve_conflicts(lines.repo, "", "", "ours")
    edit(lines.root, "render.json", fps=60)
    main = save(lines.repo, "Main decided")
    assert {base.id for base in merge_bases(lines.repo, [main.id], side.id)} == {ours.id, theirs.id}
    done = lines.merge()
    assert [item.location for item in done.plan.conflicts] == ["brief.json#/tone"]
    assert field(lines.root, "plan.json", "pacing") == "Fast"
    assert field(lines.root, "render.json", "fps") == 60
    assert field(lines.root, "voice.json", "rate") == 2


def test_a_decision_is_not_asked_for_again(lines: Lines) -> None:
    """What one line decided stays decided when the other, where it is still open, is merged."""
    lines.on("main", "Ours", brief={"tone": "wild"})
    lines.on("side", "Theirs", brief={"tone": "stern"})
    done = lines.merge()
    create_branch(lines.repo, "later", done.version.id)
    resolve_conflicts(lines.repo, "brief.json", "/tone", "theirs")
    save(lines.repo, "Decided")
    lines.on("later", "Elsewhere", plan={"pacing": "Fast"})
    assert len(open_conflicts(lines.repo)) == 1
    merge(lines.repo, "main")
    assert open_conflicts(lines.repo) == ()
    assert field(lines.root, "brief.json", "tone") == "stern"


def test_on_no_branch_there_is_nothing_to_merge_into(lines: Lines) -> None:
    """At an older version a merge is refused, with a way out."""
    lines.on("side", "Theirs", brief={"tone": "stern"})
    checkout(lines.repo, "main")
    save_point = lines.on("main", "Ours", brief={"tone": "wild"})
    checkout(lines.repo, "v1")
    with pytest.raises(InputError, match="on no branch") as caught:
        merge(lines.repo, "side")
    assert "checkout main" in caught.value.hint
    assert save_point.type is VersionType.MANUAL


def test_commit_on_top_of_a_merge_counts_both_parents(lines: Lines) -> None:
    """The history of a merge has both lines, and what was merged is not merged again."""
    lines.on("main", "Ours", brief={"tone": "wild"})
    lines.on("side", "Theirs", voice={"rate": 2})
    lines.merge()
    assert lines.merge().plan.kind == "up_to_date"
    assert lines.merge("side", "main").plan.kind == "forward"
    assert commit(lines.repo, "Nothing new").version is None


def test_a_decision_finds_its_element_again(lines: Lines) -> None:
    """A scene put in front moves the conflict's place; the decision still goes to the scene it was about."""
    scenes = [{"id": name, "tone": "calm"} for name in "abc"]
    base = json.dumps({"scenes": scenes})
    ours, theirs = (
        base.replace('"b", "tone": "calm"', '"b", "tone": "wild"'),
        base.replace('"b", "tone": "calm"', '"b", "tone": "stern"'),
    )
    lines.write("main", "Scenes", {"story.json": base})
    lines.merge("side", "main")
    lines.write("main", "Ours", {"story.json": ours})
    lines.write("side", "Theirs", {"story.json": theirs})
    done = lines.merge()
    assert [item.location for item in done.plan.conflicts] == ["story.json#/scenes/1/tone"]
    edited = json.loads((lines.root / "story.json").read_text())
    edited["scenes"].insert(0, {"id": "new", "tone": "wild"})
    write(lines.root, {"story.json": json.dumps(edited)})
    resolve_conflicts(lines.repo, "story.json", "/scenes/1/tone", "theirs")
    found = json.loads((lines.root / "story.json").read_text())["scenes"]
    assert [scene["tone"] for scene in found] == ["wild", "calm", "stern", "calm"]


def test_what_was_rewritten_since_is_not_overwritten(lines: Lines) -> None:
    """A value that neither side wrote is a person's own: only as_is closes the conflict."""
    lines.on("main", "Ours", brief={"tone": "wild"})
    lines.on("side", "Theirs", brief={"tone": "stern"})
    lines.merge()
    edit(lines.root, "brief.json", tone="by hand")
    with pytest.raises(ChoiceImpossible, match="edited since"):
        resolve_conflicts(lines.repo, "brief.json", "/tone", "theirs")
    assert field(lines.root, "brief.json", "tone") == "by hand"
    resolve_conflicts(lines.repo, "brief.json", "/tone", "as_is")
    assert field(lines.root, "brief.json", "tone") == "by hand"


def test_a_branch_on_a_restore_point_merges_beside_it(lines: Lines) -> None:
    """A restore point is nobody's parent, also not of a merge into a branch that was started on one."""
    edit(lines.root, "brief.json", topic="kept aside")
    checkout(lines.repo, "side", clean=True)
    create_branch(lines.repo, "aside", resolve(lines.repo, "v2").id)
    theirs = lines.on("side", "Theirs", voice={"rate": 2})
    checkout(lines.repo, "aside")
    done = merge(lines.repo, "side")
    assert done.version.parents == (resolve(lines.repo, "v1").id, theirs.id)
    assert field(lines.root, "brief.json", "topic") == "kept aside"
    assert field(lines.root, "voice.json", "rate") == 2
