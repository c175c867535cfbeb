"""Files that are copied inside the system: whole, from the beginning, whatever the system can do."""

import io
import os
from pathlib import Path
from typing import BinaryIO

import pytest
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.system_calls import FileCalls
from aura_vcs.storage.upload import LocalUpload


class Unable(FileCalls):
    """A system that copies nothing itself, or stops after some bytes."""

    def __init__(self, able: int) -> None:
        self.able = able

    def clone(self, source_fd: int, target_fd: int) -> bool:
        """It cannot."""
        return False

    def copy_range(self, source_fd: int, target_fd: int, count: int) -> int:
        """Only so much, in pieces."""
        count = min(count, self.able, 1000)
        self.able -= count
        return super().copy_range(source_fd, target_fd, count) if count else 0


def copy_inside(upload: LocalUpload, source: BinaryIO) -> int:
    """Copy what the system copies, as a checkout does; return how many bytes that was."""
    if upload.clone_from(source):
        return source.seek(0, 2)
    copied = 0
    while count := upload.copy_piece(source, copied, 1 << 20):
        copied += count
    return copied


@pytest.mark.parametrize("able", [0, 1, 2500, 1 << 40])
def test_a_file_is_copied_whole_by_any_system(tmp_path: Path, able: int) -> None:
    """What the system did not copy is written; a source that was read before is copied from its beginning."""
    data = os.urandom(10_000)
    (tmp_path / "source").write_bytes(data)
    storage = LocalStorage(str(tmp_path), calls=Unable(able))
    upload = storage.upload()
    with (tmp_path / "source").open("rb", buffering=0) as source:
        source.read(77)
        copied = copy_inside(upload, source)
        assert copied <= len(data)
        source.seek(copied)
        upload.write(source.read())
    upload.publish("target")
    assert (tmp_path / "target").read_bytes() == data


def test_a_stream_is_no_file(tmp_path: Path) -> None:
    """From memory nothing is copied by the system."""
    upload = LocalStorage(str(tmp_path)).upload()
    assert copy_inside(upload, io.BytesIO(b"data")) == 0
    upload.discard()
