"""Scenes are files that count each other: after a merge no two have one number, or it is asked."""

import json
from typing import Any

import pytest
from aura_vcs.history.resolve import open_conflicts, resolve_conflicts

from tests.history.lines import Lines


def _scenes(names: str, **edited: dict[str, Any]) -> dict[str, str | bytes | None]:
    """One file a scene, named by its id, counted in this order; what is not named goes."""
    return {
        f"scenes/{name}.json": json.dumps(
            {"id": name, "index": names.index(name), "heading": f"Scene {name}", **edited.get(name, {})}, indent=2
        )
        if name in names
        else None
        for name in "abcnm"
    }


def _write(lines: Lines, branch: str, names: str, before: str, **edited: dict[str, Any]) -> None:
    files = {path: text for path, text in _scenes(names, **edited).items() if text is not None or path[7] in before}
    lines.write(branch, f"{branch} {names}", files)


@pytest.fixture
def film(lines: Lines) -> Lines:
    """Three scenes, the same on both branches."""
    for path in list(lines.root.glob("scenes/*.json")):
        path.unlink()
    _write(lines, "main", "abc", "")
    lines.merge("side", "main")
    return lines


def _numbers(lines: Lines) -> dict[str, int]:
    found = (json.loads(path.read_text()) for path in lines.root.glob("scenes/*.json"))
    return {scene["id"]: scene["index"] for scene in found if len(scene["id"]) == 1}


@pytest.mark.parametrize(
    ("ours", "theirs", "wanted"), [("nabc", "abcm", "nabcm"), ("anbc", "abmc", "anbmc"), ("bc", "abcm", "bcm")]
)
def test_both_put_in_a_scene_and_renumbered(film: Lines, ours: str, theirs: str, wanted: str) -> None:
    """Every scene has its number once, and nothing is asked."""
    _write(film, "side", theirs, "abc")
    _write(film, "main", ours, "abc", c={"heading": "Another heading of this scene"} if "c" in ours else {})
    film.merge()
    assert _numbers(film) == {name: n for n, name in enumerate(wanted)}
    assert not open_conflicts(film.repo)


def test_two_scenes_at_one_place_are_asked(film: Lines) -> None:
    """Nobody knows which comes first: both are there, and the question is about their numbers."""
    _write(film, "side", "abcm", "abc")
    _write(film, "main", "abcn", "abc")
    film.merge()
    assert _numbers(film).keys() == set("abcnm")
    assert {item.location for item in open_conflicts(film.repo)} == {"scenes/n.json#/index", "scenes/m.json#/index"}
    resolve_conflicts(film.repo, "scenes", "", "as_is")
    assert not open_conflicts(film.repo)


def test_an_edit_beside_a_renumbering_touches_no_number(film: Lines) -> None:
    """A heading here, a scene in front there."""
    _write(film, "side", "nabc", "abc")
    _write(film, "main", "abc", "abc", b={"heading": "Ours"})
    film.merge()
    assert _numbers(film) == {"n": 0, "a": 1, "b": 2, "c": 3}
    assert json.loads((film.root / "scenes/b.json").read_text())["heading"] == "Ours"
    assert not open_conflicts(film.repo)
