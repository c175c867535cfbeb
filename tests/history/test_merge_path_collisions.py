"""Merges where files, folders, links and unsaved work of two lines meet."""

import os
from typing import Any

import pytest
from aura_vcs.errors.compare import ChoiceImpossible, ConflictUnknown
from aura_vcs.history.abort_merge import abort_merge
from aura_vcs.history.checkout import checkout
from aura_vcs.history.merge import merge, plan_merge
from aura_vcs.history.names.branches import create_branch
from aura_vcs.history.resolve import open_conflicts, resolve_conflicts
from aura_vcs.history.undo import redo, undo
from aura_vcs.layout import CONFLICTS

from tests.helpers.project import look, noise, save, write
from tests.history.lines import Lines, edit, field


def _places(lines: Lines) -> list[str]:
    return sorted(item.location for item in open_conflicts(lines.repo))


def _there_and_back(lines: Lines) -> None:
    """The merge just made can be undone and done again, to the byte."""
    after = look(lines.root)
    undo(lines.repo)
    redo(lines.repo)
    assert look(lines.root) == after


def test_a_file_here_and_a_folder_there(lines: Lines) -> None:
    """Both are in the result; taking either side leaves that side's."""
    lines.write("main", "File", {"extra": "a file"})
    lines.write("side", "Folder", {"extra/one.txt": "1", "extra/deep/two.txt": "2"})
    lines.merge()
    _there_and_back(lines)
    aside = next(path for path in os.listdir(lines.root) if path.startswith("extra ("))
    assert (lines.root / aside).read_text() == "a file"
    assert (lines.root / "extra/deep/two.txt").read_text() == "2"
    resolve_conflicts(lines.repo, "extra", "", "theirs")
    assert not (lines.root / aside).exists()
    assert (lines.root / "extra/deep/two.txt").read_text() == "2"
    undo(lines.repo)
    write(lines.root, {aside: "worked on since"})
    resolve_conflicts(lines.repo, aside, "", "ours")
    assert (lines.root / "extra").read_text() == "worked on since"
    assert open_conflicts(lines.repo) == ()


def test_long_and_equal_names_are_set_aside_on_disk(lines: Lines) -> None:
    """A name of 255 bytes and a folder that has the copy's name already: both files are there."""
    long = "ü" * 120 + "-take.mp4"
    first = lines.write("main", "Long", {f"assets/{long}": noise(900, seed=1)})
    lines.merge("side", "main")
    lines.write("main", "Ours", {f"assets/{long}": noise(900, seed=2), "assets/sky.png": noise(900, seed=3)})
    theirs = {f"assets/{long}": noise(900, seed=4), "assets/sky.png": noise(900, seed=5)}
    lines.write("side", "Theirs", {**theirs, "assets/SKY (v4 from side).png/readme.txt": "a folder"})
    done = lines.merge()
    assert first.number == 2
    asides = sorted(item.tree.aside for item in done.plan.conflicts if item.tree is not None)
    assert asides[0] == "assets/sky (v4 from side 2).png"
    assert asides[1].endswith(" (v4 from side).mp4")
    assert len(asides[1].removeprefix("assets/").encode()) <= 255
    assert [(lines.root / path).read_bytes() for path in asides] == [noise(900, seed=5), noise(900, seed=4)]
    _there_and_back(lines)


def test_modes_and_links(lines: Lines) -> None:
    """A mode changed here joins with content changed there; two links to two targets are kept twice."""
    checkout(lines.repo, "main")
    (lines.root / "render.sh").chmod(0o644)
    (lines.root / "assets/cover.png").unlink()
    (lines.root / "assets/cover.png").symlink_to("ours.png")
    save(lines.repo, "Ours")
    checkout(lines.repo, "side")
    (lines.root / "render.sh").write_text("#!/bin/sh\nexit 1\n")
    (lines.root / "assets/cover.png").unlink()
    (lines.root / "assets/cover.png").symlink_to("theirs.png")
    save(lines.repo, "Theirs")
    done = lines.merge()
    assert (lines.root / "render.sh").read_text().endswith("exit 1\n")
    assert not os.access(lines.root / "render.sh", os.X_OK)
    assert os.readlink(lines.root / "assets/cover.png") == "ours.png"
    (conflict,) = done.plan.conflicts
    assert conflict.tree is not None
    assert os.readlink(lines.root / conflict.tree.aside) == "theirs.png"
    _there_and_back(lines)
    resolve_conflicts(lines.repo, "assets", "", "theirs")
    assert os.readlink(lines.root / "assets/cover.png") == "theirs.png"
    assert not os.path.lexists(lines.root / conflict.tree.aside)


def test_renamed_and_edited_here_and_edited_there(lines: Lines) -> None:
    """A scene that was moved and renumbered under a new name gets the other side's new words."""
    checkout(lines.repo, "main")
    (lines.root / "scenes/001-scene.json").rename(lines.root / "scenes/007-scene.json")
    edit(lines.root, "scenes/007-scene.json", index=7, heading="Late")
    save(lines.repo, "Moved")
    lines.on("side", "Edited", **{"scenes/001-scene": {"script_text": "Waves."}})
    done = lines.merge()
    assert not done.plan.conflicts
    assert sorted(os.listdir(lines.root / "scenes")) == ["000-scene.json", "002-scene.json", "007-scene.json"]
    assert field(lines.root, "scenes/007-scene.json", "script_text") == "Waves."
    assert field(lines.root, "scenes/007-scene.json", "index") == 7


def test_abort_brings_back_exactly_what_was_there(lines: Lines) -> None:
    """Unsaved edits, files, deletions and modes from before the merge are back, and redo goes forth again."""
    lines.on("side", "Theirs", brief={"tone": "stern"}, voice={"rate": 3})
    lines.on("main", "Ours", brief={"tone": "wild"}, plan={"pacing": "Fast"})
    edit(lines.root, "brief.json", topic="unsaved")
    write(lines.root, {"notes/new.txt": "unsaved", "voice.json": "{broken"})
    (lines.root / "render.json").unlink()
    (lines.root / "render.sh").chmod(0o644)
    before = look(lines.root)
    merge(lines.repo, "side")
    assert look(lines.root) != before
    merged = look(lines.root)
    abort_merge(lines.repo)
    assert look(lines.root) == before
    redo(lines.repo)
    assert look(lines.root) == merged
    abort_merge(lines.repo)
    assert look(lines.root) == before


def test_work_after_the_merge_survives_an_abort(lines: Lines) -> None:
    """What was edited since the merge where it had changed something is in a restore point; the rest stays."""
    lines.on("side", "Theirs", brief={"tone": "stern"}, voice={"rate": 2})
    lines.on("main", "Ours", brief={"tone": "wild"})
    before = look(lines.root)
    merge(lines.repo, "side")
    edit(lines.root, "plan.json", pacing="edited after the merge")
    edit(lines.root, "voice.json", rate="edited after the merge")
    undone = abort_merge(lines.repo)
    assert undone.files is not None
    point = undone.files.restore_point
    assert point is not None
    voice = lines.repo.trees.entry(point.tree, "voice.json")
    assert voice is not None
    assert b"edited after the merge" in lines.repo.store.read(voice.id)
    assert field(lines.root, "plan.json", "pacing") == "edited after the merge"
    assert {path for path, seen in look(lines.root).items() if seen != before.get(path)} == {b"plan.json"}


def test_an_unsaved_file_in_the_way_of_a_folder_is_named(lines: Lines) -> None:
    """An unsaved file where theirs has a folder gives way, into the restore point, and is listed."""
    lines.write("side", "Theirs", {"extra/one.txt": "1"})
    lines.on("main", "Ours", plan={"pacing": "Fast"})
    write(lines.root, {"extra": "unsaved"})
    done = merge(lines.repo, "side")
    assert done.replaced == ("extra",)
    assert (lines.root / "extra/one.txt").read_text() == "1"
    undo(lines.repo)
    assert (lines.root / "extra").read_text() == "unsaved"


def test_a_decision_that_is_not_saved_stays_decided(lines: Lines) -> None:
    """Another merge in between neither asks again, nor loses what it leaves open itself."""
    lines.on("side", "Theirs", brief={"tone": "stern"}, plan={"pacing": "Fast"})
    create_branch(lines.repo, "late", lines.repo.refs.branch_entries("main")[0].version)
    lines.on("late", "Later", voice={"rate": 2})
    lines.on("main", "Ours", brief={"tone": "wild"}, plan={"pacing": "Dense"}, voice={"rate": 3})
    merge(lines.repo, "side")
    resolve_conflicts(lines.repo, "brief.json", "/tone", "theirs")
    assert _places(lines) == ["plan.json#/pacing"]
    done = merge(lines.repo, "late")
    assert done.replaced == ()
    assert _places(lines) == ["plan.json#/pacing", "voice.json#/rate"]
    assert field(lines.root, "brief.json", "tone") == "stern"
    save(lines.repo, "Decided")
    assert _places(lines) == ["plan.json#/pacing", "voice.json#/rate"]
    checkout(lines.repo, "side")
    assert merge(lines.repo, "main").plan.kind == "forward"
    assert _places(lines) == ["plan.json#/pacing", "voice.json#/rate"]


def test_a_decision_in_a_file_that_the_merge_replaces_is_asked_again(lines: Lines) -> None:
    """Where the next merge puts another file over the decided one, the question is open again."""
    lines.on("side", "Theirs", brief={"tone": "stern"})
    create_branch(lines.repo, "late", lines.repo.refs.branch_entries("main")[0].version)
    lines.on("late", "Later", brief={"topic": "Ebb"})
    lines.on("main", "Ours", brief={"tone": "wild"})
    merge(lines.repo, "side")
    resolve_conflicts(lines.repo, "brief.json", "/tone", "theirs")
    done = merge(lines.repo, "late")
    assert done.replaced == ("brief.json",)
    assert field(lines.root, "brief.json", "topic") == "Ebb"
    assert _places(lines) == ["brief.json#/tone"]


def test_text_edited_before_it_is_decided(lines: Lines) -> None:
    """Lines put in front since the merge move nothing wrong, on disk too; a rewritten passage is refused."""
    base = "".join(f"line {n}\n" for n in range(20))
    lines.write("main", "Script", {"script.md": base})
    lines.merge("side", "main")
    lines.write("main", "Ours", {"script.md": base.replace("line 5\n", "five\n").replace("line 15", "fifteen")})
    lines.write("side", "Theirs", {"script.md": base.replace("line 5\n", "V\n").replace("line 15", "XV")})
    lines.merge()
    assert _places(lines) == ["script.md#16", "script.md#6"]
    text = (lines.root / "script.md").read_text()
    write(lines.root, {"script.md": "a\nb\nc\n" + text.replace("fifteen", "my own")})
    resolve_conflicts(lines.repo, "script.md", "6", "theirs")
    now = "a\nb\nc\n" + text.replace("five\n", "V\n").replace("fifteen", "my own")
    assert (lines.root / "script.md").read_text() == now
    with pytest.raises(ChoiceImpossible, match="not there any more"):
        resolve_conflicts(lines.repo, "script.md", "16", "theirs")
    with pytest.raises(ConflictUnknown):
        resolve_conflicts(lines.repo, "script.md", "6", "theirs")
    assert (lines.root / "script.md").read_text() == now
    resolve_conflicts(lines.repo, "script.md", "16", "as_is")
    assert not (lines.root / CONFLICTS).exists()


def test_a_copy_that_was_worked_on_is_the_one_that_is_taken(lines: Lines) -> None:
    """Their picture, retouched since the merge, is what --theirs takes; ours, what --ours takes."""
    lines.write("main", "Ours", {"assets/sky.png": noise(900, seed=1)})
    lines.write("side", "Theirs", {"assets/sky.png": noise(900, seed=2)})
    (conflict,) = lines.merge().plan.conflicts
    assert conflict.tree is not None
    write(lines.root, {conflict.tree.aside: noise(900, seed=3), "assets/sky.png": noise(900, seed=4)})
    for choice, seed in (("theirs", 3), ("ours", 4), ("base", None)):
        resolve_conflicts(lines.repo, "assets/sky.png", "", choice)  # type: ignore[arg-type]
        expected = noise(9_000, seed=2) if seed is None else noise(900, seed=seed)
        assert (lines.root / "assets/sky.png").read_bytes() == expected
        assert not (lines.root / conflict.tree.aside).exists()
        undo(lines.repo)


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_what_one_side_removed_and_somebody_edited_since(lines: Lines, side: Any) -> None:
    """Keeping the side that has the file keeps it as it is now, not as it was when it was merged."""
    one, other = ("main", "side") if side == "ours" else ("side", "main")
    lines.on(one, "Edited", voice={"rate": 2})
    lines.write(other, "Removed", {"voice.json": None})
    lines.merge()
    edit(lines.root, "voice.json", rate=5)
    resolve_conflicts(lines.repo, "voice.json", "", side)
    assert field(lines.root, "voice.json", "rate") == 5


def test_a_dry_run_of_every_kind_changes_nothing(lines: Lines) -> None:
    """Forward, join and nothing to do: planned with unsaved work, not one byte of the store changes."""
    lines.on("side", "Theirs", brief={"tone": "stern"})
    checkout(lines.repo, "main")
    write(lines.root, {"brief.json": "{}", "new.txt": "unsaved"})
    store = {path: path.stat().st_mtime_ns for path in (lines.root / ".aura").rglob("*") if "local" not in path.parts}
    before = look(lines.root)
    kinds = [plan_merge(lines.repo, name).kind for name in ("side", "main", "v1")]
    assert kinds == ["forward", "up_to_date", "up_to_date"]
    assert look(lines.root) == before
    assert store == {
        path: path.stat().st_mtime_ns for path in (lines.root / ".aura").rglob("*") if "local" not in path.parts
    }
