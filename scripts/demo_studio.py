"""The studio, from a template to an exported video, command by command (a part of `make demo`).

Everything printed after a `$` is a real command; what follows it is what it printed. It has a
scratch studio of its own: nothing of yours is read or written. All of it is removed at the end,
unless `--keep`.
"""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FIXTURE = Path(__file__).parent.parent / "fixtures" / "solar-system"
PICTURES = ("010-opening.png", "020-the-sun.png", "030-mercury-and-venus.png", "040-earth.png", "050-mars.png")
SOUND = "assets/audio/010-opening.wav"

RENDERER = """
import os, signal
from aura_vcs import Repository
from aura_vcs.project.records.checkpoint_store import writer_for

with Repository.open() as repo:
    writer = writer_for(repo, job_id="job-7")
os.makedirs("exports", exist_ok=True)
for scene in range(5):
    with open("exports/part.bin", "ab") as part:
        part.write(b"frames of a scene")
    done = writer.save(
        "Render", completed=scene + 1, total=5, data={"next": scene + 1}, output="exports/part.bin", keep_output=True
    )
    print(f"  renderer: scene {scene + 1} of 5, saved as {done.id[:8]}", flush=True)
    if scene == 2:
        os.truncate("exports/part.bin", 5)  # the next scene is half written when the power goes
        os.kill(os.getpid(), signal.SIGKILL)
"""


class Stage:
    """A scratch folder with a studio in it, and `aura` to run there."""

    def __init__(self, scratch: Path) -> None:
        self.root = scratch
        self.film = scratch / "comet"
        home = {"HOME": str(scratch), "AURA_HOME": str(scratch / "studio"), "AURA_AUTHOR": "Mira"}
        self.env = {**os.environ, **home, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}

    def say(self, text: str) -> None:
        """A sentence about what comes next."""
        print(f"\n{text}", flush=True)

    def aura(self, *arguments: str, code: int = 0, text: str | None = None) -> None:
        """Show a command, run it, show its output; the demo ends if it does not end with `code`."""
        words = " ".join(f'"{argument}"' if " " in argument else argument for argument in arguments)
        print(f"$ aura {words}", flush=True)
        command = [sys.executable, "-c", "from aura_vcs.cli.entry import run; run()", "--no-pager", *arguments]
        folder = self.film if self.film.is_dir() else self.root
        done = subprocess.run(command, cwd=folder, env=self.env, input=text, text=True, check=False)
        if done.returncode != code:
            sys.exit(f"aura {words} ended with exit code {done.returncode}")

    def edit(self, path: str, **changes: object) -> None:
        """Change fields of a document by hand, as an editor would."""
        document = json.loads((self.film / path).read_text("utf-8"))
        document.update(changes)
        (self.film / path).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")

    def scene_file(self, number: int) -> str:
        """The document of a scene."""
        return f"scenes/{sorted(path.name for path in (self.film / 'scenes').iterdir())[number]}"


def beginning(stage: Stage) -> None:
    """Setup, templates, a project from one, scenes with pictures."""
    stage.say("A new machine. Tell aura once who you are; in a terminal, `aura setup` asks.")
    stage.aura("setup", "--name", "Mira", "--output", str(stage.root / "Videos"), "--unattended")
    stage.say("Begin a short film with a template:")
    stage.aura("template", "list")
    stage.aura("init", "comet", "--template", "social-short", "--title", "Comets", "--topic", "comets")
    stage.aura("commit", "-m", "From the template")
    stage.aura("scene", "list")
    stage.say("Pictures and a voice arrive; the scenes are given them. Every change is one undo.")
    (stage.film / "assets").mkdir()
    for name in PICTURES:
        shutil.copyfile(FIXTURE / "assets" / "images" / name, stage.film / "assets" / name)
    shutil.copyfile(FIXTURE / SOUND, stage.film / "assets" / "voice.wav")
    stage.aura("scene", "set", "0", "image_file_path=assets/010-opening.png", "audio_file_path=assets/voice.wav")
    for number, name in enumerate(PICTURES[1:], start=1):
        stage.aura("scene", "set", str(number), f"image_file_path=assets/{name}", "duration_seconds=1")
    stage.aura("scene", "remove", "4")
    stage.aura("undo")
    stage.aura("scene", "set", "0", "heading=They come from far away", "duration_seconds=2.5")
    stage.say("What is wrong with it? Nothing of that keeps it from being saved.")
    stage.aura("scene", "set", "3", "image_file_path=assets/mars.png")
    stage.aura("project", "check", code=3)
    stage.aura("undo")
    stage.aura("commit", "-m", "With pictures")


def saving(stage: Stage) -> None:
    """Autosaves, restore points, what they are worth, and words of old versions."""
    stage.say("While you work, `aura autosave --watch` saves beside your branch. Once, by hand:")
    stage.edit(stage.scene_file(1), script_text="A comet is a dirty snowball.")
    stage.aura("autosave")
    stage.aura("autosave")
    stage.say("A program is about to rewrite everything, and says so before:")
    stage.aura("restore-point", "PreScriptRegeneration")
    stage.edit(stage.scene_file(1), script_text="Comets are leftovers of the beginning.")
    stage.aura("commit", "-m", "New script")
    stage.aura("version", "list")
    stage.aura("version", "compare", "v2", "HEAD")
    stage.say("Where was that line about the snowball?")
    stage.aura("search", "snowball")
    stage.say("Old autosaves go by themselves. Which would, and why do the others stay?")
    stage.aura("prune", "--dry-run")


def dying(stage: Stage) -> None:
    """A renderer that dies, and goes on."""
    stage.say("A renderer works scene by scene, saves a checkpoint after each, and is killed in the fourth:")
    stage.aura("project", "set", "status=InProgress", "current_stage=Render", "job_id=job-7")
    killed = subprocess.run([sys.executable, "-c", RENDERER], cwd=stage.film, env=stage.env, check=False)
    if killed.returncode == 0:
        sys.exit("the renderer was not killed")
    stage.aura("project", "set", "status=Failed", "error_message=the power went")
    stage.aura("recover", "--list")
    stage.say("Go on from the newest checkpoint: its data, and the file as it was then.")
    stage.aura("recover")
    stage.aura("project", "show")
    stage.say("The first scene was cut again since: nothing shall be resumed from. And that can be taken back, too.")
    stage.aura("checkpoint", "invalidate", "--all", "--reason", "scene 1 was cut again")
    stage.aura("undo")
    stage.aura("ops", "--all", "-n", "8")


def exporting(stage: Stage) -> None:
    """A video of one exact version."""
    if importlib.util.find_spec("av") is None:
        stage.say('(Exports need the extra: pip install "aura-vcs[media]")')
        return
    stage.say("Make the video of the version with the old script. The folder is neither read nor changed.")
    stage.aura("export", "run", "v2", "--preset", "Draft Preview", "-o", str(stage.root / "comets.mp4"))
    stage.aura("export", "list")
    stage.aura("asset", "list", "--type", "Image")


def keeping(stage: Stage) -> None:
    """Configuration, a template of one's own, the list of projects."""
    stage.say("Secrets are encrypted, belong to you alone, and are not shown:")
    stage.aura("config", "set", "llm.api_key", "--stdin", text="sk-demo-0123456789")
    stage.aura("config", "get", "llm.api_key")
    stage.aura("config", "set", "export.preset", "TikTok", "--project")
    stage.aura("config", "get", "export.preset")
    stage.say("The next film of the series begins where this one is; and everything is on one list.")
    stage.aura("template", "new-from-project", "Comet series")
    stage.aura("template", "list", "--own")
    stage.aura("projects", "list")


def main() -> None:
    """Run every part in a scratch folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the scratch folder behind to look around in")
    keep = parser.parse_args().keep
    scratch = Path(tempfile.mkdtemp(prefix="aura-demo-"))
    try:
        stage = Stage(scratch)
        for part in (beginning, saving, dying, exporting, keeping):
            part(stage)
        kept = f"Everything is in {scratch}." if keep else "`python scripts/demo_studio.py --keep` leaves it there."
        stage.say(f"That was the studio. {kept} docs/studio.md tells it at length.")
    finally:
        if not keep:
            shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
