"""The list of projects: pages, moved and missing folders, copies, ten thousand entries."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from aura_vcs import Repository
from aura_vcs.errors.input import NotAProject, UnknownName
from aura_vcs.project.documents.state import delete_project, set_state, undelete_project
from aura_vcs.project.summary import PLACES, facts_stamp, read_facts
from aura_vcs.studio.projects import (
    ProjectFilter,
    add_project,
    file_name,
    find_project,
    forget_project,
    list_projects,
    page_statement,
    scan_folder,
)
from aura_vcs.studio.studio import Studio


def make(path: Path, title: str, category: str | None = None) -> Path:
    """A project with a title."""
    path.mkdir(parents=True)
    (path / "project.json").write_text(json.dumps({"id": "x", "title": title, "category": category}))
    Repository.init(str(path)).close()
    return path


def titles(studio: Studio, **wanted: object) -> list[str]:
    """The titles of a page."""
    return [entry.facts.title for entry in list_projects(studio, ProjectFilter(**wanted))]  # type: ignore[arg-type]


def test_add_list_filter_sort(studio: Studio, tmp_path: Path) -> None:
    """Projects are found by status and category, and sorted as asked."""
    for number, category in enumerate(["Art", "Science", "Art"]):
        add_project(studio, str(make(tmp_path / f"p{number}", f"Film {number}", category)))
    with Repository.open(str(tmp_path / "p1")) as repo:
        set_state(repo, {"status": "failed", "error_message": "no picture", "job_id": "j-7"})
    add_project(studio, str(tmp_path / "p1"))
    assert sorted(titles(studio)) == ["Film 0", "Film 1", "Film 2"]
    assert titles(studio)[0] == "Film 1"
    assert titles(studio, status="Failed") == ["Film 1"]
    assert titles(studio, job_id="j-7") == ["Film 1"]
    assert titles(studio, category="Art", sort="title") == ["Film 0", "Film 2"]
    assert titles(studio, sort="title", limit=1, offset=1) == ["Film 1"]


def test_a_page_shows_what_is_in_the_folder(studio: Studio, tmp_path: Path) -> None:
    """A title that was edited without aura shows in the list."""
    path = make(tmp_path / "p", "Before")
    add_project(studio, str(path))
    (path / "project.json").write_text('{"title": "Afterwards"}')
    assert titles(studio) == ["Afterwards"]
    assert find_project(studio, "afterwards").path == str(path)


def aged(root: Path) -> None:
    """Let everything in a project have been changed an hour ago."""
    for path in (root, *root.rglob("*")):
        os.utime(path, (time.time() - 3600,) * 2)


@pytest.mark.parametrize("age", [aged, lambda _: None], ids=["old", "young"])
@pytest.mark.parametrize("name", [name for name in PLACES if "." in Path(name).name and name != "/.aura"])
def test_the_stamp_sees_what_comes_and_goes(tmp_path: Path, name: str, age: Callable[[Path], None]) -> None:
    """A document, scene or record that was not there is seen when it comes, when it changes and when it goes."""
    root = make(tmp_path / "p", "Film")
    file = Path(f"{root}{name}")
    file.unlink(missing_ok=True)
    age(root)
    without = facts_stamp(str(root))
    assert facts_stamp(str(root), without or "") == without
    file.write_text("{}")
    age(root)
    once = facts_stamp(str(root), without or "")
    assert once not in {None, without}
    assert facts_stamp(str(root), once or "") == once
    file.write_text("{ }")
    age(root)
    again = facts_stamp(str(root), once or "")
    assert again not in {None, once}
    if name != "/.aura/format.json":
        file.unlink()
        assert facts_stamp(str(root), again or "") not in {None, again}


def test_the_stamp_sees_scenes_and_logs(tmp_path: Path) -> None:
    """A first scene and a first operation are seen, too, and a folder of ours that has become a link is none."""
    root = make(tmp_path / "p", "Film")
    aged(root)
    seen = [facts_stamp(str(root))]
    for name in ("scenes/001.json", "scenes/002.json", ".aura/operations/x.jsonl"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("{}")
        seen.append(facts_stamp(str(root), seen[-1] or ""))
        assert seen[-1] is not None
    assert len(set(seen)) == 4
    (root / ".aura" / "local").rename(tmp_path / "local")
    (root / ".aura" / "local").symlink_to(tmp_path / "local")
    assert facts_stamp(str(root), seen[-1] or "") is None


@pytest.mark.parametrize("known", ["", "x", "00 zz", f"0 {'f' * 100_000}", "0 ", "0 -1", "0 ffffff"])
def test_a_forged_stamp_is_no_stamp(tmp_path: Path, known: str) -> None:
    """Whatever the studio's file says was seen, the stamp is what is there."""
    root = make(tmp_path / "p", "Film")
    aged(root)
    assert facts_stamp(str(root), known) == facts_stamp(str(root))


def test_deleted_projects_are_hidden(studio: Studio, tmp_path: Path) -> None:
    """A soft-deleted project is in no list but that of the deleted ones, and comes back."""
    path = make(tmp_path / "p", "Film")
    with Repository.open(str(path)) as repo:
        delete_project(repo)
        add_project(studio, str(path))
        assert titles(studio) == []
        assert titles(studio, deleted=True) == ["Film"]
        undelete_project(repo)
    add_project(studio, str(path))
    assert titles(studio) == ["Film"]


def test_missing_and_moved(studio: Studio, tmp_path: Path) -> None:
    """A folder that is gone shows as missing; a scan finds where it went, and it stays one entry."""
    path = make(tmp_path / "a" / "film", "Film")
    add_project(studio, str(path))
    path.rename(tmp_path / "b")
    assert [entry.location for entry in list_projects(studio)] == ["missing"]
    found = scan_folder(studio, str(tmp_path))
    assert [entry.path for entry in found] == [str(tmp_path / "b")]
    assert [(e.location, e.path) for e in list_projects(studio)] == [("here", str(tmp_path / "b"))]


def test_a_copy_is_an_entry_of_its_own(studio: Studio, tmp_path: Path) -> None:
    """Two folders with the same project are both listed."""
    path = make(tmp_path / "film", "Film")
    shutil.copytree(path, tmp_path / "copy")
    assert len(scan_folder(studio, str(tmp_path))) == 2
    assert len(list_projects(studio)) == 2
    forget_project(studio, find_project(studio, str(path)))
    assert [entry.path for entry in list_projects(studio)] == [str(tmp_path / "copy")]
    assert (path / ".aura" / "format.json").exists()


def test_what_is_no_project_is_refused(studio: Studio, tmp_path: Path) -> None:
    """A plain folder cannot be added, and a wrong name suggests near ones."""
    with pytest.raises(NotAProject):
        add_project(studio, str(tmp_path))
    add_project(studio, str(make(tmp_path / "p", "Solar system")))
    with pytest.raises(UnknownName) as caught:
        find_project(studio, "Solar sistem")
    assert caught.value.near == ("Solar system",)


def test_a_project_with_broken_documents_is_listed(studio: Studio, tmp_path: Path) -> None:
    """The folder's name stands in for a title that cannot be read."""
    path = make(tmp_path / "broken", "x")
    (path / "project.json").write_bytes(b"{" * 1000)
    (path / ".aura" / "local" / "state.json").write_bytes(b"\0\0")
    assert add_project(studio, str(path)).facts.title == "broken"


@pytest.mark.parametrize(
    "wanted",
    [
        ProjectFilter(),
        ProjectFilter(status="Failed"),
        ProjectFilter(category="Art"),
        ProjectFilter(job_id="j"),
        ProjectFilter(deleted=True),
        ProjectFilter(sort="created"),
        ProjectFilter(sort="title"),
        ProjectFilter(sort="status"),
    ],
)
def test_every_page_is_served_by_an_index(studio: Studio, tmp_path: Path, wanted: ProjectFilter) -> None:
    """No list reads all rows or sorts them."""
    add_project(studio, str(make(tmp_path / "p", "Film")))
    list_projects(studio)
    statement, values = page_statement(wanted)
    plan = " ".join(row[3] for row in studio.index.rows(f"EXPLAIN QUERY PLAN {statement}", values))
    assert "USING INDEX projects_" in plan
    assert wanted.job_id is not None or "TEMP B-TREE" not in plan, plan


def test_scanning_looks_at_each_entry_a_few_times(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entering a project does not look at all that were entered before it."""
    looks: list[str] = []
    stat = studio.folder.storage.stat
    monkeypatch.setattr(studio.folder.storage, "stat", lambda name: looks.append(name) or stat(name))
    for number in range(40):
        make(tmp_path / "many" / str(number), f"Film {number}")
    assert len(scan_folder(studio, str(tmp_path / "many"))) == 40
    assert len(looks) < 40 * 6
    assert len(list_projects(studio, ProjectFilter(limit=100))) == 40
    (tmp_path / "many" / "7").rename(tmp_path / "elsewhere")
    found = scan_folder(studio, str(tmp_path))
    assert len(found) == len(list_projects(studio, ProjectFilter(limit=100))) == 40
    assert {entry.location for entry in list_projects(studio, ProjectFilter(limit=100))} == {"here"}


def fill(studio: Studio, root: Path, count: int) -> None:
    """Entries of projects that are all alike, the first hundred of them real."""
    real = make(root / "real", "Film")
    facts = read_facts(str(real))
    entry = add_project(studio, str(real))
    assert facts is not None
    for number in range(count):
        path = str(root / f"p{number}")
        item = msgspec.structs.replace(
            entry,
            file=file_name(facts.project, path),
            path=path if number >= 100 else str(real),
            facts=msgspec.structs.replace(facts, title=f"Film {number}", category=f"c{number % 7}"),
            updated_at=f"2026-11-23T10:{number % 60:02d}:{number % 59:02d}.{number:06d}Z",
        )
        Path(studio.folder.storage.path(f"projects/{item.file}")).write_bytes(msgspec.json.encode(item))


def check_first_page(studio: Studio, tmp_path: Path, count: int) -> None:
    """The first page of `count` projects is there within 50 ms."""
    fill(studio, tmp_path, count)
    assert len(list_projects(studio)) == 50
    time.sleep(2.1)
    list_projects(studio)
    studio.close()
    times = []
    for _ in range(5):
        with Studio(studio.folder.path, user="mira") as fresh:
            start = time.perf_counter()
            assert len(list_projects(fresh)) == 50
            times.append(time.perf_counter() - start)
    assert sorted(times)[2] < 0.05, times


@pytest.mark.slow
def test_the_first_page_is_quick(studio: Studio, tmp_path: Path) -> None:
    """1,000 projects: the first page takes less than 50 ms beyond start-up."""
    check_first_page(studio, tmp_path, 1000)


@pytest.mark.slow
def test_the_first_page_of_ten_thousand(studio: Studio, tmp_path: Path) -> None:
    """10,000 projects: the first page takes less than 50 ms beyond start-up."""
    check_first_page(studio, tmp_path, 10_000)
