"""A newcomer's first week at a terminal: from the first word to a second machine, with the words that people know."""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pexpect = pytest.importorskip("pexpect")
if sys.platform == "win32":
    pytest.skip("needs a terminal", allow_module_level=True)

PROMPT = "READY>"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """A shell on a terminal, and a person who types into it."""

    def __init__(self, home: Path, folder: Path) -> None:
        program = home / "bin" / "aura"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m aura_vcs "$@"\n')
        program.chmod(0o755)
        environment = {
            "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(home), "PS1": PROMPT,
            "AURA_HOME": str(home / "studio"), "TERM": "xterm", "LC_ALL": "C.UTF-8", "TZ": "UTC", "PAGER": "cat",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""), "AURA_NO_HELPER": "1",
        }  # fmt: skip
        self.shell = pexpect.spawn(
            "bash", ["--norc", "--noprofile"], cwd=str(folder), env=environment, encoding="utf-8", timeout=60,
            echo=False, dimensions=(50, 200), use_poll=True,  # `select` takes no descriptor above 1023
        )  # fmt: skip
        self.shell.expect_exact(PROMPT)

    def __call__(self, line: str, *answers: tuple[str, str]) -> str:
        """Type a line, and an answer to each question when it comes; returns all that was said."""
        self.shell.sendline(line)
        said = ""
        for question, answer in answers:
            self.shell.expect_exact(question)
            said += self.shell.before + question
            self.shell.send(answer) if answer == "\x03" else self.shell.sendline(answer)
        self.shell.expect_exact(PROMPT)
        return ESCAPES.sub("", said + self.shell.before)


def cut(frames: int, name: str = "Harbour at dawn") -> str:
    """An editor's timeline with one clip of so many frames, at 24 a second."""
    length = {"OTIO_SCHEMA": "RationalTime.1", "value": frames, "rate": 24}
    start = {"OTIO_SCHEMA": "RationalTime.1", "value": 0, "rate": 24}
    span = {"OTIO_SCHEMA": "TimeRange.1", "start_time": start, "duration": length}
    clips = [{"OTIO_SCHEMA": "Clip.1", "name": name, "source_range": span}]
    track = {"OTIO_SCHEMA": "Track.1", "kind": "Video", "children": clips}
    stack = {"OTIO_SCHEMA": "Stack.1", "children": [track]}
    return json.dumps({"OTIO_SCHEMA": "Timeline.1", "name": "film", "tracks": stack})


@pytest.fixture
def week(quick_path: Path) -> Iterator[tuple[Terminal, Path]]:
    """A home with a `.gitconfig`, a film that is not a project yet, and a terminal in its folder."""
    home, film = quick_path / "home", quick_path / "film"
    for folder in (home, film / "sound", film / "stills"):
        folder.mkdir(parents=True)
    (home / ".gitconfig").write_text("[user]\n\tname = Mara Lind\n\temail = mara@example.org\n")
    (film / "cut.otio").write_text(cut(96))
    (film / "notes.md").write_text("# Notes\n\nThe gulls are too loud.\n")
    (film / "sound" / "waves.wav").write_bytes(os.urandom(150_000))
    (film / "stills" / "map.png").write_bytes(os.urandom(2_000))
    terminal = Terminal(home, film)
    yield terminal, film
    terminal.shell.close(force=True)


def test_a_week(week: tuple[Terminal, Path]) -> None:
    """Every line is what somebody typed who knew no command of ours, and what helped them on."""
    aura, film = week
    # Monday: a project, the first version, and who makes it.
    assert "aura " in aura("aura --version")
    page = aura("aura help")
    assert "save" in page
    assert "Making the video" not in page  # this film has none of the studio's documents
    aura("aura init")
    answers = (
        ("Your name [Mara Lind]", ""),
        ("[mara@example.org]", ""),
        ("What is this version called [First cut]", ""),
    )
    said = aura("aura save", *answers)
    assert 'Committed v1 "First cut" on main' in said
    assert "new on disk" in said
    assert "Mara Lind <mara@example.org>" in aura("aura whoami")
    # Tuesday: a day's work, named by what was done; a name too many, and one forgotten file.
    (film / "cut.otio").write_text(cut(72))
    (film / "sound" / "music").mkdir()
    (film / "sound" / "music" / "theme.wav").write_bytes(os.urandom(300_000))
    said = aura("aura status")
    assert "theme.wav  300.0 KB" in said
    said = aura("aura save", ("called [Trimmed 1 clip, new music]", ""))
    assert 'Committed v2 "Trimmed 1 clip, new music"' in said
    (film / "notes.md").write_text("# Notes\n\nThe gulls are fine now.\n")
    assert "Amended v2 as v3" in aura("aura commit --amend")
    assert "v2" not in aura("aura history --oneline")
    # Wednesday: words of other programs, something deleted by mistake, a second thought.
    assert "Here it is `aura restore-point`" in aura("aura stash")
    assert "`aura commit --help`" in aura("aura commit -m")
    (film / "sound" / "waves.wav").unlink()
    assert "Brought back sound of HEAD" in aura("aura restore sound")
    assert (film / "sound" / "waves.wav").stat().st_size == 150_000
    (film / "stills" / "map.png").write_bytes(b"scribble")
    assert "Brought back stills/map.png" in aura("aura checkout stills/map.png")
    assert "sound/" in aura("aura ls")
    assert "Stopped; nothing was saved." in aura("echo more >> notes.md; aura save", ("called [", "\x03"))
    # Thursday: another way of telling it, and both together.
    assert "Started the branch shorter" in aura("aura switch -c shorter")
    (film / "cut.otio").write_text(cut(24))
    (film / "notes.md").write_text("# Notes\n\nThe gulls are gone.\n")
    aura('aura save -m "Shorter"')
    aura("aura switch main")
    (film / "cut.otio").write_text(cut(60))
    aura('aura save -m "A little shorter"')
    said = aura("aura merge shorter")
    assert "1  cut.otio#" in said
    said = aura("aura resolve", ("or (q)uit", "t"))
    assert "3.0 s" in said or "1.0 s" in said
    assert "No conflict is left" in said
    assert "Undid: Resolved" in aura("aura undo")
    aura("aura resolve", ("or (q)uit", "t"))
    assert "on main" in aura('aura save -m "Both"')
    # Friday: where was that, what came of it, and off to the other machine.
    said = aura("aura search gulls loud")
    assert "v1:notes.md" in said
    assert "only in v1" in said
    assert "v1" in aura("aura log --since yesterday --oneline")
    assert "cut.otio" in aura("aura diff v1 cut.otio")
    aura("aura remote add nas ../nas")
    assert "not sent to nas" in aura("aura status")
    assert "to nas" in aura("aura sync")
    assert "not sent" not in aura("aura status")
    aura("aura clone ../nas ../other")
    assert (film.parent / "other" / "notes.md").read_text() == (film / "notes.md").read_text()
    assert "Careful" not in aura("aura fsck")
