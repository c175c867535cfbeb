"""Two people, one film: what they did apart is merged by meaning."""

from collections.abc import Callable
from typing import Any

from aura_vcs.cli.demo.stage import Person, Stage, copy_sample
from aura_vcs.formats.timeline.durations import format_duration, parse_duration

BRIEF = "brief.json"
TIMELINE = "timeline.json"
JUPITER = "scenes/070-jupiter.json"
GIANT = "scenes/070-the-giant.json"
SATURN = "assets/images/080-saturn.png"
URANUS = "assets/images/090-ice-giants.png"


def merging(stage: Stage) -> None:
    """Show two lines of work, their merge, and a conflict that is decided on another machine."""
    ada, ben = stage.person("Ada", "solar-system", "Ada "), stage.person("Ben", "bens-copy", "Ben ")
    copy_sample(ada.folder)
    working_apart(ada)
    merge_branch(ada)
    deciding_elsewhere(ada, ben)
    looking_back(ada)


def _cut(person: Person, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Change the scenes of the timeline; each begins where the one before ends."""
    document = person.read(TIMELINE)
    change(document["scenes"])
    start = 0.0
    for n, scene in enumerate(document["scenes"]):
        scene["index"], scene["start"] = n, format_duration(start)
        start += parse_duration(scene["duration"]) or 0.0
    person.write(TIMELINE, document)


def _trim_venus(scenes: list[dict[str, Any]]) -> None:
    scenes[2]["duration"] = format_duration(5.5)


def _mars_before_earth(scenes: list[dict[str, Any]]) -> None:
    scenes.insert(3, scenes.pop(4))


def working_apart(ada: Person) -> None:
    """Show two branches with different work, and one field that both changed."""
    ada.stage.say("Ada has a film. Ben is to make it shorter, on a branch of his own:")
    ada.aura("init")
    ada.aura("commit", "-m", "First cut")
    ada.aura("branch", "shorter")
    ada.stage.say("Ben trims Venus, rewrites Jupiter, takes faster music, and wants the film short and dry:")
    ada.aura("checkout", "shorter")
    _cut(ada, _trim_venus)
    ada.edit(JUPITER, script_text="Jupiter: two and a half times everything else together.")
    ada.copy("assets/music/slow-orbit.wav", "assets/music/quick-orbit.wav")
    ada.edit(TIMELINE, background_music_path="assets/music/quick-orbit.wav")
    ada.edit(BRIEF, tone="Short and dry")
    ada.aura("commit", "-m", "Shorter", "--author", "Ben")
    ada.stage.say(
        "Ada moves Mars before Earth, gives Saturn another picture, Jupiter's file another name and the film a smile:"
    )
    ada.aura("checkout", "main")
    _cut(ada, _mars_before_earth)
    ada.copy(URANUS, SATURN)
    (ada.folder / JUPITER).rename(ada.folder / GIANT)
    ada.edit(BRIEF, tone="Dry, with a smile")
    ada.aura("commit", "-m", "Mars first")


def merge_branch(ada: Person) -> None:
    """Show the plan, the merge, and what it made."""
    ada.stage.say("What would merging them bring? This changes nothing:")
    ada.aura("merge", "shorter", "--dry-run")
    ada.stage.say("Then do it. What only people can decide is saved with the version, and nobody has to decide it now:")
    ada.aura("merge", "shorter")
    scenes = [scene["heading"] for scene in ada.read(TIMELINE)["scenes"]]
    ada.stage.write(f"  (the timeline is now: {', '.join(scenes)})")
    ada.stage.write(f"  (Jupiter says now: {ada.read(GIANT)['script_text']})")
    ada.aura("diff", "HEAD~1", "HEAD", "--", TIMELINE)
    ada.stage.say("Taken back and done again, as one step:")
    ada.aura("merge", "--abort")
    ada.aura("redo")
    ada.aura("status")


def deciding_elsewhere(ada: Person, ben: Person) -> None:
    """Show how the conflict travels to another machine and is decided there."""
    ada.stage.say("The question is in the project. It goes with it, to Ben's machine:")
    ada.aura("remote", "add", "shared", "../film.aura")
    ada.aura("push")
    ben.aura("clone", "film.aura", ben.folder.name, where=ben.stage.root)
    ben.aura("resolve")
    ben.aura("resolve", "--theirs", f"{BRIEF}#/tone")
    ben.aura("commit", "-m", "Short and dry it is")
    ben.aura("push")
    ada.stage.say("Ada gets the answer:")
    ada.aura("pull")
    ada.stage.write(f"  (the brief's tone is now: {ada.read(BRIEF)['tone']})")
    ada.aura("resolve")


def looking_back(ada: Person) -> None:
    """Show who decided what, and write a page to show."""
    ada.stage.say("Who decided on the tone, and when? Who wrote what of Jupiter? And how did the lines run?")
    ada.aura("log", "--field", f"{BRIEF}#/tone")
    ada.aura("blame", GIANT)
    ada.aura("log", "--oneline", "--", GIANT)
    ada.aura("log", "--graph", "--oneline")
    ada.stage.say("To show somebody: a page with timelines, pictures and words side by side.")
    ada.aura("diff", "v1", "HEAD", "--html", str(ada.folder.parent / "report.html"))
