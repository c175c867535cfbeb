"""A push goes on inside a pack, to a folder and over SSH: after Ctrl-C, a cut line, or whoever was killed."""

import io
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from aura_vcs.errors import Interrupted
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteError, RemoteUnreachable
from aura_vcs.progress import Silent
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.encryption.remote import EncryptedRemote
from aura_vcs.storage.remotes import ssh as remote_ssh
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.storage.remotes.retry import RetryingRemote
from aura_vcs.storage.remotes.ssh import SshRemote
from aura_vcs.storage.remotes.ssh_protocol import (
    MAGIC,
    Hello,
    SshAnswer,
    SshRequest,
    decode,
    read_bytes,
    write_bytes,
    write_frame,
)
from aura_vcs.storage.system_calls import FileCalls
from aura_vcs.sync import ssh_server as serve
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.connect import Surroundings, open_remote
from aura_vcs.sync.remotes.url import parse_address
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.snapshot import load_snapshot
from aura_vcs.sync.transfer import upload as delivering

from .broken_pipe_proxy import command, passed
from .kinds import KEYS, served
from .machines import clone, files, folder_remote, known, machine, save
from .servers import Ssh
from .test_push_integrity import Listening
from .test_push_pull import media

MIB = 1 << 20
SIZE = 12 * MIB
LOST = 2 * MIB
"""So much may be sent again for each interruption."""
NAME = f"records/{'c' * 64}"
DATA = random.Random(3).randbytes(SIZE)


class StopsAt(Listening):
    """Raises once so many bytes have been sent, as often as it is asked to."""

    def __init__(self, at: int, error: BaseException) -> None:
        super().__init__()
        self.at = at
        self.error = error

    def advance(self, amount: int) -> None:
        """Counts, and may raise."""
        super().advance(amount)
        if self._phase == "Sending" and self.done["Sending"] >= self.at:
            raise self.error


class Acts(Silent):
    """Does something once so many bytes have been sent."""

    def __init__(self, at: int, act: object) -> None:
        self.left = at
        self.act = act

    def advance(self, amount: int) -> None:
        """Counts."""
        self.left -= amount
        if self.left <= 0 and self.act is not None:
            act, self.act = self.act, None
            act()  # type: ignore[operator]


class Copied(FileCalls):
    """Counts bytes that come to a folder."""

    def __init__(self) -> None:
        self.count = 0

    def clone(self, source_fd: int, target_fd: int) -> bool:
        """It shares no blocks."""
        return False

    def copy_range(self, source_fd: int, target_fd: int, count: int) -> int:
        """Copied inside the system."""
        done = super().copy_range(source_fd, target_fd, min(count, MIB))
        self.count += done
        return done

    def write(self, fd: int, data: object) -> int:
        """Written."""
        done = super().write(fd, data)  # type: ignore[arg-type]
        self.count += done
        return done


def filled(path: Path, size: int = SIZE) -> Repository:
    """A project with one large pack."""
    repo = machine(path, "anna")
    save(repo, "take.wav", media(size))
    return repo


def pushed(repo: Repository, remote: RemoteStorage) -> Listening:
    """Push, and listen."""
    listening = Listening()
    with Repository.open(repo.root, author="anna", host="anna", progress=listening) as opened:
        push(opened, remote, known(opened))
    assert listening.done["Sending"] == listening.totals["Sending"]
    return listening


def is_whole(remote: RemoteStorage, repo: Repository, path: Path) -> bool:
    """Whether everything is there, and a clone has it."""
    assert fsck_remote(load_snapshot(remote, NullCache(), repo.format.project)).is_clean
    return files(clone(path, "bert", remote)) == files(repo)


def large_parts(root: Path) -> list[Path]:
    """Parts that have more than a little."""
    return [path for path in (root / "tmp").iterdir() if path.stat().st_size > MIB]


# A folder


@pytest.mark.parametrize(
    "error", [Interrupted("Stopped"), OSError(5, "the machine went away")], ids=["Ctrl-C", "error"]
)
def test_a_push_to_a_folder_goes_on_inside_a_pack(tmp_path: Path, error: BaseException) -> None:
    """What had arrived is not copied again, is counted as done, and is told in one line."""
    anna = filled(tmp_path / "anna")
    folder_remote(tmp_path / "remote", anna)
    stopping = StopsAt(3 * MIB, error)
    with (
        Repository.open(anna.root, author="anna", host="anna", progress=stopping) as repo,
        pytest.raises(type(error)),
    ):
        push(repo, FolderRemote(str(tmp_path / "remote"), calls=Copied()), known(repo))
    arrived = sum(path.stat().st_size for path in large_parts(tmp_path / "remote"))
    assert arrived > 5 * MIB
    calls = Copied()
    listening = pushed(anna, FolderRemote(str(tmp_path / "remote"), calls=calls))
    assert calls.count < SIZE - arrived + LOST
    assert any("had arrived already and were not sent again" in note for note in listening.notes)
    assert os.listdir(tmp_path / "remote/tmp") == []
    assert is_whole(FolderRemote(str(tmp_path / "remote")), anna, tmp_path / "bert")


def test_an_encrypted_folder_goes_on_too(tmp_path: Path) -> None:
    """A large file is sealed alike each time: the rest of it fits what has arrived."""
    anna = filled(tmp_path / "anna")
    encrypted = EncryptedRemote(folder_remote(tmp_path / "remote"), KEYS)
    from aura_vcs.sync.state.manifest_update import create_remote

    create_remote(encrypted, anna.format.project, "anna")
    with (
        Repository.open(anna.root, progress=StopsAt(8 * MIB, Interrupted("Stopped"))) as repo,
        pytest.raises(Interrupted),
    ):
        push(repo, EncryptedRemote(FolderRemote(str(tmp_path / "remote"), calls=Copied()), KEYS), known(repo))
    calls = Copied()
    remote = EncryptedRemote(FolderRemote(str(tmp_path / "remote"), calls=calls), KEYS)
    listening = pushed(anna, remote)
    assert calls.count < 6 * MIB
    assert any("had arrived already" in note for note in listening.notes)
    assert is_whole(remote, anna, tmp_path / "bert")


def test_ctrl_c_ends_all_packs_that_are_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The main thread is stopped while it waits: nobody goes on sending packs of tens of MB to their ends."""
    anna = machine(tmp_path / "anna", "anna")
    for number in range(3):
        save(anna, f"take-{number}.wav", media(6 * MIB, seed=number))
    folder_remote(tmp_path / "remote", anna)

    class Slow(Copied):
        def copy_range(self, source_fd: int, target_fd: int, count: int) -> int:
            time.sleep(0.1)
            return super().copy_range(source_fd, target_fd, min(count, 256 << 10))

    monkeypatch.setattr(delivering, "TRANSFERS", 4)
    calls = Slow()
    main = signal.getsignal(signal.SIGINT)
    assert main is not signal.SIG_IGN

    class Interrupts(Listening):
        def advance(self, amount: int) -> None:
            super().advance(amount)
            if self._phase == "Sending" and "sent" not in self.totals:
                self.totals["sent"] = None
                os.kill(os.getpid(), signal.SIGINT)

    with (
        Repository.open(anna.root, author="anna", host="anna", progress=Interrupts()) as repo,
        pytest.raises(KeyboardInterrupt),
    ):
        push(repo, FolderRemote(str(tmp_path / "remote"), calls=calls), known(repo))
    assert calls.count < 9 * MIB
    pushed(anna, FolderRemote(str(tmp_path / "remote")))
    assert is_whole(FolderRemote(str(tmp_path / "remote")), anna, tmp_path / "bert")


# Over SSH


def piped(tmp_path: Path, *cuts: int) -> SshRemote:
    """A folder behind a line that is cut."""
    (tmp_path / "remote").mkdir(exist_ok=True)
    return SshRemote(command(tmp_path / "log", tmp_path / "remote", *cuts), "studio")


@pytest.mark.parametrize("encrypted", [False, True], ids=["open", "encrypted"])
def test_a_line_that_is_cut_again_and_again(tmp_path: Path, encrypted: bool) -> None:
    """One push tries again by itself, each time from where the line was cut, for as long as it gets further."""
    anna = filled(tmp_path / "anna")
    folder_remote(tmp_path / "remote", None if encrypted else anna)
    cuts = [1_500_000] * 9
    line = RetryingRemote(piped(tmp_path, *([0] if encrypted else []), *cuts), sleep=lambda _: None)
    remote: RemoteStorage = EncryptedRemote(line, KEYS) if encrypted else line  # type: ignore[assignment]
    if encrypted:
        from aura_vcs.sync.state.manifest_update import create_remote

        create_remote(remote, anna.format.project, "anna")
        line.close()
    listening = pushed(anna, remote)
    remote.close()
    assert len(passed(tmp_path / "log")) >= 9
    assert sum(passed(tmp_path / "log")) < SIZE + 9 * MIB // 2 + LOST
    assert not any("had arrived already" in note for note in listening.notes)
    final = served(tmp_path / "remote")
    assert is_whole(EncryptedRemote(final, KEYS) if encrypted else final, anna, tmp_path / "bert")
    final.close()


def test_the_next_push_goes_on(tmp_path: Path) -> None:
    """A push gave up; another one, of another process, sends the rest and says what was there."""
    anna = filled(tmp_path / "anna")
    folder_remote(tmp_path / "remote", anna)
    remote = piped(tmp_path, 8 * MIB)
    with pytest.raises(RemoteUnreachable):
        push(anna, remote, known(anna))
    remote.close()
    again = piped(tmp_path)
    listening = pushed(anna, again)
    again.close()
    assert passed(tmp_path / "log")[1] < SIZE - 8 * MIB + LOST
    assert any("had arrived already and were not sent again" in note for note in listening.notes)
    assert is_whole(FolderRemote(str(tmp_path / "remote")), anna, tmp_path / "bert")


@pytest.mark.parametrize("who", ["here", "there"])
def test_whoever_is_killed(tmp_path: Path, who: str) -> None:
    """kill -9 of the process that connects, or of the one that serves: what has arrived is there."""
    (tmp_path / "remote").mkdir()
    remote = served(tmp_path / "remote") if who == "there" else piped(tmp_path)
    remote.connect()
    assert remote._process is not None
    pid = remote._process.pid
    with pytest.raises(RemoteUnreachable):
        remote.create(NAME, io.BytesIO(DATA), progress=Acts(8 * MIB, lambda: os.kill(pid, signal.SIGKILL)))
    remote.close()
    again = served(tmp_path / "remote")
    assert again.size(NAME) is None
    assert again.create(NAME, io.BytesIO(DATA)) > 8 * MIB - LOST
    assert (tmp_path / "remote" / NAME).read_bytes() == DATA
    again.close()


def test_a_far_side_that_does_not_know_that_the_line_was_cut(tmp_path: Path) -> None:
    """It still holds the part: what it has is copied there, not sent again."""
    (tmp_path / "remote").mkdir()
    asleep = served(tmp_path / "remote")
    asleep.connect()
    assert asleep._process is not None

    def sleep() -> None:
        os.kill(asleep._process.pid, signal.SIGSTOP)  # type: ignore[union-attr]
        raise KeyboardInterrupt

    # the process is stopped, so that it cannot notice that nobody is there any more
    asleep._abandon = lambda: None  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        asleep.create(NAME, io.BytesIO(DATA), progress=Acts(8 * MIB, sleep))
    again = served(tmp_path / "remote")
    assert again.create(NAME, io.BytesIO(DATA)) > 8 * MIB - LOST
    assert (tmp_path / "remote" / NAME).read_bytes() == DATA
    again.close()
    asleep._process.kill()
    asleep.close()


def test_ctrl_c_over_ssh(tmp_path: Path) -> None:
    """The connection ends in the middle of a file; the next request uses a new one, and the file goes on."""
    (tmp_path / "remote").mkdir()
    remote = served(tmp_path / "remote")
    with pytest.raises(Interrupted):
        remote.create(NAME, io.BytesIO(DATA), progress=Acts(8 * MIB, _stop))
    assert remote.size(NAME) is None
    remote._arrived.clear()  # another process
    assert remote.create(NAME, io.BytesIO(DATA)) > 8 * MIB - LOST
    assert (tmp_path / "remote" / NAME).read_bytes() == DATA
    remote.close()


def _stop() -> None:
    raise Interrupted("Stopped")


def test_over_a_real_sshd(ssh_host: Ssh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ssh is killed in the middle of a pack; the push goes on by itself, and sends little again."""
    anna = filled(tmp_path / "anna")
    folder_remote(tmp_path / "remote", anna)
    opened = open_remote(
        parse_address(f"ssh://studio{tmp_path}/remote"), surroundings=Surroundings(tuple(ssh_host.command))
    )
    assert isinstance(opened, RetryingRemote)
    inner = opened.inner
    assert isinstance(inner, SshRemote)
    sent: list[int] = []

    def counted(stream: BinaryIO, data: bytes) -> None:
        sent.append(len(data))
        write_bytes(stream, data)

    monkeypatch.setattr(remote_ssh, "write_bytes", counted)

    def kill() -> None:
        assert inner._process is not None
        inner._process.kill()

    with Repository.open(anna.root, author="anna", host="anna", progress=_Kills(kill)) as repo:
        push(repo, opened, known(repo))
    assert SIZE < sum(sent) < SIZE + 2 * LOST
    assert is_whole(opened, anna, tmp_path / "bert")
    opened.close()


class _Kills(Listening):
    def __init__(self, kill: object) -> None:
        super().__init__()
        self._act = Acts(8 * MIB, kill)

    def advance(self, amount: int) -> None:
        super().advance(amount)
        if self._phase == "Sending":
            self._act.advance(amount)


def test_a_part_with_something_else_in_it(tmp_path: Path) -> None:
    """The hash of what is there is not that of the file's beginning: all of it is sent, once."""
    remote = piped(tmp_path, 5 * MIB)
    with pytest.raises(RemoteUnreachable):
        remote.create(NAME, io.BytesIO(DATA))
    (part,) = large_parts(tmp_path / "remote")
    part.write_bytes(bytes(part.stat().st_size))
    assert remote.create(NAME, io.BytesIO(DATA)) == 0
    remote.close()
    assert (tmp_path / "remote" / NAME).read_bytes() == DATA
    assert SIZE < passed(tmp_path / "log")[1] < SIZE + 100_000


def test_a_name_that_is_taken_costs_nothing(tmp_path: Path) -> None:
    """The far side says so before anything is sent."""
    remote = piped(tmp_path)
    remote.create(NAME, io.BytesIO(DATA))
    with pytest.raises(FileExistsError):
        remote.create(NAME, io.BytesIO(DATA))
    assert remote.size(NAME) == SIZE
    remote.close()
    assert sum(passed(tmp_path / "log")) < SIZE + 100_000


# Two versions of aura, and those who mean harm


def test_a_far_side_that_does_not_know_how(tmp_path: Path) -> None:
    """It is sent the whole file, as ever."""
    (tmp_path / "remote").mkdir()
    code = (
        "import sys; from aura_vcs.sync import ssh_server; ssh_server.GOES_ON = 'something-else'; "
        "from aura_vcs.storage.remotes.folder import FolderRemote; "
        "ssh_server.serve(FolderRemote(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)"
    )
    remote = SshRemote([sys.executable, "-c", code, str(tmp_path / "remote")], "studio")
    assert remote.create(NAME, io.BytesIO(DATA)) == 0
    assert remote.load(NAME).data == DATA
    remote.close()


def test_a_hello_of_an_older_version_is_understood() -> None:
    """It has no features; and older versions read past those of ours."""

    class Older(Hello, frozen=True):
        """Some field that is not known yet."""

        more: str = "more"

    import msgspec

    assert decode(msgspec.msgpack.encode({"protocol": 1, "aura": "0.1"}), Hello).features == ()
    assert decode(msgspec.msgpack.encode(Older(1, "9", ("x",))), Hello).features == ("x",)


def conversation(folder: Path, *frames: SshRequest | bytes) -> list[SshAnswer]:
    """What the serving side says to these frames."""
    requests, said = io.BytesIO(), io.BytesIO()
    requests.write(MAGIC)
    for frame in frames:
        if isinstance(frame, SshRequest):
            write_frame(requests, frame)
        else:
            write_bytes(requests, frame)
    requests.seek(0)
    folder.mkdir(exist_ok=True)
    serve.serve(FolderRemote(str(folder)), requests, said)
    said.seek(len(MAGIC))
    read_bytes(said)
    found = []
    while True:
        try:
            found.append(decode(read_bytes(said), SshAnswer))
        except EOFError:
            return found


SIZE_ASKED = SshRequest("size", NAME)


@pytest.mark.parametrize(
    "start",
    [
        SshRequest("create", NAME, offset=5),
        SshRequest("create", NAME, offset=-1),
        SshRequest("create", "manifest.json"),
        SshRequest("swap", NAME, data=b"x"),
        SshRequest("create", NAME, offset=1 << 62),
    ],
)
def test_a_client_says_from_where_only_as_it_was_offered(tmp_path: Path, start: SshRequest) -> None:
    """Any other offset or name is refused, nothing is written, and the next request is answered."""
    found = conversation(tmp_path / "remote", SshRequest("create", NAME, length=2 * MIB), start, SIZE_ASKED)
    assert found[0].size == 0
    assert found[1].error is not None
    assert found[2] == SshAnswer()
    assert os.listdir(tmp_path / "remote/tmp") == []


@pytest.mark.parametrize("size", [MIB, 2 * MIB - 1, 2 * MIB + 1])
def test_a_file_of_another_size_than_was_said_gets_no_name(tmp_path: Path, size: int) -> None:
    """More or less than was announced is refused."""
    pieces = [DATA[:size][at : at + MIB] for at in range(0, size, MIB)]
    found = conversation(
        tmp_path / "remote",
        SshRequest("create", NAME, length=2 * MIB),
        SshRequest("create", NAME),
        *pieces,
        b"",
        SIZE_ASKED,
    )
    assert found[1].error == "RemoteCorrupt"
    assert found[2] == SshAnswer()


@pytest.mark.parametrize("name", ["../x", "tmp/x", f"{NAME}.0.part", "lock"])
def test_parts_cannot_be_asked_for(tmp_path: Path, name: str) -> None:
    """Only files of a remote have names, and only with those one can begin."""
    found = conversation(tmp_path / "remote", SshRequest("create", name, length=2 * MIB), SIZE_ASKED)
    assert found[0].error == "RemoteCorrupt"
    assert found[1] == SshAnswer()


@pytest.mark.parametrize("there", [SIZE + 1, -1, 1 << 62])
def test_a_far_side_cannot_have_more_than_there_is(there: int) -> None:
    """A size that cannot be is an error, not a short file."""
    said = io.BytesIO()
    said.write(MAGIC)
    write_frame(said, Hello(1, "9", (serve.GOES_ON,)))
    write_frame(said, SshAnswer(size=there, token="0" * 64))
    code = f"import sys; o = sys.stdout.buffer; o.write({said.getvalue()!r}); o.flush(); sys.stdin.read()"
    remote = SshRemote([sys.executable, "-c", code], "studio")
    with pytest.raises(RemoteCorrupt, match="have arrived"):
        remote.create(NAME, io.BytesIO(DATA))
    remote.close()


def test_a_disk_that_is_full_on_the_far_side(tmp_path: Path, small_disk: Path) -> None:
    """It is told, the room is given back, and with more room the push comes through."""
    (small_disk / "remote").mkdir()
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(10 * MIB))
    remote = served(small_disk / "remote")
    with pytest.raises(RemoteError, match="No space"):
        remote.create(NAME, io.BytesIO(DATA))
    assert os.listdir(small_disk / "remote/tmp") == []
    ballast.unlink()
    remote.create(NAME, io.BytesIO(DATA))
    assert remote.load(NAME).data == DATA
    remote.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 20 MiB, in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("mounting needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)
