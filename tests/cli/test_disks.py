"""Disks that are full or read-only: looking works, changing says why not, nothing is lost."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import AURA, Film


def mount(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run mount."""
    return subprocess.run(["mount", *arguments], capture_output=True, check=False)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Film]:
    """A project with two versions on a disk of 3 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)).returncode:
        pytest.skip("only root can make a small disk")
    try:
        film = Film(disk / "film", {"AURA_AUTHOR": "Ada", "HOME": str(tmp_path)})
        film.root.mkdir()
        film("init")
        film.commit("First cut", {"notes.txt": "one\n"})
        film.commit("Second cut", {"notes.txt": "two\n"})
        yield film
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def look(film: Film) -> None:
    """Everything that only looks works."""
    assert [v["number"] for v in film.data("log")["versions"]] == [2, 1]
    assert film.data("status")["clean"] is True
    assert len(film.data("diff", "v1", "v2")["changes"]) == 1
    assert film("show", "v1:notes.txt").out == "one\n"
    assert film.data("storage")["total"]["count"] == 2


def test_a_full_disk(small: Film) -> None:
    """Looking works; what needs room ends with 41 and leaves nothing behind; undo has room; with space, all goes on."""
    filler = small.root.parent / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    look(small)
    assert "No space left" in small("checkout", "v1", code=41).stderr
    small("undo")
    assert small.data("status")["head"]["number"] == 1
    filler.unlink()
    small("redo")
    look(small)
    small("checkout", "v1")
    assert small.data("fsck")["ok"] is True


def test_a_read_only_disk(small: Film) -> None:
    """Looking works; changes end with 42 and say that the disk is read-only."""
    assert mount("-o", "remount,ro", str(small.root.parent)).returncode == 0
    look(small)
    for command in (
        ["commit", "--allow-empty", "-m", "x"],
        ["undo"],
        ["checkout", "v1"],
        ["tag", "x"],
        ["init", "inner"],
    ):
        ran = small(*command, code=42)
        assert "Read-only file system" in ran.stderr
        assert "mounted read-only" in ran.stderr


COMMANDS = [["commit", "-m", "Third cut"], ["checkout", "v1"], ["gc", "--grace", "0"], ["log"], ["diff", "v1", "v2"]]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_too_few_files_may_be_open(film: Film, command: list[str]) -> None:
    """However few: the command works or says so, never that something is damaged, and nothing is lost."""
    resource = pytest.importorskip("resource", reason="only POSIX systems limit open files so")
    film.commit("First cut", {"notes.txt": "one\n"})
    film.commit("Second cut", {"notes.txt": "two\n"})
    ended = set()
    for limit in range(6, 60, 3):  # with fewer, Python itself does not start
        (film.root / "notes.txt").write_text(f"{limit}\n")

        def lower(limit: int = limit) -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

        done = subprocess.run(
            [*AURA, *command],
            cwd=film.root,
            env={**os.environ, **film.env},
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lower,
        )
        assert done.returncode in {0, 43, 45}, done.stderr
        assert "damaged" not in done.stderr
        ended.add(done.returncode)
        if done.returncode == 0:
            break
    assert 0 in ended
    assert film.data("fsck")["ok"] is True
    assert [v["number"] for v in film.data("log", "--all")["versions"]][-2:] == [2, 1]
