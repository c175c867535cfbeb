"""Records of the studio say what is so: dates, names, lists, presets and what undo passes over."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Film
from tests.project.test_export_runs import short_film

AUTOMATIC = ("id", "created_at", "created_by", "updated_at", "modified_by", "completed_at", "last_auto_save_at")


@pytest.fixture
def desk(quick_path: Path) -> Film:
    """A folder with nothing in it, a studio of its own, and Ada at work."""
    (quick_path / "work").mkdir()
    env = {"AURA_AUTHOR": "Ada", "AURA_HOME": str(quick_path / "studio"), "HOME": str(quick_path), "TZ": "UTC"}
    return Film(quick_path / "work", env)


def project(desk: Film, name: str) -> Film:
    """A project of that name on the desk, with a brief."""
    desk("init", name)
    (desk.root / name / "brief.json").write_text('{"topic": "bees"}\n')
    return Film(desk.root / name, desk.env)


def listed(film: Film) -> list[str]:
    """Titles of the list, newest first."""
    return [str(item["title"]) for item in film.data("projects", "list")["projects"]]


def test_the_list_has_first_what_was_changed_last(desk: Film) -> None:
    """An edit of any document, a scene, or a commit moves a project to the top of the list."""
    films = {name: project(desk, name) for name in ("one", "two", "three")}
    for name in ("one", "two", "three"):
        films[name]("scene", "add", "heading=Intro")
        films[name]("commit", "-m", "First")
    later = time.time() + 5
    scene = next((films["one"].root / "scenes").iterdir())
    os.utime(scene, (later, later))
    assert listed(desk)[0] == "one"
    os.utime(films["two"].root / "brief.json", (later + 5, later + 5))
    assert listed(desk)[0] == "two"
    for path in (scene, films["two"].root / "brief.json"):
        os.utime(path, (1, 1))
    time.sleep(0.01)
    films["three"]("commit", "--allow-empty", "-m", "Again")
    found = films["three"].data("project", "show")
    assert (listed(desk)[0], found["modified_by"]) == ("three", "Ada")


def test_a_plain_project_says_who_made_it_and_when(desk: Film) -> None:
    """`init` writes created_at and created_by, and nobody can set what follows by itself."""
    film = project(desk, "film")
    shown = film.data("project", "show")
    made = datetime.fromisoformat(str(shown["created_at"]))
    assert (shown["created_by"], shown["modified_by"]) == ("Ada", "Ada")
    assert abs(datetime.now(UTC) - made) < timedelta(minutes=2)
    before = (film.root / "project.json").read_bytes()
    for field in AUTOMATIC:
        for name in (field, f"project.{field}"):
            refused = film("project", "set", f"{name}=2001-01-01T00:00:00Z", code=63)
            assert "set by itself" in refused.stderr
    assert (film.root / "project.json").read_bytes() == before


def test_set_says_set_only_where_something_was(desk: Film) -> None:
    """A value that is there already is no change, and the status goes by either name."""
    film = project(desk, "film")
    assert "Set status" in film("project", "set", "project.status=Completed").out
    assert film.data("project", "show")["status"] == "Completed"
    assert "Nothing is changed" in film("project", "set", "status=Completed").out


def test_scenes_and_assets_say_who_changed_them(desk: Film) -> None:
    """Who added and who last changed a file, by the versions; unsaved changes are of whoever works here."""
    film = project(desk, "film")
    film("commit", "-m", "Empty")
    film("scene", "add", "heading=Intro")
    (film.root / "sky.png").write_bytes(b"\x89PNG one")
    film("commit", "-m", "Scene")
    bob = Film(film.root, {**film.env, "AURA_AUTHOR": "Bob"})
    bob("scene", "set", "0", "heading=Better")
    found = bob.data("scene", "list")["scenes"][0]
    assert (found["created_by"], found["modified_by"]) == ("Ada", "Bob")
    bob("commit", "-m", "Better")
    found = film.data("scene", "list")["scenes"][0]
    asset = film.data("asset", "list")["assets"][0]
    assert (found["created_by"], found["modified_by"]) == ("Ada", "Bob")
    assert (asset["created_by"], asset["modified_by"]) == ("Ada", "Ada")
    assert found["created_at"] <= found["updated_at"]
    refused = film("scene", "set", "0", "created_at=2001-01-01T00:00:00Z", code=2)
    assert "created_at" in refused.stderr


def test_checkpoints_say_their_data_and_who_decided(desk: Film) -> None:
    """The list has the data that was saved; invalidating one says when and by whom."""
    film = project(desk, "film")
    film("checkpoint", "save", "Render", "--completed", "1", "--total", "2", "--data", '{"next": 1}')
    bob = Film(film.root, {**film.env, "AURA_AUTHOR": "Bob"})
    bob("checkpoint", "invalidate", "--all")
    found = film.data("checkpoint", "list", "--all")["checkpoints"][0]
    assert found["checkpoint_data"] == {"next": 1}
    assert (found["created_by"], found["modified_by"]) == ("Ada", "Bob")


def test_status_and_stage_travel_and_progress_stays(desk: Film) -> None:
    """Status, stage and wizard step are the project's on every machine; progress and job are of one."""
    film = project(desk, "film")
    film("commit", "-m", "First")
    film("project", "set", "status=Failed", "current_stage=TTS", "current_wizard_step=2")
    film("project", "set", "progress_percent=40", "job_id=j-1")
    film("remote", "add", "origin", "../nas.aura")
    film("push")
    film("clone", "../nas.aura", "../copy")
    copy = Film(desk.root / "copy", desk.env)
    shown = copy.data("project", "show")
    assert (shown["status"], shown["current_stage"], shown["current_wizard_step"]) == ("Failed", "TTS", 2)
    assert (shown["progress_percent"], shown["job_id"]) == (0, None)
    film("undo")
    film("undo")
    assert film.data("project", "show")["status"] == "InProgress"
    assert "copy" in [Path(str(item["path"])).name for item in film.data("projects", "list")["projects"]]


def test_the_list_follows_clones_moves_and_purges(desk: Film) -> None:
    """A moved project is found by the next commit in it, a purged one is gone and leaves no folders."""
    film = project(desk, "film")
    (film.root / "assets").mkdir()
    (film.root / "assets" / "sky.png").write_bytes(b"sky")
    film("commit", "-m", "First")
    os.rename(film.root, desk.root / "moved")
    moved = Film(desk.root / "moved", desk.env)
    moved("commit", "--allow-empty", "-m", "Here now")
    found = moved.data("projects", "list")["projects"]
    assert [(Path(str(item["path"])).name, item["place"]) for item in found] == [("moved", "here")]
    moved("projects", "forget", ".")
    moved("commit", "--allow-empty", "-m", "Still off the list")
    assert moved.data("projects", "list")["projects"] == []
    moved("projects", "add", ".")
    moved("project", "delete", "--yes")
    moved("project", "purge", "--yes")
    assert list((desk.root / "moved").iterdir()) == []
    assert desk.data("projects", "list", "--deleted")["projects"] == []
    assert desk.data("projects", "list")["projects"] == []


def test_setup_without_questions_is_one_undo(desk: Film) -> None:
    """What one run of `setup` answered is taken back as one."""
    desk("setup", "--name", "Mira", "--unattended")
    desk("undo", "--studio")
    assert desk.data("config", "get", "identity.name")["value"] is None
    assert not desk.data("setup")["setup"]["wizard_state"]


def test_nothing_changes_before_it_is_made(desk: Film) -> None:
    """What the program writes it dates a little back, which no record shows: neither of projects nor of scenes."""
    film = project(desk, "film")
    film("scene", "add", "heading=Intro")
    found = film.data("scene", "list")["scenes"][0]
    shown = film.data("project", "show")
    listed = desk.data("projects", "list")["projects"][0]
    for item in (found, shown, listed):
        assert item["created_at"] <= item["updated_at"]
    film.write({"scenes/late.json": '{"id": "late", "index": 9, "created_at": "9000-01-01T00:00:00Z"}'})
    assert film.data("scene", "list")["scenes"][-1]["updated_at"] < "9000"


def test_names_in_settings_are_names_that_there_are(desk: Film) -> None:
    """A default template resolves; one, or a preset, that nobody knows is refused."""
    desk("config", "set", "templates.default", "Explainer")
    assert desk.data("init", "film", "--template", "default")["template"] == "explainer"
    assert "nonsense" in desk("config", "set", "templates.default", "nonsense", code=24).stderr
    assert "nonsense" in desk("config", "set", "export.preset", "nonsense", code=24).stderr
    assert desk.data("config", "set", "export.preset", "tik tok")["value"] == "TikTok"


def test_system_templates_have_dates(desk: Film) -> None:
    """Templates that come with the package say when and by whom they were made."""
    for item in desk.data("template", "list", "--system")["templates"]:
        assert all(item[key] for key in ("created_at", "updated_at", "created_by"))


def test_templates_keep_structures(desk: Film, quick_path: Path) -> None:
    """Video structure, pipeline and visual preferences of one's own template can be set, shown and taken back."""
    film = project(desk, "film")
    film("template", "new-from-project", "Mine")
    (quick_path / "video.json").write_text('{"intro": "title card"}')
    film("template", "edit", "Mine", "--video-structure", f"@{quick_path / 'video.json'}")
    film(
        "template", "edit", "Mine", "--llm-pipeline", '["outline", "draft"]', "--visual-preferences", '{"look": "warm"}'
    )
    shown = film.data("template", "show", "Mine")
    assert shown["video_structure"] == {"intro": "title card"}
    assert (shown["llm_pipeline"], shown["visual_preferences"]) == (["outline", "draft"], {"look": "warm"})
    film("template", "edit", "Mine", "--video-structure", "")
    assert film.data("template", "show", "Mine")["video_structure"] is None
    for wrong in ("{", "7", "@missing.json"):
        film("template", "edit", "Mine", "--video-structure", wrong, code=2)


def test_blobs_count_folders_and_versions(desk: Film) -> None:
    """A content that two versions share through one folder is held by one folder and two versions."""
    film = project(desk, "film")
    film("scene", "add", "heading=Intro")
    film("commit", "-m", "One")
    first = film.data("debug", "blobs")["blobs"]
    (film.root / "note.txt").write_text("x")
    film("commit", "-m", "Two")
    found = {blob["content_hash"]: blob for blob in film.data("debug", "blobs")["blobs"]}
    for blob in first:
        now = found[blob["content_hash"]]
        assert now["version_count"] == 2
        assert now["last_referenced_at"] > blob["last_referenced_at"]


def test_undo_says_what_it_passed_over(desk: Film) -> None:
    """An edit whose time is over is passed over with a word, in the project and in the studio."""
    film = project(desk, "film")
    film("commit", "-m", "First")
    film("config", "set", "actions.expire_days", "0.0000001")
    film("project", "set", "title=Late")
    time.sleep(0.05)
    done = film("undo")
    assert "its time is over" in done.stderr
    assert "First" in done.out


def test_exports_follow_render_json_and_say_what_does_not_fit(desk: Film) -> None:
    """Without a preset the version's render.json decides; a film too long or of another shape is told at once."""
    film = project(desk, "film")
    short_film(film.root)
    (film.root / "render.json").write_text(
        json.dumps({"resolution": {"width": 320, "height": 180}, "fps": 12, "codec": "HEVC"})
    )
    film("commit", "-m", "First")
    job = film.data("export", "run", "--queue", "-o", "out.mp4")["export"]
    assert (job["resolution"], job["codec"], job["preset"]["frame_rate"]) == ("320x180", "libx265", 12)
    story = film.data("export", "run", "--queue", "--preset", "Instagram Story", "-o", "b.mp4")["export"]
    assert any("16:9" in note and "9:16" in note for note in story["notes"])
    assert (story["created_by"], story["modified_by"]) == ("Ada", "Ada")


def test_an_export_in_the_folder_is_in_no_version(desk: Film) -> None:
    """A film that was exported into the project is remembered in it and not versioned, until somebody edits it."""
    film = project(desk, "film")
    short_film(film.root)
    (film.root / "render.json").write_text(json.dumps({"resolution": {"width": 64, "height": 36}, "fps": 5}))
    film("commit", "-m", "First")
    done = film.data("export", "run", "-o", str(film.root / "out.mp4"))["export"]
    shown = film.data("project", "show")
    assert shown["output_file_path"] == done["output_file"] == str(film.root / "out.mp4")
    assert film.data("status")["clean"]
    (film.root / ".auraignore").write_text("!out.mp4\n")
    assert "out.mp4" in str(film.data("status")["changes"])
    (film.root / ".auraignore").unlink()
    assert film.data("status")["clean"]
    (film.root / "out.mp4").write_bytes(b"a cut of my own")
    assert "out.mp4" in str(film.data("status")["changes"])


def test_what_one_command_sets_is_one_step_of_undo(film: Film) -> None:
    """Fields of a document and of the state together; what was so already is not said to be changed."""
    before = film.data("project", "show")
    said = film("project", "set", "title=Other", "status=Failed")
    assert "Nothing is changed" not in said.out + said.stderr
    film("undo")
    after = film.data("project", "show")
    assert (after["title"], after["status"]) == (before["title"], before["status"])
    film("redo")
    again = film.data("project", "show")
    assert (again["title"], again["status"]) == ("Other", "Failed")
    said = film("project", "set", "title=Other", "status=Cancelled")
    assert "Nothing is changed" not in said.out + said.stderr


def test_a_setting_that_is_so_already_is_no_step_of_undo(film: Film) -> None:
    """Set or unset twice, it says so, and undo takes back the first time."""
    where: tuple[list[str], list[str]]
    for where in (([], ["--studio"]), (["--project"], [])):
        flags, undo = where
        assert "undo" in film("config", "set", *flags, "autosave.interval_minutes", "7").out
        assert "nothing was changed" in film("config", "set", *flags, "autosave.interval_minutes", "7").out
        film("undo", *undo)
        assert film.data("config", "get", "autosave.interval_minutes")["source"] == "default"
        assert "nothing was changed" in film("config", "unset", *flags, "autosave.interval_minutes").out


def test_fields_name_what_there_is(film: Film) -> None:
    """A template that the studio has, by name or id; a file of the project, not any file."""
    assert "template" in film("project", "set", "template_id=nonsense", code=24).stderr
    film("template", "save", "Ours", code=None)
    assert film("project", "set", "output_file_path=../../etc/passwd", code=63).code == 63
    assert film("project", "set", "output_file_path=/etc/passwd", code=63).code == 63
    film("project", "set", "output_file_path=exports/film.mp4")


def test_a_version_says_who_changed_it_last(film: Film) -> None:
    """Its name and mark are fields like any other."""
    film.commit("One", {"a.txt": "1"})
    made = film.data("show", "v1")["version"]
    assert (made["modified_by"], made["deleted_by"]) == (made["author"], None)
    film("version", "edit", "v1", "--name", "First", env={"AURA_AUTHOR": "Bert"})
    found = film.data("log")["versions"][0]
    assert found["modified_by"] == "Bert"
    assert found["updated_at"] > made["updated_at"] >= made["created_at"]


def test_the_log_of_a_file_that_no_version_has_says_so(film: Film) -> None:
    """And not that some filter lets nothing through."""
    film.commit("One", {"a.txt": "1"})
    assert "nope.txt" in film("log", "nope.txt").out
