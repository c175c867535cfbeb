"""`aura` as a process: signals, pipes, terminals, the environment."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import AURA, Film
from tests.helpers.terminal import readable

SLOW_COMMIT = """
import time
import aura_vcs.history.recording.version_builder as making
made = making.make_version
def slowly(*arguments, **named):
    print("working", flush=True)
    time.sleep(30)
    return made(*arguments, **named)
making.make_version = slowly
from aura_vcs.cli.entry import run
run()
"""
"""`aura` that takes so long between storing files and recording them that a signal comes in between."""


def environment(film: Film, **more: str) -> dict[str, str]:
    """What the process sees."""
    kept = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "PAGER", "LESS"}}
    return {**kept, **film.env, "NO_COLOR": "", "TERM": "xterm", **more}


def run(
    film: Film, *arguments: str, command: Sequence[str] = AURA, stdout: int = subprocess.PIPE, **more: str
) -> subprocess.CompletedProcess[bytes]:
    """Run `aura` in the project, without a terminal, and wait; `more` goes into its environment."""
    return subprocess.run(
        [*command, *arguments],
        cwd=film.root,
        env=environment(film, **more),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
    )


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_stopping_is_one_line_and_leaves_the_project_whole(two: Film, number: int, name: str) -> None:
    """Stopped in the middle of a commit: exit 130, one message, no version, no harm; the next commit works."""
    two.write({"assets/big.bin": os.urandom(300_000)})
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_COMMIT, "commit", "-m", "Third"],
        cwd=two.root,
        env=environment(two),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    process.send_signal(number)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130, (name, error)
    assert error.splitlines()[0] == "Stopped; nothing was saved."
    assert "Traceback" not in error
    assert out.replace("working\n", "") == ""
    assert two.data("fsck")["ok"] is True
    assert two.data("log")["versions"][0]["number"] == 2
    assert two.commit("Third")["number"] == 3


def test_a_closed_pipe_is_silent(film: Film) -> None:
    """`aura log | head -1` ends without a word on stderr."""
    for number in range(3):
        film.commit(f"Version {number}", {"notes.txt": str(number)})
    read, write = os.pipe()
    os.close(read)
    done = run(film, "log", stdout=write)
    os.close(write)
    assert done.returncode == 141
    assert done.stderr == b""
    piped = subprocess.run(
        f"{sys.executable} -c '{AURA[-1]}' log --json | head -1",
        shell=True, cwd=film.root, env=environment(film), capture_output=True, check=True,
    )  # fmt: skip
    assert (piped.stdout, piped.stderr) == (b"{\n", b"")


def test_no_terminal_no_colour_no_pager_no_questions(two: Film) -> None:
    """Into a pipe goes plain text; nothing waits for an answer; `commit` without a name fails."""
    two.env["PAGER"] = "false"
    done = run(two, "log")
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout
    assert run(two, "version", "purge", "v1").returncode == 2
    assert b"needs a name" in run(two, "commit").stderr


def test_closed_streams_are_no_error(two: Film) -> None:
    """Started without stdin, stdout or stderr, commands do their work and end as usual."""
    for words, code in (("status", 0), ("log --json", 0), ("show v1:brief.json", 0), ("nope", 2), ("commit", 2)):
        line = f"exec {sys.executable} -c '{AURA[-1]}' {words} <&- >&- 2>&-"
        done = subprocess.run(line, shell=True, cwd=two.root, env=environment(two), check=False)
        assert done.returncode == code, words


def on_terminal(
    film: Film, arguments: Sequence[str], answer: bytes = b"", *, command: Sequence[str] = AURA, **more: str
) -> tuple[str, int]:
    """Run `aura` on a terminal of its own; returns what the screen got, and the exit code."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*command, *arguments], cwd=film.root, env=environment(film, **more), stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)
    if answer:
        os.write(master, answer)
    seen = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not readable(master, 0.2):
            if process.poll() is not None:
                break
            continue
        try:
            data = os.read(master, 65536)
        except OSError:
            break  # the other end is closed
        if not data:
            break
        seen += data
    code = process.wait(timeout=60)
    os.close(master)
    return seen.decode().replace("\r\n", "\n"), code


def test_a_dumb_terminal_gets_nothing_but_the_lines(two: Film, tmp_path: Path) -> None:
    """No colours, and a pager that neither warns of the terminal nor sends it codes; what LESS says goes first."""
    pager = tmp_path / "pager"
    pager.write_text('#!/bin/sh\necho "LESS=$LESS"\ncat\n')
    pager.chmod(0o755)
    text, _ = on_terminal(two, ["log", "--oneline"], PAGER=str(pager), TERM="dumb")
    assert "LESS=FXd" in text
    assert "\x1b" not in text
    assert "LESS=i" in on_terminal(two, ["log"], PAGER=str(pager), TERM="dumb", LESS="i")[0]


def test_a_terminal_gets_colour_and_a_pager(two: Film, tmp_path: Path) -> None:
    """On a terminal `log` goes through the pager, in colour unless NO_COLOR is set."""
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\nsed 's/^/PAGED /'\n")
    pager.chmod(0o755)
    text, code = on_terminal(two, ["log", "--oneline"], PAGER=str(pager))
    assert code == 0
    assert text.count("PAGED") == 2
    coloured, _ = on_terminal(two, ["--no-pager", "log", "--oneline"], PAGER=str(pager))
    assert "PAGED" not in coloured
    assert "\x1b[33mv2" in coloured
    plain, _ = on_terminal(two, ["--no-pager", "log", "--oneline"], NO_COLOR="1")
    assert "\x1b" not in plain
    data, _ = on_terminal(two, ["log", "--json"], PAGER=str(pager))
    assert "PAGED" not in data


def test_a_terminal_is_asked(two: Film) -> None:
    """On a terminal purge asks and commit wants a name."""
    refused, code = on_terminal(two, ["version", "purge", "v1"], b"n\n")
    assert "Purge v1?" in refused
    assert code == 2
    _, code = on_terminal(two, ["version", "purge", "v1"], b"y\n")
    assert code == 0
    assert two.data("show", "v1")["version"]["purged_at"] is not None
    two.write({"notes.txt": "asked"})
    asked, code = on_terminal(two, ["commit"], b"By hand\n")
    assert "What is this version called" in asked
    assert code == 0
    assert two.data("show")["version"]["name"] == "By hand"


def test_binary_content_stays_off_the_screen(two: Film) -> None:
    """A terminal gets text, escaped; a picture only goes into a pipe or file."""
    two.write({"evil.txt": "one\n\x1b]52;c;x\x07two\ttabbed\n"})
    two.commit("Evil")
    text, _ = on_terminal(two, ["--no-pager", "show", "HEAD:evil.txt"])
    assert re.fullmatch(r"one\n\\x1b\]52;c;x\\x07two +tabbed\n", text)
    picture, code = on_terminal(two, ["show", "HEAD:assets/sky.png"])
    assert code == 0
    assert re.fullmatch(r"This is not text\. .* > FILE\n", picture)


def test_traceback_only_when_asked(two: Film) -> None:
    """An error inside aura is one line and a hint; --traceback shows where it is."""
    (two.root / ".aura/local/index.sqlite").unlink()
    broken = [sys.executable, "-c", "import aura_vcs.history.status as s\ns.branch_and_missing = None\n" + AURA[-1]]
    done = run(two, "status", command=broken)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"Something went wrong inside aura: TypeError" in done.stderr
    assert b"--traceback" in done.stderr
    assert b"Traceback" in run(two, "--traceback", "status", command=broken).stderr


def test_an_old_terminal_gets_no_error(two: Film) -> None:
    """Characters that the output's encoding lacks are written as escapes."""
    (two.root / "assets/sky.png").rename(two.root / "assets/sea.png")
    done = run(two, "status", PYTHONIOENCODING="latin-1")
    assert b"assets/sky.png \\u2192 assets/sea.png" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(two: Film, shell: str) -> None:
    """Each shell gets a script that says where it goes and calls aura back."""
    out = two("completion", shell).out
    assert out.startswith("#")
    assert "_AURA_COMPLETE" in out


@pytest.mark.parametrize(
    ("line", "position", "offered", "not_offered"),
    [
        ("aura ch", 1, {"checkout"}, {"commit"}),
        ("aura version ", 2, {"edit", "purge"}, set()),
        ("aura checkout ", 2, {"HEAD", "main", "sent", "v1", "v2"}, set()),
        ("aura checkout v", 2, {"v1", "v2"}, {"main"}),
        ("aura show v1:", 2, {"v1:brief.json", "v1:scenes/"}, set()),
        ("aura show v1:scenes/", 2, {"v1:scenes/010-opening.json"}, set()),
        ("aura tag -d ", 3, {"sent"}, {"main"}),
        ("aura branch -d ", 3, {"main"}, {"sent"}),
        ("aura log --ty", 2, {"--type"}, set()),
        ("aura restore v1 sc", 3, {"scenes/"}, {"brief.json"}),
    ],
)
def test_completion_offers(two: Film, line: str, position: int, offered: set[str], not_offered: set[str]) -> None:
    """Commands, options, versions, branches, tags and the files of a version complete."""
    two("tag", "sent", "v1")
    words = {"COMP_WORDS": line, "COMP_CWORD": str(position), "_AURA_COMPLETE": "bash_complete"}
    done = run(two, **words)
    found = {text.partition(",")[2] for text in done.stdout.decode().splitlines()}
    assert offered <= found
    assert not not_offered & found
    assert done.stderr == b""


def test_the_end_of_a_command_looks_for_no_cycles(two: Film) -> None:
    """All that a command made is out of the collector's sight when Python ends: looking through it is slow."""
    code = "import atexit, gc\natexit.register(lambda: print(len(gc.get_objects()) < gc.get_freeze_count()))\n"
    done = subprocess.run(
        [sys.executable, "-c", code + AURA[-1], "log"], cwd=two.root, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "True"


def test_stopped_while_it_starts(film: Film) -> None:
    """Ctrl-C before the command has begun ends quietly, with the code that scripts know."""
    code = """
import sys
class Stop:
    def find_spec(self, name, *_):
        if name == "aura_vcs.cli.main":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Stop())
from aura_vcs.cli.entry import run
run()
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=film.root, capture_output=True, text=True)
    assert done.returncode == 130
    assert done.stdout == done.stderr == ""


def test_an_early_ctrl_c_shows_no_traceback(two: Film) -> None:
    """Wherever in its start a command is: no traceback but of Python's own start, and exit 130 or the work done."""
    for step in range(16):
        process = subprocess.Popen(
            [*AURA, "status"], cwd=two.root, env=environment(two), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        time.sleep(0.02 + 0.02 * step)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        is_own_start = process.returncode == -signal.SIGINT or b"Fatal Python error: init" in error
        assert process.returncode in {0, 130} or is_own_start, error
        assert b"Traceback" not in error or b"in run\n" not in error, error
        assert process.returncode != 130 or error in {b"", b"Stopped.\n", b"Stopped; nothing was saved.\n"}


def test_damaged_compiled_modules_are_removed_and_named(two: Film, tmp_path: Path) -> None:
    """As Python leaves them on a full disk: the command says so, and goes well once they are gone."""
    more = {"PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}
    assert run(two, "status", **more).returncode == 0
    damaged = [next(tmp_path.rglob(f"aura_vcs/{module}.*.pyc")) for module in ("cli/main", "history/status")]
    for compiled in damaged:
        compiled.write_bytes(compiled.read_bytes()[:400])
    for compiled in damaged:
        done = run(two, "status", **more)
        said = done.stderr.decode()
        assert (done.returncode, compiled.exists()) == (1, False)
        assert str(compiled) in said
        assert "Traceback" not in said
    assert run(two, "status", **more).returncode == 0
