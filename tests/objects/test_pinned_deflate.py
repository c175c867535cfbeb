"""The pinned deflate writes what zlib wrote then, and files come apart only where it writes them again."""

import gzip
import io
import random
import shutil
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from aura_vcs.formats.deflate import containers, pinned, unwrapping
from aura_vcs.formats.deflate.pinned import LEVELS, TooMuchWork, deflate
from aura_vcs.formats.deflate.unwrapping import FilePart, NotRebuilt, check_parts, rebuild, take_apart, unwrap
from blake3 import blake3
from hypothesis import given, settings, strategies as st

REAL = pytest.mark.skipif(
    not unwrapping.is_pinned_version(zlib.ZLIB_RUNTIME_VERSION), reason="another zlib is installed than the pinned one"
)
SOURCES = Path(__file__).parents[2]
PINNED_HASH = "9206aa44082af3b73282735d5291bca0e43a99cc091bd875020167d3934f5724"


def _installed(data: bytes, level: int, memory: int) -> bytes:
    machine = zlib.compressobj(level, zlib.DEFLATED, -15, memory)
    return machine.compress(data) + machine.flush()


def _written(data: bytes, level: int, memory: int) -> bytes:
    return b"".join(deflate(data, level, memory))


def _noise(size: int, letters: int, seed: int = 0) -> bytes:
    chance = random.Random(f"{size} {letters} {seed}")
    return bytes(chance.choices(range(letters), k=size))


def _text(size: int) -> bytes:
    """Something like a project file, always the same."""
    chance = random.Random(4)
    words = [f'<clip id="{chance.randrange(999)}" name="{chance.randrange(50)}.mp4"/>\n' for _ in range(size // 20)]
    return "".join(words).encode()[:size]


@REAL
@pytest.mark.parametrize("level", sorted(LEVELS))
@pytest.mark.parametrize("memory", [1, 8, 9])
def test_small_and_strange(level: int, memory: int) -> None:
    """Nothing, a byte, a run, noise of few and of many letters."""
    for size in (0, 1, 2, 3, 4, 10, 258, 259, 300, 2000):
        for letters in (1, 2, 4, 256):
            data = _noise(size, letters)
            assert _written(data, level, memory) == _installed(data, level, memory), (size, letters)


@REAL
@pytest.mark.parametrize("level", sorted(LEVELS))
@pytest.mark.parametrize("size", [65_274, 65_275, 65_536, 98_043])
def test_where_the_window_moves(level: int, size: int) -> None:
    """Text and noise around the places where zlib moves its window on."""
    for data in (_text(size), _noise(size, 20), bytes(size), (b"abcdefgh" * size)[:size]):
        assert _written(data, level, 8) == _installed(data, level, 8)


@REAL
@given(
    st.lists(st.tuples(st.binary(max_size=40), st.integers(1, 300)), max_size=30),
    st.sampled_from(sorted(LEVELS)),
    st.sampled_from([1, 2, 8, 9]),
)
@settings(max_examples=150, deadline=None)
def test_against_the_installed_one(runs: list[tuple[bytes, int]], level: int, memory: int) -> None:
    """Both write the same of whatever there is."""
    data = b"".join(piece * count for piece, count in runs)
    assert _written(data, level, memory) == _installed(data, level, memory)


@REAL
@pytest.mark.slow
def test_over_our_own_sources() -> None:
    """Every file of the package, with every setting that is tried."""
    for path in sorted((SOURCES / "aura_vcs").rglob("*.py")):
        for level in sorted(LEVELS):
            data = path.read_bytes()
            assert _written(data, level, 8) == _installed(data, level, 8), path


def test_it_never_changes() -> None:
    """What it writes of one text is what it wrote when packs were first written so: other bytes lose files."""
    data = _text(40_000) + _noise(5_000, 256) + bytes(5000)
    hasher = blake3()
    for level in sorted(LEVELS):
        for memory in (8, 9):
            hasher.update(_written(data, level, memory))
    assert hasher.hexdigest() == PINNED_HASH


def _gzip(data: bytes, level: int = 6) -> bytes:
    made = io.BytesIO()
    with gzip.GzipFile(filename="cut.xml", mode="wb", fileobj=made, compresslevel=level, mtime=0) as file:
        file.write(data)
    return made.getvalue()


def _zip(files: dict[str, bytes], level: int = 6) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in files.items():
            kind = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            archive.writestr(name, data, kind)
        archive.comment = b"made by hand"
    return made.getvalue()


def _put_together(data: bytes) -> bool:
    """Take a file apart and put it together; tells whether that was possible."""
    found = unwrap(data)
    if found is None:
        return False
    assert b"".join(map(rebuild, found.parts, found.content)) == data
    assert take_apart(data, found.parts) == found
    check_parts(found.parts)
    return True


CONTAINERS: dict[str, Callable[[int], bytes]] = {
    "gzip": lambda level: _gzip(_text(40_000), level),
    "zip": lambda level: _zip({"project.xml": _text(30_000), "a.png": _noise(3000, 256), "b.txt": _text(900)}, level),
    "two members": lambda level: _gzip(_text(50_000), level) + _gzip(b"more", level),
    "something before and behind": lambda level: _zip({"a.txt": _text(9000)}, level) + bytes(100),
}


@REAL
@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("level", [1, 4, 6, 9])
def test_containers_come_back(kind: str, level: int) -> None:
    """gzip and ZIP, of several levels, with whatever lies between the streams."""
    assert _put_together(CONTAINERS[kind](level))


@pytest.mark.parametrize("kind", CONTAINERS)
def test_damaged_containers_are_left_or_come_back(kind: str) -> None:
    """Cut off or with a byte turned, anywhere: nothing else than the very bytes ever comes back."""
    data = CONTAINERS[kind](6)
    chance = random.Random(kind)
    for _ in range(15):
        at = chance.randrange(len(data))
        _put_together(data[:at])
        _put_together(data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :])


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_whatever_begins_like_one(rest: bytes) -> None:
    """Any bytes behind the magic of a gzip file or ZIP archive, and of an archive's end."""
    gzip_magic, zip_magic = b"\x1f\x8b\x08", b"PK\x03\x04"
    for head in (gzip_magic, gzip_magic + b"\x1f" + bytes(6), zip_magic, zip_magic + b"PK\x05\x06" + rest[:18]):
        _put_together(head + rest)


def test_a_bomb_is_left_as_it_is() -> None:
    """No more is inflated than the limit, of a file and of all files of an archive together."""
    bomb = _gzip(bytes(40 << 20))
    assert unwrap(bomb, 1 << 20) is None
    many = _zip({f"{number}.txt": bytes(300_000) for number in range(20)})
    found = unwrap(many, 1 << 20)
    assert found is None or found.size <= (1 << 20) + len(many)


def test_one_bomb_under_many_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive whose directory names one stream again and again, a byte on each time, is not inflated each time."""
    bomb = _zip({"a.txt": bytes(3 << 20)})
    tail = bomb.rindex(b"PK\x05\x06")
    entry = bomb[bomb.index(b"PK\x01\x02") : tail]
    heads = b"".join(b"PK\x03\x04" + bytes(22) + struct.pack("<HH", 30 * (999 - n), 0) for n in range(1000))
    directory = b"".join(entry[:42] + struct.pack("<I", 30 * number) + entry[46:] for number in range(1000))
    stream = bomb[35 : bomb.index(b"PK\x01\x02")]
    whole = heads + stream + directory
    end = struct.pack("<4s4xHHIIH", b"PK\x05\x06", 1000, 1000, len(directory), len(heads + stream), 0)
    tried: list[int] = []
    real = containers._inflated
    monkeypatch.setattr(containers, "_inflated", lambda *given: tried.append(1) or real(*given))
    _put_together(whole + end)
    assert 1 <= len(tried) <= 4


def test_what_another_deflate_wrote_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams that no setting writes are not taken out, and only some of them are tried."""
    stored = zlib.compressobj(6, zlib.DEFLATED, -15, 8, zlib.Z_HUFFMAN_ONLY)
    data = _text(20_000)
    stream = stored.compress(data) + stored.flush()
    whole = _gzip(data)
    tried: list[int] = []
    real = unwrapping.find_parameters
    monkeypatch.setattr(unwrapping, "find_parameters", lambda *given: tried.append(1) or real(*given))
    assert unwrap(whole[:18] + stream + whole[-8:]) is None
    assert len(tried) == 1


@pytest.mark.skipif(shutil.which("gzip") is None, reason="gzip is not installed")
@pytest.mark.parametrize("level", ["-1", "-6", "-9"])
def test_what_the_programs_write(level: str, tmp_path: Path) -> None:
    """Files of gzip, which is not zlib, and of zip come back, or are left."""
    (tmp_path / "a.xml").write_bytes(_text(150_000))
    for words in (f"gzip -k {level} a.xml", f"zip -q {level} a.zip a.xml", "7z a b.zip a.xml"):
        command = words.split()
        if shutil.which(command[0]):
            subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    for path in tmp_path.glob("*.[gz]*"):
        _put_together(path.read_bytes())


class _OtherZlib:
    """Writes proper streams that are not zlib's, as zlib-ng does: every level is another one."""

    def __init__(self, level: int, make: Callable[..., "zlib._Compress"]) -> None:
        self._machine = make(level % 9 + 1, zlib.DEFLATED, -15, 7)

    def compress(self, data: bytes) -> bytes:
        return self._machine.compress(data)

    def flush(self) -> bytes:
        return self._machine.flush()


@REAL
def test_another_zlib_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the installed zlib writes other bytes, the same files come apart and come back."""
    files = [CONTAINERS["gzip"](6), CONTAINERS["zip"](6)]
    before = [unwrap(data) for data in files]
    monkeypatch.setattr(zlib, "ZLIB_RUNTIME_VERSION", "1.3.1.zlib-ng")
    make = zlib.compressobj
    monkeypatch.setattr(zlib, "compressobj", lambda level, *_: _OtherZlib(level, make))
    assert [unwrap(data) for data in files] == before
    for data, found in zip(files, before, strict=True):
        assert found is not None
        assert b"".join(map(rebuild, found.parts, found.content)) == data


@REAL
def test_the_installed_one_alone_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that the installed zlib writes and the pinned one does not is left: elsewhere it would be lost."""
    data = CONTAINERS["gzip"](6)
    monkeypatch.setattr(unwrapping, "deflate", lambda *_: iter([b"other bytes"]))
    assert unwrap(data) is None


@pytest.mark.parametrize(
    "part",
    [FilePart(10, 8, 5, 9, bytes(8)), FilePart(6, 0, 5, 9, bytes(8)), FilePart(6, 10, 5, 9, bytes(8)),
     FilePart(0, 0, 5, 9, bytes(8)), FilePart(0, 1, 5, 5, bytes(8)), FilePart(0, 0, 0, 0, bytes(8))],
)  # fmt: skip
def test_impossible_parts(part: FilePart) -> None:
    """Levels and lengths that none has are refused before anything is written."""
    with pytest.raises(NotRebuilt):
        check_parts([part])


def test_endless_work_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Content that is made to be searched forever ends with a word, and is never stored so."""
    monkeypatch.setattr(pinned, "SPARE_STEPS", 0)
    monkeypatch.setattr(pinned, "STEPS_PER_BYTE", 1)
    data = b"".join(bytes([97, 98, number % 251, 97, 98, 99, number // 251]) for number in range(20_000))
    with pytest.raises(TooMuchWork):
        _written(data, 9, 8)
    with pytest.raises(NotRebuilt, match="too much work"):
        rebuild(FilePart(9, 8, 7, len(data), bytes(8)), data)
