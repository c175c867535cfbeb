"""Packs on their way to a folder: hashed as they arrived, before they get their name."""

import os
from pathlib import Path

import pytest
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteUnreachable
from aura_vcs.progress import Silent
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.storage.testing.faulty_remote import FaultyRemote, RecordingRemote
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.push import push
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.manifest_update import create_remote

from .machines import Unsynced, folder_remote, known, machine, manifest, save, write
from .test_push_pull import media


class Flipping(Unsynced):
    """A disk that changes a bit of what is copied to it."""

    def __init__(self) -> None:
        self.flips = True

    def clone(self, source_fd: int, target_fd: int) -> bool:
        """It shares no blocks."""
        return False

    def copy_range(self, source_fd: int, target_fd: int, count: int) -> int:
        """Copies, and flips a bit in the middle."""
        copied = super().copy_range(source_fd, target_fd, count)
        if copied and self.flips:
            byte = os.pread(target_fd, 1, copied // 2)[0]
            os.pwrite(target_fd, bytes([byte ^ 4]), copied // 2)
        return copied


def test_a_pack_that_arrives_damaged_gets_no_name(tmp_path: Path) -> None:
    """A bit that flips on the way is found; nothing was moved, and the next push mends it."""
    anna = machine(tmp_path / "anna", "anna")
    write(anna, "take.wav", media(1_500_000))
    save(anna, "brief.json", "1")
    folder_remote(tmp_path / "remote", anna)
    calls = Flipping()
    remote = FolderRemote(str(tmp_path / "remote"), calls=calls)
    with pytest.raises(RemoteCorrupt, match="arrived damaged"):
        push(anna, remote, known(anna))
    assert manifest(remote).packs == ()
    assert remote.list("packs") == []
    calls.flips = False
    push(anna, remote, known(anna))
    assert manifest(remote).generation == 1


def test_a_pack_that_is_damaged_here_is_said_to_be(tmp_path: Path) -> None:
    """Damage of our own is not blamed on the remote, and does not spread."""
    anna = machine(tmp_path / "anna", "anna")
    write(anna, "take.wav", media(1_500_000))
    save(anna, "brief.json", "1")
    remote = folder_remote(tmp_path / "remote", anna)
    (pack,) = sorted((tmp_path / "anna/.aura/objects/packs").iterdir(), key=lambda p: p.stat().st_size)[-1:]
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.chmod(0o644)
    pack.write_bytes(data)
    with pytest.raises(IntegrityError):
        push(anna, remote, known(anna))
    assert pack.name not in {entry.name.rpartition("/")[2] for entry in remote.list("packs")}
    assert manifest(remote).packs == ()


class Listening(Silent):
    """Remembers what is said, and what is counted."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.done: dict[str, int] = {}
        self.totals: dict[str, int | None] = {}
        self._phase = ""

    def start(self, phase: str, total: int | None, unit: str) -> None:
        """A phase begins."""
        self._phase = phase
        self.totals[phase] = total

    def advance(self, amount: int) -> None:
        """Bytes are done."""
        self.done[self._phase] = self.done.get(self._phase, 0) + amount

    def note(self, message: str) -> None:
        """A line is said."""
        self.notes.append(message)


def test_what_arrived_is_not_sent_again(tmp_path: Path) -> None:
    """A push that goes on sends no pack twice, on any kind of remote, and says in one line what was there."""
    anna = machine(tmp_path / "anna", "anna")
    for number in (1, 2, 3):
        save(anna, f"take-{number}.wav", media(1_500_000, seed=number))
    remote = RecordingRemote(MemoryRemote())
    create_remote(remote, anna.format.project, "anna")
    with pytest.raises(RemoteUnreachable):
        push(anna, FaultyRemote(remote, fail_at=[number_of_swap(tmp_path, anna)]), known(anna))
    assert manifest(remote).packs == ()
    remote.requests.clear()
    listening = Listening()
    with Repository.open(anna.root, author="anna", host="anna", progress=listening) as repo:
        done = push(repo, remote, known(repo))
    sent = [request for request in remote.requests if request.verb == "create"]
    assert sum(request.sent for request in sent) < 10_000
    assert len(manifest(remote).packs) >= 3
    assert done.sent_bytes < 10_000
    assert len(listening.notes) == 1
    assert "4.5 MB had arrived already" in listening.notes[0]
    assert listening.done["Sending"] == listening.totals["Sending"]


def number_of_swap(path: Path, repo: Repository) -> int:
    """The number of the request that moves the manifest, as another remote counts them."""
    remote = RecordingRemote(MemoryRemote())
    create_remote(remote, repo.format.project, "anna")
    remote.requests.clear()
    push(repo, remote, RemoteCache(repo, "elsewhere"))
    return [request.verb for request in remote.requests].index("swap") + 1
