"""Decoders are handed anything: they answer with something that is consistent, or with our errors."""

import contextlib
import struct
import tempfile
import tracemalloc
from pathlib import Path

import msgspec
import pytest
import zstandard
from aura_vcs.codec import decode_tree, decode_version, encode_tree
from aura_vcs.errors.integrity import IntegrityError, ObjectMalformed, RecordCorrupt, UnsafePath
from aura_vcs.ids import ObjectId, blob_id
from aura_vcs.layout import check_entry_name
from aura_vcs.model import Kind, Tree
from aura_vcs.objects.base import PackLocation
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.objects.packs.format import (
    CODEC_RAW,
    END_MAGIC,
    FRAME_LIMIT,
    MAGIC,
    TRAILER_BYTES,
    Footer,
    Frame,
    PackEntry,
    decode_footer,
    encode_footer,
    footer_length,
)
from aura_vcs.objects.packs.reader import Packs
from aura_vcs.storage.local import LocalStorage
from blake3 import blake3
from hypothesis import given, settings, strategies as st

U32 = st.one_of(st.integers(0, 40), st.integers(0, 2**32 - 1), st.sampled_from([FRAME_LIMIT, FRAME_LIMIT + 1]))
CODE = st.one_of(st.integers(0, 4), st.just(17), st.integers(0, 255))
IDS = st.one_of(st.binary(min_size=32, max_size=32), st.just(bytes(32)))
SMALL = 16 << 20
"""Bytes that refusing something may take: far below what it claims."""


@st.composite
def footers(draw: st.DrawFn) -> bytes:
    """The decoded bytes of a footer: mostly of the right shape, with any numbers in it."""
    frames = draw(st.lists(st.tuples(U32, U32, CODE), max_size=4))
    entries = draw(st.lists(st.tuples(IDS, CODE, U32, U32, U32), max_size=6))
    columns: list[bytes] = [struct.pack("<II", len(frames), len(entries))]
    for number, code in enumerate("IIB"):
        columns.append(struct.pack(f"<{len(frames)}{code}", *[frame[number] for frame in frames]))
    columns += [entry[0] for entry in entries]
    for number, code in enumerate("BIII", start=1):
        columns.append(struct.pack(f"<{len(entries)}{code}", *[entry[number] for entry in entries]))
    whole = b"".join(columns)
    change = draw(st.integers(0, 3))
    if change == 1:
        return whole[: draw(st.integers(0, len(whole)))]
    if change == 2:
        return struct.pack("<II", draw(U32), draw(U32)) + whole[8:]
    return whole + draw(st.binary(max_size=9)) if change == 3 else whole


def sealed(footer: bytes, length: int | None = None) -> tuple[bytes, bytes]:
    """Footer and trailer as a pack has them, the hash right."""
    stored = zstandard.compress(footer, 1)
    claimed = len(footer) if length is None else length
    return stored, struct.pack("<II32s8s", len(stored), claimed, blake3(footer).digest(), END_MAGIC)


def assert_consistent(footer: Footer) -> None:
    """Every entry lies in its frame, every frame behind the one before."""
    place = len(MAGIC)
    for frame in footer.frames:
        assert frame.offset == place
        assert 0 <= frame.length <= FRAME_LIMIT
        place += frame.stored_length
    for entry in footer.entries:
        assert len(entry.id) == 64
        assert entry.offset + entry.length <= footer.frames[entry.frame].length


@given(footers())
@settings(max_examples=300, deadline=None)
def test_any_footer_is_consistent_or_refused(data: bytes) -> None:
    """H11: with a hash that fits, whatever it says."""
    with contextlib.suppress(RecordCorrupt):
        assert_consistent(decode_footer(*sealed(data), "pack"))


@given(footers(), st.lists(st.binary(max_size=60), max_size=4), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_pack_gives_objects_of_the_length_it_says_or_nothing(data: bytes, frames: list[bytes], pad: bool) -> None:
    """H11: reading every object of a pack that somebody made up gives bytes of that length, or our errors."""
    stored, trailer = sealed(data)
    name = trailer[8:40].hex()
    with tempfile.TemporaryDirectory() as folder:
        packs = Packs(LocalStorage(folder))
        path = Path(folder) / "objects" / "packs" / f"{name}.pack"
        path.parent.mkdir(parents=True)
        path.write_bytes(MAGIC + b"".join(frames) + bytes(40 if pad else 0) + stored + trailer)
        try:
            with contextlib.suppress(RecordCorrupt):
                packs.check_size(name)
                for entry in packs.footer(name).entries:
                    with contextlib.suppress(RecordCorrupt):
                        place = PackLocation(name, entry.frame, entry.offset, entry.length)
                        assert len(packs.read(place)) == entry.length
        finally:
            packs.close()


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_no_pack(data: bytes) -> None:
    """H11: what has no right hash is refused, whatever it is."""
    with contextlib.suppress(RecordCorrupt):
        assert footer_length(data[-TRAILER_BYTES:], len(data), "pack") <= len(data)
    with pytest.raises(RecordCorrupt):
        decode_footer(data, struct.pack("<II32s8s", len(data), len(data), bytes(32), END_MAGIC), "pack")


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_chunk_list_is_ids_and_lengths_or_malformed(data: bytes) -> None:
    """H11: thirty-six bytes for each chunk, or refused."""
    with contextlib.suppress(ObjectMalformed):
        found = list(decode_chunk_list(data, blob_id(data)))
        assert len(found) * 36 == len(data)
        assert all(len(chunk) == 64 and 0 <= length < 2**32 for chunk, length in found)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
ENTRY = st.fixed_dictionaries(
    {
        "name": st.one_of(st.text(max_size=8), JSON),
        "kind": st.one_of(st.sampled_from(["file", "dir", "symlink"]), JSON),
    },
    optional={
        "id": st.one_of(st.just("ab" * 32), JSON),
        "size": st.one_of(st.integers(-1, 10), JSON),
        "executable": st.one_of(st.just(True), JSON),
        "raw": st.one_of(st.text("0123456789abcdef", max_size=6), JSON),
    },
)


@given(st.one_of(JSON, st.fixed_dictionaries({"entries": st.lists(st.one_of(ENTRY, JSON), max_size=3)})))
@settings(max_examples=400, deadline=None)
def test_any_json_is_a_tree_with_one_encoding_or_refused(value: object) -> None:
    """H1, H11: what is decoded has safe names in their order, and encodes to the very same bytes."""
    data = msgspec.json.encode(value, order="sorted")
    try:
        tree = decode_tree(data)
    except (ObjectMalformed, UnsafePath):
        return
    assert encode_tree(tree)[1] == data
    for entry in tree.entries:
        check_entry_name(entry.name)


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_document_or_malformed(data: bytes) -> None:
    """H11: for trees and for versions."""
    for decode in (decode_tree, decode_version):
        with contextlib.suppress(ObjectMalformed, UnsafePath):
            assert isinstance(decode(data), msgspec.Struct)


def refusing_bytes(stored: bytes, trailer: bytes) -> int:
    """Most memory of Python's that is held at once while a footer is refused."""
    tracemalloc.start()
    try:
        with pytest.raises(RecordCorrupt):
            decode_footer(stored, trailer, "pack")
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("counts", [(2**32 - 1, 0), (0, 2**32 - 1), (2**32 - 1, 2**32 - 1), (1, 0), (0, 1)])
def test_a_footer_that_claims_more_than_it_has_costs_nothing(counts: tuple[int, int]) -> None:
    """H10: counts are compared with the bytes there are before anything is made from them."""
    assert refusing_bytes(*sealed(struct.pack("<II", *counts))) < SMALL


def test_a_footer_that_is_a_bomb_is_refused_by_the_length_it_tells() -> None:
    """H10: a gigabyte of zeros in some kilobytes is not unpacked, whatever length the trailer has for it."""
    stored = zstandard.ZstdCompressor(level=1).compress(bytes(1 << 30))
    for length in (0, 100, 2**32 - 1, 1 << 30):
        trailer = struct.pack("<II32s8s", len(stored), length, bytes(32), END_MAGIC)
        assert refusing_bytes(stored, trailer) < SMALL


def test_a_frame_that_is_a_bomb_is_refused_by_the_length_it_tells() -> None:
    """H10: a frame that decodes to more, or to less, than the footer says is damage, and costs no memory."""
    bomb = zstandard.ZstdCompressor(level=1).compress(bytes(1 << 30))
    one = ObjectId("ab" * 32)
    with tempfile.TemporaryDirectory() as folder:
        storage = LocalStorage(folder)
        for length in (1, 500, FRAME_LIMIT):
            name, footer = encode_footer([Frame(8, len(bomb), length, 1)], [PackEntry(one, Kind.BLOB, 0, 0, 1)])
            storage.put(f"objects/packs/{name}.pack", MAGIC + bomb + footer)
            packs = Packs(storage)
            tracemalloc.start()
            try:
                with pytest.raises(IntegrityError):
                    packs.read(PackLocation(name, 0, 0, 1))
                assert tracemalloc.get_traced_memory()[1] < SMALL
            finally:
                tracemalloc.stop()
                packs.close()


def test_a_raw_frame_that_is_not_there_is_cut_off_not_short() -> None:
    """H11: bytes that a footer claims beyond the end of the file are damage, never an empty answer."""
    one = ObjectId("ab" * 32)
    name, footer = encode_footer([Frame(8, 500, 500, CODEC_RAW)], [PackEntry(one, Kind.BLOB, 0, 100, 400)])
    with tempfile.TemporaryDirectory() as folder:
        storage = LocalStorage(folder)
        storage.put(f"objects/packs/{name}.pack", MAGIC + b"x" * 20 + footer)
        packs = Packs(storage)
        try:
            with pytest.raises(RecordCorrupt):
                packs.read(PackLocation(name, 0, 100, 400))
        finally:
            packs.close()
    assert encode_tree(Tree(()))[1] == b'{"entries":[]}'
