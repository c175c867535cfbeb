"""How many functions of ours `aura diff` calls for one clip that was trimmed; counted as for a commit and a push."""

import json
import shutil

from tests.cli.conftest import Film
from tests.history.test_calls import calls

DIFF_CALLS = 1_350
MANY = 200


def _timeline(length: str) -> str:
    """A timeline of one scene with one clip."""
    clip = {"id": "a1", "type": "Video", "file_path": "a.mp4", "start": "00:00:00", "duration": length}
    scene = {"id": "s1", "start": "00:00:00", "duration": "00:00:04", "visual_assets": [clip]}
    return json.dumps({"scenes": [scene]}, indent=2)


def _diff_calls(film: Film) -> int:
    """Count the calls of a diff, once everything is imported and known; the file that changed is told."""
    for _ in range(2):
        assert "trimmed" in film("diff").out
    return calls(lambda: film("diff"))


def test_a_diff_of_a_trimmed_clip_calls_little(film: Film) -> None:
    """Opening the project, looking at its files, reading both timelines and telling what changed."""
    for name in ("scenes", "assets"):
        shutil.rmtree(film.root / name)
    film.commit("With a clip", {"timeline.json": _timeline("00:00:04")})
    film.write({"timeline.json": _timeline("00:00:03")})
    assert _diff_calls(film) <= DIFF_CALLS


def test_files_that_did_not_change_cost_a_diff_no_calls(film: Film) -> None:
    """Twice as many files beside the changed one, and as many calls."""
    found = []
    for part in ("p", "q"):
        files = {f"{part}{number:03}.txt": f"{part} {number}\n" for number in range(MANY)}
        film.commit(f"More {part}", {"timeline.json": _timeline("00:00:04"), **files})
        film.write({"timeline.json": _timeline("00:00:03")})
        found.append(_diff_calls(film))
    assert found[1] - found[0] < MANY * 3 // 4, found  # one call for each would be more, whatever else varies
