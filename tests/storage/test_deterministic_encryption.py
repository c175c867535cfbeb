"""Large files are sealed alike each time: one key for one content, and never for another."""

import io
import random
from collections.abc import Callable
from typing import BinaryIO

import pytest
from aura_vcs.errors.integrity import StorageError
from aura_vcs.storage.encryption.cipher import (
    HEAD_BYTES,
    SEALED_SEGMENT_BYTES,
    SEGMENT_BYTES,
    FileKey,
    Keys,
    Pinned,
    SealedStream,
)
from aura_vcs.storage.encryption.remote import MANIFEST_RESERVE, EncryptedRemote
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from hypothesis import given, settings, strategies as st

MIB = 1 << 20
KEYS = Keys(bytes(range(32)))
NAME = f"packs/{'a' * 64}.pack"
DATA = random.Random(5).randbytes(MIB + 12_345)


def sealed(data: bytes, name: str = NAME, keys: Keys = KEYS) -> bytes:
    """What lies at the place."""
    inner = MemoryRemote()
    remote = EncryptedRemote(inner, keys)
    remote.create(name, io.BytesIO(data))
    assert remote.read_range(name, 0, len(data)) == data
    (entry,) = inner.list(MANIFEST_RESERVE)
    return inner.load(entry.name).data


def test_the_same_file_is_the_same_bytes() -> None:
    """Sent again, by this machine or another one with the key."""
    assert sealed(DATA) == sealed(DATA, keys=Keys(bytes(range(32))))


@pytest.mark.parametrize(
    "other",
    [
        lambda: sealed(DATA[:-1] + bytes([DATA[-1] ^ 1])),
        lambda: sealed(bytes([DATA[0] ^ 1]) + DATA[1:]),
        lambda: sealed(DATA + b"x"),
        lambda: sealed(DATA[:-1]),
        lambda: sealed(DATA, name=NAME.replace("a", "b")),
        lambda: sealed(DATA, keys=Keys(bytes(32))),
    ],
    ids=["last byte", "first byte", "longer", "shorter", "name", "master key"],
)
def test_anything_else_has_another_key(other: Callable[[], bytes]) -> None:
    """Not one segment is the same, also where its content is."""
    one, two = sealed(DATA), other()
    assert one[:HEAD_BYTES] != two[:HEAD_BYTES]
    for at in range(HEAD_BYTES, len(one), SEALED_SEGMENT_BYTES):
        assert one[at : at + SEALED_SEGMENT_BYTES] != two[at : at + SEALED_SEGMENT_BYTES]


def test_small_files_and_what_is_swapped_differ_each_time() -> None:
    """Nobody sees that a manifest is as it was before."""
    assert sealed(DATA[: MIB - 1]) != sealed(DATA[: MIB - 1])
    inner = MemoryRemote()
    remote = EncryptedRemote(inner, KEYS)
    seen = set()
    token = None
    for _ in range(3):
        token = remote.swap("manifest.json", DATA, token)
        (entry,) = inner.list(MANIFEST_RESERVE)
        seen.add(inner.load(entry.name).data)
    assert len(seen) == 3


class Changing(io.BytesIO):
    """A disk that reads otherwise the second time."""

    def __init__(self, first: bytes, second: bytes) -> None:
        super().__init__(first)
        self.second = second

    def change(self) -> None:
        """From now on."""
        self.seek(0)
        self.truncate()
        self.write(self.second)


@settings(max_examples=40, deadline=None)
@given(
    size=st.integers(0, 3 * SEGMENT_BYTES + 5),
    at=st.integers(0, 4 * SEGMENT_BYTES),
    kind=st.sampled_from(["flip", "cut", "more"]),
)
def test_a_file_that_changes_is_not_sealed_with_the_key_of_another(size: int, at: int, kind: str) -> None:
    """Every segment that is sealed is the one that the key was made for; the first that is not ends it."""
    first = DATA[:size]
    where = at % size if size else 0
    flipped = first[:where] + bytes([first[where] ^ 1]) + first[where + 1 :] if size else b""
    second = {"flip": flipped, "cut": first[:where], "more": first + b"more"}[kind]
    source = Changing(first, second)
    file, pinned = KEYS.same_file(NAME, source)
    source.change()
    whole = SealedStream(io.BytesIO(first), file).read()
    stream, said = SealedStream(source, file, pinned), b""
    try:
        while piece := stream.read(1000):
            said += piece
    except StorageError:
        assert kind != "more"
        assert len(said) <= HEAD_BYTES + where // SEGMENT_BYTES * SEALED_SEGMENT_BYTES
    assert whole.startswith(said)
    assert (said == whole) == (first == second or kind == "more")


def test_a_source_that_changes_ends_the_sending() -> None:
    """It is an error of this machine, said as one; the place has nothing under that name."""
    source = Changing(DATA, bytes(len(DATA)))

    class Late(Keys):
        """The disk changes its mind after the file was hashed."""

        def same_file(self, name: str, source: BinaryIO) -> tuple[FileKey, Pinned]:
            found = super().same_file(name, source)
            source.change()  # type: ignore[attr-defined]
            return found

    inner = MemoryRemote()
    with pytest.raises(StorageError, match="does not read the same twice"):
        EncryptedRemote(inner, Late(bytes(32))).create(NAME, source)
    assert inner.list(MANIFEST_RESERVE) == []
