"""The command tree and the pages made from it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from aura_vcs.cli import completion
from aura_vcs.cli.groups import LazyGroup
from aura_vcs.cli.main import cli

from tests.cli.conftest import AURA, Film
from tests.helpers.scripts import load_script

ROOT = Path(__file__).parent.parent.parent
OPENED = """
import atexit, sys
opened = []
sys.addaudithook(lambda event, values: opened.append(str(values[0])) if event == "open" else None)
atexit.register(lambda: print(*[path for path in opened if "/.aura/" in path], sep="\\n"))
"""
"""Prints at the end which files of a project were opened by Python."""
SLOW = """rich pathspec pyfastcdc subprocess importlib.metadata importlib.util concurrent.futures logging hashlib
socket asyncio tempfile shutil urllib.parse pathlib aura_vcs.maintenance aura_vcs.studio aura_vcs.sync"""
"""What no command of every day imports where little has changed."""
LOOKING_BACK = f"{SLOW} json difflib zstandard aura_vcs.compare aura_vcs.project aura_vcs.worktree"
EVERY_DAY = {
    "log --oneline": LOOKING_BACK,
    "ops": LOOKING_BACK,
    "commit -m Second": f"{SLOW} json aura_vcs.compare aura_vcs.project.documents.load "
    "aura_vcs.worktree.checkout.writer",
    "status": f"{SLOW} json difflib zstandard aura_vcs.compare aura_vcs.project.documents.load aura_vcs.objects.batch "
    "aura_vcs.worktree.snapshot.snapshot aura_vcs.worktree.checkout.writer aura_vcs.history.names.revisions "
    "aura_vcs.cli.output.json_shapes",
    "sync": "aura_vcs.history.checkout aura_vcs.objects.batch aura_vcs.sync.transfer.download "
    "ssl urllib zipfile subprocess secrets concurrent json difflib aura_vcs.compare "
    "aura_vcs.storage.remotes.web aura_vcs.storage.remotes.ssh aura_vcs.storage.remotes.bucket "
    "aura_vcs.worktree.checkout.writer",
    "diff v1 v2": f"{SLOW} difflib aura_vcs.project aura_vcs.compare.timeline.diff aura_vcs.media.draw_pictures",
}
"""What is slow to import, by the command that is to do without it."""
OUR_MODULES = {
    "log --oneline": 70, "ops": 72, "status": 89, "commit -m Second": 117, "diff v1 v2": 107, "sync": 140,
}  # fmt: skip
"""So many modules of ours a command imports at most; each takes 0.2 ms. Two ask the
resident helper, and are all that a command imports where it answers."""
FOR_HELP = "inspect ast dis tokenize textwrap gettext locale platform"
"""What no command needs that goes well."""
WITHOUT_DATA = {
    "cat", "completion", "demo", "git-driver diff", "git-driver merge", "git-driver textconv", "help", "helper start",
    "helper stop", "mcp", "serve",
}  # fmt: skip
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


def test_what_is_completed_is_there() -> None:
    """What the shell is offered for a word is a function of `cli.completion`, which is imported for the shell alone."""
    named = {
        asked.__name__
        for _, command, *_ in COMMANDS
        for parameter in command.params
        if (asked := parameter._custom_shell_complete) is not None
    }
    assert named
    assert {name for name in named if not callable(getattr(completion, name, None))} == set()


@pytest.mark.parametrize("page", ["api.md", "cli-reference.md", "exit-codes.md"])
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


@pytest.mark.parametrize("line", EVERY_DAY)
def test_everyday_commands_import_little(film: Film, line: str) -> None:
    """What is slow to import is not imported by commands that do not need it."""
    film.commit("First cut")
    brief = film.read("brief.json") + "\n"
    if line == "sync":
        film("remote", "add", "origin", "../film.aura")
        film("sync")
        film("sync")  # which looks at what came of the first
    elif line.startswith("commit"):
        film("config", "set", "identity.name", "Ada")
        film.commit("In the studio's list from now on", {"notes.txt": "more"})
        film.write({"brief.json": brief})
    else:
        film.commit("Second", {"brief.json": brief})
        film("status")  # it remembers what it finds in the documents of a version
    code = (
        "import sys, os\nos.chdir(sys.argv[1])\nfrom aura_vcs.cli.entry import run\n"
        "sys.argv = ['aura', *sys.argv[2:]]\n"
        "try: run()\nexcept SystemExit as e: c = e.code\n"
        f"slow = {(EVERY_DAY[line] + ' ' + FOR_HELP).split()!r}\n"
        "print(sum(m.startswith('aura_vcs') for m in sys.modules))\n"
        "print(c, [m for m in slow if m in sys.modules and vars(sys.modules[m])['__spec__']])"  # else to come later
    )
    done = subprocess.run(
        [sys.executable, "-c", code, film.root, *line.split()],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HOME": film.env["HOME"], "AURA_NO_WATCHER": ""},  # as people have it; none is running
    )
    *_, ours, slow = done.stdout.splitlines()
    assert slow == "0 []"
    assert int(ours) <= OUR_MODULES.get(line, 1000)


def opened_by(film: Film, *arguments: str) -> list[str]:
    """The files of the project that a command opens, the index apart, by their path in `.aura`."""
    done = subprocess.run(
        [sys.executable, "-c", OPENED + AURA[-1], *arguments],
        cwd=film.root,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HOME": film.env["HOME"]},
    )
    return [line.split("/.aura/")[1] for line in done.stdout.splitlines() if "/.aura/" in line]


def test_a_clean_status_opens_no_object(film: Film) -> None:
    """What is ignored in a folder that equals its version is not looked for in the version."""
    film.write({".auraignore": "*.tmp\n", "cut.tmp": "x", "scenes/old.tmp": "y"})
    film.commit("First cut")
    film("status")
    assert not [path for path in opened_by(film, "status") if path.startswith("objects/")]


def test_log_opens_few_files(film: Film) -> None:
    """Looking back reads the index, HEAD and the branches, however many versions there are."""
    for number in range(5):
        film.commit(f"Cut {number}", {"brief.json": f"[{number}]"})
    few = opened_by(film, "log")
    assert len(few) <= 7, few
    film.commit("One more", {"brief.json": "[]"})
    assert len(opened_by(film, "log")) == len(few)
