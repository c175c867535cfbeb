"""Every kind of remote, made fresh for a test: what the contract runs over."""

from collections.abc import Callable
from pathlib import Path

from aura_vcs.storage.remote import RemoteStorage
from aura_vcs.storage.remote_folder import FolderRemote
from aura_vcs.storage.remote_memory import MemoryRemote
from aura_vcs.storage.remote_wrappers import FaultyRemote, RecordingRemote, RetryingRemote


def folder(tmp_path: Path) -> FolderRemote:
    """A folder remote in a new folder."""
    root = tmp_path / "remote"
    root.mkdir(exist_ok=True)
    return FolderRemote(str(root))


MAKERS: dict[str, Callable[[Path], RemoteStorage]] = {
    "memory": lambda _: MemoryRemote(),
    "folder": folder,
    "retrying": lambda _: RetryingRemote(MemoryRemote(), sleep=lambda _: None),
    "retrying over faults": lambda path: RetryingRemote(
        FaultyRemote(folder(path), fail_at=range(1, 900, 5), lose_at=range(2, 900, 7)), sleep=lambda _: None
    ),
    "recording": lambda path: RecordingRemote(folder(path)),
}
