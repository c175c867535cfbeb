"""What happens to whole tracks while clips are edited, and pairs of edits of the studio's scenes."""

import copy
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from aura_vcs.compare.merge.timeline import merge_timeline_values, resolve_timeline
from aura_vcs.formats.jsondoc.values import same

from tests.compare.timelines import as_bytes, otio, otio_clip, otio_range, planets, scene, set_seconds, studio

Document = dict[str, Any]


def _tracks(*tracks: str) -> Document:
    """Tracks A, B, … of clips with one letter each."""
    document = otio(*([otio_clip(name, 10) for name in track] for track in tracks), kinds=("Video", "Video"))
    for n, track in enumerate(document["tracks"]["children"]):
        track["name"] = "ABCD"[n]
    return document


BASE = _tracks("abc", "de", "fg")


def _order(document: Document) -> str:
    return " ".join(
        f"{track['name']}:{''.join(clip['name'] for clip in track['children'])}"
        for track in document["tracks"]["children"]
    )


def _letters(document: Document) -> list[str]:
    return sorted(clip["name"] for track in document["tracks"]["children"] for clip in track["children"])


def _with(change: Callable[[list[Any]], object]) -> Document:
    document = copy.deepcopy(BASE)
    change(document["tracks"]["children"])
    return document


EDITS: dict[str, Document] = {
    "delete A": _with(lambda tracks: tracks.pop(0)),
    "delete B": _with(lambda tracks: tracks.pop(1)),
    "A to the end": _with(lambda tracks: tracks.append(tracks.pop(0))),
    "C to the front": _with(lambda tracks: tracks.insert(0, tracks.pop(2))),
    "rename A": _with(lambda tracks: tracks[0].update(name="Z")),
    "rename A otherwise": _with(lambda tracks: tracks[0].update(name="Y")),
    "rename A and put it last": _with(lambda tracks: [tracks[0].update(name="Z"), tracks.append(tracks.pop(0))]),
    "add a track": _with(lambda tracks: tracks.insert(1, _tracks("", "", "", "n")["tracks"]["children"][3])),
    "trim b": _with(lambda tracks: tracks[0]["children"][1].update(source_range=otio_range(10, 2))),
    "a to the end of A": _with(lambda tracks: tracks[0]["children"].append(tracks[0]["children"].pop(0))),
    "b to B": _with(lambda tracks: tracks[1]["children"].append(tracks[0]["children"].pop(1))),
    "b to C": _with(lambda tracks: tracks[2]["children"].insert(0, tracks[0]["children"].pop(1))),
    "d to A": _with(lambda tracks: tracks[0]["children"].append(tracks[1]["children"].pop(0))),
    "delete b": _with(lambda tracks: tracks[0]["children"].pop(1)),
    "all of A to B": _with(
        lambda tracks: [tracks[1]["children"].extend(tracks[0]["children"]), tracks[0].update(children=[])]
    ),
    "mute A": _with(lambda tracks: tracks[0].update(enabled=False)),
}


@pytest.mark.parametrize("one", EDITS)
def test_tracks_and_clips_edited_on_both_sides(one: str) -> None:
    """No clip is lost or doubled in silence, either way round; each answer leaves nothing open."""
    ours = EDITS[one]
    for other, theirs in EDITS.items():
        merged = merge_timeline_values(BASE, ours, theirs)
        assert not merged.reason
        now = _letters(merged.value)
        for name in set(_letters(ours)) | set(_letters(theirs)):
            is_kept = name in _letters(ours) and name in _letters(theirs)
            is_new = name not in _letters(BASE)
            assert now.count(name) == 1 or (now.count(name) == 0 and not is_kept and not is_new), (one, other, name)
        if not merged.conflicts:
            swapped = merge_timeline_values(BASE, theirs, ours)
            assert swapped.conflicts == (), (one, other)
            assert same(swapped.value, merged.value), (one, other, _order(merged.value), _order(swapped.value))
            continue
        for choice, side in (("ours", ours), ("theirs", theirs)):
            decided = resolve_timeline(as_bytes(merged.value), merged.conflicts, "", choice)  # type: ignore[arg-type]
            assert decided.conflicts == ()
            letters = _letters(json.loads(decided.data))
            assert len(letters) == len(set(letters)), (one, other, choice)
            rival = theirs if choice == "ours" else ours
            removed = set(_letters(BASE)) - set(_letters(rival))
            assert set(_letters(side)) - removed <= set(letters), (one, other, choice)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("delete A", "trim b"),
        ("delete A", "a to the end of A"),
        ("delete A", "b to C"),
        ("delete A", "rename A"),
        ("delete A", "A to the end"),
        ("delete B", "b to B"),
        ("delete B", "d to A"),
        ("rename A", "rename A otherwise"),
        ("b to B", "b to C"),
        ("b to B", "delete b"),
        ("delete A", "mute A"),
        ("delete A", "d to A"),
    ],
)
def test_what_only_one_side_can_have_is_asked(one: str, other: str) -> None:
    """Either way round."""
    for sides in itertools.permutations((one, other)):
        assert merge_timeline_values(BASE, *(EDITS[side] for side in sides)).conflicts


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ("rename A", "trim b", "Z:abc B:de C:fg"),
        ("rename A", "b to C", "Z:ac B:de C:bfg"),
        ("rename A and put it last", "a to the end of A", "B:de C:fg Z:bca"),
        ("A to the end", "b to B", "B:deb C:fg A:ac"),
        ("C to the front", "d to A", "C:fg A:abcd B:e"),
        ("add a track", "delete b", "A:ac D:n B:de C:fg"),
        ("a to the end of A", "d to A", None),
    ],
)
def test_what_does_not_meet_is_all_there(one: str, other: str, wanted: str | None) -> None:
    """A track renamed or moved takes what was done to its clips along; two clips put to one place are asked."""
    for sides in itertools.permutations((one, other)):
        merged = merge_timeline_values(BASE, *(EDITS[side] for side in sides))
        assert bool(merged.conflicts) == (wanted is None), merged.conflicts
        assert wanted in (None, _order(merged.value))


def _scenes(change: Callable[[list[Any]], object]) -> Document:
    scenes = planets()
    for each in scenes:
        each["id"] = each["heading"]
    change(scenes)
    return studio(scenes)


SCENES: dict[str, Document] = {
    "trim": _scenes(lambda scenes: set_seconds(scenes[2], 4.0)),
    "lengthen": _scenes(lambda scenes: set_seconds(scenes[2], 9.0)),
    "to the front": _scenes(lambda scenes: scenes.insert(0, scenes.pop(2))),
    "to the end": _scenes(lambda scenes: scenes.append(scenes.pop(2))),
    "one on": _scenes(lambda scenes: scenes.insert(3, scenes.pop(2))),
    "delete": _scenes(lambda scenes: scenes.pop(2)),
    "delete the next": _scenes(lambda scenes: scenes.pop(3)),
    "new narration": _scenes(lambda scenes: scenes[2].update(narration_audio_path="assets/new.wav")),
    "rename": _scenes(lambda scenes: scenes[2].update(heading="Morning star")),
    "cut": _scenes(lambda scenes: scenes[2].update(transition_type="cut")),
    "wipe": _scenes(lambda scenes: scenes[2].update(transition_type="wipe")),
    "insert": _scenes(lambda scenes: scenes.insert(3, scene("Moon"))),
    "insert another": _scenes(lambda scenes: scenes.insert(3, scene("Comet"))),
    "replace the picture": _scenes(lambda scenes: scenes[2]["visual_assets"][0].update(file_path="assets/v2.png")),
}


@pytest.mark.parametrize("one", SCENES)
def test_two_edits_of_a_scene(one: str) -> None:
    """Both are in the result, or a question is about the scene; scenes stay laid and numbered."""
    base = _scenes(lambda _: None)
    ours = SCENES[one]
    for other, theirs in SCENES.items():
        merged = merge_timeline_values(base, ours, theirs)
        names = [each.get("id", each["heading"]) for each in merged.value["scenes"]]
        assert len(names) == len(set(names))
        assert [each["index"] for each in merged.value["scenes"]] == list(range(len(names)))
        if merged.conflicts:
            swapped = merge_timeline_values(base, theirs, ours)
            assert swapped.conflicts
            decided = resolve_timeline(as_bytes(merged.value), merged.conflicts, "", "theirs")
            assert decided.conflicts == ()
            laid = [each["index"] for each in json.loads(decided.data)["scenes"]]
            assert laid == list(range(len(laid)))
            continue
        assert same(merge_timeline_values(base, theirs, ours).value, merged.value), (one, other)
        for side in (ours, theirs):
            _check_shown(base, side, theirs if side is ours else ours, merged.value)


def _check_shown(base: Document, side: Document, other: Document, merged: Document) -> None:
    was, here, there, now = (
        {each.get("id", each["heading"]): each for each in document["scenes"]}
        for document in (base, side, other, merged)
    )
    for name, each in here.items():
        if name in was and name in now:
            changed = {key for key in each if key not in ("index", "start") and not same(each[key], was[name][key])}
            assert all(same(now[name][key], each[key]) for key in changed - {"visual_assets"}), name
        assert name in now or (name in was and name not in there)
    for name in was.keys() - here.keys():
        assert name not in now
    for a, b in itertools.combinations([name for name in here if name in was and name in now], 2):
        if (list(was).index(a) < list(was).index(b)) != (list(here).index(a) < list(here).index(b)):
            assert list(now).index(a) < list(now).index(b)


def test_moved_and_deleted_or_moved_twice_is_asked() -> None:
    """Scenes as clips."""
    base = _scenes(lambda _: None)
    for pair in (("to the front", "to the end"), ("to the front", "delete"), ("cut", "wipe"), ("trim", "lengthen")):
        for sides in itertools.permutations(pair):
            assert merge_timeline_values(base, *(SCENES[side] for side in sides)).conflicts, sides
    for sides in itertools.permutations(("insert", "insert another")):
        assert merge_timeline_values(base, *(SCENES[side] for side in sides)).conflicts
