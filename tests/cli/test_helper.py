"""The resident helper: a command through it is the command itself, and at any doubt there is no helper."""

import json
import os
import pty
import re
import resource
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest
from aura_vcs.cli import entry, helper_protocol as protocol
from aura_vcs.cli.catalog import ALIASES
from aura_vcs.cli.helper import client, starting
from aura_vcs.cli.helper.conditions import Conditions

from tests.cli.conftest import AURA, Film
from tests.helpers.terminal import readable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the helper is for Linux")
SLOWLY = """
import sys, time
import aura_vcs.history.recording.version_builder as making
made = making.make_version
def slowly(*arguments, **named):
    print("working", flush=True)
    time.sleep(30)
    return made(*arguments, **named)
making.make_version = slowly
sys.argv = ["helper_main"]
from aura_vcs.cli.helper_main import main
main()
"""
"""A helper whose commits take long between storing files and recording them."""


class Helped:
    """Running `aura` in a project with a helper of its own, or without one."""

    def __init__(self, film: Film, folder: Path) -> None:
        self.film = film
        self.helper: subprocess.Popen[bytes] | None = None
        kept = {name: value for name, value in os.environ.items() if name not in {"AURA_NO_HELPER", "NO_COLOR"}}
        self.env = {**kept, **film.env, "XDG_RUNTIME_DIR": str(folder), "TERM": "xterm"}

    def __call__(
        self,
        *arguments: str | bytes,
        helper: bool = True,
        cwd: Path | None = None,
        before: Callable[[], object] | None = None,
        **more: str,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command without a terminal and wait."""
        env = {**self.env, **more, **({} if helper else {"AURA_NO_HELPER": "1"})}
        where = cwd or self.film.root
        return subprocess.run([*AURA, *arguments], cwd=where, env=env, capture_output=True, check=False,
                              stdin=subprocess.DEVNULL, preexec_fn=before)  # fmt: skip

    def begin(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command."""
        return subprocess.Popen([*AURA, *arguments], cwd=self.film.root, env=self.env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)  # fmt: skip

    def served(self) -> int | None:
        """How many commands the helper has run; None where there is none."""
        found: int | None = json.loads(self("helper", "status", "--json").stdout)["commands"]
        return found

    def pid(self) -> int:
        """The helper's process."""
        found: int = json.loads(self("helper", "status", "--json").stdout)["pid"]
        return found

    def copies(self) -> list[int]:
        """The processes that run commands just now."""
        pid = self.pid()
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def start(self, code: str = "") -> None:
        """Start the helper, or one with this program, and wait until it listens."""
        if code:
            self.helper = subprocess.Popen([sys.executable, "-P", "-c", code], env=self.env, start_new_session=True)
        _until(lambda: self.served() is not None or (not code and self("helper", "start").returncode == 0))

    def stop(self) -> None:
        """Stop the helper."""
        self("helper", "stop")
        if self.helper is not None:
            self.helper.wait(30)


@pytest.fixture
def helped(two: Film) -> Iterator[Helped]:
    """A project of two versions, and a helper that has started."""
    with tempfile.TemporaryDirectory(prefix="aura-h-", dir="/tmp") as folder:  # a socket's path has to be short
        found = Helped(two, Path(folder))
        found.start()
        yield found
        found.stop()


def _until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


SAME: list[Sequence[str | bytes]] = [
    ("status",), ("status", "--json"), ("log", "-n", "20"), ("log", "--oneline", "--graph"), ("history", "--json"),
    ("diff", "v1", "v2"), ("diff",), ("show", "v2"), ("show", "v2", "--json"), ("show", "v77"), ("ls",), ("ops",),
    ("log", "--no-such"), ("diff", b"caf\xe9"), ("-C", "..", "status"), ("--no-pager", "log"), ("commit", "-m"),
    ("branch",), ("tag", "list", "--json"), ("blame", "brief.json"), ("checkout", "v77"), ("undo", "--id", "none"),
    ("restore", "v1", "no such file"),
]  # fmt: skip


def test_a_command_prints_and_ends_alike(helped: Helped) -> None:
    """Output, errors and exit code, byte for byte, in the folder, in one below and in one that was deleted."""
    helped.film.write({"new.txt": "new", "assets/more.txt": "more"})
    gone = helped.film.root.parent / "gone"
    before = helped.served() or 0
    for arguments in SAME:
        for cwd in (helped.film.root, helped.film.root / "assets"):
            ran, alone = helped(*arguments, cwd=cwd), helped(*arguments, cwd=cwd, helper=False)
            assert _without_ages(ran) == _without_ages(alone), arguments
    assert helped.served() == before + 2 * len(SAME)
    gone.mkdir()
    answers = []
    for helper in (True, False):
        leave = "import os,sys; os.chdir(sys.argv[1]); os.rmdir(sys.argv[1]); os.execv(sys.argv[2], sys.argv[2:])"
        env = {**helped.env, **({} if helper else {"AURA_NO_HELPER": "1"})}
        gone.mkdir(exist_ok=True)
        ran = subprocess.run([sys.executable, "-c", leave, str(gone), *AURA, "status"], env=env, capture_output=True,
                             check=False)  # fmt: skip
        answers.append((ran.returncode, ran.stderr))
    assert answers[0] == answers[1]


def _without_ages(ran: "subprocess.CompletedProcess[bytes]") -> tuple[int, bytes, bytes]:
    return ran.returncode, re.sub(rb"\(\d+ seconds? ago\)", b"(just now)", ran.stdout), ran.stderr


def test_a_commit_is_the_caller_s(helped: Helped) -> None:
    """Author and umask are those of the caller; what the helper was started with has no part in it."""
    helped.film.write({"new.txt": "new"})
    before = {path for path in (helped.film.root / ".aura").rglob("*") if path.is_file()}
    ran = helped(
        "commit", "-m", "Third", before=lambda: os.umask(0o077), AURA_AUTHOR="Mira", TZ=os.environ.get("TZ", "")
    )
    assert ran.returncode == 0, ran.stderr
    version = helped.film.data("log")["versions"][0]
    assert (version["number"], version["author"]) == (3, "Mira")
    made = {path for path in (helped.film.root / ".aura").rglob("*") if path.is_file()} - before
    assert made
    assert not [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert helped.film.data("fsck")["ok"] is True


def test_going_back_and_forth_leaves_the_same_folder(helped: Helped) -> None:
    """Commands that change files do with a helper what they do without, and each can be taken back by the other."""
    steps: list[Sequence[str]] = [
        ("checkout", "v1"), ("undo",), ("redo",), ("switch", "main"), ("restore", "v1", "brief.json"),
        ("branch", "create", "other"), ("tag", "create", "first", "v1"), ("undo",), ("undo",), ("undo",),
    ]  # fmt: skip
    before = helped.served() or 0
    seen: list[list[tuple[int, bytes, dict[str, bytes]]]] = []
    for helper in (True, False):
        rounds = []
        for arguments in steps:
            ran = helped(*arguments, helper=helper)
            assert ran.returncode == 0, ran.stderr
            files = {str(path): path.read_bytes() for path in helped.film.root.glob("*.json")}
            rounds.append((ran.returncode, _without_numbers(ran.stdout), files))
        begun = helped.film.root.parent / f"begun-{helper}"
        begun.mkdir()
        ran = helped("init", "--title", "Begun", helper=helper, cwd=begun, before=lambda: os.umask(0o077))
        assert stat.S_IMODE((begun / "project.json").stat().st_mode) == 0o600
        rounds.append((ran.returncode, ran.stdout.replace(bytes(begun), b""), {}))
        seen.append(rounds)
        helped("checkout", "main", helper=False)
    assert seen[0] == seen[1]
    assert helped.served() == before + len(steps) + 1
    assert helped.film.data("fsck")["ok"] is True


def _without_numbers(shown: bytes) -> bytes:
    """Leave out which version a restore point became."""
    return re.sub(rb"v\d+", b"v", shown)


def test_what_the_helper_imports_is_there() -> None:
    """A module that was moved would keep every helper from starting, and nobody would hear of it."""
    named = [*starting.MODULES, *starting.ROOMS, *(f"cli.commands.{name}" for name in starting.COMMANDS)]
    assert [name for name in named if find_spec(f"aura_vcs.{name}") is None] == []
    aliases = {name for name, command in ALIASES.items() if command in starting.COMMANDS}
    assert {*starting.COMMANDS, *aliases} == protocol.SERVED


def test_nothing_is_imported_by_a_copy() -> None:
    """What the commands need was imported by the helper before."""
    code = (
        "import sys\nfrom aura_vcs.cli.entry import run_in_copy\n"
        "from aura_vcs.cli.helper.starting import load_commands\nload_commands()\n"
        "before = set(sys.modules)\ntry: run_in_copy()\nexcept SystemExit: pass\n"
        "print(sorted(name for name in set(sys.modules) - before if name.startswith('aura_vcs')), file=sys.stderr)"
    )
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "AURA_HOME": f"{folder}/home", "AURA_AUTHOR": "Mira"}
        subprocess.run([*AURA, "init", folder], env=env, check=True, capture_output=True)
        for words in (["commit", "-m", "One"], ["status"], ["log"], ["ls"], ["ops"], ["show", "v1"], ["diff"], ["redo"],
                      ["commit", "-m", "Two"], ["checkout", "v1"], ["undo"], ["restore", "v1", "brief.json"],
                      ["branch"], ["tag"], ["blame", "brief.json"]):  # fmt: skip
            Path(folder, "brief.json").write_text(json.dumps({"title": str(words)}))
            ran = subprocess.run([sys.executable, "-c", code, *words], cwd=folder, env=env, capture_output=True,
                                 check=True, text=True)  # fmt: skip
            assert ran.stderr.splitlines()[-1] == "[]", words
        Path(folder, "new").mkdir()
        ran = subprocess.run([sys.executable, "-c", code, "init", "--title", "Two"], cwd=f"{folder}/new", env=env,
                             capture_output=True, check=True, text=True)  # fmt: skip
        assert ran.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize("which", ["switch", "library", "limit", "descriptor", "warnings", "closed", "nameless"])
def test_at_any_doubt_the_command_starts_by_itself(helped: Helped, which: str) -> None:
    """What the caller cannot hand over, or what the helper is not like, is no matter: the answer is the same."""
    before = helped.served()
    more: dict[str, str] = {}
    arguments, limit = ["status"], None
    if which == "switch":
        more["AURA_NO_HELPER"] = "1"
    if which == "library":
        more["LD_LIBRARY_PATH"] = "/nowhere"
    if which == "limit":
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))  # noqa: E731
    if which == "descriptor":
        arguments = ["ls", "/dev/fd/0"]
    if which == "warnings":
        more["PYTHONWARNINGS"] = "ignore"
    if which == "nameless":
        more[""] = "x"
    if which == "closed":
        limit = lambda: os.close(2)  # noqa: E731
    ran = helped(*arguments, before=limit, **more)
    assert which == "descriptor" or ran.returncode == 0, ran.stderr
    assert helped.served() == before


def test_conditions_differ_where_a_process_may_do_less() -> None:
    """Fewer processors, a lower priority: this process is not like that one. What a copy can take over is no matter."""
    waiting = "import os,sys,time; exec(sys.argv[1]); print(flush=True); time.sleep(60)"
    ours = Conditions("self")
    cases = {
        "0": True,
        "os.umask(0o777)": True,
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)": True,
        "os.nice(3)": False,
        "os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])": len(os.sched_getaffinity(0)) == 1,
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (77, 77))": False,
    }
    for code, alike in cases.items():
        with subprocess.Popen([sys.executable, "-c", waiting, code], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            assert ours.allows(Conditions(process.pid)) is alike, code
            process.kill()


def test_a_folder_that_others_can_write_to_is_not_used(helped: Helped) -> None:
    """Somebody else could have put a socket there."""
    folder = Path(helped.env["XDG_RUNTIME_DIR"], "aura_vcs")
    before = helped.served()
    folder.chmod(0o755)
    assert helped("status").returncode == 0
    folder.chmod(0o700)
    assert helped.served() == before


def _request(helped: Helped, *arguments: str) -> socket.socket:
    """Ask the helper for a command, as a caller does, without the last word."""
    code = (
        "import os,sys\nfrom aura_vcs.cli import helper_protocol as protocol\n"
        "os.write(1, protocol.identity() + b'\\n' + os.fsencode(protocol.socket_path(protocol.identity())))"
    )
    said = subprocess.run([sys.executable, "-c", code], env=helped.env, capture_output=True, check=True).stdout
    identity, path = said.rsplit(b"\n", 1)
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    words = [b"aura", *map(os.fsencode, arguments)]
    environment = [f"{name}={value}".encode() for name, value in helped.env.items()]
    folder = os.open(helped.film.root, os.O_RDONLY)
    null = os.open(os.devnull, os.O_RDWR)
    socket.send_fds(
        sock, [protocol.pack_request(protocol.RUN, identity, words, environment)], [null, null, null, folder]
    )
    os.close(folder)
    os.close(null)
    return sock


def test_a_caller_that_gave_up_has_begun_nothing(helped: Helped) -> None:
    """A copy does nothing before the caller's last word: what it then does itself is not done twice."""
    helped.film.write({"new.txt": "new"})
    with _request(helped, "commit", "-m", "Never") as sock:
        assert sock.recv(protocol.ANSWER)[:1] == protocol.READY
    time.sleep(0.3)
    assert helped.film.data("log")["versions"][0]["number"] == 2


def test_a_copy_is_not_taken_for_abandoned(helped: Helped) -> None:
    """Its caller's last word is nothing that the helper waits for, however they come to run."""
    helped.film.write({"new.txt": "new"})
    for _ in range(20):
        assert helped("status").returncode == 0
        with _request(helped, "log") as sock:
            assert sock.recv(protocol.ANSWER)[:1] == protocol.READY
            sock.sendall(protocol.GO)
            assert sock.recv(protocol.ANSWER) == protocol.pack_answer(protocol.EXITED, 0)


@pytest.mark.parametrize("sent", [b"", b"\0\0\0\x05hello", b"\xff\xff\xff\xff", b"\0\0\0\x03run", os.urandom(3000)])
def test_odd_requests_are_passed_over(helped: Helped, sent: bytes) -> None:
    """Whatever comes through the socket, the helper goes on.

    A caller that gets no answer within half a second works by itself: on a busy machine that is one of several.
    """
    _request(helped, "status").close()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(next(Path(helped.env["XDG_RUNTIME_DIR"], "aura_vcs").glob("*.sock"))))
        sock.sendall(sent)
    pid = helped.pid()
    for _ in range(10):
        before = helped.served() or 0
        assert helped("status").returncode == 0
        if helped.served() == before + 1:
            break
    else:
        pytest.fail("it runs no command any more")
    assert helped.pid() == pid


def test_a_signal_reaches_the_copy_and_a_killed_copy_the_caller(helped: Helped) -> None:
    """Ctrl-C is one line and exit code 130; a copy that is killed ends its caller in the same way."""
    helped("helper", "stop")
    helped.start(SLOWLY)
    helped.film.write({"new.txt": "new"})
    process = helped.begin("commit", "-m", "Third")
    assert process.stdout is not None
    assert process.stdout.readline() == b"working\n"
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert (process.returncode, error.splitlines()[0]) == (130, b"Stopped; nothing was saved.")
    process = helped.begin("commit", "-m", "Third")
    assert process.stdout is not None
    assert process.stdout.readline() == b"working\n"
    os.kill(helped.copies()[0], signal.SIGKILL)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert helped.film.data("fsck")["ok"] is True


def test_a_killed_caller_stops_the_copy(helped: Helped) -> None:
    """Nothing goes on behind the back of somebody who has ended it."""
    helped("helper", "stop")
    helped.start(SLOWLY)
    helped.film.write({"new.txt": "new"})
    process = helped.begin("commit", "-m", "Third")
    assert process.stdout is not None
    assert process.stdout.readline() == b"working\n"
    process.kill()
    process.communicate(timeout=30)
    _until(lambda: not helped.copies())
    assert helped.film.data("log")["versions"][0]["number"] == 2
    assert helped.film.commit("Third")["number"] == 3


def test_another_program_on_disk_ends_the_helper(two: Film) -> None:
    """A module that was changed is never mixed with what was imported before."""
    with tempfile.TemporaryDirectory(prefix="aura-h-", dir="/tmp") as folder:
        shutil.copytree(Path(protocol.__file__).parents[1], f"{folder}/copy/aura_vcs")
        helped = Helped(two, Path(folder))
        helped.env["PYTHONPATH"] = f"{folder}/copy"
        helped.start()
        assert helped("status").returncode == 0
        assert helped.served() == 1
        changed = Path(folder, "copy/aura_vcs/codec.py")
        changed.write_text(changed.read_text() + "\n# changed\n")
        assert helped("status").returncode == 0
        _until(lambda: helped.served() is None)


def test_one_helper_is_enough(helped: Helped) -> None:
    """Started again, the second one ends; stopped, there is none, and commands start by themselves."""
    pid = helped.pid()
    subprocess.run([sys.executable, "-P", "-m", "aura_vcs.cli.helper_main"], env=helped.env, check=True, timeout=60)
    assert helped.pid() == pid
    assert helped("helper", "stop").stdout == b"The helper has stopped.\n"
    _until(lambda: helped.served() is None)
    assert helped("status").returncode == 0
    assert helped("helper", "stop").stdout == b"The helper was not running.\n"


def test_it_starts_by_itself_on_a_terminal_alone(two: Film) -> None:
    """A person's first command starts it, unless configured otherwise; a script's does not."""
    with tempfile.TemporaryDirectory(prefix="aura-h-", dir="/tmp") as folder:
        helped = Helped(two, Path(folder))
        assert helped("status").returncode == 0
        assert helped.served() is None
        two("config", "set", "helper.auto", "off")
        _on_a_terminal(helped, "status")
        time.sleep(0.3)
        assert helped.served() is None
        two("config", "set", "helper.auto", "on")
        assert b"On branch" in _on_a_terminal(helped, "status")
        _until(lambda: helped.served() is not None)
        coloured = _on_a_terminal(helped, "status")
        assert coloured == _on_a_terminal(helped, "status", AURA_NO_HELPER="1")
        assert b"\x1b[" in coloured
        assert helped.served() == 1
        helped("helper", "stop")


def _on_a_terminal(helped: Helped, *arguments: str, command: Sequence[str] = AURA, **more: str) -> bytes:
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(helped.film.root)
        os.execve(command[0], [*command, *arguments], {**helped.env, **more})
    output = b""
    while readable(terminal, 30):
        try:
            part = os.read(terminal, 4096)
        except OSError:
            break
        if not part:
            break
        output += part
    os.waitpid(pid, 0)
    os.close(terminal)
    return output


def test_a_pager_is_the_caller_s_child(helped: Helped, tmp_path: Path) -> None:
    """It belongs to the terminal's session, where it gets keys and signals; the copy writes into it."""
    pager = tmp_path / "pager"
    pager.write_text('#!/bin/sh\necho "PARENT $PPID $LESS"\nsed "s/^/PAGED /"\n')
    pager.chmod(0o755)
    before = helped.served() or 0
    code = "import os,sys; print('SHELL', os.getpid(), flush=True); os.execv(sys.argv[1], sys.argv[1:])"
    text = _on_a_terminal(helped, "log", "--oneline", command=[sys.executable, "-c", code, *AURA], PAGER=str(pager))
    lines = text.decode().split("\r\n")
    assert lines[1].split() == ["PARENT", lines[0].split()[1], "FRX"]
    assert [line[:8] for line in lines[2:4]] == ["PAGED v2", "PAGED v1"]
    assert helped.served() == before + 1


def test_a_caller_that_comes_late_is_told_that_nothing_was_begun(helped: Helped) -> None:
    """However long the machine let it wait: the command is not given up, it starts by itself."""
    helped.film.write({"new.txt": "new"})
    with _request(helped, "commit", "-m", "Never") as sock:
        assert sock.recv(protocol.ANSWER)[:1] == protocol.READY
        sock.settimeout(20)
        assert sock.recv(protocol.ANSWER) == protocol.pack_answer(protocol.REFUSED)
    assert helped.film.data("log")["versions"][0]["number"] == 2


@pytest.mark.parametrize("first", [True, False])
def test_ctrl_c_before_the_command_is_read_is_its_own_exit_code(helped: Helped, first: bool) -> None:
    """Before and after the caller's last word: no traceback, and neither exit code 1 nor a killed process."""
    with _request(helped, "status") as sock:
        kind, pid = protocol.unpack_answer(sock.recv(protocol.ANSWER))
        assert kind == protocol.READY
        if first:
            os.killpg(pid, signal.SIGINT)
        else:
            os.kill(pid, signal.SIGSTOP)
            sock.sendall(protocol.GO)
            os.killpg(pid, signal.SIGINT)
            os.kill(pid, signal.SIGCONT)
        sock.settimeout(20)
        assert sock.recv(protocol.ANSWER) == protocol.pack_answer(protocol.EXITED, 130)


def test_a_signal_for_a_copy_that_had_not_begun_is_the_caller_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is not lost where the command starts by itself after all."""
    met: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: met.append(number))
    monkeypatch.setattr(client, "_send", lambda _pid, _number: None)
    try:
        passing = client.Passing()
        passing.begin(0)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert met == []
        passing.end()
        assert met == [signal.SIGUSR1]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("helper", [True, False])
def test_a_pager_that_is_no_program_hides_nothing(helped: Helped, tmp_path: Path, helper: bool) -> None:
    """What was to be read is written straight to the terminal, through the helper and without."""
    pager = tmp_path / "pager"
    pager.write_bytes(b"")
    pager.chmod(0o755)
    switch = {} if helper else {"AURA_NO_HELPER": "1"}
    text = _on_a_terminal(helped, "log", "--oneline", PAGER=str(pager), NO_COLOR="1", **switch)
    assert [line.split()[0] for line in text.decode().splitlines()] == ["v2", "v1"]


def test_a_socket_s_path_is_never_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system refuses longer ones; the folder in /tmp is used then."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    found = protocol.socket_path(b"x")
    assert found.startswith("/tmp/aura_vcs-")


def test_what_no_helper_could_use_starts_none(helped: Helped, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise each command on a terminal would start one that ends at once; asked for one, the reason is said."""
    monkeypatch.delenv("AURA_NO_HELPER", raising=False)
    monkeypatch.setattr(sys, "argv", ["aura", "status"])
    with tempfile.TemporaryDirectory(prefix="aura-h-", dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        assert entry._hand_over()
        Path(folder, "aura_vcs").write_text("")
        assert not entry._hand_over()
        ran = helped("helper", "start", "--json", XDG_RUNTIME_DIR=folder)
        assert f"{folder}/aura_vcs is not a folder that you own" in json.loads(ran.stdout)["error"]["message"]


def test_a_question_in_the_background_leaves_the_terminal_to_the_shell(helped: Helped) -> None:
    """After Ctrl-Z and `bg` the command stops at its question as any other does; after `fg` it is answered."""
    pexpect = pytest.importorskip("pexpect")
    helped.film.write({"new.txt": "new"})
    shell = pexpect.spawn(
        "bash", ["--norc", "--noprofile", "-i"], cwd=str(helped.film.root), env={**helped.env, "PS1": "READY>"},
        encoding="utf-8", timeout=30, use_poll=True,
    )  # fmt: skip
    try:
        before = helped.served() or 0
        shell.expect_exact("READY>")
        shell.sendline(f"{shlex.join(AURA)} commit")
        shell.expect_exact("What is this version called")
        time.sleep(0.3)
        shell.send("\x1a")
        shell.expect_exact("READY>")
        shell.sendline("bg")
        shell.expect_exact("READY>")
        for _ in range(3):
            shell.sendline("echo said by $((40 + 2)); jobs")
            shell.expect_exact("said by 42")
            shell.expect("Stopped|Running")
            shell.expect_exact("READY>")
        shell.sendline("jobs")
        shell.expect_exact("Stopped")
        shell.expect_exact("READY>")
        shell.sendline("fg")
        shell.sendline("Named after all")
        shell.expect_exact("Named after all", timeout=30)
        shell.expect("Committed .*v3")
        assert helped.served() == before + 1
    finally:
        shell.close(force=True)
    assert helped.film.data("log")["versions"][0]["name"] == "Named after all"
