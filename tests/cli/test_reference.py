"""The command tree and the pages made from it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from aura_vcs.cli.groups import LazyGroup
from aura_vcs.cli.main import cli

from tests.cli.conftest import Film
from tests.helpers.scripts import load_script

ROOT = Path(__file__).parent.parent.parent
SLOW = """rich difflib pathspec zstandard pyfastcdc subprocess importlib.metadata concurrent.futures logging hashlib
socket pathlib asyncio aura_vcs.compare aura_vcs.project aura_vcs.upkeep aura_vcs.studio aura_vcs.sync"""
WITHOUT_DATA = {"cat", "completion", "serve"}
"""Commands that print no data, or data that is not ours."""


def commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command, str, str]]:
    """Every command: its words, itself, its line in the list, the examples of its group."""
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        listed = group.catalog[name].help if isinstance(group, LazyGroup) else first_line(command)
        yield " ".join((*words, name)), command, listed, group.epilog or ""
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))


def first_line(command: click.Command) -> str:
    """The first sentence of a command's help."""
    return " ".join((command.help or "").partition("\n\n")[0].split())


COMMANDS = list(commands(cli))
NAMES = [name for name, *_ in COMMANDS]


@pytest.mark.parametrize(("name", "command", "listed", "around"), COMMANDS, ids=NAMES)
def test_help_is_whole(name: str, command: click.Command, listed: str, around: str) -> None:
    """The line in the list is the command's own first one, has no full stop, and there are examples."""
    assert first_line(command) == listed
    assert not listed.endswith(".")
    assert listed[0].isupper()
    examples = [line.strip() for line in (command.epilog or "").splitlines()[2:]]
    assert examples or "\n  aura " in around, "no example, neither here nor in the group"
    assert all(example.startswith(("aura ", "eval ")) for example in examples)


@pytest.mark.parametrize(("name", "command"), [(name, command) for name, command, *_ in COMMANDS], ids=NAMES)
def test_commands_with_data_have_json(name: str, command: click.Command) -> None:
    """Whoever prints data prints it as JSON too."""
    if isinstance(command, click.Group) or name in WITHOUT_DATA:
        return
    assert any("--json" in parameter.opts for parameter in command.params)


@pytest.mark.parametrize("page", ["cli-reference.md", "exit-codes.md"])
def test_generated_pages_are_fresh(page: str) -> None:
    """What `make docs` would write is what is there; if this fails, run it."""
    assert (ROOT / "docs" / page).read_text("utf-8") == load_script("generate_docs").PAGES[page]()


def test_help_needs_no_command() -> None:
    """`aura --help` lists everything and imports no command, nor the library below."""
    code = (
        "import sys\nfrom aura_vcs.cli.main import cli\n"
        "try: cli.main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in sys.modules if m.startswith('aura_vcs.cli.commands.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Every day:" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_log_imports_little(film: Film) -> None:
    """What is slow to import is not imported by commands that do not need it."""
    slow = SLOW.split()
    film.commit("First cut")
    code = (
        "import sys, os\nos.chdir(sys.argv[1])\nfrom aura_vcs.cli.main import cli\n"
        "try: cli.main(['log', '--oneline'])\nexcept SystemExit as e: c = e.code\n"
        f"print(c, [m for m in {slow!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, film.root], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"
