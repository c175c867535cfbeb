"""Every query that the data model asks for: an API call, a command, and the index that serves it.

docs/studio.md has the same table, which the last test holds against this one.
"""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aura_vcs import Repository
from aura_vcs.index.entities import Entities
from aura_vcs.index.queries import Queries, VersionFilter
from aura_vcs.index.records import ActionFilter
from aura_vcs.model import VersionType
from aura_vcs.plain_text import now
from aura_vcs.project.records.checkpoint_store import list_checkpoints
from aura_vcs.project.records.export_jobs import list_exports
from aura_vcs.studio.configuration import configured_keys
from aura_vcs.studio.projects import ProjectFilter, list_projects
from aura_vcs.studio.studio import Studio
from aura_vcs.studio.templates import list_templates

from tests.cli.conftest import Film
from tests.helpers.record_tables import make_record_tables

DOCUMENT = Path(__file__).parent.parent / "docs" / "studio.md"
SINCE = "2020-01-01T00:00:00.000000Z"


class Asked(NamedTuple):
    """A query of the data model. `index` begins the name of an index that the planner must use."""

    what: str
    call: Callable[[Repository, Studio], object]
    command: str
    index: str


def actions(**wanted: str) -> Callable[[Repository, Studio], object]:
    """The log, asked for something."""
    return lambda repo, _: Queries(repo.index).actions(ActionFilter(**wanted), at=now())


def versions(**wanted: Any) -> Callable[[Repository, Studio], object]:
    """Versions, asked for something."""
    return lambda repo, _: Queries(repo.index).all_versions(VersionFilter(**wanted))


def projects(**wanted: Any) -> Callable[[Repository, Studio], object]:
    """The studio's list, asked for something."""
    return lambda _, studio: list_projects(studio, ProjectFilter(**wanted))


def templates(*wanted: str, **more: Any) -> Callable[[Repository, Studio], object]:
    """Templates, asked for something."""
    names = ("category", "sub_category")
    return lambda _, studio: list_templates(studio, **dict(zip(names, wanted, strict=False)), **more)


def assets(**wanted: Any) -> Callable[[Repository, Studio], object]:
    """Assets, asked for something."""
    return lambda repo, _: Entities(repo.index).assets(**wanted)


def blobs(**wanted: Any) -> Callable[[Repository, Studio], object]:
    """Contents, asked for something."""
    return lambda repo, _: Queries(repo.index).blobs(**wanted)


QUERIES = [
    Asked("projects by status", projects(status="Failed"), "projects list --status Failed", "projects_by_status"),
    Asked("projects by updated_at", projects(), "projects list", "projects_by_updated"),
    Asked(
        "projects by (status, updated_at)",
        projects(status="Failed", sort="updated"),
        "projects list --status Failed --sort updated",
        "projects_by_status",
    ),
    Asked("projects by job_id", projects(job_id="job-7"), "projects list --job job-7", "projects_by_job"),
    Asked("deleted projects", projects(deleted=True), "projects list --deleted", "projects_deleted"),
    Asked("scenes by project", lambda r, _: Entities(r.index).scenes(), "scene list", "SCAN s"),
    Asked(
        "scenes by (project, scene_index)",
        lambda r, _: Entities(r.index).scenes_at(0),
        "scene show 0",
        "SEARCH s USING PRIMARY KEY",
    ),
    Asked("assets by project", assets(), "asset list", "SCAN assets"),
    Asked("assets by (project, type)", assets(type_="Image"), "asset list --type Image", "assets_by_type"),
    Asked("temporary assets", assets(temporary=True), "asset list --temporary", "assets_temporary"),
    Asked("versions by project", versions(), "version list", "versions_by_number"),
    Asked("versions by number", lambda r, _: Queries(r.index).versions_numbered(1), "show v1", "versions_by_number"),
    Asked(
        "versions by type",
        versions(types=(VersionType.AUTOSAVE,)),
        "version list --type autosave",
        "versions_by_type",
    ),
    Asked("versions by date", versions(since=SINCE), "version list --since 2020-01-01", "versions_by_date"),
    Asked("important versions", versions(important=True), "version list --important", "versions_important"),
    Asked("blobs by type", blobs(type_="Brief"), "debug blobs --type Brief", "objects_by_type"),
    Asked("blobs by last_referenced_at", blobs(), "debug blobs", "objects_by_last_referenced"),
    Asked("blobs by reference_count", blobs(sort="count"), "debug blobs --sort count", "objects_shared"),
    Asked(
        "templates by category",
        templates("Education"),
        "template list --category Education",
        "templates_by_category",
    ),
    Asked(
        "templates by (category, sub_category)",
        templates("Education", "Course"),
        "template list --category Education --sub-category Course",
        "templates_by_category",
    ),
    Asked("system templates", templates(system=True), "template list --system", "templates_"),
    Asked(
        "exports by status", lambda r, _: list_exports(r, status="Failed"), "export list --status Failed", "exports_by"
    ),
    Asked("exports by date", lambda r, _: list_exports(r, since=SINCE), "export list --since 2020-01-01", "exports_by"),
    Asked(
        "exports by (status, date)",
        lambda r, _: list_exports(r, status="Failed", since=SINCE),
        "export list --status Failed --since 2020-01-01",
        "exports_by_status",
    ),
    Asked("actions by user", actions(user="Ada"), "ops --user Ada", "actions_by_user"),
    Asked("actions by type", actions(type="commit"), "ops --type commit", "actions_by_type"),
    Asked("actions by status", actions(status="Undone"), "ops --status Undone", "actions_by_status"),
    Asked("actions by time", actions(since=SINCE), "ops --since 2020-01-01", "actions_by_time"),
    Asked(
        "actions by (user, time)",
        actions(user="Ada", since=SINCE),
        "ops --user Ada --since 2020-01-01",
        "actions_by_user",
    ),
    Asked(
        "actions by (status, time)",
        actions(status="Applied", since=SINCE),
        "ops --status Applied --since 2020-01-01",
        "actions_by_status",
    ),
    Asked("actions by correlation id", actions(correlation_id="c"), "ops --correlation c", "actions_by_correlation"),
    Asked("actions by expiry", actions(status="Expired"), "ops --status Expired", "actions_by_"),
    Asked(
        "configurations by category",
        lambda _, s: configured_keys(s, category="autosave"),
        "config list --category autosave",
        "configurations_by_category",
    ),
    Asked(
        "configurations by (category, active)",
        lambda _, s: configured_keys(s, category="autosave", active=True),
        "config list --category autosave --active",
        "configurations_by_category",
    ),
    Asked(
        "sensitive configurations",
        lambda _, s: configured_keys(s, sensitive=True),
        "config list --sensitive",
        "configurations_sensitive",
    ),
    Asked(
        "checkpoints by project, newest first", lambda r, _: list_checkpoints(r), "checkpoint list", "checkpoints_by"
    ),
    Asked(
        "checkpoints by stage",
        lambda r, _: list_checkpoints(r, stage="Render"),
        "checkpoint list --stage Render",
        "checkpoints_by",
    ),
]
"""DOMAIN's list, line by line, and the checkpoints."""


@pytest.fixture(scope="module")
def bees(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """A project with a version, in a studio of its own."""
    root = tmp_path_factory.mktemp("queries")
    env = {"AURA_AUTHOR": "Ada", "AURA_HOME": str(root / "studio"), "HOME": str(root), "TZ": "UTC"}
    Film(root, env)("init", "bees", "--template", "explainer", "--title", "Bees", "--topic", "honey bees")
    made = Film(root / "bees", env)
    made("commit", "-m", "First")
    return made


@contextmanager
def opened(film: Film) -> Iterator[tuple[Repository, Studio]]:
    """The project and the studio behind a film."""
    with Repository.open(film.root) as repo, Studio(film.env["AURA_HOME"], user="Ada") as studio:
        yield repo, studio


def plans(connection: Any, ask: Callable[[], object]) -> dict[str, str]:
    """What the planner says of every SELECT that `ask` makes on a connection."""
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    ask()
    connection.set_trace_callback(None)
    selects = [text for text in statements if text.lstrip().startswith(("SELECT", "WITH"))]
    return {
        text: " | ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}"))
        for text in dict.fromkeys(selects)
    }


@pytest.mark.parametrize("asked", QUERIES, ids=lambda asked: asked.what)
def test_the_query_has_a_call_and_an_index(bees: Film, asked: Asked) -> None:
    """The API answers, the planner uses the index that is meant for it, and nothing else is read whole."""
    with opened(bees) as (repo, studio):
        make_record_tables(repo.index.database.connection)
        asked.call(repo, studio)  # what follows a change of the folder is behind us
        found: dict[str, str] = {}
        for connection in (repo.index.database.connection, studio.index.connection):
            found |= plans(connection, lambda: asked.call(repo, studio))
    answering = [plan for plan in found.values() if asked.index in plan]
    assert answering, found
    for step in (step for plan in answering for step in plan.split(" | ")):
        assert not step.startswith("SCAN") or "INDEX" in step or step == asked.index, answering


def test_every_query_has_a_command(bees: Film) -> None:
    """Each is asked on the command line, as text and as JSON."""
    for asked in QUERIES:
        bees(*shlex.split(asked.command))
        assert isinstance(bees(*shlex.split(asked.command), "--json").json, dict), asked.what


def test_the_document_lists_them_all() -> None:
    """docs/studio.md has a line for each query with its command."""
    text = DOCUMENT.read_text("utf-8")
    assert [asked.what for asked in QUERIES if f"| {asked.what} | `aura {asked.command}` |" not in text] == []
