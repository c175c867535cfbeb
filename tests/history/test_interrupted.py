"""What the next command does with one that was interrupted, and what it says of it."""

import os
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from aura_vcs.codec import encode_record
from aura_vcs.history.checkout import checkout
from aura_vcs.history.commit import commit
from aura_vcs.history.recording.journal import read_pending, recover
from aura_vcs.history.status import status
from aura_vcs.ids import ObjectId, blob_id
from aura_vcs.layout import PENDING
from aura_vcs.progress import Silent
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.testing.faulty_calls import Fault, FaultyCalls, Stopped

from tests.helpers.project import save, write

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # stopped, as by a kill


class Notes(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        """See Progress."""
        self.said.append(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project in which `checkout v1` was stopped when some of the files had been replaced."""
    root = tmp_path / "film"
    with Repository.init(str(root)) as repo:
        write(root, {f"{name}.txt": "1" for name in "abc"} | {"big.bin": os.urandom(1 << 20)})
        save(repo, "One")
        write(root, {f"{name}.txt": "22" for name in "abc"} | {"big.bin": os.urandom(1 << 20)})
        save(repo, "Two")
    for at in range(20, 400, 2):
        with suppress(Stopped), Repository.open(str(root), calls=FaultyCalls(Fault.STOP, at)) as repo:
            checkout(repo, "v1")
        if (root / ".aura" / PENDING).exists():
            return root
    raise AssertionError("it was never interrupted")


def test_a_journal_whose_trees_are_gone_makes_no_command_fail(root: Path) -> None:
    """A backup put the journal back and not what it needs: it is set aside, that is said, and the command is done."""
    notes = Notes()
    with Repository.open(str(root), progress=notes) as repo:
        begun = read_pending(repo)
        assert begun is not None
        gone = ObjectId(blob_id(b"a tree that nobody has"))
        repo.storage.put(
            PENDING, encode_record(msgspec.structs.replace(begun, before=gone, after=gone[::-1]).checked())
        )
        here = {path.name: path.read_bytes() for path in root.iterdir() if path.is_file()}
        write(root, {"notes.txt": "mine"})
        made = commit(repo, "Goes on").version
        assert made is not None
        assert repo.storage.stat(PENDING) is None
        for name, data in here.items():
            assert (root / name).read_bytes() == data
        assert commit(repo, "Nothing left").version is None
    told = "\n".join(notes.said)
    assert "could not be finished" in told
    aside = told.rpartition(".aura/")[2].split()[0]
    assert (root / ".aura" / aside).is_file()


def test_a_journal_whose_target_is_gone_is_taken_back(root: Path) -> None:
    """Where what was there before can be had, the files are as they were, and the next command is done."""
    notes = Notes()
    with Repository.open(str(root), progress=notes) as repo:
        begun = read_pending(repo)
        assert begun is not None
        gone = msgspec.structs.replace(begun, after=ObjectId(blob_id(b"gone"))).checked()
        repo.storage.put(PENDING, encode_record(gone))
        assert recover(repo) is None
        assert status(repo).interrupted is None
    assert "could not be finished" in "\n".join(notes.said)


def test_files_that_were_edited_since_are_named(root: Path) -> None:
    """They are left as they are."""
    write(root, {"b.txt": "edited since"})
    notes = Notes()
    with Repository.open(str(root), progress=notes) as repo:
        assert recover(repo) is not None
    assert (root / "b.txt").read_text() == "edited since"
    assert "edited since: b.txt" in "\n".join(notes.said)
