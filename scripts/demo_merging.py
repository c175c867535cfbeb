"""Two people, one film: what they did apart joins by meaning (a part of `make demo`).

Everything printed after a `$` is a real command; what follows it is what it printed. Edits between
the commands are made by the functions here. All of it is removed at the end, unless `--keep`.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

FIXTURE = Path(__file__).parent.parent / "fixtures" / "solar-system"
BRIEF = "brief.json"
TIMELINE = "timeline.json"
JUPITER = "scenes/070-jupiter.json"
GIANT = "scenes/070-the-giant.json"
SATURN = "assets/images/080-saturn.png"
URANUS = "assets/images/090-ice-giants.png"


class Person:
    """Somebody with a copy of the project, and `aura` to run in it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder

    def aura(self, *arguments: str) -> None:
        """Show a command, run it, show its output; the demo ends if it fails."""
        shown = " ".join(f'"{argument}"' if " " in argument else argument for argument in arguments)
        print(f"{self.name} $ aura {shown}", flush=True)
        command = [sys.executable, "-c", "from aura_vcs.cli.entry import run; run()", "--no-pager", *arguments]
        env = {**os.environ, "AURA_AUTHOR": self.name}
        done = subprocess.run(command, cwd=self.folder, env=env, check=False)
        if done.returncode:
            sys.exit(f"aura {shown} ended with exit code {done.returncode}")

    def edit(self, path: str, **changes: Any) -> None:
        """Change fields of a document."""
        document = self.read(path)
        document.update(changes)
        self._write(path, document)

    def cut(self, change: Callable[[list[dict[str, Any]]], None]) -> None:
        """Change the scenes of the timeline; each begins where the one before ends."""
        document = self.read(TIMELINE)
        change(document["scenes"])
        start = 0.0
        for n, scene in enumerate(document["scenes"]):
            scene["index"], scene["start"] = n, _clock(start)
            start += _seconds(scene["duration"])
        self._write(TIMELINE, document)

    def read(self, path: str) -> Any:
        """A document as it is in the folder now."""
        return json.loads((self.folder / path).read_text("utf-8"))

    def copy(self, source: str, target: str) -> None:
        """Put one file in the place of another."""
        shutil.copyfile(self.folder / source, self.folder / target)

    def _write(self, path: str, document: Any) -> None:
        (self.folder / path).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"00:{int(minutes):02}:{rest:010.7f}"


def _seconds(clock: str) -> float:
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _trim_venus(scenes: list[dict[str, Any]]) -> None:
    scenes[2]["duration"] = _clock(5.5)


def _mars_before_earth(scenes: list[dict[str, Any]]) -> None:
    scenes.insert(3, scenes.pop(4))


def say(text: str) -> None:
    """A sentence about what comes next."""
    print(f"\n{text}", flush=True)


def working_apart(ada: Person) -> None:
    """Two branches with different work, and one field that both changed."""
    say("Ada has a film. Ben shall make it shorter, on a branch of his own:")
    ada.aura("init")
    ada.aura("commit", "-m", "First cut")
    ada.aura("branch", "shorter")
    say("Ben trims Venus, rewrites Jupiter, takes faster music, and wants the film short and dry:")
    ada.aura("checkout", "shorter")
    ada.cut(_trim_venus)
    ada.edit(JUPITER, script_text="Jupiter: two and a half times everything else together.")
    ada.copy("assets/music/slow-orbit.wav", "assets/music/quick-orbit.wav")
    ada.edit(TIMELINE, background_music_path="assets/music/quick-orbit.wav")
    ada.edit(BRIEF, tone="Short and dry")
    ada.aura("commit", "-m", "Shorter", "--author", "Ben")
    say("Ada moves Mars before Earth, gives Saturn another picture, Jupiter's file another name and the film a smile:")
    ada.aura("checkout", "main")
    ada.cut(_mars_before_earth)
    ada.copy(URANUS, SATURN)
    (ada.folder / JUPITER).rename(ada.folder / GIANT)
    ada.edit(BRIEF, tone="Dry, with a smile")
    ada.aura("commit", "-m", "Mars first")


def joining(ada: Person) -> None:
    """The plan, the merge, what it made."""
    say("What would joining them bring? This changes nothing:")
    ada.aura("merge", "shorter", "--dry-run")
    say("Then do it. What only people can decide is saved with the version, and nobody has to decide it now:")
    ada.aura("merge", "shorter")
    scenes = [scene["heading"] for scene in ada.read(TIMELINE)["scenes"]]
    print(f"  (the timeline is now: {', '.join(scenes)})")
    print(f"  (Jupiter says now: {ada.read(GIANT)['script_text']})")
    ada.aura("diff", "HEAD~1", "HEAD", "--", TIMELINE)
    say("Taken back and done again, as one step:")
    ada.aura("merge", "--abort")
    ada.aura("redo")
    ada.aura("status")


def deciding_elsewhere(ada: Person, ben: Person) -> None:
    """The conflict travels to another machine and is decided there."""
    say("The question is in the project. It goes with it, to Ben's machine:")
    ada.aura("remote", "add", "shared", "../film.aura")
    ada.aura("push")
    Person(ben.name, ben.folder.parent).aura("clone", "film.aura", ben.folder.name)
    ben.aura("resolve")
    ben.aura("resolve", "--theirs", f"{BRIEF}#/tone")
    ben.aura("commit", "-m", "Short and dry it is")
    ben.aura("push")
    say("Ada gets the answer:")
    ada.aura("pull")
    print(f"  (the brief's tone is now: {ada.read(BRIEF)['tone']})")
    ada.aura("resolve")


def looking_back(ada: Person) -> None:
    """Who decided what, and a page to show."""
    say("Who decided on the tone, and when? Who wrote what of Jupiter? And how did the lines run?")
    ada.aura("log", "--field", f"{BRIEF}#/tone")
    ada.aura("blame", GIANT)
    ada.aura("log", "--oneline", "--", GIANT)
    ada.aura("log", "--graph", "--oneline")
    say("To show somebody: a page with timelines, pictures and words side by side.")
    ada.aura("diff", "v1", "HEAD", "--html", str(ada.folder.parent / "report.html"))


def main() -> None:
    """Run every part in a scratch folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the scratch folder behind to look around in")
    keep = parser.parse_args().keep
    scratch = Path(tempfile.mkdtemp(prefix="aura-demo-"))
    os.environ["AURA_HOME"] = str(scratch / "studio")
    try:
        ada, ben = Person("Ada", scratch / "solar-system"), Person("Ben", scratch / "bens-copy")
        shutil.copytree(FIXTURE, ada.folder)
        working_apart(ada)
        joining(ada)
        deciding_elsewhere(ada, ben)
        looking_back(ada)
        where = f"Everything is in {scratch}." if keep else "`python scripts/demo_merging.py --keep` leaves it there."
        say(f"That was joining. {where} docs/merging.md tells it at length.")
    finally:
        if not keep:
            shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
