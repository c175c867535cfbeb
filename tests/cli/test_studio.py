"""The studio through the command line: DOMAIN's four flows, and every command of this room."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import AURA, Film
from tests.helpers.project import look
from tests.project.test_export_runs import short_film

SECRET = "sk-live-0123456789abcdef"


@pytest.fixture
def studio_film(quick_path: Path) -> Film:
    """A folder that does not exist, in a studio of its own."""
    env = {"AURA_AUTHOR": "Ada", "AURA_HOME": str(quick_path / "studio"), "HOME": str(quick_path), "TZ": "UTC"}
    (quick_path / "work").mkdir()
    return Film(quick_path / "work", env)


@pytest.fixture
def bees(studio_film: Film) -> Film:
    """A project made from the explainer template."""
    studio_film("init", "bees", "--template", "explainer", "--title", "Bees", "--topic", "honey bees")
    return Film(studio_film.root / "bees", studio_film.env)


def scenes(film: Film) -> list[dict[str, object]]:
    """What `aura scene list` tells."""
    found: list[dict[str, object]] = film.data("scene", "list")["scenes"]
    return found


def test_flow_create(studio_film: Film) -> None:
    """Create: a project with its scenes from a template, a first version, its blobs, its place in the list."""
    made = studio_film.data("init", "bees", "--template", "explainer", "--title", "Bees")
    film = Film(studio_film.root / "bees", studio_film.env)
    assert made["template"] == "explainer"
    assert len(scenes(film)) == 6
    version = film.data("commit", "-m", "First")["version"]
    assert set(version["documents"]) == {"brief", "plan", "voice", "render", "timeline"}
    assert all(version["documents"].values())
    shown = film.data("project", "show")
    assert (shown["title"], shown["status"], shown["scenes"], shown["template_id"]) == (
        "Bees",
        "InProgress",
        6,
        "explainer",
    )
    assert shown["created_by"] == "Ada"
    listed = film.data("projects", "list")["projects"]
    assert [(item["title"], item["place"]) for item in listed] == [("Bees", "here")]
    assert film.data("template", "show", "explainer")["usage_count"] == 1


def test_flow_update(bees: Film) -> None:
    """Update: a changed project makes a version that reuses the blobs of what did not change."""
    first = bees.data("commit", "-m", "First")["version"]
    bees("project", "set", "title=Honey bees", "voice.rate=1.2")
    bees("scene", "set", "1", "heading=Every third bite", "duration_seconds=8")
    second = bees.data("commit", "-m", "Second")["version"]
    same = {name for name in first["documents"] if first["documents"][name] == second["documents"][name]}
    assert same == {"brief", "plan", "render"}
    compared = bees.data("version", "compare", "v1", "v2")["differs"]
    assert {name for name, differs in compared.items() if differs} == {"voice", "timeline"}
    assert scenes(bees)[1]["heading"] == "Every third bite"
    assert bees.data("fsck")["problems"] == []


def test_flow_export(studio_film: Film) -> None:
    """Export: Queued → InProgress → Completed with size and duration; or Failed, with the error."""
    film = Film(studio_film.root / "short", studio_film.env)
    short_film(film.root)
    film("init")
    film("commit", "-m", "Short")
    output = studio_film.root / "film.mp4"
    queued = film.data("export", "run", "v1", "--preset", "draft", "-o", str(output), "--queue")["export"]
    assert (queued["status"], queued["progress"]) == ("Queued", 0.0)
    before = look(film.root)
    done = film.data("export", "start", queued["id"])["export"]
    assert look(film.root) == before
    assert done["status"] == "Completed"
    assert done["file_size"] == output.stat().st_size
    assert done["duration_seconds"] == pytest.approx(2.0, abs=0.1)
    assert done["started_at"] <= done["completed_at"]
    failed = film("export", "run", "v1", "--preset", "draft", "-o", str(output), code=67)
    assert "exists already" in failed.stderr
    listed = film.data("export", "list")["exports"]
    assert [job["status"] for job in listed] == ["Failed", "Completed"]
    assert "exists already" in listed[0]["error_message"]
    assert [job["id"] for job in film.data("export", "list", "--status", "Completed")["exports"]] == [done["id"]]
    film("export", "retry", "last", "--overwrite")
    assert film.data("export", "show", "last")["export"]["status"] == "Completed"
    assert len(film.data("export", "presets")["presets"]) >= 14


def test_flow_undo(bees: Film) -> None:
    """Undo: the action is found by its id, its inverse applied, and it is marked Undone."""
    bees("commit", "-m", "First")
    before = look(bees.root)
    bees("scene", "remove", "2")
    bees("project", "set", "plan.pacing=Fast")
    action = bees.data("ops", "--type", "scene.remove")["operations"][0]
    assert action["can_be_undone"]
    assert action["inverse_action_type"] == "scene.remove.revert"
    assert "timeline.json" in action["affected_resource_ids"]
    bees("undo", "--id", action["id"][:8])
    found = bees.data("ops", "--type", "scene.remove")["operations"][0]
    assert (found["status"], found["undone_by"]) == ("Undone", "Ada")
    assert len(scenes(bees)) == 6
    assert json.loads(bees.read("plan.json"))["pacing"] == "Fast"
    bees("redo", "--id", action["id"][:8])
    assert len(scenes(bees)) == 5
    bees("undo")
    bees("undo")
    assert look(bees.root) == before


def test_scenes_are_added_moved_and_removed(bees: Film) -> None:
    """Scenes keep ids and order; wrong ones are named."""
    ids = [scene["id"] for scene in scenes(bees)]
    bees("scene", "add", "heading=Credits", "--at", "0")
    bees("scene", "move", "0", "6")
    assert [scene["id"] for scene in scenes(bees)][:6] == ids
    assert bees.data("scene", "show", "6")["heading"] == "Credits"
    bees("scene", "remove", "6")
    assert [scene["id"] for scene in scenes(bees)] == ids
    assert "There is no scene" in bees("scene", "show", "99", code=24).stderr
    assert "no field" in bees("scene", "set", "0", "colour=red", code=2).stderr
    assert bees("scene", "set", "0", "heading", code=2).stderr
    assert bees("scene", "set", "0", "duration_seconds=soon", code=63).stderr


def test_project_set_says_what_is_wrong(bees: Film) -> None:
    """Unknown fields and values change nothing, in documents and in the state."""
    before = look(bees.root)
    bees("project", "set", "titel=x", code=62)
    bees("project", "set", "plan.pacing=Hurried", code=63)
    bees("project", "set", "status=Nearly", code=63)
    bees("project", "set", "progress_percent=101", code=63)
    bees("project", "set", "title=ok", "status=Nearly", code=63)
    assert look(bees.root) == before
    bees("project", "set", "tags=a, b", "status=completed")
    shown = bees.data("project", "show")
    assert (shown["tags"], shown["status"], shown["progress_percent"]) == (["a", "b"], "Completed", 100.0)
    assert shown["completed_at"]


def test_rapid_settings_are_one_undo(bees: Film) -> None:
    """Three titles in a row go back to the first title at once."""
    for title in ("A", "B", "C"):
        bees("project", "set", f"title={title}")
    bees("undo")
    assert bees.data("project", "show")["title"] == "Bees"


def test_edits_expire_where_that_is_configured(bees: Film) -> None:
    """With actions.expire_days an edit carries when undo ends; without, it never does."""
    bees("config", "set", "actions.expire_days", "30")
    bees("project", "set", "title=A")
    bees("config", "unset", "actions.expire_days")
    bees("scene", "move", "0", "1")
    moved, titled = bees.data("ops", "-n", "2")["operations"]
    assert (moved["expires_at"], titled["status"]) == (None, "Applied")
    assert titled["expires_at"] > titled["time"]


def test_configured_render_fields_go_into_new_projects(studio_film: Film) -> None:
    """render.defaults stands in the render.json of a project that begins with a template."""
    studio_film("config", "set", "render.defaults", '{"fps": 25}')
    studio_film("init", "f", "--template", "story", "--title", "F")
    render = json.loads((studio_film.root / "f" / "render.json").read_text())
    assert (render["fps"], render["container"]) == (25, "mp4")


def test_check_tells_and_ends_with_three(bees: Film) -> None:
    """A scene with media that does not exist is an error; it can be committed all the same."""
    assert bees.data("project", "check")["errors"] == 0
    bees("scene", "set", "0", "image_file_path=assets/nowhere.png")
    found = bees.data("project", "check", code=3)
    assert found["errors"] >= 1
    assert any("nowhere.png" in problem["message"] for problem in found["problems"])
    assert "nowhere.png" in bees("status").stderr
    bees("commit", "-m", "With a hole")
    assert "nowhere.png" in bees("status").stderr


def test_delete_undelete_purge(bees: Film) -> None:
    """A project is hidden and shown; purging needs both a deletion and --yes, and removes everything."""
    bees("commit", "-m", "First")
    bees("project", "purge", "--yes", code=88)
    bees("project", "delete", "--yes")
    assert bees.data("projects", "list")["projects"] == []
    assert len(bees.data("projects", "list", "--deleted")["projects"]) == 1
    bees("project", "undelete")
    assert len(bees.data("projects", "list")["projects"]) == 1
    bees("undo")
    plan = bees.data("project", "purge")
    assert plan["dry_run"]
    assert (plan["versions"], plan["files"]) == (
        1,
        len([p for p in bees.root.rglob("*") if p.is_file() and ".aura" not in p.parts]),
    )
    assert (bees.root / "project.json").exists()
    bees("project", "purge", "--yes")
    assert [p for p in bees.root.rglob("*") if p.is_file() and "locks" not in p.parts] == []
    assert bees("status", code=10).stderr


def test_assets_and_temporary_files(film: Film) -> None:
    """Media is listed by type; temporary media stays out of commits and is cleaned on request."""
    film.write({"assets/take.wav.part": b"x" * 10, "tmp/preview.mp4": b"y" * 20, "assets/voice.wav": b"RIFF"})
    listed = film.data("asset", "list")["assets"]
    assert {a["file_path"]: a["is_temporary"] for a in listed} == {
        "assets/sky.png": False, "assets/take.wav.part": True, "assets/voice.wav": False, "tmp/preview.mp4": True,
    }  # fmt: skip
    assert [a["file_path"] for a in film.data("asset", "list", "--type", "Image")["assets"]] == ["assets/sky.png"]
    film("commit", "-m", "First")
    assert not any("preview" in c["path"] for c in film.data("diff", "v1")["changes"])
    film("show", "v1:tmp/preview.mp4", code=24)
    assert len(film.data("asset", "clean", "--dry-run")["assets"]) == 2
    assert film.data("asset", "clean", "--yes")["deleted_files"] == 2
    assert (film.root / "assets/sky.png").exists()
    assert film.data("asset", "list", "--temporary")["assets"] == []
    assert film.data("asset", "show", "assets/voice.wav")["mime_type"] == "audio/wav"
    assert "There is no asset" in film("asset", "show", "assets/skye.png", code=24).stderr


def test_checkpoints_and_recovery(film: Film) -> None:
    """A render that died is listed and resumed from its newest valid checkpoint."""
    film("commit", "-m", "First")
    film("checkpoint", "save", "Render", "--completed", "6", "--total", "10")
    film("checkpoint", "save", "render", "--completed", "7", "--total", "10", "--data", '{"next": 7}')
    film("project", "set", "status=Failed", "error_message=the power went")
    listed = film.data("recover", "--list")["interrupted"]
    assert [(item["state"]["status"], item["checkpoint"]["completed_scenes"]) for item in listed] == [("Failed", 7)]
    done = film.data("recover")
    assert (done["checkpoint"]["completed_scenes"], done["data"]) == (7, {"next": 7})
    assert film.data("project", "show")["progress_percent"] == 70.0
    newest = film.data("checkpoint", "latest")["checkpoint"]["id"]
    film("checkpoint", "invalidate", newest[:8], "--reason", "recut")
    assert film.data("checkpoint", "latest")["checkpoint"]["completed_scenes"] == 6
    assert film.data("checkpoint", "invalidate", "--all")["invalidated"] == 1
    film("recover", code=85)
    film("checkpoint", "save", "Render", "--completed", "11", "--total", "10", code=63)
    film("checkpoint", "save", "Render", "--completed", "1", "--total", "10", "--data", "{", code=2)


def test_autosave_restore_point_prune(film: Film) -> None:
    """An autosave of what changed, a restore point with its trigger, and a plan with reasons."""
    film("commit", "-m", "First")
    assert film.data("autosave")["version"] is None
    film.write({"notes.txt": "later"})
    assert film.data("autosave")["version"]["type"] == "autosave"
    point = film.data("restore-point", "PreScriptRegeneration")["version"]
    assert (point["type"], point["trigger"]) == ("restore_point", "PreScriptRegeneration")
    film("config", "set", "retention.keep_autosaves", "0", "--project")
    film("config", "set", "retention.autosave_days", "0", "--project")
    plan = film.data("prune", "--dry-run")
    assert {d["type"]: d["keep"] for d in plan["decisions"]} == {
        "manual": True, "autosave": False, "restore_point": True,
    }  # fmt: skip
    assert all(d["reason"] for d in plan["decisions"])
    film("version", "mark", "v2")
    assert film.data("prune")["removed"] == 0
    film("version", "mark", "v2", "--off")
    assert film.data("prune")["removed"] == 1
    film("undo")
    assert len(film.data("version", "list")["versions"]) == 3
    assert film.data("project", "show")["last_auto_save_at"]


def test_watch_saves_and_ends(film: Film) -> None:
    """A watcher is refused beside another, and switched off by its setting."""
    from aura_vcs import Repository
    from aura_vcs.history.autosave import WATCH_LOCK

    film("commit", "-m", "First")
    with Repository.open(str(film.root)) as repo, repo.locks.exclusive(WATCH_LOCK):
        assert "lock is held" in film("autosave", "--watch", code=44).stderr
    film("config", "set", "autosave.enabled", "off", "--project")
    assert "switched off" in film("autosave", "--watch").out


def test_watching_saves_what_changes(film: Film) -> None:
    """A real watcher saves after files have held still, nothing while nothing changes, and ends quietly."""
    film("commit", "-m", "First")
    for key, value in (("interval_minutes", "0.01"), ("least_minutes", "0"), ("quiet_seconds", "0.3")):
        film("config", "set", f"autosave.{key}", value, "--project")
    command = [*AURA, "-C", str(film.root), "autosave", "--watch"]
    watcher = subprocess.Popen(command, env={**os.environ, **film.env}, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert watcher.stderr is not None
        assert b"Watching" in watcher.stderr.readline()
        time.sleep(1)
        film.write({"notes.txt": "while you work"})
        for _ in range(100):
            saved = film.data("version", "list", "--type", "autosave")["versions"]
            if saved:
                break
            time.sleep(0.2)
        time.sleep(2)
        assert film.data("version", "list", "--type", "autosave")["versions"] == saved
        assert len(saved) == 1
    finally:
        watcher.send_signal(signal.SIGINT)
        output, errors = watcher.communicate(timeout=20)
    assert watcher.returncode == 0, errors
    assert b"Saved v2" in output


def test_configuration_sources_and_undo(bees: Film) -> None:
    """Project over user over default; what the project sets is undone."""
    key = "export.preset"
    assert bees.data("config", "get", key)["source"] == "default"
    bees("config", "set", key, "WebM VP9")
    bees("config", "set", key, "TikTok", "--project")
    assert (bees.data("config", "get", key)["value"], bees.data("config", "get", key)["source"]) == (
        "TikTok",
        "project",
    )
    bees("undo")
    found = bees.data("config", "get", key)
    assert (found["value"], found["source"]) == ("WebM VP9", "user")
    bees("config", "unset", key)
    assert bees.data("config", "get", key)["source"] == "default"
    assert "export.preset" in bees("config", "get", "export.presett", code=81).stderr
    assert bees("config", "set", "autosave.interval_minutes", "x", code=82).stderr
    assert len(bees.data("config", "describe")["settings"]) > 20


def test_a_secret_is_nowhere_to_be_read(bees: Film) -> None:
    """Not in the project, the studio's files, lists, errors or the log; only --reveal shows it."""
    bees("commit", "-m", "First")
    said = [bees("config", "set", "llm.api_key", "--stdin", text=SECRET + "\n")]
    said.append(bees("config", "set", "llm.api_key", SECRET, "--project", code=82))
    said.append(bees("config", "set", "llm.api_key", SECRET + "\x07", "--json", code=82))
    said += [bees("config", "list"), bees("config", "list", "--json"), bees("config", "get", "llm.api_key", "--json")]
    said.append(bees("ops", "--json"))
    assert not any(SECRET in ran.out + ran.stderr for ran in said)
    assert bees("config", "get", "llm.api_key", "--reveal").out.startswith(SECRET)
    for folder in (bees.root, Path(bees.env["AURA_HOME"])):
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert not any(SECRET.encode() in path.read_bytes() for path in files)
    assert "no keyring works here" in said[0].stderr


def test_setup_unattended_and_resumed(studio_film: Film) -> None:
    """Flags answer, --unattended takes the rest, and what was left is asked next time."""
    begun = studio_film.data("setup", "--name", "Mira Lindqvist")
    assert not begun["setup"]["completed"]
    assert "Next question" in studio_film("setup").out
    done = studio_film.data("setup", "--tier", "pro", "--unattended")
    assert done["setup"]["completed"]
    assert done["setup"]["selected_tier"] == "pro"
    assert done["system"]["is_setup_complete"]
    film = Film(
        studio_film.root, {k: v for k, v in studio_film.env.items() if k != "AURA_AUTHOR"} | {"AURA_AUTHOR": ""}
    )
    film("init", "f")
    made = Film(film.root / "f", film.env).commit("One", {"a.txt": "x"})
    assert made["author"] == "Mira Lindqvist"


def test_templates_are_made_shared_and_rated(bees: Film, tmp_path: Path) -> None:
    """A template of one's own is made from a project, given away, taken in and used."""
    bees("template", "new-from-project", "My bees")
    bees("template", "edit", "My bees", "--category", "Nature", "--tag", "insects")
    bees("template", "rate", "My bees", "5")
    assert bees.data("template", "list", "--category", "Nature")["templates"][0]["rating"] == 5.0
    file = tmp_path / "bees.json"
    bees("template", "export", "My bees", "-o", str(file))
    bees("template", "export", "My bees", "-o", str(file), code=2)
    bees("template", "delete", "My bees")
    bees("template", "show", "My bees", code=24)
    taken = bees.data("template", "import", str(file), "--name", "From a friend")
    assert taken["is_community_template"]
    bees("template", "undelete", "My bees")
    bees("template", "delete", "explainer", code=84)
    parent = Film(bees.root.parent, bees.env)
    parent("init", "wasps", "--template", "From a friend", "--title", "Wasps")
    assert len(scenes(Film(bees.root.parent / "wasps", bees.env))) == 6
    parent("init", "bees2", "--template", "explaner", code=24)
    (parent.root / "full").mkdir()
    (parent.root / "full" / "brief.json").write_text("{}")
    assert "has brief.json already" in parent("init", "full", "--template", "story", code=2).stderr
    assert not (parent.root / "full" / ".aura").exists()


def test_moved_projects_are_found_again(bees: Film) -> None:
    """A project that was moved is missing until a scan finds it."""
    shutil.move(bees.root, bees.root.parent / "deep")
    parent = Film(bees.root.parent, bees.env)
    assert "missing" in parent("projects", "list").out
    parent("projects", "scan", str(parent.root))
    found = parent.data("projects", "list")["projects"]
    assert [(item["place"], Path(item["path"]).name) for item in found] == [("here", "deep")]
    parent("projects", "forget", "Bees")
    assert parent.data("projects", "list")["projects"] == []


def test_search_finds_names_descriptions_and_scripts(bees: Film) -> None:
    """Words of versions, of the project and of scripts are found; what changed is found anew."""
    bees("commit", "-m", "Pollen cut", "--description", "with the garden")
    assert [f["place"] for f in bees.data("search", "pollen")["found"]] == ["v1"]
    assert [f["place"] for f in bees.data("search", "garden")["found"]] == ["v1"]
    assert [f["kind"] for f in bees.data("search", "kitchen", "table")["found"]] == ["scene"]
    bees("scene", "set", "0", "script_text=Déjà vu in the meadow")
    (old,) = bees.data("search", "kitchen")["found"]
    assert (old["kind"], old["place"].partition(":")[0], old["version"]) == ("script", "v1", 1)
    assert "kitchen" in bees("show", old["place"]).out
    assert [f["kind"] for f in bees.data("search", "deja", "mead")["found"]] == ["scene"]
    assert bees.data("search", '"', "*", "NEAR(")["found"] == []
    bees("scene", "remove", "0")
    assert bees.data("search", "meadow")["found"] == []


def test_the_index_of_a_small_project_stays_small(bees: Film) -> None:
    """Six scenes, five versions: the index takes less than 150 KB, everything else far less."""
    for number in range(5):
        bees.commit(f"Take {number}", {"notes.txt": str(number)})
    for command in (("scene", "list"), ("asset", "list"), ("search", "bees"), ("export", "list")):
        bees(*command)
    with sqlite3.connect(bees.root / ".aura/local/index.sqlite") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    assert (bees.root / ".aura/local/index.sqlite").stat().st_size < 150_000
