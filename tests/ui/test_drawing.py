"""What is laid out before it is drawn: lines of branches, treemaps, timelines, and what is remembered."""

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aura_vcs.errors import InputError
from aura_vcs.formats.timeline.model import Clip, Timeline, Track
from aura_vcs.formats.timeline.project_file import read_project
from aura_vcs.history.commit import commit
from aura_vcs.history.init import start_project
from aura_vcs.ui.drawing import CLIPS_LIMIT, draw_timeline
from aura_vcs.ui.lanes import lanes
from aura_vcs.ui.media_kinds import BYTES, kind_of, type_of
from aura_vcs.ui.pages.compare import compare
from aura_vcs.ui.pages.space import read_size
from aura_vcs.ui.remembered import Remembered
from aura_vcs.ui.templating import clock
from aura_vcs.ui.treemap import HEIGHT, WIDTH, Tile, lay_out

from tests.editors.projects import Item, shotcut


def _versions(*lines: tuple[str, str]) -> list[Any]:
    return [SimpleNamespace(id=name, parents=tuple(parents.split())) for name, parents in lines]


def test_a_line_goes_straight_down() -> None:
    """One branch needs one column."""
    rows = lanes(_versions(("c", "b"), ("b", "a"), ("a", "")))
    assert [row.lane for row in rows] == [0, 0, 0]
    assert [row.lines for row in rows] == [((0, 0),), ((0, 0),), ()]
    assert [row.is_first for row in rows] == [True, False, False]


def test_a_merge_and_where_both_parted() -> None:
    """The second parent has a column of its own, which ends at the common version."""
    rows = lanes(_versions(("m", "x y"), ("x", "a"), ("y", "a"), ("a", "")))
    assert [row.lane for row in rows] == [0, 0, 1, 0]
    assert set(rows[0].lines) == {(0, 0), (0, 1)}
    assert set(rows[2].lines) == {(0, 0), (1, 0)}


def test_every_line_arrives() -> None:
    """Of random histories: what leaves a row is what the next one has, and each version gets one line per parent."""
    seeded = random.Random(3)
    for _ in range(50):
        names = [f"v{n}" for n in range(30)]
        lines = [(name, " ".join(seeded.sample(names[n + 1 :], min(len(names) - n - 1, seeded.choice((1, 1, 1, 2))))))
                 for n, name in enumerate(names)]  # fmt: skip
        records = _versions(*lines)
        rows = lanes(records)
        open_lines: set[int] = set()
        for record, row in zip(records, rows, strict=True):
            assert row.is_first == (row.lane not in open_lines)
            assert {start for start, _ in row.lines} - {row.lane} == open_lines - {row.lane}
            assert sum(start == row.lane for start, _ in row.lines) >= len(set(record.parents))
            open_lines = {end for _, end in row.lines}
        assert open_lines == set()


def test_a_treemap_fills_its_room() -> None:
    """Areas are as large as what they stand for; nothing overlaps or sticks out."""
    seeded = random.Random(4)
    tiles = [Tile(str(n), "", seeded.randrange(1, 10_000), f"g{n % 5}") for n in range(120)]
    placed = lay_out([*tiles, Tile("nothing", "", 0, "g0")])
    assert len(placed) == 120
    total = sum(tile.bytes for tile in tiles)
    for tile in placed:
        assert tile.width * tile.height == pytest.approx(WIDTH * HEIGHT * tile.bytes / total, rel=1e-6)
        assert tile.x >= -1e-6
        assert tile.x + tile.width <= WIDTH + 1e-6
        assert tile.y + tile.height <= HEIGHT + 1e-6
    assert lay_out([]) == ()


def test_a_timeline_is_drawn_to_scale() -> None:
    """In percent; of more clips than can be seen the rest is counted."""
    clips = tuple(Clip(f"/c/{n}", "clip", n + 1, start=n * 10, duration=10) for n in range(CLIPS_LIMIT + 7))
    drawn = draw_timeline(Timeline((Track("/t", "V1", "video", clips),), {}, duration=len(clips) * 10), "")
    assert drawn.left_out == 7
    assert len(drawn.tracks[0].clips) == CLIPS_LIMIT
    assert drawn.tracks[0].clips[0].x == 0
    assert drawn.marks[0] == (0.0, "0:00")


@pytest.mark.parametrize(
    ("text", "size"), [("20 GB", 20 * 10**9), ("500m", 500 * 10**6), ("1.5gb", 1_500_000_000), ("7", 7)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    """As people write them."""
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "-1", "1 XB", "1e9", "nan", "inf GB", "9" * 40])
def test_what_is_no_size_says_so(text: str) -> None:
    """With how one is written."""
    with pytest.raises(InputError) as caught:
        read_size(text)
    assert "20 GB" in caught.value.hint


def test_times_as_a_player_shows_them() -> None:
    """Hours only where there are some."""
    assert [clock(ticks * 1_000_000) for ticks in (0, 25, 625, 36_000)] == ["0:00", "0:02.5", "1:02.5", "1:00:00"]


def test_kinds_and_types() -> None:
    """What could run is only ever bytes."""
    assert all(type_of(f"x.{end}") == BYTES for end in ("html", "svg", "pdf", "js", "xml", "swf", "htm", "xhtml", ""))
    assert [kind_of(name) for name in ("a.MXF", "b.tif", "c.aiff", "d.srt", "e.bin")] == [
        "video", "picture", "sound", "text", "other"]  # fmt: skip


def test_what_is_remembered_is_bounded() -> None:
    """The oldest goes; an error is not remembered."""
    known = Remembered(most=2)
    asked: list[int] = []
    for n in (1, 2, 1, 3, 1, 2):
        assert known.get(n, lambda n=n: asked.append(n) or n) == n  # type: ignore[func-returns-value, misc]
    assert asked == [1, 2, 3, 2]


def test_a_clip_that_is_clicked_on_has_its_own_changes_alone(tmp_path: Path) -> None:
    """The clip in front of it was removed, and another one stands where it stood."""
    cuts = (
        {"V1": [Item("sea.mp4"), Item("gull.mp4"), Item("pier.mp4")]},
        {"V1": [Item("gull.mp4", 0, 40), Item("pier.mp4", 0, 20)]},
    )
    with start_project(str(tmp_path / "film"), title="Film") as (repo, _):
        for n, cut in enumerate(cuts, 1):
            (tmp_path / "film" / "t.mlt").write_bytes(shotcut(cut))
            commit(repo, f"v{n}")
        timelines = [read_project("t.mlt", shotcut(cut)) for cut in cuts]
        for side, name, texts in (
            ("new", "gull.mp4", ("trimmed from 2.0 s to 1.6 s",)),
            ("old", "gull.mp4", ("trimmed from 2.0 s to 1.6 s",)),
            ("old", "sea.mp4", ("removed from V1 at 00:00:00:00 (2.0 s)",)),
        ):
            timeline = timelines[0 if side == "old" else 1]
            assert isinstance(timeline, Timeline)
            pointer = next(c.pointer for t in timeline.tracks for c in t.clips if c.name == name)
            found = compare(repo, "v1", "v2", "t.mlt", pointer, side)
            assert found.file is not None
            assert found.file.clip is not None
            assert (found.file.clip.title, found.file.clip.texts) == (name, texts)
