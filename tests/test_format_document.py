"""docs/format.md and the code say the same about every byte on disk."""

import enum
import json
import re
import struct
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from aura_vcs import codec, ids, layout, model, operation_log as operations
from aura_vcs.errors import input as asking, integrity as stored
from aura_vcs.formats.deflate import pinned
from aura_vcs.history.recording.journal import Pending
from aura_vcs.objects import base, chunking
from aura_vcs.objects.availability import OffloadedContent, OffloadedRecord
from aura_vcs.objects.packs import format as pack_format, unwrapped
from aura_vcs.objects.packs.format import UNWRAPPED_CODECS
from aura_vcs.objects.packs.reader import decode_frame
from aura_vcs.project.records.checkpoints import RenderCheckpoint
from aura_vcs.project.records.exports import ExportRecord
from aura_vcs.project.render.presets import ExportPreset
from aura_vcs.refs import annotations, packed_labels
from aura_vcs.repository.format_file import FORMAT_VERSION, KNOWN_FEATURES
from aura_vcs.repository.head_file import StoredHead
from aura_vcs.repository.replicas import ReplicaRecord
from aura_vcs.storage import line_log
from aura_vcs.sync.remotes.config import RemoteConfig
from blake3 import blake3

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs/format.md").read_text("utf-8")
RECORDS = {
    "Format": model.Format,
    "Tree": codec.StoredTree,
    "Tree entry": codec.StoredEntry,
    "Version": codec.StoredVersion,
    "Branch entry": model.BranchEntry,
    "Label": model.Label,
    "Tag": model.Tag,
    "Annotation": model.Annotation,
    "Reading": model.Reading,
    "Operation": model.Operation,
    "Ref change": model.RefChange,
    "Head change": model.HeadChange,
    "Head": model.Head,
    "Tree change": model.TreeChange,
    "Inverse": model.Inverse,
    "Stored head": StoredHead,
    "Replica record": ReplicaRecord,
    "Pending": Pending,
    "Fields": model.Fields,
    "Field": model.Field,
    "Checkpoint": RenderCheckpoint,
    "Export": ExportRecord,
    "Preset": ExportPreset,
    "Remote": RemoteConfig,
    "Offloaded": OffloadedRecord,
    "Offloaded content": OffloadedContent,
}
EXAMPLES = {
    "format": model.Format,
    "branch": model.BranchEntry,
    "label": model.Label,
    "annotation": model.Annotation,
    "tag": model.Tag,
    "head": StoredHead,
    "replica": ReplicaRecord,
}
STRUCTS = {"u32": "I", "u8": "B", "32 bytes": "32s", "8 bytes": "8s"}


def _sections() -> dict[str, str]:
    """The text under each heading, by the heading without its number and path."""
    parts = re.split(r"^##+ (?:[\d.]+ )?(.+?)(?:: .*)?$", TEXT, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _tables(text: str) -> Iterator[list[dict[str, str]]]:
    """The tables in a text: a dict for every row, by column."""
    for block in re.findall(r"(?:^\|.*\|\n)+", text, flags=re.MULTILINE):
        head, _, *rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines()]
        yield [dict(zip(head, row, strict=True)) for row in rows]


def _table(section: str, column: str) -> list[dict[str, str]]:
    return next(table for table in _tables(_sections()[section]) if column in table[0])


def _example(name: str) -> bytes:
    match = re.search(rf"^```\w+ {name}\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
    assert match is not None
    return match[1].encode()


def _bare(cell: str) -> str:
    return cell.strip("`")


def _words(annotation: Any) -> str:
    """A type as the document names it."""
    named = {str: "text", int: "integer", float: "number", bool: "true or false", Any: "anything"}
    named[tuple[int, ids.ReplicaId]] = "stamp"
    if annotation in named:
        return named[annotation]
    if isinstance(annotation, typing.NewType):
        return re.sub(r"Id$", " id", annotation.__name__).lower()
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        *rest, last = [f"`{member.value}`" for member in annotation]
        return f"{', '.join(rest)} or {last}"
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        found = next(heading for heading, record in RECORDS.items() if record is annotation)
        return found.lower()
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in inner[:-1]) + f" or `{inner[-1]}`"
    if origin in {types.UnionType, typing.Union}:
        return f"{_words(inner[0])} or null"
    if origin is dict:
        return f"map of {_words(inner[0])} to {_words(inner[1])}"
    assert origin in {list, tuple}
    word = _words(inner[0])
    return f"list of {word if word == 'text' else re.sub('y$', 'ie', word) + 's'}"


def _default(field: Any) -> str:
    default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    return "–" if default is msgspec.NODEFAULT else f"`{json.dumps(default, ensure_ascii=False)}`"


@pytest.mark.parametrize("heading", RECORDS)
def test_records_have_the_documented_keys_types_and_defaults(heading: str) -> None:
    """Every key that is stored is documented with its type and what its absence means, and no other."""
    record = RECORDS[heading]
    hints = typing.get_type_hints(record)
    expected = {}
    for field in msgspec.structs.fields(record):
        expected[f"`{field.encode_name}`"] = (_words(hints[field.name]), _default(field))
    documented = {}
    for row in _table(heading, "key"):
        kind = re.sub(r"\btime\b", "text", row["type"])
        kind = "anything" if kind == "the ref or null" else kind
        documented[row["key"]] = (kind, row["when absent"])
        assert 1 <= int(row["since"]) <= FORMAT_VERSION
    assert documented == expected


def test_documented_paths_are_those_of_layout() -> None:
    """The folder tree of the document and the constants of `layout` are the same."""
    other = {layout.AURA, layout.IGNORE_FILE, layout.CONFLICTS, layout.COMPRESSED, layout.SEGMENT, layout.PACKED_LABELS}
    other.add(layout.PACKED_ANNOTATIONS)
    other.add(layout.STAGED)  # a name below `local/tmp`
    other |= {layout.TEMPORARY_FILE}  # a form of names, not a path
    constants = {
        value
        for name, value in vars(layout).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, str)
    }
    assert {_bare(row["path in `.aura`"]) for row in _table("Where things lie", "since")} == constants - other


def test_object_and_pack_paths_are_as_documented() -> None:
    """`objects/ab/cdef…`, `objects/packs/<name>.pack` and the others are where the code puts things."""
    object_id = ids.blob_id(b"")
    replica = ids.ReplicaId("4ad6839f6717")
    version = ids.VersionId(object_id)
    assert layout.loose_path(object_id) == f"objects/{object_id[:2]}/{object_id[2:]}"
    assert layout.COMPRESSED == ".zst"
    assert layout.pack_path("name") == "objects/packs/name.pack"
    assert layout.branch_ref("main", replica) == f"refs/branches/main/{replica}.json"
    assert layout.version_ref(version) == f"refs/versions/{object_id}.json"
    assert layout.tag_ref("sent") == "refs/tags/sent.json"
    assert layout.operations_log(replica) == f"operations/{replica}.jsonl"
    assert layout.operations_segment(replica, 7) == f"operations/{replica}.7.zst"
    assert layout.packed_refs(layout.VERSIONS, object_id, layout.PACKED_LABELS) == f"refs/versions/{object_id}.labels"


def test_hashes_in_the_text_can_be_checked_by_hand() -> None:
    """What the document prints for `b3sum` is what BLAKE3 gives, and what the code calls an id."""
    found = re.findall(r"printf '(.*?)' \| b3sum --no-names(?: --derive-key '(.*?)')?\n([0-9a-f]{64})", TEXT)
    assert len(found) == 2
    for text, context, expected in found:
        data = text.replace("\\n", "\n").encode()
        assert blake3(data, derive_key_context=context or None).hexdigest() == expected
        assert (ids.tree_id if context else ids.blob_id)(data) == expected


def test_contexts_are_documented() -> None:
    """The contexts that keep trees and versions apart stand in the table of ids."""
    contexts = {row["of"]: _bare(row["context"]) for row in _table("Ids", "context")}
    assert contexts == {"blob, chunk": "–", "tree": ids.TREE_CONTEXT, "version": ids.VERSION_CONTEXT}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_records_are_what_the_code_writes(name: str) -> None:
    """Decoded and encoded again, an example is the same bytes."""
    data = _example(name)
    assert codec.encode_record(codec.decode_record(data, EXAMPLES[name], name)) == data


def test_example_tree_has_the_documented_id() -> None:
    """The tree of the document decodes, encodes and hashes as it says."""
    data = _example("tree").rstrip(b"\n")
    tree = codec.decode_tree(data)
    documented = re.search(r"id of this tree is `(\w+)`", TEXT)
    assert documented is not None
    assert codec.encode_tree(tree) == (documented[1], data)
    assert [codec.name_bytes(entry.name) for entry in tree.entries] == [b"brief.json", b"caf\xe9", b"empty", b"latest"]
    assert tree.entries[2].id == base.EMPTY_TREE_ID
    assert tree.entries[3].id == ids.blob_id(b"narration.wav")


def test_example_version_has_the_documented_id() -> None:
    """The version of the document decodes, encodes and hashes as it says."""
    data = _example("version").rstrip(b"\n")
    documented = re.search(r"id of this version is `(\w+)`", TEXT)
    assert documented is not None
    assert codec.encode_version(codec.decode_version(data)) == (documented[1], data)


def test_canonical_strings_are_escaped_as_documented() -> None:
    """Two-character escapes, \\u00xx for other control characters, everything else as itself."""
    short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    for code in [*range(0x20), *range(0x20, 0x2100), 0xFFFD, 0x1F3AC]:
        character = chr(code)
        expected = short.get(character, f"\\u{code:04x}" if code < 0x20 else character)
        assert codec._canonical.encode(character) == f'"{expected}"'.encode()


def test_example_operation_has_the_documented_checksum() -> None:
    """The line decodes and encodes to itself, and its checksum is made as the document says."""
    line = _example("operation")
    operation = codec.decode_operation(line.rstrip(b"\n"), "the example")
    assert codec.encode_operation(operation) == line
    body, check = line.rstrip(b"\n").split(b',"check":')
    assert json.loads(check.removesuffix(b"}")) == blake3(body).hexdigest()[: codec.CHECK_LENGTH]
    assert list(json.loads(body + b"}")) == [
        key for key in msgspec.structs.asdict(operation) if key in json.loads(line)
    ]


def test_operation_types_are_documented() -> None:
    """Every type that the code records stands in the list, and the list has no other.

    The studio has a log of its own, which is in no project.
    """
    listed = re.search(r"Types in use: (.*?)\. A reader", TEXT)
    assert listed is not None
    texts = [path.read_text("utf-8") for path in (ROOT / "aura_vcs").rglob("*.py")]
    source = "".join(text for text in texts if "studio.action_log" not in text)
    used = set(re.findall(r'Draft\(\s*(?:type=)?"([a-z_.]+)"', source))
    used |= set(re.findall(r'type_="([a-z_.]+)"', source))
    used |= set(re.findall(r'"(version\.(?:edit|delete|undelete|purge))"', source))
    used |= set(re.findall(r'"(note\.(?:reply|edit|resolve|reopen|delete))"', source))
    points = {str(kind) for kind in model.VersionType} - {"manual"}
    assert set(re.findall(r"`([a-z_.]+)`", listed[1])) == used | points | {"undo", "redo"}


def _pack() -> bytes:
    return b"".join(bytes.fromhex(line[10:57]) for line in _example("pack").decode().splitlines())


def test_example_pack_is_one() -> None:
    """The pack of the document has its length, name, frame and objects, told by our own reader."""
    data = _pack()
    assert f"This pack of {len(data)} bytes" in TEXT
    trailer = data[-pack_format.TRAILER_BYTES :]
    length = pack_format.footer_length(trailer, len(data), "example")
    footer = pack_format.decode_footer(data[-len(trailer) - length : -len(trailer)], trailer, "example")
    assert f"Its name is `{footer.name}`" in TEXT
    (frame,) = footer.frames
    content = decode_frame(frame, data[frame.offset : frame.offset + frame.stored_length], "example")
    found = {content[e.offset : e.offset + e.length]: (e.id, e.kind) for e in footer.entries}
    assert found == {
        b"Hello, garden\n": (ids.blob_id(b"Hello, garden\n"), model.Kind.BLOB),
        b'{"entries":[]}': (base.EMPTY_TREE_ID, model.Kind.TREE),
    }


def test_example_pack_can_be_read_by_the_tables_alone() -> None:
    """A reader written from the document's tables finds what ours finds."""
    data = _pack()
    trailer = [STRUCTS[row["type"]] for row in _table("Packs", "field")]
    stored, decoded, digest, magic = struct.unpack("<" + "".join(trailer), data[-48:])
    assert (data[:8], magic) == (b"AURAPACK", b"AURAPEND")
    footer = zstandard.ZstdDecompressor().decompress(data[-48 - stored : -48])
    assert (len(footer), blake3(footer).digest()) == (decoded, digest)
    counts = dict(zip("FE", struct.unpack_from("<II", footer), strict=True))
    at, columns = 8, {}
    for row in _table("Packs", "column"):
        size = struct.calcsize(STRUCTS[row["type of each"]])
        cells = [footer[at + n * size : at + (n + 1) * size] for n in range(counts[row["count"]])]
        columns[row["column"]] = cells if size == 32 else [int.from_bytes(cell, "little") for cell in cells]
        at += size * counts[row["count"]]
    assert at == len(footer) == 8 + 9 * counts["F"] + 45 * counts["E"]
    assert [cell.hex() for cell in columns["ids"]] == [base.EMPTY_TREE_ID, ids.blob_id(b"Hello, garden\n")]
    assert (columns["kinds"], columns["offsets"], columns["lengths"]) == ([2, 1], [14, 0], [14, 14])
    assert (columns["stored lengths"], columns["codecs"], columns["frames"]) == ([28], [0], [0, 0])


def test_structs_and_codes_of_packs_are_documented() -> None:
    """Struct formats, kinds and codecs in the text are those of the code."""
    used = {pack_format._COUNTS.format, pack_format._TRAILER.format, chunking._ITEM.format, unwrapped._COUNT.format}
    assert set(re.findall(r"struct `(<\w+)`", TEXT)) == used
    cells = {row["column"]: row["meaning"] for row in _table("Packs", "column")}
    kinds = {name: int(code) for code, name in re.findall(r"`(\d+)` ([a-z ]+)", cells["kinds"])}
    assert kinds == {**{str(k): c for k, c in pack_format.KIND_CODES.items()}, "chunked blob": pack_format.CHUNKED_BLOB}
    codecs = [pack_format.CODEC_RAW, pack_format.CODEC_ZSTD, pack_format.CODEC_SHUFFLED, *sorted(UNWRAPPED_CODECS)]
    assert re.findall(r"`(\d)`", cells["codecs"]) == [str(codec) for codec in codecs]


def test_unwrapped_frames_are_documented() -> None:
    """The columns have the sizes in the text, and the search for matches its end."""
    sizes = {"u8": 1, "u32": 4, "8 bytes": 8}
    columns = [row["type of each"] for row in _table("Unwrapped frames", "column")]
    assert unwrapped.head_bytes(3) == 4 + 3 * sum(sizes[column] for column in columns)
    assert f"at more than {pinned.STEPS_PER_BYTE} places a byte, and {pinned.SPARE_STEPS} besides" in TEXT
    assert {"1", "9"} == {str(level) for level in (min(pinned.LEVELS), max(pinned.LEVELS))}


def test_names_are_written_into_paths_as_documented() -> None:
    """The table of encoded names is what the code does, both ways."""
    rows = _table("Refs", "in a path")
    assert len(rows) >= 3
    for row in rows:
        name, path = _bare(row["name"]), _bare(row["in a path"])
        assert layout.encode_name(layout.check_name("branch", name)) == path
        assert layout.decode_name(path) == name


@pytest.mark.parametrize(
    "name",
    [
        "aura~1",
        ".aura~1",
        ".aura2~1",
        "AU12EF~1",
        "AURA0~1",
        ".AURA",
        ".aura. .",
        ".au\u200cra",
        ".aura::$DATA",
        "",
        ".",
        "..",
        "a/b",
        "\0",
    ],
)
def test_names_that_the_document_forbids_are_refused(name: str) -> None:
    """No tree holds a name that leaves its folder or that some file system takes for `.aura`."""
    with pytest.raises(stored.UnsafePath):
        layout.check_entry_name(name)


def test_limits_are_documented() -> None:
    """Each limit of the document is the one that the code enforces."""
    limits = {row["limit"]: int(row["value"]) for row in _table("What a reader must refuse", "limit")}
    assert limits == {
        "entries of a tree": codec.TREE_ENTRY_LIMIT,
        "characters of a name in a tree": codec.NAME_BYTES_LIMIT,
        "folders inside each other": base.DEPTH_LIMIT,
        "bytes of a tree or version": base.DOCUMENT_LIMIT,
        "decoded bytes of a frame": pack_format.FRAME_LIMIT,
        "decoded bytes of a shuffled frame": pack_format.SHUFFLED_LIMIT,
        "decoded bytes of an unwrapped frame, and of what is stored of it": pack_format.UNWRAPPED_LIMIT,
        "the same with codec 4, and of the frame in the frame": pack_format.TWICE_LIMIT,
        "parts of an unwrapped frame": pack_format.PARTS_LIMIT,
        "decoded bytes of a footer": pack_format.FOOTER_LIMIT,
        "bytes of an annotation, as compact JSON": annotations.MERGED_BYTES,
        "bytes of a line of an operation log": line_log.LINE_LIMIT,
        "decoded bytes of a closed part of a log": operations.SEGMENT_LIMIT,
        "decoded bytes of packed labels": packed_labels.PACKED_LIMIT,
        "bytes of a branch or tag name": layout.NAME_LIMIT,
        "characters of the file name for one": layout.ENCODED_LIMIT,
        "any size, number or sequence": codec.NUMBER_LIMIT,
    }


def test_refusals_name_their_errors() -> None:
    """Errors and exit codes in the list of refusals are those of the error tree."""
    for row in _table("What a reader must refuse", "error"):
        name = _bare(row["error"])
        kind = getattr(stored, name, None) or getattr(asking, name)
        assert kind.exit_code == int(row["exit code"])


def test_the_document_is_of_the_present_format() -> None:
    """The table of changes ends with the format that the code writes, and no feature is undocumented."""
    assert [int(row["format"]) for row in _table("Changes", "what changed")] == list(range(1, FORMAT_VERSION + 1))
    assert all(f"`{feature}`" in TEXT for feature in KNOWN_FEATURES)


def test_refs_with_keys_of_the_future_are_read() -> None:
    """A reader passes over keys of refs that it does not know."""
    data = json.loads(_example("label")) | {"colour": "green"}
    assert codec.decode_record(json.dumps(data).encode(), model.Label, "label").number == 1


def test_trees_with_keys_of_the_future_are_refused() -> None:
    """An object with a key more is not canonical: it would have two ids."""
    data = _example("tree").rstrip(b"\n").replace(b'{"entries"', b'{"colour":"green","entries"')
    with pytest.raises(stored.ObjectMalformed):
        codec.decode_tree(data)


def test_a_line_with_another_checksum_is_refused() -> None:
    """One changed byte of a log line is noticed."""
    line = _example("operation").rstrip(b"\n")
    with pytest.raises(stored.RecordCorrupt):
        codec.decode_operation(line.replace(b"Mara", b"Maro", 1), "the example")
