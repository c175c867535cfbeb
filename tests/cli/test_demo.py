"""The tour runs and tells the story it promises; it touches nothing, and leaves nothing."""

import os
import pty
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import chdir
from pathlib import Path

import pytest
from aura_vcs.cli.demo.basics import basics
from aura_vcs.cli.demo.merging import merging
from aura_vcs.cli.demo.notes import notes
from aura_vcs.cli.demo.stage import Stage, sample_project
from aura_vcs.cli.demo.studio import studio
from aura_vcs.cli.main import cli
from click.testing import CliRunner

from tests.helpers.terminal import readable

DEMO = [sys.executable, "-P", "-m", "aura_vcs", "demo"]
PARTS = {"basics": basics, "merging": merging, "notes": notes, "studio": studio}


class Shown:
    """What a part of the tour printed, and what it warned of."""

    def __init__(self, stdout: str, stderr: str) -> None:
        self.stdout, self.stderr = stdout, stderr


class OneProcess(Stage):
    """A stage whose commands run in this process, one after the other."""

    def __init__(self, root: Path) -> None:
        self.lines: list[str] = []
        self.warnings: list[str] = []
        super().__init__(root, self.lines.append, lambda: None)

    def run(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], text: str | None) -> int:
        """See Stage."""
        with chdir(folder):
            done = CliRunner(env=environment).invoke(cli, ["--no-pager", *arguments], input=text)
        self.lines.append(done.stdout)
        self.warnings.append(done.stderr)
        return done.exit_code


def _play(part: str, folder: Path) -> Shown:
    stage = OneProcess(folder)
    PARTS[part](stage)
    return Shown("\n".join(stage.lines), "\n".join(stage.warnings))


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DEMO, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={"TMPDIR": str(folder), "HOME": str(folder), "PATH": os.environ["PATH"]},
    )


@pytest.mark.slow
def test_all_of_it_runs_as_processes(tmp_path: Path) -> None:
    """Whoever types `aura demo` sees all four parts, and nothing is left behind."""
    done = _run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "That was the tour" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_demo_runs(tmp_path: Path) -> None:
    """Every step of the main job is shown, in order."""
    done = _play("basics", tmp_path)
    commands = [line for line in done.stdout.splitlines() if line.startswith("$ aura ")]
    verbs = [line.split()[2] for line in commands]
    wanted = ["init", "commit", "status", "diff", "commit", "log", "checkout", "checkout", "restore", "undo", "redo"]
    wanted += ["version", "gc", "fsck", "log", "storage"]
    remaining = iter(verbs)
    assert all(verb in remaining for verb in wanted), verbs
    assert "Everything is intact" in done.stdout
    assert "Redid: Restored v1 (assets/images/050-mars.png)" in done.stdout
    assert "Freed" in done.stdout
    assert "Error" not in done.stdout
    between = done.stdout.partition("A second machine joins")[2]
    shown = [line.split("$ aura ")[0] + " " + line.split()[2] for line in between.splitlines() if "$ aura " in line]
    story = ["laptop remote", "laptop push", "desktop clone", "laptop commit", "desktop commit", "laptop push"]
    story += ["desktop push", "desktop sync", "laptop sync", "laptop lock"]
    story += ["desktop lock", "desktop commit", "desktop push", "laptop unlock"]
    coming = iter([*story, "couch clone", "couch sync", "desk status", "desk sync"])
    wanted_next = next(coming)
    for line in shown:
        if line == wanted_next:
            wanted_next = next(coming, "")
    assert wanted_next == ""
    assert "with yours: v" in between
    assert "Both sides have everything" in between
    assert done.stderr.count("Error") == 3  # a push that would move a branch apart, two that a lock refuses


def test_the_merging_part_runs(tmp_path: Path) -> None:
    """Script, trim, move, picture, music and a new name join; one question is answered on another machine."""
    done = _play("merging", tmp_path)
    commands = [line.split(" $ aura ")[1] for line in done.stdout.splitlines() if " $ aura " in line]
    remaining = iter(command.split()[0] for command in commands)
    wanted = ["init", "commit", "branch", "checkout", "commit", "merge", "merge", "diff", "merge", "redo", "status"]
    wanted += ["push", "clone", "resolve", "commit", "push", "pull", "resolve", "log", "blame", "log", "diff"]
    assert all(verb in remaining for verb in wanted), commands
    for said in (
        "timeline.json  merged by clip",
        "Jupiter says now: Jupiter: two and a half times",
        "the brief's tone is now: Short and dry",
        "No conflict is open.",
    ):
        assert said in done.stdout
    assert done.stdout.count("1 conflict left open") == 2
    assert "Error" not in done.stdout + done.stderr


def test_the_notes_part_runs(tmp_path: Path) -> None:
    """A generated picture with its prompt, a note at a second, the fix, the note resolved, the cost."""
    done = _play("notes", tmp_path)
    for said in (
        "prompt           Mars at noon, red dust",
        "the orbits turn too fast here",
        "same model, prompt, negative prompt, parameters, other seed",
        "resolved by Ada",
        "0.08 EUR  dust-1  2 files",
    ):
        assert said in done.stdout
    assert "Error" not in done.stdout + done.stderr


def test_the_studio_part_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """From a template to a video, through a renderer that died; no secret is shown."""
    done = _play("studio", tmp_path)
    commands = [line for line in done.stdout.splitlines() if line.startswith("$ aura ")]
    remaining = iter(line.split()[2] for line in commands)
    wanted = ["setup", "template", "init", "commit", "scene", "project", "autosave", "restore-point", "version"]
    wanted += ["search", "prune", "recover", "checkpoint", "undo", "ops", "export", "config", "template", "projects"]
    assert all(verb in remaining for verb in wanted), commands
    for said in (
        "assets/mars.png does not exist",
        "A comet is a dirty [snowball]",
        "brought back exports/part.bin",
        "Completed  v2 as Draft Preview",
        "Saved checkpoint Render 3/5",
    ):
        assert said in done.stdout
    assert "renderer: scene 3 of 5" in capfd.readouterr().out  # a program of its own
    assert "sk-demo" not in done.stdout + done.stderr
    assert "no keyring works here" in done.stderr


def test_the_sample_project_can_be_had(tmp_path: Path) -> None:
    """`aura demo --sample` copies it into a new folder, and nowhere else."""
    done = _run(tmp_path, "--sample", "my-video")
    assert done.returncode == 0, done.stderr
    made = sorted(path.relative_to(tmp_path / "my-video") for path in (tmp_path / "my-video").rglob("*"))
    assert made == sorted(path.relative_to(sample_project()) for path in sample_project().rglob("*"))
    (tmp_path / "my-video" / "brief.json").write_text("mine")
    again = _run(tmp_path, "--sample", "my-video")
    assert again.returncode != 0
    assert "already exists" in again.stderr
    assert (tmp_path / "my-video" / "brief.json").read_text() == "mine"


def test_on_a_terminal_it_waits_and_may_be_ended(tmp_path: Path) -> None:
    """After a step it waits for Enter; q ends it, and the scratch folder goes."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execve(sys.executable, DEMO, {"TMPDIR": str(tmp_path), "HOME": str(tmp_path), "NO_COLOR": "1"})
    shown = _read_until(terminal, "q ends: ")
    assert "$ aura commit" in shown
    os.write(terminal, b"\n")
    assert "What has changed?" in _read_until(terminal, "q ends: ") + _again(terminal)
    os.write(terminal, b"q\n")
    assert "Ended." in _read_until(terminal, "Ended.")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(terminal)
    assert list(tmp_path.iterdir()) == []


def _again(terminal: int) -> str:
    os.write(terminal, b"\n")
    return _read_until(terminal, "q ends: ")


def _read_until(terminal: int, text: str) -> str:
    read = ""
    while text not in read:
        assert readable(terminal, 60), read
        read += os.read(terminal, 65_536).decode()
    return read
