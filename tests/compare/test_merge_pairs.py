"""Every pair of edits of a timeline, both ways round: both are in the result, or a question names the clip."""

import copy
import json
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from aura_vcs.compare.merge.model import MergedDocument, MergedValue
from aura_vcs.compare.merge.timeline import merge_timeline_values, resolve_timeline
from aura_vcs.formats.jsondoc.values import same
from msgspec import UNSET

from tests.compare.timelines import as_bytes, otio, otio_clip, otio_range

Document = dict[str, Any]
Children = list[dict[str, Any]]
CLIPS = ("one", "two", "three", "four", "five")


def _timeline() -> Document:
    """Two picture tracks and a sound track; each clip plays 4 s from the 10th second of its own media."""
    upper = [otio_clip(name, 10) for name in ("x", "y")]
    return otio([otio_clip(name, 10) for name in CLIPS], [otio_clip("m", 10)], upper)


class Edit(NamedTuple):
    """What an editor does to a clip, and how one sees that it was done."""

    name: str
    do: Callable[[Document, str], None]
    is_shown: Callable[[Document, str], bool]


def _track(document: Document, n: int) -> Children:
    children: Children = document["tracks"]["children"][n]["children"]
    return children


def _all(items: Children) -> Children:
    return [each for item in items for each in [item, *_all(item.get("children", []))]]


def _clips(document: Document, media: str) -> Children:
    """All clips that were this one once: by their media, or by the note that every edit leaves alone."""
    found = _all(document["tracks"]["children"])
    return [item for item in found if item.get("metadata", {}).get("was") == media]


def _find(document: Document, media: str) -> tuple[Children, int]:
    for track in document["tracks"]["children"]:
        for n, item in enumerate(track["children"]):
            if item.get("metadata", {}).get("was") == media:
                return track["children"], n
    raise AssertionError(media)


def _clip(document: Document, media: str) -> dict[str, Any]:
    items, n = _find(document, media)
    return items[n]


def _range(clip: dict[str, Any]) -> tuple[int, int]:
    start, length = clip["source_range"]["start_time"]["value"], clip["source_range"]["duration"]["value"]
    return start, start + length


def _each(check: Callable[[dict[str, Any]], bool]) -> Callable[[Document, str], bool]:
    """Whether it is so of everything that is left of the clip, and something is."""
    return lambda document, media: bool(_clips(document, media)) and all(map(check, _clips(document, media)))


def _set_range(start: float, seconds: float) -> Callable[[Document, str], None]:
    return lambda document, media: _clip(document, media).update(source_range=otio_range(start, seconds))


def _move(step: int) -> Callable[[Document, str], None]:
    def do(document: Document, media: str) -> None:
        items, n = _find(document, media)
        items.insert(max(0, n + step), items.pop(n))

    return do


def _passed(step: int) -> Callable[[Document, str], bool]:
    """Whether the clip stands behind (in front of) what it was moved over, as far as that is still there."""

    def is_shown(document: Document, media: str) -> bool:
        order = [item.get("metadata", {}).get("was") for item in _track(document, 0)]
        n = CLIPS.index(media)
        over = CLIPS[n + 1 : n + 1 + step] if step > 0 else CLIPS[max(0, n + step) : n]
        if media not in order:
            return False
        at = order.index(media)
        return all((order.index(other) < at) == (step > 0) for other in over if other in order)

    return is_shown


def _lift(document: Document, media: str) -> None:
    items, n = _find(document, media)
    _track(document, 2).insert(1, items.pop(n))


def _delete(document: Document, media: str) -> None:
    items, n = _find(document, media)
    del items[n]


def _replace(document: Document, media: str) -> None:
    reference = _clip(document, media)["media_references"]["DEFAULT_MEDIA"]
    reference["target_url"] = "file:///better.mov"


def _retime(scalar: float) -> Callable[[Document, str], None]:
    effect = {"OTIO_SCHEMA": "LinearTimeWarp.1", "name": "", "time_scalar": scalar, "metadata": {}}
    return lambda document, media: _clip(document, media)["effects"].append(effect)


def _speeds(clip: dict[str, Any]) -> list[float]:
    return [effect["time_scalar"] for effect in clip["effects"] if "time_scalar" in effect]


def _split(at: float) -> Callable[[Document, str], None]:
    def do(document: Document, media: str) -> None:
        items, n = _find(document, media)
        rest = copy.deepcopy(items[n])
        items[n]["source_range"], rest["source_range"] = otio_range(10, at), otio_range(10 + at, 4 - at)
        items.insert(n + 1, rest)

    return do


def _is_cut(at: float) -> Callable[[Document, str], bool]:
    def is_shown(document: Document, media: str) -> bool:
        ranges = sorted(_range(clip) for clip in _clips(document, media))
        return len(ranges) == 2 and ranges[0][1] == ranges[1][0] == 24 * (10 + at)

    return is_shown


def _set(**fields: Any) -> Callable[[Document, str], None]:
    return lambda document, media: _clip(document, media).update(fields)


def _has(**fields: Any) -> Callable[[dict[str, Any]], bool]:
    return lambda clip: fields.items() <= clip.items()


def _add(key: str, name: str) -> Callable[[Document, str], None]:
    part = {"OTIO_SCHEMA": f"{key[:-1].capitalize()}.1", "name": name, "metadata": {}}
    return lambda document, media: _clip(document, media)[key].append(part)


def _with(key: str, name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda clip: name in [part["name"] for part in clip[key]]


def _dissolve(kind: str) -> Callable[[Document, str], None]:
    def do(document: Document, media: str) -> None:
        items, n = _find(document, media)
        items.insert(n, {"OTIO_SCHEMA": "Transition.1", "name": kind, "transition_type": kind, "metadata": {}})

    return do


def _is_dissolved(kind: str) -> Callable[[Document, str], bool]:
    return lambda document, _: kind in [item.get("transition_type") for item in _all(document["tracks"]["children"])]


def _nest(document: Document, media: str) -> None:
    items, n = _find(document, media)
    group = {"OTIO_SCHEMA": "Stack.1", "name": f"group of {media}", "metadata": {}, "effects": [], "markers": []}
    items[n] = {**group, "children": [items[n]]}


def _is_nested(document: Document, media: str) -> bool:
    groups = [item for item in _all(document["tracks"]["children"]) if item.get("name") == f"group of {media}"]
    inside = [each["metadata"].get("was") for group in groups for each in group["children"]]
    return inside.count(media) == len(_clips(document, media)) == 1


def _insert(name: str) -> Callable[[Document, str], None]:
    def do(document: Document, media: str) -> None:
        items, n = _find(document, media)
        clip = otio_clip(name, 10)
        items.insert(n + 1, {**clip, "metadata": {"was": name}})

    return do


EDITS = [
    Edit("trim in", _set_range(11, 3), _each(lambda clip: _range(clip)[0] >= 24 * 11)),
    Edit("trim out", _set_range(10, 3), _each(lambda clip: _range(clip)[1] <= 24 * 13)),
    Edit("trim out more", _set_range(10, 2.5), _each(lambda clip: _range(clip)[1] <= 24 * 12.5)),
    Edit("slip", _set_range(10.5, 4), _each(lambda clip: _range(clip) == (24 * 10.5, 24 * 14.5))),
    Edit("move on", _move(1), _passed(1)),
    Edit("move to the end", _move(3), _passed(3)),
    Edit("move back", _move(-1), _passed(-1)),
    Edit("move to the front", _move(-4), _passed(-4)),
    Edit("move to another track", _lift, lambda d, m: any(c["metadata"]["was"] == m for c in _track(d, 2))),
    Edit("delete", _delete, lambda d, m: not _clips(d, m)),
    Edit("replace", _replace, _each(lambda clip: "better" in json.dumps(clip["media_references"]))),
    Edit("retime", _retime(2.0), _each(lambda clip: _speeds(clip) == [2.0])),
    Edit("retime back", _retime(0.5), _each(lambda clip: _speeds(clip) == [0.5])),
    Edit("split", _split(2), _is_cut(2)),
    Edit("split late", _split(3), _is_cut(3)),
    Edit("rename", _set(name="renamed"), _each(_has(name="renamed"))),
    Edit("rename again", _set(name="otherwise"), _each(_has(name="otherwise"))),
    Edit("disable", _set(enabled=False), _each(_has(enabled=False))),
    Edit("add an effect", _add("effects", "blur"), _each(_with("effects", "blur"))),
    Edit("add another effect", _add("effects", "glow"), _each(_with("effects", "glow"))),
    Edit("add a marker", _add("markers", "here"), _each(_with("markers", "here"))),
    Edit("dissolve", _dissolve("SMPTE_Dissolve"), _is_dissolved("SMPTE_Dissolve")),
    Edit("wipe", _dissolve("Wipe"), _is_dissolved("Wipe")),
    Edit("group", _nest, _is_nested),
    Edit("insert behind", _insert("new"), lambda d, _: len(_clips(d, "new")) == 1),
    Edit("insert another behind", _insert("newer"), lambda d, _: len(_clips(d, "newer")) == 1),
]


def _noted(document: Document) -> Document:
    for item in _all(document["tracks"]["children"]):
        if item["OTIO_SCHEMA"].startswith("Clip"):
            item["metadata"] = {"was": item["name"]}
    return document


BASE = _noted(_timeline())


def _edited(edit: Edit, media: str) -> Document:
    document = copy.deepcopy(BASE)
    edit.do(document, media)
    return document


def _counts(document: Document) -> Counter[str]:
    found = _all(document["tracks"]["children"])
    return Counter(item["metadata"]["was"] for item in found if item.get("metadata", {}).get("was"))


def _named(merged: MergedValue, media: str) -> bool:
    """Whether a question is about the clip, what it stands in, or something in it."""
    for conflict in merged.conflicts:
        parts: list[Any] = [conflict.base, conflict.ours, conflict.theirs]
        value: Any = merged.value
        for token in conflict.pointer.split("/")[1:]:
            value = value[int(token)] if isinstance(value, list) else value[token]
            parts += [value] if isinstance(value, dict) and "OTIO_SCHEMA" in value else []
        if any(part is not UNSET and f'"was": "{media}"' in json.dumps(part) for part in parts[:3] + parts[-2:]):
            return True
    return False


def _check(one: Edit, here: str, other: Edit, there: str) -> None:
    ours, theirs = _edited(one, here), _edited(other, there)
    for mine, others in ((ours, theirs), (theirs, ours)):
        before = copy.deepcopy((BASE, mine, others))
        merged = merge_timeline_values(BASE, mine, others)
        assert same(before, (BASE, mine, others)) or before == (BASE, mine, others)
        assert not merged.reason
        for edit, media in ((one, here), (other, there)):
            is_said = any(_named(merged, name) for name in (here, there, "new", "newer"))
            assert edit.is_shown(merged.value, media) or is_said, (edit.name, _lines(merged))
        _check_counts(merged, mine, others)
        _check_answers(merged, mine, others)
    swapped = merge_timeline_values(BASE, theirs, ours)
    merged = merge_timeline_values(BASE, ours, theirs)
    assert bool(merged.conflicts) == bool(swapped.conflicts)
    if not merged.conflicts:
        assert same(merged.value, swapped.value)


def _check_counts(merged: MergedValue, mine: Document, others: Document) -> None:
    """No clip is lost, none is doubled in silence."""
    was, here, there, now = (_counts(each) for each in (BASE, mine, others, merged.value))
    for media in was | here | there:
        wanted = {here[media] + there[media] - was[media], here[media], there[media]}
        most = max(wanted)
        if not merged.conflicts:
            both = here[media] if here[media] == there[media] else here[media] + there[media] - was[media]
            assert now[media] == both, (media, _lines(merged))
        assert min(here[media], there[media], 1) <= now[media] <= most, (media, now[media], _lines(merged))
    assert "\\u0000" not in json.dumps(merged.value)


def _check_answers(merged: MergedValue, mine: Document, others: Document) -> None:
    """Ours and theirs can be taken, and leave nothing open; where one thing is asked, the answer is that side's."""
    if not merged.conflicts:
        return
    data = as_bytes(merged.value)
    for choice, side in (("ours", mine), ("theirs", others)):
        decided: MergedDocument = resolve_timeline(data, merged.conflicts, "", choice)  # type: ignore[arg-type]
        assert decided.conflicts == ()
        value = json.loads(decided.data)
        now, wanted, was = _counts(value), _counts(side), _counts(BASE)
        rival = _counts(others if choice == "ours" else mine)
        for media in was | wanted:
            assert now[media] in {wanted[media], wanted[media] + rival[media] - was[media]}, (choice, media)


def _lines(merged: MergedValue) -> list[str]:
    """What a failure shows: the tracks, and the questions."""
    tracks = [[item.get("name") for item in track["children"]] for track in merged.value["tracks"]["children"]]
    return [str(tracks), *(f"{c.kind} {c.pointer}" for c in merged.conflicts)]


@pytest.mark.parametrize("one", EDITS, ids=lambda edit: edit.name)
def test_two_edits_of_one_clip(one: Edit) -> None:
    """Both on the third clip of a track."""
    for other in EDITS[EDITS.index(one) :]:
        _check(one, "three", other, "three")


@pytest.mark.parametrize("one", EDITS, ids=lambda edit: edit.name)
@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("two", "three"),
        pytest.param("three", "two", marks=pytest.mark.slow),
        pytest.param("four", "two", marks=pytest.mark.slow),
    ],
)
def test_two_edits_of_neighbours(one: Edit, here: str, there: str) -> None:
    """One on a clip, one on the clip beside it, or the one after that."""
    for other in EDITS:
        _check(one, here, other, there)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_one_edit_is_that_edit(edit: Edit) -> None:
    """merge(a, a, b) = merge(a, b, a) = merge(a, b, b) = b."""
    side = _edited(edit, "three")
    for ours, theirs in ((BASE, side), (side, BASE), (side, copy.deepcopy(side))):
        merged = merge_timeline_values(BASE, ours, theirs)
        assert same(merged.value, side)
        assert merged.conflicts == ()
