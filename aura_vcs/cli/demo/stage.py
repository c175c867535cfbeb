"""What the parts of the tour stand on: a scratch folder, people in it, and commands that are shown and run.

Everything printed after a `$` is a real command; what follows it is what it printed. Edits between
the commands are made by the parts themselves, as a person or an editor would make them.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aura_vcs.errors import AuraError

COMMAND = [sys.executable, "-P", "-m", "aura_vcs", "--no-pager"]
"""`aura` of this installation, whatever PATH leads to."""


def sample_project() -> Path:
    """Return the sample project: part of the wheel, and in a clone the folder that it is made from.

    Raises:
        AuraError: this installation has none.
    """
    inside = Path(__file__).parent / "solar-system"
    beside = Path(__file__).parents[3] / "fixtures" / "solar-system"
    for found in (inside, beside):
        if found.is_dir():
            return found
    raise AuraError(f"The sample project is not where it was installed: {inside}", hint="Install aura_vcs again.")


def copy_sample(target: Path) -> None:
    """Copy the sample project to a new folder, writable whatever the installation is.

    Raises:
        AuraError: something is there already, or this installation has no sample project.
    """
    if target.exists() or target.is_symlink():
        raise AuraError(f"{target} already exists", hint="Name a folder that does not exist yet.")
    shutil.copytree(sample_project(), target, copy_function=shutil.copyfile)


class Person:
    """Somebody in a folder, who types commands; `prompt` is what stands before the `$`."""

    def __init__(self, stage: "Stage", folder: Path, author: str, prompt: str = "") -> None:
        self.stage, self.folder, self.author, self.prompt = stage, folder, author, prompt

    def aura(self, *arguments: str, code: int = 0, text: str | None = None, where: Path | None = None) -> None:
        """Show a command, run it, show its output.

        Raises:
            AuraError: it did not end with the exit code `code`; the tour ends.
        """
        shown = " ".join(_quoted(argument) for argument in arguments)
        self.stage.write(f"{self.prompt}$ aura {shown}")
        environment = {**self.stage.environment, "AURA_AUTHOR": self.author}
        folder = where or (self.folder if self.folder.is_dir() else self.stage.root)
        ended = self.stage.run(arguments, folder, environment, text)
        if ended != code:
            raise AuraError(f"aura {shown} ended with exit code {ended}", hint="Please report this.")

    def data(self, *arguments: str) -> Any:
        """Run a command without showing it, and return what it prints with `--json`."""
        environment = {**self.stage.environment, "AURA_AUTHOR": self.author}
        done = subprocess.run(
            [*COMMAND, *arguments, "--json"], cwd=self.folder, env=environment, capture_output=True, check=True
        )
        return json.loads(done.stdout)

    def read(self, path: str) -> Any:
        """Return a document as it is in the folder now."""
        return json.loads((self.folder / path).read_text("utf-8"))

    def write(self, path: str, document: Any) -> None:
        """Write a document as editors do."""
        (self.folder / path).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")

    def edit(self, path: str, **changes: Any) -> None:
        """Change fields of a document."""
        self.write(path, {**self.read(path), **changes})

    def copy(self, source: str, target: str) -> None:
        """Put one file in the place of another."""
        shutil.copyfile(self.folder / source, self.folder / target)


class Stage:
    """A scratch folder that is a home of its own: nothing of the person's is read or written.

    `write` prints a line; `pause` is called before every new paragraph and may end the tour by raising.
    """

    def __init__(self, root: Path, write: Callable[[str], None], pause: Callable[[], None]) -> None:
        self.root, self.write, self._pause = root, write, pause
        self.begun = False
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AURA_", "XDG_"))}
        homes = {"HOME": str(root), "USERPROFILE": str(root), "AURA_HOME": str(root / "studio"), "AURA_NO_HELPER": "1"}
        self.environment = {**kept, **homes, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}

    def say(self, text: str) -> None:
        """Say what comes next, as a new paragraph."""
        if self.begun:
            self._pause()
        self.begun = True
        self.write("")
        self.write(text)

    def run(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], text: str | None) -> int:
        """Run a command as a process of its own, which prints for itself; return its exit code."""
        done = subprocess.run(
            [*COMMAND, *arguments], cwd=folder, env=environment, input=text, text=True, encoding="utf-8", check=False
        )
        return done.returncode

    def person(self, name: str, folder: str, prompt: str = "") -> Person:
        """Return somebody who works in this folder of the scratch folder."""
        return Person(self, self.root / folder, name, prompt)


def _quoted(argument: str) -> str:
    if '"' in argument:
        return f"'{argument}'"
    return f'"{argument}"' if " " in argument else argument
