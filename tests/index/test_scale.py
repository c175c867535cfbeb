"""What keeps a project of a million objects quick and small in memory, tried at the size of a few."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.autosave import autosave
from aura_vcs.history.undo import redo, undo
from aura_vcs.history.versions import delete_version, purge_version
from aura_vcs.ids import ObjectId, blob_id
from aura_vcs.index import object_locations as places
from aura_vcs.index.queries import Queries
from aura_vcs.maintenance.count_table import CountTable
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.maintenance.retention import RetentionRules, execute_prune, plan_prune
from aura_vcs.model import Kind
from aura_vcs.objects.packs.format import TRAILER_BYTES, Frame, PackEntry, decode_footer, encode_footer

from tests.helpers.check import assert_whole, versions
from tests.helpers.project import noise, save, write

ROOT = Path(__file__).parent.parent.parent
FILM = noise(2_000_000, seed=5)


def _films(repo: Repository) -> None:
    """Three versions with a large file that changes, and folders that come twice."""
    root = Path(repo.root)
    write(root, {"film.mp4": FILM, "a/one.txt": "1", "a/two.txt": "2", "b/one.txt": "1", "b/two.txt": "2"})
    save(repo, "First cut")
    write(root, {"film.mp4": FILM[:900_000] + b"cut" + FILM[900_000:], "again.mp4": FILM})
    save(repo, "Second cut")
    write(root, {"film.mp4": b"short", "b/two.txt": "3"})
    save(repo, "Third cut")


@pytest.mark.parametrize("held", [1, 2, 7])
def test_counts_are_right_however_few_are_held(repo: Repository, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts that are written on the way, in the middle of a tree or of a film's chunks, are as if they were not."""
    _films(repo)
    before = Queries(repo.index).counts()
    monkeypatch.setattr("aura_vcs.index.reference_counts.HELD_COUNTS", held)
    repo.rebuild_index()
    assert Queries(repo.index).counts() == before
    purge_version(repo, versions(repo)[0], "tried")
    delete_version(repo, versions(repo)[1])
    assert_whole(repo)
    undo(repo)
    undo(repo)
    assert Queries(repo.index).counts() == before
    assert fsck(repo).is_clean


def test_objects_that_arrive_are_entered_once(repo: Repository, tmp_path: Path) -> None:
    """What a sync tool brings, packs and loose objects, gets its rows and counts when the refs come too."""
    import shutil

    _films(repo)
    other = tmp_path / "other"
    shutil.copytree(repo.root, other, symlinks=True)
    write(Path(repo.root), {"late.mp4": noise(1_500_000, seed=6), "late.txt": "late"})
    save(repo, "Late")
    with Repository.open(other) as copy:
        shutil.copytree(Path(repo.root) / ".aura" / "objects", other / ".aura" / "objects", dirs_exist_ok=True)
        copy.adopt_unrecorded_objects()
        copy.adopt_unrecorded_objects()
        assert assert_whole(copy)
        for room in ("refs", "operations"):
            shutil.copytree(Path(repo.root) / ".aura" / room, other / ".aura" / room, dirs_exist_ok=True)
        copy.refresh()
        assert Queries(copy.index).counts() == Queries(repo.index).counts()
        assert fsck(copy).is_clean


def test_a_footer_of_many_objects_is_read_where_it_lies() -> None:
    """Ten thousand objects come back one by one, in slices, from the end, and by their ids."""
    entries = [PackEntry(blob_id(b"%d" % n), Kind.CHUNK, n % 3, n, 1) for n in range(10_000)]
    frames, place = [], 8
    for _ in range(3):
        frames.append(Frame(place, 20_000, 20_000, 0))
        place += 20_000
    _, footer = encode_footer(frames, entries)
    found = decode_footer(footer[:-TRAILER_BYTES], footer[-TRAILER_BYTES:], "pack")
    ordered = sorted(entries, key=lambda entry: entry.id)
    assert list(found.entries) == ordered
    assert found.entries[4095:4098] == tuple(ordered[4095:4098])
    assert found.entries[-1] == ordered[-1]
    assert len(found.entries) == 10_000
    assert [found.find(entry.id) for entry in entries[::97]] == entries[::97]
    assert found.find(blob_id(b"none of them")) is None
    straddling = ObjectId((bytes.fromhex(ordered[0].id)[16:] + bytes.fromhex(ordered[1].id)[:16]).hex())
    assert found.find(straddling) is None


def test_objects_of_a_footer_are_picked_by_number() -> None:
    """A few, most, or those kept in chunks: the same as reading all and choosing."""
    entries = [PackEntry(blob_id(bytes([number])), Kind.BLOB, 0, number, 1, number % 50 == 3) for number in range(200)]
    name, data = encode_footer([Frame(8, 10, 200, 1)], entries)
    footer = decode_footer(data[:-TRAILER_BYTES], data[-TRAILER_BYTES:], name)
    listed = list(footer.entries)
    assert footer.ids() == [entry.id for entry in listed]
    assert {entry.id for entry in footer.chunked()} == {entry.id for entry in entries if entry.chunked}
    for numbers in ([], [7], [0, 3, 199], list(range(1, 200, 2)), list(range(200))):
        assert list(footer.pick(numbers)) == [listed[number] for number in numbers]


def test_a_tally_counts_rows_and_what_has_none() -> None:
    """Ids that begin alike are told apart; what is not in the table is counted beside it."""
    digests = sorted({bytes([n % 4, 0]) + bytes(28) + n.to_bytes(2, "big") for n in range(1000)})
    tally = CountTable((digest, number) for number, digest in enumerate(digests))
    assert len(tally) == 1000
    for number, digest in enumerate(digests):
        assert tally.row(ObjectId(digest.hex())) == number
        assert tally.id(number) == digest.hex()
        assert tally.recorded[number] == number
    assert tally.row(ObjectId("ff" * 32)) is None
    assert [tally.add(tally.id(3)), tally.add(tally.id(3))] == [True, False]
    assert [tally.add(ObjectId("ff" * 32)), tally.add(ObjectId("ff" * 32))] == [True, False]
    assert (tally.counted[3], tally.others) == (2, {"ff" * 32: 2})
    assert CountTable([]).row(ObjectId("00" * 32)) is None


def test_few_and_most_places_are_found_alike(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked for one by one, or by reading all rows: the same answer, and nothing that was not asked for."""
    monkeypatch.setattr(places, "LOOKUP_SIZE", 3)
    write(Path(repo.root), {f"takes/{number}.json": f"take {number}" for number in range(40)})
    save(repo, "Takes")
    ids = [blob_id(f"take {number}".encode()) for number in range(40)]
    one_by_one = {object_id: repo.store.places.find(object_id) for object_id in ids}
    assert all(one_by_one.values())
    assert repo.store.places.find_many([*ids, blob_id(b"not here")]) == one_by_one
    assert repo.store.places.find_many(ids[:5]) == {object_id: one_by_one[object_id] for object_id in ids[:5]}


def test_very_many_labels_are_packed_at_once(first: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation on more labels than that writes one file; all of it is undone and read again like any other."""
    for number in range(6):
        write(Path(first.root), {"plan.json": f'{{"take": {number}}}'})
        autosave(first)
    monkeypatch.setattr("aura_vcs.refs.refs.LABELS_AT_ONCE", 3)
    soon = datetime.now(UTC) + timedelta(days=9)
    execute_prune(first, plan_prune(first, RetentionRules(keep_autosaves=0), at=soon))
    folder = Path(first.storage.root) / "refs" / "versions"
    assert len(list(folder.glob("*.labels"))) == 1
    gone = [record.id for record in versions(first) if record.deleted_at]
    assert len(gone) > 3
    first.rebuild_index()
    assert [record.id for record in versions(first) if record.deleted_at] == gone
    undo(first)
    assert not [record for record in versions(first) if record.deleted_at]
    redo(first)
    execute_gc(first, plan_gc(first, grace_seconds=0))
    first.rebuild_index()
    assert {record.id for record in versions(first) if record.purged_at} == set(gone)
    assert fsck(first).is_clean
    assert_whole(first)


def test_packs_hold_so_many_objects_and_gathering_ends(first: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit of many files makes several packs; packs that are full stay as they are, however often gc runs."""
    monkeypatch.setattr("aura_vcs.objects.packs.writer.PACK_ENTRIES", 20)
    monkeypatch.setattr("aura_vcs.objects.packs.writer.FRAME_BYTES", 50)
    monkeypatch.setattr("aura_vcs.maintenance.repack.REPACK_OBJECTS", 30)
    before = len(first.store.packs.names())
    write(Path(first.root), {f"many/{number}.txt": f"text number {number}" for number in range(400)})
    save(first, "Many")
    assert len(first.store.packs.names()) - before >= 10
    for _ in range(15):
        execute_gc(first, plan_gc(first, grace_seconds=0))
        seen = set(first.store.packs.names())
    execute_gc(first, plan_gc(first, grace_seconds=0))
    assert set(first.store.packs.names()) == seen
    assert_whole(first)
    assert fsck(first).is_clean


def test_an_index_that_is_mostly_empty_shrinks(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """After most of a project was collected, the index takes the room of what is left."""
    write(Path(repo.root), {f"many/{number:04}.txt": f"text number {number}" for number in range(3000)})
    large = save(repo, "Many")
    for number in range(3000):
        (Path(repo.root) / "many" / f"{number:04}.txt").unlink()
    save(repo, "Few")
    purge_version(repo, large, "too many")
    path = repo.index.path
    before = os.path.getsize(path) + os.path.getsize(f"{path}-wal")
    monkeypatch.setattr("aura_vcs.index.database.SMALL_BYTES", 0)
    execute_gc(repo, plan_gc(repo, grace_seconds=0))
    assert os.path.getsize(path) + os.path.getsize(f"{path}-wal") < before / 2
    assert fsck(repo).is_clean


def test_a_small_index_is_written_anew_by_every_collection(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pages are full then, though nothing was collected; a large one of which little is empty is left alone."""
    for number in range(60):
        write(Path(repo.root), {"notes.txt": f"text number {number}"})
        save(repo, f"Version {number}")
    connection = repo.index.database.connection

    def pages() -> int:
        return int(connection.execute("PRAGMA page_count").fetchone()[0])

    before = pages()
    repo.index.compact()
    assert pages() < before
    monkeypatch.setattr("aura_vcs.index.database.SMALL_BYTES", 0)
    before = pages()
    connection.execute("CREATE TABLE more AS SELECT * FROM actions")
    connection.execute("DROP TABLE more")
    assert 0 < connection.execute("PRAGMA freelist_count").fetchone()[0] < before / 8
    repo.index.compact()
    assert pages() > before
    assert fsck(repo).is_clean


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_memory_stays_bounded_with_very_many_chunks(tmp_path: Path) -> None:
    """With 250,000 chunks every command that looks at all of them takes less than 200 MB."""
    from bench.measure import run

    env = {**os.environ, "PYTHONPATH": str(ROOT), "AURA_AUTHOR": "Ada", "AURA_HOME": str(tmp_path / "home")}
    film, python = tmp_path / "film", sys.executable
    film.mkdir()
    aura = [python, "-c", "from aura_vcs.cli.entry import run; run()"]
    run([*aura, "init"], str(film), env)
    told = subprocess.run(
        [python, "-m", "bench.build", "chunks", film, "250000"], env=env, capture_output=True, check=True
    )
    assert json.loads(told.stdout) > 200_000
    for words in (["reindex"], ["fsck"], ["storage"], ["gc"], ["status"], ["commit", "-m", "Same", "--allow-empty"]):
        assert run([*aura, *words], str(film), env).peak_bytes < 200e6, words
    for version in range(1, 9):
        run([*aura, "version", "purge", f"v{version}", "-y", "--reason", "too large"], str(film), env)
    assert run([*aura, "gc", "--grace", "0"], str(film), env).peak_bytes < 200e6
