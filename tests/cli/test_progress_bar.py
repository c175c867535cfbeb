"""Progress: what is drawn, when, and where not."""

import subprocess
import sys
from pathlib import Path

import pytest
from aura_vcs.cli.output.humanize import age, count, duration, join_words, local_time, long_duration, size
from aura_vcs.cli.output.progress_bar import progress_line

from tests.cli.conftest import Film
from tests.cli.test_process import on_terminal

WORK = """
import sys, time
from aura_vcs.cli.output.console import Console
from aura_vcs.cli.output.progress_bar import ProgressMeter
meter = ProgressMeter(Console())
meter.start("Short", 10, "files")
meter.advance(10)
meter.finish()
meter.start("Reading\\x1b[31m", 4_000_000, "bytes")
for _ in range(4):
    time.sleep(0.4)
    meter.advance(1_000_000)
meter.note("Something to \\x1b[2Jknow")
meter.finish()
"""


@pytest.mark.parametrize(
    ("done", "total", "unit", "seconds", "line"),
    [
        (1_500_000, 3_000_000, "bytes", 3.0, "Storing: 50 %, 1.5 MB of 3.0 MB, 500.0 KB/s, 3 s left"),
        (20, 40, "files", 2.0, "Storing: 50 %, 20 files of 40 files, 10 files/s, 2 s left"),
        (7, None, "objects", 2.0, "Storing: 7 objects, 3 objects/s"),
        (0, 100, "bytes", 2.0, "Storing: 0 %, 0 bytes of 100 bytes, 0 bytes/s"),
        (120, 100, "bytes", 2.0, "Storing: 120 bytes, 60 bytes/s"),
        (100, 100, "bytes", 0.0, "Storing: 100 %, 100 bytes of 100 bytes, 0 bytes/s"),
    ],
)
def test_progress_has_rate_and_time_left(done: int, total: int | None, unit: str, seconds: float, line: str) -> None:
    """The line says how far, how fast and how long still, and never divides by nothing."""
    assert progress_line("Storing", done, total, unit, seconds) == line


def test_long_work_is_drawn_on_a_terminal(film: Film) -> None:
    """After a second there is a line that is wiped at the end; short phases draw nothing; notes are escaped."""
    film.env["PYTHONPATH"] = str(Path(__file__).parent.parent.parent)
    text, _ = on_terminal(film, [], command=[sys.executable, "-c", WORK])
    assert "Short" not in text
    assert "Reading\\x1b[31m: 75 %, 3.0 MB of 4.0 MB" in text
    assert "MB/s" in text
    assert "s left" in text
    assert "Something to \\x1b[2Jknow" in text
    assert text.splitlines()[-1].strip("\r ").endswith("know\x1b[0m")


def test_nothing_is_drawn_into_a_file() -> None:
    """Where stderr is not a terminal there are notes only."""
    done = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr == "Something to \\x1b[2Jknow\n"


def test_numbers_in_words() -> None:
    """Sizes, counts, times and lists read as a person says them."""
    assert [size(n) for n in (0, 1, 999, 1000, 14_200_000, 999_960, 10**15)] == [
        "0 bytes", "1 byte", "999 bytes", "1.0 KB", "14.2 MB", "1.0 MB", "1.0 PB",
    ]  # fmt: skip
    assert [duration(n) for n in (0.4, 59, 200, 7500)] == ["0 s", "59 s", "3 min 20 s", "2 h 5 min"]
    assert [long_duration(n) for n in (0, 90, 7200, 14 * 86400)] == ["0 seconds", "90 seconds", "2 hours", "14 days"]
    assert [count(1, "path"), count(2000, "path"), count(2, "copy", "copies")] == ["1 path", "2,000 paths", "2 copies"]
    assert [join_words("a"), join_words("ab"), join_words("abc"), join_words("")] == ["a", "a and b", "a, b and c", ""]


def test_times_that_are_none_are_shown_as_they_are() -> None:
    """A damaged record's time does not break a listing."""
    assert local_time("soon") == "soon"
    assert age("soon") == ""
    assert age("2020-01-01T00:00:00Z").endswith("years ago")
    assert age("2999-01-01T00:00:00Z").endswith("years from now")


def test_the_same_note_is_told_once(two: Film) -> None:
    """A HEAD that cannot be read is one note, however often it is asked for."""
    (two.root / ".aura/local/HEAD.json").write_text("{")
    assert two("log").stderr.count("HEAD could not be read") == 1
