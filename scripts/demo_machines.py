"""The part of the demo with two machines: one project, a folder that both reach, and nothing lost.

The prompts name the machine; both are folders beside each other here.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

REMOTE = "../nas/solar-system.aura"
VOICE = "voice.json"
SATURN = "scenes/080-saturn.json"
CLIP = "assets/video/orbits.mp4"
COMMAND = [sys.executable, "-c", "from aura_vcs.cli.entry import run; run()", "--no-pager"]


class Machine:
    """Somebody at a machine, in the folder with their copy of the project."""

    def __init__(self, name: str, person: str, root: Path) -> None:
        self.name = name
        self.person = person
        self.root = root

    def aura(self, *arguments: str, code: int = 0, where: Path | None = None) -> None:
        """Show a command, run it, show its output; the demo ends if its exit code is not `code`."""
        shown = " ".join(_quoted(argument) for argument in arguments)
        print(f"{self.name}$ aura {shown}", flush=True)
        environment = {**os.environ, "AURA_AUTHOR": self.person}
        done = subprocess.run([*COMMAND, *arguments], cwd=where or self.root, env=environment, check=False)
        if done.returncode != code:
            sys.exit(f"aura {shown} ended with exit code {done.returncode}")

    def edit(self, path: str, **changes: Any) -> None:
        """Change fields of a document."""
        file = self.root / path
        document = json.loads(file.read_text("utf-8"))
        document.update(changes)
        file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _quoted(argument: str) -> str:
    if '"' in argument:
        return f"'{argument}'"
    return f'"{argument}"' if " " in argument else argument


def say(text: str) -> None:
    """A sentence about what comes next."""
    print(f"\n{text}", flush=True)


def between_machines(project: Path) -> None:
    """Laptop and desktop: send, clone, work apart, be told, sync, join, lock."""
    laptop = Machine("laptop", "Ada", project)
    desktop = Machine("desktop", "Ben", project.parent / "desktop")
    (project.parent / "nas").mkdir()
    sharing(laptop, desktop)
    coming_apart(laptop, desktop)
    locking(laptop, desktop)


def sharing(laptop: Machine, desktop: Machine) -> None:
    """A remote in a folder, a push, a clone."""
    say("A second machine joins. All that both need is a folder that both can reach, on a NAS for example:")
    laptop.aura("remote", "add", "origin", REMOTE)
    laptop.aura("config", "set", "locks.patterns", '["*.mp4"]', "--project")
    laptop.aura("push")
    say("At the desktop Ben gets the whole project, with all its versions:")
    desktop.aura("clone", "nas/solar-system.aura", "desktop", where=desktop.root.parent)


def coming_apart(laptop: Machine, desktop: Machine) -> None:
    """Two commits on one version, a refused push, a sync, a merge."""
    say("Both work on a train, without a network: Ada makes the voice slower, Ben rewrites Saturn.")
    laptop.edit(VOICE, rate=0.94)
    laptop.aura("commit", "-m", "Slower voice")
    desktop.edit(SATURN, script_text="Saturn: the one with the rings. Everybody's favourite.")
    desktop.aura("commit", "-m", "Saturn rewritten")
    say("Ada is the first to be back. Ben's push would move the branch apart, so nothing is moved:")
    laptop.aura("push")
    desktop.aura("push", code=97)
    say("`aura sync` settles it. Both versions are kept, on both sides, and the two are joined when one likes:")
    desktop.aura("sync", code=3)
    desktop.aura("log", "--graph", "--oneline", "-n", "4")
    desktop.aura("merge")
    desktop.aura("sync")
    say("Ada gets what Ben made. After that there is nothing to do:")
    laptop.aura("sync")
    laptop.aura("sync")


def locking(laptop: Machine, desktop: Machine) -> None:
    """A clip that cannot be merged: locked, refused, unlocked."""
    say("A clip cannot be merged. Who works on one says so, and of two people exactly one gets it:")
    laptop.aura("lock", CLIP, "--reason", "new colours", "--expires", "8h")
    desktop.aura("lock", CLIP, code=100)
    say("Who forgets to ask is told when he commits, and cannot push over it:")
    shutil.copyfile(desktop.root / "assets/music/slow-orbit.wav", desktop.root / CLIP)
    desktop.aura("commit", "-m", "Another clip")
    desktop.aura("push", code=100)
    desktop.aura("undo")
    desktop.aura("restore", "HEAD", CLIP)
    laptop.aura("unlock", CLIP)
