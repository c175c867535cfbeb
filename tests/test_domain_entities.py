"""Every entity of the data model: a command shows all of its fields, and docs/studio.md tells where it lives."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from aura_vcs.cli.main import cli

from tests.cli.conftest import Film

DOCUMENT = Path(__file__).parent.parent / "docs" / "studio.md"

AUDIT = "created_at updated_at created_by modified_by"
STATE = "status current_wizard_step current_stage progress_percent job_id error_message"
ENTITIES = {
    "ProjectState": (
        "project show",
        "",
        f"id title description {STATE} brief plan voice render tags category output_file_path thumbnail_path "
        f"duration_seconds template_id last_auto_save_at completed_at deleted_at deleted_by {AUDIT}",
    ),
    "SceneState": (
        "scene list",
        "scenes",
        "id project scene_index script_text audio_file_path image_file_path duration_seconds is_completed created_at",
    ),
    "AssetState": (
        "asset list",
        "assets",
        "id project asset_type file_path file_size_bytes mime_type is_temporary created_at",
    ),
    "RenderCheckpoint": (
        "checkpoint list",
        "checkpoints",
        "id project stage_name checkpoint_time completed_scenes total_scenes checkpoint_data output_file_path is_valid",
    ),
    "ProjectVersion": (
        "version list",
        "versions",
        f"id number name description type trigger documents size_bytes important deleted_at deleted_by {AUDIT}",
    ),
    "ContentBlob": (
        "debug blobs",
        "blobs",
        "content_hash content_type size_bytes created_at last_referenced_at reference_count",
    ),
    "SystemConfiguration": (
        "setup --unattended",
        "system",
        f"is_setup_complete ffmpeg_path output_directory {AUDIT}",
    ),
    "Configuration": (
        "config list --category general",
        "configurations",
        f"key value category value_type description is_sensitive version is_active {AUDIT}",
    ),
    "UserSetup": (
        "setup --unattended",
        "setup",
        "id user_id completed completed_at version last_step selected_tier wizard_state updated_at",
    ),
    "Template": (
        "template show explainer",
        "",
        "id name description category sub_category preview_image preview_video tags documents author "
        f"is_system_template is_community_template usage_count rating rating_count {AUDIT}",
    ),
    "CustomTemplate": (
        "template show Mine",
        "",
        "id name description category tags author is_default script_structure video_structure llm_pipeline "
        f"visual_preferences deleted_at deleted_by {AUDIT}",
    ),
    "ExportHistory": (
        "export list",
        "exports",
        "id input_file output_file preset_name status progress created_at started_at completed_at error_message "
        "file_size duration_seconds platform resolution codec",
    ),
    "ActionLog": (
        "ops",
        "operations",
        "id user type description time status affected_resource_ids payload inverse_action_type inverse_payload "
        "can_batch is_persistent undone_at undone_by expires_at error_message correlation_id",
    ),
}
"""Entity: a command, the key of its JSON, and the fields; those of another name are our words for DOMAIN's."""


@pytest.fixture(scope="module")
def bees(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """A project that has one of everything."""
    root = tmp_path_factory.mktemp("entities")
    env = {"AURA_AUTHOR": "Ada", "AURA_HOME": str(root / "studio"), "HOME": str(root), "TZ": "UTC"}
    Film(root, env)("init", "bees", "--template", "explainer", "--title", "Bees", "--topic", "honey bees")
    made = Film(root / "bees", env)
    (made.root / "a.png").write_bytes(b"x")
    made("commit", "-m", "First")
    made("checkpoint", "save", "Render", "--completed", "1", "--total", "2")
    made("export", "run", "--queue", "--preset", "Draft Preview", "-o", str(root / "x.mp4"))
    made("template", "new-from-project", "Mine")
    made("config", "set", "general.tier", "Pro")
    return made


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_field_is_shown(bees: Film, entity: str) -> None:
    """The command's JSON has all fields of the entity."""
    command, key, fields = ENTITIES[entity]
    found: Any = bees(*shlex.split(command), "--json").json
    found = found[key] if key else found
    shown = found[0] if isinstance(found, list) else found
    assert [name for name in fields.split() if name not in shown] == []


def test_what_can_be_known_of_a_change_is_there(bees: Film) -> None:
    """Audit fields are filled in by themselves."""
    project = bees.data("project", "show")
    assert [name for name in AUDIT.split() if not project[name]] == []
    assert project["brief"]["topic"] == "honey bees"
    tier = next(item for item in bees.data("config", "list")["configurations"] if item["key"] == "general.tier")
    assert [name for name in AUDIT.split() if not tier[name]] == []
    version = bees.data("version", "list")["versions"][0]
    assert (version["created_by"], version["modified_by"]) == ("Ada", "Ada")
    ids = [bees.data("asset", "list")["assets"][0]["id"] for _ in range(2)]
    assert ids[0] == ids[1]


def rows() -> dict[str, list[str]]:
    """The table of entities in the document: cells by entity."""
    found = re.findall(r"^\| (\w[\w ]+) \|(.+)\|$", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in found if rest.count("|") == 2}


def test_the_document_has_every_entity() -> None:
    """Each has a row that links its commands and its tests."""
    table = rows()
    assert set(ENTITIES) <= set(table)
    for entity, (_, commands, tests) in ((name, table[name]) for name in ENTITIES):
        names = re.findall(r"\[`aura ([a-z -]+)`\]\(cli-reference\.md#aura-([a-z-]+)\)", commands)
        assert names, entity
        for name, anchor in names:
            assert name.replace(" ", "-") == anchor
            command: click.Command | None = cli
            for word in name.split():
                assert isinstance(command, click.Group)
                command = command.get_command(click.Context(command), word)
            assert command is not None, name
        paths = re.findall(r"\]\(\.\./(tests/[\w/]+\.py)\)", tests)
        assert paths, entity
        assert all((DOCUMENT.parent.parent / path).is_file() for path in paths), entity
