"""Databases that are open are copied without letting go of them, and as they were at one moment."""

import sqlite3
import subprocess
import sys
from pathlib import Path

from aura_vcs.history.commit import commit
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.repository.repository import Repository
from aura_vcs.storage import databases
from aura_vcs.storage.local import LocalStorage

from tests.helpers.project import save

LOOK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
connection.close()
"""
WRITE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("PRAGMA synchronous=OFF")
for n in range(3000):
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE pairs SET value = ?", (n,))
    connection.execute("INSERT INTO fill VALUES (?, randomblob(300))", (n,))
    connection.execute("COMMIT")
    if n % 7 == 0:
        connection.execute(f"PRAGMA wal_checkpoint({('PASSIVE', 'RESTART', 'TRUNCATE')[n % 3]})")
    if n % 50 == 0:
        connection.close()
        connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
        print(n, flush=True)
"""


def test_a_plan_lets_go_of_no_lock(first: Repository) -> None:
    """Else the next process that looked into the index would delete its log under us."""
    index = Path(first.root, ".aura/local/index.sqlite")
    Path(first.root, "more.txt").write_text("more")
    save(first, "more")
    plan = plan_gc(first, grace_seconds=0)
    subprocess.run([sys.executable, "-c", LOOK, str(index)], check=True)
    assert index.with_name("index.sqlite-wal").exists()
    execute_gc(first, plan)
    with first.preview() as view:
        assert view.index.database.connection.execute("SELECT count(*) FROM versions").fetchone() == (2,)
    subprocess.run([sys.executable, "-c", LOOK, str(index)], check=True)
    assert index.with_name("index.sqlite-wal").exists()
    Path(first.root, "more.txt").write_text("more still")
    assert commit(first, "again").version


def test_a_copy_is_of_one_moment(tmp_path: Path) -> None:
    """While another process writes, and puts what it wrote into the main file in every way."""
    path = tmp_path / "busy.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE pairs (id INTEGER PRIMARY KEY, value INTEGER, text TEXT)")
    connection.execute("CREATE TABLE fill (id INTEGER, text BLOB)")
    connection.executemany("INSERT INTO pairs VALUES (?, 0, ?)", [(n, "x" * 500) for n in range(300)])
    connection.close()
    place = LocalStorage(str(tmp_path), temporary="tmp")
    child = subprocess.Popen([sys.executable, "-c", WRITE, str(path)], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        seen = set()
        for n in range(40):
            databases.copy(place, "busy.sqlite", str(tmp_path / f"copy{n}.sqlite"))
            copied = sqlite3.connect(tmp_path / f"copy{n}.sqlite")
            assert copied.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            (value,) = copied.execute("SELECT DISTINCT value FROM pairs").fetchall()
            assert copied.execute("SELECT max(id), count(*) FROM fill").fetchone() == (value[0], value[0] + 1)
            seen.add(value)
            copied.close()
        assert len(seen) > 1
    finally:
        child.kill()
        child.communicate()
