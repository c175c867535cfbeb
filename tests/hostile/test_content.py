"""Trees, objects and refs that no honest project has: refused when read, and again when laid out."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zstandard
from aura_vcs import Repository
from aura_vcs.codec import (
    NUMBER_LIMIT,
    decode_operation,
    decode_tree,
    decode_version,
    encode_operation,
    encode_tree,
    encode_version,
)
from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import (
    IntegrityError,
    LimitExceeded,
    ObjectCorrupt,
    ObjectMalformed,
    RecordCorrupt,
    UnsafePath,
)
from aura_vcs.errors.worktree import PathCollision
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import CommitRequest, commit
from aura_vcs.history.names.branches import branches
from aura_vcs.history.status import status
from aura_vcs.ids import ObjectId, VersionId, blob_id, tree_id
from aura_vcs.layout import TEMPORARY, loose_path
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.model import Entry, EntryKind, Kind, Tree, Version, VersionType
from aura_vcs.objects import loose
from aura_vcs.objects.base import DEPTH_LIMIT
from aura_vcs.objects.packs.format import FRAME_LIMIT, MAGIC, decode_footer, encode_footer, footer_length
from aura_vcs.storage.scratch import Scratch
from aura_vcs.storage.system_calls import FileCalls

from tests.helpers.check import assert_whole
from tests.helpers.project import look, save, write
from tests.test_layout import HOSTILE

FILE, DIR, LINK = EntryKind.FILE, EntryKind.DIR, EntryKind.SYMLINK


@pytest.fixture
def film(quick_path: Path) -> Iterator[Repository]:
    """A project with one version and unsaved work, beside a folder that must stay as it is."""
    root = quick_path / "film"
    root.mkdir()
    write(root, {"brief.json": "{}", "a/x.txt": "inside"})
    write(quick_path, {"outside/x.txt": "do not touch"})
    with Repository.init(root, author="Ada", host="studio") as repo:
        save(repo, "First cut")
        yield repo
    assert (quick_path / "outside" / "x.txt").read_text() == "do not touch"
    assert sorted(path.name for path in quick_path.iterdir()) == ["film", "outside"]


def blob(repo: Repository, content: bytes = b"planted") -> ObjectId:
    """Store a blob."""
    return repo.store.put(Kind.BLOB, content).id


def raw_tree(repo: Repository, entries: list[dict[str, object]]) -> ObjectId:
    """Store a tree by hand, whatever it says, as canonical JSON."""
    data = msgspec.json.encode({"entries": entries}, order="sorted")
    return repo.store.put(Kind.TREE, data).id


def tree(repo: Repository, *entries: Entry) -> ObjectId:
    """Store a tree."""
    return repo.store.put(Kind.TREE, encode_tree(Tree(entries))[1]).id


def plant(repo: Repository, root: ObjectId, name: str = "Planted", number: int = 50) -> VersionId:
    """Store a version of a tree and give it a label, as a sync tool would bring them."""
    head = repo.head().version
    version = Version(
        number=number,
        parents=() if head is None else (head,),
        tree=root,
        type=VersionType.MANUAL,
        name=name,
        description="",
        author="Mallory",
        created_at="2026-01-01T00:00:00.000000Z",
        project=repo.format.project,
        documents={},
        size=7,
    )
    version_id, data = encode_version(version)
    repo.store.put(Kind.VERSION, data)
    label = {"version": version_id, "number": number, "name": name}
    repo.storage.put(f"refs/versions/{version_id}.json", msgspec.json.encode(label))
    repo.rebuild_index()
    return version_id


def refuse(repo: Repository, root: ObjectId, *errors: type[AuraError]) -> None:
    """Neither checkout nor restore of the tree changes anything, and the project goes on."""
    plant(repo, root)
    before = look(Path(repo.root))
    for go in (lambda: checkout(repo, "v50"), lambda: restore(repo, "v50"), lambda: restore(repo, "v50", ["a"])):
        with pytest.raises(errors or (IntegrityError,)):
            go()
        assert look(Path(repo.root)) == before
    commit(repo, CommitRequest("Going on", allow_empty=True))
    assert status(repo).interrupted is None


@pytest.mark.parametrize("name", [name for name in HOSTILE if "\0" not in name])
def test_a_tree_with_a_hostile_name_is_never_read(film: Repository, name: str) -> None:
    """H1, H2: it is refused when it is decoded, so nothing is ever laid out from it."""
    root = raw_tree(film, [{"id": blob(film), "kind": "file", "name": name, "size": 7}])
    with pytest.raises(UnsafePath):
        decode_tree(film.store.read(root, Kind.TREE), root)
    refuse(film, root, UnsafePath)


@pytest.mark.parametrize("name", [name for name in HOSTILE if name and "/" not in name])
def test_a_hostile_name_is_not_written_even_if_it_was_read(film: Repository, name: str) -> None:
    """H1, H2: the writer checks every part again, whoever asks."""
    from aura_vcs.worktree.checkout.safe_folder import SafeFolder

    folder = SafeFolder(film.root, Scratch(film.storage, TEMPORARY), FileCalls())
    before = look(Path(film.root))
    for path in (name, f"a/{name}", f"{name}/x", f"a/{name}/x"):
        with pytest.raises((UnsafePath, FileNotFoundError)):
            folder.make_folder(path)
        with pytest.raises((UnsafePath, FileNotFoundError)):
            folder.make_link(path, b"outside", None)
    folder.close()
    assert look(Path(film.root)) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda e: [e, e],
        lambda e: [{**e, "name": "b"}, {**e, "name": "a"}],
        lambda e: [{**e, "size": -1}],
        lambda e: [{**e, "size": 2**63}],
        lambda e: [{**e, "size": 1.5}],
        lambda e: [{**e, "id": "../../x"}],
        lambda e: [{**e, "id": e["id"].upper()}],
        lambda e: [{**e, "kind": "device"}],
        lambda e: [{**e, "kind": "dir", "executable": True}],
        lambda e: [{**e, "executable": False}],
        lambda e: [{**e, "extra": 1}],
        lambda e: [{**e, "raw": "zz"}],
        lambda e: [{**e, "raw": "61"}],
        lambda e: [{**e, "name": "\ufffd", "raw": "2e2e"}],
        lambda e: [{**e, "name": ["a"]}],
    ],
)
def test_a_tree_that_is_not_canonical_is_refused(film: Repository, change: object) -> None:
    """H11: one tree has one encoding; anything else that hashes well is malformed."""
    entry = {"id": blob(film), "kind": "file", "name": "a", "size": 7}
    refuse(film, raw_tree(film, change(entry)), ObjectMalformed, UnsafePath)  # type: ignore[operator]


def test_a_link_and_a_file_below_it_in_every_order(film: Repository, quick_path: Path) -> None:
    """H3: where one version has a link to another folder and the next has a folder, nothing leaves the project."""
    root, outside = Path(film.root), str(quick_path / "outside").encode()
    inner = tree(film, Entry("x.txt", FILE, blob(film), 7))
    folder = plant(film, tree(film, Entry("a", DIR, inner, 7)), "folder", 50)
    link = plant(film, tree(film, Entry("a", LINK, blob(film, outside), len(outside))), "link", 51)
    for name in (folder, link, folder, link):
        checkout(film, name)
        assert (root / "a").is_symlink() == (name == link)
    restore(film, folder, ["a/x.txt"])
    assert (root / "a" / "x.txt").read_text() == "planted"
    assert not (root / "a").is_symlink()


def test_a_link_of_the_persons_does_not_lead_a_checkout_outside(film: Repository, quick_path: Path) -> None:
    """H3: an ignored link stands where a version has a folder."""
    root = Path(film.root)
    write(root, {".auraignore": "b\n"})
    save(film, "Ignoring b")
    (root / "b").symlink_to(quick_path / "outside")
    inner = tree(film, Entry("x.txt", FILE, blob(film), 7))
    moved = checkout(film, plant(film, tree(film, Entry("b", DIR, inner, 7))))
    assert moved.restore_point is not None
    assert film.trees.entry(moved.restore_point.tree, "b").kind is LINK  # type: ignore[union-attr]
    assert (root / "b" / "x.txt").read_text() == "planted"


class _Swapper(FileCalls):
    """Puts a link where a folder was, in the middle of a command."""

    def __init__(self, folder: Path, outside: Path) -> None:
        self.folder, self.outside, self.armed = folder, outside, False

    def replace(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> None:
        """Swap before the first file is put in place."""
        if self.armed and to_fd is not None:
            self.armed = False
            os.rename(self.folder, self.folder.with_name("away"))
            os.symlink(self.outside, self.folder)
        super().replace(source, target, dir_fd=dir_fd, to_fd=to_fd)


def test_a_folder_swapped_for_a_link_meanwhile_leads_nowhere(quick_path: Path) -> None:
    """H3: also when the swap happens between looking and writing (TOCTOU), nothing outside is touched."""
    root, outside = quick_path / "film", quick_path / "outside"
    write(root, {"a/x.txt": "one", "a/y.txt": "one"})
    write(outside, {"x.txt": "do not touch", "y.txt": "do not touch"})
    calls = _Swapper(root / "a", outside)
    with Repository.init(root, calls=calls) as repo:
        save(repo, "First cut")
        write(root, {"a/x.txt": "two", "a/y.txt": "two", "b/z.txt": "two"})
        save(repo, "Second cut")
        calls.armed = True
        try:
            checkout(repo, "v1")
        except AuraError as error:
            assert "a" in error.message  # noqa: PT017 (either way is fine, as long as nothing outside changes)
    assert {path.name: path.read_text() for path in outside.iterdir()} == dict.fromkeys(
        ("x.txt", "y.txt"), "do not touch"
    )


@pytest.mark.parametrize(("one", "other"), [("Readme", "README"), ("caf\u00e9", "cafe\u0301"), ("ß", "SS")])
def test_two_paths_that_are_one_on_another_disk_are_refused_there(film: Repository, one: str, other: str) -> None:
    """H5: on a disk that ignores case or Unicode form, neither overwrites the other."""
    (Path(film.root) / ".AURA").mkdir()  # what such a disk looks like from within
    names = sorted((one, other), key=str.encode)
    root = tree(film, *(Entry(name, FILE, blob(film, name.encode()), len(name.encode())) for name in names))
    plant(film, root)
    before = look(Path(film.root))
    with pytest.raises(PathCollision):
        checkout(film, "v50")
    assert look(Path(film.root)) == before
    (Path(film.root) / ".AURA").rmdir()
    checkout(film, "v50")
    assert (Path(film.root) / one).read_text() == one


@pytest.mark.parametrize("name", ["..%2F..%2Fevil", "-rf", "%1B]52;c;x%07", "main (conflicted copy)", "x" * 250, "%FF"])
def test_refs_with_hostile_file_names_are_passed_over(film: Repository, name: str) -> None:
    """H6: a folder that somebody dropped into refs/ is not a branch unless its name could be one."""
    entry = film.refs.branch_entries("main")[0]
    folder = Path(film.root) / ".aura" / "refs" / "branches" / name
    folder.mkdir()
    (folder / "aaaaaaaaaaaa.json").write_bytes(msgspec.json.encode(entry))
    (Path(film.root) / ".aura" / "refs" / "tags").mkdir(exist_ok=True)
    (Path(film.root) / ".aura" / "refs" / "tags" / f"{name[:200]}.json").write_text("{}")
    assert [found.name for found in branches(film)] == ["main"]
    assert film.refs.tags() == {}


@pytest.mark.parametrize("version", ["../../../x", "zz", "", "A" * 64, "\u0000"])
def test_refs_that_stand_on_no_id_are_damage(film: Repository, version: str) -> None:
    """H6: an id is 64 hexadecimal digits, or the ref is corrupt; gc deletes nothing meanwhile."""
    path = next((Path(film.root) / ".aura" / "refs" / "branches" / "main").iterdir())
    record = msgspec.json.decode(path.read_bytes())
    path.with_name("bbbbbbbbbbbb.json").write_bytes(msgspec.json.encode({**record, "version": version}))
    assert [problem.kind for problem in fsck(film).problems] == ["corrupt_ref"]
    execute_gc(film, plan_gc(film, grace_seconds=0))
    save(film, "Going on", allow_empty=True)


def test_text_from_outside_is_stored_without_control_characters(film: Repository) -> None:
    """H9: escapes, bidirectional overrides and bytes that are not text never enter a record."""
    evil = "a\x1b]52;c;ZXZpbA==\x07b\u202ec\x00d\udcffe\x9bf\r\ng"
    record = save(film, evil, description=evil, author=evil, allow_empty=True)
    for text in (record.name, record.description, record.author):
        assert not set("\x1b\x07\u202e\x00\x9b\r\udcff") & set(text)
        assert "a" in text
        assert "g" in text
    emoji = save(film, "👩\u200d💻 a\u00a0b", allow_empty=True)
    assert "👩\u200d💻" in emoji.name


def _zeros_as_zstd(size: int, *, is_told: bool) -> bytes:
    """A frame of `size` zeros, in blocks that say how often one byte comes (RFC 8878, sections 3.1.1.1 and 3.1.1.2)."""
    block = 128 << 10
    told = bytes([0xC0, 0x50]) + size.to_bytes(8, "little") if is_told else bytes([0, 0x50])
    head = zstandard.FRAME_HEADER + told
    count = size // block
    blocks = [((block << 3) | 2 | (number == count - 1)).to_bytes(3, "little") + b"\0" for number in range(count)]
    return head + b"".join(blocks)


@pytest.mark.parametrize("is_told", [True, False])
def test_a_zstd_bomb_is_not_unpacked(film: Repository, monkeypatch: pytest.MonkeyPatch, is_told: bool) -> None:
    """H10: a small object that claims to be a short file, and is gigabytes long, stops early.

    At once where it says how long it is; else, here, after a megabyte.
    """
    monkeypatch.setattr(loose, "DOCUMENT_LIMIT", (256 if is_told else 1) << 20)
    data = _zeros_as_zstd(3 << 30, is_told=is_told)
    fake = ObjectId("ab" * 32)
    film.storage.put(loose_path(fake) + ".zst", data)
    film.storage.put(loose_path(ObjectId("cd" * 32)) + ".zst", data)
    with pytest.raises(LimitExceeded):
        film.store.read(fake)
    refuse(film, tree(film, Entry("a", FILE, fake, 7)), ObjectCorrupt)
    film.rebuild_index()


def test_content_of_another_length_than_the_tree_says_is_refused(film: Repository) -> None:
    """H10: a tree cannot hide how much a checkout writes."""
    for size in (6, 8):
        root = tree(film, Entry("a", FILE, blob(film), size))
        before = look(Path(film.root))
        plant(film, root, f"size {size}", 60 + size)
        with pytest.raises(ObjectCorrupt):
            checkout(film, f"v{60 + size}")
        assert look(Path(film.root)) == before


def test_folders_too_deep_are_refused(film: Repository) -> None:
    """H10: deeper than any project."""
    current = tree(film, Entry("x", FILE, blob(film), 7))
    for _ in range(DEPTH_LIMIT + 5):
        current = tree(film, Entry("a", DIR, current, 7))
    refuse(film, current, LimitExceeded)


def test_a_tree_of_trees_that_multiplies_is_refused(film: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """H10: forty trees can claim a million million paths; walking stops at a limit."""
    monkeypatch.setattr("aura_vcs.objects.trees.PATHS_LIMIT", 20_000)
    current = tree(film, Entry("x", FILE, blob(film), 7))
    for _ in range(40):
        current = tree(film, Entry("a", DIR, current, 7), Entry("b", DIR, current, 7))
    refuse(film, current, LimitExceeded)
    assert fsck(film).is_clean


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"entries":' * 50_000, '{"entries":[' + "9" * 10_000 + "]}", "\ufeff{}", ""]
)
def test_deep_and_huge_json_is_malformed(text: str) -> None:
    """H10: nesting and numbers without end are an error like any other."""
    data = text.encode()
    for decode in (decode_tree, decode_version):
        with pytest.raises(ObjectMalformed):
            decode(data)
    with pytest.raises(RecordCorrupt):
        decode_operation(data, "log")


def test_numbers_that_no_index_can_hold_are_refused(film: Repository) -> None:
    """H10: a version's number and size are bounded, read or written."""
    _, data = encode_version(film.trees.version(film.head().version))  # type: ignore[arg-type]
    for key in ("number", "size"):
        fields = {**msgspec.json.decode(data), key: 2**63}
        with pytest.raises(ObjectMalformed):
            decode_version(msgspec.json.encode(fields, order="sorted"))
    operation = next(iter(film.logs.read(film.replica))).operation
    assert operation is not None
    huge = msgspec.structs.replace(operation, sequence=NUMBER_LIMIT + 1)
    with pytest.raises(RecordCorrupt):
        decode_operation(encode_operation(huge)[:-1], "log")


def test_an_object_of_another_kind_is_not_taken_for_a_tree(film: Repository) -> None:
    """H13: a file whose bytes are a tree's has another id; under the tree's name it is corrupt."""
    data = encode_tree(Tree((Entry("x", FILE, blob(film), 7),)))[1]
    assert blob_id(data) != tree_id(data)
    refuse(film, blob(film, data), IntegrityError)
    film.storage.put(loose_path(tree_id(b"other")), data)
    with pytest.raises(ObjectCorrupt):
        film.trees.tree(tree_id(b"other"))


def test_pack_footers_that_lie(film: Repository) -> None:
    """H11: entries outside their frame, frames outside the pack, and impossible lengths are refused."""
    from aura_vcs.objects.packs.format import TRAILER_BYTES, Frame, PackEntry

    one = ObjectId("ab" * 32)
    lies = [
        ([Frame(8, 10, 10, 0)], [PackEntry(one, Kind.BLOB, 1, 0, 5)]),
        ([Frame(8, 10, 10, 0)], [PackEntry(one, Kind.BLOB, 0, 6, 5)]),
        ([Frame(8, 10, FRAME_LIMIT + 1, 1)], [PackEntry(one, Kind.BLOB, 0, 0, 5)]),
        ([Frame(8, 10, 11, 0)], [PackEntry(one, Kind.BLOB, 0, 0, 5)]),
        ([Frame(8, 10, 10, 7)], [PackEntry(one, Kind.BLOB, 0, 0, 5)]),
    ]
    for frames, entries in lies:
        _, footer = encode_footer(frames, entries)
        stored, trailer = footer[:-TRAILER_BYTES], footer[-TRAILER_BYTES:]
        with pytest.raises(RecordCorrupt):
            decode_footer(stored, trailer, "pack")
    with pytest.raises(RecordCorrupt):
        footer_length(struct.pack("<II32s8s", 2**32 - 1, 2**32 - 1, bytes(32), b"AURAPEND"), 100, "pack")
    name, footer = encode_footer([Frame(8, 500, 500, 0)], [PackEntry(one, Kind.BLOB, 0, 0, 500)])
    film.storage.put(f"objects/packs/{name}.pack", MAGIC + b"short" + footer)
    with pytest.raises(IntegrityError):
        film.store.read(one)
    assert [problem.kind for problem in fsck(film).problems]
    film.rebuild_index()
    save(film, "Going on", allow_empty=True)


def test_a_pack_whose_frame_is_a_bomb(film: Repository) -> None:
    """H10: a frame is never unpacked beyond what the footer gives, whatever its header says."""
    from aura_vcs.objects.packs.format import Frame, PackEntry

    one = ObjectId("ab" * 32)
    bomb = zstandard.ZstdCompressor(level=1).compress(bytes(64 << 20))
    name, footer = encode_footer([Frame(8, len(bomb), 500, 1)], [PackEntry(one, Kind.BLOB, 0, 0, 500)])
    film.storage.put(f"objects/packs/{name}.pack", MAGIC + bomb + footer)
    with pytest.raises(ObjectCorrupt):
        film.store.read(one)
    refuse(film, tree(film, Entry("a", FILE, one, 500)), ObjectCorrupt)


def test_a_very_large_folder_is_stored_and_read_back(film: Repository) -> None:
    """A tree larger than an ordinary frame has a frame of its own, which readers take."""
    data = bytes(70 << 20)
    with film.store.batch() as batch:
        ids = [batch.add(Kind.BLOB, bytes([n])) for n in range(5)]
        large = batch.add(Kind.TREE, data)
        batch.finish()
    film.adopt_unrecorded_objects()
    assert film.store.read(large, Kind.TREE) == data
    assert [film.store.read(found) for found in ids] == [bytes([n]) for n in range(5)]
    with film.store.batch() as batch, pytest.raises(LimitExceeded):
        batch.add(Kind.TREE, bytes(FRAME_LIMIT + 1))


def test_folders_deeper_than_the_limit_are_named_and_left_alone(film: Repository) -> None:
    """What could not be read back is not versioned silently: it is listed."""
    path = Path(film.root)
    for _ in range(DEPTH_LIMIT + 10):
        path /= "d"
        path.mkdir()
    (path / "deep.txt").write_text("deep")
    done = commit(film, "Deep")
    assert len(done.skipped) == 1
    assert str(DEPTH_LIMIT) in done.skipped[0].reason
    checkout(film, "v1")
    checkout(film, "main")
    assert_whole(film)
