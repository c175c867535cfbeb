"""An index that rots is rebuilt by whatever command meets it; nothing is done twice."""

import random
import sqlite3
from contextlib import closing

import pytest

from tests.cli.conftest import Film


def rot(film: Film, seed: int) -> None:
    """Overwrite bytes of the index here and there."""
    path = film.root / ".aura/local/index.sqlite"
    data = bytearray(path.read_bytes())
    chance = random.Random(seed)
    for _ in range(60 * (1 + seed % 4)):
        data[chance.randrange(100, len(data))] = chance.randrange(256)
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("seed", range(6))
def test_a_rotten_index_is_rebuilt(two: Film, seed: int) -> None:
    """Whatever is damaged in it, commands end well, and what they did happened once."""
    expected = two.data("log")
    for command in (["log"], ["status"], ["ops"], ["storage"], ["show", "v1"]):
        rot(two, seed)
        two(*command)
    rot(two, seed)
    two.write({"notes.txt": str(seed)})
    ran = two("commit", "-m", "Third", code=None)
    assert ran.code in {0, 45}, ran.stderr
    two("reindex")
    versions = two.data("log")["versions"]
    assert [v["number"] for v in versions] == [3, 2, 1]
    assert versions[1:] == expected["versions"]
    assert two.data("fsck")["ok"] is True


def test_text_that_is_none_in_the_index(two: Film) -> None:
    """A flipped byte in a text, which SQLite itself does not notice, leads to a rebuild too."""
    with closing(sqlite3.connect(two.root / ".aura/local/index.sqlite")) as connection:
        connection.execute("UPDATE versions SET name = CAST(x'ff41' AS TEXT)")
        connection.commit()
    ran = two("log", "--oneline")
    assert "Second cut" in ran.out
    assert "Building the index" in ran.stderr


def test_what_was_recorded_is_not_done_again(two: Film) -> None:
    """An undo whose operation is in the log is not repeated, although the index failed after it."""
    with closing(sqlite3.connect(two.root / ".aura/local/index.sqlite")) as connection:
        connection.execute("CREATE TRIGGER broken BEFORE UPDATE ON actions BEGIN SELECT raise(ABORT, 'broken'); END")
        connection.commit()
    ran = two("undo", code=45)
    assert "It has happened" in ran.stderr
    assert two.data("status")["head"]["number"] == 1
    assert [action["status"] for action in two.data("ops")["operations"]] == ["Applied", "Undone", "Applied"]
