"""Run the story of docs/json-studio.md, and write down what its commands print now.

    python scripts/json_story.py             fills the samples in
    python scripts/json_story.py --check     only runs them; exit code 1 if one is of another shape

Every heading with a command is run, in order, in a copy of the fixture project. Commands in a
comment `<!-- before: …; … -->` under it run first and print nothing. `ID` stands for the first
id, or hash of content, that the sample before has.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/json-studio.md"
FIXTURE = ROOT / "fixtures/solar-system"
DATABASE = ROOT / "fixtures/aura-studio"
SECTION = re.compile(r"^### `aura (?P<command>[^`]+)`\n(?P<text>.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
BEFORE = re.compile(r"<!-- before: (.*?) -->")
BLOCK = re.compile(r"```json\n(.*?)```\n*", re.DOTALL)
AURA = [sys.executable, "-c", "from aura_vcs.cli.entry import run; run()"]
SHOWN = 1
"""Entries of a list that are shown, of each shape."""
TEXT_LENGTH = 90


def shape(value: Any) -> Any:
    """Keys and types of a value; a list counts as the shapes that are in it."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [json.loads(text) for text in sorted({json.dumps(shape(inner), sort_keys=True) for inner in value})]
    return type(value).__name__


def cut(value: Any) -> Any:
    """The value with lists and long texts cut; its shape stays."""
    if isinstance(value, dict):
        return {key: cut(inner) for key, inner in value.items()}
    if isinstance(value, list):
        kept: dict[str, Any] = {}
        for inner in value:
            kept.setdefault(json.dumps(shape(inner), sort_keys=True), cut(inner))
        return list(kept.values())
    return f"{value[:TEXT_LENGTH]}…" if isinstance(value, str) and len(value) > TEXT_LENGTH else value


def story(text: str, scratch: Path) -> Iterator[tuple[str, Any]]:
    """Run the page's commands in a scratch folder; yields each with what it printed."""
    project = scratch / "film"
    shutil.copytree(FIXTURE, project)
    shutil.copytree(DATABASE, scratch / "studio-data")
    environment = {"PATH": os.environ["PATH"], "HOME": str(scratch), "AURA_HOME": str(scratch / "studio")}
    environment |= {"AURA_AUTHOR": "Ada", "TZ": "UTC", "LC_ALL": "C.UTF-8"}

    def run(words: list[str]) -> str:
        done = subprocess.run(
            [*AURA, *words], cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        if done.returncode not in (0, 3):  # 3: done, and some of it could not be taken
            raise SystemExit(f"aura {shlex.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    run(["init"])
    run(["commit", "-m", "First cut"])
    last: Any = None
    for match in SECTION.finditer(text):
        before = BEFORE.search(match["text"])
        for command in before[1].split("; ") if before else ():
            run(shlex.split(command))
        words = [_first_id(last) if word == "ID" else word for word in shlex.split(match["command"])]
        last = json.loads(run(words).replace(str(scratch), "/home/ada"))
        yield match["command"], last


def _first_id(value: Any) -> str:
    """The first id in a value, from the outside in."""
    waiting = [value]
    for item in waiting:
        for key in ("id", "content_hash"):
            if isinstance(item, dict) and isinstance(item.get(key), str):
                return str(item[key])
        waiting += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    raise SystemExit("the sample before has no id")


def samples(text: str) -> dict[str, Any]:
    """The samples that the page has, by command."""
    found = {match["command"]: BLOCK.search(match["text"]) for match in SECTION.finditer(text)}
    return {command: json.loads(block[1]) for command, block in found.items() if block is not None}


def renewed(text: str, printed: dict[str, Any]) -> str:
    """The page with these samples."""

    def section(match: re.Match[str]) -> str:
        words = BLOCK.sub("", match["text"]).strip()
        block = json.dumps(cut(printed[match["command"]]), indent=2, ensure_ascii=False)
        return f"### `aura {match['command']}`\n\n{words}{chr(10) * 2 if words else ''}```json\n{block}\n```\n\n"

    return SECTION.sub(section, text).rstrip() + "\n"


def main() -> None:
    """Renew the page, or with --check compare it."""
    text = PAGE.read_text("utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        printed = dict(story(text, Path(scratch).resolve()))
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(renewed(text, printed), "utf-8")
        return
    known = samples(text)
    stale = [command for command, value in printed.items() if shape(cut(value)) != shape(known.get(command))]
    if stale:
        sys.exit(f"{', '.join(stale)}: not of the shape that the page has. Run `python scripts/json_story.py`.")


if __name__ == "__main__":
    main()
