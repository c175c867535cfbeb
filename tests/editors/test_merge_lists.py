"""OpenShot projects, edit lists and subtitles merge without losing, doubling or swapping what is in them."""

import re
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from aura_vcs.compare.merge.file import MergedFile, merge_file, resolve_file
from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.timeline.model import Timeline
from aura_vcs.formats.timeline.project_file import read_project
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.editors import projects
from tests.editors.edits import bounds
from tests.editors.projects import Cut, Item

QUICK = settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
seeds = st.integers(0, 10**6)
MEDIA = tuple(f"{letter}.mp4" for letter in "abcdefgh")

Seen = Counter[tuple[str, str]]
"""How often each thing is in a file: its name and what it plays or says."""


def edit_cut(cut: Cut, random: Random, side: str) -> Cut:
    """Trim, move, delete, insert, retime or rename one clip of the first track, or change tracks."""
    new = {track: list(items) for track, items in cut.items()}
    track = random.choice([name for name, items in new.items() if items])
    items = new[track]
    at = random.randrange(len(items))
    item = items[at]
    match random.choice(("trim", "head", "move", "delete", "insert", "rename")):
        case "trim":
            items[at] = Item(item.media, item.first, max(2, item.length - random.randint(1, 20)), item.gap, id=item.id)
        case "head":
            by = random.randint(1, max(1, item.length // 2))
            items[at] = Item(item.media, item.first + by, max(2, item.length - by), item.gap + by, id=item.id)
        case "move":
            to = new[random.choice(list(new))]
            del items[at]
            to.insert(random.randint(0, len(to)), item)
        case "delete" if sum(map(len, new.values())) > 2:
            del items[at]
        case "rename":
            fresh = f"{side}{random.randrange(10**6)}.mp4"
            items[at] = Item(fresh, item.first, item.length, item.gap, id=item.id)
        case _:
            name = f"{side}{random.randrange(10**6)}"
            # Media of its own: one that is put in must not stand for an equal one that was taken out.
            items.insert(at, Item(f"{name}.mp4", random.randint(500, 900), 25, random.randint(0, 5), id=name))
    return new


def made_cut(random: Random, tracks: int) -> Cut:
    """Some clips on some tracks, each with an id of its own."""
    return {
        f"V{track + 1}": [
            Item(random.choice(MEDIA), random.randint(0, 300), random.randint(10, 90), n % 3, id=f"C{track}{n}")
            for n in range(random.randint(2, 6))
        ]
        for track in range(tracks)
    }


def clips(path: str, data: bytes) -> Seen:
    """Clips by name and media."""
    found = read_project(path, data)
    assert isinstance(found, Timeline), found
    return Counter((clip.name, clip.media) for track in found.tracks for clip in track.clips)


def osp_sides(random: Random) -> list[bytes]:
    base = made_cut(random, 2)
    return [_lasting(projects.openshot(cut), cut) for cut in _sides(base, random)]


def _lasting(data: bytes, cut: Cut) -> bytes:
    """Give each media file the id that it keeps in every save, as OpenShot does."""
    for n, path in enumerate(projects.media_of(cut)):
        data = data.replace(f'"F{n}"'.encode(), f'"file of {path}"'.encode())
    return data


def edl_sides(random: Random) -> list[bytes]:
    base = made_cut(random, 1)
    return [projects.edl(cut) for cut in _sides(base, random)]


def _sides(base: Cut, random: Random) -> list[Cut]:
    result = [base]
    for side in ("ours", "hers"):
        cut = base
        for _ in range(random.randint(1, 3)):
            cut = edit_cut(cut, random, side)
        result.append(cut)
    return result


Cue = tuple[int, int, str]
"""From when to when it shows, in milliseconds, and what it says."""


def subtitles(cues: list[Cue], vtt: bool) -> bytes:
    """The cues, numbered."""
    point = "." if vtt else ","

    def clock(at: int) -> str:
        return f"{at // 3_600_000:02d}:{at // 60_000 % 60:02d}:{at // 1000 % 60:02d}{point}{at % 1000:03d}"

    blocks = [f"{n}\n{clock(a)} --> {clock(b)}\n{text}\n" for n, (a, b, text) in enumerate(cues, 1)]
    return ("WEBVTT\n\n" * vtt + "\n".join(blocks)).encode()


def cues_of(_path: str, data: bytes) -> Seen:
    """Cues by their text and how often."""
    found = re.findall(r"\d+:\d+:\d+[.,]\d+ --> \d+:\d+:\d+[.,]\d+\n((?:.+\n)+)", data.decode() + "\n")
    return Counter((text.strip(), "") for text in found)


def edit_cues(cues: list[Cue], random: Random, side: str) -> list[Cue]:
    """Put in, take out, retime or reword one cue."""
    new = list(cues)
    at = random.randrange(len(new))
    start, end, text = new[at]
    match random.choice(("insert", "delete", "retime", "reword")):
        case "insert":
            words = f"{side} says {random.randrange(10**6)}"
            new.insert(at + 1, (end + random.randint(1, 200), end + random.randint(300, 900), words))
        case "delete" if len(new) > 2:
            del new[at]
        case "retime":
            new[at] = (start + random.randint(1, 90), end + random.randint(100, 190), text)
        case _:
            new[at] = (start, end, f"{side} {text} {random.randrange(10**6)}")
    return new


def cue_sides(random: Random, vtt: bool) -> list[bytes]:
    base = [(n * 3000, n * 3000 + 1500, f"Line {n} of the film") for n in range(random.randint(3, 9))]
    result = [base]
    for side in ("ours", "hers"):
        cues = base
        for _ in range(random.randint(1, 3)):
            cues = edit_cues(cues, random, side)
        result.append(cues)
    return [subtitles(cues, vtt) for cues in result]


Kind = tuple[str, Callable[[Random], list[bytes]], Callable[[str, bytes], Seen]]
KINDS: dict[str, Kind] = {
    "openshot": ("t.osp", osp_sides, clips),
    "edit list": ("t.edl", edl_sides, clips),
    "srt": ("t.srt", lambda random: cue_sides(random, vtt=False), cues_of),
    "vtt": ("t.vtt", lambda random: cue_sides(random, vtt=True), cues_of),
}


def is_open(merged: MergedFile) -> bool:
    return bool(merged.conflicts or merged.text_conflicts or merged.mixed)


@pytest.mark.parametrize("kind", KINDS)
@QUICK
@given(seed=seeds)
def test_one_sided_edits_always_land(kind: str, seed: int) -> None:
    """merge(a, a, b) is b, merge(a, b, a) too, and an unedited file is as it was, byte for byte."""
    path, sides, _ = KINDS[kind]
    base, changed, _ = sides(Random(seed))
    assert merge_file(path, base, base, base).data == base
    for ours, theirs in ((base, changed), (changed, base), (changed, changed)):
        merged = merge_file(path, base, ours, theirs)
        assert merged.data == changed
        assert not is_open(merged)


@pytest.mark.parametrize("kind", KINDS)
@QUICK
@given(seed=seeds)
def test_edits_of_both_sides_lose_and_double_nothing(kind: str, seed: int) -> None:
    """Whatever both did, in whichever order; where nothing is asked, what each put in and what nobody took is there."""
    path, sides, seen = KINDS[kind]
    base, ours, theirs = sides(Random(seed))
    was, here, there = (seen(path, data) for data in (base, ours, theirs))
    for one, other in ((ours, theirs), (theirs, ours)):
        merged = merge_file(path, base, one, other)
        if merged.data is None:
            assert merged.reason
            continue
        if is_open(merged):
            continue
        now = seen(path, merged.data)
        assert set(now) <= set(was) | set(here) | set(there)
        for key in set(was) | set(here) | set(there):
            least, most = bounds(was[key], here[key], there[key])
            assert least <= now[key] <= most, (key, was[key], here[key], there[key], now[key])


@pytest.mark.parametrize("vtt", [False, True], ids=["srt", "vtt"])
def test_cues_that_both_changed_are_asked_about_and_counted_anew(vtt: bool) -> None:
    """A question, not two files; whatever is decided, in whichever order, the numbers count up."""
    path = "t.vtt" if vtt else "t.srt"
    base: list[Cue] = [(n * 3000, n * 3000 + 1500, f"Line {n} of the film") for n in range(6)]
    ours = [
        *base[:1],
        (3000, 4500, "Ours says more"),
        (4600, 4700, "and more"),
        *base[2:4],
        (12000, 13500, "Our end"),
        base[5],
    ]
    theirs = [
        (0, 900, "Put in"),
        (1000, 1500, "in front"),
        (3000, 4500, "Hers"),
        *base[2:4],
        (12000, 13500, "Her end"),
        base[5],
    ]
    sides = [subtitles(cues, vtt) for cues in (base, ours, theirs)]
    for first in (0, 1):
        merged = merge_file(path, *sides)
        assert merged.data is not None, merged.reason
        assert is_open(merged)
        assert _numbers(merged.data) == list(range(1, len(_numbers(merged.data)) + 1))
        assert len(merged.text_conflicts) >= 2
        for conflict in merged.text_conflicts:
            lines = merged.data.decode().splitlines(keepends=True)
            assert "".join(lines[conflict.line - 1 :]).startswith(conflict.ours)
        choice = "theirs" if first else "both"
        while merged.text_conflicts:
            place = merged.text_conflicts[-1 if first else 0].line
            merged = resolve_file(merged.data, merged, str(place), choice)  # type: ignore[arg-type]
            assert merged.data is not None
            assert _numbers(merged.data) == list(range(1, len(_numbers(merged.data)) + 1))
        if first:
            assert merged.data == sides[2]


def test_a_cue_that_both_moved_is_not_there_twice() -> None:
    """Nothing is merged then, and the reason names it."""
    base: list[Cue] = [(n * 3000, n * 3000 + 1500, f"Line {n} of the film") for n in range(8)]
    ours = [base[0], *base[2:5], (14000, 14900, base[1][2]), *base[5:]]
    theirs = [base[0], *base[2:], (23000, 23900, base[1][2])]
    merged = merge_file("t.srt", *(subtitles(cues, vtt=False) for cues in (base, ours, theirs)))
    assert merged.data is None
    assert "Line 1 of the film" in merged.reason


def _numbers(data: bytes) -> list[int]:
    return [int(number) for number in re.findall(r"(?m)^(\d+)\r?\n\d\d:\d\d", data.decode())]


def test_an_event_whose_reel_has_spaces_is_an_event() -> None:
    """As a note of the event in front it would keep its times when both sides ripple."""
    base: Cut = {"V1": [Item("my sea.mov", 0, 50), Item("the gull.mov", 10, 40), Item("pier.mov", 0, 25)]}
    first, second, last = base["V1"]
    ours: Cut = {"V1": [Item("my sea.mov", 0, 30), second, last]}
    theirs: Cut = {"V1": [first, second, Item("new one.mov", 5, 20), last]}
    merged = merge_file("t.edl", *(projects.edl(cut) for cut in (base, ours, theirs)))
    assert (merged.by, merged.conflicts, merged.reason) == ("timeline", (), "")
    assert merged.data == projects.edl({"V1": [Item("my sea.mov", 0, 30), second, Item("new one.mov", 5, 20), last]})


@pytest.mark.parametrize("odd", [b"         V     C   ", b"sea      V     X   ", b"sea      V     C 1 2 3 "])
def test_an_event_in_a_form_that_is_not_read_stays_nowhere_unseen(odd: bytes) -> None:
    """Without a reel, or of a kind that is not known: the list is not looked into, and both are kept."""
    base = projects.edl({"V1": [Item("sea.mov", 0, 50), Item("gull.mov", 10, 40)]})
    strange = re.sub(rb"(?m)^002 .*? C +", b"002  " + odd, base)
    assert strange != base
    found = read_project("t.edl", strange)
    assert isinstance(found, Unstructured)
    assert found.reason == "line 6 is an event that is not understood"
    merged = merge_file("t.edl", strange, strange.replace(b"01:00:02:00", b"01:00:01:00"), strange + b"* NOTE: x\n")
    assert merged.data is None
    assert "not understood" in merged.reason
