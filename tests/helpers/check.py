"""Is a project whole? Answered from its files alone, by code that shares little with the library."""

from collections import Counter
from pathlib import Path

import msgspec
import zstandard
from aura_vcs import Repository
from aura_vcs.history.status import status
from aura_vcs.ids import TREE_CONTEXT, VERSION_CONTEXT, ObjectId
from aura_vcs.index.queries import Queries, VersionFilter
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import EntryKind, Kind
from aura_vcs.objects.base import EMPTY_TREE_ID
from blake3 import blake3

from tests.helpers.project import contents, look


class Holding(msgspec.Struct):
    """What the live versions of a project hold, counted by walking."""

    counts: Counter[str]
    contents: set[bytes]


def versions(repo: Repository) -> list[VersionRecord]:
    """Every version, oldest first, deleted ones too."""
    return sorted(Queries(repo.index).all_versions(VersionFilter(deleted=True)), key=lambda v: (v.number, v.id))


def holding(repo: Repository) -> Holding:
    """Walk every live version, hashing everything on the way; fails on the first damage."""
    counts: Counter[str] = Counter()
    found: set[bytes] = set()
    for record in versions(repo):
        counts[record.id] += 1
        data = repo.store.read(record.id, Kind.VERSION)
        assert blake3(data, derive_key_context=VERSION_CONTEXT).hexdigest() == record.id
        if record.is_live:
            counts[record.tree] += 1
            if counts[record.tree] == 1:
                _walk_tree(repo, record.tree, counts, found)
    return Holding(counts, found)


def _walk_tree(repo: Repository, tree: ObjectId, counts: Counter[str], found: set[bytes]) -> None:
    if tree == EMPTY_TREE_ID:
        return  # known to everybody, and not stored
    data = repo.store.read(tree, Kind.TREE)
    assert blake3(data, derive_key_context=TREE_CONTEXT).hexdigest() == tree
    entries = repo.trees.tree(tree).entries
    for entry_id, is_tree in {(e.id, e.kind is EntryKind.DIR) for e in entries}:
        counts[entry_id] += 1
        if counts[entry_id] > 1:
            continue
        if is_tree:
            _walk_tree(repo, entry_id, counts, found)
            continue
        content = repo.store.read(entry_id)
        assert blake3(content).hexdigest() == entry_id
        found.add(content)
        for chunk in set(repo.store.chunk_ids(entry_id)):
            counts[chunk] += 1
            repo.store.read(chunk)


def saved_contents(repo: Repository) -> set[bytes]:
    """The content of every file of every live version."""
    return holding(repo).contents


def assert_whole(repo: Repository) -> Holding:
    """The project is whole: every live version reads back, counts are right, refs and logs are clean."""
    held = holding(repo)
    rows = repo.index.database.connection.execute("SELECT lower(hex(id)) FROM objects WHERE refcount > 0")
    assert {row[0] for row in rows} - {EMPTY_TREE_ID} == held.counts.keys() - {EMPTY_TREE_ID}, "not all is counted"
    stored = {object_id: count for object_id, count in Queries(repo.index).counts().items() if count}
    for counts in (stored, held.counts):
        counts.pop(EMPTY_TREE_ID, None)
    assert stored == dict(held.counts), "reference counts are not what a walk counts"
    assert repo.refs.damaged() == []
    for replica in repo.logs.sizes():
        assert all(line.operation is not None for line in repo.logs.read(replica))
    _assert_numbers(repo)
    _assert_head(repo)
    _assert_objects(Path(repo.storage.root))
    return held


def _assert_numbers(repo: Repository) -> None:
    numbers = [record.number for record in versions(repo)]
    assert len(set(numbers)) == len(numbers), "a number was given out twice"


def _assert_head(repo: Repository) -> None:
    head = repo.head()
    assert head.version is None or Queries(repo.index).version(head.version) is not None
    status(repo)


def _assert_objects(aura: Path) -> None:
    """Every loose file hashes to its name, as some kind."""
    for path in (aura / "objects").glob("??/*"):
        data = path.read_bytes()
        if path.suffix == ".zst":
            data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
        name = path.parent.name + path.name.removesuffix(".zst")
        hashes = {
            blake3(data).hexdigest(),
            blake3(data, derive_key_context=TREE_CONTEXT).hexdigest(),
            blake3(data, derive_key_context=VERSION_CONTEXT).hexdigest(),
        }
        assert name in hashes, f"loose object {name} is not what its name says"


def assert_kept(repo: Repository, wanted: set[bytes]) -> None:
    """Every content is in the folder or in a live version."""
    there = contents(look(Path(repo.root)).values()) | saved_contents(repo)
    assert wanted <= there, f"{len(wanted - there)} contents are nowhere"
