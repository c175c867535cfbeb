"""The example project, edited by a seeded script: one or two fields for every version."""

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

from bench.data import WORDS

FIXTURE = Path(__file__).parent.parent / "fixtures" / "solar-system"
DOCUMENT_SUFFIXES = (".json", ".srt")


def copy_documents(folder: str) -> None:
    """The documents of the example project, without its media."""
    for path in sorted(FIXTURE.rglob("*")):
        if path.suffix in DOCUMENT_SUFFIXES:
            target = Path(folder) / path.relative_to(FIXTURE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def edit_documents(folder: str, number: int) -> None:
    """The edit that makes version `number`: one or two fields of one document."""
    choices = random.Random(f"story {number}")
    documents = sorted(path for path in Path(folder).rglob("*.json") if ".aura" not in path.parts)
    scenes = [path for path in documents if path.parent.name == "scenes"]
    before = after = ""
    while before == after:
        path = choices.choice(scenes if choices.random() < 0.7 else documents)
        before = path.read_text(encoding="utf-8")
        after = _edited(before, choices)
    temporary = path.with_suffix(".part")
    temporary.write_text(after, encoding="utf-8")
    os.replace(temporary, path)


def _edited(text: str, choices: random.Random) -> str:
    value = json.loads(text)
    fields = list(_fields(value))
    for holder, key in choices.sample(fields, min(len(fields), choices.choice((1, 1, 2)))):
        holder[key] = _changed(holder[key], choices)
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _fields(value: Any) -> Any:
    """Every text and number that a person edits, with what holds it."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        if isinstance(inner, dict | list):
            yield from _fields(inner)
        elif isinstance(inner, float) or (isinstance(inner, str) and " " in inner):
            yield value, key


def _changed(value: Any, choices: random.Random) -> Any:
    if isinstance(value, float):
        return round(max(0.5, value + choices.choice((-1.5, -0.5, 0.25, 0.5, 1.0))), 2)
    words = value.split(" ")
    for _ in range(choices.randrange(1, 4)):
        words[choices.randrange(len(words))] = choices.choice(WORDS)
    return " ".join(words)
