"""A generated picture with its prompt, a note at a second, the fix, the note resolved, the cost."""

import struct
import zlib
from pathlib import Path

from aura_vcs.cli.demo.stage import Person, Stage, copy_sample

PICTURE = "assets/images/050-mars.png"
VIDEO = "assets/video/orbits.mp4"


def notes(stage: Stage) -> None:
    """Show where a picture comes from, and how a note is made, answered and seen to."""
    ada = stage.person("Ada", "solar-system")
    copy_sample(ada.folder)
    for part in (_generated, _reviewed, _fixed):
        part(ada)


def _generated(ada: Person) -> None:
    ada.stage.say(
        "A picture of Mars is to be made by a model. The file brings its prompt along, as generators write it:"
    )
    ada.aura("init")
    _generate(ada.folder / PICTURE, seed=41, red=150)
    ada.aura("provenance", "show", PICTURE)
    ada.stage.say("What it cost, and under which licence it is, the file does not say. So say it, then save:")
    ada.aura("provenance", "set", PICTURE, "--cost", "0.04", "--currency", "EUR", "--license", "CC0-1.0")
    ada.aura("commit", "-m", "With a generated Mars")


def _reviewed(ada: Person) -> None:
    ada.stage.say("Ben looks at it, and says where something is wrong:")
    ben = ada.stage.person("Ben", "solar-system")
    ben.aura("note", "add", f"v1:{VIDEO}@0:01-0:02", "the orbits turn too fast here", "--color", "orange")
    ben.aura("note", "add", f"{PICTURE}@10%,20%,30%x40%", "much too dark, this is Mars at noon")
    ada.stage.say("Ada has two notes to answer:")
    ada.aura("note", "list", "--open")


def _fixed(ada: Person) -> None:
    ada.stage.say("She has the picture made again with another seed. How is it different?")
    _generate(ada.folder / PICTURE, seed=42, red=230)
    ada.aura("diff", "--no-media")
    ada.aura("provenance", "set", PICTURE, "--cost", "0.04", "--currency", "EUR", "--license", "CC0-1.0")
    ada.aura("commit", "-m", "A brighter Mars")
    ada.stage.say("The note is answered and resolved; it stays with the version it was about:")
    found = ada.data("note", "list", PICTURE)["notes"][0]["id"][:8]
    ada.aura("note", "reply", found, "seed 42, at noon")
    ada.aura("note", "resolve", found)
    ada.aura("note", "show", found)
    ada.stage.say("And what did all that cost?")
    ada.aura("cost")


def _generate(path: Path, *, seed: int, red: int) -> None:
    """Write a picture as a generator would: one colour, and the text that says how it was made."""
    said = f"Mars at noon, red dust\nNegative prompt: text\nSteps: 20, Sampler: Euler a, Seed: {seed}, Model: dust-1"
    rows = (b"\0" + bytes((red, 80, 40)) * 64) * 36
    head = struct.pack(">IIBBBBB", 64, 36, 8, 2, 0, 0, 0)
    chunks = (
        (b"IHDR", head),
        (b"tEXt", b"parameters\0" + said.encode()),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
