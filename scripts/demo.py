"""The main job on a copy of the fixture project, command by command (`make demo`).

Everything printed after a `$` is a real command; what follows it is what it printed. Edits between
the commands are made by the functions here. The copy is removed at the end, unless `--keep`.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import wave
from pathlib import Path
from typing import Any

from demo_machines import between_machines

FIXTURE = Path(__file__).parent.parent / "fixtures" / "solar-system"
BRIEF = "brief.json"
SCENE = "scenes/050-mars.json"
PICTURE = "assets/images/050-mars.png"
TAKE = "assets/audio/050-mars-take-2.wav"
OTHER_PICTURE = "assets/images/080-saturn.png"


class Stage:
    """A scratch folder with the project, and `aura` to run in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(FIXTURE, root)

    def say(self, text: str) -> None:
        """A sentence about what comes next."""
        say(f"\n{text}")

    def aura(self, *arguments: str) -> None:
        """Show a command, run it, show its output; the demo ends if it fails."""
        shown = " ".join(f'"{argument}"' if " " in argument else argument for argument in arguments)
        say(f"$ aura {shown}")
        command = [sys.executable, "-c", "from aura_vcs.cli.entry import run; run()", "--no-pager", *arguments]
        done = subprocess.run(command, cwd=self.root, check=False)
        if done.returncode:
            sys.exit(f"aura {shown} ended with exit code {done.returncode}")

    def edit(self, path: str, **changes: Any) -> None:
        """Change fields of a document."""
        document = json.loads((self.root / path).read_text("utf-8"))
        document.update(changes)
        (self.root / path).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")

    def record(self, path: str, *, seconds: int) -> None:
        """A WAV file of noise."""
        rate = 44_100
        with wave.open(str(self.root / path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(random.Random(7).randbytes(2 * rate * seconds))

    def tone(self) -> str:
        """What the brief in the folder says now."""
        return str(json.loads((self.root / BRIEF).read_text("utf-8"))["tone"])


def say(text: str) -> None:
    """Print a line before what the next command prints."""
    print(text, flush=True)


def first_versions(stage: Stage) -> None:
    """Init, commit, edits, status, diff, commit, log."""
    stage.say("A folder with a film in the making: documents, scenes, pictures, sound. Make it a project:")
    stage.aura("init")
    stage.aura("commit", "-m", "First cut")

    stage.say("Now an afternoon of work: a new tone, a new line for Mars, another picture, a file renamed, one added.")
    stage.edit(BRIEF, tone="Dry, fast, a little sarcastic")
    stage.edit(SCENE, script_text="Mars is small, cold and red. We keep sending robots anyway.", duration_seconds=6.5)
    shutil.copyfile(stage.root / OTHER_PICTURE, stage.root / PICTURE)
    (stage.root / "scenes/100-closing.json").rename(stage.root / "scenes/100-goodbye.json")
    (stage.root / "notes.txt").write_text("Ask Ina about the music.\n", "utf-8")
    stage.say("What has changed?")
    stage.aura("status")
    stage.say("And what exactly?")
    stage.aura("diff")
    stage.say("Save that too, and look at the list of versions:")
    stage.aura("commit", "-m", "Dry humour")
    stage.aura("log")


def going_back(stage: Stage) -> None:
    """Checkout with unsaved work, return, restore, undo, redo."""
    stage.say("One more change, not saved yet. Then look at how it all began:")
    stage.edit(BRIEF, tone="Sarcastic, and in verse")
    stage.aura("checkout", "v1")
    say(f"  (the brief's tone is now: {stage.tone()})")
    stage.say("Back to the newest version, then fetch the unsaved brief out of the restore point:")
    stage.aura("checkout", "main")
    stage.aura("restore", "v3", BRIEF)
    say(f"  (the brief's tone is now: {stage.tone()})")
    stage.say("No, verse was a bad idea. Take that back:")
    stage.aura("undo")
    say(f"  (the brief's tone is now: {stage.tone()})")
    stage.say("The old picture of Mars was better, though. Bring back just that one file:")
    stage.aura("restore", "v1", PICTURE)
    stage.say("Undo and redo work for everything, also after a restart:")
    stage.aura("undo")
    stage.aura("redo")
    stage.aura("commit", "-m", "The real Mars")


def tidying(stage: Stage) -> None:
    """Delete a version, collect, verify."""
    stage.say("A second take of the narration is recorded, saved, and turns out to be useless:")
    stage.record(TAKE, seconds=12)
    stage.aura("commit", "-m", "Second take")
    (stage.root / TAKE).unlink()
    stage.aura("commit", "-m", "Without the second take")
    stage.say("That version only costs space. What would deleting it free?")
    stage.aura("version", "delete", "v7", "--dry-run")
    stage.aura("version", "delete", "v7")
    stage.aura("log", "--oneline")
    stage.say("What was deleted can be brought back for 14 days; gc keeps it that long:")
    stage.aura("gc", "--dry-run")
    stage.say("To have the space now, say that nothing shall be kept:")
    stage.aura("gc", "--grace", "0")
    stage.say("Is everything that was saved still whole? fsck reads and hashes all of it:")
    stage.aura("fsck")
    stage.say("And this is what is there now, restore points included:")
    stage.aura("log", "--all", "--oneline")
    stage.aura("storage")


def main() -> None:
    """Run every part in a scratch folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the scratch folder behind to look around in")
    keep = parser.parse_args().keep
    os.environ.setdefault("AURA_AUTHOR", "Ada")
    scratch = Path(tempfile.mkdtemp(prefix="aura-demo-"))
    try:
        stage = Stage(scratch / "solar-system")
        for part in (first_versions, going_back, tidying):
            part(stage)
        between_machines(stage.root)
        where = (
            f"The project is in {stage.root}." if keep else "`python scripts/demo.py --keep` leaves the project there."
        )
        stage.say(f"That was the main job. {where} Try `aura --help`.")
    finally:
        if not keep:
            shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
