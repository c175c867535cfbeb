"""Sequences of pictures as one thing in lists, in `diff`, among assets and in `project check`."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import AURA, Film
from tests.compare.media_files import png

CALLED = "render/shot.[0001-0012].png"


def frame(number: int) -> str:
    """The path of a frame."""
    return f"render/shot.{number:04}.png"


@pytest.fixture
def shot(film: Film) -> Film:
    """A project with twelve frames in its first version."""
    film.commit("First cut", {frame(n): png(8 + n, 6) for n in range(1, 13)})
    return film


def test_lists_have_a_line_for_each_sequence(shot: Film) -> None:
    """`status`, `show` and `diff`; what came alone, or goes by no number, has a line of its own."""
    assert "added     render/shot.[0001-0012].png  12 files" in shot("show", "v1").out
    shot.write({frame(n): png(30, n) for n in range(4, 8)} | {"sky.png": png(9, 9)})
    (shot.root / frame(10)).unlink()
    status = shot("status").out
    assert "modified  render/shot.[0004-0007].png  4 files" in status
    assert f"deleted   {frame(10)}" in status
    assert "added     sky.png" in status
    told = shot("diff", "--no-media").out
    assert f"modified  {CALLED}  11 frames, 5 files differ" in told
    assert "frames 4 to 7 have other content" in told
    assert "frame 10 was removed" in told
    assert "frame 10 is missing" in told
    assert frame(5) not in told
    assert "frames 4 to 7" not in shot("diff", "--stat").out


def test_a_sequence_as_data(shot: Film) -> None:
    """Every file is among the changes still; `sequences` has the whole, its stretches, and what is missing."""
    shot.write({frame(n): png(30, n) for n in (1, 2)})
    (shot.root / frame(12)).unlink()
    found = shot.data("diff", "--no-media")
    assert len(found["changes"]) == 3
    (one,) = found["sequences"]
    assert (one["path"], one["change"]) == ("render/shot.[0001-0011].png", "modified")
    assert one["old"] == {"path": CALLED, "first": 1, "last": 12, "frames": 12, "missing": []}
    kinds = [(stretch["kind"], stretch["first"], stretch["last"]) for stretch in one["stretches"]]
    assert kinds == [("unseen", 1, 2), ("removed", 12, 12)]


def test_a_sequence_that_is_renamed(shot: Film) -> None:
    """All of it at once is one line."""
    (shot.root / "out").mkdir()
    for n in range(1, 13):
        (shot.root / frame(n)).rename(shot.root / f"out/take_{n:04}.png")
    line = f"renamed   {CALLED} → out/take_[0001-0012].png"
    assert line in shot("status").out
    assert line in shot("diff").out
    assert shot.data("diff")["sequences"][0]["old_path"] == CALLED


def test_a_single_frame_is_a_file(shot: Film) -> None:
    """It is told as any picture is."""
    shot.write({frame(5): png(30, 5)})
    assert f"modified  {frame(5)}" in shot("diff", "--no-media").out


def test_a_report_shows_it_once(shot: Film, tmp_path: Path) -> None:
    """With the words, and a frame for all of them."""
    shot.write({frame(n): png(30, n) for n in range(4, 8)})
    page = tmp_path / "report.html"
    shot("diff", "--no-media", "--html", str(page))
    text = page.read_text()
    assert text.count(f">{CALLED}<") == 1
    assert "frames 4 to 7 have other content" in text
    assert "shown: render/shot.0004.png" in text


def test_assets_and_the_check_know_what_is_missing(film: Film) -> None:
    """`asset list`, `asset show` of the whole, and a warning."""
    film.write({f"assets/{frame(n)}": png(8, 6) for n in (1, 2, 3, 6, 7)})
    called = "assets/render/shot.[0001-0007].png"
    assert f"{called}  image/png, 5 frames; missing: frames 4 to 5" in film("asset", "list").out
    (one,) = film.data("asset", "list")["sequences"]
    assert (one["path"], one["frames"], one["missing"]) == (called, 5, [[4, 5]])
    shown = film("asset", "show", called).out
    assert "Image sequence, image/png, 5 frames; missing: frames 4 to 5" in shown
    assert "picture, png, 8×6" in shown
    film.write({f"assets/{frame(7)}": png(9, 6)})
    headers = film.data("asset", "show", called)["headers"]
    assert [(header["frames"], header["width"]) for header in headers] == [(4, 8), (1, 9)]
    check = film("project", "check", code=None).out
    assert f"warning  {called}" in " ".join(check.split()).replace("warning ", "warning  ")
    assert "frames 4 to 5 are missing" in check


def test_frames_of_other_sizes_are_told_where_they_are_known(film: Film) -> None:
    """After they were looked at."""
    pytest.importorskip("av")
    film.write({frame(n): png(8, 6) for n in (1, 2, 3)} | {frame(4): png(10, 6), "bad.png": png(40, 40)[:60]})

    def run(*words: str) -> str:
        """Run the command in a process of its own, which knows nothing of what was looked at before."""
        env = {**os.environ, **film.env}
        return subprocess.run(
            [*AURA, *words], cwd=film.root, env=env, capture_output=True, text=True, check=False
        ).stdout

    assert "several sizes" not in run("project", "check")
    for _ in range(20):
        run("media", "index")  # which file it looked at is not known by the date of one that was just written
        check = run("project", "check")
        if "several sizes" in check:
            break
        time.sleep(0.2)
    assert "its frames have several sizes: 8×6 (3), 10×6 (1)" in check
    assert "it cannot be looked into: it is damaged" in check


def merged(film: Film, ours: range, theirs: range) -> str:
    """Change frames on two branches, and merge; what that says."""
    film("branch", "create", "other")
    film.commit("Ours", {frame(n): png(40, n) for n in ours})
    film("switch", "other")
    film.commit("Theirs", {frame(n): png(50, n) for n in theirs})
    film("switch", "main")
    return film("merge", "other").out


def test_frames_that_both_sides_changed_are_one_conflict(shot: Film) -> None:
    """One line, one number and one decision; what only one side changed is merged frame by frame."""
    told = merged(shot, range(1, 7), range(4, 10))
    assert "1 conflict left open:" in told
    assert "1  render/shot.[0004-0006].png  3 frames" in told
    assert "theirs are beside them, the first as render/shot.0004 (" in told
    assert "frames 4 to 6 differ" in told
    assert (shot.root / frame(2)).read_bytes() == png(40, 2)
    assert (shot.root / frame(8)).read_bytes() == png(50, 8)
    listed = shot.data("resolve", "--list")["conflicts"]
    assert [one["number"] for one in listed] == [1, 1, 1]
    assert {one["sequence"]["path"] for one in listed} == {"render/shot.[0004-0006].png"}
    assert "render/shot.[0004-0006].png" in shot("status").out
    assert "Decided render/shot.[0004-0006].png" in shot("resolve", "1", "--theirs").out
    assert [(shot.root / frame(n)).read_bytes() for n in (4, 5, 6)] == [png(50, n) for n in (4, 5, 6)]
    assert not list(shot.root.glob("render/*(*"))
    shot("undo")
    assert len(shot.data("resolve", "--list")["conflicts"]) == 3


def test_frames_are_decided_one_by_one_where_that_is_wanted(shot: Film) -> None:
    """By the path of a frame, or by the name of some of them."""
    merged(shot, range(4, 9), range(4, 9))
    shot("resolve", frame(5), "--theirs")
    left = shot.data("resolve", "--list")["conflicts"]
    assert [one["place"] for one in left] == [frame(n) for n in (4, 6, 7, 8)]
    shot("resolve", "render/shot.[0006-0007].png", "--ours")
    assert [one["place"] for one in shot.data("resolve", "--list")["conflicts"]] == [frame(4), frame(8)]
    shot("resolve", "render/shot.[0001-0012].png", "--theirs")
    assert shot("resolve", "--list").out == "No conflict is open.\n"
    found = [(shot.root / frame(n)).read_bytes() for n in range(4, 9)]
    assert found == [png(50, 4), png(50, 5), png(40, 6), png(40, 7), png(50, 8)]
