"""docs/remote-format.md and the code say the same."""

import json
import re
from pathlib import Path

import msgspec
from aura_vcs.storage import wire
from aura_vcs.sync.manifest import MANIFEST, Manifest, Records, decode_manifest

TEXT = (Path(__file__).parents[2] / "docs/remote-format.md").read_text("utf-8")


def test_the_document_names_the_stored_keys() -> None:
    """Every key of the manifest is documented, and no other."""
    table = TEXT.split("## manifest.json")[1].split("Example")[0]
    rows = re.findall(r"^\| ([a-z_, ]+) \|", table, re.MULTILINE)
    documented = {name for row in rows for name in row.split(", ")} - {"key"}
    assert documented == {field.encode_name for field in msgspec.structs.fields(Manifest)}
    assert [f.encode_name for f in msgspec.structs.fields(Records)] == ["labels", "salt"]


def test_the_example_is_a_manifest() -> None:
    """The example in the document is read, and holds what it says."""
    found = re.search(r"```json\n(.*?)\n```", TEXT, re.DOTALL)
    assert found is not None
    manifest = decode_manifest(found[1].encode(), MANIFEST)
    assert (manifest.generation, manifest.updated_by, manifest.packs) == (0, "anna", ())
    assert json.loads(found[1]).keys() == msgspec.to_builtins(manifest).keys()


def test_the_document_names_every_verb() -> None:
    """The verbs of `aura serve` are listed."""
    assert f"`verb` ({', '.join(wire.VERBS)})" in TEXT
    assert f"at most {wire.FRAME_LIMIT >> 20} MiB" in TEXT
