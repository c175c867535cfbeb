"""docs/remote-format.md and the code say the same."""

import json
import re
from pathlib import Path

import msgspec
from aura_vcs.codec import decode_record
from aura_vcs.ids import ReplicaId
from aura_vcs.model import BranchEntry
from aura_vcs.storage import resumable_upload as parts
from aura_vcs.storage.encryption import cipher as sealing, master_key as encryption
from aura_vcs.storage.encryption.master_key import Encryption
from aura_vcs.storage.remotes import ssh_protocol as wire
from aura_vcs.storage.resumable_upload import PART_BYTES
from aura_vcs.sync.state.lock_record import LOCK_LIMIT, PATH_BYTES, PathLock, check_locks
from aura_vcs.sync.state.manifest import MANIFEST, Manifest, Records, decode_manifest
from aura_vcs.sync.state.seen_steps import MANY_SEEN, SEEN_LIMIT, with_seen

TEXT = (Path(__file__).parents[2] / "docs/remote-format.md").read_text("utf-8")


def documented(start: str, end: str) -> set[str]:
    """The names in the first column of a table."""
    table = TEXT.split(start)[1].split(end)[0]
    rows = re.findall(r"^\| ([a-z_, ]+) \|", table, re.MULTILINE)
    return {name for row in rows for name in row.split(", ")} - {"key", "field"}


def stored_keys(shape: type[msgspec.Struct]) -> set[str]:
    """The keys that records of that shape have."""
    return {field.encode_name for field in msgspec.structs.fields(shape)}


def test_the_document_names_the_stored_keys() -> None:
    """Every key of the manifest is documented, and no other."""
    assert documented("## manifest.json", "Example") == stored_keys(Manifest)
    assert documented("## A lock", "```json") == stored_keys(PathLock)
    assert [f.encode_name for f in msgspec.structs.fields(Records)] == ["labels", "salt", "annotations", "packs"]


def test_the_example_is_a_manifest() -> None:
    """The example in the document is read, and holds what it says."""
    found = re.search(r"```json\n(.*?)\n```", TEXT, re.DOTALL)
    assert found is not None
    manifest = decode_manifest(found[1].encode(), MANIFEST)
    assert (manifest.generation, manifest.updated_by, manifest.packs) == (0, "anna", ())
    assert json.loads(found[1]).keys() == msgspec.to_builtins(manifest).keys()


def test_the_example_of_steps_is_one() -> None:
    """The steps in the document are read, and say what the text says."""
    found = re.search(r"## What machines have seen.*?```json\n(.*?)\n```", TEXT, re.DOTALL)
    assert found is not None
    row = json.loads(found[1])["steps"]["main"]
    entries = tuple(BranchEntry(ReplicaId(replica), None, 9, {}, "", "") for replica, _ in row)
    seen = [entry.seen for entry in with_seen({"main": entries}, {"main": row}, "the example")["main"]]
    assert seen == [
        {"81d5a6b1c0ef": 4},
        {"81d5a6b1c0ef": 4, "3fa2c17d90be": 7},
        {"3fa2c17d90be": 7, "9c0d1c6f6d1a": 2},
    ]
    assert f"From {MANY_SEEN:,} counters" in TEXT
    assert f"more than {SEEN_LIMIT:,} counters" in TEXT


def test_the_example_is_a_lock() -> None:
    """The example of a lock is one that a manifest may have, and names every field."""
    found = re.search(r"## A lock.*?```json\n(.*?)\n```", TEXT, re.DOTALL)
    assert found is not None
    lock = decode_record(found[1].encode(), PathLock, "the example")
    check_locks((lock,))
    assert json.loads(found[1]).keys() == stored_keys(PathLock)
    assert f"at most {LOCK_LIMIT:,}" in TEXT
    assert f"at most {PATH_BYTES} bytes" in TEXT


def test_the_document_names_every_verb() -> None:
    """The verbs of `aura serve` are listed."""
    assert f"`verb` ({', '.join(wire.VERBS)})" in TEXT
    assert f"at most {wire.FRAME_LIMIT >> 20} MiB" in TEXT


def test_the_document_names_what_is_under_way() -> None:
    """Parts of files, how long they stay, and what `aura serve` says of them."""
    assert f"`tmp/{parts.part_name('packs/<id>.pack')}`" in TEXT
    assert f"a number from 0 to {parts.SLOTS - 1}" in TEXT
    assert f"A file of {PART_BYTES >> 20} MiB or more" in TEXT
    assert f"for {parts.STALE_PART_SECONDS // 86400} days" in TEXT
    assert f'"features": ["{wire.GOES_ON}"]' in TEXT


def test_the_document_names_what_encryption_stores() -> None:
    """Every key of encryption.json, and the sizes of sealing, are as the document says."""
    part = TEXT.split("## An encrypted remote")[1].split("## Invariants")[0]
    rows = re.findall(r"^\| ([a-z_, ]+) \|", part, re.MULTILINE)
    documented = {name for row in rows for name in row.split(", ")} - {"key"} | {"key"}
    assert documented == {field.encode_name for field in msgspec.structs.fields(Encryption)}
    assert f"({encryption.SCRYPT_N}, {encryption.SCRYPT_R}, {encryption.SCRYPT_P})" in part
    assert f"`{sealing.MAGIC.decode()}`, {sealing.SALT_BYTES} bytes of salt" in part
    assert f"From {PART_BYTES >> 20} MiB on `create` derives the salt" in part
    assert f"segments of {sealing.SEGMENT_BYTES:,} bytes" in part
    assert f"zero bytes to {sealing.NAME_BYTES}," in part
    assert f"`{encryption.CIPHER}`" in part
