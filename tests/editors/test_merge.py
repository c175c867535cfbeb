"""Projects of editors are merged by clip: nothing is lost, doubled or plays other media; an editor opens the result."""

import json
import re
import shutil
import subprocess
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from aura_vcs.compare.merge.cut_model import MergedCut
from aura_vcs.compare.merge.file import merge_file, resolve_file
from aura_vcs.compare.merge.project import is_project
from aura_vcs.formats.timeline.model import Timeline
from aura_vcs.formats.timeline.project_file import read_project
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.editors import projects
from tests.editors.edits import bounds, edit_pieces, edited, meant, open_cut, played, renumbered, saved
from tests.editors.projects import OWN, Cut, Item, samples
from tests.helpers.sampling import SEED

CUT: Cut = {
    "V1": [Item("a.mp4", 0, 50), Item("b.mp4", 0, 50, gap=100), Item("c.mp4", 9, 70), Item("a.mp4", 200, 33, gap=7)],
    "V2": [Item("a.mp4", 0, 40, gap=3), Item("d.mp4", 0, 20)],
    "A1": [Item("w.wav", 4, 90), Item("x.wav", 4, 90, gap=12)],
}
MADE = {
    "made.kdenlive": projects.kdenlive(CUT),
    "comma.kdenlive": projects.kdenlive(CUT, comma=True),
    "made.mlt": projects.shotcut(CUT),
    "made.fcpxml": projects.fcpxml(CUT),
    "made.rpp": projects.reaper(CUT),
    "real.kdenlive": (OWN / "alpha.kdenlive").read_bytes(),
}
REAL = [path for path in samples("kdenlive", "mlt", "edl", "fcpxml", "rpp") if is_project(path.read_bytes())]
QUICK = settings(max_examples=12, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
seeds = st.integers(0, 10**6)


def clips(path: str, data: bytes) -> list[tuple[str, str, float, float]]:
    """Track, name, start and length in frames."""
    found = read_project(path, data)
    assert isinstance(found, Timeline), found
    return [(t.name, c.name, c.start * 25 // 10**7, c.duration * 25 // 10**7) for t in found.tracks for c in t.clips]


def media(path: str, data: bytes) -> Counter[tuple[str, str]]:
    """What is played, by the name that the editor shows."""
    found = read_project(path, data)
    assert isinstance(found, Timeline), found
    return Counter((c.name, c.media) for t in found.tracks for c in t.clips)


@pytest.mark.parametrize("write", [projects.kdenlive, projects.shotcut], ids=["kdenlive", "shotcut"])
def test_our_clip_never_plays_their_media(write: object) -> None:
    """Theirs puts hers.mp4 in front, and every id moves on: merged by line, our clip would play it."""
    base: Cut = {"V1": [Item("a.mp4", 0, 50), Item("b.mp4", 0, 50)]}
    ours: Cut = {"V1": [*base["V1"], Item("a.mp4", 100, 25)]}
    theirs: Cut = {"V1": [Item("hers.mp4", 0, 40), *base["V1"]]}
    sides = [write(cut) for cut in (base, ours)]  # type: ignore[operator]
    last = (
        projects.kdenlive(theirs, order=["hers.mp4", "a.mp4", "b.mp4"])
        if write is projects.kdenlive
        else projects.shotcut(theirs)
    )
    merged = merge_file("trip.kdenlive", sides[0], sides[1], last)
    assert (merged.by, merged.conflicts, merged.reason) == ("timeline", (), "")
    assert merged.data is not None
    assert clips("trip.kdenlive", merged.data) == [
        ("V1", "hers.mp4", 0, 40), ("V1", "a.mp4", 40, 50), ("V1", "b.mp4", 90, 50), ("V1", "a.mp4", 140, 25),
    ]  # fmt: skip
    names = re.findall(rb' id="([^"]+)"', merged.data)
    assert len(names) == len(set(names))


def test_a_file_has_one_form_of_decimals() -> None:
    """Hers are written with points, ours with commas: what is merged has commas only."""
    theirs: Cut = {**CUT, "V2": [*CUT["V2"], Item("b.mp4", 10, 31, effects=(("volume", "level", "-3.5"),))]}
    merged = merge_file(
        "t.kdenlive",
        MADE["comma.kdenlive"],
        projects.kdenlive(CUT, comma=True, settings={"note": "x"}),
        projects.kdenlive(theirs),
    )
    assert merged.data is not None, merged.reason
    assert b"-3,5" in merged.data
    assert re.search(rb"\d\d:\d\d:\d\d\.\d", merged.data) is None


def test_a_trim_and_a_move_of_one_clip_both_land() -> None:
    """One shortened it, the other took it to another track."""
    ours: Cut = {**CUT, "V1": [*CUT["V1"][:3], Item("a.mp4", 200, 20, gap=7)]}
    theirs: Cut = {**CUT, "V1": CUT["V1"][:3], "V2": [*CUT["V2"], Item("a.mp4", 200, 33, gap=20)]}
    merged = merge_file("t.kdenlive", *(projects.kdenlive(cut) for cut in (CUT, ours, theirs)))
    assert merged.data is not None, merged.reason
    assert merged.conflicts == ()
    assert ("V2", "a.mp4", 83, 20) in clips("t.kdenlive", merged.data)
    assert sum(name == "a.mp4" for _, name, _, _ in clips("t.kdenlive", merged.data)) == 3


def test_kept_empty_time_is_shared() -> None:
    """Both put a clip into one gap, at different places: the clip behind the gap stays where it is."""
    ours: Cut = {
        **CUT,
        "V1": [CUT["V1"][0], Item("c.mp4", 0, 20, gap=10), Item("b.mp4", 0, 50, gap=70), *CUT["V1"][2:]],
    }
    theirs: Cut = {
        **CUT,
        "V1": [CUT["V1"][0], Item("d.mp4", 0, 20, gap=50), Item("b.mp4", 0, 50, gap=30), *CUT["V1"][2:]],
    }
    merged = merge_file("t.kdenlive", *(projects.kdenlive(cut) for cut in (CUT, ours, theirs)))
    assert merged.data is not None, merged.reason
    assert clips("t.kdenlive", merged.data)[:4] == [
        ("V1", "a.mp4", 0, 50), ("V1", "c.mp4", 60, 20), ("V1", "d.mp4", 100, 20), ("V1", "b.mp4", 150, 50),
    ]  # fmt: skip


def test_two_trims_of_one_end_are_a_question_and_decided_by_clip() -> None:
    """Ours stands until somebody decides; theirs can be taken later, the rest of the file stays as it is."""
    ours: Cut = {**CUT, "V1": [Item("a.mp4", 0, 40), Item("b.mp4", 0, 50, gap=110), *CUT["V1"][2:]]}
    theirs: Cut = {**CUT, "V1": [Item("a.mp4", 0, 30), Item("b.mp4", 0, 50, gap=120), *CUT["V1"][2:]]}
    merged = merge_file("t.kdenlive", *(projects.kdenlive(cut) for cut in (CUT, ours, theirs)))
    assert merged.data is not None, merged.reason
    assert [(c.kind, c.pointer) for c in merged.conflicts] == [("changed", "/clips/V1 a.mp4/played")]
    assert clips("t.kdenlive", merged.data)[:2] == [("V1", "a.mp4", 0, 40), ("V1", "b.mp4", 150, 50)]
    done = resolve_file(merged.data, merged, "/clips/V1 a.mp4", "theirs")
    assert done.data is not None
    assert clips("t.kdenlive", done.data)[:2] == [("V1", "a.mp4", 0, 30), ("V1", "b.mp4", 150, 50)]
    assert done.conflicts == ()


def test_what_one_removed_and_the_other_changed_stays() -> None:
    """Until somebody decides."""
    ours: Cut = {**CUT, "A1": [Item("w.wav", 4, 60), Item("x.wav", 4, 90, gap=42)]}
    theirs: Cut = {**CUT, "A1": [Item("x.wav", 4, 90, gap=102)]}
    merged = merge_file("t.kdenlive", *(projects.kdenlive(cut) for cut in (CUT, ours, theirs)))
    assert merged.data is not None, merged.reason
    assert [(c.kind, c.pointer) for c in merged.conflicts] == [("removed_by_theirs", "/clips/A1 w.wav")]
    assert ("A1", "w.wav", 0, 60) in clips("t.kdenlive", merged.data)
    done = resolve_file(merged.data, merged, "/clips/A1 w.wav", "theirs")
    assert done.data is not None
    assert [c for c in clips("t.kdenlive", done.data) if c[0] == "A1"] == [("A1", "x.wav", 102, 90)]


@pytest.mark.parametrize("path", [*MADE, *REAL], ids=lambda path: str(path)[-30:])
def test_a_project_with_no_edit_comes_back_byte_for_byte(path: str | Path) -> None:
    """Written from what was read."""
    data = MADE[path] if isinstance(path, str) else path.read_bytes()
    file = open_cut(data)
    assert file.write(MergedCut(file.cut.pieces, file.cut.rest), {p.id: p.id for p in file.cut.pieces}) == data


@QUICK
@given(seed=seeds, name=st.sampled_from(sorted(MADE)))
def test_one_sided_edits_always_land(seed: int, name: str) -> None:
    """merge(a, a, b) is b, and merge(a, b, a) too, byte for byte."""
    base = MADE[name]
    changed = edited(base, Random(seed), times=3)
    for ours, theirs in ((base, changed), (changed, base)):
        merged = merge_file(name, base, ours, theirs)
        assert merged.data == changed
        assert merged.conflicts == ()


@QUICK
@given(seed=seeds, name=st.sampled_from(sorted(MADE)))
def test_edits_of_both_sides_lose_and_double_nothing(seed: int, name: str) -> None:
    """Whatever both did, in whichever order it is merged; ids given anew on one side."""
    random = Random(seed)
    base = MADE[name]
    ours = edited(base, random, times=random.randint(1, 3))
    theirs = renumbered(edited(base, random, times=random.randint(1, 3)), random)
    was, here, there = (media(name, side) for side in (base, ours, theirs))
    for one, other in ((ours, theirs), (theirs, ours)):
        merged = merge_file(name, base, one, other)
        if merged.data is None:
            assert merged.reason.startswith("not merged by clip: ")
            continue
        now = media(name, merged.data)
        assert set(now) <= set(was) | set(here) | set(there)
        for key in set(was) | set(here) | set(there):
            least, most = bounds(was[key], here[key], there[key])
            if merged.conflicts:
                least, most = 0, here[key] + there[key]
            assert least <= now[key] <= most


@pytest.mark.parametrize(
    ("counts", "least", "most"),
    [
        ((2, 1, 1), 0, 1),  # both took out one: the same one, or each another
        ((3, 2, 3), 2, 2),
        ((1, 1, 0), 0, 0),
        ((1, 2, 0), 1, 1),
        ((1, 2, 2), 3, 3),
    ],
)
def test_the_bounds_of_equal_clips(counts: tuple[int, int, int], least: int, most: int) -> None:
    """How many of before both, ours and theirs are in a merge where nothing is asked."""
    assert bounds(*counts) == (least, most)


@pytest.mark.parametrize("count", [2, pytest.param(150, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name[-30:])
def test_every_clip_is_as_the_side_that_changed_it_has_it(path: Path, count: int) -> None:
    """Random edits of real projects: what should come out is worked out from who did what to which clip.

    Of twins, clips that are equal in all but their place, one may stand for the other.
    """
    data, random = path.read_bytes(), Random(f"{SEED} {path.name}")
    file = open_cut(data)
    base = file.cut.pieces
    has_twins = len(played(base)) < len(base) or len({(p.media, p.first) for p in base}) < len(base)
    for _ in range(count if len(base) > 1 else 0):
        sides = [edit_pieces(file, random, times=random.randint(1, 3)) for _ in range(2)]
        if not all(sides):
            continue  # an edit list without an event is none
        ours, theirs = (saved(file, side) for side in sides)
        theirs = renumbered(theirs, random)
        for names, one, other in ((sides, ours, theirs), (sides[::-1], theirs, ours)):
            merged = merge_file(path.name, data, one, other)
            if merged.data is None or merged.conflicts:
                continue  # told, and nothing is lost
            wanted, found = meant(base, *names), played(open_cut(merged.data).cut.pieces)
            if wanted is not None and not has_twins:
                assert found == wanted
            told = [played(side) for side in (base, *names)]
            for part in range(4):  # the track, where it begins, where it ends: somebody has each, with this media
                known = {(clip[1], clip[part]) for side in told for clip in side}
                assert {(clip[1], clip[part]) for clip in found} <= known


def test_groups_of_kdenlive_follow_their_clips() -> None:
    """Theirs pulls everything forward and takes a grouped clip out: a group names the places that there are now."""

    def grouped(cut: Cut, *leaves: str) -> bytes:
        children = [{"data": leaf, "leaf": "clip", "type": "Leaf"} for leaf in leaves]
        groups = json.dumps([{"children": children, "type": "Normal"}], indent=4)
        prop = f'<property name="kdenlive:sequenceproperties.groups">{groups}</property>'
        mark = '<property name="kdenlive:clipname">Sequence 1</property>'
        return projects.kdenlive(cut).replace(mark.encode(), f"{mark}\n  {prop}".encode())

    base: Cut = {"Black": [], "V1": [Item("a.mp4", 0, 50), Item("b.mp4", 0, 50), Item("c.mp4", 0, 30)], "V2": []}
    ours: Cut = {**base, "V1": [*base["V1"], Item("d.mp4", 7, 20)]}
    theirs: Cut = {**base, "V1": [Item("a.mp4", 0, 20), base["V1"][1]], "V2": [Item("c.mp4", 0, 30, gap=70)]}
    leaves = ("0:0", "0:50", "0:100")
    merged = merge_file("t.kdenlive", grouped(base, *leaves), grouped(ours, *leaves), projects.kdenlive(theirs))
    assert merged.data is not None, merged.reason
    assert clips("t.kdenlive", merged.data)[:3] == [
        ("V1", "a.mp4", 0, 20), ("V1", "b.mp4", 20, 50), ("V1", "d.mp4", 100, 20),
    ]  # fmt: skip
    assert re.findall(rb'"data": "([^"]+)"', merged.data) == [b"0:0", b"0:20", b"1:70"]


COLOURS = {"a.mp4": "#ff0000", "b.mp4": "#00ff00", "c.mp4": "#0000ff", "d.mp4": "#ffff00", "hers.mp4": "#ff00ff"}


def rendered(data: bytes, folder: Path, frames: int) -> list[Path]:
    """Frames that melt makes of a project, each media a colour."""
    data = data.replace(b"avformat-novalidate", b"color").replace(b"<chain ", b"<producer ")
    data = data.replace(b"</chain>", b"</producer>")
    for path, colour in COLOURS.items():
        data = data.replace(f">{path}<".encode(), f">{colour}<".encode())
    (folder / "merged.mlt").write_bytes(data)
    consumer = ["-consumer", f"avformat:{folder}/f%03d.ppm", "vcodec=ppm", "s=16x16", "an=1", "real_time=-1"]
    environment = {"PATH": "/usr/bin:/bin", "QT_QPA_PLATFORM": "offscreen", "HOME": str(folder)}
    for _ in range(3):  # on a busy machine melt sometimes does not end, after its last frame or before
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(
                ["melt", str(folder / "merged.mlt"), *consumer],
                stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False, env=environment,
            )  # fmt: skip
        found = sorted(folder.glob("f*.ppm"))
        if len(found) >= frames:
            break
    return found


@pytest.mark.skipif(shutil.which("melt") is None, reason="melt is not installed")
@pytest.mark.parametrize("name", ["made.kdenlive", "made.mlt"])
def test_what_is_merged_plays_in_melt(name: str, tmp_path: Path) -> None:
    """A frame inside each clip has the colour of the media that was meant, whatever both sides did."""
    write = projects.kdenlive if name.endswith("kdenlive") else projects.shotcut
    base: Cut = {"V1": [Item(path, 0, 20) for path in ("a.mp4", "b.mp4", "c.mp4", "a.mp4")]}
    ours: Cut = {"V1": [base["V1"][0], Item("b.mp4", 0, 11), *base["V1"][2:], Item("d.mp4", 0, 20)]}
    theirs: Cut = {"V1": [Item("hers.mp4", 0, 20), *base["V1"][:2], base["V1"][3], Item("c.mp4", 0, 20, gap=10)]}
    merged = merge_file(name, *(write(cut) for cut in (base, ours, theirs)))
    assert merged.data is not None, merged.reason
    assert merged.conflicts == ()
    meant = [(start, length, media) for _, media, start, length in clips(name, merged.data)]
    assert {media for _, _, media in meant} == set(COLOURS)
    frames = rendered(merged.data, tmp_path, meant[-1][0] + meant[-1][1] - 1)
    for start, length, path in meant:
        pixel = frames[start + length // 2].read_bytes()[-(7 * 16 + 8) * 3 :][:3]
        colour = bytes.fromhex(COLOURS[path][1:])
        assert all(abs(a - b) < 40 for a, b in zip(pixel, colour, strict=True)), (start, path, pixel)


def test_openshot_projects_merge_by_clip_and_without_noise() -> None:
    """Two clips added, one on each side; the undo list, the playhead and floats that were rounded anew ask nothing."""
    base = projects.openshot(CUT).replace(b'"position": 6.0', b'"position": 6.083333333333334')
    ours, theirs = json.loads(base), json.loads(base.replace(b"6.083333333333334", b"6.0833333333333"))
    for side, name, at in ((ours, "OURS", 20.5), (theirs, "THEIRS", 31.25)):
        side["clips"].append({**side["clips"][0], "id": name, "position": at})
        side["history"] = {"undo": [{"type": "insert", "by": name}], "redo": []}
        side["playhead_position"] = at
    merged = merge_file("t.osp", base, json.dumps(ours, indent=1).encode(), json.dumps(theirs, indent=1).encode())
    assert merged.data is not None, merged.reason
    assert merged.conflicts == ()
    value = json.loads(merged.data)
    assert [clip["id"] for clip in value["clips"]][-2:] in (["OURS", "THEIRS"], ["THEIRS", "OURS"])
    assert len(value["clips"]) == len(ours["clips"]) + 1
    assert b"6.083333333333334" in merged.data
    assert value["history"] == ours["history"]


def test_events_of_an_edit_list_merge_renumbered_and_rippled() -> None:
    """An event put in on each side: numbers and record times follow, and nobody is asked."""
    cut: Cut = {"V1": [Item(f"shot{n}.mov", 10 * n, 50) for n in range(6)]}
    ours: Cut = {"V1": [*cut["V1"][:2], Item("ours.mov", 0, 25), *cut["V1"][2:]]}
    theirs: Cut = {"V1": [*cut["V1"][:4], Item("hers.mov", 0, 10), *cut["V1"][4:]]}
    both: Cut = {"V1": [*ours["V1"][:5], Item("hers.mov", 0, 10), *cut["V1"][4:]]}
    merged = merge_file("cut.edl", projects.edl(cut), projects.edl(ours), projects.edl(theirs))
    assert (merged.by, merged.conflicts, merged.reason) == ("timeline", (), "")
    assert merged.data == projects.edl(both)
    swapped = merge_file("cut.edl", projects.edl(cut), projects.edl(theirs), projects.edl(ours))
    assert swapped.data == projects.edl(both)


def test_media_may_have_the_id_of_the_black_track() -> None:
    """What is played under it is not lengthened with the project."""

    def called_black(cut: Cut) -> bytes:
        data = projects.kdenlive(cut).replace(b"<chain ", b"<producer ").replace(b"</chain>", b"</producer>")
        return data.replace(b'"chain0"', b'"black"')

    ours: Cut = {**CUT, "A1": [*CUT["A1"], Item("w.wav", 0, 4000)]}
    theirs: Cut = {**CUT, "V2": [*CUT["V2"], Item("b.mp4", 10, 31)]}
    for one, other in ((ours, theirs), (theirs, ours)):
        merged = merge_file("t.kdenlive", *(called_black(cut) for cut in (CUT, one, other)))
        assert merged.data is not None, merged.reason
        assert (merged.by, merged.conflicts) == ("timeline", ())
        assert len(clips("t.kdenlive", merged.data)) == 10
