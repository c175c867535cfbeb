"""Packs on their way to a folder: hashed as they arrived, before they get their name."""

import os
from pathlib import Path

import pytest
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.errors.stored import IntegrityError
from aura_vcs.storage.remote_folder import FolderRemote
from aura_vcs.sync.sending import push

from .machines import Unsynced, folder_remote, known, machine, manifest, save, write
from .test_carrying import media


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
    assert remote.list("packs") == []
