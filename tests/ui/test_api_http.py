"""The JSON under /api/ is what the commands print with `--json`, and docs/api-http.md says all of it."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import aura_vcs as aura
import pytest
from aura_vcs.cli.main import cli
from aura_vcs.ui.actions.table import ACTIONS
from aura_vcs.ui.answers import ANSWERS
from click.testing import CliRunner

from tests.helpers.project import write, write_project
from tests.ui.conftest import ServedPage, serve

PAGE = Path(__file__).parents[2] / "docs" / "api-http.md"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    """The page of a project with two branches, tags, a conflict, a remote and unsaved work."""
    folder = tmp_path_factory.mktemp("api")
    root = folder / "film"
    root.mkdir()
    write_project(root)
    with aura.init(root, author="Ada") as project:
        project.commit("First cut")
        project.branches.create("side")
        write(root, {"brief.json": json.dumps({"topic": "Why the sea rises", "tone": "wild"})})
        project.commit("Wilder")
        project.checkout("side")
        write(root, {"brief.json": json.dumps({"topic": "Why the sea rises", "tone": "stern"})})
        project.commit("Sterner")
        project.checkout("main")
        project.tags.create("premiere", message="For the cinema")
        project.remotes.add("nas", folder / "nas.aura")
        project.merge("side", message="Together")
        project.notes.add("v1", "Too slow")
        write(root, {"notes.txt": "louder\n"})
    with serve(root, folder / "home") as page:
        yield page


def _printed(page: ServedPage, *arguments: str) -> Any:
    root = page.server.site.settings.root or "."
    home = str(page.server.site.settings.credentials.home)
    at = arguments.index("--") if "--" in arguments else len(arguments)
    given = ["-C", root, *arguments[:at], "--json", *arguments[at:]]
    done = CliRunner().invoke(cli, given, env={"AURA_HOME": home, "AURA_AUTHOR": "Ada"})
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("question", "arguments"),
    [
        ("log", ("log",)),
        ("log?all=1&limit=2", ("log", "--all", "-n", "2")),
        ("log?author=Ada&grep=cut", ("log", "--author", "Ada", "--grep", "cut")),
        ("log?path=brief.json&path=notes.txt", ("log", "--", "brief.json", "notes.txt")),
        ("show?version=v2", ("show", "v2")),
        ("ls?version=v1&path=assets", ("ls", "v1:assets")),
        ("ls?version=v1&recursive=1", ("ls", "v1", "--recursive")),
        ("diff?old=v1&new=v2&media=headers", ("diff", "v1", "v2", "--no-media")),
        ("diff?media=headers", ("diff", "--no-media")),
        ("ops?limit=3", ("ops", "-n", "3")),
        ("branch", ("branch", "list")),
        ("tag", ("tag", "list")),
        ("resolve", ("resolve", "--list")),
        ("merge?with=side", ("merge", "side", "--dry-run")),
        ("remote", ("remote", "list")),
        ("export", ("export", "list")),
        ("note?where=v1", ("note", "list", "v1")),
    ],
)
def test_an_answer_is_what_the_command_prints(film: ServedPage, question: str, arguments: tuple[str, ...]) -> None:
    """Key by key and value by value."""
    assert film.ask(question) == _printed(film, *arguments)


def test_status_has_what_the_command_prints_of_the_folder(film: ServedPage) -> None:
    """The command adds what it looks up besides: documents, locks, remotes."""
    found, printed = film.ask("status"), _printed(film, "status")
    assert found == {name: printed[name] for name in found}
    assert [change["path"] for change in found["changes"]] == ["notes.txt"]


def test_storage_is_what_the_command_prints(film: ServedPage) -> None:
    """But for the bytes of the folder, which looking changes."""
    found, printed = film.ask("storage"), _printed(film, "storage")
    assert found.keys() == printed.keys()
    assert found["by_file_type"] == printed["by_file_type"]


def test_projects_are_what_the_command_prints(film: ServedPage) -> None:
    """The person's list, wherever they lie."""
    home = film.server.site.settings.credentials.home
    assert home is not None
    aura.Studio(home).projects.add(film.server.site.settings.root or "")
    answer = film.send("GET", "/api/projects", {"Authorization": f"Bearer {film.access.token}"})
    assert answer.json == _printed(film, "projects", "list")


def test_a_question_that_is_none_names_those_that_are(film: ServedPage) -> None:
    """With the shape that errors have."""
    answer = film.send("GET", f"/api{film.base}/lgo", {"Authorization": f"Bearer {film.access.token}"})
    assert answer.status == 404
    assert answer.json["error"]["code"] == "unknown_name"
    assert "log" in answer.json["error"]["hint"]


@pytest.mark.parametrize(
    ("question", "status"),
    [("show?version=v99", 404), ("log?limit=x", 400), ("log?type=x", 400), ("diff?new=v1", 400), ("ls?path=..", 400)],
)
def test_errors_are_those_of_the_command(film: ServedPage, question: str, status: int) -> None:
    """Code, message and way out."""
    answer = film.send("GET", f"/api{film.base}/{question}", {"Authorization": f"Bearer {film.access.token}"})
    assert answer.status == status
    assert answer.json["error"].keys() == {"code", "message", "hint"}


@pytest.mark.parametrize("address", ["?q=%ff", "?author=%ff", "/rows?q=%ed%a0%80", "/glance?v=%ff", "/file/"])
def test_bytes_that_are_no_text_are_found_nowhere(film: ServedPage, address: str) -> None:
    """What somebody typed into the address is looked for, and nothing is found; nothing breaks."""
    assert film.get(address).status == (404 if address == "/file/" else 200)


def test_what_is_done_is_what_the_command_does(tmp_path: Path, home: Path) -> None:
    """Each action on a project of its own: what it answers has the keys of the command, and undo takes it back."""
    root = tmp_path / "film"
    root.mkdir()
    write_project(root)
    with aura.init(root, author="Ada") as project:
        project.commit("First cut")
    with serve(root, home) as page:
        write(root, {"notes.txt": "louder\n"})
        made = page.do("commit", name="Louder", important=True).json
        assert made.keys() == _printed(page, "commit", "-m", "Again").keys()
        assert made["version"]["important"] is True
        assert page.do("commit", name="Again").json["created"] is False
        assert page.do("tag", name="sent", version="v1", message="m").json["tag"]["message"] == "m"
        assert page.do("branch", name="side", version="v1").json["branch"]["name"] == "side"
        assert page.do("version/edit", version="v2", name="Loud").json["version"]["name"] == "Loud"
        assert page.do("version/edit", version="v2", important=False).json["changed"] is True
        assert page.do("restore", version="v1", paths=["notes.txt"]).json["changed_paths"] == 1
        assert not (root / "notes.txt").exists()
        undone = page.do("undo").json
        assert undone["operation"]["description"].startswith("Restored")
        assert (root / "notes.txt").read_text() == "louder\n"
        assert page.do("redo").json.keys() == undone.keys()
        assert page.do("undo").json["changed_paths"] == 1
        assert page.do("checkout", version="v1").json["head"]["number"] == 1
        assert page.do("checkout", version="main").json["branch"] == "main"
        assert page.do("tag/delete", name="sent").json == {"deleted": "sent"}
        target = tmp_path / "copy"
        assert page.do("export/version", version="v1", target=str(target)).json["files"] > 5
        assert (target / "brief.json").is_file()
        refused = page.do("export/version", version="v1", target=str(target))
        assert refused.status == 422
        assert refused.json["error"]["code"] == "target_exists"
        assert page.do("undo", operation="ffffffff").status == 404


def test_a_job_is_answered_at_once_where_that_is_asked_for(film: ServedPage) -> None:
    """It goes on, is listed, and its result is what the command prints."""
    headers = {**film.form, "Prefer": "respond-async"}
    answer = film.send("POST", f"/api{film.base}/push", headers, {"remote": "nas"})
    if answer.status == 202:
        job = answer.headers["location"]
        assert job.startswith(f"/api{film.base}/jobs/")
        for _ in range(200):
            answer = film.send("GET", job, film.cookie)
            if answer.json["state"] != "running":
                break
            threading.Event().wait(0.05)
        assert answer.json["state"] == "done"
        assert answer.json["result"]["dry_run"] is False
    else:
        assert answer.json["dry_run"] is False
    assert film.ask("jobs") == {"jobs": []}


def test_events_say_what_other_processes_do(film: ServedPage) -> None:
    """A commit of the command line is told within half a second, and a file that is written within a second."""
    root = Path(film.server.site.settings.root or "")
    with closing(HTTPConnection("127.0.0.1", film.port, timeout=30)) as connection:
        connection.request("GET", f"/api{film.base}/events", headers=film.cookie)
        stream = connection.getresponse()
        assert stream.getheader("content-type", "").startswith("text/event-stream")
        assert stream.readline() == b"retry: 1000\n"
        threading.Event().wait(0.6)  # until both followers look
        with aura.open(root, author="Jonas") as project:
            project.tags.create("told")
        found = b""
        while b"Created tag told" not in found:
            found += stream.readline()
        assert b"event: operation" in found
        (root / "more.txt").write_text("more")
        while b"event: files" not in found:
            found += stream.readline()


def test_the_page_has_every_question_and_action() -> None:
    """docs/api-http.md names each with its fields, and nothing that is not there."""
    text = PAGE.read_text("utf-8")
    questions = set(re.findall(r"^\| `GET (?:/api/p/KEY/)([a-z/]+)`", text, re.MULTILINE))
    assert questions == {*ANSWERS, "events", "jobs"}
    actions = dict(re.findall(r"^\| `POST /api/p/KEY/([a-z/]+)` \| ([^|]*) \|", text, re.MULTILINE))
    assert set(actions) == set(ACTIONS)
    for name, action in ACTIONS.items():
        fields = set(re.findall(r"`([a-z_]+)`", actions[name]))
        assert fields == set(action.shape.__struct_fields__), name


def test_the_next_rows_have_one_offset(film: ServedPage) -> None:
    """However far the list was scrolled, their address does not grow."""
    first = film.get("/rows?q=x&offset=0&all=1").text
    assert "offset=" not in first
    page = film.get("?all=1&offset=5").text
    assert page.count("offset=5") == 0
    assert film.send("GET", f"{film.base}?{'a=1&' * 2000}", film.cookie).status == 400
