"""Running `aura`: in this process for most tests, as a process of its own where that matters."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.cli.main import cli
from click.testing import CliRunner

from tests.helpers.project import write

AURA = [sys.executable, "-P", "-c", "from aura_vcs.cli.entry import run; run()"]
"""The command as a process. As in the installed one, the current folder is no place for modules (`-P`): where it was
deleted, Python 3.13.0 could not import some otherwise."""


class Ran:
    """What a run of `aura` printed, and how it ended."""

    def __init__(self, stdout: bytes, stderr: str, code: int) -> None:
        self.bytes = stdout
        self.stderr = stderr
        self.code = code

    @property
    def out(self) -> str:
        """Standard output as text."""
        return self.bytes.decode()

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.bytes)


Aura = Callable[..., Ran]


class Film:
    """A project folder and `aura` in it."""

    def __init__(self, root: Path, env: dict[str, str]) -> None:
        self.root = root
        self.env = env

    def __call__(
        self, *arguments: str, code: int | None = 0, text: str | None = None, env: dict[str, str] | None = None
    ) -> Ran:
        """Run `aura` in this process; fails if it does not end with `code` (None: with any)."""
        runner = CliRunner(env={**self.env, **(env or {})})
        result = runner.invoke(cli, ["-C", str(self.root), *arguments], input=text)
        ran = Ran(result.stdout_bytes, result.stderr, result.exit_code)
        assert code is None or ran.code == code, (
            f"aura {arguments} ended with {ran.code}\n{result.stdout}\n{result.stderr}"
        )
        return ran

    def data(self, *arguments: str, code: int = 0) -> Any:
        """Run `aura … --json` and return what it printed."""
        place = arguments.index("--") if "--" in arguments else len(arguments)
        return self(*arguments[:place], "--json", *arguments[place:], code=code).json

    def write(self, files: dict[str, str | bytes]) -> None:
        """Write files of the project."""
        write(self.root, files)

    def commit(self, name: str, files: dict[str, str | bytes] | None = None) -> Any:
        """Write files and commit; returns V."""
        self.write(files or {})
        made = self.data("commit", "-m", name)["version"]
        assert made is not None
        return made

    def read(self, path: str) -> str:
        """A file of the project."""
        return (self.root / path).read_text()


def new_film(home: Path) -> Film:
    """Make a small project with nothing committed, in a folder that is its person's home."""
    environment = {"AURA_AUTHOR": "Ada", "HOME": str(home), "NO_COLOR": "", "TZ": "UTC"}
    found = Film(home / "film", environment)
    found.root.mkdir()
    found.write(
        {
            "brief.json": json.dumps({"topic": "Tides", "tone": "calm"}),
            "scenes/010-opening.json": json.dumps({"id": "s1", "index": 0, "script_text": "The sea rises."}),
            "assets/sky.png": os.urandom(3000),
            "notes.txt": "one\ntwo\nthree\n",
        }
    )
    found("init", "--title", "Tides")
    return found


@pytest.fixture
def film(quick_path: Path) -> Film:
    """A small project with nothing committed."""
    return new_film(quick_path)


@pytest.fixture
def two(film: Film) -> Film:
    """A small project with two versions."""
    film.commit("First cut")
    film.commit("Second cut", {"brief.json": json.dumps({"topic": "Tides", "tone": "wild"})})
    return film
