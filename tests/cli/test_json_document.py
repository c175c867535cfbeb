"""docs/json.md against the code: every sample has the keys and types that are really printed."""

import json
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Film
from tests.compare.media_files import wav
from tests.editors.projects import Item, kdenlive
from tests.helpers.scripts import load_script

PAGE = Path(__file__).parent.parent.parent / "docs" / "json.md"
SAMPLE = re.compile(r"^### `aura ([^`]+)`$(.*?)(?=^##)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"```json\n(.*?)```", re.DOTALL)


def samples() -> list[tuple[str, Any]]:
    """Command and sample, for every section that has one."""
    found = [(command, BLOCK.search(text)) for command, text in SAMPLE.findall(PAGE.read_text("utf-8") + "\n##")]
    return [(command, json.loads(block[1])) for command, block in found if block is not None]


SAMPLES = samples()
shape = load_script("json_story").shape


@pytest.fixture
def scenes(film: Film) -> Film:
    """The project that the page's samples come from."""
    (film.root / "project.json").unlink()
    shutil.rmtree(film.root / ".aura")
    (film.root / "notes.txt").unlink()
    return film


def prepare(film: Film, command: str) -> None:
    """Bring the project to where the sample was taken."""
    if command.startswith("init"):
        film.write({"tides.kdenlive": b""})
        return
    film("init", "--title", "Tides")
    if command.startswith("commit"):
        return
    second: dict[str, str | bytes] = {}
    if command.startswith("diff v1 v2"):
        scenes = [{"heading": "Flood", "start": 0, "duration": 4}, {"heading": "Ebb", "start": 4, "duration": 4}]
        film.write({"timeline.json": json.dumps({"scenes": scenes}), "assets/tone.wav": wav(1)})
        scenes[0]["duration"], scenes[1]["start"] = 3, 3
        second = {"timeline.json": json.dumps({"scenes": scenes}), "assets/tone.wav": wav(1.5)}
    film("commit", "-m", "First cut")
    if command.startswith("project check"):
        film.write({"assets/sea.mp4": b"sea", "tides.kdenlive": kdenlive({"V1": [Item("assets/sea.mp4")]})})
        return
    (film.root / "assets/sky.png").rename(film.root / "assets/sea.png")
    (film.root / "scenes/010-opening.json").unlink()
    film.write({"brief.json": json.dumps({"topic": "Tides", "tone": "wild"}), "notes.txt": "n\n"})
    if command.startswith(("status", "diff --json")):
        return
    film.write(second)
    film("commit", "-m", "Second cut")
    if command.split(maxsplit=1)[0] in {"checkout", "undo"}:
        film.write({"notes.txt": "unsaved\n"})
    if command.startswith("undo"):
        film("checkout", "v1")
    if command.startswith(("merge", "resolve", "blame", "log --field")):
        part(film)
    if command.startswith(("merge --abort", "resolve", "blame", "log --field")):
        film("merge", "side")
    if command.split(maxsplit=1)[0] in {"tag", "ops"}:
        film("tag", "sent", "v1", "-m", "To the client")
    if command.startswith(("offload", "fetch --content")):
        film("remote", "add", "origin", "../film.aura")
        for _ in range(2):
            film.commit("Take", {"assets/take.mov": os.urandom(1_100_000)})
        film("push")
    if command.startswith("fetch --content"):
        film("offload")
        return
    if command.split(maxsplit=1)[0] == "storage":
        film.write({"notes.txt": os.urandom(10)})
        film("restore", "HEAD", "notes.txt")
    if command.split(maxsplit=1)[0] in CARRYING:
        prepare_remote(film, shlex.split(command))


CARRYING = {"remote", "clone", "push", "fetch", "pull", "sync", "bundle", "lock", "locks", "unlock"}


def prepare_remote(film: Film, words: list[str]) -> None:
    """Bring the project's remote, and another copy of the project, to where the sample was taken."""
    if words[:2] == ["remote", "add"] or words[:2] == ["bundle", "create"]:
        return
    if words[0] == "bundle":
        film("bundle", "create", "../tides.aurabundle")
        return
    film("remote", "add", "origin", "../tides.aura")
    if words[0] == "push" or words[:2] == ["remote", "show"]:
        return
    film("push")
    if words[0] in {"fetch", "pull", "sync"}:
        film("clone", "../tides.aura", "../desktop")
        desktop = Film(film.root.parent / "desktop", film.env)
        desktop.write({"notes.txt": "from the desktop\n"})
        desktop("commit", "-m", "Third cut")
        desktop("push")
    if words[0] in {"locks", "unlock"}:
        film("lock", "assets/sea.png", "--reason", "new colours", "--expires", "8h")


def part(film: Film) -> None:
    """A branch that changed the same field, the same file and another one."""
    film("branch", "side", "v1")
    film("checkout", "side")
    film.write({"brief.json": json.dumps({"topic": "Tides", "tone": "stern"}), "notes.txt": b"\0theirs"})
    film("commit", "-m", "Another tone", "--author", "Ben")
    film("checkout", "main")


@pytest.mark.parametrize(("command", "sample"), SAMPLES, ids=[command for command, _ in SAMPLES])
def test_samples_are_what_is_printed(scenes: Film, command: str, sample: Any) -> None:
    """Running the command of a sample prints the same keys with the same types."""
    prepare(scenes, command)
    code = 20 if "error" in sample else 0
    assert shape(scenes(*shlex.split(command), code=code).json) == shape(sample)


def test_every_contract_is_on_the_page() -> None:
    """The page has a sample for each command whose output others read."""
    commands = {command.split()[0] for command, _ in SAMPLES}
    wanted = "init status commit show diff checkout undo ops branch tag version gc fsck storage reindex"
    wanted += " merge resolve blame log"
    assert {*wanted.split(), *CARRYING} <= commands
