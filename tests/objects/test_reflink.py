"""On disks that share blocks, a large file is kept and laid out as a clone; elsewhere in chunks."""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors.integrity import ObjectCorrupt
from aura_vcs.history.checkout import checkout
from aura_vcs.ids import blob_id
from aura_vcs.layout import loose_path
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc

from tests.helpers.check import assert_whole
from tests.helpers.project import noise, save, write

fcntl = pytest.importorskip("fcntl", reason="clones are tested on Linux")

MAKERS = {
    "btrfs": ("mkfs.btrfs", "-q", "-f"),
    "xfs": ("mkfs.xfs", "-q", "-f", "-m", "reflink=1"),
}
DISK_BYTES = 512 << 20
"""Of a sparse file; XFS is not made smaller than 300 MiB."""
FILM = noise(8 << 20, seed=11)
FIEMAP = 0xC020660B
"""FS_IOC_FIEMAP, from linux/fs.h."""
FIEMAP_SYNC, SHARED = 1, 0x2000
_HEAD = struct.Struct("=QQIIII")
_EXTENT = struct.Struct("=QQQ16xI12x")


@pytest.fixture(scope="module", params=list(MAKERS))
def disk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A mounted disk of this kind, in a file."""
    kind = str(request.param)
    maker = MAKERS[kind]
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk in a file")
    if shutil.which(maker[0]) is None:
        pytest.skip(f"{maker[0]} is not installed")
    folder = tmp_path_factory.mktemp(kind)
    image, target = folder / "image", folder / "disk"
    target.mkdir()
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    subprocess.run([*maker, image], check=True, capture_output=True)
    mounted = subprocess.run(["mount", "-o", "loop", image, target], check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"this system cannot mount {kind} in a file: {mounted.stderr.strip()}")
    try:
        yield target
    finally:
        subprocess.run(["umount", target], check=True)
        image.unlink()


@pytest.fixture
def film(disk: Path, request: pytest.FixtureRequest) -> Iterator[Repository]:
    """A project on that disk with a film in its first version."""
    root = disk / request.node.name.partition("[")[0]
    root.mkdir()
    write(root, {"film.mp4": FILM, "brief.json": "{}"})
    with Repository.init(root, author="Ada", host="studio") as repo:
        save(repo, "First cut")
        yield repo
    shutil.rmtree(root)


def extents(path: Path) -> list[tuple[int, int, bool]]:
    """Where a file's bytes lie on the disk: place, length, and whether another file shares them."""
    count = 512
    question = _HEAD.pack(0, 2**64 - 1, FIEMAP_SYNC, 0, count, 0)
    buffer = bytearray(question + bytes(count * _EXTENT.size))
    with path.open("rb") as file:
        fcntl.ioctl(file, FIEMAP, buffer)
    found = _HEAD.unpack_from(buffer)[3]
    parts = [_EXTENT.unpack_from(buffer, _HEAD.size + number * _EXTENT.size) for number in range(found)]
    return [(place, length, bool(flags & SHARED)) for _, place, length, flags in parts]


def stored(repo: Repository, content: bytes = FILM) -> Path:
    """Where the content lies whole."""
    return Path(repo.storage.path(loose_path(blob_id(content))))


def work(repo: Repository) -> Path:
    """The film in the worktree."""
    return Path(repo.root) / "film.mp4"


def is_clone(one: Path, other: Path) -> bool:
    """Whether two files lie on the same blocks."""
    return extents(one) == extents(other) and all(shared for _, _, shared in extents(one)) and extents(one) != []


def test_a_large_file_is_stored_as_a_clone_that_is_whole(film: Repository) -> None:
    """It is one raw file under the hash of its bytes, on the blocks of the work file, and takes no other space."""
    assert stored(film).read_bytes() == FILM
    assert is_clone(stored(film), work(film))
    assert stored(film).stat().st_ino != work(film).stat().st_ino, "never a hard link"
    packs = sum(path.stat().st_size for path in (Path(film.storage.root) / "objects" / "packs").glob("*"))
    assert packs < len(FILM) // 100
    assert film.store.location(blob_id(FILM)) is None
    assert fsck(film).is_clean
    assert_whole(film)


def test_a_checkout_is_a_clone_too(film: Repository) -> None:
    """The file that comes back lies on the stored file's blocks, wherever the one before it went."""
    work(film).unlink()
    save(film, "Without it")
    checkout(film, "v1")
    assert work(film).read_bytes() == FILM
    assert is_clone(stored(film), work(film))


def test_work_never_reaches_the_store(film: Repository) -> None:
    """Bytes changed in place, in the file that was committed and in the one that was checked out, change no version."""
    edits = ((1000, b"first"), (4 << 20, b"second"))
    for round_number, (place, words) in enumerate(edits):
        with work(film).open("r+b") as file:
            file.seek(place)
            file.write(words)
        assert stored(film).read_bytes() == FILM
        edited = work(film).read_bytes()
        save(film, f"Edited {round_number}")
        checkout(film, "v1")
        assert work(film).read_bytes() == FILM
        assert stored(film, edited).read_bytes() == edited
    assert fsck(film).is_clean
    assert_whole(film)


def test_a_stored_clone_that_is_damaged_is_never_laid_out(film: Repository) -> None:
    """What is cloned is hashed before it gets its name in the worktree."""
    work(film).unlink()
    save(film, "Without it")
    with stored(film).open("r+b") as file:
        file.seek(5 << 20)
        file.write(bytes([FILM[5 << 20] ^ 1]))
    with pytest.raises(ObjectCorrupt):
        checkout(film, "v1")
    assert not work(film).exists()
    assert [problem.what for problem in fsck(film).problems] == [blob_id(FILM)]


def test_a_clone_stays_one_when_garbage_is_collected(film: Repository) -> None:
    """Packing leaves large whole files alone; what no version holds goes, its blocks stay the work file's."""
    for number in range(15):
        write(Path(film.root), {"brief.json": f'{{"take": {number}}}'})
        save(film, f"Take {number}")
    execute_gc(film, plan_gc(film, grace_seconds=0))
    assert is_clone(stored(film), work(film))
    assert_whole(film)


def test_identity_does_not_tell_how_a_file_is_kept(film: Repository, tmp_path: Path) -> None:
    """The same folder on a disk that cannot clone has the same tree, and the film in chunks."""
    write(tmp_path, {"film.mp4": FILM, "brief.json": "{}"})
    shutil.copy(Path(film.root) / "project.json", tmp_path) if (Path(film.root) / "project.json").exists() else None
    with Repository.init(tmp_path, author="Ada", host="studio") as other:
        record = save(other, "First cut")
        if stored(other).exists():
            pytest.skip("the folder for temporary files is on a disk that clones too")
        assert len(other.store.chunk_ids(blob_id(FILM))) > 1
        assert b"".join(other.store.stream(blob_id(FILM))) == FILM
    assert film.trees.version(film.head().version).tree == record.tree  # type: ignore[arg-type]
