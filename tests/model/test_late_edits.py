"""A person edits at every moment of every command that writes the folder: nothing they wrote is ever gone."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from aura_vcs import AuraError, Repository
from aura_vcs.history.recording.journal import recover
from aura_vcs.layout import PENDING
from aura_vcs.storage.testing.faulty_calls import CountingCalls, Stopped

from tests.crash.scenes import SCENES, Scene
from tests.helpers.check import assert_whole, saved_contents
from tests.helpers.project import contents, duplicate, look
from tests.helpers.sampling import some

COMMANDS = (
    "checkout",
    "checkout of many",
    "return",
    "restore",
    "restore of paths",
    "undo of a restore",
    "redo of a restore",
    "undo of a commit",
    "edit",
    "undo of an edit",
    "conflicted merge",
    "merge that goes forward",
    "merge --abort",
    "undo of a merge",
)
MOMENTS = {"exchange", "rename_new", "rmdir", "mkdir", "symlink", "chmod", "unlink", "sync_disk", "append", "replace"}
"""The calls before which somebody edits."""
SAMPLE = 1
"""So many moments of every command are tried by default, beside the first."""
Edit = Callable[[Path, int], set[bytes]]
"""Edits the folder at the given moment; returns what was written."""


class Meanwhile(CountingCalls):
    """Lets somebody edit before the `at`-th call that is a moment, and stops the process at a later one, if asked."""

    def __init__(self, edit: Callable[[], object], at: int, moments: set[str], *, stop: int) -> None:
        super().__init__()
        self._edit, self._left, self._moments, self._stop = edit, at, moments, stop
        self.count = 0

    def before(self, name: str) -> None:
        """See CountingCalls."""
        if name not in self._moments:
            return
        self.count += 1
        self._left -= 1
        if self._left == 0:
            self._edit()
        if self._stop and self._left <= -self._stop:
            raise Stopped


def _places(root: Path) -> list[Path]:
    """Files that any version of the scenes has, as far as they are there or their folder is."""
    found = [root / os.fsdecode(path) for path, seen in sorted(look(root).items()) if seen[0] in {"file", "link"}]
    names = ("old.txt", "new.txt", "cache.tmp", "takes/0.json", "notes", "scenes/waves.json", "plan.json", "draft.txt")
    return found + [root / name for name in names if (root / name).parent.is_dir() and root / name not in found]


def write_in_place(root: Path, moment: int) -> set[bytes]:
    """Every file is written to as it is; what was not there is made."""
    written = set()
    for number, path in enumerate(_places(root)):
        if path.is_dir() and not path.is_symlink():
            continue
        if path.is_symlink():
            path.unlink()
        data = f"mine {moment} {number}".encode()
        path.write_bytes(data)
        written.add(data)
    return written


def save_as_editors_do(root: Path, moment: int) -> set[bytes]:
    """Every file is replaced by a new one of the same size and date."""
    written = set()
    for number, path in enumerate(_places(root)):
        if path.is_dir() and not path.is_symlink():
            continue
        data = f"new {moment} {number}".encode().ljust(path.stat().st_size if path.is_file() else 0)
        beside = path.with_name("beside.tmp")
        beside.write_bytes(data)
        if path.is_file():
            os.utime(beside, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        beside.replace(path)
        written.add(data)
    return written


def put_folders_there(root: Path, moment: int) -> set[bytes]:
    """Every file becomes a folder with a file in it."""
    written = set()
    for number, path in enumerate(_places(root)):
        if path.is_dir() and not path.is_symlink():
            continue
        path.unlink(missing_ok=True)
        path.mkdir()
        data = f"below {moment} {number}".encode()
        (path / "inside.txt").write_bytes(data)
        written.add(data)
    return written


def move_folders_away(root: Path, moment: int) -> set[bytes]:
    """Every folder gets another name; every second time a file, or a link to it, stands in its place."""
    for number, folder in enumerate(_folders(root)):
        moved = root / f"moved {moment} {number}"
        folder.rename(moved)
        if (moment + number) % 3 == 1:
            folder.symlink_to(moved.name)
        elif (moment + number) % 3 == 2:
            folder.write_bytes(b"")
    return set()


def remove_folders(root: Path, _moment: int) -> set[bytes]:
    """Every folder goes, with all that is in it."""
    for folder in _folders(root):
        shutil.rmtree(folder)
    return set()


def _folders(root: Path) -> list[Path]:
    return [path for path in sorted(root.iterdir()) if path.is_dir() and path.name != ".aura" and not path.is_symlink()]


def write_through_open_files(root: Path, moment: int) -> set[bytes]:
    """Programs that opened files before write to them, wherever these have gone."""
    written = set()
    for number, fd in enumerate(_opened.get(root, ())):
        data = f"through {moment} {number}".encode()
        if os.fstat(fd).st_nlink:  # else it had been replaced before
            os.ftruncate(fd, 0)
            os.pwrite(fd, data, 0)
            written.add(data)
    return written


_opened: dict[Path, list[int]] = {}


def _open_files(root: Path) -> None:
    paths = [path for path in _places(root) if path.is_file() and not path.is_symlink()]
    _opened[root] = [os.open(path, os.O_RDWR) for path in paths]


def _close_files(root: Path) -> None:
    for fd in _opened.pop(root, ()):
        os.close(fd)


class Stage(msgspec.Struct, frozen=True):
    """A prepared scene, and everything that is in its folder and its versions."""

    template: Path
    wanted: set[bytes]


@pytest.fixture(scope="module")
def stages(quick_folder: Path) -> Callable[[str], Stage]:
    """Prepares each scene once."""
    made: dict[str, Stage] = {}

    def stage(name: str) -> Stage:
        if name not in made:
            template = quick_folder / name
            template.mkdir()
            SCENES[name].prepare(template)
            with Repository.open(duplicate(template, quick_folder / f"{name}, looked at")) as repo:
                made[name] = Stage(template, contents(look(template).values()) | saved_contents(repo))
        return made[name]

    return stage


def _run(root: Path, wanted: set[bytes], scene: Scene, edit: Edit, at: int, stop: int) -> int:
    """Run the command with an edit at a moment; fails if anything is gone. Returns how many moments there were."""
    written: set[bytes] = set()
    moments = MOMENTS - {"unlink"} if edit is write_through_open_files else MOMENTS  # until the last look, that is
    calls = Meanwhile(lambda: written.update(edit(root, at)), at, moments, stop=stop)
    _open_files(root)
    try:
        with suppress(AuraError, Stopped), Repository.open(root, author="Ada", host="studio", calls=calls) as repo:
            scene.run(repo)
    finally:
        _close_files(root)
    with Repository.open(root, author="Ada", host="studio") as repo:
        with suppress(AuraError):
            recover(repo)
        assert repo.storage.stat(PENDING) is None, "it is stuck"
        assert_whole(repo)
        there = contents(look(root).values()) | saved_contents(repo)
        assert written <= there, f"{sorted(written - there)[:3]} are nowhere"
        if not written and not scene.frees and edit is not remove_folders:
            assert wanted <= there, "what was there before is nowhere"
        assert not (root / ".aura" / "local" / "aside").exists()
    return calls.count


def _sweep(name: str, edit: Edit, stage: Stage, folders: tuple[Path, Path], *, is_whole: bool) -> None:
    scene = SCENES[name]
    count = _run(duplicate(stage.template, folders[1] / "first"), stage.wanted, scene, edit, 1, 0)
    cases = [(at, stop) for at in range(2, count + 1) for stop in (0, 1 + at % 5)]
    for at, stop in cases if is_whole else some(cases, SAMPLE, name, edit.__name__):
        root = duplicate(stage.template, folders[at % 2] / f"{at}-{stop}")
        try:
            _run(root, stage.wanted, scene, edit, at, stop)
        except BaseException as error:
            error.add_note(f"{name}: {edit.__name__} at moment {at} of {count}, killed after {stop}")
            raise
        shutil.rmtree(root)


EDITS = [
    write_in_place,
    save_as_editors_do,
    put_folders_there,
    write_through_open_files,
    move_folders_away,
    remove_folders,
]


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_written_now_and_then_is_somewhere(
    name: str, edit: Edit, stages: Callable[[str], Stage], disk_path: Path, quick_path: Path
) -> None:
    """In the folder, in a version or in a restore point; also if the process is killed afterwards."""
    _sweep(name, edit, stages(name), (disk_path, quick_path), is_whole=False)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_written_at_any_moment_is_somewhere(
    name: str, edit: Edit, stages: Callable[[str], Stage], disk_path: Path, quick_path: Path
) -> None:
    """The same at every single moment."""
    _sweep(name, edit, stages(name), (disk_path, quick_path), is_whole=True)
