"""Two machines: one project, a folder that both reach, and nothing lost.

The prompts name the machine; both are folders beside each other here.
"""

from aura_vcs.cli.demo.stage import Person, Stage, copy_sample

REMOTE = "../nas/solar-system.aura"
VOICE = "voice.json"
SATURN = "scenes/080-saturn.json"
CLIP = "assets/video/orbits.mp4"


def between_machines(stage: Stage) -> None:
    """Show laptop and desktop: push, clone, work apart, be told, sync, merge, lock."""
    laptop = stage.person("Ada", "solar-system", "laptop")
    desktop = stage.person("Ben", "desktop", "desktop")
    (stage.root / "nas").mkdir()
    sharing(laptop, desktop)
    coming_apart(laptop, desktop)
    locking(laptop, desktop)
    without_a_third_place(stage)


def sharing(laptop: Person, desktop: Person) -> None:
    """Show a remote in a folder, a push, a clone."""
    laptop.stage.say(
        "A second machine joins. All that both need is a folder that both can reach, on a NAS for example:"
    )
    laptop.aura("remote", "add", "origin", REMOTE)
    laptop.aura("config", "set", "locks.patterns", '["*.mp4"]', "--project")
    laptop.aura("push")
    laptop.stage.say("At the desktop Ben gets the whole project, with all its versions:")
    desktop.aura("clone", "nas/solar-system.aura", "desktop", where=desktop.stage.root)


def coming_apart(laptop: Person, desktop: Person) -> None:
    """Show two commits on one version, a refused push, and a sync that merges."""
    laptop.stage.say("Both work on a train, without a network: Ada makes the voice slower, Ben rewrites Saturn.")
    laptop.edit(VOICE, rate=0.94)
    laptop.aura("commit", "-m", "Slower voice")
    desktop.edit(SATURN, script_text="Saturn: the one with the rings. Everybody's favourite.")
    desktop.aura("commit", "-m", "Saturn rewritten")
    laptop.stage.say("Ada is the first to be back. Ben's push would move the branch apart, so nothing is moved:")
    laptop.aura("push")
    desktop.aura("push", code=97)
    laptop.stage.say(
        "`aura sync` sorts it out. Nothing is left to decide, so what both did becomes one version, and is sent:"
    )
    desktop.aura("sync")
    desktop.aura("log", "--graph", "--oneline", "-n", "4")
    laptop.stage.say("Ada gets what Ben made. After that there is nothing to do:")
    laptop.aura("sync")
    laptop.aura("sync")


def locking(laptop: Person, desktop: Person) -> None:
    """Show a clip that cannot be merged: locked, refused, unlocked."""
    laptop.stage.say("A clip cannot be merged. Whoever works on one says so, and of two people exactly one gets it:")
    laptop.aura("lock", CLIP, "--reason", "new colours", "--expires", "8h")
    desktop.aura("lock", CLIP, code=100)
    laptop.stage.say("Whoever forgets to ask is told at the commit, and cannot push over it:")
    desktop.copy("assets/music/slow-orbit.wav", CLIP)
    desktop.aura("commit", "-m", "Another clip")
    desktop.aura("push", code=100)
    desktop.aura("undo")
    desktop.aura("restore", "HEAD", CLIP)
    laptop.aura("unlock", CLIP)


def without_a_third_place(stage: Stage) -> None:
    """Show a clone of a project's own folder, edits on both sides, and one sync on each."""
    desk, couch = stage.person("Ada", "film", "desk"), stage.person("Ada", "couch", "couch")
    copy_sample(desk.folder)
    stage.say("Two machines on one desk need no NAS: a project's own folder can be cloned, by its path or over SSH.")
    desk.aura("init")
    desk.aura("commit", "-m", "First cut")
    couch.aura("clone", "film", "couch", where=stage.root)
    stage.say("Both go on, in different files, and each syncs once:")
    desk.edit(VOICE, rate=0.94)
    desk.aura("commit", "-m", "Slower voice")
    couch.edit(SATURN, script_text="Saturn: the one with the rings. Everybody's favourite.")
    couch.aura("commit", "-m", "Saturn rewritten")
    couch.aura("sync")
    stage.say("That touched no file at the desk. There, too, it is one command, and no remote to set up:")
    desk.aura("status")
    desk.aura("sync")
    desk.aura("log", "--graph", "--oneline")
