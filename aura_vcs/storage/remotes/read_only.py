"""What remotes that are only read answer to everything else."""

from typing import BinaryIO

from aura_vcs.errors.remotes import RemoteError
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.base import check_storage_name
from aura_vcs.storage.remotes.base import RemoteEntry


class ReadOnlyRemote:
    """Refuses to write, and to list what could not be relied on."""

    pack_bytes: int | None = None
    create_checked = None

    location = ""

    def list(self, folder: str) -> list[RemoteEntry]:
        """Refuse to list."""
        raise self._refusal(f"what it has in {check_storage_name(folder)} cannot be listed")

    def create(self, name: str, source: BinaryIO, *, progress: Progress = SILENT) -> int:  # noqa: ARG002 (protocol)
        """Refuse to create."""
        check_storage_name(name)
        raise self._refusal("it is only read, nothing can be sent there")

    def swap(self, name: str, data: bytes, token: str | None) -> str:  # noqa: ARG002 (protocol)
        """Refuse to swap."""
        check_storage_name(name)
        raise self._refusal("it is only read, nothing can be moved there")

    def delete(self, name: str) -> None:
        """Refuse to delete."""
        check_storage_name(name)
        raise self._refusal("it is only read, nothing can be removed there")

    def _refusal(self, reason: str) -> RemoteError:
        return RemoteError(self.location, reason, hint="Push to another remote: `aura remote list`.")
