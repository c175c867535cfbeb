"""The studio: from a template to an exported video, through a renderer that dies."""

import importlib.util
import shutil
import subprocess
import sys

from aura_vcs.cli.demo.stage import Person, Stage, sample_project
from aura_vcs.cli.installation import how_to_install
from aura_vcs.errors import AuraError

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


def studio(stage: Stage) -> None:
    """Show templates, scenes, autosaves, checkpoints, exports and settings."""
    mira = stage.person("Mira", "comet")
    for part in (beginning, saving, dying, exporting, keeping):
        part(mira)


def _scene_file(person: Person, number: int) -> str:
    """Return the document of a scene."""
    return f"scenes/{sorted(path.name for path in (person.folder / 'scenes').iterdir())[number]}"


def beginning(mira: Person) -> None:
    """Setup, templates, a project from one, scenes with pictures."""
    mira.stage.say("A new machine. Tell aura once who you are; in a terminal, `aura setup` asks.")
    mira.aura("setup", "--name", "Mira", "--output", str(mira.stage.root / "Videos"), "--unattended")
    mira.stage.say("Begin a short film with a template:")
    mira.aura("template", "list")
    mira.aura("init", "comet", "--template", "social-short", "--title", "Comets", "--topic", "comets")
    mira.aura("commit", "-m", "From the template")
    mira.aura("scene", "list")
    mira.stage.say("Pictures and a voice arrive; the scenes are given them. Every change is one undo.")
    (mira.folder / "assets").mkdir()
    for name in PICTURES:
        shutil.copyfile(sample_project() / "assets" / "images" / name, mira.folder / "assets" / name)
    shutil.copyfile(sample_project() / SOUND, mira.folder / "assets" / "voice.wav")
    mira.aura("scene", "set", "0", "image_file_path=assets/010-opening.png", "audio_file_path=assets/voice.wav")
    for number, name in enumerate(PICTURES[1:], start=1):
        mira.aura("scene", "set", str(number), f"image_file_path=assets/{name}", "duration_seconds=1")
    mira.aura("scene", "remove", "4")
    mira.aura("undo")
    mira.aura("scene", "set", "0", "heading=They come from far away", "duration_seconds=2.5")
    mira.stage.say("What is wrong with it? None of that keeps it from being saved.")
    mira.aura("scene", "set", "3", "image_file_path=assets/mars.png")
    mira.aura("project", "check", code=3)
    mira.aura("undo")
    mira.aura("commit", "-m", "With pictures")


def saving(mira: Person) -> None:
    """Show autosaves, restore points, what they are worth, and words of old versions."""
    mira.stage.say("While you work, `aura autosave --watch` saves beside your branch. Once, by hand:")
    mira.edit(_scene_file(mira, 1), script_text="A comet is a dirty snowball.")
    mira.aura("autosave")
    mira.aura("autosave")
    mira.stage.say("A program is about to rewrite everything, and says so before:")
    mira.aura("restore-point", "PreScriptRegeneration")
    mira.edit(_scene_file(mira, 1), script_text="Comets are leftovers of the beginning.")
    mira.aura("commit", "-m", "New script")
    mira.aura("version", "list")
    mira.aura("version", "compare", "v2", "HEAD")
    mira.stage.say("Where was that line about the snowball?")
    mira.aura("search", "snowball")
    mira.stage.say("Old autosaves go by themselves. Which would, and why do the others stay?")
    mira.aura("prune", "--dry-run")


def dying(mira: Person) -> None:
    """Show a renderer that dies, and resumes."""
    mira.stage.say("A renderer works scene by scene, saves a checkpoint after each, and is killed in the fourth:")
    mira.aura("project", "set", "status=InProgress", "current_stage=Render", "job_id=job-7")
    killed = subprocess.run(
        [sys.executable, "-P", "-c", RENDERER], cwd=mira.folder, env=mira.stage.environment, check=False
    )
    if killed.returncode == 0:
        raise AuraError("The renderer was not killed")
    mira.aura("project", "set", "status=Failed", "error_message=the power went")
    mira.aura("recover", "--list")
    mira.stage.say("Go on from the newest checkpoint: its data, and the file as it was then.")
    mira.aura("recover")
    mira.aura("project", "show")
    mira.stage.say("The first scene has been cut again: no checkpoint should be resumed from. That can be undone, too.")
    mira.aura("checkpoint", "invalidate", "--all", "--reason", "scene 1 was cut again")
    mira.aura("undo")
    mira.aura("ops", "--all", "-n", "8")


def exporting(mira: Person) -> None:
    """Show a video of one exact version."""
    if importlib.util.find_spec("av") is None:
        mira.stage.say(f"(To make videos, install the extra media: {how_to_install('media')})")
        return
    mira.stage.say("Make the video of the version with the old script. The folder is neither read nor changed.")
    mira.aura("export", "run", "v2", "--preset", "Draft Preview", "-o", str(mira.stage.root / "comets.mp4"))
    mira.aura("export", "list")
    mira.aura("asset", "list", "--type", "Image")


def keeping(mira: Person) -> None:
    """Configuration, a template of one's own, the list of projects."""
    mira.stage.say("Secrets are encrypted, belong to you alone, and are not shown:")
    mira.aura("config", "set", "llm.api_key", "--stdin", text="sk-demo-0123456789")
    mira.aura("config", "get", "llm.api_key")
    mira.aura("config", "set", "export.preset", "TikTok", "--project")
    mira.aura("config", "get", "export.preset")
    mira.stage.say("The next film of the series begins where this one is; and everything is on one list.")
    mira.aura("template", "new-from-project", "Comet series")
    mira.aura("template", "list", "--own")
    mira.aura("projects", "list")
