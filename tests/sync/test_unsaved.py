"""What sync and storage say of what is in no version, and of what an interruption left."""

from pathlib import Path

from aura_vcs.repository.repository import Repository

from .test_sync_commands import Person, people

__all__ = ["people"]


def test_sync_names_what_is_not_saved(people: tuple[Person, Person]) -> None:
    """At the end of the day nobody believes that unsaved work is on the other side."""
    anna, _ = people
    assert "Both sides have everything" in anna.aura("sync")
    assert anna.json("sync")["unsaved"] == []
    (anna.folder / "brief.json").write_text('{"topic": "a day of work"}')
    (anna.folder / "new.txt").write_text("new")
    said = anna.aura("sync")
    assert "everything" not in said
    assert "2 files are not saved in a version, and not sent: brief.json and new.txt" in said
    assert "aura commit" in said
    assert anna.json("sync")["unsaved"] == ["brief.json", "new.txt"]


def test_storage_counts_what_an_interrupted_command_left(people: tuple[Person, Person]) -> None:
    """Objects that no row has, and files that were being written."""
    anna, _ = people
    before = anna.json("storage")
    with Repository.open(str(anna.folder)) as repo, repo.store.batch() as batch:
        batch.add("blob", bytes(range(256)) * 2000)
        batch.finish()
    Path(anna.folder, ".aura/local/tmp").mkdir(exist_ok=True)
    Path(anna.folder, ".aura/local/tmp/1-0123456789abcdef").write_bytes(b"x" * 70_000)
    after = anna.json("storage")
    assert after["garbage"]["count"] == before["garbage"]["count"] + 1
    assert after["unfinished"] == {"count": 1, "logical_bytes": 70_000, "stored_bytes": 70_000}
    said = anna.aura("storage")
    assert "1 file, 70.0 KB, besides: left by a command that is running or was stopped" in said
    assert "is garbage" in said
