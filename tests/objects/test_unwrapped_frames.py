"""gzip files and ZIP archives are stored as what is in them, and nobody who reads them can tell."""

import gzip
import io
import json
import random
import struct
import zipfile
from pathlib import Path

import pytest
import zstandard
from aura_vcs import Repository
from aura_vcs.compression import NotDecodable, compress
from aura_vcs.errors.input import FormatUnsupported
from aura_vcs.errors.integrity import IntegrityError, RecordCorrupt
from aura_vcs.formats.deflate import unwrapping
from aura_vcs.formats.deflate.unwrapping import FilePart, Unwrapped, unwrap
from aura_vcs.history.checkout import checkout
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.versions import purge_version
from aura_vcs.ids import blob_id
from aura_vcs.maintenance import frames, repack
from aura_vcs.maintenance.disk_usage import Sizes, storage_report
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.model import Kind
from aura_vcs.objects.base import PackLocation
from aura_vcs.objects.packs.format import CODEC_UNWRAPPED, CODEC_UNWRAPPED_TWICE, TWICE_LIMIT, UNWRAPPED_LIMIT, Frame
from aura_vcs.objects.packs.reader import decode_frame
from aura_vcs.objects.packs.unwrapped import UnwrappedFrame, encode
from aura_vcs.objects.packs.writer import NewObject
from aura_vcs.repository import format_file

from tests.helpers.check import assert_whole
from tests.helpers.project import noise, save, write


def project_xml(playhead: int, clips: int = 900) -> bytes:
    """What is in a project file of an editor."""
    chance = random.Random(7)
    rows = [f'<Clip ObjectID="{n}" In="{chance.randrange(9**9)}" Name="shot {n % 40}"/>\n' for n in range(clips)]
    rows.insert(clips // 3, f"<MZ.EditLine>{playhead}</MZ.EditLine>\n")
    return "".join(rows).encode()


def gzipped(data: bytes) -> bytes:
    """A file as Premiere writes it."""
    made = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=made, compresslevel=6, mtime=0) as file:
        file.write(data)
    return made.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    """A file as Resolve or Krita write it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 23, 9, 30, 0)), data, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def edits(count: int) -> list[dict[str, bytes]]:
    """Successive saves of a project, of an archive, and of a text."""
    return [
        {
            "film.prproj": gzipped(project_xml(1000 + number)),
            "grade.drp": zipped({"project.xml": project_xml(5000 + number, 300), "lut": noise(2000, seed=1)}),
            "film.mlt": project_xml(9000 + number, 400),
        }
        for number in range(count)
    ]


def saved(repo: Repository, count: int = 4) -> list[dict[str, bytes]]:
    """Save as many versions, and return what is in each."""
    made = edits(count)
    for number, files in enumerate(made):
        write(Path(repo.root), files)
        save(repo, f"Save {number}")
    return made


def collect(repo: Repository) -> None:
    execute_gc(repo, plan_gc(repo, grace_seconds=0))


def stored(repo: Repository) -> int:
    """Bytes of all objects on disk."""
    return sum(path.stat().st_size for path in Path(repo.storage.root, "objects").rglob("*") if path.is_file())


def unwrapped_frames(repo: Repository) -> int:
    packs = repo.store.packs
    return sum(frame.codec == CODEC_UNWRAPPED for name in packs.names() for frame in packs.footer(name).frames)


def content(repo: Repository, version: str, path: str) -> bytes:
    """Bytes of a file in a version."""
    entry = repo.trees.entry(repo.trees.version(resolve(repo, version).id).tree, path)
    assert entry is not None
    return repo.store.read(entry.id)


def features(repo: Repository) -> list[str]:
    found: list[str] = json.loads(Path(repo.root, ".aura", "format.json").read_text())["features"]
    return found


def test_versions_share_and_come_back(repo: Repository) -> None:
    """After gc successive saves cost little; every one is read, checked out, and found intact."""
    made = saved(repo)
    first = resolve(repo, "HEAD").number - len(made) + 1
    collect(repo)
    one = stored(repo)
    assert unwrapped_frames(repo) > 0
    write(Path(repo.root), {"film.prproj": gzipped(project_xml(77)), "film.mlt": project_xml(78, 400)})
    save(repo, "One more")
    collect(repo)
    assert stored(repo) - one < 2000
    for number, files in enumerate(made, first):
        for path, data in files.items():
            assert content(repo, f"v{number}", path) == data
        checkout(repo, f"v{number}")
        assert {path: Path(repo.root, path).read_bytes() for path in files} == files
    assert fsck(repo).is_clean
    assert_whole(repo)


def test_the_index_comes_back(repo: Repository) -> None:
    """It is built from packs with such frames as from others."""
    made = saved(repo, 2)
    collect(repo)
    repo.rebuild_index()
    assert content(repo, "HEAD", "film.prproj") == made[-1]["film.prproj"]
    assert fsck(repo).is_clean


def test_projects_without_such_files_are_as_they_were(repo: Repository) -> None:
    """The feature is not named before it is used; texts share their frames all the same."""
    for number in range(4):
        write(Path(repo.root), {"film.mlt": project_xml(number, 400)})
        save(repo, f"Save {number}")
    before = stored(repo)
    collect(repo)
    assert features(repo) == []
    assert before - stored(repo) > 10_000


def test_it_can_be_turned_off(repo: Repository) -> None:
    """Then nothing is taken apart; what is already stays readable, and stays so."""
    saved(repo)
    execute_gc(repo, plan_gc(repo, grace_seconds=0), unwrap=False)
    assert features(repo) == []
    assert unwrapped_frames(repo) == 0
    write(Path(repo.root), {"film.prproj": gzipped(project_xml(5))})
    save(repo, "One more")
    collect(repo)
    frames = unwrapped_frames(repo)
    assert frames > 0
    write(Path(repo.root), {"film.prproj": gzipped(project_xml(6))})
    save(repo, "Another")
    execute_gc(repo, plan_gc(repo, grace_seconds=0), unwrap=False)
    assert unwrapped_frames(repo) == frames


def test_what_is_unwrapped_is_not_looked_at_again(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next collection carries it on as it is: the proof is made once."""
    saved(repo)
    collect(repo)
    looked_at: list[int] = []
    real = unwrapping.unwrap
    monkeypatch.setattr("aura_vcs.maintenance.unwrapping.unwrap", lambda data: looked_at.append(1) or real(data))
    write(Path(repo.root), {"film.prproj": gzipped(project_xml(8))})
    save(repo, "One more")
    collect(repo)
    assert len(looked_at) == 1
    assert fsck(repo).is_clean


def test_large_files_are_compressed_twice(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a feature of its own, which readers refuse by name, and which comes back where it is damaged."""
    monkeypatch.setattr(frames, "TWICE_BYTES", 1 << 10)
    monkeypatch.setattr(frames, "TWICE_GAIN", -1000)
    made = saved(repo)
    collect(repo)
    assert features(repo) == ["unwrapped", "unwrapped-twice"]
    codecs = {f.codec for name in repo.store.packs.names() for f in repo.store.packs.footer(name).frames}
    assert CODEC_UNWRAPPED_TWICE in codecs
    for number, files in enumerate(made, 1):
        for path, data in files.items():
            assert content(repo, f"v{number}", path) == data
    assert_whole(repo)
    assert storage_report(repo).unwrapped.count >= 8
    write(Path(repo.root), edits(5)[4])
    save(repo, "One more")
    collect(repo)
    assert content(repo, "v5", "film.prproj") == edits(5)[4]["film.prproj"]
    Path(repo.storage.root, "format.json").unlink()
    with Repository.open(repo.root) as again:
        assert features(again) == ["unwrapped", "unwrapped-twice"]
    monkeypatch.setattr(format_file, "KNOWN_FEATURES", frozenset({"unwrapped"}))
    with pytest.raises(FormatUnsupported, match="unwrapped-twice"):
        Repository.open(repo.root)


def test_a_playhead_that_moved_in_a_large_project_takes_little() -> None:
    """zstd says what repeats once for every 128 KiB: said twice, that is next to nothing."""
    rows = "".join(f'<Item ID="{n * 7919 % 10**6}">{n * n % 100_003}</Item>\n' for n in range(800_000))
    sizes = []
    versions = [f"<MZ.EditLine>{place}</MZ.EditLine>\n{rows}".encode() for place in (254016, 8128512, 1016064)]
    assert len(versions[0]) > 23 << 20
    for count in (2, 3):
        frame = frames.FrameToWrite()
        for data in versions[:count]:
            part = FilePart(6, 8, len(data) // 8, len(data), blob_id(data)[:8].encode())
            item = NewObject(blob_id(data), Kind.BLOB, bytes(part.wrapped))
            frame.add(item, Unwrapped((part,), (data,)), "a.prproj")
        codec, stored_bytes = frame.encode([item.data for item in frame.objects], 12)
        assert codec == CODEC_UNWRAPPED_TWICE
        sizes.append(sum(map(len, stored_bytes)))
    assert sizes[1] - sizes[0] < 2_000


def test_an_older_reader_refuses(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever does not know the feature says its name, and changes nothing."""
    saved(repo)
    collect(repo)
    assert features(repo) == ["unwrapped"]
    repo.close()
    monkeypatch.setattr(format_file, "KNOWN_FEATURES", frozenset({"annotations"}))
    with pytest.raises(FormatUnsupported, match="unwrapped"):
        Repository.open(repo.root)


def test_the_feature_survives_damage(repo: Repository) -> None:
    """`format.json` that is written anew names the feature again, as the packs have it."""
    made = saved(repo)
    collect(repo)
    repo.close()
    Path(repo.root, ".aura", "format.json").unlink()
    with Repository.open(repo.root) as again:
        assert features(again) == ["unwrapped"]
        assert content(again, "HEAD", "film.prproj") == made[-1]["film.prproj"]


def test_features_of_two_processes_are_both_named(repo: Repository) -> None:
    """One opened the project before the other added its feature."""
    with Repository.open(repo.root) as other:
        repo.declare("annotations")
        other.declare("unwrapped")
    assert features(repo) == ["annotations", "unwrapped"]


def test_purging_one_of_them(repo: Repository) -> None:
    """A pack that is written anew keeps the others as they are, and nothing of what was purged."""
    made = saved(repo, 4)
    collect(repo)
    number = resolve(repo, "HEAD~2").number
    gone = blob_id(made[1]["film.prproj"])
    purge_version(repo, resolve(repo, f"v{number}"), "private")
    collect(repo)
    assert not repo.store.contains(gone)
    assert unwrapped_frames(repo) > 0
    assert content(repo, "HEAD", "film.prproj") == made[3]["film.prproj"]
    assert fsck(repo).is_clean


def test_another_zlib_reads_them(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the installed one writes other streams, our own writes them: slower, and the same bytes."""
    made = saved(repo, 3)
    collect(repo)
    monkeypatch.setattr(unwrapping, "installed_deflate", lambda *_: b"what zlib-ng writes")
    for number, files in enumerate(reversed(made)):
        assert content(repo, f"HEAD~{number}" if number else "HEAD", "film.prproj") == files["film.prproj"]
    assert fsck(repo).is_clean


def test_stored_as_they_are_where_that_is_smaller(repo: Repository) -> None:
    """Noise in a gzip file does not get smaller."""
    for number in range(3):
        write(Path(repo.root), {"noise.gz": gzipped(noise(20_000, seed=number))})
        save(repo, f"Save {number}")
    collect(repo)
    assert unwrapped_frames(repo) == 0


def test_what_some_may_not_read_stays_so(repo: Repository) -> None:
    """A file of mode 600 is in no pack that more people can read."""
    made = edits(3)
    for number, files in enumerate(made):
        write(Path(repo.root), {"secret.prproj": files["film.prproj"]})
        Path(repo.root, "secret.prproj").chmod(0o600)
        save(repo, f"Save {number}")
    collect(repo)
    packs = repo.store.packs
    for files in made:
        place = repo.store.location(blob_id(files["film.prproj"]))
        assert place is not None
        assert packs.is_unwrapped(place)
        path = Path(repo.storage.root, "objects", "packs", f"{place.pack}.pack")
        assert path.stat().st_mode & 0o077 == 0


# Frames that nobody honest writes.


def _frame(stored_bytes: bytes, length: int) -> Frame:
    return Frame(8, len(stored_bytes), length, CODEC_UNWRAPPED)


def _refused(stored_bytes: bytes, length: int) -> str:
    with pytest.raises(RecordCorrupt) as raised:
        decode_frame(_frame(stored_bytes, length), stored_bytes, "a pack")
    return raised.value.message


def _payload(parts: list[FilePart], rest: bytes) -> bytes:
    columns = [
        struct.pack("<I", len(parts)),
        bytes(part.level for part in parts),
        bytes(part.memory for part in parts),
        b"".join(struct.pack("<I", part.wrapped) for part in parts),
        b"".join(struct.pack("<I", part.content) for part in parts),
        b"".join(part.check for part in parts),
    ]
    return compress(b"".join(columns) + rest)


HOSTILE = {
    "no zstd": (b"nothing", 5),
    "empty": (compress(b""), 5),
    "more parts than bytes": (compress(struct.pack("<I", 1 << 31)), 5),
    "parts beyond all": (compress(struct.pack("<I", 1 << 19) + bytes(18 << 19)), 5),
    "parts longer than the frame": (_payload([FilePart(0, 0, 9, 9, bytes(8))], bytes(9)), 5),
    "parts shorter than the frame": (_payload([FilePart(0, 0, 3, 3, bytes(8))], bytes(3)), 5),
    "content that is not there": (_payload([FilePart(6, 8, 5, 1 << 30, bytes(8))], b"abc"), 5),
    "content that is left over": (_payload([FilePart(6, 8, 5, 2, bytes(8))], b"abc"), 5),
    "a level that there is not": (_payload([FilePart(99, 8, 5, 3, bytes(8))], b"abc"), 5),
    "a memory that there is not": (_payload([FilePart(6, 200, 5, 3, bytes(8))], b"abc"), 5),
    "an empty part": (_payload([FilePart(0, 0, 0, 0, bytes(8)), FilePart(0, 0, 5, 5, bytes(8))], b"abcde"), 5),
    "a stream that never was": (_payload([FilePart(6, 8, 5, 3, b"12345678")], b"abc"), 5),
    "a length beyond all": (_payload([FilePart(0, 0, 5, 5, bytes(8))], b"abcde"), UNWRAPPED_LIMIT + 1),
    "a bomb": (compress(bytes(UNWRAPPED_LIMIT + 1)), 5),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_frames_end_in_a_word(name: str) -> None:
    """What contradicts itself is damage, whatever it claims."""
    assert "frame does not decode" in _refused(*HOSTILE[name])


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_frames_in_frames_end_in_a_word(name: str) -> None:
    """The same where it is compressed twice, but for what is too large for a frame of the other kind only."""
    stored_bytes, length = HOSTILE[name]
    if length > 5 or name == "a bomb":
        stored_bytes, length = compress(compress(bytes(TWICE_LIMIT + 1))), min(length, 5)
    twice = compress(stored_bytes)
    frame = Frame(8, len(twice), length, CODEC_UNWRAPPED_TWICE)
    with pytest.raises(RecordCorrupt, match="frame does not decode"):
        decode_frame(frame, twice, "a pack")


def test_every_byte_of_a_frame_matters(repo: Repository) -> None:
    """A frame with a byte turned anywhere gives the same bytes, or none."""
    file = gzipped(project_xml(3, 60))
    found = unwrap(file)
    assert found is not None
    whole = zstandard.ZstdDecompressor().decompress(encode([found]))
    chance = random.Random(5)
    for at in [*range(80), *chance.sample(range(len(whole)), 40)]:
        damaged = compress(whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :])
        try:
            data = decode_frame(_frame(damaged, len(file)), damaged, "a pack")
        except RecordCorrupt:
            continue
        assert blob_id(data) != blob_id(file) or data == file


def test_damage_on_disk_is_told(repo: Repository) -> None:
    """A pack with a turned byte is damage, never wrong bytes."""
    made = saved(repo, 3)
    collect(repo)
    place = repo.store.location(blob_id(made[0]["film.prproj"]))
    assert place is not None
    frame = repo.store.packs.footer(place.pack).frames[place.frame]
    repo.close()
    path = Path(repo.storage.root, "objects", "packs", f"{place.pack}.pack")
    data = bytearray(path.read_bytes())
    data[frame.offset + frame.stored_length // 2] ^= 0x10
    path.chmod(0o644)
    path.write_bytes(data)
    with Repository.open(repo.root) as again:
        with pytest.raises(IntegrityError):
            content(again, "HEAD", "film.prproj")
        assert not fsck(again).is_clean


def test_slices_of_a_frame() -> None:
    """Any range of a frame is what the files have there; only whole files can be carried on."""
    files = [gzipped(project_xml(number, 50)) for number in range(3)] + [zipped({"a.xml": project_xml(1, 60)})]
    found = [unwrap(data) for data in files]
    assert None not in found
    whole = b"".join(files)
    frame = UnwrappedFrame(zstandard.ZstdDecompressor().decompress(encode([one for one in found if one])), len(whole))
    chance = random.Random(2)
    for _ in range(60):
        start = chance.randrange(len(whole))
        length = chance.randrange(len(whole) - start + 1)
        assert frame.read(start, length) == whole[start : start + length]
    at = 0
    for data, one in zip(files, found, strict=True):
        assert frame.unwrapped(at, len(data)) == one
        assert frame.unwrapped(at, len(data) - 1) is None
        at += len(data)
    with pytest.raises(NotDecodable):
        UnwrappedFrame(b"\x01\0\0\0", 4)


def test_a_place_outside(repo: Repository) -> None:
    """Places that an index may claim and a pack does not have."""
    made = saved(repo, 3)
    collect(repo)
    place = repo.store.location(blob_id(made[0]["film.prproj"]))
    assert place is not None
    with pytest.raises(RecordCorrupt):
        repo.store.packs.read(PackLocation(place.pack, place.frame, place.offset, 1 << 30))
    assert repo.store.packs.unwrapped(PackLocation(place.pack, 99, 0, 5)) is None
    assert repack.find_scattered(repo) == []


def test_storage_says_how_much(repo: Repository) -> None:
    """Nothing before a collection; then how many files, their bytes, and what those take."""
    assert storage_report(repo).unwrapped == Sizes(0, 0, 0)
    made = saved(repo)
    collect(repo)
    found = storage_report(repo).unwrapped
    wrapped = [data for files in made for path, data in files.items() if not path.endswith(".mlt")]
    assert (found.count, found.logical_bytes) == (len(wrapped), sum(map(len, wrapped)))
    assert 0 < found.stored_bytes < found.logical_bytes / 2
