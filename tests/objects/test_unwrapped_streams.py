"""Streams in large gzip files and ZIP archives lie in chunks of their own, which are stored as what is in them."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors.integrity import StorageFull
from aura_vcs.formats.deflate.stream_places import stream_places
from aura_vcs.history.checkout import checkout
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.versions import purge_version
from aura_vcs.layout import LOOKED_INTO
from aura_vcs.maintenance import repack, unwrapping
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.objects.chunking import StretchCutter

from tests.helpers.check import assert_whole
from tests.helpers.project import noise, save, write
from tests.objects.test_unwrapped_frames import collect, content, gzipped, stored, unwrapped_frames

MEMBERS = 12
LARGE = 64 << 10


def large_xml(playhead: int, size: int, seed: int = 3) -> bytes:
    """What is in a project, of about so many bytes: hardly shorter when it is compressed."""
    chance = random.Random(seed)
    text = "".join(f'<Clip id="{chance.randbytes(24).hex()}"/>\n' for _ in range(size // 64)).encode()
    middle = len(text) // 3
    return text[:middle] + f"<EditLine>{playhead}</EditLine>\n".encode() + text[middle:]


def large_gzip(playhead: int) -> bytes:
    """A project of an editor beyond what is kept whole."""
    return gzipped(large_xml(playhead, 260_000))


def large_zip(change: int) -> bytes:
    """A picture of layers with a preview that is only stored, as a painting program writes it; a layer changes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype", (2026, 11, 23, 9, 30, 0)), b"application/x-picture")
        for number in range(MEMBERS):
            info = zipfile.ZipInfo(f"layers/layer{number}", (2026, 11, 23, 9, change % 60, 0))
            archive.writestr(info, large_xml(change if number == 5 else 0, 14_000, number), zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("preview.png", (2026, 11, 23, 9, 30, 0)), noise(9_000, seed=1))
    return made.getvalue()


@pytest.fixture(autouse=True)
def _smaller_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are large from LARGE on: proofs of megabytes take seconds."""
    for module in ("objects.batch", "worktree.snapshot.snapshot", "maintenance.repack"):
        monkeypatch.setattr(f"aura_vcs.{module}.LARGE_BYTES", LARGE)
    monkeypatch.setattr(repack, "FEW_PACK_BYTES", LARGE)


@pytest.fixture
def large(repo: Repository) -> list[dict[str, bytes]]:
    """Three versions of both, saved."""
    made = [{"film.prproj": large_gzip(n), "art/sky.kra": large_zip(n)} for n in range(3)]
    assert all(len(data) >= LARGE for data in made[0].values())
    for number, files in enumerate(made):
        write(Path(repo.root), files)
        save(repo, f"Save {number}")
    return made


def test_large_files_share_what_is_in_them(repo: Repository, large: list[dict[str, bytes]]) -> None:
    """After gc a save with another playhead costs little; all come back, are checked out and found intact."""
    collect(repo)
    assert unwrapped_frames(repo) > 0
    before = stored(repo)
    write(Path(repo.root), {"film.prproj": large_gzip(77)})
    save(repo, "One more")
    collect(repo)
    assert stored(repo) - before < 2000
    first = resolve(repo, "HEAD").number - len(large)
    for number, files in enumerate(large, first):
        for path, data in files.items():
            assert content(repo, f"v{number}", path) == data
        checkout(repo, f"v{number}")
        assert {path: Path(repo.root, path).read_bytes() for path in files} == files
    repo.rebuild_index()
    assert content(repo, f"v{first}", "film.prproj") == large[0]["film.prproj"]
    assert fsck(repo).is_clean
    assert_whole(repo)


def test_streams_that_did_not_change_are_stored_once(repo: Repository) -> None:
    """Also before gc: of an archive in which one layer changed, that one is stored, whatever dates the others have."""
    write(Path(repo.root), {"sky.kra": large_zip(0)})
    save(repo, "First")
    before = stored(repo)
    write(Path(repo.root), {"sky.kra": large_zip(1)})
    save(repo, "Second")
    assert stored(repo) - before < 20_000


def test_they_are_taken_out_of_large_packs(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first version of a project is one large pack with all its media: those are carried on as they are."""
    monkeypatch.setattr(repack, "SMALL_PACK_BYTES", 1 << 18)
    files = {f"media/{n}.mov": noise(250_000, seed=n) for n in range(4)} | {"film.prproj": large_gzip(0)}
    write(Path(repo.root), files)
    save(repo, "All at once")
    before = stored(repo)
    collect(repo)
    assert unwrapped_frames(repo) > 0
    assert stored(repo) < before
    write(Path(repo.root), {"film.prproj": large_gzip(1)})
    save(repo, "Another playhead")
    collect(repo)
    assert stored(repo) < before
    for path, data in files.items():
        assert content(repo, "HEAD~1", path) == data
    assert content(repo, "HEAD", "film.prproj") == large_gzip(1)
    assert fsck(repo).is_clean
    assert_whole(repo)


def test_packs_without_such_files_are_looked_into_once(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found to hold none is remembered, and noise is never inflated."""
    write(Path(repo.root), {"a.mov": noise(600_000, seed=1), "b.gz": gzipped(noise(150_000, seed=2))})
    save(repo, "Media")
    collect(repo)
    seen: list[int] = []
    monkeypatch.setattr(unwrapping.RecipeSearch, "_look_into", lambda _, name: seen.append(name))
    collect(repo)
    assert seen == []
    repo.storage.put(LOOKED_INTO, b"{ damaged")
    collect(repo)
    assert seen != []


def test_what_is_too_much_for_one_collection_is_left_for_the_next(
    repo: Repository, large: list[dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each looks at some, until all is unwrapped."""
    monkeypatch.setattr(unwrapping, "AT_ONCE_BYTES", 1 << 17)
    sizes = [stored(repo)]
    for _ in range(5):
        collect(repo)
        sizes.append(stored(repo))
    assert sizes[1] > sizes[4] >= sizes[-1]
    assert content(repo, "HEAD~2", "film.prproj") == large[0]["film.prproj"]
    assert fsck(repo).is_clean


def test_a_full_disk_leaves_all_as_it_was(
    repo: Repository, large: list[dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the room ends, every version is there, and the next collection goes on."""
    real = repack.rewrite
    for failing in (1, 2):
        left = iter([True] * (failing - 1) + [False])

        def full(*arguments: object, left: Iterator[bool] = left, **options: object) -> str:
            if not next(left, True):
                raise StorageFull("write", "a pack", "no space left")
            return real(*arguments, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(repack, "rewrite", full)
        collect(repo)
        monkeypatch.setattr(repack, "rewrite", real)
        for number, files in enumerate(reversed(large)):
            for path, data in files.items():
                assert content(repo, f"HEAD~{number}" if number else "HEAD", path) == data
    collect(repo)
    collect(repo)
    assert unwrapped_frames(repo) > 0
    assert fsck(repo).is_clean
    assert_whole(repo)


def test_purging_a_version_takes_its_streams(repo: Repository, large: list[dict[str, bytes]]) -> None:
    """The others stay as they are, and readable."""
    collect(repo)
    number = resolve(repo, "HEAD~2").number
    purge_version(repo, resolve(repo, f"v{number}"), "private")
    collect(repo)
    assert content(repo, "HEAD", "film.prproj") == large[2]["film.prproj"]
    assert content(repo, "HEAD", "art/sky.kra") == large[2]["art/sky.kra"]
    assert unwrapped_frames(repo) > 0
    assert fsck(repo).is_clean


def test_another_zlib_reads_streams(
    repo: Repository, large: list[dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own writes what the installed one does not."""
    collect(repo)
    monkeypatch.setattr("aura_vcs.formats.deflate.unwrapping.installed_deflate", lambda *_: b"what zlib-ng writes")
    assert content(repo, "HEAD", "art/sky.kra") == large[2]["art/sky.kra"]


def test_collections_without_unwrapping_leave_streams(repo: Repository, large: list[dict[str, bytes]]) -> None:
    """As the setting says."""
    execute_gc(repo, plan_gc(repo, grace_seconds=0), unwrap=False)
    assert unwrapped_frames(repo) == 0
    assert content(repo, "HEAD~2", "art/sky.kra") == large[0]["art/sky.kra"]


def test_places_are_those_of_the_streams() -> None:
    """What lies at each place inflates to its end; what is stored or tiny has none."""
    data = large_zip(1)
    found = stream_places(io.BytesIO(data))
    assert len(found) == MEMBERS
    for place in found:
        machine = zlib.decompressobj(-15)
        machine.decompress(data[place.start : place.end])
        assert machine.eof
        assert not machine.unused_data
    data = large_gzip(1)
    (only,) = stream_places(io.BytesIO(data))
    assert (only.start, only.end) == (10, len(data) - 8)


HOSTILE_FILES = {
    "a head alone": b"\x1f\x8b\x08",
    "flags without an end": b"\x1f\x8b\x08\x1f" + bytes(6) + b"\xff" * 100,
    "a zip alone": b"PK\x03\x04",
    "an end that points outside": b"PK\x03\x04" + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 9, 9, 99, 1 << 31, 0),
    "an end with a directory beyond all": b"PK\x03\x04"
    + b"PK\x05\x06"
    + struct.pack("<HHHHIIH", 0, 0, 9, 9, 1 << 31, 0, 0),
    "members on top of each other": b"PK\x03\x04"
    + bytes(40_000)
    + b"".join(
        b"PK\x01\x02" + struct.pack("<HHHHHHIIIHHHHHII", 0, 0, 0, 8, 0, 0, 0, 9_000, 50_000, 0, 0, 0, 0, 0, 0, 0)
        for _ in range(9)
    )
    + b"PK\x05\x06"
    + struct.pack("<HHHHIIH", 0, 0, 9, 9, 9 * 46, 40_004, 0),
}


@pytest.mark.parametrize("name", HOSTILE_FILES)
def test_hostile_containers_have_places_inside_or_none(name: str) -> None:
    """Whatever they claim."""
    data = HOSTILE_FILES[name]
    found = stream_places(io.BytesIO(data))
    assert all(0 <= place.start < place.end <= len(data) for place in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_stretches_are_chunks_however_the_file_is_read() -> None:
    """And all chunks together are the file, also where it ends before a stretch does."""
    data, chance = noise(900_000, seed=4), random.Random(9)
    stretches = [(0, 5), (5, 70_000), (70_000, 70_001), (300_000, 800_000), (890_000, 990_000)]
    expected: list[bytes] | None = None
    for _ in range(6):
        cutter, at, chunks = StretchCutter(stretches), 0, []
        while at < len(data):
            size = chance.choice((1, 1000, 65_536, 400_000))
            chunks += [bytes(chunk) for chunk in cutter.feed(data[at : at + size])]
            at += size
        chunks += [bytes(chunk) for chunk in cutter.finish()]
        assert b"".join(chunks) == data
        assert all(data[start:end] in chunks for start, end in stretches)
        assert expected is None or chunks == expected
        expected = chunks


@pytest.mark.parametrize(("packed", "holds", "is_cut_out"), [(10, 60, True), (16, 100, True), (20, 100, False)])
def test_a_large_stream_is_a_chunk_of_its_own_only_where_much_repeats(
    tmp_path: Path, packed: int, holds: int, is_cut_out: bool
) -> None:
    """Sizes in MiB: beyond 64 the proof of what repeats little would take an hour."""
    file = tmp_path / "film.prproj"
    with file.open("wb") as made:
        made.write(bytes.fromhex("1f8b0800000000000013"))
        made.seek(10 + (packed << 20))
        made.write(bytes(4) + (holds << 20).to_bytes(4, "little"))
    with file.open("rb") as opened:
        found = stream_places(opened)
    assert found == ([(10, 10 + (packed << 20))] if is_cut_out else [])
