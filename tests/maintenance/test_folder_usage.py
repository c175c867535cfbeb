"""What `aura storage` says of the folder adds up to what the disk takes for it."""

import shutil
import subprocess
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.status import status
from aura_vcs.layout import TEMPORARY
from aura_vcs.maintenance.disk_usage import StorageReport, storage_report
from aura_vcs.maintenance.gc import execute_gc, plan_gc

from tests.helpers.project import noise, save, write

NAMED = {"blocks", "caches", "content", "history", "index", "log", "pack_tables", "refs", "settings", "unfinished"}


def _report(repo: Repository) -> StorageReport:
    status(repo)
    report = storage_report(repo)
    assert sum(part.stored_bytes for part in report.parts.values()) == report.disk_bytes
    files = {name: part for name, part in report.parts.items() if name != "blocks"}
    assert sum(part.stored_bytes for part in files.values()) == report.folder_bytes
    assert all(part.stored_bytes >= 0 for part in files.values())
    return report


def test_the_parts_are_what_du_says(repo: Repository) -> None:
    """Content, versions, tables of packs, refs, the log, the index, caches, what is unfinished, and blocks."""
    write(Path(repo.root), {"film.mp4": noise(3_000_000, seed=1), "notes.txt": "one"})
    save(repo, "First")
    write(Path(repo.root), {"notes.txt": "two"})
    save(repo, "Second")
    left = Path(repo.storage.path(TEMPORARY)) / ("0" * 24)
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(bytes(5000))
    report = _report(repo)
    assert report.parts.keys() >= NAMED
    assert report.parts["content"].stored_bytes > 3_000_000
    assert report.parts["unfinished"].stored_bytes >= 5000
    repo.close()  # as it is when somebody asks `du`
    if shutil.which("du"):
        told = subprocess.run(["du", "-s", "-B1", repo.storage.root], capture_output=True, text=True, check=True)
        if "busy" not in told.stderr:
            assert int(told.stdout.split()[0]) == report.disk_bytes


def test_a_file_with_two_names_counts_once(repo: Repository) -> None:
    """What other machines could delete has a second name, which takes no room."""
    write(Path(repo.root), {"film.mp4": noise(2_000_000, seed=2)})
    save(repo, "First")
    before = _report(repo)
    assert repo.hardlink_backup.link_all() == set()
    after = _report(repo)
    assert after.parts["content"] == before.parts["content"]
    assert after.parts["second_names"].stored_bytes == 0


@pytest.mark.parametrize("packs", [False, True])
def test_stored_objects_are_told_apart_loose_and_packed(repo: Repository, packs: bool) -> None:
    """Loose objects have no tables; packs have one each."""
    write(Path(repo.root), {"notes.txt": "one"})
    save(repo, "First")
    if packs:
        execute_gc(repo, plan_gc(repo, grace_seconds=0))
    report = _report(repo)
    parts = report.parts
    assert parts["history"].count == report.objects.count - parts["content"].count
