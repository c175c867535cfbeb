"""Two changes of one clip: both land, or somebody is asked; never two clips in silence, and never one lost."""

import json
import re
from collections.abc import Callable

import pytest
from aura_vcs.compare.merge.file import merge_file, resolve_file
from aura_vcs.formats.timeline.model import Timeline
from aura_vcs.formats.timeline.project_file import read_project
from msgspec import structs

from tests.editors import projects
from tests.editors.projects import Cut, Item

Items = list[Item]
Change = Callable[[Items, int], Items]

BASE: Items = [
    Item("a.mp4", 10, 50, id="A"),
    Item("b.mp4", 20, 40, gap=5, id="B"),
    Item("x.mp4", 100, 60, gap=12, id="X"),
    Item("d.mp4", 30, 45, gap=25, id="D"),
    Item("e.mp4", 5, 30, id="E"),
]


def event(items: Items) -> tuple[int, int]:
    """Where the clip stands, or what was made of it: from, to (exclusive)."""
    places = [n for n, item in enumerate(items) if item.id.startswith("X")]
    return (places[0], places[-1] + 1) if places else (0, 0)


def each(items: Items, **changes: object) -> Items:
    start, end = event(items)
    return [*items[:start], *(structs.replace(item, **changes) for item in items[start:end]), *items[end:]]


def trim(items: Items, n: int) -> Items:
    _, end = event(items)
    return [structs.replace(i, length=i.length - 10 * n) if k == end - 1 else i for k, i in enumerate(items)]


def trim_head(items: Items, n: int) -> Items:
    start, end = event(items)
    if start == end:
        return items
    old = items[start]
    new = structs.replace(old, first=old.first + 6 * n * old.speed, length=old.length - 6 * n)
    return [*items[:start], new, *items[start + 1 :]]


def move(items: Items, n: int) -> Items:
    start, end = event(items)
    rest = [*items[:start], *items[end:]]
    at = 0 if n == 1 else len(rest)
    return [*rest[:at], *items[start:end], *rest[at:]]


def slide(items: Items, n: int) -> Items:
    """A bit later; what is behind stays where it is."""
    start, end = event(items)
    if start == end or end == len(items):
        return items
    new = list(items)
    new[start] = structs.replace(new[start], gap=new[start].gap + 5 * n)
    new[end] = structs.replace(new[end], gap=max(0, new[end].gap - 5 * n))
    return new


def delete(items: Items, n: int) -> Items:
    start, end = event(items)
    return [*items[:start], *items[end:]]


def replace(items: Items, n: int) -> Items:
    return each(items, media=f"new{n}.mp4", first=7 * n)


def replace_longer(items: Items, n: int) -> Items:
    return each(items, media=f"more{n}.mp4", first=7 * n, length=60 + 9 * n)


def put_another(items: Items, n: int) -> Items:
    """Take it out and put a new clip there, with an id of its own where clips have ids."""
    start, end = event(items)
    new = [
        structs.replace(i, media=f"other{n}.mp4", length=i.length + 9 * n, id=f"{i.id}new{n}") for i in items[start:end]
    ]
    return [*items[:start], *new, *items[end:]]


def retime(items: Items, n: int) -> Items:
    return each(items, speed=1 + n)


def split(items: Items, n: int) -> Items:
    """Cut it in two at a place of its media."""
    point = 115 + 14 * n
    start, end = event(items)
    for k in range(start, end):
        old = items[k]
        by, rest = divmod(point - old.first, old.speed)
        if old.media == "x.mp4" and not rest and 0 < by < old.length:
            front = structs.replace(old, length=by)
            back = structs.replace(old, first=point, length=old.length - by, gap=0, id=f"{old.id}{n}")
            return [*items[:k], front, back, *items[k + 1 :]]
    return items


def rename(items: Items, n: int) -> Items:
    return each(items, called=f"called {n}")


def openshot(cut: Cut) -> bytes:
    """Media files with the ids that they keep in every save."""
    data = projects.openshot(cut)
    for n, path in enumerate(projects.media_of(cut)):
        data = data.replace(f'"F{n}"'.encode(), f'"file of {path}"'.encode())
    return data


CHANGES = (trim, trim_head, move, slide, delete, replace, replace_longer, put_another, retime, split, rename)
OTHER_MEDIA = {replace, replace_longer, put_another}
ONE_VALUE = {rename, retime, move, *OTHER_MEDIA}
"""Of two such changes that differ, one would be lost."""
WRITERS: dict[str, Callable[[Cut], bytes]] = {
    "t.edl": projects.edl,
    "t.rpp": projects.reaper,
    "t.mlt": projects.shotcut,
    "t.kdenlive": projects.kdenlive,
    "t.fcpxml": projects.fcpxml,
    "t.otio": projects.otio,
    "t.osp": openshot,
}


def story(path: str, data: bytes) -> list[tuple[object, ...]]:
    """The clips in order: what each plays, from where, for how long, and how fast."""
    found = read_project(path, data)
    assert isinstance(found, Timeline), found
    clips = sorted((clip for track in found.tracks for clip in track.clips), key=lambda clip: clip.start)
    return [(c.name, c.media, c.source_start, c.duration, c.speed) for c in clips]


DECIDED = {"t.edl", "t.rpp", "t.mlt", "t.kdenlive", "t.fcpxml", "t.otio", "t.osp"}
"""Formats in which a clip is decided as one."""


def must_ask(one: Change, other: Change) -> bool:
    """Whether two different changes cannot both land."""
    if one is other:
        return one in ONE_VALUE
    return delete in {one, other} or {one, other} <= OTHER_MEDIA


@pytest.mark.parametrize("path", WRITERS)
@pytest.mark.parametrize("one", CHANGES, ids=lambda change: change.__name__)
def test_two_changes_of_one_clip_both_land_or_are_asked_about(path: str, one: Change) -> None:
    """Whichever side made which; what is asked about can be decided for either side, and is as that has it then."""
    for other in CHANGES:
        write = WRITERS[path]
        first, second = one(BASE, 1), other(BASE, 2)
        base, here, there = (write({"V1": items}) for items in (BASE, first, second))
        both = [story(path, write({"V1": items})) for items in (other(first, 2), one(second, 1))]
        for ours, theirs in ((here, there), (there, here)):
            called = f"{one.__name__} and {other.__name__}"
            merged = merge_file(path, base, ours, theirs)
            if merged.data is None or not merged.conflicts:
                assert merged.data is not None or merged.reason
                assert merged.data is None or ours == theirs or not must_ask(one, other), f"{called}: not asked"
                assert merged.data is None or story(path, merged.data) in both, called
                continue
            if {one, other} & OTHER_MEDIA and split not in {one, other}:
                assert len(story(path, merged.data)) == len(BASE), f"{called}: not one clip while that is open"
            for choice, side in (("ours", ours), ("theirs", theirs)):
                decided = resolve_file(merged.data, merged, "", choice)  # type: ignore[arg-type]
                assert decided.data is not None
                found = sorted(story(path, decided.data), key=str)
                wanted = [sorted(told, key=str) for told in (story(path, side), *both)]
                assert path not in DECIDED or found in wanted, f"{called}: {choice}"


def test_in_openshot_no_clip_is_put_over_one_that_the_other_side_moved_there() -> None:
    """Places are values there: ours moves everything, theirs puts a clip where the last one stands by then."""
    ours = [Item("n.mp4", 0, 40, id="N"), *BASE]
    theirs = [*BASE, Item("late.mp4", 3, 50, id="L")]
    for sides in ((ours, theirs), (theirs, ours)):
        merged = merge_file("t.osp", *(openshot({"V1": items}) for items in (BASE, *sides)))
        assert merged.data is None
        assert "two clips would lie on one another that do so on neither side" in merged.reason
    shorter = [structs.replace(BASE[0], length=40), *BASE[1:]]
    merged = merge_file("t.osp", *(openshot({"V1": items}) for items in (BASE, shorter, theirs)))
    assert merged.data is not None, merged.reason
    covering = openshot({"V1": BASE}).replace(b'"position": 2.2', b'"position": 1.2')
    assert covering != openshot({"V1": BASE}), "a clip lies over another"
    merged = merge_file("t.osp", openshot({"V1": BASE}), covering, openshot({"V1": theirs}))
    assert merged.data is not None, "as one side had it"


def test_a_clip_of_openshot_is_one_question_and_its_media_stay() -> None:
    """Trimmed here, replaced there: no trim of one side with media of the other, and nothing leads nowhere."""
    base, ours, theirs = (openshot({"V1": items}) for items in (BASE, trim(BASE, 1), put_another(BASE, 2)))
    merged = merge_file("t.osp", base, ours, theirs)
    about = [conflict for conflict in merged.conflicts if not conflict.pointer.endswith("/position")]
    assert [conflict.pointer for conflict in about] == ["/clips/2"]
    assert merged.data is not None
    files = {file["path"] for file in json.loads(merged.data)["files"]}
    assert {"x.mp4", "other2.mp4"} <= files


def test_what_is_kept_twice_says_what_to_do() -> None:
    """Items without ids, and Final Cut 7 XML."""
    cuts = [{"V1": items} for items in (BASE, trim(BASE, 1), rename(BASE, 2))]
    bare = [re.sub(rb" *IGUID .*\n", b"", projects.reaper(cut)) for cut in cuts]
    merged = merge_file("t.rpp", *bare)
    assert merged.data is None
    assert "which REAPER gives them when it saves the project" in merged.reason
    merged = merge_file("t.xml", *map(projects.xmeml, cuts))
    assert merged.data is None
    assert "the same cut as OpenTimelineIO, Final Cut Pro XML or an edit list merges by clip" in merged.reason
    words = [b"About <xmeml> files.\n\nOne.\n\n" + end for end in (b"Two.\n", b"Two, too.\n", b"Two.\n\nThree.\n")]
    assert merge_file("t.md", *words).by == "text"
