"""Searching the scripts of every version: each content once, nothing that was purged, rebuilt at will."""

import json
from pathlib import Path

from aura_vcs import Repository
from aura_vcs.history.undo import undo
from aura_vcs.history.versions import delete_version, purge_version
from aura_vcs.index.full_text import TEXT_LIMIT, SearchHit, WordTable
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import VersionRecord
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.project.search import DOCUMENT_BYTES, search

from tests.helpers.project import save, write

SCENE = "scenes/000-scene.json"


def script(repo: Repository, text: str, name: str, path: str = SCENE) -> VersionRecord:
    """A version whose scene says so."""
    write(Path(repo.root), {path: json.dumps({"id": "s0", "index": 0, "script_text": text})})
    return save(repo, name)


def places(repo: Repository, found: list[SearchHit]) -> list[tuple[str, str | None, int | None]]:
    """Kind, path and number of the version of what was found."""
    numbers = [item.version and Queries(repo.index).version(item.version) for item in found]
    return [(item.kind, item.path, n.number if n else None) for item, n in zip(found, numbers, strict=True)]


def test_scripts_of_older_versions_are_found(first: Repository) -> None:
    """What a script said once is found with the version that first had it; what it says now, in the folder."""
    script(first, "The moon pulls the sea", "Moon")
    script(first, "The sun pulls the sea", "Sun")
    write(Path(first.root), {"notes.txt": "x"})
    save(first, "Notes")
    assert places(first, search(first, "moon pulls")) == [("script", SCENE, 2)]
    assert places(first, search(first, "sun pulls")) == [("scene", SCENE, None)]
    assert places(first, search(first, "pulls")) == [("scene", SCENE, None), ("script", SCENE, 2)]
    assert [item.excerpt for item in search(first, "moon")] == ["[Moon]", "The [moon] pulls the sea"]
    (Path(first.root) / SCENE).unlink()
    assert places(first, search(first, "sun")) == [("version", None, 3), ("script", SCENE, 3)]


def test_old_titles_are_found(first: Repository) -> None:
    """The project's title and description of an older version count as well."""
    write(Path(first.root), {"project.json": json.dumps({"title": "Waves", "description": "about harbours"})})
    save(first, "Second")
    assert places(first, search(first, "tides")) == [("script", "project.json", 1)]
    assert places(first, search(first, "harbour")) == [("project", "project.json", None)]


def test_only_new_versions_are_read(first: Repository) -> None:
    """A version is read once; a content that several versions have is entered once."""
    script(first, "ebb", "A")
    search(first, "x")
    assert WordTable(first.index.database).unread() == []
    script(first, "flood", "B")
    script(first, "ebb", "C")
    assert len(WordTable(first.index.database).unread()) == 2
    assert places(first, search(first, "flood")) == [("script", SCENE, 3)]
    rows = first.index.database.connection.execute("SELECT count(*) FROM word_rows WHERE path = ?", (SCENE,))
    assert rows.fetchone()[0] == 3  # that of the first version, ebb and flood


def test_a_rebuilt_index_finds_the_same(first: Repository) -> None:
    """The words of versions come back after the index was lost."""
    script(first, "The moon pulls", "A")
    script(first, "The sun pulls", "B")
    before = search(first, "pulls")
    first.rebuild_index()
    assert search(first, "pulls") == before


def test_what_only_deleted_versions_had_is_not_found(first: Repository) -> None:
    """Deleted, it is hidden at once; brought back, found again; collected, gone from the index file too."""
    moon = script(first, "The xylophone pulls", "A")
    script(first, "The sun pulls", "B")
    assert len(search(first, "xylophone")) == 1
    delete_version(first, moon)
    assert search(first, "xylophone") == []
    undo(first)
    assert len(search(first, "xylophone")) == 1
    delete_version(first, Queries(first.index).versions_numbered(2)[0])
    execute_gc(first, plan_gc(first, grace_seconds=0))
    connection = first.index.database.connection
    assert connection.execute("SELECT count(*) FROM words WHERE words MATCH 'xylophone'").fetchone()[0] == 0


def test_another_version_is_named_where_the_first_was_deleted(first: Repository) -> None:
    """A script that three versions share is found in one that is still there; purged ones count as gone."""
    one = script(first, "The moon pulls", "A")
    write(Path(first.root), {"notes.txt": "x"})
    save(first, "B")
    script(first, "The sun pulls", "C")
    assert places(first, search(first, "moon")) == [("script", SCENE, 2)]
    purge_version(first, one)
    assert places(first, search(first, "moon")) == [("script", SCENE, 3)]


def test_hostile_and_huge_documents_do_no_harm(first: Repository) -> None:
    """Scenes that are no JSON or too large are passed over; a long script is entered in part."""
    write(
        Path(first.root),
        {
            "scenes/900-broken.json": "{",
            "scenes/910-deep.json": "[" * 50_000,
            "scenes/920-huge.json": json.dumps({"script_text": "leviathan " * (DOCUMENT_BYTES // 10)}),
            "scenes/930-long.json": json.dumps({"script_text": "kraken " + "x" * TEXT_LIMIT + " beyond"}),
        },
    )
    save(first, "Odd")
    for path in (Path(first.root) / "scenes").glob("9*"):
        path.unlink()
    assert places(first, search(first, "kraken")) == [("script", "scenes/930-long.json", 2)]
    assert search(first, "leviathan") == search(first, "beyond") == search(first, '" * NEAR( -') == []


def test_a_version_that_cannot_be_read_is_tried_again(first: Repository) -> None:
    """A pack that has not arrived yet keeps its version unread, and hides nothing of the others."""
    version = script(first, "The moon pulls", "A")
    script(first, "The sun pulls", "B")
    script(first, "The wind pulls", "C")
    record = Queries(first.index).object(version.tree)
    assert record is not None
    pack = Path(first.storage.path(f"objects/packs/{record.pack}.pack"))
    first.close()
    away = pack.rename(Path(first.root) / "elsewhere")
    with Repository.open(first.root) as repo:
        assert places(repo, search(repo, "pulls")) == [("scene", SCENE, None), ("script", SCENE, 3)]
        assert len(WordTable(repo.index.database).unread()) == 1
    away.rename(pack)
    with Repository.open(first.root) as repo:
        assert len(search(repo, "pulls")) == 3
