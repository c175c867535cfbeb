"""The measurements run, at a tiny scale; how long anything takes is not looked at."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bench.data import cut_wav, media_blocks, move_moov_to_front, write_mp4, write_wav
from bench.machine import python_build
from bench.measure import CommandFailed, Sample, alternate, run, run_whole
from bench.setting import check_is_back, empty
from bench.table import Check, Row, markdown

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.skipif(shutil.which("git") is None, reason="rows are measured beside git")
def test_a_tiny_run_measures_its_rows_and_keeps_the_table(tmp_path):
    """A run measures what it is asked for beside git, says what was met, and leaves nothing but its table."""
    rows = ["first-commit", "checkout-files", "mp4-moov", "push-requests"]
    work, results = tmp_path / "work", tmp_path / "results"
    work.mkdir()
    options = ["--scale", "0.001", "--tools", "git", "--folder", str(work), "--results", str(results)]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *options, "--only", *rows],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kept = {row["name"]: row for row in json.loads(next(results.glob("*.json")).read_text())}
    assert set(rows) <= set(kept)
    assert {"aura", "git"} == set(kept["first-commit"]["times"])
    assert all(sample["seconds"] > 0 for sample in kept["first-commit"]["times"]["aura"]["samples"])
    assert "times faster than git" in done.stdout
    assert [check["bound"] for check in kept["push-requests"]["checks"]] == [6]
    assert next(results.glob("*.md")).read_text().strip() == done.stdout.strip()
    assert list(work.iterdir()) == []


def test_a_command_that_fails_is_no_measurement(tmp_path):
    """A measured command that does not succeed ends the run with its words."""
    with pytest.raises(CommandFailed, match="oh no"):
        run([sys.executable, "-c", "import sys; sys.exit('oh no')"], str(tmp_path), {})


def test_a_checkout_that_brings_nothing_back_is_no_measurement(tmp_path):
    """Where a folder was emptied, as many files must be in it afterwards."""
    full, aside = tmp_path / "full", tmp_path / "aside"
    (full / "scenes").mkdir(parents=True)
    (full / "scenes" / "a.json").write_text("{}")
    empty(str(full), str(aside))
    with pytest.raises(CommandFailed, match="0 of 1 files are back"):
        check_is_back(str(full), 1)
    shutil.copytree(aside, full, dirs_exist_ok=True)
    check_is_back(str(full), 1)


def test_tools_take_turns():
    """Every round begins with another tool, and a slow one takes part in fewer."""
    order = []

    def task(name):
        def record(number):
            order.append((number, name))
            return Sample(1.0)

        return record

    times = alternate({name: task(name) for name in "abc"}, 3, {"c": 1})
    assert "".join(name for _, name in order) == "abcbaab"
    assert [len(times[name].samples) for name in "abc"] == [3, 3, 1]


def test_data_is_the_same_every_time_and_does_not_compress():
    """The same seed gives the same media, another one other media, and zstd finds nothing in it."""
    import zstandard

    one, again, other = (b"".join(media_blocks(9 << 20, seed)) for seed in ("a", "a", "b"))
    assert len(one) == 9 << 20
    assert one == again
    assert one != other
    assert len(zstandard.compress(one, 3)) > 0.999 * len(one)


def test_moving_the_moov_keeps_the_samples(tmp_path):
    """The web-ready film has the same samples behind another head, with places that point at them."""
    write_mp4(str(tmp_path / "a.mp4"), 1 << 20, "film")
    move_moov_to_front(str(tmp_path / "a.mp4"), str(tmp_path / "b.mp4"))
    before, after = (tmp_path / "a.mp4").read_bytes(), (tmp_path / "b.mp4").read_bytes()
    assert len(before) == len(after)
    start = before.index(b"mdat") + 12
    moved = after.index(b"mdat") + 12
    assert before[start : start + (1 << 20)] == after[moved:]
    table = after.index(b"co64") + 12
    assert int.from_bytes(after[table : table + 8], "big") == moved


def test_a_cut_wav_is_shorter_by_the_cut(tmp_path):
    """Two seconds are gone from the middle, the rest is as it was, and the header says so."""
    write_wav(str(tmp_path / "a.wav"), 6, "sound")
    cut_wav(str(tmp_path / "a.wav"), str(tmp_path / "b.wav"), 2, 2)
    before, after = (tmp_path / "a.wav").read_bytes(), (tmp_path / "b.wav").read_bytes()
    second = 48_000 * 4
    assert len(before) - len(after) == 2 * second
    assert after[44:] == before[44 : 44 + 2 * second] + before[44 + 4 * second :]
    assert int.from_bytes(after[40:44], "little") == len(after) - 44


def test_the_table_says_what_was_met():
    """A bound that holds is met, one that does not is marked, in both directions."""
    row = Row("x", "work", checks=[Check("up", 2, 3), Check("up", 4, 3), Check("down", 4, 3, at_least=True)])
    text = markdown([row])
    assert text.count(": met") == 2
    assert text.count("**not met**") == 1


def test_the_python_build_is_named():
    """The table says whether Python was compiled with optimisation."""
    assert "profile-guided" in python_build()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux hands orphans to another process")
def test_what_a_command_did_not_wait_for_counts_too(tmp_path: Path) -> None:
    """A process that is ended with its children unwaited for took what they took."""
    busy = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    leaves = f"import subprocess, sys, os\nsubprocess.Popen([sys.executable, '-c', {busy!r}])\nos._exit(0)"
    env = dict(os.environ)
    assert run_whole([sys.executable, "-c", leaves], str(tmp_path), env).processor_seconds > 0.29
    assert run([sys.executable, "-c", "pass"], str(tmp_path), env).processor_seconds < 0.29
