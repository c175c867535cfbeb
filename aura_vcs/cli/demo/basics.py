"""The main job: versions, going back, tidying up; then a second machine."""

import random
import wave
from pathlib import Path

from aura_vcs.cli.demo.machines import between_machines
from aura_vcs.cli.demo.stage import Person, Stage, copy_sample

BRIEF = "brief.json"
SCENE = "scenes/050-mars.json"
PICTURE = "assets/images/050-mars.png"
TAKE = "assets/audio/050-mars-take-2.wav"
OTHER_PICTURE = "assets/images/080-saturn.png"


def basics(stage: Stage) -> None:
    """Show every command of every day, and two machines."""
    ada = stage.person("Ada", "solar-system")
    copy_sample(ada.folder)
    for part in (first_versions, checking_out, tidying):
        part(ada)
    between_machines(stage)


def first_versions(ada: Person) -> None:
    """Init, commit, edits, status, diff, commit, log."""
    ada.stage.say("A folder with a film in the making: documents, scenes, pictures, sound. Make it a project:")
    ada.aura("init")
    ada.aura("commit", "-m", "First cut")

    ada.stage.say(
        "Now an afternoon of work: a new tone, a new line for Mars, another picture, a file renamed, one added."
    )
    ada.edit(BRIEF, tone="Dry, fast, a little sarcastic")
    ada.edit(SCENE, script_text="Mars is small, cold and red. We keep sending robots anyway.", duration_seconds=6.5)
    ada.copy(OTHER_PICTURE, PICTURE)
    (ada.folder / "scenes/100-closing.json").rename(ada.folder / "scenes/100-goodbye.json")
    (ada.folder / "notes.txt").write_text("Ask Ina about the music.\n", "utf-8")
    ada.stage.say("What has changed?")
    ada.aura("status")
    ada.stage.say("And what exactly?")
    ada.aura("diff")
    ada.stage.say("Save that too, and look at the list of versions:")
    ada.aura("commit", "-m", "Dry humour")
    ada.aura("log")


def checking_out(ada: Person) -> None:
    """Checkout with unsaved work, return, restore, undo, redo."""
    ada.stage.say("One more change, not saved yet. Then look at how it all began:")
    ada.edit(BRIEF, tone="Sarcastic, and in verse")
    ada.aura("checkout", "v1")
    ada.stage.write(f"  (the brief's tone is now: {ada.read(BRIEF)['tone']})")
    ada.stage.say("Back to the newest version, then fetch the unsaved brief out of the restore point:")
    ada.aura("checkout", "main")
    ada.aura("restore", "v3", BRIEF)
    ada.stage.write(f"  (the brief's tone is now: {ada.read(BRIEF)['tone']})")
    ada.stage.say("No, verse was a bad idea. Take that back:")
    ada.aura("undo")
    ada.stage.write(f"  (the brief's tone is now: {ada.read(BRIEF)['tone']})")
    ada.stage.say("The old picture of Mars was better, though. Bring back just that one file:")
    ada.aura("restore", "v1", PICTURE)
    ada.stage.say("Undo and redo work for everything, also after a restart:")
    ada.aura("undo")
    ada.aura("redo")
    ada.aura("commit", "-m", "The real Mars")


def tidying(ada: Person) -> None:
    """Delete a version, collect, verify."""
    ada.stage.say("A second take of the narration is recorded, saved, and turns out to be useless:")
    _record(ada.folder / TAKE, seconds=12)
    ada.aura("commit", "-m", "Second take")
    (ada.folder / TAKE).unlink()
    ada.aura("commit", "-m", "Without the second take")
    ada.stage.say("That version only costs space. What would deleting it free?")
    ada.aura("version", "delete", "v7", "--dry-run")
    ada.aura("version", "delete", "v7")
    ada.aura("log", "--oneline")
    ada.stage.say("What was deleted can be brought back for 14 days; gc keeps it that long:")
    ada.aura("gc", "--dry-run")
    ada.stage.say("To have the space now, say that nothing is to be kept:")
    ada.aura("gc", "--grace", "0")
    ada.stage.say("Is everything that was saved still intact? fsck reads and hashes all of it:")
    ada.aura("fsck")
    ada.stage.say("And this is what is there now, restore points included:")
    ada.aura("log", "--all", "--oneline")
    ada.aura("storage")


def _record(path: Path, *, seconds: int) -> None:
    """Write a WAV file of noise."""
    rate = 44_100
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(random.Random(7).randbytes(2 * rate * seconds))  # noqa: S311 (noise, no secret)
