"""Rows of scenes, assets and actions: they follow the folder, and every question has its index."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from aura_vcs import Repository
from aura_vcs.index.entities import assets_statement, scenes_statement
from aura_vcs.index.full_text import SEARCH, SEARCH_OLD, WordTable
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import ActionFilter, actions_clause
from aura_vcs.project.documents.folder_index import files_of, refresh_folder

from tests.helpers.project import write


def plan_of(repo: Repository, statement: str, values: list[Any]) -> str:
    """What SQLite would do."""
    rows = repo.index.database.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
    return " | ".join(row[3] for row in rows)


def test_rows_follow_the_folder(first: Repository) -> None:
    """Scenes and assets that come, change and go are so in the index, without a commit."""
    root = Path(first.root)
    assert [row.scene_index for row in refresh_folder(first).scenes()] == [0, 1, 2]
    write(
        root, {"scenes/050-new.json": json.dumps({"id": "n", "index": 1, "script_text": "Ebb"}), "assets/a.mp3": b"1"}
    )
    (root / "scenes" / "000-scene.json").unlink()
    (root / "assets" / "sky.png").unlink()
    entities = refresh_folder(first)
    assert [(row.scene_index, row.script_text) for row in entities.scenes()] == [(1, ""), (1, "Ebb"), (2, "")]
    assert len(entities.scenes_at(1)) == 2
    assert [row.file_path for row in entities.assets(type_="Audio")] == ["assets/a.mp3", "assets/voice.wav"]
    assert entities.assets(type_="Image") == []
    assert [found.path for found in WordTable(first.index.database).search("ebb")] == ["scenes/050-new.json"]


def test_an_unchanged_folder_opens_nothing(first: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """When no date has changed, no document is read again."""
    refresh_folder(first)
    from aura_vcs.project.documents import folder_index

    def refuse(*_: object) -> None:
        raise AssertionError("a document was read")

    monkeypatch.setattr(folder_index, "_view", refuse)
    assert len(refresh_folder(first).scenes()) == 3


def test_rows_come_back_after_the_index_was_lost(first: Repository) -> None:
    """A rebuilt index has the same scenes, assets and words."""
    before = refresh_folder(first)
    scenes, assets = before.scenes(), before.assets()
    first.rebuild_index()
    after = refresh_folder(first)
    assert (after.scenes(), after.assets()) == (scenes, assets)
    assert [found.kind for found in WordTable(first.index.database).search("tides")] == ["project"]


def test_broken_scenes_and_odd_names_do_no_harm(first: Repository) -> None:
    """Documents that are no JSON, names that are no text, and links are listed or passed over, never fatal."""
    root = Path(first.root)
    write(root, {"scenes/900-broken.json": "{", "scenes/910-list.json": "[1]", "scenes/920-deep.json": "[" * 50_000})
    (root / "scenes" / os.fsdecode(b"930-\xff.json")).write_text('{"id": "odd", "index": 9}')
    (root / "assets" / os.fsdecode(b"\xfe.wav")).write_bytes(b"x")
    (root / "loop").symlink_to(root)
    entities = refresh_folder(first)
    assert len(entities.scenes()) == 7
    assert refresh_folder(first).scenes() == entities.scenes()
    assert any("�" in row.file_path for row in entities.assets())
    assert not any(seen.path.startswith("loop/") for seen in files_of(first.root))


@pytest.mark.parametrize("where", ["", "WHERE s.scene_index = 1"])
def test_scenes_are_served_by_an_index(first: Repository, where: str) -> None:
    """Scenes of the project, and by (project, index), come in order from the primary key."""
    plan = plan_of(first, scenes_statement(where), [])
    assert "TEMP B-TREE" not in plan
    assert "SEARCH s USING PRIMARY KEY" in plan if where else "SCAN s" in plan
    assert "SEARCH r USING" in plan


@pytest.mark.parametrize(("asked", "index"), [
    ({"type_": "Audio"}, "assets_by_type"), ({"temporary": True}, "assets_temporary"),
    ({"type_": "Video", "temporary": True}, "assets_"),
])  # fmt: skip
def test_assets_are_served_by_an_index(first: Repository, asked: dict[str, Any], index: str) -> None:
    """Assets by type and temporary ones are found through an index, by path."""
    plan = plan_of(first, *assets_statement(**asked))
    assert index in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "actions_by_time"),
        ({"user": "Ada"}, "actions_by_user"),
        ({"type": "commit"}, "actions_by_type"),
        ({"status": "Undone"}, "actions_by_status"),
        ({"user": "Ada", "since": "2026"}, "actions_by_user"),
        ({"status": "Applied", "until": "2027"}, "actions_by_status"),
        ({"correlation_id": "c"}, "actions_by_correlation"),
        ({"status": "Expired"}, "actions_by_"),
    ],
)
def test_actions_are_served_by_an_index(first: Repository, asked: dict[str, Any], index: str) -> None:
    """Actions by user, type, status, time, their pairs, correlation and expiry never read the whole table."""
    clause, values = actions_clause(ActionFilter(**asked), "2027" if asked.get("status") == "Expired" else None)
    plan = plan_of(first, f"SELECT a.id FROM actions a {clause} LIMIT 20", values)
    assert index in plan, plan
    assert "SCAN a" not in plan.replace("SCAN a USING", ""), plan


@pytest.mark.parametrize("statement", [SEARCH, SEARCH_OLD])
def test_words_are_served_by_the_full_text_index(first: Repository, statement: str) -> None:
    """A search asks the full-text table, and looks the rest up by key."""
    plan = plan_of(first, statement, ["x", 10])
    assert "VIRTUAL TABLE INDEX" in plan
    assert not re.search(r"SCAN (?!words VIRTUAL TABLE INDEX|w VIRTUAL TABLE INDEX 0:=)", plan), plan


@pytest.mark.slow
def test_the_first_page_of_many_actions(first: Repository) -> None:
    """Of 100,000 actions the first page is there in under 50 ms."""
    import time

    with first.index.database.transaction() as connection:
        connection.executemany(
            'INSERT INTO actions (id, replica, sequence, "start", "end", type, description, user, time, status, '
            "undoable, redoable) VALUES (?, 'x', ?, 0, 0, 'commit', 'd', 'Ada', ?, 'Applied', 1, 0)",
            ((f"{n:032x}", n, f"2026-11-22T00:00:00.{n:06d}Z") for n in range(100_000)),
        )
    times = []
    for asked in ({}, {"user": "Ada"}, {"status": "Applied"}):
        start = time.perf_counter()
        assert len(Queries(first.index).actions(ActionFilter(**asked), at="2026-11-23", limit=50)) == 50
        times.append(time.perf_counter() - start)
    assert max(times) < 0.05, times
