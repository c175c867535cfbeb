"""The watcher of the files: what it does not name is as it was, whatever is done to the files, or to it."""

import mmap
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors.integrity import LinkedPath
from aura_vcs.history.commit import commit
from aura_vcs.history.status import status
from aura_vcs.worktree.scan.cache import ScanCache
from aura_vcs.worktree.scan.watched import SOCKET, open_local
from aura_vcs.worktree.watch.disks import mounts_in_the_way
from aura_vcs.worktree.watch.server import LOOK_SECONDS, MOST_RESTARTS, Clocks, Watcher

from tests.helpers.project import write
from tests.helpers.sampling import SEED, chance
from tests.helpers.watching import Mapping, Watching, has_inotify

pytestmark = pytest.mark.skipif(not has_inotify(), reason="the watcher is for Linux")
PAGE = mmap.PAGESIZE
FOLDERS = ("", "a", "a/b", "c", "c/d/e")
NAMES = ("one", "two", "three", "größe")
ODD = "\udcff.raw"


@pytest.fixture
def watching(disk_path: Path) -> Iterator[Watching]:
    """A project on a disk with a watcher that knows all of its files, and a folder `outside` beside it."""
    yield from _watched(disk_path)


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Watching]:
    """The same where `tmp_path` is."""
    yield from _watched(tmp_path)


def _watched(base: Path) -> Iterator[Watching]:
    root = base / "film"
    (base / "outside").mkdir()
    write(root, {f"{folder}/{name}".lstrip("/"): name * PAGE for folder in FOLDERS for name in NAMES})
    (root / "link").symlink_to("one")
    with Repository.init(root, author="Ada", host="studio") as repo:
        commit(repo, "One")
    found = Watching(root)
    found.start()
    try:
        yield found
    finally:
        found.kill()


def _named(watching: Watching) -> set[str]:
    """The files that the watcher names, "folder/" for folders of which it knows nothing."""
    answer, cache = watching.ask(), watching.cache()
    claims = answer.claims(cache)
    named = {f"{path}/" for path in cache.folders if path not in claims}
    for path, numbers in claims.items():
        named |= {f"{path}/{cache.folders[path].names[number]}".lstrip("/") for number in numbers}
    return named


def test_a_program_that_stays_asks_each_time(watching: Watching) -> None:
    """What was written just after an answer is seen by the next call of the same program."""
    assert watching.settles(lambda answer: answer.clean is not None)
    with Repository.open(str(watching.root)) as repo:
        assert not status(repo).changes
        (watching.root / "two").write_text("written at once")
        assert [change.path for change in status(repo).changes] == ["two"]


def test_nothing_is_named_where_nothing_happened(watching: Watching) -> None:
    """A watcher that has seen all files says that the folder is equal to its version."""
    assert _named(watching) == set()
    with Repository.open(str(watching.root)) as repo:
        head = repo.head().version
        assert head is not None
        clean = watching.ask().clean
        assert clean is not None
        assert clean.tree == repo.trees.version(head).tree
        assert clean.files == len(FOLDERS) * len(NAMES) + 1


def test_what_happens_in_the_folder_is_named(watching: Watching) -> None:
    """Created, written, renamed, deleted: each is named by the next answer."""
    root = watching.root
    (root / "one").write_text("other")
    assert _named(watching) == {"one"}
    (root / "a" / "new").write_text("new")
    assert _named(watching) == {"one", "a/"}
    (root / "a" / "new").unlink()
    assert _named(watching) == {"one"}
    (root / "c" / "two").rename(root / "c" / "four")
    assert _named(watching) == {"one", "c/"}
    (root / "a" / "b" / "one").unlink()
    assert {"a/b/"} <= _named(watching)
    assert watching.check()


def test_an_open_that_is_mapped_and_closed_is_named(watching: Watching) -> None:
    """A file that is opened for writing, mapped and closed is looked at each time until the mapping has gone."""
    mapped = Mapping(watching.root / "one", PAGE)
    watching.check("opened")
    assert _told(watching)["open_for_writing"] == 1
    mapped.close()
    assert watching.settles(lambda _: _told(watching)["open_for_writing"] == 0)
    assert _named(watching) == set()


@pytest.mark.parametrize("sync", [False, True])
def test_writing_to_a_mapping_is_named(watching: Watching, sync: bool) -> None:
    """What is written through a mapping, with its descriptor closed, is named; synced or not."""
    mapped = Mapping(watching.root / "one", PAGE)
    try:
        assert _named(watching) == set()
        mapped.write(64, sync=sync)
        assert _named(watching) == {"one"}
        mapped.write(65, sync=sync)
        assert _named(watching) == {"one"}
    finally:
        mapped.close()
    assert _named(watching) == {"one"}


def test_a_second_name_outside_is_named(watching: Watching) -> None:
    """A link to the file that is made outside of the folder changes its state, which is named."""
    os.link(watching.root / "a" / "two", watching.root.parent / "outside" / "two")
    assert _named(watching) == {"a/two"}


def test_writing_by_a_name_outside_is_named(watching: Watching) -> None:
    """A file that is written to, or mapped, by a name outside of the folder is named."""
    outside = watching.root.parent / "outside"
    os.link(watching.root / "one", outside / "one")
    time.sleep(0.05)  # a state of just now is not believed
    with Repository.open(str(watching.root)) as repo:
        status(repo)  # which takes the second name into the cache
    assert watching.settles(lambda answer: answer.clean is not None)
    with (outside / "one").open("r+b") as file:
        file.write(b"!")
    assert _named(watching) == {"one"}
    with Repository.open(str(watching.root)) as repo:
        assert [change.path for change in status(repo).changes] == ["one"]
        commit(repo, "Two")
    assert watching.settles(lambda answer: answer.clean is not None)
    mapped = Mapping(outside / "one", PAGE)
    try:
        assert watching.check("mapped outside")
        mapped.write(33)
        assert _named(watching) == {"one"}
    finally:
        mapped.close()


def test_a_file_with_two_names_in_the_project_is_looked_at(watching: Watching) -> None:
    """Whichever of two names is written to, both are named."""
    os.link(watching.root / "one", watching.root / "c" / "also")
    with Repository.open(str(watching.root)) as repo:
        commit(repo, "Two names")
    assert watching.settles(lambda answer: answer.clean is not None)
    with (watching.root / "c" / "also").open("ab") as file:
        file.write(b"!")
    assert {"one", "c/also"} <= _named(watching)
    assert watching.check()


def test_a_writer_that_was_there_before_is_looked_at(watching: Watching) -> None:
    """A file that was open for writing before the watcher started is looked at each time."""
    watching.kill()
    with (watching.root / "one").open("r+b") as file:
        os.fsync(file.fileno())
        watching.start()
        assert _named(watching) == set()
        file.write(b"!")
        file.flush()
        assert _named(watching) == {"one"}


def test_more_events_than_the_system_remembers(watching: Watching) -> None:
    """After an overflow everything is compared anew."""
    assert watching.process is not None
    watching.process.send_signal(signal.SIGSTOP)
    file = watching.root / "one"
    other = watching.root / "two"
    for number in range(9_000):
        os.utime(file, ns=(number, number))
        os.utime(other, ns=(number, number))
    (watching.root / "c" / "three").write_text("lost")
    watching.process.send_signal(signal.SIGCONT)
    for _ in range(50):
        watching.check("overflow")
    assert {"one", "two", "c/three"} <= _named(watching)
    assert _told(watching)["restarts"] >= 1


def test_a_stopped_watcher_is_not_waited_for(watching: Watching) -> None:
    """A watcher that does not answer is none: the command looks itself, and in good time."""
    assert watching.process is not None
    watching.process.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    assert not watching.check()
    assert time.monotonic() - begun < 5
    watching.process.send_signal(signal.SIGCONT)
    assert watching.settles(lambda answer: answer.clean is not None)


def test_another_folder_in_its_place(watching: Watching) -> None:
    """A copy of the project, linked file by file, is not answered for; the project that was moved is."""
    copy = watching.root.parent / "copy"
    subprocess.run(["cp", "-al", watching.root, copy], check=True)
    (copy / "two").unlink()
    (copy / "two").write_text("other")
    assert not Watching(copy).check()
    moved = watching.root.rename(watching.root.parent / "moved")
    copy.rename(watching.root)
    assert not watching.check()
    again = Watching(moved)
    again.ask()
    assert again.check()


def test_only_its_user_can_ask(watching: Watching) -> None:
    """The socket is closed to everybody else."""
    assert (watching.root / ".aura" / "local" / "watcher.sock").stat().st_mode & 0o077 == 0
    assert watching.process is not None
    second = subprocess.run(
        [sys.executable, "-c", "import sys; from aura_vcs.worktree.watch.server import serve; serve(sys.argv[1], bool)",
         watching.root], check=False, timeout=20)  # fmt: skip
    assert second.returncode == 0  # it ends at once
    watching.stop()
    assert not (watching.root / ".aura" / "local" / "watcher.sock").exists()


MOUNTS = """
import subprocess, sys, time
from pathlib import Path
from tests.helpers.watching import Watching
watching = Watching(Path(sys.argv[1]))
assert not watching.check(), "it answered through another mount namespace"
watching.start = None
mine = Watching(Path(sys.argv[2]))
mine.start()
try:
    assert mine.check()
    (mine.root.parent / "outside" / "one").write_text("mounted")
    subprocess.run(["mount", "--bind", mine.root.parent / "outside", mine.root / "a"], check=True)
    assert not mine.check(), "it answered under a mount"
    (mine.root / "a" / "one").write_text("written under the mount")
    subprocess.run(["umount", mine.root / "a"], check=True)
    mine.ask()
    assert mine.check()
    (mine.root / "a" / "one").write_text("written after it")
    assert mine.check()
    for _ in range(30):
        subprocess.run(["mount", "--bind", mine.root.parent / "outside", mine.root / "a"], check=True)
        (mine.root / "a" / "two").touch()
        subprocess.run(["umount", mine.root / "a"], check=True)
        (mine.root / "a" / "two").write_text("again")
        mine.check("mounts that come and go")
finally:
    mine.kill()
"""
"""In a mount namespace of its own: a project that is watched from another one, and one that is mounted over."""


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root may mount")
def test_mounts_and_mount_namespaces(watching: Watching, tmp_path: Path) -> None:
    """What is mounted inside, or seen through other mounts, is not answered for; and nothing is missed after it."""
    other = tmp_path / "other"
    shutil.copytree(watching.root.parent, other, symlinks=True, ignore=shutil.ignore_patterns("watcher.*"))
    done = subprocess.run(
        ["unshare", "-m", sys.executable, "-c", MOUNTS, watching.root, other / "film"],
        capture_output=True, check=False, timeout=100, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    if b"unshare" in done.stderr:
        pytest.skip("no mount namespace can be made here")
    assert done.returncode == 0, done.stderr.decode()


def test_sleep_and_set_clocks_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A date that was set, and a time that went on while this process did not, are a reason to begin anew."""
    clocks = Clocks()
    assert not clocks.have_jumped()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    assert clocks.have_jumped()
    assert not clocks.have_jumped()
    before = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: before() - 5)
    assert clocks.have_jumped()


@pytest.fixture
def here(disk_path: Path) -> Iterator[Watcher]:
    """A watcher in this process, of a project with two files."""
    root = disk_path / "film"
    write(root, {"one": "1", "two": "2"})
    with Repository.init(root, author="Ada", host="studio") as repo:
        commit(repo, "One")
    local = open_local(str(root))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(f"/proc/self/fd/{local}/{SOCKET}")
        watcher = Watcher(str(root), local, listening, lambda: True)
        yield watcher
        watcher.files.close()
        watcher.close()
        watcher.mounts.close()
    watcher.cache_events.close()
    os.close(watcher.root)
    os.close(local)


def test_who_began_anew_too_often_tries_again_after_a_rest(here: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a minute, then more seldom; what made it begin anew may have ended."""
    for _ in range(MOST_RESTARTS + 1):
        here._begin_anew()
    assert not here._catch_up()
    assert "too often" in here.reason
    later = time.monotonic() + LOOK_SECONDS + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert here._catch_up()
    assert here._about().reason == ""


def test_what_cannot_be_loaded_is_a_reason_and_no_end(here: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link among its own files is not followed, and the watcher stays to say so."""

    def linked(_: object) -> ScanCache:
        raise LinkedPath("local")

    with monkeypatch.context() as patch:
        patch.setattr("aura_vcs.worktree.watch.server.load_scan_cache", linked)
        assert not here._try(here._load)
        assert "link" in here.reason
        assert not here._catch_up()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("30 1 8:1 / /film/media rw - ext4 /dev/sdb rw", "mounted inside"),
        (r"30 1 8:1 / /film/with\040space rw - ext4 /dev/sdb rw", "with space"),
        ("30 1 0:9 / /merged rw - overlay overlay rw,lowerdir=/x,upperdir=/film,workdir=/w", "overlay"),
        ("30 1 0:9 / /merged rw - overlay overlay rw,lowerdir=/x,upperdir=/,workdir=/w", "overlay"),
        ("30 1 8:1 / /films rw - ext4 /dev/sdb rw", ""),
        ("30 1 0:9 / /merged rw - overlay overlay rw,lowerdir=/film,upperdir=/other,workdir=/w", ""),
    ],
)
def test_mounts_in_the_way(line: str, reason: str, tmp_path: Path) -> None:
    """What is mounted inside is in the way, and an overlay that writes to the folder."""
    listed = tmp_path / "mountinfo"
    listed.write_text(f"1 0 8:2 / / rw - ext4 /dev/sda rw\n{line}\n")
    found = list(mounts_in_the_way("/film", str(listed)))
    assert [bool(reason)] == [bool(found)]
    assert reason in "".join(found)


def _told(watching: Watching) -> dict[str, int]:
    import json

    from aura_vcs.worktree.scan.watched import ABOUT, talk

    told = talk(str(watching.root), ABOUT)
    assert told is not None
    found: dict[str, int] = json.loads(told[1])
    return found


class _Person:
    """Does things at random to files: what programs do, and what makes watchers miss something."""

    def __init__(self, watching: Watching, choice: random.Random) -> None:
        self.watching, self.root, self.choice = watching, watching.root, choice
        self.outside = watching.root.parent / "outside"
        self.open: list[int] = []
        self.mapped: list[Mapping] = []
        self.busy_until = 0.0
        """Until then, something that was begun goes on by itself."""
        self.deeds: list[Callable[[], object]] = [
            self.write, self.write, self.replace, self.append, self.rename, self.swap, self.rename_folder, self.delete,
            self.delete_folder, self.make, self.link_out, self.link_in, self.write_outside, self.map, self.map_outside,
            self.write_mapped, self.write_mapped, self.unmap, self.hold, self.write_held, self.let_go, self.truncate,
            self.old_date, self.mode, self.attribute, self.change_kind, self.touch_link, self.read, self.cut_by_reading,
            self.move_out, self.move_in, self.settle, self.save, self.fork_writer, self.folder_mode, self.sparse,
            self.read_date, self.flag,
        ]  # fmt: skip

    def __call__(self) -> str:
        """Do one thing, and say what."""
        deed = self.choice.choice(self.deeds)
        with suppress(OSError, ValueError, IndexError):
            deed()
        return deed.__name__  # type: ignore[attr-defined,no-any-return]

    def close(self) -> None:
        """Let go of everything."""
        for fd in self.open:
            os.close(fd)
        for mapped in self.mapped:
            mapped.close()

    def _file(self) -> Path:
        files = [path for path in self.root.rglob("*") if ".aura" not in path.parts and not path.is_dir()]
        return self.choice.choice(files)

    def _new(self) -> Path:
        return self.root / self.choice.choice(FOLDERS) / self.choice.choice((*NAMES, "four", "five", ODD))

    def _folder(self) -> Path:
        return self.root / self.choice.choice(FOLDERS[1:])

    def _elsewhere(self) -> Path:
        return self.choice.choice(list(self.outside.iterdir()))

    def write(self) -> None:
        with self._file().open("r+b") as file:
            file.write(self.choice.randbytes(9))

    def append(self) -> None:
        with self._file().open("ab") as file:
            file.write(b"more")

    def replace(self) -> None:
        path = self._file()
        beside = path.with_name(f"{path.name}~")
        beside.write_bytes(self.choice.randbytes(9))
        beside.rename(path)

    def rename(self) -> None:
        self._file().rename(self._new())

    def swap(self) -> None:
        one, other = self._file(), self._file()
        aside = one.with_name("aside")
        one.rename(aside)
        other.rename(one)
        aside.rename(other)

    def rename_folder(self) -> None:
        aside = self.root / "aside"
        one, other = self._folder(), self._folder()
        one.rename(aside)
        with suppress(OSError):
            other.rename(one)
        aside.rename(other if not other.exists() else one.with_name("moved"))

    def delete(self) -> None:
        self._file().unlink()

    def delete_folder(self) -> None:
        shutil.rmtree(self._folder())

    def make(self) -> None:
        path = self._new()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.choice.randbytes(PAGE))

    def link_out(self) -> None:
        os.link(self._file(), self.outside / str(self.choice.random()))

    def link_in(self) -> None:
        os.link(self._file(), self._new())

    def write_outside(self) -> None:
        with self._elsewhere().open("r+b") as file:
            file.write(self.choice.randbytes(9))

    def map(self) -> None:
        self._map(self._file())

    def map_outside(self) -> None:
        self._map(self._elsewhere())

    def _map(self, path: Path) -> None:
        if size := path.stat().st_size:
            self.mapped.append(Mapping(path, size))

    def write_mapped(self) -> None:
        if self.mapped:
            self.choice.choice(self.mapped).write(self.choice.randrange(256), sync=self.choice.random() < 0.5)

    def unmap(self) -> None:
        if self.mapped:
            self.mapped.pop(self.choice.randrange(len(self.mapped))).close()

    def hold(self) -> None:
        self.open.append(os.open(self._file(), os.O_RDWR))

    def write_held(self) -> None:
        if self.open:
            os.pwrite(self.choice.choice(self.open), self.choice.randbytes(9), 1)

    def let_go(self) -> None:
        if self.open:
            os.close(self.open.pop())

    def truncate(self) -> None:
        os.truncate(self._file(), self.choice.randrange(PAGE))

    def cut_by_reading(self) -> None:
        os.close(os.open(self._file(), os.O_RDONLY | os.O_TRUNC))

    def old_date(self) -> None:
        path = self._file()
        before = path.stat()
        with path.open("r+b") as file:
            file.write(self.choice.randbytes(1))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def mode(self) -> None:
        self._file().chmod(self.choice.choice((0o644, 0o755, 0o600)))

    def folder_mode(self) -> None:
        self._folder().chmod(self.choice.choice((0o755, 0o700)))

    def attribute(self) -> None:
        os.setxattr(self._file(), "user.note", self.choice.randbytes(3))

    def change_kind(self) -> None:
        path = self._file()
        path.unlink()
        if self.choice.random() < 0.5:
            path.mkdir()
            (path / "inside").write_text("x")
        else:
            path.symlink_to("one")

    def read_date(self) -> None:
        path = os.fsencode(self._file())
        subprocess.run(["touch", "-a", path], check=False)  # no event tells of it, and nothing changes by it

    def flag(self) -> None:
        subprocess.run(["chattr", "+A", os.fsencode(self._file())], check=False, stderr=subprocess.DEVNULL)

    def touch_link(self) -> None:
        os.utime(self.root / "link", follow_symlinks=False)

    def read(self) -> None:
        self._file().read_bytes()

    def sparse(self) -> None:
        with self._file().open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, 3 * PAGE)

    def move_out(self) -> None:
        shutil.move(self._folder(), self.outside / f"folder{self.choice.random()}")

    def move_in(self) -> None:
        shutil.move(self._elsewhere(), self._folder())

    def fork_writer(self) -> None:
        path = os.fsencode(self._file())
        self.busy_until = time.monotonic() + 0.5
        subprocess.run(["sh", "-c", b'exec 3>>"$0"; (sleep 0.05; echo late >&3) & exec 3>&-', path], check=False)

    def settle(self) -> None:
        time.sleep(0.03)

    def save(self) -> None:
        with Repository.open(str(self.root)) as repo:
            commit(repo, "More")


def _live(watching: Watching, steps: int, choice: random.Random) -> None:
    person = _Person(watching, choice)
    done = list[str]()
    try:
        for step in range(steps):
            done.append(person())
            if choice.random() < 0.02:
                watching.kill()
                watching.start(wait=choice.random() < 0.5)
                done.append("killed")
            if choice.random() < 0.7:
                alone = time.monotonic() > person.busy_until
                watching.check(f"seed {SEED}, step {step}, {', '.join(done[-9:])}", alone=alone)
    finally:
        person.close()


@pytest.mark.parametrize("place", ["watching", "in_memory"])
def test_at_random(place: str, request: pytest.FixtureRequest) -> None:
    """Whatever programs do, the watcher names at least what a look at every file finds."""
    found = request.getfixturevalue(place)
    _live(found, 120, chance("watcher", place))
    assert found.answers > 5


@pytest.mark.slow
@pytest.mark.parametrize("round_", range(12))
def test_at_random_for_long(watching: Watching, round_: int) -> None:
    """The same for longer."""
    _live(watching, 1_000, chance("watcher", round_))
    assert watching.answers > 100
