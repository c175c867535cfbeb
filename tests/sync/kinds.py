"""Every kind of remote, made fresh for a test: what the contract runs over."""

import sys
from collections.abc import Callable
from pathlib import Path

from aura_vcs.storage.encryption.cipher import Keys
from aura_vcs.storage.encryption.remote import EncryptedRemote
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.storage.remotes.retry import RetryingRemote
from aura_vcs.storage.remotes.ssh import SshRemote
from aura_vcs.storage.testing.faulty_remote import FaultyRemote, RecordingRemote
from aura_vcs.storage.testing.memory_remote import MemoryRemote

KEYS = Keys(bytes(range(32)))
"""Those of every encrypted remote that a test makes by hand."""


def folder(tmp_path: Path) -> FolderRemote:
    """A folder remote in a new folder."""
    root = tmp_path / "remote"
    root.mkdir(exist_ok=True)
    return FolderRemote(str(root))


def served(root: Path, *options: str) -> SshRemote:
    """A folder served by a process of ours, without ssh between."""
    run = "from aura_vcs.cli.entry import run; run()"
    return SshRemote([sys.executable, "-c", run, "serve", "--stdio", *options, "--", str(root)], "studio")


MAKERS: dict[str, Callable[[Path], RemoteStorage]] = {
    "memory": lambda _: MemoryRemote(),
    "folder": folder,
    "retrying": lambda _: RetryingRemote(MemoryRemote(), sleep=lambda _: None),
    "retrying over faults": lambda path: RetryingRemote(
        FaultyRemote(folder(path), fail_at=range(1, 900, 5), lose_at=range(2, 900, 7)), sleep=lambda _: None
    ),
    "recording": lambda path: RecordingRemote(folder(path)),
    "encrypted": lambda path: EncryptedRemote(folder(path), KEYS),
    "encrypted over faults": lambda path: EncryptedRemote(
        RetryingRemote(
            FaultyRemote(folder(path), fail_at=range(1, 900, 5), lose_at=range(2, 900, 7)), sleep=lambda _: None
        ),
        KEYS,
    ),
}
