"""Run the terminal sessions of the documentation, and write down what they print now.

    python scripts/transcripts.py            renews README.md and the task pages in place
    python scripts/transcripts.py --check    only runs them; exit code 1 if a command fails

A page is one session: its ```console blocks run in one shell, in a scratch folder that has a
copy of the fixture project `solar-system` in it, and a copy of a studio's data, `studio-data`. Lines
that begin with "$ " are run; the lines under them are replaced by what came out.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    "README.md",
    "docs/getting-started.md",
    "docs/everyday.md",
    "docs/comparing.md",
    "docs/uninstalling.md",
    "docs/going-back.md",
    "docs/merging.md",
    "docs/space.md",
    "docs/studio.md",
    "docs/sync.md",
    "docs/coming-from-git.md",
    "docs/coming-from-aura-studio.md",
    "docs/coming-from-copies.md",
    "docs/leaving.md",
    "docs/notes.md",
    "docs/provenance.md",
    "docs/derived.md",
    "docs/agents.md",
)
FIXTURE = ROOT / "fixtures/solar-system"
DATABASE = ROOT / "fixtures/aura-studio"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "@@transcript@@"


class SessionFailed(Exception):
    """A command of a page did not end as it should."""


def commands_of(text: str) -> list[str]:
    """The command lines of a page, in order."""
    return [line[2:] for block in BLOCK.findall(text) for line in block.splitlines() if line.startswith("$ ")]


def run(commands: list[str], fixture: Path = FIXTURE) -> list[str]:
    """What each command prints, run one after the other in one shell.

    Raises:
        SessionFailed: one ends with another exit code than 0; names it and what it printed.
    """
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree(fixture, Path(scratch, "solar-system"))
        shutil.copytree(DATABASE, Path(scratch, "studio-data"))
        script = "".join(f"{command}\necho '{MARK}'$?\n" for command in commands)
        done = subprocess.run(
            ["bash"], input=script, cwd=scratch, env=_environment(scratch), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, encoding="utf-8", timeout=300,
        )  # fmt: skip
        text = done.stdout.replace(os.path.realpath(scratch), "~").replace(scratch, "~")
    outputs = re.split(rf"{MARK}(\d+)\n", text)
    for command, output, code in zip(commands, outputs[::2], outputs[1::2], strict=False):
        if code != "0":
            raise SessionFailed(f"`{command}` ended with exit code {code}:\n{output}")
    if len(outputs) // 2 != len(commands):
        raise SessionFailed(f"`{commands[len(outputs) // 2]}` never came back:\n{outputs[-1]}")
    return outputs[:-1:2]


def _environment(home: str) -> dict[str, str]:
    programs = str(Path(sys.executable).parent)
    return {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": home,
        "AURA_HOME": str(Path(home, ".studio")),
        "AURA_AUTHOR": "Mara",
        "COLUMNS": "80",
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "TZ": "UTC",
    }


def renewed(text: str, outputs: list[str]) -> str:
    """The page with these outputs under its commands."""
    waiting = iter(outputs)

    def block(match: re.Match[str]) -> str:
        lines = [line for line in match[1].splitlines() if line.startswith("$ ")]
        return "```console\n" + "".join(f"{line}\n{next(waiting)}" for line in lines) + "```"

    return BLOCK.sub(block, text)


def main() -> None:
    """Renew the pages, or with --check only run them."""
    for name in PAGES:
        page = ROOT / name
        text = page.read_text("utf-8")
        try:
            outputs = run(commands_of(text))
        except SessionFailed as error:
            sys.exit(f"{name}: {error}")
        if "--check" not in sys.argv[1:]:
            page.write_text(renewed(text, outputs), "utf-8")
        sys.stdout.write(f"{name}: {len(outputs)} commands\n")


if __name__ == "__main__":
    main()
