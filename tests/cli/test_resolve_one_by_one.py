"""Open conflicts: their numbers, and a terminal on which each is asked about."""

import json
import sys

import pytest

from tests.cli.conftest import Film
from tests.cli.test_asked import at_a_terminal

LINE = "The quick brown fox jumps over the lazy dog today.\n"


def clip(frames: int) -> str:
    """A timeline with one clip of so many frames at 24 a second."""
    return json.dumps(
        {
            "OTIO_SCHEMA": "Timeline.1",
            "name": "cut",
            "tracks": {
                "OTIO_SCHEMA": "Stack.1",
                "children": [
                    {
                        "OTIO_SCHEMA": "Track.1",
                        "kind": "Video",
                        "children": [
                            {
                                "OTIO_SCHEMA": "Clip.1",
                                "name": "harbour",
                                "source_range": {
                                    "OTIO_SCHEMA": "TimeRange.1",
                                    "start_time": {"OTIO_SCHEMA": "RationalTime.1", "value": 0, "rate": 24},
                                    "duration": {"OTIO_SCHEMA": "RationalTime.1", "value": frames, "rate": 24},
                                },
                            }
                        ],
                    }
                ],
            },
        }
    )


@pytest.fixture
def apart(film: Film) -> Film:
    """Two branches that differ in a field, in one line of a text and in a clip, merged with three questions."""
    film.commit("First", {"script.md": f"{LINE}\nlast\n", "cut.otio": clip(96)})
    film("checkout", "-b", "side")
    film.commit("Theirs", {
        "brief.json": '{"topic": "Tides", "tone": "wild"}', "cut.otio": clip(48),
        "script.md": f"{LINE.replace('quick', 'slow')}\nLAST\n",
    })  # fmt: skip
    film("checkout", "main")
    film.commit("Ours", {
        "brief.json": '{"topic": "Tides", "tone": "mild"}', "cut.otio": clip(72),
        "script.md": f"{LINE.replace('lazy', 'old')}\nend\n",
    })  # fmt: skip
    return film


def test_a_merge_shows_lines_with_words_of_both(apart: Film) -> None:
    """What nobody wrote so is shown to be read; as data too."""
    planned = apart.data("merge", "side", "--dry-run")
    mixed = next(item["mixed"] for item in planned["joined"] if item["path"] == "script.md")
    assert mixed == [{"line": 1, "text": LINE.replace("quick", "slow").replace("lazy", "old")}]
    assert "line 1 has words of both: The slow brown fox jumps over the old dog" in apart("merge", "side").out


def test_conflicts_have_numbers(apart: Film) -> None:
    """The list counts them, and a number decides one; times are told in seconds."""
    apart("merge", "side")
    assert [item["number"] for item in apart.data("resolve")["conflicts"]] == [1, 2, 3]
    listed = apart("resolve", "--list").out
    assert "   2  cut.otio#/" in listed
    assert "3.0 s, from 0.0 s on" in listed
    assert apart.data("resolve", "2")["conflicts"][0]["path"] == "cut.otio"
    assert "Decided brief.json#/tone" in apart("resolve", "1", "--theirs").out
    assert json.loads(apart.read("brief.json"))["tone"] == "wild"
    assert "There is no conflict 7; 2 conflicts open" in apart("resolve", "7", "--ours", code=2).stderr
    assert "There is no conflict 777" in apart("resolve", "7" * 5000, "--ours", code=2).stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal")
def test_a_terminal_asks_one_by_one(apart: Film) -> None:
    """Ours, theirs, later, and what is not an answer; then the rest, until nothing is open."""
    apart("merge", "side")
    said, code = at_a_terminal(apart, "resolve", typed=b"t\nnonsense\no\n\n")
    assert code == 0
    assert "'nonsense' is none of the answers" in said
    assert "2 conflicts decided, 1 still open" in said
    assert json.loads(apart.read("brief.json"))["tone"] == "wild"
    apart.env["EDITOR"] = "true"
    said, code = at_a_terminal(apart, "resolve", typed=b"e\n\n")
    assert code == 0
    assert "No conflict is left" in said
    assert apart.read("script.md").endswith("end\n")
    assert "No conflict is open." in at_a_terminal(apart, "resolve")[0]


def test_what_is_left_has_the_numbers_of_the_list(apart: Film) -> None:
    """In the answer to a decision, as in the list after it."""
    apart("merge", "side")
    left = apart.data("resolve", "2", "--theirs")["left"]
    assert [item["number"] for item in left] == [1, 2]
    assert left == apart.data("resolve", "--list")["conflicts"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal")
def test_a_terminal_shows_the_number_that_was_asked_for(apart: Film) -> None:
    """As the list has it, and not as the first of one."""
    apart("merge", "side")
    apart.env["NO_COLOR"] = "1"
    said, _ = at_a_terminal(apart, "resolve", "2", typed=b"\n")
    assert "   2  cut.otio#/" in said
    assert "   1  " not in said


def test_an_aborted_merge_names_what_was_unsaved(apart: Film) -> None:
    """Also where an answer goes back before the merge does: its restore point has the edit."""
    apart("merge", "side")
    apart("resolve", "brief.json#/tone", "--theirs")
    apart.write({"brief.json": '{"topic": "By hand", "tone": "wild"}'})
    done = apart.data("merge", "--abort")
    (point,) = done["other_restore_points"]
    assert done["restore_point"] is None
    apart("restore", f"v{point['number']}", "brief.json")
    assert "By hand" in apart.read("brief.json")
    apart("restore", "HEAD")
    apart("merge", "side")
    apart("resolve", "brief.json#/tone", "--theirs")
    apart.write({"brief.json": '{"topic": "Again", "tone": "wild"}'})
    assert "is kept in the restore point v" in apart("merge", "--abort").out
