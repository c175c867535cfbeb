"""Commits of some paths, at random, among all that is done beside them, against plain dictionaries.

After each commit the version has exactly what the dictionaries say, and `status` exactly the rest: a
folder passes for equal to a version only where all of it was compared.
"""

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors import InputError
from aura_vcs.errors.input import NothingToUndo, UnknownName
from aura_vcs.history.autosave import autosave, restore_point
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import CommitRequest, commit, project_path
from aura_vcs.history.names.branches import create_branch
from aura_vcs.history.names.tags import create_tag
from aura_vcs.history.status import status
from aura_vcs.history.undo import redo, undo
from aura_vcs.ids import VersionId

from tests.helpers.check import assert_whole, versions
from tests.helpers.project import noise

from .paths import FOLDER, Flat, changed_files, committed, content, here, spelled

PATHS = [
    "a",
    "b",
    "d",
    "d/a",
    "d/b",
    "d/e",
    "d/e/a",
    "d/e/b",
    "f",
    "f/g",
    "f/g/h",
    "D/a",
    "f/x.skip",
    "d/x.skip",
    "é/ö",
]
CONTENTS = [b"", b"one", b"two", b"six", b"three\n", noise(3000, seed=1)]
SKIP = ".skip"


class Walk:
    """One random walk; every step changes the folder or asks the library for something."""

    def __init__(self, root: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.root = root
        self.repo = Repository.init(root, author="Ada", host="studio")
        self.copies: dict[VersionId | None, Flat] = {None: {}}
        (root / ".auraignore").write_text(f"*{SKIP}\n")
        self.save()

    def run(self, steps: int) -> None:
        """Go on for so many steps, then look at every version once more."""
        edits = [self.write, self.write, self.write, self.remove, self.folder, self.link, self.turn, self.move]
        commands = [self.save_paths] * 6 + [
            self.save,
            self.aside,
            self.aside,
            self.go,
            self.bring,
            self.back,
            self.name,
        ]
        for _ in range(steps):
            self.chance.choice(self.chance.choice([edits, commands]))()
        for record in versions(self.repo):
            if record.is_live:
                assert content(self.repo, record.tree) == self.copies[record.id]
        assert_whole(self.repo)

    # Edits

    def write(self) -> None:
        """Write a file, whatever is in its way; often of the size that it had."""
        target = self._clear()[1]
        target.write_bytes(self.chance.choice(CONTENTS))

    def remove(self) -> None:
        """Remove what is there, with the folders around it if they are empty then."""
        _, target = self._clear()
        while self.chance.random() < 0.5 and target.parent != self.root and not list(target.parent.iterdir()):
            target = target.parent
            target.rmdir()

    def folder(self) -> None:
        """Make an empty folder."""
        path, target = self._clear()
        if not path.endswith(SKIP):
            target.mkdir()

    def link(self) -> None:
        """Put a link there."""
        path, target = self._clear()
        if not path.endswith(SKIP):
            target.symlink_to(self.chance.choice(["a", "d", "nowhere"]))

    def turn(self) -> None:
        """Turn a file's executable bit."""
        target = self.root / self.chance.choice(PATHS)
        if target.is_file() and not target.is_symlink():
            target.chmod(target.stat().st_mode ^ 0o111)

    def move(self) -> None:
        """Rename a folder or a file."""
        source = self.root / self.chance.choice(PATHS)
        if source.name.endswith(SKIP) or not (source.is_symlink() or source.exists()):
            return
        aside = self.root / "moving"
        source.rename(aside)
        path, target = self._clear()
        if path.endswith(SKIP):
            target = self.root / "moved"
            _remove(target)
        aside.rename(target)

    # Commands

    def save(self) -> None:
        """Commit everything."""
        self._save(None)

    def save_paths(self) -> None:
        """Commit some paths: there, gone, unknown, twice, inside each other, in any spelling."""
        count = self.chance.choice([1, 1, 2, 5])
        self._save(self.chance.choices([*PATHS * 3, "", "nowhere", "moved"], k=count))

    def _save(self, paths: list[str] | None) -> None:
        base, now = self._base(), self._here()
        given = None if paths is None else [project_path(self.repo, s, str(self.root)) for s in self._spelled(paths)]
        if given is not None and any(path and path not in now and path not in base for path in given):
            with pytest.raises(UnknownName):
                commit(self.repo, CommitRequest("some", paths=given))
            return
        wanted = now if given is None else committed(base, now, given)
        made = commit(self.repo, CommitRequest("some", paths=given)).version
        assert (made is None) == (wanted == base and len(self.copies) > 1)
        if made is not None:
            assert content(self.repo, made.tree) == wanted, paths
            self.copies[made.id] = wanted
        self._look_at_rest()

    def aside(self) -> None:
        """An autosave, a restore point, or only a look."""
        now = self._here()
        kind = self.chance.choice(["autosave", "point", "status"])
        if kind == "status":
            self._look_at_rest()
            return
        made = autosave(self.repo) if kind == "autosave" else restore_point(self.repo, "PreTest")
        if made.version is not None:
            self.copies[made.version.id] = now

    def go(self) -> None:
        """Check a version out."""
        target = self.chance.choice(list(self.copies)[1:])
        self._doing(lambda: checkout(self.repo, target or ""))

    def bring(self) -> None:
        """Restore a version, or a path of it."""
        target = self.chance.choice(list(self.copies)[1:])
        paths = [path for path in self.copies[target] if self.chance.random() < 0.3]
        self._doing(lambda: restore(self.repo, target or "", paths or None))

    def back(self) -> None:
        """Undo or redo; but not the first commit, which has the rules."""
        self._doing(lambda: self.chance.choice([undo, redo])(self.repo))
        if self.repo.head().version is None:
            self._doing(lambda: redo(self.repo))

    def name(self) -> None:
        """Give the version a branch or a tag."""
        head = self.repo.head().version
        assert head is not None
        with suppress(InputError):  # it was taken back
            self.chance.choice([create_branch, create_tag])(self.repo, f"n{self.chance.random()}", head)

    # Helpers

    def _doing(self, work: Callable[[], object]) -> None:
        now, known = self._here(), set(self.copies)
        try:
            work()
        except NothingToUndo:
            return
        for record in versions(self.repo):
            if record.id not in known:
                self.copies[record.id] = now
        self._look_at_rest()

    def _base(self) -> Flat:
        return self.copies[self.repo.head().version]

    def _here(self) -> Flat:
        return here(self.root, self._base(), SKIP)

    def _look_at_rest(self) -> None:
        """Status lists just what differs, and says that nothing does only if so it is."""
        base, now = self._base(), self._here()
        found = status(self.repo)
        listed = {path for change in found.changes for path in (change.path, change.old_path) if path is not None}
        changed = changed_files(base, now)
        assert changed <= listed
        assert all({base.get(path), now.get(path)} <= {None, FOLDER} for path in listed - changed)
        assert found.is_clean == (base == now), found.changes

    def _spelled(self, paths: list[str]) -> list[str]:
        return [spelled(path, self.root, self.chance) for path in paths]

    def _clear(self) -> tuple[str, Path]:
        """A path with nothing at it, and folders around it."""
        path = self.chance.choice(PATHS)
        target = self.root / path
        for parent in list(target.relative_to(self.root).parents)[-2::-1]:
            if (self.root / parent).is_symlink() or not (self.root / parent).is_dir():
                _remove(self.root / parent)
                (self.root / parent).mkdir()
        _remove(target)
        return path, target


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _walk(root: Path, seed: int, steps: int) -> None:
    walk = Walk(root, seed)
    try:
        walk.run(steps)
    finally:
        walk.repo.close()


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder in memory, where there is such: thousands of commits are not about the disk."""
    path = Path(tempfile.mkdtemp(prefix="aura-paths-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize("seed", range(6))
def test_commits_of_some_paths(root: Path, seed: int) -> None:
    """A hundred steps each."""
    _walk(root, seed, 100)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 150))
def test_many_commits_of_some_paths(root: Path, seed: int) -> None:
    """The same, for long: thousands of commits."""
    _walk(root, seed, 400)
