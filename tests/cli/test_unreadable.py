"""Any one file below `.aura` that cannot be read: everything else goes on, and nothing that a person made is lost."""

import errno
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aura_vcs.errors import AuraError

from tests.cli.conftest import Film, Ran
from tests.helpers.project import noise

COMMANDS = (
    ("status",), ("log",), ("commit", "-m", "Third", "--allow-empty"), ("fsck",), ("reindex",), ("undo",),
    ("gc", "--grace", "0"), ("checkout", "v1"), ("push",), ("repair",), ("autosave",), ("storage",),
)  # fmt: skip
SAMPLE = 14
"""So many of all pairs of file and fault are tried by default."""
SCRATCH = ("local/tmp", "local/CACHEDIR.TAG")
UNPROVEN = ("refs/checkpoints", "refs/exports", "local/remotes", "offloaded")
"""What is said nowhere else, so that no repair brings it back; nothing that a person made is in it."""

WORDS = ("corrupt", "missing", "dangling", "wrong", "unreadable")
"""What lines of fsck that name a problem begin with."""

ONLY_HERE = ("no version needs it", "affects v3")
"""What was undone before it was sent, and the autosave, which no remote has: gone with their only file."""

real_open = os.open


def _documented() -> set[int]:
    codes, waiting = {0, 1, 2}, [AuraError]
    while waiting:
        kind = waiting.pop()
        codes.add(kind.exit_code)
        waiting += kind.__subclasses__()
    return codes


@contextmanager
def _refusing(path: Path, code: int, times: int) -> Iterator[None]:
    """The system refuses to open what is at the path now, so many times."""
    found = os.stat(path)
    left = [times]

    def opened(name: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        fd = real_open(name, flags, mode, dir_fd=dir_fd)
        seen = os.fstat(fd)
        if (seen.st_ino, seen.st_dev) == (found.st_ino, found.st_dev) and left[0] > 0:
            left[0] -= 1
            os.close(fd)
            raise OSError(code, os.strerror(code), name)
        return fd

    os.open = opened  # type: ignore[assignment]
    try:
        yield
    finally:
        os.open = real_open


@contextmanager
def _changed(path: Path, change: Callable[[Path], None]) -> Iterator[None]:
    change(path)
    yield


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    if data:
        data[len(data) // 2] ^= 4
    path.write_bytes(data)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


FAULTS: dict[str, Callable[[Path], contextmanager]] = {  # type: ignore[type-arg]
    "EIO": lambda path: _refusing(path, errno.EIO, 10**9),
    "EIO three times": lambda path: _refusing(path, errno.EIO, 3),
    "ESTALE": lambda path: _refusing(path, errno.ESTALE, 10**9),
    "EACCES": lambda path: _refusing(path, errno.EACCES, 10**9),
    "cut off": lambda path: _changed(path, _cut),
    "gone": lambda path: _changed(path, Path.unlink),
    "a flipped bit": lambda path: _changed(path, _flip),
    "a folder": lambda path: _changed(path, _folder),
    "a FIFO": lambda path: _changed(path, _fifo),
}
PASSING = ("EIO", "EIO three times", "ESTALE", "EACCES")
"""Faults that are over afterwards."""


@pytest.fixture
def full(film: Film) -> Film:
    """A project that has one of everything."""
    film.write({"assets/clip.mov": noise(3 << 20, seed=1), "assets/old.mov": noise(2 << 20, seed=2)})
    film.commit("First cut")
    film("branch", "create", "other")
    film("tag", "create", "premiere")
    (film.root / "assets/old.mov").unlink()
    film.commit("Second cut", {"brief.json": '{"topic": "Tides"}', "notes.txt": "four\n", "scenes/020-end.json": "{}"})
    film("version", "edit", "v1", "--description", "rough")
    film.write({"notes.txt": "five\n"})
    film("autosave")
    film("checkpoint", "save", "Render", "--completed", "1", "--total", "2", "--data", "{}")
    film("project", "set", "status=Rendering", code=None)
    film("remote", "add", "origin", str(film.root.parent / "remote"))
    film.commit("Third cut", {"notes.txt": "six\n"})
    film("undo")
    film.commit("Last cut", {"notes.txt": "seven\n"})
    film("push")
    film("offload", "v1", "--copies", "1")
    film("fsck")
    return film


def _files(film: Film) -> list[str]:
    aura = film.root / ".aura"
    found = sorted(str(path.relative_to(aura)) for path in aura.rglob("*") if path.is_file())
    return [name for name in found if not name.startswith(SCRATCH)]


def _content(film: Film) -> dict[str, bytes]:
    """What the first two versions hold."""
    names = ("v1:brief.json", "v1:assets/clip.mov", "v2:notes.txt", "v2:scenes/020-end.json")
    return {name: film("cat", name).bytes for name in names}


def _check(ran: Ran, command: tuple[str, ...]) -> None:
    said = ran.stderr + ran.bytes.decode("utf-8", "replace")
    assert "inside aura" not in said, f"{command}: {said[-1500:]}"
    assert ran.code in _documented(), f"{command} ended with {ran.code}: {said[-500:]}"


def _try(film: Film, name: str, fault: str, seed: int, expected: dict[str, bytes]) -> None:
    path = film.root / ".aura" / name
    commands = list(COMMANDS)
    random.Random(seed).shuffle(commands)
    with FAULTS[fault](path):  # type: ignore[attr-defined]
        for command in commands:
            _check(film(*command, code=None, env={"AURA_LOCK_SECONDS": "2"}), command)
    if "locks/" in name and path.is_fifo():
        path.unlink()  # as the error says
    film("repair", code=None)
    checked = film("fsck", code=None)
    if fault in PASSING or not name.startswith((*UNPROVEN, "operations")):
        left = [line for line in checked.out.splitlines() if line.startswith(WORDS)]
        if fault not in PASSING:
            left = [line for line in left if not line.endswith(ONLY_HERE)]
        assert checked.code in {0, 30}, checked.stderr
        assert not left, checked.out
    film("reindex")
    assert _content(film) == expected
    assert {1, 2} <= {version["number"] for version in film.data("log", "--all")["versions"]}


def _emptied(folder: Path, *, keep: Path) -> None:
    """Remove what is in a folder, but not one folder in it: by its inode a project knows that it was not copied."""
    for path in folder.iterdir():
        if path == keep or path in keep.parents:
            _emptied(path, keep=keep)
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _tried(film: Film, pairs: list[tuple[str, str]]) -> None:
    expected = _content(film)
    kept, far = film.root.parent / "kept", film.root.parent / "remote"
    shutil.copytree(film.root, kept, symlinks=True)
    shutil.copytree(far, film.root.parent / "kept-remote")
    for number, (name, fault) in enumerate(pairs):
        for place, source in ((film.root, kept), (far, film.root.parent / "kept-remote")):
            _emptied(place, keep=film.root / ".aura/local")
            shutil.copytree(source, place, symlinks=True, dirs_exist_ok=True)
        try:
            _try(film, name, fault, number, expected)
        except (AssertionError, Exception) as error:
            raise AssertionError(f"{fault} of {name}, order {number}: {error}") from error


def _pairs(film: Film) -> list[tuple[str, str]]:
    return [(name, fault) for name in _files(film) for fault in FAULTS]


def test_some_file_that_cannot_be_read(full: Film) -> None:
    """A sample of all pairs of file and fault, another one whenever a file is added."""
    pairs = _pairs(full)
    _tried(full, random.Random(len(pairs)).sample(pairs, SAMPLE))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(12))
def test_any_file_that_cannot_be_read(full: Film, part: int) -> None:
    """Commands say what they cannot read and go on; afterwards everything is whole, or a repair makes it so."""
    _tried(full, _pairs(full)[part::12])
