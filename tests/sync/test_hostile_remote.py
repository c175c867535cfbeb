"""A remote that lies, rots or attacks: nothing wrong gets in, nothing here is harmed."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aura_vcs.codec import NUMBER_LIMIT, encode_tree, encode_version
from aura_vcs.errors import AuraError
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteMismatch
from aura_vcs.history.names.branches import branch
from aura_vcs.history.names.tags import create_tag, delete_tag
from aura_vcs.history.undo import undo
from aura_vcs.history.versions import edit_version
from aura_vcs.ids import ObjectId, ReplicaId, VersionId, blob_id
from aura_vcs.index.queries import Queries
from aura_vcs.model import Entry, EntryKind, Field, Kind, Label, Tree, Version, VersionType
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.objects.chunking import encode_chunk_list
from aura_vcs.objects.packs.format import CODEC_RAW, MAGIC, Frame, PackEntry, encode_footer
from aura_vcs.refs.merge import furthest_entry
from aura_vcs.refs.packed_labels import STAMP_LIMIT
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.pull import sync
from aura_vcs.sync.push import push
from aura_vcs.sync.state.manifest import (
    MANIFEST,
    Manifest,
    PackInfo,
    RecordInfo,
    digest,
    encode_manifest,
    encode_records,
    pack_name,
    record_name,
)

from .machines import clone, files, folder_remote, known, machine, manifest, save, write
from .test_push_pull import media

PROJECT = "11111111-1111-4111-8111-111111111111"
EVIL = "abcdefabcdef"


def snapshot(repo: Repository) -> dict[str, bytes]:
    """All of `.aura` that is shared, byte for byte."""
    root = Path(repo.root, ".aura")
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in root.rglob("*")
        if p.is_file() and not str(p.relative_to(root)).startswith("local")
    }


class Forger:
    """Builds a remote by hand, with whatever is to be in it."""

    def __init__(self) -> None:
        self.remote = MemoryRemote()
        self.objects: list[tuple[ObjectId, Kind, bytes, bool]] = []
        self.labels: list[Label] = []
        self.manifest = Manifest(1, PROJECT, 1, "", "2026-01-01T00:00:00.000000Z", "eve")

    def put(self, object_id: ObjectId, kind: Kind, data: bytes, *, chunked: bool = False) -> ObjectId:
        """An object under a name, fitting or not."""
        self.objects.append((object_id, kind, data, chunked))
        return object_id

    def version(self, tree: ObjectId, **changes: Any) -> VersionId:
        """A version with a label."""
        version = Version(
            1, (), tree, VersionType.MANUAL, "Evil", "", "eve", "2026-01-01T00:00:00.000000Z", PROJECT, {}, 0
        )
        version_id, data = encode_version(msgspec.structs.replace(version, **changes))
        self.put(version_id, Kind.VERSION, data)
        self.labels.append(Label(version_id, 1, "Evil"))
        return version_id

    def finish(self, head: VersionId | None, **changes: Any) -> MemoryRemote:
        """Write pack, record and manifest."""
        data, entries = b"", []
        for object_id, kind, content, chunked in self.objects:
            entries.append(PackEntry(object_id, kind, 0, len(data), len(content), chunked))
            data += content
        name, footer = encode_footer([Frame(8, len(data), len(data), CODEC_RAW)], entries)
        pack = PackInfo(name, 8 + len(data) + len(footer), len(footer))
        record, labels = encode_records(self.labels)
        self.remote.create(pack_name(pack), io.BytesIO(MAGIC + data + footer))
        self.remote.create(record_name(record), io.BytesIO(labels))
        entry = {
            "replica": EVIL,
            "version": head,
            "counter": 1,
            "seen": {},
            "updated_at": "2026-01-01T00:00:00.000000Z",
            "updated_by": "eve",
        }
        plain = msgspec.to_builtins(
            msgspec.structs.replace(self.manifest, packs=(pack,), records=(RecordInfo(record, len(labels)),))
        )
        plain["branches"] = {"main": [entry]}
        plain.update(changes)
        self.remote.swap(MANIFEST, msgspec.json.encode(plain), None)
        return self.remote


@pytest.fixture
def victim(tmp_path: Path) -> Repository:
    """A project with one version of its own."""
    repo = machine(tmp_path / "victim", "anna", PROJECT)
    save(repo, "brief.json", '{"topic": "mine"}')
    return repo


def refused(repo: Repository, remote: MemoryRemote, *errors: type[AuraError]) -> AuraError:
    """Fetch, and see that it is refused and that nothing here has changed."""
    before = snapshot(repo), files(repo)
    with pytest.raises(errors or (RemoteCorrupt,)) as caught:
        fetch(repo, remote, known(repo))
    assert (snapshot(repo), files(repo)) == before
    return caught.value


# Rot


@pytest.mark.parametrize("damage", ["flip", "cut", "grow", "delete", "empty"])
def test_damage_anywhere_on_the_remote_is_found(tmp_path: Path, damage: str) -> None:
    """Whichever file rots there, a fetch says so, keeps nothing of it, and works once it is mended."""
    anna = machine(tmp_path / "anna", "anna")
    write(anna, "assets/take.wav", media(1_300_000))
    save(anna, "brief.json", '{"topic": "tides"}')
    remote = folder_remote(tmp_path / "remote", anna)
    push(anna, remote, known(anna))
    there = manifest(remote)
    targets = [MANIFEST, *(record_name(r) for r in there.records), *(pack_name(p) for p in there.packs)]
    for number, name in enumerate(targets):
        # another machine each time: what one has of a fetch that was broken off is not asked for again
        bert = machine(tmp_path / f"bert-{number}", "bert", anna.format.project)
        path = Path(remote.root, name)
        whole = path.read_bytes()
        _damage(path, whole, damage)
        before = snapshot(bert)
        if damage != "grow" or not name.startswith("packs"):  # behind the end of a pack nothing is asked for
            with pytest.raises((RemoteCorrupt, RemoteMismatch)):
                fetch(bert, remote, known(bert))
            assert snapshot(bert) == before, name
        path.write_bytes(whole)
        fetch(bert, remote, known(bert))
        assert Queries(bert.index).versions_numbered(1)


def _damage(path: Path, whole: bytes, damage: str) -> None:
    if damage == "delete":
        path.unlink()
    else:
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 0x10
        path.write_bytes({"flip": bytes(flipped), "cut": whole[:-7], "grow": whole + b"more", "empty": b""}[damage])


@pytest.mark.parametrize("step", [0.02, 0.3, 0.6, 0.9])
def test_a_flipped_bit_in_a_pack_is_never_believed(tmp_path: Path, step: float) -> None:
    """Objects, chunks or footer: a pack with one wrong bit is refused as a whole."""
    anna = machine(tmp_path / "anna", "anna")
    write(anna, "assets/take.wav", media(1_200_000))
    save(anna, "brief.json", '{"topic": "tides"}')
    remote = folder_remote(tmp_path / "remote", anna)
    push(anna, remote, known(anna))
    path = Path(remote.root, pack_name(manifest(remote).packs[0]))
    data = bytearray(path.read_bytes())
    data[int(len(data) * step)] ^= 1
    path.write_bytes(data)
    bert = machine(tmp_path / "bert", "bert", anna.format.project)
    before = snapshot(bert)
    with pytest.raises(RemoteCorrupt):
        fetch(bert, remote, known(bert))
    assert snapshot(bert) == before


def test_a_push_does_not_build_on_a_damaged_pack(tmp_path: Path) -> None:
    """A pack of the right name and other bytes that lies there already is not taken for ours."""
    anna = machine(tmp_path / "anna", "anna")
    write(anna, "one.txt", "1")
    write(anna, "two.txt", "2")
    save(anna, "brief.json", '{"topic": "tides"}')
    remote = folder_remote(tmp_path / "remote", anna)
    name = anna.store.packs.names()[0]
    remote.create(pack_name(name), io.BytesIO(b"not a pack"))
    with pytest.raises(RemoteCorrupt, match="did not arrive"):
        push(anna, remote, known(anna))
    assert manifest(remote).generation == 0


def test_our_own_damage_is_not_sent(tmp_path: Path) -> None:
    """A pack that has rotted here is found before it reaches the remote."""
    anna = machine(tmp_path / "anna", "anna")
    write(anna, "assets/take.wav", media(1_200_000))
    save(anna, "brief.json", '{"topic": "tides"}')
    remote = folder_remote(tmp_path / "remote", anna)
    packs = Path(anna.root, ".aura/objects/packs").iterdir()
    path = max(packs, key=lambda pack: pack.stat().st_size)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(AuraError, match=r"damaged|cannot be read"):
        push(anna, remote, known(anna))
    assert path.name not in {entry.name.rpartition("/")[2] for entry in remote.list("packs")}
    assert manifest(remote).packs == ()
    assert manifest(remote).generation == 0


# Attacks


def test_an_object_of_another_kind_is_refused(victim: Repository) -> None:
    """A blob whose bytes are a tree, under the tree's name, is not a tree; and the other way round."""
    forger = Forger()
    tree, data = encode_tree(Tree(()))
    fake = forger.put(blob_id(b"x"), Kind.TREE, b"x")
    refused(victim, forger.finish(forger.version(fake)))
    forger = Forger()
    tree, data = encode_tree(Tree((Entry("a", EntryKind.FILE, blob_id(b"x"), 1),)))
    forger.put(tree, Kind.BLOB, data)
    refused(victim, forger.finish(forger.version(tree)))


def test_a_list_of_wrong_chunks_is_refused(victim: Repository) -> None:
    """Chunks that are whole, put together to something that is not the file, never get in."""
    forger = Forger()
    chunk = forger.put(blob_id(b"evil"), Kind.CHUNK, b"evil")
    blob = forger.put(blob_id(b"good"), Kind.BLOB, encode_chunk_list([(chunk, 4)]), chunked=True)
    tree, data = encode_tree(Tree((Entry("a", EntryKind.FILE, blob, 4),)))
    forger.put(tree, Kind.TREE, data)
    refused(victim, forger.finish(forger.version(tree)))
    write(victim, "a", b"good")
    assert save(victim, "b", b"more")


@pytest.mark.parametrize("name", [".aura", "a\0b", "..", ".AURA", "aura~1", ".aura.", "a/b"])
def test_names_that_escape_are_refused_on_arrival(victim: Repository, name: str) -> None:
    """A tree with a name that would leave the folder, or reach `.aura`, is never stored."""
    forger = Forger()
    blob = forger.put(blob_id(b"x"), Kind.BLOB, b"x")
    tree, data = encode_tree(Tree((Entry(name, EntryKind.FILE, blob, 1),)))
    forger.put(tree, Kind.TREE, data)
    refused(victim, forger.finish(forger.version(tree)), AuraError)


def test_refs_cannot_point_outside_what_came(victim: Repository) -> None:
    """A branch, a parent or a tree that is not there, a version without a label: all refused."""
    stranger = VersionId(ObjectId("5" * 64))
    forger = Forger()
    forger.put(blob_id(b"x"), Kind.BLOB, b"x")
    refused(victim, forger.finish(stranger))
    forger = Forger()
    refused(victim, forger.finish(forger.version(EMPTY_TREE_ID, parents=(stranger,))))
    forger = Forger()
    refused(victim, forger.finish(forger.version(ObjectId("6" * 64))))
    forger = Forger()
    version = forger.version(EMPTY_TREE_ID)
    forger.labels.clear()
    refused(victim, forger.finish(version))
    forger = Forger()
    other = "22222222-2222-4222-8222-222222222222"
    refused(victim, forger.finish(forger.version(EMPTY_TREE_ID, project=other)))


def _entry(**changes: Any) -> dict[str, Any]:
    return {
        "replica": EVIL, "version": None, "counter": 1, "seen": {},
        "updated_at": "2026-01-01T00:00:00.000000Z", "updated_by": "eve", **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"branches": {"../../etc": [_entry()]}},
        {"branches": {"-x": [_entry()]}},
        {"branches": {"a\nb": [_entry()]}},
        {"branches": {"main": [_entry(replica="../../x")]}},
        {"branches": {"main": [_entry(), _entry()]}},
        {"branches": {"main": [_entry(version="../x")]}},
        {"branches": {"main": [_entry(seen={"x/../y": 1})]}},
        {"branches": {"main": [_entry(counter=0)]}},
        {"tags": {"../t": {"version": None, "message": "", "created_at": "", "created_by": "", "stamp": [1, EVIL]}}},
        {"tags": {"t": {"version": "x", "message": "", "created_at": "", "created_by": "", "stamp": [1, EVIL]}}},
        {"packs": [["../../x", 100, 10]]},
        {"packs": [["a" * 64, 100, 1000]]},
        {"packs": [["a" * 64, -5, 2]]},
        {"records": [["../x", 5]]},
        {"project": "../x"},
        {"generation": -2},
        {"branches": 5},
    ],
)
def test_a_manifest_with_improper_names_is_refused(victim: Repository, change: dict[str, Any]) -> None:
    """Names, ids and sizes are checked before anything is made of them."""
    forger = Forger()
    remote = forger.finish(forger.version(EMPTY_TREE_ID), **change)
    refused(victim, remote, RemoteCorrupt, RemoteMismatch)


def test_a_newer_format_is_refused_with_its_name(victim: Repository) -> None:
    """What a newer aura_vcs wrote is not touched, and the message says what it is."""
    for change, word in (({"format": 2}, "format 2"), ({"features": ["cipher"]}, "cipher")):
        forger = Forger()
        error = refused(victim, forger.finish(forger.version(EMPTY_TREE_ID), **change), RemoteMismatch)
        assert word in error.message
        with pytest.raises(RemoteMismatch):
            push(victim, forger.remote, known(victim))


def test_nobody_writes_our_entries(victim: Repository) -> None:
    """A move under our own machine's name that we never made is another machine's: ours stands beside it."""
    before, replica = branch(victim, "main"), victim.replica
    assert before is not None
    forger = Forger()
    version = forger.version(EMPTY_TREE_ID)
    remote = forger.finish(version, branches={"main": [_entry(replica=replica, version=version, counter=99)]})
    fetch(victim, remote, known(victim))
    assert victim.replica != replica
    own = furthest_entry(victim.refs.branch_entries("main"), victim.replica)
    found = branch(victim, "main")
    assert own is not None
    assert found is not None
    assert (own.version, found.version) == (before.version, before.version)
    assert set(found.diverged) == {before.version, version}


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"{}",
        lambda: b"[" * 100_000,
        lambda: b'{"format": 1' + b"0" * 10_000 + b"}",
        lambda: b"\xff\xfe",
        lambda: encode_manifest(Manifest(1, "x", 1, "", "", "")),
    ],
)
def test_a_manifest_that_is_none_is_refused(victim: Repository, make: Callable[[], bytes]) -> None:
    """Whatever lies there instead of a manifest, the answer is one clear error."""
    remote = MemoryRemote()
    remote.swap(MANIFEST, make(), None)
    refused(victim, remote, RemoteCorrupt, RemoteMismatch)


def test_a_bomb_does_not_go_off(victim: Repository) -> None:
    """A record that claims, or decodes to, more than any record is refused before it fills the memory."""
    import zstandard
    from aura_vcs.sync.state.manifest import digest

    bomb = zstandard.ZstdCompressor(write_content_size=False).compress(b"\0" * (300 << 20))
    forger = Forger()
    name = digest(bomb)
    remote = forger.finish(forger.version(EMPTY_TREE_ID), records=[[name, len(bomb)]])
    remote.create(record_name(name), io.BytesIO(bomb))
    refused(victim, remote)


def test_a_hostile_clone_makes_no_project_of_ours(tmp_path: Path, victim: Repository) -> None:
    """After a refused fetch the project goes on as if nothing had been."""
    forger = Forger()
    refused(victim, forger.finish(forger.version(ObjectId("6" * 64))))
    save(victim, "brief.json", '{"topic": "still mine"}')
    undo(victim)
    good = folder_remote(tmp_path / "good", victim)
    known(victim).clear()
    push(victim, good, known(victim))
    assert files(clone(tmp_path / "bert", "bert", good))["brief.json"] == b'{"topic": "mine"}'


@pytest.mark.parametrize("counter", [STAMP_LIMIT + 1, NUMBER_LIMIT])
def test_stamps_above_all_that_come_later_are_not_believed(tmp_path: Path, counter: int) -> None:
    """A tag, a setting and a label that say so stay as they were, and can be changed from both sides as before."""
    anna = machine(tmp_path / "anna", "anna")
    made = save(anna, "a.txt", "a")
    create_tag(anna, "sent", made.id)
    remote = folder_remote(tmp_path / "remote", anna)
    push(anna, remote, known(anna))
    there = manifest(remote)
    stamp = (counter, ReplicaId("f" * 12))
    [(name, tag)] = there.tags.items()
    label = anna.refs.label(made.id)
    assert label is not None
    stamps = {"name": stamp, "deleted": stamp, "purged": stamp}
    evil = msgspec.structs.replace(
        label, name="EVIL", deleted_at=tag.created_at, purged_at=tag.created_at, stamps=stamps
    )
    record, data = encode_records([evil])
    remote.create(record_name(record), io.BytesIO(data))
    forged = msgspec.structs.replace(
        there,
        generation=there.generation + 1,
        previous=digest(encode_manifest(there)),
        tags={name: msgspec.structs.replace(tag, version=None, stamp=stamp)},
        settings={"export.preset": Field("evil", stamp, tag.created_at, "eve")},
        records=(*there.records, RecordInfo(record, len(data))),
    )
    remote.swap(MANIFEST, encode_manifest(forged), remote.load(MANIFEST).token)
    fetch(anna, remote, known(anna))
    assert anna.refs.tags()["sent"].version == made.id
    assert "export.preset" not in anna.refs.settings()
    assert Queries(anna.index).version(made.id) == made
    bert = clone(tmp_path / "bert", "bert", remote)
    edit_version(bert, made, name="From Bert")
    delete_tag(anna, "sent")
    push(bert, remote, known(bert))
    sync(anna, remote, known(anna))
    fetch(bert, remote, known(bert))
    for repo in (anna, bert):
        record_ = Queries(repo.index).version(made.id)
        assert record_ is not None
        assert (record_.name, record_.is_live, repo.refs.tags()) == ("From Bert", True, {})
