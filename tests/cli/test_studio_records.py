"""What the studio records and says beside versions: problems in status, checkpoints and exports in ops."""

import json

import pytest

from tests.cli.conftest import Film
from tests.cli.test_studio import bees, studio_film

__all__ = ["bees", "studio_film"]  # fixtures


def test_status_says_what_is_wrong_as_project_check_does(bees: Film) -> None:
    """Errors and warnings are in `status --json` with the shapes of `project check`, changed or committed."""
    path = min((bees.root / "scenes").iterdir())
    scene = json.loads(path.read_text()) | {"image_file_path": "assets/gone.png", "duration_seconds": -1}
    path.write_text(json.dumps(scene))
    checked = bees("project", "check", "--json", code=3).json
    assert checked.pop("media") == [], "what the projects of editors name is looked at by the check alone"
    changed = bees.data("status")
    assert {key: changed[key] for key in checked} == checked
    assert checked["errors"] >= 2
    assert "assets/gone.png does not exist" in json.dumps(changed["problems"])
    bees("commit", "-m", "Broken, and saved all the same")
    for _ in range(2):  # looked at, then remembered
        clean = bees.data("status")
        assert clean["clean"]
        assert {key: clean[key] for key in checked} == checked
    assert "more error" in bees("status").stderr
    path.write_text("{")
    assert bees.data("status")["problems"] != checked["problems"]
    bees("undo")


def test_a_missing_picture_is_said_although_no_document_changed(bees: Film) -> None:
    """Deleting media that a scene refers to is an error in status."""
    (bees.root / "assets").mkdir(exist_ok=True)
    (bees.root / "assets" / "a.png").write_bytes(b"x")
    bees("scene", "set", "0", "image_file_path=assets/a.png")
    bees("commit", "-m", "With a picture")
    assert bees.data("status")["errors"] == 0
    (bees.root / "assets" / "a.png").unlink()
    assert bees.data("status")["errors"] == 1


def test_ops_tells_of_checkpoints_and_exports(bees: Film) -> None:
    """They are listed with --all, in order of time and by the pages of all, and cannot be taken back."""
    bees("commit", "-m", "First")
    bees("checkpoint", "save", "Render", "--completed", "6", "--total", "10", "--job", "j1", "--data", '{"a": 1}')
    bees("export", "run", "v1", "--preset", "Draft Preview", "-o", str(bees.root / "x.mp4"), "--queue")
    bees("checkpoint", "invalidate", "--all", "--reason", "recut")
    types = [item["type"] for item in bees.data("ops", "--all")["operations"]]
    assert types[:4] == ["checkpoint.invalidate", "export.run", "checkpoint.save", "commit"]
    plain = [item["type"] for item in bees.data("ops")["operations"]]
    assert plain[:2] == ["checkpoint.invalidate", "commit"]
    paged = [bees.data("ops", "--all", "-n", "1", "--offset", str(n))["operations"][0]["type"] for n in range(4)]
    assert paged == types[:4]
    (saved,) = bees.data("ops", "--type", "checkpoint.save")["operations"]
    assert (saved["description"], saved["correlation_id"]) == ("Saved checkpoint Render 6/10", "j1")
    assert saved["payload"]["is_valid"] is False
    assert not saved["can_be_undone"]
    (action,) = bees.data("ops", "-n", "1")["operations"]
    assert set(action) == set(saved)
    assert bees.data("ops", "--all", "--correlation", "j1")["operations"] == [saved]
    assert "Saved checkpoint Render 6/10" in bees("ops", "--all").out
    bees("undo")
    assert bees.data("checkpoint", "latest")["checkpoint"]["is_valid"]


@pytest.mark.parametrize("command", [("latest",), ("list",)])
def test_a_stage_that_is_none_is_said(bees: Film, command: tuple[str, ...]) -> None:
    """Asking for a stage in any case works; for one that does not exist, an error names those that do."""
    bees("checkpoint", "save", "tts", "--completed", "1", "--total", "3")
    assert "1/3" in bees("checkpoint", *command, "--stage", "tTs").out
    assert "Composition" in bees("checkpoint", *command, "--stage", "Lunch", code=63).stderr


def test_the_studio_is_undone_from_anywhere(bees: Film) -> None:
    """With --studio, in a project and outside of one; without it and outside, the way there is told."""
    bees("config", "set", "export.preset", "TikTok")
    bees("template", "rate", "explainer", "4")
    elsewhere = Film(bees.root.parent, bees.env)
    (listed, first) = elsewhere.data("ops", "--studio", "-n", "2")["operations"]
    assert (listed["type"], first["type"]) == ("template.rate", "config.set")
    assert listed["can_be_undone"]
    assert first["payload"]["changes"][0]["after"]["value"] == "TikTok"
    done = elsewhere.data("undo", "--studio")
    assert done["operation"]["id"] == listed["id"]
    assert elsewhere.data("ops", "--studio", "--status", "undone")["operations"][0]["undone_by"]
    assert "Set export.preset" in elsewhere("undo", "--studio").out
    assert bees.data("config", "get", "export.preset")["source"] == "default"
    elsewhere("redo", "--studio")
    assert bees.data("config", "get", "export.preset")["value"] == "TikTok"
    for command in ("undo", "redo", "ops"):
        assert f"aura {command} --studio" in elsewhere(command, code=10).stderr
    assert "cannot be combined with --studio" in bees("undo", "--studio", "--id", "abcd", code=2).stderr
