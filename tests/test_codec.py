"""Encodings: one object, one encoding; whatever else comes in is refused in order."""

import os
import re
from pathlib import Path

import aura_vcs
import msgspec
import pytest
from aura_vcs import codec
from aura_vcs.codec import (
    decode_operation,
    decode_record,
    decode_tree,
    decode_version,
    encode_operation,
    encode_tree,
    encode_version,
)
from aura_vcs.errors.integrity import IntegrityError, ObjectMalformed, RecordCorrupt, UnsafePath
from aura_vcs.ids import ObjectId, OperationId, ReplicaId, VersionId, blob_id, tree_id, version_id
from aura_vcs.layout import check_entry_name
from aura_vcs.model import BranchEntry, Entry, EntryKind, Label, Operation, Tag, Tree, Version, VersionType
from aura_vcs.objects.packs.format import TRAILER_BYTES, Footer, decode_footer, encode_footer, footer_length
from aura_vcs.plain_text import clean_text, format_time, name_bytes, parse_time
from aura_vcs.storage.memory import MemoryStorage
from hypothesis import given, strategies as st

ID = blob_id(b"x")


def _is_safe(name: str) -> bool:
    try:
        check_entry_name(name)
    except UnsafePath:
        return False
    return True


names = st.binary(min_size=1, max_size=12).map(os.fsdecode).filter(_is_safe)
entries = st.builds(
    Entry,
    name=names,
    kind=st.sampled_from(list(EntryKind)),
    id=st.just(ID),
    size=st.integers(0, 2**53 - 1),
    executable=st.just(False),
)


@given(st.lists(entries, max_size=8, unique_by=lambda entry: entry.name))
def test_trees_round_trip_whatever_their_names(found: list[Entry]) -> None:
    """Names of any bytes, UTF-8 or not, come back as they were, and the id is that of the bytes."""
    tree = Tree(tuple(sorted(found, key=lambda entry: name_bytes(entry.name))))
    object_id, data = encode_tree(tree)
    assert decode_tree(data, object_id) == tree
    assert tree_id(data) == object_id != blob_id(data)


def _version(**changes: object) -> Version:
    made = Version(
        number=3,
        parents=(VersionId(ID),),
        tree=ID,
        type=VersionType.MANUAL,
        name="n",
        description="",
        author="a",
        created_at="2026-01-01T00:00:00.000000Z",
        project="p",
        documents={"brief": ID},
        size=1,
    )
    return msgspec.structs.replace(made, **changes)


@given(st.text(), st.text(), st.integers(1, 2**53 - 1))
def test_versions_round_trip(name: str, description: str, number: int) -> None:
    """Whatever text and number they carry."""
    version = _version(name=clean_text(name), description=clean_text(description), number=number)
    object_id, data = encode_version(version)
    documents = {key: version.documents.get(key) for key in ("brief", "plan", "voice", "render", "timeline")}
    assert decode_version(data) == msgspec.structs.replace(version, documents=documents)
    assert version_id(data) == object_id


@given(st.binary(max_size=300))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    """H11: no decoder lets another error out than its own."""
    for decode in (decode_tree, decode_version):
        with pytest.raises(IntegrityError):
            decode(data)
    with pytest.raises(RecordCorrupt):
        decode_operation(data, "log")
    for shape in (BranchEntry, Label, Tag):
        with pytest.raises(RecordCorrupt):
            decode_record(data, shape, "ref")
    trailer = data[:TRAILER_BYTES].ljust(TRAILER_BYTES, b"\0")
    with pytest.raises(RecordCorrupt):
        decode_footer(data, trailer, "pack")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.sampled_from(["entries", "name", "id", "size", "kind", "raw", "executable"]), json_values)
def test_trees_with_any_value_in_any_field(field: str, value: object) -> None:
    """H11: a field of another type or meaning is an error with words."""
    entry = {"id": ID, "kind": "file", "name": "a", "size": 1}
    tree: dict[str, object] = {"entries": [{**entry, field: value}]} if field != "entries" else {"entries": value}
    try:
        data = msgspec.json.encode(tree, order="sorted")
    except (TypeError, ValueError, UnicodeError):
        return
    try:
        decoded = decode_tree(data)
    except IntegrityError as error:
        assert error.message  # noqa: PT017
        return
    assert encode_tree(decoded)[1] == data


ODD = {
    "name": [
        "",
        ".",
        "..",
        ".aura",
        ".AURA",
        "aura~1",
        "AU12AB~1",
        "a/b",
        "a\0",
        "assets",
        "z" * 5000,
        "é",
        "\u200c.aura",
    ],
    "id": [ID.upper(), ID[:-1], ID + "0", f" {ID[1:]}", f"{ID[:-2]}  ", "g" * 64, ID[:63] + "١"],
    "size": [-1, 2**53 - 1, 2**53],
    "executable": [True, False],
    "raw": ["", "61", "ff"],
    "kind": list(EntryKind),
}


@pytest.mark.parametrize("field", ODD)
def test_a_tree_is_taken_or_refused_however_it_is_looked_at(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told of all entries at once is what is told of each: of a folder with one odd entry, and of its order."""
    plain = {"id": ID, "kind": "file", "name": "b", "size": 1}
    odd = [{**plain, "name": "m", field: value} for value in ODD[field]]
    odd += [{**entry, "kind": "dir"} for entry in odd]
    for entry in odd:
        for entries in (
            [entry],
            [plain, entry],
            [entry, plain],
            [entry, entry],
            [plain, entry, {**plain, "name": "zz"}],
        ):
            data = msgspec.json.encode({"entries": entries}, order="sorted")
            at_once = _taken(data)
            with monkeypatch.context() as patch:
                patch.setattr(codec, "_is_plain", lambda _: False)
                assert _taken(data) == at_once, entries


def _taken(data: bytes) -> object:
    try:
        return decode_tree(data)
    except IntegrityError as error:
        return type(error), error.message


@given(st.sampled_from(sorted(msgspec.json.decode(encode_version(_version())[1]))), json_values)
def test_versions_with_any_value_in_any_field(field: str, value: object) -> None:
    """H11: likewise for versions."""
    fields = {**msgspec.json.decode(encode_version(_version())[1]), field: value}
    try:
        data = msgspec.json.encode(fields, order="sorted")
    except (TypeError, ValueError, UnicodeError):
        return
    try:
        decoded = decode_version(data)
    except IntegrityError:
        return
    assert encode_version(decoded)[1] == data


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_no_bit_of_a_footer_flips_unnoticed(place: int, bit: int) -> None:
    """S1: a pack's footer carries its hash; a bit that zstd has no use for changes nothing."""
    name, footer = encode_footer([], [])
    data = bytearray(footer)
    data[place % len(data)] ^= 1 << bit
    stored, trailer = bytes(data[:-TRAILER_BYTES]), bytes(data[-TRAILER_BYTES:])
    try:
        footer_length(trailer, 10_000, "pack")
        found = decode_footer(stored, trailer, "pack")
    except RecordCorrupt:
        return
    assert found == Footer(name, (), ())


operation = Operation(
    id=OperationId("a" * 32),
    replica=ReplicaId("b" * 12),
    sequence=1,
    type="commit",
    description="Committed v1",
    user="Ada",
    host="studio",
    time="2026-01-01T00:00:00.000000Z",
)


def test_no_bit_of_a_line_of_the_log_flips_unnoticed() -> None:
    """S1: every line carries a checksum over all of it."""
    line = encode_operation(operation)[:-1]
    assert decode_operation(line, "log") == operation
    for place in range(len(line)):
        for bit in range(8):
            data = bytearray(line)
            data[place] ^= 1 << bit
            with pytest.raises(RecordCorrupt):
                decode_operation(bytes(data), "log")


def test_times_keep_their_order_as_text() -> None:
    """Records compare times as text: all are UTC with microseconds."""
    moment = parse_time("2026-01-01T01:00:00+01:00")
    assert format_time(moment) == "2026-01-01T00:00:00.000000Z"
    with pytest.raises(RecordCorrupt):
        parse_time("yesterday")


def test_memory_is_no_kinder_than_a_disk() -> None:
    """The twin for tests refuses an append behind the end, which a disk would fill with zeros."""
    with pytest.raises(ValueError, match="cannot append"):
        MemoryStorage().append("log", b"x", at=5)


def test_an_unknown_field_in_an_object_is_refused_and_in_a_record_ignored() -> None:
    """Objects are hashed, so nothing may hide in them; records may grow."""
    data = msgspec.json.encode({"entries": [], "more": 1}, order="sorted")
    with pytest.raises(ObjectMalformed):
        decode_tree(data, ObjectId(""))
    label = {"version": ID, "number": 1, "name": "n", "from the future": True}
    assert decode_record(msgspec.json.encode(label), Label, "ref").name == "n"


def test_shapes_are_decoded_in_one_place() -> None:
    """What decodes into a type does it in `codec`, where the first look at the type is not interrupted.

    Processes that do nothing else, and get their orders once, are no place where an interrupt does harm.
    """
    media = {f"media/{name}.py" for name in ("worker", "index_worker", "manifest_worker", "proxy_worker")}
    workers = media | {"project/render/worker.py"}
    folder = Path(aura_vcs.__file__).parent
    ways = r"(json|msgpack)\.decode\([^\n]*type=|(json|msgpack)\.Decoder\(|convert\("
    found = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        if re.search(rf"msgspec\.({ways})", path.read_text("utf-8"))
    }
    assert found - workers == {"codec.py"}
