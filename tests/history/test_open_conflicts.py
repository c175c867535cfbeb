"""Questions that several merges left open: each stays until it is decided, wherever its place moves to."""

import json
from typing import Any

import pytest
from aura_vcs.errors import InputError
from aura_vcs.errors.compare import ChoiceImpossible
from aura_vcs.history.checkout import checkout
from aura_vcs.history.merge import merge
from aura_vcs.history.merging.conflicts import OpenConflict, sort
from aura_vcs.history.names.branches import create_branch
from aura_vcs.history.resolve import open_conflicts, resolve_conflicts
from aura_vcs.history.undo import undo

from tests.helpers.project import noise, save, write
from tests.history.lines import Lines, field

SCRIPT = "".join(f"line {n}\n" for n in range(1, 31))


@pytest.fixture
def three(lines: Lines) -> Lines:
    """The branches `main`, `side` and `late`, all at one version."""
    lines.write("main", "Script", {"script.md": SCRIPT, "list.json": json.dumps([{"id": n, "a": 0} for n in range(4)])})
    lines.merge("side", "main")
    head = lines.repo.head().version
    assert head is not None
    create_branch(lines.repo, "late", head)
    return lines


def _merge_both(lines: Lines) -> None:
    checkout(lines.repo, "main")
    merge(lines.repo, "side")
    merge(lines.repo, "late")


def _open(lines: Lines) -> list[OpenConflict]:
    return sorted(open_conflicts(lines.repo), key=lambda item: (item.location, item.theirs_label))


def test_another_passage_that_comes_to_the_same_line_loses_no_question(three: Lines) -> None:
    """Lines that the second merge puts in front move the first one's question on."""
    three.write("side", "Ten", {"script.md": SCRIPT.replace("line 10\n", "side ten\n")})
    three.write("late", "Seven", {"script.md": "a\nb\nc\n" + SCRIPT.replace("line 7\n", "late seven\n")})
    ours = SCRIPT.replace("line 10\n", "our ten\n").replace("line 7\n", "our seven\n")
    three.write("main", "Ours", {"script.md": ours})
    _merge_both(three)
    assert [item.location for item in _open(three)] == ["script.md#10", "script.md#13"]
    resolve_conflicts(three.repo, "script.md", "13", "theirs")
    resolve_conflicts(three.repo, "script.md", "10", "theirs")
    text = (three.root / "script.md").read_text()
    assert text == "a\nb\nc\n" + SCRIPT.replace("line 10\n", "side ten\n").replace("line 7\n", "late seven\n")


def test_another_element_that_comes_to_the_same_place_loses_no_question(three: Lines) -> None:
    """An element that the second merge puts in front moves the first one's question on."""
    rows: list[dict[str, Any]] = [{"id": n, "a": 0} for n in range(4)]

    def changed(changes: dict[int, int], first: Any = None) -> str:
        done = [{**row, "a": changes.get(row["id"], row["a"])} for row in rows]
        return json.dumps([first, *done] if first else done)

    three.write("side", "Two", {"list.json": changed({2: 20})})
    three.write("late", "One", {"list.json": changed({1: 10}, {"id": 9, "a": 9})})
    three.write("main", "Ours", {"list.json": changed({1: 1, 2: 2})})
    _merge_both(three)
    assert [item.location for item in _open(three)] == ["list.json#/2/a", "list.json#/3/a"]
    resolve_conflicts(three.repo, ".".strip("."), "", "theirs")
    rows_now = json.loads((three.root / "list.json").read_text())
    assert [row["a"] for row in rows_now] == [9, 0, 10, 20, 0]


@pytest.fixture
def asked_twice(three: Lines) -> Lines:
    """Two branches came in, both with another tone and another picture than ours."""
    for name, tone, seed in (("side", "stern", 11), ("late", "gentle", 12), ("main", "wild", 13)):
        files = {"brief.json": json.dumps({"topic": "Tides", "tone": tone}), "assets/sky.png": noise(900, seed=seed)}
        three.write(name, f"Made {tone}", files)
    _merge_both(three)
    return three


def test_both_sides_that_came_in_are_asked_about(asked_twice: Lines) -> None:
    """The second merge does not take the first one's question away."""
    asked = sorted((item.location, item.theirs_label.partition(" from ")[2]) for item in _open(asked_twice))
    assert asked == [(place, name) for place in ("assets/sky.png", "brief.json#/tone") for name in ("late", "side")]


def test_theirs_of_two_must_be_named(asked_twice: Lines) -> None:
    """`theirs` alone is refused and says who came in; with a name, the place is decided."""
    for path, place in (("brief.json", "/tone"), ("assets/sky.png", ""), ("", "")):
        with pytest.raises(ChoiceImpossible, match="v3 from side and v4 from late both came in"):
            resolve_conflicts(asked_twice.repo, path, place, "theirs")
    with pytest.raises(InputError, match="nobody"):
        resolve_conflicts(asked_twice.repo, "brief.json", "/tone", "theirs", source="nobody")
    resolve_conflicts(asked_twice.repo, "brief.json", "/tone", "theirs", source="side")
    assert field(asked_twice.root, "brief.json", "tone") == "stern"
    assert {item.path for item in open_conflicts(asked_twice.repo)} == {"assets/sky.png"}
    late = next(item for item in open_conflicts(asked_twice.repo) if item.theirs_label.endswith("late"))
    resolve_conflicts(asked_twice.repo, "assets/sky.png", "", "theirs", source=late.theirs_label.split()[0])
    assert (asked_twice.root / "assets/sky.png").read_bytes() == noise(900, seed=12)
    assert [path.name for path in (asked_twice.root / "assets").glob("sky*")] == ["sky.png"]
    assert open_conflicts(asked_twice.repo) == ()


def test_one_of_two_can_be_turned_down(asked_twice: Lines) -> None:
    """`ours` against one of them leaves the other's question; `ours` alone decides all."""
    resolve_conflicts(asked_twice.repo, "", "", "ours", source="side")
    assert {item.theirs_label.partition(" from ")[2] for item in open_conflicts(asked_twice.repo)} == {"late"}
    resolve_conflicts(asked_twice.repo, "", "", "theirs")
    assert field(asked_twice.root, "brief.json", "tone") == "gentle"
    undo(asked_twice.repo)
    undo(asked_twice.repo)
    resolve_conflicts(asked_twice.repo, "", "", "ours")
    assert field(asked_twice.root, "brief.json", "tone") == "wild"
    assert (asked_twice.root / "assets/sky.png").read_bytes() == noise(900, seed=13)
    assert open_conflicts(asked_twice.repo) == ()


def test_a_copy_can_be_taken_by_its_name(asked_twice: Lines) -> None:
    """Naming a file that was set aside means that one."""
    aside = next(path for path in (asked_twice.root / "assets").glob("sky (*side).png"))
    resolve_conflicts(asked_twice.repo, f"assets/{aside.name}", "", "theirs")
    assert (asked_twice.root / "assets/sky.png").read_bytes() == noise(900, seed=11)
    assert {item.path for item in open_conflicts(asked_twice.repo)} == {"brief.json"}


def test_a_branch_that_goes_on_asks_anew(lines: Lines) -> None:
    """When the same branch comes in again with another value, the newer question takes the place of the older."""
    lines.on("side", "Stern", brief={"tone": "stern"})
    lines.on("main", "Wild", brief={"tone": "wild"})
    lines.merge()
    lines.on("side", "Sterner", brief={"tone": "very stern"})
    lines.merge()
    (item,) = open_conflicts(lines.repo)
    assert item.field is not None
    assert item.field.theirs == "very stern"


@pytest.mark.parametrize("by", ["side", "main"])
def test_a_question_follows_a_renamed_file(three: Lines, by: str) -> None:
    """A file that the next merge brings under another name takes its open questions along."""
    three.on("side", "Stern", brief={"tone": "stern"})
    checkout(three.repo, "late")
    (three.root / "brief.json").rename(three.root / "about.json")
    save(three.repo, "Renamed")
    three.on("main", "Wild", brief={"tone": "wild"})
    three.merge()
    into, name = ("main", "late") if by == "main" else ("late", "main")
    three.merge(into, name)
    assert [item.location for item in open_conflicts(three.repo)] == ["about.json#/tone"]
    resolve_conflicts(three.repo, "about.json", "/tone", "theirs")
    assert field(three.root, "about.json", "tone") == "stern"


def test_a_question_in_an_element_without_an_id_finds_its_scene(lines: Lines) -> None:
    """A scene without an id is known by its heading when another one was put in front of it."""
    scenes = [{"heading": name, "duration": 4} for name in ("Dawn", "Noon", "Dusk")]

    def film(duration: int) -> str:
        return json.dumps({"list": [*scenes[:2], {**scenes[2], "duration": duration}]})

    lines.write("main", "Base", {"film.json": film(4)})
    lines.merge("side", "main")
    lines.write("side", "Theirs", {"film.json": film(6)})
    lines.write("main", "Ours", {"film.json": film(5)})
    lines.merge()
    document = json.loads((lines.root / "film.json").read_text())
    document["list"].insert(0, {"heading": "Night", "duration": 5})
    document["list"][2]["duration"] = 5
    write(lines.root, {"film.json": json.dumps(document)})
    resolve_conflicts(lines.repo, "film.json", "", "theirs")
    now = json.loads((lines.root / "film.json").read_text())["list"]
    assert [scene["duration"] for scene in now] == [5, 4, 5, 6]


def test_a_file_against_a_folder_is_one_question(lines: Lines) -> None:
    """An edited file that became a folder elsewhere is asked about once; every side can be taken."""
    lines.write("main", "Base", {"notes": "first"})
    lines.merge("side", "main")
    checkout(lines.repo, "side")
    (lines.root / "notes").unlink()
    write(lines.root, {"notes/one.md": "inside"})
    save(lines.repo, "Folder")
    lines.write("main", "Edited", {"notes": "second"})
    lines.merge()
    (item,) = open_conflicts(lines.repo)
    assert item.location == "notes"
    for choice, expected in (("theirs", None), ("ours", "second"), ("base", "first")):
        resolve_conflicts(lines.repo, "notes", "", choice)  # type: ignore[arg-type]
        assert open_conflicts(lines.repo) == ()
        assert ((lines.root / "notes").read_text() if expected else None) == expected
        assert (lines.root / "notes/one.md").exists() == (expected is None)
        assert not list(lines.root.glob("notes (*"))
        undo(lines.repo)


def test_questions_are_listed_from_the_top(three: Lines) -> None:
    """By file, line and position as numbers, whatever order they were stored in."""
    ours = theirs = SCRIPT
    for n in (20, 3, 11):
        ours, theirs = ours.replace(f"line {n}\n", f"our {n}\n"), theirs.replace(f"line {n}\n", f"their {n}\n")
    rows = [{"id": n, "a": 0} for n in range(12)]
    three.write("main", "Rows", {"rows.json": json.dumps(rows)})
    three.merge("side", "main")
    for name, text, value in (("side", theirs, 1), ("main", ours, 2)):
        changed = json.dumps([{**row, "a": value} for row in rows])
        three.write(name, f"On {name}", {"script.md": text, "rows.json": changed})
    three.merge()
    places = [item.location for item in sort(reversed(open_conflicts(three.repo)))]
    assert places == [*(f"rows.json#/{n}/a" for n in range(12)), "script.md#3", "script.md#11", "script.md#20"]
