"""Templates: the shipped ones, those made from projects, and files from strangers."""

import json
import time
from pathlib import Path

import pytest
from aura_vcs.errors import InputError
from aura_vcs.errors.input import UnknownName
from aura_vcs.errors.studio import TemplateProtected, TemplateUnusable
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.project.documents.check import check_project
from aura_vcs.project.scenes.scenes import list_scenes
from aura_vcs.studio.configuration import set_configuration
from aura_vcs.studio.folder import RATINGS, StudioFolder
from aura_vcs.studio.studio import Studio
from aura_vcs.studio.template_files import NewProject, project_files
from aura_vcs.studio.templates import (
    count_use,
    delete_template,
    edit_template,
    export_template,
    find_template,
    import_template,
    list_templates,
    new_from_project,
    rate_template,
    system_templates,
    templates_statement,
    undelete_template,
)

from tests.helpers.memory_source import MemorySource
from tests.studio.conftest import FIXTURE

AT = "2026-11-23T10:00:00.000000Z"


def files_of(template_id: str, studio: Studio) -> dict[str, bytes]:
    """A new project's files."""
    template = find_template(studio, template_id)
    return project_files(
        template.documents,
        NewProject(title="Bees", topic="bees", project="p-1", template_id=template.id, at=AT, by="mira"),
    )


@pytest.mark.parametrize("template", [t.id for t in system_templates()])
def test_a_project_of_a_system_template_is_sound(studio: Studio, template: str) -> None:
    """Every shipped template makes a project without an error, with the title and topic in place."""
    files = files_of(template, studio)
    problems = check_project(MemorySource(files))
    assert [p for p in problems if p.severity == "error"] == []
    assert {p.message for p in problems if "scene" not in p.message} == set()
    assert len(list_scenes(MemorySource(files))) >= 5
    assert json.loads(files["project.json"])["title"] == "Bees"
    assert b"{{" not in b"".join(files.values())
    assert b"bees" in files["brief.json"]


def test_there_are_the_promised_system_templates(studio: Studio) -> None:
    """Explainer, product demo, tutorial, story and social short come with the package."""
    names = {template.name for template in list_templates(studio, system=True)}
    assert {"Explainer", "Product demo", "Tutorial", "Story", "Social short"} <= names


def test_a_template_of_a_project_keeps_its_form_and_not_its_identity(studio: Studio) -> None:
    """Documents and scripts stay; ids, dates, title and media do not."""
    made = new_from_project(studio, FolderSource(FIXTURE), "Planets")
    text = json.dumps(made.documents)
    assert len([path for path in made.documents if path.startswith("scenes/")]) == 10
    assert "assets/" not in text
    assert "5f0d3c1e" not in text
    assert "7c9e6679" not in text
    assert "additional_instructions" in text
    files = files_of("Planets", studio)
    assert [scene.document.heading for scene in list_scenes(MemorySource(files))][1] == "The Sun"
    assert json.loads(files["project.json"])["duration_seconds"] == 76.0


def test_edit_delete_undelete(studio: Studio) -> None:
    """A template of one's own changes, hides, and comes back; its name is then taken again."""
    made = new_from_project(studio, FolderSource(FIXTURE), "Planets", category="Education")
    edited = edit_template(studio, made, {"name": "Worlds", "tags": ("a",)})
    assert (edited.name, edited.tags, edited.created_at) == ("Worlds", ("a",), made.created_at)
    delete_template(studio, edited)
    with pytest.raises(UnknownName):
        find_template(studio, "Worlds")
    new_from_project(studio, FolderSource(FIXTURE), "Worlds")
    deleted = find_template(studio, made.id, deleted=True)
    with pytest.raises(InputError, match="exists"):
        undelete_template(studio, deleted)
    delete_template(studio, find_template(studio, "Worlds"))
    assert undelete_template(studio, deleted).deleted_at is None


def test_system_templates_are_protected(studio: Studio) -> None:
    """A system template is neither edited nor deleted."""
    template = find_template(studio, "explainer")
    with pytest.raises(TemplateProtected):
        delete_template(studio, template)
    with pytest.raises(TemplateProtected):
        edit_template(studio, template, {"name": "Mine"})


def test_two_ratings_at_one_moment_are_two(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is written twice within a tick of the disk's clock keeps its date and size."""
    now = f"{time.time_ns()}.64"
    monkeypatch.setattr(StudioFolder, "stamp", lambda _, name: now if name == RATINGS else "")
    template = find_template(studio, "story")
    for stars in (2, 4, 3):
        assert rate_template(studio, template, stars).rating == stars


def test_uses_ratings_and_default(studio: Studio) -> None:
    """Uses are counted, one person's second rating replaces the first, and a default can be chosen."""
    template = find_template(studio, "story")
    count_use(studio, template)
    count_use(studio, template)
    rate_template(studio, template, 2)
    rated = rate_template(studio, template, 4)
    assert (rated.usage_count, rated.rating, rated.rating_count) == (2, 4.0, 1)
    with pytest.raises(InputError):
        rate_template(studio, template, 6)
    with pytest.raises(UnknownName, match="default"):
        find_template(studio, "default")
    set_configuration(studio, "templates.default", "story")
    assert find_template(studio, "default").id == "story"


def test_export_and_import(studio: Studio) -> None:
    """An exported template comes in as a community template with its own id."""
    template = find_template(studio, "explainer")
    data = export_template(template)
    with pytest.raises(InputError, match="exists"):
        import_template(studio, data, "explainer.json")
    found = import_template(studio, data, "explainer.json", name="My explainer")
    assert found.is_community_template
    assert not found.is_system_template
    assert found.id != "explainer"
    assert found.documents == template.documents


@pytest.mark.parametrize(
    "change",
    [
        {"documents": {"../evil.json": {}}},
        {"documents": {"/etc/passwd": {}}},
        {"documents": {".aura/format.json": {}}},
        {"documents": {"scenes/../../x.json": {}}},
        {"documents": {"run.sh": {}}},
        {"documents": {"brief.json": []}},
        {"documents": {}},
        {"documents": {f"scenes/{n}.json": {} for n in range(2000)}},
        {"format": "something else"},
        {"name": ""},
        {"name": "x" * 300},
    ],
)
def test_hostile_template_files_are_refused(studio: Studio, change: dict[str, object]) -> None:
    """A file that would write elsewhere, or is not a template, is refused as a whole."""
    value = json.loads(export_template(find_template(studio, "story")))
    with pytest.raises(TemplateUnusable):
        import_template(studio, json.dumps({**value, "name": "Evil", **change}).encode(), "evil.json")
    assert list_templates(studio, system=False) == []


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"null"])
def test_rubbish_is_no_template(studio: Studio, data: bytes) -> None:
    """Bytes that are no JSON are refused by name."""
    with pytest.raises(TemplateUnusable, match=r"x\.json"):
        import_template(studio, data, "x.json")


def test_a_broken_file_hides_only_itself(studio: Studio) -> None:
    """One damaged template does not take the others with it."""
    new_from_project(studio, FolderSource(FIXTURE), "Planets")
    Path(studio.folder.storage.path("templates/broken.json")).write_text("{")
    assert [t.name for t in list_templates(studio, system=False)] == ["Planets"]


def test_the_index_serves_the_questions(studio: Studio) -> None:
    """Templates by category, (category, sub-category) and system ones are found through an index."""
    list_templates(studio)
    for arguments, options in (
        (("Education",), {}),
        (("Education", "Explainer"), {}),
        ((), {"system": True}),
    ):
        statement, values = templates_statement(*arguments, **options)
        plan = " ".join(row[3] for row in studio.index.rows(f"EXPLAIN QUERY PLAN {statement}", values))
        assert "INDEX templates_" in plan, plan


def test_a_project_of_any_kind_makes_a_template(studio: Studio) -> None:
    """Its rules of what is left out go along, and a project begins with them; a foreign file has none but these."""
    source = MemorySource(
        {"project.json": b'{"title": "Reel"}', ".auraignore": b"renders/\n", "cut.kdenlive": b"<mlt/>", "a.mov": b"x"}
    )
    made = new_from_project(studio, source, "Reels")
    assert made.texts == {".auraignore": "renders/\n"}
    assert list(made.documents) == ["project.json"]
    data = export_template(made)
    assert import_template(studio, data, "reels.json", name="Copy").texts == made.texts
    hostile = data.replace(b'".auraignore"', b'".bashrc"')
    with pytest.raises(TemplateUnusable, match="no template has such a file"):
        import_template(studio, hostile, "reels.json", name="Other")
