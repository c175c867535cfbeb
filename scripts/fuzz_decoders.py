"""Feed the decoders what a coverage-guided fuzzer comes up with (`pip install aura-vcs[fuzz]`; Linux, macOS).

`python scripts/fuzz_decoders.py footer -max_total_time=60 CORPUS`: the first word names the decoder,
the rest is for libFuzzer. It stops at the first exception that is none of ours.
"""

import io
import struct
import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["aura_vcs"]):
    from aura_vcs.codec import decode_children, decode_operation, decode_tree, decode_version, encode_tree
    from aura_vcs.errors import AuraError
    from aura_vcs.formats.provenance.embedded import read_embedded
    from aura_vcs.ids import ObjectId
    from aura_vcs.model import Annotation, Label
    from aura_vcs.objects.chunking import decode_chunk_list
    from aura_vcs.objects.packs.format import END_MAGIC, decode_footer, footer_length
    from aura_vcs.refs.annotations import check_annotation
    from aura_vcs.refs.packed_labels import decode_ref

import zstandard
from blake3 import blake3

ID = ObjectId("ab" * 32)


def footer(data: bytes) -> None:
    """The columns of a footer, the hash always right: that is where the fuzzer would never get past."""
    stored = zstandard.compress(data, 1)
    trailer = struct.pack("<II32s8s", len(stored), len(data), blake3(data).digest(), END_MAGIC)
    found = decode_footer(stored, trailer, "pack")
    for entry in found.entries:
        assert entry.offset + entry.length <= found.frames[entry.frame].length
        assert found.find(entry.id) is not None


def trailer(data: bytes) -> None:
    """The last bytes of a pack."""
    assert footer_length(data[-48:], len(data), "pack") <= len(data)


def tree(data: bytes) -> None:
    """A tree: it has one encoding, and the quick look at it finds the same."""
    found = decode_tree(data)
    assert encode_tree(found)[1] == data
    assert [entry.id for entry in found.entries] == [child.id for child in decode_children(data, ID)]


def version(data: bytes) -> None:
    """A version."""
    decode_version(data)


def chunks(data: bytes) -> None:
    """A list of chunks."""
    assert 36 * len(list(decode_chunk_list(data, ID))) == len(data)


def operation(data: bytes) -> None:
    """A line of an operation log."""
    decode_operation(data, "log")


def label(data: bytes) -> None:
    """The label of a version."""
    decode_ref(data, Label, "label")


def annotation(data: bytes) -> None:
    """A note."""
    check_annotation("notes", decode_ref(data, Annotation, "note"), "note")


def embedded(data: bytes) -> None:
    """What a media file says of where it comes from: never an error."""
    read_embedded(io.BytesIO(data))


DECODERS: dict[str, Callable[[bytes], None]] = {
    decoder.__name__: decoder
    for decoder in (
        footer,
        trailer,
        tree,
        version,
        chunks,
        operation,
        label,
        annotation,
        embedded,
    )
}


def main() -> None:
    """Fuzz the decoder that the first argument names."""
    decode = DECODERS.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if decode is None:
        sys.exit(f"Say which decoder: {', '.join(DECODERS)}")

    def one(data: bytes) -> None:
        try:
            decode(data)
        except AuraError:
            return  # refused, as it should be

    atheris.Setup([sys.argv[0], *sys.argv[2:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
