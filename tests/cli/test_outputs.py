"""Outputs that nobody reads, that a full disk refuses, and streams that were closed before the start."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import AURA, Film

FULL = Path("/dev/full")
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
READING = (("log",), ("status",), ("diff", "v1", "v2"), ("show", "v1"), ("ops",), ("cat", "v1:notes.txt"), ("fsck",))


def _run(film: Film, *arguments: str, shell: str = "") -> subprocess.CompletedProcess[bytes]:
    command = [*AURA, "-C", str(film.root), *arguments]
    if shell:
        command = ["sh", "-c", f'"$@" {shell}', "sh", *command]
    return subprocess.run(command, env={**os.environ, **film.env}, capture_output=True, check=False)


@pytest.mark.parametrize("arguments", READING, ids=lambda words: words[0])
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_a_full_disk_behind_stdout_is_told_in_words(two: Film, arguments: tuple[str, ...], as_json: bool) -> None:
    """One error on stderr and a code of its own, with --json as without."""
    if as_json and arguments[0] == "cat":
        return
    ran = _run(two, *arguments, *(["--json"] if as_json else []), shell=">/dev/full")
    assert ran.returncode == 48
    assert ran.stderr.count(b"Error: The output could not be written") == 1
    assert b"Traceback" not in ran.stderr


@pytest.mark.parametrize("flag", [[], ["--json"]])
def test_a_command_whose_output_is_lost_finishes_its_work(two: Film, flag: list[str]) -> None:
    """The version is made, and stderr says that it was."""
    ran = _run(two, "commit", "-m", "Third", "--allow-empty", *flag, shell=">/dev/full")
    assert ran.returncode == 48
    assert b"has done its work" in ran.stderr
    assert two.data("log", "-n", "1")["versions"][0]["name"] == "Third"


def test_an_error_as_json_that_cannot_be_written_is_said_on_stderr(two: Film) -> None:
    """The code is the error's, and stderr has its words."""
    ran = _run(two, "show", "v9", "--json", shell=">/dev/full")
    assert ran.returncode == 20
    assert b"v9" in ran.stderr
    assert b"Traceback" not in ran.stderr


def test_who_recorded_something_says_so_when_nobody_reads(two: Film) -> None:
    """`aura commit | head -0` ends with 141, silent were it not for what was done."""
    command = [*AURA, "-C", str(two.root)]
    for words, said in ((["log"], b""), (["commit", "-m", "Third", "--allow-empty"], b"It is done")):
        reader, writer = os.pipe()
        os.close(reader)
        ran = subprocess.run(
            [*command, *words], stdout=writer, stderr=subprocess.PIPE, env={**os.environ, **two.env}, check=False
        )
        os.close(writer)
        assert ran.returncode == 141
        assert ran.stderr.startswith(said)
        assert bool(ran.stderr) == bool(said)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_become_no_file_of_the_project(two: Film, closed: str) -> None:
    """Nothing that is written to a closed stream lands in a file that was opened in its place."""
    before = two.root / "brief.json"
    content = before.read_bytes()
    for words, code in ((["commit", "-m", "Third", "--allow-empty"], 0), (["show", "v99"], 20), (["undo"], 0)):
        assert _run(two, *words, shell=closed).returncode == code
    assert before.read_bytes() == content
    two("fsck")


def test_stderr_that_takes_nothing_changes_nothing(two: Film) -> None:
    """Notes that cannot be written are not said; the work and the code are the same."""
    assert _run(two, "show", "v99", shell="2>/dev/full").returncode == 20
    assert _run(two, "commit", "-m", "Third", "--allow-empty", shell="2>/dev/full").returncode == 0


@pytest.mark.parametrize("words", [["--help"], ["--version"], [], ["commit", "--help"], ["completion", "bash"]])
def test_help_that_a_full_disk_refuses_is_lost_output(two: Film, words: list[str]) -> None:
    """What click itself writes is output like any other."""
    ran = _run(two, *words, shell=">/dev/full")
    assert ran.returncode == 48
    assert ran.stderr.count(b"Error: ") == 1


@pytest.mark.parametrize("words", [["reindex"], ["gc"], ["branch"], ["reindex", "--json"]])
def test_notes_of_the_work_that_cannot_be_written_do_not_end_it(two: Film, words: list[str]) -> None:
    """A log on a full disk behind stderr, also where the index has to be built anew on the way."""
    expected = _run(two, *words).returncode
    (two.root / ".aura/local/index.sqlite").unlink()
    assert _run(two, *words, shell="2>/dev/full").returncode == expected
    two("fsck")
