"""Import of an Aura studio's database: what it has of a project is here afterwards, once, whoever made the file."""

import importlib.util
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.errors import InputError
from aura_vcs.errors.interchange import NotADatabase
from aura_vcs.history.commit import commit
from aura_vcs.history.undo import undo
from aura_vcs.index.queries import VersionFilter
from aura_vcs.index.records import VersionRecord
from aura_vcs.maintenance.retention import RetentionRules, plan_prune
from aura_vcs.model import VersionType
from aura_vcs.project.documents.state import project_state
from aura_vcs.project.records.checkpoint_store import checkpoint_data, list_checkpoints
from aura_vcs.project.records.export_jobs import list_exports, retry_export
from aura_vcs.repository.repository import Repository
from aura_vcs.studio.configuration import get_configuration, secret_value
from aura_vcs.studio.database.database_file import DatabaseFile
from aura_vcs.studio.database.import_database import DatabaseSource, import_database
from aura_vcs.studio.database.media import MediaFinder, PathMap
from aura_vcs.studio.database.report import DatabaseImported
from aura_vcs.studio.database.translate import document
from aura_vcs.studio.setup import setup_state
from aura_vcs.studio.studio import Studio
from aura_vcs.studio.templates import find_template

from tests.helpers.check import assert_whole

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
SAMPLE = Path(__file__).parent.parent.parent.parent / "shared/data/aura-database"


def _maker() -> Any:
    spec = importlib.util.spec_from_file_location("make_aura_studio", FIXTURES / "make_aura_studio.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


maker = _maker()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A database as the studio writes it, with its media."""
    return Path(maker.make(tmp_path / "studio"))


@pytest.fixture
def take(source: Path, tmp_path: Path) -> Callable[..., DatabaseImported]:
    """Import it into `films`, and into the studio `home`."""

    def run(database: Path = source, **options: Any) -> DatabaseImported:
        wanted = DatabaseSource(str(database), str(tmp_path / "films"), **options)
        return import_database(wanted, lambda: Studio(str(tmp_path / "home"), user="Mira"), {"author": "Mira"})

    return run


def _edit(database: Path, *statements: str) -> None:
    connection = sqlite3.connect(database)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def _versions(repo: Repository) -> list[VersionRecord]:
    found = {v.id: v for deleted in (False, True) for v in repo.queries.all_versions(VersionFilter(deleted=deleted))}
    return sorted(found.values(), key=lambda version: version.number)


def _read(repo: Repository, version: VersionRecord, name: str) -> Any:
    entry = repo.trees.entry(version.tree, name)
    return None if entry is None else json.loads(repo.store.read(entry.id))


def test_every_version_keeps_its_number_date_author_and_kind(take: Callable[..., Any], tmp_path: Path) -> None:
    """Autosaves and restore points hang off the version they were made on; the last version closes the import."""
    done = take()
    with Repository(str(tmp_path / "films/tides")) as repo:
        one, auto, point, slow, closing = _versions(repo)
        assert [v.number for v in (one, auto, point, slow, closing)] == [1, 2, 3, 4, 5]
        assert (one.author, one.created_at) == ("mira", "2026-09-01T08:30:00.123456Z")
        assert (auto.type, auto.name, auto.parents) == (VersionType.AUTOSAVE, "Automatic save", (one.id,))
        assert (point.type, point.trigger) == (VersionType.RESTORE_POINT, "PreScriptRegeneration")
        assert slow.important
        assert slow.parents == (one.id,)
        assert closing.parents == (slow.id,)
        assert repo.head().version == closing.id
        assert _read(repo, auto, "brief.json")["tone"] == "Warm & calm"  # which only the blob has
        assert _read(repo, one, "scenes/010-the-shore.json") is None
        assert _read(repo, closing, "scenes/010-the-shore.json")["audio_file_path"] == "assets/audio/1.wav"
        assert_whole(repo)
    assert (tmp_path / "films/tides/assets/images/3.png").read_bytes() == (
        tmp_path / f"studio/jobs/{maker.JOB}/images/3.png"
    ).read_bytes()
    assert {left.what: left.count for left in done.left} == {"media": 1, "UsageStatistics": 1, "configuration": 1}
    with Repository(str(tmp_path / "films/a-first-loaf")) as repo:
        assert [(v.number, v.deleted_at is not None) for v in _versions(repo)] == [(1, False), (2, True), (3, False)]
        scenes = sorted((tmp_path / "films/a-first-loaf/scenes").iterdir())
        assert [json.loads(scene.read_text())["index"] for scene in scenes] == [0, 1, 2]
        assert project_state(repo).status == "Draft"


def test_what_stands_beside_the_versions_comes_too(take: Callable[..., Any], tmp_path: Path) -> None:
    """State, checkpoints, exports and the log of actions are the project's; settings and templates the person's."""
    take()
    with Repository(str(tmp_path / "films/tides")) as repo:
        state = project_state(repo)
        assert (state.status, state.current_stage, state.job_id) == ("Completed", "Render", maker.JOB)
        points = list_checkpoints(repo)
        assert [point.stage_name for point in points] == ["Render", "TTS", "Script"]
        assert checkpoint_data(repo, points[1]) == {"provider": "Piper"}
        failed, made = list_exports(repo)
        assert (failed.status, made.status, made.file_size) == ("Failed", "Completed", 52_428_800)
        with pytest.raises(InputError, match="another program"):
            retry_export(repo, failed)
    action = json.loads((tmp_path / "films/tides/studio-actions.jsonl").read_text())
    assert (action["action_type"], action["payload"]) == ("CreateProject", {"a": 1})
    with Studio(str(tmp_path / "home"), user="Mira") as studio:
        assert get_configuration(studio, "autosave.interval_minutes").value == 10
        assert get_configuration(studio, "app.general.theme").value == "Dark"
        assert get_configuration(studio, "app.ui.panels").value == {"left": 240}
        assert secret_value(studio, "app.providers.open_ai.api_key") == "sk-not-a-real-key"
        assert not get_configuration(studio, "app.advanced.ollama_url").is_active
        template = find_template(studio, "Weekly science")
        assert template.llm_pipeline == {"DefaultModel": "gpt-4"}
        assert template.tags == ("science", "weekly")
        assert setup_state(studio).completed


def test_the_older_schema_gives_the_same_trees(tmp_path: Path) -> None:
    """Tables and columns go by what they are called, whatever the case and underscores."""
    trees = []
    for old in (False, True):
        folder = tmp_path / str(old)
        database = maker.make(folder / "studio", old_schema=old)
        home = str(folder / "home")
        done = import_database(DatabaseSource(str(database), str(folder)), lambda home=home: Studio(home, user="M"), {})
        assert done.templates == ("Mira's intro", "Weekly science")
        with Repository(str(folder / "tides")) as repo:
            trees.append([version.tree for version in _versions(repo)][:4])
    assert trees[0] == trees[1]


def test_a_second_import_brings_only_what_is_new(source: Path, take: Callable[..., Any], tmp_path: Path) -> None:
    """Nothing new is nothing done; a version that was added comes, and so does a state that has changed."""
    take()
    again = take()
    assert [project.versions for project in again.projects] == [0, 0]
    assert (again.settings, again.templates, again.setup) == ((), (), False)
    connection = sqlite3.connect(source)
    with connection:
        maker.add_version(connection, 5, Name="Final", tone="Funny")
        connection.execute(f"UPDATE SceneStates SET ScriptText = 'Go!' WHERE Id = '{maker.identity(202)}'")
    connection.close()
    grown = take()
    assert [project.versions for project in grown.projects] == [2, 0]
    assert any("another number" in note for note in grown.notes)  # 5 is the closing version of the first import
    with Repository(str(tmp_path / "films/tides")) as repo:
        *_, before, final, closing = _versions(repo)
        assert (final.name, final.parents, closing.parents) == ("Final", (before.id,), (final.id,))
        assert repo.head().version == closing.id
    assert "Go!" in (tmp_path / "films/tides/scenes/030-go.json").read_text()


def test_work_that_was_done_here_stays(source: Path, take: Callable[..., Any], tmp_path: Path) -> None:
    """Where main went on here, what comes is put on a branch beside it; media that are gone there stay here."""
    take()
    film = tmp_path / "films/tides"
    with Repository(str(film)) as repo:
        (film / "brief.json").write_text('{"topic": "Mine"}')
        mine = commit(repo, "Mine").version
    _edit(source, "UPDATE ProjectStates SET Description = 'New words'")
    for path in (tmp_path / f"studio/jobs/{maker.JOB}/images").iterdir():
        path.unlink()
    tides = take().projects[0]
    assert (tides.branch, tides.versions) == ("studio", 1)
    with Repository(str(film)) as repo:
        assert repo.head().version == mine.id
        assert (film / "brief.json").read_text() == '{"topic": "Mine"}'
        newest = _versions(repo)[-1]
        assert repo.trees.entry(newest.tree, "assets/images/1.png") is not None


def test_undo_takes_the_branch_back_and_the_next_import_puts_it_there_again(
    take: Callable[..., Any], tmp_path: Path
) -> None:
    """As after an interruption between the versions and the branch: nothing is recorded twice."""
    take()
    with Repository(str(tmp_path / "films/tides")) as repo:
        undo(repo)
        assert not (tmp_path / "films/tides/brief.json").exists()
    assert take().projects[0].versions == 0
    with Repository(str(tmp_path / "films/tides")) as repo:
        assert len(_versions(repo)) == 5
    assert (tmp_path / "films/tides/brief.json").exists()


def test_a_dry_run_changes_nothing(take: Callable[..., Any], tmp_path: Path) -> None:
    """It says what would come, and no folder, file or setting is made."""
    planned = take(dry_run=True)
    assert [project.versions for project in planned.projects] == [5, 3]
    assert planned.templates == ("Mira's intro", "Weekly science")
    assert not (tmp_path / "films").exists()
    with Studio(str(tmp_path / "home"), user="Mira") as studio:
        assert get_configuration(studio, "app.general.theme").value is None


def test_imported_autosaves_are_spared_until_the_person_says_otherwise(
    take: Callable[..., Any], tmp_path: Path
) -> None:
    """However old they are."""
    take()
    with Repository(str(tmp_path / "films/tides")) as repo:
        strict = RetentionRules(keep_autosaves=0, autosave_days=0, restore_point_days=0)
        assert plan_prune(repo, strict).to_delete == ()
        loose = RetentionRules(keep_autosaves=0, autosave_days=0, restore_point_days=0, keep_imported=False)
        assert [decision.version.number for decision in plan_prune(repo, loose).to_delete] == [3, 2]


_WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("PRAGMA wal_autocheckpoint = 0")
connection.execute("UPDATE ProjectStates SET Title = 'From the log' WHERE Title = 'Tides'")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE ProjectStates SET Title = 'Not yet'")
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_database_that_is_open_is_read_as_it_was_saved_last(
    source: Path, take: Callable[..., Any], tmp_path: Path
) -> None:
    """What lies in its log counts, what is being written does not, and no byte of it changes."""
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(source)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        before = {path.name: path.read_bytes() for path in source.parent.glob("aura.db*") if path.suffix != ".db-shm"}
        assert [project.title for project in take(dry_run=True).projects] == ["From the log", "A first loaf"]
        after = {path.name: path.read_bytes() for path in source.parent.glob("aura.db*") if path.suffix != ".db-shm"}
        assert after == before
        copy = tmp_path / "crashed"
        copy.mkdir()
        for name, data in before.items():
            (copy / name).write_bytes(data)
        writer.communicate(b"")
    # As a crash leaves it: a log that nobody has open.
    assert take(copy / "aura.db", dry_run=True).projects[0].title == "From the log"
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == {
        name: data for name, data in before.items() if not name.endswith("-shm")
    }


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("brief", '{"Topic": "A", "Aspect": 1, "Mood": "x"}', {"topic": "A", "aspect": "Vertical9x16", "Mood": "x"}),
        ("brief", '{"topic": "A", "Topic": "B"}', {"topic": "A", "Topic": "B"}),
        ("brief", '{"Aspect": 99, "LlmParameters": {"TopP": 1}}', {"aspect": 99, "llm_parameters": {"top_p": 1}}),
        ("plan", '{"targetDurationMinutes": 0.5}', {"target_duration": 30.0}),
        ("plan", '{"TargetDuration": "00:01:16", "Pacing": "fast"}', {"target_duration": "00:01:16", "pacing": "Fast"}),
        ("voice", '{"Pause": true}', {"pause": True}),
        ("render", '{"Res": {"Width": 1}, "JobId": "x"}', {"resolution": {"width": 1}, "JobId": "x"}),
        ("timeline", '{"scenes": [{"narrationAudioPath": "p"}]}', {"scenes": [{"narration_audio_path": "P"}]}),
        ("timeline", '{"scenes": 5}', {"scenes": 5}),
        ("plan", "[1]", None),
        ("plan", "no json", None),
        ("plan", '{"a": ' * 300 + "1" + "}" * 300, None),
    ],
)
def test_documents_of_both_dialects_become_ours(kind: str, text: str, expected: Any) -> None:
    """Keys and enumerations are translated; what is not known stays, and nothing is dropped."""
    made = document(kind, text, str.upper)
    assert (None if made is None else json.loads(made)) == expected


def test_media_are_only_taken_from_where_they_may_be(tmp_path: Path) -> None:
    """A database from somebody else may name any file: only those below the roots and maps are found."""
    (tmp_path / "data/jobs/a").mkdir(parents=True)
    (tmp_path / "data/jobs/a/x.wav").write_bytes(b"1")
    (tmp_path / "secret").write_bytes(b"2")
    (tmp_path / "data/jobs/a/link.wav").symlink_to(tmp_path / "secret")
    finder = MediaFinder([str(tmp_path / "data")], [PathMap.parse(rf"C:\Users\Me={tmp_path}/data/jobs")])
    found = str(tmp_path / "data/jobs/a/x.wav")
    assert finder.find("/home/mira/Data/jobs/a/x.wav") == found
    assert finder.find(r"c:\users\me\A\..\a\x.wav") is None
    assert finder.find(r"c:\users\me\a\x.wav") == found
    assert finder.find("x.wav") is None
    for outside in (str(tmp_path / "secret"), "/home/jobs/a/link.wav", "../secret", "jobs/../../secret", "", "/"):
        assert finder.find(outside) is None
    with pytest.raises(InputError):
        PathMap.parse("nothing")


def test_hostile_rows_leave_their_folder_alone(source: Path, take: Callable[..., Any], tmp_path: Path) -> None:
    """Names that lead elsewhere, numbers that are none, texts without end, ids that are none: taken or listed."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/timeline.json").write_text("{}")
    _edit(
        source,
        "UPDATE ProjectStates SET Title = '../../.git', JobId = '../../secret', Status = 'Odd' WHERE Title = 'Tides'",
        f"UPDATE ProjectStates SET OutputFilePath = '{tmp_path}/secret/timeline.json'",
        f"UPDATE ProjectStates SET Description = '{'x' * 100_000}', Tags = '{',' * 5000}' WHERE Title != 'Tides'",
        "UPDATE ProjectVersions SET VersionNumber = 1",
        "UPDATE ProjectVersions SET VersionNumber = -7, CreatedAt = 'yesterday' WHERE Name = 'Idea'",
        "UPDATE ProjectVersions SET BriefJson = '{broken', BriefHash = NULL WHERE Name = 'Slower voice'",
        "UPDATE ContentBlobs SET Content = 'x'",
        "UPDATE RenderCheckpoints SET StageName = 'Dreaming', TotalScenes = -1 WHERE StageName = 'Rendering'",
        "UPDATE SceneStates SET ScriptText = char(0) || 'A' || char(10) || '\u202e', SceneIndex = 'many'",
        "UPDATE AssetStates SET FilePath = '/etc/passwd' WHERE AssetType = 'Audio'",
        "UPDATE Configurations SET Key = 'General.' || char(10) || 'Theme' WHERE Key = 'General.Theme'",
    )  # fmt: skip
    done = take()
    assert sorted(path.name for path in (tmp_path / "films").iterdir()) == ["a-first-loaf", "git"]
    reasons = {left.reason for left in done.left}
    assert "no JSON object; taken as they stand" in reasons
    assert "there is no stage 'Dreaming' here" in reasons
    assert any("Odd" in reason for reason in reasons)
    for name in ("git", "a-first-loaf"):
        with Repository(str(tmp_path / "films" / name)) as repo:
            numbers = [version.number for version in _versions(repo)]
            assert len(set(numbers)) == len(numbers)
            assert_whole(repo)
        names = {path.name for path in (tmp_path / "films" / name).rglob("*")}
        assert not names & {"passwd", "secret"}


def test_what_is_no_database_of_the_studio_is_refused(source: Path, take: Callable[..., Any], tmp_path: Path) -> None:
    """Other files, other databases, damaged ones, and views that would run what their writer says."""
    text = tmp_path / "text.db"
    text.write_text("SQLite format 4")
    empty, view, torn = tmp_path / "empty.db", tmp_path / "view.db", tmp_path / "torn.db"
    _edit(empty, "CREATE TABLE other (x)")
    _edit(view, "CREATE VIEW ProjectStates AS SELECT 1 AS Id")
    data = bytearray(source.read_bytes())
    torn.write_bytes(data[:6000])
    for path in (text, empty, view, torn, tmp_path / "none.db", tmp_path):
        with pytest.raises(NotADatabase):
            take(path)
    for place in range(4096, len(data), 4096):
        data[place : place + 8] = b"\xff" * 8
    torn.write_bytes(data)
    with pytest.raises(NotADatabase):
        take(torn)
    assert not (tmp_path / "films").exists()


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample database lies beside the project only")
def test_the_sample_comes_whole_and_quickly(tmp_path: Path) -> None:
    """With its media, in under 5 seconds."""
    began = time.process_time()
    wanted = DatabaseSource(
        str(SAMPLE / "aura.db"), str(tmp_path / "films"),
        maps=(PathMap.parse(f"/home/mira/AuraVideoStudio/Data={SAMPLE / 'aura_data'}"),),
    )  # fmt: skip
    done = import_database(wanted, None, {})
    assert time.process_time() - began < 5
    solar, bread = done.projects
    assert (solar.versions, solar.scenes, solar.media, solar.checkpoints, solar.exports) == (6, 10, 22, 4, 4)
    assert (bread.versions, bread.scenes) == (4, 3)
    assert {left.what for left in done.left} == {"documents", "media", "UsageStatistics", "CostTracking"}
    with Repository(solar.path) as repo:
        assert_whole(repo)


def test_a_pipe_is_no_database(tmp_path: Path) -> None:
    """Nobody waits for what may never come."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotADatabase, match="not a regular file"):
        DatabaseFile(str(tmp_path / "pipe"))


def test_an_empty_folder_is_used(take: Callable[..., DatabaseImported], tmp_path: Path) -> None:
    """An import that was interrupted when it had made a project's folder makes no second one beside it."""
    (tmp_path / "films/tides").mkdir(parents=True)
    take()
    assert sorted(path.name for path in (tmp_path / "films").iterdir()) == ["a-first-loaf", "tides"]
